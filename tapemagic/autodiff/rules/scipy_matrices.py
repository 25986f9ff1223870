"""Functions of matrices, special matrices and decompositions of `scipy.linalg`.

Sources: [M] R. Mathias, "A chain rule for matrix functions and applications", 1996; [H] A. Al-Mohy,
N. Higham, "Computing the Frechet derivative of the matrix exponential", 2009.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import linalg

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.primitives import RULES, general
from tapemagic.autodiff.pullbacks import conj_if_complex as conj

from .algebra import adjoint, apply, as_array, as_matrix, decide, plain, with_value
from .carrying import carried, carried_general, unsupported
from .gathering import gather

#: So near to the negative axis an eigenvalue may be on either side of it, by rounding.
_NEAR = 1e-6
_SHIFT = "Take roots by scipy.linalg.sqrtm, or shift the matrix: a + c * np.eye(n)."

# ------------------------------------------------------------------------ functions of a matrix


def _turned(fun: Callable, ct: Any, a: Any, *args: Any) -> Any:
    """Return the adjoint of the Frechet derivative of a function at `a`, applied to `ct`.

    The function of ``[[a^H, ct], [0, a^H]]`` has the derivative at a^H in the direction of `ct`
    above its diagonal ([M] theorem 2.1; [H] for the exponential), and that is the adjoint.
    """
    if a.ndim != 2:
        raise unsupported(fun, "more than one matrix", "Call it in a loop.")
    n = a.shape[0]
    # with a small direction the algorithms see the matrix alone, and no precision is lost
    scale = _largest(a) / _largest(ct)
    dtype = np.result_type(a, ct)
    turned = adjoint(a).astype(dtype)
    upper = np.concatenate([turned, (ct * scale).astype(dtype)], axis=1)
    lower = np.concatenate([np.zeros((n, n), dtype), turned], axis=1)
    return apply(fun, np.concatenate([upper, lower]), *args)[:n, n:] / scale


def _largest(x: Any) -> Any:
    """Return the largest absolute value of an array, 1 of zeros: any other scale would do."""
    largest = np.max(np.abs(dispatch.plain(x)), initial=0)
    return largest + (largest == 0)


def _is_on_the_cut(a: Any) -> bool:
    """Tell whether a matrix has an eigenvalue below 0."""
    values = np.linalg.eigvals(a)
    return bool(np.any((values.real < 0) & (np.abs(values.imag) <= _NEAR * np.abs(values))))


def _off_the_cut(fun: Callable, a: Any) -> Any:
    """Return a matrix; refuse one with an eigenvalue below 0, where logarithms and powers jump.

    Which side of the jump it is on may differ between the matrix and the larger one of `_turned`.
    """
    if decide(_is_on_the_cut, a):
        raise unsupported(fun, "an eigenvalue below 0", _SHIFT)
    return a


def _sqrtm_vjp(ct: Any, y: Any, a: Any) -> Any:
    """Solve ``y^H x + x y^H = ct``: ``y y = a`` says how the root moves, on its side of the cut."""
    if a.ndim != 2:
        raise unsupported(linalg.sqrtm, "more than one matrix", "Call it in a loop.")
    root = adjoint(y)
    return apply(linalg.solve_sylvester, root, root, ct)


for _name in ("expm", "sinm", "cosm", "tanm", "sinhm", "coshm", "tanhm"):
    _fun = getattr(linalg, _name)
    carried_general(_fun, "A", lambda ct, y, A, _fun=_fun, **_: _turned(_fun, ct, A))
carried_general(linalg.sqrtm, "A", lambda ct, y, A, **_: _sqrtm_vjp(ct, y, A))
carried_general(
    linalg.logm,
    "A",
    lambda ct, y, A, **_: _turned(linalg.logm, ct, _off_the_cut(linalg.logm, A)),
)


def _power_vjp(ct: Any, y: Any, a: Any, t: Any) -> Any:
    fun = linalg.fractional_matrix_power
    return _turned(fun, ct, a if decide(np.equal, t, np.rint(t)) else _off_the_cut(fun, a), t)


carried_general(linalg.fractional_matrix_power, "A t", _power_vjp, None)


# -------------------------------------------------------------------- matrices made of elements


def _picked(fun: Callable, *arrays: Any, **options: Any) -> Any:
    """Carry out a function that only puts elements of its arguments into place.

    Applied to the numbers 1, 2, 3, ... it says which; 0 is an element of its own.
    """
    places, count = [], 1
    for x in arrays:
        places.append(np.arange(count, count + x.size).reshape(x.shape))
        count += x.size
    flat = np.concatenate([np.ravel(x) for x in arrays])
    return gather(flat, fun(*places, **options))


@carried(linalg.toeplitz, "c", "r")
def _toeplitz(c: Any, r: Any = None) -> Any:
    c = np.atleast_1d(as_array(c))
    return _picked(linalg.toeplitz, c, conj(c) if r is None else np.atleast_1d(as_array(r)))


@carried(linalg.hankel, "c", "r")
def _hankel(c: Any, r: Any = None) -> Any:
    c = np.atleast_1d(as_array(c))
    return _picked(linalg.hankel, c, np.zeros_like(c) if r is None else as_array(r))


for _name in ("circulant", "convolution_matrix"):
    _fun = getattr(linalg, _name)
    _array = "c" if _name == "circulant" else "a"
    carried(_fun, _array)(
        lambda x, _fun=_fun, **options: _picked(_fun, np.atleast_1d(as_array(x)), **options)
    )


@carried(linalg.block_diag, "*arrs")
def _block_diag(*arrs: Any) -> Any:
    return _picked(linalg.block_diag, *(np.atleast_2d(as_array(x)) for x in arrs))


# --------------------------------------------------------------- decompositions that NumPy has too


_eigh_vjp, _eigvalsh_vjp, _svd_vjp, _qr_vjp = (
    RULES[fun].vjps[0] for fun in (np.linalg.eigh, np.linalg.eigvalsh, np.linalg.svd, np.linalg.qr)
)


def _eigh(a: Any, lower: bool, **keywords: Any) -> Any:
    return linalg.eigh(a, lower=lower, **keywords)


def _eigvalsh(a: Any, lower: bool, **keywords: Any) -> Any:
    return linalg.eigvalsh(a, lower=lower, **keywords)


general(_eigh, lambda ct, y, a, lower, **_: _eigh_vjp(ct, y, a, "L" if lower else "U"), name="eigh")
general(
    _eigvalsh,
    lambda ct, y, a, lower, **_: _eigvalsh_vjp(ct, y, a, "L" if lower else "U"),
    name="eigvalsh",
)


def _check_all(fun: Callable, keywords: dict) -> None:
    """Refuse what has no rule: only some of the eigenvalues, and other products of matrices."""
    if keywords.get("type", 1) != 1:
        raise unsupported(fun, "type=", "Use np.linalg.solve and np.linalg.eig.")
    for name in ("subset_by_index", "subset_by_value"):
        if keywords.get(name) is not None:
            raise unsupported(fun, name, "Take all eigenvalues, and a part of the result.")


def _with_two(a: Any, b: Any, lower: bool, eigvals_only: bool, **keywords: Any) -> Any:
    """Solve ``a v = b v w``: with ``b = c c^H``, w is that of ``c^-1 a c^-H``, and v is ``c^-H u``.

    SciPy's vectors differ from those by a sign.
    """
    found = linalg.eigh(*plain((a, b)), lower=lower, eigvals_only=eigvals_only, **keywords)
    a, b = (_hermitian(as_matrix(x), lower) for x in (a, b))
    c = np.linalg.cholesky(b)
    half = np.linalg.solve(c, a)
    alone = np.linalg.solve(c, adjoint(half))
    if eigvals_only:
        return with_value(np.linalg.eigvalsh(alone), found)
    if alone.dtype.kind == "c":
        raise unsupported(linalg.eigh, "vectors of two complex matrices", "Use eigvals_only=True.")
    values, u = np.linalg.eigh(alone)
    vectors = np.linalg.solve(adjoint(c), u)
    keywords["lower"] = lower
    leaks.decided(_signs, (vectors, a, b), keywords)  # a program has to ask again
    signs = _signs(*plain((vectors, a, b)), **keywords)
    return with_value(values, found[0]), with_value(vectors * signs, found[1])


def _signs(vectors: Any, a: Any, b: Any, **keywords: Any) -> np.ndarray:
    """Return the signs that SciPy's vectors have against others."""
    return np.sign(np.sum(vectors * (b @ linalg.eigh(a, b, **keywords)[1]), axis=0))


