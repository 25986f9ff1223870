"""Functions of scipy.linalg, where SciPy is installed."""

import inspect

import numpy as np
import pytest

scipy = pytest.importorskip("scipy")
linalg = pytest.importorskip("scipy.linalg")

from autodiff.rules.four_questions import ask, name_of, row, samplers, with_keywords  # noqa: E402

import tapemagic  # noqa: E402
from tapemagic.autodiff.twins.modules import twin_of  # noqa: E402
from tapemagic.errors import LeavesTapeError, NoRuleError  # noqa: E402

real, compl = samplers(51)
sl = twin_of(linalg)


def definite(n, draw=real):
    a = draw(n, n)
    return a @ a.conj().T + n * np.eye(n)


def near_one(n, draw=real):
    return np.eye(n) + 0.2 * draw(n, n)


def sym(a):
    return a + a.conj().T


def riccati(fun):
    """Solve for symmetric matrices, of which a difference makes others."""
    return lambda a, b, q, r: fun(a, b, sym(q @ q.conj().T), sym(r @ r.conj().T) + 0.5)


KINDS = ["sym", "pos", "her"]
if tuple(map(int, scipy.__version__.split(".")[:2])) >= (1, 15):
    KINDS += ["upper triangular", "lower triangular", "diagonal", "tridiagonal"]
