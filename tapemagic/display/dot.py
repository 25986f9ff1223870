"""Graphviz, for those who want it: DOT text, and coordinates from the `dot` program.

DOT text carries labels, through the graphviz package's own escaping. When `dot` only computes
coordinates it gets nodes ``n0 … nN`` and sizes, and no word of the user's.
"""

from __future__ import annotations

import functools
import shutil
import subprocess
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from tapemagic.display.boxes import node_box
from tapemagic.display.drawing import draw
from tapemagic.display.scene import make_scene
from tapemagic.errors import TapeError
from tapemagic.graph.folding import Folding
from tapemagic.graph.layout import Layout
from tapemagic.graph.marks import SCISSORS
from tapemagic.graph.model import Graph

if TYPE_CHECKING:
    import graphviz

TIME_LIMIT = 5.0  # seconds
MOST_BOXES, MOST_WIRES = 1000, 4000
INCH = 72.0
SPLINE_POINTS = 4  # per cubic piece
LOOKS = {
    "source": {"shape": "ellipse", "color": "#007a58", "style": "bold"},
    "stub": {"shape": "ellipse", "color": "#007a58", "style": "dashed"},
    "constant": {"shape": "box", "color": "#8d9199"},
    "operation": {"shape": "box", "color": "#22252b", "style": "rounded"},
    "target": {"shape": "box", "color": "#a0447a", "style": "rounded,bold"},
    "group": {"shape": "box3d", "color": "#a87400"},
    "failed": {"shape": "octagon", "color": "#c23b00", "style": "bold"},
}


def to_graphviz(graph: Graph, folded: bool = True) -> graphviz.Digraph:
    """Return the graph as a ``graphviz.Digraph``.

    Parameters
    ----------
    graph : Graph
    folded : bool
        Draw runs of operations as one node, as the page does. False draws every operation.

    Raises
    ------
    ImportError
        When the graphviz package is not installed. The `dot` program is only needed to render.
    """
    import graphviz

    digraph = digraph_class()("tape", graph_attr={"rankdir": "LR"})
    if folded:
        folding = Folding(graph)
        drawing = draw(folding, folding.default_open())
        boxes, edges = drawing.boxes, drawing.edges
    else:
        boxes = [node_box(graph, node) for node in graph.nodes]
        edges = [(edge.start, edge.end) for edge in graph.edges]
    for number, box in enumerate(boxes):
        # Each line is escaped by itself; what joins them is then the only backslash with a meaning.
        rows = r"\n".join(graphviz.escape(row) for row in label_rows(box))
        digraph.node(f"n{number}", graphviz.nohtml(rows), **LOOKS[box["kind"]])
    for start, end in edges:
        digraph.edge(f"n{start}", f"n{end}")
    return digraph


@functools.cache
def digraph_class() -> Any:
    """Return graphviz's class, which shows its text where the `dot` program does not run."""
    import graphviz

    class Digraph(graphviz.Digraph):
        def _repr_mimebundle_(self, *which: Any, **more: Any) -> dict[str, Any]:
            try:
                return dict(super()._repr_mimebundle_(*which, **more))
            except (OSError, graphviz.ExecutableNotFound, subprocess.SubprocessError):
                return {"text/plain": f"// dot of Graphviz does not run here.\n{self.source}"}

    return Digraph


def label_rows(box: dict[str, Any]) -> list[str]:
    """Words of a box, one row each."""
    count = f" × {box['count']:,}" if box["count"] > 1 else ""
    rows = [f"{box['title']} {box['op']}".strip() + count]
    if box["kind"] == "failed":
        return [*rows, box["note"]]
    rows.append(f"value {box['value']}")
    if box["kind"] != "constant":
        rows.append(f"gradient {box['gradient']}")
    if box["line"]:
        rows.append(f"line {box['line']}")
    rows += [note for note in box["note"].split("; ") if note.startswith(SCISSORS)]
    return rows


def scene_with_dot(
    graph: Graph,
    open_groups: Collection[str] | None = None,
    *,
    folding: Folding | None = None,
    **notes: Any,
) -> dict[str, Any]:
    """Make a scene with coordinates from `dot`, or with our own and one line that says why."""
    try:
        return make_scene(graph, open_groups, folding=folding, engine=dot_layout, **notes)
    except TapeError as problem:
        scene = make_scene(graph, open_groups, folding=folding, **notes)
        notice = f"--engine dot: {problem.what} Laid out without it."
        scene["message"] = "; ".join(filter(None, (scene["message"], notice)))
        return scene


