"""Statistics of samples of `scipy.stats`, by their formulas. Imported with its rules.

Their values are SciPy's own in every bit.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special, stats

from .algebra import as_array, plain, with_value
from .carrying import carried, unsupported


def _statistic(fun: Callable, *free: str) -> Callable:
    """Declare a statistic by its formula (decorator).

    Parameters
    ----------
    fun : callable
        Its first parameter is the sample.
    *free : str
        Options that the formula knows, besides `axis`; of others only the defaults have a rule.
    """
    parameters = inspect.signature(fun).parameters
    first, axis = next(iter(parameters)), parameters["axis"].default

    def declare(formula: Callable) -> Callable:
        @carried(fun, first)
        def body(x: Any, axis: Any = axis, **options: Any) -> Any:
            value = fun(plain(x), axis=axis, **options)
            for name, given in options.items():
                usual = np.ndim(given) == 0 and given == parameters[name].default
                if name not in free and not usual:
                    raise unsupported(fun, f"{name}=", "Write it with NumPy's functions.")
            known = {name: options.get(name, parameters[name].default) for name in free}
            return with_value(formula(as_array(x), axis, **known), value)

        return formula

    return declare


@_statistic(stats.zscore, "ddof")
def _zscore(x: Any, axis: Any, ddof: int) -> Any:
    spread = np.std(x, axis=axis, ddof=ddof, keepdims=True)
    return (x - np.mean(x, axis=axis, keepdims=True)) / spread


@_statistic(stats.gmean)
def _gmean(x: Any, axis: Any) -> Any:
    return np.exp(np.mean(np.log(x), axis=axis))


@_statistic(stats.hmean)
def _hmean(x: Any, axis: Any) -> Any:
    return np.where(np.all(x >= 0, axis=axis), 1 / np.mean(1 / x, axis=axis), np.nan)


@_statistic(stats.sem, "ddof")
def _sem(x: Any, axis: Any, ddof: int) -> Any:
    count = x.size if axis is None else x.shape[axis]
    return np.std(x, axis=axis, ddof=ddof) / np.sqrt(count)


@_statistic(stats.variation, "ddof")
def _variation(x: Any, axis: Any, ddof: int) -> Any:
    return np.std(x, axis=axis, ddof=ddof) / np.mean(x, axis=axis)


def _moment(x: Any, axis: Any, order: int) -> Any:
    return np.mean((x - np.mean(x, axis=axis, keepdims=True)) ** order, axis=axis)


@_statistic(stats.skew)
def _skew(x: Any, axis: Any) -> Any:
    return _moment(x, axis, 3) / _moment(x, axis, 2) ** 1.5


@_statistic(stats.kurtosis, "fisher")
def _kurtosis(x: Any, axis: Any, fisher: bool) -> Any:
    return _moment(x, axis, 4) / _moment(x, axis, 2) ** 2 - 3 * fisher


@_statistic(stats.iqr)
def _iqr(x: Any, axis: Any) -> Any:
    low, high = np.quantile(x, [0.25, 0.75], axis=axis)
    return high - low


@_statistic(stats.median_abs_deviation)
def _median_abs_deviation(x: Any, axis: Any) -> Any:
    return np.median(np.abs(x - np.median(x, axis=axis, keepdims=True)), axis=axis)


@carried(stats.entropy, "pk", "qk")
def _entropy(p: Any, q: Any = None, base: Any = None, axis: int = 0, **options: Any) -> Any:
    value = stats.entropy(*plain((p, q)), base=base, axis=axis, **options)
    if options:
        raise unsupported(stats.entropy, "these options", "Write it with NumPy's functions.")
    p = as_array(p)
    p = p / np.sum(p, axis=axis, keepdims=True)
    if q is None:
        terms = special.entr(p)
    else:
        q = as_array(q)
        terms = special.rel_entr(p, q / np.sum(q, axis=axis, keepdims=True))
    total = np.sum(terms, axis=axis)
    return with_value(total if base is None else total / np.log(base), value)
