"""Twins of `math`: the value and the exceptions are its own, the derivative is NumPy's.

``math.sin(t)`` is recorded as the row of `np.sin`, computed by `math.sin`: a Python float as in
plain Python, and `ValueError: math domain error` where plain Python raises it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls.creation import array_of, convert, row, written_method
from tapemagic.autodiff.calls.dispatch import (
    HANDLE_TYPES,
    call_elementwise,
    call_primitive,
    holds_traced,
    plain,
)
from tapemagic.autodiff.primitives import elementwise, general
from tapemagic.autodiff.pullbacks import conj_if_complex
from tapemagic.autodiff.twinning import twin_for, twin_module

#: Functions with a row of NumPy's, by its name where that is another.
ROWS = {
    "sin": "sin", "cos": "cos", "tan": "tan", "asin": "arcsin", "acos": "arccos",
    "atan": "arctan", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "asinh": "arcsinh",
    "acosh": "arccosh", "atanh": "arctanh", "exp": "exp", "exp2": "exp2", "expm1": "expm1",
    "log1p": "log1p", "log2": "log2", "log10": "log10", "sqrt": "sqrt", "cbrt": "cbrt",
    "fabs": "fabs", "degrees": "degrees", "radians": "radians", "atan2": "arctan2",
    "pow": "power", "fmod": "fmod", "copysign": "copysign",
}  # fmt: skip
#: Functions whose result is a whole number, a bool, or constant between jumps.
_FLAT = (
    "floor", "ceil", "trunc", "isnan", "isinf", "isfinite", "isclose", "ulp", "gcd", "lcm",
)  # fmt: skip


def _number(x: Any) -> Any:
    """Return an argument as what `math` makes of it: a Python float."""
    return convert(float, x) if type(x) in HANDLE_TYPES and type(x._value) is not float else x


def _number_given(x: Any) -> Any:
    """Return a traced number that an object of the user's gives as a float; else the object."""
    method = written_method(x, "__float__")
    y = method(x) if method else None
    return y if type(y) in HANDLE_TYPES else x


def _by_row(original: Callable, name: str) -> None:
    primitive = row(getattr(np, name))

    def twin(*args: Any) -> Any:
        for x in args:
            if type(x) in HANDLE_TYPES:
                return call_elementwise(primitive, original, tuple(map(_number, args)))
        try:
            return original(*args)
        except TypeError:
            numbers = tuple(map(_number_given, args))
            if not holds_traced(numbers):
                raise
        return twin(*numbers)

    twin_for(original)(twin)


def without_derivative(original: Callable) -> None:
    """Give a function a twin whose result is plain."""

    def twin(*args: Any, **kwargs: Any) -> Any:
        if holds_traced((*args, *kwargs.values())):
            return leaks.flat(original(*plain(args), **plain(kwargs)), args, original, kwargs)
        return original(*args, **kwargs)

    twin_for(original)(twin)


for _name, _row in ROWS.items():
    if hasattr(math, _name):
        _by_row(getattr(math, _name), _row)
for _name in _FLAT:
    if hasattr(math, _name):
        without_derivative(getattr(math, _name))


# ------------------------------------------------------------------ functions without a NumPy row

for _fun, _formula in (
    (math.erf, "1.1283791670955126 * exp(-(x**2))"),
    (math.erfc, "-1.1283791670955126 * exp(-(x**2))"),
    (math.gamma, "y * psi(x)"),
    (math.lgamma, "psi(x)"),
):
    elementwise(_fun, _formula)


def _by_own_row(original: Callable) -> None:
    def twin(x: Any, /) -> Any:
        if type(x) in HANDLE_TYPES:
            return call_elementwise(row(original), original, (_number(x),))
        return original(x)

    twin_for(original)(twin)


for _fun in (math.erf, math.erfc, math.gamma, math.lgamma):
    _by_own_row(_fun)


@twin_for(math.log)
def _log(x: Any, *base: Any) -> Any:
    if not holds_traced((x, *base)):
        return math.log(x, *base)
    logs = [
        call_elementwise(row(np.log), math.log, (_number(one),))
        if type(one) in HANDLE_TYPES
        else math.log(one)
        for one in (x, *base)
    ]
    return logs[0] / logs[1] if base else logs[0]


@twin_for(math.ldexp)
def _ldexp(x: Any, i: Any, /) -> Any:
    if type(x) not in HANDLE_TYPES:
        return math.ldexp(x, i)
    factor = 2.0 ** plain(i)
    return call_elementwise(row(np.multiply), lambda a, _: math.ldexp(a, plain(i)),
                            (_number(x), factor))  # fmt: skip


@twin_for(math.frexp)
def _frexp(x: Any, /) -> Any:
    if type(x) not in HANDLE_TYPES:
        return math.frexp(x)
    exponent = _exponent(plain(x))
    return _ldexp(x, -exponent), leaks.flat(exponent, (x,), _exponent)


