"""Functions against plain NumPy in float64, and their gradients against finite differences."""

import math
import operator

import numpy as np
import pytest

from tapemagic import tf

V = np.array([0.3, -1.2, 2.0])
P = np.array([0.3, 1.2, 2.5])
U = np.array([0.3, -0.7, 0.55])
M = np.array([[2.0, 0.3, -0.5], [0.1, 1.5, 0.4], [0.2, -0.3, 3.0]])
S = M @ M.T
B = np.array([[1.0, -2.0], [0.5, 3.0], [2.0, 0.25]])


def _softmax(x, axis=-1):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


_erf = np.vectorize(math.erf)

#: TensorFlow call, the same in NumPy, the arguments to differentiate by.
ROWS = {
    # elements
    "square": (tf.square, np.square, V),
    "sqrt": (tf.sqrt, np.sqrt, P),
    "rsqrt": (tf.math.rsqrt, lambda x: x**-0.5, P),
    "reciprocal": (tf.math.reciprocal, lambda x: 1 / x, P),
    "exp": (tf.exp, np.exp, V),
    "expm1": (tf.math.expm1, np.expm1, V),
    "log": (tf.math.log, np.log, P),
    "log1p": (tf.math.log1p, np.log1p, P),
    "sin": (tf.sin, np.sin, V),
    "cos": (tf.cos, np.cos, V),
    "tan": (tf.tan, np.tan, V),
    "asin": (tf.asin, np.arcsin, U),
    "acos": (tf.acos, np.arccos, U),
    "atan": (tf.atan, np.arctan, V),
    "atan2": (tf.atan2, np.arctan2, V, P),
    "sinh": (tf.sinh, np.sinh, V),
    "cosh": (tf.cosh, np.cosh, V),
    "tanh": (tf.tanh, np.tanh, V),
    "asinh": (tf.asinh, np.arcsinh, V),
    "acosh": (tf.acosh, np.arccosh, P + 1),
    "atanh": (tf.atanh, np.arctanh, U),
    "sigmoid": (tf.sigmoid, _sigmoid, V),
    "erf": (tf.math.erf, _erf, V),
    "abs": (tf.abs, np.abs, V),
    "sign": (tf.sign, np.sign, V),
    "floor": (tf.floor, np.floor, U),
    "ceil": (tf.math.ceil, np.ceil, U),
    "round": (tf.round, np.round, V),
    "negative": (tf.negative, np.negative, V),
    "add": (tf.add, np.add, V, P),
    "subtract": (tf.subtract, np.subtract, V, P),
    "multiply": (tf.multiply, np.multiply, V, P),
    "divide": (tf.divide, np.divide, V, P),
    "divide_no_nan": (tf.math.divide_no_nan, np.divide, V, P),
    "multiply_no_nan": (tf.math.multiply_no_nan, np.multiply, V, P),
    "xlogy": (tf.math.xlogy, lambda x, y: x * np.log(y), V, P),
    "pow": (tf.pow, np.power, P, V),
    "maximum": (tf.maximum, np.maximum, V, U),
    "minimum": (tf.minimum, np.minimum, V, U),
    "floormod": (tf.math.floormod, np.mod, V, P + 1),
    "squared_difference": (tf.math.squared_difference, lambda x, y: (x - y) ** 2, V, P),
    "add_n": (lambda a, b: tf.add_n([a, b, a]), lambda a, b: 2 * a + b, V, P),
    "clip_by_value": (lambda x: tf.clip_by_value(x, -1, 1.5), lambda x: np.clip(x, -1, 1.5), V),
    "cast": (lambda x: tf.cast(x, tf.float64) * 2, lambda x: x * 2, V),
    "identity": (tf.identity, lambda x: x, V),
    # along axes
    "reduce_sum": (tf.reduce_sum, np.sum, M),
    "reduce_sum axes": (lambda x: tf.reduce_sum(x, [0, 1], keepdims=True),
                        lambda x: x.sum((0, 1), keepdims=True), M),
    "reduce_mean": (lambda x: tf.reduce_mean(x, 0), lambda x: x.mean(0), M),
    "reduce_prod": (lambda x: tf.reduce_prod(x, axis=-1), lambda x: x.prod(-1), M),
    "reduce_max": (lambda x: tf.reduce_max(x, 1), lambda x: x.max(1), M),
    "reduce_min": (tf.reduce_min, np.min, M),
    "reduce_std": (tf.math.reduce_std, np.std, M),
    "reduce_variance": (lambda x: tf.math.reduce_variance(x, 0), lambda x: x.var(0), M),
    "reduce_logsumexp": (lambda x: tf.reduce_logsumexp(x, 1),
                         lambda x: np.log(np.exp(x).sum(1)), M),
    "reduce_logsumexp all": (tf.reduce_logsumexp, lambda x: np.log(np.exp(x).sum()), M),
    "reduce_euclidean_norm": (tf.math.reduce_euclidean_norm, np.linalg.norm, M),
    "cumsum": (lambda x: tf.cumsum(x, 1), lambda x: x.cumsum(1), M),
    "cumsum exclusive": (lambda x: tf.cumsum(x, exclusive=True),
                         lambda x: np.array([0, x[0], x[0] + x[1]]), V),
    "cumsum reverse": (lambda x: tf.cumsum(x, reverse=True), lambda x: x[::-1].cumsum()[::-1], V),
    "cumprod": (tf.math.cumprod, np.cumprod, V),
    "norm": (tf.norm, np.linalg.norm, M),
    "norm axis": (lambda x: tf.norm(x, ord=1, axis=1, keepdims=True),
                  lambda x: np.abs(x).sum(1, keepdims=True), M),
    "norm matrix": (lambda x: tf.norm(x, ord="fro", axis=[-2, -1]), np.linalg.norm, M),
    "global_norm": (lambda a, b: tf.linalg.global_norm([a, None, b]),
                    lambda a, b: np.sqrt((a**2).sum() + (b**2).sum()), V, M),
    "clip_by_norm": (lambda x: tf.clip_by_norm(x, 1.0), lambda x: x / np.linalg.norm(x), V),
    "clip_by_norm inside": (lambda x: tf.clip_by_norm(x, 9.0), lambda x: x, V),
    "clip_by_global_norm": (lambda a, b: tf.clip_by_global_norm([a, b], 1.0)[0][1],
                            lambda a, b: b / np.sqrt((a**2).sum() + (b**2).sum()), V, P),
    # shapes
    "reshape": (lambda x: tf.reshape(x, [2, -1]), lambda x: x.reshape(2, -1), B),
    "transpose": (tf.transpose, np.transpose, B),
    "transpose perm": (lambda x: tf.transpose(x[None], perm=[2, 0, 1]),
                       lambda x: x[None].transpose(2, 0, 1), B),
    "squeeze": (lambda x: tf.squeeze(x[None], axis=[0]), lambda x: x, B),
    "expand_dims": (lambda x: tf.expand_dims(x, -1), lambda x: x[..., None], B),
    "broadcast_to": (lambda x: tf.broadcast_to(x, [2, 3]), lambda x: np.broadcast_to(x, (2, 3)), V),
    "tile": (lambda x: tf.tile(x, [2, 1]), lambda x: np.tile(x, (2, 1)), B),
    "repeat": (lambda x: tf.repeat(x, 2, axis=1), lambda x: x.repeat(2, 1), B),
    "reverse": (lambda x: tf.reverse(x, [0]), lambda x: x[::-1], B),
    "roll": (lambda x: tf.roll(x, 1, 0), lambda x: np.roll(x, 1, 0), B),
    "pad": (lambda x: tf.pad(x, [[1, 0], [0, 2]], constant_values=7.0),
            lambda x: np.pad(x, ((1, 0), (0, 2)), constant_values=7.0), B),
    "pad reflect": (lambda x: tf.pad(x, [[1, 1]], "REFLECT"), lambda x: np.pad(x, 1, "reflect"), V),
    "concat": (lambda a, b: tf.concat([a, b, a], axis=0), lambda a, b: np.concatenate([a, b, a]),
               V, P),
    "stack": (lambda a, b: tf.stack([a, b], axis=1), lambda a, b: np.stack([a, b], 1), V, P),
    "unstack": (lambda x: tf.unstack(x, axis=1)[1], lambda x: x[:, 1], B),
    "split": (lambda x: tf.split(x, 3)[1], lambda x: x[1:2], B),
    "split sizes": (lambda x: tf.split(x, [1, -1], axis=0)[1], lambda x: x[1:], B),
    "linspace": (lambda a, b: tf.linspace(a, b, 5), lambda a, b: np.linspace(a, b, 5), V, P),
    "fill": (lambda x: tf.fill([2, 2], x), lambda x: np.full((2, 2), x), np.array(1.5)),
    "meshgrid": (lambda a, b: tf.meshgrid(a, b)[0], lambda a, b: np.meshgrid(a, b)[0], V, P),
    # picking
    "gather": (lambda x: tf.gather(x, [2, 0, 2]), lambda x: x[[2, 0, 2]], B),
    "gather axis": (lambda x: tf.gather(x, tf.constant([1]), axis=1), lambda x: x[:, [1]], B),
    "gather_nd": (lambda x: tf.gather_nd(x, [[0, 1], [2, 0]]), lambda x: x[[0, 2], [1, 0]], B),
    "scatter": (lambda x, u: tf.tensor_scatter_nd_update(x, [[2], [0]], u[:2]),
                lambda x, u: np.array([u[1], x[1], u[0]]), V, P),
    "slice": (lambda x: tf.slice(x, [1, 0], [-1, 1]), lambda x: x[1:, :1], B),
    "boolean_mask": (lambda x: tf.boolean_mask(x, [True, False, True]), lambda x: x[[0, 2]], B),
    "where": (lambda a, b: tf.where(a > 0, a, b), lambda a, b: np.where(a > 0, a, b), V, P),
    "sort": (lambda x: tf.sort(x, direction="DESCENDING"), lambda x: -np.sort(-x), V),
    "top_k": (lambda x: tf.math.top_k(x, 2).values, lambda x: -np.sort(-x)[:2], V),
    "unique": (lambda x: tf.unique(x)[0], lambda x: x, V),
    # matrices
    "matmul": (tf.matmul, np.matmul, M, B),
    "matmul transposed": (lambda a, b: tf.matmul(a, b, transpose_a=True),
                          lambda a, b: a.T @ b, B, B + 1),
    "matvec": (tf.linalg.matvec, np.matmul, M, V),
    "tensordot": (lambda a, b: tf.tensordot(a, b, axes=1), lambda a, b: a @ b, M, B),
    "einsum of stacks": (lambda a, b: tf.einsum("...ij,jk", a, b), np.matmul, np.stack([M, S]), B),
    "einsum": (lambda a, b: tf.einsum("ij,jk->ki", a, b), lambda a, b: (a @ b).T, M, B),
    "inv": (tf.linalg.inv, np.linalg.inv, M),
    "pinv": (tf.linalg.pinv, np.linalg.pinv, M),
    "det": (tf.linalg.det, np.linalg.det, M),
    "slogdet": (lambda x: tf.linalg.slogdet(x)[1], lambda x: np.linalg.slogdet(x)[1], M),
    "logdet": (tf.linalg.logdet, lambda x: np.linalg.slogdet(x)[1], S),
    "solve": (tf.linalg.solve, np.linalg.solve, M, B),
    "triangular_solve": (tf.linalg.triangular_solve,
                         lambda a, b: np.linalg.solve(np.tril(a), b), M, B),
    "cholesky": (lambda x: tf.linalg.cholesky((x + tf.transpose(x)) / 2),
                 lambda x: np.linalg.cholesky((x + x.T) / 2), S),
    "qr": (lambda x: tf.linalg.qr(x)[1], lambda x: np.linalg.qr(x)[1], M),
    "eigh": (lambda x: tf.linalg.eigh((x + tf.transpose(x)) / 2)[0],
             lambda x: np.linalg.eigvalsh((x + x.T) / 2), S),
    "svd": (lambda x: tf.linalg.svd(x)[0], lambda x: np.linalg.svd(x)[1], M),
    "trace": (tf.linalg.trace, np.trace, M),
    "diag": (tf.linalg.diag, np.diag, V),
    "diag_part": (tf.linalg.diag_part, np.diag, M),
    "band_part": (lambda x: tf.linalg.band_part(x, -1, 0), np.tril, M),
    "cross": (tf.linalg.cross, np.cross, V, P),
    "matrix_transpose": (tf.linalg.matrix_transpose, np.transpose, B),
    "normalize": (lambda x: tf.linalg.normalize(x)[0], lambda x: x / np.linalg.norm(x), V),
    "expm": (lambda x: tf.linalg.expm(x * np.float64(0.5)), lambda x: _expm(x * 0.5), M),
    # nn
    "relu": (tf.nn.relu, lambda x: np.maximum(x, 0), V),
    "relu6": (lambda x: tf.nn.relu6(x * 4), lambda x: np.clip(x * 4, 0, 6), V),
    "leaky_relu": (tf.nn.leaky_relu, lambda x: np.where(x > 0, x, 0.2 * x), V),
    "elu": (tf.nn.elu, lambda x: np.where(x > 0, x, np.expm1(x)), V),
    "selu": (tf.nn.selu, lambda x: 1.0507009873554805 * np.where(
        x > 0, x, 1.6732632423543772 * np.expm1(x)), V),
    "gelu": (tf.nn.gelu, lambda x: x * 0.5 * (1 + _erf(x / np.sqrt(2))), V),
    "gelu approximate": (
        lambda x: tf.nn.gelu(x, approximate=True),
        lambda x: 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))), V),
    "silu": (tf.nn.silu, lambda x: x * _sigmoid(x), V),
    "softplus": (tf.nn.softplus, lambda x: np.log1p(np.exp(x)), V),
    "softsign": (tf.nn.softsign, lambda x: x / (1 + np.abs(x)), V),
    "log_sigmoid": (tf.math.log_sigmoid, lambda x: np.log(_sigmoid(x)), V),
    "softmax": (tf.nn.softmax, _softmax, M),
    "softmax axis": (lambda x: tf.nn.softmax(x, axis=0), lambda x: _softmax(x, 0), M),
    "log_softmax": (tf.nn.log_softmax, lambda x: np.log(_softmax(x)), M),
    "softmax_cross_entropy": (
        lambda x, p: tf.nn.softmax_cross_entropy_with_logits(labels=p, logits=x),
        lambda x, p: -(p * np.log(_softmax(x))).sum(-1), M, np.abs(M)),
    "sparse_softmax_cross_entropy": (
        lambda x: tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[2, 0, 1], logits=x),
        lambda x: -np.log(_softmax(x))[[0, 1, 2], [2, 0, 1]], M),
    "sigmoid_cross_entropy": (
        lambda x, z: tf.nn.sigmoid_cross_entropy_with_logits(labels=z, logits=x),
        lambda x, z: -(z * np.log(_sigmoid(x)) + (1 - z) * np.log(1 - _sigmoid(x))), V, P),
    "weighted_cross_entropy": (
        lambda x, z: tf.nn.weighted_cross_entropy_with_logits(z, x, 3.0),
        lambda x, z: -(3 * z * np.log(_sigmoid(x)) + (1 - z) * np.log(1 - _sigmoid(x))), V, P),
    "l2_loss": (tf.nn.l2_loss, lambda x: (x**2).sum() / 2, M),
    "bias_add": (tf.nn.bias_add, np.add, M, V),
    "moments": (lambda x: tf.nn.moments(x, [0])[1], lambda x: x.var(0), M),
    "batch_normalization": (
        lambda x, s: tf.nn.batch_normalization(x, x[0], s, 1.0, 2.0, 1e-3),
        lambda x, s: 2 * (x - x[0]) / np.sqrt(s + 1e-3) + 1, M, P),
    "l2_normalize": (lambda x: tf.nn.l2_normalize(x, axis=1),
                     lambda x: x / np.linalg.norm(x, axis=1, keepdims=True), M),
}  # fmt: skip


