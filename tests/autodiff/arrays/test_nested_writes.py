"""Stale views of an array that a second tape watches while the first records: neither loses a part."""

import itertools

import numpy as np
import pytest

from tapemagic import GradientTape

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
