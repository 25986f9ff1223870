"""What a cell reads, binds and ends with, read off its syntax tree.

Reading is followed in execution order: a name that the cell binds before it reads it is the cell's
own, so that running a cell a second time finds the same sources as the first time. What a function
reads counts where the function is mentioned, not where it is defined.
"""

from __future__ import annotations

import ast
import dis
import functools
import importlib
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import CodeType, FunctionType, MethodType
from typing import Any

_LOADS = {"LOAD_NAME", "LOAD_GLOBAL", "LOAD_FROM_DICT_OR_GLOBALS"}
_STORES = {"STORE_NAME", "STORE_GLOBAL"}
_COMPREHENSIONS = {"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"}  # run where they stand
_LARGEST = 1000  # elements of a list of functions that are looked at


@dataclass(frozen=True)
class CellSource:
    """A cell as far as its text tells.

    Attributes
    ----------
    reads : tuple of str
        Names that the cell reads before it binds them, in order.
    binds : tuple of str
        Names that it binds, in order.
    names : tuple of str
        All names that it mentions, in order.
    last : str
        Text of the expression at its end, or "".
    last_name : str
        Name that the statement at its end assigns to, or "".
    last_lines : range
        Lines of that expression or statement.
    """

    reads: tuple[str, ...]
    binds: tuple[str, ...]
    names: tuple[str, ...]
    last: str
    last_name: str
    last_lines: range


