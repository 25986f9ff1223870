"""What holds a watched array of a script, and what a block puts into what was there before it."""

import re
import warnings
from collections import deque

import numpy as np
import pytest

from tapemagic import GradientTape
from tapemagic.autodiff.traced import TracedArray
from tests.notebook.holders import HOLDERS, OPAQUE, START

BLOCK = """
with GradientTape() as tape:
    tape.watch(w)
    out = {expression} + (w * w).sum()
"""


def run_script(setup, expression):
    names = {"__name__": "__main__", "GradientTape": GradientTape}
    code = compile(START + setup + BLOCK.format(expression=expression), "<script>", "exec")
    exec(code, names)
    return names


def slopes(setup, expression):
    """Return central differences of runs without a tape."""

    def out(change):
        names = {}
        exec(f"{START}{setup}\nw += {change}\nout = {expression} + (w * w).sum()", names)
        return names["out"]

    step = 1e-6
    changes = [f"{step} * np.eye(3)[{k}]" for k in range(3)]
    return [(out(change) - out(f"-{change}")) / (2 * step) for change in changes]


@pytest.mark.parametrize("read", HOLDERS.values(), ids=HOLDERS)
def test_holders_from_before_the_block(read):
    setup, expression = read
    total = f"({expression} ** 3).sum()"
    names = run_script(setup, total)
    gradient = names["tape"].gradient(names["out"], names["w"])
    np.testing.assert_allclose(gradient, slopes(setup, total), rtol=1e-5)
    assert TracedArray not in map(type, names.values())


@pytest.mark.parametrize("kind", sorted(set(OPAQUE) - {"poly1d"}))  # which scripts look into
def test_what_cannot_be_looked_into_is_told(kind):
    holder = re.escape(kind.partition(",")[0])
    with pytest.warns(UserWarning, match=f"'w' is also held by an object of type {holder},"):
        run_script(*OPAQUE[kind])


def test_nothing_is_told_of_what_holds_something_else():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run_script("v = w + 1\nh = iter(v)\nl = [w]\nk = v.data", "sum(h) + k[0] + l[0].sum()")


class Model:
    def __init__(self):
        self.history = []
        self.last = None


def test_what_a_block_appends_is_plain_afterwards():
    w, losses, pairs, ends = np.array([1.0, 2.0]), [], [], deque(maxlen=2)
    state, model = {"losses": [], "last": None}, Model()
    numbers = list(range(1000))
    for step in range(3):
        with GradientTape() as tape:
            tape.watch(w)
            loss = (w * w).sum()
            numbers.append({"loss": loss})
            pairs.append((step, loss))
            for one in (losses, state["losses"], ends, model.history):
                one.append(loss)
            state["last"] = model.last = w * 2
        assert tape.gradient(losses[-1], w).tolist() == [2.0, 4.0]
    held = [*losses, *state["losses"], *ends, *model.history, *(pair[1] for pair in pairs)]
    held += [one["loss"] for one in numbers[1000:]]
    assert {type(one) for one in held} == {np.float64}
    assert len(held) == 5 * 3 + 2
    assert type(state["last"]) is type(model.last) is np.ndarray


def test_what_a_block_writes_when_it_is_entered_again():
    x = np.ones(2)
    tape = GradientTape(persistent=True)
    with tape:
        tape.watch(x)
        x[0] = x[1] * 3.0
    with tape:
        x[1] = x[0] * 2.0
        z = (x * x).sum()
    assert x.tolist() == [3.0, 6.0]
    assert tape.gradient(z, x).tolist() == [0.0, 90.0]
