"""Values that leave the tape: say where, under which name, and in what.

Right or loud: a traced value that would become a plain number raises `LeavesTapeError`; one that
becomes an integer, a bool or text is noted, so that "why" can name the line later.
"""

from __future__ import annotations

import linecache
import os
import sys
import warnings
from types import CodeType, FrameType
from typing import Any, TypeVar

import numpy as np

from tapemagic.errors import LeavesTapeError, NoRuleError, TapeError, UnsupportedWriteError

from . import caught
from .decisions import memory_order
from .doing import instruction, list_given, writes, writes_integers
from .handles import HANDLE_TYPES, holds_traced, node_of, plain
from .recorder import INNER, RECORDER

#: So many elements of a value are remembered when it is shown.
REMEMBERED = 16

_Error = TypeVar("_Error", bound=TapeError)
_REFUSALS = (LeavesTapeError, NoRuleError, UnsupportedWriteError)
_STANDARD_LIBRARY = os.path.dirname(os.__file__) + os.sep

#: Packages that take a value to show it: they get the plain value.
SINKS = frozenset(
    "IPython ipykernel matplotlib matplotlib_inline PIL plotly seaborn bokeh altair json "
    "logging csv pprint string tqdm rich".split()
)
#: Packages that compute in their own way. What pandas only shows is in these modules.
TABLES = frozenset(("pandas", "polars"))
SHOWN_TABLES = ("pandas.io.formats", "pandas.plotting")


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


def line_at(code: CodeType, offset: int) -> int | None:
    """Return the source line of a bytecode offset."""
    positions = list(code.co_positions())
    index = offset // 2
    return positions[index][0] if 0 <= index < len(positions) else None


def locate(error: _Error, frame: FrameType | None = None) -> _Error:
    """Add the user's line to an error."""
    frame = outside_libraries(frame or user_frame())
    if frame is not None:
        error.line = frame.f_lineno
        error.code = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
    if RECORDER.recording is not None and isinstance(error, _REFUSALS):
        caught.note(RECORDER.recording.refusals, error)
    return error


def warn(message: str) -> None:
    """Warn of something on the user's line."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and INNER[frame.f_code.co_filename]:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, stacklevel=level)


def warn_of_dtype(dtype: Any) -> None:
    """Warn that something of integers or bools is watched in vain."""
    warn(
        f"The dtype of the watched tensor must be floating (e.g. tf.float32), got {dtype}: "
        "its gradient will be None."
    )


def name_of(args: Any) -> str:
    """Name the first traced argument as the user's code does, else by its shape."""
    handle = next((x for x in args if type(x) in HANDLE_TYPES), None)
    frame = outside_libraries(user_frame())
    while handle is not None and frame is not None:
        for names in (frame.f_locals, frame.f_globals):
            for name, value in list(names.items()):
                if value is handle and not name.startswith("_"):
                    return f"'{name}'"
        break
    shape = getattr(getattr(handle, "_value", None), "shape", ())
    return f"A traced array of shape {shape}" if shape else "A traced number"


def qualified_name(fun: Any) -> str:
    """Return a function's name as the user would write it (``np.linalg.svd``)."""
    module = getattr(fun, "__module__", None) or ""
    name = getattr(fun, "__name__", None) or repr(fun)
    package, *parts = [part for part in module.split(".") if not part.startswith("_")] or [""]
    if package == "numpy":
        known = [part for part in parts if part in ("linalg", "fft", "random", "ma", "strings")]
        return ".".join(["np", *known[:1], name])
    return ".".join([package, *parts, name]) if package not in ("", "builtins") else name


def note(kind: str, handles: Any, detail: Any = "") -> None:
    """Remember that a traced value was shown, or became an integer, bool or text."""
    recording = RECORDER.recording
    if recording is None:
        return
    frame = user_frame()
    for x in handles:
        if getattr(x, "token", None) is recording.token and frame is not None:
            recording.events.append((kind, x.id, context_of(frame), frame.f_lasti, detail))


def hand_out(x: Any, how: str) -> None:
    """Note that plain code has the value of `x`: the gradient ends there, and a program stops."""
    decided(None, (x,), {})  # first: it brings a Variable onto the tape
    note("cut", (x,), how)


def context_of(frame: FrameType) -> int:
    """Return the number of a frame in the open recording: mostly the one that came last."""
    if frame is not RECORDER.frame:
        RECORDER.enter(frame)
    return RECORDER.context


def flat(y: Any, args: Any, fun: Any = None, kwargs: dict | None = None) -> Any:
    """Note that a result (integers, bools) has no derivative, and hand it out plain.

    `fun` is what was computed of `args`; if it is not given, the arguments themselves count.

    Raises
    ------
    LeavesTapeError
        If the result is an array of objects, among which the values themselves may be.
    """
    if RECORDER.recording is not None:
        if getattr(getattr(y, "dtype", None), "kind", "") == "O":
            refuse_objects((args, kwargs))
        decided(fun, args, kwargs or {})  # first: it brings a Variable onto the tape
        note("flat", args, (getattr(y, "dtype", type(y)), fun))
    return y


