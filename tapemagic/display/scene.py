"""The picture as plain data: the one thing that the static SVG and the live view both draw.

Everything in a scene is a string, a number, a boolean or a list of these; strings are plain text
with control characters made visible, and whoever draws them escapes them once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from tapemagic.display.boxes import no_gradient
from tapemagic.display.drawing import Drawing, draw
from tapemagic.display.sizes import (
    ARRIVAL,
    LINE_WIDTH,
    SMALL_PRINT,
    direction_for,
    extents,
    label_size,
    place_label,
    small_rows,
)
from tapemagic.graph.folding import Folding
from tapemagic.graph.layout import Layout, layout
from tapemagic.graph.model import Graph, SourceRow
from tapemagic.graph.why import remarks_on
from tapemagic.graph.words import called, counted, end_of_path, number, visible

Scene = dict[str, Any]

MOST_LINES = 2000
MARGIN = 24.0


def make_scene(
    graph: Graph,
    open_groups: Collection[str] | None = None,
    *,
    folding: Folding | None = None,
    engine: Callable[..., Layout] = layout,
    notes: Sequence[str] = (),
    old_notes: Sequence[str] = (),
) -> Scene:
    """Lay a graph out and describe every box, wire and step.

    Parameters
    ----------
    graph : Graph
    open_groups : collection of str, optional
        Ids of the groups that are open; not given: lines and calls of a short cell.
    folding : Folding, optional
        Of the same graph, to be kept between scenes: what was opened once is not folded again.
    engine : callable
        Layout engine with the signature of `tapemagic.graph.layout.layout`.
    notes : sequence of str
        What else is to be said below the picture, each in one or more lines.
    old_notes : sequence of str
        The same of an earlier run: the live view shows them faded.

    Returns
    -------
    dict
        JSON-able; the same bytes for the same recording.
    """
    folding = folding or Folding(graph)
    opened = folding.default_open() if open_groups is None else frozenset(open_groups)
    drawing = draw(folding, opened)
    direction = direction_for(drawing.boxes, [*drawing.edges, *drawing.order])
    width, height = place_all(drawing, direction, engine)
    return {
        "width": width,
        "height": height,
        "direction": direction,
        "boxes": drawing.boxes,
        "wires": drawing.wires,
        "frames": frames(folding, drawing, opened, direction),
        "lines": [visible(line, 200) for line in graph.lines[:MOST_LINES]],
        "first_line": 1,
        "steps": steps(graph, drawing),
        "open": sorted(opened),
        "sources": [source_row(graph, row) for row in graph.sources],
        "target": target_row(graph),
        "message": message(graph, drawing),
        "notes": [visible_lines(note) for note in (*remarks_on(folding), *notes)],
        "old_notes": [visible_lines(note) for note in old_notes],
    }


def place_all(
    drawing: Drawing, direction: str, engine: Callable[..., Layout]
) -> tuple[float, float]:
    """Write coordinates into boxes and wires; return the size of the picture."""
    sizes, tails = extents(drawing.boxes, direction)
    placed = engine(
        sizes,
        [*drawing.edges, *drawing.order],
        direction=direction,
        tails=tails,
        rank_gap=ARRIVAL,
        box_gap=14.0,
    )
    for box, (x, y), (width, height) in zip(drawing.boxes, placed.boxes, sizes, strict=True):
        box["x"] = x + (width - box["w"]) / 2 + MARGIN
        box["y"] = y + (height - box["h"]) / 2 + MARGIN
        place_label(box, direction)
    for wire, (start, _), points in zip(drawing.wires, drawing.edges, placed.wires, strict=False):
        label = drawing.boxes[start]["label"]
        moved = [[x + MARGIN, y + MARGIN] for x, y in points]
        wire["points"] = [list(label["port"]), list(label["fork"]), *moved[1:]]
    cut_margin(drawing, direction)
    right = bottom = 0.0
    for box in drawing.boxes:
        width, above, below = label_size(box)
        across, down = (width + 16, below) if direction == "right" else (width + 8, above + below)
        beside = max(map(len, small_rows(box)), default=0) * (
            SMALL_PRINT if direction == "down" else SMALL_PRINT / 2
        )
        right = max(right, box["x"] + box["w"] + beside, box["label"]["port"][0] + across)
        printed = 11 * len(small_rows(box)) if direction == "right" else 0
        bottom = max(bottom, box["y"] + box["h"] + printed, box["label"]["port"][1] + down)
    for wire in drawing.wires:
        right = max([right] + [point[0] for point in wire["points"]])
        bottom = max([bottom] + [point[1] for point in wire["points"]])
    round_coordinates(drawing)
    return tidy(right + MARGIN), tidy(bottom + MARGIN)


def cut_margin(drawing: Drawing, direction: str) -> None:
    """Move the picture up: the room for words is symmetric, the words are not."""
    tops = [point[1] for wire in drawing.wires for point in wire["points"]]
    for box in drawing.boxes:
        above = label_size(box)[1] if direction == "right" else 0.0
        tops += [box["y"] - 12, box["label"]["y"] - above]
    spare = min(tops, default=MARGIN) - MARGIN
    for box in drawing.boxes:
        box["y"] -= spare
        place_label(box, direction)
    for wire in drawing.wires:
        wire["points"] = [[x, y - spare] for x, y in wire["points"]]


def tidy(value: float) -> float:
    """Round a coordinate to a tenth of a pixel, without negative zero."""
    return round(value, 1) + 0.0


def round_coordinates(drawing: Drawing) -> None:
    """Round every coordinate, so that the last bit of a sum shows nowhere."""
    for box in drawing.boxes:
        for key in ("x", "y", "w", "h"):
            box[key] = tidy(box[key])
        label = box["label"]
        label["x"], label["y"] = tidy(label["x"]), tidy(label["y"])
        label["port"] = [tidy(value) for value in label["port"]]
        label["fork"] = [tidy(value) for value in label["fork"]]
    for wire in drawing.wires:
        wire["points"] = [[tidy(x), tidy(y)] for x, y in wire["points"]]


def frames(
    folding: Folding, drawing: Drawing, opened: Collection[str], direction: str
) -> list[dict[str, Any]]:
    """Rectangles around what is inside each open group, to be closed again; outermost first.

    One that is not `clear` would also hold boxes that are not of the group.
    """
    found = []
    for group_id in sorted(opened):
        inside = [
            box for box in drawing.boxes
            if box["parent"] == group_id or box["parent"].startswith(f"{group_id}.")
        ]  # fmt: skip
        group = folding.find(group_id) if inside else None
        if group is None:
            continue
        # what an operation reads from elsewhere stands beside it, and is not part of the group
        framed = [box for box in inside if box["kind"] not in ("constant", "stub")] or inside
        members = {box["id"] for box in inside}
        title = called(group.title) if group.kind == "call" else group.title
        others = [box for box in drawing.boxes if box["id"] not in members]
        # with the words beside the boxes in it, if nobody else stands there
        wide, narrow = around(framed, words=direction == "down"), around(framed, words=False)
        area = narrow if any(overlap(wide, box) for box in others) else wide
        found.append({
            "id": group_id, "kind": group.kind, "title": visible(title, 60),
            "count": group.count, **area, "clear": not any(overlap(area, box) for box in others),
        })  # fmt: skip
    return found


def around(boxes: list[dict[str, Any]], *, words: bool) -> dict[str, float]:
    """Return the rectangle around some boxes, or around them and the `words` on their sides."""
    before = LINE_WIDTH if words else 0.0
    left, top = min(box["x"] for box in boxes) - before, min(box["y"] for box in boxes)
    right = max(box["x"] + box["w"] + (words_behind(box) if words else 0) for box in boxes)
    below = (sum(label_size(box)[1:]) if words else 0.0 for box in boxes)
    bottom = max(box["y"] + box["h"] + room for box, room in zip(boxes, below, strict=True))
    sides = {"x": left - 10, "y": top - 18, "w": right - left + 20, "h": bottom - top + 36}
    return {side: tidy(value) for side, value in sides.items()}


def words_behind(box: dict[str, Any]) -> float:
    """How far the words to the right of a box reach, those beside it and those beside its wire."""
    beside = max(map(len, small_rows(box)), default=0) * SMALL_PRINT + 8
    return max(beside, label_size(box)[0] + 8 - box["w"] / 2)


def overlap(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two rectangles share a point."""
    return (
        one["x"] < other["x"] + other["w"] and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"] and other["y"] < one["y"] + one["h"]
    )  # fmt: skip


