"""Reading elements: basic and advanced indexing, and `.flat`.

An index is stored encoded, slices as tuples of integers: the garbage collector follows a tuple
that holds a `slice` object for ever, and one of integers not at all.
"""

from __future__ import annotations

import operator
from sys import _getframe
from typing import Any

import numpy as np

from tapemagic.autodiff import leaks, recorder
from tapemagic.autodiff.avals import CODES, code_of, is_small
from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.calls.creation import as_operand
from tapemagic.autodiff.calls.dispatch import HANDLE_TYPES
from tapemagic.autodiff.later import StandIn
from tapemagic.autodiff.places import is_basic
from tapemagic.autodiff.recorder import RECORDER, entered
from tapemagic.autodiff.storage import Storage
from tapemagic.autodiff.structure import get_item

from .views import view_of

_NUMBER_CODES = {kind: code_of(kind(0)) for kind in (np.float64, np.float32)}


def plain_index(index: Any) -> Any:
    """Replace handles in an index (0-d integers made of traced values are plain already)."""
    if type(index) in HANDLE_TYPES:
        return dispatch.plain(index)
    if isinstance(index, tuple) and any(type(item) in HANDLE_TYPES for item in index):
        return tuple(dispatch.plain(item) for item in index)
    return index


def encode(index: Any) -> Any:
    """Write an index as integers, None, Ellipsis, arrays and tuples of them."""
    kind = type(index)
    if kind is slice:
        return ("slice", index.start, index.stop, index.step)
    if kind is int or index is None or index is Ellipsis or kind is bool:
        return index
    if kind is tuple:
        return ("tuple", *map(encode, index))
    if getattr(index, "ndim", 0):  # an array, or a column of a table
        return np.array(index)  # the user may write to it later
    if (
        isinstance(index, (bool, np.bool_))
        or getattr(getattr(index, "dtype", 0), "kind", "") == "b"
    ):
        return bool(index)
    if hasattr(index, "__index__"):
        return operator.index(index)
    array = np.array(index)  # NumPy takes any other sequence for one: a list, a `range`, a `deque`
    return array if array.size else array.astype(np.intp)


def getitem(handle: Any, index: Any) -> Any:
    """Carry out ``handle[index]`` and record it."""
    kind = type(index)
    fresh = handle.token is RECORDER.token
    storage = handle.storage
    if kind is int or kind is slice:
        is_view = type(storage) is Storage
        if is_view and storage.written:
            short, value = handle.window is storage.whole and handle.window[4], storage.buffer
            tracked = short and dispatch.node_of(handle) >= 0
        else:
            short, tracked, value = fresh, fresh, handle._value
        if short:
            y = value[index]
            code = _NUMBER_CODES.get(type(y))
            if code is not None and tracked:  # the short way: one element of a vector
                return _part(handle, y, code, index)
            if is_view and type(y) is np.ndarray:
                code = CODES.get((y.shape, y.dtype, np.ndarray)) or code_of(y)
                if tracked:
                    part = _part(handle, y, code, encode(index))
                else:  # of a constant
                    part = dispatch.traced(y, code, -1, handle.result_class)
                storage.attach(part, _offset(value, index))
                return part
    else:
        index = plain_index(index)
    id_, code = handle.id if fresh else dispatch.node_of(handle), handle.aval
    # Of a view, not the copy that a rule may keep.
    value = handle._value if storage is None else storage.peek(handle)
    y = value[index]
    if (
        isinstance(y, np.ndarray)
        and y.base is not None
        and (kind is slice or kind is int or is_basic(index))
    ):
        node = _record(id_, code, index, y) if id_ >= 0 else None
        return view_of(handle, y, node, handle.result_class)
    if id_ < 0:
        return dispatch.untracked(y, handle.result_class)
    if getattr(y, "dtype", value.dtype).kind not in "fc":
        return leaks.flat(y, (handle,))
    node = _record(id_, code, index, y)
    return dispatch.traced(y, node[0], node[1], handle.result_class)


