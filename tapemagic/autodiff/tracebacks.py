"""Tracebacks without frames of ours: the user's lines only, as of NumPy's compiled functions."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType

from .handles import plain
from .recorder import PACKAGE


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


def prune(error: BaseException) -> None:
    """Take our frames and names out of an exception and its causes, in place."""
    for one in chain(error):
        one.__traceback__ = without_ours(one.__traceback__)
        if type(one) is AttributeError and one.name and "'TracedArray' object" in str(one):
            say_as_plain(one, one.name)


def say_as_plain(error: AttributeError, name: str) -> None:
    """Let a missing attribute be one of the plain object that a handle stands for."""
    try:
        getattr(plain(error.obj), name)
    except AttributeError as own:
        error.args, error.obj = own.args, own.obj


def without_ours(traceback: TracebackType | None) -> TracebackType | None:
    """Unlink the entries of our files from a chain of traceback entries."""
    entries = []
    while traceback is not None:
        if not is_ours(traceback.tb_frame.f_code.co_filename):
            entries.append(traceback)
        traceback = traceback.tb_next
    following = None
    for entry in reversed(entries):
        entry.tb_next = following
        following = entry
    return following
