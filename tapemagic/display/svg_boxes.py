"""Boxes of the static picture, with the words in, around and behind them."""

from __future__ import annotations

import math
from html import escape
from typing import Any

from tapemagic.display.sizes import BEGINS, LEAVES, ROW, SMALL, header, note_rows, small_rows
from tapemagic.display.svg_marks import (
    ALARM,
    FAINT,
    GRADIENT,
    INK,
    PENCIL,
    VALUE,
    numbers,
    plain,
    rectangle,
    words,
)
from tapemagic.graph.marks import SCISSORS
from tapemagic.graph.words import cut, number

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


def draw_box(box: dict[str, Any], direction: str) -> list[str]:
    """A box with its own words, and the words beside the wire that leaves it."""
    fill, stroke, width, dashes, radius = LOOKS[box["kind"]]
    x, y, w, h = box["x"], box["y"], box["w"], box["h"]
    outline = f' stroke-dasharray="{dashes}"' if dashes else ""
    if box["state"] == "not-connected" and box["kind"] in ("operation", "source", "group"):
        outline = ' stroke-dasharray="5 4"'
        stroke = PENCIL
    if box["note"].startswith(BEGINS):
        _, stroke, width, *_ = LOOKS["failed"]
    parts = ["<g>", f"<title>{escape(tooltip(box))}</title>"]
    if box["kind"] == "group":
        parts += [  # a pile of cards
            rectangle(x + shift, y + shift, w, h, radius, fill, stroke, 1, "") for shift in (6, 3)
        ]
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
            parts.append(
                words(
                    centre,
                    middle + 13,
                    box["shape"],
                    fill=FAINT,
                    size=10,
                    anchor="middle",
                    mono=True,
                )
            )
    else:
        parts += gate_words(box)
    parts += around(box, direction)
    parts += beside_wire(box, direction)
    parts.append("</g>")
    return parts


def gate_words(box: dict[str, Any]) -> list[str]:
    """Sign of a gate, its local derivatives, and what went wrong in it."""
    centre, y = box["x"] + box["w"] / 2, box["y"]
    size = 18 if len(box["op"]) <= 3 else 15
    # small print beside it may make it taller than its words
    top = y + max(box["h"] - 36 - 13 * len(box["local"]), 0) / 2
    parts = [words(centre, top + 24, box["op"], size=size, anchor="middle", weight="bold")]
    for row, text in enumerate(box["local"]):
        parts.append(
            words(
                centre, top + 38 + 13 * row, text, fill=FAINT, size=10, anchor="middle", mono=True
            )
        )
    if box["kind"] == "failed":
        parts[0] = words(
            centre, y + 22, f"✗ {box['op']}", size=15, anchor="middle", weight="bold", fill=ALARM
        )
        parts += [
            words(centre, y + 42 + ROW * row, text, size=10.5, anchor="middle", fill=ALARM)
            for row, text in enumerate(note_rows(box))
        ]
    return parts


def group_words(box: dict[str, Any]) -> list[str]:
    """Source text, count, and the strip of a folded group."""
    x, y, w = box["x"], box["y"], box["w"]
    code = cut(box["code"] or box["op"], int((w - 20) / SMALL))
    parts = [words(x + 10, y + 18, code, mono=True, size=11)]
    if box["code"]:
        parts.append(words(x + 10, y + 35, box["op"], fill=FAINT, size=10))
    if box["count"] > 1:
        parts.append(
            words(
                x + w - 10,
                y + 36,
                f"× {box['count']:,}",
                size=14,
                anchor="end",
                weight="bold",
                fill="#7a5400",
            )
        )
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
    # A source was there when the cell began: its line is that of the magic, which says nothing.
    told = box["kind"] not in LEAVES or (box["line"] or 0) > 1
    line = f"line {box['line']}" if box["line"] and told and box["kind"] != "constant" else ""
    rows = small_rows(box)
    parts = []
    if direction == "right":
        parts.append(words(x + 2, y - 5, line, fill=FAINT, size=9) if line else "")
        parts += [
            small_print(x + w / 2, y + h + 12 + 11 * row, text, "middle")
            for row, text in enumerate(rows)
        ]
    else:
        parts.append(
            words(x - 6, y + h / 2 + 4, line, fill=FAINT, size=9, anchor="end") if line else ""
        )
        top = y + h / 2 + 4 - 5.5 * (len(rows) - 1)
        parts += [
            small_print(x + w + 8, top + 11 * row, text, "start") for row, text in enumerate(rows)
        ]
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
            ' stroke-width="1.3"/>'
        )
        parts.append(
            words(x2, y2 + 5, SCISSORS.strip(), size=15, anchor="middle", fill=ALARM)
            if SCISSORS in box["note"]
            else f'<circle cx="{plain(x2)}" cy="{plain(y2)}" r="2.2" fill="{PENCIL}"/>'
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
    if above:
        parts += numbers(x, top, above, VALUE, box["shape"])
    words_only = box["state"] in ("not-connected", "not-run") and box["kind"] != "constant"
    if below:
        parts += numbers(x, y + 14, below, FAINT if words_only else GRADIENT, box["shape"])
    if box["kind"] == "target" and not words_only and len(below) == 1:
        room = 8 if box["shape"] == "()" else 22  # past the bracket
        seed = x + len(below[0]) * 6.7 + room
        parts.append(words(seed, y + 14, "seed", fill=FAINT, size=9, style="italic"))
    return parts


def tooltip(box: dict[str, Any]) -> str:
    """What pointing at a box says, where the SVG is shown as a page of its own."""
    rows = [f"{box['title']} {box['op']}".strip(), box["code"], box["note"]]
    return "\n".join(row for row in rows if row)
