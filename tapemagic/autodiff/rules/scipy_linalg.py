"""Systems of equations and factorizations of `scipy.linalg`. Imported only when SciPy has been.

Sources: [G] M. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
differentiation", 2008. A matrix of which the solver reads a part only is first reduced to that part
by functions with rows of their own; the cotangents then arrive where the program has read.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg

from tapemagic.autodiff.decisions import DECISIONS
from tapemagic.autodiff.primitives import RULES, general
from tapemagic.autodiff.pullbacks import conj_if_complex as conj

from . import scipy_equations as _scipy_equations  # noqa: F401  (declares more of scipy.linalg)
from . import scipy_matrices as _scipy_matrices  # noqa: F401
from .algebra import adjoint, apply, as_array, as_matrix, plain
from .carrying import carried, carried_general, unsupported


def _outer(z: Any, x: Any) -> Any:
    """Return ``z x^H``, of one column or of several."""
    return z[..., :, None] * conj(x)[..., None, :] if x.ndim == 1 else z @ adjoint(x)


def _sum_batch(x: Any, b: Any) -> Any:
    """Return a cotangent of a right-hand side that one column for all matrices may have been."""
    return np.sum(x, axis=tuple(range(x.ndim - 1))) if b.ndim == 1 and x.ndim > 1 else x


# ------------------------------------------------------------------------------------- solving


def _part_read(a: Any, kind: str | None, lower: bool) -> Any:
    """Return the matrix that `solve` takes `a` for."""
    kind = "" if kind is None else kind.replace("-", " ")
    if kind in ("sym", "symmetric", "pos", "positive definite", "her", "hermitian"):
        part = np.tril(a) if lower else np.triu(a)
        rest = np.tril(a, -1) if lower else np.triu(a, 1)
        turned = rest.mT if kind.startswith("sym") else adjoint(rest)
        if not kind.startswith("sym") and np.iscomplexobj(plain(a)):
            eye = np.eye(a.shape[-1], dtype=bool)
            part = part * ~eye + np.real(part) * eye
        return part + turned
    for names, part in (
        (("upper triangular", "upper"), np.triu),
        (("lower triangular", "lower"), np.tril),
    ):
        if kind in names:
            return part(a)
    if kind == "diagonal":
        return a * np.eye(a.shape[-1], dtype=bool)
    if kind == "tridiagonal":
        return np.tril(np.triu(a, -1), 1)
    return a


def _solve(m: Any, b: Any, transposed: bool = False, **keywords: Any) -> Any:
    return linalg.solve(m, b, transposed=transposed, **keywords)


def _adjoint_solve(ct: Any, m: Any, b: Any, transposed: bool) -> Any:
    """Return the cotangent of the right-hand side ([G] 2.3.1)."""
    system = conj(m) if transposed else adjoint(m)
    if b.ndim == 1 and m.ndim > 2:
        return np.linalg.solve(system, ct[..., None])[..., 0]
    return np.linalg.solve(system, ct)


def _solve_left(ct: Any, y: Any, m: Any, b: Any, transposed: bool = False, **_: Any) -> Any:
    z = _adjoint_solve(ct, m, b, transposed)
    one_column = b.ndim == 1 and m.ndim > 2
    outer = -_outer(z[..., None], y[..., None]) if one_column else -_outer(z, y)
    return outer.mT if transposed else outer


general(
    _solve,
    _solve_left,
    lambda ct, y, m, b, transposed=False, **_: _sum_batch(_adjoint_solve(ct, m, b, transposed), b),
    name="solve",
)


@carried(linalg.solve, "a", "b")
def _solve_body(a: Any, b: Any, **keywords: Any) -> Any:
    kind, lower = keywords.get("assume_a"), keywords.get("lower", False)
    return apply(_solve, _part_read(as_matrix(a), kind, lower), as_matrix(b), **keywords)


def _triangle(m: Any, b: Any, trans: int, lower: bool, unit_diagonal: bool) -> Any:
    options = {"trans": trans, "lower": lower, "unit_diagonal": unit_diagonal}
    return linalg.solve_triangular(m, b, **options)


def _triangle_right(ct: Any, m: Any, trans: int, lower: bool, unit: bool) -> Any:
    if trans == 1:
        return apply(_triangle, conj(m), ct, 0, lower, unit)
    return apply(_triangle, m, ct, 2 if trans == 0 else 0, lower, unit)


def _outer_of(z: Any, x: Any, trans: int) -> Any:
    """Return the cotangent of the matrix in ``op(m) x = b``, where `op` may turn it."""
    outer = -_outer(z, x)
    return outer if trans == 0 else outer.mT if trans == 1 else adjoint(outer)


def _triangle_left(ct: Any, y: Any, m: Any, trans: int, lower: bool, unit: bool) -> Any:
    """Return the cotangent of the triangle that is read."""
    outer = _outer_of(_triangle_right(ct, m, trans, lower, unit), y, trans)
    return np.tril(outer, -1 if unit else 0) if lower else np.triu(outer, 1 if unit else 0)


general(
    _triangle,
    lambda ct, y, m, b, trans, lower, unit: _triangle_left(ct, y, m, trans, lower, unit),
    lambda ct, y, m, b, trans, lower, unit: _triangle_right(ct, m, trans, lower, unit),
    name="solve_triangular",
)
_TURNS = {"N": 0, "T": 1, "C": 2}


@carried(linalg.solve_triangular, "a", "b")
def _solve_triangular(
    a: Any, b: Any, trans: Any = 0, lower: bool = False, unit_diagonal: bool = False, **_: Any
) -> Any:
    a, b = as_array(a), as_array(b)
    if a.ndim > 2 or b.ndim > 2:
        raise unsupported(linalg.solve_triangular, "more than two axes", "Solve in a loop.")
    return apply(_triangle, a, b, _TURNS.get(trans, trans), lower, unit_diagonal)


# ------------------------------------------------------------------- inverse and determinant

_inv_vjp = RULES[np.linalg.inv].vjps[0]
_det_vjp = RULES[np.linalg.det].vjps[0]


def _inv(m: Any, **keywords: Any) -> Any:
    return linalg.inv(m, **keywords)


general(_inv, lambda ct, y, m, **_: _inv_vjp(ct, y, m), name="inv")


@carried(linalg.inv, "a")
def _inv_body(a: Any, **keywords: Any) -> Any:
    m = _part_read(as_array(a), keywords.get("assume_a"), keywords.get("lower", False))
    return apply(_inv, m, **keywords)


carried_general(linalg.det, "a", lambda ct, y, a, **_: _det_vjp(ct, y, as_matrix(a)))


# ------------------------------------------------------------------------------------ Cholesky


def _cholesky_vjp(ct: Any, y: Any, a: Any, lower: bool = False, **_: Any) -> Any:
    vjp = RULES[np.linalg.cholesky].vjps[0]
    return vjp(ct, y, a) if lower else vjp(ct, y, a, upper=True)


carried_general(linalg.cholesky, "a", _cholesky_vjp)


_factor, _lower = linalg.cho_factor(np.array([[2.0, 1.0], [1.0, 2.0]]))
#: Whether the other triangle keeps the numbers of `a`: up to SciPy 1.17; from 1.18 on it is zero.
_LEAVES_THE_REST = bool(_factor[1, 0])


def _packed_cholesky(a: Any, lower: bool, **keywords: Any) -> Any:
    """Return the factor, with what SciPy leaves in the other triangle."""
    return linalg.cho_factor(a, lower=lower, **keywords)[0]


def _packed_cholesky_vjp(ct: Any, y: Any, a: Any, lower: bool, **_: Any) -> Any:
    keep, leave = (np.tril, np.triu) if lower else (np.triu, np.tril)
    found = _cholesky_vjp(keep(ct), keep(y), a, lower)
    return found + leave(ct, 1 if lower else -1) if _LEAVES_THE_REST else found


general(_packed_cholesky, _packed_cholesky_vjp, name="cho_factor")


@carried(linalg.cho_factor, "a")
def _cho_factor(a: Any, lower: bool = False, **keywords: Any) -> Any:
    a = as_array(a)
    if a.ndim > 2:
        raise unsupported(linalg.cho_factor, "more than two axes", "Factorize in a loop.")
    given: Any = lower
    if isinstance(_lower, np.ndarray):  # from SciPy 1.18 on, part of a batch of one
        given = np.array([lower]).reshape(())
    return apply(_packed_cholesky, a, lower, **keywords), given


def _cho_solve(c: Any, b: Any, lower: bool, **keywords: Any) -> Any:
    return linalg.cho_solve((c, lower), b, **keywords)


def _cho_solve_left(ct: Any, y: Any, c: Any, b: Any, lower: bool, **_: Any) -> Any:
    """With A = L L^H: ct_L = (ct_A + ct_A^H) L, where ct_A = -A^-1 ct y^H ([G] 2.2, 2.3.1)."""
    outer = -_outer(apply(_cho_solve, c, ct, lower), y)
    both = outer + adjoint(outer)
    return np.tril(both @ np.tril(c)) if lower else np.triu(np.triu(c) @ both)


general(
    _cho_solve,
    _cho_solve_left,
    lambda ct, y, c, b, lower, **_: apply(_cho_solve, c, ct, lower),
    name="cho_solve",
)


@carried(linalg.cho_solve, "c_and_lower", "b", sequences=("c_and_lower",))
def _cho_solve_body(c_and_lower: Any, b: Any, **keywords: Any) -> Any:
    c, lower = c_and_lower
    if max(np.ndim(plain(c)), np.ndim(plain(b))) > 2:
        raise unsupported(linalg.cho_solve, "more than two axes", "Solve in a loop.")
    return apply(_cho_solve, as_array(c), as_array(b), bool(plain(lower)), **keywords)


# ------------------------------------------------------------------------------------------ LU


def _packed_lu(a: Any, rows: Any) -> Any:
    """Return L and U in one matrix; `rows` is the order of the rows that was chosen."""
    return linalg.lu_factor(a)[0]


def _packed_lu_vjp(ct: Any, y: Any, a: Any, rows: Any) -> Any:
    """Return P^T L^-H (tril(L^H ct_L, -1) + triu(ct_U U^H)) U^-H, from dL and dU of L U = P A."""
    low, up = np.tril(y, -1) + np.eye(y.shape[-1], dtype=y.dtype), np.triu(y)
    middle = np.tril(adjoint(low) @ np.tril(ct, -1), -1) + np.triu(np.triu(ct) @ adjoint(up))
    left = np.linalg.solve(adjoint(low), middle)
    return adjoint(np.linalg.solve(up, adjoint(left)))[np.argsort(rows)]


general(_packed_lu, _packed_lu_vjp, None, name="lu_factor")


def _rows(pivots: Any) -> np.ndarray:
    """Return the order of rows that LAPACK's exchanges make."""
    rows = np.arange(len(pivots))
    for i, j in enumerate(pivots):
        rows[[i, j]] = rows[[j, i]]
    return rows