def refuse_objects(x: Any) -> None:
    """Refuse to hand out an array of objects that was made of traced values in `x`."""
    if type(x) in HANDLE_TYPES:
        leave(x, "an array of objects has no derivative")
    elif isinstance(x, list | tuple | dict):
        for item in x.values() if isinstance(x, dict) else x:
            refuse_objects(item)


def decided(fun: Any, args: Any, kwargs: dict) -> None:
    """Remember that ``fun(*args, **kwargs)`` may have decided how the run went on.

    `fun` is None where the values themselves may have.
    """
    recording = RECORDER.recording
    if recording is None or not any(map(holds_traced, (*args, *kwargs.values()))):
        return
    frame = user_frame()
    if frame is None:
        return
    written = tuple([_written(x) for x in args])
    if any([_refers(x) for x in written]):
        recording.decisions.append(
            (
                len(recording.entries), context_of(frame), frame.f_lasti, fun, written,
                tuple((key, _written(value)) for key, value in kwargs.items()) if kwargs else (),
            )
        )  # fmt: skip


def laid_out(*arrays: Any) -> None:
    """Remember that the order of arrays in memory decided in which order elements came."""
    for x in arrays:
        if np.ndim(plain(x)):
            decided(memory_order, (x,), {})


def _written(x: Any) -> Any:
    """Write an argument without handles: nodes as ("node", id), sequences as ("list", ...)."""
    kind = type(x)
    if kind is float or kind is int:
        return x
    if kind in HANDLE_TYPES:
        id_ = node_of(x)
        if id_ >= 0:
            return ("node", id_)
        x = plain(x)
    if type(x) in (list, tuple):
        return (type(x).__name__, *map(_written, x))
    return x.copy() if isinstance(x, np.ndarray) else x


def _refers(written: Any) -> bool:
    return type(written) is tuple and (written[:1] == ("node",) or any(map(_refers, written[1:])))


def shown(handle: Any) -> Any:
    """Return the plain value for text, and note where it was shown."""
    value = plain(handle)
    note("shown", (handle,), tuple(np.ravel(value)[:REMEMBERED].tolist()))
    return value


def package_of(frame: FrameType) -> str:
    """Return the name of the package whose code runs in a frame."""
    return (frame.f_globals.get("__name__") or "").split(".")[0]


def only_formats() -> bool:
    """Tell whether the calling instruction is a `%`, as in ``"%.3f" % t``: text, not a number."""
    doing = instruction(user_frame())
    return doing is not None and doing.argrepr in ("%", "%=")


def leave(handle: Any, what: str, *, asked: bool = False) -> None:
    """Refuse to turn a traced value into a plain number, unless it is only to be shown.

    `asked` says that NumPy or C code asked the handle, so that only the line tells what for.

    Raises
    ------
    LeavesTapeError
    """
    if node_of(handle) < 0:
        return
    frame: FrameType | None = sys._getframe(2)
    taker = None
    while frame is not None and INNER[frame.f_code.co_filename]:
        if frame.f_globals.get("__name__", "").startswith("numpy.testing"):
            note("shown", (handle,))
            return
        frame = frame.f_back
    while frame is not None:
        module, package = frame.f_globals.get("__name__") or "", package_of(frame)
        if package in SINKS or module.startswith(SHOWN_TABLES):
            note("shown", (handle,))
            return
        if package in ("__main__", "") or frame.f_code.co_filename.startswith("<"):
            break
        if "site-packages" not in frame.f_code.co_filename:
            break
        taker = frame
        frame = frame.f_back
    name = name_of((handle,))
    into = ""
    if taker is not None:
        into = f" in {taker.f_globals.get('__name__', '')}.{taker.f_code.co_name}"
    fix = "Use NumPy functions, or cut it on purpose with tapemagic.stop_gradient(...)."
    if taker is not None and package_of(taker) in TABLES:
        fix = "Compute with df['x'].to_numpy(); make tables of results in the next cell."
    asked = asked and taker is None
    given = list_given(frame, handle) if asked and frame is not None else None
    if given is not None:
        what = f"{given[0]} does not look into the list {given[1]}"
        fix = f"Make an array of it first, which stays on the tape: np.array({given[1]})."
    if taker is None and writes(frame):
        if asked and frame is not None and writes_integers(frame):
            flat(None, (handle,))
            return
        what = "it would be written into a plain array, made before the tape"
        fix = "Make the array under the tape, or watch it first: tape.watch(...)."
    error = LeavesTapeError(
        f"{name} would leave the tape{into}: {what}.",
        why="The gradient would silently miss what is computed from it.",
        fix=fix,
    )
    raise locate(error, frame)


def no_rule(fun: Any, args: Any) -> NoRuleError:
    """Return the error for a function that has no row."""
    name = qualified_name(fun)
    return locate(
        NoRuleError(
            f"{name_of(args)} went into {name}, which has no derivative rule.",
            fix=f"Write it with other NumPy functions, or cut it: {name}(tapemagic.stop_gradient"
            "(...)).",
        )
    )


def refusal(rule: Any, args: Any) -> NoRuleError:
    """Return the error for a function that is refused by a row."""
    name = qualified_name(rule.fun)
    return locate(
        NoRuleError(f"{name_of(args)} cannot go through {name}: {rule.why}.", fix=rule.fix)
    )