def _hermitian(a: Any, lower: bool) -> Any:
    """Return the matrix of which SciPy reads one triangle, and of its diagonal the real part."""
    if a.ndim != 2:
        raise unsupported(linalg.eigh, "more than one pair of matrices", "Call it in a loop.")
    half = np.tril(a, -1) if lower else np.triu(a, 1)
    return half + adjoint(half) + np.diag(np.real(np.diagonal(a)))


@carried(linalg.eigh, "a", "b")
def _eigh_body(
    a: Any, b: Any = None, lower: bool = True, eigvals_only: bool = False, **keywords: Any
) -> Any:
    _check_all(linalg.eigh, keywords)
    if b is not None:
        return _with_two(a, b, lower, eigvals_only, **keywords)
    if eigvals_only:
        return apply(_eigvalsh, as_matrix(a), lower, **keywords)
    return apply(_eigh, as_matrix(a), lower, **keywords)


@carried(linalg.eigvalsh, "a", "b")
def _eigvalsh_body(a: Any, b: Any = None, lower: bool = True, **keywords: Any) -> Any:
    return _eigh_body(a, b, lower, eigvals_only=True, **keywords)


carried_general(
    linalg.svd,
    "a",
    lambda ct, y, a, full_matrices=True, compute_uv=True, **_: _svd_vjp(
        ct, y, as_matrix(a), full_matrices, compute_uv
    ),
)
carried_general(
    linalg.svdvals, "a", lambda ct, y, a, **_: _svd_vjp(ct, y, as_matrix(a), compute_uv=False)
)