def _check_square(a: Any, fun: Any) -> None:
    if a.ndim != 2 or a.shape[0] != a.shape[1]:
        raise unsupported(fun, "anything but one square matrix", "Use np.linalg.qr or a loop.")


def _pivots(a: Any) -> np.ndarray:
    return linalg.lu_factor(a)[1]


#: Which rows are exchanged is in the entries as it was in the run.
DECISIONS.update(dict.fromkeys((linalg.lu_factor, linalg.lu), ((0, "a"), _pivots)))


@carried(linalg.lu_factor, "a")
def _lu_factor(a: Any, **keywords: Any) -> Any:
    a = as_array(a)
    _check_square(a, linalg.lu_factor)
    _, pivots = linalg.lu_factor(plain(a), **keywords)
    return apply(_packed_lu, a, _rows(pivots)), pivots


@carried(linalg.lu, "a")
def _lu(a: Any, permute_l: bool = False, p_indices: bool = False, **keywords: Any) -> Any:
    a = as_array(a)
    _check_square(a, linalg.lu)
    packed, _ = _lu_factor(a, **keywords)
    low = np.tril(packed, -1) + np.eye(a.shape[0], dtype=packed.dtype)
    permutation = linalg.lu(plain(a), p_indices=p_indices and not permute_l)[0]
    if permute_l:
        return permutation @ low, np.triu(packed)
    return permutation, low, np.triu(packed)


