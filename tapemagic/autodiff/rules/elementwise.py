"""Elementwise functions: the formulas of a calculus book.

Numbers in a formula are Python numbers (``ln2`` and not ``log(2)``), since a ``np.float64`` would
turn a float32 cotangent into float64. Where a derivative does not exist, the formula holds the
convention.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tapemagic.autodiff.primitives import composite, constant, elementwise, general
from tapemagic.autodiff.pullbacks import FORMULA_NAMES, conj_if_complex
from tapemagic.autodiff.warned import unheard

from .algebra import apply, decide, difference, equals_result, is_complex, is_live, plain

# --------------------------------------------------------------------------- words for formulas


def _log(x: Any) -> Any:
    """Return the logarithm; that of a positive Python number is a Python number."""
    return math.log(x) if type(x) in (int, float) and x > 0 else np.log(_in_double(x))


def _log1p(x: Any) -> Any:
    return np.log1p(_in_double(x))


def _in_double(x: Any) -> Any:
    """Return integers as float64: the logarithm of an int8 has half precision."""
    return x * 1.0 if getattr(x, "dtype", np.dtype(float)).kind in "biu" else x


def _sqrt(x: Any) -> Any:
    """Return the square root; that of a positive Python number is a Python number."""
    return math.sqrt(x) if type(x) in (int, float) and x > 0 else np.sqrt(x)


def _sgn(x: Any) -> Any:
    """Return the derivative of ``|x|``: the sign; for complex `x`, conjugated like any partial."""
    return conj_if_complex(np.sign(x))


def picks(y: Any, x1: Any, x2: Any) -> Any:
    """Return 1 where `y` was picked from `x1`, 0 where from `x2`, 1/2 where they tie."""
    one, other = equals_result(x1, y), equals_result(x2, y)
    share = 0.5 * np.add(one, np.logical_not(other), dtype=np.result_type(y))
    if np.any(np.isnan(y)):  # picked from the operand that is nan
        among_nan = 0.5 + 0.5 * np.subtract(np.isnan(x1), np.isnan(x2), dtype=float)
        share = np.where(np.isnan(y), among_nan, share)
    return share


def _log_or_0(x: Any, y: Any) -> Any:
    """Return the logarithm in the numbers of `y`, and 0 of 0.

    To a complex `x` complex 0 is not added, which would lose signs of zeros.
    """
    dtype = getattr(y, "dtype", None)
    if dtype is not None and getattr(x, "dtype", dtype) != dtype:
        x = x.astype(dtype)
    elif is_complex(y) and not is_complex(x):  # (-2) ** 1j
        x = x + 0j
    if is_complex(x):
        return np.log(np.where(x == 0, 1, x))
    return _log(x + (x == 0))


def _lessens(x1: Any, x2: Any) -> Any:
    """Tell where the exponent of the slope of ``x1**x2`` is ``x2 - 1``: where it is no 0.

    An exponent 0 stays 0, so that x**0 has slope 0 at 0 too. If it is differentiated by as well, it
    does so only where there is no ``1 / x1``, which is the slope of that slope.
    """
    lessens = x2 != 0
    if lessens is not True and is_live(x2) and not np.all(lessens):
        with unheard():
            return lessens | np.isfinite(decide(np.reciprocal, x1))
    return lessens


def _root(x: Any) -> Any:
    """Return ``sqrt(1 - x**2)``, on the side of the branch cuts on which complex `x` lies.

    The side is a sign of zero, which ``x - 1`` keeps and ``1 - x`` loses.
    """
    if is_complex(x):
        return np.sqrt(-(x - 1)) * np.sqrt(-(-x - 1))
    return np.sqrt((1 - x) * (1 + x))


def logistic(x: Any) -> Any:
    """Return 1 / (1 + exp(-x)); of real numbers without overflow."""
    if is_complex(x):
        return 1 / (1 + np.exp(-x))
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, e.dtype.type(1), e)[()] / (1 + e)


def _share(x1: Any, x2: Any, base: float = math.e) -> Any:
    """Return how much of ``b**x1 + b**x2`` the first is.

    Not ``b**(x1 - y)``: of large numbers the rounding of y is no longer small.
    """
    distance = difference(x1, x2)
    return apply(logistic, distance if base == math.e else distance * math.log(base))


def _bell(x: Any) -> Any:
    """Return ``1 / (1 + x**2)``; in half precision the square soon leaves the range."""
    if getattr(x, "dtype", None) == np.float16:
        return (1 / np.hypot(1, x)) ** 2
    return 1 / (1 + x**2)


FORMULA_NAMES.update(
    bell=_bell, ln2=math.log(2), ln10=math.log(10), log=_log, log1p=_log1p, log_or_0=_log_or_0,
    lessens=_lessens, logistic=lambda x: apply(logistic, x), picks=picks, root=_root, sgn=_sgn,
    share=_share, sqrt=_sqrt,
)  # fmt: skip

# ------------------------------------------------------------------------------------ arithmetic

elementwise(np.add, "1", "1")
elementwise(np.subtract, "1", "-1")
elementwise(np.multiply, "x2", "x1")
elementwise(np.divide, "1 / x2", "-y / x2")
elementwise(np.negative, "-1")
elementwise(np.positive, "1")
# log(0) only matters where y is not 0.
for _power in (np.power, np.float_power):
    elementwise(
        _power, "x2 * x1 ** (x2 + 0 - lessens(x1, x2))", "y * log_or_0(x1, y)",
        shows=("x2 * x1 ** (x2 - 1)", "y * log(x1)"),
    )  # fmt: skip
elementwise(np.square, "2 * x")
elementwise(np.sqrt, "0.5 / y")
elementwise(np.cbrt, "1 / (3 * y**2)")
elementwise(np.reciprocal, "-y**2")
elementwise(np.remainder, "1", "-floor_divide(x1, x2)")
elementwise(np.fmod, "1", "-rint((x1 - y) / x2)")
elementwise(np.absolute, "sgn(x)", shows=("sign(x)",))
elementwise(np.fabs, "sign(x)")
_larger, _smaller = ("1 where x1 > x2", "1 where x2 > x1"), ("1 where x1 < x2", "1 where x2 < x1")
for _pick, _shown in (
    (np.maximum, _larger), (np.fmax, _larger), (np.minimum, _smaller), (np.fmin, _smaller),
):  # fmt: skip
    elementwise(_pick, "picks(y, x1, x2)", "picks(y, x2, x1)", shows=_shown, chooses=True)
elementwise(
    np.hypot, "x1 / (y + (y == 0))", "x2 / (y + (y == 0))",
    shows=("x1 / y", "x2 / y"),
)  # fmt: skip


@composite(np.divmod)
def _divmod(x1: Any, x2: Any) -> Any:
    np.divmod(*plain((x1, x2)))  # NumPy's own errors and warnings
    with unheard():
        return np.floor_divide(x1, x2), np.remainder(x1, x2)


# ----------------------------------------------------------------------- exponential, logarithm

elementwise(np.exp, "y")
elementwise(np.exp2, "y * ln2")
elementwise(np.expm1, "exp(x)")  # not y + 1, which loses what y is above -1
elementwise(np.log, "1 / x")
elementwise(np.log2, "1 / (x * ln2)")
elementwise(np.log10, "1 / ln10 / x")
elementwise(np.log1p, "1 / (1 + x)")
elementwise(np.logaddexp, "share(x1, x2)", "share(x2, x1)", shows=("exp(x1 - y)", "exp(x2 - y)"))
elementwise(
    np.logaddexp2, "share(x1, x2, 2)", "share(x2, x1, 2)", shows=("exp2(x1 - y)", "exp2(x2 - y)")
)
elementwise(logistic, "y * (1 - y)", name="sigmoid")

# ---------------------------------------------------------------------- circular and hyperbolic

elementwise(np.sin, "cos(x)")
elementwise(np.cos, "-sin(x)")
elementwise(np.tan, "1 + y**2")
elementwise(np.arcsin, "1 / root(x)", shows=("1 / sqrt(1 - x**2)",))
elementwise(np.arccos, "-1 / root(x)", shows=("-1 / sqrt(1 - x**2)",))
elementwise(np.arctan, "bell(x)", shows=("1 / (1 + x**2)",))
elementwise(  # squares would leave the range long before the quotient does
    np.arctan2,
    "x2 / hypot(x1, x2) / hypot(x1, x2)",
    "-(x1 / hypot(x1, x2)) / hypot(x1, x2)",  # x1 may be integers without a sign
    shows=("x2 / (x1**2 + x2**2)", "-x1 / (x1**2 + x2**2)"),
)
elementwise(np.sinh, "cosh(x)")
elementwise(np.cosh, "sinh(x)")
elementwise(np.tanh, "1 - y**2")
elementwise(np.arcsinh, "1 / cosh(y)")
elementwise(np.arccosh, "1 / sinh(y)")
elementwise(np.arctanh, "1 / (1 - x**2)")
_fun: Any
for _fun in (np.deg2rad, np.radians):
    elementwise(_fun, "pi / 180")
for _fun in (np.rad2deg, np.degrees):
    elementwise(_fun, "180 / pi")

# ---------------------------------------------------------------- steps, and parts of a float

for _fun in (np.floor, np.ceil, np.trunc, np.rint, np.spacing):
    elementwise(_fun, "0")
elementwise(np.floor_divide, "0", "0")
elementwise(np.heaviside, "0", "x1 == 0")
elementwise(np.nextafter, "1", "0")
elementwise(np.copysign, "sign(x1) * sign(y)", "0")
general(np.ldexp, lambda ct, y, x1, x2: np.ldexp(ct, x2), None)
general(np.modf, lambda ct, y, x: x.dtype.type(0) if ct[0] is None else ct[0])
general(np.frexp, lambda ct, y, x: x.dtype.type(0) if ct[0] is None else np.ldexp(ct[0], -y[1]))


def flat(fun: Any) -> None:
    """Declare a function of one array and of options whose derivative is 0 where it exists."""
    general(fun, lambda ct, y, x, *args, **kwargs: np.zeros_like(ct)).formulas = ("0",)


for _fun in (np.round, np.around, np.fix):
    flat(_fun)


def _sign(x: Any) -> Any:
    return np.sign(x)


def _direction(x: Any) -> Any:
    return np.sign(x)


def _direction_vjp(ct: Any, y: Any, x: Any) -> Any:
    """Project onto the circle's tangent: ``x / |x|`` only turns."""
    size = np.abs(x)
    along = y * np.real(np.conj(y) * ct)
    return np.where(size == 0, 0, (ct - along) / np.where(size == 0, 1, size))


elementwise(_sign, "0", name="sign")
general(_direction, _direction_vjp, name="sign")
composite(np.sign, lambda x: apply(_direction if is_complex(x) else _sign, x))

# ----------------------------------------------------------------------------------- complex
# ct stands for dL/dRe + i dL/dIm; the sweep takes its real part for a real operand.

general(np.conjugate, lambda ct, y, x: np.conj(ct), kind="linear")
general(np.real, lambda ct, y, val: ct, kind="linear")
general(np.imag, lambda ct, y, val: 1j * ct, kind="linear")


@composite(np.angle)
def _angle(z: Any, deg: bool = False) -> Any:
    y = np.arctan2(np.imag(z), np.real(z)) if is_complex(z) else np.arctan2(0, z)
    return y * (180 / np.pi) if deg else y


# ------------------------------------------------------------------- comparisons, logic, bits

constant(
    np.greater, np.greater_equal, np.less, np.less_equal, np.equal, np.not_equal,
    np.logical_and, np.logical_or, np.logical_xor, np.logical_not,
    np.isfinite, np.isinf, np.isnan, np.isnat, np.signbit,
    np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert, np.left_shift, np.right_shift,
    np.bitwise_count, np.gcd, np.lcm,
)  # fmt: skip