def _expm(x):
    y = term = np.eye(len(x))
    for k in range(1, 60):
        term = term @ x / k
        y = y + term
    return y


@pytest.mark.parametrize("name", ROWS)
def test_value(name):
    fun, reference, *args = ROWS[name]
    expected = reference(*args)
    y = fun(*(tf.constant(x, tf.float64) for x in args))
    assert isinstance(y, tf.Tensor)
    assert y.shape == np.shape(expected)
    assert np.allclose(y.numpy(), expected, rtol=1e-12, atol=1e-14)
    if name not in ("cast", "expm"):
        y = fun(*(tf.constant(x, tf.float32) for x in args))
        assert y.dtype == tf.float32
        assert np.allclose(y.numpy(), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ROWS)
def test_gradient(name):
    fun, reference, *args = ROWS[name]
    expected = reference(*args)
    weights = np.random.default_rng(0).normal(size=np.shape(expected))
    variables = [tf.Variable(x, dtype=tf.float64) for x in args]
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(fun(*variables) * weights)
    gradients = tape.gradient(y, variables, unconnected_gradients="zero")
    step = 1e-6
    for i, x in enumerate(args):
        numerical = np.zeros(np.shape(x))
        for index in np.ndindex(np.shape(x)):
            values = []
            for sign in (1, -1):
                moved = [np.array(arg, float) for arg in args]
                moved[i][index] += sign * step
                values.append(np.sum(reference(*moved) * weights))
            numerical[index] = (values[0] - values[1]) / (2 * step)
        assert gradients[i].dtype == tf.float64
        assert np.allclose(gradients[i].numpy(), numerical, rtol=2e-6, atol=2e-7)


