"""Twins of `cmath`: the value and the exceptions are its own, the derivative is NumPy's."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.autodiff.calls.creation import convert, row
from tapemagic.autodiff.calls.dispatch import (
    HANDLE_TYPES,
    call_elementwise,
    holds_traced,
    plain,
)
from tapemagic.autodiff.twinning import twin_for, twin_module

from .math import ROWS, keeping, without_derivative


def _complex_row(original: Callable, name: str) -> None:
    primitive = row(getattr(np, name))

    def twin(x: Any, /) -> Any:
        if type(x) in HANDLE_TYPES:
            return call_elementwise(primitive, original, (convert(complex, x),))
        return original(x)

    twin_for(original)(twin)


for _name, _row in ROWS.items():
    if hasattr(cmath, _name):
        _complex_row(getattr(cmath, _name), _row)
for _name in ("isnan", "isinf", "isfinite", "isclose"):
    without_derivative(getattr(cmath, _name))


@twin_for(cmath.log)
def _complex_log(z: Any, *base: Any) -> Any:
    if not holds_traced((z, *base)):
        return cmath.log(z, *base)
    logs = [
        call_elementwise(row(np.log), cmath.log, (convert(complex, one),))
        if type(one) in HANDLE_TYPES
        else cmath.log(one)
        for one in (z, *base)
    ]
    return logs[0] / logs[1] if base else logs[0]


@twin_for(cmath.phase)
def _phase(z: Any, /) -> Any:
    if type(z) not in HANDLE_TYPES:
        return cmath.phase(z)
    z = convert(complex, z)
    return call_elementwise(row(np.arctan2), math.atan2, (z.imag, z.real))


@twin_for(cmath.polar)
def _polar(z: Any, /) -> Any:
    if type(z) not in HANDLE_TYPES:
        return cmath.polar(z)
    return abs(convert(complex, z)), _phase(z)


@twin_for(cmath.rect)
def _rect(r: Any, phi: Any, /) -> Any:
    if not holds_traced((r, phi)):
        return cmath.rect(r, phi)
    value = cmath.rect(plain(r), plain(phi))
    if type(phi) in HANDLE_TYPES:
        turn = call_elementwise(row(np.exp), cmath.exp, (1j * phi,))
    else:
        turn = cmath.rect(1, phi)
    return keeping(value, convert(complex, r) * turn)


cmath_twin = twin_module(cmath)
