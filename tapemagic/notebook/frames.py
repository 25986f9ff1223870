"""Tracebacks without frames of ours: the user's lines only."""

from __future__ import annotations

import os
from pathlib import Path
from traceback import walk_tb
from types import TracebackType
from typing import Any

# as the interpreter writes it in code objects: not resolved
_PACKAGE = str(Path(__file__).absolute().parent.parent) + os.sep


def is_ours(filename: str) -> bool:
    """Say whether a file belongs to this package."""
    return filename.startswith(_PACKAGE)


def prune(error: BaseException) -> None:
    """Take our frames out of an exception's traceback and those of its causes, in place."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        one.__traceback__ = without_ours(one.__traceback__)
        waiting += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions


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


def find_line(error: BaseException, filename: str) -> int | None:
    """Return the line of a file that an exception came through last."""
    line = None
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == filename:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line


def came_through(error: BaseException, namespace: dict) -> bool:
    """Say whether an exception came through code that runs in a namespace."""
    return any(frame.f_globals is namespace for frame, _ in walk_tb(error.__traceback__))


class Refusals:
    """Shows errors without our frames, also those raised outside a taped cell.

    NumPy's own errors come through our frames as well: of `tf.reshape`, of a sum of tensors.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._previous = (shell.custom_exceptions, shell.CustomTB)
        if not shell.custom_exceptions:  # a person's own handler goes first
            shell.set_custom_exc((Exception, KeyboardInterrupt), self._show)
        self._handler = shell.CustomTB

    @staticmethod
    def _show(shell: Any, kind: type, error: BaseException, *_: Any, **__: Any) -> list[str]:
        compiled = came_through(error, shell.user_global_ns)
        prune(error)
        if compiled or not isinstance(error, SyntaxError):
            shell.showtraceback((kind, error, error.__traceback__), running_compiled_code=True)
        elif isinstance(error, IndentationError):
            shell.showindentationerror()
        else:
            shell.showsyntaxerror()
        return []

    def remove(self) -> None:
        """Put back what was there before, unless somebody has replaced it meanwhile."""
        if self._shell.CustomTB is self._handler:
            self._shell.custom_exceptions, self._shell.CustomTB = self._previous
