"""Products and running products: exact through zeros, hence without a division.

The derivative of a product by one factor is the product of the others: what stands before it times
what stands behind it. That of a running product has the recurrence

    r[i] = ct[i] + x[i+1] r[i+1],    ct_x[i] = (x[0] ... x[i-1]) r[i],

solved by doubling (`recurrences.py`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff.primitives import composite, general
from tapemagic.autodiff.pullbacks import conj_if_complex as conj
from tapemagic.autodiff.recurrences import from_the_end

from .algebra import apply, as_array, plain, with_dtype
from .axes import from_rows, in_dtype, is_given, masked, restore, to_rows

_none = np._NoValue


def _before(rows: Any) -> Any:
    """Return for each element the product of those before it."""
    ones = np.ones((*rows.shape[:-1], 1), rows.dtype)
    return np.cumprod(np.concatenate([ones, rows[..., :-1]], axis=-1), axis=-1)


def _others(x: Any, axis: Any, where: Any) -> Any:
    """Return for each element the product of the others along `axis`."""
    rows = to_rows(np.where(where, x, 1) if is_given(where) else x, axis)
    behind = np.flip(_before(np.flip(rows, -1)), -1)
    return from_rows(_before(rows) * behind, x, axis)


def _prod(
    ct: Any, y: Any, a: Any,
    axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = _none,
    initial: Any = 1, where: Any = True,
) -> Any:  # fmt: skip
    others = _others(in_dtype(a, dtype), axis, where) if a.size else a
    if initial is not _none and initial is not None:
        others = others * initial
    return masked(restore(ct, a.shape, axis) * conj(others), where)


def _prod_initial(
    ct: Any, y: Any, a: Any,
    axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = _none,
    initial: Any = 1, where: Any = True,
) -> Any:  # fmt: skip
    keywords = {"where": where} if is_given(where) else {}
    product = np.prod(in_dtype(a, dtype), axis=axis, **keywords)
    return ct * np.reshape(conj(product), np.shape(ct))


general(np.prod, _prod, None, None, None, None, _prod_initial, generic=True)


def _cumprod(ct: Any, y: Any, a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    if not a.size:
        return np.reshape(ct, a.shape)
    rows = conj(to_rows(in_dtype(a, dtype), axis))
    behind = from_the_end(to_rows(ct, axis), rows[..., 1:])
    return from_rows(_before(rows) * behind, a, axis)


def _cumsum(ct: Any, y: Any, a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    if axis is None:
        ct, axis = np.reshape(ct, (-1,)), 0
    return np.reshape(np.flip(np.cumsum(np.flip(ct, axis), axis), axis), a.shape)


general(np.cumsum, _cumsum, kind="linear")
general(np.cumprod, _cumprod, generic=True)


def _cumulative(plain_form: Any, neutral: int) -> Any:
    def body(
        x: Any, /, *, axis: Any = None, dtype: Any = None, out: Any = None,
        include_initial: bool = False,
    ) -> Any:  # fmt: skip
        if axis is None:
            if np.ndim(x) > 1:
                raise ValueError(
                    "For arrays which have more than one dimension ``axis`` argument is required."
                )
            axis = 0
        y = plain_form(np.atleast_1d(x), axis=axis, dtype=dtype)
        if include_initial:
            first = list(y.shape)
            first[axis] = 1
            y = np.concatenate([np.full(first, neutral, y.dtype), y], axis=axis)
        return y

    return body


if hasattr(np, "cumulative_sum"):  # NumPy 2.1
    composite(np.cumulative_sum, _cumulative(np.cumsum, 0))
    composite(np.cumulative_prod, _cumulative(np.cumprod, 1))

# ----------------------------------------------------------------------------------- differences


def _diff_primitive(a: Any, n: int, axis: int) -> Any:
    return np.diff(a, n, axis)


def _diff_vjp(ct: Any, y: Any, a: Any, n: int, axis: int) -> Any:
    """The adjoint of a difference is a difference, of what is padded with zeros, negated."""
    if not ct.size:
        return np.zeros(a.shape, ct.dtype)
    widths = [(n, n) if i == axis % a.ndim else (0, 0) for i in range(a.ndim)]
    return (-1) ** int(n) * np.diff(np.pad(ct, widths), n, axis)


general(_diff_primitive, _diff_vjp, name="diff", kind="linear")


@composite(np.diff)
def _diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = _none, append: Any = _none) -> Any:
    if n <= 0:
        np.diff(plain(a), n, axis)  # NumPy's own error for a negative order
        return a
    parts = [_one_wide(part, a, axis) for part in (prepend, a, append) if part is not _none]
    return apply(_diff_primitive, np.concatenate(parts, axis) if len(parts) > 1 else a, n, axis)


def _one_wide(part: Any, a: Any, axis: int) -> Any:
    """Broadcast a number to a slice of `a`."""
    if np.ndim(part) or not np.ndim(a):
        return part
    shape = list(np.shape(a))
    shape[axis] = 1
    return np.broadcast_to(part, shape)


@composite(np.ediff1d)
def _ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    ary = np.ravel(ary)
    dtype = plain(ary).dtype
    parts = [ary[1:] - ary[:-1]]
    for edge, place in ((to_begin, 0), (to_end, 2)):
        if edge is not None:
            parts.insert(place, np.ravel(as_array(edge)).astype(dtype))
    return with_dtype(np.concatenate(parts), dtype) if len(parts) > 1 else parts[0]


@composite(np.trapezoid)
def _trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    y = as_array(y)
    if x is None:
        steps = dx
    elif np.ndim(x) == 1:
        shape = [1] * np.ndim(y)
        shape[axis] = np.size(x) - 1
        steps = np.reshape(np.diff(x), shape)
    else:
        steps = np.diff(x, axis=axis)
    left = [slice(None)] * np.ndim(y)
    right = list(left)
    right[axis], left[axis] = slice(1, None), slice(None, -1)
    return np.sum(steps * (y[tuple(right)] + y[tuple(left)]) / 2.0, axis)
