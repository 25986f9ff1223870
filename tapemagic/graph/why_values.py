"""What shapes and gradients themselves tell: broadcasting that grew, loops that fade."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from tapemagic.graph.facts import Facts, op_at
from tapemagic.graph.model import Graph, GraphNode

NOT_ELEMENTWISE = frozenset({
    "matmul", "dot", "inner", "outer", "tensordot", "einsum", "kron", "cross", "convolve",
    "vdot", "concatenate", "stack", "hstack", "vstack", "dstack", "column_stack", "append", "block",
    "array", "getitem",
})  # fmt: skip


def broadcast_growth(facts: Facts) -> Iterator[tuple[int, int | None, str, str]]:
    """Elementwise operations whose result is larger than both operands: node, line, words, fix."""
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
            f"broadcasting grew both sides of {op_at(node)}: "
            f"{shapes[0]} with {shapes[1]} gives {node.shape}."
        )
        same = "shape" if len(shapes[0]) == len(shapes[1]) else "number of axes"
        fix = f"If that is not meant, give both the same {same}."
        yield node.index, node.line, message, fix


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
