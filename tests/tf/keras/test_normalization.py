"""Normalization by the formulas of the papers, and what a batch leaves behind."""

import numpy as np
import pytest
from tf.differences import assert_same

from tapemagic import tf

layers = tf.keras.layers
RNG = np.random.default_rng(4)
X = RNG.normal(size=(4, 3, 2))
GAMMA = {(2,): np.array([1.5, -0.5]), (3,): np.array([1.0, 2.0, -1.0])}
BETA = {(2,): np.array([0.1, 0.7]), (3,): np.array([0.0, -0.3, 4.0])}


def normalized(x, axes, epsilon):
    centered = x - x.mean(axes, keepdims=True)
    return centered / np.sqrt((centered**2).mean(axes, keepdims=True) + epsilon)


def with_weights(layer, **options):
    def call(x, gamma, beta):
        layer.build(x.shape)
        layer.gamma, layer.beta = gamma, beta
        return layer(x, **options)

    return call


@pytest.mark.parametrize(("axis", "others"), [(-1, (0, 1)), (2, (0, 1)), (1, (0, 2))])
def test_batch_normalization_in_training(axis, others):
    shape = [1, 1, 1]
    shape[axis] = -1
    lengths = (X.shape[axis],)
    assert_same(
        with_weights(layers.BatchNormalization(axis, dtype="float64"), training=True),
        lambda x, g, b: normalized(x, others, 1e-3) * g.reshape(shape) + b.reshape(shape),
        X, GAMMA[lengths], BETA[lengths],
    )  # fmt: skip


@pytest.mark.parametrize(("axis", "shape"), [(-1, (1, 1, 2)), (1, (1, 3, 1))])
def test_layer_normalization(axis, shape):
    lengths = (X.shape[axis],)
    assert_same(
        with_weights(layers.LayerNormalization(axis, epsilon=0.01, dtype="float64")),
        lambda x, g, b: normalized(x, axis, 0.01) * g.reshape(shape) + b.reshape(shape),
        X, GAMMA[lengths], BETA[lengths],
    )  # fmt: skip


def test_layer_normalization_of_two_axes():
    layer = layers.LayerNormalization(axis=[2, 1], dtype="float64")
    assert np.allclose(layer(X).numpy(), normalized(X, (1, 2), 1e-3), rtol=1e-12)
    assert layer.gamma.shape == (3, 2)


def test_running_mean_and_variance():
    layer = layers.BatchNormalization(momentum=0.75, epsilon=0.5, dtype="float64")
    assert np.allclose(layer(X).numpy(), X / np.sqrt(1.5))  # mean 0, variance 1 at the start
    mean, variance = X.mean((0, 1)), X.var((0, 1))
    layer(X, training=True)
    assert np.allclose(layer.moving_mean.numpy(), 0.25 * mean)
    assert np.allclose(layer.moving_variance.numpy(), 0.75 + 0.25 * variance)
    layer(X, training=True)
    running = 0.75 * 0.25 * mean + 0.25 * mean
    spread = 0.75 * (0.75 + 0.25 * variance) + 0.25 * variance
    assert np.allclose(layer(X).numpy(), (X - running) / np.sqrt(spread + 0.5))
    assert [v.name for v in layer.weights] == ["gamma", "beta", "moving_mean", "moving_variance"]
    assert [v.name for v in layer.trainable_weights] == ["gamma", "beta"]


def test_a_frozen_batch_normalization_does_not_train():
    layer = layers.BatchNormalization(dtype="float64")
    layer.trainable = False
    assert np.allclose(layer(X, training=True).numpy(), X / np.sqrt(1 + 1e-3))
    assert not layer.moving_mean.numpy().any()


@pytest.mark.parametrize("layer", [layers.BatchNormalization, layers.LayerNormalization])
def test_without_center_and_scale(layer):
    both = layer(center=False, scale=False)
    y = both(X, training=True) if layer is layers.BatchNormalization else both(X)
    axes = (0, 1) if layer is layers.BatchNormalization else -1
    assert y.dtype == tf.float32
    assert np.allclose(y.numpy(), normalized(X, axes, 1e-3), rtol=1e-4, atol=1e-6)
    assert both.trainable_weights == []


def test_the_rest_of_the_batch_is_not_a_constant():
    """Rows of a batch that is normalized are coupled: batch_jacobian says so, jacobian has all."""
    x = tf.Variable(X[:, 0])
    layer = layers.BatchNormalization(dtype="float64")
    with tf.GradientTape(persistent=True) as tape:
        y = layer(x, training=True)
    whole = tape.jacobian(y, x).numpy()
    assert whole.shape == (4, 2, 4, 2)
    assert np.abs(whole[0, 0, 1, 0]) > 1e-3
    assert np.allclose(whole.sum(axis=2), 0)  # the same added to all rows changes nothing
    with pytest.raises(ValueError, match="row"):
        tape.batch_jacobian(y, x)


def test_a_penalty_on_the_gradient_of_a_normalized_critic():
    """TensorFlow 2.21 takes the mean inside a variance for a constant in second derivatives.

    It gives -0.0052, 0.0005 and 0.0146 here, where the slopes of its own loss are -0.0046, -0.0017
    and 0.0161.
    """
    x = tf.constant([[0.3, -1.2, 0.8]], tf.float64)
    scale = tf.Variable([1.0, 2.0, 0.5], dtype=tf.float64)
    layer = tf.keras.layers.LayerNormalization(dtype="float64")

    def penalty():
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = tf.reduce_sum(tf.sin(layer(x * scale)))
        return tf.reduce_sum(inner.gradient(y, x) ** 2)

    with tf.GradientTape() as tape:
        value = penalty()
    found = tape.gradient(value, scale).numpy()
    start = scale.numpy()
    for i in range(3):
        slopes = []
        for side in (1, -1):
            scale.assign(start + side * 1e-6 * np.eye(3)[i])
            slopes.append(float(penalty()))
        assert found[i] == pytest.approx((slopes[0] - slopes[1]) / 2e-6, rel=1e-5)
