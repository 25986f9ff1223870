"""Python numbers that a tape watches: they have no dtype of their own, as without one."""

import numpy as np
import pytest

from tapemagic import GradientTape, tf
from tapemagic.errors import TensorError

three = tf.constant(3.0)
USES = {
    "times a tensor": lambda b: b * three * three,
    "a tensor less it": lambda b: three - b,
    "divided by an array of tensors": lambda b: tf.reduce_sum(b / tf.constant([1.0, 2.0])),
    "a base": lambda b: b**three,
    "an exponent": lambda b: tf.pow(three, b),
    "constant": lambda b: tf.constant(b) * three,
    "first of a list": lambda b: tf.reduce_prod(tf.convert_to_tensor([b, 2.0])),
    "in a list with a tensor": lambda b: tf.reduce_prod(tf.stack([b, three])),
    "fill": lambda b: tf.reduce_sum(tf.fill([2], b) * three),
    "where": lambda b: tf.where(True, b, three),
    "clip": lambda b: tf.clip_by_value(three, b * b, b),
    "cast": lambda b: tf.cast(b, tf.float32) * three,
    "in double precision": lambda b: b * tf.constant(3.0, tf.float64),
    "computed with": lambda b: (b * 2.0 + 1.0) * three,
    "a loss with a penalty": lambda b: tf.keras.losses.MeanSquaredError()([1.0], [0.5]) + b * three,
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_watched_number_takes_the_dtype_that_it_meets(use):
    plain, step = use(0.5), 2.0**-8
    with GradientTape() as tape:
        b = tape.watch(0.5)
        y = use(b)
    assert (y.dtype, y.shape) == (plain.dtype, plain.shape)
    np.testing.assert_array_equal(y.numpy(), plain.numpy())
    slope = (float(use(0.5 + step)) - float(use(0.5 - step))) / (2 * step)
    np.testing.assert_allclose(float(tape.gradient(y, b)), slope, rtol=1e-3)


@pytest.mark.parametrize("make", [lambda: 0.5, lambda: np.float64(0.5), lambda: np.ones(2)])
def test_floats_do_not_fit_a_tensor_of_integers_whether_watched_or_not(make):
    x = make()
    with pytest.raises(TensorError) as plain:
        tf.constant([1, 2]) * x
    with GradientTape() as tape, pytest.raises(TensorError) as traced:
        tf.constant([1, 2]) * tape.watch(x)
    assert traced.value.what == plain.value.what
