"""Selecting elements by index or by condition.

What is not selected gets a structural zero: nothing flows there, whatever the cotangent.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy._core import umath

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.primitives import composite, constant, general, linear
from tapemagic.autodiff.warned import unheard
from tapemagic.errors import NoRuleError

from .algebra import apply, as_array, decide, plain, with_dtype
from .gathering import boxed, gather, picking

# ----------------------------------------------------------------------- where, select, choose


def _where_primitive(condition: Any, x: Any, y: Any) -> Any:
    return np.where(condition, x, y)


general(
    _where_primitive,
    None,
    lambda ct, out, condition, x, y: np.where(condition, ct, 0),
    lambda ct, out, condition, x, y: np.where(condition, 0, ct),
    kind="linear",
    name="where",
)


@composite(np.where)
def _where(condition: Any, *choices: Any) -> Any:
    condition = plain(condition)
    if len(choices) != 2:
        return np.where(condition, *plain(choices))
    x, y = map(as_operand, choices)
    if np.asarray(condition).dtype != bool:
        condition = np.asarray(condition) != 0
    return apply(_where_primitive, condition, x, y)


def as_operand(x: Any) -> Any:
    """Turn lists into arrays; leave numbers as they are, since they do not widen float32."""
    return as_array(x) if not dispatch.is_traced(x) and isinstance(x, (list, tuple)) else x


def _choose_primitive(index: Any, *choices: Any) -> Any:
    """Take the element of ``choices[index]`` for every element of `index`."""
    y = choices[-1]
    shape = np.broadcast_shapes(index.shape, *map(np.shape, choices))
    for i in range(len(choices) - 1, -1, -1):
        y = np.where(index == i, choices[i], y)
    return np.broadcast_to(y, shape)


def _choose_vjp(i: int, ct: Any, y: Any, index: Any, *choices: Any) -> Any:
    return np.where(index == i - 1, ct, 0)


general(_choose_primitive, variadic=_choose_vjp, kind="linear", name="choose")


@composite(np.choose)
def _choose(a: Any, choices: Any, out: Any = None, mode: Any = "raise") -> Any:
    value = np.choose(plain(a), plain(choices), mode=mode)
    choices = [as_array(x) for x in choices]
    index = np.choose(plain(a), list(range(len(choices))), mode=mode)
    y = apply(_choose_primitive, np.asarray(index), *_cast(choices, value.dtype))
    return np.copy(with_dtype(y, value.dtype), order="C")


def _cast(arrays: list, dtype: Any) -> list:
    with unheard():  # NumPy's own call has warned of it
        return [with_dtype(x, dtype) for x in arrays]


@composite(np.select)
def _select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    value = np.select(plain(condlist), plain(list(choicelist)), plain(default))
    choices = [as_operand(x) for x in (*choicelist, default)]
    # The first condition that holds decides; the default stands behind all of them.
    index = np.full(value.shape, len(condlist))
    for i in range(len(condlist) - 1, -1, -1):
        index = np.where(condlist[i], i, index)
    choices = [as_array(x) for x in choices]
    return np.copy(apply(_choose_primitive, index, *_cast(choices, value.dtype)))


@composite(np.piecewise)
def _piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Any:
    x = as_array(x)
    shape, dtype = np.shape(x), plain(x).dtype
    conditions = plain(condlist)
    if np.isscalar(conditions) or (np.ndim(conditions[0]) == 0 and np.ndim(x) != 0):
        conditions = [conditions]
    conditions = [np.broadcast_to(np.asarray(c, bool), shape) for c in conditions]
    if len(funclist) == len(conditions) + 1:
        conditions.append(~np.any(conditions, axis=0))
    elif len(funclist) != len(conditions):
        n = len(conditions)
        raise ValueError(f"with {n} condition(s), either {n} or {n + 1} functions are expected")
    places = np.zeros_like(plain(x), np.intp)  # in the memory order of the result
    pieces, size = [], 0
    for condition, fun in zip(conditions, funclist, strict=True):
        piece = fun
        if callable(fun):
            picked = x[condition]
            if not np.size(picked):
                continue
            piece = fun(picked, *args, **kw)
        piece = np.ravel(np.broadcast_to(piece, (int(np.count_nonzero(condition)),)))
        places[condition] = np.arange(size + 1, size + 1 + np.size(piece))
        pieces.append(piece.astype(dtype))
        size += np.size(piece)
    y = gather(np.concatenate(pieces, dtype=dtype), places) if pieces else np.zeros_like(x)
    return boxed(y)  # of a number an array without axes


# ------------------------------------------------------------------------------------------ clip


def _clip_primitive(a: Any, low: Any, high: Any, **more: Any) -> Any:
    return np.clip(a, low, high, **more)


def _inside(a: Any, low: Any, high: Any) -> Any:
    """Tell which elements pass unchanged; those on a bound do."""
    inside = ~((a < low) if low is not None else np.False_)
    return inside if high is None else inside & ~(a > high)


def _below(a: Any, low: Any, high: Any) -> Any:
    """Tell where the lower bound is the result."""
    return (a < low) & (True if high is None else ~_above(a, low, high))


def _above(a: Any, low: Any, high: Any) -> Any:
    """Tell where the upper bound is the result; where the bounds cross, it is too."""
    return (a > high) if low is None else (a > high) | (low > high)


general(
    _clip_primitive,
    lambda ct, y, a, low, high, **more: np.where(decide(_inside, a, low, high), ct, 0),
    lambda ct, y, a, low, high, **more: np.where(decide(_below, a, low, high), ct, 0),
    lambda ct, y, a, low, high, **more: np.where(decide(_above, a, low, high), ct, 0),
    kind="linear", name="clip",
)  # fmt: skip


@composite(np.clip)
def _clip(
    a: Any, a_min: Any = np._NoValue, a_max: Any = np._NoValue, out: Any = None,
    *, min: Any = np._NoValue, max: Any = np._NoValue, **kwargs: Any,
) -> Any:  # fmt: skip
    if kwargs.get("where", True) is not True:
        raise leaks.locate(
            NoRuleError(
                "where= of np.clip leaves elements out, for which there is no rule.",
                fix="Use np.where(mask, np.clip(x, low, high), other).",
            )
        )
    given = [bound is not np._NoValue for bound in (a_min, a_max, min, max)]
    if any(given[:2]) and any(given[2:]):
        raise ValueError("Passing `min` or `max` keyword argument when `a_min` and `a_max` are "
                         "provided is forbidden.")  # fmt: skip
    if given[0] != given[1] and not any(given[2:]):
        name = "a_max" if given[0] else "a_min"
        raise TypeError(f"clip() missing 1 required positional argument: '{name}'")
    low, high = (a_min, a_max) if any(given[:2]) else (min, max)
    low, high = (None if bound is np._NoValue else as_operand(bound) for bound in (low, high))
    if low is None and high is None:
        np.clip(plain(a), None, None)  # which NumPy 2.0 refuses
        return np.positive(a)
    return apply(_clip_primitive, as_array(a), low, high, **kwargs)


# what the method of a plain array calls: counts.clip(low, high)
@composite(umath.clip)  # type: ignore[attr-defined]
def _clip_between(a: Any, low: Any, high: Any, **kwargs: Any) -> Any:
    return np.clip(a, low, high, **kwargs)


# ---------------------------------------------------------------------------- take and its kin

picking(np.take)
picking(np.take_along_axis)
picking(np.diagonal)
picking(np.diag)
picking(np.diagflat)
picking(np.resize)
picking(np.linalg.diagonal)
linear(np.tril, lambda ct, m, k=0: np.tril(ct, k))
linear(np.triu, lambda ct, m, k=0: np.triu(ct, k))


@composite(np.compress)
def _compress(condition: Any, a: Any, axis: Any = None, out: Any = None) -> Any:
    return np.take(a, np.flatnonzero(plain(condition)), axis)


@composite(np.extract)
def _extract(condition: Any, arr: Any) -> Any:
    return np.take(np.ravel(arr), np.flatnonzero(np.ravel(plain(condition))))


def _delete_primitive(arr: Any, obj: Any, axis: Any) -> Any:
    return np.delete(arr, obj, axis)


picking(_delete_primitive, name="delete")
composite(np.delete, lambda arr, obj, axis=None: apply(_delete_primitive, arr, plain(obj), axis))


@composite(np.insert)
def _insert(arr: Any, obj: Any, values: Any, axis: Any = None) -> Any:
    """Insert the places of the values among the places of the array, then take from both."""
    arr, values, obj = as_array(arr), as_array(values), plain(obj)
    size = np.size(arr)
    numbers = np.arange(1, size + 1).reshape(np.shape(arr))
    if plain(arr).flags.fnc:
        numbers = np.asfortranarray(numbers)  # so will the result be, as NumPy's
    more = np.arange(size + 1, size + 1 + np.size(values)).reshape(np.shape(values))
    places = np.insert(numbers, obj, more, axis)
    dtype = np.asarray(plain(arr)).dtype  # a Python float has none
    both = np.concatenate([np.ravel(arr), np.ravel(values)], dtype=dtype, casting="unsafe")
    return gather(both, places)


@composite(np.vander)
def _vander(x: Any, N: Any = None, increasing: bool = False) -> Any:
    x = as_array(x)
    if np.ndim(x) != 1:
        raise ValueError("x must be a one-dimensional array or sequence.")
    dtype = np.promote_types(plain(x).dtype, int)
    x = x if plain(x).dtype == dtype else x.astype(dtype)
    N = np.size(x) if N is None else N
    columns = np.broadcast_to(np.reshape(x, (-1, 1)), (np.size(x), max(N - 1, 0)))
    powers = np.cumprod(columns, axis=1)
    ones = np.ones((np.size(x), min(N, 1)), dtype)
    y = np.concatenate([ones, powers], axis=1)
    return y if increasing else np.copy(np.flip(y, 1), order="C")


@composite(np.ix_)
def _ix(*args: Any) -> tuple:
    """Lay each array along an axis of its own; only the plain ones may be indices."""
    meshed = np.ix_(*map(plain, args))  # NumPy's own errors
    return tuple(
        np.reshape(as_array(x), grid.shape) if dispatch.is_traced(x) else grid
        for x, grid in zip(args, meshed, strict=True)
    )


constant(
    np.nonzero, np.flatnonzero, np.argwhere, np.unravel_index, np.ravel_multi_index,
    np.diag_indices_from, np.tril_indices_from, np.triu_indices_from,
)  # fmt: skip
