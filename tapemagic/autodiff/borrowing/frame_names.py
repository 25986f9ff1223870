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


class FrameNames(MutableMapping):
    """The local names of a frame, to read and to bind."""

    def __init__(self, frame: Any) -> None:
        self.frame = frame

    def __getitem__(self, name: str) -> Any:
        return self.frame.f_locals[name]

    def __setitem__(self, name: str, value: Any) -> None:
        names = self.frame.f_locals  # each look at it fetches the values anew
        names[name] = value
        if sys.version_info < (3, 13) and self.frame.f_code.co_flags & inspect.CO_OPTIMIZED:
            # Before PEP 667, f_locals of a function is a copy that has to be written back.
            ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(self.frame), ctypes.c_int(0))

    def __delitem__(self, name: str) -> None:
        raise TypeError("names of a frame are only exchanged")

    def items(self) -> Any:
        """Return the names with their values, from one look at the frame."""
        return self.frame.f_locals.items()

    def __iter__(self) -> Iterator[str]:
        return iter(self.frame.f_locals)

    def __len__(self) -> int:
        return len(self.frame.f_locals)


def of_frame(frame: Any) -> Iterator[Slot]:
    """Yield what a frame's local names hold."""
    names = FrameNames(frame)
    for name, value in list(names.items()):
        yield functools.partial(_set_local, names), name, value


def _set_local(names: FrameNames, holder: Any, name: str, new: Any) -> None:
    names[name] = new
