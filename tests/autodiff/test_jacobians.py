"""T22: Jacobians of a tape, in one piece and per row."""

import numpy as np
import pytest

import tapemagic
from tapemagic import GradientTape, Variable
from tapemagic.errors import TapeUseError


def taped(fun, x, **options):
    x = Variable(x)
    with GradientTape(persistent=True, **options) as tape:
        y = fun(x)
    return tape, y, x


def test_t22_shape_is_target_plus_source():
    tape, y, x = taped(lambda x: np.outer(x, x), np.array([1.0, 2.0]))
    assert tape.jacobian(y, x).shape == (2, 2, 2)


@pytest.mark.parametrize(
    ("fun", "x", "wanted"),
    [
        (lambda x: x * 3.0, 2.0, 3.0),
        (lambda x: np.sum(x * x), [1.0, 2.0], [2.0, 4.0]),
        (lambda x: np.stack([x, x * x]), 3.0, [1.0, 6.0]),
        (lambda x: x[::-1] * 2.0, [1.0, 2.0], [[0.0, 2.0], [2.0, 0.0]]),
        (lambda x: x[:0], [1.0, 2.0], np.zeros((0, 2))),
    ],
)
def test_t22_values(fun, x, wanted):
    tape, y, x = taped(fun, x)
    np.testing.assert_array_equal(tape.jacobian(y, x), wanted)


def test_t22_structures_and_unconnected():
    x, z = Variable([1.0, 2.0]), Variable(np.ones((2, 1)))
    with GradientTape(persistent=True) as tape:
        y = x * 2.0
        _ = z * 1.0
    found = tape.jacobian(y, {"x": x, "z": z})
    np.testing.assert_array_equal(found["x"], 2.0 * np.eye(2))
    assert found["z"] is None
    zero = tape.jacobian(y, z, unconnected_gradients="zero")
    assert zero.shape == (2, 2, 1)
    assert not zero.any()


def test_t22_float32():
    tape, y, x = taped(lambda x: x * x, np.float32([1.0, 2.0]))
    assert tape.jacobian(y, x).dtype == np.float32


def test_t22_jacobian_of_a_jacobian():
    x = Variable([1.0, 2.0])
    with GradientTape(persistent=True) as outer:
        with GradientTape(persistent=True) as inner:
            y = x**3
        first = inner.jacobian(y, x)
    second = outer.jacobian(first, x)
    wanted = np.zeros((2, 2, 2))
    wanted[0, 0, 0], wanted[1, 1, 1] = 6.0, 12.0
    np.testing.assert_allclose(second, wanted)


def test_t22_batch_jacobian():
    tape, y, x = taped(
        lambda x: np.stack([x[:, 0] * x[:, 1], x[:, 2] ** 2], axis=1),
        np.arange(1.0, 7.0).reshape(2, 3),
    )
    found = tape.batch_jacobian(y, x)
    assert found.shape == (2, 2, 3)
    np.testing.assert_array_equal(found[1], [[5.0, 4.0, 0.0], [0.0, 0.0, 12.0]])


def test_t22_batch_jacobian_of_vectors():
    tape, y, x = taped(lambda x: x**2, np.array([1.0, 2.0, 3.0]))
    np.testing.assert_array_equal(tape.batch_jacobian(y, x), [2.0, 4.0, 6.0])


@pytest.mark.parametrize(
    "fun",
    [
        lambda x: x - np.mean(x, axis=0), lambda x: x[::-1], lambda x: np.cumsum(x, axis=0),
        lambda x: x * np.sum(x), lambda x: np.sort(x, axis=0)[::-1],
    ],
)  # fmt: skip
def test_t22_coupled_rows_raise(fun):
    tape, y, x = taped(fun, np.arange(1.0, 7.0).reshape(3, 2))
    with pytest.raises(ValueError, match="row"):
        tape.batch_jacobian(y, x)


