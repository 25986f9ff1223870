"""Medians, percentiles and quantiles: weighted sums of one or two sorted elements.

Whatever the method, a quantile of 0, 1, 2, ... is the (fractional) place in the sorted array that
is asked for: NumPy answers which elements count, and how much.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.positions import qualified_name
from tapemagic.autodiff.primitives import composite, general
from tapemagic.errors import NoRuleError

from .algebra import apply, decide, is_live, plain, with_value
from .axes import from_rows, numbers_like, over_count, restore, to_rows
from .sorting import stable_order

_none = np._NoValue


def _weights(length: int, q: Any, method: Any) -> np.ndarray:
    """Return how much each of `length` sorted elements counts in each quantile: (len(q), n)."""
    weights = np.zeros((np.size(q), length))
    if length:
        place = np.ravel(np.quantile(np.arange(float(length)), q, method=method))
        low = np.floor(place).astype(int)
        rows = np.arange(low.size)
        weights[rows, low] = 1 - (place - low)
        weights[rows, np.minimum(low + 1, length - 1)] += place - low
    return weights


def _quantile_primitive(
    x: Any, *, numpy_fun: Any, q: Any, axis: Any, method: Any, skips_nan: bool, keywords: tuple
) -> Any:
    return numpy_fun(x, **dict(keywords))


def _quantile_vjp(
    ct: Any, y: Any, x: Any,
    *, numpy_fun: Any, q: Any, axis: Any, method: Any, skips_nan: bool, keywords: tuple,
) -> Any:  # fmt: skip
    if not x.size:
        return np.zeros(x.shape, x.dtype)
    places = decide(_ranks, x, axis)
    length = places.shape[-1]
    if skips_nan:
        there = np.reshape(to_rows(~decide(np.isnan, x), axis), places.shape)
        counts, which = np.unique(np.sum(there, axis=-1), return_inverse=True)
        tables = [np.pad(_weights(n, q, method), ((0, 0), (0, length - n))) for n in counts]
        weights = np.stack(tables)[which]
    else:
        weights = _weights(length, q, method)[None]
    # (quantiles, rows) -> (rows, quantiles, 1) times (rows, quantiles, n), summed over quantiles
    ct = np.transpose(np.reshape(ct, (np.size(q), -1)))
    spread = np.sum(np.reshape(ct, (*ct.shape, 1)) * numbers_like(ct, weights), axis=1)
    return from_rows(np.take_along_axis(spread, places, -1), x, axis)


def _ranks(x: Any, axis: Any) -> Any:
    """Return the place of each element among those that it is sorted with, in rows."""
    rows = to_rows(x, axis)
    return np.argsort(stable_order(np.reshape(rows, (-1, rows.shape[-1])), -1), axis=-1)


general(_quantile_primitive, _quantile_vjp, kind="linear", name="quantile")


def _weighted_primitive(x: Any, *, numpy_fun: Any, axis: Any, keywords: tuple) -> Any:
    return numpy_fun(x, **dict(keywords))


def _weighted_vjp(ct: Any, y: Any, x: Any, *, numpy_fun: Any, axis: Any, keywords: tuple) -> Any:
    """Give the cotangent to the element that was picked; weighted quantiles never interpolate."""
    reduced = restore(np.zeros(np.shape(np.sum(x, axis=axis))), x.shape, axis)
    total = np.zeros(x.shape, ct.dtype)
    for part, value in _per_quantile(ct, y, reduced.shape):
        hits = decide(np.equal, x, value)
        total = total + np.where(hits, over_count(part, np.sum(hits, axis=axis, keepdims=True)), 0)
    return total


def _per_quantile(ct: Any, y: Any, shape: tuple) -> Any:
    cts, ys = np.reshape(ct, (-1, *shape)), np.reshape(y, (-1, *shape))
    return ((cts[i], ys[i]) for i in range(len(ys)))


general(_weighted_primitive, _weighted_vjp, kind="linear", name="quantile")


def _declare(fun: Any, scale: float, *, skips_nan: bool) -> None:
    @composite(fun)
    def body(
        a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False,
        method: Any = "linear", keepdims: Any = False, *, weights: Any = None, **options: Any,
    ) -> Any:  # fmt: skip
        if is_live(weights) or (is_live(q) and (weights is not None or _lacks(a, skips_nan))):
            what = "weights" if is_live(weights) else "q"
            raise leaks.locate(
                NoRuleError(
                    f"{what} of {qualified_name(fun)} is traced, which has no rule.",
                    fix=f"Cut it on purpose: {what}=tapemagic.stop_gradient({what}).",
                )
            )
        method = options.pop("interpolation", None) or method  # its name in old versions
        moving = q if is_live(q) else None
        q, weights = plain(q), plain(weights)
        keywords = {"q": q, "axis": axis, "method": method, "keepdims": keepdims, **options}
        if weights is not None:
            keywords["weights"] = weights
            return apply(
                _weighted_primitive, a, numpy_fun=fun, axis=axis, keywords=tuple(keywords.items())
            )
        y = apply(
            _quantile_primitive, a, numpy_fun=fun, q=np.asarray(q) / scale, axis=axis,
            method=method, skips_nan=skips_nan, keywords=tuple(keywords.items()),
        )  # fmt: skip
        if moving is None:
            return y
        slope = _slope(a, np.asarray(q) / scale, axis, method, keepdims) / scale
        step = np.reshape(moving - q, np.shape(q) + (1,) * (np.ndim(slope) - np.ndim(q)))
        return with_value(np.reshape(y + slope * step, np.shape(y)), plain(y))


#: method -> what its place in n sorted elements changes by with q, less n; others only jump.
_RATES = {
    "linear": -1, "hazen": 0, "interpolated_inverted_cdf": 0, "weibull": 1,
    "median_unbiased": 1 / 3, "normal_unbiased": 1 / 4,
}  # fmt: skip


def _lacks(a: Any, skips_nan: bool) -> Any:
    """Tell whether rows differ in how many elements count."""
    return skips_nan and np.any(decide(np.isnan, a))


def _slope(a: Any, q: np.ndarray, axis: Any, method: Any, keepdims: Any) -> Any:
    """Return the derivative by q: the distance of the neighbours in order, times the rate."""
    length = to_rows(plain(a), axis).shape[-1]
    if length == 1 or method not in _RATES:
        return np.zeros(np.shape(np.quantile(plain(a), q, axis, keepdims=bool(keepdims))))
    place = np.quantile(np.arange(float(length)), q, method=method)
    low = np.minimum(np.floor(place), length - 2)
    ends, rate = (low / (length - 1), (low + 1) / (length - 1)), length + _RATES[method]
    inside = (place > 0) & (place < length - 1) | (rate == length - 1)  # else cut at the ends
    below, above = (np.quantile(a, end, axis, keepdims=bool(keepdims)) for end in ends)
    rate = np.reshape(rate * inside, np.shape(q) + (1,) * (np.ndim(below) - np.ndim(q)))
    return (above - below) * rate


_declare(np.quantile, 1.0, skips_nan=False)
_declare(np.percentile, 100.0, skips_nan=False)
_declare(np.nanquantile, 1.0, skips_nan=True)
_declare(np.nanpercentile, 100.0, skips_nan=True)


def _declare_median(fun: Any, *, skips_nan: bool) -> None:
    @composite(fun)
    def body(
        a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False,
        keepdims: Any = False,
    ) -> Any:  # fmt: skip
        keepdims = keepdims is not _none and bool(keepdims)
        return apply(
            _quantile_primitive, a, numpy_fun=fun, q=np.asarray(0.5), axis=axis, method="linear",
            skips_nan=skips_nan, keywords=(("axis", axis), ("keepdims", keepdims)),
        )  # fmt: skip


_declare_median(np.median, skips_nan=False)
_declare_median(np.nanmedian, skips_nan=True)
