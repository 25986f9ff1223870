"""Twins of what calls functions along arrays, and of r_, mgrid and their kin."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls.creation import array_of
from tapemagic.autodiff.calls.dispatch import HANDLE_TYPES, holds_traced, plain
from tapemagic.autodiff.primitives import composite
from tapemagic.autodiff.recorder import RECORDER
from tapemagic.autodiff.twinning import STAND_INS, fresh, made, register, relink, twin_for


def asanyarray(x: Any, **kwargs: Any) -> Any:
    """Return `x` as an array, a handle as one."""
    return array_of(np.asanyarray, x, **kwargs) if holds_traced(x) else np.asanyarray(x, **kwargs)


class Converter:
    """Stands in for NumPy's `_array_converter` in relinked code."""

    def __init__(self, *inputs: Any) -> None:
        self.scalar_input = tuple(np.ndim(plain(x)) == 0 for x in inputs)
        self._arrays = tuple(map(asanyarray, inputs))

    def __getitem__(self, i: Any) -> Any:
        return self._arrays[i]

    def __len__(self) -> int:
        return len(self._arrays)

    def as_arrays(self, *, subok: bool = True, pyscalars: Any = None) -> tuple:
        """Return the inputs as arrays."""
        return self._arrays

    def result_type(self, extra_dtype: Any = None, *, ensure_inexact: bool = False) -> np.dtype:
        """Return the common dtype of the inputs."""
        kinds = [plain(x).dtype for x in self._arrays]
        if extra_dtype is not None:
            kinds.append(np.dtype(extra_dtype))
        dtype = np.result_type(*kinds)
        exact = ensure_inexact and dtype.kind in "biu"
        return np.result_type(dtype, np.float64) if exact else dtype

    def wrap(self, y: Any, to_scalar: bool | None = None) -> Any:
        """Return a result as a number where all inputs were numbers."""
        scalar = all(self.scalar_input) if to_scalar is None else to_scalar
        return y[()] if scalar and np.ndim(plain(y)) == 0 else y


try:
    from numpy._core._multiarray_umath import (  # type: ignore[import-not-found]
        _array_converter,
    )
except ImportError:  # before NumPy 2.1
    pass
else:
    STAND_INS[id(_array_converter)] = Converter


# ------------------------------------------------------------------------ functions of functions

_along = relink(np.apply_along_axis)
composite(np.apply_along_axis, _along)
composite(np.apply_over_axes, relink(np.apply_over_axes))


