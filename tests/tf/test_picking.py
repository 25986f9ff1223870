"""Elements by their places, with examples that have places of their own, against loops."""

import numpy as np
import pytest
from tf.differences import assert_same

from tapemagic import tf

X = np.random.default_rng(0).normal(size=(2, 3, 4))


@pytest.mark.parametrize(
    ("indices", "axis", "batch", "result"),
    [
        ([[0, 2], [1, 1]], 1, 1, lambda x: np.stack([x[0][[0, 2]], x[1][[1, 1]]])),
        ([[0, 2], [1, 1]], None, 1, lambda x: np.stack([x[0][[0, 2]], x[1][[1, 1]]])),
        ([2, 0], 1, 1, lambda x: np.stack([x[0][2], x[1][0]])),
        ([[3], [1]], 2, 1, lambda x: np.stack([x[0][:, [3]], x[1][:, [1]]])),
        ([[3], [1]], -1, 1, lambda x: np.stack([x[0][:, [3]], x[1][:, [1]]])),
        (
            [[[0, 1]], [[2, 3]]], 2, 1,
            lambda x: np.stack([x[0][:, [[0, 1]]], x[1][:, [[2, 3]]]]),
        ),
        ([[1, 2, 3], [0, 0, 0]], 2, 2, lambda x: np.stack([x[0, [0, 1, 2], [1, 2, 3]], x[1, :, 0]])),
        ([[0, 2], [1, 1]], 1, -1, lambda x: np.stack([x[0][[0, 2]], x[1][[1, 1]]])),
    ],
)  # fmt: skip
def test_gather_of_each_example(indices, axis, batch, result):
    assert_same(lambda x: tf.gather(x, indices, axis=axis, batch_dims=batch), result, X)


@pytest.mark.parametrize(
    ("indices", "batch", "result"),
    [
        ([[1], [2]], 1, lambda x: np.stack([x[0, 1], x[1, 2]])),
        ([[1, 3], [2, 0]], 1, lambda x: np.array([x[0, 1, 3], x[1, 2, 0]])),
        ([[[1], [0], [2]], [[3], [3], [3]]], 2, lambda x: np.stack([x[0, [0, 1, 2], [1, 0, 2]], x[1, :, 3]])),
    ],
)  # fmt: skip
def test_gather_nd_of_each_example(indices, batch, result):
    assert_same(lambda x: tf.gather_nd(x, indices, batch_dims=batch), result, X)


def test_what_is_refused():
    with pytest.raises(tf.errors.InvalidArgumentError, match="bools only"):
        tf.where(tf.constant([1.0, 0.0]), [1.0, 2.0], [3.0, 4.0])
    for order in (tf.sort, tf.argsort):
        with pytest.raises(tf.errors.InvalidArgumentError, match="DESCENDING"):
            order([1.0, 2.0], direction="falling")
    with pytest.raises(tf.errors.InvalidArgumentError, match="not in"):
        tf.gather(X, [[0], [3]], axis=1, batch_dims=1)


def test_a_list_as_an_index_is_a_tuple():
    assert tf.constant(X)[[0, 1]].shape == (4,)  # NumPy would pick two rows


def test_lists_take_the_dtype_of_the_tensor():
    y = tf.tensor_scatter_nd_sub(tf.zeros(2, tf.float64), [[1]], [3.0])
    assert (y.dtype, y.numpy().tolist()) == (tf.float64, [0, -3])
    assert tf.concat([tf.zeros(1, tf.float64), [1.0]], 0).dtype == tf.float64
    assert tf.linalg.matvec(tf.eye(2, dtype=tf.float64), [1.0, 2.0]).dtype == tf.float64
