"""What the values and gradients themselves tell: nan, shapes that grew, loops that fade."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from tapemagic.graph.facts import (
    Facts,
    at_line,
    bad_element,
    element_at,
    elements_at,
    has_nan,
    is_finite,
    quoted,
)
from tapemagic.graph.folding import Folding
from tapemagic.graph.model import Graph, GraphNode, Group
from tapemagic.graph.words import number

FIXES = {
    "sqrt": "Keep the argument of sqrt above 0.",
    "log": "Keep the argument of log above 0.",
    "divide": "Keep the divisor away from 0.",
    "power": "Keep the base positive, or the exponent a whole number.",
    "exp": "Subtract the maximum before exp.",
}
NOT_ELEMENTWISE = frozenset({
    "matmul", "dot", "inner", "outer", "tensordot", "einsum", "kron", "cross", "convolve",
    "vdot", "concatenate", "stack", "hstack", "vstack", "dstack", "column_stack", "append", "block",
    "array", "getitem",
})  # fmt: skip
#: What puts numbers in their places: an infinity that comes out was put in, as a mask is.
PLACING = frozenset({
    "where", "select", "choose", "setitem", "array", "concatenate", "stack", "hstack", "vstack",
    "dstack", "column_stack", "append", "insert", "block", "pad",
})  # fmt: skip
FEWEST_ITERATIONS = 5
FADED = 1e-6  # first over last |gradient| below it vanishes, above its inverse explodes
Trouble = tuple[int | None, str, str]  # line, message, fix


def forward_trouble(facts: Facts) -> list[Trouble]:
    """The first value in time order that went wrong: operation, line, element, operands."""
    for node in facts.recorded:
        if goes_wrong(facts, node.index):
            return [begins_at(facts, node.index)]
    return []


def goes_wrong(facts: Facts, index: int) -> bool:
    """Whether a value is nan where no operand is, or infinite where all are finite.

    An infinity that the person has written is meant: the start of a search, a mask.
    """
    node = facts.recorded[index]
    if is_finite(node.value):
        return False
    if has_nan(node.value):
        return not any(has_nan(facts.recorded[k].value) for k in node.inputs if k is not None)
    return node.op not in PLACING and all(map(is_finite, facts.operands(index)))


def begins_at(facts: Facts, index: int, place: tuple[int, ...] | None = None) -> Trouble:
    """Say that a value is not finite where it comes from; `place` is the element that is meant."""
    node = facts.recorded[index]
    word, element, place = bad_element(node.value, place)
    where = f", {element}" if element else ""
    if node.op == "source":
        name = facts.graph.nodes[index].name
        return node.line, f"{quoted(name)} holds {word} from the beginning{where}", ""
    spelled = ", ".join(elements_at(facts.operands(index), node.shape, place))
    message = f"first {word} going forward: {at_line(node.line)}{where}: {node.op}({spelled})"
    return node.line, message, FIXES.get(node.op, "")


def troubles_of(facts: Facts, source: int) -> list[Trouble]:
    """Why the gradient of one source is not finite, in order of time.

    A value elsewhere in the cell that is not finite says nothing about this source. Of those that
    hang on it the first is told, and then where its gradient went wrong, if that is elsewhere.
    """
    if not is_finite(facts.recorded[source].value):
        return [begins_at(facts, source)]
    marks = facts.downstream(source)
    begins = (
        begins_at(facts, index)
        for index in sorted(facts.cotangents)
        if marks[index] and goes_wrong(facts, index)
    )
    found = [next(begins, None), trouble_on_way_back(facts, source)]
    return list(dict.fromkeys(filter(None, found)))


def trouble_on_way_back(facts: Facts, source: int) -> Trouble | None:
    """Where the gradient of one source stopped being finite.

    The way is followed from the source to the step of the sweep at which its gradient went wrong.
    """
    index = source
    while True:
        users = [user for user in facts.users[index] if user in facts.cotangents]
        if len(users) > 1:
            users = [user for user in users if not is_finite(facts.passed_on(user, index))]
        if not users:
            return None  # the sum of finite parts overflowed, or somebody's seed was not finite
        if is_finite(facts.cotangents[users[-1]]):
            return went_wrong(facts, index, users[-1])
        index = users[-1]


def went_wrong(facts: Facts, index: int, user: int) -> Trouble:
    """Say why one operation made a cotangent that is not finite of one that was."""
    maker, shape = facts.recorded[user], facts.recorded[index].shape
    word, element, place = bad_element(np.broadcast_to(facts.cotangents[index], shape))
    operands = facts.operands(user)
    strange = [
        start for start, value in zip(maker.inputs, operands, strict=False)
        if start is not None and not is_finite(element_at(value, maker.shape, place))
    ]  # fmt: skip
    if strange:  # the derivative was taken there: what is wrong with the operand comes first
        return begins_at(facts, beginning_of(facts, strange[0]))
    if maker.shape == shape and not is_finite(element_at(maker.value, shape, place)):
        return begins_at(facts, user, place)
    if maker.shape != shape and not is_finite(maker.value):
        return begins_at(facts, user)
    spelled = ", ".join(elements_at(operands, maker.shape, place))
    where = f", {element}" if element else ""
    message = (
        f"first {word} going backward: {at_line(maker.line)}{where}: derivative of "
        f"{maker.op}({spelled})"
    )
    return maker.line, message, FIXES.get(maker.op, "")


def beginning_of(facts: Facts, index: int) -> int:
    """Follow a value that is not finite to the first one that went wrong, or was put in."""
    way = [index]
    while starts := strange_inputs(facts, way[-1]):
        way.append(starts[0])
    return next((k for k in reversed(way) if goes_wrong(facts, k)), way[-1])


def strange_inputs(facts: Facts, index: int) -> list[int]:
    """Operands of a node that are not finite."""
    return [
        start for start in facts.recorded[index].inputs
        if start is not None and not is_finite(facts.recorded[start].value)
    ]  # fmt: skip


def broadcast_growth(facts: Facts) -> Iterator[tuple[int, Trouble]]:
    """Elementwise operations whose result is larger than both operands: node, and what to say."""
    seen = set()
    for node in facts.graph.nodes:
        if len(node.inputs) != 2 or not node.shape or has_shape_of_operand(facts.graph, node):
            continue
        plain = facts.operands(node.index) if None in node.inputs else (None, None)
        shapes = [
            facts.graph.nodes[start].shape if start is not None else np.shape(operand)
            for start, operand in zip(node.inputs, plain, strict=False)
        ]
        if (node.op, node.line) in seen or not both_grew(facts.graph, node, shapes):
            continue
        seen.add((node.op, node.line))
        message = (
            f"broadcasting grew both sides of {node.op} ({at_line(node.line)}): "
            f"{shapes[0]} with {shapes[1]} gives {node.shape}."
        )
        same = "shape" if len(shapes[0]) == len(shapes[1]) else "number of axes"
        fix = f"If that is not meant, give both the same {same}."
        yield node.index, (node.line, message, fix)


def has_shape_of_operand(graph: Graph, node: GraphNode) -> bool:
    """Whether an operand that is a node has the shape of the result, as nearly always."""
    known = (start for start in node.inputs if start is not None)
    return any(graph.nodes[start].shape == node.shape for start in known)


def both_grew(graph: Graph, node: GraphNode, shapes: Sequence[tuple[int, ...]]) -> bool:
    """Whether the result of an elementwise operation is larger than both of its operands.

    It is meant to be where the person has made the axes meet (``x[:, None] - y[None]``), or where
    one has more elements than the other, so that they could not have been taken pair by pair.
    """
    if len(shapes) != 2 or node.op in NOT_ELEMENTWISE or node.shape in shapes:
        return False
    left, right = map(math.prod, shapes)
    if left != right or left <= 1 or broadcast(*shapes) != node.shape:
        return False
    return len(shapes[0]) != len(shapes[1]) or not any(has_new_axes(graph, x) for x in node.inputs)


def has_new_axes(graph: Graph, index: int | None) -> bool:
    """Whether a value is another one with more axes: ``x[:, None]``."""
    if index is None:
        return False
    node = graph.nodes[index]
    read = [graph.nodes[start].shape for start in node.inputs if start is not None]
    return any(len(s) < len(node.shape) and math.prod(s) == math.prod(node.shape) for s in read)


def broadcast(*shapes: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return the shape to which operands are broadcast; None where NumPy would refuse.

    >>> broadcast((3, 1), (3,)), broadcast((3,), (5,))
    ((3, 3), None)
    """
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        return None


