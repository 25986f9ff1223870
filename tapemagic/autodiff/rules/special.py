"""`np.sinc`, `np.i0` and digamma, with derivatives of every order.

Sources: [A] M. Abramowitz, I. Stegun, "Handbook of mathematical functions", 1964; [T] L. Trefethen,
J. Weideman, "The exponentially convergent trapezoidal rule", SIAM Review 56, 2014.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tapemagic.autodiff.primitives import general
from tapemagic.autodiff.pullbacks import FORMULA_NAMES
from tapemagic.autodiff.pullbacks import conj_if_complex as conj

from .algebra import apply

# ---------------------------------------------------------------------------------------- sinc


def _sinc_derivative(x: Any, order: int) -> Any:
    """Return a derivative of ``sin(pi x) / (pi x)``.

    Differentiating ``x sinc(x) = sin(pi x) / pi`` gives ``x f_n + n f_(n-1)`` on the left; below
    1, where that divides by little, the power series is summed ([A] 4.3.65 divided by x).
    """
    small = np.abs(x) < 1
    z = np.where(small, x, 0)
    series = sum(
        (-1) ** k * math.pi ** (2 * k) / ((2 * k + 1) * math.factorial(2 * k - order))
        * z ** (2 * k - order)
        for k in range((order + 1) // 2, (order + 1) // 2 + 15)
    )  # fmt: skip
    z = np.where(small, 1, x)
    f = np.sinc(z)
    for n in range(1, order + 1):
        f = (math.pi ** (n - 1) * np.sin(math.pi * z + n * math.pi / 2) - n * f) / z
    return np.where(small, series, f).astype(np.asarray(x).dtype)[()]


general(
    _sinc_derivative,
    lambda ct, y, x, order: ct * conj(apply(_sinc_derivative, x, order + 1)),
    name="sinc'",
)
general(np.sinc, lambda ct, y, x: ct * conj(apply(_sinc_derivative, x, 1)))


# ------------------------------------------------------------------------------------------ i0


def _i0_derivative(x: Any, order: int) -> Any:
    """Return a derivative of the modified Bessel function I0.

    From its integral ([A] 9.6.16): the mean of ``cos(t)^n exp(x cos t)`` over the circle, folded to
    a quarter of it. The trapezoidal rule converges exponentially ([T] section 4); 128 points give
    all digits up to where I0 overflows.
    """
    cosine = np.cos(np.linspace(0, math.pi / 2, 129))
    weights = np.full(129, 1 / 128)
    weights[[0, -1]] /= 2
    wave = np.sinh if order % 2 else np.cosh
    values = wave(np.multiply.outer(x, cosine)) @ (weights * cosine**order)
    return values.astype(np.asarray(x).dtype)[()]


general(
    _i0_derivative,
    lambda ct, y, x, order: ct * apply(_i0_derivative, x, order + 1),
    name="i0'",
)
general(np.i0, lambda ct, y, x: ct * apply(_i0_derivative, x, 1))


# ------------------------------------------------------------------------------------ digamma

#: Bernoulli numbers B2, B4, ... ([A] table 23.2)
_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6)


def psi(x: Any, order: int = 0) -> Any:
    """Return a derivative of the digamma function, that of the logarithm of gamma.

    Far to the left by the reflection ([A] 6.3.7, 6.4.7) from the right.
    """
    left = x < -16
    y = _psi_by_recurrence(np.where(left, 1 - x, x), order)
    mirrored = (-1) ** order * y - math.pi * _cotangent_derivative(np.where(left, x, 0.5), order)
    return np.where(left, mirrored, y)[()]


def _cotangent_derivative(x: Any, order: int) -> Any:
    """Return a derivative of ``cot(pi x)``, which is a polynomial in it."""
    coefficients = np.array([0.0, 1.0])
    for _ in range(order):
        coefficients = np.polynomial.polynomial.polymul(
            [-1.0, 0.0, -1.0], np.polynomial.polynomial.polyder(coefficients)
        )
    cotangent = 1 / np.tan(math.pi * (x - np.round(x)))  # of so small an angle, exactly
    total = coefficients[-1]
    for c in coefficients[-2::-1]:
        total = total * cotangent + c
    return math.pi**order * total


def _psi_by_recurrence(x: Any, order: int) -> Any:
    """Return the same for what lies not far to the left.

    The recurrence ([A] 6.4.6) leads to where a few terms of the asymptotic expansion ([A] 6.3.18,
    6.4.11) give all digits.
    """
    steps = np.arange(max(0, math.ceil(16 - np.min(x))) if np.isfinite(x).all() else 0)
    z = x + len(steps)
    passed = math.factorial(order) * np.sum(np.add.outer(x, steps) ** (-1.0 - order), axis=-1)
    terms = [
        b * math.factorial(2 * k + order - 1) / math.factorial(2 * k) / z ** (2 * k + order)
        for k, b in enumerate(_BERNOULLI, 1)
    ]
    if order == 0:
        return np.log(z) - 1 / (2 * z) - sum(terms) - passed
    first = math.factorial(order - 1) / z**order + math.factorial(order) / (2 * z ** (order + 1))
    return (-1) ** (order + 1) * (first + sum(terms) + passed)


general(psi, lambda ct, y, x, order=0: ct * apply(psi, x, order + 1), name="psi")
FORMULA_NAMES["psi"] = lambda x: apply(psi, x)
