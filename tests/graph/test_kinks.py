"""Kinks are counted on the node with the convention for the number, and are not told as slopes."""

import numpy as np
import pytest

from tapemagic import GradientTape, Variable, tf

ZERO, TIE, HALF = "at 0: the derivative shown there is 0", "share the gradient", "one half"
BOUND, INFINITE = "at a bound: the derivative shown there is 1", "infinite"
ROWS = np.array([[0.0, 0.0], [3.0, 4.0]])
TIED, EQUAL = np.array([1.0, 3, 3, 3, 5]), "one gets the gradient"
FLAT_ROW = np.array([[5.0, 5.0, 5.0], [1.0, 2.0, 3.0]])

# what is computed, where, elements at the kink, and what is said of them
CASES = {
    "norm": (np.linalg.norm, np.zeros(2), 1, ZERO),
    "norm of rows": (lambda x: np.linalg.norm(x, axis=1), ROWS, 1, ZERO),
    "norm of a matrix": (np.linalg.norm, np.zeros((2, 2)), 1, ZERO),
    "norm 1": (lambda x: np.linalg.norm(x, 1), np.array([0.0, 2.0, 0.0]), 2, ZERO),
    "norm 3": (lambda x: np.linalg.norm(x, 3), np.zeros(2), 1, ZERO),
    "norm inf at 0": (lambda x: np.linalg.norm(x, np.inf), np.zeros(2), 1, ZERO),
    "norm inf at a tie": (lambda x: np.linalg.norm(x, np.inf), np.array([2.0, -2, 1]), 2, TIE),
    "vector_norm": (lambda x: np.linalg.vector_norm(x, axis=1, ord=1), ROWS, 2, ZERO),
    "std": (np.std, np.full(3, 7.0), 1, ZERO),
    "std of rows": (lambda x: np.std(x, axis=1), FLAT_ROW, 1, ZERO),
    "nanstd": (np.nanstd, np.array([2.0, np.nan, 2.0]), 1, ZERO),
    "hypot": (lambda x: np.hypot(x, x), np.array([0.0, 1.0]), 1, ZERO),
    "abs": (np.abs, np.array([0.0, 1.0]), 1, ZERO),
    "sqrt": (np.sqrt, np.array([0.0, 1.0]), 1, INFINITE),
    "cbrt": (np.cbrt, np.array([0.0, 1.0]), 1, INFINITE),
    "clip": (lambda x: np.clip(x, 1, 3), np.array([1.0, 2, 3, 4]), 2, BOUND),
    "clip from below": (lambda x: np.clip(x, 1, None), np.array([1.0, 2, 3]), 1, BOUND),
    "clip by an array": (lambda x: np.clip(x, None, np.full(3, 2.0)), np.array([1.0, 2, 3]), 1, BOUND),
    "fmax": (lambda x: np.fmax(x, 1.0), np.array([1.0, 2.0]), 1, HALF),
    "fmin": (lambda x: np.fmin(x, x[::-1]), np.array([1.0, 9.0, 1.0]), 3, HALF),
    "max": (np.max, np.array([1.0, 3.0, 3.0]), 2, TIE),
    "max of rows": (lambda x: np.max(x, axis=1), FLAT_ROW, 3, TIE),
    "min of columns": (lambda x: np.min(x, 0, keepdims=True), np.ones((2, 3)), 6, TIE),
    "nanmax": (np.nanmax, np.array([np.nan, 3.0, 3.0]), 2, TIE),
    "median": (np.median, TIED, 1, EQUAL),
    "mean of two, one tied": (lambda x: np.median(x[:4]), TIED[[0, 0, 1, 4, 4]], 1, EQUAL),
    "mean of three equal": (lambda x: np.median(x[:4]), TIED, 1, EQUAL),
    "percentiles": (lambda x: np.percentile(x, [0, 30, 50, 100]), TIED, 2, EQUAL),
    "quantile between equal ones": (lambda x: np.quantile(x, 0.45), TIED[[0, 1, 2, 4]], 1, EQUAL),
    "medians of rows": (lambda x: np.median(x, axis=1), FLAT_ROW, 1, EQUAL),
    "nanmedian": (np.nanmedian, np.array([np.nan, 2.0, 2.0, 5.0, np.nan]), 1, EQUAL),
    "partition": (lambda x: np.partition(x, 1), TIED, 3, "order in which they stood"),
    "interp": (lambda x: np.interp(x, [0, 3, 9], [0, 1, 0]), TIED, 3, "one piece beside it"),
    "running maximum": (np.maximum.accumulate, TIED, 2, HALF),
    "running minimum": (lambda x: np.minimum.accumulate(x, 1), FLAT_ROW, 2, HALF),
    "remainder": (lambda x: x % 3, TIED, 3, "jump"),
    "remainder at 0": (lambda x: x % 3, np.array([0.0, -3.0, 4.0]), 2, "jump"),
    "fmod, which is smooth at 0": (lambda x: np.fmod(x, 3), np.array([0.0, -3.0, 4.0]), 1, "jump"),
    "relu": (lambda x: tf.nn.relu(tf.constant(x)), np.array([0.0, 1.0]), 1, ZERO),
    "relu6": (lambda x: tf.nn.relu6(tf.constant(x)), np.array([0.0, 6.0]), 2, "is 0"),
    "leaky_relu": (lambda x: tf.nn.leaky_relu(tf.constant(x)), np.array([0.0, 1.0]), 1, "negative"),
    "sort": (np.sort, np.array([3.0, 1.0, 3.0]), 2, "order in which they stood"),
}  # fmt: skip