@twin_for(np.apply_along_axis)
def _apply_along_axis(func1d: Callable, axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    if RECORDER.recording is None:
        return np.apply_along_axis(func1d, axis, arr, *args, **kwargs)
    return _along(func1d, axis, arr, *args, **kwargs)  # the function may know traced values


_Vectorize: Any = np.vectorize


class vectorize(_Vectorize):  # noqa: N801  (NumPy's name)
    """`np.vectorize` whose function may take and return traced numbers."""

    __doc__ = np.vectorize.__doc__
    _signed = relink(_Vectorize._vectorize_call_with_signature)

    def __new__(cls, *_: Any, **__: Any) -> Any:
        """Make one that a script holds as NumPy's own after the block."""
        return made(super().__new__(cls))

    def _vectorize_call(self, func: Callable, args: Any) -> Any:
        if RECORDER.recording is None or not args:
            return super()._vectorize_call(func=func, args=args)
        if self.signature is not None:
            return self._signed(func, args)
        arrays = [_Elements(x) for x in args]
        order, like = _memory_order([x.array for x in arrays])
        kinds: Any
        if self.otypes is None:
            if not np.size(like):
                raise ValueError("cannot call `vectorize` on size 0 inputs unless `otypes` is set")
            # NumPy asks the first elements for the type, and calls again if not told to keep that.
            first = func(*(x.array[(0,) * x.array.ndim] for x in arrays))
            several = isinstance(first, tuple)
            kinds = [np.asarray(plain(y)).dtype.char for y in (first if several else (first,))]
        else:
            first, kinds, several = None, self.otypes, len(self.otypes) > 1
        columns: list[list] = [[] for _ in kinds]
        for where in order:
            if first is not None and self.cache and where is order[0]:
                y = first
            else:
                y = func(*(x.at(where) for x in arrays))
            for column, item in zip(columns, y if several else (y,), strict=True):
                column.append(item)
        found = [_column(c, kind, like) for c, kind in zip(columns, kinds, strict=True)]
        return tuple(found) if several else found[0]


class _Elements:
    """The elements of an argument of `vectorize`, as NumPy's array of objects would hold them."""

    def __init__(self, argument: Any) -> None:
        self.array = asanyarray(argument)
        kept = isinstance(plain(argument), np.ndarray) or holds_traced(argument)
        self._is_number = isinstance(plain(argument), (np.generic, float, complex))
        self._objects = None if kept else np.asanyarray(argument, dtype=object)

    def at(self, where: tuple) -> Any:
        """Return the element at a place of the arrays broadcast together."""
        x = self.array
        index = where[len(where) - x.ndim :]
        index = tuple(0 if n == 1 else i for i, n in zip(index, x.shape, strict=True))
        if self._objects is not None:
            return self._objects[index]
        return x[index] if self._is_number else x.item(index)


def _memory_order(arrays: list) -> tuple[list[tuple], np.ndarray]:
    """Return the places that a ufunc visits, in order, and an array laid out as its result is."""
    leaks.laid_out(*(x for x in arrays if np.ndim(x) > 1))
    arrays = [np.empty_like(x, dtype=bool) for x in plain(arrays)]  # NumPy's arrays of objects
    flags: Any = ["multi_index", "zerosize_ok"]
    steps = np.nditer(
        [*plain(arrays), None], flags, order="K", op_dtypes=[None] * len(arrays) + [float]
    )
    order = [steps.multi_index for _ in steps]
    return order, steps.operands[-1]


def _column(items: list, kind: str, like: np.ndarray) -> Any:
    """Return the results, which come in the order of the memory of `like`, as an array like it."""
    array = array_of(np.array, items, dtype=kind) if holds_traced(items) else np.array(items, kind)
    axes = sorted(range(like.ndim), key=lambda axis: -like.strides[axis])
    array = array.reshape([like.shape[axis] for axis in axes])
    return fresh(array.transpose(np.argsort(axes)).copy(order="K"))


vectorize.__name__ = vectorize.__qualname__ = "vectorize"
vectorize.__module__ = "numpy"
register(np.vectorize, vectorize)


# ------------------------------------------------------------------------------ r_, mgrid, ...


def _traced_key(key: Any) -> bool:
    parts = key if isinstance(key, tuple) else (key,)
    return any(
        holds_traced([x.start, x.stop, x.step]) if isinstance(x, slice) else holds_traced(x)
        for x in parts
    )


def _plain_key(key: Any) -> Any:
    if isinstance(key, tuple):
        return tuple(map(_plain_key, key))
    if isinstance(key, slice):
        return slice(*plain([key.start, key.stop, key.step]))
    return plain(key)


def _indexing(original: Any) -> None:
    """Make the twin of an object whose indexing makes arrays."""
    kind = type(original)
    body = relink(kind.__getitem__)

    def getitem(self: Any, key: Any) -> Any:
        if isinstance(key, str):  # names in the caller's frame
            frame = sys._getframe(1)
            return np.bmat(key, frame.f_locals, frame.f_globals)
        if not _traced_key(key):
            return fresh(original[key])
        wanted, y = original[_plain_key(key)], body(self, key)
        if type(y) in HANDLE_TYPES and y.dtype != wanted.dtype:
            return y.astype(wanted.dtype)  # a Python float has no say in the dtype
        return y

    twin: Any = object.__new__(type(kind.__name__, (kind,), {"__getitem__": getitem}))
    for name in ("axis", "matrix", "ndmin", "trans1d", "sparse"):
        if hasattr(original, name):
            setattr(twin, name, getattr(original, name))
    register(original, twin)


for _original in (np.r_, np.c_, np.mgrid, np.ogrid):
    _indexing(_original)
