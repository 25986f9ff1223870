"""Derivatives of the user's making: `stop_gradient`, `custom_gradient`."""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.errors import TapeUseError

from . import guards, leaks, recorder, structures
from .avals import AVALS, MULTIPLE, code_of, full, is_small
from .calls import dispatch
from .calls.dispatch import is_traced, untracked
from .primitives import PRIMITIVES, PULLBACKS, Primitive
from .recorder import RECORDER
from .structure import source


def stop_gradient(x: Any) -> Any:
    """Return the value of `x` as a constant: the gradient does not flow through it.

    Parameters
    ----------
    x : array, number, or a nested structure of them

    Examples
    --------
    >>> import tapemagic
    >>> tapemagic.grad(lambda x: x * tapemagic.stop_gradient(x))(3.0)
    np.float64(3.0)
    """
    return structures.map_leaves(_cut, x)


def _cut(x: Any) -> Any:
    if not is_traced(x):
        return x
    y = constant_of(x)
    leaks.note("cut", (x,))
    return y


def constant_of(x: Any) -> Any:
    """Return the value of a handle as a constant, for our own arithmetic: nothing the user cut."""
    if not is_traced(x):
        return x
    leaks.decided(operator.pos, (x,), {})
    value = dispatch.plain(x)
    if isinstance(value, np.ndarray):
        value = value.copy()
    return dispatch.untracked(value, x.result_class)


def custom_gradient(fun: Callable) -> Callable:
    """Give a function a gradient of its own (decorator).

    Parameters
    ----------
    fun : callable
        Returns ``(y, grad)``, where ``grad(ct)`` gives the cotangent of every argument: one value
        for one argument, else a list or tuple. With several results, ``grad(*cts)``. For an
        argument that is a list, dict, ... of arrays it gives one of the same structure, or all
        arguments' cotangents in one flat list.

    Raises
    ------
    TapeUseError
        In the sweep, if `grad` returns another number of values than there are arguments.

    Examples
    --------
    >>> import numpy as np, tapemagic
    >>> @tapemagic.custom_gradient
    ... def log1pexp(x):
    ...     e = np.exp(x)
    ...     return np.log(1 + e), lambda ct: ct * (1 - 1 / (1 + e))
    >>> float(tapemagic.grad(log1pexp)(100.0))
    1.0
    """

    @functools.wraps(fun)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        name = getattr(fun, "__name__", "custom")
        args = tuple(frozen(args)) if RECORDER.recording is not None else args
        leaves = structures.leaves(list(args))
        ids, codes = [], []
        for x in leaves:
            _, id_, code = dispatch.operand(x)
            ids.append(id_)
            codes.append(code)
        start = len(RECORDER.entries)
        pair = fun(*args, **kwargs)
        if any(is_traced(x) and getattr(x.storage, "changed", False) for x in leaves):
            raise leaks.locate(
                TapeUseError(
                    f"{name} writes to its argument, which its gradient function reads later.",
                    fix="Let it copy the argument first: x = x.copy().",
                )
            )
        if not (isinstance(pair, (tuple, list)) and len(pair) == 2 and callable(pair[1])):
            raise TapeUseError(
                f"{name} has to return its value and a gradient function.",
                fix="return y, lambda ct: ...",
            )
        y, gradient = pair
        if RECORDER.recording is None or max(ids, default=-1) < 0:
            return y
        _refuse_captured(name, set(ids), start)
        cls = dispatch.family(leaves)
        constants = [None if id_ >= 0 else dispatch.plain(x) for x, id_ in zip(leaves, ids)]
        numbers = itertools.count(0.0)  # not integers, which count as settings
        places = [structures.map_leaves(lambda _: next(numbers), x) for x in args]
        rule = (
            functools.partial(_cotangents, gradient, name, places),
            name,
            functools.partial(_again, fun, name, places, constants, kwargs),
            cls,
        )
        plain, flat = _plain_results(y)
        if flat is not None:
            arrays = [x for x in flat if has_slope(x)]
            results = tuple(map(code_of, arrays))
            tail: tuple = (MULTIPLE, tuple(ids), tuple(codes), rule, results, None)
            made = iter(dispatch.unpack(arrays, recorder.append(tail, custom.code), cls))
            return structures.map_leaves(lambda x: next(made) if has_slope(x) else x, plain)
        code = code_of(plain if hasattr(plain, "dtype") else float(plain))
        kept = plain if is_small(code) else None
        tail = (code, tuple(ids), tuple(codes), rule, None, kept)
        return dispatch.traced(plain, code, recorder.append(tail, custom.code), cls)

    return wrapper


def _again(
    fun: Callable, name: str, places: list, constants: list, keywords: dict, operands: list
) -> tuple[Any, Callable | None]:
    """Call a function with a gradient of its own once more: return value and cotangents' function.

    None instead of that for a function whose attribute `recorded` can be differentiated.
    """
    values = [x if constant is None else constant for constant, x in zip(constants, operands)]
    args = [structures.map_leaves(lambda place: values[int(place)], x) for x in places]
    if hasattr(fun, "recorded"):
        return fun.recorded(*args), None
    y, gradient = fun(*args, **keywords)
    return y, functools.partial(_cotangents, gradient, name, places)


