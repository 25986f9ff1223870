"""Which rules take many cotangents at once, as Jacobians have them (`batches.py`).

What is not in these tables is right all the same: its rule is called once per cotangent.
"""

from __future__ import annotations

from functools import lru_cache, reduce
from math import comb, prod
from typing import Any

import numpy as np

from tapemagic.autodiff import elements
from tapemagic.autodiff.avals import AVALS
from tapemagic.autodiff.batches import (
    BATCHED,
    SPARSE,
    Rows,
    aligned,
    as_dtype,
    batched,
    by_axis,
    places_of,
)
from tapemagic.autodiff.places import decode, is_repeating
from tapemagic.autodiff.primitives import PRIMITIVES
from tapemagic.autodiff.pullbacks import conj_if_complex as conj

from . import (  # noqa: F401  (rows first, then what can be said of them)
    cumulative,
    elementwise,
    gathering,
    indexing_rules,
    joining,
    padding,
    products,
    reductions,
    shaping,
    sorting,
)
from .algebra import adjoint


def _without_initial(rule: Any) -> Any:
    """Take rows one by one where a reduction starts from a traced number, which has no rows."""

    def of_one_array(i: int, ct: Any, entry: tuple) -> Any:
        return None if any(entry[5][1:]) else rule(i, ct, entry)

    return of_one_array


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
_fun: Any
for _fun in (np.prod, np.max, np.min, np.amax, np.amin):
    BATCHED[_fun] = _without_initial(BATCHED[_fun])
by_axis(np.cumsum, np.cumprod, np.roll, np.sort, joining._concatenate_primitive)
by_axis(cumulative._diff_primitive)
by_axis(joining._stack_primitive, of_result=True)
by_axis(np.swapaxes, names=("axis1", "axis2"))
by_axis(np.moveaxis, names=("source", "destination"))

# ---------------------------------------------------------------------- the shape of the elements


def _reshape(ct: Any, y: Any, x: Any, *shape: Any, order: str = "C", **more: Any) -> Any:
    if any(type(item) is str and item == "F" for item in (order, *shape)):
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


def _pad(ct: Any, y: Any, x: Any, widths: tuple, mode: Any, **options: Any) -> Any:
    if mode not in ("constant", "empty"):
        return None
    inner = (slice(low, low + n) for (low, _), n in zip(widths, x.shape, strict=True))
    return ct[(slice(None), *inner)]


batched(padding._pad_primitive, _pad)


# ---------------------------------------------------------------------------------------- indices


def _read(ct: Any, index: Any) -> Any:
    """Read from every row what lies at an encoded index."""
    index = decode(index)
    items = index if isinstance(index, tuple) else (index,)
    if not all(isinstance(item, (int, slice, type(None), type(...))) for item in items):
        return None
    return ct[(slice(None), *items)]


def _read_sparse(ct: Rows, aval: Any, index: Any) -> Rows | None:
    """Keep of every row what lies at the places that were read."""
    if type(index) is tuple and index[0] == "slice":
        found = _numbers_in_slice(aval.shape, index)
    elif is_repeating(decode(index)):
        return None
    else:
        found = _numbers(aval.shape, index)
    rows, columns = ct.positions()
    columns = found[columns]
    (kept,) = np.nonzero(columns >= 0)
    return Rows(ct.count, rows[kept], columns[kept], ct.values[kept])


def _numbers(shape: tuple[int, ...], index: Any) -> np.ndarray:
    """Return, per element of an array, its number among those that an index picks, or -1."""
    places = places_of(shape, index)
    found = np.full(prod(shape), -1)
    found[places] = np.arange(places.size)
    return found


_numbers_in_slice = lru_cache(maxsize=64)(_numbers)


def _index_of_part(i: int, entry: tuple) -> Any:
    return dict(entry[7])["indices"][i]


batched(elements._scatter, lambda ct, y, x, index, *like: _read(ct, index))
SPARSE[elements._scatter] = lambda i, ct, entry: _read_sparse(ct, AVALS[entry[3]], entry[6][1])
BATCHED[elements._scatter_all] = lambda i, ct, entry: _read(ct, _index_of_part(i, entry))
SPARSE[elements._scatter_all] = lambda i, ct, entry: _read_sparse(
    ct, AVALS[entry[3]], _index_of_part(i, entry)
)

