"""Values of a program that is being written: every NumPy call on one becomes a step.

A `Symbol` knows the value that it had in the recorded run, so code that asks for shapes, dtypes or
truth values goes the way it went then. Whatever a decision hung on becomes a check in the program.
Unlike a handle of a tape it follows everything, integers and bools included, and knows no
derivatives.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin


class NotSymbolicError(Exception):
    """Plain code asked for the numbers themselves."""


#: Functions that only ask for what is the same in every run: shapes and dtypes.
_STATIC = {
    np.shape, np.ndim, np.size, np.result_type, np.iscomplexobj, np.isrealobj, np.can_cast,
    np.may_share_memory, np.shares_memory, np.common_type,
}  # fmt: skip
#: Constants of up to this many elements are written out.
SMALL = 64
_MAKING = (np.zeros, np.empty)  # every call makes an array of its own, to be written to
_WRITING = {
    np.copyto, np.put, np.place, np.putmask, np.fill_diagonal, np.put_along_axis,
}  # fmt: skip
_WRITING_METHODS = {"fill", "partition", "put", "resize", "setfield", "setflags", "sort"}
#: A power is that of the operator, which has short ways (``x**2``) that `np.power` has not.
_COMPUTED_AS = {np.power: operator.pow}


class Symbol(NDArrayOperatorsMixin):
    """One step of a program, and its value in the recorded run.

    Attributes
    ----------
    kind : {"input", "constant", "call", "method", "attribute", "item", "part", "update"}
    fun : callable or str
        What is called; the name of a method or attribute; how an update writes.
    args, kwargs
        With symbols where values of other steps go.
    value : array or number
    depends : bool
        Whether it depends on an input, and not on constants alone.
    place : tuple
        Which part of the run it belongs to: (phase, entry).
    name : str
        The name in the user's code; "" if it has none.
    """

    __slots__ = (
        "args", "depends", "fun", "kind", "kwargs", "name", "number", "place", "value", "writer",
    )  # fmt: skip

    __hash__ = object.__hash__

    @property
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
        self.writer.check(self)
        return kind(self.value)

    def __bool__(self) -> bool:
        return self._decide(bool)

    def __int__(self) -> int:
        return self._decide(int)

    def __index__(self) -> int:
        return self._decide(operator.index)

    def __float__(self) -> float:
        return self._decide(float)

    def __complex__(self) -> complex:
        return self._decide(complex)


def is_symbol(x: Any) -> bool:
    """Tell whether `x` is a step (which `isinstance` does not, since a symbol poses as an array)."""
    return type(x) is Symbol


def concrete(x: Any) -> Any:
    """Replace symbols by their values in the recorded run."""
    return replaced(x, lambda symbol: symbol.value)


def replaced(x: Any, change: Callable) -> Any:
    """Return nested lists, tuples, dicts and slices with `change` applied to the symbols."""
    kind = type(x)
    if kind is Symbol:
        return change(x)
    if kind is list or kind is tuple:
        return kind([replaced(item, change) for item in x])
    if kind is dict:
        return {key: replaced(item, change) for key, item in x.items()}
    if kind is slice:
        return slice(*(replaced(part, change) for part in (x.start, x.stop, x.step)))
    return x


def symbols_in(x: Any) -> list[Symbol]:
    """List the symbols in a nested structure, once per place."""
    found: list[Symbol] = []
    replaced(x, found.append)
    return found


class Writer:
    """Collects the steps of a program, each once, and the checks.

    Attributes
    ----------
    steps : list of Symbol
        In the order in which they were made.
    checks : list of (symbol, place)
        Steps whose value must be what it was.
    """

    def __init__(self) -> None:
        self.steps: list[Symbol] = []
        self.checks: list[tuple[Symbol, tuple]] = []
        self.place: tuple = ("forward", -1)
        self.strict = False
        self._known: dict[Any, Symbol] = {}
        self._keys: list[Any] = []  # of each step
        self._kept: list[Any] = []  # constants whose identity is part of a key
        self._checked: set[int] = set()

    def add(self, kind: str, fun: Any, args: tuple, kwargs: dict, value: Any) -> Any:
        """Make a step, or find the one that is the same; results that are no arrays are checked."""
        if isinstance(value, (tuple, list)):
            whole = self._step(kind, fun, args, kwargs, value)
            parts = [self.add("part", None, (whole, i), {}, v) for i, v in enumerate(value)]
            return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
        if not isinstance(value, (np.ndarray, np.generic)):
            self.check(self._step(kind, fun, args, kwargs, value))
            return value
        if value.size <= SMALL and kind not in ("input", "update") and fun not in _MAKING:
            if not _depends(kind, args, kwargs):
                return value  # what constants come to is a constant
        return self._step(kind, fun, args, kwargs, value)

    def constant(self, value: Any) -> Any:
        """Make a step of a constant that is too large to be written out wherever it is read."""
        if type(value) is not np.ndarray or value.size <= SMALL or value.dtype.kind not in "biufc":
            return value
        return self._step("constant", None, (value,), {}, value)

    def _step(self, kind: str, fun: Any, args: tuple, kwargs: dict, value: Any) -> Symbol:
        key = (kind, _identity(fun), self._key(args), self._key(kwargs))
        fresh = kind in ("input", "update") or fun in _MAKING
        if not fresh and key in self._known:
            return self._known[key]
        step = object.__new__(Symbol)
        step.writer, step.kind, step.fun, step.args, step.kwargs = self, kind, fun, args, kwargs
        step.depends = _depends(kind, args, kwargs)
        step.value, step.place, step.name, step.number = value, self.place, "", len(self.steps)
        self.steps.append(step)
        self._keys.append(key)
        if not fresh:
            self._known[key] = step
        return step

    def call(self, fun: Any, args: tuple, kwargs: dict) -> Any:
        """Call a NumPy function, or one of our own as a whole, on symbols."""
        compute = _COMPUTED_AS.get(fun, fun)
        y = compute(*concrete(args), **concrete(kwargs))
        if fun is np.multiply and not kwargs:
            for one, x in (args, args[::-1]):
                if _is_one(one) and is_symbol(x) and _same_kind(x.value, y):
                    return x
        return self.add("call", fun, args, kwargs, y)

    def run(self, fun: Any, args: tuple, kwargs: dict) -> Any:
        """Call the plain function of a primitive: through its NumPy calls, else as a whole."""
        was, count, checks = self.strict, len(self.steps), len(self.checks)
        self.strict = True
        try:
            return fun(*args, **kwargs)
        except (NotSymbolicError, TypeError, ValueError):
            self._forget(count, checks)
            if not symbols_in([args, kwargs]):
                raise
            return self.call(fun, args, kwargs)
        finally:
            self.strict = was

    def _forget(self, count: int, checks: int) -> None:
        """Take back the steps and checks made since there were so many."""
        for step, key in zip(self.steps[count:], self._keys[count:], strict=True):
            if self._known.get(key) is step:
                del self._known[key]
        for step, _ in self.checks[checks:]:
            self._checked.discard(id(step))
        del self.steps[count:], self._keys[count:], self.checks[checks:]

    def check(self, step: Symbol) -> None:
        """Let the program go on only where this step has the value that it had."""
        if step.depends and id(step) not in self._checked:
            self._checked.add(id(step))
            self.checks.append((step, self.place))

    @contextmanager
    def at(self, *place: Any) -> Iterator[None]:
        """Ascribe the steps made in the block to a place of the run."""
        was, self.place = self.place, place
        try:
            yield
        finally:
            self.place = was

    def _key(self, x: Any) -> Any:
        kind = type(x)
        if kind is Symbol:
            return ("step", x.number)
        if kind in (list, tuple):
            return (kind, *map(self._key, x))
        if kind is dict:
            return tuple((key, self._key(item)) for key, item in x.items())
        if kind is slice:
            return ("slice", *map(self._key, (x.start, x.stop, x.step)))
        if kind is np.ndarray and x.size <= 64 or isinstance(x, np.generic):
            return (kind, x.dtype.str, x.shape, x.tobytes())
        if kind in (int, str, bool, type(None), float, complex, bytes):
            return (kind, repr(x))
        self._kept.append(x)
        return ("object", id(x))


def _depends(kind: str, args: Any, kwargs: Any) -> bool:
    return kind == "input" or any(step.depends for step in symbols_in([args, kwargs]))


def _is_one(x: Any) -> bool:
    return not is_symbol(x) and np.ndim(x) == 0 and isinstance(x, (float, np.floating)) and x == 1


def _same_kind(x: Any, y: Any) -> bool:
    return (x.shape, x.dtype) == (y.shape, y.dtype)


def _identity(fun: Any) -> Any:
    owner = getattr(fun, "__self__", None)
    if isinstance(owner, np.ufunc):  # ``np.add.reduce`` is another object every time
        return (owner, fun.__name__)
    return fun
