"""Where elements lie: encoded indices, and windows on contiguous memory.

A window is (byte offset, shape, strides, dtype, writeable). It describes every view that NumPy can
make of an array, and composes without a list of what was done to get there.
"""

from __future__ import annotations

from typing import Any

import numpy as np

#: (byte offset, shape, strides, dtype string, writeable)
Window = tuple[int, tuple[int, ...], tuple[int, ...], str, bool]

_WRITEABLE = 0x0400  # NPY_ARRAY_WRITEABLE
#: What NumPy puts between an array and its windows (`sliding_window_view`, `as_strided`).
_Between = type(np.lib.stride_tricks.as_strided(np.empty(1)).base)


def is_writeable(array: np.ndarray) -> bool:
    """Tell whether an array may be written to, without NumPy's warning that it had better not be.

    (``flags.writeable`` warns of the results of `broadcast_arrays`.)
    """
    return bool(array.flags.num & _WRITEABLE)


def owner_of(array: np.ndarray) -> np.ndarray:
    """Return the array that owns the memory which another one looks at."""
    base = array.base
    while base is not None:
        if isinstance(base, np.ndarray):
            array, base = base, base.base
        elif type(base) is memoryview:
            base = base.obj
        else:
            base = base.base if type(base) is _Between else None
    return array


def floats_of(array: np.ndarray) -> np.dtype:
    """Return what an array's memory is made of: the parts of complex numbers are real ones."""
    return np.empty(0, array.dtype).real.dtype


def memory_of(owner: np.ndarray, like: np.ndarray) -> np.ndarray | None:
    """Return the memory of an array as it lies, in C or Fortran order.

    Of memory that is not floats (records, integers, bytes) the floats of `like`, a view of it. None
    if that is not possible: there are gaps, or they lie across the elements.
    """
    dense = owner.view(np.ndarray) if type(owner) is not np.ndarray else owner
    if not dense.flags.forc:  # `(image.transpose(1, 2, 0) * 2)` owns its memory
        dense = dense.transpose(sorted(range(dense.ndim), key=lambda k: -dense.strides[k]))
    if not dense.flags.forc:
        return None
    if dense.dtype.kind in "fc":
        return dense
    floats = floats_of(like)
    size = floats.itemsize
    steps = (like.ctypes.data - dense.ctypes.data, dense.nbytes, *like.strides)
    if dense.dtype.hasobject or any(step % size for step in steps):
        return None
    return dense.reshape(-1, order="A").view(np.uint8).view(floats)


def copy_as_it_lies(x: np.ndarray) -> np.ndarray:
    """Copy an array into memory of its own, with the same strides."""
    if x.flags.forc or not x.size:
        return x.copy(order="K")
    low, high = np.lib.array_utils.byte_bounds(x)
    memory: Any = np.empty(high - low, np.uint8)
    y = np.ndarray(x.shape, x.dtype, memory, x.ctypes.data - low, x.strides)
    y[...] = x
    return y


def is_encoded(value: Any) -> bool:
    """Tell an encoded slice or tuple from any other tuple: an index may be one of arrays."""
    first = value[0] if type(value) is tuple and value else None
    return type(first) is str and first in ("slice", "tuple")


def decode(index: Any, *, open_: bool = False) -> Any:
    """Turn an encoded index back into what NumPy takes (with `open_`, always giving a view)."""
    if type(index) is tuple:
        if index[0] == "slice":
            index = slice(*index[1:])
        else:
            index = tuple(decode(item) for item in index[1:])
    if open_:
        items = index if isinstance(index, tuple) else (index,)
        index = items if Ellipsis in [i for i in items if i is Ellipsis] else (*items, Ellipsis)
    return index


def view_at(buffer: np.ndarray, window: tuple) -> np.ndarray:
    """Return a window (byte offset, shape, strides, dtype, writeable) on a contiguous array."""
    offset, shape, strides, dtype, writeable = window
    view = np.ndarray(shape, dtype, buffer.reshape(-1, order="A"), offset, strides)
    if not writeable:
        view.flags.writeable = False
    return view


def copy_of(value: np.ndarray) -> np.ndarray:
    """Return a copy that NumPy treats as the original.

    It has the same order of axes and the same repetition, and owns its memory if that does.
    """
    flags = value.flags
    if flags.forc or (flags.owndata and min(value.strides) > 0):
        copy = value.copy(order="K")
        if not flags.owndata:
            copy = copy[...]
        if not is_writeable(value):
            copy.flags.writeable = False
        return copy
    index: Any = tuple(
        slice(0, 1) if step == 0 and n > 1 and value.size else slice(None)
        for n, step in zip(value.shape, value.strides)
    )
    turned: Any = (*(slice(None, None, -1 if step < 0 else 1) for step in value.strides), ...)
    copy = np.array(value[index][turned], order="K")[turned]
    if copy.shape != value.shape:  # what `broadcast_to` repeats is kept once
        return np.broadcast_to(copy, value.shape)
    copy.flags.writeable = is_writeable(value)
    return copy


def order_of(buffer: np.ndarray) -> str:
    """Return the memory order of an array, what a window's strides count in; "" if not dense."""
    flags = buffer.flags
    return "C" if flags.c_contiguous else "F" if flags.f_contiguous else ""


def overlaps(window: tuple) -> bool:
    """Tell whether two elements of a window lie at the same place."""
    _, shape, strides, dtype, _ = window
    reach = np.dtype(dtype).itemsize
    for stride, n in sorted((abs(s), n) for s, n in zip(strides, shape) if n > 1):
        if stride < reach:
            return True
        reach = stride * n
    return False


def open_window(x: np.ndarray, where: tuple) -> np.ndarray:
    """Return the window ``where = (order, window)`` of an array, writeable."""
    order, window = where
    return (
        view_at(x, (*window[:4], True))
        if order_of(x) == order
        else view_at(np.array(x, order=order), (*window[:4], True))
    )


def positions_in(window: tuple) -> np.ndarray:
    """Return for each element of a window its position in memory, counted in its own items."""
    offset, shape, strides, dtype, _ = window
    item = np.dtype(dtype).itemsize
    positions = np.full(shape, offset // item)
    for axis, (n, stride) in enumerate(zip(shape, strides)):
        steps = np.arange(n) * (stride // item)
        positions += steps.reshape((-1,) + (1,) * (len(shape) - axis - 1))
    return positions


def is_repeating(index: Any) -> bool:
    """Tell whether an index can name an element twice: it holds an array of integers."""
    items = index if isinstance(index, tuple) else (index,)
    return any(isinstance(item, np.ndarray) and item.dtype != bool for item in items)


def is_same_window(x: np.ndarray, y: Any) -> bool:
    """Tell whether two arrays look at the same memory in the same way."""
    return isinstance(y, np.ndarray) and window_of(x, x)[:4] == window_of(y, x)[:4]


def window_of(view: np.ndarray, buffer: np.ndarray) -> Window:
    """Describe where in `buffer` a view of it lies."""
    is_moved = view is not buffer and view.size
    offset = view.ctypes.data - buffer.ctypes.data if is_moved else 0
    return offset, view.shape, view.strides, view.dtype.str, is_writeable(view)


def is_basic(index: Any) -> bool:
    """Tell whether NumPy answers an index with a view (or a number)."""
    items = index if isinstance(index, tuple) else (index,)
    return all(
        item is None
        or item is Ellipsis
        or (isinstance(item, (int, np.integer, slice)) and not isinstance(item, bool))
        for item in items
    )
