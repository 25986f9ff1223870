"""The gradient as a person would write it: signs moved outwards, factors of two taken together.

The rules of derivatives know nothing of each other, so their formulas meet as ``a + -(b * c)`` and
``0.1 * (2 * y)``. What is done here gives the same bits: rounding is symmetric, and twice a number
is exact (short of an overflow or of numbers below 1e-300). Code of the user's is left as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .symbols import Symbol, is_symbol


def simpler(fun: Any, args: tuple, kwargs: dict, call: Callable) -> Any:
    """Return what ``fun(*args, **kwargs)`` gives by a simpler way, or None.

    `call` makes a step of a function and its arguments.
    """
    if fun is np.sum and _negated(args[0]) is not None:
        return call(np.negative, (call(fun, (_negated(args[0]), *args[1:]), kwargs),), {})
    rule = _RULES.get(fun) if not kwargs else None
    return rule(*args, call) if rule is not None else None


def _operand(x: Any, fun: Any) -> tuple | None:
    """Return the arguments of a step that calls `fun`, if `x` is one of floating-point numbers."""
    is_one = is_symbol(x) and x.kind == "call" and x.fun is fun and not x.kwargs and not x.name
    return x.args if is_one and x.value.dtype.kind in "fc" else None


def _negated(x: Any) -> Any:
    """Return what a step is the negative of, or None."""
    args = _operand(x, np.negative)
    return args[0] if args else None


def _add(a: Any, b: Any, call: Callable) -> Any:
    if _negated(b) is not None:
        return call(np.subtract, (a, _negated(b)), {})
    if _negated(a) is not None:
        return call(np.subtract, (b, _negated(a)), {})
    scaled = _operand(a, np.multiply) if a is b else None
    if scaled and _is_number(scaled[0]) and _are_double(scaled[1]):
        return call(np.multiply, (2 * scaled[0], scaled[1]), {})
    return None


def _subtract(a: Any, b: Any, call: Callable) -> Any:
    return call(np.add, (a, _negated(b)), {}) if _negated(b) is not None else None


def _multiply(a: Any, b: Any, call: Callable) -> Any:
    if _negated(a) is not None:
        return call(np.negative, (call(np.multiply, (_negated(a), b), {}),), {})
    if _negated(b) is not None:
        return call(np.negative, (call(np.multiply, (a, _negated(b)), {}),), {})
    doubled = _operand(b, np.multiply)
    if doubled and _is_number(a) and _is_two(doubled[0]) and _are_double(doubled[1]):
        return call(np.multiply, (2 * a, doubled[1]), {})
    return None


def _divide(a: Any, b: Any, call: Callable) -> Any:
    if _negated(a) is not None:
        return call(np.negative, (call(np.divide, (_negated(a), b), {}),), {})
    return None


def _negative(x: Any, _: Callable) -> Any:
    return _negated(x)


def _is_number(x: Any) -> bool:
    return type(x) in (float, np.float64) and bool(np.isfinite(x))


def _is_two(x: Any) -> bool:
    return type(x) in (int, float, np.float64) and x == 2


def _are_double(x: Any) -> bool:
    return type(x) is Symbol and x.value.dtype == np.float64


_RULES: dict[Any, Callable] = {
    np.add: _add,
    np.subtract: _subtract,
    np.multiply: _multiply,
    np.divide: _divide,
    np.negative: _negative,
}