def _qr(a: Any, mode: str) -> Any:
    y = linalg.qr(a, mode=mode)
    return y[0] if mode == "r" else y


def _scipys_qr_vjp(ct: Any, y: Any, a: Any, mode: str) -> Any:
    if mode == "r":  # with the rows of zeros that NumPy leaves out
        return _qr_vjp(ct[..., : min(a.shape[-2:]), :], y, a, "r")
    return _qr_vjp(ct, y, a)


general(_qr, _scipys_qr_vjp, name="qr")


@carried(linalg.qr, "a")
def _qr_body(a: Any, mode: str = "full", pivoting: bool = False, **_: Any) -> Any:
    a = as_array(a)
    if pivoting or mode not in ("economic", "full", "r"):
        raise unsupported(linalg.qr, "these options", "Use mode='economic' without pivoting.")
    y = apply(_qr, a, mode)
    return (y,) if mode == "r" else y


# ----------------------------------------------------------- with NumPy's rules and SciPy's values


@carried(linalg.norm, "a")
def _norm(a: Any, ord: Any = None, axis: Any = None, keepdims: bool = False, **_: Any) -> Any:
    value = linalg.norm(plain(a), ord, axis, keepdims)
    return with_value(np.linalg.norm(a, ord, axis, keepdims), value)


def _rank_cut(a: Any, atol: Any, rtol: Any) -> Any:
    """Return below which part of the largest one singular values count as zeros."""
    rtol = max(a.shape) * np.finfo(plain(a).dtype).eps if rtol is None else rtol
    largest = np.max(np.linalg.svd(plain(a), compute_uv=False), initial=0.0)
    return rtol + (atol or 0.0) / largest if largest else rtol


def _ranks(a: Any, cut: float, **tolerances: Any) -> np.ndarray:
    """Return the rank by SciPy's tolerances, and the one that a relative cut gives."""
    rank = linalg.pinv(a, return_rank=True, **tolerances)[1]
    return np.array([rank, np.linalg.matrix_rank(a, rtol=cut)])


@carried(linalg.pinv, "a")
def _pinv(
    a: Any, *, atol: Any = None, rtol: Any = None, return_rank: bool = False, **_: Any
) -> Any:
    a = as_matrix(a)
    found = linalg.pinv(plain(a), atol=atol, rtol=rtol, return_rank=return_rank)
    cut = _rank_cut(a, atol, rtol)
    leaks.decided(_ranks, (a, cut), {"atol": atol, "rtol": rtol})
    inverse = np.linalg.pinv(a, cut)
    if return_rank:
        return with_value(inverse, found[0]), found[1]
    return with_value(inverse, found)


@carried(linalg.lstsq, "a", "b")
def _lstsq(a: Any, b: Any, cond: Any = None, **_: Any) -> Any:
    """Solve; the residues are those of the solution, the singular values those of `a`."""
    a, b = as_matrix(a), as_matrix(b)
    x, residues, rank, s = linalg.lstsq(plain(a), plain(b), cond)
    cut = np.finfo(plain(x).dtype).eps if cond is None else cond
    solution = with_value(np.linalg.lstsq(a, b, rcond=cut)[0], x)
    if np.size(residues):
        squares = np.abs(b - a @ solution) ** 2
        residues = with_value(np.sum(squares, axis=0), residues)
    return solution, residues, rank, with_value(np.linalg.svd(a, compute_uv=False), s)
