"""How a cell becomes a taped cell: one step on its text, one on its syntax tree."""

from __future__ import annotations

import ast
import functools
import itertools
import re
from collections.abc import Callable
from typing import Any

from .arguments import asks_for_help
from .instrument import Plan, at, inner_hook, is_shell_line, make_plan

_FIRST_LINE = re.compile(r"(?:#\s*)?%%tape(?=\s|$)(?P<arguments>.*)", re.DOTALL)
_numbers = itertools.count(1)


def transform_text(lines: list[str]) -> list[str]:
    r"""Make a first line `%%tape w b` or `# %%tape w b` the line magic `%tape w b`.

    The cell stays an ordinary cell, with its lines where they were. One that asks for help is only
    that.

    >>> transform_text(["%%tape w\n", "y = w * w\n"])
    ['%tape w\n', 'y = w * w\n']
    >>> transform_text(["%%tape w --help\n", "y = w * w\n"])
    ['%%tape?\n']
    """
    match = _FIRST_LINE.match(lines[0]) if lines else None
    if match is None or lines[0].rstrip().endswith("?"):
        return lines
    if asks_for_help(match["arguments"]):
        return ["%%tape?\n"]
    return ["%tape" + match["arguments"], *lines[1:]]


# A terminal asks whether the input is complete with the transformers that it may run at any time.
# Left to itself it takes `%%tape` for a cell magic and waits for an empty line; a `%tape` it would
# run at once, without its cell.
transform_text.has_side_effects = True  # type: ignore[attr-defined]


def tape_line(node: ast.stmt) -> str | None:
    """Return the text after `%tape` if a statement is that line magic."""
    match node:
        case ast.Expr(
            ast.Call(
                ast.Attribute(attr="run_line_magic") as function,
                [ast.Constant("tape"), ast.Constant(str() as line)],
            )
        ) if is_shell_line(function.value):
            return line
    return None


class TreeTransformer:
    """The shell's AST transformer: instruments a module that begins with `%tape`.

    Parameters
    ----------
    shell : InteractiveShell
    start : callable
        Called with (plan, line) by the first statement of the instrumented cell.
    """

    def __init__(self, shell: Any, start: Callable[[Plan, str], None]) -> None:
        self.shell = shell
        self.start = start

    def visit(self, tree: ast.AST) -> ast.AST:
        """Return the tree to run."""
        if not isinstance(tree, ast.Module) or not tree.body:
            return tree
        first = tree.body[0]
        line = tape_line(first)
        if line is None or asks_for_help(line):
            return tree
        from .hooks import STARTS  # with the twins: the first taped cell pays for them

        plan = make_plan(
            tree.body[1:],
            show_assigned=self.shell.ast_node_interactivity == "last_expr_or_assign",
            flags=self.shell.compile.flags,
        )
        number = next(_numbers)
        STARTS.clear()  # of a cell that was transformed and never run
        STARTS[number] = functools.partial(self.start, plan)
        begin = inner_hook(first, "begin", ast.Constant(number), ast.Constant(line))
        tree.body = [at(first, ast.Expr(begin)), *plan.body]
        return tree
