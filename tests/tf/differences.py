"""Gradients of plain NumPy functions by central differences: what `tf` is held against."""

import numpy as np

from tapemagic import tf

STEP = 1e-6


def slopes(reference, *args):
    """Return the gradient of ``sum(reference(*args))`` by each argument."""
    return [_slope(reference, args, i) for i in range(len(args))]


def _slope(reference, args, i):
    result = np.zeros(np.shape(args[i]))
    for index in np.ndindex(result.shape):
        values = []
        for sign in (1, -1):
            moved = [np.array(x, float) for x in args]
            moved[i][index] += sign * STEP
            values.append(np.sum(reference(*moved)))
        result[index] = (values[0] - values[1]) / (2 * STEP)
    return result


def assert_same(fun, reference, *args):
    """Assert that value and gradients of a function of tensors are those of a NumPy function.

    Each element of the result has a weight of its own, so that none can take another's place.
    """
    expected = np.asarray(reference(*args))
    weights = np.random.default_rng(0).normal(size=expected.shape)
    variables = [tf.Variable(x, dtype=tf.float64) for x in args]
    with tf.GradientTape() as tape:
        y = fun(*variables)
        total = tf.reduce_sum(y * weights)
    assert y.shape == expected.shape
    assert np.allclose(y.numpy(), expected, rtol=1e-10, atol=1e-12)
    numerical = slopes(lambda *moved: reference(*moved) * weights, *args)
    for found, wanted in zip(tape.gradient(total, variables), numerical, strict=True):
        assert found.dtype == tf.float64
        assert np.allclose(found.numpy(), wanted, rtol=2e-6, atol=1e-7)
