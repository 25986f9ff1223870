"""Assertions: which of them pass, and which raise what TensorFlow raises."""

import numpy as np
import pytest

from tapemagic import tf

X = tf.constant([[1.0, 2.0], [3.0, 4.0]])
D = tf.debugging


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (lambda: tf.assert_equal(X, X), lambda: D.assert_equal(1, 2)),
        (lambda: D.assert_none_equal(1, 2), lambda: D.assert_none_equal(1, 1)),
        (lambda: tf.assert_less(X, 5), lambda: D.assert_less(X, 4)),
        (lambda: D.assert_less_equal(X, 4), lambda: D.assert_less_equal(X, 3)),
        (lambda: tf.assert_greater(X, 0), lambda: D.assert_greater(X, 1)),
        (lambda: D.assert_greater_equal(X, 1), lambda: D.assert_greater_equal(X, 2)),
        (lambda: D.assert_positive(X), lambda: D.assert_positive(X - 1)),
        (lambda: D.assert_negative(-X), lambda: D.assert_negative(X)),
        (lambda: D.assert_non_negative(X - 1), lambda: D.assert_non_negative(X - 2)),
        (lambda: D.assert_non_positive(X - 4), lambda: D.assert_non_positive(X)),
        (lambda: tf.assert_rank(X, 2), lambda: D.assert_rank(X, 1)),
        (lambda: D.assert_rank_at_least(X, 2), lambda: D.assert_rank_at_least(X, 3)),
        (lambda: D.assert_rank_in(X, [1, 2]), lambda: D.assert_rank_in(X, (0, 1))),
        (lambda: D.assert_scalar(X[0, 0]), lambda: D.assert_scalar(X)),
        (lambda: D.assert_integer(1), lambda: D.assert_integer(X)),
        (lambda: D.assert_type(X, tf.float32), lambda: D.assert_type(X, tf.int32)),
        (
            lambda: D.assert_shapes([(X, ("n", "n")), (X[0], ("n",))]),
            lambda: D.assert_shapes({X.ref(): ("n", 3)}),
        ),
        (lambda: tf.Assert(True, [X]), lambda: tf.Assert(X[0, 0] > 1, ["x", X])),
        (lambda: D.assert_near(X, X + 1e-7), lambda: D.assert_near(X, X + 1e-3)),
        (lambda: D.check_numerics(X, "x"), lambda: D.check_numerics(X / 0, "x")),
    ],
)
def test_assertions(good, bad):
    with np.errstate(divide="ignore"):
        good()
        for error in (tf.errors.InvalidArgumentError, ValueError, TypeError):
            with pytest.raises(error):
                bad()


def test_message():
    with pytest.raises(tf.errors.InvalidArgumentError, match="too large"):
        D.assert_less(X, 2, message="too large")
