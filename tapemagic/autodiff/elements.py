"""Reading, writing and adding up parts of an array, as plain functions with rows.

The pullbacks in `structure.py` call them where a sweep is recorded or written as a program; an
ordinary sweep works in place instead.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import recorder
from .avals import Aval, code_of
from .calls import dispatch
from .calls.dispatch import is_traced
from .places import decode, is_repeating, open_window, overlaps, positions_in, view_at
from .primitives import RULES, general, linear
from .recorder import RECORDER


def _get_item(x: Any, index: Any) -> Any:
    return x[decode(index)]


def _scatter(ct: Any, index: Any, shape: tuple, dtype: Any) -> np.ndarray:
    """Add `ct` into zeros of `shape` at `index`: the adjoint of reading it."""
    zeros = np.zeros(shape, dtype)
    _add_at(zeros, decode(index), ct)
    return zeros


def _scatter_all(*parts: Any, indices: tuple, shape: tuple, dtype: Any) -> np.ndarray:
    """Add every part into the same zeros, each at its index."""
    zeros = np.zeros(shape, dtype)
    for ct, index in zip(parts, indices, strict=True):
        _add_at(zeros, decode(index), ct)
    return zeros


def _add_at(buffer: np.ndarray, index: Any, ct: Any) -> None:
    if not getattr(ct, "size", 1):  # then an index may be out of bounds, which NumPy 2.0 minds here
        return
    if type(index) is not slice and is_repeating(index):
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
general(
    _scatter_all,
    variadic=lambda i, ct, y, *parts, indices, shape, dtype: run(_get_item, ct, indices[i]),
    kind="linear",
    name="scatter",
)
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

# ------------------------------------------------------------------------------ calling them


def run(fun: Any, x: Any, *args: Any) -> Any:
    """Call a function of one array, and of settings, on a plain or a traced array."""
    if RECORDER.writer is not None:
        return RECORDER.writer(fun, (x, *args), {})
    return _call(fun, (x,), args, {}) if is_traced(x) else fun(x, *args)


def _call(fun: Any, parts: Any, rest: tuple, settings: dict[str, Any]) -> Any:
    """Call and record a function whose first arguments are `parts`, some of them traced."""
    values, ids, codes = [], [], []
    token, cls = RECORDER.token, None
    for x in parts:
        if not is_traced(x):
            values.append(x)
            ids.append(-1)
            codes.append(0)
        elif x.storage is None and x.token is token:
            values.append(x._value)
            ids.append(x.id)
            codes.append(x.aval)
            cls = x.result_class
        else:
            return dispatch.call(fun, (*parts, *rest), settings)
    y = fun(*values, *rest, **settings)
    if type(y) is np.ndarray and y.base is not None:
        y = y.copy()  # nobody knows of the array that it would be a view of
    code = code_of(y)
    saved = [None if id_ >= 0 else x for id_, x in zip(ids, values, strict=True)]
    none = [-1] * len(rest)
    tail = (
        code, (*ids, *none), (*codes, *[0] * len(rest)), (*saved, *rest),
        tuple(settings.items()) or None, None if code & 1 else y,
    )  # fmt: skip
    return dispatch.traced(y, code, recorder.append(tail, RULES[fun].code, 3), cls)


class Reads:
    """The cotangent of an array that was read in parts, while the sweep is recorded.

    Added up when the sweep arrives at the array: n reads make one node, and not n of the size of
    the array. It stands among the cotangents meanwhile, so others can be added to it.
    """

    def __init__(self, aval: Aval, rest: Any) -> None:
        self._aval = aval
        self._rest = rest
        self._parts: list[Any] = []
        self._indices: list[Any] = []

    def add(self, ct: Any, index: Any) -> None:
        """Add the cotangent of what was read at an encoded index."""
        self._parts.append(ct)
        self._indices.append(index)

    def __add__(self, ct: Any) -> Reads:
        self._rest = ct if self._rest is None else self._rest + ct
        return self

    def total(self) -> Any:
        """Return the sum, recorded if anything in it is traced."""
        shape, dtype = self._aval.shape, self._aval.dtype
        parts = self._parts
        if len(parts) == 1:
            total = run(_scatter, parts[0], self._indices[0], shape, dtype)
        else:
            settings: dict[str, Any] = {
                "indices": tuple(self._indices),
                "shape": shape,
                "dtype": dtype,
            }
            traced = any(map(is_traced, parts))
            total = (_call(_scatter_all, parts, (), settings) if traced
                     else _scatter_all(*parts, **settings))  # fmt: skip
        return total if self._rest is None else total + self._rest
