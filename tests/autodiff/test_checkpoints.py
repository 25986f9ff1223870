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


def run_with(change, weight):
    """Call a checkpoint, change something, and take the gradient; a plain call is the truth."""
    found = []
    for cut in (tapemagic.checkpoint, lambda fun: fun):
        scale, data, x = np.ones(3), np.array([1.0, 2.0, 3.0]), Variable(np.full(3, weight))
        with GradientTape() as tape:
            state = x * 1.0
            y = cut(lambda a, b, scale=scale: np.sum(a * b * scale))(state, data)
            change(state, data, scale, x)
        found.append(lambda tape=tape, y=y, x=x: tape.gradient(y, x))
    return found


def overwrite(array):
    array[:] = array * -2.0


HARMLESS = {
    "its argument": lambda state, data, scale, x: overwrite(state),
    "a plain argument": lambda state, data, scale, x: overwrite(data),
    "the variable": lambda state, data, scale, x: x.assign(x * -2.0),
}


@pytest.mark.parametrize("weight", [0.0, 1.0])
@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_written_after_the_call_does_not_matter(name, weight):
    cut, plain = run_with(HARMLESS[name], weight)
    np.testing.assert_array_equal(cut(), plain())


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_checkpoint_refuses_to_run_again_with_something_else(weight):
    cut, _ = run_with(lambda state, data, scale, x: overwrite(scale), weight)
    with pytest.raises(TapeError, match="gives another value when it runs again"):
        cut()


BESIDES = {
    "an array": lambda: (lambda kept: lambda x: (overwrite(kept), x * 3)[1])(np.ones(2)),
    "a list": lambda: (lambda kept: lambda x: (kept.append(x * 2), x * 3)[1])([]),
    "a dict": lambda: (lambda kept: lambda x: (kept.update(h=x * 2), x * 3)[1])({}),
    "a generator": lambda: (lambda rng: lambda x: x * rng.normal())(np.random.default_rng(0)),
    "NumPy's own": lambda: lambda x: x * np.random.normal(),
}


@pytest.mark.parametrize("name", BESIDES)
def test_checkpoint_refuses_to_do_something_twice(name):
    """Values that leave by another way would be missing in the gradient, random ones be others."""
    x = Variable([1.0, 2.0])
    for _ in range(2):  # every other number has been drawn with the one before it
        np.random.normal()
        with (
            pytest.raises(TapeError, match="changes something that is not its own"),
            GradientTape(),
        ):
            tapemagic.checkpoint(BESIDES[name]())(x)


@pytest.mark.parametrize(
    "view",
    [
        lambda x: x[:, 1], lambda x: x[::-1, ::2], lambda x: np.broadcast_to(x[0], (6, 5)),
        lambda x: np.lib.stride_tricks.sliding_window_view(x[1], 3), lambda x: x.T,
    ],
)  # fmt: skip
def test_checkpoint_of_a_view_runs_again(view):
    x = Variable(np.random.default_rng(1).normal(size=(5, 5)))
    found = []
    for cut in (tapemagic.checkpoint, lambda fun: fun):
        with GradientTape() as tape:
            y = np.sum(cut(lambda a: np.tanh(a @ np.ones(a.shape[-1])).sum())(view(x)))
        found.append(tape.gradient(y, x))
    np.testing.assert_allclose(*found, rtol=1e-12)


def test_what_is_no_array_comes_through():
    x = Variable([1.0, 2.0])
    with GradientTape(persistent=True) as tape:
        result = tapemagic.checkpoint(lambda x: {"y": x * 2, "n": 3, "s": "text", "b": [True]})(x)
        loss = np.sum(result["y"] * result["n"])
    assert (result["n"], result["s"], result["b"]) == (3, "text", [True])
    np.testing.assert_array_equal(tape.gradient(loss, x), [6.0, 6.0])
    assert tape.graph.nodes  # it can be drawn
    assert tape.check()
