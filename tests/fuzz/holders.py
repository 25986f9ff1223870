"""Scripts of a few training steps whose plain arrays are held in several places.

`tape.watch` has to find every holder, and to leave in it what NumPy would have left. Some of the
steps write through one holder what they read through another.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import numpy as np

from tapemagic import GradientTape
from tapemagic.autodiff.traced import TracedArray

SETTING = """
import numpy as np
from collections import defaultdict, deque
from types import SimpleNamespace
class Box:
    def __init__(self, w): self.w = w
    def get(self): return self.w
class Slots:
    __slots__ = ("w",)
    def __init__(self, w): self.w = w
def closure(w):
    def get(): return w
    return get
history = [(k, 0.1, "x") for k in range(100)]
log = {"loss": [], "w": None}
deep, groups, outer, stack = {"a": ({"b": []}, 1)}, defaultdict(list), Box(Box(None)), Slots(None)
def put(v, seen=[]): seen.append(v)
"""
#: Where blocks put something beside `history` and `log`.
PLACES = (
    "deep['a'][0]['b']", "groups['x']", "[outer.w.w]", "[stack.w]", "put.__defaults__[0]",
    "vars(Box).get('last', [])",
)  # fmt: skip

#: How array {w} gets into {h}, and how it is reached from there.
HOLDERS = (
    ("{h} = [1.0, {w}, 'a']", "{h}[1]"),
    ("{h} = {{'p': {w}, 3: None}}", "{h}['p']"),
    ("{h} = {{'a': [{{'b': ({w}, 2)}}]}}", "{h}['a'][0]['b'][0]"),
    ("{h} = Box({w})", "{h}.w"),
    ("{h} = Slots({w})", "{h}.w"),
    ("{h} = ({w}, [{w}])", "{h}[1][0]"),
    ("{h} = closure({w})", "{h}()"),
    ("{h} = deque([{w}], maxlen=3)", "{h}[0]"),
    ("{h} = SimpleNamespace(q=SimpleNamespace(w={w}))", "{h}.q.w"),
    ("{h} = {w}[1:]", "{h}"),
    ("{h} = {w}[::-1]", "{h}"),
    ("{h} = Box({w}).get", "{h}()"),
    ("def {h}(w={w}): return w", "{h}()"),
    ("{h} = [Box({w}), Box([{w}])]", "{h}[1].w[0]"),
    ("{h} = [{{'k': k}} for k in range(100)] + [[{w}]]", "{h}[-1][0]"),
)

#: What a block does with arrays {a} and {b}.
STATEMENTS = (
    "loss = loss + np.sum(np.sin({a}) ** 2)",
    "loss = loss + np.sum({a} * 0.5) * np.sum(np.cos({b}))",
    "{a}[...] = np.sum({b}) * 0.3",
    "{a}[0] = np.sum({b}) * 0.3",
    "t = {a}; t *= 1.1",
    "history.append((len(history), np.sum({a}))); loss = loss + history[-1][1] * 0.7",
    "deep['a'][0]['b'].append({a} * 3.0)",
    "groups['x'].append(np.sum({a})); loss = loss + groups['x'][-1] * {b}[0]",
    "outer.w.w = {a} * np.sum({b}); loss = loss + np.sum(outer.w.w)",
    "stack.w = np.tanh({a}); put(stack.w); loss = loss + np.sum(put.__defaults__[0][-1])",
    "Box.last = [{a} * 0.5, {b}]",
    "log['w'] = {a} * 2.0; loss = loss + np.sum(log['w'] ** 2)",
)

UPDATES = ("", "{w} -= 0.1 * slopes['{w}']", "{w} = {w} - 0.1 * slopes['{w}']")


@dataclass(frozen=True)
class Script:
    """Names of the arrays, and the texts of what a script does before, in and after a block."""

    names: tuple[str, ...]
    watched: tuple[str, ...]
    before: str
    block: str
    update: str


def random_script(seed: int) -> Script:
    """Return the script of a seed."""
    draw = random.Random(seed)
    names = tuple(f"w{i}" for i in range(draw.randint(1, 3)))
    before, reads = [], {}
    for w in names:
        chosen = draw.sample(HOLDERS, draw.randint(0, 3))
        before += [text.format(h=f"{w}_{k}", w=w) for k, (text, _) in enumerate(chosen)]
        reads[w] = [w, *(read.format(h=f"{w}_{k}") for k, (_, read) in enumerate(chosen))]

    def read() -> str:
        return draw.choice(reads[draw.choice(names)])

    block = ["loss = np.sum(w0)"]
    block += [draw.choice(STATEMENTS).format(a=read(), b=read()) for _ in range(draw.randint(1, 5))]
    listed = ", ".join(names)
    ways = ((f"[{listed}]",), (f"dict({', '.join(f'{w}={w}' for w in names)})",), names)
    update = draw.choice(UPDATES)
    return Script(
        names,
        draw.choice(ways),
        "\n".join(before),
        "\n".join([*block, "log['loss'].append(loss)"]),
        "\n".join(update.format(w=w) for w in names),
    )


def _plain_loss(script: Script, values: dict[str, np.ndarray]) -> dict[str, Any]:
    space = {name: value.copy() for name, value in values.items()}
    exec(f"{SETTING}\n{script.before}\n{script.block}", space)
    return space


def _slope(script: Script, values: dict[str, np.ndarray], name: str, k: int) -> float:
    step, ends = 1e-6, []
    for sign in (1, -1):
        moved = {**values, name: values[name].copy()}
        moved[name][k] += sign * step
        ends.append(_plain_loss(script, moved)["loss"])
    return (ends[0] - ends[1]) / (2 * step)


def check(seed: int, steps: int = 2) -> str:
    """Say in what a script under tapes differs from the plain one; "" if in nothing."""
    script = random_script(seed)
    draw = np.random.default_rng(seed)
    space: dict[str, Any] = {name: draw.uniform(0.2, 1.0, size=3) for name in script.names}
    space["__name__"] = "__main__"  # whose classes are the user's
    exec(f"{SETTING}\n{script.before}", space)
    space["GradientTape"] = GradientTape
    lines = [*(f"tape.watch({x})" for x in script.watched), *script.block.splitlines()]
    block = "\n    ".join(["with GradientTape() as tape:", *lines])
    sources = f"dict({', '.join(f'{w}={w}' for w in script.names)})"
    ask = f"slopes = tape.gradient(loss, {sources}, unconnected_gradients='zero')"
    if script.update.startswith("w0 ="):
        steps = 1  # afterwards the holders have another array
    for _ in range(steps):
        before = {name: space[name].copy() for name in script.names}
        arrays = {name: space[name] for name in script.names}
        exec(compile(f"{block}\n{ask}", "<script>", "exec"), space)
        plain = _plain_loss(script, before)
        for name, array in arrays.items():
            if space[name] is not array or type(array) is not np.ndarray:
                return f"{name} is another object"
            if not np.allclose(array, plain[name]):
                return f"{name} is {array} and not {plain[name]}"
        kept = [*(x for entry in space["history"] for x in entry), *space["log"]["loss"]]
        kept += [x for place in PLACES for x in eval(place, space)]
        if any(type(x) is TracedArray for x in (*kept, space["log"]["w"])):
            return "a handle is left"
        for name in script.names:
            expected = [_slope(script, before, name, k) for k in range(3)]
            if not np.allclose(space["slopes"][name], expected, rtol=1e-4, atol=1e-4):
                return f"gradient of {name}: {space['slopes'][name]} and not {expected}"
        exec(script.update, space)
    return ""
