"""Matrices: diagonals against NumPy's, and what is refused."""

import numpy as np
import pytest
from tf.differences import assert_same

from tapemagic import tf

X = np.random.default_rng(0).normal(size=(2, 3))


@pytest.mark.parametrize("k", [0, 1, -2])
def test_diagonals(k):
    assert_same(lambda x: tf.linalg.diag(x, k=k), lambda x: np.stack([np.diag(r, k) for r in x]), X)
    square = X.T @ X
    assert_same(lambda x: tf.linalg.diag_part(x, k=k), lambda x: np.diagonal(x, k), square)


def test_tensor_diagonals():
    # unlike of `diag`, the axes in front are no batch
    def by_hand(x):
        y = np.zeros(x.shape * 2)
        for place in np.ndindex(x.shape):
            y[place * 2] = x[place]
        return y

    assert_same(tf.linalg.tensor_diag, by_hand, X)
    assert_same(
        tf.linalg.tensor_diag_part,
        lambda x: np.einsum("ijij->ij", x),
        np.random.default_rng(0).normal(size=(2, 3, 2, 3)),
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match="Both halves"):
        tf.linalg.tensor_diag_part(X)


def test_trace_keeps_the_dtype():
    assert tf.linalg.trace([[1, 2], [3, 4]]).dtype == tf.int32


def test_logdet_of_what_is_not_positive_definite():
    # the determinant of this is 1: its logarithm would be a number
    with pytest.raises(tf.errors.InvalidArgumentError, match="positive definite"):
        tf.linalg.logdet(-tf.eye(2))


def test_products_of_small_integers_are_of_the_dtype_that_is_asked_for():
    a = tf.constant([[100, 100]], tf.int8)
    y = tf.matmul(a, a, transpose_b=True, output_type=tf.int32)
    assert (y.dtype, y.numpy().tolist()) == (tf.int32, [[20000]])


def test_the_older_name_of_an_axis():
    x = np.array([[3.0, 4.0], [6.0, 8.0]])
    assert np.allclose(tf.nn.l2_normalize(x, dim=1), [[0.6, 0.8], [0.6, 0.8]])
