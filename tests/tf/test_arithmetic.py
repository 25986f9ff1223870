"""Functions of elements: the dtypes that they take, and what TensorFlow 2.21 gives of odd ones."""

import numpy as np
import pytest
from tf.differences import assert_same

from tapemagic import tf

FLOATS = tf.constant([0.5, -1.5])
COMPLEX = tf.constant([1 + 2j, -0.5j])
INTEGERS = tf.constant([3, -2])
BOOLS = tf.constant([True, False])


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("sqrt", [INTEGERS, BOOLS]), ("sigmoid", [INTEGERS]), ("angle", [INTEGERS, BOOLS]),
        ("floor", [COMPLEX, INTEGERS]), ("is_nan", [COMPLEX]), ("softplus", [COMPLEX]),
        ("erf", [COMPLEX]), ("abs", [BOOLS]), ("square", [BOOLS]), ("round", [COMPLEX, BOOLS]),
        ("negative", [BOOLS]), ("logical_not", [FLOATS, INTEGERS]), ("reduce_any", [FLOATS]),
        ("reduce_all", [INTEGERS]), ("reduce_sum", [BOOLS]), ("reduce_max", [COMPLEX, BOOLS]),
        ("reduce_std", [INTEGERS]), ("reduce_logsumexp", [INTEGERS, COMPLEX]),
        ("argmax", [COMPLEX]), ("softmax", [INTEGERS, COMPLEX]),
    ],
)  # fmt: skip
def test_dtypes_that_a_function_does_not_take(name, refused):
    for x in refused:
        with pytest.raises(tf.errors.InvalidArgumentError, match=f"of a tensor of {x.dtype.name}"):
            getattr(tf.math, name)(x)


@pytest.mark.parametrize("name", ["relu", "elu", "selu", "gelu", "softsign", "l2_loss"])
def test_activations_of_complex_numbers(name):
    with pytest.raises(tf.errors.InvalidArgumentError, match="complex128"):
        getattr(tf.nn, name)(COMPLEX)


@pytest.mark.parametrize("name", ["logical_and", "logical_or", "logical_xor", "atan2", "less"])
def test_pairs_that_a_function_does_not_take(name):
    with pytest.raises(tf.errors.InvalidArgumentError):
        getattr(tf.math, name)(COMPLEX, COMPLEX)


def test_complex_numbers():
    assert np.allclose(tf.sigmoid(COMPLEX), 1 / (1 + np.exp(-COMPLEX.numpy())))
    assert tf.sigmoid(COMPLEX).dtype == tf.complex128
    assert np.allclose(tf.math.squared_difference(COMPLEX, 1j * COMPLEX), 2 * np.abs(COMPLEX) ** 2)
    assert np.allclose(np.abs(tf.nn.l2_normalize(COMPLEX)), [0.9759, 0.2182], atol=1e-4)
    assert tf.norm(COMPLEX).dtype == tf.complex128  # TensorFlow 2.21's
    assert tf.math.reduce_euclidean_norm(INTEGERS).dtype == tf.int32


def test_angle_of_real_numbers():
    x = tf.constant([0.0, -0.0, -2.0, 3.0])
    assert tf.math.angle(x).numpy().tolist() == [0, 0, np.float32(np.pi), 0]


def test_quotients_of_integers():
    short = tf.constant([7, 8], tf.uint8)
    for quotient in (short / short, tf.divide(short, 2), tf.math.divide_no_nan(short, short)):
        assert quotient.dtype == tf.float32
    assert (INTEGERS / 2).dtype == tf.divide(INTEGERS, 2).dtype == tf.float64


def test_comparisons_of_shapes_that_do_not_meet():
    x, y = tf.zeros(2), tf.zeros(3)
    assert (bool(x == y), bool(x != y)) == (False, True)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"\(2,\) and \(3,\)"):
        x < y  # noqa: B015
    assert isinstance(np.ones(2) < x, tf.Tensor)


