"""Traces, products of stacks of vectors and matrices, chains and powers.

Bilinear as those in `products.py`, and their cotangents follow from the same two formulas there.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff.primitives import composite, general, linear
from tapemagic.autodiff.pullbacks import conj_if_complex as conj

from .algebra import adjoint, apply, plain, with_dtype

# --------------------------------------------------------------------------------------- trace


def _trace_adjoint(
    ct: Any, x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None
) -> Any:
    shape = x.shape
    eye = np.eye(shape[axis1], shape[axis2], offset, dtype=x.dtype)
    return np.moveaxis(ct[..., None, None] * eye, (-2, -1), (axis1, axis2))


linear(np.trace, _trace_adjoint)
linear(
    np.linalg.trace,
    lambda ct, x, *, offset=0, dtype=None: _trace_adjoint(ct, x, offset, -2, -1),
)


# ----------------------------------------------------------- products of stacks (NumPy 2.2 on)

general(
    np.vecdot,  # conjugates its first factor
    lambda ct, y, a, b: conj(ct)[..., None] * b,
    lambda ct, y, a, b: ct[..., None] * a,
    generic=True,
)
composite(
    np.linalg.vecdot,
    lambda x1, x2, /, *, axis=-1: np.vecdot(np.moveaxis(x1, axis, -1), np.moveaxis(x2, axis, -1)),
)
if hasattr(np, "matvec"):
    general(
        np.matvec,
        lambda ct, y, a, b: ct[..., None] * conj(b)[..., None, :],
        lambda ct, y, a, b: np.matvec(adjoint(a), ct),
        generic=True,
    )
    general(
        np.vecmat,  # conjugates its first factor
        lambda ct, y, a, b: conj(np.matvec(conj(b), ct)),
        lambda ct, y, a, b: a[..., None] * ct[..., None, :],
        generic=True,
    )


# ------------------------------------------------------------------------- chains and powers


def _chain(*matrices: Any) -> Any:
    return np.linalg.multi_dot(matrices) if len(matrices) > 1 else matrices[0]


def _chain_vjp(i: int, ct: Any, y: Any, *matrices: Any) -> Any:
    """(a_1 .. a_i-1)^H ct (a_i+1 .. a_n)^H, in the order that costs least."""
    last = len(matrices) - 1
    full = [
        x[None, :] if x.ndim == 1 and k == 0 else x[:, None] if x.ndim == 1 else x
        for k, x in enumerate(matrices)
    ]
    ct = np.reshape(ct, (full[0].shape[0], full[last].shape[1]))
    left = [adjoint(x) for x in full[:i][::-1]]
    right = [adjoint(x) for x in full[i + 1 :][::-1]]
    return np.reshape(np.linalg.multi_dot([*left, ct, *right]), matrices[i].shape)


general(_chain, variadic=_chain_vjp, name="multi_dot", generic=True)


@composite(np.linalg.multi_dot)
def _multi_dot(arrays: Any, *, out: Any = None) -> Any:
    y = apply(_chain, *arrays)
    if out is None:
        return y
    out[...] = y
    return out


@composite(np.linalg.matrix_power)
def _matrix_power(a: Any, n: int) -> Any:
    """Multiply by repeated squaring, in NumPy's order."""
    np.linalg.matrix_power(plain(a), n * 0)  # NumPy's own complaints
    if n == 0:
        return with_dtype(np.zeros_like(a) + np.eye(a.shape[-1], dtype=a.dtype), a.dtype)
    if n < 0:
        a, n = np.linalg.inv(a), -n
    if n <= 3:
        return a if n == 1 else a @ a if n == 2 else (a @ a) @ a
    power = result = None
    while n > 0:
        power = a if power is None else power @ power
        n, bit = divmod(n, 2)
        if bit:
            result = power if result is None else result @ power
    return result
