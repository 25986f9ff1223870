"""Small words about axes that the rules of reductions and of shapes share."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

_LARGEST_HALF = float(np.finfo(np.float16).max)


def kept_shape(shape: tuple[int, ...], axis: Any) -> tuple[int, ...]:
    """Return the shape that a reduction leaves with ``keepdims=True``."""
    if axis is None or not shape:  # of a number, NumPy also reduces axis 0 and -1
        return (1,) * len(shape)
    axes = normalize_axis_tuple(axis, len(shape))
    return tuple(1 if i in axes else n for i, n in enumerate(shape))


def restore(ct: Any, shape: tuple[int, ...], axis: Any) -> Any:
    """Give an array that was reduced from `shape` its axes back, each of length 1.

    It stands for the broadcast one. That rules pass on the shape, and not the operand, spares the
    tape the operand: what a rule only asks for its shape is not saved.
    """
    if axis is None and not getattr(ct, "shape", ()):
        return ct  # a number stands for an array of any shape
    shape = kept_shape(shape, axis)
    return ct if np.shape(ct) == shape else np.reshape(ct, shape)


def is_given(mask: Any) -> bool:
    """Tell whether a ``where=`` keyword says anything."""
    return mask is not True and mask is not np._NoValue and mask is not None


def masked(ct: Any, where: Any) -> Any:
    """Let nothing flow to elements that ``where=`` left out."""
    return np.where(where, ct, 0) if is_given(where) else ct


def count(shape: tuple[int, ...], axis: Any, where: Any = True) -> Any:
    """Return over how many elements a reduction runs (per result, if there is a mask)."""
    if is_given(where):
        mask = np.broadcast_to(where, shape)
        return np.sum(mask, axis=axis, keepdims=True)
    if axis is None:
        return math.prod(shape)
    kept = kept_shape(shape, axis)
    return math.prod(n for n, one in zip(shape, kept, strict=True) if one != n)


def over_count(ct: Any, n: Any) -> Any:
    """Return ``ct / n``, where half precision has no number like 70000, and Python no ``1 / 0``.

    An array of counts is one of integers, which would make float64 of float32.
    """
    if not isinstance(n, int | float):
        if ct.dtype == np.float16 and np.max(n, initial=0) > _LARGEST_HALF:
            return (ct / n).astype(ct.dtype)
        return ct / numbers_like(ct, n)
    if n == 0 or (n > _LARGEST_HALF and ct.dtype == np.float16):
        return ct * (1 / n if n else math.inf)
    return ct / n


def numbers_like(x: Any, numbers: Any) -> Any:
    """Return real numbers in the precision of a real or complex `x`."""
    return numbers.astype(np.finfo(x.dtype).dtype, copy=False)


def in_dtype(x: Any, dtype: Any) -> Any:
    """Return `x` without its imaginary part if a real ``dtype=`` makes NumPy compute without it."""
    return np.real(x) if dtype is not None and np.dtype(dtype).kind != "c" else x


def to_rows(x: Any, axis: Any) -> Any:
    """Move the axes that a reduction runs over to the end and make them one."""
    if axis is None or np.ndim(x) == 0:  # ufuncs reduce a number along axis 0
        return np.reshape(x, (-1,))
    axes = normalize_axis_tuple(axis, x.ndim)
    free = [i for i in range(x.ndim) if i not in axes]
    shape = [x.shape[i] for i in free]
    length = math.prod(x.shape[i] for i in axes)
    return np.reshape(np.transpose(x, (*free, *axes)), (*shape, length))


def from_rows(rows: Any, x: Any, axis: Any) -> Any:
    """Undo `to_rows`: bring back the shape of `x`."""
    if axis is None or np.ndim(x) == 0:
        return np.reshape(rows, x.shape)
    axes = normalize_axis_tuple(axis, x.ndim)
    order = [*(i for i in range(x.ndim) if i not in axes), *axes]
    moved = np.reshape(rows, [x.shape[i] for i in order])
    return np.transpose(moved, np.argsort(order))
