"""Values that leave the tape: say where, under which name, and in what.

Right or loud: a traced value that would become a plain number raises `LeavesTapeError`; one that
becomes an integer, a bool or text is noted, so that "why" can name the line later.
"""

from __future__ import annotations

import linecache
import operator
import sys
from collections.abc import Mapping
from types import FrameType
from typing import Any, TypeVar

import numpy as np

from tapemagic.errors import LeavesTapeError, NoRuleError, TapeError, UnsupportedWriteError

from . import caught, doing, later
from .codes import is_installed
from .decisions import memory_order
from .handles import HANDLE_TYPES, holds_traced, node_of, plain
from .positions import (
    context_of,
    name_of,
    name_of_code,
    numpys_own_code,
    outside_libraries,
    package_of,
    qualified_name,
    user_frame,
)
from .readback import look_up
from .recorder import INNER, RECORDER

#: So many elements of a value are remembered when it is shown.
REMEMBERED = 16

_Error = TypeVar("_Error", bound=TapeError)
_REFUSALS = (LeavesTapeError, NoRuleError, UnsupportedWriteError)

#: Packages that take a value to show it: they get the plain value.
SINKS = frozenset(
    "IPython ipykernel matplotlib matplotlib_inline PIL plotly seaborn bokeh altair json "
    "logging csv pprint string tqdm rich marimo".split()
)
#: Packages that keep values and compute with them, which nothing of ours sees.
TABLES = frozenset({"pandas", "polars"})
#: How data get into their tables. All else that takes a value computes with it.
_TAKING = frozenset(
    "__init__ __new__ __setitem__ assign concat from_dict from_records insert isetitem".split()
)
#: What of pandas only shows them.
_SHOWN_TABLES = ("pandas.io.formats", "pandas.plotting")


def locate(error: _Error, frame: FrameType | None = None) -> _Error:
    """Add the user's line to an error."""
    frame = outside_libraries(frame or user_frame())
    while frame is not None and frame.f_code.co_filename == "<string>" and frame.f_back is not None:
        frame = outside_libraries(frame.f_back)  # text that `exec` was given has no lines to show
    if frame is not None:
        error.line = frame.f_lineno
        error.code = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
    if RECORDER.recording is not None and isinstance(error, _REFUSALS):
        caught.note(RECORDER.recording.refusals, error)
    return error


def note(kind: str, handles: Any, detail: Any = "", frame: FrameType | None = None) -> None:
    """Remember that a traced value was shown, or became an integer, bool or text, in a `frame`."""
    recording = RECORDER.recording
    if recording is None:
        return
    frame = frame or user_frame()
    for x in handles:
        id_ = _known_node(x)
        if id_ >= 0 and frame is not None:
            recording.events.append((kind, id_, context_of(frame), frame.f_lasti, detail))


def _known_node(x: Any) -> int:
    """Return the node of a handle, or -1: to look at a `Variable` is not to watch it."""
    if getattr(x, "token", None) is RECORDER.token:
        return x.id
    is_array = type(x) in HANDLE_TYPES and not hasattr(x.storage, "trainable")
    return node_of(x) if is_array else -1  # a view not read so far, or an array written to


def hand_out(x: Any, how: str) -> None:
    """Note that plain code has the value of `x`: the gradient ends there, and a program stops."""
    decided(None, (x,), {})  # first: it brings a Variable onto the tape
    note("cut", (x,), how)


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
        frame = user_frame()
        # first: it brings a Variable onto the tape. Of a hash the value itself decides.
        decided(None if fun is hash else fun, args, kwargs or {}, frame)
        if fun is operator.eq or fun is np.equal:
            look_up(args[0], args[1], y)
        became = getattr(y, "dtype", type(y)), numpys_own_code() or fun
        note("flat", args, (*became, len(RECORDER.recording.entries)), frame)
    return y


def refuse_objects(x: Any) -> None:
    """Refuse to hand out an array of objects that was made of traced values in `x`."""
    if type(x) in HANDLE_TYPES:
        leave(x, "an array of objects has no derivative")
    elif isinstance(x, list | tuple | dict):
        for item in x.values() if isinstance(x, dict) else x:
            refuse_objects(item)


def decided(fun: Any, args: Any, kwargs: dict, frame: FrameType | None = None) -> None:
    """Remember that ``fun(*args, **kwargs)`` may have decided how the run went on.

    `fun` is None where the values themselves may have. `frame` is as for `note`.
    """
    recording = RECORDER.recording
    if recording is None or not any(map(holds_traced, (*args, *kwargs.values()))):
        return
    frame = frame or user_frame()
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


