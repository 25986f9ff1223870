"""What stands in each box of the picture: words and sizes, no coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tapemagic.display.formulas import local_derivatives
from tapemagic.display.gates import FORMULA_LENGTH, gate, symbol, verb
from tapemagic.graph.facts import PLACING
from tapemagic.graph.folding import Folding
from tapemagic.graph.marks import SCISSORS, is_cut, notes_of
from tapemagic.graph.model import ArraySummary, Graph, GraphNode, Group
from tapemagic.graph.why_values import both_grew, broadcast
from tapemagic.graph.words import called, counted, end_of_path, number, visible

NAME_LENGTH = 24
CODE_LENGTH = 60
FAILED_LENGTH = 36  # of the statement that failed
STRIP_LENGTH = 120  # bars beside a loop
LOOKED_BACK = 40  # operations at the end of an iteration among which its result is sought
MATRIX_ROWS, MATRIX_COLUMNS = 4, 4  # an array up to this size is drawn as its numbers
MATRIX_DIGITS = 3
MOST_RESULTS = 3  # names that leave a group
NOTES = {
    "zero": "gradient is exactly 0",
    "nan": "gradient is not finite",
    "not-connected": "not connected to the target",
    "not-run": "no gradient asked for yet",
}


def empty_box(box_id: str, kind: str, title: str) -> dict[str, Any]:
    """Return a box with every key of the scene, filled with what says nothing."""
    return {
        "id": box_id, "kind": kind, "x": 0, "y": 0, "w": 0, "h": 0, "title": title, "op": "",
        "value": "", "gradient": "", "value_rows": [], "gradient_rows": [], "shape": "",
        "dtype": "", "formula": [], "local": [], "line": None, "lines": [], "code": "",
        "verb": "", "step": 0, "count": 1, "strip": [], "group": "", "open": False,
        "state": "ok", "note": "", "parent": "", "ways_out": 0, "label": {},
    }  # fmt: skip


def node_box(graph: Graph, node: GraphNode) -> dict[str, Any]:
    """One operation or source."""
    name = visible(end_of_path(node.name, NAME_LENGTH), NAME_LENGTH)
    if node.op == "source":
        kind = "source"
    elif graph.target is not None and graph.target[1] == node.index:
        kind, name = "target", visible(graph.target[0], NAME_LENGTH) or name
    else:
        kind = "operation"
    box = empty_box(f"n{node.index}", kind, name)
    summaries = [
        graph.constant(node.index, place) if start is None else None
        for place, start in enumerate(node.inputs)
    ]
    constants = ["" if summary is None else visible(summary.text, 24) for summary in summaries]
    # an array has a box of its own
    spelled = ["" if s is None or s.shape else text for s, text in zip(summaries, constants)]
    read = [graph.nodes[start].shape for start in node.inputs if start is not None]
    shapes = [*read, *(summary.shape for summary in summaries if summary is not None)]
    grows = any(shape != node.shape for shape in read)
    broadcasts = grows and broadcast(*shapes, node.shape) == node.shape
    box["op"] = "" if kind == "source" else visible(gate(node.op, spelled), NAME_LENGTH)
    box["verb"] = verb(node.op, broadcasts and len(node.inputs) > 1)
    box["formula"] = [visible(text, 60) for text in node.formulas]
    box["local"] = [
        visible(text, FORMULA_LENGTH) for text in local_derivatives(node.formulas, constants)
    ]
    box["shape"], box["dtype"] = str(node.shape), visible(node.dtype, 24)
    place_in_source(box, graph, [node])
    fill_values(box, graph, node.index)
    if begins_here(graph, node):
        box["note"] = "first nan or inf"
    if both_grew(graph, node, shapes):
        left, right = ("×".join(map(str, shape)) for shape in shapes)
        box["note"] = "; ".join(filter(None, [box["note"], f"both grew: {left} with {right}"]))
    happened = notes_of(node, explains=box["state"] == "not-connected")
    box["note"] = "; ".join(filter(None, [box["note"], *happened]))
    return box


def begins_here(graph: Graph, node: GraphNode) -> bool:
    """Whether a value is nan or infinite and its operands are not, nor was it put in."""
    value = graph.value(node.index)
    if value is None or value.is_finite or (node.op in PLACING and not value.nans):
        return False
    operands = [
        graph.value(start) if start is not None else graph.constant(node.index, place)
        for place, start in enumerate(node.inputs)
    ]
    if value.nans:
        return all(operand is None or not operand.nans for operand in operands)
    return all(operand is None or operand.is_finite for operand in operands)


def group_box(graph: Graph, group: Group, results: dict[str, int], steps: int) -> dict[str, Any]:
    """One closed group; `results` are the nodes whose values leave it, by name, the last last."""
    nodes = graph.nodes
    name, output = list(results.items())[-1]
    box = empty_box(group.id, "group", visible(name, NAME_LENGTH))
    if group.kind == "call":
        box["op"] = visible(called(group.title), NAME_LENGTH)
    elif group.kind == "iteration":
        box["op"] = "one iteration"
    elif group.kind == "run":
        box["op"] = visible(group.title, CODE_LENGTH)
    else:
        box["op"] = counted(steps, "operation")
    box["group"], box["count"] = group.id, group.count
    members = [
        node
        for node in nodes[group.first : min(group.last, group.first + 400)]
        if node.op != "source"
    ]
    place_in_source(box, graph, members)
    if group.kind in ("loop", "line"):
        box["code"] = visible(group.title, CODE_LENGTH)
    if group.kind == "loop" and group.line is not None:
        box["line"], box["lines"] = group.line, sorted({group.line, *box["lines"]})
    box["strip"] = gradient_strip(graph, group, name)
    box["shape"], box["dtype"] = str(nodes[output].shape), visible(nodes[output].dtype, 24)
    fill_values(box, graph, output)
    if len(results) > 1:
        fill_results(box, graph, results)
    box["verb"] = counted(steps, "operation") if group.kind != "line" else ""
    if any(map(is_cut, members)):
        box["op"] += f" {SCISSORS.strip()}"
    return box


def fill_results(box: dict[str, Any], graph: Graph, results: dict[str, int]) -> None:
    """Name all that leaves a group, one row of value and gradient for each."""
    told = list(results)[-MOST_RESULTS:]
    short = [visible(name, NAME_LENGTH // len(told)) for name in told]
    facts = [carried(graph, results[name]) for name in told]
    box["title"] = ", ".join([*short, "…"] if len(told) < len(results) else short)
    box["shape"] = box["dtype"] = ""
    for key in ("value", "gradient"):
        if key == "value" or graph.has_gradients:
            box[f"{key}_rows"] = [f"{name}: {fact[key]}" for name, fact in zip(short, facts)]
            box[key] = ", ".join(box[f"{key}_rows"])


def place_in_source(box: dict[str, Any], graph: Graph, members: list[GraphNode]) -> None:
    """Line, lines and text of what the box stands for; lines are those of whole statements."""
    lines = sorted({node.line for node in members if node.line is not None})
    if not lines:
        return
    outline = graph.source_map.outline()
    box["line"] = outline.statement(lines[0])
    covered: set[int] = set()
    for line in lines:
        first = outline.statement(line)
        covered.update(range(first, max(outline.end(first), line) + 1))
    box["lines"] = sorted(covered)[:60]
    box["code"] = visible(graph.code(box["line"]), CODE_LENGTH)


def fill_values(box: dict[str, Any], graph: Graph, index: int) -> None:
    """Value and gradient of a node, short and as rows of numbers."""
    value, gradient = graph.value(index), graph.gradient(index)
    box["value"] = value.label if value is not None else "not kept"
    box["value_rows"] = rows_of(value) if value is not None else ["not kept"]
    box["state"] = graph.state(index)
    box["note"] = NOTES.get(box["state"], "")
    if gradient is not None:
        box["gradient"], box["gradient_rows"] = gradient.label, rows_of(gradient)
    elif graph.obstacle:  # said once, where it is, and not below every wire
        box["gradient"], box["gradient_rows"] = "", []
        box["note"] = f"no gradient: {graph.obstacle}"
    else:
        box["gradient"] = no_gradient(graph, box["state"])
        box["gradient_rows"] = [box["gradient"]]


def no_gradient(graph: Graph, state: str) -> str:
    """Say in the place of a gradient why there is none; "" where there is one."""
    words = {"not-run": graph.obstacle or "not run yet", "not-connected": "not connected"}
    return words.get(state, "")


def carried(graph: Graph, index: int) -> dict[str, Any]:
    """What a wire says about the value of one node."""
    facts: dict[str, Any] = {"shape": str(graph.nodes[index].shape)}
    fill_values(facts, graph, index)
    return facts


def rows_of(summary: ArraySummary) -> list[str]:
    """Rows of aligned numbers for a small vector or matrix, else one line.

    Examples
    --------
    >>> import numpy as np
    >>> rows_of(ArraySummary.of(np.array([[1.5, -2], [10, 0]])))
    ['1.5  -2', ' 10   0']
    """
    shape = summary.shape
    if len(shape) not in (1, 2) or not 0 < summary.size <= MATRIX_ROWS * MATRIX_COLUMNS:
        return [summary.label]
    rows, columns = (1, *shape)[-2:]
    if rows > MATRIX_ROWS or columns > MATRIX_COLUMNS:
        return [summary.label]
    cells = [number(value, MATRIX_DIGITS) for value in summary.values]
    widths = [max(len(cell) for cell in cells[column::columns]) for column in range(columns)]
    return [
        "  ".join(cells[row * columns + column].rjust(widths[column]) for column in range(columns))
        for row in range(rows)
    ]


def gradient_strip(graph: Graph, group: Group, name: str) -> list[float | None]:
    """|gradient| of a name at each iteration, at most 120 evenly spread, if there is any."""
    if not graph.has_gradients or len(group.starts) < 2:
        return []
    ends = [*group.starts[1:], group.last]
    chosen: Sequence[int] = range(len(ends))
    if len(ends) > STRIP_LENGTH:
        last = len(ends) - 1
        chosen = [place * last // (STRIP_LENGTH - 1) for place in range(STRIP_LENGTH)]
    strip = [gradient_at_end(graph, group.starts[k], ends[k], name) for k in chosen]
    return strip if any(size is not None for size in strip) else []


def gradient_at_end(graph: Graph, start: int, end: int, name: str) -> float | None:
    """|gradient| of what an iteration bound to `name`, else of the last value that has one."""
    candidates = range(end - 1, max(start, end - LOOKED_BACK) - 1, -1)
    named = [k for k in candidates if name and graph.nodes[k].name.partition("@")[0] == name]
    for index in (*named, *candidates):
        gradient = graph.gradient(index)
        if gradient is not None and graph.nodes[index].op != "source":
            return gradient.norm
    return None


def stub_box(graph: Graph, leaf: int, user: str, uses: int) -> dict[str, Any]:
    """A leaf that is used in many places, once more beside one of its uses."""
    box = node_box(graph, graph.nodes[leaf])
    box.update(id=f"s{leaf}-{user}", kind="stub", note=used_often(uses, graph.has_gradients))
    return box


def used_often(uses: int, has_gradients: bool) -> str:
    """Words for a leaf with many uses."""
    return f"used {uses:,}×" + (", gradients add up" if has_gradients else "")


def constant_box(graph: Graph, index: int, place: int) -> dict[str, Any] | None:
    """An array that an operation uses and that is not watched; None for plain numbers."""
    summary = graph.constant(index, place)
    if summary is None or summary.shape == ():
        return None
    names = graph.nodes[index].constants
    name = names[place] if place < len(names) else ""
    box = empty_box(f"c{index}-{place}", "constant", visible(name, NAME_LENGTH) or "constant")
    box["value"], box["value_rows"] = summary.label, rows_of(summary)
    box["shape"], box["dtype"] = str(summary.shape), summary.dtype
    box["note"] = "not watched"
    node = graph.nodes[index]
    place_in_source(box, graph, [node])
    return box


def failed_box(graph: Graph) -> dict[str, Any]:
    """The operation at which the cell raised."""
    failure = graph.failure
    box = empty_box("failed", "failed", "failed")
    if failure is not None:
        code = visible(graph.code(failure.line), FAILED_LENGTH)
        box["op"] = visible(symbol(failure.op), NAME_LENGTH) or code or "failed"
        box["line"], box["lines"] = failure.line, [failure.line] if failure.line else []
        box["code"] = visible(graph.code(failure.line), CODE_LENGTH)
        box["note"] = failure.message
    box["state"] = "failed"
    return box


def group_facts(folding: Folding, group: Group, wanted: set[int]) -> tuple[dict[str, int], int]:
    """Nodes whose values leave a group, by name, the last last, and how many operations it has."""
    nodes = folding.graph.nodes
    steps = [node.index for node in nodes[group.first : group.last] if node.op != "source"]
    leaving = [index for index in steps if index in wanted]
    # What goes on to the target says more than what does not.
    telling = [index for index in leaving if folding.graph.gradient(index) is not None]
    results: dict[str, int] = {}
    for index in telling or leaving or steps[-1:]:
        name = nodes[index].name.partition("@")[0]
        results.pop(name, None)
        results[name] = index
    *_, last = results
    named = {name: index for name, index in results.items() if name or name == last}
    return named, len(steps)