def test_a_bool_counts_as_a_number():
    assert (FLOATS * True).numpy().tolist() == [0.5, -1.5]


def test_multiply_no_nan():
    # the derivative by a factor that is 0 is the other factor, unless that is lost
    x, y = tf.Variable([3.0, np.inf, 2.0]), tf.Variable([0.0, 0.0, 4.0])
    with tf.GradientTape() as tape:
        z = tf.math.multiply_no_nan(x, y)
    gradients = tape.gradient(z, [x, y])
    assert z.numpy().tolist() == [0, 0, 8]
    assert [g.numpy().tolist() for g in gradients] == [[0, 0, 4], [3, 0, 2]]


def test_slopes_at_the_kinks_of_elu_and_selu():
    x = tf.Variable([0.0, -1.0, 2.0])
    with tf.GradientTape(persistent=True) as tape:
        y, z = tf.nn.elu(x), tf.nn.selu(x)
    # TensorFlow 2.21: at 0 the slope of the right side
    assert np.allclose(tape.gradient(y, x), [1, np.exp(-1), 1])
    assert np.allclose(tape.gradient(z, x), [1.050701, 0.646769, 1.050701])


def test_second_derivative_of_the_euclidean_norm_at_a_zero():
    x = tf.Variable([3.0, 0.0, 4.0])
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            y = tf.math.reduce_euclidean_norm(x)
        g = inner.gradient(y, x)
    # d(x / |x|) / dx = (1 - x x^T / |x|^2) / |x|
    hessian = (np.eye(3) - np.outer([0.6, 0, 0.8], [0.6, 0, 0.8])) / 5
    assert np.allclose(outer.jacobian(g, x), hessian, atol=1e-6)


def test_batch_normalization_of_float64():
    # plain numbers and lists take the dtype of the tensor
    assert_same(
        lambda x: tf.nn.batch_normalization(x, 0.5, [4.0, 9.0], None, [1.0, 2.0], 0.0),
        lambda x: (x - 0.5) / [2.0, 3.0] * [1.0, 2.0],
        np.array([[1.0, 2.0]]),
    )


@pytest.mark.parametrize(
    ("use", "words"),
    [
        (lambda: INTEGERS // 0, "division by zero"),
        (lambda: INTEGERS % tf.constant([1, 0]), "division by zero"),
        (lambda: tf.math.floordiv(INTEGERS, [1, 0]), "division by zero"),
        (lambda: COMPLEX < COMPLEX, "complex128"),
        (lambda: BOOLS < BOOLS, "bool"),
        (lambda: tf.clip_by_value(COMPLEX, 0, 1), "complex128"),
        (lambda: tf.sort(COMPLEX), "complex128"),
        (lambda: tf.norm(FLOATS, ord=-1), "ord=-1"),
        (lambda: tf.norm(FLOATS, ord="fro"), "ord='fro'"),
        (lambda: tf.norm(INTEGERS), "int32"),
        (lambda: tf.cumsum(1.0), "Name an axis"),
        (lambda: tf.cumsum(FLOATS, axis=None), "Name an axis"),
        (lambda: tf.nn.top_k(FLOATS, 3), "k=3"),
        (lambda: tf.nn.dropout(FLOATS, 1.0), "rate=1.0"),
        (lambda: tf.nn.dropout(FLOATS, -0.5), "rate=-0.5"),
    ],
)
def test_what_tensorflow_refuses(use, words):
    with pytest.raises(tf.errors.InvalidArgumentError, match=words):
        use()


def test_quotients_by_zero_of_floats():
    with np.errstate(divide="ignore"):
        assert (FLOATS // 0.0).numpy().tolist() == [np.inf, -np.inf]


def test_the_angle_of_named_coordinates():
    """`y` comes first, and may be given by its name."""
    assert np.isclose(tf.atan2(1.0, 2.0), np.arctan2(1, 2))
    assert np.isclose(tf.math.atan2(x=2.0, y=1.0), np.arctan2(1, 2))