@pytest.mark.parametrize(
    ("y", "dtype", "expected"),
    [
        (tf.zeros(2), "float32", [0, 0]),
        (tf.ones((1, 2), tf.int32), "int32", [[1, 1]]),
        (tf.zeros_like([1, 2]), "int32", [0, 0]),
        (tf.ones_like(tf.constant([1.0])), "float32", [1]),
        (tf.zeros_like([1.0], dtype=tf.int64), "int64", [0]),
        (tf.eye(2, 3), "float32", [[1, 0, 0], [0, 1, 0]]),
        (tf.eye(1, batch_shape=[2]), "float32", [[[1]], [[1]]]),
        (tf.range(3), "int32", [0, 1, 2]),
        (tf.range(1, 7, 3), "int32", [1, 4]),
        (tf.range(0.0, 1.0, 0.5), "float32", [0, 0.5]),
        (tf.range(3, dtype=tf.float32), "float32", [0, 1, 2]),
        (tf.linspace(0, 1, 3), "float64", [0, 0.5, 1]),
        (tf.linspace(2.0, 9.0, 1), "float32", [2]),
        (tf.linspace([0.0, 1.0], [1.0, 3.0], 2, axis=-1), "float32", [[0, 1], [1, 3]]),
        (tf.one_hot([1, -1], 2), "float32", [[0, 1], [0, 0]]),
        (tf.one_hot(0, 2, on_value=5, off_value=-1), "int32", [5, -1]),
        (tf.one_hot([0, 1], 3, axis=0, dtype=tf.int64), "int64", [[1, 0], [0, 1], [0, 0]]),
        (tf.cast([1.9, -1.9], tf.int32), "int32", [1, -1]),
        (tf.cast([0.0, 2.0], tf.bool), "bool", [False, True]),
        (tf.cast([True, False], tf.float32), "float32", [1, 0]),
        (tf.cast(1 + 2j, tf.float32), "float32", 1),
        (tf.saturate_cast(300, tf.uint8), "uint8", 255),
        (tf.reduce_sum([1, 2]), "int32", 3),
        (tf.reduce_mean([1, 2]), "int32", 1),
        (tf.reduce_prod([2, 3]), "int32", 6),
        (tf.cumsum([1, 2]), "int32", [1, 3]),
        (tf.reduce_any([False, True]), "bool", True),
        (tf.reduce_all([[False, True], [True, True]], axis=1), "bool", [False, True]),
        (tf.argmax([[1, 5], [7, 2]]), "int64", [1, 0]),
        (tf.argmin([3.0, 1.0], output_type=tf.int32), "int32", 1),
        (tf.math.count_nonzero([1, 0, 3]), "int64", 2),
        (tf.equal([1, 2], [1, 3]), "bool", [True, False]),
        (tf.less(1.0, [0.0, 2.0]), "bool", [False, True]),
        (tf.logical_not([True]), "bool", [False]),
        (tf.logical_and([True, True], [True, False]), "bool", [True, False]),
        (tf.math.is_nan([1.0, float("nan")]), "bool", [False, True]),
        (tf.shape(tf.zeros((3, 2))), "int32", [3, 2]),
        (tf.size(tf.zeros((3, 2))), "int32", 6),
        (tf.rank(tf.zeros((3, 2))), "int32", 2),
        (tf.where([False, True, True]), "int64", [[1], [2]]),
        (tf.argsort([3, 1, 2]), "int32", [1, 2, 0]),
        (tf.argsort([1, 1, 2], direction="DESCENDING"), "int32", [2, 0, 1]),
        (tf.unique([4, 4, 1, 4])[0], "int32", [4, 1]),
        (tf.unique([4, 4, 1, 4])[1], "int32", [0, 0, 1, 0]),
        (tf.searchsorted([1.0, 3.0], [2.0, 3.0], side="right"), "int32", [1, 2]),
        (tf.reshape(tf.range(4), tf.stack([2, 2])), "int32", [[0, 1], [2, 3]]),
        (tf.complex(1.0, 2.0), "complex64", 1 + 2j),
        (tf.math.real(1 + 2j), "float64", 1),
        (tf.math.imag(1 + 2j), "float64", 2),
        (tf.math.conj(1 + 2j), "complex128", 1 - 2j),
        (tf.math.top_k([1, 9, 5], 2).indices, "int32", [1, 2]),
        (tf.nn.in_top_k([1], [[0.1, 0.9]], 1), "bool", [True]),
        (tf.math.divide_no_nan(1.0, 0.0), "float32", 0),
        (tf.cond(tf.constant(True), lambda: tf.constant(1), lambda: tf.constant(2)), "int32", 1),
        (tf.while_loop(lambda i: i < 5, lambda i: i + 2, [tf.constant(0)])[0], "int32", 6),
        (tf.map_fn(lambda x: x * 2, tf.constant([1.0, 2.0])), "float32", [2, 4]),
    ],
)
def test_values_that_have_no_gradient(y, dtype, expected):
    assert isinstance(y, tf.Tensor)
    assert y.dtype.name == dtype
    assert y.numpy().tolist() == expected