def _offset(memory: np.ndarray, index: Any) -> int:
    """Return at which byte of contiguous memory an element or slice of it begins."""
    length = memory.shape[0]
    if type(index) is int:
        return (index if index >= 0 else index + length) * memory.strides[0]
    return min(index.indices(length)[0], length - 1) * memory.strides[0] if length else 0


def _part(handle: Any, y: Any, code: int, where: Any) -> Any:
    """Record an element, slice or row, and return its handle (written out: `calls/short.py`)."""
    kept = None
    if not code & 1:  # small enough for the picture
        kept = y.copy() if type(y) is np.ndarray else y
    frame = _getframe(2)
    if frame is not RECORDER.frame:
        frame = entered(frame)
    result: Any = object.__new__(handle.result_class)
    result._value = y
    result.aval = code
    result.token = RECORDER.token
    result.storage = None
    entries = RECORDER.entries
    result.id = len(entries)
    entries.append(
        (
            get_item.code, frame.f_lasti, RECORDER.context, code, (handle.id,), (handle.aval,),
            (None, where), None, kept,
        )
    )  # fmt: skip
    return result


def _record(id_: int, code: int, index: Any, y: Any) -> tuple[int, int]:
    new = code_of(y)
    kept = None
    if is_small(new):
        kept = y.copy() if isinstance(y, np.ndarray) else y
    tail = (new, (id_,), (code,), (None, encode(index)), None, kept)
    return new, recorder.append(tail, get_item.code, 3)


class FlatIterator(StandIn):
    """What ``handle.flat`` answers: a 1-D look at the elements, in C order."""

    __slots__ = ("_handle", "_position")

    def __init__(self, handle: Any) -> None:
        self._handle, self._position = handle, 0

    def _index(self, index: Any) -> tuple:
        shape = np.shape(self._handle._value)
        numbers = np.arange(np.size(self._handle._value)).flat[plain_index(index)]
        return np.unravel_index(numbers, shape) if shape else (np.zeros_like(numbers),)

    def __getitem__(self, index: Any) -> Any:
        self._position = 0  # NumPy's begins again as well
        return self._array()[self._index(index)]

    def _array(self) -> Any:
        return self._handle if np.ndim(self._handle._value) else self._handle[None]

    def __setitem__(self, index: Any, values: Any) -> None:
        self._position = 0
        where = self._index(index)
        values = as_operand(values)
        if not np.ndim(where[0]):
            self._array()[where] = values
            return
        if np.size(values) == 0:
            return  # nothing to repeat: NumPy leaves the array alone
        if isinstance(values, (list, tuple)):
            values = np.array(values)
        count = np.size(where[0])
        if np.may_share_memory(dispatch.plain(values), dispatch.plain(self._handle)):
            values = FlatIterator(values)  # NumPy reads and writes one element after another
            for k, position in enumerate(zip(*where)):
                self._array()[position] = values[k % len(values)]
        elif np.ndim(values):  # .flat repeats or cuts the values to fit
            self._array()[where] = np.ravel(values)[np.arange(count) % np.size(values)]
        else:
            self._array()[where] = values

    def __len__(self) -> int:
        return int(np.size(self._handle._value))

    def __iter__(self) -> FlatIterator:
        return self

    def __next__(self) -> Any:
        if self._position >= len(self):
            raise StopIteration
        self._position += 1
        return self._array()[self._index(self._position - 1)]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(np.ravel(self._handle), dtype=dtype, copy=copy)

    @property
    def base(self) -> Any:
        return self._handle

    @property
    def index(self) -> int:
        return self._position

    @property
    def coords(self) -> tuple:
        shape = np.shape(self._handle._value)
        if not len(self):
            return (0,) * len(shape)
        return tuple(map(int, np.unravel_index(self._position % len(self), shape)))

    @property
    def _original(self) -> Any:
        left = np.array(dispatch.plain(self._handle), order="K").flat
        for _ in range(self._position):
            next(left)
        return left

    def copy(self) -> Any:
        return np.ravel(self._handle).copy()
