"""The gradient as a person would write it: signs moved outwards, factors of two taken together.

The rules of derivatives know nothing of each other, so their formulas meet as ``a + -(b * c)`` and
``0.1 * (2 * y)``. What is done here gives the same bits: rounding is symmetric, and twice a number
is exact (short of an overflow or of numbers below 1e-300). Code of the user's is left as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .literals import is_zero
from .symbols import Symbol, is_symbol

#: Functions that leave an array alone which has that shape, or is real.
_OF_SHAPES = {np.ravel, np.reshape, np.broadcast_to, np.squeeze}
_OF_COMPLEX = {np.real, np.conjugate}


def simpler(fun: Any, args: tuple, kwargs: dict, call: Callable) -> Any:
    """Return what ``fun(*args, **kwargs)`` gives by a simpler way, or None.

    `call` makes a step of a function and its arguments.
    """
    if fun is np.sum and _negated(args[0]) is not None:
        return call(np.negative, (call(fun, (_negated(args[0]), *args[1:]), kwargs),), {})
    rule = _RULES.get(fun) if not kwargs else None
    return rule(*args, call) if rule is not None else None


def itself(fun: Any, args: tuple, kwargs: dict, y: Any) -> Any:
    """Return the argument that ``y = fun(*args, **kwargs)`` only repeats, or None."""
    if kwargs or not isinstance(y, np.ndarray | np.generic):
        return None
    if fun is np.multiply:
        operands = [x for one, x in (args, args[::-1]) if _is_one(one)]
    else:
        is_real = fun in _OF_COMPLEX and y.dtype.kind == "f"
        operands = [args[0]] if fun in _OF_SHAPES or is_real else []
    known = (x for x in operands if is_symbol(x) and _same_kind(x.value, y))
    return next((x for x in known if type(x.value) is type(y)), None)


def _is_one(x: Any) -> bool:
    return not is_symbol(x) and np.ndim(x) == 0 and isinstance(x, (float, np.floating)) and x == 1


def _is_zero(x: Any) -> bool:
    """Tell whether all that is known of an array is that it holds zeros, by the writer's doing."""
    if is_symbol(x):
        return x.fun is np.zeros
    return type(x) is np.ndarray and x.size > 0 and is_zero(x)


def _operand(x: Any, fun: Any) -> tuple | None:
    """Return the arguments of a step that calls `fun`, if `x` is one of floating-point numbers."""
    is_one = is_symbol(x) and x.kind == "call" and x.fun is fun and not x.kwargs and not x.name
    return x.args if is_one and x.value.dtype.kind in "fc" else None


def _negated(x: Any) -> Any:
    """Return what a step is the negative of, or None."""
    args = _operand(x, np.negative)
    return args[0] if args else None


def _add(a: Any, b: Any, call: Callable) -> Any:
    for zero, x in ((a, b), (b, a)):
        if _is_zero(zero) and is_symbol(x) and _same_kind(zero, x.value):
            return x
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


def _reshape(x: Any, shape: Any, call: Callable) -> Any:
    """Sum without the axes that are only kept to be taken away."""
    is_sum = is_symbol(x) and x.fun is np.sum and x.kwargs.get("keepdims") and not x.name
    if is_sum and len(x.args) == 1:
        axis, whole = x.kwargs.get("axis"), x.args[0]
        axes = range(whole.ndim) if axis is None else np.atleast_1d(axis) % whole.ndim
        if tuple(n for k, n in enumerate(whole.shape) if k not in axes) == tuple(shape):
            return call(np.sum, (whole,), {"axis": axis})
    return None


def _logical_not(x: Any, call: Callable) -> Any:
    equal = is_symbol(x) and x.fun is np.equal and not x.kwargs and not x.name
    return call(np.not_equal, x.args, {}) if equal else None


def _same_kind(x: Any, y: Any) -> bool:
    return (x.shape, x.dtype) == (y.shape, y.dtype)


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
    np.logical_not: _logical_not,
    np.reshape: _reshape,
}
