"""Stale views of an array that a second tape watches while the first records: neither loses a part."""

import itertools

import numpy as np
import pytest

from tapemagic import GradientTape, Variable, jvp
from tapemagic.autodiff.forward import ForwardAccumulator

BEGIN = np.array([1.0, 2.0, 3.0])


def run(x, *, copies, writes_base, writes_view, inner=None):
    b = x * 1.0 if copies else x
    v, w = b[1:], b[::-1]
    if inner is not None:
        inner.__enter__()
        inner.watch(b)
    if writes_base:
        b[0] = b[1] * 2
    if writes_view:
        w *= 0.5
    v[0] = v[0] * v[1]
    y = np.sum(v * v * b[:2]) + np.sum(w**3)
    if inner is not None:
        inner.__exit__(None, None, None)
    return y, np.sum(v) + np.sum(w * b), b


def slopes(which, **how):
    """Complex steps of the plain run."""
    steps = 1e-30j * np.eye(3)
    return [run(BEGIN + step, **how)[which].imag / 1e-30 for step in steps]


@pytest.mark.parametrize("flags", list(itertools.product([False, True], repeat=3)))
def test_views_made_before_the_inner_tape(flags):
    how = dict(zip(("copies", "writes_base", "writes_view"), flags, strict=True))
    x = BEGIN.copy()
    inner = GradientTape(persistent=True)
    with GradientTape(persistent=True) as outer:
        outer.watch(x)
        y, z, b = run(x, **how, inner=inner)
        np.testing.assert_allclose(inner.gradient(y, b), slopes(0, **how), rtol=1e-12)
    np.testing.assert_allclose(outer.gradient(y, x), slopes(0, **how), rtol=1e-12)
    np.testing.assert_allclose(outer.gradient(z, x), slopes(1, **how), rtol=1e-12)


def rewritten_slice(x):
    z = x * 2
    v = z[1:]
    z *= x[0]
    return v


def rewritten_shape(x):
    z = x * x
    v = z.reshape(2, 2)
    z[1] = x[0] * 5
    return v


def assigned_shape(x):
    z = x**3
    z.shape = (2, 2)
    z[1] = 2 * z[0]
    return z.T


REWRITTEN = [rewritten_slice, rewritten_shape, assigned_shape]


@pytest.mark.parametrize("fun", REWRITTEN, ids=lambda fun: fun.__name__)
def test_a_view_of_a_rewritten_array_has_its_derivative_everywhere(fun):
    """Also when the tape that it belongs to has ended, and another one records."""
    x, direction = np.array([1.5, -0.5, 2.0, 0.7]), np.array([0.3, 1.0, -2.0, 0.5])
    step = 1e-30
    slope = fun(x + 1j * step * direction).imag / step
    np.testing.assert_allclose(jvp(fun, (x,), (direction,))[1], slope, rtol=1e-12)
    with ForwardAccumulator(variable := Variable(x), direction) as forward:
        y = fun(variable)
    np.testing.assert_allclose(forward.jvp(y), slope, rtol=1e-12)
    with GradientTape(persistent=True) as outer:
        with GradientTape(persistent=True) as inner:
            y = fun(variable)
        later = variable * 2  # not the inner tape's: it had ended
        found = inner.gradient(y, variable)
        assert inner.gradient(later, variable) is None
    np.testing.assert_allclose(found @ direction, slope.sum(), rtol=1e-12)
    assert inner.gradient(later, variable) is None
    assert outer.gradient(later, variable) is not None
    second = np.einsum("i,i", outer.gradient(found, variable), direction)
    ahead = [inner_gradient(fun, x + sign * 1e-6 * direction) for sign in (1, -1)]
    np.testing.assert_allclose(second, (ahead[0] - ahead[1]).sum() / 2e-6, rtol=1e-6, atol=1e-8)


def inner_gradient(fun, x):
    """Complex steps of the plain run."""
    return np.array([fun(x + 1e-30j * unit).imag.sum() / 1e-30 for unit in np.eye(len(x))])
