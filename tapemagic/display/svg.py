"""The static picture: a scene as one SVG text.

It is shown inside an ``<img>``, where a page's own style does not reach; it therefore brings its
paper with it and is as readable on a dark page as on a light one. No
meaning hangs on colour alone: values stand above a wire and gradients below it, and kinds of boxes
differ in outline.
"""

from __future__ import annotations

from collections import Counter
from html import escape
from itertools import pairwise
from typing import Any

from tapemagic.display.svg_boxes import draw_box
from tapemagic.display.svg_marks import (
    ALARM,
    FAINT,
    GRADIENT,
    INK,
    PAPER,
    PENCIL,
    SANS,
    VALUE,
    arrow_tip,
    plain,
    rectangle,
    words,
)
from tapemagic.graph.words import cut

LEGEND = 30.0  # height of the line of explanation under the picture
NARROWEST = 500.0  # the legend needs as much


def to_svg(scene: dict[str, Any]) -> str:
    """Draw a scene.

    Parameters
    ----------
    scene : dict
        From `tapemagic.display.scene.make_scene`.

    Returns
    -------
    str
        A complete SVG document; the same text for the same scene.
    """
    width = max(scene["width"], NARROWEST)
    height = scene["height"] + LEGEND
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{plain(width)}" height="{plain(height)}"',
        f'viewBox="0 0 {plain(width)} {plain(height)}" font-family="{SANS}" font-size="11">',
        f"<title>{escape(alternative(scene))}</title>",
        f"<defs>{arrow_tip('tip', INK)}{arrow_tip('idle', PENCIL)}</defs>",
        rectangle(0.5, 0.5, width - 1, height - 1, 8, PAPER, "#d9d3c3", 1, ""),
    ]
    for frame in scene["frames"]:
        if frame["clear"] and frame["kind"] != "line":
            parts += draw_frame(frame)
    arriving = Counter(wire["to"] for wire in scene["wires"])
    middles = {box["id"]: box["y"] + box["h"] / 2 for box in scene["boxes"]}
    # Wires of one box share their beginning: those along which a gradient came back lie on top.
    for wire in sorted(scene["wires"], key=lambda wire: wire["state"] != "not-connected"):
        parts += draw_wire(wire, scene["direction"])
        if arriving[wire["to"]] > 1:
            parts += operand_name(wire, scene["direction"], middles[wire["to"]])
    for box in scene["boxes"]:
        parts += draw_box(box, scene["direction"])
    parts += legend(scene, width, scene["height"] + 8)
    parts.append("</svg>\n")
    return "\n".join(parts)


def alternative(scene: dict[str, Any]) -> str:
    """Say in one sentence what the picture shows, for those who do not see it."""
    sources = ", ".join(row["name"] for row in scene["sources"]) or "no sources"
    target = scene["target"]["name"] or "no target yet"
    said = f"Graph of the recorded cell: from {sources} to {target}"
    return cut(f"{said}. {scene['message']}" if scene["message"] else said, 300)


def draw_wire(wire: dict[str, Any], direction: str) -> list[str]:
    """One wire, curved where it changes lanes; dashed when no gradient came back along it."""
    points = wire["points"]
    idle = wire["state"] == "not-connected"
    colour, tip = (PENCIL, "idle") if idle else (INK, "tip")
    dashes = ' stroke-dasharray="5 4"' if idle else ""
    path = curve(points, direction)
    return [
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.3"{dashes}',
        f'marker-end="url(#{tip})"/>',
    ]


def operand_name(wire: dict[str, Any], direction: str, middle: float) -> list[str]:
    """What the formulas of the gate call the operand that arrives here."""
    x, y = wire["points"][-1]
    if direction == "down":
        x, y = x - 4, y - 9
    else:  # above the upper wires and below the lower ones, away from their curves
        x, y = x - 11, y + (9 if y > middle + 1 else -4)
    text = words(x, y, wire["operand"], fill=FAINT, size=8.5, anchor="end", mono=True)
    return [text] if wire["operand"] else []


def curve(points: list[list[float]], direction: str) -> str:
    """Path through the points that leaves and arrives along the flow."""
    commands = [f"M{plain(points[0][0])},{plain(points[0][1])}"]
    for (x1, y1), (x2, y2) in pairwise(points):
        across = y2 - y1 if direction == "right" else x2 - x1
        if abs(across) < 0.3:
            commands.append(f"L{plain(x2)},{plain(y2)}")
        elif direction == "right":
            half = (x1 + x2) / 2
            commands.append(
                f"C{plain(half)},{plain(y1)} {plain(half)},{plain(y2)} {plain(x2)},{plain(y2)}"
            )
        else:
            half = (y1 + y2) / 2
            commands.append(
                f"C{plain(x1)},{plain(half)} {plain(x2)},{plain(half)} {plain(x2)},{plain(y2)}"
            )
    return "".join(commands)


def draw_frame(frame: dict[str, Any]) -> list[str]:
    """Background of an opened group."""
    left, bottom = frame["x"] + 7, frame["y"] + frame["h"] - 5
    return [
        rectangle(frame["x"], frame["y"], frame["w"], frame["h"], 8, "#f6f1e2", "#d8cba6", 1,
                  ' stroke-dasharray="3 3"'),
        words(left, bottom, frame["title"], fill=FAINT, size=9, mono=True),
    ]  # fmt: skip


def legend(scene: dict[str, Any], width: float, y: float) -> list[str]:
    """How to read the picture."""
    if scene["message"]:
        return [
            words(24, y + 8, cut(scene["message"], int((width - 48) / 6.4)), size=10, fill=ALARM)
        ]
    return [
        words(24, y + 8, "above the wire: value", size=10, fill=VALUE),
        words(160, y + 8, "below the wire: gradient of the target", size=10, fill=GRADIENT),
        words(385, y + 8, "● gradients add", size=10, fill=FAINT),
    ]
