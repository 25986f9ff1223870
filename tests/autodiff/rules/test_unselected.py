"""An infinity that no selected element depends on has no say: products, folds, interpolation."""

import numpy as np
import pytest

import tapemagic
from tapemagic.autodiff.twins.modules import twin_of

INF, NAN = np.inf, np.nan
#: Of a bad row, a mask takes out what is computed from it.
DATA = np.array([[1.0, 2.0], [NAN, INF], [3.0, -1.0]])

#: (what, function, point, gradient), the gradient worked out by hand
CASES = [
    ("a row of a product", lambda x: (np.sqrt(x).reshape(2, 2) @ [2.0, 3.0])[1], [0, 1, 4, 1],
     [0, 0, 0.5, 1.5]),
    ("a masked row of plain data", lambda w: np.where([1, 0, 1], DATA @ w, 0).sum(), [1, 1],
     [4, 1]),
    ("the same with dot", lambda w: np.dot(DATA, w)[[0, 2]].sum(), [1, 1], [4, 1]),
    ("the same with einsum", lambda w: np.einsum("ij,j->i", DATA, w)[::2].sum(), [1, 1], [4, 1]),
    ("the same with inner", lambda w: np.inner(w, DATA)[::2].sum(), [1, 1], [4, 1]),
    ("the same with tensordot", lambda w: np.tensordot(DATA, w, 1)[2], [1, 1], [3, -1]),
    ("an element of an outer product", lambda x: np.outer(1 / x, 1 / x)[1, 2], [0, 1, 2],
     [0, -0.5, -0.25]),
    ("of a Kronecker product", lambda x: np.kron(1 / x, [1.0, 2.0])[3], [0, 1], [0, -2]),
    ("of a cross product", lambda x: np.cross(1 / x, [1.0, 2.0, 3.0])[2], [1, 2, 0],
     [-2, 0.25, 0]),
    ("of a convolution", lambda x: np.convolve(1 / x, [1.0, 2.0])[0], [1, 2, 0], [-1, 0, 0]),
    ("of a convolution with an infinity", lambda x: np.convolve(x, [1.0, INF])[0], [1, 2], [1, 0]),
    ("of a correlation", lambda x: np.correlate(1 / x, [1.0, 2.0])[0], [1, 2, 0], [-1, -0.5, 0]),
    ("of a chain", lambda x: np.linalg.multi_dot([np.diag(1 / x), np.eye(2), [[1.0], [1.0]]])[1, 0],
     [0, 2], [0, -0.25]),
    ("sums of parts", lambda x: np.add.reduceat(1 / x, [0, 2])[0], [1, 2, 0], [-1, -0.25, 0]),
    ("the smallest of parts", lambda x: np.minimum.reduceat(1 / x, [0, 2]).sum(), [1, 2, 0, 4],
     [0, -0.25, 0, -1 / 16]),
    ("running minimum", lambda x: np.minimum.accumulate(1 / x).sum(), [1, 0, 2], [-2, 0, -0.25]),
    ("running maximum", lambda x: np.maximum.accumulate(np.sqrt(x)).sum(), [1, 0, 4],
     [1, 0, 0.25]),
    ("fmin, folded", lambda x: np.fmin.reduce(1 / x), [1, 0, 2], [0, 0, -0.25]),
    ("running product", lambda x: np.cumprod(1 / x)[1], [1, 2, 0], [-0.5, -0.25, 0]),
    ("product, where", lambda x: np.prod(1 / x, where=x > 0), [1, 2, 0], [-0.5, -0.25, 0]),
    ("products of rows", lambda x: np.prod(np.sqrt(x).reshape(2, 2), axis=1)[1], [0, 1, 4, 1],
     [0, 0, 0.25, 1]),
    ("variance, where", lambda x: np.var(1 / x, where=x > 0), [1, 2, 0], [-0.25, 0.0625, 0]),
    ("deviations of rows", lambda x: np.std(np.sqrt(x).reshape(2, 2), axis=1)[1], [0, 1, 4, 1],
     [0, 0, 0.125, -0.25]),
    ("norm of the largest", lambda x: np.linalg.norm(np.sqrt(x), INF), [0, 4, 1], [0, 0.25, 0]),
    ("norm of the smallest", lambda x: np.linalg.vector_norm(1 / x, ord=-INF), [0, 4, 1],
     [0, -1 / 16, 0]),
    ("norms of rows", lambda x: np.linalg.norm(np.sqrt(x).reshape(2, 2), axis=1)[1], [0, 1, 9, 16],
     [0, 0, 0.1, 0.1]),
    ("interpolated values", lambda x: np.interp(0.5, [0.0, 1, 2], np.sqrt(x)), [1, 4, 0],
     [0.25, 0.125, 0]),
    ("interpolation at a node", lambda x: np.interp(1.0, [0.0, 1, 2], np.sqrt(x)), [0, 4, 0],
     [0, 0.25, 0]),
    ("an inverse in a stack", lambda x: np.linalg.inv(1 / x.reshape(2, 1, 1))[1, 0, 0], [0, 2],
     [0, 1]),
    ("logarithms of sums of exponentials", lambda x: _logaddexp(1 / x.reshape(2, 2))[0],
     [1, 1, 0, 4], [-0.5, -0.5, 0, 0]),
    ("a list of dot products", lambda w: np.nansum([np.dot(row, w) for row in DATA]), [1, 1],
     [4, 1]),
    ("two layers", lambda w: np.nansum(np.maximum(DATA * [1, 0.5] @ np.diag(w), 0) @ [1.0, 1]),
     [1, 1], [4, 1]),
    ("added at places", lambda x: _added(1 / x)[0], [1, 0, 2], [-1, 0, -0.25]),
]  # fmt: skip


