"""Windows on memory, written as indices where they are one."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from tapemagic.autodiff.places import positions_in


def index_of_window(where: tuple, shape: tuple, dtype: Any) -> Any:
    """Return the basic index that selects a window of a C-contiguous array, or None.

    Examples
    --------
    >>> index_of_window(("C", (16, (2,), (24,), "<f8", True)), (2, 3), np.dtype(float))
    (slice(None, None, None), 2)
    """
    order, (offset, window, strides, kind, _) = where
    if order != "C" or np.dtype(kind) != dtype or 0 in shape or 0 in window:
        return None
    if any(stride == 0 and count > 1 for count, stride in zip(window, strides, strict=True)):
        return None  # broadcast: no index repeats elements
    return _index(offset, window, strides, tuple(shape), dtype)


@lru_cache(maxsize=256)
def _index(offset: int, window: tuple, strides: tuple, shape: tuple, dtype: Any) -> Any:
    item = dtype.itemsize
    start = list(np.unravel_index(offset // item, shape))
    steps = np.cumprod((1, *shape[:0:-1]))[::-1] * item  # bytes from one element to the next
    index: list[Any] = [int(i) for i in start]
    axis = 0
    for count, stride in zip(window, strides, strict=True):
        if count == 1:
            index.insert(axis, None)
            steps = np.insert(steps, axis, 0)
            axis += 1
            continue
        while axis < len(index) and (
            steps[axis] == 0
            or stride % steps[axis]
            or (axis and abs(stride) >= steps[axis] * shape[0])
        ):
            axis += 1
        if axis == len(index):
            return None
        first, step = int(index[axis]), int(stride // steps[axis])
        stop: int | None = first + step * count
        if stop is not None and stop < 0:
            stop = None
        index[axis] = slice(first, stop, step)
        axis += 1
    found = tuple(slice(None) if _is_whole(i, n) else i for i, n in zip(index, shape, strict=False))
    return found if _selects(found, offset, window, strides, shape, dtype) else None


def _is_whole(index: Any, n: int) -> bool:
    return type(index) is slice and index.indices(n) == (0, n, 1)


def _selects(
    index: tuple, offset: int, window: tuple, strides: tuple, shape: tuple, dtype: Any
) -> bool:
    """Compare with the places that the window covers: whatever was guessed, it is right."""
    try:
        places = np.arange(int(np.prod(shape))).reshape(shape)[index]
    except IndexError:
        return False
    return np.array_equal(places, positions_in((offset, window, strides, dtype.str, True)))
