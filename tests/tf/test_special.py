"""`tf.math`'s special functions against SciPy's and central differences."""

import numpy as np
import pytest
from scipy import special
from tf.differences import assert_same

from tapemagic import tf

X = np.array([[0.3, 0.7], [0.15, 0.9]])


@pytest.mark.parametrize(
    ("name", "scipys"),
    [
        ("lgamma", special.gammaln), ("digamma", special.digamma), ("erfc", special.erfc),
        ("erfinv", special.erfinv), ("erfcinv", special.erfcinv), ("ndtri", special.ndtri),
        ("bessel_i0", special.i0), ("bessel_i0e", special.i0e), ("bessel_i1", special.i1),
        ("bessel_i1e", special.i1e), ("reciprocal_no_nan", lambda x: 1 / x),
        ("softsign", lambda x: x / (1 + np.abs(x))),
    ],
)  # fmt: skip
def test_functions_of_one_argument(name, scipys):
    fun = getattr(tf.math, name)
    assert_same(fun, scipys, X)
    assert fun(tf.constant(0.5)).dtype == fun(0.5).dtype == tf.float32
    with pytest.raises(tf.errors.InvalidArgumentError, match="floats only"):
        fun(tf.constant([1, 2]))


@pytest.mark.parametrize(
    ("fun", "reference", "args"),
    [
        (lambda x: tf.math.igamma(2.0, x), lambda x: special.gammainc(2, x), [X]),
        (lambda x: tf.math.igammac([2.0, 3.0], x), lambda x: special.gammaincc([2, 3], x), [X]),
        (lambda x: tf.math.betainc(2.0, 3.0, x), lambda x: special.betainc(2, 3, x), [X]),
        (lambda x: tf.math.polygamma(1.0, x), lambda x: special.polygamma(1, x), [X]),
        (tf.math.lbeta, lambda x: special.betaln(x[:, 0], x[:, 1]), [X]),
        (tf.math.xlogy, special.xlogy, [X, X + 1]),
        (tf.math.xlog1py, special.xlog1py, [X, X + 1]),
        (tf.math.xdivy, lambda x, y: x / y, [X, X + 1]),
        (lambda x: tf.math.polyval([3.0, x, -1.0], x), lambda x: 4 * x**2 - 1, [X]),
        (
            lambda x: tf.math.cumulative_logsumexp(x, axis=1),
            lambda x: np.log(np.cumsum(np.exp(x), axis=1)), [X],
        ),
    ],
)  # fmt: skip
def test_functions_of_several(fun, reference, args):
    assert_same(fun, reference, *args)


@pytest.mark.parametrize(
    ("name", "scipys"),
    [
        ("dawsn", special.dawsn), ("expint", special.expi), ("spence", special.spence),
        ("bessel_i0", special.i0), ("bessel_j0", special.j0), ("bessel_j1", special.j1),
        ("bessel_k0", special.k0), ("bessel_k0e", special.k0e), ("bessel_k1", special.k1),
        ("bessel_k1e", special.k1e), ("bessel_y0", special.y0), ("bessel_y1", special.y1),
    ],
)  # fmt: skip
def test_functions_of_the_module_for_special_ones(name, scipys):
    assert_same(getattr(tf.math.special, name), scipys, X)


def test_a_zero_decides():
    zero, y = tf.Variable(0.0), tf.constant([0.0, -1.0, np.nan])
    for fun in (tf.math.xlogy, tf.math.xlog1py, tf.math.xdivy):
        with tf.GradientTape() as tape:
            z = fun(zero, y)
        assert z.numpy().tolist() == [0, 0, 0]
        assert tape.gradient(z, zero).numpy() == 0  # TensorFlow 2.21's
    assert tf.math.reciprocal_no_nan([0.0, 4.0]).numpy().tolist() == [0, 0.25]


def test_the_other_arguments_have_no_derivative():
    a = tf.Variable(2.0)
    with pytest.raises(NotImplementedError, match="no derivative"), tf.GradientTape() as tape:
        tape.gradient(tf.math.igamma(a, 1.0), a)
