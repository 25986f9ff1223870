"""Splines of `scipy.interpolate` as programs have them: by their coefficients, or by a matrix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import interpolate

from tapemagic.autodiff.recorder import RECORDER

from .algebra import apply
from .carrying import refuse_program

#: What the splines of all unit vectors are at all places may have so many elements.
MOST_ELEMENTS = 1 << 22


def value(spline: Any, at: Any, order: int) -> Any:
    """Evaluate a spline of constant values, or a derivative."""
    if not is_symbol(at):
        return spline(at, order)
    if isinstance(spline, interpolate.UnivariateSpline):
        spline = interpolate.BSpline(*spline._eval_args)
    if isinstance(spline, interpolate.BSpline):
        data = (spline.t, spline.c, spline.k, spline.extrapolate, spline.axis)
        return apply(_b_spline, at, *data, order)
    if not isinstance(spline, interpolate.PPoly):
        refuse_program("What an interpolation of scipy.interpolate has given")
    return apply(_piecewise, at, spline.c, spline.x, spline.extrapolate, spline.axis, order)


def sampled(values: Any, sample: Callable) -> Any:
    """Evaluate a spline at constant places."""
    return (
        combined(sample(np.eye(values.shape[0])), values) if is_symbol(values) else sample(values)
    )


def combined(units: Any, values: Any) -> Any:
    """Return a spline in a program, where it is the sum of those of the unit vectors."""
    if units.size > MOST_ELEMENTS:
        refuse_program("A spline of so many values at so many places")
    return np.tensordot(units, values, 1)


def is_symbol(x: Any) -> bool:
    """Tell whether a program is written, of which `x` is a part."""
    return RECORDER.writer is not None and type(x) is not np.ndarray


def _piecewise(at: Any, c: Any, x: Any, extrapolate: Any, axis: int, order: int) -> Any:
    """Evaluate a piecewise polynomial."""
    return interpolate.PPoly.construct_fast(c, x, extrapolate, axis)(at, order)


def _b_spline(at: Any, t: Any, c: Any, k: int, extrapolate: Any, axis: int, order: int) -> Any:
    """Evaluate a spline by its knots and coefficients."""
    return interpolate.BSpline.construct_fast(t, c, k, extrapolate, axis)(at, order)
