"""Programs of runs whose sources are parts of one array."""

import numpy as np
import pytest

from tapemagic import GradientTape

NEW = np.array([[2.0, 3.0], [4.0, 5.0], [7.0, 8.0]])


def pairwise(a, q, k, v):
    return (q * k * k).sum() + v @ k


def by_the_base(a, q, k, v):
    return a[1, 0] * q[0] + (a**2).sum() + v @ v


def written(a, q, k, v):
    a[:, 1] *= q[0]
    return (a**2).sum() + k @ v


@pytest.mark.parametrize("cell", [pairwise, by_the_base, written])
@pytest.mark.parametrize("watched", ["qkv", "qv", "k", "vkq"])
def test_views_of_one_array(cell, watched):
    a = np.arange(1.0, 7.0).reshape(3, 2)
    parts = dict(zip("qkv", a, strict=True))
    sources = [parts[name] for name in watched]
    with GradientTape(persistent=True) as tape:
        tape.watch(sources)
        loss = cell(a, *parts.values())
    tape.gradient(loss, sources)
    assert tape.check().ok
    a = np.arange(1.0, 7.0).reshape(3, 2)
    rows = dict(zip("qkv", range(3), strict=True))
    new = {f"x{i + 1}": NEW[rows[name]] for i, name in enumerate(watched)}
    found = tape.program(loss, sources)(**new)
    for name in watched:
        a[rows[name]] = NEW[rows[name]]
    start = a.copy()
    assert found[0] == pytest.approx(cell(a, *a))
    for name, ct in zip(watched, found[1:], strict=True):
        for j in range(2):
            steps = []
            for h in (1e-4, -1e-4):
                b = start.copy()
                b[rows[name], j] += h
                steps.append(cell(b, *b))
            assert ct[j] == pytest.approx((steps[0] - steps[1]) / 2e-4)
