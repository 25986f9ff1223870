"""The static picture: a scene as one SVG text.

It is shown inside an ``<img>``, where a page's own style does not reach; it therefore brings its
paper with it and is as readable on a dark page as on a light one. Colours are those of Okabe and
Ito (2008), darkened where small text needs the contrast; no meaning hangs on colour alone: values
stand above a wire and gradients below, kinds of boxes differ in outline.
"""

from __future__ import annotations

import math
from html import escape
from typing import Any

from tapemagic.display.sizes import BEGINS, LEAVES, ROW, header, small_rows
from tapemagic.graph.words import cut, number

PAPER, INK, FAINT, PENCIL = "#fffdf7", "#22252b", "#6a6e76", "#8d9199"
VALUE, GRADIENT, ALARM = "#0064a0", "#b54a00", "#a83200"
SANS = "'DejaVu Sans','Segoe UI',Verdana,Helvetica,Arial,sans-serif"
MONO = "'DejaVu Sans Mono',Menlo,Consolas,monospace"
BRACKET = 4.0
LEGEND = 30.0  # height of the line of explanation under the picture
NARROWEST = 500.0  # the legend needs as much

# kind -> (fill, outline, width of outline, dashes, radius of corners)
LOOKS = {
    "source": ("#e3f4ec", "#007a58", 1.6, "", 16),
    "stub": ("#f1faf6", "#007a58", 1.2, "4 3", 16),
    "constant": ("#f1f1ef", PENCIL, 1.2, "", 4),
    "operation": ("#ffffff", INK, 1.4, "", 12),
    "target": ("#f9eaf2", "#a0447a", 2.4, "", 12),
    "group": ("#fff6df", "#a87400", 1.6, "", 6),
    "failed": ("#fdebe1", "#c23b00", 2.6, "", 4),
}


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
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{plain(width)}" height="{plain(height)}"'
        f' viewBox="0 0 {plain(width)} {plain(height)}" font-family="{SANS}" font-size="11">',
        f"<title>{escape(alternative(scene))}</title>",
        f'<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7"'
        f' markerHeight="7" orient="auto"><path d="M0,0.8L7.5,4L0,7.2z" fill="{INK}"/></marker>'
        f'<marker id="idle" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"'
        f' orient="auto"><path d="M0,0.8L7.5,4L0,7.2z" fill="{PENCIL}"/></marker></defs>',
        f'<rect x="0.5" y="0.5" width="{plain(width - 1)}" height="{plain(height - 1)}" rx="8"'
        f' fill="{PAPER}" stroke="#d9d3c3"/>',
    ]
    for frame in clear_frames(scene):
        parts += draw_frame(frame)
    for wire in scene["wires"]:
        parts += draw_wire(wire, scene["direction"])
    for box in scene["boxes"]:
        parts += draw_box(box, scene["direction"])
    parts += legend(scene, scene["height"] + 8)
    parts.append("</svg>\n")
    return "\n".join(parts)


def alternative(scene: dict[str, Any]) -> str:
    """Say in one sentence what the picture shows, for those who do not see it."""
    sources = ", ".join(row["name"] for row in scene["sources"]) or "no sources"
    target = scene["target"]["name"] or "no target yet"
    said = f"Graph of the recorded cell: from {sources} to {target}"
    return cut(f"{said}. {scene['message']}" if scene["message"] else said, 300)


def plain(value: float) -> str:
    """Spell a coordinate: at most one decimal, no trailing zero."""
    text = f"{value:.1f}"
    return text[:-2] if text.endswith(".0") else text


def words(
    x: float, y: float, text: str, *, fill: str = INK, size: float = 11, anchor: str = "start",
    mono: bool = False, weight: str = "", style: str = "",
) -> str:  # fmt: skip
    """One piece of text; the only place where text becomes markup."""
    extra = f' font-family="{MONO}"' if mono else ""
    extra += f' font-weight="{weight}"' if weight else ""
    extra += f' font-style="{style}"' if style else ""
    extra += f' text-anchor="{anchor}"' if anchor != "start" else ""
    return (
        f'<text x="{plain(x)}" y="{plain(y)}" font-size="{size:g}" fill="{fill}"{extra}'
        f' xml:space="preserve">{escape(text)}</text>'
    )


