"""Watching plain arrays and numbers in a script: their names stand for handles during the block.

A plain array cannot tell anybody what is computed from it. So `tape.watch(x)` rebinds the names of
the calling frame that hold `x`, as a `%%tape` cell does for the names it reads, and the end of the
block puts plain objects back.
"""

from __future__ import annotations

import ctypes
import inspect
import sys
import warnings
from types import FrameType
from typing import Any


from ..errors import SourceError
from .borrowed import Borrowed
from .dispatch import is_traced
from .leaks import user_frame


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

    def put_back(self, tape: Any) -> None:
        """Bind plain objects to the names that hold handles."""
        self.borrowed.restore()
        for name, value in list(self.names().items()):
            if is_traced(value) and value.result_class.__name__ == "TracedArray":
                if isinstance(value.storage, _variable_state()):
                    continue
                plain = self.borrowed.lower(value)
                tape.register_plain(plain, value)
                self.bind(name, plain)


def _variable_state() -> type:
    from .variable import VariableState  # noqa: PLC0415

    return VariableState


def take_back(tape: Any) -> None:
    """Bind handles again to the names of the calling frame that hold what a block left."""
    frame = user_frame()
    if frame is None:
        return
    rebound = Rebound(frame)
    for name, value in list(rebound.names().items()):
        left = tape._plain.get(id(value))
        if left is not None and left.plain is value:
            rebound.borrowed.know(left.handle, value)
            rebound.bind(name, left.handle)
            tape.rebound = rebound


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
    if kind is None and isinstance(x, (bool, int)) or kind in ("i", "u", "b"):
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
    if tape.rebound is None or tape.rebound.frame is not frame:
        if tape.rebound is not None:
            tape.rebound.put_back(tape)
        tape.rebound = Rebound(frame)
    rebound = tape.rebound
    handle = tape._watch_one(rebound.borrowed.lift(x))
    for name, value in list(rebound.names().items()):
        if value is x:
            rebound.bind(name, handle)
    tape.register_plain(x, handle)
    return handle


