"""Parts of an array in recorded sweeps: reads of one array are added up in one node."""

import numpy as np
import pytest

import tapemagic
from tapemagic import GradientTape, Variable


def chain(x):
    total = 0.0
    for i in range(len(x) - 1):
        total = total + x[i] ** 2 * x[i + 1]
    return total


def hessian_of_chain(x):
    exact = np.diag(np.append(2 * x[1:], 0.0))
    for i in range(len(x) - 1):
        exact[i, i + 1] = exact[i + 1, i] = 2 * x[i]
    return exact


def test_reads_make_one_node_in_a_recorded_sweep():
    x = Variable(np.linspace(0.5, 1.5, 20))
    with GradientTape() as outer, GradientTape() as tape:
        y = chain(x)
        tape.stop()
        before = len(tape._recording.entries)
        tape.gradient(y, x)
        made = [node for node in outer.nodes()[before:] if node.shape == (20,)]
    assert [node.op for node in made] == ["scatter"]
    assert len(made[0].inputs) == 19 * 2


@pytest.mark.parametrize("n", [2, 7])
def test_second_derivatives_through_reads(n):
    x = np.linspace(0.5, 1.5, n)
    np.testing.assert_allclose(tapemagic.hessian(chain)(x), hessian_of_chain(x), atol=1e-14)
    v = np.linspace(-1.0, 2.0, n)
    product = tapemagic.hvp(chain)(x, v)
    np.testing.assert_allclose(product, hessian_of_chain(x) @ v, atol=1e-14)


def test_third_derivative_through_reads():
    x, v = np.array([0.5, 0.7, 1.1]), np.array([1.0, -2.0, 0.5])
    found = tapemagic.grad(lambda z: np.sum(tapemagic.hvp(chain)(z, v) * v))(x)
    # v' H v = sum of 2 x[i+1] v[i]^2 + 4 x[i] v[i] v[i+1]
    exact = np.append(4 * v[:-1] * v[1:], 0.0) + np.append(0.0, 2 * v[:-1] ** 2)
    np.testing.assert_allclose(found, exact, atol=1e-14)


@pytest.mark.parametrize(
    "index", [np.array([0, 2, 0]), np.array([True, False, True]), (slice(None), 1), (..., None), -1]
)
def test_indices_of_every_kind_beside_a_use_of_the_whole(index):
    x = np.arange(1.0, 10.0).reshape(3, 3) / 5
    direction = np.cos(x)

    def f(z):
        return np.sum(z[index] ** 3) + np.sum(z**4) + np.sum(z[1:] ** 3)

    def gradient(z):
        exact = 4 * z**3
        np.add.at(exact, index, 3 * z[index] ** 2)
        exact[1:] += 3 * z[1:] ** 2
        return exact

    step = 1e-6
    by_differences = (gradient(x + step * direction) - gradient(x - step * direction)) / (2 * step)
    found = tapemagic.hvp(f)(x, direction)
    np.testing.assert_allclose(found, by_differences, rtol=1e-7)
    whole = tapemagic.hessian(f)(x)
    np.testing.assert_allclose(np.tensordot(whole, direction, 2), found, rtol=1e-12)


def test_reads_keep_structural_zeros_apart():
    """An element that is never selected stays 0 where the sweep has to be a careful one."""

    def f(z):
        return np.sum(np.where(z > 0, np.sqrt(z), 0.0) ** 3) + z[1] * z[1] + z[0] * z[1]

    with np.errstate(all="ignore"):
        found = tapemagic.hessian(f)(np.array([0.0, 2.0]))
    np.testing.assert_allclose(found, [[0.0, 1.0], [1.0, 0.75 / np.sqrt(2.0) + 2.0]])


def test_a_gradient_that_is_a_view_may_be_written_to():
    """Of a transpose the cotangent is one: writing into the gradient reaches no other value."""
    x, w = Variable(np.arange(6.0).reshape(2, 3)), Variable(np.ones((3, 2)))
    with GradientTape(persistent=True) as outer:
        with GradientTape() as inner:
            y = np.sum(x.T * w * w)
        gradient = inner.gradient(y, x)
        before = gradient * 1.0
        view = gradient[0]
        gradient[0, 0] = 100.0
        total = np.sum(view * before[0]) + np.sum(w)
    np.testing.assert_array_equal(before, np.ones((2, 3)))
    np.testing.assert_array_equal(gradient, [[100.0, 1.0, 1.0], [1.0, 1.0, 1.0]])
    # total = 100 w00^2 + w10^4 + w20^4 + sum of w
    exact = np.array([[201.0, 1.0], [5.0, 1.0], [5.0, 1.0]])
    np.testing.assert_array_equal(outer.gradient(total, w), exact)
