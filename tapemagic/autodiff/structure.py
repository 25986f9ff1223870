"""Primitives of the machinery itself: sources, elements, windows, writes, parts of a result.

Their pullbacks are written out, for two reasons. Cotangents of elements of one array add up in one
buffer (n reads of ``x[i]`` make one zero array, not n), and a write passes its cotangent on in
place (n writes cost O(n)). Both need to know which buffers the sweep owns: the last item of the
list of cotangents is the set of ids whose cotangent nobody else refers to.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import recorder
from .avals import AVALS, code_of, fit, full, is_small
from .calls.dispatch import HANDLE_TYPES, is_traced
from .elements import (
    Reads,
    _add_at,
    _get_item,
    _get_positions,
    _get_window,
    _scatter,
    _scatter_window,
    _set_item,
    _set_positions,
    _set_window,
    _winners,
    _zero_item,
    _zero_positions,
    _zero_window,
    run,
)
from .outers import Outers
from .places import (
    decode,
    is_basic,
    is_repeating,
    order_of,
    overlaps,
    positions_in,
    view_at,
    window_of,
)
from .primitives import PRIMITIVES, PULLBACKS, RULES, Primitive, elementwise
from .recorder import RECORDER

#: A second name for a value, so that a tape that watches it does not see earlier uses.
identity = elementwise(lambda x: x, "1", name="identity")

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
    buffer = settled(cotangents[a])
    if a not in owned or not isinstance(buffer, np.ndarray):  # 0-d sums become numbers
        if buffer is None:
            buffer = np.zeros(aval.shape, aval.dtype, order=order)
        else:
            buffer = np.array(full(buffer, aval), aval.dtype, order=order)
        cotangents[a] = buffer
        owned.add(a)
    return buffer


def settled(ct: Any) -> Any:
    """Add up what waits to be added, when the sweep arrives at a node."""
    return ct.total() if type(ct) is Reads or type(ct) is Outers else ct


def _accumulate(a: int, new: Any, cotangents: list) -> None:
    old = cotangents[a]
    cotangents[a] = new if old is None else old + new


def _read_pullback(add: Any, note: Any) -> Any:
    """Return the pullback of a read: `add` works in place, `note` where the sweep is recorded."""

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
        old = cotangents[a]
        if is_traced(ct) or is_traced(old) or type(old) is Reads:
            cotangents[-1].discard(a)
            note(a, aval, where, ct, cotangents)
        else:
            add(a, aval, where, ct, cotangents)

    return pullback


def _note_item(a: int, aval: Any, where: Any, ct: Any, cotangents: list) -> None:
    if RECORDER.recording is None:  # a constant behind a handle: what is plain stays so
        _accumulate(a, run(_scatter, ct, where, aval.shape, aval.dtype), cotangents)
        return
    if type(cotangents[a]) is not Reads:
        cotangents[a] = Reads(aval, cotangents[a])
    cotangents[a].add(ct, where)


def _note_window(a: int, aval: Any, where: Any, ct: Any, cotangents: list) -> None:
    _accumulate(a, run(_scatter_window, ct, where, aval.shape, aval.dtype), cotangents)


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
        if not aval.size:  # then an index may be out of bounds, which NumPy 2.0 minds here
            for operand, code in zip(entry[4], entry[5], strict=False):
                if operand >= 0:
                    zeros = np.zeros(AVALS[code].shape, AVALS[code].dtype)
                    _accumulate(operand, zeros, cotangents)
            return
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


get_item = _machinery(_get_item, "getitem", _read_pullback(_add_item, _note_item))
window_get = _machinery(_get_window, "view", _read_pullback(_add_window, _note_window))
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


def append_node(primitive: Any, ids: tuple, avals: tuple, args: tuple, y: Any) -> int:
    """Record a node of the machinery's own making; return its id."""
    code = code_of(y)
    tail = (code, ids, avals, args, None, np.array(y) if is_small(code) else None)
    return recorder.append(tail, primitive.code)


def place_of_write(memory: np.ndarray, target: np.ndarray, index: Any, encoded: Any) -> tuple:
    """Say which elements of the memory a write through a view reached."""
    order = order_of(memory)
    if is_basic(index):
        window = window_of(target[decode(encoded, open_=True)], memory)
        if not overlaps(window):
            return window_set, (order, window)
    positions = positions_in(window_of(target, memory))[index]
    return positions_set, (order, positions, target.dtype.str)