FUNCTIONS = "expm sinm cosm tanm sinhm coshm tanhm"
ROWS = [
    *(row(sl.solve, near_one(3, d), b) for d in (real, compl) for b in (d(3), d(3, 2))),
    row(sl.solve, near_one(3), real(3, 2) + 0j, name="mixed"),
    row(lambda a, b: sl.solve(a, b, transposed=True), near_one(3), real(3, 2), name="transposed"),
    *(
        row(lambda a, b, k=k, low=low: sl.solve(a, b, lower=low, assume_a=k), definite(3),
            real(3), name=f"solve {k} {low}")
        for k in KINDS for low in (False, True)
    ),
    row(lambda a, b: sl.solve(a, b, assume_a="her"), definite(3, compl), compl(3), name="her"),
    *(
        row(lambda a, b, t=t, low=low, u=u: sl.solve_triangular(a, b, t, low, u), near_one(3, d),
            d(3, 2), name=f"solve_triangular {t} {low} {u}")
        for t in (0, 1, 2, "T") for low in (False, True) for u in (False, True)
        for d in (real, compl)
    ),
    row(sl.solve_triangular, near_one(3), real(3)),
    row(sl.inv, near_one(3)),
    row(sl.inv, near_one(3, compl)),
    row(sl.det, real(3, 3)),
    *(row(with_keywords(sl.norm, **k), real(3, 4))
      for k in ({}, {"ord": 1}, {"ord": "nuc"}, {"ord": 2}, {"axis": 0}, {"ord": 3, "axis": 1},
                {"keepdims": True})),
    row(sl.norm, compl(4)),
    row(with_keywords(sl.norm, ord=3), real(4)),
    row(with_keywords(sl.norm, ord=np.inf), real(4)),
    *(row(sl.pinv, d(*n)) for d in (real, compl) for n in ((3, 3), (4, 2), (2, 3))),
    row(with_keywords(sl.pinv, rtol=1e-6, return_rank=True), real(4, 2)),
    *(row(with_keywords(sl.pinv, **{tolerance: 0.3}), np.diag([2.0, 1.0, 0.1]) + 0.01 * real(3, 3))
      for tolerance in ("rtol", "atol")),
    row(lambda a, b: sl.lstsq(a, b, 0.3)[0], np.diag([2.0, 1.0, 0.1]), real(3), name="lstsq cut"),
    *(row(sl.lstsq, real(*n), real(*m)) for n, m in (((3, 3), (3,)), ((4, 2), (4,)),
                                                    ((4, 2), (4, 3)), ((2, 3), (2,)))),
    row(lambda a, b: sl.lstsq(a, b)[:2], compl(4, 2), compl(4), name="lstsq"),
    row(sl.det, compl(3, 3)),
    row(sl.det, real(2, 3, 3)),
    *(row(lambda a, low=low: sl.cholesky(a, low), definite(3, d), name=f"cholesky {low}")
      for low in (False, True) for d in (real, compl)),
    *(row(lambda a, low=low: sl.cho_factor(a, low)[0], definite(3, d), name=f"cho_factor {low}")
      for low in (False, True) for d in (real, compl)),
    *(row(lambda c, b, low=low: sl.cho_solve((c, low), b), near_one(3, d), b, name="cho_solve")
      for low in (False, True) for d in (real, compl) for b in (d(3), d(3, 2))),
    row(lambda a, b: sl.cho_solve(sl.cho_factor(a), b), definite(3), real(3), name="cho both"),
    row(lambda a: sl.lu_factor(a)[0], real(4, 4), name="lu_factor"),
    row(lambda a: sl.lu_factor(a)[0], compl(4, 4), name="lu_factor"),
    row(lambda a: sl.lu(a)[1:], real(4, 4), name="lu"),
    row(lambda a: sl.lu(a, permute_l=True), real(4, 4), name="lu permute_l"),
    *(row(lambda a, b, t=t: sl.lu_solve(sl.lu_factor(a), b, t), near_one(4, d), d(4, 2),
          name=f"lu_solve {t}") for t in (0, 1, 2) for d in (real, compl)),
    *(row(getattr(sl, n), 0.5 * near_one(3, d), name=n) for n in FUNCTIONS.split()
      for d in (real, compl)),
    row(sl.expm, real(3, 3), name="expm"),
    row(sl.logm, near_one(3), name="logm"),
    row(sl.sqrtm, definite(3), name="sqrtm", tolerance=1e-5),
    *(row(sl.sqrtm, below, name="sqrtm below 0", tolerance=1e-5)
      for below in (real(3, 3) - 4 * np.eye(3), np.diag([1.0, -2.0, 3.0]) + 0.1 * real(3, 3))),
    row(lambda a: sl.fractional_matrix_power(a, 3), real(3, 3) - 4 * np.eye(3), name="whole power"),
    row(lambda a: sl.fractional_matrix_power(a, 0.3), definite(3), name="power", tolerance=1e-5),
    row(sl.solve_sylvester, definite(3), definite(2), real(3, 2)),
    row(sl.solve_sylvester, definite(3, compl), definite(2, compl), compl(3, 2)),
    row(sl.solve_continuous_lyapunov, definite(3), real(3, 3)),
    *(row(sl.solve_discrete_lyapunov, 0.3 * d(3, 3), d(3, 3)) for d in (real, compl)),
    *(row(riccati(f), 0.5 * d(2, 2), d(2, 1), d(2, 2), d(1, 1), name=f.__name__, tolerance=1e-5)
      for f in (sl.solve_continuous_are, sl.solve_discrete_are) for d in (real, compl)),
    row(sl.toeplitz, real(3)),
    row(sl.toeplitz, compl(3)),
    row(sl.toeplitz, real(3), real(4)),
    row(sl.hankel, real(3)),
    row(sl.hankel, real(3), real(4)),
    row(sl.circulant, real(3)),
    row(lambda a: sl.convolution_matrix(a, 4), real(3), name="convolution_matrix"),
    row(sl.block_diag, real(2, 2), real(3), real(1, 2)),
    *(row(lambda a, low=low: sl.eigh(sym(a), lower=low)[0], real(3, 3), name=f"eigh {low}")
      for low in (False, True)),
    row(lambda a: sl.eigh(sym(a))[1] ** 2, real(3, 3), name="eigh vectors"),
    row(lambda a: sl.eigh(a, eigvals_only=True), real(3, 3), name="eigh values"),
    *(row(lambda a, b, low=low: sl.eigh(a, b, lower=low), real(3, 3), definite(3),
          name=f"eigh two {low}") for low in (False, True)),
    *(row(sl.eigvalsh, d(3, 3), definite(3, d)) for d in (real, compl)),
    row(sl.eigvalsh, real(3, 3)),
    row(sl.svdvals, real(3, 4)),
    row(lambda a: sl.svd(a, full_matrices=False)[1], real(4, 3), name="svd values"),
    row(lambda a: sl.svd(a, full_matrices=False)[0] ** 2, real(4, 3), name="svd vectors"),
    row(lambda a: sl.svd(a, compute_uv=False), real(4, 3), name="svd compute_uv"),
    row(lambda a: sl.qr(a, mode="economic"), real(4, 3), name="qr economic"),
    row(sl.qr, real(3, 3)),
    *(row(lambda a: sl.qr(a, mode="r")[0], real(*shape), name="qr r")
      for shape in ((3, 3), (4, 3), (3, 4))),
    row(sl.qr, real(3, 4), name="qr wide"),
    row(lambda a: sl.qr(a)[1], real(4, 3), name="qr full, r"),
    row(lambda a: sl.qr(a)[0][:, :2], real(4, 2), name="qr full, q"),
    row(lambda a: sl.qr(a)[0], real(4, 3), name="qr full, one column left"),
]  # fmt: skip
if "assume_a" in inspect.signature(linalg.inv).parameters:  # SciPy 1.17
    ROWS += [
        row(sl.solve, real(2, 3, 3) + 3 * np.eye(3), real(2, 3, 2), name="batch"),
        row(sl.solve, real(2, 3, 3) + 3 * np.eye(3), real(3), name="batch"),
        row(lambda a: sl.inv(a, assume_a="pos", lower=True), definite(3), name="inv pos"),
    ]


