"""Primitives of the machinery itself: sources, elements, windows, writes, parts of a result.

Their pullbacks are written out, for two reasons. Cotangents of elements of one array add up in one
buffer (n reads of ``x[i]`` make one zero array, not n), and a write passes its cotangent on in
place (n writes cost O(n)). Both need to know which buffers the sweep owns: the last item of the
list of cotangents is the set of ids whose cotangent nobody else refers to.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import dispatch
from .avals import AVALS, fit, full
from .dispatch import HANDLE_TYPES, is_traced
from .places import decode, is_repeating, open_window, order_of, overlaps, positions_in, view_at
from .primitives import PRIMITIVES, PULLBACKS, RULES, Primitive, elementwise, linear
from .recorder import RECORDER

# ------------------------------------------------------------------- plain functions and rules


def _get_item(x: Any, index: Any) -> Any:
    return x[decode(index)]


def _scatter(ct: Any, index: Any, shape: tuple, dtype: Any) -> np.ndarray:
    """Add `ct` into zeros of `shape` at `index`: the adjoint of reading it."""
    zeros = np.zeros(shape, dtype)
    _add_at(zeros, decode(index), ct)
    return zeros


def _add_at(buffer: np.ndarray, index: Any, ct: Any) -> None:
    if not np.size(ct):  # then an index may be out of bounds, which NumPy 2.0 minds here
        return
    if is_repeating(index):
        np.add.at(buffer, index, ct)
    else:
        buffer[index] += ct


def _zero_item(ct: Any, index: Any) -> np.ndarray:
    """Return a copy of `ct` with zeros at `index`: what a write leaves of the old contents."""
    ct = np.array(ct)
    ct[decode(index)] = 0
    return ct


def _winners(index: Any, shape: tuple, ct: Any) -> Any:
    """Zero in ``ct = gradient[index]`` the places that a later write of the same call replaced."""
    numbers = np.arange(ct.size).reshape(ct.shape)
    last = np.zeros(shape, np.intp)
    last[index] = numbers
    return np.where(last[index] == numbers, ct, 0)


def _get_window(x: Any, where: tuple) -> np.ndarray:
    return open_window(x, where).copy()


def _scatter_window(ct: Any, where: tuple, shape: tuple, dtype: Any) -> np.ndarray:
    order, window = where
    zeros = np.zeros(shape, dtype, order=order)
    view = view_at(zeros, (*window[:4], True))
    if overlaps(window):
        flat = zeros.reshape(-1, order="A").view(view.dtype)
        np.add.at(flat, positions_in(window), ct)
    else:
        view += ct
    return zeros


def _zero_window(ct: Any, where: tuple) -> np.ndarray:
    ct = np.array(ct, order=where[0])
    view_at(ct, (*where[1][:4], True))[...] = 0
    return ct


def _set_item(base: Any, v: Any, index: Any) -> np.ndarray:
    base = np.array(base)
    base[decode(index)] = v
    return base


def _set_window(base: Any, v: Any, where: tuple) -> np.ndarray:
    base = np.array(base, order=where[0])
    view_at(base, (*where[1][:4], True))[...] = v
    return base


def _set_positions(base: Any, v: Any, where: tuple) -> np.ndarray:
    order, positions, dtype = where
    base = np.array(base, order=order)
    base.reshape(-1, order="A").view(dtype)[positions] = v
    return base


def _get_positions(x: Any, where: tuple) -> np.ndarray:
    order, positions, dtype = where
    return np.array(x, order=order).reshape(-1, order="A").view(dtype)[positions]


def _scatter_positions(ct: Any, where: tuple, shape: tuple, dtype: Any) -> np.ndarray:
    order, positions, part = where
    zeros = np.zeros(shape, dtype, order=order)
    np.add.at(zeros.reshape(-1, order="A").view(part), positions, ct)
    return zeros


def _zero_positions(ct: Any, where: tuple) -> np.ndarray:
    order, positions, dtype = where
    ct = np.array(ct, order=order)
    ct.reshape(-1, order="A").view(dtype)[positions] = 0
    return ct


linear(_scatter, lambda ct, x, index, shape, dtype: run(_get_item, ct, index), name="scatter")
linear(_zero_item, lambda ct, x, index: run(_zero_item, ct, index), name="zero item")
linear(
    _scatter_window,
    lambda ct, x, where, shape, dtype: run(_get_window, ct, where),
    name="scatter window",
)
linear(_zero_window, lambda ct, x, where: run(_zero_window, ct, where), name="zero window")
linear(
    _scatter_positions,
    lambda ct, x, where, shape, dtype: run(_get_positions, ct, where),
    name="scatter positions",
)
linear(_zero_positions, lambda ct, x, where: run(_zero_positions, ct, where), name="zero positions")
linear(
    _get_positions,
    lambda ct, x, where: run(_scatter_positions, ct, where, x.shape, x.dtype),
    name="getitem",
)

#: A second name for a value, so that a tape that watches it does not see earlier uses.
identity = elementwise(lambda x: x, "1", name="identity")


def run(fun: Any, x: Any, *args: Any) -> Any:
    """Call one of the functions above on a plain or a traced array."""
    if RECORDER.writer is not None:
        return RECORDER.writer(fun, (x, *args), {})
    return dispatch.call(fun, (x, *args), {}) if is_traced(x) else fun(x, *args)


# ------------------------------------------------------------------------- pullbacks by hand


def _machinery(fun: Any, name: str, pullback: Any) -> Primitive:
    primitive = Primitive(fun, "linear", saves=(frozenset(), frozenset()), name=name)
    primitive.code = len(PULLBACKS)
    PRIMITIVES.append(primitive)
    PULLBACKS.append(pullback)
    RULES[fun] = primitive
    return primitive


def _buffer(a: int, aval: Any, cotangents: list, order: Any = "C") -> np.ndarray:
    """Return the cotangent of node `a` as an array that the sweep may write to."""
    owned = cotangents[-1]
    buffer = cotangents[a]
    if a not in owned or not isinstance(buffer, np.ndarray):  # 0-d sums become numbers
        if buffer is None:
            buffer = np.zeros(aval.shape, aval.dtype, order=order)
        else:
            buffer = np.array(full(buffer, aval), aval.dtype, order=order)
        cotangents[a] = buffer
        owned.add(a)
    return buffer


def _accumulate(a: int, new: Any, cotangents: list) -> None:
    old = cotangents[a]
    cotangents[a] = new if old is None else old + new


def _read_pullback(add: Any, scatter: Any) -> Any:
    def pullback(ct: Any, entry: tuple, cotangents: list) -> None:
        a, where = entry[4][0], entry[6][1]
        if a in cotangents[-1] and type(ct) not in HANDLE_TYPES:
            # The short way: one more element, or slice, of a buffer of ours.
            if type(where) is int:
                cotangents[a][where] += ct
                return
            if type(where) is tuple and where[0] == "slice":
                cotangents[a][slice(*where[1:])] += ct
                return
        aval = AVALS[entry[5][0]]
        ct = full(ct, AVALS[entry[3]])
        if is_traced(ct) or is_traced(cotangents[a]):
            _accumulate(a, run(scatter, ct, where, aval.shape, aval.dtype), cotangents)
        else:
            add(a, aval, where, ct, cotangents)

    return pullback


def _add_item(a: int, aval: Any, where: Any, ct: Any, cotangents: list) -> None:
    _add_at(_buffer(a, aval, cotangents), decode(where), ct)


def _add_window(a: int, aval: Any, where: Any, ct: Any, cotangents: list) -> None:
    order, window = where
    buffer = _buffer(a, aval, cotangents, order)
    if overlaps(window) or order_of(buffer) != order:
        _accumulate(a, _scatter_window(ct, where, aval.shape, aval.dtype), cotangents)
    else:
        view_at(buffer, (*window[:4], True))[...] += ct


def _write_pullback(get: Any, zero: Any, clear: Any) -> Any:
    def pullback(ct: Any, entry: tuple, cotangents: list) -> None:
        a, v = entry[4]
        where = entry[6][2]
        aval = AVALS[entry[3]]
        ct = full(ct, aval)
        if get is not _get_item:
            ct = fit(ct, aval)  # a window is counted in bytes
        owned = cotangents[-1]
        k = cotangents[-2]  # id of the node whose cotangent this is
        in_place = k in owned and v != a and cotangents[a] is None and type(ct) is np.ndarray
        if v >= 0:
            new = run(get, ct, where)
            if in_place and get is _get_item:
                new = np.array(new)  # not a view of what is about to be cleared
            if get is _get_item and is_repeating(decode(where)):
                new = _winners(decode(where), aval.shape, new)
            elif get is _get_positions:
                new = _winners(where[1], (aval.size * 2,), new)
            _accumulate(v, fit(new, AVALS[entry[5][1]]), cotangents)
        if a < 0:
            return
        if in_place:
            clear(ct, where)
            cotangents[a] = ct
            owned.add(a)
        else:
            rest = run(zero, ct, where)
            if cotangents[a] is None and not is_traced(rest):
                owned.add(a)
            _accumulate(a, rest, cotangents)

    return pullback


def _clear_item(ct: np.ndarray, where: Any) -> None:
    ct[decode(where)] = 0


def _clear_window(ct: np.ndarray, where: tuple) -> None:
    if order_of(ct) == where[0]:
        view_at(ct, (*where[1][:4], True))[...] = 0
    else:
        ct[...] = _zero_window(ct, where)


def _clear_positions(ct: np.ndarray, where: tuple) -> None:
    ct[...] = _zero_positions(ct, where)


def _pick(x: Any, i: int, count: int) -> Any:
    return x[i]


def _pick_pullback(ct: Any, entry: tuple, cotangents: list) -> None:
    a, (_, i, count) = entry[4][0], entry[6]
    ct = full(ct, AVALS[entry[3]])
    if cotangents[a] is None:
        cotangents[a] = [None] * count
    old = cotangents[a][i]
    cotangents[a][i] = ct if old is None else old + ct


def _source(x: Any) -> Any:
    return x


get_item = _machinery(_get_item, "getitem", _read_pullback(_add_item, _scatter))
window_get = _machinery(_get_window, "view", _read_pullback(_add_window, _scatter_window))
set_item = _machinery(_set_item, "setitem", _write_pullback(_get_item, _zero_item, _clear_item))
window_set = _machinery(
    _set_window, "setitem", _write_pullback(_get_window, _zero_window, _clear_window)
)
positions_set = _machinery(
    _set_positions, "setitem", _write_pullback(_get_positions, _zero_positions, _clear_positions)
)
pick = _machinery(_pick, "pick", _pick_pullback)
#: A watched leaf: nothing lies behind it.
source = _machinery(_source, "source", lambda ct, entry, cotangents: None)
