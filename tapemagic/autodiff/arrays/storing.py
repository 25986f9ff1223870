"""Results written into the arrays given as `out=`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls.creation import _array, array_of, row
from tapemagic.autodiff.calls.general import call_primitive
from tapemagic.autodiff.handles import is_live, is_traced, plain
from tapemagic.errors import UnsupportedWriteError

from .writing import write_item


def _odd_out(target: np.ndarray) -> UnsupportedWriteError:
    return leaks.locate(
        UnsupportedWriteError(
            f"out= of shape {target.shape} does not fit the result: NumPy writes to a part of it.",
            fix="Give an array of the result's shape.",
        )
    )


def store(y: Any, outs: tuple, recompute: Callable) -> Any:
    """Write results into the handles given as `out=`.

    Parameters
    ----------
    y : result or tuple of results
    outs : tuple of handles or None
    recompute : callable
        The same call on plain values; it raises what NumPy raises if a result does not fit.
    """
    results = y if isinstance(y, tuple) else (y,)
    stored = []
    for result, out in zip(results, outs, strict=True):
        value = plain(result)
        if out is None:
            stored.append(result)
            continue
        if out is Ellipsis:  # "an array, never a number"
            stored.append(array_of(np.asarray, result) if is_traced(result) else result)
            continue
        target = plain(out)
        if not isinstance(target, np.ndarray):
            raise TypeError("return arrays must be of ArrayType")
        if not target.flags.writeable:
            raise ValueError("output array is read-only")
        if np.shape(value) != target.shape or getattr(value, "dtype", None) != target.dtype:
            copies = tuple(None if o is None else np.array(plain(o)) for o in outs)
            with np.errstate(all="ignore"):
                recompute(out=copies if len(copies) > 1 else copies[0])
            if np.shape(value) == target.shape and len(copies) == 1:
                write_item(out, Ellipsis, _with_value(result, copies[0]))
                stored.append(out)
                continue
            probe = target.copy()
            try:
                probe[...] = value
            except ValueError:
                raise _odd_out(target) from None
            only: Any = copies[0] if len(copies) == 1 else None
            if only is not None and not np.array_equal(only, probe, equal_nan=True):
                raise _odd_out(target)
        write_item(out, Ellipsis, result)
        stored.append(out)
    return tuple(stored) if isinstance(y, tuple) else stored[0]


def _with_value(result: Any, value: Any) -> Any:
    """Return a result as NumPy writes it: reductions add up in the dtype of `out`."""
    if not is_live(result):
        return value
    return call_primitive(row(_array), (result, value.dtype.str, 0), {}, lambda *_: value)
