"""Products of constant sparse matrices with arrays, where SciPy is installed."""

import numpy as np
import pytest

sparse = pytest.importorskip("scipy.sparse")
linalg = pytest.importorskip("scipy.sparse.linalg")

from autodiff.rules.four_questions import ask, name_of, row, samplers  # noqa: E402

import tapemagic  # noqa: E402
from tapemagic.autodiff.twins.modules import original_of, twin_of  # noqa: E402
from tapemagic.errors import TapeError  # noqa: E402

real, compl = samplers(54)
solver = twin_of(linalg)
DENSE = np.array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.0]])
SQUARE = np.array([[2.0, 0.0, 1.0], [0.0, 3.0, 0.0], [0.0, 1.0, 2.0]])
COLUMNS = sparse.csc_array(SQUARE + 0.5j * np.eye(3))
FORMATS = ("bsr", "coo", "csc", "csr", "dia", "dok", "lil")
KINDS = (sparse.coo_array, sparse.coo_matrix)


def matrices(dense):
    return [kind(dense).asformat(name) for kind in KINDS for name in FORMATS]


def called(m):
    return type(m).__name__


ROWS = [
    *(row(lambda x, m=m: m @ x, real(3), name=f"M @ x {called(m)}") for m in matrices(DENSE)),
    *(row(lambda x, m=m: m @ x, real(3, 2), name=f"M @ X {called(m)}") for m in matrices(DENSE)),
    *(row(lambda x, m=m: x @ m, real(2), name=f"x @ M {called(m)}") for m in matrices(DENSE)),
    *(row(lambda x, m=m: x @ m.T, real(2, 3), name=f"X @ M.T {called(m)}")
      for m in matrices(DENSE)),
    *(row(lambda x, m=m: m.dot(x), real(3), name=f"dot {called(m)}") for m in matrices(DENSE)),
    *(row(lambda x, y, m=m: (m * x, y * m), real(3), real(2), name=f"* {called(m)}")
      for m in matrices(DENSE) if isinstance(m, sparse.spmatrix)),
    row(lambda x: sparse.csr_array(DENSE * (1 + 2j)) @ x, compl(3), name="complex"),
    row(lambda x: sparse.csr_array(DENSE * (1 + 2j)) @ x, real(3), name="complex and real"),
    *(row(lambda b, f=f: solver.spsolve(sparse.csr_array(SQUARE).asformat(f), b), real(*n),
          name=f"spsolve {f}") for f in ("csr", "csc") for n in ((3,), (3, 1), (3, 2))),
    row(lambda b: solver.spsolve(sparse.csc_array(SQUARE + 1j * np.eye(3)), b), compl(3),
        name="spsolve complex"),
    *(row(lambda b, f=f, t=t: getattr(solver, f)(COLUMNS).solve(b, t), compl(*n), name=f"{f} {t}")
      for f in ("splu", "spilu") for t in "NTH" for n in ((3,), (3, 2))),
    row(lambda b: solver.factorized(sparse.csc_array(SQUARE))(b), real(3), name="factorized"),
]  # fmt: skip


@pytest.mark.parametrize("case", ROWS, ids=name_of)
def test_sparse(case):
    ask(case)


@pytest.mark.parametrize("name", ["csr", "csc", "bsr", "coo", "dia"])
def test_a_matrix_that_changes_later(name):
    """Each product was with what the matrix was then."""
    m = sparse.csr_array(DENSE).asformat(name)

    def changing(x):
        first = m @ x
        m.data *= 2
        return np.sum(first) + np.sum(m @ x)

    gradient = tapemagic.grad(changing)(real(3))
    np.testing.assert_array_equal(gradient, 3 * DENSE.sum(axis=0))


@pytest.mark.parametrize(
    "fun",
    [
        lambda x: sparse.csr_array(DENSE).multiply(x),
        lambda x: sparse.csr_array(DENSE) * x[0],
        lambda x: sparse.csr_array((x, ([0, 1, 1], [1, 2, 0])), shape=(2, 3)),
        lambda x: sparse.coo_array([1.0, 0.0, 2.0]) @ x,
        lambda x: solver.eigsh(sparse.diags_array(np.arange(1.0, 6.0)), 2, v0=x)[0],
        lambda x: solver.onenormest(np.diag(x)),
        lambda x: solver.cg(sparse.csr_array(SQUARE), x)[0],
    ],
)
def test_what_is_not_carried_is_refused(fun):
    with pytest.raises(TapeError):
        tapemagic.grad(lambda x: fun(x).sum())(real(3))


def test_wrong_shapes_are_scipys_to_refuse():
    with pytest.raises(ValueError, match="dimension mismatch"):
        tapemagic.grad(lambda x: np.sum(sparse.csr_array(DENSE) @ x))(real(4))


def test_factors_of_an_earlier_cell_are_what_they_were_afterwards():
    before = linalg.splu(COLUMNS)
    factors = twin_of(before)
    assert type(factors) is not linalg.SuperLU
    np.testing.assert_array_equal(factors.L.toarray(), before.L.toarray())
    assert original_of(factors) is before


def test_the_solvers_are_found_in_the_package_as_well():
    package = twin_of(sparse)
    assert package.linalg.spsolve is solver.spsolve
    assert package.csr_array is sparse.csr_array
