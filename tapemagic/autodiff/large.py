"""Cotangents of large arrays, in memory that the sweep has at hand.

Fresh memory of many pages takes longer to get than arithmetic takes to fill it. Of each cotangent
the sweep knows whether anybody else refers to it: the ids of those that are *owned* are behind the
cotangents (`backward.py`). What is owned is written over by the last product that needs it, and by
sums. The bits are those of a product or sum in fresh memory.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def times(ct: np.ndarray, partial: Any, room: Any) -> Any:
    """Return ``ct * partial``, in `room` if it is given and can hold it."""
    return np.multiply(ct, partial, out=room) if _holds(room, partial) else ct * partial


def over(ct: np.ndarray, divisor: Any, room: Any) -> Any:
    """Return ``ct / divisor``, in `room` if it is given and can hold it."""
    return np.divide(ct, divisor, out=room) if _holds(room, divisor) else ct / divisor


def negated(ct: np.ndarray, room: Any) -> Any:
    """Return ``-ct``, in `room` if it is given."""
    return -ct if room is None else np.negative(ct, out=room)


def _holds(room: Any, x: Any) -> bool:
    """Tell whether what an array makes with `x` has its own shape and dtype."""
    kind = type(x)
    if room is None or kind is float or kind is int:
        return room is not None and room.dtype.kind in "fc"
    if not issubclass(kind, np.ndarray | np.generic) or x.dtype != room.dtype:
        return False  # `isinstance` would take a handle for an array
    shape, more = x.shape, room.ndim - x.ndim
    return shape == room.shape or (
        more >= 0 and all(n in (1, m) for n, m in zip(shape, room.shape[more:], strict=True))
    )


def shares(new: Any, ct: Any) -> bool:
    """Tell whether what an operand got is the cotangent itself, or a view (its real part)."""
    return new is ct or getattr(new, "base", None) is not None


def accumulate(operand: int, new: Any, is_fresh: bool, cotangents: Any, aval: Any) -> None:
    """Add to the cotangent of an operand; `is_fresh` tells whether nobody else refers to `new`."""
    old, owned = cotangents[operand], cotangents[-1]
    if type(new) is not np.ndarray or new.base is not None or new.shape != aval.shape:
        is_fresh = False
    if old is None:
        cotangents[operand] = new
        if is_fresh:
            owned.add(operand)
    elif type(old) is not np.ndarray:
        cotangents[operand] = old + new
    elif operand in owned and _holds(old, new):
        np.add(old, new, out=old)
    elif is_fresh and _holds(new, old):
        cotangents[operand] = np.add(old, new, out=new)
        owned.add(operand)
    else:
        cotangents[operand] = old + new
