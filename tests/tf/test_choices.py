"""A program of a run is right on other inputs, or refuses them: what was chosen must hang together."""

import numpy as np
import pytest

from tapemagic import errors, tf

layers = tf.keras.layers
A, B = [-1.0, 4.0, 0.5], [4.0, -1.0, 0.25]

FUNCTIONS = {
    "relu": tf.nn.relu,
    "relu6": lambda v: tf.nn.relu6(v * 2),
    "leaky_relu": tf.nn.leaky_relu,
    "elu": tf.nn.elu,
    "selu": tf.nn.selu,
    "keras elu": lambda v: tf.keras.activations.elu(v, 2.0),
    "softmax": lambda v: tf.nn.softmax(v)[0],
    "logsumexp": tf.reduce_logsumexp,
    "clip_by_norm": lambda v: tf.clip_by_norm(v * v, 3.0),
    "clip_by_norm at times": lambda v: tf.clip_by_norm(v[:1] * 2, 3.0),
    "l2_normalize": lambda v: tf.nn.l2_normalize(v * v),
    "divide_no_nan": lambda v: tf.math.divide_no_nan(1.0, v),
    "xlogy": lambda v: tf.math.xlogy(v, v * v),
    "huber": lambda v: tf.keras.losses.huber(tf.zeros(3), v),
    "hinge": lambda v: tf.keras.losses.hinge(tf.constant([1.0, 0.0, 1.0]), v),
    "top_k": lambda v: tf.math.top_k(v, 1).values,
    "sort": lambda v: tf.sort(v)[0],
    "argsort": lambda v: tf.gather(v, tf.argsort(v))[0],
    "argsort down": lambda v: tf.gather(v, tf.argsort(v, direction="DESCENDING"))[0],
    "argmax": lambda v: tf.gather(v, tf.argmax(v)),
    "searchsorted": lambda v: tf.gather(v, tf.searchsorted([0.0, 1.0], v[:1])),
    "unique": lambda v: tf.unique(v)[0][0],
    "where": lambda v: tf.where(v > 0, v, 0),
    "count_nonzero": lambda v: v * tf.cast(tf.math.count_nonzero(v - 4), tf.float32),
    "range": lambda v: tf.range(v[0], 6.0, 1.5) * v[1],
    "expm": lambda v: tf.linalg.expm(tf.reshape(v[:1] * v[1], (1, 1))),
    "max_pool2d": lambda v: tf.nn.max_pool2d(tf.reshape(v, (1, 1, 3, 1)), [1, 2], 1, "VALID"),
    "ReLU": lambda v: layers.ReLU(3.0, 0.1, 0.3)(v),
    "BatchNormalization": lambda v: layers.BatchNormalization()(v[:, None], training=True)[0],
    "scan": lambda v: tf.scan(lambda a, x: a * x, v),
    "segment_sum": lambda v: tf.math.segment_sum(v, [0, 0, 1]) ** 2,
}


def run(fun, values):
    v = tf.Variable(values, name="v")
    with tf.GradientTape(persistent=True) as tape:
        y = tf.reduce_sum(fun(v))
    return tape, y, v


@pytest.mark.parametrize("name", FUNCTIONS)
def test_other_inputs_are_right_or_refused(name):
    fun = FUNCTIONS[name]
    tape, y, v = run(fun, A)
    program = tape.program(y, [v])
    again = program(v=np.array(A, np.float32))
    assert np.allclose(again[0], y.numpy(), rtol=1e-5)
    other_tape, other, w = run(fun, B)
    try:
        value, gradient = program(v=np.array(B, np.float32))
    except errors.TapeError:
        return
    assert np.allclose(value, other.numpy(), rtol=1e-5)
    assert np.allclose(gradient, other_tape.gradient(other, w).numpy(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["relu", "relu6", "leaky_relu", "scan", "BatchNormalization"])
def test_what_is_straight_on_both_sides_needs_no_refusal(name):
    tape, y, v = run(FUNCTIONS[name], A)
    value, _ = tape.program(y, [v])(v=np.array(B, np.float32))
    assert np.allclose(value, run(FUNCTIONS[name], B)[1].numpy(), rtol=1e-5)
