"""Handles as the machinery sees them: what they hold, and how one is made."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

from tapemagic.errors import TapeUseError

from .avals import code_of
from .recorder import RECORDER

#: Classes of handles, filled by `traced.py`; a handle is recognised by its exact type.
HANDLE_TYPES: set[type] = set()
#: What NumPy makes arrays of, item by item.
LISTS = (list, tuple, deque)
#: Dtype of a Python float.
FLOAT = np.dtype(float)
#: Abstract value of a Python float, of which ufuncs make a NumPy number; no other is as low.
NUMBER = code_of(0.0)


def is_traced(x: Any) -> bool:
    """Tell whether `x` is a handle (which `isinstance(x, np.ndarray)` does not)."""
    return type(x) in HANDLE_TYPES


def operand(x: Any, reads: bool = True) -> tuple[Any, int, int]:
    """Return the plain value of an argument, the id of its node (or -1), and its aval code.

    `reads` tells whether a rule will read the value later; if not, it need not be protected from
    the next write.
    """
    if type(x) in HANDLE_TYPES:
        if x.token is RECORDER.token:
            if reads or x.storage is None:
                return x._value, x.id, x.aval
            # `value` may be a copy that a rule has asked for: a view must be one of the contents.
            return x.storage.peek(x), x.id, x.aval
        if RECORDER.shunned is not None:
            _refuse_shunned(x)
        if x.storage is not None:
            return x.storage.settle(x, reads)
        return x._value, -1, x.aval
    return x, -1, 0


class ReadsShunned(Exception):  # noqa: N818  (told to `checkpoint` only)
    """A function that runs unrecorded has read a watched value."""


def _refuse_shunned(x: Any) -> None:
    token = x.token
    if x.storage is not None:
        token = getattr(x.storage, "token", None) or getattr(x.storage, "leaf_token", None)
    if token is RECORDER.shunned or any(
        tape.wants(x) for tape in RECORDER.tapes if hasattr(x.storage, "trainable")
    ):
        raise ReadsShunned


def node_of(handle: Any) -> int:
    """Return the id of a handle's node (or -1), where its value will be kept by nobody."""
    if handle.token is RECORDER.token:
        return handle.id
    if RECORDER.shunned is not None:
        _refuse_shunned(handle)
    return handle.storage.node_of(handle) if handle.storage is not None else -1


def is_live(x: Any) -> bool:
    """Tell whether `x` depends on something watched."""
    return type(x) in HANDLE_TYPES and operand(x, reads=False)[1] >= 0


def plain(x: Any) -> Any:
    """Replace handles by their plain values, in nested lists, tuples and dicts as well."""
    kind = type(x)
    if kind in HANDLE_TYPES:
        return x.storage.peek(x) if x.storage is not None else x._value
    if kind is list or kind is tuple:
        return kind(plain(item) for item in x)
    if kind is dict:
        return {key: plain(item) for key, item in x.items()}
    return x


def holds_traced(x: Any) -> bool:
    """Tell whether a (nested) list, tuple or deque of array data holds a handle."""
    if type(x) in HANDLE_TYPES:
        return True
    return isinstance(x, LISTS) and any(holds_traced(item) for item in x)


def family(args: Any) -> type:
    """Return the class of the results: the handle class of the first handle among `args`."""
    for x in args:
        if type(x) in HANDLE_TYPES:
            return x.result_class
        if isinstance(x, (list, tuple)) and holds_traced(x):
            return family(x)
    raise TapeUseError("no traced array among the arguments")


def traced(value: Any, code: int, id_: int, cls: Any) -> Any:
    """Make a handle for a recorded value."""
    result: Any = object.__new__(cls)
    result._value = value
    result.aval = code
    result.token = RECORDER.token
    result.storage = None
    result.id = id_
    return result


def itself(x: Any) -> Any:
    """Return the argument as a result, where NumPy returns the very same object.

    A variable is read: its next value is not the result's.
    """
    if type(x) is x.result_class:
        return x
    value, id_, code = operand(x)
    if id_ < 0:
        return untracked(value.copy(), x.result_class)
    return traced(value, code, id_, x.result_class)


def untracked(value: Any, cls: Any) -> Any:
    """Wrap a result that depends on nothing watched.

    While a tape records, arrays stay behind a handle, so that a traced value can be written into
    them later; numbers cannot be written to and are handed out plain.
    """
    if isinstance(value, (tuple, list)):
        items = [untracked(item, cls) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    if not cls.wraps_plain and not (
        RECORDER.recording is not None
        and type(value) in (np.ndarray, np.memmap)  # other classes have a say in what is computed
        and value.dtype.kind in "fc"
    ):
        return value
    if isinstance(value, (np.ndarray, np.generic, float)) and getattr(
        value, "dtype", FLOAT
    ).kind in ("fc" if not cls.wraps_plain else "fcbiu"):
        result: Any = object.__new__(cls)
        result._value, result.aval = value, code_of(value)
        result.token, result.storage, result.id = None, None, -1
        return result
    return value
