"""From the folded graph to boxes and wires without coordinates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from tapemagic.display.boxes import (
    NOTES,
    carried,
    constant_box,
    failed_box,
    group_box,
    group_facts,
    node_box,
    stub_box,
    used_often,
)
from tapemagic.display.sizes import measure
from tapemagic.graph.folding import Folding, Item
from tapemagic.graph.model import Graph, Group

MOST_WIRES = 4  # between the same two boxes; more are one
STUB_USES = 4  # a leaf wired to more boxes than this is drawn beside each of them
CONSTANTS_UP_TO = 30  # boxes; a larger picture leaves out arrays that are not watched
MOST_SOURCES = 100


@dataclass(slots=True)
class Drawing:
    """Boxes in an order in which wires lead forward; wires as box numbers in `edges`."""

    boxes: list[dict[str, Any]] = field(default_factory=list)
    wires: list[dict[str, Any]] = field(default_factory=list)
    edges: list[tuple[int, int]] = field(default_factory=list)
    order: list[tuple[int, int]] = field(default_factory=list)  # before and after, without a wire
    numbers: dict[str, int] = field(default_factory=dict)
    hidden_sources: int = 0

    def add(self, box: dict[str, Any]) -> int:
        """Add a box and give its number."""
        measure(box)
        self.numbers[box["id"]] = len(self.boxes)
        self.boxes.append(box)
        return len(self.boxes) - 1

    def wire(self, start: int, end: int, place: int, value: dict[str, Any] | None = None) -> None:
        """Add a wire to an operand; it carries `value`, or else what its first box says."""
        box, user = self.boxes[start], self.boxes[end]
        value = value or box
        box["ways_out"] += 1
        # The gate's local derivatives speak of x1 and x2: say which wire is which.
        told = user["kind"] != "group" and len(user["formula"]) > 1 and user["local"]
        self.edges.append((start, end))
        self.wires.append({
            "id": f"w{len(self.wires)}", "from": box["id"], "to": user["id"], "points": [],
            "value": value["value"], "gradient": value["gradient"], "shape": value["shape"],
            "state": value["state"], "operand": f"x{place + 1}" if told else "",
        })  # fmt: skip


@dataclass(slots=True)
class Uses:
    """Who reads what: operand wires between shown items, and uses of leaves."""

    wires: dict[int, list[tuple[int, int, int]]]  # item -> (item read, node read, operand)
    leaves: dict[int, list[int]]  # leaf -> item numbers, one per operand wire
    counts: dict[int, int]  # leaf -> operands in the whole recording
    leaving: set[int]  # nodes that another item reads


def uses_of(graph: Graph, items: list[tuple[Item, str]]) -> Uses:
    """Look at every operand once and keep those that lead from one shown item to another."""
    owner = [-1] * len(graph.nodes)
    single = []
    for number, (item, _) in enumerate(items):
        if isinstance(item, Group):
            owner[item.first : item.last] = [number] * (item.last - item.first)
        else:
            owner[item] = number
        single.append(not isinstance(item, Group))
    uses = Uses({}, {}, {}, set())
    merged: set[tuple[int, int]] = set()
    for node in graph.nodes:
        if node.op == "source":
            continue
        end = owner[node.index]
        for place, start in enumerate(node.inputs):
            if start is None:
                continue
            leaf = graph.nodes[start].op == "source"
            if leaf:
                uses.counts[start] = uses.counts.get(start, 0) + 1
            elif owner[start] == end:
                continue
            else:
                uses.leaving.add(start)
            # An operation shows each of its operands; a group reads a value by one wire.
            if not single[end]:
                if (start, end) in merged:
                    continue
                merged.add((start, end))
            if leaf:
                uses.leaves.setdefault(start, []).append(end)
            uses.wires.setdefault(end, []).append((-1 if leaf else owner[start], start, place))
    return uses


def draw(folding: Folding, opened: Collection[str]) -> Drawing:
    """Describe every box and wire of the picture with these groups open."""
    graph = folding.graph
    items = folding.visible(opened)
    uses = uses_of(graph, items)
    if graph.target is not None:
        uses.leaving.add(graph.target[1])
    drawing = Drawing()
    leaves = [row.index for row in graph.sources if row.index is not None]
    leaves += [leaf for leaf in uses.leaves if leaf not in leaves]
    drawing.hidden_sources = max(len(leaves) - MOST_SOURCES, 0)
    waiting = {leaf for leaf in leaves if len(uses.leaves.get(leaf, ())) > STUB_USES}
    for leaf in leaves[:MOST_SOURCES]:
        if leaf not in waiting:
            add_leaf(drawing, graph, leaf, uses)
    boxes_of_items: list[int] = []
    for number, (item, parent) in enumerate(items):
        reads = uses.wires.get(number, [])
        before = [
            leaf_beside(drawing, graph, leaf, item, uses, waiting)
            for source, leaf, _ in reads
            if source < 0 and leaf in waiting
        ]
        constants = add_constants(drawing, graph, item) if len(items) <= CONSTANTS_UP_TO else []
        box = item_box(folding, item, uses)
        box["parent"] = parent
        for beside in [*before, *(constant for constant, _ in constants)]:
            if drawing.boxes[beside]["kind"] != "source":
                drawing.boxes[beside]["parent"] = parent
        end = drawing.add(box)
        boxes_of_items.append(end)
        stubs = iter(before)
        wires = Counter(source for source, _, _ in reads if source >= 0)
        bundled: set[int] = set()
        for source, start, place in reads:
            if wires[source] > MOST_WIRES:
                if source not in bundled:
                    drawing.wire(boxes_of_items[source], end, place)
                bundled.add(source)
            elif source >= 0:
                # A group has several values to give: the wire carries the one that is read.
                value = carried(graph, start) if isinstance(items[source][0], Group) else None
                drawing.wire(boxes_of_items[source], end, place, value)
            elif start in waiting:
                drawing.wire(next(stubs), end, place)
            elif f"n{start}" in drawing.numbers:
                drawing.wire(drawing.numbers[f"n{start}"], end, place)
        for constant, place in constants:
            drawing.wire(constant, end, place)
    if graph.failure is not None:
        add_failure(drawing, graph, items, boxes_of_items)
    return drawing


def item_box(folding: Folding, item: Item, uses: Uses) -> dict[str, Any]:
    """Box of one shown item."""
    if isinstance(item, Group):
        return group_box(folding.graph, item, *group_facts(folding, item, uses.leaving))
    return node_box(folding.graph, folding.graph.nodes[item])


def add_leaf(drawing: Drawing, graph: Graph, leaf: int, uses: Uses) -> int:
    """Add the box of a source."""
    box = node_box(graph, graph.nodes[leaf])
    count = uses.counts.get(leaf, 0)
    if count > 1 and box["state"] in ("ok", "not-run"):
        happened = [note for note in box["note"].split("; ") if note not in ("", NOTES["not-run"])]
        box["note"] = "; ".join([used_often(count, graph.has_gradients), *happened])
    return drawing.add(box)


def leaf_beside(
    drawing: Drawing, graph: Graph, leaf: int, item: Item, uses: Uses, waiting: set[int]
) -> int:
    """Add a leaf of many uses beside one of them: its own box at the first, then stubs."""
    if f"n{leaf}" not in drawing.numbers:
        return add_leaf(drawing, graph, leaf, uses)
    user = item.id if isinstance(item, Group) else f"n{item}"
    stub = stub_box(graph, leaf, user, uses.counts[leaf])
    if stub["id"] in drawing.numbers:  # the same leaf twice in one operation: x * x
        return drawing.numbers[stub["id"]]
    return drawing.add(stub)


def add_constants(drawing: Drawing, graph: Graph, item: Item) -> list[tuple[int, int]]:
    """Add the arrays that a single operation reads and that are not watched, with their place."""
    if isinstance(item, Group):
        return []
    found = []
    for place, start in enumerate(graph.nodes[item].inputs):
        box = constant_box(graph, item, place) if start is None else None
        if box is not None:
            found.append((drawing.add(box), place))
    return found


def add_failure(
    drawing: Drawing, graph: Graph, items: list[tuple[Item, str]], boxes_of_items: list[int]
) -> None:
    """Add the operation that raised, wired to its operands where they are known."""
    end = drawing.add(failed_box(graph))
    inputs = graph.failure.inputs if graph.failure is not None else ()
    starts = [index for index in inputs if index is not None]
    for position, start in enumerate(starts):
        number = drawing.numbers.get(f"n{start}")
        for place, (item, _) in enumerate(items):
            if isinstance(item, Group) and item.first <= start < item.last:
                number = boxes_of_items[place]
        if number is not None:
            drawing.wire(number, end, position)
    if not starts and boxes_of_items:
        drawing.order.append((boxes_of_items[-1], end))
