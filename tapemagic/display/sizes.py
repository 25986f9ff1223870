"""How large the words are, hence the boxes, and where the words beside a wire go.

Fonts differ between machines and nothing is measured: widths are those of a wide font, so that
text fits everywhere and the coordinates are the same everywhere.
"""

from __future__ import annotations

from textwrap import wrap
from typing import Any

from tapemagic.graph.layout import longest_path_ranks
from tapemagic.graph.marks import LEFT, SCISSORS

NOTE_WIDTH = 34  # characters
ROW = 14.0  # height of a line of small text
SMALL = 6.8  # width of a character of small (11 px) text
SMALL_PRINT = 5.6  # width of a character of the 9 px text around a box
LINE_WIDTH = 44.0  # of "line 12" beside a box
LARGE = 10.5  # width of a character of a gate's sign
FORK = 16.0  # free wire behind its words
ARRIVAL = 34.0  # wire between where it parts and where it arrives
WIDEST_PICTURE = 1250.0  # a picture longer than this flows downwards, as pages scroll

Box = dict[str, Any]

LEAVES = ("source", "stub", "constant")
BEGINS = "first "  # a note that begins so says where something went wrong
# The other notes repeat what stands beside the wire.
DRAWN_NOTES = (BEGINS, "both grew", "used ", "not watched", SCISSORS, LEFT)


def measure(box: Box) -> None:
    """Set the width and height of a box."""
    if box["kind"] == "group":
        beside = [len(box["code"]) + 3, len(box["op"]) + 8]  # the mark that opens it, its count
        box["w"] = clamp(max(beside) * SMALL + 24, 120, 300)
        box["h"] = 46 + (30 if box["strip"] else 0)
    elif box["kind"] in ("source", "stub", "constant"):
        letters = max(len(box["title"]), len(box["shape"]) if box["shape"] != "()" else 0)
        box["w"] = clamp(letters * 8.2 + 24, 48, 220)
        box["h"] = 42 if box["shape"] not in ("", "()") else 32
    elif box["kind"] == "failed":
        rows = note_rows(box)
        widest = max([len(box["op"]) * LARGE] + [len(row) * SMALL for row in rows])
        box["w"] = clamp(widest + 24, 80, 440)
        box["h"] = 40 + ROW * len(rows)
    else:
        widest = max([len(box["op"]) * LARGE] + [len(text) * 6.2 for text in box["local"]])
        box["w"] = clamp(widest + 22, 46, 220)
        # the small print may stand beside it, and is not to reach the words below it
        box["h"] = max(36 + 13 * len(box["local"]), 11 * len(small_rows(box)))


def note_rows(box: Box) -> list[str]:
    """Wrap what went wrong into rows inside a box."""
    return wrap(box["note"], NOTE_WIDTH)


def header(box: Box) -> str:
    """Name and shape that stand over the value of a wire."""
    name = box["title"] if box["kind"] in ("operation", "target", "group") else ""
    shape = box["shape"] if box["shape"] != "()" and box["kind"] not in LEAVES else ""
    return f"{name} {shape}".strip()


def label_size(box: Box) -> tuple[float, float, float]:
    """Width of the words beside the outgoing wire, height above it, height below it."""
    if box["kind"] == "failed":
        return 0.0, 0.0, 0.0
    rows = [*box["value_rows"], *box["gradient_rows"]]
    width = max([len(row) * SMALL + 12 for row in rows] + [len(header(box)) * SMALL])
    above = ROW * (len(box["value_rows"]) + bool(header(box))) + 6
    return width, above, ROW * len(box["gradient_rows"]) + 6


def direction_for(boxes: list[Box], edges: list[tuple[int, int]]) -> str:
    """Flow to the right while the picture fits a page, or would be wider still downwards."""
    if not boxes:
        return "right"
    ranks = longest_path_ranks(len(boxes), edges)
    lengths = [0.0] * (max(ranks) + 1)
    breadths = [0.0] * (max(ranks) + 1)
    widths = [width for (width, _) in extents(boxes, "down")[0]]
    for rank, box, width in zip(ranks, boxes, widths, strict=True):
        lengths[rank] = max(lengths[rank], box["w"] + label_size(box)[0] + FORK + ARRIVAL)
        breadths[rank] += width
    return "right" if sum(lengths) <= max(WIDEST_PICTURE, *breadths) else "down"


def extents(boxes: list[Box], direction: str) -> tuple[list[tuple[float, float]], list[float]]:
    """Size of each box with the words around it, and the space for words behind it."""
    sizes, tails = [], []
    for box in boxes:
        width, above, below = label_size(box)
        if direction == "right":
            small_print = 15 + 11 * len(small_rows(box))
            sizes.append((box["w"], 2 * max(box["h"] / 2 + small_print, above, below)))
            tails.append(width + FORK)
        else:
            beside = max(map(len, small_rows(box)), default=0) * SMALL_PRINT + 16
            sizes.append((2 * max(box["w"] / 2 + max(beside, LINE_WIDTH), width + 12), box["h"]))
            tails.append(above + below + FORK)
    return sizes, tails


def small_rows(box: Box) -> list[str]:
    """Small print of a box: what the gate does to a gradient, how often a leaf is used, cuts."""
    if box["kind"] in ("group", "stub"):
        return []
    notes = [note for note in box["note"].split("; ") if note.startswith(DRAWN_NOTES)]
    text = ";".join(filter(None, (box["verb"], *notes)))
    letters = max(int(box["w"] / 5), 16)
    rows = [
        row for part in text.replace(", ", ";").split(";") for row in wrap(part.strip(), letters)
    ]
    return rows[:5]


def place_label(box: Box, direction: str) -> None:
    """Where the words beside the outgoing wire begin, and how far the wire stays unforked."""
    width, above, below = label_size(box)
    shift = 14 if box["kind"] == "group" and direction == "right" else 8  # past the pile of cards
    if direction == "right":
        x, y = box["x"] + box["w"], box["y"] + box["h"] / 2
        box["label"] = {"x": x + shift, "y": y, "port": [x, y], "fork": [x + width + 12, y]}
    else:
        x, y = box["x"] + box["w"] / 2, box["y"] + box["h"]
        box["label"] = {
            "x": x + shift, "y": y + above + 2, "port": [x, y], "fork": [x, y + above + below + 2],
        }  # fmt: skip


def clamp(value: float, low: float, high: float) -> float:
    """Keep a size within bounds."""
    return float(round(min(max(value, low), high)))
