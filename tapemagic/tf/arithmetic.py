"""Functions of each element: a table, TensorFlow name -> NumPy function."""

from __future__ import annotations

import math as _math
from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.primitives import elementwise
from tapemagic.errors import TensorError

from .choices import chosen
from .conversion import match, operand
from .creation import cast
from .refusals import in_words, refuse
from .specs import as_dtype
from .tensor import Tensor, dtype_of, tensor_of


def apply(fun: Callable, name: str, *args: Any, floats: bool = False) -> Tensor:
    """Call a NumPy function on operands of one dtype, and return a tensor.

    Raises
    ------
    TensorError
        For integers where TensorFlow takes floats only: NumPy would answer in float64.
    """
    args = match(args, name)
    dtype = dtype_of(next(filter(dispatch.is_traced, args)))
    if floats and dtype.kind in "biu":
        raise leaks.locate(
            TensorError(
                f"tf.{name} of a tensor of {dtype}: it takes floats only.",
                fix="Use tf.cast(x, tf.float32).",
            )
        )
    return tensor_of(fun(*args))


def _unary(name: str, fun: Callable, floats: bool) -> Callable:
    def function(x: Any, name: str | None = None) -> Tensor:
        return apply(fun, function.__name__, x, floats=floats)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"See `numpy.{getattr(fun, '__name__', name)}`; of every element."
    return function


def _binary(name: str, fun: Callable, floats: bool = False) -> Callable:
    def function(x: Any, y: Any, name: str | None = None) -> Tensor:
        return apply(fun, function.__name__, x, y, floats=floats)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"See `numpy.{getattr(fun, '__name__', name)}`; of every pair of elements."
    return in_words(function)


# ------------------------------------------------ functions that NumPy has not: rows of their own


def _logistic(x: Any) -> Any:
    """Return 1 / (1 + exp(-x)) without overflow."""
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, e)[()].astype(e.dtype) / (1 + e)


def _error_function(x: Any) -> Any:
    values = np.vectorize(_math.erf, otypes=[float])(x)
    return values.astype(np.asarray(x).dtype)[()]


def _softplus(x: Any) -> Any:
    """Return log(1 + exp(x)) without overflow."""
    return np.logaddexp(x, 0)


elementwise(_logistic, "y * (1 - y)", name="sigmoid")
# not exp(x - y), as of `logaddexp`: their difference loses digits where they are nearly equal
elementwise(_softplus, "exp(minimum(x, 0)) / (1 + exp(-abs(x)))", name="softplus")
elementwise(_error_function, "1.1283791670955126 * exp(-x**2)", name="erf")


def _row(fun: Callable) -> Callable:
    return lambda x: dispatch.call(fun, (x,), {})


_UNARY_FLOATS: dict[str, Callable] = {
    "sqrt": np.sqrt, "exp": np.exp, "expm1": np.expm1, "log": np.log, "log1p": np.log1p,
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos,
    "atan": np.arctan, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "asinh": np.arcsinh,
    "acosh": np.arccosh, "atanh": np.arctanh, "floor": np.floor, "ceil": np.ceil,
    "rint": np.rint, "is_nan": np.isnan, "is_inf": np.isinf, "is_finite": np.isfinite,
    "sigmoid": _row(_logistic), "erf": _row(_error_function),
    "reciprocal": np.reciprocal, "rsqrt": lambda x: 1 / np.sqrt(x),
    "softplus": _row(_softplus),
    "log_sigmoid": lambda x: -np.logaddexp(-x, 0),
}  # fmt: skip
_UNARY: dict[str, Callable] = {
    "negative": np.negative, "square": np.square, "abs": np.absolute, "sign": np.sign,
    "round": np.round, "conj": np.conjugate, "logical_not": np.logical_not,
}  # fmt: skip
_BINARY: dict[str, Callable] = {
    "add": np.add, "subtract": np.subtract, "multiply": np.multiply, "pow": np.power,
    "maximum": np.maximum, "minimum": np.minimum, "floordiv": np.floor_divide,
    "floormod": np.remainder, "equal": np.equal, "not_equal": np.not_equal, "less": np.less,
    "less_equal": np.less_equal, "greater": np.greater, "greater_equal": np.greater_equal,
    "logical_and": np.logical_and, "logical_or": np.logical_or, "logical_xor": np.logical_xor,
    "squared_difference": lambda x, y: np.square(x - y),
}  # fmt: skip

