"""Functions that do not ask their arguments what to do: twins that carry the call out by its row.

SciPy's functions turn what they are given into plain arrays at once: a row alone is never asked. In
a cell they have twins (see `twinning.py`); the twin puts the arguments in order, so that a row or
the body of a composite is written for one way of calling only: arrays first, the rest by name.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import FunctionType, MethodType, ModuleType
from typing import Any

from tapemagic.autodiff import later, leaks
from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.calls.creation import as_operand
from tapemagic.autodiff.positions import name_of, qualified_name
from tapemagic.autodiff.primitives import composite, general, refuse
from tapemagic.autodiff.recorder import RECORDER
from tapemagic.autodiff.twinning import (
    TWINS,
    TwinModule,
    fresh,
    register,
    twin_class,
    twin_for,
)
from tapemagic.errors import NoRuleError, TapeUseError

from .algebra import is_live, plain


def carry(fun: Callable, *arrays: str, sequences: tuple[str, ...] = ()) -> Callable:
    """Make the twin of a function, which calls its row where a handle is among the arguments.

    Parameters
    ----------
    fun : callable
    *arrays : str
        The parameters that the row takes by position, in this order. All others reach it by name
        and plain; permission to overwrite the arguments is not passed
        on.
    sequences : tuple of str
        Those of `arrays` that are a pair or a list of things, and reach the row as they are.
    """
    signature = inspect.signature(fun)
    names = {name.strip("*") for name in arrays}

    def twin(*args: Any, **kwargs: Any) -> Any:
        given = (*args, *kwargs.values())
        if not any(map(dispatch.holds_traced, given)):
            return fresh(fun(*args, **kwargs), args, kwargs)
        if not any(map(is_live, given)):  # constants of the cell
            y = fun(*map(_copied, args), **{key: _copied(x) for key, x in kwargs.items()})
            return fresh(y)
        bound = signature.bind(*args, **kwargs).arguments
        rest = {
            key: constant_argument(fun, key, x)
            for key, x in bound.items()
            if key not in names and not key.startswith("overwrite_")
        }
        operands = [
            bound.get(name.strip("*"), _default(signature, name.strip("*"))) for name in arrays
        ]
        operands = [
            x if name in sequences or name.startswith("*") else as_operand(x)
            for name, x in zip(arrays, operands, strict=True)
        ]
        if arrays[-1].startswith("*"):  # the rest of the call, one by one
            operands[-1:] = map(as_operand, operands[-1])
        while operands and operands[-1] is None:
            operands.pop()
        return dispatch.call(fun, tuple(operands), rest)

    return twin_for(fun)(twin)


def _default(signature: inspect.Signature, name: str) -> Any:
    default = signature.parameters[name].default
    return None if default is inspect.Parameter.empty else default


def _copied(x: Any) -> Any:
    """Return the plain value of a constant; a copy, since SciPy may be allowed to overwrite it."""
    x = plain(x)
    return x.copy(order="K") if hasattr(x, "copy") and hasattr(x, "dtype") else x


def constant_argument(fun: Callable, name: str, x: Any) -> Any:
    """Return the plain value of an argument that has no derivative; refuse a live one."""
    if is_live(x):
        raise leaks.locate(
            NoRuleError(
                f"{name_of((x,))} is argument {name!r} of {qualified_name(fun)}, which "
                "has no derivative with respect to it.",
                fix="Cut it on purpose with tapemagic.stop_gradient(...).",
            )
        )
    return plain(x)


def carried(fun: Callable, *arrays: str, sequences: tuple[str, ...] = ()) -> Callable:
    """Declare the body of a composite that has a twin (decorator)."""

    def declare(body: Callable) -> Callable:
        composite(fun, body)
        carry(fun, *arrays, sequences=sequences)
        return body

    return declare


def carried_general(fun: Callable, arrays: str, *vjps: Callable | None) -> None:
    """Declare a row that has a twin; `arrays` are its parameters, separated by spaces."""
    general(fun, *vjps)
    carry(fun, *arrays.split())


def refused(fun: Callable, why: str, fix: str) -> None:
    """Declare a function that a traced value may not enter, in whatever argument it comes.

    Nor in what the functions among its arguments return.
    """
    refuse(fun, why, fix)

    def checked(x: Any) -> Any:
        return _guarded(fun, x) if isinstance(x, (FunctionType, MethodType)) else plain(x)

    def twin(*args: Any, **kwargs: Any) -> Any:
        given = (*args, *kwargs.values())
        if any(map(is_live, given)):
            return dispatch.call(fun, given, {})
        args = tuple(map(checked, args))
        return fresh(fun(*args, **{key: checked(x) for key, x in kwargs.items()}), args, kwargs)

    twin_for(fun)(twin)


def _guarded(fun: Callable, function: Callable) -> Callable:
    """Return a function that may not hand a traced value to `fun`."""

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        y = function(*args, **kwargs)
        return dispatch.call(fun, (y,), {}) if is_live(y) else plain(y)

    return called


def refused_class(kind: type, why: str, fix: str) -> None:
    """Declare a class whose objects call functions that may not return traced values."""
    refuse(kind, why, fix)

    def checked(x: Any) -> Any:
        return _guarded(kind, x) if callable(x) else plain(x)

    def construct(*args: Any, **kwargs: Any) -> Any:
        return kind(*map(checked, args), **{key: checked(x) for key, x in kwargs.items()})

    twin_class(kind, construct)


def refuse_rest(module: ModuleType, why: str, fix: str) -> None:
    """Refuse the public functions of a module that have no twin.

    Run on handles, SciPy's own code mostly stops by itself; where it only compares what it is
    given, as a search does, its result would have lost the derivative in silence.
    """
    for name in getattr(module, "__all__", ()):
        fun = getattr(module, name, None)
        # an object of a Python class may have methods, which stay what they are
        is_object = isinstance(getattr(type(fun), "__call__", None), FunctionType)  # noqa: B004
        if not isinstance(fun, type) and callable(fun) and not is_object and id(fun) not in TWINS:
            refused(fun, why, fix)


def discrete(fun: Callable) -> None:
    """Declare a function whose result is made of integers and bools: it has a twin."""

    def twin(*args: Any, **kwargs: Any) -> Any:
        y = fun(*plain(args), **plain(kwargs))
        return leaks.flat(y, args, fun, kwargs) if dispatch.holds_traced(args) else y

    twin_for(fun)(twin)


def unsupported(fun: Callable, what: str, fix: str) -> NoRuleError:
    """Return the error for a keyword with which a function is not carried."""
    return leaks.locate(
        NoRuleError(f"{qualified_name(fun)} has no derivative rule with {what}.", fix=fix)
    )


def refuse_program(what: str) -> None:
    """Raise where a run is written as a program, in which `what` cannot be made anew."""
    if RECORDER.writer is not None:
        raise TapeUseError(
            f"{what} cannot be written as a program.",
            fix="Run the function or the cell again with the other inputs.",
        )


def hanging(name: str, what: str, refusal: str, fix: str) -> Callable:
    """Return a function whose result is its first argument, and hangs on the second somehow.

    A target that depends on it has no derivative: `refusal` says so. `what` it is, a program could
    not make anew.
    """

    def value_of(value: Any, on: Any) -> Any:
        refuse_program(what)
        return value

    def refused_vjp(ct: Any, y: Any, value: Any, on: Any) -> Any:
        raise leaks.locate(NoRuleError(refusal, fix=fix))

    value_of.__name__ = name
    general(value_of, None, refused_vjp, name=name)
    return value_of


class LazyTwin(TwinModule):
    """The twin of a package whose modules are loaded, and get twins, as they are asked for."""

    def __init__(self, original: ModuleType) -> None:
        super().__init__(original)
        for name, value in list(self.__dict__.items()):
            if isinstance(value, ModuleType) and value is not original:
                del self.__dict__[name]

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._original, name)
        later.load()
        return TWINS.get(id(value), value)


def twin_package(original: ModuleType) -> ModuleType:
    """Make and register the twin of a package."""
    known = TWINS.get(id(original))
    return known if known is not None else register(original, LazyTwin(original))
