"""Where the user's code is while an operation runs, and what it calls things."""

from __future__ import annotations

import dis
import sys
from types import CodeType, FrameType, FunctionType
from typing import Any

from .codes import is_not_users
from .handles import HANDLE_TYPES, is_live
from .recorder import INNER, RECORDER

_CACHE, _POP_TOP = (bytes([dis.opmap[name]]) for name in ("CACHE", "POP_TOP"))


def user_frame(depth: int = 1) -> FrameType | None:
    """Return the innermost frame that is neither ours nor NumPy's.

    `depth` is how many frames are ours for certain.
    """
    frame: FrameType | None = sys._getframe(depth)
    while frame is not None and INNER[frame.f_code.co_filename]:
        frame = frame.f_back
    return frame


def numpys_own_code() -> str:
    """Return the function that the user has called, if NumPy's own code is carrying it out."""
    frame: FrameType | None = sys._getframe(1)
    name = ""
    while frame is not None and INNER[frame.f_code.co_filename]:
        if package_of(frame) == "numpy" and not frame.f_code.co_name.startswith("_"):
            name = frame.f_code.co_name
        frame = frame.f_back
    return name


def outside_libraries(frame: FrameType | None) -> FrameType | None:
    """Return the line that called into a library, if the frame is inside one.

    A library's own thread was not called by any line: there it is where the recording thread waits.
    """
    return _above_libraries(frame) or _above_libraries(_recording_frame()) or frame


def _above_libraries(frame: FrameType | None) -> FrameType | None:
    while frame is not None and is_library(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def _recording_frame() -> FrameType | None:
    """Return the innermost frame of the thread that records."""
    return sys._current_frames().get(RECORDER.thread or 0)


def is_library(filename: str) -> bool:
    """Say whether a file belongs to us, to an installed package or to Python."""
    return INNER[filename] or is_not_users(filename)


def package_of(frame: FrameType) -> str:
    """Return the package whose code a frame runs."""
    return (frame.f_globals.get("__name__") or "").partition(".")[0]


def line_at(code: CodeType, offset: int) -> int | None:
    """Return the source line of a bytecode offset."""
    positions = list(code.co_positions())
    index = offset // 2
    return positions[index][0] if 0 <= index < len(positions) else None


def context_of(frame: FrameType) -> int:
    """Return the number of a frame in the open recording: mostly the one that came last."""
    if frame is not RECORDER.frame:
        RECORDER.enter(frame)
    return RECORDER.context


def name_of(args: Any) -> str:
    """Name the first traced argument as the user's code does, else by its shape."""
    handles = [x for x in args if type(x) in HANDLE_TYPES]
    handle = next(filter(is_live, handles), handles[0] if handles else None)
    frame = outside_libraries(user_frame())
    if handle is not None and frame is not None:
        for names in (frame.f_locals, frame.f_globals):
            for name, value in list(names.items()):
                if value is handle and not name.startswith("_"):
                    return f"'{name}'"
    shape = getattr(getattr(handle, "_value", None), "shape", ())
    return f"A traced array of shape {shape}" if shape else "A traced number"


def qualified_name(fun: Any) -> str:
    """Return a function's name as the user would write it (``np.linalg.svd``)."""
    module = getattr(fun, "__module__", None) or ""
    name = getattr(fun, "__name__", None) or repr(fun)
    package, *parts = public_parts(module) or [""]
    if package == "numpy":
        known = [part for part in parts if part in ("linalg", "fft", "random", "ma", "strings")]
        return ".".join(["np", *known[:1], name])
    for i in range(1, len(parts)):  # SciPy's functions are found in a module above their own
        known_as = ".".join([package, *parts[:i]])
        if getattr(sys.modules.get(known_as), name, None) is fun:
            return f"{known_as}.{name}"
    return ".".join([package, *parts, name]) if package not in ("", "builtins") else name


def public_parts(module: str) -> list[str]:
    """Return the parts of a module's name that users write."""
    return [part for part in module.split(".") if not part.startswith("_")]


def name_of_code(frame: FrameType) -> str:
    """Return the name of a library's function or class whose code a frame runs."""
    code, module = frame.f_code, frame.f_globals.get("__name__", "")
    *outer, name = code.co_qualname.split("<locals>.")
    free = [frame.f_locals.get(variable) for variable in code.co_freevars if outer]
    wrapped = next((x for x in free if isinstance(x, FunctionType)), None)
    names = [name]
    if wrapped is not None:  # the code is that of a decorator
        module, names = wrapped.__module__, [wrapped.__qualname__]
    elif code.co_varnames[:1] == ("self",) and "self" in frame.f_locals:
        names = [type(frame.f_locals["self"]).__name__, code.co_name]
    parts = [*public_parts(module), *names]
    return ".".join(parts).removesuffix(".__init__").removesuffix(".__call__")


def is_statement(frame: FrameType) -> bool:
    """Tell whether the call that a frame is carrying out stands alone: its result is discarded."""
    code, offset = frame.f_code.co_code, frame.f_lasti + 2
    while code[offset : offset + 1] == _CACHE:
        offset += 2
    return code[offset : offset + 1] == _POP_TOP