def draw_wire(wire: dict[str, Any], direction: str) -> list[str]:
    """One wire, curved where it changes lanes; dashed when no gradient came back along it."""
    points = wire["points"]
    idle = wire["state"] == "not-connected"
    colour, tip = (PENCIL, "idle") if idle else (INK, "tip")
    dashes = ' stroke-dasharray="5 4"' if idle else ""
    parts = [
        f'<path d="{curve(points, direction)}" fill="none" stroke="{colour}"'
        f' stroke-width="1.3"{dashes} marker-end="url(#{tip})"/>'
    ]
    if wire["operand"]:
        x, y = points[-1]
        x, y = (x - 11, y - 4) if direction == "right" else (x - 4, y - 9)
        parts.append(words(x, y, wire["operand"], fill=FAINT, size=8.5, anchor="end", mono=True))
    return parts


def curve(points: list[list[float]], direction: str) -> str:
    """Path through the points that leaves and arrives along the flow."""
    commands = [f"M{plain(points[0][0])},{plain(points[0][1])}"]
    for (x1, y1), (x2, y2) in zip(points, points[1:], strict=False):
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


def draw_box(box: dict[str, Any], direction: str) -> list[str]:
    """A box with its own words, and the words beside the wire that leaves it."""
    fill, stroke, width, dashes, radius = LOOKS[box["kind"]]
    x, y, w, h = box["x"], box["y"], box["w"], box["h"]
    outline = f' stroke-dasharray="{dashes}"' if dashes else ""
    if box["state"] == "not-connected" and box["kind"] in ("operation", "source", "group"):
        outline = ' stroke-dasharray="5 4"'
        stroke = PENCIL
    parts = ["<g>", f"<title>{escape(tooltip(box))}</title>"]
    if box["kind"] == "group":
        for shift in (6, 3):  # a pile of cards
            parts.append(rectangle(x + shift, y + shift, w, h, radius, fill, stroke, 1, ""))
    parts.append(rectangle(x, y, w, h, radius, fill, stroke, width, outline))
    centre = x + w / 2
    if box["kind"] == "group":
        parts += group_words(box)
    elif box["kind"] in LEAVES:
        shaped = box["shape"] not in ("", "()")
        middle = y + h / 2 + (-2 if shaped else 4.5)
        weight = "" if box["kind"] == "constant" else "bold"
        title = box["title"]
        parts.append(words(centre, middle, title, size=13, anchor="middle", weight=weight))
        if shaped:
            parts.append(words(centre, middle + 13, box["shape"], fill=FAINT, size=10,
                               anchor="middle", mono=True))
    else:
        parts += gate_words(box)
    parts += around(box, direction)
    parts += beside_wire(box, direction)
    parts.append("</g>")
    return parts


def rectangle(
    x: float, y: float, w: float, h: float, radius: float, fill: str, stroke: str, width: float,
    extra: str,
) -> str:  # fmt: skip
    """One rounded rectangle."""
    return (
        f'<rect x="{plain(x)}" y="{plain(y)}" width="{plain(w)}" height="{plain(h)}"'
        f' rx="{plain(min(radius, h / 2))}" fill="{fill}" stroke="{stroke}"'
        f' stroke-width="{width:g}"{extra}/>'
    )


def gate_words(box: dict[str, Any]) -> list[str]:
    """Sign of a gate, its local derivatives, and what went wrong in it."""
    centre, y = box["x"] + box["w"] / 2, box["y"]
    size = 18 if len(box["op"]) <= 3 else 15
    parts = [words(centre, y + 24, box["op"], size=size, anchor="middle", weight="bold")]
    for row, text in enumerate(box["local"]):
        parts.append(words(centre, y + 38 + 13 * row, text, fill=FAINT, size=10, anchor="middle",
                           mono=True))
    if box["kind"] == "failed":
        parts[0] = words(centre, y + 22, f"✗ {box['op']}", size=15, anchor="middle",
                         weight="bold", fill=ALARM)
        parts.append(words(centre, y + 42, box["note"], size=10.5, anchor="middle",
                           fill=ALARM))
    return parts


