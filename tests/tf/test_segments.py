"""Sums of segments against loops, and the documented examples of TensorFlow."""

import numpy as np
import pytest
from tf.differences import assert_same

from tapemagic import tf

C = [[1, 2, 3, 4], [4, 3, 2, 1], [5, 6, 7, 8]]
X = np.arange(12.0).reshape(2, 3, 2) ** 1.5


def by_hand(numbers, count):
    def of(x):
        y = np.zeros((count, *x.shape[np.ndim(numbers) :]))
        for index in np.ndindex(np.shape(numbers)):
            if numbers[index] >= 0:
                y[numbers[index]] += x[index]
        return y

    return of


def test_documented_examples():
    found = tf.math.segment_sum(tf.constant(C), tf.constant([0, 0, 1]))
    assert (found.numpy().tolist(), found.dtype) == ([[5, 5, 5, 5], [5, 6, 7, 8]], tf.int32)
    found = tf.math.unsorted_segment_sum(C, [0, 1, 0], num_segments=2)
    assert found.numpy().tolist() == [[6, 8, 10, 12], [4, 3, 2, 1]]


@pytest.mark.parametrize(
    ("numbers", "count"),
    [([1, 0], 3), ([1, 1], 2), ([-1, 1], 2), ([[0, 2, 0], [1, -1, 2]], 4)],
)
def test_unsorted_segment_sum(numbers, count):
    numbers = np.array(numbers)
    assert_same(
        lambda x: tf.math.unsorted_segment_sum(x, numbers, tf.constant(count)),
        by_hand(numbers, count),
        X,
    )


@pytest.mark.parametrize("numbers", [[0, 0, 2], [1, 1, 1], [0, 1, 2]])
def test_segment_sum(numbers):
    assert_same(
        lambda x: tf.math.segment_sum(x, numbers),
        by_hand(np.array(numbers), numbers[-1] + 1),
        np.moveaxis(X, 1, 0),
    )


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: tf.math.segment_sum(C, [1, 0, 2]), "not increasing"),
        (lambda: tf.math.segment_sum(C, [-1, 0, 2]), "not increasing"),
        (lambda: tf.math.segment_sum(C, [0, 1]), r"ids of shape \(2,\)"),
        (lambda: tf.math.unsorted_segment_sum(C, [0, 1, 2], 2), r"not in \[0, 2\)"),
    ],
)
def test_what_is_refused(call, words):
    with pytest.raises(tf.errors.InvalidArgumentError, match=words):
        call()


@pytest.mark.parametrize("kind", ["max", "min", "prod", "mean"])
def test_other_kinds(kind):
    fun = getattr(np, kind)
    x = np.random.default_rng(0).normal(size=(4, 2))
    assert_same(
        lambda x: getattr(tf.math, f"segment_{kind}")(x, [0, 0, 1, 1]),
        lambda x: np.stack([fun(x[:2], axis=0), fun(x[2:], axis=0)]), x,
    )  # fmt: skip
    assert_same(
        lambda x: getattr(tf.math, f"unsorted_segment_{kind}")(x, [[1, 0], [1, -1]], 2),
        lambda x: np.stack([x[0, 1], fun(x[[0, 1], [0, 0]], axis=0)]), x.reshape(2, 2, 2),
    )  # fmt: skip


def test_segments_without_rows():
    x = tf.constant([3.0, 5.0])
    found = {
        name: getattr(tf.math, f"unsorted_segment_{name}")(x, [0, 0], 2)[1].numpy()
        for name in ("max", "min", "prod", "mean", "sqrt_n")
    }
    assert found == {
        "max": tf.float32.min, "min": tf.float32.max, "prod": 1, "mean": 0, "sqrt_n": 0
    }  # fmt: skip
    # TensorFlow 2.21: 0 between segments in order
    assert tf.math.segment_max(-x, [0, 2]).numpy().tolist() == [-3, 0, -5]
    assert tf.math.segment_prod(x, [0, 2]).numpy().tolist() == [3, 1, 5]
    with pytest.raises(tf.errors.InvalidArgumentError, match="not increasing"):
        tf.math.segment_max(x, [1, 0])
