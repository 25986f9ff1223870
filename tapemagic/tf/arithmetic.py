"""Functions of each element: a table, TensorFlow name -> NumPy function."""

from __future__ import annotations

import math as _math
from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.primitives import elementwise
from tapemagic.autodiff.rules.elementwise import logistic

from .choices import chosen
from .conversion import check_divisor, check_kind, divisible, floats, match, operand
from .creation import cast
from .refusals import declaring, in_words, refuse
from .specs import as_dtype
from .tensor import Tensor, dtype_of, tensor_of


def apply(fun: Callable, name: str, *args: Any, kinds: str = "fciub") -> Tensor:
    """Call a NumPy function on operands of one dtype, and return a tensor.

    Raises
    ------
    TensorError
        For a kind of dtype that TensorFlow does not take.
    """
    args = match(args, name)
    check_kind(next(filter(dispatch.is_traced, args)), kinds, name)
    return tensor_of(fun(*args))


def _unary(name: str, fun: Callable, kinds: str) -> Callable:
    def function(x: Any, name: str | None = None) -> Tensor:
        return apply(fun, function.__name__, x, kinds=kinds)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"See `numpy.{getattr(fun, '__name__', name)}`; of every element."
    return in_words(function)


def _binary(name: str, fun: Callable, kinds: str) -> Callable:
    def function(x: Any, y: Any, name: str | None = None) -> Tensor:
        return apply(fun, function.__name__, x, y, kinds=kinds)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"See `numpy.{getattr(fun, '__name__', name)}`; of every pair of elements."
    return in_words(function)


# ------------------------------------------------ functions that NumPy has not: rows of their own


def _error_function(x: Any) -> Any:
    values = np.vectorize(_math.erf, otypes=[float])(x)
    return values.astype(np.asarray(x).dtype)[()]


def _softplus(x: Any) -> Any:
    """Return log(1 + exp(x)) without overflow."""
    return np.logaddexp(x, 0)


def _complement(x: Any) -> Any:
    values = np.vectorize(_math.erfc, otypes=[float])(x)
    return values.astype(np.asarray(x).dtype)[()]


elementwise(_softplus, "logistic(x)", name="softplus")
elementwise(_error_function, "1.1283791670955126 * exp(-x**2)", name="erf")
elementwise(_complement, "-1.1283791670955126 * exp(-x**2)", name="erfc")


def _angle(x: Any) -> Any:
    """Return the argument of a complex number; of a real one 0 or pi, as in TensorFlow."""
    if dtype_of(x).kind == "c":
        return np.angle(x)
    return np.where(chosen(np.less, x, 0), np.pi, 0).astype(dtype_of(x))


def _by_no_zero(fun: Callable) -> Callable:
    def quotient(x: Any, y: Any) -> Any:
        check_divisor(x, y)
        return fun(x, y)

    return quotient


def _squared_difference(x: Any, y: Any) -> Any:
    difference = x - y
    if dtype_of(difference).kind == "c":
        return difference * np.conjugate(difference)
    return np.square(difference)


def _row(fun: Callable) -> Callable:
    return lambda x: dispatch.call(fun, (x,), {})


#: Kinds of dtype that functions take -> TensorFlow name -> NumPy function.
_UNARY: dict[str, dict[str, Callable]] = {
    "fc": {
        "sqrt": np.sqrt, "exp": np.exp, "expm1": np.expm1, "log": np.log, "log1p": np.log1p,
        "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos,
        "atan": np.arctan, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh,
        "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh,
        "reciprocal": np.reciprocal, "rsqrt": lambda x: 1 / np.sqrt(x),
        "sigmoid": _row(logistic), "angle": _angle,
    },
    "f": {
        "floor": np.floor, "ceil": np.ceil, "rint": np.rint, "is_nan": np.isnan,
        "is_inf": np.isinf, "is_finite": np.isfinite,
        "erf": _row(_error_function), "erfc": _row(_complement),
        "softplus": _row(_softplus), "log_sigmoid": lambda x: -np.logaddexp(-x, 0),
    },
    "fci": {"negative": np.negative, "sign": np.sign, "abs": np.absolute},
    "fciu": {"square": np.square, "conj": np.conjugate, "real": np.real, "imag": np.imag},
    "fiu": {"round": np.round},
    "b": {"logical_not": np.logical_not},
}  # fmt: skip
_BINARY: dict[str, dict[str, Callable]] = {
    "fciu": {
        "add": np.add, "subtract": np.subtract, "multiply": np.multiply, "pow": np.power,
        "squared_difference": _squared_difference,
    },
    "fiu": {
        "maximum": np.maximum, "minimum": np.minimum, "floordiv": _by_no_zero(np.floor_divide),
        "floormod": _by_no_zero(np.remainder), "truncatemod": _by_no_zero(np.fmod),
        "less": np.less, "less_equal": np.less_equal,
        "greater": np.greater, "greater_equal": np.greater_equal,
    },
    "fciub": {"equal": np.equal, "not_equal": np.not_equal},
    "b": {
        "logical_and": np.logical_and, "logical_or": np.logical_or, "logical_xor": np.logical_xor,
    },
}  # fmt: skip

