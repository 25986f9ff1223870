"""The second sweep, which keeps structural zeros, through what the first one went through."""

import numpy as np
import pytest

from tapemagic import GradientTape, Variable

#: Its first sweep meets 0 times inf, and the careful one gives 0 there.
X = np.array([0.0, 4.0])


def of_roots(x):
    return np.sum(np.where(x > 0, np.sqrt(x), 0.0))


def test_all_results_of_one_operation():
    def of_parts(A):
        values, vectors = np.linalg.eigh((A + A.T) / 2)
        return values[0] * vectors[0, 0] ** 2 + values[1] * vectors[1, 0] ** 2 + values[1]

    A, x = np.array([[2.0, 0.5], [0.25, 1.0]]), X.copy()
    with GradientTape() as tape:
        tape.watch([A, x])
        loss = of_parts(A) + of_roots(x)
    slopes = tape.gradient(loss, [A, x])
    steps = 1e-6 * np.eye(4).reshape(4, 2, 2)
    differences = [(of_parts(A + step) - of_parts(A - step)) / 2e-6 for step in steps]
    np.testing.assert_allclose(slopes[0].ravel(), differences, rtol=1e-6, atol=1e-8)
    assert slopes[1].tolist() == [0.0, 0.25]


def test_one_result_of_an_operation_and_one_of_its_results_again():
    A, x = np.array([[2.0, 0.5], [0.25, 1.0]]), X.copy()
    with GradientTape() as tape:
        tape.watch([A, x])
        first, second = np.unstack(A) if hasattr(np, "unstack") else A
        loss = first @ second + np.sum(first) + of_roots(x)
    slopes = tape.gradient(loss, [A, x])
    assert slopes[0].tolist() == [[1.25, 2.0], [2.0, 0.5]]
    assert slopes[1].tolist() == [0.0, 0.25]


#: Operations that say which elements hang on which: with a nan on another path they have the slopes
#: that they have without. Operands are of the same shape where that could make things cancel.
OPERATIONS = [
    "np.cross(np.sin(u), v)", "np.cross(u, u[::-1])", "np.linalg.cross(u, v)", "A @ B", "A @ A",
    "u @ u", "np.dot(A, v)", "np.vdot(u, v)", "np.inner(A, A)", "np.outer(u, v)", "np.kron(u, v)",
    "np.tensordot(A, B, axes=([0], [1]))", "np.einsum('ij,jk,ki->i', A, B, A)",
    "np.einsum('ii->i', A)", "np.linalg.multi_dot([A, B, A])", "np.prod(A, axis=0)",
    "np.cumprod(A, axis=1)", "np.var(A, axis=0)", "np.std(A)", "np.linalg.norm(A)",
    "np.linalg.norm(A, axis=1)", "np.linalg.norm(u, np.inf)", "np.linalg.norm(A, 1)",
    "np.linalg.norm(u, -np.inf)", "np.linalg.norm(A, 'nuc')", "np.linalg.solve(A, B)",
    "np.linalg.inv(A)", "np.linalg.det(A)", "np.linalg.inv(np.stack([A, A @ A]))",
    "np.convolve(u, v)", "np.correlate(u, v, 'same')", "np.interp(0.3 * u, [0.0, 1.0, 2.0], v)",
    "np.logaddexp.reduce(A)", "np.hypot.reduce(A, axis=1)", "np.maximum.accumulate(A, axis=1)",
    "np.subtract.reduce(A)", "np.add.reduceat(A, [0, 2])", "np.multiply.reduceat(A, [0, 2])",
    "np.nanprod(A, axis=1, where=np.eye(3) == 0)", "np.prod(A, initial=2.0)",
    "np.divide.accumulate(A)", "np.linalg.eigh(A + A.T)[1] ** 2", "np.linalg.svd(A)[1]",
    "np.linalg.qr(A)[1]", "np.array([u[0], v[1], u[0] * v[2]])", "sum([u[0], u[1], v[2]])",
    "np.sort(A, axis=1)", "np.median(A, axis=0)", "np.fft.rfft(u).real", "np.diff(u) - np.diff(v)",
    "np.floor(u) + np.trapezoid(u * v)", "np.vecdot(A, B)" if hasattr(np, "vecdot") else "A @ u",
]  # fmt: skip


@pytest.mark.parametrize("is_second", [False, True], ids=["first", "second"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_nan_elsewhere_changes_no_slope(operation, is_second):
    rng = np.random.default_rng(3)
    start = [rng.uniform(0.5, 2.0, shape) + np.eye(3)[: shape[0]].sum() for shape in ((3,), (3,))]
    start += [rng.uniform(0.5, 2.0, (3, 3)) + 2 * np.eye(3) for _ in range(2)]

    def slopes(start_of_root):
        u, v, A, B = variables = [Variable(x) for x in start]
        root = Variable(start_of_root)
        with GradientTape(persistent=True) as tape:
            result = eval(operation, {"np": np, "u": u, "v": v, "A": A, "B": B})
            weights = np.sin(1.0 + np.arange(np.size(result))).reshape(np.shape(result))
            loss = np.sum(weights * result**2) + 0.0 * np.sqrt(root)
            if is_second:
                first = tape.gradient(loss, variables, unconnected_gradients="zero")
                loss = sum(np.sum(np.cos(g)) for g in first) + 0.0 * np.sqrt(root)
        return tape.gradient(loss, [*variables, root], unconnected_gradients="zero")

    *wanted, finite = slopes(1.0)
    *got, nan = slopes(0.0)
    assert np.isfinite(finite)
    assert np.isnan(nan)
    assert any(np.any(one != 0) for one in wanted)
    for one, other in zip(got, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-11)
