"""Functions that a script holds in containers, closures, defaults and parameters take handles."""

import functools
import math
from types import SimpleNamespace

import numpy as np
import pytest

import tapemagic
from tapemagic import GradientTape, Variable
from tapemagic.autodiff.borrowing import containers, held_functions
from tapemagic.errors import LeavesTapeError

special = pytest.importorskip("scipy.special")
stats = pytest.importorskip("scipy.stats")

FUNCTIONS = {"lse": special.logsumexp, "sin": math.sin, "deep": [{"array": np.array}]}
PREPARED = functools.partial(special.logsumexp, axis=0)


class Layer:
    act = staticmethod(special.logsumexp)

    def __init__(self):
        self.own = math.cos
        self.pair = (math.sin, np.asarray)


LAYER, SPACE = Layer(), SimpleNamespace(density=stats.norm.logpdf)


def default(x, f=special.logsumexp, *, g=math.exp):
    return g(f(x))


def closure(f):
    return lambda x: f(x) * 2


DOUBLED = closure(special.logsumexp)


def called_by(x):
    return FUNCTIONS["lse"](x)


#: A function of three numbers, and the same in other words.
PROGRAMS = {
    "dict": (lambda x: FUNCTIONS["lse"](x), lambda x: np.log(np.sum(np.exp(x)))),
    "of a number": (lambda x: FUNCTIONS["sin"](x[1]), lambda x: np.sin(x[1])),
    "deep": (lambda x: FUNCTIONS["deep"][0]["array"]([x[0], x[1]]), lambda x: x[:2]),
    "partial": (lambda x: PREPARED(x), lambda x: np.log(np.sum(np.exp(x)))),
    "class": (lambda x: Layer.act(x), lambda x: np.log(np.sum(np.exp(x)))),
    "attribute": (lambda x: LAYER.own(x[0]), lambda x: np.cos(x[0])),
    "tuple": (lambda x: LAYER.pair[1]([x[2], LAYER.pair[0](x[0])]), lambda x: x[2] + np.sin(x[0])),
    "method": (lambda x: SPACE.density(x), lambda x: -0.5 * x**2),
    "default": (default, lambda x: np.sum(np.exp(x))),
    "closure": (DOUBLED, lambda x: 2 * np.log(np.sum(np.exp(x)))),
    "in another function": (called_by, lambda x: np.log(np.sum(np.exp(x)))),
    "itself": (special.softmax, lambda x: np.exp(x) / np.sum(np.exp(x))),
    "itself, of math": (special.logsumexp, lambda x: np.log(np.sum(np.exp(x)))),
    "itself, of NumPy": (np.asarray, lambda x: x * 1.0),
    "a method itself": (stats.norm.logpdf, lambda x: -0.5 * x**2),
    "a partial itself": (PREPARED, lambda x: np.log(np.sum(np.exp(x)))),
}
X = np.array([0.3, -0.4, 1.2])


def slopes(fun):
    rows = 1e-6 * np.eye(3)
    return [(np.sum(fun(X + row)) - np.sum(fun(X - row))) / 2e-6 for row in rows]


def in_a_block(fun, x):
    with GradientTape() as tape:
        tape.watch(x)
        y = fun(x)
    return tape.gradient(y, x)


def of_a_variable(f, v):
    with GradientTape() as tape:
        y = f(v)
    return tape.gradient(y, v)


@pytest.mark.parametrize(("program", "same"), PROGRAMS.values(), ids=PROGRAMS)
def test_functions_that_something_holds(program, same):
    expected = slopes(same)
    np.testing.assert_allclose(tapemagic.grad(lambda x: np.sum(program(x)))(X), expected, rtol=1e-6)
    np.testing.assert_allclose(tapemagic.grad(program)(X), expected, rtol=1e-6)
    np.testing.assert_allclose(in_a_block(program, X.copy()), expected, rtol=1e-6)
    np.testing.assert_allclose(of_a_variable(program, Variable(X)), expected, rtol=1e-6)


def test_the_originals_are_back():
    assert {"lse": special.logsumexp, "sin": math.sin, "deep": [{"array": np.array}]} == FUNCTIONS
    assert PREPARED.func is special.logsumexp
    assert PREPARED.keywords == {"axis": 0}
    assert Layer.act is special.logsumexp
    assert (LAYER.own, LAYER.pair) == (math.cos, (math.sin, np.asarray))
    assert default.__defaults__ == (special.logsumexp,)
    assert default.__kwdefaults__ == {"g": math.exp}
    assert DOUBLED.__closure__[0].cell_contents is special.logsumexp


def test_what_the_block_has_put_there_stays():
    held = {"f": math.sin, "g": math.cos}

    def run(f):
        with GradientTape() as tape:
            x = tape.watch(np.float64(0.5))
            held["f"] = f
            y = held["g"](x)
        return tape.gradient(y, x)

    assert run(len) == -math.sin(0.5)
    assert held == {"f": len, "g": math.cos}


def test_a_local_value_that_the_block_deletes_dies():
    died = []

    class Big:
        def __del__(self):
            died.append(1)

    def run(f):
        big = Big()
        with GradientTape() as tape:
            x = tape.watch(Variable(0.5))
            y = f(x)
            del big
            assert died
        return tape.gradient(y, x)

    assert run(math.sin) == math.cos(0.5)


def test_what_is_out_of_sight_is_refused():
    deep = [[[[[[[math.sin]]]]]]]
    with pytest.raises(LeavesTapeError):
        tapemagic.grad(lambda x: deep[0][0][0][0][0][0][0](x))(0.5)


def test_what_may_hold_much_is_not_looked_into(monkeypatch):
    looked = []

    def slots(holder):
        looked.append(holder)
        return containers.slots(holder)

    monkeypatch.setattr(held_functions, "slots", slots)
    cached = functools.lru_cache(len)
    own = SimpleNamespace(**{f"a{k}": math.sin for k in range(1000)})
    closed = [np.array([math.sin], object), cached, dict.fromkeys(range(100), math.sin), iter([1])]
    found = list(held_functions.held_functions([*closed, own]))
    assert looked == [own]
    assert len(found) == 500
