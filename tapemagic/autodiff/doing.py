"""What a frame of the user's is doing while a traced value is asked for as a plain one."""

from __future__ import annotations

import ast
import dis
import functools
import linecache
from types import CodeType, FrameType
from typing import Any

import numpy as np

from .handles import LISTS

#: Methods of a plain array that ask for a plain array; NumPy's functions of these names do not.
ASKING = frozenset({"dot", "choose", "searchsorted"})

_HARMLESS = frozenset({"int", "round", "float", "abs", "str", "len", "min", "max", "sum", "bool"})
_COMPARISONS = {dis.opmap["COMPARE_OP"], dis.opmap["CONTAINS_OP"]}
_BINARY_OP = dis.opmap["BINARY_OP"]
_WRITTEN_AS_LISTS = (ast.List, ast.Tuple, ast.ListComp)


def instruction(frame: FrameType | None) -> dis.Instruction | None:
    """Return the instruction that a frame is at."""
    if frame is None:
        return None
    steps = dis.get_instructions(frame.f_code)
    return next((step for step in steps if step.offset == frame.f_lasti), None)


def only_formats(frame: FrameType | None) -> bool:
    """Tell whether a frame is at a `%`, as in ``"%.3f" % t``: what is asked for is text."""
    if frame is None or frame.f_code.co_code[frame.f_lasti] != _BINARY_OP:
        return False  # `int(t)` in a loop need not read all of the code
    step = instruction(frame)
    return step is not None and step.argrepr in ("%", "%=")


def writes(frame: FrameType | None) -> bool:
    """Tell whether a frame is at a write of items: ``x[i] = ...``, ``x.flat = ...``."""
    doing = instruction(frame)
    # since Python 3.12 slices have an instruction of their own
    return doing is not None and doing.opname in ("STORE_SUBSCR", "STORE_SLICE", "STORE_ATTR")


def refused_write(frame: FrameType | None) -> tuple[str, str] | None:
    """Return why a write of items cannot be followed, and what to do; None if it is no write."""
    if frame is None or not writes(frame):
        return None
    written = _expression(frame)
    while isinstance(written, ast.Subscript | ast.Attribute):  # d["a"][0] = ...
        written = written.value
        target = _value(written, frame)
        if isinstance(target, np.ndarray) and target.dtype.names:
            return (
                "an array with named fields has no derivative",
                "Keep each field in an array of its own: a dict of arrays has the same spelling.",
            )
    return (
        "it would be written into a plain array, made before the tape",
        "Make the array under the tape, or watch it first: tape.watch(...).",
    )


def _expression(frame: FrameType) -> ast.expr | None:
    """Return the expression that a frame is at, if its source can be found."""
    return _expression_at(frame.f_code, frame.f_lasti)


