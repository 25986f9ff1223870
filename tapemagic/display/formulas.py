"""Local derivatives as they stand on a node: known numbers put in, arithmetic on them done."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Sequence

ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
}
LARGEST = 1e6  # arithmetic on anything larger is left to be read
ONE = re.compile(r"-?1?")
NUMBER = re.compile(r"-?\d+(\.\d+)?")


def local_derivatives(formulas: Sequence[str], constants: Sequence[str]) -> list[str]:
    """Formulas as they stand on the node: trivial ones and those of constants left out.

    Parameters
    ----------
    formulas : sequence of str
        Per operand, in ``x`` or ``x1, x2`` and ``y``.
    constants : sequence of str
        How each constant operand is spelled; ``""`` where the operand is a node.

    Examples
    --------
    >>> local_derivatives(("x2", "x1"), ("", ""))
    ['∂x1: x2', '∂x2: x1']
    >>> local_derivatives(("1 - y**2",), ("",)), local_derivatives(("1", "1"), ("", ""))
    (['∂x: 1 - y**2'], [])
    >>> local_derivatives(("x2 * x1 ** (x2 - (x2 != 0))", "y * log(x1)"), ("", "2"))
    ['∂x1: 2 * x1']
    """
    if all(ONE.fullmatch(formula) for formula in formulas):
        return []
    if len(formulas) == 1:
        return [f"∂x: {formulas[0]}"]
    known = {
        f"x{place}": float(text)
        for place, text in enumerate(constants, 1)
        if NUMBER.fullmatch(text)
    }
    watched = [*(not constant for constant in constants), *[True] * len(formulas)]
    return [
        f"∂x{place}: {plugged(text, known) if known else text}"
        for place, (text, wanted) in enumerate(zip(formulas, watched, strict=False), 1)
        if text and wanted
    ]


def plugged(formula: str, known: dict[str, float]) -> str:
    """Put numbers in the place of names and work out what can be.

    Examples
    --------
    >>> plugged("1 where x1 > x2", {"x2": 0.0})
    '1 where x1 > 0'
    """
    try:
        parts = [ast.parse(part, mode="eval") for part in formula.split(" where ")]
        return " where ".join(ast.unparse(Worker(known).visit(part)) for part in parts)
    except (SyntaxError, ValueError, RecursionError, OverflowError):
        return formula


class Worker(ast.NodeTransformer):
    """Work out sums, products and comparisons of numbers; nothing is ever evaluated as code."""

    def __init__(self, known: dict[str, float]) -> None:
        self.known = known

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Put in a known number."""
        return literal(self.known[node.id]) if node.id in self.known else node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        """Work out arithmetic on two numbers; drop a power of one."""
        self.generic_visit(node)
        left, right = number_of(node.left), number_of(node.right)
        if right == 1 and isinstance(node.op, (ast.Pow, ast.Mult, ast.Div)):
            return node.left
        work = ARITHMETIC.get(type(node.op))
        if left is None or right is None or work is None:
            return node
        return literal(work(left, right)) if max(abs(left), abs(right)) < LARGEST else node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        """Work out ``a != b`` and ``a == b``, which stand for 1 or 0 in a formula."""
        self.generic_visit(node)
        left, right = number_of(node.left), number_of(node.comparators[0])
        if len(node.ops) > 1 or left is None or right is None:
            return node
        if isinstance(node.ops[0], ast.NotEq):
            return literal(float(left != right))
        return literal(float(left == right)) if isinstance(node.ops[0], ast.Eq) else node


def number_of(node: ast.expr) -> float | None:
    """Value of a literal number, with its sign."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = number_of(node.operand)
        return None if inner is None else -inner
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        return float(node.value)
    return None


def literal(value: float) -> ast.expr:
    """Spell a number as a literal, whole ones without a point."""
    spelled = ast.Constant(int(abs(value)) if value == int(value) else round(abs(value), 6))
    return ast.UnaryOp(ast.USub(), spelled) if value < 0 else spelled
