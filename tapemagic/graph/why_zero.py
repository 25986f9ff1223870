"""Why the gradient of a source is exactly zero."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tapemagic.graph.facts import PLACING, Facts, as_numbers, is_zero, op_at
from tapemagic.graph.kinks import is_kink_at_zero
from tapemagic.graph.model import GraphNode
from tapemagic.graph.why_missing import is_flat, ops_of
from tapemagic.graph.words import counted

#: What takes elements as they are and leaves others: its derivative is 0 or 1.
ROUTING = PLACING | {
    "maximum", "minimum", "fmax", "fmin", "max", "min", "nanmax", "nanmin",
    "getitem", "sort", "gather", "take", "compress", "delete", "diagonal", "diag",
}  # fmt: skip
#: Operations whose derivative is 0 nowhere: what they pass on is 0 by rounding alone.
STEEP = frozenset({
    "exp", "exp2", "expm1", "multiply", "divide", "power", "float_power", "square", "reciprocal",
    "sqrt", "log", "log2", "log10", "log1p", "logaddexp", "logaddexp2", "sinh", "arctan",
})  # fmt: skip
POWERS = frozenset({"power", "float_power"})
#: Products of all elements.
PRODUCTS_OF_ALL = frozenset({"prod", "nanprod", "cumprod", "nancumprod"})
#: The same, approaching a constant.
SATURATING = frozenset({"tanh", "expit", "erf", "erfc", "ndtr", "log_expit"})
#: Products whose elements meet more than one of the other factor.
PRODUCTS = frozenset({"matmul", "dot", "vdot", "inner", "outer", "tensordot", "einsum", "convolve"})
LOGARITHMS = frozenset({"log", "log2", "log10", "log1p", "logaddexp", "logaddexp2", "arctan"})
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
    place = op_at(node)
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
        return why_not_taken(facts, node, start)
    if node.op == "multiply" and is_zero_where_reached(facts, node, start):
        return f"{place} multiplies it by {zero_of(facts, node, start)}"
    if node.op in PRODUCTS and (others := zero_factors(facts, node, start)):
        return f"{place} multiplies it by {others[0]}, which is 0 everywhere"
    if node.op in POWERS and node.inputs[0] == start and is_zero(operands[1]):
        return f"the exponent of {place} is 0: the result is 1 whatever the base is"
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


def why_not_taken(facts: Facts, node: GraphNode, start: int) -> str:
    """Say why nothing comes back through an operation that only chooses or places elements."""
    ones = np.ones(node.shape, node.dtype)[()]
    if not is_zero(facts.tape.contribution(node.index, start, ones)):
        return f"no gradient reaches the elements that {op_at(node)} takes from it"
    if node.op == "setitem" and node.inputs[0] == start:
        return f"{op_at(node)} overwrites all of it"
    return f"{op_at(node)} takes nothing from it: other elements were chosen"


def zero_of(facts: Facts, node: GraphNode, start: int) -> str:
    """Name the factor 0 of a product; one that was too small for a number was no 0 at first."""
    factors = [index for index in node.inputs if index not in (None, start)]
    factor = next((index for index in factors if is_zero(facts.recorded[index].value)), None)
    while factor is not None:
        made = facts.recorded[factor]
        operands = facts.operands(factor)
        if not any(is_zero(x) for x in operands):
            shrinks = made.op in STEEP | PRODUCTS_OF_ALL and made.op not in LOGARITHMS
            underflow = f"a value that underflowed to 0 in {op_at(facts.graph.nodes[factor])}"
            return underflow if shrinks else "0"
        zeros = (k for k, x in zip(made.inputs, operands, strict=False) if is_zero(x))
        factor = next(zeros, None) if made.op in ("multiply", "square", "power") else None
    return "0"


def dead_units(facts: Facts) -> Iterator[tuple[int, str]]:
    """Rectifiers of a batch with columns that are 0 in every row: which node, and what to say."""
    for node in facts.recorded:
        if len(node.shape) != 2 or node.shape[0] < FEWEST_ROWS or not is_rectifier(facts, node):
            continue
        value = as_numbers(node.value)
        dead = 0 if value is None else int(np.count_nonzero(~value.any(axis=0)))
        if node.index in facts.cotangents and 0 < dead < node.shape[1]:
            where = op_at(facts.graph.nodes[node.index])
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
    to_exponent = node.op in POWERS and node.inputs[0] != start
    if node.op in STEEP and not to_exponent and not is_zero_where_reached(facts, node, start):
        return True
    ct = as_numbers(facts.cotangents[node.index])
    if ct is None or ct.dtype.kind not in "fc":
        return False
    if node.op in PRODUCTS_OF_ALL:
        return is_nowhere_zero(facts.operands(node.index)[0])
    # a factor below it can take the product below the smallest number
    return bool(np.abs(ct).max(initial=0.0) < np.sqrt(np.finfo(ct.dtype).tiny))


def is_nowhere_zero(value: Any) -> bool:
    """Whether a value has no element 0."""
    array = as_numbers(value)
    return array is not None and bool(array.all())


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