def loop_factors(folding: Folding) -> Iterator[tuple[str, Group, str]]:
    """Loops along which gradients shrink or grow by a large factor: which, and what to say."""
    graph = folding.graph
    if not graph.has_gradients:
        return
    for item in folding.children(folding.root):
        if not isinstance(item, Group) or item.kind != "loop":
            continue
        count = len(item.starts)
        if count < FEWEST_ITERATIONS:
            continue
        first = bound_norms(graph, item.starts[0], item.starts[1])
        last = bound_norms(graph, item.starts[-1], item.last)
        ratios = {
            name: first[name] / last[name]
            for name in first
            if last.get(name) and np.isfinite(first[name]) and np.isfinite(last[name])
        }
        if not ratios:
            continue
        name = max(ratios, key=lambda key: abs(np.log10(max(ratios[key], 1e-308))))
        ratio = ratios[name]
        if FADED <= ratio <= 1 / FADED:
            continue
        kind = "vanishing" if ratio < 1 else "exploding"
        factor = ratio ** (1 / (count - 1))
        often = f"× {count:,}" if item.is_complete else f"at least × {count:,}"
        message = (
            f"the gradient of {quoted(name)} is {kind} along the loop on {at_line(item.line)} "
            f"({often}): {number(last[name], 2)} at its last iteration, "
            f"{number(first[name], 2)} at its first, a factor of {number(factor, 3)} per step"
        )
        yield kind, item, message


def bound_norms(graph: Graph, first: int, last: int) -> dict[str, float]:
    """|gradient| of the names that one iteration binds.

    An array that it writes to and does not read is filled: that is no step from the one before.
    """
    norms = {}
    for node in graph.nodes[first:last]:
        if node.op == "setitem" and node.inputs[0] is not None:
            users = (user for user in graph.nodes[first:last] if node.inputs[0] in user.inputs)
            if all(user.op == "setitem" for user in users):
                continue
        gradient = graph.gradient(node.index) if node.name else None
        if gradient is not None and gradient.norm is not None:
            norms[node.name.partition("@")[0]] = gradient.norm
    return norms
