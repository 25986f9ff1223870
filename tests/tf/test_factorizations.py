"""Systems of equations, square roots and eigenvalues against NumPy's and SciPy's."""

import numpy as np
import pytest
import scipy.linalg
from tf.differences import assert_same

from tapemagic import tf

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(4, 4)) + 4 * np.eye(4), RNG.normal(size=(4, 2))
TALL = RNG.normal(size=(4, 3))


@pytest.mark.parametrize(
    ("fun", "reference", "args"),
    [
        (
            tf.linalg.cholesky_solve,
            lambda x, y: np.linalg.solve(np.tril(x) @ np.tril(x).T, y), [np.tril(A), B],
        ),
        (tf.linalg.lstsq, lambda x, y: np.linalg.lstsq(x, y)[0], [TALL, B]),
        (
            lambda x, y: tf.linalg.lstsq(x, y, l2_regularizer=0.5),
            lambda x, y: np.linalg.solve(x.T @ x + 0.5 * np.eye(3), x.T @ y), [TALL, B],
        ),
        (
            lambda x, y: tf.linalg.lstsq(x, y, l2_regularizer=0.5),
            lambda x, y: x.T @ np.linalg.solve(x @ x.T + 0.5 * np.eye(3), y), [TALL.T, B[:3]],
        ),
        (tf.linalg.sqrtm, scipy.linalg.sqrtm, [A @ A.T]),
        (lambda x: tf.linalg.lu(x)[0], lambda x: scipy.linalg.lu_factor(x)[0], [A[[1, 0, 3, 2]]]),
        (
            tf.linalg.set_diag,
            lambda x, d: x - np.diag(np.diag(x)) + np.diag(d), [A, np.arange(4.0)],
        ),
        (
            lambda x, d: tf.linalg.set_diag(x, d, k=-1),
            lambda x, d: x - np.diag(np.diag(x, -1), -1) + np.diag(d, -1), [A, np.arange(3.0)],
        ),
        (
            tf.linalg.tridiagonal_solve,
            lambda d, y: np.linalg.solve(
                np.diag(d[0, :-1], 1) + np.diag(d[1]) + np.diag(d[2, 1:], -1), y
            ), [RNG.normal(size=(3, 4)) + [[0], [5], [0]], B],
        ),
    ],
)  # fmt: skip
def test_against_numpy_and_scipy(fun, reference, args):
    assert_same(fun, reference, *args)


def test_order_of_the_rows_in_lu():
    packed, order = tf.linalg.lu(tf.constant(A[[1, 0, 3, 2]]))
    lower = np.tril(packed, -1) + np.eye(4)
    assert np.allclose((lower @ np.triu(packed))[np.argsort(order)], A[[1, 0, 3, 2]])


def test_eigenvalues_are_complex():
    values, vectors = tf.linalg.eig(tf.constant(A, tf.float32))
    assert values.dtype == vectors.dtype == tf.linalg.eigvals(tf.eye(2)).dtype == tf.complex64
    assert np.allclose(A @ vectors.numpy(), vectors.numpy() * values.numpy(), atol=1e-4)


def test_rank():
    assert tf.linalg.matrix_rank([[1.0, 2.0], [2.0, 4.0]]).numpy() == 1
    assert tf.linalg.matrix_rank(np.stack([A, A * 0])).numpy().tolist() == [4, 0]


def test_the_gradient_of_cholesky_lies_in_both_triangles():
    """TensorFlow 2.21's, for symmetric matrices; NumPy's, in the triangle that is read, for others."""
    x = tf.Variable([[4.0, 1.0], [1.0, 3.0]])
    weights = np.cos(np.arange(4.0).reshape(2, 2)).astype("f")
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(tf.linalg.cholesky(x) * weights)
    expected = [[0.25735331, -0.02941322], [-0.02941322, -0.29849398]]
    assert np.allclose(tape.gradient(y, x), expected, atol=1e-6)
    x.assign([[4.0, 9.0], [1.0, 3.0]])
    with tf.GradientTape() as tape:
        z = tf.reduce_sum(tf.linalg.cholesky(x) * weights)
    assert z == y
    upper = tape.gradient(z, x).numpy()[0, 1]
    assert upper == 0