# ------------------------------------------------------------------------------- sparse cotangents


#: Keywords that change values and not where elements come from.
_VALUES_ONLY = ("dtype", "casting", "constant_values")


def _moved_sparse(i: int, ct: Rows, entry: tuple) -> Rows:
    """Pull back through what only moves elements: on their numbers, it tells where they were."""
    _, _, _, _, _, avals, args, kwargs, _ = entry
    primitive = PRIMITIVES[entry[0]]
    target = AVALS[avals[i]]
    numbers = list(args)
    for k, (x, code) in enumerate(zip(args, avals, strict=True)):
        if primitive.takes_array(k):  # 0: from another operand, or from nowhere
            numbers[k] = np.zeros(AVALS[code].shape if code else np.shape(x), int)
    numbers[i] = np.arange(1, target.size + 1).reshape(target.shape)
    keywords = {key: x for key, x in kwargs or () if key not in _VALUES_ONLY}
    rows, columns = ct.positions()
    places = np.reshape(primitive.fun(*numbers, **keywords), -1)[columns] - 1
    kept = places >= 0
    return Rows(ct.count, rows[kept], places[kept], as_dtype(ct.values[kept], target))


for _mover in (
    np.copy, np.broadcast_to, np.matrix_transpose, np.linalg.matrix_transpose, np.tril, np.triu,
    np.flip, np.roll, np.squeeze, np.expand_dims, np.transpose, np.swapaxes, np.moveaxis,
    joining._concatenate_primitive, joining._stack_primitive, shaping._reshape_primitive,
    indexing_rules._where_primitive,
):  # fmt: skip
    SPARSE[_mover] = _moved_sparse


def _pad_sparse(i: int, ct: Rows, entry: tuple) -> Rows | None:
    return None if entry[6][2] == "empty" else _moved_sparse(i, ct, entry)


SPARSE[padding._pad_primitive] = _pad_sparse


def _sum_sparse(i: int, ct: Rows, entry: tuple) -> Rows | None:
    """Spread every value over the elements that were added up, unless that fills the rows."""
    aval, target, keywords = AVALS[entry[3]], AVALS[entry[5][0]], dict(entry[7] or ())
    axis = keywords.get("axis", entry[6][1] if len(entry[6]) > 1 else None)
    if axis is None or len(entry[6]) > 2 or set(keywords) - {"axis", "keepdims"} or not aval.size:
        return None
    if not target.ndim:
        return None  # a number, of which NumPy takes axis 0 and -1 as well
    axes = [k % target.ndim for k in (axis if isinstance(axis, tuple) else (axis,))]
    numbers = np.arange(target.size).reshape(target.shape)
    numbers = np.moveaxis(numbers, axes, range(-len(axes), 0)).reshape(aval.size, -1)
    rows, columns = ct.positions()
    count = numbers.shape[1]
    if 2 * count * len(columns) > ct.count * target.size:
        return None
    values = np.repeat(as_dtype(ct.values, target), count)
    return Rows(ct.count, np.repeat(rows, count), numbers[columns].reshape(-1), values)


SPARSE[np.sum] = _sum_sparse


def _diff_sparse(i: int, ct: Rows, entry: tuple) -> Rows:
    """Pull back through ``np.diff(a, n, axis)``: n times upwards and, negated, where it was."""
    _, n, axis = entry[6]
    target = AVALS[entry[5][0]]
    rows, places = ct.positions()
    index = list(np.unravel_index(places, AVALS[entry[3]].shape))
    parts = []
    for k in range(n + 1):
        moved = [x + k if d == axis % target.ndim else x for d, x in enumerate(index)]
        places = np.ravel_multi_index(moved, target.shape)
        weight = (-1) ** (n - k) * comb(n, k)
        parts.append(Rows(ct.count, rows, places, as_dtype(ct.values * weight, target)))
    return reduce(Rows.__add__, parts)


SPARSE[cumulative._diff_primitive] = _diff_sparse

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
