"""Cotangents of large arrays, some of which the sweep writes over."""

import tracemalloc

import numpy as np
import pytest

from tapemagic import GradientTape, Variable, grad
from tapemagic.autodiff import avals

RNG = np.random.default_rng(0)
COUNT = 2 * avals.LARGE // 8
X, C = RNG.uniform(0.5, 1.5, COUNT), RNG.uniform(0.5, 1.5, COUNT)


def loop(x, c):
    y = x
    for _ in range(3):
        y = np.sin(y) * y + x / c
    return y


def written(x, c):
    y = np.exp(x)
    z = -(y * c)
    z[10:5000] = y[: 5000 - 10] * 2.0
    return z * y


FUNCTIONS = {
    "products": lambda x, c: -np.exp(x * c) / c * x,
    "squares": lambda x, c: (x * x - x) * (x - x * c) + x**2,
    "divisor": lambda x, c: c / x / (1 / x + x / c) - 3.0 / x,
    "differences": lambda x, c: (np.exp(x) - (c - np.log(x))) - (x - x),
    "signs": lambda x, c: np.negative(-x) * -(x + c) + (+x),
    "remainder": lambda x, c: np.exp(x) - c * np.tanh(x) ** 2 + 2.0 * np.sqrt(x),
    "one value for many": lambda x, c: (lambda y: y + y * x + -y / (y + c) - y)(np.exp(-x)),
    "loop": loop,
    "slices": lambda x, c: (lambda y: y[1:] * y[:-1] * x[1:] - y[1:])(np.exp(x * c)),
    "writes": written,
    "shapes": lambda x, c: (
        (np.exp(x).reshape(2, -1).T * -1.0 + x.reshape(-1, 2) * 2).ravel() * c[::-1]
    ),
}


def gradients(function, x, **how):
    """Return value, gradient, gradient of a value on the way, from a persistent tape."""
    x, c = Variable(x), Variable(C)
    with GradientTape(persistent=True) as tape:
        h = np.cosh(x) + 0.0
        y = function(h, c)
    found = tape.gradient(y, [x, h, c], **how)
    before = [np.array(value) for value in (y._value, h._value, x._value, c._value)]
    again = tape.gradient(y, [x, h, c], **how)
    for first, second in zip(found, again, strict=True):
        np.testing.assert_array_equal(first, second)
    for was, now in zip(before, (y._value, h._value, x._value, c._value), strict=True):
        np.testing.assert_array_equal(was, now)
    return y._value, found


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_gradients_along_directions(function):
    y, (of_x, of_h, of_c) = gradients(function, X)
    np.testing.assert_array_equal(y, function(np.cosh(X) + 0.0, C))
    h = np.cosh(X) + 0.0
    for seed in range(3):
        v = np.random.default_rng(seed).normal(size=COUNT) * (np.arange(COUNT) % (seed + 1) == 0)
        step = 1e-30j * v
        for gradient, moved in (
            (of_x, function(np.cosh(X + step) + 0.0, C)),
            (of_h, function(h + step, C)),
            (of_c, function(h.astype(complex), C + step)),
        ):
            wanted = np.sum(np.imag(moved)) / 1e-30
            np.testing.assert_allclose(gradient @ v, wanted, rtol=1e-10, atol=1e-9 * COUNT**0.5)


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_the_bits_are_those_of_small_arrays(function, monkeypatch):
    seed = RNG.normal(size=np.shape(function(X, C)))
    given = seed.copy()
    _, large = gradients(function, X, output_gradients=seed)
    np.testing.assert_array_equal(seed, given)
    for aval in avals.AVALS.values():
        monkeypatch.setattr(aval, "is_large", False)
    _, small = gradients(function, X, output_gradients=seed)
    for first, second in zip(large, small, strict=True):
        np.testing.assert_array_equal(first, second)


def test_float32_stays_float32():
    x = X.astype("f4")
    gradient = grad(lambda x: np.sum(np.exp(-x * np.float32(2)) * x / np.sqrt(x)))(x)
    assert gradient.dtype == np.float32
    fine = grad(lambda x: np.sum(np.exp(-x * 2) * x / np.sqrt(x)))(x.astype(float))
    np.testing.assert_allclose(gradient, fine, rtol=1e-5)


def test_a_finer_constant_is_not_rounded_to_the_cotangent():
    x = X.astype("f4")
    gradient = grad(lambda x: np.sum((np.exp(x) * np.pi) * (x * C)))(x)
    wanted = np.exp(X.astype("f4").astype(float)) * np.pi * C * (1 + x)
    np.testing.assert_allclose(gradient, wanted, rtol=1e-5)


def test_complex_numbers():
    z = X + 1j * C
    gradient = grad(lambda z: np.sum(np.real(np.exp(-z * 1j) * (z / 2.0) * np.conj(z))))(z)
    h = 1e-6

    def loss(z):
        return np.real(np.exp(-z * 1j) * (z / 2.0) * np.conj(z))

    wanted = (loss(z + h) - loss(z - h)) / (2 * h) + 1j * (
        (loss(z + 1j * h) - loss(z - 1j * h)) / (2 * h)
    )
    np.testing.assert_allclose(gradient, wanted, rtol=1e-5, atol=1e-7)


def test_a_real_part_that_is_passed_on_is_not_written_over():
    x, z = Variable(X), Variable(X + 1j * C)
    with GradientTape() as tape:
        y = x * x + z
        loss = np.sum(np.real(y * np.conj(z)) + np.imag(z) * 0.5)
    # y conj(z) = (x^2 + a + ib)(a - ib): real part (x^2 + a) a + b^2
    of_x, of_z = tape.gradient(loss, [x, z])
    np.testing.assert_allclose(of_x, 2 * X * X, rtol=1e-12)
    np.testing.assert_allclose(of_z, X**2 + 2 * X + 1j * (2 * C + 0.5), rtol=1e-12)


@pytest.mark.parametrize("axis", [None, -1, 0, 1, (0, 2), (1, 2)], ids=str)
@pytest.mark.parametrize("fun", [np.max, np.min])
@pytest.mark.parametrize("ties", [False, True])
def test_extremes_add_to_what_is_there(fun, axis, ties):
    s = RNG.permutation(COUNT).reshape(8, -1, 64) / COUNT
    c = RNG.normal(size=s.shape)
    if ties:
        s = np.round(s, 3)
    sources = Variable(s)
    with GradientTape() as tape:
        m = fun(sources, axis=axis, keepdims=True)
        loss = np.sum(c * np.exp(sources - m))
    e = c * np.exp(s - fun(s, axis=axis, keepdims=True))
    hits = s == fun(s, axis=axis, keepdims=True)
    shares = hits / hits.sum(axis=axis, keepdims=True)
    wanted = e - shares * e.sum(axis=axis, keepdims=True)
    np.testing.assert_allclose(tape.gradient(loss, sources), wanted, rtol=1e-9, atol=1e-9)


def test_a_chain_holds_one_cotangent():
    x = Variable(X)
    with GradientTape() as tape:
        loss = np.sum(-(np.exp(-x * 2.0) / C) * 3.0)
    tracemalloc.start()
    tape.gradient(loss, x)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak <= 1.1 * x._value.nbytes