def test_kinks_as_in_tensorflow():
    x = tf.Variable([0.0, 0.0])
    with tf.GradientTape(persistent=True) as tape:
        results = [tf.nn.relu(x), tf.abs(x), tf.nn.elu(x), tf.nn.leaky_relu(x)]
    slopes = [tape.gradient(y, x).numpy()[0] for y in results]
    assert slopes == pytest.approx([0, 0, 1, 0.2])


def test_a_dead_relu_passes_no_infinity():
    x = tf.Variable([-1.0, 4.0])
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(tf.sqrt(tf.nn.relu(x)))
    assert tape.gradient(y, x).numpy().tolist() == [0, 0.25]
    assert np.isnan(tf.nn.relu(float("nan")).numpy())


def test_no_overflow():
    x = tf.Variable([-1000.0, 0.0, 1000.0])
    with tf.GradientTape(persistent=True) as tape:
        results = [
            tf.sigmoid(x), tf.nn.softplus(x), tf.nn.softmax(x), tf.nn.log_softmax(x),
            tf.reduce_logsumexp(x), tf.nn.elu(x),
            tf.nn.sigmoid_cross_entropy_with_logits(labels=tf.zeros(3), logits=x),
        ]  # fmt: skip
    for y in results:
        assert np.isfinite(y.numpy()).all()
        assert np.isfinite(tape.gradient(y, x).numpy()).all()