def steps(graph: Graph, drawing: Drawing) -> list[dict[str, Any]]:
    """One step per visit of a source line, forward; then the reverse sweep, if there was one."""
    forward: list[dict[str, Any]] = []
    for box in drawing.boxes:
        if box["kind"] in ("stub", "constant"):
            continue
        if forward and forward[-1]["line"] == box["line"] and box["kind"] != "group":
            forward[-1]["boxes"].append(box["id"])
        else:
            forward.append({"line": box["line"], "boxes": [box["id"]], "direction": "forward"})
        box["step"] = len(forward) - 1
    backward = []
    if graph.has_gradients:
        reached = {box["id"] for box in drawing.boxes if box["state"] in ("ok", "zero", "nan")}
        for step in forward[::-1]:
            ids = [box_id for box_id in step["boxes"][::-1] if box_id in reached]
            if ids:
                backward.append({"line": step["line"], "boxes": ids, "direction": "backward"})
    return [{"index": place, **step} for place, step in enumerate(forward + backward)]


def visible_lines(text: str) -> str:
    """Make control characters visible, line by line: a matrix keeps its rows."""
    return "\n".join(visible(line, 200) for line in text.split("\n"))


def source_row(graph: Graph, row: SourceRow) -> dict[str, str]:
    """One row of the table of sources, in words: nothing is ever a bare None."""
    value, gradient = row.value, row.gradient
    return {
        "name": visible(end_of_path(row.name, 40), 40),
        "shape": str(row.shape) if row.index is not None else "",
        "dtype": visible(row.dtype, 24),
        "value": value.text if value is not None else "",
        "gradient": gradient.listing if gradient is not None else no_gradient(graph, row.state),
        # the norm of a single number says nothing that the number does not
        "norm": number(gradient.norm)
        if gradient is not None and gradient.size and row.shape
        else "",
        "state": row.state,
        "reason": row.reason,
    }


def target_row(graph: Graph) -> dict[str, str]:
    """Name and value of what was differentiated; empty before that."""
    if graph.target is None:
        return {"name": "", "value": ""}
    name, index = graph.target
    value = graph.value(index)
    return {"name": visible(name, 40), "value": value.text if value is not None else "not kept"}


def message(graph: Graph, drawing: Drawing) -> str:
    """One line about the picture as a whole."""
    words = []
    if graph.failure is not None:
        words.append(graph.failure.sentence)
    if drawing.hidden_sources:
        words.append(f"{counted(drawing.hidden_sources, 'more source')} in the table only")
    if not drawing.boxes:
        words.append("nothing was recorded")
    return "; ".join(words)
