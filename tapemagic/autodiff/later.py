"""Rules and twins of packages that may not be there, and are never imported by us.

Somebody who calls `scipy.linalg.solve` has imported SciPy: that is when its rules are declared.
"""

from __future__ import annotations

import importlib
import sys
import weakref
from collections.abc import Callable
from typing import Any, Self

from .recorder import RECORDER

#: Package -> the module with its rules or twins, as long as these are not declared.
PENDING = {
    "numpy.fft": ".rules.fft",
    "numpy.testing": ".twins.testing",
    "pandas": ".twins.pandas_tables",
    "polars": ".twins.polars_tables",
    "scipy.special": ".rules.scipy_special",
    "scipy.linalg": ".rules.scipy_linalg_refused",
    "scipy.fft": ".rules.scipy_fft",
    "scipy.signal": ".rules.scipy_signal",
    "scipy.integrate": ".rules.scipy_integrate",
    "scipy.ndimage": ".rules.scipy_ndimage",
    "scipy.optimize": ".rules.scipy_optimize",
    "scipy.stats": ".rules.scipy_stats",
    "scipy.interpolate": ".rules.scipy_interpolate",
    "scipy.spatial.distance": ".rules.scipy_spatial",
    "scipy.sparse": ".rules.scipy_sparse",
    "scipy.sparse.linalg": ".rules.scipy_sparse_linalg",
    "scipy": ".rules.scipy_package",
}

#: (NumPy function, class of another package) -> what the operator does with one of that class.
OPERATORS: dict[tuple[Callable, type], Callable] = {}

#: Class of another package -> puts plain values for the handles in its objects, after a cell.
EMPTIERS: dict[type, Callable[[Any], None]] = {}

#: Compiled class of another package -> what stands for its objects in a cell.
OBJECTS: dict[type, Callable] = {}


class StandIn:
    """Stands for an object of a compiled class, which would not take a handle.

    A script holds the object itself after the block.
    """

    _original: Any = None  # a copy is asked for methods before it has its own

    def __new__(cls, *_: Any, **__: Any) -> Self:
        """Make one and note it, for a script."""
        self = super().__new__(cls)
        if RECORDER.made is not None:
            RECORDER.made.append(weakref.ref(self))
        return self

    def __init__(self, original: Any) -> None:
        self._original = original

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)


def product(m: Any, x: Any) -> Any:
    """Multiply a sparse matrix by an array."""
    return m @ x


def product_from_right(x: Any, m: Any) -> Any:
    """Multiply an array by a sparse matrix."""
    return x @ m


def load() -> None:
    """Declare the rules of packages that were imported since the last call."""
    for package in [name for name in PENDING if name in sys.modules]:
        if getattr(sys.modules[package].__spec__, "_initializing", False):
            continue  # half imported: its own code is running
        importlib.import_module(PENDING.pop(package), __package__)
