"""Carrying out a call on traced arrays: find the row and do what it says.

The names that most rooms need are at hand here: handles (`handles.py`) and calls (`general.py`).
"""

from __future__ import annotations

import copy
import inspect
import sys
from functools import lru_cache, partial
from typing import Any

import numpy as np

from tapemagic.autodiff import later, leaks
from tapemagic.autodiff.decisions import DECISIONS, deciding
from tapemagic.autodiff.handles import (  # fmt: skip
    HANDLE_TYPES,
    NUMBER,
    ReadsShunned,
    family,
    holds_traced,
    is_traced,
    itself,
    node_of,
    operand,
    plain,
    traced,
    untracked,
)
from tapemagic.autodiff.positions import name_of, qualified_name
from tapemagic.autodiff.primitives import RULES, Composite, Primitive
from tapemagic.autodiff.recorder import RECORDER
from tapemagic.autodiff.warned import unheard
from tapemagic.errors import NoRuleError, TapeError, UnsupportedWriteError

from .general import as_array, call_elementwise, call_primitive, unpack
from .operands import NUMERIC, asks_for_precedence, becomes_array, is_setting
from .short import call_binary, call_one, call_short, call_unary
from .signatures import signature_of

__all__ = [
    "HANDLE_TYPES",
    "ReadsShunned",
    "call",
    "call_binary",
    "call_elementwise",
    "call_one",
    "call_operator",
    "call_primitive",
    "call_short",
    "call_unary",
    "family",
    "holds_traced",
    "is_setting",
    "is_traced",
    "itself",
    "node_of",
    "operand",
    "plain",
    "traced",
    "unpack",
    "untracked",
]

#: Kinds of dtypes that an operator computes with.
_NUMBERS = "biufc"
_USUAL = {np.ndarray, float, int, np.float64}


# --------------------------------------------------------------------------------- elementwise


def call_operator(rule: Any, compute: Any, args: tuple) -> Any:
    """Carry out a binary or unary operator with at least one handle among its operands."""
    for i, x in enumerate(args):
        kind = type(x)
        if kind in HANDLE_TYPES or kind in _USUAL:
            continue
        if isinstance(x, NUMERIC):
            continue
        later.load()
        foreign = later.OPERATORS.get((rule.fun, kind))
        if foreign is not None:
            return foreign(*args)
        if callable(getattr(kind, "__array_ufunc__", None)) and isinstance(rule.fun, np.ufunc):
            return rule.fun(*args)
        if asks_for_precedence(x):
            return NotImplemented
        if kind.__module__ == "builtins" and np.ndarray not in map(type, plain(args)):
            with unheard():
                compute(*plain(args))  # the own error of a number
        looks = becomes_array(x) and not _is_pythons_number(args[1 - i])
        array = as_array(x) if looks else None
        if type(array) in HANDLE_TYPES:
            compute = rule.fun
        elif array is None or array.dtype.kind not in _NUMBERS:
            return _with_object(compute, args, x)
        args = (*args[:i], array, *args[i + 1 :])
    if not isinstance(rule, Primitive):
        return call(rule.fun, args, {})
    if len(args) == 2:
        return call_binary(rule, compute, *args, 3)
    (x,) = args
    if x.aval > NUMBER:
        return call_unary(rule, compute, x, 3)
    return call_elementwise(rule, compute, args)


def _is_pythons_number(x: Any) -> bool:
    """Tell whether an operand is a number that does not look into sequences, as NumPy's do."""
    value = plain(x)
    return isinstance(value, (float, complex)) and not isinstance(value, np.generic)


def _with_object(compute: Any, args: tuple, other: Any) -> Any:
    """Carry out an operator with an object of a class that NumPy does not know.

    NumPy makes an array of objects of both, in which a number is one of Python's.
    """
    handle = args[0] if args[1] is other else args[1]
    if _is_pythons_number(handle):
        return NotImplemented  # Python asks the other one
    value = plain(handle)
    if np.ndim(value) == 0:
        kind = complex if np.iscomplexobj(value) else float
        number = call_elementwise(RULES[kind], kind, (handle,))
        return compute(*(other if x is other else number for x in args))
    compute(*plain(args))  # Python or NumPy may refuse
    name = type(other).__qualname__
    raise leaks.locate(
        NoRuleError(
            f"{name_of((handle,))} would be computed with an object of class {name} element"
            " by element, in an array of objects, which has no derivative.",
            fix="Write it as a loop over the elements: [v * other for v in x].",
        )
    )