def _exponent(x: Any) -> int:
    return math.frexp(x)[1]


@twin_for(math.modf)
def _modf(x: Any, /) -> Any:
    if type(x) not in HANDLE_TYPES:
        return math.modf(x)
    fraction, whole = math.modf(plain(x))
    number = call_elementwise(row(np.subtract), lambda *_: fraction, (_number(x), whole))
    return number, leaks.flat(whole, (x,), np.trunc)


@twin_for(math.remainder)
def _remainder(x: Any, y: Any, /) -> Any:
    if not holds_traced((x, y)):
        return math.remainder(x, y)
    value = math.remainder(plain(x), plain(y))
    times = float(round((plain(x) - value) / plain(y)))
    return keeping(value, _number(x) - times * _number(y))


def keeping(value: complex, y: Any) -> Any:
    """Record that `y` is `value`, which may differ from it in the last place."""
    return call_elementwise(row(np.positive), lambda _: value, (y,))


# --------------------------------------------------------------------- functions of many numbers


def _sum_of(*xs: Any) -> float:
    return math.fsum(xs)


def _product_of(*xs: Any) -> float:
    return math.prod(xs)


def _length(*xs: Any) -> float:
    return math.hypot(*xs)


def _by_others(i: int, ct: Any, y: Any, *xs: Any) -> Any:
    """Multiply by all the factors but one, without dividing: one of them may be zero."""
    for k, x in enumerate(xs):
        if k != i:
            ct = ct * conj_if_complex(x)
    return ct


general(_sum_of, variadic=lambda i, ct, y, *xs: ct, name="fsum", kind="linear")
general(_product_of, variadic=_by_others, name="prod")
general(
    _length, variadic=lambda i, ct, y, *xs: ct * (xs[i] / y) if y else 0.0 * xs[i], name="hypot"
)


@twin_for(math.fsum)
def _fsum(seq: Iterable, /) -> Any:
    items = list(seq)
    if not holds_traced(items):
        return math.fsum(items)
    return call_primitive(row(_sum_of), tuple(map(_number, items)), {}, _sum_of)


def _added(*xs: Any) -> Any:
    return sum(xs)


general(_added, variadic=lambda i, ct, y, *xs: ct, name="sum", kind="linear")


def total(iterable: Iterable, /, start: Any = 0) -> Any:
    """Return what `sum` does, which adds up floats of Python in a way of its own."""
    items = [start, *iterable]
    if holds_traced(items) and all(type(x) in (int, float) for x in plain(items)):
        return call_primitive(row(_added), tuple(items), {}, _added)
    return sum(items[1:], start)


@twin_for(math.prod)
def _prod(iterable: Iterable, /, *, start: Any = 1) -> Any:
    items = list(iterable)
    if not holds_traced([*items, start]):
        return math.prod(items, start=start)
    if all(np.ndim(plain(x)) == 0 for x in (*items, start)):
        return call_primitive(row(_product_of), (start, *items), {}, _start_product)
    for x in items:
        start = start * x
    return start


def _start_product(start: Any, *xs: Any) -> Any:
    return math.prod(xs, start=start)


@twin_for(math.hypot)
def _hypot(*coordinates: Any) -> Any:
    if not holds_traced(coordinates):
        return math.hypot(*coordinates)
    return call_primitive(row(_length), tuple(map(_number, coordinates)), {}, _length)


@twin_for(math.dist)
def _dist(p: Iterable, q: Iterable, /) -> Any:
    p, q = list(p), list(q)
    if not holds_traced([*p, *q]):
        return math.dist(p, q)
    value = math.dist(plain(p), plain(q))
    differences = tuple(_number(a) - _number(b) for a, b in zip(p, q, strict=True))
    return call_primitive(row(_length), differences, {}, lambda *_: value)


_sumprod_original: Any = getattr(math, "sumprod", None)  # since Python 3.12
if _sumprod_original is not None:

    @twin_for(_sumprod_original)
    def _sumprod(p: Iterable, q: Iterable, /) -> Any:
        p, q = list(p), list(q)
        if not holds_traced([*p, *q]):
            return _sumprod_original(p, q)
        value = _sumprod_original(plain(p), plain(q))
        left, right = (array_of(np.array, x) if holds_traced(x) else np.array(x) for x in (p, q))
        return keeping(value, left @ right)


_fma_original: Any = getattr(math, "fma", None)  # since Python 3.13
if _fma_original is not None:

    @twin_for(_fma_original)
    def _fma(x: Any, y: Any, z: Any, /) -> Any:
        if not holds_traced((x, y, z)):
            return _fma_original(x, y, z)
        value = _fma_original(*plain((x, y, z)))
        return keeping(value, _number(x) * _number(y) + _number(z))


math_twin = twin_module(math)