#: TensorFlow name -> function; `tf` and `tf.math` take them from here.
FUNCTIONS: dict[str, Callable] = {}
for _table, _make in ((_UNARY, _unary), (_BINARY, _binary)):
    for _kinds, _functions in _table.items():
        FUNCTIONS.update((name, _make(name, fun, _kinds)) for name, fun in _functions.items())
FUNCTIONS["mod"] = FUNCTIONS["floormod"]


_declare = declaring(FUNCTIONS)


@_declare
def atan2(y: Any, x: Any, name: str | None = None) -> Tensor:
    """Return the angle of the point (x, y)."""
    return apply(np.arctan2, "atan2", y, x, kinds="f")


@_declare
def divide(x: Any, y: Any, name: str | None = None) -> Tensor:
    """Return ``x / y``; of integers in float64, of short ones in float32."""
    return apply(np.divide, "divide", *map(divisible, match((x, y))), kinds="fciu")


FUNCTIONS["truediv"] = FUNCTIONS["realdiv"] = divide


@_declare
def divide_no_nan(x: Any, y: Any, name: str | None = None) -> Tensor:
    """Return ``x / y``, and 0 where `y` is 0."""
    x, y = map(divisible, match((x, y)))
    zero = chosen(np.equal, y, 0)
    return tensor_of(np.where(zero, 0, x / np.where(zero, 1, y)))


@_declare
def multiply_no_nan(x: Any, y: Any, name: str | None = None) -> Tensor:
    """Return ``x * y``, and 0 where `y` is 0, whatever `x` is."""
    x, y = match((x, y))
    lost = chosen(np.equal, y, 0) & ~chosen(np.isfinite, x)
    return tensor_of(np.where(lost, 0, x) * y)  # the derivative by `y` is `x`, at 0 as well


def _first_decides(name: str, fun: Callable, words: str) -> None:
    def function(x: Any, y: Any, name: str | None = None) -> Tensor:
        x, y = match((x, y), function.__name__)
        zero = chosen(np.equal, x, 0)
        return tensor_of(np.where(zero, 0, x * fun(np.where(zero, 1, y))))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Return ``{words}``, and 0 where `x` is 0."
    _declare(function)


_first_decides("xlogy", np.log, "x * log(y)")
_first_decides("xlog1py", np.log1p, "x * log(1 + y)")
_first_decides("xdivy", np.reciprocal, "x / y")


@_declare
def reciprocal_no_nan(x: Any, name: str | None = None) -> Tensor:
    """Return ``1 / x``, and 0 where `x` is 0."""
    return divide_no_nan(1, floats(x, "reciprocal_no_nan"))


@_declare
def scalar_mul(scalar: Any, x: Any, name: str | None = None) -> Tensor:
    """Return the product of a number and a tensor."""
    return apply(np.multiply, "scalar_mul", scalar, x)


@_declare
def polyval(coeffs: Any, x: Any, name: str | None = None) -> Tensor:
    """Return the value of a polynomial; the list of coefficients begins with the highest power."""
    x = operand(x)
    y = x * 0
    for c in coeffs:
        y = y * x + c
    return tensor_of(y)


@_declare
def is_non_decreasing(x: Any, name: str | None = None) -> Tensor:
    """Tell whether no element is less than the one before it."""
    return tensor_of(chosen(lambda x: np.all(np.diff(np.ravel(x)) >= 0), operand(x)))


@_declare
def is_strictly_increasing(x: Any, name: str | None = None) -> Tensor:
    """Tell whether each element is greater than the one before it."""
    return tensor_of(chosen(lambda x: np.all(np.diff(np.ravel(x)) > 0), operand(x)))


@_declare
def add_n(inputs: Any, name: str | None = None) -> Tensor:
    """Return the sum of a list of tensors of one shape."""
    first, *others = map(operand, match(tuple(inputs), "add_n"))
    if {np.shape(x) for x in others} - {np.shape(first)}:
        refuse(
            f"add_n of shapes {', '.join(str(np.shape(x)) for x in (first, *others))}.",
            "Use x + y, which broadcasts.",
        )
    for x in others:
        first = first + x
    return tensor_of(first)


@_declare
def accumulate_n(inputs: Any, shape: Any = None, name: str | None = None) -> Tensor:
    """Return `add_n`."""
    return add_n(inputs)


@_declare
def clip_by_value(
    t: Any, clip_value_min: Any, clip_value_max: Any, name: str | None = None
) -> Tensor:
    """Return `t` with what is outside the bounds set to them."""
    check_kind(operand(t), "fiu", "clip_by_value")
    t, low, high = match((t, clip_value_min, clip_value_max), "clip_by_value")
    return tensor_of(np.clip(t, low, high))


@_declare
def saturate_cast(value: Any, dtype: Any, name: str | None = None) -> Tensor:
    """Return `value` in another dtype, clipped to what that can hold."""
    wanted = as_dtype(dtype)
    return cast(clip_by_value(value, wanted.min, wanted.max), dtype)