def taken(handle: Any, package: str, *, is_new: bool) -> None:
    """Note that a table has the plain value: the gradient lacks what is computed from it there.

    One that `is_new` may be made only to be shown.
    """
    frame, recording = outside_libraries(user_frame()), RECORDER.recording
    if recording is None or frame is None or (is_new and doing.only_shows(frame)):
        note("shown", (handle,))
        return
    decided(None, (handle,), {})  # first: it brings a Variable onto the tape
    count = len(recording.entries)
    note("taken", (handle,), (package, count))
    if node_of(handle) >= 0:
        recording.taken.setdefault((frame.f_lineno, package), count)


def tables(taken: Mapping[tuple[int, str], int], target: int | None = None) -> list[str]:
    """Say which lines hand values to tables, of which a `target` from before knows nothing."""
    return [
        f"Line {line} hands a traced value to {package}: what is computed from it there counts as "
        "constant. Compute with arrays, and make tables of the results."
        for (line, package), count in taken.items()
        if target is None or count <= target
    ]


def refuse_list(handle: Any) -> None:
    """Refuse that a table takes a number for a list, since it has a list's methods."""
    package = package_of(sys._getframe(2))
    if package in TABLES:
        raise _in_table(name_of((handle,)), package)


def _in_table(name: str, package: str) -> LeavesTapeError:
    return locate(
        LeavesTapeError(
            f"{name} would leave the tape in {package}, which computes with plain values.",
            fix="Compute with arrays out of the table, as df['x'].to_numpy(), and put arrays in.",
        )
    )


def leave(handle: Any, what: str, fix: str = "", *, asked: bool = False) -> None:
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
        if package in SINKS or module.startswith(_SHOWN_TABLES):
            note("shown", (handle,))
            return
        if package in ("__main__", "") or frame.f_code.co_filename.startswith("<"):
            break
        if not is_installed(frame.f_code.co_filename):
            break
        taker = frame
        frame = frame.f_back
    name = name_of((handle,))
    into = ""
    if taker is not None and (package := package_of(taker)) in TABLES:
        if taker.f_code.co_name in _TAKING:
            taken(handle, package, is_new=taker.f_code.co_name == "__init__")
            return
        raise _in_table(name, package)
    if taker is not None:
        into = f" in {name_of_code(taker)}"
    fix = fix or "Use NumPy functions, or cut it on purpose with tapemagic.stop_gradient(...)."
    if taker is not None and type(taker.f_locals.get("self")) in later.OBJECTS:
        fix = "Make that object under the tape, where it is known what it was made of."
    if asked and taker is None and frame is not None:
        if (given := doing.list_given(frame, handle)) is not None:
            what = f"{given[0]} does not look into the list {given[1]}"
            fix = f"Make an array of it first, which stays on the tape: np.array({given[1]})."
        elif (function := doing.as_function(frame)) is not None:
            what = "the method of a plain array asks for a plain array"
            fix = f"Call NumPy's function, which stays on the tape: {function}."
        elif (conversion := doing.as_conversion(frame)) is not None:
            what = f"{conversion[0]} makes a plain value of it"
            fix = f"Call NumPy's function, which stays on the tape: {conversion[1]}."
        elif doing.writes_integers(frame):
            flat(None, (handle,))
            return
    if taker is None and (refused := doing.refused_write(frame)):
        what, fix = refused
    error = LeavesTapeError(
        f"{name} would leave the tape{into}: {what}.",
        why="The gradient would silently miss what is computed from it.",
        fix=fix,
    )
    raise locate(error, frame)


def no_rule(fun: Any, args: Any) -> NoRuleError:
    """Return the error for a function that has no row."""
    name = qualified_name(fun)
    fix = f"Write it with other NumPy functions, or cut it: {name}(tapemagic.stop_gradient(...))."
    if name.endswith("(vectorized)"):  # as np.frompyfunc calls what it makes
        fix = "Make it with np.vectorize, which stays on the tape."
    return locate(
        NoRuleError(f"{name_of(args)} went into {name}, which has no derivative rule.", fix=fix)
    )


def refusal(rule: Any, args: Any) -> NoRuleError:
    """Return the error for a function that is refused by a row."""
    name = qualified_name(rule.fun)
    return locate(
        NoRuleError(f"{name_of(args)} cannot go through {name}: {rule.why}.", fix=rule.fix)
    )
