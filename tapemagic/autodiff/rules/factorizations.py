"""Eigenvalues, singular values and QR.

Sources: [G] M. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
differentiation", 2008; [T] J. Townsend, "Differentiating the singular value decomposition", 2016;
[W] Z.-Q. Wan, S.-X. Zhang, "Automatic differentiation for complex valued SVD", arXiv:1909.02659;
[R] D. Roberts, L. Roberts, "QR and LQ decomposition matrix backpropagation algorithms for square,
wide, and deep matrices", arXiv:2009.10071; [B] C. Boeddeker et al., "On the computation of
complex-valued gradients with application to statistically optimum beamforming", arXiv:1701.00392.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff.primitives import general
from tapemagic.autodiff.pullbacks import conj_if_complex as conj

from .algebra import adjoint, decide
from .degenerate import (
    check_phase,
    check_rest,
    check_values,
    check_vectors,
    divide_columns,
    inverse_gaps,
    repeated,
)
from .linalg import lower_part, upper_part

_EIGEN, _SINGULAR = "eigenvalues/eigenvectors", "singular values/singular vectors"


def _diagonal(x: Any) -> Any:
    return np.diagonal(x, axis1=-2, axis2=-1)


# ---------------------------------------------------------------------------- Hermitian matrices


def _eigh(ct_w: Any, ct_v: Any, w: Any, v: Any, UPLO: str) -> Any:
    """Return v (diag(ct_w) + E o (v^H ct_v)) v^H, symmetrised; E_ij = 1 / (w_j - w_i) ([G] 3.1)."""
    pairs = repeated(w)
    if ct_v is None:
        check_values(ct_w, pairs, _EIGEN)
        whole = (v * ct_w[..., None, :]) @ adjoint(v)
    else:
        mixing = adjoint(v) @ ct_v
        check_vectors(mixing, pairs, _EIGEN, ct_v)
        if mixing.dtype.kind == "c":
            check_phase(_diagonal(mixing), "eigenvectors", ct_v)
        middle = inverse_gaps(w, pairs) * mixing
        if ct_w is not None:
            check_values(ct_w, pairs, _EIGEN)
            middle = middle + ct_w[..., None, :] * np.eye(w.shape[-1], dtype=w.dtype)
        whole = v @ middle @ adjoint(v)
        whole = 0.5 * (whole + adjoint(whole))
    return lower_part(whole) if UPLO.upper() == "L" else upper_part(whole)


general(
    np.linalg.eigh,
    lambda ct, y, a, UPLO="L": _eigh(ct[0], ct[1], y[0], y[1], UPLO),
)


def _eigvalsh_vjp(ct: Any, y: Any, a: Any, UPLO: Any = "L") -> Any:
    w, v = np.linalg.eigh(a, UPLO)
    return _eigh(ct, None, w, v, UPLO)


general(np.linalg.eigvalsh, _eigvalsh_vjp)


# ------------------------------------------------------------------------------ general matrices


def _eig(ct_w: Any, ct_v: Any, w: Any, v: Any) -> Any:
    """v^-H (diag(ct_w) + conj(E) o ct_k) v^H, where dv = v k ([B] equation 4.77).

    LAPACK scales each vector to length 1 and, if complex, turns its largest component to the real
    axis; both conditions fix the diagonal of k, and their adjoints are the two corrections below.
    """
    pairs = repeated(w)
    check_values(ct_w, pairs, _EIGEN)
    if not np.all(decide(np.isfinite, w)):
        return np.full(v.shape, np.nan)
    middle = 0.0 if ct_w is None else ct_w[..., None, :] * np.eye(w.shape[-1], dtype=w.dtype)
    if ct_v is not None:
        mixing = adjoint(v) @ ct_v
        check_vectors(mixing, pairs, _EIGEN, ct_v)
        diagonal = _diagonal(mixing)
        mixing = mixing - (adjoint(v) @ v) * np.real(diagonal)[..., None, :]
        if v.dtype.kind == "c":
            largest = decide(_largest_rows, v)
            rows = np.take_along_axis(v, largest[..., None], axis=-2)
            rows = rows / _diagonal(rows)[..., None]
            mixing = mixing - 1j * adjoint(rows) * np.imag(diagonal)[..., None, :]
        middle = middle + conj(inverse_gaps(w, pairs)) * mixing
    return np.linalg.solve(adjoint(v), middle @ adjoint(v))


def _largest_rows(v: Any) -> Any:
    return np.argmax(np.abs(v), axis=-2)


general(np.linalg.eig, lambda ct, y, a: _eig(ct[0], ct[1], y[0], y[1]))


def _eigvals_vjp(ct: Any, y: Any, a: Any) -> Any:
    w, v = np.linalg.eig(a)
    return _eig(ct, None, w, v)


general(np.linalg.eigvals, _eigvals_vjp)


# ------------------------------------------------------------------------------- singular values


def _singular_values(ct: Any, u: Any, s: Any, vh: Any) -> Any:
    """Return u diag(ct) vh ([G] 3.2)."""
    check_values(ct, repeated(s), _SINGULAR)
    return (u * _above_zero(ct, s)[..., None, :]) @ vh


def _above_zero(ct: Any, s: Any) -> Any:
    """Give singular values at 0 no cotangent: like abs, they have a kink there."""
    return ct * decide(_are_above_zero, s)


def _are_above_zero(s: Any) -> Any:
    limit = 8 * s.shape[-1] * np.finfo(s.dtype).eps * np.max(s, axis=-1, initial=0, keepdims=True)
    return s > limit


def _svd(ct_u: Any, ct_s: Any, ct_vh: Any, u: Any, s: Any, vh: Any) -> Any:
    """[T] equation 20, with the phases of complex vectors ([W] equation 2).

    Also right for ``full_matrices=True``: the vectors beyond the singular values span what the
    others leave, and turn against them.
    """
    k = s.shape[-1]
    pairs = repeated(s)
    check_values(ct_s, pairs, _SINGULAR)
    ct_u = np.zeros_like(u) if ct_u is None else ct_u
    ct_v = adjoint(np.zeros_like(vh) if ct_vh is None else ct_vh)
    v = adjoint(vh)
    left, right = adjoint(u) @ ct_u, adjoint(v) @ ct_v
    left_turn, right_turn = left - adjoint(left), right - adjoint(right)
    check_rest(left_turn[..., k:, k:], "singular vectors", ct_u, ct_v)
    check_rest(right_turn[..., k:, k:], "singular vectors", ct_u, ct_v)
    u1, v1 = u[..., :k], v[..., :k]
    inner_left, inner_right = left_turn[..., :k, :k], right_turn[..., :k, :k]
    check_vectors(left[..., :k, :k] + right[..., :k, :k], pairs, _SINGULAR, ct_u, ct_v)
    if inner_left.dtype.kind == "c":
        check_phase(_diagonal(inner_left + inner_right), "singular vectors", ct_u, ct_v)
    # (l s_j + r s_i) / (s_j^2 - s_i^2), split so that equal values divide by their sum only
    total = _inverse_sums(s)
    middle = 0.5 * (
        (inner_left + inner_right) * inverse_gaps(s, pairs) + (inner_left - inner_right) * total
    )
    if ct_s is not None:
        middle = middle + _above_zero(ct_s, s)[..., None, :] * np.eye(k, dtype=s.dtype)
    gradient = u1 @ middle @ adjoint(v1)
    # components of ct_u and ct_v outside the space of the k vectors
    if u.shape[-2] > k:
        outside = ct_u[..., :k] - u1 @ left[..., :k, :k]
        outside = outside - u[..., k:] @ adjoint(left[..., :k, k:])
        gradient = gradient + divide_columns(outside, s, ct_u, ct_v) @ adjoint(v1)
    if v.shape[-2] > k:
        outside = ct_v[..., :k] - v1 @ right[..., :k, :k]
        outside = outside - v[..., k:] @ adjoint(right[..., :k, k:])
        gradient = gradient + u1 @ adjoint(divide_columns(outside, s, ct_u, ct_v))
    return gradient


def _inverse_sums(s: Any) -> Any:
    """Return ``1 / (s_i + s_j)``, and 0 where both are 0."""
    sums = s[..., None, :] + s[..., :, None]
    zero = decide(np.equal, sums, 0)
    return np.where(zero, 0, 1 / np.where(zero, 1, sums))


def _svd_vjp(
    ct: Any, y: Any, a: Any,
    full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False,
) -> Any:  # fmt: skip
    if not compute_uv:
        u, s, vh = np.linalg.svd(a, full_matrices=False, hermitian=hermitian)
        gradient = _singular_values(ct, u, s, vh)
    elif ct[0] is None and ct[2] is None:
        k = y[1].shape[-1]
        gradient = _singular_values(ct[1], y[0][..., :k], y[1], y[2][..., :k, :])
    else:
        gradient = _svd(*ct, *y)
    return lower_part(0.5 * (gradient + adjoint(gradient))) if hermitian else gradient


general(np.linalg.svd, _svd_vjp)
general(np.linalg.svdvals, lambda ct, y, x: _svd_vjp(ct, y, x, compute_uv=False))


# -------------------------------------------------------------------------------------------- QR


def _tall_qr(ct_q: Any, ct_r: Any, q: Any, r: Any) -> Any:
    """(ct_q + q copyltu(r ct_r^H - ct_q^H q)) r^-H ([R] equation 6)."""
    m = r @ adjoint(ct_r) - adjoint(ct_q) @ q
    n = r.shape[-1]
    lower = m * np.tri(n, k=-1, dtype=np.float32)
    middle = lower + adjoint(lower) + np.real(m) * np.eye(n, dtype=np.float32)
    right = ct_q + q @ middle
    return adjoint(np.linalg.solve(r, adjoint(right)))


def _qr_vjp(ct: Any, y: Any, a: Any, mode: str = "reduced") -> Any:
    if mode == "r":
        q, r = np.linalg.qr(a)
        ct_q, ct_r = np.zeros_like(q), ct
    else:
        q, r = y
        ct_q = np.zeros_like(q) if ct[0] is None else ct[0]
        ct_r = np.zeros_like(r) if ct[1] is None else ct[1]
    rows, columns = a.shape[-2:]
    k = min(rows, columns)
    if q.shape[-1] > k:  # mode "complete": the rest of the basis turns against the first k
        rest = q[..., k:]
        turn = adjoint(rest) @ ct_q[..., k:]
        check_rest(turn - adjoint(turn), "columns of q", ct_q)
        ct_q = ct_q[..., :k] - rest @ adjoint(adjoint(q[..., :k]) @ ct_q[..., k:])
        q, r, ct_r = q[..., :k], r[..., :k, :], ct_r[..., :k, :]
    if rows >= columns:
        return _tall_qr(ct_q, ct_r, q, r)
    # a = [x | b], r = [u | w]: x = q u is square, and w = q^H b ([R] section 3.2)
    beyond = a[..., k:]
    ct_q = ct_q + beyond @ adjoint(ct_r[..., k:])
    first = _tall_qr(ct_q, ct_r[..., :k], q, r[..., :k])
    return np.concatenate([first, q @ ct_r[..., k:]], axis=-1)


general(np.linalg.qr, _qr_vjp)
