"""Writes of values that lie in the memory written to, where NumPy's result hangs on the order.

NumPy promises that overlapping memory changes nothing, and mostly keeps it: it copies first, as the
tape does. Two calls do not: ``x[mask] = x[::-2]`` reads elements that it has just written, and a
ufunc with `where=` and a result that is cast gives a wrong value to elements that the mask leaves
out. Their results have no derivative that anybody could want, so they are refused; but only where
they differ.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.places import view_at, window_of
from tapemagic.autodiff.storage import Storage
from tapemagic.autodiff.warned import unheard
from tapemagic.errors import UnsupportedWriteError

from .views import storage_of


def check_write(memory: np.ndarray, target: np.ndarray, index: Any, values: np.ndarray) -> None:
    """Raise if ``target[index] = values`` reads in NumPy what it has just written.

    Parameters
    ----------
    memory : ndarray
        What `target`, and perhaps `values`, are views of.

    Raises
    ------
    UnsupportedWriteError
    """
    apart, _ = _copies(memory, target, values)
    apart[index] = values.copy()
    aliased, read = _copies(memory, target, values)
    aliased[index] = read
    _compare(apart, aliased)


def check_call(out: Any, run: Callable, inputs: tuple, result: Any) -> None:
    """Raise if ``run(*inputs, out=out)`` gives in NumPy another result than with memory apart.

    Parameters
    ----------
    out : TracedArray, array or None
        Nothing can be wrong with what is no handle: NumPy itself writes to it.

    Raises
    ------
    UnsupportedWriteError
    """
    if not dispatch.is_traced(out):
        return
    value, inputs = dispatch.plain(out), dispatch.plain(inputs)
    if any(isinstance(x, np.ndarray) and np.may_share_memory(x, value) for x in inputs):
        storage = storage_of(out)
        memory = storage.buffer if isinstance(storage, Storage) else value
        aliased, *read = _copies(memory, value, *inputs)
        with unheard():
            run(*read, out=aliased)
        _compare(result, aliased)


def _copies(memory: np.ndarray, *arrays: Any) -> list[Any]:
    """Return the arrays with those that lie in `memory` as views of one copy of it."""
    copy = memory.copy(order="K")
    low, high = np.lib.array_utils.byte_bounds(memory)

    def moved(x: Any) -> Any:
        if not isinstance(x, np.ndarray):
            return x
        first, last = np.lib.array_utils.byte_bounds(x)
        return view_at(copy, window_of(x, memory)) if low <= first and last <= high else x

    return [moved(x) for x in arrays]


def _compare(apart: Any, aliased: np.ndarray) -> None:
    if not np.array_equal(apart, aliased, equal_nan=True):
        raise leaks.locate(
            UnsupportedWriteError(
                "The value of this write lies in the memory that it writes to, and NumPy reads "
                "elements of it that it has changed already.",
                fix="Copy the value first: x[mask] = y.copy().",
            )
        )
