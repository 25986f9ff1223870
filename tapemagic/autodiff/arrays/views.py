"""Which storage an array has, and views as results: handles that share one."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.avals import code_of
from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.lookers import lend
from tapemagic.autodiff.places import order_of, owner_of, window_of
from tapemagic.autodiff.positions import name_of
from tapemagic.autodiff.recorder import RECORDER
from tapemagic.autodiff.storage import Storage
from tapemagic.autodiff.structure import append_node, window_set
from tapemagic.errors import LeavesTapeError


def storage_of(handle: Any) -> Storage:
    """Return the storage of an array handle, made when it is first needed."""
    if handle.storage is None:
        value = handle._value
        if value.base is None and value.flags.forc:
            Storage(value, handle).attach(handle)
        else:
            _storage_around(handle).attach(handle)
    return handle.storage


def _storage_around(handle: Any) -> Storage:
    """Make the storage of a result that NumPy made as a view of a temporary array.

    Also that of an array with its axes in another order, which is a view of its memory as it lies.
    """
    value = handle._value
    owner = value
    while isinstance(owner.base, np.ndarray):
        owner = owner.base
    owner = owner.transpose(sorted(range(owner.ndim), key=lambda axis: -owner.strides[axis]))
    if not owner.flags.c_contiguous or owner.dtype.kind not in "fc":
        handle._value = value = owner = np.array(value)
    storage = Storage(owner)
    if handle.token is RECORDER.token:
        where = (order_of(owner), window_of(value, owner))
        # what else is in that memory: a run can be repeated
        contents = owner.copy(order="K") if value.size < owner.size else None
        storage.id = append_node(
            window_set, (-1, handle.id), (storage.aval, handle.aval), (contents, None, where), owner
        )
        storage.token, storage.is_made = RECORDER.token, False
    return storage


def lent(x: Any) -> Any:
    """Return the plain value of a handle for somebody who looks at its memory, or writes to it."""
    if not isinstance(x._value, np.ndarray) or not isinstance(x.storage, (Storage, type(None))):
        return dispatch.plain(x)  # a number, or a Variable
    storage = storage_of(x)
    lend(storage)
    return storage.true_view(x)


def view_of(x: Any, y: np.ndarray, node: tuple[int, int] | None, cls: type) -> Any:
    """Wrap a result that NumPy made as a view of the handle `x`."""
    if not isinstance(x.storage, (Storage, type(None))):  # a Variable: its value never changes
        if node is None:
            return dispatch.untracked(y.copy(order="K"), cls)  # which may be written to
        return dispatch.traced(y, node[0], node[1], cls)
    if not isinstance(x._value, np.ndarray):  # ``number[...]``: an array of its own
        y = y.copy()
        return dispatch.untracked(y, cls) if node is None else dispatch.traced(y, *node, cls)
    if x.storage is None and not x._value.flags.writeable:  # nobody can write to either
        return dispatch.untracked(y, cls) if node is None else dispatch.traced(y, *node, cls)
    storage = storage_of(x)
    if y.size and storage.written and not np.may_share_memory(y, storage.buffer):
        # Computed from a copy that a rule keeps: not a view of what the array holds.
        return dispatch.untracked(y, cls) if node is None else dispatch.traced(y.copy(), *node, cls)
    result: Any = object.__new__(cls)
    result._value = y
    if node is None:
        result.aval, result.id, result.token = code_of(y), -1, None
    else:
        result.aval, result.id = node
        result.token = RECORDER.token
    storage.attach(result)
    return result


def base_of(x: Any) -> Any:
    """Return ``x.base``: the array whose memory a view looks at, on the tape as well; else None."""
    value = dispatch.plain(x)
    if not isinstance(value, np.ndarray):
        return value.base
    if x.storage is None and value.base is None:
        return None
    if x.storage is not None and not isinstance(x.storage, Storage):  # a Variable's is its own
        return None
    storage = storage_of(x)
    root = owner_of(value) if storage.own_shape is None else storage.as_owned()
    if storage.is_part or root.dtype.kind not in "fc":
        raise leaks.locate(
            LeavesTapeError(
                f"The base of {name_of((x,))} is not an array of floats in line.",
                why="What is read from it, or written to it, would not be seen.",
                fix="Use the array itself, by its name.",
            )
        )
    base = storage.owner() if storage.owner is not None else None
    if base is None:  # nobody has it any more
        base = view_of(x, root, None, type(x))
        base.version = -1  # it gets its node when it is read
        storage.owner = weakref.ref(base)
    return None if base is x else base