def dot_layout(
    sizes: Sequence[tuple[float, float]],
    edges: Sequence[tuple[int, int]],
    *,
    direction: str = "right",
    tails: Sequence[float] = (),
    rank_gap: float = 40.0,
    box_gap: float = 24.0,
) -> Layout:
    """Place boxes and route wires with Graphviz; see `tapemagic.graph.layout.layout`.

    Raises
    ------
    TapeError
        When `dot` is missing, fails, takes longer than five seconds, or the picture is too large
        for it.
    """
    if not sizes:
        return Layout((), (), 0.0, 0.0, ())
    tails = tails or [0.0] * len(sizes)
    roomy = [  # the words beside a wire belong to its box here
        (w + tail, h) if direction == "right" else (w, h + tail)
        for (w, h), tail in zip(sizes, tails, strict=True)
    ]
    printed = run_dot(dot_input(roomy, edges, direction, rank_gap, box_gap))
    return read_plain(printed, roomy, edges)


def dot_input(
    sizes: Sequence[tuple[float, float]],
    edges: Sequence[tuple[int, int]],
    direction: str,
    rank_gap: float,
    box_gap: float,
) -> str:
    """Spell boxes and wires in DOT: numbers only."""
    if len(sizes) > MOST_BOXES or len(edges) > MOST_WIRES:
        raise TapeError(f"{len(sizes)} boxes with {len(edges)} wires are too many for dot.")
    rows = [
        f"digraph {{ rankdir={'LR' if direction == 'right' else 'TB'};",
        f"ranksep={rank_gap / INCH:.4f}; nodesep={box_gap / INCH:.4f};",
        'node [shape=box, fixedsize=true, label=""]; edge [arrowhead=none];',
    ]
    rows += [
        f"n{number} [width={width / INCH:.4f}, height={height / INCH:.4f}];"
        for number, (width, height) in enumerate(sizes)
    ]
    rows += [f"n{start} -> n{end};" for start, end in edges]
    return "\n".join([*rows, "}"])


def run_dot(text: str) -> str:
    """Run `dot` on a text and return what it prints."""
    program = shutil.which("dot")
    if program is None:
        raise TapeError("the program dot of Graphviz is not installed.")
    try:
        done = subprocess.run(  # noqa: S603 - the arguments are fixed, the input is numbers
            [program, "-Tplain"], input=text, capture_output=True, text=True, timeout=TIME_LIMIT,
            check=True,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise TapeError(f"dot took longer than {TIME_LIMIT:g} s.") from None
    except (OSError, subprocess.CalledProcessError, UnicodeError):
        raise TapeError("dot failed.") from None
    return done.stdout


def read_plain(
    printed: str, sizes: Sequence[tuple[float, float]], edges: Sequence[tuple[int, int]]
) -> Layout:
    """Read the coordinates that ``dot -Tplain`` printed; inches from the bottom left."""
    boxes: dict[int, tuple[float, float]] = {}
    wires: dict[tuple[int, int], list[list[tuple[float, float]]]] = {}
    width = height = 0.0
    try:
        for row in printed.splitlines():
            kind, *fields = row.split(" ")
            if kind == "graph":
                width, height = float(fields[1]) * INCH, float(fields[2]) * INCH
            elif kind == "node":
                number = int(fields[0][1:])
                x, y = float(fields[1]) * INCH, height - float(fields[2]) * INCH
                boxes[number] = (x - sizes[number][0] / 2, y - sizes[number][1] / 2)
            elif kind == "edge":
                count = int(fields[2])
                flat = [float(text) * INCH for text in fields[3 : 3 + 2 * count]]
                points = [(x, height - y) for x, y in zip(flat[::2], flat[1::2], strict=True)]
                key = int(fields[0][1:]), int(fields[1][1:])
                wires.setdefault(key, []).append(sampled(points))
        routed = [tuple(wires[edge].pop(0)) for edge in edges]
        placed = tuple(boxes[number] for number in range(len(sizes)))
    except (ValueError, IndexError, KeyError):
        raise TapeError("dot printed something that cannot be read.") from None
    return Layout(placed, tuple(routed), width, height, ())


def sampled(controls: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Points along a piecewise cubic Bézier curve."""
    points = [controls[0]]
    for start in range(0, len(controls) - 3, 3):
        piece = controls[start : start + 4]
        for step in range(1, SPLINE_POINTS + 1):
            t = step / SPLINE_POINTS
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            weighted = list(zip(weights, piece, strict=True))
            x = sum(weight * point[0] for weight, point in weighted)
            y = sum(weight * point[1] for weight, point in weighted)
            points.append((x, y))
    return points
