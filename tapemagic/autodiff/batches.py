"""Many cotangents of one node at once: a leading axis, and ways to declare rules that take one.

A Jacobian has one cotangent per element of its target. They go through the tape together, row `r`
of a leading axis for the r-th of them, where the rule of an operation allows it:

* elementwise rules always do (a product does not mind a leading axis);
* `aligned` functions: so do rules that line up axes from the right;
* `by_axis` functions: rules that take `axis=` do, with every axis moved by one;
* `batched` functions have rules of their own for it.

Of all others the rule is called once per row (`sweeps/batched.py`). Between operations a cotangent
keeps all axes of its node behind the leading one, some perhaps of length 1 and standing for more.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from .avals import AVALS, Aval
from .places import decode
from .primitives import RULES

#: Function -> rule(i, ct, entry) for operand i: the cotangent with a leading axis, or None where
#: the arguments are such that rows have to be taken one by one.
BATCHED: dict[Any, Callable] = {}
#: Function -> rule(i, rows, entry): the same for `Rows`.
SPARSE: dict[Any, Callable] = {}


class Rows:
    """Cotangents of which each has few elements that are not zero: the unit ones to begin with.

    An elementwise operation keeps them so, at the cost of one cotangent instead of `count`.

    Attributes
    ----------
    count : int
        Number of cotangents.
    rows, columns : slice or array of int
        Which cotangent each value belongs to, and its place in the raveled node. Values with the
        same row and column add up.
    values : array
    """

    __slots__ = ("_positions", "columns", "count", "rows", "values")

    def __init__(self, count: int, rows: Any, columns: Any, values: np.ndarray) -> None:
        self.count, self.rows, self.columns, self.values = count, rows, columns, values
        self._positions: tuple[np.ndarray, np.ndarray] | None = None

    def positions(self) -> tuple[np.ndarray, np.ndarray]:
        """Return rows and columns as arrays."""
        if self._positions is None:
            rows, columns = self.rows, self.columns
            if type(rows) is slice:
                rows = np.arange(rows.start, rows.stop)
            if type(columns) is slice:
                columns = np.arange(columns.start, columns.stop)
            self._positions = rows, columns
        return self._positions

    def __add__(self, other: Rows) -> Rows:
        if _is_same(self.rows, other.rows) and _is_same(self.columns, other.columns):
            return Rows(self.count, self.rows, self.columns, self.values + other.values)
        (rows, columns), (more_rows, more_columns) = self.positions(), other.positions()
        return Rows(
            self.count,
            np.concatenate((rows, more_rows)),
            np.concatenate((columns, more_columns)),
            np.concatenate((self.values, other.values)),
        )

    def merged(self, size: int) -> Rows:
        """Add up what has the same row and column, of nodes with `size` elements."""
        rows, columns = self.positions()
        places, which = np.unique(rows * size + columns, return_inverse=True)
        values = np.zeros(places.size, self.values.dtype)
        np.add.at(values, which, self.values)
        return Rows(self.count, *np.divmod(places, size), values)

    def dense(self, aval: Aval) -> np.ndarray:
        """Return the cotangents as one array with a leading axis."""
        out = np.zeros((self.count, aval.size), aval.dtype)
        rows, columns = self.positions()
        if type(self.rows) is slice:  # one value per row
            out[rows, columns] = self.values
        else:
            np.add.at(out.reshape(-1), rows * aval.size + columns, self.values)
        return out.reshape(self.count, *aval.shape)


def _is_same(places: Any, others: Any) -> bool:
    """Tell whether places are the same without looking at them: elementwise rules hand them on."""
    return places is others or (type(places) is type(others) is slice and places == others)


def fit_rows(ct: np.ndarray, aval: Aval) -> np.ndarray:
    """Bring cotangents with a leading axis to the shape and dtype of their node."""
    extra = ct.ndim - 1 - aval.ndim
    if extra > 0:
        ct = np.sum(ct, axis=tuple(range(1, 1 + extra)))
    if ct.shape[1:] != aval.shape:
        axes = tuple(i for i, n in enumerate(aval.shape, 1) if n == 1 and ct.shape[i] != 1)
        if axes:
            ct = np.sum(ct, axis=axes, keepdims=True)
    return as_dtype(ct, aval)


def as_dtype(ct: np.ndarray, aval: Aval) -> np.ndarray:
    """Bring cotangents to the dtype of their node; to a real one flows the real part."""
    if ct.dtype == aval.dtype:
        return ct
    if ct.dtype.kind == "c" and not aval.is_complex:
        ct = np.real(ct)
    return ct.astype(aval.dtype, copy=False)


def full_rows(ct: np.ndarray, aval: Aval) -> np.ndarray:
    """Return cotangents in the full shape of their node."""
    if ct.shape[1:] == aval.shape:
        return ct
    missing = [1] * (aval.ndim + 1 - ct.ndim)  # the first axis is that of the rows
    return np.broadcast_to(ct.reshape(len(ct), *missing, *ct.shape[1:]), (len(ct), *aval.shape))


def places_of(shape: tuple[int, ...], index: Any) -> np.ndarray:
    """Return which elements of the raveled array an encoded index picks, in order."""
    if type(index) is tuple and index[0] == "slice":
        return _places_of_slice(shape, index)
    return np.arange(prod(shape)).reshape(shape)[decode(index)].reshape(-1)


@lru_cache(maxsize=64)
def _places_of_slice(shape: tuple[int, ...], index: Any) -> np.ndarray:
    return np.arange(prod(shape)).reshape(shape)[decode(index)].reshape(-1)


# ------------------------------------------------------------------------------ declarations


def batched(fun: Callable, *rules: Callable) -> None:
    """Declare rules ``rule(ct, y, *args, **kwargs)`` per operand; None from one: row by row."""

    def pull(i: int, ct: Any, entry: tuple) -> Any:
        _, _, _, _, _, avals, args, kwargs, y = entry
        return rules[i](ct, y, *_with_avals(args, avals), **dict(kwargs or ()))

    BATCHED[fun] = pull


def aligned(*funs: Callable) -> None:
    """Declare functions whose ordinary rules line up axes from the right."""
    for fun in funs:
        batched(fun, *RULES[fun].vjps)


def by_axis(*funs: Callable, names: tuple[str, ...] = ("axis",), every: bool = False,
            of_result: bool = False) -> None:  # fmt: skip
    """Declare functions that are a stack's own batch, once the axes they name are moved by one.

    Parameters
    ----------
    names : tuple of str
        Their parameters that hold axes.
    every : bool
        Whether no axis means every axis; otherwise that case goes row by row.
    of_result : bool
        Whether axes are counted in the result (`np.stack`).
    """
    for fun in funs:
        BATCHED[fun] = _AxisRule(fun, names, every, of_result)


_signature_of = lru_cache(maxsize=None)(inspect.signature)


class _AxisRule:
    def __init__(self, fun: Any, names: tuple[str, ...], every: bool, of_result: bool) -> None:
        self._primitive = RULES[fun]
        self._names, self._every, self._of_result = names, every, of_result

    def __call__(self, i: int, ct: Any, entry: tuple) -> Any:
        _, _, _, aval, _, avals, args, kwargs, y = entry
        count, primitive = len(ct), self._primitive
        ndim = AVALS[aval if self._of_result else avals[i]].ndim
        if not ndim and not self._every:
            return None  # ``np.cumsum(number, axis=0)`` has an axis that its operand has not
        args = [  # an argument that is no operand may be an array as well: a shift
            _stacked(arg, code, count) if primitive.takes_array(k) else arg
            for k, (arg, code) in enumerate(zip(args, avals, strict=True))
        ]
        keywords = dict(kwargs or ())
        parameters = _signature_of(primitive.fun).parameters
        for name in self._names:
            place = list(parameters).index(name)
            positional = place < len(args) and primitive.variadic is None
            axis = args[place] if positional else keywords.get(name, parameters[name].default)
            axis = self._moved(axis, ndim)
            if axis is None:
                return None
            if positional:
                args[place] = axis
            else:
                keywords[name] = axis
        if y is not None:
            y = np.broadcast_to(y, (count, *np.shape(y)))
        if primitive.variadic:
            return primitive.variadic(i, ct, y, *args, **keywords)
        return primitive.vjps[i](ct, y, *args, **keywords)

    def _moved(self, axis: Any, ndim: int) -> Any:
        if axis is None:
            return tuple(range(1, ndim + 1)) if self._every else None
        if not ndim:
            return ()
        if np.ndim(axis):
            return tuple(int(k) % ndim + 1 for k in axis)
        return int(axis) % ndim + 1


def _stacked(arg: Any, code: int, count: int) -> Any:
    """Give an operand the leading axis too."""
    if code and arg is None:
        return _stacked_aval(code, count)
    if isinstance(arg, np.ndarray) or code:
        return np.broadcast_to(arg, (count, *np.shape(arg)))
    return arg


@lru_cache(maxsize=256)
def _stacked_aval(code: int, count: int) -> Aval:
    aval = AVALS[code]
    return Aval(0, (count, *aval.shape), aval.dtype, np.ndarray)


def _with_avals(args: tuple, avals: tuple) -> list:
    return [AVALS[code] if code and arg is None else arg for arg, code in zip(args, avals)]
