"""Programs of whole cells: NumPy's value and a numerical gradient on other inputs, or a refusal."""

import numpy as np
import pytest

from tapemagic import GradientTape, Variable
from tapemagic.errors import TapeError

X = np.array([0.3, -1.2, 0.8, 1.7, -0.4, 0.6])
STEP = 1e-6


def in_groups(x):
    groups = {}
    for e in x:
        groups.setdefault("up" if e > 0 else "down", []).append(e)
    return sum(sum(group) ** 2 / len(group) for group in groups.values())


def written_in_place(x):
    y = np.zeros(6)
    y[x > 0] = x[x > 0] ** 2
    y[~(x > 0)] -= x[x <= 0]
    y[::2] *= y[1::2]
    return np.sum(y)


def until_it_is_large(x):
    total, count = x[0] * 0, 0
    while total < 2 and count < 6:
        total = total + x[count] ** 2
        count += 1
    return total * count


def bisected(x):
    low, high = -5.0, 5.0
    for _ in range(12):
        middle = (low + high) / 2
        if middle**3 + x[0] * x[0] * middle - x[1] > 0:
            high = middle
        else:
            low = middle
    return middle * x[2]


def largest_of_the_nearest(x):
    points, centres = x[:4], x[4:]
    distances = (points[:, None] - centres) ** 2
    return np.sum(distances[np.arange(4), distances.argmin(axis=1)]) + np.max(x) ** 2


def mean_of_the_logarithms(x):
    mask = x > 0
    if not mask.any():
        return np.sum(x)
    return np.sum(np.log(x[mask])) / np.count_nonzero(mask) + np.mean(~mask) * x[0]


def sorted_with_weights(x):
    return sum(k * e for k, e in enumerate(sorted(x))) + np.partition(x, 2)[2] ** 2


def numerical(cell, x):
    steps = STEP * np.eye(len(x))
    return np.array([(cell(x + step) - cell(x - step)) / (2 * STEP) for step in steps])


@pytest.mark.parametrize(
    "cell",
    [
        in_groups,
        written_in_place,
        until_it_is_large,
        bisected,
        largest_of_the_nearest,
        mean_of_the_logarithms,
        sorted_with_weights,
    ],
)
def test_other_inputs_give_what_numpy_gives_or_are_refused(cell):
    x = Variable(X, name="x")
    with GradientTape() as tape:
        target = cell(x)
    program = tape.program(target, x)
    others = [X * 1.001, X[::-1].copy(), -X, np.abs(X), -np.abs(X), np.roll(X, 2), 3 * X]
    ran = []
    for new in others:
        try:
            value, gradient = program(x=new)
        except TapeError:
            continue
        np.testing.assert_allclose(value, cell(new), rtol=1e-12)
        np.testing.assert_allclose(gradient, numerical(cell, new), rtol=1e-5, atol=1e-6)
        ran.append(new)
    assert ran
    assert len(ran) < len(others), "what decides the branches was not changed"