def record(compute, value):
    x = Variable(value)
    with GradientTape() as tape:
        y = compute(x)
    tape.gradient(y, x)
    return tape


@pytest.mark.parametrize("case", CASES)
def test_elements_at_a_kink_are_counted(case):
    compute, value, count, words = CASES[case]
    (finding,) = [one for one in record(compute, value).findings if one.kind == "kink"]
    assert f": {count} element" in finding.message
    assert words in finding.message


@pytest.mark.parametrize(
    ("compute", "value"),
    [
        (np.linalg.norm, np.array([0.0, 1.0])),
        (lambda x: np.linalg.norm(x, np.inf), np.array([0.0, 2.0, 1.0])),
        (lambda x: np.linalg.norm(x, 0), np.zeros(2)),
        (np.std, np.array([1.0, 2.0])),
        (lambda x: np.hypot(x, 1.0), np.zeros(2)),
        (lambda x: np.clip(x, 0, 9), np.array([1.0, -1.0, 10.0])),
        (lambda x: np.max(x, axis=0), FLAT_ROW),
        (np.sort, np.array([3.0, 1.0, 2.0])),
        (np.median, TIED[[0, 1, 2, 4]]),  # the mean of both
        (lambda x: np.percentile(x, [0, 100]), TIED),
        (lambda x: np.interp([0.0, 3.0], [0.0, 3.0, 9.0], x), np.ones(3)),
        (lambda x: np.interp(x, [0.0, 3.0, 9.0], [1.0, 2.0, 0.0]), np.array([1.0, 4.0])),
        (np.maximum.accumulate, np.array([1.0, 3.0, 2.0])),
        (lambda x: np.add.accumulate(x), np.ones(2)),
        (lambda x: x % 3, np.array([1.0, 4.0])),
    ],
)
def test_no_kink_where_there_is_none(compute, value):
    assert [one for one in record(compute, value).findings if one.kind == "kink"] == []


@pytest.mark.parametrize(
    "case",
    [
        (np.linalg.norm, np.zeros(2)), (lambda x: np.linalg.norm(x, 1), np.zeros(2)),
        (lambda x: np.linalg.norm(x, np.inf), np.zeros(2)), (np.std, np.ones(3)),
        (lambda x: np.hypot(x, x), np.zeros(2)), (np.abs, np.zeros(2)),
    ],
)  # fmt: skip
def test_a_convention_is_not_told_as_a_slope(case):
    (zero,) = [one for one in record(*case).findings if one.kind == "zero"]
    assert "has a kink at 0: the derivative shown there is 0" in zero.message
