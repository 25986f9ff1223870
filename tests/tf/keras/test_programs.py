"""Programs of runs in which layers, metrics and optimizers keep numbers: right or refused."""

import numpy as np
import pytest

from tapemagic import tf
from tapemagic.errors import TapeError

RANDOM = np.random.default_rng(3)
FIRST, OTHER = (RANDOM.normal(size=(4, 3)).astype("f") for _ in range(2))


def normalized(x):
    return tf.reduce_sum(tf.keras.layers.BatchNormalization()(x, training=True) ** 3)


def normalized_by_the_last(x):
    layer = tf.keras.layers.BatchNormalization()
    layer(x, training=True)
    return tf.reduce_sum(layer(x, training=False) ** 2)


def running_mean(x):
    layer = tf.keras.layers.BatchNormalization()
    y = layer(x, training=True)
    return tf.reduce_sum(y * layer.moving_mean)


def measured(x):
    tf.keras.metrics.Mean().update_state(x * x)
    return tf.reduce_sum(x**3)


def mean(x):
    metric = tf.keras.metrics.Mean()
    metric.update_state(x * x)
    return tf.reduce_sum(x * metric.result())


def squared_error(x):
    return tf.reduce_sum(x * tf.keras.metrics.MeanSquaredError()(x * x, x))


def forgotten(x):
    metric = tf.keras.metrics.Mean()
    metric.update_state(x)
    metric.reset_state()
    return tf.reduce_sum(x * x) + metric.result()


def one_step(x):
    v = tf.Variable(tf.ones_like(FIRST))
    with tf.GradientTape() as inner:
        loss = tf.reduce_sum(v * v * x)
    tf.keras.optimizers.Adam(0.1).apply_gradients([(inner.gradient(loss, v), v)])
    return tf.reduce_sum(v * x)


def rate(x):
    v = tf.Variable(1.0)
    optimizer = tf.keras.optimizers.SGD(tf.reduce_sum(x) ** 2)
    optimizer.apply_gradients([(tf.constant(1.0), v)])
    return v * tf.reduce_sum(x)


def batches(x):
    rows = tf.data.Dataset.from_tensor_slices(x * x).as_numpy_iterator()
    return tf.reduce_sum(x * np.stack(list(rows)))


@pytest.mark.parametrize(
    ("run", "is_refused"),
    [
        (normalized, False), (normalized_by_the_last, True), (running_mean, True), (measured, False), (mean, True),
        (squared_error, True), (forgotten, False), (one_step, True), (rate, True), (batches, True),
    ],
)  # fmt: skip
def test_a_program_of_numbers_that_were_kept(run, is_refused):
    x = tf.Variable(FIRST, name="x")
    with tf.GradientTape(persistent=True) as tape:
        y = run(x)
    program = tape.program(y, x)
    if is_refused:
        with pytest.raises(TapeError, match="another way"):
            program(x=OTHER)
        return
    value, gradient = program(x=OTHER)
    x.assign(OTHER)
    with tf.GradientTape() as fresh:
        y = run(x)
    np.testing.assert_allclose(value, y.numpy(), rtol=1e-5)
    np.testing.assert_allclose(gradient, fresh.gradient(y, x).numpy(), rtol=1e-4, atol=1e-6)


def test_an_optimizer_is_named_where_the_gradient_ends():
    v, rate = tf.Variable(2.0, name="v"), tf.Variable(0.1, name="rate")
    with tf.GradientTape(persistent=True) as tape:
        with tf.GradientTape() as inner:
            loss = v * v
        tf.keras.optimizers.SGD(rate).apply_gradients([(inner.gradient(loss, v), v)])
        y = v * 3.0
    assert tape.gradient(y, rate) is None
    for name in ("v", "rate"):
        assert "cut by the optimizer" in tape.explain(name)
