"""Lists that were handed to a function which does not look into them: ``np.exp([a, b])``."""

from __future__ import annotations

import ast
import linecache
from types import FrameType
from typing import Any

_WRITTEN_AS_LISTS = (ast.List, ast.Tuple, ast.ListComp)


def source_of(frame: FrameType) -> str:
    """Return the text of the expression that a frame is at, if it can be found."""
    first, last, start, end = list(frame.f_code.co_positions())[frame.f_lasti // 2]
    if first is None or last is None or start is None or end is None:
        return ""
    numbers = range(first, last + 1)
    lines = [linecache.getline(frame.f_code.co_filename, n).encode() for n in numbers]
    lines[-1] = lines[-1][:end]
    lines[0] = lines[0][start:]
    return b"".join(lines).decode(errors="replace")


def list_given(frame: FrameType, handle: Any) -> tuple[str, str] | None:
    """Return what a frame is calling, and the list in which it hands `handle` over.

    Returns
    -------
    (str, str) or None
        As the code writes them: ``("np.exp", "[a, b]")``.
    """
    try:
        node = ast.parse(source_of(frame).strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return None
    operands: list[ast.expr]
    match node:
        case ast.Call(func=func, args=operands):
            taker = ast.unparse(func)
        case ast.BinOp(left=left, right=right):
            taker, operands = ast.unparse(node), [left, right]
        case _:
            return None
    given = next((x for x in operands if _is_list(x, frame, handle)), None)
    return None if given is None else (taker, ast.unparse(given))


def _is_list(operand: ast.expr, frame: FrameType, handle: Any) -> bool:
    if isinstance(operand, ast.Name):
        names = frame.f_globals | frame.f_locals
        return _holds(names.get(operand.id), handle)
    return isinstance(operand, _WRITTEN_AS_LISTS)


def _holds(x: Any, handle: Any) -> bool:
    return isinstance(x, list | tuple) and any(
        item is handle or (item is not x and _holds(item, handle)) for item in x
    )