@pytest.mark.parametrize("case", ROWS, ids=name_of)
def test_linalg(case):
    ask(case)


@pytest.mark.parametrize(
    "fun",
    [
        sl.eig,
        sl.pinvh,
        sl.null_space,
        sl.orth,
        lambda a: sl.eigh(a, a @ a.T, type=2),
        lambda a: sl.eigh(a + 0j, np.eye(3))[1],
        lambda a: sl.eigh(a, subset_by_index=[0, 1])[0],
        lambda a: sl.qr(a, pivoting=True)[0],
        lambda a: np.sum(sl.qr(a[:, :1])[0] ** 3),  # the other columns are any that fit
        lambda a: sl.lu_factor(a[:2]),
        lambda a: sl.fractional_matrix_power(np.eye(3), a[0, 0]),
        lambda a: np.sum(np.abs(sl.logm(a - 4 * np.eye(3))) ** 2),
        lambda a: np.sum(np.abs(sl.fractional_matrix_power(-a, 0.3)) ** 2),
    ],
)
def test_what_is_not_carried_is_refused(fun):
    with pytest.raises(NoRuleError) as caught:
        tapemagic.grad(fun)(near_one(3))
    assert caught.value.fix


def test_without_a_twin_it_is_refused():
    hidden = {linalg.expm}
    with pytest.raises(LeavesTapeError, match="linalg"):
        tapemagic.grad(lambda a: next(iter(hidden))(a))(near_one(3))


def test_constants_are_computed_as_they_are_and_not_overwritten():
    a = definite(3)
    before = a.copy()
    found = tapemagic.grad(lambda b: np.sum(sl.solve(a, b, overwrite_a=True, overwrite_b=True)))(
        real(3)
    )
    np.testing.assert_array_equal(a, before)
    np.testing.assert_allclose(found, np.linalg.inv(a).sum(0))


@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("unit", [False, True])
def test_triangles_are_solved_as_they_lie_in_memory(lower, unit):
    """A transposed factor is solved in another order: every bit is SciPy's all the same."""
    a, b = definite(9), real(9)
    options = {"lower": lower, "unit_diagonal": unit}
    for m in (a, a.T, a[::-1, ::-1]):
        y, _ = tapemagic.vjp(lambda m: sl.solve_triangular(m, b, **options), m)
        np.testing.assert_array_equal(y, linalg.solve_triangular(m, b, **options))


HALF = {
    "solve": lambda a, b: sl.solve(a, b),
    "solve definite": lambda a, b: sl.solve(a @ a.T, b, assume_a="pos"),
    "inv": lambda a, b: sl.inv(a) @ b,
    "det": lambda a, b: sl.det(a) * b,
    "cholesky": lambda a, b: sl.cholesky(a @ a.T) @ b,
    "eigh": lambda a, b: sl.eigh(a + a.T)[0] * b,
    "eigvalsh": lambda a, b: sl.eigvalsh(a + a.T) * b,
    "svd": lambda a, b: sl.svd(a, compute_uv=False) * b,
    "svdvals": lambda a, b: sl.svdvals(a) * b,
    "qr": lambda a, b: sl.qr(a)[1] @ b,
    "lu": lambda a, b: sl.lu_solve(sl.lu_factor(a), b),
    "triangular": lambda a, b: sl.solve_triangular(a, b),
    "pinv": lambda a, b: sl.pinv(a) @ b,
    "lstsq": lambda a, b: sl.lstsq(a, b)[0],
    "expm": lambda a, b: sl.expm(a) @ b,
    "norm": lambda a, b: sl.norm(a) * b,
}


@pytest.mark.parametrize("name", HALF)
def test_half_precision(name):
    """SciPy computes in single precision what it is given in half."""
    fun = HALF[name]
    a, b = near_one(3).astype(np.float16), real(3).astype(np.float16)
    y, pull = tapemagic.vjp(fun, a, b)
    np.testing.assert_array_equal(y, fun(a, b))
    weights = np.arange(1.0, 4.0)
    exact = tapemagic.vjp(fun, a.astype(float), b.astype(float))[1](weights)
    for got, wanted in zip(pull(weights.astype(y.dtype)), exact, strict=True):
        assert got.dtype == np.float16
        np.testing.assert_allclose(got, wanted, rtol=0.05, atol=0.05)