def test_second_derivatives_of_our_own_rows():
    x = tf.Variable(0.7, dtype=tf.float64)
    s, bell = _sigmoid(0.7), 2 / np.sqrt(np.pi) * np.exp(-0.49)
    for fun, expected in ((tf.sigmoid, s * (1 - s) * (1 - 2 * s)), (tf.math.erf, -1.4 * bell)):
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                y = fun(x)
            first = inner.gradient(y, x)
        assert outer.gradient(first, x).numpy() == pytest.approx(expected)


def test_bad_arguments():
    with pytest.raises(TypeError, match="pair per axis"):
        tf.pad([1.0], [[1]])
    with pytest.raises(TypeError, match="depth -1"):
        tf.one_hot([1], -1)
    with pytest.raises(TypeError, match="by 0"):
        tf.range(1, 5, 0)
    with pytest.raises(TypeError, match="to 1 by 1"):
        tf.range(5, 1)
    with pytest.raises(tf.errors.InvalidArgumentError, match="assign\\(v"):
        tf.Variable([1.0, 2.0]).assign_add(1.0)  # not broadcast, as in TensorFlow
    with pytest.raises(TypeError, match="not in"):
        tf.gather([1.0, 2.0], [-1])
    with pytest.raises(TypeError, match="split"):
        tf.split(tf.zeros(3), [1, 1])
    with pytest.raises(TypeError, match="floats"):
        tf.exp(1)


