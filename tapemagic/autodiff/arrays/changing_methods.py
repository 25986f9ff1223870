"""Methods that change the array they are called on: fill, sort, partition, put, resize."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.calls.creation import as_operand
from tapemagic.autodiff.calls.dispatch import HANDLE_TYPES, call, plain
from tapemagic.autodiff.positions import name_of
from tapemagic.autodiff.storage import Storage
from tapemagic.errors import UnsupportedWriteError

from .writing import reshape_in_place, write_item

METHODS: dict[str, Callable] = {}


def _method(fun: Callable) -> Callable:
    METHODS[fun.__name__] = fun
    return fun


def _given(**kwargs: Any) -> dict:
    return {key: value for key, value in kwargs.items() if value is not None}


@_method
def fill(self: Any, value: Any) -> None:
    """Write one value everywhere."""
    if not isinstance(self._value, np.ndarray):
        self._value.fill(plain(value))  # of a number: nothing happens
        return
    np.empty(1, self._value.dtype).fill(plain(value))  # NumPy's own errors
    write_item(self, Ellipsis, value)


@_method
def sort(self: Any, axis: int = -1, kind: Any = None, order: Any = None, **kwargs: Any) -> None:
    """Sort in place."""
    options = {"axis": axis, **_given(kind=kind, order=order), **kwargs}
    _rewrite(self, call(np.sort, (self,), options))


@_method
def partition(
    self: Any, kth: Any, axis: int = -1, kind: str = "introselect", order: Any = None
) -> None:
    """Partition in place."""
    options = {"axis": axis, "kind": kind, **_given(order=order)}
    _rewrite(self, call(np.partition, (self, kth), options))


def _rewrite(handle: Any, values: Any) -> None:
    if handle._value.ndim == 0:
        return
    write_item(handle, Ellipsis, values)


@_method
def put(self: Any, indices: Any, values: Any, mode: Any = "raise") -> None:
    """Write values at positions of the flattened array; later ones win, few are repeated."""
    numbers = np.arange(self._value.size)
    numbers.put(plain(indices), 0, mode)  # NumPy's own errors
    positions = np.ravel(np.asarray(plain(indices)))
    count = np.size(plain(values))
    if positions.size == 0 or count == 0:
        return
    size = self._value.size
    if mode == "clip":
        positions = np.clip(positions, 0, size - 1)
    where = np.unravel_index(positions % size, self._value.shape)
    if count > 1 or np.ndim(plain(values)):
        values = as_operand(values)
        values = np.ravel(values if type(values) in HANDLE_TYPES else np.asarray(values))
        values = values[np.arange(positions.size) % count]
    write_item(self, where, values)


@_method
def resize(self: Any, *new_shape: Any, refcheck: bool = True) -> None:
    """Change shape and size in place: cut, or filled up with zeros."""
    if not isinstance(self._value, np.ndarray):  # a number: NumPy does nothing
        return
    shape = new_shape[0] if len(new_shape) == 1 else new_shape
    if shape is None or shape == ():
        return
    shape = (shape,) if isinstance(shape, int | np.integer) else tuple(shape)
    if not self._value.flags.forc:
        raise ValueError("resize only works on single-segment arrays")
    probe = np.array(plain(self), order="K")
    probe.resize(shape, refcheck=False)
    if probe.size == self._value.size and self._value.flags.c_contiguous:
        reshape_in_place(self, shape)  # the same memory, whoever looks at it
        return
    if not self._value.flags.owndata:
        raise ValueError("cannot resize this array: it does not own its data")
    if refcheck and self.storage is not None and _others(self):
        raise ValueError(
            "cannot resize an array that references or is referenced\nby another array in this"
            " way.\nUse the np.resize function or refcheck=False"
        )
    if isinstance(self.storage, Storage) and self.storage.is_lent:
        raise leaks.locate(
            UnsupportedWriteError(
                f"{name_of((self,))} was there before the tape, which cannot resize it.",
                fix="Make a new array: x[:n].copy(), or np.pad(x, (0, n)).",
            )
        )
    kept = np.ravel(self, order="A")[: probe.size]
    new = dispatch.untracked(np.zeros(probe.size, probe.dtype), type(self))
    write_item(new, slice(kept.size), kept)
    order: Any = "C" if self._value.flags.c_contiguous else "F"
    reshaped = np.copy(np.reshape(new, shape, order=order))
    for name in ("aval", "id", "storage", "token", "_value"):
        setattr(self, name, getattr(reshaped, name))


def _others(handle: Any) -> bool:
    """Tell whether somebody else looks at the same memory."""
    alive = (reference() for reference in handle.storage.handles)
    return any(other is not None and other is not handle for other in alive)