def _added(values):
    total = np.zeros_like(values[:2])
    np.add.at(total, [0, 1, 0], values)
    return total


def _logaddexp(rows):
    return np.logaddexp.reduce(rows, axis=1)


def gradient(fun, x):
    with np.errstate(all="ignore"):
        return tapemagic.grad(fun)(np.array(x, float))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    ("fun", "x", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_nothing_flows_into_what_was_not_selected(fun, x, expected):
    np.testing.assert_allclose(gradient(fun, x), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    "fun",
    [
        lambda x: np.convolve(np.sqrt(x), [0.0, 1.0])[0],
        lambda x: np.outer(np.sqrt(x), [0.0])[0, 0],
        lambda x: np.prod(np.array([np.sqrt(x)[0], 0.0])),
        lambda x: np.interp(np.sqrt(x), [-1.0, 1.0], [2.0, 2.0])[0],
        lambda x: np.einsum("i,i->", np.sqrt(x), np.zeros(1)),
    ],
)
def test_a_factor_of_zero_times_an_infinity_stays_nan(fun):
    assert np.isnan(gradient(fun, [0.0])).all()


def test_of_scipys_filters():
    signal = pytest.importorskip("scipy.signal")
    twin = twin_of(signal)
    x = np.array([1.0, 2.0, 3.0, NAN, 1.0])

    def loss(b):
        return np.sum(twin.lfilter(b, [1.0, 0.5], x)[:2]) + np.sum(twin.convolve(x, b)[:3])

    def plain(b):
        return np.sum(signal.lfilter(b, [1.0, 0.5], x)[:2]) + np.sum(np.convolve(x, b)[:3])

    expected = [plain([1.0, 0.0]), plain([0.0, 1.0])]  # linear in b
    np.testing.assert_allclose(gradient(loss, [1, 2]), expected)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_second_derivatives_keep_structural_zeros():
    with np.errstate(all="ignore"):
        hessian = tapemagic.hessian(lambda x: np.convolve(1 / x, [1.0, 2.0])[0])(
            np.array([2.0, 1.0, 0.0])
        )
    np.testing.assert_allclose(hessian, np.diag([0.25, 0, 0]))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_complex_products_keep_structural_zeros():
    def loss(z):
        return np.real(np.convolve(1 / z, [1.0, 2.0j])[0])

    with np.errstate(all="ignore"):
        got = tapemagic.grad(loss)(np.array([1 + 1j, 2.0, 0.0]))
    np.testing.assert_allclose(got, [np.conj(-1 / (1 + 1j) ** 2), 0, 0], atol=1e-15)