def value_again(entry: tuple, operands: list) -> Any:
    """Compute the value of a node of such a function once more, of plain operands."""
    y, flat = _plain_results(entry[6][2](operands)[0])
    return y if flat is None else list(filter(has_slope, flat))


def frozen(args: Any) -> list[Any]:
    """Return arguments with handles of what they hold now: the user may write to them later."""
    known: dict[int, Any] = {}

    def one(x: Any) -> Any:
        if not is_traced(x):
            return guards.keep(x) if type(x) is np.ndarray else x
        if id(x) not in known:
            value, id_, code = dispatch.operand(x)
            cls = x.result_class
            still = dispatch.traced(value, code, id_, cls) if id_ >= 0 else untracked(value, cls)
            known[id(x)] = x, still
        return known[id(x)][1]

    return [structures.map_leaves(one, x) for x in args]


def has_slope(x: Any) -> bool:
    """Tell whether a result is a number or array that can have a gradient."""
    return isinstance(x, float | complex) or getattr(x, "dtype", np.dtype(int)).kind in "fc"


def _plain_results(y: Any) -> tuple[Any, list[Any] | None]:
    """Return a result as plain values, and a list of them if it has several."""
    plain = structures.map_leaves(dispatch.plain, y)
    flat = structures.leaves(plain)
    return plain, None if len(flat) == 1 and flat[0] is plain else flat


def _cotangents(gradient: Callable, name: str, places: list, given: list) -> list[Any]:
    """Call a gradient function; return a cotangent (or None) for each array in the arguments."""
    results = gradient(*given)
    parts = list(results) if isinstance(results, (list, tuple)) else [results]
    count = len(structures.leaves(places))
    if len(parts) == len(places):
        flat: list[Any] = []
        for part, place in zip(parts, places):
            inside = structures.leaves(place)
            if part is None or place is None:
                flat += [None] * len(inside)
            else:
                flat += structures.leaves(part, place) if inside != [place] else [part]
        if len(flat) == count:
            return flat
    if len(parts) == count:
        return parts
    raise TapeUseError(
        f"The gradient function of {name} returned {len(parts)} values for {len(places)} "
        "arguments.",
        fix="Return one cotangent per argument (None where there is none).",
    )


def _refuse_captured(name: str, known: set[int], start: int) -> None:
    """Raise if a function read something watched that is none of its arguments.

    Its gradient function answers for the arguments alone: the rest would be missing in silence.
    """
    for entry in RECORDER.entries[start:]:
        ids = entry[4:6] if isinstance(entry[4], int) else entry[4]
        is_variable = PRIMITIVES[entry[0]] is source
        if is_variable or any(0 <= id_ < start and id_ not in known for id_ in ids):
            raise captured(name)


def captured(name: str) -> TapeUseError:
    """Return the error for a function that reads a watched value behind the tape's back."""
    return leaks.locate(
        TapeUseError(
            f"{name} reads a watched value that is not one of its arguments: its gradient would"
            " miss it.",
            fix="Pass it as an argument, or cut it: tapemagic.stop_gradient(x).",
        )
    )


def _custom_pullback(ct: Any, entry: tuple, cotangents: list) -> None:
    aval, ids, codes, (cotangents_of, name, *_), result_codes = entry[3:8]
    if aval == MULTIPLE:
        unused = (np.zeros(AVALS[code].shape, AVALS[code].dtype)[()] for code in result_codes)
        given = [zero if one is None else one for one, zero in zip(ct, unused)]
    else:
        given = [full(ct, AVALS[aval])]
    before = RECORDER.stand(None)  # the user's function has lines of its own
    try:
        results = cotangents_of(given)
    finally:
        RECORDER.go_on(before)
    for operand, code, new in zip(ids, codes, results):
        if operand < 0 or new is None:
            continue
        if np.shape(new) != AVALS[code].shape:
            raise TapeUseError(
                f"The gradient function of {name} returned shape {np.shape(new)} for an argument "
                f"of shape {AVALS[code].shape}."
            )
        old = cotangents[operand]
        cotangents[operand] = new if old is None else old + new


def no_program(node: int, entry: tuple, reason: str) -> TapeUseError:
    """Return the error for a run that cannot be written out because of such a node."""
    error = TapeUseError(
        f"{entry[6][1]} has a gradient of its own (custom_gradient, checkpoint), which cannot be "
        f"written as a program: {reason}",
        fix="Call it without the decorator for a program, or ask the tape.",
    )
    error.node = node
    return error


def _custom(*args: Any) -> Any:
    raise AssertionError("a custom_gradient node is recorded by its wrapper")


custom = Primitive(_custom, "general", name="custom")
custom.code = len(PULLBACKS)
PRIMITIVES.append(custom)
PULLBACKS.append(_custom_pullback)
