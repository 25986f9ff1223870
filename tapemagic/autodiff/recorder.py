"""The recording that is going on: where operators append their entries.

There is one recorder. While no tape runs its token matches no handle, so every handle takes the
slow path and nothing is recorded. Tapes that are open at the same time share one `Recording`; each
remembers which stretch of it belongs to it (`tape.py`).

An entry is one tuple of operation code, position, abstract value, operand ids and saved values:

    elementwise  (code, offset, context, aval, a, b, x1, x2, y)             equal shapes
                 (code + 1, offset, context, aval, a, b, x1, x2, y, aval1, aval2)   otherwise
    others       (code, offset, context, aval, ids, avals, args, kwargs, y)

Ids and not handles, integers and not objects: the garbage collector stops visiting such tuples,
and a tape of 10^6 entries stays linear. The position is the bytecode offset in the frame that
called, and a number that stands for its code and callers; lines are looked up when somebody asks.
"""

from __future__ import annotations

import linecache
import os
import sys
import threading
from types import CodeType, FrameType
from typing import Any

import numpy as np

from tapemagic.errors import TapeStateError

from .codes import is_module, is_outermost

#: Where the files of this package are.
PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
#: Frames of these folders are not the user's: the position is that of the frame that called them.
_INNER_FOLDERS = (PACKAGE, os.path.dirname(np.__file__) + os.sep)
_DEEPEST = 24  # callers kept per position
_CLAIMING = threading.Lock()


class Recording:
    """The entries of one or several tapes, in execution order: already topologically sorted.

    Attributes
    ----------
    entries : list of tuple
    token : object
        Handles of this recording carry it. It does not refer to the entries, so a handle that
        somebody keeps does not keep a tape in memory.
    contexts : list of (code, parent context, offset in parent)
        What the context numbers in the entries stand for.
    events : list of (kind, node id, context, offset, detail)
        Where a value was cut ("cut"), shown ("shown"), taken by a table ("taken": the detail is the
        package), or became a plain integer or bool ("flat": the detail is the dtype or type of the
        result, and the function or its name).
    guards : dict of id -> (array, fingerprint)
        Large plain arrays that entries refer to: they must not change before the sweep.
    copies : dict of id -> (weak reference to an array, its copy)
        Plain arrays that were copied: operations that use one again share the copy.
    decisions : list of (position, context, offset, function, arguments, keywords)
        Results without a derivative (comparisons, argmax, int(), ...), before which entry they were
        made, and what of: what a run that is repeated with other inputs has to check. The function
        is None where the values of the arguments are what counts.
    lent : dict of id -> weak reference to memory that others look at (`lookers.py`)
    sharers : set of tapes (int) that record, or have recorded, into it
    refusals : list
        Errors that were raised where plain NumPy would have gone on (`caught.py`).
    taken : dict of (line, package)
        Where a table got plain values, from which it may have computed something.
    variables : list of those read: their next read has to tell the tapes that opened since
    """

    __slots__ = (
        "_numbers", "contexts", "copies", "decisions", "entries", "events", "guards", "lent",
        "refusals", "sharers", "spoiled", "taken", "token", "variables",
    )  # fmt: skip

    def __init__(self) -> None:
        self.entries: list[tuple] = []
        self.token = object()
        self.contexts: list[tuple[CodeType, int, int]] = []
        self.events: list[tuple] = []
        self.guards: dict[int, tuple[Any, tuple]] = {}  # by identity
        self.copies: dict[int, tuple[Any, Any]] = {}
        self.lent: dict[int, Any] = {}
        self.decisions: list[tuple] = []
        self.refusals: list[Any] = []
        self.taken: dict[tuple[int, str], int] = {}  # in order, each once, with the entries so far
        self.spoiled = ""  # why the data cannot be trusted any more
        self.sharers: set[int] = set()
        self.variables: list[Any] = []
        self._numbers: dict[tuple, int] = {}

    def forget_reads(self) -> None:
        """Let the next read of every variable be noticed again."""
        for variable in self.variables:
            variable.token = None
        self.variables.clear()

    def number(self, code: CodeType, context: int, offset: int) -> int:
        """Return the number of (code, context of the caller, offset in the caller)."""
        identity = (id(code), context, offset)  # to hash a code object would read all of it
        known = self._numbers.get(identity)
        if known is None:
            known = self._numbers[identity] = len(self.contexts)
            self.contexts.append((code, context, offset))
        return known

    def context(self, frame: FrameType) -> int:
        """Return the number of a frame's code together with its callers."""
        frames = callers(frame)
        number = offset = -1
        for caller in reversed(frames):
            number, offset = self.number(caller.f_code, number, offset), caller.f_lasti
        return number

    def positions(self, context: int, offset: int) -> list[tuple[CodeType, int]]:
        """Return (code, offset) of the callers, outermost first, then of the operation itself."""
        found = []
        while context >= 0:
            code, parent, parent_offset = self.contexts[context]
            found.append((code, offset))
            context, offset = parent, parent_offset
        return found[::-1]


