"""Where in the user's text an operation stands, and which name its result gets there."""

from __future__ import annotations

import ast
import linecache
from functools import lru_cache
from types import CodeType
from typing import Any

from tapemagic.autodiff.primitives import PRIMITIVES
from tapemagic.autodiff.recorder import INNER, Recording
from tapemagic.autodiff.structure import get_item, source, window_get

Place = tuple[int, int, int, int]


@lru_cache(maxsize=16)
def tree_of(filename: str) -> tuple[dict[Place, list[ast.AST]], dict[ast.AST, ast.AST]]:
    """Return the expressions of a file (and ``x += y``) by their place, and the parent of each."""
    text = "".join(linecache.getlines(filename))
    nodes: dict[Place, list[ast.AST]] = {}
    parents: dict[ast.AST, ast.AST] = {}
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return {}, {}
    for node in ast.walk(tree):
        if isinstance(node, ast.expr | ast.AugAssign):
            nodes.setdefault(place_of(node), []).append(node)
        for child in ast.iter_child_nodes(node):
            parents[child] = node
    return nodes, parents


def place_of(node: Any) -> Place:
    """Return the lines and columns of a piece of source text."""
    return node.lineno, node.end_lineno, node.col_offset, node.end_col_offset


@lru_cache(maxsize=256)
def _positions(code: CodeType) -> list:
    return list(code.co_positions())


def place_in_source(recording: Recording, context: int, offset: int) -> Place | None:
    """Return the place of an operation or a decision, if it is known."""
    if context < 0:
        return None
    code = recording.contexts[context][0]
    if INNER[code.co_filename]:  # a sweep's: it stands at one line as a whole
        return None
    line, end_line, column, end_column = position = _positions(code)[offset // 2]
    return None if None in position else (line, end_line, column, end_column)


def names_in_source(recording: Recording) -> dict[int, str]:
    """Return the names of variables to which the user's code assigns nodes, also in functions.

    Of a function that is made of several operations the last one has the name.
    """
    known: dict[tuple[int, int, bool], str] = {}
    found = {}
    entries = recording.entries
    for k, entry in enumerate(entries):
        place = entry[2], entry[1], PRIMITIVES[entry[0]] in (get_item, window_get)
        after = entries[k + 1] if k + 1 < len(entries) else None
        is_last = after is None or after[1:3] != entry[1:3] or after[0] == entry[0]
        if is_last and PRIMITIVES[entry[0]] is not source:
            if place not in known:
                known[place] = _name_at(recording, *place)
            if known[place]:
                found[k] = known[place]
    return found


def _name_at(recording: Recording, context: int, offset: int, is_read: bool) -> str:
    """Return the name that the expression at a place is assigned to, perhaps by a caller."""
    while place := place_in_source(recording, context, offset):
        code, caller, call = recording.contexts[context]
        nodes, parents = tree_of(code.co_filename)
        found = nodes.get(place, [])
        names = (_assigned(node, parents, is_read) for node in found)
        returned = any(isinstance(parents.get(node), ast.Return) for node in found)
        if not returned or not _calls(recording, caller, call, code):
            return next(filter(None, names), "")
        context, offset = caller, call
    return ""


def _calls(recording: Recording, context: int, offset: int, code: CodeType) -> bool:
    """Tell whether the expression at a place is a call of a function with this code."""
    place = place_in_source(recording, context, offset)
    if place is None:
        return False
    nodes, _ = tree_of(recording.contexts[context][0].co_filename)
    return any(
        isinstance(node, ast.Call) and called(node) == code.co_name for node in nodes.get(place, ())
    )


def called(node: ast.Call) -> str:
    """Return the last name of what is called: "where" of ``np.where(...)``."""
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _assigned(node: Any, parents: dict, is_read: bool) -> str:
    user, target = parents.get(node), None
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
        target = None if is_read else node.value  # ``x[i] = y`` makes a new `x`
    elif isinstance(node, ast.AugAssign):
        target = node.target
    elif isinstance(user, ast.NamedExpr | ast.AnnAssign):
        target = user.target
    elif isinstance(user, ast.Assign):
        target = user.targets[0]
    elif isinstance(user, ast.Tuple) and isinstance(parents[user], ast.Assign):  # a, b = x, y
        targets = getattr(parents[user].targets[0], "elts", [])
        target = targets[user.elts.index(node)] if len(targets) == len(user.elts) else None
    return target.id if isinstance(target, ast.Name) else ""
