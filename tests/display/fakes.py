"""Fake tapes: plain objects with the reading interface that graph/ asks for.

`Recorder` is a small reverse-mode tape of its own for a handful of operations, so that values and
gradients in the fakes are real ones and can be checked against the closed form.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tapemagic.autodiff.absence import CellNames


@dataclass
class FakeNode:
    index: int
    op: str
    formulas: tuple[str, ...]
    inputs: tuple[int | None, ...]
    constants: tuple
    shape: tuple[int, ...]
    dtype: str
    value: Any
    line: int | None
    function: str
    calls: tuple
    params: dict = field(default_factory=dict)
    marks: tuple = ()
    inside: str = ""


@dataclass
class FakeCell:
    text: str
    number: int | None = 1


@dataclass
class FakeFailure:
    line: int | None
    op: str
    message: str
    inputs: tuple = ()


def unbroadcast(ct, shape):
    """Sum a cotangent back to the shape of its operand."""
    ct = np.asarray(ct)
    while ct.ndim > len(shape):
        ct = ct.sum(axis=0)
    for axis, length in enumerate(shape):
        if length == 1 and ct.shape[axis] != 1:
            ct = ct.sum(axis=axis, keepdims=True)
    return ct


# name -> (function, formulas, pullback of (ct, y, x1, x2) to one cotangent per operand)
OPERATIONS = {
    "add": (np.add, ("1", "1"), lambda ct, y, a, b: (ct, ct)),
    "subtract": (np.subtract, ("1", "-1"), lambda ct, y, a, b: (ct, -ct)),
    "multiply": (np.multiply, ("x2", "x1"), lambda ct, y, a, b: (ct * b, ct * a)),
    "divide": (np.divide, ("1 / x2", "-y / x2"), lambda ct, y, a, b: (ct / b, -ct * y / b)),
    "matmul": (
        np.matmul,
        ("ct @ x2.T", "x1.T @ ct"),
        lambda ct, y, a, b: (ct @ np.swapaxes(b, -1, -2), np.swapaxes(a, -1, -2) @ ct),
    ),
    "power": (
        np.power,
        ("x2 * x1**(x2 - 1)", "y * log(x1)"),
        lambda ct, y, a, b: (ct * b * a ** (b - 1), None),
    ),
    "maximum": (
        np.maximum,
        ("x1 > x2", "x2 > x1"),
        lambda ct, y, a, b: (ct * (a > b), ct * (b > a)),
    ),
    "tanh": (np.tanh, ("1 - y**2",), lambda ct, y, a: (ct * (1 - y**2),)),
    "sin": (np.sin, ("cos(x)",), lambda ct, y, a: (ct * np.cos(a),)),
    "log": (np.log, ("1 / x",), lambda ct, y, a: (ct / a,)),
    "sqrt": (np.sqrt, ("0.5 / y",), lambda ct, y, a: (ct * 0.5 / y,)),
    "floor": (np.floor, ("0",), lambda ct, y, a: (ct * 0.0,)),
    "mean": (np.mean, ("1 / n",), lambda ct, y, a: (np.broadcast_to(ct / a.size, a.shape),)),
    "stack": (lambda *parts: np.stack(parts), (), lambda ct, y, *parts: tuple(ct)),
    "sum": (np.sum, ("1",), lambda ct, y, a: (np.broadcast_to(ct, a.shape),)),
}


class Recorder:
    """Record operations by hand and hand out what graph/ reads.

    Parameters
    ----------
    text : str
        The cell.
    """

    def __init__(self, text: str = "", number: int | None = 1) -> None:
        self.cell = FakeCell(text, number) if text else None
        self.recorded: list[FakeNode] = []
        self.bindings: list[tuple[str, int]] = []
        self.source_nodes: dict[str, int] = {}
        self.target: tuple[str, int] | None = None
        self.cotangents: dict[int, Any] | None = None
        self.failure: FakeFailure | None = None
        self.sweep_failure: FakeFailure | None = None
        self.caught: list[tuple[int | None, str]] = []
        self.reasons: dict[str, str] = {}
        self.target_reason = ""
        self.cell_names = CellNames()

    @property
    def asked_target(self):
        return self.target

    def nodes(self):
        return self.recorded

    def source(self, name, value):
        value = np.asarray(value) if np.ndim(value) else value
        index = self.append("source", value, (), (), (), None, ())
        self.source_nodes[name] = index
        return index

    def append(self, op, value, formulas, inputs, constants, line, calls):
        index = len(self.recorded)
        function = calls[-1][0] if len(calls) > 1 else ""
        shape, dtype = np.shape(value), str(np.asarray(value).dtype)
        self.recorded.append(
            FakeNode(
                index, op, formulas, inputs, constants, shape, dtype, value, line, function, calls
            )
        )
        return index

    def run(self, op, *operands, line=None, name="", calls=None):
        """Record `op` on nodes (int) and constants (float or array), give the new node."""
        function, formulas, _ = OPERATIONS[op]
        inputs = tuple(item if type(item) is int else None for item in operands)
        constants = tuple(None if type(item) is int else item for item in operands)
        with np.errstate(all="ignore"):
            value = function(*self.plain(inputs, constants))
        calls = calls or (("", "<cell>", line or 0),)
        index = self.append(op, value, formulas, inputs, constants, line, calls)
        if name:
            self.bind(name, index)
        return index

    def mark(self, kind, index, line, detail=""):
        """Note that a value was cut, shown, or became an integer or bool; give the plain value."""
        self.recorded[index].marks += ((kind, line, detail),)
        return self.recorded[index].value

    def bind(self, name, index):
        self.bindings.append((name, index))

    def plain(self, inputs, constants):
        return [
            constant if index is None else self.recorded[index].value
            for index, constant in zip(inputs, constants, strict=True)
        ]

    def contribution(self, index, operand, ct):
        """What one operation alone makes of a cotangent of its result, for one operand."""
        node = self.recorded[index]
        parts = OPERATIONS[node.op][2](ct, node.value, *self.plain(node.inputs, node.constants))
        shape = self.recorded[operand].shape
        return sum(
            unbroadcast(part, shape)
            for start, part in zip(node.inputs, parts, strict=True)
            if start == operand
        )

    def gradient(self, name, index):
        """Sweep backward from a target; a node that gets nothing is left out."""
        self.target = (name, index)
        self.cotangents = {index: np.ones(self.recorded[index].shape)}
        for node in reversed(self.recorded[: index + 1]):
            ct = self.cotangents.get(node.index)
            if ct is None or node.op == "source":
                continue
            with np.errstate(all="ignore"):
                parts = OPERATIONS[node.op][2](
                    ct, node.value, *self.plain(node.inputs, node.constants)
                )
            for start, part in zip(node.inputs, parts, strict=True):
                if start is None or part is None:
                    continue
                summed = unbroadcast(part, self.recorded[start].shape)
                before = self.cotangents.get(start)
                self.cotangents[start] = summed if before is None else before + summed
        return self


TUTORIAL_CELL = """%%tape w b -t loss
y = x @ w + b
loss = (y**2).mean()"""

TUTORIAL_W = np.array([[0.7462019, -0.00618961], [1.2371953, -1.3333826], [-0.9515552, -0.8407472]])


def tutorial(gradient=True):
    """Example 2 of the tutorial: y = x @ w + b, the mean of its squares."""
    tape = Recorder(TUTORIAL_CELL)
    w, b = tape.source("w", TUTORIAL_W.copy()), tape.source("b", np.zeros(2))
    product = tape.run("matmul", np.array([[-2.0, 1.0, 3.0]]), w, line=2)
    y = tape.run("add", product, b, line=2, name="y")
    square = tape.run("power", y, 2.0, line=3)
    loss = tape.run("mean", square, line=3, name="loss")
    tape.target = ("loss", loss)
    return tape.gradient("loss", loss) if gradient else tape


def not_run():
    """The same recording before a gradient is asked for."""
    return tutorial(gradient=False)


LOOP_CELL = """%%tape w x
h = x
for t in range(50):
    a = w * h
    h = np.tanh(a)
