"""Functions with a kink: their slopes, slopes of slopes, and the explanation of a dead one."""

import numpy as np
import pytest
from tf.differences import assert_same

from tapemagic import tf

X = np.array([[0.3, -1.2, 7.0], [-0.1, 5.5, 2.0]])

RECTIFIERS = [
    (tf.nn.relu, lambda x: np.maximum(x, 0)),
    (tf.nn.relu6, lambda x: np.clip(x, 0, 6)),
    (tf.nn.leaky_relu, lambda x: np.where(x > 0, x, 0.2 * x)),
    (lambda x: tf.nn.leaky_relu(x, alpha=-0.5), lambda x: np.where(x > 0, x, -0.5 * x)),
]


@pytest.mark.parametrize(("fun", "reference"), RECTIFIERS)
def test_value_and_gradient(fun, reference):
    assert_same(fun, reference, X)
    assert fun(tf.constant(X, tf.float32)).dtype == tf.float32
    assert np.isnan(fun(tf.constant(float("nan"))).numpy())


@pytest.mark.parametrize(("fun", "reference"), RECTIFIERS)
def test_jacobian(fun, reference):
    x = tf.Variable(X)
    with tf.GradientTape(persistent=True) as tape:
        y = fun(x)
    slope = (reference(X + 1e-6) - reference(X - 1e-6)) / 2e-6
    expected = np.zeros((2, 3, 2, 3))
    for index in np.ndindex(X.shape):
        expected[index + index] = slope[index]
    assert np.allclose(tape.jacobian(y, x).numpy(), expected)
    with tf.autodiff.ForwardAccumulator(x, tf.ones_like(x)) as accumulator:
        y = fun(x)
    assert np.allclose(accumulator.jvp(y).numpy(), slope)


def test_gradient_by_the_slope():
    """Parametric rectifiers (He et al. 2015): one slope, and one per column."""
    for alpha in (np.array(0.3), np.array([0.1, 0.2, 0.3])):
        assert_same(tf.nn.leaky_relu, lambda x, a: np.where(x > 0, x, a * x), X, alpha)


@pytest.mark.parametrize(("fun", "_"), RECTIFIERS)
def test_second_derivative_is_zero_and_not_missing(fun, _):
    x = tf.Variable([1.0, -1.0, 0.0, -np.inf])
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            y = tf.reduce_sum(fun(x))
        slope = inner.gradient(y, x)
    second = outer.gradient(slope, x).numpy()
    assert second.tolist() == [0, 0, 0, 0]
    assert not np.signbit(second).any()
    assert np.isfinite(slope.numpy()).all()


def test_a_bias_in_front_of_a_straight_loss():
    """As in TensorFlow, a penalty on the gradient has the derivative 0 by such a bias."""
    layer = tf.keras.layers.Dense(4, activation="relu")
    x = tf.constant(np.random.default_rng(0).normal(size=(5, 3)), tf.float32)
    with tf.GradientTape() as outer:
        with tf.GradientTape(watch_accessed_variables=False) as inner:
            inner.watch(x)
            y = tf.reduce_sum(layer(x))
        penalty = tf.reduce_sum(inner.gradient(y, x) ** 2)
    kernel, bias = outer.gradient(penalty, layer.trainable_variables)
    assert np.abs(kernel.numpy()).max() > 0
    assert bias.numpy().tolist() == [0] * 4


def test_a_dead_one_is_explained():
    v = tf.Variable([-1.0, -2.0], name="v")
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(tf.nn.relu(v))
    assert not tape.gradient(y, v).numpy().any()
    assert "relu" in tape.explain()
    assert "is 0 at every element" in tape.explain()