def _lu_solve(packed: Any, b: Any, pivots: Any, trans: int) -> Any:
    return linalg.lu_solve((packed, pivots), b, trans)


def _lu_solve_right(ct: Any, packed: Any, pivots: Any, trans: int) -> Any:
    if trans == 1:
        return conj(apply(_lu_solve, packed, conj(ct), pivots, 0))
    return apply(_lu_solve, packed, ct, pivots, 2 if trans == 0 else 0)


def _lu_solve_left(ct: Any, y: Any, packed: Any, b: Any, pivots: Any, trans: int) -> Any:
    outer = _outer_of(_lu_solve_right(ct, packed, pivots, trans), y, trans)[_rows(pivots)]
    low = np.tril(packed, -1) + np.eye(packed.shape[-1], dtype=packed.dtype)
    return np.tril(outer @ adjoint(np.triu(packed)), -1) + np.triu(adjoint(low) @ outer)


general(
    _lu_solve,
    _lu_solve_left,
    lambda ct, y, packed, b, pivots, trans: _lu_solve_right(ct, packed, pivots, trans),
    name="lu_solve",
)


@carried(linalg.lu_solve, "lu_and_piv", "b", sequences=("lu_and_piv",))
def _lu_solve_body(lu_and_piv: Any, b: Any, trans: int = 0, **_: Any) -> Any:
    packed, pivots = lu_and_piv
    if max(np.ndim(plain(packed)), np.ndim(plain(b))) > 2:
        raise unsupported(linalg.lu_solve, "more than two axes", "Solve in a loop.")
    return apply(_lu_solve, as_array(packed), as_array(b), np.asarray(pivots), trans)