def test_t22_batch_jacobian_of_different_numbers_of_rows():
    tape, y, x = taped(lambda x: x[:1], np.ones((2, 2)))
    with pytest.raises(TapeUseError, match="rows"):
        tape.batch_jacobian(y, x)


def test_t22_batch_jacobian_unconnected():
    x, z = Variable(np.ones((2, 2))), Variable(np.ones((2, 3)))
    with GradientTape(persistent=True) as tape:
        y = x * 1.0
        _ = z * 1.0
    assert tape.batch_jacobian(y, z) is None
    assert tape.batch_jacobian(y, z, unconnected_gradients="zero").shape == (2, 2, 3)


def test_huge_derivatives_give_no_warning(recwarn):
    found = tapemagic.jacobian(lambda x: x * 1e200)(np.array([1.0, 2.0]))
    np.testing.assert_array_equal(found, np.diag([1e200, 1e200]))
    found = tapemagic.hvp(lambda x: np.sum(x**2) * 1e200)(np.array([1.0, 2.0]), np.ones(2))
    np.testing.assert_array_equal(found, [2e200, 2e200])
    assert not recwarn.list


def written(x):
    y = x * 2.0
    y[0] = np.sum(x)
    y[1:] *= x[0]
    return y + np.sum(y * y)


def written_whole(x):
    y = x * 1.0
    y[:] = np.sum(x) * x
    y[1] = 3.0
    return np.sum(y) + x


def written_view(x):
    y = np.outer(x, x)
    y.T[0] = x * np.mean(y)
    return y.reshape(-1)[::2] + np.sum(y)


#: Cotangents in the middle of these are the same for all elements, and kept as one number.
COMPOSED = [
    lambda x: np.outer(x, x) + np.sum(np.outer(x, x) + np.max(x)),
    lambda x: (x + np.sum(x + np.sum(x * x)))[::-1],
    lambda x: x[:, None] * np.ones(2) + np.mean(np.sum(x[:, None] + np.prod(x), axis=0)),
    lambda x: np.stack([np.sum(x - np.max(x)), np.sum(np.max(x) - x), np.sum(-x + x[0])]),
    lambda x: np.cumsum(np.sum(x * x), axis=0) * np.arange(1.0, 4.0),
    lambda x: np.sum(np.sum(x * x), axis=-1) * np.arange(1.0, 4.0),
    lambda x: np.max(x[0] * x[1], axis=0) * x,
    lambda x: np.sum(np.broadcast_to(x, (4, 3)) * np.sum(x), axis=0),
    written, written_whole, written_view,
]  # fmt: skip


@pytest.mark.parametrize("fun", COMPOSED)
@pytest.mark.parametrize("x", [np.array([0.7, -1.2, 1.9]), np.array([2.0, 0.5, -0.3])])
def test_compositions_agree_with_differences(fun, x):
    tape, y, source = taped(fun, x)
    found = tape.jacobian(y, source)
    step = 1e-6
    columns = [(fun(x + step * e) - fun(x - step * e)) / (2 * step) for e in np.eye(x.size)]
    np.testing.assert_allclose(found, np.stack(columns, -1), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize(
    "fun",
    [
        lambda x: np.arange(9.0).reshape(3, 3) @ x,
        lambda x: np.modf(x)[1],
        lambda x: np.arange(600.0).reshape(200, 3) @ x,
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.longdouble])
def test_t18_a_jacobian_has_the_dtype_of_its_source(fun, dtype):
    x = Variable(np.ones(3, dtype))
    with GradientTape() as tape:
        y = fun(x)
    assert tape.jacobian(y, x).dtype == dtype


def test_a_jacobian_of_complex_values_of_real_ones_is_refused():
    x = Variable([1.0, 2.0])
    with GradientTape(persistent=True) as tape:
        y = np.exp(1j * x)
        real = np.real(y)
    with pytest.raises(TapeUseError, match="would lack its imaginary part"):
        tape.jacobian(y, x)
    np.testing.assert_allclose(tape.jacobian(real, x), np.diag(-np.sin([1.0, 2.0])))
