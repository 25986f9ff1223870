"""Softmax and its kin: NumPy's values, differences, other inputs, and no overflow."""

import numpy as np
import pytest
from tf.differences import assert_same, slopes

from tapemagic import tf

X = np.array([[0.3, -1.2, 2.0], [1.5, 0.1, -0.4]])
WEIGHTS = np.array([[1.0, -2.0, 0.5], [0.7, 0.2, -1.1]])


def softmax(x, axis):
    return np.exp(x) / np.sum(np.exp(x), axis=axis, keepdims=True)


CASES = [
    (lambda x: tf.nn.softmax(x), lambda x: softmax(x, -1)),
    (lambda x: tf.nn.softmax(x, axis=0), lambda x: softmax(x, 0)),
    (lambda x: tf.nn.log_softmax(x), lambda x: np.log(softmax(x, -1))),
    (lambda x: tf.reduce_logsumexp(x), lambda x: np.log(np.sum(np.exp(x)))),
    (lambda x: tf.reduce_logsumexp(x, 1), lambda x: np.log(np.sum(np.exp(x), 1))),
    (lambda x: tf.reduce_logsumexp(x, [0, 1], True),
     lambda x: np.log(np.sum(np.exp(x), keepdims=True))),
]  # fmt: skip


@pytest.mark.parametrize(("fun", "by_hand"), CASES)
def test_values_and_slopes(fun, by_hand):
    assert_same(fun, by_hand, X)


@pytest.mark.parametrize(("fun", "by_hand"), CASES)
def test_programs_take_other_inputs(fun, by_hand):
    v = tf.Variable(X, name="v")
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(fun(v) ** 2)
    new = X[::-1] + 0.3
    value, gradient = tape.program(total, v)(v=new)
    assert np.allclose(value, np.sum(by_hand(new) ** 2), rtol=1e-12)
    (expected,) = slopes(lambda x: by_hand(x) ** 2, new)
    assert np.allclose(gradient, expected, rtol=2e-6, atol=1e-7)


def test_second_derivatives():
    v = tf.Variable(X)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            total = tf.reduce_sum(tf.nn.softmax(v) ** 2 + tf.nn.log_softmax(v) * WEIGHTS)
            total += tf.reduce_logsumexp(v) ** 2
        gradient = inner.gradient(total, v)
    found = outer.gradient(gradient, v, output_gradients=tf.constant(WEIGHTS))

    def slope(x):
        p, w = softmax(x, -1), WEIGHTS
        by_softmax = 2 * p * (p - np.sum(p * p, -1, keepdims=True))
        by_logarithm = w - p * np.sum(w, -1, keepdims=True)
        return by_softmax + by_logarithm + 2 * np.log(np.sum(np.exp(x))) * softmax(x, None)

    (expected,) = slopes(lambda x: slope(x) * WEIGHTS, X)
    assert np.allclose(found.numpy(), expected, rtol=2e-6, atol=1e-7)


@pytest.mark.parametrize("big", [1e4, -1e4])
def test_large_elements_do_not_overflow(big):
    x = tf.Variable(X + big)
    with tf.GradientTape(persistent=True) as tape:
        y, z, s = tf.nn.softmax(x), tf.nn.log_softmax(x), tf.reduce_logsumexp(x)
    np.testing.assert_allclose(y.numpy(), softmax(X, -1), rtol=1e-11)
    np.testing.assert_allclose(z.numpy(), np.log(softmax(X, -1)), atol=1e-11)
    np.testing.assert_allclose(tape.gradient(s, x).numpy(), softmax(X, None), rtol=1e-11)
