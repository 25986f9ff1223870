"""Twins: what stands for NumPy's functions in a cell, where dispatch cannot see a traced value.

NumPy is never patched. A twin is a function of ours with the name, the documentation and the
signature of the original; the cell's namespace is given twins on entry and the originals on exit.
Without a recording a twin does exactly what its original does.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Iterator
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from . import later, leaks
from .calls import dispatch
from .calls.creation import as_operand
from .calls.dispatch import HANDLE_TYPES, holds_traced, is_setting, plain
from .handles import LISTS
from .primitives import RULES, Primitive
from .readback import read_back
from .recorder import RECORDER
from .traced import TracedArray

#: id of an original -> its twin, and the other way round. Both are kept alive by `_KEPT`.
TWINS: dict[int, Any] = {}
ORIGINALS: dict[int, Any] = {}
_KEPT: list[tuple[Any, Any]] = []


def register(original: Any, twin: Any) -> Any:
    """Note that `twin` stands for `original` in a cell."""
    TWINS[id(original)] = twin
    ORIGINALS[id(twin)] = original
    _KEPT.append((original, twin))
    return twin


def originals() -> dict[int, Any]:
    """Return all that has a twin, by identity: a copy would have none."""
    later.load()
    return {id(original): original for original, _ in _KEPT}


def twin_for(original: Any) -> Callable[[Callable], Callable]:
    """Make a function the twin of `original`, and give it that one's name and documentation."""

    def decorate(function: Callable) -> Callable:
        try:
            functools.update_wrapper(function, original)
        except (AttributeError, TypeError):
            function.__name__ = getattr(original, "__name__", "twin")
        function.__wrapped__ = original  # type: ignore[attr-defined]
        function.__dict__.pop("_implementation", None)
        return register(original, function)

    return decorate


def may_hold_traced(x: Any) -> bool:
    """Tell, quickly for long lists of plain numbers, whether array data holds a handle."""
    kind = type(x)
    if kind in LISTS:
        for item in x:
            kind = type(item)
            if kind is not float and kind is not int and holds_traced(item):
                return True
        return False
    return kind in HANDLE_TYPES or (isinstance(x, LISTS) and holds_traced(x))


# ---------------------------------------------------------------------------------- results


