"""`np.pad` in all its modes, and its opposite, `np.trim_zeros`.

Padding works along one axis after the other, later axes on what earlier ones have made. Modes that
pick elements have the adjoint of all such functions; those that mix elements linearly (ramps, odd
reflections) multiply by a small matrix per axis; the rest is written with other rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.positions import name_of
from tapemagic.autodiff.primitives import composite, general, linear
from tapemagic.errors import NoRuleError

from .algebra import apply, as_array, is_live, plain, with_dtype
from .axes import numbers_like
from .gathering import places_of, scatter

_STATISTICS: dict[str, Any] = {
    "maximum": np.max, "minimum": np.min, "mean": np.mean, "median": np.median,
}  # fmt: skip


def _pad_primitive(x: Any, widths: tuple, mode: Any, **options: Any) -> Any:
    return np.pad(x, widths, mode, **options)


def _pad_adjoint(ct: Any, x: Any, widths: tuple, mode: Any, **options: Any) -> Any:
    if mode in ("constant", "empty") or not x.size:
        return ct[tuple(slice(low, low + n) for (low, _), n in zip(widths, x.shape, strict=True))]
    return scatter(ct, places_of(np.pad, x.shape, widths, mode), x.shape)


def _pad_mixing(x: Any, widths: tuple, mode: Any, **options: Any) -> Any:
    return np.pad(x, widths, mode, **options)


def _pad_mixing_vjp(
    ct: Any, y: Any, x: Any, widths: tuple, mode: Any, end_values: Any = 0, **odd: Any
) -> Any:
    if not x.size:
        return np.zeros(x.shape, ct.dtype)
    for axis in reversed(range(x.ndim)):
        if any(widths[axis]):
            matrix = np.pad(np.eye(x.shape[axis]), (widths[axis], (0, 0)), mode, **odd)
            ct = np.moveaxis(np.moveaxis(ct, axis, -1) @ numbers_like(ct, matrix), -1, axis)
    return ct


linear(_pad_primitive, _pad_adjoint, name="pad")
general(_pad_mixing, _pad_mixing_vjp, name="pad")


@composite(np.pad)
def _pad(array: Any, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Any:
    array, pad_width = as_array(array), plain(pad_width)
    if callable(mode):
        raise leaks.locate(
            NoRuleError(
                f"{name_of((array,))} is padded by a function that writes into an array.",
                fix="Use one of NumPy's modes, or np.concatenate.",
            )
        )
    if not np.ndim(array):
        np.pad(plain(array), pad_width, mode, **plain(kwargs))  # NumPy's own complaints
        return np.copy(array)
    widths = _pairs(pad_width, np.ndim(array))
    if mode in _STATISTICS:
        np.pad(plain(array), widths, mode, **kwargs)  # NumPy's own complaints
        lengths = _pairs(kwargs.get("stat_length"), np.ndim(array))
        return _pad_with(array, widths, lambda x, axis: _statistics(x, axis, mode, lengths[axis]))
    if any(map(is_live, kwargs.values())):
        values = as_array(kwargs.pop("constant_values", 0))
        if kwargs:
            raise leaks.locate(
                NoRuleError(
                    f"{', '.join(kwargs)} of np.pad is traced, which has no rule.",
                    fix="Cut it on purpose with tapemagic.stop_gradient(...).",
                )
            )
        values = np.broadcast_to(values.astype(plain(array).dtype), (np.ndim(array), 2))
        return _pad_with(array, widths, lambda x, axis: values[axis])
    kwargs = plain(kwargs)
    mixes = mode == "linear_ramp" or kwargs.get("reflect_type") == "odd"
    return apply(_pad_mixing if mixes else _pad_primitive, array, widths, mode, **kwargs)


def _pairs(x: Any, ndim: int) -> tuple:
    """Return one pair (before, behind) per axis."""
    if isinstance(x, dict):
        pairs = np.zeros((ndim, 2), int)
        for axis, width in x.items():
            pairs[axis] = width
        x = pairs
    return tuple(map(tuple, np.broadcast_to(plain(x), (ndim, 2)).tolist()))


def _pad_with(x: Any, widths: tuple, edges: Any) -> Any:
    """Put ``edges(x, axis)`` on both sides, axis by axis."""
    order = "F" if plain(x).flags.fnc else "C"
    for axis, pair in enumerate(widths):
        if not any(pair):
            continue
        sides = []
        for width, edge in zip(pair, edges(x, axis), strict=True):
            shape = list(np.shape(x))
            shape[axis] = width
            sides.append(np.broadcast_to(edge, shape))
        x = with_dtype(np.concatenate([sides[0], x, sides[1]], axis), x.dtype)
    return x if plain(x).flags[order] else x.copy(order)


def _statistics(x: Any, axis: int, mode: Any, lengths: tuple) -> tuple:
    """Return the statistic of the elements next to either side."""
    n = np.shape(x)[axis]
    low, high = (n if length is None or length > n else length for length in lengths)
    before = (slice(None),) * axis
    fun = _STATISTICS[mode]
    left = fun(x[(*before, slice(0, low))], axis=axis, keepdims=True)
    if low == high == n:
        return left, left
    return left, fun(x[(*before, slice(n - high, n))], axis=axis, keepdims=True)


@composite(np.trim_zeros)
def _trim_zeros(filt: Any, trim: Any = "fb", axis: Any = None) -> Any:
    x = np.asarray(plain(filt))
    # Which elements stay depends on where the zeros are: NumPy is asked with the places that are
    # left, and says the corners.
    kept = (axis,) if axis is not None else ()
    np.trim_zeros(x, trim, *kept)  # NumPy's own complaints
    axes = range(x.ndim) if axis is None else np.lib.array_utils.normalize_axis_tuple(axis, x.ndim)
    there = np.argwhere(x)
    index = [slice(None)] * x.ndim
    for i in axes:
        if not len(there):
            index[i] = slice(0, 0)
            continue
        first = there[:, i].min() if "f" in trim.lower() else None
        last = there[:, i].max() + 1 if "b" in trim.lower() else None
        index[i] = slice(first, last)
    return filt[tuple(index)] if len(axes) else filt
