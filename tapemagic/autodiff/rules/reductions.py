"""Sums, means, spreads, extremes and what is made of them.

A sum's cotangent goes back with axes of length 1, standing for the broadcast array: no array is
made until an operation needs one. Extremes at a tie split equally. `where=` selects: what it leaves
out gets a structural zero.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.primitives import composite, constant, general

from .algebra import apply, as_array, decide, difference, equals_result, is_complex, plain
from .axes import count, in_dtype, is_given, kept_shape, masked, over_count, restore

_none = np._NoValue
_FLOAT = np.dtype(float)


def _positions(vjp: Any, initial: Any) -> tuple:
    """Place rules in the signature ``(a, axis, dtype, out, keepdims, initial, where)``."""
    return vjp, None, None, None, None, initial


# ---------------------------------------------------------------------------------- sum and mean


def _sum(
    ct: Any, y: Any, x: Any,
    axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = _none,
    initial: Any = 0, where: Any = True,
) -> Any:  # fmt: skip
    if axis is None and where is True:
        return ct  # a number, or an array of axes of length 1
    return masked(restore(ct, x.shape, axis), where)


def _initial(ct: Any, y: Any, x: Any, *options: Any, **more: Any) -> Any:
    return ct


def _mean(
    ct: Any, y: Any, x: Any,
    axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = _none,
    *, where: Any = True,
) -> Any:  # fmt: skip
    if axis is None and where is True:
        return over_count(ct, x.size)
    return masked(over_count(restore(ct, x.shape, axis), count(x.shape, axis, where)), where)


def plain_mean(x: np.ndarray, axis: Any = None, keepdims: Any = False) -> Any:
    """Return ``np.mean(x, axis, keepdims=keepdims)``, to the bit.

    What NumPy's own does for float64, without its questions: they take longer than the sum of a
    small array.
    """
    if x.dtype is not _FLOAT or not x.size:
        return x.mean(axis=axis, keepdims=keepdims)
    total = np.add.reduce(x, axis=axis, keepdims=keepdims)
    return total / (x.size // total.size)


general(np.sum, *_positions(_sum, _initial), kind="linear", shows=("ct",))
general(np.mean, _mean, kind="linear", shows=("ct / n",)).method = plain_mean


@composite(np.average)
def _average(
    a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: Any = False
) -> Any:
    if weights is None:
        y = np.mean(a, axis, keepdims=bool(keepdims and keepdims is not _none))
        count = np.size(a) / np.size(y)  # NumPy divides, too, where both are 0
        return (y, np.full(np.shape(y), count, y.dtype)) if returned else y
    a, weights = as_array(a), as_array(weights)
    weights = _broadcast_weights(a, axis, weights)
    keep = {} if keepdims is _none else {"keepdims": keepdims}
    dtype = np.result_type(a, weights)
    if plain(a).dtype.kind in "biu":
        dtype = np.result_type(dtype, "f8")
    scale = np.sum(weights, axis=axis, dtype=dtype, **keep)
    leaks.decided(np.all, (scale,), {})
    if np.any(plain(scale) == 0):
        raise ZeroDivisionError("Weights sum to zero, can't be normalized")
    y = np.sum(np.multiply(a, weights, dtype=dtype), axis=axis, **keep) / scale
    if not returned:
        return y
    return y, scale if np.shape(scale) == np.shape(y) else np.copy(np.broadcast_to(scale, y.shape))


def _broadcast_weights(a: Any, axis: Any, weights: Any) -> Any:
    """Lay weights of one axis along that axis, as `np.average` does."""
    if np.shape(weights) == np.shape(a):
        return weights
    np.average(plain(a), axis, plain(weights))  # NumPy's own complaint about shapes, if any
    axes = np.lib.array_utils.normalize_axis_tuple(axis, np.ndim(a))
    shape = [n if i in axes else 1 for i, n in enumerate(np.shape(a))]
    return np.reshape(np.transpose(weights, np.argsort(axes)), shape)


# ------------------------------------------------------------------------- variance and deviation


def _freedom(x: Any, axis: Any, ddof: Any, where: Any) -> Any:
    n = count(x.shape, axis, where)
    return max(n - ddof, 0) if isinstance(n, int) else np.maximum(n - ddof, 0)


def _deviation(x: Any, axis: Any, where: Any, dtype: Any) -> Any:
    if type(x) is np.ndarray and not is_given(where):
        return x - in_dtype(plain_mean(x, axis, True), dtype)
    keywords = {"where": where} if is_given(where) else {}
    return x - in_dtype(np.mean(x, axis=axis, keepdims=True, **keywords), dtype)


def _var_primitive(x: Any, *, axis: Any, ddof: Any, where: Any, **more: Any) -> Any:
    return np.var(x, axis=axis, ddof=ddof, where=where, **more)


def _var_vjp(
    ct: Any, y: Any, x: Any, *, axis: Any, ddof: Any, where: Any, dtype: Any = None, **more: Any
) -> Any:
    if not x.size:
        return np.zeros(x.shape)
    ct = np.real(ct)  # a variance is real, also in a complex `dtype`
    scale = over_count(restore(ct, x.shape, axis) * 2, _freedom(x, axis, ddof, where))
    return masked(_deviation(x, axis, where, dtype) * scale, where)


def _std_primitive(x: Any, *, axis: Any, ddof: Any, where: Any, **more: Any) -> Any:
    return np.std(x, axis=axis, ddof=ddof, where=where, **more)


def _std_vjp(
    ct: Any, y: Any, x: Any, *, axis: Any, ddof: Any, where: Any, dtype: Any = None, **more: Any
) -> Any:
    """Scale the deviations by ``1 / (n y)``; 0 where all values are equal."""
    if not x.size:
        return np.zeros(x.shape)
    ct, y = np.real(ct), restore(np.real(y), x.shape, axis)
    scale = over_count(restore(ct, x.shape, axis), _freedom(x, axis, ddof, where))
    equal = decide(_all_equal, x, y, axis, where)
    scale = np.where(equal, 0, scale / np.where(equal, 1, y)) if equal.any() else scale / y
    return masked(_deviation(x, axis, where, dtype) * scale, where)


def _all_equal(x: Any, y: Any, axis: Any, where: Any) -> Any:
    """Tell where all values are equal: by rounding, the deviation `y` is then not quite 0."""
    if is_given(where):
        level = np.abs(np.mean(x, axis=axis, keepdims=True, where=where))
    else:  # if all are equal, the first of them is their mean
        level = np.abs(x[tuple(map(slice, kept_shape(x.shape, axis)))])
    equal = y <= 8 * np.finfo(x.dtype).eps * level
    if equal.any():
        largest = np.max(x, axis=axis, keepdims=True, where=where, initial=-np.inf)
        equal = equal & np.all(x == largest, axis=axis, keepdims=True, where=where)
    return equal


general(_var_primitive, _var_vjp, name="var", generic=True)
general(_std_primitive, _std_vjp, name="std", generic=True)


def _spread(primitive: Any, *, root: bool, skips_nan: bool = False) -> Any:
    """Make the body of var or std.

    A nan that is to be left out is set to 0 first, so that nothing flows back to it.
    """

    def body(
        a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0,
        keepdims: Any = _none, *, where: Any = _none, mean: Any = _none, correction: Any = _none,
    ) -> Any:  # fmt: skip
        if correction is not _none:
            if ddof != 0:
                raise ValueError("ddof and correction can't be provided simultaneously.")
            ddof = correction
        where = where if is_given(where) else True
        keepdims = keepdims is not _none and bool(keepdims)
        absent = decide(np.isnan, a) if skips_nan else np.False_
        if absent.any():
            a = np.where(absent, 0, a)
        if mean is _none:
            more = {"dtype": dtype} if dtype is not None else {}
            if absent.any():
                more["absent"] = absent
            return apply(primitive, a, axis=axis, ddof=ddof, where=where, keepdims=keepdims, **more)
        deviation = a - mean
        counted = where
        if np.any(absent):
            deviation, counted = np.where(absent, 0, deviation), ~absent & where
        if is_complex(deviation) and not skips_nan:
            squares = np.real(deviation) ** 2 + np.imag(deviation) ** 2
        else:
            squares = np.real(deviation * np.conj(deviation))
        total = np.sum(squares, axis=axis, dtype=dtype, keepdims=keepdims, where=where)
        freedom = _freedom(np.broadcast_to(deviation, np.shape(a)), axis, ddof, counted)
        y = total / np.reshape(freedom, np.shape(total) if is_given(counted) else ())
        y = y.astype(plain(total).dtype)
        return np.sqrt(y) if root else y

    return body


composite(np.var, _spread(_var_primitive, root=False))
composite(np.std, _spread(_std_primitive, root=True))

# -------------------------------------------------------------------------------------- extremes


def _hits(y: Any, x: Any, axis: Any, where: Any) -> Any:
    """Tell which elements are the extreme; a nan is, where the result is nan."""
    return decide(_extreme_elements, y, x, axis, where)


def _extreme_elements(y: Any, x: Any, axis: Any, where: Any) -> Any:
    y = restore(y, x.shape, axis)
    hits = equals_result(x, y)
    if np.any(np.isnan(y)):
        hits = hits | (np.isnan(x) & np.isnan(y))
    return hits & where if is_given(where) else hits


def _extreme(
    ct: Any, y: Any, x: Any,
    axis: Any = None, out: Any = None, keepdims: Any = _none, initial: Any = _none,
    where: Any = True,
) -> Any:  # fmt: skip
    hits = _hits(y, x, axis, where)
    if initial is _none and where is True and np.count_nonzero(hits) == np.size(ct):  # no ties
        return np.where(hits, restore(ct, x.shape, axis), 0)
    ties = np.sum(hits, axis=axis, keepdims=True)
    if initial is not _none:
        hit = decide(equals_result, initial, restore(y, x.shape, axis))
        ties = np.maximum(ties + hit, 1)
    ct = restore(ct, x.shape, axis)
    return np.where(hits, over_count(ct, ties) if np.any(ties != 1) else ct, 0)


def _extreme_into(
    total: Any, ct: Any, y: Any, x: Any,
    axis: Any = None, out: Any = None, keepdims: Any = _none, initial: Any = _none,
    where: Any = True,
) -> bool:  # fmt: skip
    """Add the cotangent at the extremes alone; False at ties."""
    if initial is not _none or where is not True or not x.ndim:
        return False
    numbers = np.flatnonzero(_hits(y, x, axis, where))
    if numbers.size != np.size(ct):
        return False
    places = np.unravel_index(numbers, x.shape)
    total[places] += np.broadcast_to(restore(ct, x.shape, axis), x.shape)[places]
    return True


def _extreme_initial(
    ct: Any, y: Any, x: Any,
    axis: Any = None, out: Any = None, keepdims: Any = _none, initial: Any = _none,
    where: Any = True,
) -> Any:  # fmt: skip
    hit = decide(equals_result, initial, y)
    ties = np.reshape(np.sum(_hits(y, x, axis, where), axis=axis), np.shape(y)) + hit
    return np.where(hit, over_count(ct, np.maximum(ties, 1)), 0)


for _fun in (np.max, np.amax, np.min, np.amin, np.nanmax, np.nanmin):
    general(
        _fun, _extreme, None, None, None, _extreme_initial,
        kind="linear", name=_fun.__name__.replace("am", "m"), into=_extreme_into,
    )  # fmt: skip


@composite(np.ptp)
def _ptp(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False) -> Any:
    keepdims = keepdims is not _none and bool(keepdims)
    return np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)


# ------------------------------------------------------------------- reductions of other ufuncs


def _softmax_like(exp: Any) -> Any:
    def vjp(
        ct: Any, y: Any, x: Any, axis: Any = 0, dtype: Any = None, out: Any = None,
        keepdims: bool = False, initial: Any = _none, where: Any = True,
    ) -> Any:  # fmt: skip
        y = restore(y, x.shape, axis)
        e = masked(exp(difference(x, y)), where)
        total = np.sum(e, axis=axis, keepdims=True)  # 1, but for the rounding of a large y
        if initial is not _none and initial is not None:
            total = total + exp(difference(initial, y))
        return restore(ct, x.shape, axis) * e / (total + (total == 0))

    return vjp


def _hypot_reduce(
    ct: Any, y: Any, x: Any, axis: Any = 0, dtype: Any = None, out: Any = None,
    keepdims: bool = False, initial: Any = _none, where: Any = True,
) -> Any:  # fmt: skip
    y = restore(y, x.shape, axis)
    return masked(restore(ct, x.shape, axis) * x / (y + (y == 0)), where)


general(np.logaddexp.reduce, _softmax_like(np.exp), name="logaddexp.reduce", generic=True)
general(np.logaddexp2.reduce, _softmax_like(np.exp2), name="logaddexp2.reduce", generic=True)
general(np.hypot.reduce, _hypot_reduce, name="hypot.reduce", generic=True)

# ------------------------------------------------------------- without a derivative: counts, places

constant(
    np.all, np.any, np.count_nonzero, np.argmax, np.argmin, np.nanargmax, np.nanargmin,
)  # fmt: skip
