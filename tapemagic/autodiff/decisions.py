"""Functions whose rules decide by values which elements go where.

Such a function is recorded as the reads and writes that it came down to. A run that is repeated
with other inputs is the same program only as long as these decisions come out the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def _truth(condition: Any) -> Any:
    return np.asarray(condition) != 0


def _order(x: Any) -> Any:
    """Return places and number of the distinct values: all that picking them depends on."""
    return np.unique(x, return_index=True, return_inverse=True)[1:]


def memory_order(x: Any) -> np.ndarray:
    """Return the axes from the slowest to the fastest in memory, and which run backwards."""
    steps = np.asarray(x).strides
    axes = sorted(range(len(steps)), key=lambda axis: -abs(steps[axis]))
    return np.array([(axis, steps[axis] < 0) for axis in axes if np.shape(x)[axis] > 1])


def is_in_line(x: Any) -> np.ndarray:
    """Tell whether an array lies in one piece by rows, and whether by columns."""
    flags = np.asarray(x).flags
    return np.array([flags.c_contiguous, flags.f_contiguous])


def _is_close_to_real(x: Any, tol: float = 100) -> Any:
    """Tell whether `np.real_if_close` drops the imaginary parts."""
    bound = tol * np.finfo(np.result_type(x, 0.0)).eps if tol > 1 else tol
    return np.all(np.abs(np.imag(x)) < bound)


#: function -> which arguments its rule decides by, and what of them (None: all their values).
DECISIONS: dict[Any, tuple[tuple, Callable | None]] = {
    **dict.fromkeys((np.where, np.compress, np.extract), ((0, "condition"), _truth)),
    np.choose: ((0, "a"), None),
    np.select: ((0, "condlist"), None),
    np.piecewise: ((1, "condlist"), None),
    **dict.fromkeys((np.delete, np.insert), ((1, "obj"), None)),
    **dict.fromkeys((np.unique, np.unique_values, np.unique_counts), ((0, "ar"), _order)),
    **dict.fromkeys((np.unique_inverse, np.unique_all), ((0,), _order)),
    **dict.fromkeys((np.intersect1d, np.setdiff1d, np.setxor1d), ((0, 1), None)),
    np.copyto: (("where", 3), _truth),
    np.put: ((1, "ind"), None),
    **dict.fromkeys((np.place, np.putmask), ((1, "mask"), _truth)),
    np.put_along_axis: ((1, "indices"), None),
    np.trim_zeros: ((0,), _truth),
    np.real_if_close: ((0, "a", 1, "tol"), _is_close_to_real),
    **dict.fromkeys((np.nanprod, np.nancumsum, np.nancumprod), ((0, "a"), np.isnan)),
    **dict.fromkeys((np.nanvar, np.nanstd), ((0, "a"), np.isnan)),
    **dict.fromkeys((np.quantile, np.percentile), ((1, "q"), None)),
    **dict.fromkeys((np.nanquantile, np.nanpercentile), ((1, "q"), None)),
}


def deciding(fun: Any, args: tuple, kwargs: dict) -> tuple[Callable | None, list]:
    """Return what a call of `fun` decides by: a function (or None), and its arguments."""
    names, decide = DECISIONS[fun]
    found = [args[name] for name in names if type(name) is int and name < len(args)]
    return decide, found + [kwargs[name] for name in names if name in kwargs]
