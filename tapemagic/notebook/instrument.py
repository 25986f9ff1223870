"""Rewriting a cell's syntax tree so that the tape hears of names, imports and conversions.

The tree is changed as little as possible and every new node takes the position of the node that it
wraps, so tracebacks, `inspect.getsource` and line numbers are those of the cell as written. Nothing
is looked up under a name of the user's: code at cell level calls one object whose name `hooks.py`
puts among the builtins while the cell runs, and code in functions, which outlive the cell, imports
that object where it stands.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from .calls import (
    calls_each,
    find_lists,
    goes_through_hook,
    imports_module,
    names_converter,
    reads_text,
)
from .source import CellSource, captures, read_cell

#: Name of the object with the hooks among the builtins.
HIDDEN = "__tapemagic_cell__"

_Located = TypeVar("_Located", bound=ast.AST)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.GeneratorExp)


@dataclass(frozen=True)
class Plan:
    """An instrumented cell.

    Attributes
    ----------
    source : CellSource
        What the cell reads and binds.
    body : list of ast.stmt
        The statements to run, without the `%%tape` line.
    trailing : tuple of str
        Names that the last statement binds: nothing runs after it, so whoever ends the cell
        reports them.
    written : frozenset of str
        Names whose objects the cell changes in place: `w[0] = 1`, `w += 1`, `w.real = 0`.
    shell_lines : bool
        Whether the cell runs magics or shell commands.
    """

    source: CellSource
    body: list[ast.stmt]
    trailing: tuple[str, ...]
    written: frozenset[str]
    shell_lines: bool


def make_plan(statements: list[ast.stmt], *, show_assigned: bool = False, flags: int = 0) -> Plan:
    """Analyse and instrument the statements of a cell; the statements are changed.

    Parameters
    ----------
    statements : list of ast.stmt
        The cell without its `%%tape` line.
    show_assigned : bool
        Whether the shell shows the value of a final assignment.
    flags : int
        Compiler flags of the shell.
    """
    source = read_cell(statements, flags)
    written = frozenset(name for top in statements for name in changed_names(top))
    shell_lines = any(is_shell_line(node) for top in statements for node in ast.walk(top))
    if show_assigned and statements and (name := assigned_name(statements[-1])):
        # the shell would append this itself, where it could not be instrumented
        statements = [*statements, at(statements[-1], ast.Expr(ast.Name(name, ast.Load())))]
    lists = find_lists(statements)
    body: list[ast.stmt] = []
    trailing: tuple[str, ...] = ()
    for index, statement in enumerate(statements):
        last = index == len(statements) - 1
        new = list(_Instrument(lists).statement(statement, last=last))
        if last and not isinstance(statement, ast.Expr):
            # the shell looks at the last statement to decide what to show: keep it last
            position = new.index(statement)
            trailing = tuple(filter(None, map(assigned_name, new[position + 1 :])))
            del new[position + 1 :]
        body += new
    return Plan(source, body, trailing, written, shell_lines)


def instrumented(tree: ast.Module) -> ast.Module:
    """Instrument the functions of a whole source; the tree is changed.

    What stands outside functions is instrumented as well, and must not be run.
    """
    return ast.fix_missing_locations(_Instrument(find_lists([tree])).visit(tree))


def assigned_name(node: ast.stmt) -> str:
    """Return the name that a statement assigns to, if it is one name."""
    targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
    is_assignment = isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign)
    if is_assignment and len(targets) == 1 and isinstance(targets[0], ast.Name):
        return targets[0].id
    return ""


def is_shell_line(node: ast.AST) -> bool:
    """Tell whether a node is what IPython makes of `%magic` and `!command`."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "get_ipython"
    )


def changed_names(tree: ast.AST) -> Iterator[str]:
    """Yield the names whose objects are changed in place anywhere in a tree."""
    for node in ast.walk(tree):
        if isinstance(node, ast.AugAssign):
            yield from bound_names(node.target)
        elif isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield from bound_names(node)


def at(place: ast.AST, new: _Located) -> _Located:
    """Give a new node, and what is new inside it, the position of an old one."""
    for node in ast.walk(new):
        if "lineno" in node._attributes and not hasattr(node, "lineno"):
            ast.copy_location(node, place)
    return new


def hook(place: ast.AST, function: str, *args: ast.expr, **kwargs: Any) -> ast.Call:
    """Make the call of a hook at cell level."""
    called = ast.Attribute(ast.Name(HIDDEN, ast.Load()), function, ast.Load())
    return at(place, ast.Call(called, list(args), kwargs.get("keywords", [])))


def inner_hook(place: ast.AST, function: str, *args: ast.expr, **kwargs: Any) -> ast.Call:
    """Make the call of a hook in code that may run after the cell."""
    names = ast.Tuple([ast.Constant(function)], ast.Load())
    module = ast.Call(
        ast.Name("__import__", ast.Load()),
        [ast.Constant("tapemagic.notebook.hooks")],
        [ast.keyword("fromlist", names)],
    )
    called = ast.Attribute(module, function, ast.Load())
    return at(place, ast.Call(called, list(args), kwargs.get("keywords", [])))


def rebind(place: ast.AST, name: str, call: ast.expr) -> ast.stmt:
    """Make `name = call`."""
    return at(place, ast.Assign([ast.Name(name, ast.Store())], call))


def report(place: ast.AST, name: str) -> ast.stmt:
    """Make `name = hidden.bind("name", name)`."""
    value = hook(place, "bind", ast.Constant(name), ast.Name(name, ast.Load()))
    return rebind(place, name, value)