# ------------------------------------------------------------------------------------ general


def call(fun: Any, args: tuple, kwargs: dict) -> Any:
    """Carry out `fun(*args, **kwargs)` where handles are somewhere among the arguments."""
    rule = RULES.get(fun)
    if rule is None:
        later.load()
        rule = RULES.get(fun)
        if rule is None:
            raise leaks.no_rule(fun, args)
    if (len(args) > 1 and len(args) > _place_of_out(fun)) or (
        kwargs and kwargs.get("out") is not None
    ):
        return _into(fun, args, kwargs)
    if type(rule) is Primitive:
        if rule.kind == "constant":
            return leaks.flat(fun(*plain(args), **plain(kwargs)), args, fun, kwargs)
        if rule.kind == "elementwise":
            if not kwargs and len(args) == rule.arity:
                return call_elementwise(rule, fun, args)
        elif len(args) == 1 and type(args[0]) in HANDLE_TYPES:
            return call_one(rule, fun, args[0], kwargs)
        elif len(args) == 2 and not kwargs:
            return call_binary(rule, fun, *args, 3)
        return call_short(rule, fun, args, kwargs)
    if type(rule) is Composite:
        if fun in DECISIONS and RECORDER.recording is not None:
            leaks.decided(*deciding(fun, args, kwargs), {})
        try:
            y = rule.body(*args, **kwargs)
        except Exception as error:
            _raise_own(fun, args, kwargs, error)
            raise
        return itself(y) if type(y) in HANDLE_TYPES else y  # a variable that was handed back
    raise leaks.refusal(rule, args)


def _raise_own(fun: Any, args: tuple, kwargs: dict, error: Exception) -> None:
    """Raise what NumPy's `fun` itself says to the plain values, where our body of it failed."""
    lists = (x if isinstance(x, (list, tuple)) else (x,) for x in (*args, *kwargs.values()))
    calls_back = any(callable(x) and not isinstance(x, type) for items in lists for x in items)
    is_numpys = (getattr(fun, "__module__", None) or "").startswith("numpy")
    if calls_back or not is_numpys or isinstance(error, (TapeError, ReadsShunned)):
        return  # functions of the user's are not called twice
    own = None
    with unheard():
        try:
            fun(*copy.deepcopy(plain(args)), **copy.deepcopy(plain(kwargs)))
        except Exception as found:  # noqa: BLE001  (whatever it raises)
            own = found.with_traceback(None)
    if own is not None:
        raise own from None


@lru_cache(maxsize=512)
def _place_of_out(fun: Any) -> int:
    """Return how many positional arguments come before `out`."""
    try:
        parameters = signature_of(fun).parameters
    except (TypeError, ValueError):
        return sys.maxsize
    if "out" not in parameters or parameters["out"].kind is inspect.Parameter.KEYWORD_ONLY:
        return sys.maxsize
    return list(parameters).index("out")


def _takes_no_floats(out: Any) -> bool:
    return type(out) is np.ndarray and out.dtype.kind in "biu"


def _into(fun: Any, args: tuple, kwargs: dict) -> Any:
    """Carry out a call with `out=`: the call without, and a write of its result."""
    from tapemagic.autodiff.arrays.storing import store

    if len(args) > (place := _place_of_out(fun)):
        names = list(signature_of(fun).parameters)
        args, kwargs = args[:place], dict(zip(names[place:], args[place:])) | kwargs
    rest = {key: value for key, value in kwargs.items() if key != "out"}
    out = kwargs["out"]
    traced_input = holds_traced(args) or holds_traced(tuple(rest.values()))
    if out is not None and traced_input and not is_traced(out):
        if _takes_no_floats(out):  # only integers or bools go there
            return leaks.flat(fun(*plain(args), **plain(rest), out=out), args, fun, rest)
        name = qualified_name(fun)
        raise leaks.locate(
            UnsupportedWriteError(
                f"{name_of(args)} would be written by {name} into a plain array, which the "
                "tape cannot follow.",
                fix=f"Bind the result instead: z = {name}(...).",
            )
        )
    y = call(fun, args, rest) if traced_input else fun(*args, **rest)
    if out is None:
        return y
    return store(y, (out,), partial(fun, *plain(args), **plain(rest)))
