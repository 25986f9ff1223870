"""Methods of ufuncs: reduce, accumulate and reduceat (`at`: `ufunc_at.py`).

Sums, products, maxima and minima go to the rows of the functions of that name. Every other ufunc
of two operands is folded: its own partials, applied along the axis from the last step to the
first. The value is the one that NumPy's method gives.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls.creation import row
from tapemagic.autodiff.calls.dispatch import (
    call,
    call_primitive,
    plain,
)
from tapemagic.autodiff.elements import run
from tapemagic.autodiff.handles import is_live
from tapemagic.autodiff.primitives import RULES, Primitive, general, linear
from tapemagic.autodiff.warned import unheard

from .folding import (
    BOUNDED,
    axes_of,
    check_fold,
    one_axis,
    partials,
    rows_of,
    steps_of,
    unfold,
    unfold_at_once,
)
from .ufunc_at import at

_REDUCTIONS = {
    np.add: np.sum, np.multiply: np.prod, np.maximum: np.max, np.minimum: np.min,
}  # fmt: skip
_ACCUMULATIONS = {np.add: np.cumsum, np.multiply: np.cumprod}
#: Ufuncs that add their operands up, or choose one: a partial of 0 means that it was not chosen.
_SELECTING = {np.add, np.subtract, np.maximum, np.minimum, np.fmax, np.fmin}
#: The functions of methods below -> the same, with rows that say so.
_OF_SELECTING: dict[Callable, Callable] = {}


def _declare(fun: Callable, *vjps: Callable | None, name: str) -> None:
    """Declare a method: a row for ufuncs that select, and one for those that compute."""

    def selecting(*args: Any, **kwargs: Any) -> Any:
        return fun(*args, **kwargs)

    selecting.__name__ = f"{fun.__name__}_selecting"  # programs tell functions by their names
    _OF_SELECTING[fun] = selecting
    general(fun, *vjps, name=name, generic=True)
    general(selecting, *vjps, name=name, kind="linear")


def _row(fun: Callable, ufunc: Any) -> Primitive:
    return row(_OF_SELECTING[fun] if ufunc in _SELECTING else fun)


# ------------------------------------------------------------------------------------- reduce


def _reduce(
    x: Any, ufunc: Any, axis: Any = 0, initial: Any = None, keepdims: bool = False, **kwargs: Any
) -> Any:
    if initial is not None:
        kwargs["initial"] = initial
    return ufunc.reduce(x, axis=axis, keepdims=keepdims, **kwargs)


def _reduce_steps(ct: Any, x: Any, ufunc: Any, axis: Any, initial: Any, where: Any = True) -> list:
    """Return the cotangents of the steps of a reduction, the first of which `initial` may be."""
    steps, chosen = steps_of(x, axis, initial, where)
    ct = np.reshape(ct, np.shape(steps[0]))  # without the axes of `keepdims`
    return unfold(ufunc, steps, [0] * (len(steps) - 1) + [ct], chosen)


def _reduce_vjp(
    ct: Any, y: Any, x: Any, ufunc: Any, axis: Any = 0, initial: Any = None,
    keepdims: bool = False, where: Any = True,
) -> Any:  # fmt: skip
    if not x.size:
        return np.zeros(x.shape)
    axes = axes_of(axis, x.ndim)
    rest = [n for a, n in enumerate(x.shape) if a not in axes]
    if ufunc in BOUNDED and initial is None and where is True:
        rows, last = np.moveaxis(rows_of(x, axes), 0, -1), np.reshape(ct, (*rest, 1))
        others = np.zeros((*rest, rows.shape[-1] - 1), ct.dtype)
        cts = np.concatenate([others, last], axis=-1)
        found = unfold_at_once(ufunc, rows, ufunc.accumulate(rows, axis=-1), cts)
        parts = np.moveaxis(found, -1, 0)
    else:
        found = _reduce_steps(ct, x, ufunc, axis, initial, where)[initial is not None :]
        parts = np.stack([np.broadcast_to(one, rest) for one in found])
    ct = np.reshape(parts, [x.shape[a] for a in axes] + rest)
    return np.moveaxis(ct, range(len(axes)), axes)


def _reduce_initial(
    ct: Any, y: Any, x: Any, ufunc: Any, axis: Any = 0, initial: Any = None,
    keepdims: bool = False, where: Any = True,
) -> Any:  # fmt: skip
    return _reduce_steps(ct, x, ufunc, axis, initial, where)[0]


_declare(_reduce, _reduce_vjp, None, None, _reduce_initial, name="reduce")


def reduce(ufunc: Any, x: Any, axis: Any = 0, dtype: Any = None, **kwargs: Any) -> Any:
    """Carry out ``ufunc.reduce(x, ...)`` of a handle."""
    kwargs = {k: v for k, v in kwargs.items() if not _is_default(k, v)}
    if dtype is not None and ufunc not in _ACCUMULATIONS:
        return _cast_first("reduce", ufunc, x, dtype, axis=axis, **kwargs)
    if dtype is not None:
        kwargs["dtype"] = dtype
    if ufunc in _REDUCTIONS:
        return call(_REDUCTIONS[ufunc], (x,), {"axis": axis, **kwargs})
    if ufunc.reduce in RULES and not is_live(kwargs.get("initial")):
        # logaddexp, hypot: a rule of its own, whole-array
        return call(ufunc.reduce, (x,), {"axis": axis, **kwargs})
    if _is_constant(ufunc):
        return leaks.flat(
            ufunc.reduce(plain(x), axis=axis, **plain(kwargs)), (x,), ufunc.reduce,
            {"axis": axis, **kwargs},
        )  # fmt: skip
    partials(ufunc)  # refuse now, not in the sweep
    initial, kwargs = kwargs.pop("initial", None), plain(kwargs)
    y = _reduce(plain(x), ufunc, axis, plain(initial), **kwargs)
    if np.asarray(y).dtype.kind not in "fc":
        return leaks.flat(y, (x, initial))
    if ufunc not in BOUNDED:
        check_fold(ufunc, y, *steps_of(plain(x), axis, plain(initial), kwargs.get("where", True)))
    operands = (x, ufunc, axis, initial)
    return call_primitive(_row(_reduce, ufunc), operands, kwargs, lambda *_, **__: y)


def _is_default(key: str, value: Any) -> bool:
    plain_default = {"keepdims": False, "where": True}
    return value is np._NoValue or (key in plain_default and value is plain_default[key])


def _is_constant(ufunc: Any) -> bool:
    rule = RULES.get(ufunc)
    return isinstance(rule, Primitive) and rule.kind == "constant"


# --------------------------------------------------------------------------------- accumulate


def _accumulate(x: Any, ufunc: Any, axis: int = 0) -> np.ndarray:
    return ufunc.accumulate(x, axis=axis)


def _accumulate_vjp(ct: Any, y: Any, x: Any, ufunc: Any, axis: int = 0) -> Any:
    if not x.shape[axis]:
        return ct
    if ufunc in BOUNDED:
        x, y, ct = (np.moveaxis(one, axis, -1) for one in (x, y, ct))
        return np.moveaxis(unfold_at_once(ufunc, x, y, ct), -1, axis)
    rows, cts = np.moveaxis(x, axis, 0), np.moveaxis(ct, axis, 0)
    n = range(len(rows))
    found = unfold(ufunc, [rows[i] for i in n], [cts[i] for i in n])
    return np.moveaxis(np.stack(found), 0, axis)


_declare(_accumulate, _accumulate_vjp, name="accumulate")


def accumulate(ufunc: Any, x: Any, axis: Any = 0, dtype: Any = None) -> Any:
    """Carry out ``ufunc.accumulate(x, ...)`` of a handle."""
    one = one_axis(axis, np.ndim(x))
    if one is None or isinstance(one, tuple) or not np.ndim(x):
        ufunc.accumulate(plain(x), axis)  # NumPy's own error
    if ufunc in _ACCUMULATIONS:
        more = {} if dtype is None else {"dtype": dtype}
        return call(_ACCUMULATIONS[ufunc], (x,), {"axis": one, **more})
    if dtype is not None:
        return _cast_first("accumulate", ufunc, x, dtype, one)
    if _is_constant(ufunc):
        return leaks.flat(ufunc.accumulate(plain(x), one), (x,))
    partials(ufunc)
    return call_primitive(_row(_accumulate, ufunc), (x, ufunc, one), {}, _accumulate)


def _cast_first(method: str, ufunc: Any, x: Any, dtype: Any, *args: Any, **kwargs: Any) -> Any:
    """Record a method with `dtype=` as that of an operand that is cast first, as NumPy does."""
    y = getattr(ufunc, method)(plain(x), *plain(args), dtype=dtype, **plain(kwargs))
    with unheard():
        cast = x.astype(dtype)
        if is_live(cast) or is_live(kwargs.get("initial")):
            return METHODS[method](ufunc, cast, *args, **kwargs)
    return leaks.flat(y, (x,))


# ----------------------------------------------------------------------------------- reduceat


def _reduceat(x: Any, ufunc: Any, indices: Any, axis: int = 0) -> np.ndarray:
    return ufunc.reduceat(x, indices, axis=axis)


def _reduceat_vjp(ct: Any, y: Any, x: Any, ufunc: Any, indices: Any, axis: int = 0) -> Any:
    rows, cts = np.moveaxis(x, axis, 0), np.moveaxis(ct, axis, 0)
    parts = _parts(indices, len(rows))
    if ufunc is np.add:
        found = np.repeat(cts, list(map(len, parts)), axis=0)
    else:
        steps = [(cts[k], [rows[i] for i in part]) for k, part in enumerate(parts)]
        folded = [unfold(ufunc, xs, [0] * (len(xs) - 1) + [one]) for one, xs in steps]
        found = np.stack([np.broadcast_to(one, rows.shape[1:]) for ones in folded for one in ones])
    places = np.array([i for part in parts for i in part], np.intp)
    return np.moveaxis(run(_add_rows, found, places, len(rows)), 0, axis)


def _parts(indices: Any, count: int) -> list[range]:
    """Return which of `count` rows each result is made of."""
    starts = [int(i) for i in indices]
    stops = [*starts[1:], count]
    return [range(start, max(stop, start + 1)) for start, stop in zip(starts, stops, strict=True)]


def _add_rows(rows: Any, places: Any, count: int) -> np.ndarray:
    """Add each row at its place in `count` rows of zeros."""
    total = np.zeros((count, *rows.shape[1:]), rows.dtype)
    np.add.at(total, places, rows)
    return total


linear(_add_rows, lambda ct, rows, places, count: ct[places], name="add rows")
_declare(_reduceat, _reduceat_vjp, name="reduceat")


def reduceat(ufunc: Any, x: Any, indices: Any, axis: Any = 0, dtype: Any = None) -> Any:
    """Carry out ``ufunc.reduceat(x, indices, ...)`` of a handle."""
    if dtype is not None:
        return _cast_first("reduceat", ufunc, x, dtype, indices, axis)
    y = ufunc.reduceat(plain(x), plain(indices), axis)
    if _is_constant(ufunc):
        return leaks.flat(y, (x,))
    axis = one_axis(axis, np.ndim(x))
    partials(ufunc)
    indices = np.array(plain(indices)).astype(np.intp)
    rows = np.moveaxis(plain(x), axis, 0)
    for k, part in enumerate(_parts(indices, len(rows)) if ufunc not in BOUNDED else ()):
        check_fold(ufunc, np.take(y, k, axis), rows[part.start : part.stop])
    return call_primitive(_row(_reduceat, ufunc), (x, ufunc, indices, axis), {}, lambda *_: y)


METHODS: dict[str, Callable] = {
    "reduce": reduce, "accumulate": accumulate, "reduceat": reduceat, "at": at,
}  # fmt: skip