def read_cell(statements: list[ast.stmt], flags: int = 0) -> CellSource:
    r"""Analyse the statements of a cell.

    Parameters
    ----------
    statements : list of ast.stmt
        The cell without its `%%tape` line.
    flags : int
        Compiler flags, such as those of ``from __future__ import ...`` in earlier cells.

    Examples
    --------
    >>> cell = read_cell(ast.parse("y = x * w\nloss = (y ** 2).sum()\nloss").body)
    >>> cell.reads, cell.binds, cell.last
    (('x', 'w'), ('y', 'loss'), 'loss')
    """
    reader = _Reader(flags | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    reader.block(statements, set())
    last = statements[-1] if statements else None
    text = name = ""
    match last:
        case ast.Expr():
            text = ast.unparse(last.value)
        case ast.Assign(targets=[ast.Name(id=name)]):
            pass
    lines = range(last.lineno, (last.end_lineno or last.lineno) + 1) if last else range(0)
    names = tuple(reader.reads), tuple(reader.binds), tuple(reader.names)
    return CellSource(*names, text, name, lines)


class _Reader:
    """Walks the statements in execution order with the set of names that are bound so far.

    Dictionaries with no values stand for ordered sets.
    """

    def __init__(self, flags: int) -> None:
        self.flags = flags
        self.reads: dict[str, None] = {}
        self.binds: dict[str, None] = {}
        self.names: dict[str, None] = {}
        self.functions: dict[str, list[str]] = {}

    def load(self, name: str, bound: set[str]) -> None:
        self.names[name] = None
        if name not in bound:
            self.reads[name] = None
        for inner in self.functions.pop(name, ()):
            self.load(inner, bound)

    def bind(self, name: str, bound: set[str]) -> None:
        self.names[name] = self.binds[name] = None
        bound.add(name)

    def block(self, statements: list[ast.stmt], bound: set[str]) -> None:
        for statement in statements:
            self.statement(statement, bound)

    def statement(self, node: ast.stmt, bound: set[str]) -> None:
        match node:
            case ast.If():
                self.run(ast.Expr(node.test), bound)
                taken, other = set(bound), set(bound)
                self.block(node.body, taken)
                self.block(node.orelse, other)
                bound |= taken & other
            case ast.While():
                self.run(ast.Expr(node.test), bound)
                self.block(node.body + node.orelse, bound)
            case ast.For() | ast.AsyncFor():
                self.run(ast.Assign([node.target], node.iter, lineno=1), bound)
                self.block(node.body + node.orelse, bound)
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    targets = [item.optional_vars] if item.optional_vars else []
                    value = item.context_expr
                    self.run(ast.Assign(targets, value) if targets else ast.Expr(value), bound)
                self.block(node.body, bound)
            case ast.Try() | ast.TryStar():
                self.block(node.body, bound)
                for handler in node.handlers:
                    if handler.type:
                        self.run(ast.Expr(handler.type), bound)
                    self.block(handler.body, bound)
                self.block(node.orelse + node.finalbody, bound)
            case ast.Match():
                self.run(ast.Expr(node.subject), bound)
                for case in node.cases:
                    for name in captures(case.pattern):
                        self.bind(name, bound)
                    if case.guard:
                        self.run(ast.Expr(case.guard), bound)
                    self.block(case.body, bound)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self.run(node, bound, later=True)
            case _:
                self.run(node, bound)

    def run(self, node: ast.stmt, bound: set[str], *, later: bool = False) -> None:
        """Follow the loads and stores of the compiled statement, in order."""
        module = ast.fix_missing_locations(ast.Module([node], []))
        try:
            code = compile(module, "<cell>", "exec", flags=self.flags, dont_inherit=True)
        except (SyntaxError, ValueError):
            # `return` at cell level and the like: the shell reports it when it gets there
            return
        inner: list[str] = []
        for kind, name in accesses(code):
            if kind == "inner" and later:
                inner.append(name)
            elif kind == "store":
                self.bind(name, bound)
            else:
                self.load(name, bound)
        if later and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            self.functions[node.name] = inner


def captures(pattern: ast.pattern) -> Iterator[str]:
    """Yield the names that a `case` pattern binds."""
    for node in ast.walk(pattern):
        name = getattr(node, "rest" if isinstance(node, ast.MatchMapping) else "name", None)
        if isinstance(name, str):
            yield name


@functools.lru_cache(maxsize=1024)
def accesses(code: CodeType) -> tuple[tuple[str, str], ...]:
    """List the accesses to global names of a code object and of those nested in it, in order.

    Returns
    -------
    tuple of (kind, name)
        The kind is "load" or "store", or "inner" for a load in the body of a function inside.
    """
    found: list[tuple[str, str]] = []
    for instruction in dis.get_instructions(code):
        name = instruction.argval
        if instruction.opname in _LOADS:
            found.append(("load", name))
        elif instruction.opname in _STORES:
            found.append(("store", name))
        elif isinstance(name, CodeType) and name.co_name in _COMPREHENSIONS:
            found += accesses(name)
        elif isinstance(name, CodeType) and name.co_flags & inspect.CO_OPTIMIZED:
            found += [("inner", inner) for kind, inner in accesses(name) if kind != "store"]
        elif isinstance(name, CodeType):
            found += in_class_body(accesses(name))
    return tuple(found)


def in_class_body(found: tuple[tuple[str, str], ...]) -> Iterator[tuple[str, str]]:
    """Leave out what a class body does to names of its own; it runs where it stands."""
    own = {"__name__", "__module__", "__qualname__"}
    for kind, name in found:
        if kind == "store":
            own.add(name)
        elif kind == "inner" or name not in own:
            yield kind, name


def follow(names: tuple[str, ...], namespace: Mapping[str, Any]) -> list[str]:
    """Add to names those that the functions among them read, and so on, in order.

    Only functions that read this very namespace count: those of other modules have their own.
    """
    found = dict.fromkeys(names)
    waiting = list(reversed(names))
    seen: set[int] = set()
    while waiting:
        name = waiting.pop()
        if name not in namespace:
            continue
        for code in codes(namespace[name], namespace, seen):
            for _, inner in accesses(code):
                if inner not in found:
                    found[inner] = None
                    waiting.append(inner)
    return list(found)


def codes(value: Any, namespace: Mapping[str, Any], seen: set[int]) -> Iterator[CodeType]:
    """Yield the code of the user's functions that a value is, holds or would call."""
    return (function.__code__ for function in functions(value, namespace, seen))


def functions(value: Any, namespace: Mapping[str, Any], seen: set[int]) -> Iterator[FunctionType]:
    """Yield the user's functions that a value is, holds or would call."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        kind = type(one)
        if kind is FunctionType:
            if one.__globals__ is namespace:
                yield one
            waiting += [cell.cell_contents for cell in one.__closure__ or () if holds(cell)]
        elif kind is MethodType:
            waiting += [one.__func__, one.__self__]
        elif kind in (list, tuple, dict):
            inside = one.values() if kind is dict else one
            waiting += list(inside) if len(one) <= _LARGEST else []
        elif kind in (staticmethod, classmethod):
            waiting.append(one.__func__)
        elif kind is property:
            waiting += [one.fget, one.fset]
        elif kind is functools.partial:
            waiting += [one.func, *one.args, *one.keywords.values()]
        elif isinstance(one, type):
            if one.__module__ == namespace.get("__name__"):
                waiting += [*vars(one).values(), *one.__bases__]
        elif kind.__module__ == namespace.get("__name__"):
            waiting.append(kind)
            waiting += list(getattr(one, "__dict__", {}).values())
        elif callable(getattr(one, "__wrapped__", None)):
            waiting.append(one.__wrapped__)


def holds(cell: Any) -> bool:
    """Say whether a closure's cell has been filled yet."""
    try:
        cell.cell_contents  # noqa: B018  (asking is the test)
    except ValueError:
        return False
    return True


def future_flags(statement: ast.stmt) -> int:
    """Return the compiler flags of ``from __future__ import ...``."""
    if not isinstance(statement, ast.ImportFrom) or statement.module != "__future__":
        return 0
    features = importlib.import_module("__future__")
    known = {getattr(features, alias.name, None) for alias in statement.names}
    return sum(one.compiler_flag for one in known if one is not None)
