"""The second sweep, which keeps structural zeros, through what the first one went through."""

import numpy as np

from tapemagic import GradientTape

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
