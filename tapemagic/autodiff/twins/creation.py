"""Twins of the functions that make arrays, and rules for ranges with traced ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.arrays.views import lent, storage_of
from tapemagic.autodiff.arrays.writing import write_item
from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.calls.creation import (
    array_given,
    array_of,
    as_operand,
    row,
    without_class,
    written_method,
)
from tapemagic.autodiff.calls.dispatch import HANDLE_TYPES, call_primitive, holds_traced, plain
from tapemagic.autodiff.lookers import share
from tapemagic.autodiff.primitives import RULES, composite, general
from tapemagic.autodiff.readback import read_back
from tapemagic.autodiff.recorder import RECORDER
from tapemagic.autodiff.twinning import (
    fresh,
    making,
    may_hold_traced,
    reading,
    relink,
    showing,
    twin_for,
)
from tapemagic.autodiff.warned import unheard

#: Functions that take no array that could be traced.
_MAKERS = (
    "zeros", "ones", "empty", "eye", "identity", "tri", "indices", "hanning", "hamming", "bartlett",
    "blackman",
)  # fmt: skip
#: Functions that read what may have been a traced value.
_READING = (
    "fromstring", "fromfile", "fromregex", "load", "loadtxt", "genfromtxt",
)  # fmt: skip
#: Functions that show or store the plain values.
_SHOWING = (
    "array2string", "array_repr", "array_str", "format_float_positional",
    "format_float_scientific", "save", "savez", "savez_compressed", "savetxt",
)  # fmt: skip

for _name in _MAKERS:
    making(getattr(np, _name))
for _name in _READING:
    reading(getattr(np, _name))
for _name in _SHOWING:
    showing(getattr(np, _name))


_reading_memory = reading(np.frombuffer)


@twin_for(np.frombuffer)
def _frombuffer(*args: Any, **kwargs: Any) -> Any:
    for handle in filter(dispatch.is_traced, (*args, *kwargs.values())):
        leaks.leave(handle, "its bytes are read as they lie")
    memory = (lent(x) if dispatch.is_traced(x) else x for x in args)
    y = _reading_memory(*memory, **kwargs)
    if dispatch.is_traced(y):
        share(storage_of(y))
    return y


@twin_for(np.from_dlpack)
def _from_dlpack(x: Any, /, **kwargs: Any) -> Any:
    if not dispatch.is_traced(x):
        return np.from_dlpack(x, **kwargs)
    y = np.from_dlpack(plain(x), **kwargs)
    view = x[...]
    view.setflags(write=y.flags.writeable)
    return view


# --------------------------------------------------------------------------------- conversions


def _converting(original: Callable) -> Callable:
    """Make the twin of `np.array` or one of its kin."""

    def twin(a: Any = _MISSING, *args: Any, **kwargs: Any) -> Any:
        if a is _MISSING:
            a = kwargs.pop("object" if original is np.array else "a", _MISSING)
            if a is _MISSING:
                return original(*args, **kwargs)
        if kwargs and type(kwargs.get("like")) in HANDLE_TYPES:
            del kwargs["like"]
        if may_hold_traced(a):
            return without_class(array_of(original, a, *args, **kwargs))
        if RECORDER.recording is None:
            return original(a, *args, **kwargs)
        if written_method(a, "__array__"):
            y = array_given(original, a, *args, **kwargs)
            if dispatch.is_traced(y):
                return without_class(y)
        else:
            y = original(a, *args, **kwargs)
        if y.dtype.kind in "fc" and _is_text(a):
            read_back(y)
        return fresh(y, (a,))

    return twin_for(original)(twin)


def _is_text(x: Any) -> bool:
    """Tell whether array data is text, by its first element."""
    while type(x) in (list, tuple) and x:
        x = x[0]
    return isinstance(x, str | bytes) or (isinstance(x, np.ndarray) and x.dtype.kind in "US")


_MISSING = object()

for _fun in (np.array, np.asarray, np.asanyarray, np.ascontiguousarray, np.asfortranarray):
    _converting(_fun)

twin_for(np.require)(relink(np.require))


@twin_for(np.pad)
def _pad(array: Any, pad_width: Any, mode: Any = "constant", **options: Any) -> Any:
    if holds_traced((array, *options.values())):  # NumPy asks the array only
        return dispatch.call(np.pad, (array, pad_width, mode), options)
    return fresh(np.pad(array, pad_width, mode, **options))


@twin_for(np.asarray_chkfinite)
def _asarray_chkfinite(a: Any, dtype: Any = None, order: Any = None) -> Any:
    if not holds_traced(a):
        return fresh(np.asarray_chkfinite(a, dtype=dtype, order=order), (a,))
    np.asarray_chkfinite(plain(a), dtype=dtype, order=order)
    return array_of(np.asarray, a, dtype=dtype, order=order)


@twin_for(np.fromiter)
def _fromiter(iter: Iterable, dtype: Any, count: int = -1, *, like: Any = None) -> Any:
    items = list(iter if count < 0 else islice(iter, count))
    y = np.fromiter(plain(items), dtype, count)
    if not holds_traced(items):
        return fresh(y)
    kind = np.dtype(dtype)
    if kind.subdtype is not None:  # each item fills an array; np.array would fill one per number
        items = [np.broadcast_to(item, kind.shape) for item in items]
    return array_of(np.array, items, dtype=kind.base)


twin_for(np.fromfunction)(relink(np.fromfunction))
twin_for(np.kaiser)(relink(np.kaiser))


# ------------------------------------------------------------------------------------- filling


@twin_for(np.full)
def _full(shape: Any, fill_value: Any, dtype: Any = None, order: Any = "C", **kwargs: Any) -> Any:
    if not holds_traced(fill_value):
        return fresh(np.full(shape, fill_value, dtype, order, **kwargs))
    return _filled(np.full(shape, plain(fill_value), dtype, order), fill_value)


@twin_for(np.full_like)
def _full_like(a: Any, fill_value: Any, *args: Any, **kwargs: Any) -> Any:
    if holds_traced(a) or not holds_traced(fill_value):
        a, fill_value = as_operand(a), as_operand(fill_value)
        return fresh(np.full_like(a, fill_value, *args, **kwargs), (a,))
    return _filled(np.full_like(a, plain(fill_value), *args, **kwargs), fill_value)


def _filled(y: Any, fill_value: Any) -> Any:
    """Note that a traced value fills a new array."""
    handle = fresh(y)
    if type(handle) not in HANDLE_TYPES:  # of integers
        return leaks.flat(y, (fill_value,))
    with unheard():
        write_item(handle, Ellipsis, array_of(np.asarray, fill_value))
    return handle


# -------------------------------------------------------------------------------------- ranges


def _arange(start: Any, step: Any, stop: Any, dtype: Any = None) -> np.ndarray:
    return np.arange(start, stop, step, dtype=dtype)


general(
    _arange,
    lambda ct, y, start, step, stop, dtype=None: np.sum(ct),
    lambda ct, y, start, step, stop, dtype=None: np.sum(ct * np.arange(ct.size)),
    name="arange",
)


@twin_for(np.arange)
def _arange_twin(*args: Any, **kwargs: Any) -> Any:
    if not holds_traced((*args, *kwargs.values())):
        return fresh(np.arange(*args, **kwargs))
    kwargs.pop("like", None), kwargs.pop("device", None)
    names = ("start", "stop", "step", "dtype")
    if len(args) == 1 and "stop" not in kwargs:
        given = {"stop": args[0], **kwargs}
    else:
        given = {**dict(zip(names, args, strict=False)), **kwargs}
    stop, dtype = given.get("stop"), given.get("dtype")
    start, step = given.get("start", 0), given.get("step", 1)
    y = np.arange(*plain(args), **plain(kwargs))
    leaks.flat(None, (stop,))  # it only decides how many there are
    if not holds_traced((start, step)):
        return fresh(y)
    return call_primitive(row(_arange), (start, step, plain(stop), dtype), {}, lambda *_: y)


def _linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, axis: int = 0, dtype: Any = None
) -> np.ndarray:
    return np.linspace(start, stop, num, endpoint, dtype=dtype, axis=axis)


def _share(ct: Any, num: int, endpoint: bool, axis: int) -> tuple[Any, Any]:
    """Return the cotangent with the range in front, and how much each element has of `stop`."""
    ct = np.moveaxis(ct, axis, 0)
    count = num - 1 if endpoint else num
    share = np.arange(num) / count if count > 0 else np.zeros(num)
    return ct, share.reshape((-1,) + (1,) * (ct.ndim - 1))


def _by_start(ct: Any, y: Any, start: Any, stop: Any, num: int = 50, endpoint: bool = True,
              axis: int = 0, dtype: Any = None) -> Any:  # fmt: skip
    ct, share = _share(ct, num, endpoint, axis)
    return np.sum(ct * (1 - share), axis=0)


def _by_stop(ct: Any, y: Any, start: Any, stop: Any, num: int = 50, endpoint: bool = True,
             axis: int = 0, dtype: Any = None) -> Any:  # fmt: skip
    ct, share = _share(ct, num, endpoint, axis)
    return np.sum(ct * share, axis=0)


general(_linspace, _by_start, _by_stop, name="linspace")


@composite(np.linspace)
def linspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False,
             dtype: Any = None, axis: int = 0, **kwargs: Any) -> Any:  # fmt: skip
    """Record `np.linspace`; the step that `retstep` asks for is a difference of the ends."""
    num = num.__index__()
    y = dispatch.call(_linspace, (start, stop, num, endpoint, axis, dtype), {})
    if not retstep:
        return y
    count = num - 1 if endpoint else num
    return y, np.subtract(stop, start) / count if count > 0 else np.nan  # no Python float


composite(np.logspace, relink(np.logspace))
composite(np.geomspace, relink(np.geomspace))
for _name in ("sqrt", "log", "log2", "log10", "logn", "power", "arccos", "arcsin", "arctanh"):
    if getattr(np.emath, _name) not in RULES:
        composite(getattr(np.emath, _name), relink(getattr(np.emath, _name)))
