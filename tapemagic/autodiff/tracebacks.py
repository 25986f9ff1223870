"""Tracebacks without frames of ours: the user's lines only, as of NumPy's compiled functions."""

from __future__ import annotations

import dis
import linecache
import re
from collections.abc import Iterator
from traceback import walk_tb
from types import TracebackType

from tapemagic.errors import LeavesTapeError, TapeError

from .codes import is_installed
from .handles import plain
from .positions import is_library
from .recorder import PACKAGE

_CUT = "Use NumPy functions, or cut it on purpose with tapemagic.stop_gradient(...)."
#: How C code says that something is no array of NumPy's, where it says so of an array: a handle.
#: What it asked for, and what to do instead.
_NO_ARRAY = {
    r"bytes-like object( is required)?, not '?numpy\.ndarray'?$": (
        "its memory is handed out",
        _CUT,
    ),
    r"^descriptor '\w+' (for|requires a) 'numpy\.ndarray' object.* 'numpy\.ndarray'( object)?$": (
        "a function of the class np.ndarray takes NumPy's own arrays only",
        "Call the method of the array: x.sum() and not np.ndarray.sum(x).",
    ),
    r"^descriptor '\w+' (for|requires a) '(float|complex)' object.*'numpy\.ndarray'( object)?$": (
        "a function of the class float takes Python's own numbers only",
        "Write x * y and not float.__mul__(x, y); what hands out digits has no gradient.",
    ),
    r"^conversion from numpy\.ndarray to Decimal is not supported$": (
        "decimal.Decimal takes the digits of plain numbers only",
        "Cut it on purpose: Decimal(float(tapemagic.stop_gradient(x))).",
    ),
    r"^unsupported type for timedelta \w+ component: numpy\.ndarray$": (
        "datetime.timedelta takes plain numbers only",
        "Cut it on purpose: timedelta(seconds=float(tapemagic.stop_gradient(x))).",
    ),
    "^object __array__ method not producing an array$": (
        "NumPy takes none from an __array__ method",
        "Hand in the array itself, or np.asarray(...) of the object.",
    ),
}


def is_ours(filename: str) -> bool:
    """Say whether a file belongs to this package."""
    return filename.startswith(PACKAGE)


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception, its causes, and what was being handled when they were raised."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions


def refusal_behind(error: BaseException) -> BaseException:
    """Return our own error, where NumPy or SciPy has put one of its own before it.

    So they do where a traced value is written into an array, or is to become one, or where compiled
    code goes on after an error, which Python then says of it.
    """
    cause = error.__cause__
    while type(cause) is SystemError:
        cause = cause.__cause__
    replaced = type(error) in (ValueError, SystemError)
    if replaced and isinstance(cause, TapeError) and not _is_own(error):
        return cause.with_traceback(error.__traceback__)
    return error


def _is_own(error: BaseException) -> bool:
    """Tell whether a ``raise`` in the user's code, and not in a library's, has raised an error."""
    entry = error.__traceback__
    while entry is not None and entry.tb_next is not None:
        entry = entry.tb_next
    if entry is None or is_installed(entry.tb_frame.f_code.co_filename):
        return False
    steps = dis.get_instructions(entry.tb_frame.f_code)
    return any(s.offset == entry.tb_lasti and s.opname == "RAISE_VARARGS" for s in steps)


def prune(error: BaseException) -> None:
    """Take our frames and names out of an exception and its causes, in place.

    Out of our own refusals those of libraries too: what asked for a plain value there says nothing
    that the user has written. C code's words for a handle, that it is no array, become ours.
    """
    for one in chain(error):
        is_refusal = isinstance(one, TapeError)
        one.__traceback__ = without_ours(one.__traceback__, libraries=is_refusal)
        if type(one) in (TypeError, ValueError):
            for words, said in _NO_ARRAY.items():
                if re.search(words, str(one)):
                    one.args = (str(_leaves(one, *said)),)
        if type(one) is AttributeError and one.name and "'numpy.ndarray' object" in str(one):
            say_as_plain(one, one.name)


def _leaves(error: BaseException, what: str, fix: str) -> LeavesTapeError:
    refusal = LeavesTapeError(
        f"A traced array would leave the tape: {what}.",
        why="The gradient would silently miss what is computed from it.",
        fix=fix,
    )
    for frame, line in walk_tb(error.__traceback__):
        refusal.line = line
        refusal.code = linecache.getline(frame.f_code.co_filename, line).strip()
    return refusal


def say_as_plain(error: AttributeError, name: str) -> None:
    """Let a missing attribute be one of the plain object that a handle stands for."""
    try:
        getattr(plain(error.obj), name)
    except AttributeError as own:
        error.args, error.obj = own.args, own.obj


def without_ours(
    traceback: TracebackType | None, *, libraries: bool = False
) -> TracebackType | None:
    """Unlink the entries of our files from a chain of traceback entries.

    Those of `libraries` too, if asked for, that the user's code has called: what has called it, the
    shell, counts on its own.
    """
    entries: list[TracebackType] = []
    called = False
    while traceback is not None:
        filename = traceback.tb_frame.f_code.co_filename
        inner = is_library(filename)
        if not is_ours(filename) and not (libraries and called and inner):
            entries.append(traceback)
        called = called or not inner
        traceback = traceback.tb_next
    following = None
    for entry in reversed(entries):
        entry.tb_next = following
        following = entry
    return following