def bound_names(target: ast.expr) -> Iterator[str]:
    """Yield the names that an assignment target binds, or changes in place."""
    match target:
        case ast.Name():
            yield target.id
        case ast.Tuple() | ast.List():
            for element in target.elts:
                yield from bound_names(element)
        case ast.Starred() | ast.Subscript() | ast.Attribute():
            yield from bound_names(target.value)


class _Instrument(ast.NodeTransformer):
    """Expressions are transformed by `visit`, statements at cell level by `statement`."""

    def __init__(self, lists: frozenset[str]) -> None:
        self.lists = lists
        self.depth = 0

    # ------------------------------------------------------------------------ cell level

    def block(self, statements: list[ast.stmt]) -> list[ast.stmt]:
        return [new for old in statements for new in self.statement(old)]

    def statement(self, node: ast.stmt, *, last: bool = False) -> Iterator[ast.stmt]:
        """Yield what a statement becomes: itself and the reports that follow it."""
        after: list[str] = []
        match node:
            case ast.Expr():
                node.value = self.visit(node.value)
                if not isinstance(node.value, ast.Constant):
                    node.value = hook(node.value, "last" if last else "show", node.value)
            case ast.Assign():
                node.value = self.visit(node.value)
                node.targets = [self.visit(target) for target in node.targets]
                for target in reversed(node.targets):
                    if isinstance(target, ast.Name):
                        name = ast.Constant(target.id)
                        node.value = hook(node.value, "bind", name, node.value)
                    else:
                        after += bound_names(target)
            case ast.AnnAssign() if node.value is None:
                pass
            case ast.AugAssign() | ast.AnnAssign():
                self.generic_visit(node)
                after += bound_names(node.target)
            case ast.For() | ast.AsyncFor():
                node.iter, node.target = self.visit(node.iter), self.visit(node.target)
                node.body = self.reports(node.body, bound_names(node.target))
                node.orelse = self.block(node.orelse)
            case ast.With() | ast.AsyncWith():
                node.items = [self.visit(item) for item in node.items]
                targets = [item.optional_vars for item in node.items if item.optional_vars]
                node.body = self.reports(node.body, (n for t in targets for n in bound_names(t)))
            case ast.If() | ast.While():
                node.test = self.visit(node.test)
                node.body, node.orelse = self.block(node.body), self.block(node.orelse)
            case ast.Try() | ast.TryStar():
                node.body, node.orelse = self.block(node.body), self.block(node.orelse)
                node.finalbody = self.block(node.finalbody)
                for handler in node.handlers:
                    caught = at(handler, ast.Expr(hook(handler, "caught")))
                    handler.body = [caught, *self.block(handler.body)]
            case ast.Match():
                node.subject = self.visit(node.subject)
                for case in node.cases:
                    case.guard = self.visit(case.guard) if case.guard else None
                    case.body = self.reports(case.body, captures(case.pattern))
            case ast.Import() | ast.ImportFrom():
                yield from self.visit_Import(node)
                return
            case _:
                node = self.visit(node)
        yield node
        yield from (report(node, name) for name in dict.fromkeys(after))

    def reports(self, body: list[ast.stmt], names: Iterator[str]) -> list[ast.stmt]:
        first = body[0]
        return [*(report(first, name) for name in dict.fromkeys(names)), *self.block(body)]

    # --------------------------------------------------------------- everywhere in the cell

    def hook(self, place: ast.AST, function: str, *args: ast.expr, **kwargs: Any) -> ast.Call:
        make = inner_hook if self.depth else hook
        return make(place, function, *args, **kwargs)

    def twins(self, node: ast.Import | ast.ImportFrom) -> Iterator[ast.stmt]:
        """Exchange what an import has just bound for its twin."""
        for alias in node.names:
            if alias.name == "*":
                yield at(node, ast.Expr(self.hook(node, "exchange_all")))
                continue
            name = alias.asname or alias.name.split(".")[0]
            yield rebind(node, name, self.hook(node, "twin", ast.Name(name, ast.Load())))

    def generic_visit(self, node: ast.AST) -> ast.AST:
        inside = isinstance(node, _SCOPES)
        self.depth += inside
        node = super().generic_visit(node)
        self.depth -= inside
        return node

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> list[ast.stmt]:
        return [node, *self.twins(node)] if self.can_follow(node) else [node]

    visit_ImportFrom = visit_Import  # noqa: N815  (the names that ast asks for)

    @staticmethod
    def can_follow(node: ast.Import | ast.ImportFrom) -> bool:
        """`from __future__ import ...` must stay first in its place."""
        return getattr(node, "module", None) != "__future__"

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        self.generic_visit(node)
        node.body.insert(0, at(node, ast.Expr(self.hook(node, "caught"))))
        return node

    def visit_NamedExpr(self, node: ast.NamedExpr) -> ast.AST:
        self.generic_visit(node)
        if not self.depth:
            name = ast.Constant(node.target.id)
            node.value = hook(node.value, "bind", name, node.value)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        hooked = goes_through_hook(node, self.lists)
        self.generic_visit(node)
        if reads_text(node):
            return self.hook(node, "read", node)
        if imports_module(node):
            return self.hook(node, "twin", node)
        if calls_each(node):
            node.args[0] = self.hook(node.args[0], "converter", node.args[0])
        for keyword in node.keywords:
            if keyword.arg == "key" and names_converter(keyword.value):
                keyword.value = self.hook(keyword.value, "converter", keyword.value)
        if not hooked:
            return node
        return self.hook(node, "call", node.func, *node.args, keywords=node.keywords)
