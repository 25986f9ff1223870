"""What the person sees of an exception: the line it came from, and tracebacks of own lines only."""

from __future__ import annotations

import ast
import dis
from collections.abc import Iterable, Iterator
from traceback import walk_tb
from types import TracebackType
from typing import Any

from tapemagic.autodiff.tracebacks import prune


def find_line(error: BaseException, filename: str) -> int | None:
    """Return the line of a file that an exception came through last."""
    lines = [
        traceback.tb_lineno
        for traceback in traces(error)
        if traceback.tb_frame.f_code.co_filename == filename
    ]
    return lines[-1] if lines else None


def traces(error: BaseException) -> Iterator[TracebackType]:
    """Yield the steps of a traceback, outermost first."""
    traceback = error.__traceback__
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def names_read_at(line: int | None, statements: Iterable[ast.stmt]) -> list[str]:
    r"""Name what the statement at a line reads; of a loop or a branch, what its head reads.

    >>> names_read_at(2, ast.parse("for k in y:\n    z = y @ x\n").body)
    ['y', 'x']
    >>> names_read_at(1, ast.parse("for k in y:\n    z = y @ x\n").body)
    ['y']
    """
    nodes = [node for statement in statements for node in ast.walk(statement)]
    around = [
        node for node in nodes
        if line and isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or 0)
    ]  # fmt: skip
    simple = [node for node in around if not hasattr(node, "body")]
    found = [
        node for statement in simple or around for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
        if simple or node.lineno == line
    ]  # fmt: skip
    found.sort(key=lambda name: (name.lineno, name.col_offset))
    return list(dict.fromkeys(name.id for name in found))


def note_on_strict_code(error: BaseException, line: int | None) -> str:
    """Say what to do about code that takes Python's own floats only, "" if that is not the matter.

    What is written in C asks for a number's type: `datetime.timedelta`, `decimal.Decimal`.
    """
    *_, last = (None, *traces(error))
    said = str(error).replace("numpy.ndarray' object", "")  # which is not callable, say
    if last is None or not isinstance(error, TypeError) or "numpy.ndarray" not in said:
        return ""
    operation = last.tb_frame.f_code.co_code[last.tb_lasti]
    if not dis.opname[operation].startswith(("CALL", "PRECALL")):
        return ""  # an operator has met a real array
    return (
        f"Line {line}: what is called there takes Python's own numbers only, and was given a "
        "traced one. Hand over a plain one, at which the gradient ends: "
        "float(tapemagic.stop_gradient(x))."
    )


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
        shell.set_custom_exc((Exception, KeyboardInterrupt), self._show)
        self._handler = shell.CustomTB

    def _show(self, shell: Any, kind: type, error: BaseException, *_: Any, **__: Any) -> list[str]:
        compiled = came_through(error, shell.user_global_ns)
        prune(error)
        exceptions, handler = self._previous
        if isinstance(error, exceptions):  # somebody else's, such as Colab's of missing modules
            handler(kind, error, error.__traceback__)
        elif compiled or not isinstance(error, SyntaxError):
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


def first_line(error: BaseException) -> str:
    """Return the first line of an exception's message."""
    return next(iter(str(error).splitlines()), "")
