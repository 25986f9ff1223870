"""What can be changed: operators, comparisons and numbers, in code and in formulas of rules.

The operators are Cosmic Ray's. A formula is code within a string.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import parso
from cosmic_ray.ast import ast_nodes
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator

#: What a slip of the pen makes. Cosmic Ray has all pairs, most of which fail at once.
OPERATORS = [
    f"core/{name}"
    for name in """
    ReplaceBinaryOperator_Add_Sub ReplaceBinaryOperator_Sub_Add ReplaceBinaryOperator_Mul_Div
    ReplaceBinaryOperator_Div_Mul ReplaceBinaryOperator_Pow_Mul ReplaceUnaryOperator_Delete_USub
    ReplaceUnaryOperator_Delete_Not ReplaceComparisonOperator_Lt_LtE
    ReplaceComparisonOperator_LtE_Lt ReplaceComparisonOperator_Gt_GtE
    ReplaceComparisonOperator_GtE_Gt ReplaceComparisonOperator_Eq_NotEq
    ReplaceComparisonOperator_NotEq_Eq ReplaceComparisonOperator_Is_IsNot
    ReplaceComparisonOperator_IsNot_Is AddNot ReplaceTrueWithFalse ReplaceFalseWithTrue
    ReplaceAndWithOr ReplaceOrWithAnd ReplaceBreakWithContinue ReplaceContinueWithBreak
    NumberReplacer ZeroIterationForLoop
    """.split()
]
#: The function that declares a rule by formulas.
DECLARES = "elementwise"


class Place(NamedTuple):
    """One change: the text that is changed (from `start` to `stop` of a file), and how."""

    file: Path
    start: int
    stop: int
    operator: str
    occurrence: int

    def change(self, text: str) -> str | None:
        """Return the file's text with the change, or None where the operator makes none."""
        operator = get_operator(self.operator)()
        changed = mutate_code(text[self.start : self.stop], operator, self.occurrence)
        return changed and text[: self.start] + changed + text[self.stop :]


def places(file: Path) -> Iterator[Place]:
    """Yield all changes of a file."""
    text = file.read_text()
    for start, stop in [(0, len(text)), *formulas(text)]:
        nodes = list(ast_nodes(parso.parse(text[start:stop])))
        for name in OPERATORS:
            operator = get_operator(name)()
            count = sum(1 for node in nodes for _ in operator.mutation_positions(node))
            yield from (Place(file, start, stop, name, i) for i in range(count))


def formulas(text: str) -> Iterator[tuple[int, int]]:
    """Yield where formulas of rules stand in a file, without their quotation marks."""
    lines: set[int] = set()
    for statement in ast.parse(text).body:
        calls = [node.func for node in ast.walk(statement) if isinstance(node, ast.Call)]
        if isinstance(statement, ast.For | ast.Expr) and any(
            isinstance(called, ast.Name) and called.id == DECLARES for called in calls
        ):
            lines.update(range(statement.lineno, statement.end_lineno + 1))
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.STRING and token.start[0] in lines:
            mark = re.match(r"\w*(\"\"\"|\"|')", token.string)
            start = starts[token.start[0] - 1] + token.start[1] + mark.end()
            yield start, starts[token.end[0] - 1] + token.end[1] - len(mark[1])


def function_at(text: str, changed: str) -> int:
    """Return the first line of the function that a change is in; 0 if in none."""
    at = next(i for i, (a, b) in enumerate(zip(f"{text}\0", f"{changed}\0")) if a != b)
    line = text.count("\n", 0, at) + 1
    first = 0
    for node in ast.walk(ast.parse(text)):
        if (
            isinstance(node, ast.FunctionDef | ast.Lambda)
            and node.lineno <= line <= node.end_lineno
        ):
            decorators = getattr(node, "decorator_list", [])
            first = max(first, min(x.lineno for x in [node, *decorators]))
    return first


def rule_at(text: str, start: int) -> str:
    """Return the name of the rule that a formula stands in: a key, or an argument, before it."""
    call = rf"{DECLARES}\(\s*(?:#.*\s*)?(?:\w+\.)?(\w+)"
    found = re.findall(rf"\"(\w+)\": |{call}", text[:start])
    return max(found[-1]) if found else ""