def group_words(box: dict[str, Any]) -> list[str]:
    """Source text, count, and the strip of a folded group."""
    x, y, w = box["x"], box["y"], box["w"]
    parts = [words(x + 10, y + 18, box["code"] or box["op"], mono=True, size=11)]
    if box["code"]:
        parts.append(words(x + 10, y + 35, box["op"], fill=FAINT, size=10))
    if box["count"] > 1:
        parts.append(words(x + w - 10, y + 36, f"× {box['count']:,}", size=14, anchor="end",
                           weight="bold", fill="#7a5400"))
    if box["strip"]:
        parts += draw_strip(box["strip"], x + 10, y + 56, w - 20, 20)
    return parts


def draw_strip(
    strip: list[float | None], x: float, y: float, width: float, height: float
) -> list[str]:
    """|gradient| per iteration as bars on a logarithmic scale of at least three decades."""
    known = [value for value in strip if value is not None and 0 < value < math.inf]
    ends = [value for value in (strip[0], strip[-1]) if value is not None]
    said = "|gradient| " + " → ".join(number(value, 2) for value in ends)
    parts = [words(x, y - 4, said, fill=GRADIENT, size=9)]
    high = math.log10(max(known)) if known else 0.0
    low = min(math.log10(min(known)) if known else 0.0, high - 3) - 0.3
    step = width / len(strip)
    for place, value in enumerate(strip):
        if value is None or value == 0:
            tall, colour = 1.0, PENCIL
        elif not math.isfinite(value):
            tall, colour = height, INK
        else:
            tall, colour = height * (math.log10(value) - low) / (high - low), "#d55e00"
        parts.append(
            f'<rect x="{plain(x + place * step)}" y="{plain(y + height - tall)}"'
            f' width="{plain(max(step * 0.8, 0.6))}" height="{plain(tall)}" fill="{colour}"/>'
        )
    return parts


def around(box: dict[str, Any], direction: str) -> list[str]:
    """Small print: the line of the cell, and what the gate does to a gradient."""
    if box["kind"] == "stub":
        return []
    x, y, w, h = box["x"], box["y"], box["w"], box["h"]
    line = f"line {box['line']}" if box["line"] and box["kind"] != "constant" else ""
    rows = small_rows(box)
    parts = []
    if direction == "right":
        parts.append(words(x + 2, y - 5, line, fill=FAINT, size=9) if line else "")
        parts += [small_print(x + w / 2, y + h + 12 + 11 * row, text, "middle")
                  for row, text in enumerate(rows)]
    else:
        parts.append(words(x - 6, y + h / 2 + 4, line, fill=FAINT, size=9, anchor="end")
                     if line else "")
        top = y + h / 2 + 4 - 5.5 * (len(rows) - 1)
        parts += [small_print(x + w + 8, top + 11 * row, text, "start")
                  for row, text in enumerate(rows)]
    return [part for part in parts if part]


def small_print(x: float, y: float, text: str, anchor: str) -> str:
    """One row of small print; alarming ones in the colour of failures."""
    fill = ALARM if text.startswith(BEGINS) else FAINT
    return words(x, y, text, fill=fill, size=9, anchor=anchor, style="italic")


