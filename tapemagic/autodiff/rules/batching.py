"""Which rules take many cotangents at once, as Jacobians have them (`batches.py`).

What is not in these tables is right all the same: its rule is called once per cotangent.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff import structure
from tapemagic.autodiff.avals import AVALS
from tapemagic.autodiff.batches import SPARSE, Rows, aligned, batched, by_axis, places_of
from tapemagic.autodiff.places import decode, is_repeating
from tapemagic.autodiff.pullbacks import conj_if_complex as conj

from . import (  # noqa: F401  (rows first, then what can be said of them)
    cumulative,
    elementwise,
    gathering,
    indexing_rules,
    joining,
    products,
    reductions,
    shaping,
    sorting,
)
from .algebra import adjoint

aligned(
    np.copy,
    np.astype,
    np.broadcast_to,
    np.conjugate,
    np.real,
    np.imag,
    np.matrix_transpose,
    np.linalg.matrix_transpose,
    np.tril,
    np.triu,
    np.ldexp,
    gathering._boxed,
    indexing_rules._where_primitive,
    indexing_rules._clip_primitive,
)
by_axis(
    np.sum,
    np.mean,
    np.prod,
    np.max,
    np.min,
    np.amax,
    np.amin,
    np.flip,
    reductions._var_primitive,
    reductions._std_primitive,
    every=True,
)
by_axis(np.cumsum, np.cumprod, np.roll, np.sort, joining._concatenate_primitive)
by_axis(joining._stack_primitive, of_result=True)
by_axis(np.swapaxes, names=("axis1", "axis2"))
by_axis(np.moveaxis, names=("source", "destination"))

# ---------------------------------------------------------------------- the shape of the elements


def _reshape(ct: Any, y: Any, x: Any, *shape: Any, order: str = "C", **more: Any) -> Any:
    if "F" in (order, *shape):
        last = np.reshape(np.moveaxis(ct, 0, -1), (*x.shape, len(ct)), order="F")
        return np.moveaxis(last, -1, 0)
    return np.reshape(ct, (len(ct), *x.shape))


batched(shaping._reshape_primitive, _reshape)
for _fun in (np.squeeze, np.expand_dims):
    batched(_fun, lambda ct, y, x, axis=None: np.reshape(ct, (len(ct), *x.shape)))


def _transpose(ct: Any, y: Any, x: Any, axes: Any = None) -> Any:
    if axes is None:
        axes = range(x.ndim)[::-1]
    back = np.argsort([axis % x.ndim for axis in axes]) if x.ndim else ()
    return np.transpose(ct, (0, *(1 + axis for axis in back)))


batched(np.transpose, _transpose)


# ---------------------------------------------------------------------------------------- indices


def _scatter(ct: Any, y: Any, x: Any, index: Any, *like: Any) -> Any:
    index = decode(index)
    items = index if isinstance(index, tuple) else (index,)
    if not all(isinstance(item, (int, slice, type(None), type(...))) for item in items):
        return None
    return ct[(slice(None), *items)]


def _scatter_sparse(i: int, ct: Rows, entry: tuple) -> Rows | None:
    """Keep of every row what lies at the places that were read."""
    index, aval = decode(entry[6][1]), AVALS[entry[3]]
    if is_repeating(index):
        return None
    places = places_of(aval.shape, entry[6][1])
    found = np.full(aval.size, -1)
    found[places] = np.arange(places.size)
    rows, columns = ct.positions()
    columns = found[columns]
    kept = columns >= 0
    return Rows(ct.count, rows[kept], columns[kept], ct.values[kept])


batched(structure._scatter, _scatter)
SPARSE[structure._scatter] = _scatter_sparse

# --------------------------------------------------------------------------------------- products


def _matrices(ct: Any, a: Any, b: Any) -> Any:
    """Give the cotangents the axis of length 1 that a vector among the factors has taken."""
    ct = ct[..., None, :] if a.ndim == 1 else ct
    return ct[..., None] if b.ndim == 1 else ct


def _matmul_left(ct: Any, y: Any, a: Any, b: Any) -> Any:
    if b.ndim == 1:
        return (ct[:, None] if a.ndim == 1 else ct[..., None]) * conj(b)
    if a.ndim == 1 and b.ndim == 2:
        return ct @ adjoint(b)
    product = _matrices(ct, a, b) @ adjoint(b)
    return product[..., 0, :] if a.ndim == 1 else product


def _matmul_right(ct: Any, y: Any, a: Any, b: Any) -> Any:
    if b.ndim == 1 and a.ndim == 2:
        return ct @ conj(a)
    if a.ndim == 1:
        return ct[..., None, :] * conj(a)[:, None] if b.ndim > 1 else ct[:, None] * conj(a)
    product = adjoint(a) @ _matrices(ct, a, b)
    return product[..., 0] if b.ndim == 1 else product


def _matmul_sparse(i: int, ct: Rows, entry: tuple) -> Any:
    """Pull ``a @ x`` back to `x`: every cotangent picks one row of `a`, and scales it."""
    a = entry[6][0]
    one_each = type(ct.rows) is slice
    if i == 0 or not one_each or np.ndim(a) != 2 or AVALS[entry[5][1]].ndim != 1:
        return None
    return ct.values[:, None] * conj(a)[ct.columns]


batched(np.matmul, _matmul_left, _matmul_right)
SPARSE[np.matmul] = _matmul_sparse


def _for_matrices(rule: Any) -> Any:
    """Use a rule of `matmul` for `dot`, which is the same of vectors and matrices."""

    def of_dot(ct: Any, y: Any, a: Any, b: Any) -> Any:
        return rule(ct, y, a, b) if {np.ndim(a), np.ndim(b)} <= {1, 2} else None

    return of_dot


batched(np.dot, _for_matrices(_matmul_left), _for_matrices(_matmul_right))
