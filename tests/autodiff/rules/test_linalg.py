"""Systems, inverses, determinants, pseudo-inverses, Cholesky."""

import itertools
import math

import numpy as np
import pytest
from autodiff.rules.four_questions import ask, name_of, row, samplers, with_keywords

import tapemagic

LA = np.linalg
real, compl = samplers(8)
SOLVE = [
    ((3, 3), (3,)), ((3, 3), (3, 2)), ((4, 3, 3), (3,)), ((4, 3, 3), (3, 2)),
    ((3, 3), (4, 3, 2)), ((4, 3, 3), (4, 3, 2)), ((0, 0), (0,)),
]  # fmt: skip


def adjoint(a):
    return np.conj(a.mT)


def positive(make, *shape):
    a = make(*shape)
    return a @ a.conj().swapaxes(-1, -2) + np.eye(shape[-1])


def steady(make, *shape):
    """Return matrices far from singular ones."""
    return make(*shape) + 3 * np.eye(shape[-1])


def low_rank(make, n, rank):
    return make(n, rank) @ make(rank, n)


def with_values(make, rows, columns, *values):
    """Return a matrix of these singular values."""
    u, _, vh = LA.svd(make(rows, columns), full_matrices=False)
    return (u * values) @ vh


#: Two singular values above the cut, equal or not, and what is left out below it.
VALUES = [((4, 3), (2.0, 1.0, 0.1)), ((3, 4), (1.0, 1.0, 0.2)), ((4, 4), (2.0, 1.0, 0.1, 0.2))]

ROWS = [
    case
    for make in (real, compl)
    for case in [
        *(row(LA.solve, steady(make, *a), make(*b)) for a, b in SOLVE),
        row(LA.inv, steady(make, 3, 3)),
        row(LA.inv, steady(make, 2, 3, 3)),
        row(LA.det, make(3, 3)),
        row(LA.det, make(2, 3, 3)),
        row(LA.det, make(1, 1)),
        row(LA.det, np.zeros_like(make(2, 2)), name="det of 0"),
        row(LA.slogdet, steady(make, 3, 3)),
        row(LA.slogdet, steady(make, 2, 3, 3)),
        row(LA.cholesky, positive(make, 3, 3)),
        row(LA.cholesky, positive(make, 2, 3, 3)),
        row(LA.pinv, make(3, 2)),
        row(LA.pinv, make(2, 3)),
        row(LA.pinv, make(4, 3, 2)),
        row(with_keywords(LA.pinv, hermitian=True), positive(make, 3, 3)),
        *(
            row(fun, with_values(make, *shape, *values), *more, name=name,
                second=values[0] != values[1])  # singular vectors of equal values: refused
            for shape, values in VALUES
            for name, fun, more in (
                ("pinv cut", lambda a: LA.pinv(a, rcond=0.3), ()),
                ("lstsq cut", lambda a, b: LA.lstsq(a, b, 0.3)[0], (make(shape[0]),)),
            )
        ),
        row(lambda a: LA.pinv(a + adjoint(a), 0.3, True), np.diag([1, 0.1, -2]) + 0 * make(3, 3),
            name="pinv cut, hermitian"),
        row(lambda a: LA.pinv(a, 0.3), np.stack([with_values(make, 3, 2, 1, x) for x in (0.1, 1)]),
            name="pinv cut of one"),
        row(with_keywords(LA.tensorinv, ind=2), make(4, 6, 8, 3)),
        row(with_keywords(LA.tensorinv, ind=1), make(6, 3, 2)),
        row(LA.tensorsolve, make(2, 3, 6), make(2, 3)),
        row(with_keywords(LA.tensorsolve, axes=(1,)), make(2, 6, 3), make(2, 3)),
        row(lambda a, b: LA.lstsq(a, b)[0], make(5, 3), make(5), name="lstsq"),
        row(lambda a, b: LA.lstsq(a, b)[:2], make(5, 3), make(5, 2), name="lstsq residuals"),
        row(lambda a, b: LA.lstsq(a, b)[0], make(3, 5), make(3), name="lstsq wide"),
        row(lambda a, b: LA.lstsq(a, b)[3], make(4, 3), make(4), name="lstsq values"),
    ]
] + [row(with_keywords(LA.cholesky, upper=True), positive(real, 3, 3))]  # fmt: skip


