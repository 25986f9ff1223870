"""Outer products that wait: the gradient of a matrix that many steps use."""

import numpy as np
import pytest

from tapemagic import GradientTape, Variable, hvp
from tapemagic.autodiff import outers, pullbacks

RNG = np.random.default_rng(0)
N = 4
W, U, B = RNG.normal(size=(N, N)) / 3, RNG.normal(size=(N, N)) / 3, RNG.normal(size=N)
XS = RNG.normal(size=(6, N))

STEPS = {
    "vector @ matrix": lambda h, x, w, u, b: h @ w + x @ u + b,
    "matrix @ vector": lambda h, x, w, u, b: w @ h + np.dot(u, x) + b,
    "other uses between": lambda h, x, w, u, b: h @ w + b * w[0] + w.sum() * u[1, 2] + np.dot(x, u),
    "not a source": lambda h, x, w, u, b: h @ (w * 1.0) + x @ u.T + b + w @ (w @ h),
    "reads before and after": lambda h, x, w, u, b: (w[1] * x) @ w + w[2, 1] * h + u @ b,
    "rows of a batch": lambda h, x, w, u, b: np.sum(np.stack([h, x]) @ w, 0) + b @ u,
    "both operands": lambda h, x, w, u, b: w @ u @ h + (u @ w) @ x + b,
}


def run(step, w, u, b, xs=XS):
    h = np.zeros(N)
    for x in xs:
        h = np.tanh(step(h, x, w, u, b))
    return np.sum(h**2)


def complex_steps(step, values):
    for i, value in enumerate(values):
        slope = np.empty_like(value)
        for place in np.ndindex(value.shape):
            moved = [x.astype(complex) for x in values]
            moved[i][place] += 1e-30j
            slope[place] = run(step, *moved).imag / 1e-30
        yield slope


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_gradients(step):
    variables = [Variable(x) for x in (W, U, B)]
    with GradientTape() as tape:
        loss = run(step, *variables)
    for got, wanted in zip(tape.gradient(loss, variables), complex_steps(step, (W, U, B))):
        np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_nothing_waits_in_a_recorded_sweep(step):
    direction = RNG.normal(size=(N, N))
    got = hvp(lambda w: run(step, w, U, B))(W, direction)
    moved = [(W + sign * 1e-5 * direction, U, B) for sign in (1, -1)]
    above, below = [next(complex_steps(step, values)) for values in moved]
    np.testing.assert_allclose(got, (above - below) / 2e-5, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("dtype", ["f4", "f8", "c16"])
def test_dtypes(dtype):
    w = Variable(W.astype(dtype))
    with GradientTape() as tape:
        loss = np.sum(np.abs(run(STEPS["vector @ matrix"], w, U.astype(dtype), B.astype(dtype))))
    got = tape.gradient(loss, w)
    assert got.dtype == dtype
    if dtype != "c16":
        wanted = next(complex_steps(STEPS["vector @ matrix"], (W, U, B)))
        np.testing.assert_allclose(got, wanted, rtol=1e-4 if dtype == "f4" else 1e-12)


def test_a_sum_of_outer_products_is_one_product(monkeypatch):
    waited = []
    add = outers.Outers.add
    monkeypatch.setattr(outers.Outers, "add", lambda self, *pair: waited.append(add(self, *pair)))
    w = Variable(W)
    with GradientTape() as tape:
        loss = run(STEPS["vector @ matrix"], w, U, B, np.tile(XS, (5, 1)))
    tape.gradient(loss, w)
    assert len(waited) == 29  # thirty steps, of which the first makes the array


def test_what_waits_is_bounded(monkeypatch):
    monkeypatch.setattr(outers, "_MOST", 4)
    test_gradients(STEPS["vector @ matrix"])


def test_infinities_come_out_as_in_a_sum_step_by_step(monkeypatch):
    x = np.array([np.inf, 0.0])

    def gradient():
        w = Variable(np.ones((2, 2)))
        with GradientTape() as tape:
            y = sum(np.where(np.isfinite(x @ w), x @ w, 0.0).sum() + (x @ w)[1] for _ in range(3))
        return tape.gradient(y, w)

    waiting = gradient()
    monkeypatch.setattr(pullbacks, "add_outer", lambda *_: False)
    np.testing.assert_array_equal(waiting, gradient())
