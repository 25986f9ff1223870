"""Norms and the condition number."""

import numpy as np
import pytest
from autodiff.rules.four_questions import ask, name_of, row, samplers, with_keywords

import tapemagic

LA = np.linalg
real, compl = samplers(9)
ORDERS = (None, 2, 1, 0, np.inf, -np.inf, 3, 2.5, -1, 0.5)
MATRIX_ORDERS = ("fro", "nuc", 2, -2, 1, -1, np.inf, -np.inf)
CONDITIONS = {real: (None, 2, -2, 1, np.inf, "fro"), compl: (None, 2, -2)}
if hasattr(np, "unstack"):  # before NumPy 2.1 these were complex numbers
    CONDITIONS[compl] += (1, np.inf, "fro")


def norm(**keywords):
    return with_keywords(LA.norm, **keywords)


ROWS = [
    case
    for make in (real, compl)
    for case in [
        *(row(norm(ord=order), make(5)) for order in ORDERS),
        *(row(norm(ord=order, axis=1), make(3, 4)) for order in ORDERS),
        *(row(norm(ord=order, axis=0, keepdims=True), make(3, 4)) for order in ORDERS),
        *(row(norm(ord=order), make(3, 4)) for order in MATRIX_ORDERS),
        *(row(norm(ord=order, axis=(2, 0)), make(3, 2, 4)) for order in MATRIX_ORDERS),
        *(row(norm(ord=order, axis=(0, 1), keepdims=True), make(3, 4, 2)) for order in ("nuc", 1)),
        row(LA.norm, make(3, 4)),
        row(LA.norm, make(2, 3, 4)),
        row(norm(keepdims=True), make(3, 4)),
        row(LA.norm, make()),
        row(LA.vector_norm, make(3, 4)),
        *(row(with_keywords(LA.vector_norm, axis=1, ord=n), make(3, 3)) for n in (2, 3, np.inf)),
        row(with_keywords(LA.vector_norm, axis=(0, 2), keepdims=True, ord=3), make(2, 3, 4)),
        row(LA.matrix_norm, make(2, 3, 4)),
        row(with_keywords(LA.matrix_norm, ord="nuc", keepdims=True), make(2, 3, 4)),
        *(row(with_keywords(LA.cond, p=p), make(3, 3)) for p in CONDITIONS[make]),
        row(LA.cond, make(4, 3)),
        *(row(with_keywords(LA.cond, p=p), make(2, 3, 3)) for p in CONDITIONS[make]),
    ]
]


@pytest.mark.parametrize("case", ROWS, ids=name_of)
def test_norm(case):
    ask(case)


@pytest.mark.parametrize("order", [None, 2, 1, np.inf, 3, "fro", "nuc"])
def test_norm_of_zero_has_gradient_zero(order):
    zero = np.zeros((3, 3)) if isinstance(order, str) else np.zeros(3)
    gradient = tapemagic.grad(lambda x: LA.norm(x, order))(zero)
    np.testing.assert_array_equal(gradient, np.zeros_like(zero))


def test_equal_maxima_share():
    gradient = tapemagic.grad(lambda x: LA.norm(x, np.inf))(np.array([2.0, -2.0, 1.0]))
    np.testing.assert_array_equal(gradient, [0.5, -0.5, 0.0])


def test_equal_singular_values_share():
    gradient = tapemagic.grad(lambda x: LA.norm(x, 2))(np.eye(2))
    np.testing.assert_allclose(gradient, np.eye(2) / 2)


def test_rows_that_are_zero_among_others():
    x = np.array([[3.0, 4.0], [0.0, 0.0]])
    gradient = tapemagic.grad(lambda z: np.sum(LA.norm(z, axis=1)))(x)
    np.testing.assert_allclose(gradient, [[0.6, 0.8], [0.0, 0.0]])


@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")
@pytest.mark.parametrize("order", [0.5, 1.5, 3, -0.5, -1, -2])
@pytest.mark.parametrize("x", [[0.0, 1.0, -4.0], [0.0, 0.0, 4.0]])
def test_an_element_that_is_zero_among_others(order, x):
    """Of itself the norm has a kink there, or its slope is infinite; the others have theirs."""
    x = np.array(x)
    gradient = tapemagic.grad(lambda x: LA.norm(x, order))(x)
    steps = 1e-6 * np.eye(3)[x != 0]
    numerical = [(LA.norm(x + h, order) - LA.norm(x - h, order)) / 2e-6 for h in steps]
    np.testing.assert_allclose(gradient[x != 0], numerical, rtol=1e-6)
    np.testing.assert_array_equal(gradient[x == 0], 0)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
@pytest.mark.parametrize("order", [*MATRIX_ORDERS, None])
def test_norm_of_nothing(order, shape):
    try:
        wanted = LA.norm(np.zeros(shape), order)
    except ValueError as error:  # no smallest of nothing
        with pytest.raises(ValueError, match=str(error)):
            tapemagic.grad(lambda x: LA.norm(x, order))(np.zeros(shape))
        return
    found, gradient = tapemagic.value_and_grad(lambda x: LA.norm(x, order))(np.zeros(shape))
    assert found == wanted
    assert gradient.shape == shape


@pytest.mark.parametrize("x", [np.zeros((0, 0)), np.ones((2, 2), np.float16)])
def test_cond_of_what_numpy_has_none_of_is_its_error(x):
    for p in (None, 1):
        with pytest.raises((LA.LinAlgError, TypeError)) as raised:
            LA.cond(x, p)
        with pytest.raises(raised.type, match=str(raised.value)):
            tapemagic.grad(lambda x: LA.cond(x, p))(x)


def test_unknown_order_is_numpys_error():
    with pytest.raises(ValueError, match="Invalid norm order"):
        tapemagic.grad(lambda x: LA.norm(x, 7))(np.eye(2))
