"""Tensors taken apart and put together, against NumPy's indexing."""

import numpy as np
import pytest
from tf.differences import assert_same

from tapemagic import tf

X = np.random.default_rng(0).normal(size=(4, 3))


def test_partitions():
    assert_same(
        lambda x: tf.concat(tf.dynamic_partition(x, [1, 0, 1, 2], 3), 0),
        lambda x: x[[1, 0, 2, 3]], X,
    )  # fmt: skip
    parts = tf.dynamic_partition([[1, 2], [3, 4]], [[0, 1], [1, 1]], 3)
    assert [part.numpy().tolist() for part in parts] == [[1], [2, 3, 4], []]
    assert_same(
        lambda x: tf.dynamic_stitch([[3, 0], 1, [2, 2]], [x[:2], x[0], x[2:]]),
        lambda x: x[[1, 0, 3, 0]], X,
    )  # fmt: skip
    with pytest.raises(tf.errors.InvalidArgumentError, match="nothing is given"):
        tf.dynamic_stitch([[0, 2]], [[1.0, 2.0]])


def test_sequences():
    assert tf.sequence_mask([1, 3]).numpy().tolist() == [[1, 0, 0], [1, 1, 1]]
    assert tf.sequence_mask(2, 3, tf.float32).numpy().tolist() == [1, 1, 0]
    assert_same(
        lambda x: tf.reverse_sequence(x, [1, 2, 3, 0], seq_axis=1),
        lambda x: np.stack([x[0], x[1, [1, 0, 2]], x[2, ::-1], x[3]]), X,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["max", "min"])
def test_extremes_at_places(name):
    def by_hand(x, updates):
        y = x.copy()
        getattr(np, f"{name}imum").at(y, ([0, 2], [1, 1]), updates)
        return y

    assert_same(
        lambda x, updates: getattr(tf, f"tensor_scatter_nd_{name}")(x, [[0, 1], [2, 1]], updates),
        by_hand, X, np.array([0.01, -0.02]),
    )  # fmt: skip


def test_ensure_shape():
    assert tf.ensure_shape(tf.constant(X), [None, 3]).shape == (4, 3)
    with pytest.raises(tf.errors.InvalidArgumentError, match="not of shape"):
        tf.ensure_shape(tf.constant(X), [4, 4])
