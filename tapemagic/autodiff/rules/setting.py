"""NumPy's functions that write into an array: as the item assignment that they stand for."""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np

from tapemagic.autodiff.handles import HANDLE_TYPES
from tapemagic.autodiff.places import is_same_window
from tapemagic.autodiff.primitives import composite
from tapemagic.autodiff.warned import unheard

from .algebra import as_array, plain


def _refuse_number(fun: Any, a: Any, *args: Any) -> None:
    """Let NumPy complain where a number is in the place of the array to write to."""
    if not isinstance(plain(a), np.ndarray):
        fun(plain(a), *plain(args))


def _as_taken(a: Any, values: Any) -> Any:
    """Return what is written: an array of integers takes integers, which is noted."""
    if isinstance(a, np.ndarray) and type(a) not in HANDLE_TYPES and a.dtype.kind in "biu":
        return as_array(values).astype(a.dtype)
    return values


@composite(np.copyto)
def _copyto(dst: Any, src: Any, casting: Any = "same_kind", where: Any = True) -> None:
    _refuse_number(np.copyto, dst, src)
    probe = np.empty_like(plain(dst))
    with unheard():
        np.copyto(probe, plain(src), casting, where)  # NumPy's own complaints
    if is_same_window(plain(dst), plain(src)):  # not even a read-only array minds
        return
    src = _as_taken(dst, src if hasattr(src, "dtype") else as_array(src))
    if where is True:
        dst[...] = src
        return
    mask = np.broadcast_to(plain(where), np.shape(dst))
    extra = max(0, np.ndim(src) - np.ndim(dst))  # leading axes of length 1, as in an assignment
    dst[mask] = np.broadcast_to(np.reshape(src, np.shape(src)[extra:]), np.shape(dst))[mask]


def _cycled(values: Any, size: Any) -> Any:
    """Repeat values to a length, as `np.put` and its kin do."""
    values = np.ravel(as_array(values))
    return np.take(values, np.arange(size) % max(np.size(values), 1))


@composite(np.put)
def _put(a: Any, ind: Any, v: Any, mode: Any = "raise") -> None:
    if not isinstance(plain(a), np.ndarray) or not np.size(v) or not np.size(ind):
        # NumPy writes into an array made of a number, or nothing, whatever the index
        np.put(copy(plain(a)), *plain((ind, v, mode)))
        return
    v = _as_taken(a, v)
    index = np.ravel(np.take(np.arange(np.size(a)), plain(ind), mode=mode))
    if index.size:
        a.flat[index] = _cycled(v, index.size)


@composite(np.place)
def _place(arr: Any, mask: Any, vals: Any) -> None:
    _refuse_number(np.place, arr, mask, vals)
    with unheard():
        np.place(np.empty_like(plain(arr)), plain(mask), plain(vals))  # NumPy's own complaints
    mask = np.reshape(np.asarray(plain(mask), bool), np.shape(arr))
    count = np.count_nonzero(mask)
    if count:
        arr[mask] = _cycled(vals, count)


@composite(np.putmask)
def _putmask(a: Any, mask: Any, values: Any) -> None:
    _refuse_number(np.putmask, a, mask, values)
    with unheard():
        np.putmask(np.empty_like(plain(a)), plain(mask), plain(values))  # NumPy's own complaints
    mask = np.reshape(np.asarray(plain(mask), bool), np.shape(a))
    if np.size(values):
        a[mask] = np.reshape(_cycled(values, np.size(a)), np.shape(a))[mask]


@composite(np.put_along_axis)
def _put_along_axis(arr: Any, indices: Any, values: Any, axis: Any = -1) -> None:
    indices = plain(indices)
    probe = np.empty(np.shape(arr), plain(arr).dtype)
    with unheard():
        np.put_along_axis(probe, indices, plain(values), axis)  # NumPy's own complaints
    values = _as_taken(arr, values)
    if axis is None:
        arr[np.unravel_index(indices % np.size(arr), np.shape(arr))] = values
        return
    axis %= np.ndim(arr)
    shape = np.shape(arr)
    index: list = [
        np.reshape(np.arange(n), [-1 if i == k else 1 for k in range(len(shape))])
        for i, n in enumerate(shape)
    ]
    index[axis] = indices
    arr[tuple(index)] = values


@composite(np.fill_diagonal)
def _fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    marks = np.zeros(np.shape(a), bool)
    np.fill_diagonal(marks, val=True, wrap=wrap)  # NumPy's own complaints
    # as NumPy writes it, which matters where the values lie in the same memory
    a.flat[np.flatnonzero(marks)] = _as_taken(a, val)
