"""`checkpoint`: less memory, the same gradient, and nothing of the run changed in between."""

import numpy as np
import pytest

import tapemagic
from tapemagic import GradientTape, Variable
from tapemagic.errors import TapeError


def test_checkpoint():
    step = tapemagic.checkpoint(lambda x: np.tanh(x) * np.exp(-x))

    def loss(x):
        return step(step(x))

    def plain(x):
        return (lambda f: f(f(x)))(lambda x: np.tanh(x) * np.exp(-x))

    assert tapemagic.grad(loss)(0.3) == pytest.approx(float(tapemagic.grad(plain)(0.3)))


def test_checkpoint_to_second_order():
    step = tapemagic.checkpoint(lambda x: np.sin(x))
    assert tapemagic.grad(tapemagic.grad(step))(0.3) == pytest.approx(-np.sin(0.3))


def test_checkpoint_keeps_one_node():
    step = tapemagic.checkpoint(lambda x: np.exp(np.sin(np.cos(x))))
    x = Variable(0.3)
    with GradientTape() as tape:
        step(x)
    assert len(tape.nodes()) <= 3


@pytest.mark.parametrize("trainable", [True, False])
def test_a_checkpoint_that_reads_a_watched_variable_is_refused(trainable):
    w, x = Variable(2.0, trainable=trainable), Variable(3.0)
    step = tapemagic.checkpoint(lambda x: w * x)
    with GradientTape() as tape:
        tape.watch(w)
        with pytest.raises(TapeError, match="not one of its arguments"):
            step(x)
        y = x * w
    assert tape.gradient(y, [x, w]) == [2.0, 3.0]


def test_a_checkpoint_that_reads_a_watched_array_is_refused():
    with GradientTape() as tape:
        w, x = tape.watch([np.array([2.0]), np.array([3.0])])
        for read in (lambda x: w * x, lambda x: w[0] * x, lambda x: np.sin(w[:]) * x):
            with pytest.raises(TapeError, match="not one of its arguments"):
                tapemagic.checkpoint(read)(x)


NESTED = {
    "list": (lambda l: l[0] * l[1], lambda x: ([x, x * 2],)),
    "dict": (lambda d: d["a"] * d["b"][0], lambda x: ({"a": x, "b": (x * 2,), "n": 3},)),
    "several": (lambda x, pair: x * pair[0] * pair[1], lambda x: (x, (x, 2.0))),
    "with a constant": (lambda x, n: x**n, lambda x: (x, 2)),
    "with nothing": (lambda x, nothing: x * x, lambda x: (x, None)),
}


@pytest.mark.parametrize("name", NESTED)
def test_checkpoint_takes_nested_arguments(name):
    fun, arguments = NESTED[name]
    x = np.array([1.0, 2.0, 3.0])
    found = tapemagic.grad(lambda x: np.sum(tapemagic.checkpoint(fun)(*arguments(x)) * x))(x)
    wanted = [
        np.sum(fun(*arguments(x + 1e-30j * unit)) * (x + 1e-30j * unit)).imag / 1e-30
        for unit in np.eye(3)
    ]
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_checkpoint_takes_keywords():
    product = tapemagic.checkpoint(lambda x, *, by: x * by)
    assert tapemagic.grad(lambda x: product(x, by=x))(3.0) == 6.0


@pytest.mark.parametrize(
    ("result", "total"),
    [
        (lambda x: (x * 2, x * x), lambda y: y[0] + y[1] * 3),
        (lambda x: {"a": x * 2, "b": [x * x]}, lambda y: y["a"] + y["b"][0] * 3),
        (lambda x: [x * 2 + 3 * x * x], lambda y: y[0]),
    ],
)
def test_checkpoint_has_several_results(result, total):
    x = Variable([1.0, 2.0])
    with GradientTape(persistent=True) as tape:
        loss = np.sum(total(tapemagic.checkpoint(result)(x)))
    np.testing.assert_allclose(tape.gradient(loss, x), [8.0, 14.0])
    assert tape.check()


def test_checkpoint_refuses_a_write_to_its_argument():
    def forgetful(q):
        q[0] = q[1] * 5
        return q * q

    x = Variable([1.0, 2.0, 3.0])
    with pytest.raises(TapeError, match="forgetful writes to its argument"), GradientTape():
        tapemagic.checkpoint(forgetful)(x * 1.0)
    careful = tapemagic.checkpoint(lambda q: forgetful(q.copy()))
    with GradientTape() as tape:
        y = np.sum(careful(x * 1.0))
    np.testing.assert_allclose(tape.gradient(y, x), [0.0, 2 * 25 * 2.0 + 2 * 2.0, 6.0])


def change_a_constant(scale, random):
    scale[0] = 5.0


@pytest.mark.parametrize("change", [change_a_constant, lambda scale, random: random.normal()])
def test_checkpoint_refuses_to_run_again_with_something_else(change):
    scale, random = np.ones(2), np.random.default_rng(1)
    x = Variable([1.0, 2.0])
    with GradientTape() as tape:
        y = np.sum(tapemagic.checkpoint(lambda u: u * scale * random.normal())(x))
        change(scale, random)
    with pytest.raises(TapeError, match="gives another value when it runs again"):
        tape.gradient(y, x)
