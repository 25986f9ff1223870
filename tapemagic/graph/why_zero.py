"""Why the gradient of a source is exactly zero."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tapemagic.graph.facts import Facts, as_numbers, at_line, is_zero
from tapemagic.graph.kinks import is_kink_at_zero
from tapemagic.graph.model import GraphNode
from tapemagic.graph.why_missing import is_flat, ops_of
from tapemagic.graph.words import counted

ROUTING = frozenset({
    "maximum", "minimum", "fmax", "fmin", "max", "min", "nanmax", "nanmin",
    "where", "getitem", "sort",
})  # fmt: skip
#: Operations whose derivative is 0 nowhere: what they pass on is 0 by rounding alone.
STEEP = frozenset({
    "exp", "exp2", "expm1", "multiply", "divide", "power", "float_power", "square", "reciprocal",
    "sqrt", "log", "log2", "log10", "log1p", "logaddexp", "logaddexp2", "sinh", "arctan",
})  # fmt: skip
#: The same, approaching a constant.
SATURATING = frozenset({"tanh", "expit", "erf", "erfc", "ndtr", "log_expit"})
#: Products whose elements meet more than one of the other factor.
PRODUCTS = frozenset({"matmul", "dot", "vdot", "inner", "outer", "tensordot", "einsum", "convolve"})
SHOWN = 3  # places named in one sentence
FEWEST_ROWS = 10  # of fewer, many units are 0 by chance


def why_zero(facts: Facts, source: int) -> str:
    """Say where a gradient became exactly zero on its way to a source."""
    marks = facts.downstream(source)
    starts = [
        index
        for index in reversed(range(len(marks)))
        if marks[index] and is_zero(facts.cotangents.get(index)) and senders(facts, index)
    ]
    if not starts:
        return f"the gradient is exactly 0 already at {facts.target_name}"
    reasons = [reason for start in starts[:SHOWN] for reason in why_zero_after(facts, start)]
    return "; ".join(list(dict.fromkeys(reasons))[:SHOWN])


def senders(facts: Facts, start: int) -> list[int]:
    """Return the operations on a node to which a gradient came that is not zero."""
    users = dict.fromkeys(facts.users[start])
    known = facts.cotangents
    return [user for user in users if known.get(user) is not None and not is_zero(known[user])]


def why_zero_after(facts: Facts, start: int) -> list[str]:
    """Say why the operations on a node, to which a gradient came, give it zero together."""
    users = senders(facts, start)
    if all(is_zero(facts.passed_on(user, start)) for user in users):
        return [why_zero_at(facts, facts.graph.nodes[user], start) for user in users]
    nodes = [facts.graph.nodes[user] for user in users]
    return [f"the contributions of its uses, {ops_of(nodes)}, add up to exactly 0"]


def why_zero_at(facts: Facts, node: GraphNode, start: int) -> str:
    """Say why one operation passed on nothing but zeros to one operand."""
    place = f"{node.op} ({at_line(node.line)})"
    operands = facts.operands(node.index)
    if is_flat(node):
        return f"{place} is flat: its derivative is 0 wherever it exists"
    if is_kink_at_zero(facts, node.index):
        return f"{place} has a kink at 0: the derivative shown there is 0"
    if not is_zero(facts.passed_on(node.index, start, unevenly=True)):
        return f"the contributions of its elements add up to exactly 0 at {place}"
    if node.op == "clip":
        return f"{place} is saturated: every element lies outside its bounds"
    if node.op in ("maximum", "fmax") and any(is_zero(operand) for operand in operands):
        return f"{place} is a dead relu: every element is below 0"
    if node.op in ROUTING:
        return f"{place} takes nothing from it: other elements were chosen"
    if node.op == "multiply" and is_zero_where_reached(facts, node, start):
        return f"{place} multiplies it by 0"
    if node.op in PRODUCTS and (others := zero_factors(facts, node, start)):
        return f"{place} multiplies it by {others[0]}, which is 0 everywhere"
    if is_imaginary(facts, node, start):
        return (
            f"what comes back through {place} is imaginary, and its operand is real: the gradient "
            "is that of the real part"
        )
    if node.op in SATURATING:
        return f"{place} is saturated: its derivative, which is never 0, rounds to 0"
    if fades(facts, node, start):
        return f"underflow in {place}: the gradient became smaller than the smallest number"
    if node.inputs.count(start) > 1:
        return f"the contributions of its uses add up to exactly 0 at {place}"
    own = [text for text, read in zip(node.formulas, node.inputs) if read == start and text]
    formula = f" ({', '.join(own)})" if own else ""
    return (
        f"the local derivative{formula} of {place} is 0 at every element that the gradient reaches"
    )


def dead_units(facts: Facts) -> Iterator[tuple[int, str]]:
    """Rectifiers of a batch with columns that are 0 in every row: which node, and what to say."""
    for node in facts.recorded:
        if len(node.shape) != 2 or node.shape[0] < FEWEST_ROWS or not is_rectifier(facts, node):
            continue
        value = as_numbers(node.value)
        dead = 0 if value is None else int(np.count_nonzero(~value.any(axis=0)))
        if node.index in facts.cotangents and 0 < dead < node.shape[1]:
            where = f"{node.op} ({at_line(node.line)})"
            are_zero = (
                f"{dead} of {counted(node.shape[1], 'column')} {'is' if dead == 1 else 'are'} 0"
            )
            said = "in every row, and no gradient comes through there (dead relu)"
            yield node.index, f"{where}: {are_zero} {said}"


def is_rectifier(facts: Facts, node: Any) -> bool:
    """Whether a node is the larger of a value and 0."""
    if node.op in ("maximum", "fmax"):
        return any(
            start is None and is_zero(x)
            for start, x in zip(node.inputs, facts.operands(node.index), strict=False)
        )
    return bool(node.op == "relu")


def zero_factors(facts: Facts, node: GraphNode, start: int) -> list[str]:
    """Name the other factors of a product that are zero throughout."""
    factors = zip(node.inputs, facts.operands(node.index), strict=False)
    return [
        "a constant" if index is None else facts.spelled(facts.graph.nodes[index])
        for index, value in factors
        if index != start and is_zero(value)
    ]


def is_imaginary(facts: Facts, node: GraphNode, start: int) -> bool:
    """Whether a real operand became complex, so that an imaginary cotangent gives it nothing."""
    if "complex" not in node.dtype or "complex" in facts.graph.nodes[start].dtype:
        return False
    ct = np.broadcast_to(facts.cotangents[node.index], node.shape)
    return not is_zero(facts.tape.contribution(node.index, start, (ct * 1j)[()]))


def fades(facts: Facts, node: GraphNode, start: int) -> bool:
    """Whether a product that is not 0 became smaller than the smallest number."""
    if node.inputs.count(start) > 1 and node.op != "multiply":
        return False  # it has two derivatives, which may cancel
    to_exponent = node.op in ("power", "float_power") and node.inputs[0] != start
    if node.op in STEEP and not to_exponent and not is_zero_where_reached(facts, node, start):
        return True
    ct = as_numbers(facts.cotangents[node.index])
    if ct is None or ct.dtype.kind not in "fc":
        return False
    # a factor below it can take the product below the smallest number
    return bool(np.abs(ct).max(initial=0.0) < np.sqrt(np.finfo(ct.dtype).tiny))


def is_zero_where_reached(facts: Facts, node: GraphNode, start: int) -> bool:
    """Whether a factor of the derivative is 0 at each element at which a gradient arrived."""
    reached = np.broadcast_to(facts.cotangents[node.index], node.shape) != 0
    factors = list(map(as_numbers, facts.operands(node.index)))
    if node.op in ("multiply", "divide") and node.inputs.count(start) == 1:
        del factors[node.inputs.index(start)]
    elif node.op not in ("multiply", "divide", "power", "float_power", "square"):
        return False
    zeros = [np.broadcast_to(x == 0, node.shape) for x in factors if x is not None]
    return bool(zeros) and bool(np.any(zeros, axis=0)[reached].all())