def _expression_at(code: CodeType, offset: int) -> ast.expr | None:
    try:
        return ast.parse(_source_at(code, offset).strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return None


def comparing_function(code: CodeType, offset: int) -> str:
    """Return the function of Python's that compares for the code: ``max`` in ``max(a, b)``."""
    if code.co_code[offset] in _COMPARISONS:
        return ""
    match _expression_at(code, offset):
        case ast.Call(func=function):
            return ast.unparse(function)
    return ""


def _source_at(code: CodeType, offset: int) -> str:
    first, last, start, end = list(code.co_positions())[offset // 2]
    if first is None or last is None or start is None or end is None:
        return ""
    numbers = range(first, last + 1)
    lines = [linecache.getline(code.co_filename, n).encode() for n in numbers]
    lines[-1] = lines[-1][:end]
    lines[0] = lines[0][start:]
    return b"".join(lines).decode(errors="replace")


def only_shows(frame: FrameType) -> bool:
    """Tell whether what a frame is calling is a statement by itself, or printed by one.

    ``pd.DataFrame(...)``, ``pd.Series(x).plot()``, ``display(pd.DataFrame(...))``.
    """
    line, _, column, _ = list(frame.f_code.co_positions())[frame.f_lasti // 2]
    lines = linecache.getlines(frame.f_code.co_filename, frame.f_globals)
    return (line, column) in _shown(tuple(lines))


@functools.lru_cache(maxsize=16)
def _shown(lines: tuple[str, ...]) -> frozenset[tuple[int, int]]:
    """Return where those calls begin in a text."""
    try:
        tree = ast.parse("".join(lines))
    except SyntaxError:  # a magic of the cell, say
        return frozenset()
    calls = (_innermost(x.value) for x in ast.walk(tree) if isinstance(x, ast.Expr))
    return frozenset((node.lineno, node.col_offset) for node in calls)


@functools.lru_cache(maxsize=1024)
def shows(code: CodeType, offset: int) -> bool:
    """Tell whether what code is at stands in an f-string, or among what `print` is given."""
    line, _, column, _ = list(code.co_positions())[offset // 2]
    return (line, column) in _in_text(tuple(linecache.getlines(code.co_filename)))


@functools.lru_cache(maxsize=16)
def _in_text(lines: tuple[str, ...]) -> frozenset[tuple[int, int]]:
    """Return where expressions begin in a text that are only made into text."""
    try:
        tree = ast.parse("".join(lines))
    except SyntaxError:  # a magic of the cell, say
        return frozenset()
    found: list[ast.expr] = []
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="print"), args=given):
                found += given
            case ast.FormattedValue(value=value):
                found.append(value)
    places = set()
    while found:
        node = found.pop()
        places.add((node.lineno, node.col_offset))
        children = ast.iter_child_nodes(node)
        if isinstance(node, ast.Call) and ast.unparse(node.func) not in _HARMLESS:
            children = ast.iter_child_nodes(node.func)  # who knows what it does with the rest
        if not isinstance(node, ast.NamedExpr | ast.Lambda):
            found += [child for child in children if isinstance(child, ast.expr)]
    return frozenset(places)


def _innermost(node: ast.expr) -> ast.expr:
    """Return what a chain of calls and attributes begins with, or what `print` is given."""
    while True:
        match node:
            case ast.Call(func=ast.Name(id="print" | "display"), args=[shown]):
                node = shown
            case ast.Call(func=ast.Attribute(value=ast.Call() as inner)):
                node = inner
            case ast.Attribute(value=inner) | ast.Subscript(value=inner):
                node = inner
            case _:
                return node


def as_function(frame: FrameType) -> str | None:
    """Return what a frame is calling as NumPy's function: ``np.dot(X, w)`` for ``X.dot(w)``."""
    match _expression(frame):
        case ast.Call(func=ast.Attribute(value=owner, attr=name), args=given) if name in ASKING:
            return f"np.{name}({', '.join(map(ast.unparse, [owner, *given]))})"
    return None


def as_conversion(frame: FrameType) -> tuple[str, str] | None:
    """Return which of NumPy's number types a frame is calling, and NumPy's function instead."""
    match _expression(frame):
        case ast.Call(func=kind, args=[given]):
            found = _value(kind, frame)
            if isinstance(found, type) and issubclass(found, np.inexact):
                return found.__name__, f"np.asarray({ast.unparse(given)}, {ast.unparse(kind)})"
    return None


def list_given(frame: FrameType, handle: Any) -> tuple[str, str] | None:
    """Return what a frame is calling, and the list in which it hands `handle` over.

    Returns
    -------
    (str, str) or None
        As the code writes them: ``("np.exp", "[a, b]")``.
    """
    operands: list[ast.expr]
    match node := _expression(frame):
        case ast.Call(func=func, args=operands):
            taker = ast.unparse(func)
        case ast.BinOp(left=left, right=right):
            taker, operands = ast.unparse(node), [left, right]
        case _:
            return None
    given = next((x for x in operands if _is_list(x, frame, handle)), None)
    return None if given is None else (taker, ast.unparse(given))


def _is_list(operand: ast.expr, frame: FrameType, handle: Any) -> bool:
    if isinstance(operand, _WRITTEN_AS_LISTS):
        return any(isinstance(node, ast.Name) for node in ast.walk(operand))
    return _holds(_value(operand, frame), handle)


def _holds(x: Any, handle: Any) -> bool:
    return isinstance(x, LISTS) and any(
        item is handle or (item is not x and _holds(item, handle)) for item in x
    )


def writes_integers(frame: FrameType) -> bool:
    """Tell whether a frame is at a write into an array of integers or bools.

    That is ``counts[:] = x``, ``counts.flat = x`` or ``counts.put(places, x)``.
    """
    match _expression(frame):
        case (
            ast.Subscript(value=written)
            | ast.Attribute(value=written, attr="flat")
            | ast.Call(func=ast.Attribute(value=written, attr="put"))
        ):
            target = _value(written, frame)
        case _:
            return False
    return type(target) is np.ndarray and target.dtype.kind in "biu"


def _value(node: ast.expr, frame: FrameType) -> Any:
    """Return what names, attributes and items stand for, if no code has to run to find out."""
    match node:
        case ast.Name(id=name):
            return frame.f_locals.get(name, frame.f_globals.get(name))
        case ast.Attribute(value=value, attr=attribute):
            owner = _value(value, frame)
            if type(owner) is np.ndarray:
                return owner if attribute in ("flat", "T") else None
            return getattr(owner, "__dict__", {}).get(attribute)
        case ast.Subscript(value=value, slice=ast.Constant(value=key)):
            owner = _value(value, frame)
            if type(owner) is dict:
                return owner.get(key)
            if type(owner) in (list, tuple) and type(key) is int and -1 <= key < len(owner):
                return owner[key]
    return None
