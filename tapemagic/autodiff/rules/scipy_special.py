"""Functions of `scipy.special`. Imported by `later.py`, and only when SciPy has been.

Sources: [A] M. Abramowitz, I. Stegun, "Handbook of mathematical functions", 1964; [D] NIST Digital
library of mathematical functions, https://dlmf.nist.gov. Where the textbook formula divides 0 by 0,
the same function is written as a hypergeometric one, whose derivatives are regular.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from tapemagic.autodiff import leaks
from tapemagic.autodiff.primitives import elementwise, general
from tapemagic.autodiff.pullbacks import FORMULA_NAMES
from tapemagic.autodiff.pullbacks import conj_if_complex as conj
from tapemagic.autodiff.twinning import twin_module
from tapemagic.errors import NoRuleError

from . import scipy_polynomials as _scipy_polynomials  # noqa: F401  (rules of the same module)
from .algebra import apply, is_complex
from .scipy_functions import carry

FORMULA_NAMES.update(
    {name: value for name, value in vars(special).items() if name not in FORMULA_NAMES}
)

# ------------------------------------------------------------------------------- one argument

_ROOT = "sqrt(pi)"
for _name, _formula in {
    # error functions ([A] 7.1.19, [D] 7.10)
    "erf": f"2 / {_ROOT} * exp(-(x**2))",
    "erfc": f"-2 / {_ROOT} * exp(-(x**2))",
    "erfcx": f"2 * x * y - 2 / {_ROOT}",
    "erfi": f"2 / {_ROOT} * exp(x**2)",
    "erfinv": f"{_ROOT} / 2 * exp(y**2)",
    "erfcinv": f"-{_ROOT} / 2 * exp(y**2)",
    "dawsn": "1 - 2 * x * y",
    "wofz": f"2j / {_ROOT} - 2 * x * y",
    # gamma functions ([A] 6.3.1)
    "gamma": "y * digamma(x)",
    "gammaln": "digamma(x)",
    "loggamma": "digamma(x)",
    "rgamma": "-y * digamma(x)",
    # logistic and normal distribution
    "expit": "y * (1 - y)",
    "logit": "1 / (x * (1 - x))",
    "log_expit": "expit(-x)",
    "ndtr": "exp(-(x**2) / 2) / sqrt(2 * pi)",
    "log_ndtr": "sqrt(2 / pi) / erfcx(-x / sqrt(2))",
    "ndtri": "sqrt(2 * pi) * exp(y**2 / 2)",
    "ndtri_exp": "sqrt(2 * pi) * exp(x + y**2 / 2)",
    "entr": "-log(x) - 1",
    # elementary
    "cbrt": "1 / (3 * y**2)",
    "cosm1": "-sin(x)",
    "exp10": "log(10) * y",
    "exp2": "log(2) * y",
    "expm1": "exp(x)",
    "sindg": "pi / 180 * cosdg(x)",
    "cosdg": "-pi / 180 * sindg(x)",
    "tandg": "pi / 180 * (1 + y**2)",
    "log1p": "1 / (1 + x)",
    "exprel": "hyp1f1(2, 3, x) / 2",
    # Bessel functions ([A] 9.1.27, 9.6.26)
    "j0": "-j1(x)",
    "j1": "(j0(x) - jv(2, x)) / 2",
    "y0": "-y1(x)",
    "y1": "(y0(x) - yv(2, x)) / 2",
    "i0": "i1(x)",
    "i0e": "i1e(x) - sign(x) * y",
    "i1": "(i0(x) + iv(2, x)) / 2",
    "i1e": "(i0e(x) + ive(2, x)) / 2 - sign(x) * y",
    "k0": "-k1(x)",
    "k0e": "y - k1e(x)",
    "k1": "-(k0(x) + kv(2, x)) / 2",
    "k1e": "y - (k0e(x) + kve(2, x)) / 2",
    # integrals ([A] 5.1.26, 17.3.9, 27.7)
    "expi": "exp(x) / x",
    "exp1": "-exp(-x) / x",
    "ellipk": "pi / 8 * hyp2f1(1.5, 1.5, 2, x)",
    "ellipe": "-pi / 8 * hyp2f1(0.5, 1.5, 2, x)",
    # towards 0, 1 - x loses x; 1 - x would lose signs of zeros, too
    "ellipkm1": (
        "where(x < 0.5, (x * y - ellipe(1 - x)) / (2 * x * (1 - x)),"
        " -pi / 8 * hyp2f1(1.5, 1.5, 2, 1 - x))"
    ),
    "spence": "where(absolute(x) < 0.5, log(x) / (1 - x), -hyp2f1(1, 1, 2, -(x - 1)))",
}.items():
    # Of half precision SciPy makes single, and of some real numbers complex ones.
    elementwise(getattr(special, _name), _formula).keeps_dtype = False

# ------------------------------------------------------------------------------ two arguments

# Of integers, which may be small or have no sign, 2.0 and 1.0 make floats.
_HYPOT = "(hypot(x1, x2) + ((x1 == 0) & (x2 == 0)))"  # squares would leave the range
_DIVISOR = "(x2 + ((x1 == 0) & (x2 == 0)))"  # along x1 = 0 these do not change with x2
_HUBER = f"(x2 * (x2 / ({_HYPOT} + x1)))"
for _name, _formulas in {
    "xlogy": ("log(x2)", f"x1 / {_DIVISOR}"),
    "xlog1py": ("log1p(x2)", "x1 / (1.0 + x2 + ((x1 == 0) & (x2 == -1)))"),
    "rel_entr": ("log(x1 / x2) + 1", f"-(x1 / {_DIVISOR})"),
    "kl_div": ("log(x1 / x2)", f"1 - x1 / {_DIVISOR}"),
    "beta": ("y * (digamma(x1) - digamma(x1 + x2))", "y * (digamma(x2) - digamma(x1 + x2))"),
    "betaln": ("digamma(x1) - digamma(x1 + x2)", "digamma(x2) - digamma(x1 + x2)"),
    "binom": (
        "y * (digamma(x1 + 1) - digamma(x1 - x2 + 1))",
        "y * (digamma(x1 - x2 + 1) - digamma(x2 + 1))",
    ),
    "poch": ("y * (digamma(x1 + x2) - digamma(x1))", "y * digamma(x1 + x2)"),
    "boxcox": ("x1 ** (x2 - 1.0)", "log(x1) ** 2 * hyp1f1(2, 3, x2 * log(x1)) / 2"),
    "boxcox1p": ("(1.0 + x1) ** (x2 - 1.0)", "log1p(x1) ** 2 * hyp1f1(2, 3, x2 * log1p(x1)) / 2"),
    "huber": ("maximum(absolute(x2) - x1, 0)", "clip(x2, -1.0 * x1, x1)"),
    "pseudo_huber": (f"{_HUBER} * ({_HUBER} / {_HYPOT})", f"x1 * (x2 / {_HYPOT})"),
    "owens_t": (
        "-exp(-(x1**2.0) / 2) * erf(x1 * x2 / sqrt(2)) / (2 * sqrt(2 * pi))",
        "exp(-(x1**2.0) * (1 + x2**2.0) / 2) / (2 * pi * (1 + x2**2.0))",
    ),
}.items():
    elementwise(getattr(special, _name), *_formulas)

# ---------------------------------------- an order, which has no derivative here, and an argument


def _of_last(fun: Any, vjp: Any) -> None:
    """Declare a ufunc that has a derivative with respect to its last argument only."""
    general(fun, *(None,) * (vjp.__code__.co_argcount - 3), vjp, name=fun.__name__.strip("_"))


_of_last(
    special.jv, lambda ct, y, v, x: ct * conj(special.jv(v - 1.0, x) - special.jv(v + 1.0, x)) / 2
)
_of_last(
    special.yv, lambda ct, y, v, x: ct * conj(special.yv(v - 1.0, x) - special.yv(v + 1.0, x)) / 2
)
_of_last(
    special.iv, lambda ct, y, v, x: ct * conj(special.iv(v - 1.0, x) + special.iv(v + 1.0, x)) / 2
)
_of_last(
    special.kv, lambda ct, y, v, x: -ct * conj(special.kv(v - 1.0, x) + special.kv(v + 1.0, x)) / 2
)
_of_last(  # exp(-|Re x|) iv(v, x): the size of the real part is no analytic function
    special.ive,
    lambda ct, y, v, x: (
        ct * conj(special.ive(v - 1.0, x) + special.ive(v + 1.0, x)) / 2
        - np.sign(np.real(x)) * np.real(ct * conj(y))
    ),
)
_of_last(  # exp(x) kv(v, x)
    special.kve,
    lambda ct, y, v, x: ct * conj(y - (special.kve(v - 1.0, x) + special.kve(v + 1.0, x)) / 2),
)
_of_last(special.yn, lambda ct, y, n, x: ct * (special.yn(n - 1.0, x) - special.yn(n + 1.0, x)) / 2)
_of_last(
    special.kn, lambda ct, y, n, x: -ct * (special.kn(n - 1.0, x) + special.kn(n + 1.0, x)) / 2
)
_of_last(  # [A] 9.6.47
    special.hyp0f1, lambda ct, y, v, x: ct * conj(special.hyp0f1(v + 1.0, x) / v)
)
_of_last(  # [A] 13.4.8
    special.hyp1f1, lambda ct, y, a, b, x: ct * conj((a / b) * special.hyp1f1(a + 1.0, b + 1.0, x))
)
_of_last(  # [A] 15.2.1
    special.hyp2f1,
    lambda ct, y, a, b, c, x: (
        ct * conj((1.0 * a * b / c) * special.hyp2f1(a + 1.0, b + 1.0, c + 1.0, x))
    ),
)


def _expn(n: Any, x: Any) -> Any:
    """Return the exponential integral E_n(x); below order 0, by recurrence ([A] 5.1.14)."""
    y = special.expn(np.maximum(n, 0), x)
    for order in range(-1, int(np.min(n)) - 1, -1):
        y = np.where(n <= order, (np.exp(-x) - order * y) / x, y)
    return np.asarray(y, dtype=np.result_type(x))[()]


for _fun in (special.expn, _expn):  # [A] 5.1.26
    _of_last(_fun, lambda ct, y, n, x: -ct * apply(_expn, n - 1.0, x))


def _gamma_density(a: Any, x: Any) -> Any:
    a = a * 1.0  # of small integers SciPy takes functions in single precision
    return np.exp(special.xlogy(a - 1, x) - x - special.gammaln(a))  # [A] 6.5.1


_of_last(special.gammainc, lambda ct, y, a, x: ct * _gamma_density(a, x))
_of_last(special.gammaincc, lambda ct, y, a, x: -ct * _gamma_density(a, x))
_of_last(special.gammaincinv, lambda ct, y, a, p: ct / _gamma_density(a, y))
_of_last(special.gammainccinv, lambda ct, y, a, p: -ct / _gamma_density(a, y))


def _beta_density(a: Any, b: Any, x: Any) -> Any:
    a, b = a * 1.0, b * 1.0
    powers = special.xlogy(a - 1, x) + special.xlog1py(b - 1, -x)  # [A] 26.5.1
    return np.exp(powers - special.betaln(a, b))


_of_last(special.betainc, lambda ct, y, a, b, x: ct * _beta_density(a, b, x))
_of_last(special.betaincc, lambda ct, y, a, b, x: -ct * _beta_density(a, b, x))
_of_last(special.betaincinv, lambda ct, y, a, b, p: ct / _beta_density(a, b, y))
_of_last(special.betainccinv, lambda ct, y, a, b, p: -ct / _beta_density(a, b, y))

# ------------------------------------------------------- functions that SciPy writes in Python


carried_polygamma = carry(special.polygamma)


def _polygamma(x: Any, order: int) -> Any:
    """Return psi^(order)(x), for order 1 at negative x by reflection ([A] 6.4.7)."""
    if order == 1 and np.any(x < 0):
        mirrored = (np.pi / np.sin(np.pi * x)) ** 2 - special.polygamma(1, 1 - x)
        return np.where(x < 0, mirrored, special.polygamma(1, np.abs(x)))[()]
    y = special.polygamma(order, x)
    return np.asarray(y, dtype=np.result_type(x))[()]


def _slope_of_polygamma(x: Any, order: int) -> Any:
    if np.iscomplexobj(x):
        raise leaks.locate(
            NoRuleError(
                "The derivative of digamma at complex numbers has no rule: SciPy's polygamma is "
                "for real ones.",
                fix="Take first derivatives of loggamma only.",
            )
        )
    return apply(_polygamma, x, order + 1)


general(
    _polygamma,
    lambda ct, y, x, order: ct * _slope_of_polygamma(x, order),
    name="polygamma",
)
general(special.digamma, lambda ct, y, x: ct * _slope_of_polygamma(x, 0))  # [A] 6.4.1
general(special.polygamma, None, lambda ct, y, n, x: ct * carried_polygamma(np.add(n, 1), x))
general(  # [D] 4.13.4, written so that z = 0 is regular
    special.lambertw,
    lambda ct, y, z, k=0, tol=1e-8: ct / conj(np.exp(y) * (1 + y)),
)


def _logsumexp_weights(y: Any, a: Any, axis: Any, b: Any, keepdims: Any) -> Any:
    if not keepdims:
        y = np.expand_dims(y, tuple(range(a.ndim)) if axis is None else axis)
    finite = np.isfinite(y)
    weights = np.exp(a - np.where(finite, y, 0))
    # 1, but for the rounding of a large y
    total = np.abs(np.sum(weights if b is None else b * weights, axis=axis, keepdims=True))
    return weights / np.where(finite, total, 1)


def _logsumexp_vjp(
    ct: Any, y: Any, a: Any, axis: Any, b: Any, keepdims: Any, return_sign: Any, wrt: str
) -> Any:
    """Softmax, times the weights.

    With a sign, the sum is ``sign * exp(y)``; its relative change is ``dy + dsign / sign``.
    """
    if return_sign:
        y, sign = y
        change = sign * (0.0 if ct[0] is None else np.real(ct[0]))
        if is_complex(sign) and ct[1] is not None:  # a sign only turns
            change = change + 1j * sign * np.imag(ct[1] * np.conj(sign))
        ct = change
    weights = _logsumexp_weights(y, a, axis, b, keepdims)
    if not keepdims:
        ct = np.expand_dims(ct, tuple(range(a.ndim)) if axis is None else axis)
    return ct * conj(weights * b if wrt == "a" and b is not None else weights)


general(
    special.logsumexp,
    lambda ct, y, a, axis=None, b=None, keepdims=False, return_sign=False: _logsumexp_vjp(
        ct, y, a, axis, b, keepdims, return_sign, "a"
    ),
    None,
    lambda ct, y, a, axis=None, b=None, keepdims=False, return_sign=False: _logsumexp_vjp(
        ct, y, a, axis, b, keepdims, return_sign, "b"
    ),
    generic=True,
)
general(
    special.softmax,
    lambda ct, y, x, axis=None: conj(y) * (ct - np.sum(ct * conj(y), axis=axis, keepdims=True)),
    generic=True,
)
general(
    special.log_softmax,
    lambda ct, y, x, axis=None: ct - conj(np.exp(y)) * np.sum(ct, axis=axis, keepdims=True),
    generic=True,
)


for _fun in (special.lambertw, special.logsumexp, special.softmax, special.log_softmax):
    carry(_fun)
twin_module(special)
