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
        "id": identifier, "kind": kind, "x": x, "y": y, "w": 150, "h": 60, "title": title,
        "op": kind, "value": "0.5", "gradient": "1.25", "shape": "(3, 2)", "dtype": "float64",
        "formula": [], "line": line, "lines": [] if line is None else [line], "code": "",
        "verb": "", "step": 0, "count": 1, "strip": [], "group": "", "open": False,
        "state": "ok", "note": "",
    }  # fmt: skip
    return {**made, **more}


def wire(identifier: str, start: Scene, end: Scene) -> Scene:
    return {
        "id": identifier, "from": start["id"], "to": end["id"],
        "points": [[start["x"] + 75, start["y"] + 60], [end["x"] + 75, end["y"]]],
        "value": "0.5", "gradient": "1.25", "shape": "(3, 2)",
    }  # fmt: skip


def small_scene(opened: bool = False) -> Scene:
    """w, b → x @ w + b → a loop of 40 iterations (folded, or opened) → mean → loss."""
    w = box("n0", "source", 10, 10, "w", op="source", value="[[0.1 0.2]\n …", line=2)
    b = box("n1", "source", 180, 10, "b", op="source", value="[0 0]", line=2, gradient="[-0.2 0.4]")
    x = box("n2", "constant", 350, 10, "x", op="constant", h=40, gradient="")
    affine = box(
        "n3", "operation", 180, 110, "y", op="add", line=2, verb="add copies",
        formula=["1", "1"], code="y = x @ w + b", value="[[0.3 0.1] …", gradient="[[-0.01 …",
    )  # fmt: skip
    strip = [10.0 ** (-index / 5) for index in range(40, 0, -1)]
    loop = box(
        "g0", "group", 180, 210, "for step", line=4, count=40, strip=strip, h=76,
        lines=[3, 4], op="tanh", open=opened, note="gradients vanish: factor 0.63 per step",
    )  # fmt: skip
    inner = box("n9", "operation", 200, 250, "tanh", line=4, op="tanh", group="g0")
    below = 310 if not opened else 390
    loss = box(
        "n8", "target", 180, below, "loss", op="mean", line=5, value="0.0421", gradient="1",
        formula=["1 / n"], shape="()", verb="mean shares out", code="loss = (y**2).mean()",
    )  # fmt: skip
    boxes = [w, b, x, affine, loop, loss]
    if opened:
        loop |= {"x": 170, "w": 200, "h": 150}
        boxes.insert(5, inner)
    middle = "n9" if opened else "g0"
    order = [["n0", "n1"], ["n3"], [middle], ["n8"]]
    lines = [2, 2, 4, 5]
    steps = [
        {"index": index, "boxes": ids, "line": line, "direction": direction}
        for direction, sequence in (("forward", 1), ("backward", -1))
        for index, (ids, line) in enumerate(list(zip(order, lines, strict=True))[::sequence])
    ]
    return {
        "width": 510, "height": below + 70, "boxes": boxes, "lines": LINES, "first_line": 1,
        "wires": [wire("w0", w, affine), wire("w1", b, affine), wire("w2", x, affine),
                  wire("w3", affine, loop), wire("w4", loop, loss)],
        "steps": steps, "message": "", "open": ["g0"] if opened else [],
        "target": {"name": "loss", "value": "0.0421"},
        "sources": [
            {"name": "w", "shape": "(3, 2)", "dtype": "float64", "value": "[[0.1 0.2] …",
             "gradient": "[[-0.01 0.3] …", "norm": "1.2", "reason": ""},
            {"name": "b", "shape": "(2,)", "dtype": "int64", "value": "[0 0]", "gradient": "",
             "norm": "", "reason": "integer: has no derivative"},
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
