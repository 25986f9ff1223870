"""Watching plain arrays and numbers in a script: their names stand for handles during the block.

A plain array cannot tell anybody what is computed from it. So `tape.watch(x)` rebinds the names of
the calling frame that hold `x`, as a `%%tape` cell does for the names it reads, and the end of the
block puts plain objects back.
"""

from __future__ import annotations

import ctypes
import dis
import inspect
import sys
import warnings
from types import ModuleType
from typing import Any

import numpy as np

from tapemagic.errors import SourceError

from . import dispatch
from .borrowed import Borrowed
from .dispatch import is_traced
from .leaks import user_frame
from .recorder import RECORDER
from .writing import write_item


class Rebound:
    """The names of one frame that hold handles in place of plain objects."""

    def __init__(self, frame: Any) -> None:
        self.frame = frame
        self.borrowed = Borrowed()

    def names(self) -> dict[str, Any]:
        """Return the namespace in which the frame's names live."""
        return self.frame.f_locals

    def bind(self, name: str, value: Any) -> None:
        """Bind a name of the frame."""
        names = self.frame.f_locals  # each look at it would fetch the old values again
        names[name] = value
        if sys.version_info < (3, 13) and self.frame.f_code.co_flags & inspect.CO_OPTIMIZED:
            # Before PEP 667, f_locals of a function is a copy that has to be written back.
            ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(self.frame), ctypes.c_int(0))

    def put_back(self, tapes: list[Any]) -> None:
        """Bind plain objects to the names that hold handles; tell the tapes which they are."""
        self.borrowed.restore()
        for name, value in list(self.names().items()):
            if is_traced(value) and value.result_class.__name__ == "TracedArray":
                if isinstance(value.storage, _variable_state()):
                    continue
                plain = self.borrowed.lower(value)
                for tape in tapes:
                    tape.register_plain(plain, value)
                self.bind(name, plain)


def _variable_state() -> type:
    from .variable import VariableState

    return VariableState


def put_back(tapes: list[Any]) -> None:
    """Let the names hold plain objects again, after the last of several tapes has stopped."""
    rebounds = [rebound for tape in tapes for rebound in tape.rebounds]
    for tape in tapes:
        tape.rebounds = []
    for rebound in dict.fromkeys(rebounds):
        rebound.put_back(tapes)


def _rebound_of(tape: Any, frame: Any) -> Rebound:
    """Return what stands for a frame's names: one for all tapes that record at once."""
    shared = [rebound for one in (*RECORDER.tapes, tape) for rebound in one.rebounds]
    shared += [rebound for one in RECORDER.tapes for g in one._guests for rebound in g.rebounds]
    rebound = next((one for one in shared if one.frame is frame), None) or Rebound(frame)
    if rebound not in tape.rebounds:
        tape.rebounds.append(rebound)
    return rebound


def take_back(tape: Any) -> None:
    """Bind handles again to the names of the calling frame that hold what a block left."""
    frame = user_frame()
    if frame is None:
        return
    for name, value in list(frame.f_locals.items()):
        left = tape._plain.get(id(value))
        if left is not None and left.plain is value:
            rebound = _rebound_of(tape, frame)
            rebound.borrowed.know(left.handle, value)
            rebound.bind(name, left.handle)
            if isinstance(value, np.ndarray) and not np.array_equal(
                value, dispatch.plain(left.handle), equal_nan=True
            ):
                write_item(left.handle, Ellipsis, value.copy())  # changed meanwhile: a constant


def take_over(tape: Any, x: Any) -> Any:
    """Watch a plain array or number; return the handle that stands for it.

    Raises
    ------
    SourceError
        If `x` is no number or array.
    """
    kind = getattr(getattr(x, "dtype", None), "kind", None)
    if kind is None and isinstance(x, (float, complex)):
        kind = "f"
    if (kind is None and isinstance(x, (bool, int))) or kind in ("i", "u", "b"):
        dtype = getattr(x, "dtype", type(x).__name__)
        warnings.warn(
            f"The dtype of the watched tensor must be floating (e.g. tf.float32), got {dtype}: "
            "its gradient will be None.",
            stacklevel=6,
        )
        return x
    if kind not in ("f", "c"):
        raise SourceError(
            f"A {type(x).__name__} cannot be watched.", fix="Watch arrays and numbers of floats."
        )
    frame = user_frame()
    rebound = _rebound_of(tape, frame)
    names = list(rebound.names().items())
    named = any(value is x for _, value in names)
    # IPython's records of what was shown (Out, _oh, _) compute nothing
    own = [(name, value) for name, value in names if name != "Out" and not name.startswith("_")]
    holder = next((name for name, value in own if _holds(value, x)), None)
    if (not named or holder is not None) and _is_discarded(frame):
        where = f"'{holder}' holds" if named else "No name here holds"
        raise SourceError(
            f"{where} the array that is to be watched: what is computed from it there would not "
            "be followed.",
            fix="Use what watch() returns: params = tape.watch(params).",
        )
    handle = tape._watch_one(rebound.borrowed.lift(x))
    for name, value in names:
        if value is x:
            rebound.bind(name, handle)
        elif isinstance(value, np.ndarray) and _share_floats(value, x):  # a view, or the base
            rebound.bind(name, rebound.borrowed.lift(value))
    tape.register_plain(x, handle)
    return handle


_LOOKED_AT = 1_000  # items of one container


def _holds(value: Any, x: Any, depth: int = 3) -> bool:
    """Tell whether a container, or an object of the user's, holds `x` itself."""
    if depth == 0 or not isinstance(x, np.ndarray) or is_traced(value):
        return False
    if type(value) in (list, tuple):
        items = list(value)
    elif type(value) is dict:
        items = list(value.values())
    elif isinstance(value, ModuleType | type) or not isinstance(
        getattr(value, "__dict__", None), dict
    ):
        return False
    else:
        items = list(vars(value).values())
    return any(item is x or _holds(item, x, depth - 1) for item in items[:_LOOKED_AT])


def _share_floats(value: np.ndarray, x: Any) -> bool:
    return value.dtype.kind in "fc" and isinstance(x, np.ndarray) and np.may_share_memory(value, x)


def _is_discarded(frame: Any) -> bool:
    """Tell whether the call that a frame is carrying out stands alone, as a statement."""
    steps = [step for step in dis.get_instructions(frame.f_code) if step.opname != "CACHE"]
    following = next((step for step in steps if step.offset > frame.f_lasti), None)
    return following is not None and following.opname == "POP_TOP"
