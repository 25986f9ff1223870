"""Systems of equations, inverses and determinants.

Sources: [G] M. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
differentiation", 2008; [F] D. K. Faddeev, V. N. Faddeeva, "Computational methods of linear
algebra", 1963; [M] I. Murray, "Differentiation of the Cholesky decomposition", arXiv:1602.07527;
[GP] G. Golub, V. Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares
problems whose variables separate", 1973.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tapemagic.autodiff.primitives import composite, general
from tapemagic.autodiff.pullbacks import conj_if_complex as conj

from .algebra import adjoint, apply, as_array, decide, is_live
from .degenerate import check_values, repeated

# --------------------------------------------------------------------------- solve and inverse


def _solve_right(ct: Any, y: Any, a: Any, b: Any) -> Any:
    """ct_b = a^-H ct ([G] 2.3.1)."""
    if b.ndim > 1 or a.ndim == 2:
        return np.linalg.solve(adjoint(a), ct)
    return np.linalg.solve(adjoint(a), ct[..., None])[..., 0]


def _solve_left(ct: Any, y: Any, a: Any, b: Any) -> Any:
    """ct_a = -ct_b y^H ([G] 2.3.1)."""
    if b.ndim > 1:
        return -np.linalg.solve(adjoint(a), ct) @ adjoint(y)
    if a.ndim == 2:
        return -np.linalg.solve(adjoint(a), ct)[:, None] * conj(y)
    return -np.linalg.solve(adjoint(a), ct[..., None]) * conj(y)[..., None, :]


general(np.linalg.solve, _solve_left, _solve_right, generic=True)


def _inv_vjp(ct: Any, y: Any, a: Any) -> Any:
    """ct_a = -y^H ct y^H ([G] 2.2.3)."""
    y_adjoint = adjoint(y)
    return -y_adjoint @ ct @ y_adjoint


general(np.linalg.inv, _inv_vjp, generic=True)


# -------------------------------------------------------------------------------- determinants


def _are_small(a: Any) -> Any:
    """Tell which singular values would cost digits, once more with each derivative, as divisors."""
    s = np.linalg.svd(a, compute_uv=False)
    return s <= np.finfo(s.dtype).eps ** 0.25 * s[..., :1]


def _size(a: Any) -> Any:
    """Return a power of two near the largest element of each matrix, or 1."""
    largest = np.max(np.abs(a), axis=(-2, -1), keepdims=True, initial=0)
    return np.ldexp(np.ones_like(largest), np.frexp(largest)[1])


def _are_regular(a: Any) -> bool:
    return not np.all(np.isfinite(a)) or not np.any(_are_small(a))


def _basis(a: Any, side: int) -> Any:
    """Return the left or the right singular vectors, as columns."""
    u, _, vh = np.linalg.svd(a)
    return adjoint(vh) if side else u


# In whichever basis a determinant is worked out, it is the same.
general(_basis, lambda ct, y, a, side: np.zeros_like(a), name="basis")


def _cofactors(a: Any) -> Any:
    """Return the cofactors, which singular matrices have as well, for derivatives of any order.

    In the bases of the singular vectors `a` is a block p that can be inverted, and small or empty
    ones q, r and t. Its determinant is that of p times that of the Schur complement
    ``c = t - r p^-1 q``, and ``dc = rows da columns``.
    """
    size = decide(_size, a)  # without which products of small numbers would be 0
    a = a / size
    u, v = apply(_basis, a, 0), apply(_basis, a, 1)
    b = adjoint(u) @ a @ v
    k = int(np.min(np.sum(~decide(_are_small, a), axis=-1), initial=b.shape[-1]))
    p, q, r, t = b[..., :k, :k], b[..., :k, k:], b[..., k:, :k], b[..., k:, k:]
    one = np.broadcast_to(np.eye(t.shape[-1], dtype=b.dtype), t.shape)
    inverse = np.linalg.inv(p)
    rows = np.concatenate([-(r @ inverse), one], axis=-1)
    columns = np.concatenate([-(inverse @ q), one], axis=-2)
    adjugate, det_c = _adjugate(t - r @ inverse @ q)
    padding = [(0, 0)] * (b.ndim - 2) + [(0, t.shape[-1])] * 2
    inside = np.pad(inverse * det_c, padding) + columns @ adjugate @ rows
    sign = np.linalg.det(u) * conj(np.linalg.det(v)) * np.linalg.det(p)
    sign = sign[..., None, None] * size ** (a.shape[-1] - 1)
    return sign * (v @ inside @ adjoint(u)).mT


def _adjugate(c: Any) -> tuple[Any, Any]:
    """Return adjugate and determinant (..., 1, 1) of small numbers by products alone.

    This is the algorithm of Faddeev and Le Verrier ([F]).
    """
    n = c.shape[-1]
    eye = np.eye(n, dtype=c.dtype)
    m = np.broadcast_to(eye, c.shape)
    if n == 0:
        return m, np.ones((*c.shape[:-2], 1, 1), c.dtype)
    for j in range(1, n):
        m = c @ m
        m = m - np.trace(m, axis1=-2, axis2=-1)[..., None, None] / j * eye
    adjugate = (-1) ** (n - 1) * m
    return adjugate, np.trace(c @ adjugate, axis1=-2, axis2=-1)[..., None, None] / n


def _det_vjp(ct: Any, y: Any, a: Any) -> Any:
    """ct_a = ct y a^-H ([G] 2.2.4), or the conjugate cofactors where `a` is singular, or nearly."""
    tiny = np.finfo(y.dtype).tiny  # below which numbers lose digits
    regular = not np.any(decide(np.less, np.abs(y), tiny))
    if regular and is_live(a):  # the slope is differentiated as well
        regular = decide(_are_regular, a)
    if regular:
        return (ct * conj(y))[..., None, None] * adjoint(np.linalg.inv(a))
    return ct[..., None, None] * conj(_cofactors(a))


general(np.linalg.det, _det_vjp, generic=True)


def _slogdet_vjp(ct: list, y: tuple, a: Any) -> Any:
    """ct_a = ct a^-H ([G] 2.2.4); the sign of a complex determinant turns with Im(tr(a^-1 da))."""
    sign, ct_sign, ct_log = y[0], ct[0], ct[1]
    turn = 0.0 if ct_log is None else ct_log
    if ct_sign is not None and sign.dtype.kind == "c":
        turn = turn - 1j * np.imag(np.conj(ct_sign) * sign)
    if ct_log is None and sign.dtype.kind != "c":
        return np.zeros_like(a)
    singular = np.expand_dims(decide(np.equal, sign, 0), (-2, -1))  # the logarithm is -inf
    a = np.where(singular, np.eye(a.shape[-1], dtype=a.dtype), a)
    gradient = np.expand_dims(turn, (-2, -1)) * adjoint(np.linalg.inv(a))
    return np.where(singular, np.nan, gradient)


general(np.linalg.slogdet, _slogdet_vjp)


# ------------------------------------------------------------------------------------ cholesky


def _half_triangle(x: Any) -> Any:
    """Return the lower triangle with half of the diagonal (the function Phi of [M])."""
    n = x.shape[-1]
    return x * (np.tri(n, dtype=x.dtype) - 0.5 * np.eye(n, dtype=x.dtype))


def lower_part(x: Any) -> Any:
    """Return the cotangent of a matrix of which only the lower triangle is read.

    The derivative of the program that ran: `x` is the Hermitian cotangent, an element below the
    diagonal stands for two of the Hermitian matrix, and an element above for none.
    """
    n = x.shape[-1]
    return x * (2 * np.tri(n) - np.eye(n)).astype(x.dtype)


def upper_part(x: Any) -> Any:
    """Return the cotangent of a matrix of which only the upper triangle is read."""
    n = x.shape[-1]
    return x * (2 * np.tri(n).T - np.eye(n)).astype(x.dtype)


def _cholesky_vjp(ct: Any, y: Any, a: Any, *, upper: bool = False) -> Any:
    """Hermitian part of L^-H Phi(L^H ct) L^-1 ([M] equation 10)."""
    factor = adjoint(y) if upper else y
    middle = _half_triangle(adjoint(factor) @ (adjoint(ct) if upper else ct))
    # L^-H middle L^-1 by two solves
    left = np.linalg.solve(adjoint(factor), middle)
    whole = adjoint(np.linalg.solve(adjoint(factor), adjoint(left)))
    whole = 0.5 * (whole + adjoint(whole))
    return upper_part(whole) if upper else lower_part(whole)


general(np.linalg.cholesky, _cholesky_vjp)


# ---------------------------------------------------------------- pseudo-inverse, least squares


def _used(a: Any, y: Any) -> Any:
    """Tell of each singular value: 1, `y` has its inverse; 0, it was left out; nan, it is 0."""
    u, s, _ = np.linalg.svd(a, full_matrices=False)
    used = np.linalg.norm(y @ u, axis=-2) * s > 0.5  # y u = v / s, or 0
    floor = max(a.shape[-2:]) * np.finfo(s.dtype).eps * np.max(s, axis=-1, keepdims=True, initial=0)
    return np.where(used, 1, np.where(s > floor, 0, np.nan))


def _of_dropped(ct: Any, y: Any, a: Any) -> Any:
    """Return what left-out singular values that are not 0 add to the gradient.

    With ``da = u E v^H``, ``v^H dy u`` has at [j, i], i kept and j left out, the element
    ``(s_i E_ij^* + s_j E_ji) / (s_i (s_i^2 - s_j^2))``; [GP] has it for ``s_j = 0``.
    """
    used = decide(_used, a, y)
    if not np.any(used == 0):
        return 0
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    pairs = (used[..., :, None] == 1) & (used[..., None, :] == 0)
    kept_s, left_s = np.where(pairs, s[..., :, None], 1), np.where(pairs, s[..., None, :], 0)
    ratio = left_s / kept_s
    weight = ratio / (kept_s**2 - left_s**2)
    turned = vh @ ct @ u
    mixed = (ratio + ratio.mT) * adjoint(turned) + turned
    return u @ ((weight + weight.mT) * mixed) @ vh


def _pinv_vjp(
    ct: Any, y: Any, a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = None
) -> Any:
    """Adjoint of [GP] equation 4.12, right where the rank is locally constant."""
    y_adjoint, ct_adjoint = adjoint(y), adjoint(ct)
    gradient = (
        -y_adjoint @ ct @ y_adjoint
        + (ct_adjoint - a @ (y @ ct_adjoint)) @ (y @ y_adjoint)
        + (y_adjoint @ y) @ (ct_adjoint - (ct_adjoint @ y) @ a)
        + _of_dropped(ct, y, a)
    )
    return lower_part(0.5 * (gradient + adjoint(gradient))) if hermitian else gradient


general(np.linalg.pinv, _pinv_vjp)


def _lstsq_vjp(ct: list, y: tuple, a: Any, b: Any, rcond: Any = None) -> tuple[Any, Any]:
    """Return the cotangents of `a` and `b` for ``x = pinv(a) b`` ([GP] section 5)."""
    x = y[0]
    columns = x.ndim == 2
    x, b = (x, b) if columns else (x[:, None], b[:, None])
    eps = np.finfo(x.dtype).eps
    p = np.linalg.pinv(a, eps * max(a.shape) if rcond is None else max(rcond, 0.0))
    rest = b - a @ x
    ct_a, ct_b = 0.0, np.zeros_like(b)
    if ct[0] is not None:
        ct_x = ct[0] if columns else ct[0][:, None]
        ct_b = adjoint(p) @ ct_x
        ct_x_adjoint = adjoint(ct_x)
        ct_a = (
            rest @ (ct_x_adjoint @ p @ adjoint(p))
            - ct_b @ adjoint(x)
            + adjoint(p) @ x @ (ct_x_adjoint - (ct_x_adjoint @ p) @ a)
            + _of_dropped(ct_x @ adjoint(b), p, a)
        )
    if ct[1] is not None and y[1].size:  # the squared lengths of what is left over
        turned = 2 * rest * ct[1]
        ct_a, ct_b = ct_a - turned @ adjoint(x), ct_b + turned
    if ct[3] is not None:
        check_values(ct[3], repeated(y[3]), "singular values/singular vectors")
        u, _, vh = np.linalg.svd(a, full_matrices=False)
        ct_a = ct_a + (u * ct[3]) @ vh
    return ct_a, ct_b if columns else ct_b[:, 0]


general(
    np.linalg.lstsq,
    lambda ct, y, a, b, rcond=None: _lstsq_vjp(ct, y, a, b, rcond)[0],
    lambda ct, y, a, b, rcond=None: _lstsq_vjp(ct, y, a, b, rcond)[1],
)


# ------------------------------------------------------------------------- tensors as matrices


@composite(np.linalg.tensorinv)
def _tensorinv(a: Any, ind: int = 2) -> Any:
    a = as_array(a)
    if ind <= 0:
        raise ValueError("Invalid ind argument.")
    shape = a.shape[ind:] + a.shape[:ind]
    y = np.linalg.inv(np.reshape(a, (math.prod(a.shape[ind:]), -1)))
    return np.reshape(y, shape) if shape else np.empty((1, 1)).reshape(*shape)  # NumPy's own error


@composite(np.linalg.tensorsolve)
def _tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    a, b = as_array(a), as_array(b)
    if axes is not None:
        order = list(range(a.ndim))
        for axis in axes:
            order.remove(axis)
            order.insert(a.ndim, axis)
        a = np.transpose(a, order)
    shape = a.shape[-(a.ndim - b.ndim) :]
    n = math.prod(shape)
    if a.size != n**2:
        raise np.linalg.LinAlgError(
            "Input arrays must satisfy the requirement "
            "prod(a.shape[b.ndim:]) == prod(a.shape[:b.ndim])"
        )
    return np.reshape(np.linalg.solve(np.reshape(a, (n, n)), np.ravel(b)), shape)
