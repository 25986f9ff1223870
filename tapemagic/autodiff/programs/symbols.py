"""Values of a program that is being written: every NumPy call on one becomes a step.

A `Symbol` knows the value that it had in the recorded run, so code that asks for shapes, dtypes or
truth values goes the way it went then. Whatever a decision hung on becomes a check in the program.
Unlike a handle of a tape it follows everything, integers and bools included, and knows no
derivatives.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

if TYPE_CHECKING:
    from .writer import Writer


class NotSymbolicError(Exception):
    """Plain code asked for the numbers themselves."""


#: Functions that ask for shapes and dtypes only, the same in every run.
_STATIC = {
    np.shape, np.ndim, np.size, np.result_type, np.iscomplexobj, np.isrealobj, np.can_cast,
    np.may_share_memory, np.shares_memory, np.common_type,
}  # fmt: skip
#: Constants of up to this many elements are written out.
SMALL = 64
_WRITING = {
    np.copyto, np.put, np.place, np.putmask, np.fill_diagonal, np.put_along_axis,
}  # fmt: skip
_WRITING_METHODS = {"fill", "partition", "put", "resize", "setfield", "setflags", "sort"}


class Symbol(NDArrayOperatorsMixin):
    """One step of a program, and its value in the recorded run.

    Attributes
    ----------
    kind : {"input", "constant", "call", "method", "attribute", "item", "copy", "part", "update"}
    fun : callable or str
        What is called; the name of a method or attribute; how an update writes.
    args, kwargs
        With symbols where values of other steps go.
    value : array or number
    depends : bool
        Whether it depends on an input (or on a row of an array), and not on constants alone.
    place : tuple
        Which part of the run it belongs to: (phase, entry).
    name : str
        The name in the user's code; "" if it has none.
    """

    __slots__ = (
        "args", "depends", "fun", "kind", "kwargs", "name", "number", "place", "value", "writer",
    )  # fmt: skip

    args: Any
    depends: bool
    fun: Any
    kind: str
    kwargs: dict
    name: str
    number: int
    place: tuple
    value: Any
    writer: Writer

    __hash__ = object.__hash__

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(self.value)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if kwargs.get("out") is not None or method == "at":
            raise NotSymbolicError
        fun = ufunc if method == "__call__" else getattr(ufunc, method)
        return self.writer.call(fun, inputs, kwargs)

    def __array_function__(self, fun: Any, types: Any, args: tuple, kwargs: dict) -> Any:
        if fun in _STATIC:
            return fun(*concrete(args), **concrete(kwargs))
        if fun in _WRITING or kwargs.get("out") is not None:
            raise NotSymbolicError
        return self.writer.call(fun, args, kwargs)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if self.writer.strict:
            raise NotSymbolicError
        self.writer.check(self)
        return np.array(self.value, dtype)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in _WRITING_METHODS:
            raise NotSymbolicError
        found = getattr(self.value, name)
        if isinstance(found, (np.ndarray, np.generic)):
            return self.writer.add("attribute", name, (self,), {}, found)
        if not callable(found) or isinstance(found, type):
            return found

        def method(*args: Any, **kwargs: Any) -> Any:
            y = found(*concrete(args), **concrete(kwargs))
            return self.writer.add("method", name, (self, *args), kwargs, y)

        return method

    def __getitem__(self, index: Any) -> Any:
        value = self.value[concrete(index)]
        if isinstance(self.value, tuple):
            return self.writer.add("part", None, (self, index), {}, value)
        return self.writer.add("item", None, (self, index), {}, value)

    def __iter__(self) -> Iterator:
        return (self[i] for i in range(len(self.value)))

    def __len__(self) -> int:
        return len(self.value)

    def _decide(self, kind: Callable) -> Any:
        """Let the program check what is made of the value, or the value if it is of that kind."""
        found = kind(self.value)
        if self.value.dtype.kind == np.dtype(type(found)).kind:
            self.writer.check(self)
            return found
        return self.writer.add("call", kind, (self,), {}, found)

    def _leave(self, kind: Callable) -> Any:
        if self.writer.strict:
            raise NotSymbolicError
        return self._decide(kind)

    def __bool__(self) -> bool:
        return self._decide(bool)

    def __int__(self) -> int:
        return self._decide(int)

    def __index__(self) -> int:
        return self._decide(operator.index)

    def __float__(self) -> float:
        return self._leave(float)

    def __complex__(self) -> complex:
        return self._leave(complex)


def is_symbol(x: Any) -> bool:
    """Tell whether `x` is a step: for `isinstance` a symbol poses as an array."""
    return type(x) is Symbol


def name_cotangent(ct: Any, of: str) -> None:
    """Call a cotangent after what it belongs to, unless it has a name."""
    if is_symbol(ct) and not ct.name and ct.place[0] == "backward":
        ct.name = f"ct_{of}"


def concrete(x: Any) -> Any:
    """Replace symbols, also in nested lists, tuples, dicts and slices, by their recorded values."""
    kind = type(x)
    if kind is Symbol:
        return x.value
    if kind is list or kind is tuple:
        return kind([concrete(item) for item in x])
    if kind is dict:
        return {key: concrete(item) for key, item in x.items()}
    if kind is slice:
        return slice(concrete(x.start), concrete(x.stop), concrete(x.step))
    return x


def symbols_in(x: Any) -> list[Symbol]:
    """List the symbols in a nested structure, once per place."""
    found: list[Symbol] = []
    _collect(x, found)
    return found


def _collect(x: Any, found: list[Symbol]) -> None:
    kind = type(x)
    if kind is Symbol:
        found.append(x)
    elif kind is list or kind is tuple:
        for item in x:
            _collect(item, found)
    elif kind is dict:
        for item in x.values():
            _collect(item, found)
    elif kind is slice:
        _collect((x.start, x.stop, x.step), found)
