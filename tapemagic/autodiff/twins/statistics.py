"""Twins of the averages and spreads of `statistics`, which take numbers apart into integers."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls.creation import array_of, row
from tapemagic.autodiff.calls.dispatch import call_primitive, holds_traced, is_traced, plain
from tapemagic.autodiff.primitives import general
from tapemagic.autodiff.twinning import twin_for, twin_module

from .math import keeping


def _mean_of(*xs: Any) -> Any:
    return statistics.mean(xs)


def _fmean_of(*xs: Any) -> float:
    return statistics.fmean(xs)


def _averaging(original: Callable, average: Callable) -> None:
    def twin(data: Iterable, *args: Any, **kwargs: Any) -> Any:
        items = list(data)
        if args or kwargs or not holds_traced(items):
            return original(items, *args, **kwargs)
        return call_primitive(row(average), tuple(items), {}, average)

    general(average, variadic=lambda i, ct, y, *xs: ct / len(xs), name=original.__name__)
    twin_for(original)(twin)


_averaging(statistics.mean, _mean_of)
_averaging(statistics.fmean, _fmean_of)

#: Functions of the numbers as an array, but for rounding.
_BY_ARRAYS: dict[Callable, Callable] = {
    statistics.stdev: lambda x: np.std(x, ddof=1),
    statistics.pstdev: np.std,
    statistics.variance: lambda x: np.var(x, ddof=1),
    statistics.pvariance: np.var,
    statistics.median: np.median,
    statistics.geometric_mean: lambda x: np.exp(np.mean(np.log(x))),
    statistics.harmonic_mean: lambda x: len(x) / np.sum(1 / x),
}


def _of_an_array(original: Callable, by_numpy: Callable) -> None:
    def twin(data: Iterable, *args: Any, **kwargs: Any) -> Any:
        items = list(data)
        if args or kwargs or not holds_traced(items):
            return original(items, *args, **kwargs)
        value = original(plain(items))
        if isinstance(value, int):  # one of the items, or the harmonic mean of a zero
            for x in filter(is_traced, items if original is statistics.harmonic_mean else ()):
                leaks.leave(x, "harmonic_mean is 0 where an item is, and has no derivative there")
            return leaks.flat(value, items, original)
        return keeping(value, by_numpy(array_of(np.array, items)))

    twin_for(original)(twin)


for _original, _by_numpy in _BY_ARRAYS.items():
    _of_an_array(_original, _by_numpy)
statistics_twin = twin_module(statistics)