def test_dropout():
    x = tf.ones(1000)
    y = tf.nn.dropout(x, 0.25, seed=1).numpy()
    assert set(np.unique(y).tolist()) == {0.0, np.float32(4 / 3).item()}
    assert 650 < np.count_nonzero(y) < 850


def test_debugging():
    tf.debugging.assert_near(1.0, 1.0 + 1e-7)
    tf.debugging.assert_equal([1, 2], [1, 2])
    assert tf.debugging.check_numerics(tf.constant(1.0), "loss").numpy() == 1
    for check in (
        lambda: tf.debugging.assert_near(1.0, 1.1),
        lambda: tf.debugging.assert_equal(1, 2),
        lambda: tf.debugging.check_numerics(tf.constant(float("inf")), "loss"),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError):
            check()


# ------------------------------------------------------------------------ scattering, matrices

INDICES = [[0], [2], [0]]


def test_scatter_nd_adds_up_and_passes_cotangents_back():
    updates, into = tf.Variable([1.0, 2.0, 3.0]), tf.Variable([10.0, 20.0, 30.0, 40.0])
    weights = np.array([1.0, 10.0, 100.0, 1000.0])
    with tf.GradientTape(persistent=True) as tape:
        alone = tf.scatter_nd(INDICES, updates, [4])
        added = tf.tensor_scatter_nd_add(into, INDICES, updates)
        taken = tf.tensor_scatter_nd_sub(into, INDICES, updates)
        y = tf.reduce_sum(alone * weights)
        z = tf.reduce_sum(added * added)
    assert alone.numpy().tolist() == [4, 0, 2, 0]
    assert added.numpy().tolist() == [14, 20, 32, 40]
    assert taken.numpy().tolist() == [6, 20, 28, 40]
    assert tape.gradient(y, updates).numpy().tolist() == [1, 100, 1]
    assert tape.gradient(z, updates).numpy().tolist() == [28, 64, 28]
    assert tape.gradient(z, into).numpy().tolist() == [28, 40, 64, 80]


