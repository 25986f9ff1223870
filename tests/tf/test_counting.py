"""Counts and orders against NumPy's."""

import numpy as np
import pytest
from tf.differences import assert_same

from tapemagic import tf

NUMBERS = [1, 2, 2, 5]


def test_bincount():
    assert tf.math.bincount(NUMBERS).numpy().tolist() == np.bincount(NUMBERS).tolist()
    assert tf.math.bincount(NUMBERS, minlength=8).shape == (8,)
    assert tf.math.bincount(NUMBERS, maxlength=3).numpy().tolist() == [0, 1, 2]
    assert tf.math.bincount([], dtype=tf.int64).dtype == tf.int64
    weights = np.array([0.5, 1.5, -2.0, 3.0])
    assert_same(lambda w: tf.math.bincount(NUMBERS, w), lambda w: np.bincount(NUMBERS, w), weights)


def test_confusion_matrix():
    found = tf.math.confusion_matrix([1, 2, 0, 1], [1, 1, 0, 1])
    assert (found.numpy().tolist(), found.dtype) == ([[1, 0, 0], [0, 2, 0], [0, 1, 0]], tf.int32)
    found = tf.math.confusion_matrix(tf.constant([1.0, 0.0]), [1, 1])  # floats that are whole
    assert found.numpy().tolist() == [[0, 1], [0, 1]]
    found = tf.math.confusion_matrix([0], [1], 2, weights=[2.5], dtype=tf.float32)
    assert found.numpy().tolist() == [[0, 2.5], [0, 0]]
    with pytest.raises(tf.errors.InvalidArgumentError, match="not in"):
        tf.math.confusion_matrix([0, 3], [0, 1], 2)


def test_histogram():
    # the documented example: values outside of the range are in the nearest bin
    found = tf.histogram_fixed_width([-1.0, 0.0, 1.5, 2.0, 5.0, 15], [0.0, 5.0], nbins=5)
    assert found.numpy().tolist() == [2, 1, 1, 0, 2]


def test_orders():
    values, places, counts = tf.unique_with_counts([7, 3, 7, 1])
    assert [x.numpy().tolist() for x in (values, places, counts)] == [
        [7, 3, 1], [0, 1, 0, 2], [2, 1, 1],
    ]  # fmt: skip
    assert repr(tf.unique([7])).startswith("Unique(y=<tf.Tensor")  # TensorFlow's name for it
    assert tf.math.invert_permutation([2, 0, 1]).numpy().tolist() == [1, 2, 0]
    assert tf.unravel_index([3, 5], [2, 3]).numpy().tolist() == [[1, 1], [0, 2]]
    with pytest.raises(tf.errors.InvalidArgumentError, match="permutation"):
        tf.math.invert_permutation([0, 0])