#: TensorFlow name -> function; `tf` and `tf.math` take them from here.
FUNCTIONS: dict[str, Callable] = {}
FUNCTIONS.update((name, _unary(name, fun, True)) for name, fun in _UNARY_FLOATS.items())
FUNCTIONS.update((name, _unary(name, fun, False)) for name, fun in _UNARY.items())
FUNCTIONS.update((name, _binary(name, fun)) for name, fun in _BINARY.items())
FUNCTIONS["atan2"] = _binary("atan2", np.arctan2, floats=True)
FUNCTIONS["mod"] = FUNCTIONS["floormod"]


def _declare(fun: Callable) -> Callable:
    FUNCTIONS[fun.__name__] = explained = in_words(fun)
    return explained


@_declare
def divide(x: Any, y: Any, name: str | None = None) -> Tensor:
    """Return ``x / y``; of integers, in float64."""
    return apply(np.divide, "divide", x, y)


FUNCTIONS["truediv"] = divide


@_declare
def divide_no_nan(x: Any, y: Any, name: str | None = None) -> Tensor:
    """Return ``x / y``, and 0 where `y` is 0."""
    x, y = match((x, y))
    zero = chosen(np.equal, y, 0)
    return tensor_of(np.where(zero, 0, x / np.where(zero, 1, y)))


@_declare
def multiply_no_nan(x: Any, y: Any, name: str | None = None) -> Tensor:
    """Return ``x * y``, and 0 where `y` is 0, whatever `x` is."""
    x, y = match((x, y))
    zero = chosen(np.equal, y, 0)
    return tensor_of(np.where(zero, 0, np.where(zero, 1, x) * y))


@_declare
def xlogy(x: Any, y: Any, name: str | None = None) -> Tensor:
    """Return ``x * log(y)``, and 0 where `x` is 0."""
    x, y = match((x, y))
    zero = chosen(np.equal, x, 0)
    return tensor_of(np.where(zero, 0, x * np.log(np.where(zero, 1, y))))


@_declare
def add_n(inputs: Any, name: str | None = None) -> Tensor:
    """Return the sum of a list of tensors of one shape."""
    first, *others = match(tuple(map(operand, inputs)), "add_n")
    if {np.shape(x) for x in others} - {np.shape(first)}:
        refuse(
            f"add_n of shapes {', '.join(str(np.shape(x)) for x in (first, *others))}.",
            "Use x + y, which broadcasts.",
        )
    for x in others:
        first = first + x
    return tensor_of(first)


@_declare
def clip_by_value(
    t: Any, clip_value_min: Any, clip_value_max: Any, name: str | None = None
) -> Tensor:
    """Return `t` with what is outside the bounds set to them."""
    t, low, high = match((operand(t), clip_value_min, clip_value_max), "clip_by_value")
    return tensor_of(np.clip(t, low, high))


@_declare
def real(input: Any, name: str | None = None) -> Tensor:
    """Return the real part."""
    return tensor_of(np.real(operand(input)))


@_declare
def imag(input: Any, name: str | None = None) -> Tensor:
    """Return the imaginary part."""
    return tensor_of(np.imag(operand(input)))


@_declare
def angle(input: Any, name: str | None = None) -> Tensor:
    """Return the argument of a complex number."""
    return tensor_of(np.angle(operand(input)))


@_declare
def saturate_cast(value: Any, dtype: Any, name: str | None = None) -> Tensor:
    """Return `value` in another dtype, clipped to what that can hold."""
    wanted = as_dtype(dtype)
    return cast(clip_by_value(value, wanted.min, wanted.max), dtype)
