"""Products of vectors and matrices.

All of them are bilinear. With ``ct = dL/dRe(y) + i dL/dIm(y)`` the matrix product has

    y = a b:    ct_a = ct b^H,    ct_b = a^H ct

(M. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
differentiation", 2008, section 2.2.2); every other product is this one with axes moved.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tapemagic.autodiff.primitives import composite, general, product
from tapemagic.autodiff.pullbacks import conj_if_complex as conj

from .algebra import adjoint, ndim_of, plain, shape_of, sum_to

# ------------------------------------------------------------------------------------ matmul


def _matmul_left(ct: Any, y: Any, a: Any, b: Any) -> Any:
    if b.ndim == 2 and a.ndim > 1:
        return ct @ adjoint(b)
    if b.ndim == 1:
        return (ct if a.ndim == 1 else ct[..., None]) * conj(b)
    if a.ndim == 1:  # sums over rows, one vector per matrix of a stack
        return conj(b) @ ct if b.ndim == 2 else (conj(b) @ ct[..., None])[..., 0]
    return ct @ adjoint(b)


def _matmul_right(ct: Any, y: Any, a: Any, b: Any) -> Any:
    if a.ndim == 2 and b.ndim > 1:
        return adjoint(a) @ ct
    if a.ndim == 1:
        if b.ndim <= 2:
            return ct * (conj(a) if b.ndim == 1 else conj(a)[:, None])
        return ct[..., None, :] * conj(a)[:, None]
    if b.ndim <= 2:  # one product for a whole stack of matrices
        count = math.prod(a.shape[:-1])  # -1 would be ambiguous for empty rows
        rows = np.reshape(conj(a), (count, a.shape[-1]))
        if b.ndim == 1:
            return np.ravel(ct) @ rows
        return rows.T @ np.reshape(ct, (count, b.shape[-1]))
    return adjoint(a) @ ct


product(np.matmul, _matmul_left, _matmul_right, shows=("ct @ x2.T", "x1.T @ ct"))
composite(np.linalg.matmul, lambda x1, x2, /: np.matmul(x1, x2))


# --------------------------------------------------------------------------- dot, inner, outer


def _dot_left(ct: Any, y: Any, a: Any, b: Any) -> Any:
    b_ndim = ndim_of(b)
    if a.ndim == 0 or b_ndim == 0:
        return ct * conj(b)
    if b_ndim == 1:
        return (ct if a.ndim == 1 else ct[..., None]) * conj(b)
    if b_ndim == 2 and a.ndim > 1:
        return ct @ adjoint(b)
    free_axes = [i for i in range(b_ndim) if i != b_ndim - 2]
    return np.tensordot(ct, conj(b), (list(range(a.ndim - 1, ct.ndim)), free_axes))


def _dot_right(ct: Any, y: Any, a: Any, b: Any) -> Any:
    a_ndim = ndim_of(a)
    if a_ndim == 0 or b.ndim == 0:
        return ct * conj(a)
    if a_ndim == 1:
        return ct * conj(a) if b.ndim == 1 else ct[..., None, :] * conj(a)[:, None]
    if a_ndim == 2 and b.ndim == 2:
        return adjoint(a) @ ct
    free_axes = list(range(a_ndim - 1))
    product = np.tensordot(conj(a), ct, (free_axes, free_axes))
    return product if b.ndim == 1 else np.moveaxis(product, 0, -2)


product(np.dot, _dot_left, _dot_right)


def _vdot_left(ct: Any, y: Any, a: Any, b: Any) -> Any:
    return conj(ct) * np.reshape(b, a.shape)


def _vdot_right(ct: Any, y: Any, a: Any, b: Any) -> Any:
    return ct * np.reshape(a, b.shape)


general(np.vdot, _vdot_left, _vdot_right, generic=True)


def _inner_left(ct: Any, y: Any, a: Any, b: Any) -> Any:
    b_ndim = ndim_of(b)
    if a.ndim == 0 or b_ndim == 0:
        return ct * conj(b)
    axes = list(range(b_ndim - 1))
    return np.tensordot(ct, conj(b), ([a.ndim - 1 + i for i in axes], axes))


def _inner_right(ct: Any, y: Any, a: Any, b: Any) -> Any:
    a_ndim = ndim_of(a)
    if a_ndim == 0 or b.ndim == 0:
        return ct * conj(a)
    axes = list(range(a_ndim - 1))
    return np.tensordot(ct, conj(a), (axes, axes))


general(np.inner, _inner_left, _inner_right, generic=True)

general(
    np.outer,
    lambda ct, y, a, b: np.reshape(ct @ conj(np.ravel(b)), a.shape),
    lambda ct, y, a, b: np.reshape(conj(np.ravel(a)) @ ct, b.shape),
    generic=True,
)


@composite(np.linalg.outer)
def _outer_of_vectors(x1: Any, x2: Any, /) -> Any:
    if np.ndim(x1) != 1 or np.ndim(x2) != 1:
        np.linalg.outer(plain(x1), plain(x2))  # NumPy's own error
    return np.outer(x1, x2)


# ----------------------------------------------------------------------------------- tensordot


def _contracted(a_ndim: int, b_ndim: int, axes: Any) -> tuple[list[int], list[int]]:
    """Return which axes of `a` and of `b` a tensordot sums over."""
    if np.ndim(axes) == 0 and not isinstance(axes, (list, tuple)):
        return list(range(a_ndim - int(axes), a_ndim)), list(range(int(axes)))
    first, second = axes
    first = [first] if np.ndim(first) == 0 else list(first)
    second = [second] if np.ndim(second) == 0 else list(second)
    return [i % a_ndim for i in first], [i % b_ndim for i in second]


def _tensordot_adjoint(
    ct: Any, other: Any, own_axes: list, other_axes: list, own_ndim: int, *, own_first: bool
) -> Any:
    """Contract `ct` with the free axes of the other factor, and put the axes back in order."""
    other_free = [i for i in range(ndim_of(other)) if i not in other_axes]
    own_free = [i for i in range(own_ndim) if i not in own_axes]
    start = len(own_free) if own_first else 0
    ct_axes = list(range(start, start + len(other_free)))
    product = np.tensordot(ct, conj(other), (ct_axes, other_free))
    # The product has our free axes, then the summed ones in the order of the other factor.
    summed = [own for _, own in sorted(zip(other_axes, own_axes, strict=True))]
    order = own_free + summed
    return product if order == sorted(order) else np.transpose(product, np.argsort(order))


def _tensordot_left(ct: Any, y: Any, a: Any, b: Any, axes: Any = 2) -> Any:
    a_axes, b_axes = _contracted(a.ndim, ndim_of(b), axes)
    return _tensordot_adjoint(ct, b, a_axes, b_axes, a.ndim, own_first=True)


def _tensordot_right(ct: Any, y: Any, a: Any, b: Any, axes: Any = 2) -> Any:
    a_axes, b_axes = _contracted(ndim_of(a), b.ndim, axes)
    return _tensordot_adjoint(ct, a, b_axes, a_axes, b.ndim, own_first=False)


general(np.tensordot, _tensordot_left, _tensordot_right, generic=True)
composite(np.linalg.tensordot, lambda x1, x2, /, *, axes=2: np.tensordot(x1, x2, axes))


# ---------------------------------------------------------------------------------------- kron


def _kron_blocks(ct: Any, a_shape: tuple, b_shape: tuple) -> tuple[Any, int]:
    """Split each axis of a Kronecker product into that of `a` and that of `b`, all of `a` first."""
    ndim = max(len(a_shape), len(b_shape))
    a_shape = (1,) * (ndim - len(a_shape)) + a_shape
    b_shape = (1,) * (ndim - len(b_shape)) + b_shape
    pairs = [n for both in zip(a_shape, b_shape, strict=True) for n in both]
    order = [*range(0, 2 * ndim, 2), *range(1, 2 * ndim, 2)]
    return np.transpose(np.reshape(ct, pairs), order), ndim


def _kron_left(ct: Any, y: Any, a: Any, b: Any) -> Any:
    blocks, ndim = _kron_blocks(ct, a.shape, shape_of(b))
    b = np.reshape(conj(b), (1,) * (ndim - ndim_of(b)) + shape_of(b))
    return np.reshape(np.tensordot(blocks, b, ndim), a.shape)


def _kron_right(ct: Any, y: Any, a: Any, b: Any) -> Any:
    blocks, ndim = _kron_blocks(ct, shape_of(a), b.shape)
    a = np.reshape(conj(a), (1,) * (ndim - ndim_of(a)) + shape_of(a))
    return np.reshape(np.tensordot(a, blocks, ndim), b.shape)


general(np.kron, _kron_left, _kron_right, generic=True)


# --------------------------------------------------------------------------------------- cross


def _cross_adjoint(ct: Any, own: Any, other: Any, axes: tuple, sign: int) -> Any:
    """Return the cotangent of one factor of ``y = a x b``: ``b x ct`` for a, ``ct x a`` for b.

    From ``ct . (da x b) = da . (b x ct)``, the invariance of the triple product.
    """
    own_axis, other_axis, ct_axis = axes
    size = own.shape[own_axis]
    other = np.moveaxis(conj(other), other_axis, -1)
    if size == other.shape[-1] == 2:  # only the third component of the product is there
        turned = np.stack([other[..., 1], -other[..., 0]], axis=-1)
        product = sign * ct[..., None] * turned
    else:
        ct = np.moveaxis(ct, ct_axis, -1)
        if other.shape[-1] == 2:
            other = np.concatenate([other, np.zeros_like(other[..., :1])], axis=-1)
        product = np.cross(other, ct) if sign > 0 else np.cross(ct, other)
        product = product[..., :size]
    shape = own.shape
    moved = shape[: own_axis % own.ndim] + shape[own_axis % own.ndim + 1 :] + (size,)
    return np.moveaxis(sum_to(product, moved), -1, own_axis)


def _cross_left(
    ct: Any, y: Any, a: Any, b: Any,
    axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None,
) -> Any:  # fmt: skip
    axes = (axisa, axisb, axisc) if axis is None else (axis,) * 3
    return _cross_adjoint(ct, a, b, axes, 1)


def _cross_right(
    ct: Any, y: Any, a: Any, b: Any,
    axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None,
) -> Any:  # fmt: skip
    axes = (axisb, axisa, axisc) if axis is None else (axis,) * 3
    return _cross_adjoint(ct, b, a, axes, -1)


general(np.cross, _cross_left, _cross_right, generic=True)
general(
    np.linalg.cross,
    lambda ct, y, x1, x2, axis=-1: _cross_adjoint(ct, x1, x2, (axis,) * 3, 1),
    lambda ct, y, x1, x2, axis=-1: _cross_adjoint(ct, x2, x1, (axis,) * 3, -1),
    generic=True,
)
