"""The local names of a frame as a mapping."""

from __future__ import annotations

import ctypes
import functools
import inspect
import sys
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

#: (function that puts a new value into the holder, place, value that is there)
Slot = tuple[Callable[[Any, Any, Any], Any], Any, Any]

#: Before PEP 667, `f_locals` of a function is a copy that has to be written back.
_IS_COPY = sys.version_info < (3, 13)


class FrameNames(MutableMapping):
    """The local names of a frame, to read and to bind."""

    def __init__(self, frame: Any) -> None:
        self.frame = frame

    def __getitem__(self, name: str) -> Any:
        return self.frame.f_locals[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self.update({name: value})

    def update(self, new: dict[str, Any]) -> None:  # type: ignore[override]
        """Bind several names, with one look at the frame."""
        names = self.frame.f_locals  # each look at it fetches the values anew
        names.update(new)
        if _IS_COPY and self.frame.f_code.co_flags & inspect.CO_OPTIMIZED:
            ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(self.frame), ctypes.c_int(0))

    def references(self, name: str) -> int:
        """Return how many references to the value of a name are in the frame, at the least.

        One in the copy, if `f_locals` is one, and one in the frame or a cell that it has made.
        """
        code = self.frame.f_code
        if not code.co_flags & inspect.CO_OPTIMIZED:  # of a class
            return 1
        return _IS_COPY + (name in code.co_varnames or name in code.co_cellvars)

    def pick(self, names: tuple[str, ...]) -> dict[str, Any]:
        """Return what some names hold, and keep no others alive that the code may delete."""
        values = self.frame.f_locals
        found = {name: values[name] for name in names if name in values}
        if _IS_COPY and self.frame.f_code.co_flags & inspect.CO_OPTIMIZED:
            values.clear()
        return found

    def __delitem__(self, name: str) -> None:
        raise TypeError("names of a frame are only exchanged")

    def items(self) -> Any:
        """Return the names with their values, from one look at the frame."""
        return self.frame.f_locals.items()

    def copy(self) -> dict[str, Any]:
        """Return the names with their values, as they are now."""
        return dict(self.frame.f_locals)

    def __iter__(self) -> Iterator[str]:
        return iter(self.frame.f_locals)

    def __len__(self) -> int:
        return len(self.frame.f_locals)


#: The names of a module, or of a frame.
Names = dict[str, Any] | FrameNames


def of_frame(frame: Any) -> Iterator[Slot]:
    """Yield what a frame's local names hold."""
    names = FrameNames(frame)
    for name, value in list(names.items()):
        yield functools.partial(_set_local, names), name, value


def _set_local(names: FrameNames, holder: Any, name: str, new: Any) -> None:
    names[name] = new