class Recorder:
    """What operators read: the open recording, spread out for speed."""

    __slots__ = (
        "context", "entries", "frame", "made", "recording", "shunned", "stack", "stack_contexts",
        "standing", "tapes", "thread", "token",
        "writer",
    )  # fmt: skip

    def __init__(self) -> None:
        self.recording: Recording | None = None
        self.tapes: list[Any] = []  # open tapes, outermost first
        self.thread: int | None = None  # the one whose tapes they are
        self.token: object = object()
        self.shunned: object = None  # token of a recording whose values must not be read now
        self.entries: list[tuple] = []
        self.frame: FrameType | None = None
        self.made: list[Any] | None = None  # weak references to what twins made in a script
        self.context = -1
        self.standing = False  # whether all entries get the same position: a sweep is recorded
        self.stack: list[FrameType] = []
        self.stack_contexts: dict[FrameType, int] = {}
        self.writer: Any = None  # what rules call instead, while a run is written as a program

    def claim(self) -> bool:
        """Let the tapes of this thread record, unless those of another one do."""
        thread = threading.get_ident()
        with _CLAIMING:
            if self.thread not in (None, thread) and _is_alive(self.thread):
                return False
            self.thread = thread
            return True

    def open(self, recording: Recording, frame: FrameType | None = None) -> None:
        """Start to record into `recording`.

        `frame` is the user's, if it is known: positions are told from there on, since its callers
        are the same for all operations.
        """
        self.recording = recording
        self.token, self.entries = recording.token, recording.entries
        if self.frame is not None or self.stack:
            self.forget_frames()
        if frame is not None:
            self.frame, self.context = frame, recording.number(frame.f_code, -1, -1)
            self.stack.append(frame)
            self.stack_contexts[frame] = self.context

    def close(self) -> None:
        """Stop recording: from here on no handle matches the token."""
        self.recording = None
        self.token, self.entries = object(), []
        self.forget_frames()

    def enter(self, frame: FrameType) -> None:
        """Note that operations now come from another frame.

        The frames that are known lie on a stack, each with its context, so that a call of a helper
        costs one look-up and the return from it none.
        """
        self.frame = frame
        recording = self.recording
        if recording is None or self.standing:
            return
        stack, contexts = self.stack, self.stack_contexts
        if frame in contexts:  # back from a helper
            while stack[-1] is not frame:
                del contexts[stack.pop()]
            self.context = contexts[frame]
            return
        caller = frame.f_back
        if stack and caller is stack[-1] and caller is not None:  # a helper of the known frame
            number = recording.number(frame.f_code, contexts[caller], caller.f_lasti)
            stack.append(frame)
            contexts[frame] = self.context = number
            return
        if self.thread is not None and self.thread != threading.get_ident():
            self.frame = stack[-1] if stack else None
            raise TapeStateError(
                "Another thread computes with values of this tape, which records one thread.",
                line=frame.f_lineno,
                code=linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip(),
                fix="Compute in one thread, or on plain values: tapemagic.stop_gradient(...).",
            )
        new: list[FrameType] = []
        walker: FrameType | None = frame
        while walker is not None and walker not in contexts:
            new.append(walker)
            if is_outermost(walker.f_code) or len(new) >= _DEEPEST:
                walker = None
                break
            walker = walker.f_back
        while stack and stack[-1] is not walker:
            del contexts[stack.pop()]
        number = offset = -1
        if walker is not None:
            number, offset = contexts[walker], walker.f_lasti
        for caller in reversed(new):
            number, offset = recording.number(caller.f_code, number, offset), caller.f_lasti
            stack.append(caller)
            contexts[caller] = number
        self.context = number

    def stand(self, frame: FrameType | None) -> tuple:
        """Give all entries the position of one frame from now on; None: their own again.

        What a recorded sweep does stands at the line that asked for it: to look for that line at
        each operation would cost more than the operation. Returns what `go_on` takes.
        """
        if frame is not None:
            self.enter(frame)
        before = self.frame, self.context, self.standing
        self.frame, self.standing = None, False
        if frame is not None and self.recording is not None:
            # A code of ours, which readers of positions pass over: the caller's line counts.
            ours = self.recording.number(Recorder.enter.__code__, self.context, frame.f_lasti)
            self.context, self.standing = ours, True
        return before

    def go_on(self, before: tuple) -> None:
        """Go on with the positions that there were before `stand`."""
        self.frame, self.context, self.standing = before

    def forget_frames(self) -> None:
        """Let go of the frames, and with them of the values of their names."""
        self.frame, self.context = None, -1
        if self.stack:
            self.stack.clear()
            self.stack_contexts.clear()


def _is_alive(thread: int | None) -> bool:
    return any(one.ident == thread for one in threading.enumerate())


def callers(frame: FrameType) -> list[FrameType]:
    """Return a frame and its callers, innermost first, as far as positions keep them."""
    frames: list[FrameType] = []
    walker: FrameType | None = frame
    while walker is not None and len(frames) < _DEEPEST:
        frames.append(walker)
        if is_module(walker.f_code):
            break
        walker = walker.f_back
    return frames


def generated_name(what: str) -> str:
    """Return a file name for generated code that is recognised as ours."""
    return os.path.join(PACKAGE, f"<{what}>")


class _Inner(dict[str, bool]):
    """Source file -> whether it belongs to tapemagic or NumPy: not the user's code."""

    def __missing__(self, filename: str) -> bool:
        inner = self[filename] = filename.startswith(_INNER_FOLDERS)
        return inner


#: Asked for every frame that a slow operation comes through.
INNER = _Inner()

RECORDER = Recorder()


def entered(frame: FrameType) -> FrameType:
    """Return the user's frame that led to `frame`, and let operations come from it."""
    if RECORDER.standing:
        return frame
    known = RECORDER.frame
    while frame is not known:
        caller = frame.f_back
        if caller is None or not INNER[frame.f_code.co_filename]:
            RECORDER.enter(frame)
            break
        frame = caller
    return frame


def append(entry_tail: tuple, code: int, depth: int = 2) -> int:
    """Append an entry at the position of the user's line; return its id.

    `depth` is how many callers are ours for certain: each of them that has to be looked at costs as
    much as the rest of this function.
    """
    frame = sys._getframe(depth)
    if frame is not RECORDER.frame:
        frame = entered(frame)
    entries = RECORDER.entries
    entries.append((code, frame.f_lasti, RECORDER.context) + entry_tail)  # faster than unpacking
    return len(entries) - 1
