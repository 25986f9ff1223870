"""Products with sparse matrices in programs: their text, and their numbers on other inputs."""

import numpy as np
import pytest

from tapemagic import GradientTape

sparse = pytest.importorskip("scipy.sparse")
X = np.array([0.1, 0.4, 0.9, 2.0])
DENSE = np.array([[2.0, 0, 1, 0], [0, 1, 0, 0], [0.5, 0, 3, 1], [0, 0, 0, 1]])


@pytest.mark.parametrize("name", ["bsr", "coo", "csc", "csr", "dia", "dok", "lil"])
@pytest.mark.parametrize("kind", ["array", "matrix"])
@pytest.mark.parametrize("scale", [1, 1 + 0.5j])
def test_a_matrix_is_a_constant_of_the_program(name, kind, scale):
    M = getattr(sparse, f"{name}_{kind}")(DENSE * scale)

    def value(x, m):
        return np.sum(np.abs(m.T @ np.tanh(m @ x) + x @ m) ** 2)

    x = X.copy()
    with GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = value(x, M)
    program = tape.program(y, x)
    assert next(iter(program.constants)) == "M"
    new = X * [1.5, -1, 0.3, 1]
    got, gradient = program(x=new)
    np.testing.assert_allclose(got, value(new, DENSE * scale))
    step = 1e-6 * np.eye(4)
    slope = [value(new + e, DENSE * scale) - value(new - e, DENSE * scale) for e in step]
    np.testing.assert_allclose(gradient, np.array(slope) / 2e-6, rtol=1e-6)


def test_it_is_written_as_a_person_would():
    M = sparse.csr_array(DENSE)
    x = X.copy()
    with GradientTape(persistent=True) as tape:
        tape.watch(x)
        h = x
        for _ in range(8):
            h = np.tanh(M @ h)
        y = np.sum(h)
    text = str(tape.program(y, x))
    assert "def value_and_gradient(x, *, M):" in text
    assert " = np.tanh(M @ h)" in text
    assert " = M.T @ (" in text


def test_a_matrix_that_has_changed_is_that_of_the_run():
    M = sparse.csr_array(DENSE)
    x = X.copy()
    with GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = np.sum((M @ x) ** 2)
    program = tape.program(y, x)
    M.data[:] = 0
    assert program()[0] == np.sum((DENSE @ X) ** 2)
