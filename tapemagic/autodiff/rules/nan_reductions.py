"""Reductions that leave out nan: those of the other elements, with nothing flowing to a nan."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff.primitives import composite, general

from .algebra import decide
from .axes import count, is_given, masked, over_count, restore
from .reductions import _initial, _positions, _spread, _std_vjp, _var_vjp

_none = np._NoValue


def _there(x: Any, where: Any = True) -> Any:
    """Return the mask of the elements that count."""
    there = ~decide(np.isnan, x)
    return there & where if is_given(where) else there


def _nansum(
    ct: Any, y: Any, a: Any,
    axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = _none,
    initial: Any = 0, where: Any = True,
) -> Any:  # fmt: skip
    return masked(restore(ct, a.shape, axis), _there(a, where))


def _nanmean(
    ct: Any, y: Any, a: Any,
    axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = _none,
    *, where: Any = True,
) -> Any:  # fmt: skip
    there = _there(a, where)
    n = np.maximum(count(a.shape, axis, there), 1)
    return masked(over_count(restore(ct, a.shape, axis), n), there)


general(np.nansum, *_positions(_nansum, _initial), kind="linear")
general(np.nanmean, _nanmean, kind="linear")


@composite(np.nanprod)
def _nanprod(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = _none,
    initial: Any = _none, where: Any = _none,
) -> Any:  # fmt: skip
    ones = np.where(_there(a), a, 1)
    return np.prod(ones, axis, dtype, out, keepdims=keepdims, initial=initial, where=where)


@composite(np.nancumsum)
def _nancumsum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    return np.cumsum(np.where(_there(a), a, 0), axis, dtype, out)


@composite(np.nancumprod)
def _nancumprod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    return np.cumprod(np.where(_there(a), a, 1), axis, dtype, out)


# The mean is taken of the elements that are there, so the rules of var and std serve as they are.
# Their operand has 0 where the original has nan (`absent`).


def _original(x: Any, absent: Any) -> Any:
    if absent is None:
        return x
    x = np.array(x, order="K")
    x[absent] = np.nan
    return x


def _counted(absent: Any, where: Any) -> Any:
    return where if absent is None else ~absent & where


def _nanvar_primitive(
    x: Any, *, axis: Any, ddof: Any, where: Any, absent: Any = None, **more: Any
) -> Any:
    return np.nanvar(_original(x, absent), axis=axis, ddof=ddof, where=where, **more)


def _nanvar_vjp(
    ct: Any, y: Any, x: Any, *, axis: Any, ddof: Any, where: Any, absent: Any = None, **more: Any
) -> Any:
    axis = axis if x.ndim else None  # of a number, NumPy also reduces axis 0 and -1
    return _var_vjp(ct, y, x, axis=axis, ddof=ddof, where=_counted(absent, where), **more)


def _nanstd_primitive(
    x: Any, *, axis: Any, ddof: Any, where: Any, absent: Any = None, **more: Any
) -> Any:
    return np.nanstd(_original(x, absent), axis=axis, ddof=ddof, where=where, **more)


def _nanstd_vjp(
    ct: Any, y: Any, x: Any, *, axis: Any, ddof: Any, where: Any, absent: Any = None, **more: Any
) -> Any:
    axis = axis if x.ndim else None
    return _std_vjp(ct, y, x, axis=axis, ddof=ddof, where=_counted(absent, where), **more)


general(_nanvar_primitive, _nanvar_vjp, name="nanvar")
general(_nanstd_primitive, _nanstd_vjp, name="nanstd")
composite(np.nanvar, _spread(_nanvar_primitive, root=False, skips_nan=True))
composite(np.nanstd, _spread(_nanstd_primitive, root=True, skips_nan=True))
