"""Where the user's code is while an operation runs: frames, packages, lines."""

from __future__ import annotations

import os
import sys
from types import CodeType, FrameType

from .recorder import INNER, RECORDER

_STANDARD_LIBRARY = os.path.dirname(os.__file__) + os.sep


def user_frame(depth: int = 1) -> FrameType | None:
    """Return the innermost frame that is neither ours nor NumPy's.

    `depth` is how many frames are ours for certain.
    """
    frame: FrameType | None = sys._getframe(depth)
    while frame is not None and INNER[frame.f_code.co_filename]:
        frame = frame.f_back
    return frame


def outside_libraries(frame: FrameType | None) -> FrameType | None:
    """Return the line that called into a library, if the frame is inside one."""
    caller = frame
    while caller is not None and _is_library(caller.f_code.co_filename):
        caller = caller.f_back
    return caller or frame


def _is_library(filename: str) -> bool:
    return (
        INNER[filename]
        or "site-packages" in filename
        or filename.startswith((_STANDARD_LIBRARY, "<frozen"))
    )


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
