"""Refusals that the running code catches: it then goes another way than without a tape.

That is stated, unless the code asks for our errors by name (``except LeavesTapeError``,
``pytest.raises(TapeError)``): then the other way is meant.
"""

from __future__ import annotations

import ast
import builtins
import functools
import linecache
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

from tapemagic.errors import TapeError

from .tracebacks import chain

Places = list[tuple[FrameType, int]]
#: Caught ones as (line, words). The last may be an error that is on its way still, and the `Places`
#: that it comes from.
Refusals = list[Any]


def note(refusals: Refusals, error: TapeError) -> None:
    """Remember an error that is about to be raised where plain NumPy would have gone on."""
    settle(refusals)
    places: Places = []
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        places.append((frame, frame.f_lineno))
        frame = frame.f_back
    refusals.append((error, places))


def settle(refusals: Refusals) -> None:
    """Judge the last error, and let go of the frames that it holds."""
    if refusals and isinstance(refusals[-1][0], TapeError):
        error, places = refusals.pop()
        if not is_meant(error, places):
            refusals.append((error.line, error.what))


def forget(refusals: Refusals, error: BaseException) -> None:
    """Take back that refusals were caught which have ended the run, or led to what has."""
    settle(refusals)
    ended = {(x.line, x.what) for x in chain(error) if isinstance(x, TapeError)}
    refusals[:] = [refusal for refusal in refusals if refusal not in ended]


def caught(refusals: Refusals) -> list[tuple[int | None, str]]:
    """Say of refusals that did not end the run that it went another way than without a tape."""
    settle(refusals)
    said = "was caught, and the code went on another way than without a tape"
    return [
        (line, f"A refusal {f'at line {line} ' if line else ''}{said}: {what}")
        for line, what in dict.fromkeys(refusals)
    ]


def is_meant(error: TapeError, places: Places) -> bool:
    """Tell whether the code that caught an error asked for it, or for a class of ours, by name."""
    traceback = error.__traceback__
    if traceback is not None:  # else unittest has caught it, which takes the traceback away
        places = [(traceback.tb_frame, traceback.tb_lineno)]
    for frame, line in places:
        for expression in expected(frame.f_code.co_filename, line):
            for kind in classes(expression, frame):
                if issubclass(type(error), kind):
                    return issubclass(kind, TapeError)
    return False


def expected(filename: str, line: int) -> Iterator[ast.expr]:
    """Yield what is said to be expected by the statements around a line, innermost first.

    That is the class of an `except`, or what a context manager has been given.
    """
    around = [
        node
        for node in protecting(filename, tuple(linecache.getlines(filename)))
        if node.body[0].lineno <= line <= (node.body[-1].end_lineno or 0)
    ]
    for node in sorted(around, key=lambda node: -node.lineno):
        if isinstance(node, ast.Try):
            for handler in node.handlers:
                yield handler.type or ast.Name("BaseException")
            continue
        for item in reversed(node.items):
            if isinstance(item.context_expr, ast.Call):
                yield from item.context_expr.args


@functools.lru_cache(maxsize=16)
def protecting(filename: str, lines: tuple[str, ...]) -> list[ast.Try | ast.With | ast.AsyncWith]:
    """List the statements of a file that may catch an error."""
    try:
        tree = ast.parse("".join(lines), filename)
    except (SyntaxError, ValueError):
        return []
    return [n for n in ast.walk(tree) if isinstance(n, ast.Try | ast.With | ast.AsyncWith)]


def classes(expression: ast.expr, frame: FrameType) -> Iterator[type]:
    """Yield the classes that names, attributes of names and tuples of them stand for."""
    if isinstance(expression, ast.Tuple):
        for element in expression.elts:
            yield from classes(element, frame)
        return
    found = look_up(expression, frame)
    for kind in found if isinstance(found, tuple) else (found,):
        if isinstance(kind, type):
            yield kind


def look_up(expression: ast.expr, frame: FrameType) -> Any:
    """Return what a name or an attribute stands for in a frame, or None; nothing is called."""
    if isinstance(expression, ast.Attribute):
        return getattr(look_up(expression.value, frame), expression.attr, None)
    if not isinstance(expression, ast.Name):
        return None
    names = (frame.f_locals, frame.f_globals, vars(builtins))
    return next((space[expression.id] for space in names if expression.id in space), None)