def fresh(y: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
    """Put a new float array behind a handle, so that a traced value can be written into it.

    Arrays that the caller has already, and views of them, stay as they are: writes to a handle of
    our own would not reach them.
    """
    if RECORDER.recording is None or type(y) in HANDLE_TYPES:
        return y
    if type(y) is np.ndarray:
        given = (*args, *kwargs.values()) if kwargs else args
        if y.dtype.kind not in "fc" or _is_somebodys(y, given):
            return y
        return made(dispatch.untracked(y, TracedArray))
    if type(y) in (tuple, list):
        return type(y)(fresh(item, args, kwargs) for item in y)
    if isinstance(y, tuple) and hasattr(y, "_make"):
        return y._make(fresh(item, args, kwargs) for item in y)
    return y


def made(x: Any) -> Any:
    """Let a script hold what `x` stands for in its place, when the block is over."""
    if RECORDER.made is not None:
        RECORDER.made.append(weakref.ref(x))
    return x


def _is_somebodys(y: np.ndarray, args: tuple) -> bool:
    """Tell whether a result is one of the arguments, or may be a view of one."""
    if any(y is x for x in args):
        return True
    if y.base is None:
        return False
    return not isinstance(y.base, np.ndarray) or any(_has_memory_of(y, x) for x in args)


def _has_memory_of(y: np.ndarray, x: Any) -> bool:
    if type(x) in (list, tuple):
        return any(_has_memory_of(y, item) for item in x)
    if isinstance(x, np.ndarray):
        return np.may_share_memory(y, plain(x))
    return not isinstance(x, (int, float, complex, str, np.generic, np.dtype, type, type(None)))


def making(original: Callable) -> Callable:
    """Make the twin of a function that takes no traced values and makes arrays."""

    def twin(*args: Any, **kwargs: Any) -> Any:
        y = original(*args, **kwargs)
        return y if RECORDER.recording is None else fresh(y, args, kwargs)

    return twin_for(original)(twin)


def listening(original: Callable) -> Callable:
    """Make the twin of a function that dispatches: lists of traced values become arrays first."""
    rule: Any = RULES.get(original)
    is_short = type(rule) is Primitive and rule.kind in ("general", "linear")

    def twin(*args: Any, **kwargs: Any) -> Any:
        # To ask NumPy, which would ask the handle, costs as much as the rest.
        if is_short and args and type(args[0]) in HANDLE_TYPES:
            if len(args) == 1 and all(map(is_setting, kwargs.values())):
                return dispatch.call_one(rule, original, args[0], kwargs, 2)
            if len(args) == 2 and not kwargs and is_setting(args[1]):
                return dispatch.call_binary(rule, original, *args, 2)
        try:
            for i, x in enumerate(args):
                if type(x) in LISTS and may_hold_traced(x):
                    args = (*args[:i], as_operand(x), *args[i + 1 :])
            for key, x in kwargs.items():
                if type(x) in LISTS and may_hold_traced(x):
                    kwargs[key] = as_operand(x)
        except ValueError:  # of arrays of unequal shapes
            original(*plain(args), **plain(kwargs))  # NumPy's own error
            raise
        y = original(*args, **kwargs)
        return y if RECORDER.recording is None else fresh(y, args, kwargs)

    return twin_for(original)(twin)


def showing(original: Callable) -> Callable:
    """Make the twin of a function that shows, stores or compares: it gets the plain values."""

    def twin(*args: Any, **kwargs: Any) -> Any:
        try:
            for handle in handles_in([*args, *kwargs.values()]):
                leaks.shown(handle)
            args, kwargs = plain(args), plain(kwargs)  # also handles that no tape watches
        except RecursionError:  # lists that hold themselves: `pickle` can, and asks each handle
            pass
        return original(*args, **kwargs)

    return twin_for(original)(twin)


def handles_in(x: Any) -> Iterator[Any]:
    """Yield the handles in lists, tuples and dicts."""
    if type(x) in HANDLE_TYPES:
        yield x
    elif isinstance(x, list | tuple | dict):
        for item in x.values() if isinstance(x, dict) else x:
            yield from handles_in(item)


def reading(original: Callable, hold: Callable = fresh) -> Callable:
    """Make the twin of a function that reads numbers from text, bytes or a file.

    ``hold(y, args, kwargs)`` puts the arrays in what it returns behind handles.
    """

    def twin(*args: Any, **kwargs: Any) -> Any:
        for handle in handles_in([*args, *kwargs.values()]):
            leaks.leave(handle, "its bytes are read as they lie")
        y = original(*plain(args), **plain(kwargs))
        read_back(y)
        return hold(y, args, kwargs)

    return twin_for(original)(twin)


# ----------------------------------------------------------------------- classes and modules


def twin_class(original: type, construct: Callable) -> None:
    """Let a class of the same name call `construct` while a tape records.

    Without one it makes objects of the original class.
    """

    class Kind(type):
        def __new__(mcs, name: str, bases: tuple, body: dict) -> Any:
            if bases:  # a subclass of the user's is one of the original
                return type(name, tuple(ORIGINALS.get(id(x), x) for x in bases), body)
            return super().__new__(mcs, name, bases, body)

        def __call__(cls, *args: Any, **kwargs: Any) -> Any:
            making = original if RECORDER.recording is None else construct
            return making(*args, **kwargs)

        def __instancecheck__(cls, x: Any) -> bool:
            return isinstance(x, original)

        def __subclasscheck__(cls, kind: type) -> bool:
            return issubclass(kind, original)

        def __getattr__(cls, name: str) -> Any:
            return getattr(original, name)

    body = {"__doc__": original.__doc__, "__module__": original.__module__}
    register(original, Kind(original.__name__, (), body))


class TwinModule(ModuleType):
    """A module whose attributes are those of another, except where those have twins."""

    def __init__(self, original: ModuleType) -> None:
        super().__init__(original.__name__, original.__doc__)
        object.__setattr__(self, "_original", original)
        self.__dict__.update(
            (name, TWINS.get(id(value), value)) for name, value in vars(original).items()
        )
        # a module's own would be asked before ours, and answer with originals
        self.__dict__.pop("__getattr__", None)

    def __getattr__(self, name: str) -> Any:
        """Find what was added to, or lazily loaded by, the original module."""
        value = getattr(self._original, name)
        later.load()
        return TWINS.get(id(value), value)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._original, name, value)
        super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return dir(self._original)


def twin_module(original: ModuleType) -> ModuleType:
    """Make and register the twin of a module whose functions have twins."""
    known = TWINS.get(id(original))
    return known if known is not None else register(original, TwinModule(original))


# --------------------------------------------------------------------- NumPy's own Python code

#: id of an internal of NumPy -> what stands for it in relinked code.
STAND_INS: dict[int, Any] = {}


def relink(function: Callable, **names: Any) -> Callable:
    """Return NumPy's own function, run with twins in place of what it calls.

    Parameters
    ----------
    function : callable
        Written in Python; the decorated form is unwrapped.
    **names
        Globals to put in place of others.
    """
    function = getattr(function, "__wrapped__", function)
    if not isinstance(function, FunctionType):
        raise TypeError(f"{function!r} is not written in Python")
    scope: dict[str, Any] = {}

    def linked(*args: Any, **kwargs: Any) -> Any:
        if not scope:  # when it is first called, all twins are there
            scope.update((k, _linked(v)) for k, v in function.__globals__.items())
            scope.update(names)
        return copied(*args, **kwargs)

    copied = FunctionType(
        function.__code__, scope, function.__name__, function.__defaults__, function.__closure__
    )
    copied.__kwdefaults__ = function.__kwdefaults__
    return functools.update_wrapper(linked, function)


def _linked(value: Any) -> Any:
    """Return what stands for a global of NumPy's in relinked code."""
    known = STAND_INS.get(id(value)) or TWINS.get(id(value))
    if known is not None:
        return known
    if isinstance(value, ModuleType) and value.__name__.startswith("numpy."):
        return STAND_INS.setdefault(id(value), TwinModule(value))
    if isinstance(value, FunctionType) and value.__name__.startswith("_"):  # a helper of NumPy's
        return STAND_INS.setdefault(id(value), relink(value))
    return value