def beside_wire(box: dict[str, Any], direction: str) -> list[str]:
    """Name, shape and value above the wire that leaves a box, gradient below it."""
    if box["kind"] == "failed" or not box["label"]:
        return []
    (x1, y1), (x2, y2) = box["label"]["port"], box["label"]["fork"]
    parts = []
    if not box["ways_out"]:
        parts.append(
            f'<path d="M{plain(x1)},{plain(y1)}L{plain(x2)},{plain(y2)}" stroke="{PENCIL}"'
            f' stroke-width="1.3"/><circle cx="{plain(x2)}" cy="{plain(y2)}" r="2.2"'
            f' fill="{PENCIL}"/>'
        )
    elif box["ways_out"] > 1 and box["kind"] != "constant":
        parts.append(f'<circle cx="{plain(x2)}" cy="{plain(y2)}" r="3" fill="{INK}"/>')
    x, y = box["label"]["x"], box["label"]["y"]
    above, below = box["value_rows"], box["gradient_rows"]
    top = y - 6 - ROW * (len(above) - 1)
    if header(box):
        shape = box["shape"] if box["shape"] in header(box) else ""
        parts.append(
            f'<text x="{plain(x)}" y="{plain(top - ROW)}" font-size="11" fill="{INK}"'
            f' font-weight="bold">{escape(header(box)[: -len(shape) or None].strip())}'
            f'<tspan font-weight="normal" font-size="9.5" fill="{FAINT}"> {escape(shape)}</tspan>'
            "</text>"
        )
    parts += numbers(x, top, above, VALUE, box["shape"])
    words_only = box["state"] in ("not-connected", "not-run") and box["kind"] != "constant"
    parts += numbers(x, y + 14, below, FAINT if words_only else GRADIENT,
                     "()" if words_only else box["shape"])
    if box["kind"] == "target" and not words_only and len(below) == 1:
        seed = x + len(below[0]) * 6.7 + 8
        parts.append(words(seed, y + 14, "seed", fill=FAINT, size=9, style="italic"))
    return parts


def numbers(x: float, y: float, rows: list[str], colour: str, shape: str) -> list[str]:
    """Rows of numbers, a vector or matrix between brackets."""
    bracketed = shape not in ("()", "") and not rows[:1] == [""] and rows and "norm" not in rows[0]
    bracketed = bracketed and not rows[0].startswith("[") and not rows[0].startswith("empty")
    inset = BRACKET + 2 if bracketed else 0
    parts = [
        words(x + inset, y + ROW * row, text, fill=colour, mono=True)
        for row, text in enumerate(rows)
    ]
    if bracketed:
        top, bottom = y - 10, y + ROW * (len(rows) - 1) + 3
        right = x + 2 * inset + max(map(len, rows)) * 6.65
        parts.append(
            f'<path d="M{plain(x + BRACKET)},{plain(top)}H{plain(x)}V{plain(bottom)}h{BRACKET:g}'
            f'M{plain(right - BRACKET)},{plain(top)}H{plain(right)}V{plain(bottom)}h-{BRACKET:g}"'
            f' fill="none" stroke="{colour}" stroke-width="1"/>'
        )
    return parts


def clear_frames(scene: dict[str, Any]) -> list[dict[str, Any]]:
    """Frames of opened calls and loops that would not run through boxes of others."""
    clear = []
    for frame in scene["frames"]:
        if frame["kind"] == "line":
            continue
        inside = frame["id"]
        foreign = (
            box for box in scene["boxes"]
            if box["parent"] != inside and not box["parent"].startswith(f"{inside}.")
        )  # fmt: skip
        if not any(overlap(frame, box) for box in foreign):
            clear.append(frame)
    return clear


def overlap(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two rectangles share a point."""
    return (
        one["x"] < other["x"] + other["w"] and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"] and other["y"] < one["y"] + one["h"]
    )  # fmt: skip


def draw_frame(frame: dict[str, Any]) -> list[str]:
    """Background of an opened group."""
    title = f"{frame['title']}( )" if frame["kind"] == "call" else frame["title"]
    return [
        rectangle(frame["x"], frame["y"], frame["w"], frame["h"], 8, "#f6f1e2", "#d8cba6", 1,
                  ' stroke-dasharray="3 3"'),
        words(frame["x"] + 7, frame["y"] + frame["h"] - 5, title, fill=FAINT, size=9, mono=True),
    ]  # fmt: skip


def tooltip(box: dict[str, Any]) -> str:
    """What pointing at a box says, where the SVG is shown as a page of its own."""
    rows = [f"{box['title']} {box['op']}".strip(), box["code"], box["note"]]
    return "\n".join(row for row in rows if row)


def legend(scene: dict[str, Any], y: float) -> list[str]:
    """How to read the picture."""
    if scene["message"]:
        return [words(24, y + 8, cut(scene["message"], 110), size=10, fill=ALARM)]
    return [
        words(24, y + 8, "above the wire: value", size=10, fill=VALUE),
        words(160, y + 8, "below the wire: gradient of the target", size=10, fill=GRADIENT),
        words(385, y + 8, "● gradients add", size=10, fill=FAINT),
    ]
