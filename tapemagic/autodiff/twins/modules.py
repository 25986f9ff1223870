"""What a cell sees under the names of NumPy and `math` while a tape records.

Names that are one of the originals, by identity, are bound to its twin on entry; on exit twins
become originals again. Everything that needs no twin passes through: ``np.ndarray``, ``np.pi`` and
the ufuncs are the very objects of NumPy.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import pickle
import struct
import time
import weakref
import zlib
from typing import Any

import numpy as np
import numpy.lib.recfunctions

from tapemagic.autodiff import later
from tapemagic.autodiff.calls.creation import convert
from tapemagic.autodiff.twinning import (
    ORIGINALS,
    TWINS,
    listening,
    reading,
    showing,
    twin_module,
)

from .complex_math import cmath_twin
from .creation import linspace
from .iteration import vectorize
from .iterators import Iteration
from .math import math_twin
from .polynomial import POLYNOMIALS, polynomial_twin
from .random import TracedGenerator, random_twin, twin_generator
from .sequences import select
from .statistics import statistics_twin
from .strides import as_strided

__all__ = [
    "ORIGINALS", "TWINS", "Iteration", "as_strided", "cmath_twin", "convert",
    "linspace", "math_twin", "numpy_twin", "original_of", "polynomial_twin", "random_twin",
    "select", "statistics_twin", "twin_of",
]  # fmt: skip

#: NumPy's functions that ask their arguments, by the type that they have in common.
_Dispatching = type(np.sum)

_MODULES = (
    np, np.linalg, np.fft, np.lib, np.lib.recfunctions, np.polynomial.polynomial,
    *vars(np.lib).values(),
)  # fmt: skip
for _module in _MODULES:
    for _name, _fun in sorted(getattr(_module, "__dict__", {}).items()):
        if type(_fun) is _Dispatching and id(_fun) not in TWINS:
            listening(_fun)
# they look at types, and would find none that they know
for _fun in (json.dump, json.dumps, pickle.dump, time.sleep):
    showing(_fun)
for _fun in (json.load, json.loads, pickle.load, pickle.loads):
    reading(_fun, lambda y, args, kwargs: y)  # whose lists may hold an array twice, or themselves

# they ask for memory or numbers in C, where nothing tells them that a handle has some
_HASHES = [getattr(hashlib, _name) for _name in sorted(hashlib.algorithms_guaranteed)]
for _fun in (
    struct.pack, zlib.crc32, zlib.adler32, zlib.compress, binascii.crc32, binascii.hexlify,
    base64.b64encode, base64.b85encode, hashlib.new, *_HASHES,
):  # fmt: skip
    reading(_fun, lambda y, args, kwargs: y)

for _module in (
    base64,
    binascii,
    hashlib,
    json,
    pickle,
    struct,
    time,
    zlib,
    np.linalg,
    np.fft,
    np.lib.stride_tricks,
    np.lib,
    np.emath,
):
    twin_module(_module)
later.load()  # what NumPy's own namespace may hold already
#: Stands for ``numpy`` itself.
numpy_twin = twin_module(np)


def twin_of(value: Any) -> Any:
    """Return what stands for a value in a cell: its twin, or the value itself."""
    if type(value) in (np.random.Generator, np.random.RandomState):
        return twin_generator(value)
    if type(value) is np.vectorize:
        twin = object.__new__(vectorize)
        twin.__dict__ = value.__dict__
        ORIGINALS[id(twin)] = value
        weakref.finalize(twin, ORIGINALS.pop, id(twin), None)
        return twin
    if type(value) in POLYNOMIALS:
        value.__class__ = POLYNOMIALS[type(value)]  # the same object, for who holds it
        return value
    later.load()
    stand_in = later.OBJECTS.get(type(value))
    return TWINS.get(id(value), value) if stand_in is None else stand_in(value)


def original_of(value: Any) -> Any:
    """Return what a value has to become after the cell."""
    if type(value) is TracedGenerator or isinstance(value, later.StandIn):
        return value._original
    if type(value) is vectorize and id(value) not in ORIGINALS:
        original = object.__new__(np.vectorize)
        original.__dict__ = value.__dict__
        return original
    empty = later.EMPTIERS.get(type(value))
    if empty is not None:
        empty(value)
    kind = ORIGINALS.get(id(type(value)))
    if kind in POLYNOMIALS:
        value.__class__ = kind
    return ORIGINALS.get(id(value), value)
