"""Systems of `scipy.linalg` whose matrix is given by its diagonals. Imported with its rules.

With ``z`` the solution of the adjoint system for the cotangent, the matrix gets ``-z x^H``, of
which only the elements that were given are worked out ([G] 2.3.1 in `scipy_linalg.py`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg

from tapemagic.autodiff.primitives import general
from tapemagic.autodiff.pullbacks import conj_if_complex as conj

from .algebra import apply, as_array
from .carrying import carried, unsupported


def _diagonal(z: Any, x: Any, k: int) -> Any:
    """Return the elements ``(j - k, j)`` of ``z x^H`` for each `j`, 0 where there are none."""
    n = x.shape[0]
    product = np.roll(z, k, 0) * conj(x)
    if product.ndim > 1:
        product = np.sum(product, axis=1)
    row = np.arange(n) - k
    return np.where((row >= 0) & (row < n), product, 0)


def _flat(b: Any) -> Any:
    """Return right-hand sides as columns, of which SciPy takes more axes as well."""
    return b if b.ndim < 2 else np.reshape(b, (b.shape[0], -1))


# ------------------------------------------------------------------------------------- general


def _banded(ab: Any, b: Any, below: int, above: int, **options: Any) -> Any:
    return linalg.solve_banded((below, above), ab, b, **options)


def _adjoint_diagonals(ab: Any, below: int, above: int) -> Any:
    """Return the diagonals of the conjugate transpose, in the order in which SciPy takes them."""
    return conj(np.stack([np.roll(ab[above - k], -k) for k in range(-below, above + 1)]))


def _banded_right(ct: Any, y: Any, ab: Any, b: Any, below: int, above: int, **_: Any) -> Any:
    return apply(_banded, _adjoint_diagonals(ab, below, above), ct, above, below)


def _banded_left(ct: Any, y: Any, ab: Any, b: Any, below: int, above: int, **_: Any) -> Any:
    z, x = _flat(_banded_right(ct, y, ab, b, below, above)), _flat(y)
    return np.stack([-_diagonal(z, x, k) for k in range(above, -below - 1, -1)])


general(_banded, _banded_left, _banded_right, name="solve_banded")


@carried(linalg.solve_banded, "l_and_u", "ab", "b")
def _solve_banded(l_and_u: Any, ab: Any, b: Any, **options: Any) -> Any:
    ab, b = as_array(ab), as_array(b)
    if ab.ndim > 2:
        raise unsupported(linalg.solve_banded, "more than two axes", "Solve in a loop.")
    below, above = (int(n) for n in np.asarray(l_and_u))
    return apply(_banded, ab, b, below, above, **options)


# ----------------------------------------------------------------------------------- Hermitian


def _hermitian(ab: Any, b: Any, lower: bool, **options: Any) -> Any:
    return linalg.solveh_banded(ab, b, lower=lower, **options)


def _hermitian_right(ct: Any, y: Any, ab: Any, b: Any, lower: bool, **_: Any) -> Any:
    return apply(_hermitian, ab, ct, lower)


def _hermitian_left(ct: Any, y: Any, ab: Any, b: Any, lower: bool, **_: Any) -> Any:
    """An element beside the diagonal stands for the one across it as well."""
    z, x = _flat(_hermitian_right(ct, y, ab, b, lower)), _flat(y)
    rows = []
    for k in range(ab.shape[0]):
        found = -_diagonal(z, x, -k if lower else k)
        other = -_diagonal(x, z, -k if lower else k)
        rows.append(found + other if k else np.real(found))
    return np.stack(rows if lower else rows[::-1])


general(_hermitian, _hermitian_left, _hermitian_right, name="solveh_banded")


@carried(linalg.solveh_banded, "ab", "b")
def _solveh_banded(ab: Any, b: Any, lower: bool = False, **options: Any) -> Any:
    ab, b = as_array(ab), as_array(b)
    if ab.ndim > 2:
        raise unsupported(linalg.solveh_banded, "more than two axes", "Solve in a loop.")
    return apply(_hermitian, ab, b, lower, **options)


# ------------------------------------------------------------------------------------ Toeplitz


def _toeplitz(c: Any, r: Any, b: Any, **options: Any) -> Any:
    return linalg.solve_toeplitz((c, r), b, **options)


def _toeplitz_right(ct: Any, y: Any, c: Any, r: Any, b: Any, **_: Any) -> Any:
    first = np.concatenate([c[:1], r[1:]])  # SciPy takes the corner from the column
    return apply(_toeplitz, conj(first), conj(c), ct)


def _sums(z: Any, x: Any, sign: int) -> Any:
    n = x.shape[0]
    return -np.stack([np.sum(_diagonal(z, x, sign * k)) for k in range(n)])


def _toeplitz_column(ct: Any, y: Any, c: Any, r: Any, b: Any, **_: Any) -> Any:
    return _sums(_flat(_toeplitz_right(ct, y, c, r, b)), _flat(y), -1)


def _toeplitz_row(ct: Any, y: Any, c: Any, r: Any, b: Any, **_: Any) -> Any:
    found = _sums(_flat(_toeplitz_right(ct, y, c, r, b)), _flat(y), 1)
    return np.concatenate([0 * found[:1], found[1:]])


general(_toeplitz, _toeplitz_column, _toeplitz_row, _toeplitz_right, name="solve_toeplitz")


@carried(linalg.solve_toeplitz, "c_or_cr", "b", sequences=("c_or_cr",))
def _solve_toeplitz(c_or_cr: Any, b: Any, **options: Any) -> Any:
    c, r = c_or_cr if isinstance(c_or_cr, tuple) else (c_or_cr, None)
    c = as_array(c)
    r = np.conj(c) if r is None else as_array(r)
    if max(c.ndim, r.ndim) > 1:
        raise unsupported(linalg.solve_toeplitz, "more than one column", "Solve in a loop.")
    return apply(_toeplitz, c, r, as_array(b), **options)
