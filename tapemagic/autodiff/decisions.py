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
    **dict.fromkeys((np.nanprod, np.nancumsum, np.nancumprod), ((0, "a"), np.isnan)),
}


def deciding(fun: Any, args: tuple, kwargs: dict) -> tuple[Callable | None, list]:
    """Return what a call of `fun` decides by: a function (or None), and its arguments."""
    names, decide = DECISIONS[fun]
    found = [args[name] for name in names if type(name) is int and name < len(args)]
    return decide, found + [kwargs[name] for name in names if name in kwargs]
