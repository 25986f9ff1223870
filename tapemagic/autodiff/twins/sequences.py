"""Twins of functions of sequences of arrays, in which NumPy looks for handles one level deep."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.calls.creation import as_operand
from tapemagic.autodiff.handles import LISTS, is_traced, plain
from tapemagic.autodiff.recorder import RECORDER
from tapemagic.autodiff.twinning import fresh, listening, making, may_hold_traced, twin_for

#: Functions whose arguments are sequences of arrays. Lists in them become arrays first.
_GATHERING = (
    "concatenate", "stack", "vstack", "hstack", "dstack", "column_stack", "choose",
    "ravel_multi_index", "histogramdd",
)  # fmt: skip
#: Functions that take any number of arrays.
_LISTENING = ("einsum", "broadcast_arrays", "meshgrid", "lexsort")


def _gathered(x: Any) -> Any:
    """Turn the lists of traced values in a sequence of arrays into arrays."""
    if type(x) not in LISTS:
        return x
    for item in x:
        if type(item) in LISTS and may_hold_traced(item):
            return [as_operand(item) for item in x]
    return x


def _gathering(original: Callable) -> Callable:
    def twin(*args: Any, **kwargs: Any) -> Any:
        args = tuple([_gathered(x) for x in args])
        y = original(*args, **kwargs)
        return y if RECORDER.recording is None else fresh(y, args, kwargs)

    return twin_for(original)(twin)


for _name in _GATHERING:
    _gathering(getattr(np, _name))
for _name in _LISTENING:
    listening(getattr(np, _name))
_gathering(np.linalg.multi_dot)
for _name in {"block", "einsum_path", "ix_", "unstack"} & vars(
    np
).keys():  # NumPy's own words for lists
    making(getattr(np, _name))


@twin_for(np.select)
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """Choose, also where only `default` is traced."""
    args = condlist, _gathered(choicelist), as_operand(default)
    if is_traced(args[2]):  # where NumPy does not look
        return args[2].__array_function__(np.select, (type(args[2]),), args, {})
    return fresh(np.select(*args), args)


@twin_for(np.fill_diagonal)
def _fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    """Fill, also where only the values are traced: NumPy does not look at them."""
    val = as_operand(val)
    if is_traced(val):
        return dispatch.call(np.fill_diagonal, (a, val, wrap), {})
    return np.fill_diagonal(a, val, wrap)


@twin_for(np.piecewise)
def _piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Any:
    x = as_operand(x)  # the functions may stand beside numbers: no array can be made of them
    return fresh(np.piecewise(x, condlist, funclist, *args, **kw), (x,))


@twin_for(np.trim_zeros)
def _trim_zeros(filt: Any, trim: Any = "fb", *args: Any, **kwargs: Any) -> Any:
    if type(filt) not in (list, tuple) or not may_hold_traced(filt):
        return fresh(np.trim_zeros(filt, trim, *args, **kwargs), (filt,))
    numbers = plain(filt)  # of a list NumPy returns a part of the list
    begin = len(filt) - len(np.trim_zeros(numbers, "f")) if "f" in trim.lower() else 0
    return filt[begin : begin + len(np.trim_zeros(numbers, trim))]
