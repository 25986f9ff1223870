"""Small scenes written by hand, in the shape that tapemagic.display.scene makes."""

from __future__ import annotations

from typing import Any

Scene = dict[str, Any]

LINES = [
    "%%tape w b",
    "y = x @ w + b",
    "for step in range(40):",
    "    y = np.tanh(y)",
    "loss = (y**2).mean()",
]


def box(identifier: str, kind: str, x: float, y: float, title: str, **more: Any) -> Scene:
    line = more.pop("line", None)
    made = {
        "id": identifier, "kind": kind, "x": x, "y": y, "w": 90, "h": 36, "title": title,
        "op": "", "value": "0.5", "gradient": "1.25", "shape": "()", "dtype": "float64",
        "formula": [], "local": [], "line": line, "lines": [] if line is None else [line],
        "code": "", "verb": "", "step": 0, "count": 1, "strip": [], "group": "", "parent": "",
        "open": False, "state": "ok", "note": "", "ways_out": 1,
    }  # fmt: skip
    made |= more
    port = [made["x"] + made["w"] / 2, made["y"] + made["h"]]
    label = {"x": port[0] + 8, "y": port[1] + 30, "port": port, "fork": [port[0], port[1] + 50]}
    rows = {"value_rows": [made["value"]], "gradient_rows": [made["gradient"]]}
    return {**rows, "label": label, **made}


def wire(identifier: str, start: Scene, end: Scene) -> Scene:
    return {
        "id": identifier, "from": start["id"], "to": end["id"],
        "points": [start["label"]["port"], start["label"]["fork"], [end["x"] + 45, end["y"]]],
        "value": "0.5", "gradient": "1.25", "shape": "()", "state": "ok",
    }  # fmt: skip


def small_scene(opened: bool = False) -> Scene:
    """w, b → x @ w + b → a loop of 40 iterations (folded, or opened) → mean → loss."""
    w = box("n0", "source", 10, 10, "w", line=2, shape="(2,)", value_rows=["0.1  0.2"])
    b = box("n1", "source", 180, 10, "b", line=2, state="not-connected", gradient="not connected")
    x = box("c2", "constant", 350, 10, "constant", gradient="")
    affine = box(
        "n3", "operation", 180, 130, "y", op="+", line=2, verb="add copies", shape="(3, 2)",
        formula=["1", "x1"], local=["∂x2: x1"], code="y = x @ w + b", h=50,
        value="[[0.3, 0.1], …", value_rows=["0.3  0.1", "0.5   -2", "  1    7"],
    )  # fmt: skip
    strip = [10.0 ** (-index / 5) for index in range(40, 0, -1)]
    loop = box(
        "g0", "group", 150, 310, "y", line=4, count=40, strip=strip, h=76, w=190, group="g0",
        lines=[3, 4], op="40 operations", code="for step in range(40):", gradient="0.063",
        note="gradients vanish: factor 0.63 per step",
    )  # fmt: skip
    inner = box("n9", "operation", 200, 330, "", line=4, op="tanh", parent="g0")
    loss = box(
        "n8", "target", 180, 470, "loss", op="mean", line=5, value="0.0421", gradient="1",
        formula=["1 / n"], local=["∂x: 1 / n"], verb="mean shares evenly", h=49, ways_out=0,
        code="loss = (y**2).mean()",
    )  # fmt: skip
    middle_box = inner if opened else loop
    boxes = [w, b, x, affine, middle_box, loss]
    frame = {"id": "g0", "kind": "loop", "title": "for step in range(40):", "count": 40,
             "x": 140, "y": 300, "w": 220, "h": 110}  # fmt: skip
    middle = middle_box["id"]
    order = [["n0", "n1"], ["n3"], [middle], ["n8"]]
    lines = [2, 2, 4, 5]
    steps = [
        {"index": index, "boxes": ids, "line": line, "direction": direction}
        for direction, sequence in (("forward", 1), ("backward", -1))
        for index, (ids, line) in enumerate(list(zip(order, lines, strict=True))[::sequence])
    ]
    return {
        "width": 510, "height": 580, "direction": "down", "boxes": boxes, "lines": LINES,
        "first_line": 1, "frames": [frame] if opened else [],
        "wires": [wire("w0", w, affine), wire("w1", b, affine), wire("w2", x, affine),
                  wire("w3", affine, middle_box), wire("w4", middle_box, loss)],
        "steps": steps, "message": "", "open": ["g0"] if opened else [],
        "target": {"name": "loss", "value": "0.0421"},
        "sources": [
            {"name": "w", "shape": "(3, 2)", "dtype": "float64", "value": "[[0.1 0.2] …",
             "gradient": "[[-0.01 0.3] …", "norm": "1.2", "reason": "", "state": "ok"},
            {"name": "b", "shape": "(2,)", "dtype": "int64", "value": "[0 0]", "gradient": "",
             "norm": "", "reason": "integer: has no derivative", "state": "not-connected"},
        ],
    }  # fmt: skip


def large_scene(count: int) -> Scene:
    """A chain of many boxes, fifty to a row."""
    boxes = [
        box(f"n{i}", "operation", 170 * (i % 50), 90 * (i // 50), f"y@{i}", line=2)
        for i in range(count)
    ]
    wires = [wire(f"w{i}", boxes[i], boxes[i + 1]) for i in range(count - 1)]
    steps = [
        {"index": i, "boxes": [each["id"]], "line": 2, "direction": "forward"}
        for i, each in enumerate(boxes)
    ]
    return {
        **small_scene(), "width": 8500, "height": 90 * (count // 50 + 1), "boxes": boxes,
        "wires": wires, "steps": steps,
    }  # fmt: skip
