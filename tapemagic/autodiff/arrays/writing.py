"""Writes: ``x[i] = v``, ``x += v``, ``x.shape = ...`` on a handle, as NumPy carries them out."""

from __future__ import annotations

import operator
import weakref
from functools import partial
from typing import Any

import numpy as np

from tapemagic.autodiff.avals import code_of
from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.calls.creation import as_operand
from tapemagic.autodiff.places import copy_as_it_lies, is_basic
from tapemagic.autodiff.primitives import RULES
from tapemagic.autodiff.recorder import RECORDER
from tapemagic.autodiff.storage import Storage
from tapemagic.autodiff.structure import append_node, place_of_write, set_item

from .indexing import encode, plain_index
from .overlapping import check_write
from .views import storage_of


def write_item(handle: Any, index: Any, values: Any) -> None:
    """Carry out ``handle[index] = values``.

    Raises
    ------
    Whatever NumPy raises for the same assignment to a plain array.
    """
    index = plain_index(index)
    if not isinstance(handle._value, np.ndarray):
        handle._value[index] = dispatch.plain(values)  # numbers: NumPy's own TypeError
        return
    if not isinstance(handle.storage, (Storage, type(None))):
        handle.storage.refuse_write(handle)
    v, v_id, v_code = dispatch.operand(as_operand(values), reads=False)
    storage = storage_of(handle)
    if not storage.is_writeable(handle):
        raise ValueError("assignment destination is read-only")
    storage.meet(handle)
    if np.may_share_memory(v, storage.buffer):
        if not is_basic(index):
            check_write(storage.buffer, storage.true_view(handle), index, v)
        v = np.array(v)
    before = storage.current()
    contents = None  # of memory that nothing traced has been in so far: a run can be repeated
    if before < 0 and v_id >= 0 and not _covers(handle, index, storage):
        contents = storage.buffer.copy(order="K")
    storage.own(v_id >= 0)
    target = storage.true_view(handle)
    target[index] = v
    id_ = -1
    if RECORDER.recording is not None and (before >= 0 or v_id >= 0):
        encoded = encode(index)
        if v_code == 0:
            v_code = code_of(v) if isinstance(v, np.ndarray) and v.dtype.kind in "fc" else 0
        if handle.window is storage.whole:
            primitive, where = set_item, encoded
        else:
            primitive, where = place_of_write(storage.buffer, target, index, encoded)
        id_ = append_node(
            primitive, (before, v_id), (storage.aval, v_code),
            (contents, None if v_id >= 0 else _plain_copy(v), where), storage.buffer,
        )  # fmt: skip
    storage.written_by(handle, id_)


def _covers(handle: Any, index: Any, storage: Storage) -> bool:
    """Tell whether a write replaces all that is in the memory."""
    whole = index is Ellipsis or (type(index) is slice and index == slice(None))
    return whole and np.size(handle._value) == storage.buffer.size


def _plain_copy(v: Any) -> Any:
    return v.copy() if isinstance(v, np.ndarray) else list(v) if type(v) is list else v


def inplace(handle: Any, fun: Any, operate: Any, other: Any) -> Any:
    """Carry out ``handle op= other``; numbers, which cannot be written to, get a new handle."""
    if not isinstance(handle._value, np.ndarray):
        return dispatch.call_operator(RULES[fun], operate, (handle, other))
    if not isinstance(handle.storage, (Storage, type(None))):
        handle.storage.refuse_write(handle)
    storage = storage_of(handle)
    if not storage.is_writeable(handle):
        raise ValueError("output array is read-only")
    value = dispatch.plain(other)
    target = storage.true_view(handle)
    compute = getattr(operator, operate.__name__[1:])
    if not (_is_like(value, target) and target.dtype.kind == "f" and fun in _ROUND_ALIKE):
        compute = partial(_compute_in_place, target, operate)
    result = dispatch.call_operator(RULES[fun], compute, (handle, other))
    if result is not NotImplemented:
        write_item(handle, Ellipsis, result)
    return handle


#: They give the same bits in place as in new memory; of complex numbers none does.
_ROUND_ALIKE = {np.add, np.subtract, np.multiply, np.divide, np.remainder, np.floor_divide}


def _is_like(value: Any, target: np.ndarray) -> bool:
    """Tell whether an operation with `value` has the shape and dtype of `target`, for certain."""
    if type(value) is float or type(value) is int:
        return True
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    return dtype == target.dtype and shape in ((), target.shape)


def _compute_in_place(target: np.ndarray, operate: Any, _: Any, other: Any) -> Any:
    """Carry out an in-place operator in memory of its own that lies as that of `target` does.

    Errors, warnings and roundings are those of an operation in place.
    """
    return operate(copy_as_it_lies(target), other)


def reshape_in_place(handle: Any, shape: Any) -> None:
    """Carry out ``handle.shape = shape``: the handle looks at its memory in another way."""
    dispatch.plain(handle).view().shape = shape  # NumPy's own errors
    view = np.reshape(handle, shape)
    for name in ("aval", "id", "storage", "token", "_value", "version", "window"):
        setattr(handle, name, getattr(view, name, None))
    if handle.storage is not None:
        handle.storage.handles.append(weakref.ref(handle))
        handle.storage.fresh.append(weakref.ref(handle))