loss = h * h"""


def loop(steps=50, w=0.9):
    """A recurrent loop of `steps` iterations of two lines."""
    tape = Recorder(LOOP_CELL.replace("50", str(steps)))
    weight, h = tape.source("w", w), tape.source("x", 0.5)
    tape.bind("h", h)
    for _ in range(steps):
        a = tape.run("multiply", weight, h, line=4, name="a")
        h = tape.run("tanh", a, line=5, name="h")
    return tape.gradient("loss", tape.run("multiply", h, h, line=6, name="loss"))


FAILED_CELL = """%%tape w
y = np.sin(w)
z = y * w
p = y @ z[:, None]"""


def failed():
    """A cell whose third operation raises."""
    tape = Recorder(FAILED_CELL)
    w = tape.source("w", np.array([1.0, 2.0, 3.0]))
    y = tape.run("sin", w, line=2, name="y")
    z = tape.run("multiply", y, w, line=3, name="z")
    tape.failure = FakeFailure(4, "matmul", "ValueError: shapes do not match", (y, z))
    return tape


NAN_CELL = """%%tape x
r = np.sqrt(x - 1)
s = r * 2
loss = s.sum()"""


def nan():
    """A square root of a negative element: nan forward at line 2, element 1."""
    tape = Recorder(NAN_CELL)
    x = tape.source("x", np.array([2.0, 0.5, 5.0]))
    shifted = tape.run("subtract", x, 1.0, line=2)
    r = tape.run("sqrt", shifted, line=2, name="r")
    s = tape.run("multiply", r, 2.0, line=3, name="s")
    return tape.gradient("loss", tape.run("sum", s, line=4, name="loss"))


UNUSED_CELL = """%%tape x b n -t f
z = np.sin(b)
f = (x + 1.5) ** 2"""


def unused():
    """`b` feeds only z, which the target does not read; `n` is an integer."""
    tape = Recorder(UNUSED_CELL)
    x, b = tape.source("x", 0.0), tape.source("b", 1.5)
    tape.reasons["n"] = "integer: has no derivative"
    tape.run("sin", b, line=2, name="z")
    total = tape.run("add", x, 1.5, line=3)
    return tape.gradient("f", tape.run("power", total, 2.0, line=3, name="f"))


CUT_CELL = """%%tape w b n -t loss
a = np.sin(w)
c = stop_gradient(a)
print(b)
k = int(n)
loss = b * c + k"""


def cut():
    """`w` is cut at line 3, `n` becomes an integer at line 5, `b` is shown at line 4."""
    tape = Recorder(CUT_CELL)
    w, b, n = (tape.source(name, value) for name, value in (("w", 2.0), ("b", 1.5), ("n", 3.0)))
    kept = tape.mark("cut", tape.run("sin", w, line=2, name="a"), 3)
    tape.mark("shown", b, 4)
    k = tape.mark("flat", n, 5, "an integer (int)")
    product = tape.run("multiply", b, kept, line=6)
    return tape.gradient("loss", tape.run("add", product, k, line=6, name="loss"))


CALL_CELL = """%%tape x w
h = layer(x, w)
out = layer(h, w)
loss = out.sum()"""


def calls(layers=2):
    """A helper of an earlier cell, called twice; its body has two lines."""
    tape = Recorder(CALL_CELL)
    h, w = tape.source("x", np.array([[1.0, -1.0]])), tape.source("w", np.eye(2) * 0.5)
    for number in range(layers):
        line = 2 + number
        outer = ("", "<cell>", line)
        product = tape.run("matmul", h, w, line=line, calls=(outer, ("layer", "<helper>", 2)))
        h = tape.run(
            "tanh",
            product,
            line=line,
            name="h" if number == 0 else "out",
            calls=(outer, ("layer", "<helper>", 3)),
        )
    return tape.gradient("loss", tape.run("sum", h, line=4, name="loss"))


def large(count=100_000):
    """A loop with `count` operations on scalars, two lines per iteration, made quickly."""
    tape = Recorder(LOOP_CELL.replace("50", str(count // 2)))
    weight, h = tape.source("w", 1.0), tape.source("x", 0.5)
    frames = {line: (("", "<cell>", line),) for line in (4, 5)}
    for index in range(2, count + 2):
        line = 4 if index % 2 == 0 else 5
        op, formulas, inputs = (
            ("multiply", ("x2", "x1"), (weight, h)) if line == 4 else ("tanh", ("1 - y**2",), (h,))
        )
        tape.recorded.append(
            FakeNode(
                index,
                op,
                formulas,
                inputs,
                (None,) * len(inputs),
                (),
                "float64",
                0.5,
                line,
                "",
                frames[line],
            )
        )
        tape.bind("a" if line == 4 else "h", index)
        h = index
    tape.target = ("h", h)
    tape.cotangents = dict.fromkeys(range(count + 2), 1.0)
    return tape


def hostile():
    """Names and text made to break out of any format they are put into."""
    tape = Recorder("%%tape\ny = '</svg><script>alert(1)</script>'\u202e \x00 * x")
    x = tape.source("x\"<b>&'\u202e", 2.0)
    tape.reasons["]]>\n\x1b[31m"] = "<img src=x onerror=alert(1)>"
    name = '\ud800\\n}"];evil[label=<<b>x</b>>]'
    return tape.gradient("y", tape.run("sin", x, line=2, name=name))


ALL = {
    "tutorial": tutorial,
    "not_run": not_run,
    "loop": loop,
    "failed": failed,
    "nan": nan,
    "unused": unused,
    "cut": cut,
    "calls": calls,
    "hostile": hostile,
}
