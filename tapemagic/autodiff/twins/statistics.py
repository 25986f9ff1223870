"""Twins of the averages of `statistics`, which take numbers apart into integers."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable
from typing import Any

from tapemagic.autodiff.calls.creation import row
from tapemagic.autodiff.calls.dispatch import call_primitive, holds_traced
from tapemagic.autodiff.primitives import general
from tapemagic.autodiff.twinning import twin_for, twin_module


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
statistics_twin = twin_module(statistics)
