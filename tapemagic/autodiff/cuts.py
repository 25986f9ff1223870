"""Derivatives of the user's making: `stop_gradient`, `custom_gradient`, `checkpoint`."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.errors import TapeUseError

from . import leaks, recorder, structures
from .avals import AVALS, MULTIPLE, code_of, full, is_small
from .calls import dispatch
from .calls.dispatch import is_traced
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
        for one argument, else a list or tuple. With several results, ``grad(*cts)``.

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
        ids, codes = [], []
        for x in args:
            _, id_, code = dispatch.operand(x)
            ids.append(id_)
            codes.append(code)
        start = len(RECORDER.entries)
        pair = fun(*args, **kwargs)
        if not (isinstance(pair, (tuple, list)) and len(pair) == 2 and callable(pair[1])):
            raise TapeUseError(
                f"{name} has to return its value and a gradient function.",
                fix="return y, lambda ct: ...",
            )
        y, gradient = pair
        if RECORDER.recording is None or max(ids, default=-1) < 0:
            return y
        _refuse_captured(name, set(ids), start)
        cls = dispatch.family(args)
        constants = [None if id_ >= 0 else dispatch.plain(x) for x, id_ in zip(args, ids)]
        rule = (gradient, name, functools.partial(_value_of, fun, constants, kwargs))
        plain = structures.map_leaves(dispatch.plain, y)
        if isinstance(plain, (tuple, list)):
            results = tuple(map(code_of, plain))
            tail: tuple = (MULTIPLE, tuple(ids), tuple(codes), rule, results, None)
            id_ = recorder.append(tail, custom.code)
            return dispatch.unpack(plain, id_, cls)
        code = code_of(plain if hasattr(plain, "dtype") else float(plain))
        kept = plain if is_small(code) else None
        tail = (code, tuple(ids), tuple(codes), rule, None, kept)
        return dispatch.traced(plain, code, recorder.append(tail, custom.code), cls)

    return wrapper


def _value_of(fun: Callable, constants: list, keywords: dict, operands: list) -> Any:
    """Call a function with a gradient of its own once more, for its value alone."""
    args = [x if constant is None else constant for constant, x in zip(constants, operands)]
    return structures.map_leaves(dispatch.plain, fun(*args, **keywords)[0])


def _refuse_captured(name: str, known: set[int], start: int) -> None:
    """Raise if a function read something watched that is none of its arguments.

    Its gradient function answers for the arguments alone: the rest would be missing in silence.
    """
    for entry in RECORDER.entries[start:]:
        ids = entry[4:6] if isinstance(entry[4], int) else entry[4]
        is_variable = PRIMITIVES[entry[0]] is source
        if is_variable or any(0 <= id_ < start and id_ not in known for id_ in ids):
            raise _captured(name)


def _captured(name: str) -> TapeUseError:
    return leaks.locate(
        TapeUseError(
            f"{name} reads a watched value that is not one of its arguments: its gradient would"
            " miss it.",
            fix="Pass it as an argument, or cut it: tapemagic.stop_gradient(x).",
        )
    )


def _custom_pullback(ct: Any, entry: tuple, cotangents: list) -> None:
    aval, ids, codes, (gradient, name, _), result_codes = entry[3:8]
    if aval == MULTIPLE:
        unused = (np.zeros(AVALS[code].shape, AVALS[code].dtype)[()] for code in result_codes)
        given = [zero if one is None else one for one, zero in zip(ct, unused)]
    else:
        given = [full(ct, AVALS[aval])]
    before = RECORDER.stand(None)  # the user's function has lines of its own
    try:
        results = gradient(*given)
    finally:
        RECORDER.go_on(before)
    if not isinstance(results, (list, tuple)):
        results = [results]
    if len(results) != len(ids):
        raise TapeUseError(
            f"The gradient function of {name} returned {len(results)} values for {len(ids)} "
            "arguments.",
            fix="Return one cotangent per argument (None where there is none).",
        )
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


def checkpoint(fun: Callable) -> Callable:
    """Record a call of `fun` as one node that keeps only its arguments (decorator).

    The sweep runs the function again, with a tape, when it comes to it: less memory for one more
    forward pass (Griewank and Walther 2000, "Algorithm 799: revolve", for the general scheme).

    Examples
    --------
    >>> import numpy as np, tapemagic
    >>> step = tapemagic.checkpoint(lambda x: np.tanh(x) * np.exp(-x))
    >>> tapemagic.grad(step)(0.0)
    np.float64(1.0)
    """
    from .derivatives import vjp

    @custom_gradient
    @functools.wraps(fun)
    def checkpointed(*args: Any) -> Any:
        plain = [dispatch.plain(x) for x in args]
        y = _unrecorded(fun, plain)

        def gradient(ct: Any) -> Any:
            return vjp(fun, *args)[1](ct)

        return y, gradient

    return checkpointed


def _unrecorded(fun: Callable, args: list) -> Any:
    """Call a function on plain arguments; refuse what it reads of the recording besides."""
    was = RECORDER.recording
    if was is None:
        return fun(*args)
    RECORDER.close()
    RECORDER.shunned = was.token
    try:
        return fun(*args)
    except dispatch.ReadsShunned:
        raise _captured(getattr(fun, "__name__", "The function")) from None
    finally:
        RECORDER.shunned = None
        RECORDER.open(was)


def _custom(*args: Any) -> Any:
    raise AssertionError("a custom_gradient node is recorded by its wrapper")


custom = Primitive(_custom, "general", name="custom")
custom.code = len(PULLBACKS)
PRIMITIVES.append(custom)
PULLBACKS.append(_custom_pullback)