@pytest.mark.parametrize("case", ROWS, ids=name_of)
def test_linalg(case):
    ask(case)


@pytest.mark.parametrize("make", [real, compl])
@pytest.mark.parametrize("rank", [3, 2, 1, 0])
def test_derivatives_of_det_at_singular_matrices(make, rank):
    n = 4
    a = np.diag([2.0, -1.5, 0.7, 0.0][:rank] + [0.0] * (n - rank)) + 0 * make(n, n)
    ask(row(LA.det, a, name="det"))


def test_det_of_a_singular_matrix_in_a_stack():
    stack = np.stack([low_rank(real, 3, 2), real(3, 3)])
    stack[0] = [[1, 2, 3], [2, 4, 6], [1, 0, 1]]
    assert LA.det(stack)[0] == 0
    ask(row(LA.det, stack))


@pytest.mark.parametrize("size", [1e-200, 1e-162, 1e-30, 1e200])
def test_slopes_of_determinants_that_underflow_or_overflow(size):
    a = np.array([[2.0, 1.0], [0.5, -3.0]])
    with np.errstate(all="ignore"):
        gradient, second = tapemagic.grad(LA.det)(a * size), tapemagic.hessian(LA.det)(a * size)
    if size < 1:
        np.testing.assert_allclose(gradient, np.array([[-3.0, -0.5], [-1.0, 2.0]]) * size)
        expected = [[0, 0, 0, 1], [0, 0, -1, 0], [0, -1, 0, 0], [1, 0, 0, 0]]
        np.testing.assert_allclose(np.reshape(second, (4, 4)), expected, atol=1e-12)
    else:  # the value is not finite, nor is what is computed from it
        assert not np.any(np.isfinite(gradient))


def test_indices_that_tensorinv_does_not_take():
    with pytest.raises(ValueError, match="Invalid ind argument"):
        tapemagic.grad(lambda a: np.sum(LA.tensorinv(a, 0)))(np.eye(3))


def test_only_the_triangle_that_is_read_gets_a_gradient():
    a = np.array([[2.0, 0.5], [0.5, 1.0]])
    lower = tapemagic.grad(lambda x: np.sum(LA.cholesky(x)))(a)
    upper = tapemagic.grad(lambda x: np.sum(LA.cholesky(x, upper=True)))(a)
    assert lower[0, 1] == 0
    np.testing.assert_allclose(lower, upper.T)


def by_permutations(a):
    """Return the determinant as the polynomial that it is."""
    n = len(a)
    total = 0.0
    for order in itertools.permutations(range(n)):
        swaps = sum(order[j] > order[i] for i in range(n) for j in range(i))
        total = total + (-1) ** swaps * math.prod(a[i, j] for i, j in enumerate(order))
    return total


NEARLY_SINGULAR = {
    "rank 2": [[1.0, 2, 3], [2, 4, 6], [1, 0, 1]],
    "rank 1": np.ones((3, 3)),
    "rank 0": np.zeros((3, 3)),
    "rank 2 of 4": np.arange(16.0).reshape(4, 4),
    "small": np.diag([1.0, 2.0, 1e-9]),
    "nearly": [[1.0, 2, 3], [2, 4, 6 + 1e-9], [1, 0, 1]],
    "complex": [[1.0, 2j, 3], [2, 4j, 6 + 1e-9j], [1, 0, 1j]],
}


@pytest.mark.parametrize("name", NEARLY_SINGULAR)
def test_derivatives_of_det_of_any_order_near_singular_matrices(name):
    a = np.array(NEARLY_SINGULAR[name])
    direction = np.cos(np.arange(1.0, a.size + 1)).reshape(a.shape)

    def slopes(det):
        """Return the first four slopes along a direction, and the gradient of the third."""

        def along(order):
            def slope(x):
                if order == 0:
                    return np.real(det(x) * (1 - 0.5j))
                return np.sum(np.real(tapemagic.grad(along(order - 1))(x) * direction))

            return slope

        return [along(order)(a) for order in range(1, 5)], tapemagic.grad(along(2))(a)

    (numbers, gradient), (expected, expected_gradient) = slopes(LA.det), slopes(by_permutations)
    np.testing.assert_allclose(numbers, expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-9, atol=1e-9)
