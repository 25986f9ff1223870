"""What findings are drawn from: the tape as recorded, and who depends on whom."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from tapemagic.graph.folding import Folding
from tapemagic.graph.model import Graph, GraphNode
from tapemagic.graph.words import end_of_path, number, visible

#: What puts numbers in their places: an infinity that comes out was put in, as a mask is.
PLACING = frozenset({
    "where", "select", "choose", "setitem", "array", "concatenate", "stack", "hstack", "vstack",
    "dstack", "column_stack", "append", "insert", "block", "pad",
})  # fmt: skip


class Facts:
    """A recording and its graph, with what several findings need worked out once.

    Parameters
    ----------
    tape : object
        With the reading interface of `GradientTape`.
    graph : Graph
        Of that tape.
    recorded : list of Node, optional
        The nodes of the tape, if somebody has them already.
    """

    def __init__(self, tape: Any, graph: Graph, recorded: list | None = None) -> None:
        self.tape = tape
        self.graph = graph
        self.recorded = tape.nodes() if recorded is None else recorded
        self.cotangents: dict[int, Any] = tape.cotangents or {}
        self._downstream: dict[int, bytearray] = {}

    def downstream(self, index: int) -> bytearray:
        """Mark the nodes that depend on one node, itself included."""
        if index in self._downstream:
            return self._downstream[index]
        marks = self._downstream[index] = bytearray(len(self.graph.nodes))
        marks[index] = 1
        for node in self.graph.nodes[index + 1 :]:
            for start in node.inputs:
                if start is not None and marks[start]:
                    marks[node.index] = 1
                    break
        return marks

    def sources_of(self, *indices: int) -> tuple[str, ...]:
        """Name the sources on which some of these nodes depend."""
        marks = {name: self.downstream(at) for name, at in self.tape.source_nodes.items()}
        return tuple(name for name, mark in marks.items() if any(mark[k] for k in indices))

    @cached_property
    def folding(self) -> Folding:
        """The groups of the graph, of which loops tell their iterations."""
        return Folding(self.graph)

    @cached_property
    def gone_wrong(self) -> list[int]:
        """The values that are nan where no operand is, or infinite where all are finite.

        An infinity that the person has written is meant: the start of a search, a mask.
        """
        return [node.index for node in self.recorded if self._goes_wrong(node)]

    def _goes_wrong(self, node: Any) -> bool:
        if is_finite(node.value):
            return False
        if has_nan(node.value):
            return not any(has_nan(self.recorded[k].value) for k in node.inputs if k is not None)
        return node.op not in PLACING and all(map(is_finite, self.operands(node.index)))

    @cached_property
    def users(self) -> list[list[int]]:
        """The nodes that read each node."""
        users: list[list[int]] = [[] for _ in self.graph.nodes]
        for edge in self.graph.edges:
            users[edge.start].append(edge.end)
        return users

    def operands(self, index: int) -> list[Any]:
        """Plain values of the operands of a node; None where one was not kept."""
        node = self.recorded[index]
        constants = list(node.constants) + [None] * (len(node.inputs) - len(node.constants))
        return [
            constant if start is None else self.recorded[start].value
            for start, constant in zip(node.inputs, constants, strict=False)
        ]

    def passed_on(self, index: int, operand: int, *, unevenly: bool = False) -> Any:
        """Return what one operation alone contributes to the cotangent of an operand.

        Elements that cancel in it do not if what arrives is weighted `unevenly`.
        """
        shape = self.recorded[index].shape
        ct = np.broadcast_to(self.cotangents[index], shape)
        if unevenly:
            ct = ct * np.random.default_rng(0).uniform(0.5, 1.5, shape).astype(ct.real.dtype)
        found = self.tape.contribution(index, operand, ct[()])
        return 0.0 if found is None else found

    def how_replaced(self, source: int) -> str:
        """Say what became of the name of a source that stands for something else by now."""
        name = next(name for name, index in self.tape.source_nodes.items() if index == source)
        if name in self.tape.cell_names.replaced:
            how = self.tape.cell_names.replaced[name]
        elif any(known == name and index != source for known, index in self.tape.bindings):
            how = "bound again"
        else:
            return ""
        lines = self.graph.source_map.outline().lines_that_write(name)
        return f"{how} on {at_line(lines[0])}" if len(lines) == 1 else how

    def spelled(self, node: GraphNode) -> str:
        """Name a value in a sentence: by its name, else by its operation; with its line."""
        what = quoted(node.name) if node.name else f"the result of {written(node.op)}"
        # a source was there when the cell began: its line is that of the magic
        return f"{what} ({place_of(node)})" if node.line and node.op != "source" else what

    @property
    def target_name(self) -> str:
        """The target as a sentence names it."""
        return quoted(self.graph.target[0]) if self.graph.target else "the target"


def quoted(name: str) -> str:
    """Put a name into a sentence."""
    return f"'{visible(end_of_path(name, 40), 40)}'"


def sentence(text: str) -> str:
    """Begin with a capital letter and end with a full stop."""
    return text[:1].upper() + text[1:].rstrip(".") + "."


def at_line(line: int | None) -> str:
    """``line 3``, or words for a line that is not known."""
    return f"line {line}" if line else "an unknown line"


def place_of(node: GraphNode) -> str:
    """``line 7, in relu at line 3``: the line of the cell, and the function that it calls there."""
    return f"{at_line(node.line)}, {node.inside}" if node.inside else at_line(node.line)


#: Primitives of the machinery -> what the person has written.
WRITTEN = {
    "getitem": "indexing", "setitem": "the assignment to elements", "gather": "indexing",
    "pick": "an operation with several results", "floor_divide": "floor division",
}  # fmt: skip


def written(op: str) -> str:
    """Name an operation in a sentence as the person knows it."""
    return WRITTEN.get(op, op)


def op_at(node: GraphNode) -> str:
    """``maximum (line 7, in relu at line 3)``."""
    return f"{written(node.op)} ({place_of(node)})"


def is_finite(value: object) -> bool:
    """Whether a value has no nan or infinite element; anything non-numeric has none."""
    if isinstance(value, float):
        return math.isfinite(value)
    array = as_numbers(value)
    return array is None or bool(np.isfinite(array).all())


def has_nan(value: object) -> bool:
    """Whether an element of a value is nan."""
    array = as_numbers(value)
    return array is not None and bool(np.isnan(array).any())


def is_zero(value: object) -> bool:
    """Whether a value has elements and all are exactly zero."""
    array = as_numbers(value)
    return array is not None and array.size > 0 and not array.any()


def as_numbers(value: object) -> np.ndarray | None:
    """View a value as a numeric array; None when it is not one."""
    if value is None or isinstance(value, (tuple, list, str)):
        return None
    try:
        array = np.asarray(value)
    except Exception:  # noqa: BLE001 - an object may refuse in any way it likes
        return None
    return array if array.dtype.kind in "biufc" else None


def bad_element(
    value: object, place: tuple[int, ...] | None = None
) -> tuple[str, str, tuple[int, ...]]:
    """Spell an element that is not finite, the first or that at `place`, and where it stands."""
    array = np.asarray(value)
    if place is None:
        place = tuple(int(axis) for axis in np.argwhere(~np.isfinite(array))[0])
    word = "nan" if np.isnan(array[place]) else "inf"
    return word, f"element {list(place)}" if place else "", place


def element_at(value: object, shape: tuple, place: tuple) -> Any:
    """What an operand has at one element of the result; all of it if that cannot be told."""
    array = as_numbers(value)
    if array is None:
        return None
    try:
        return np.broadcast_to(array, shape)[place].item()
    except (ValueError, IndexError):  # not an elementwise operation
        return array


def elements_at(operands: list[Any], shape: tuple, place: tuple | None) -> Iterator[str]:
    """Spell what each operand has at one element of the result; arrays as wholes without it."""
    for operand in operands:
        array = as_numbers(operand)
        if array is None:
            yield "…"
            continue
        element = array
        if array.ndim == 0 or place is not None:
            element = element_at(array, shape, place or ()) if array.ndim else array.item()
        empty = "" if array.size else "empty "
        yield f"{empty}array {array.shape}" if isinstance(element, np.ndarray) else number(element)