def test_scatter_nd_of_rows_and_of_integers():
    rows = tf.scatter_nd([[1], [1]], [[1, 2], [3, 4]], [3, 2])
    assert rows.dtype == tf.int32
    assert rows.numpy().tolist() == [[0, 0], [4, 6], [0, 0]]
    with pytest.raises(TypeError, match="index"):
        tf.scatter_nd([[4]], [1.0], [4])


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("scatter_nd_update", [5, 2, 6]),
        ("scatter_nd_add", [6, 2, 9]),
        ("scatter_nd_sub", [-4, 2, -3]),
    ],
)
def test_scattering_into_a_variable(method, expected):
    v = tf.Variable([1.0, 2.0, 3.0])
    with tf.GradientTape() as tape:
        before = tf.reduce_sum(v * v)
        assert getattr(v, method)([[0], [2]], [5.0, 6.0]) is v
    assert v.numpy().tolist() == expected
    assert tape.gradient(before, v).numpy().tolist() == [2, 4, 6]


@pytest.mark.parametrize("shapes", [((2,), (2,)), ((2, 2), (2,)), ((2,), (2, 2)), ((), (2, 2))])
def test_matmul_takes_matrices_only(shapes):
    a, b = map(tf.ones, shapes)
    for product in (tf.matmul, operator.matmul):
        with pytest.raises(TypeError, match="matvec"):
            product(a, b)
