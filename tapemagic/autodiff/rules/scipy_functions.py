"""Functions of `scipy.special` that come several at once, are distributions, or have an order.

The order, and the parameters of distributions, have no derivative here. Sources: see
`scipy_special.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.primitives import elementwise, general
from tapemagic.autodiff.pullbacks import conj_if_complex as conj
from tapemagic.autodiff.twinning import twin_for

elementwise(special.cotdg, "-pi / 180 * (1 + y**2)").keeps_dtype = False
elementwise(special.gammasgn, "0").keeps_dtype = False
elementwise(special.powm1, "x2 * x1 ** (x2 - 1.0)", "(1 + y) * log(x1)")

# ------------------------------------------------------------------------------- several at once


def _several(fun: Any, slopes: Callable) -> None:
    """Declare a ufunc of several results: ``slopes(y, *args)`` are those by its first operand."""

    def vjp(ct: Any, y: Any, *args: Any) -> Any:
        total: Any = 0.0
        for one, slope in zip(ct, slopes(y, *args), strict=True):
            if one is not None:
                total = total + one * conj(slope)
        return total

    general(fun, vjp, *(None,) * (fun.nin - 1), name=fun.__name__)


def _over(y: Any, x: Any) -> Any:
    """Return ``y / x`` of a function that is x near 0."""
    return np.where(x == 0, 1, y / np.where(x == 0, 1, x))


_several(special.airy, lambda y, z: (y[1], z * y[0], y[3], z * y[2]))  # [A] 10.4.1
_several(special.sici, lambda y, x: (_over(np.sin(x), x), np.cos(x) / x))  # [A] 5.2
_several(special.shichi, lambda y, x: (_over(np.sinh(x), x), np.cosh(x) / x))
_several(  # [A] 7.3
    special.fresnel, lambda y, x: (np.sin(np.pi / 2 * x**2), np.cos(np.pi / 2 * x**2))
)
_several(  # [A] 16.16
    special.ellipj,
    lambda y, u, m: (y[1] * y[2], -y[0] * y[2], -m * y[0] * y[1], y[2]),
)

# ------------------------------------------------------------------------- an order or a parameter


def _by(fun: Any, *slopes: Callable | None) -> None:
    """Declare a ufunc by its slopes in each operand, ``slope(y, *args)``."""

    def vjp(slope: Callable) -> Callable:
        return lambda ct, y, *args: ct * conj(slope(y, *args))

    general(fun, *(slope and vjp(slope) for slope in slopes), name=fun.__name__)


for _fun in (special.hankel1, special.hankel2):  # [A] 9.1.27
    _by(_fun, None, lambda y, v, z, h=_fun: (h(v - 1.0, z) - h(v + 1.0, z)) / 2)
for _fun in (special.struve, special.modstruve):  # [D] 11.4
    _by(_fun, None, lambda y, v, x, h=_fun: h(v - 1.0, x) - v * y / x)
_by(special.hyperu, None, None, lambda y, a, b, x: -1.0 * a * special.hyperu(a + 1.0, b + 1.0, x))
_by(special.ellipkinc, lambda y, phi, m: 1 / np.sqrt(1 - m * np.sin(phi) ** 2), None)
_by(special.ellipeinc, lambda y, phi, m: np.sqrt(1 - m * np.sin(phi) ** 2), None)
_by(special.inv_boxcox, lambda y, x, power: y ** (1.0 - power), None)
_by(special.inv_boxcox1p, lambda y, x, power: (1 + y) ** (1.0 - power), None)


def _faddeeva(x: Any, sigma: Any, gamma: Any) -> tuple[Any, Any]:
    """Return the place and the slope of the function whose real part a Voigt profile is."""
    z = (x + 1j * gamma) / (sigma * np.sqrt(2))
    slope = 2j / np.sqrt(np.pi) - 2 * z * special.wofz(z)
    return z, slope / (sigma * np.sqrt(2 * np.pi))


_by(  # [D] 7.19
    special.voigt_profile,
    lambda y, *args: np.real(_faddeeva(*args)[1]) / (args[1] * np.sqrt(2)),
    lambda y, *args: -(y + np.real(np.prod(np.stack(_faddeeva(*args)), axis=0))) / args[1],
    lambda y, *args: -np.imag(_faddeeva(*args)[1]) / (args[1] * np.sqrt(2)),
)

# ------------------------------------------------------------------------- distribution functions


def _gamma(a: Any, x: Any) -> Any:
    return np.exp(special.xlogy(a - 1.0, x) - x - special.gammaln(1.0 * a))  # [A] 6.5.1


def _beta(a: Any, b: Any, x: Any) -> Any:
    powers = special.xlogy(a - 1.0, x) + special.xlog1py(b - 1.0, -x)  # [A] 26.5.1
    return np.exp(powers - special.betaln(1.0 * a, 1.0 * b))


def _student(df: Any, t: Any) -> Any:  # [A] 26.7.1
    df = 1.0 * df
    return np.exp(
        -(df + 1) / 2 * np.log1p(t**2 / df) - np.log(df) / 2 - special.betaln(df / 2, 0.5)
    )


def _fisher(n: Any, m: Any, x: Any) -> Any:  # [A] 26.6.2
    total = m + 1.0 * n * x
    return _beta(n / 2, m / 2, n * x / total) * (1.0 * n * m / total**2)


#: Density of the last argument -> functions that grow with it, that fall, and their inverses.
for _density, _grow, _fall, _inverse, _falling_inverse in (
    (_student, "stdtr", "", "stdtrit", ""),
    (lambda v, x: _gamma(v / 2, x / 2) / 2, "chdtr", "chdtrc", "", "chdtri"),
    (_fisher, "fdtr", "fdtrc", "fdtri", ""),
    (lambda a, b, x: a * _gamma(b, a * x), "gdtr", "gdtrc", "", ""),
    (lambda k, n, p: _beta(n - np.floor(k), np.floor(k) + 1, 1 - p), "bdtrc", "bdtr", "", ""),
    (lambda k, n, p: _beta(n, k + 1.0, p), "nbdtr", "nbdtrc", "", ""),
    (lambda k, m: _gamma(np.floor(k) + 1.0, m), "pdtrc", "pdtr", "", ""),
):
    for _name, _slope in (
        (_grow, lambda y, *args, density=_density: density(*args)),
        (_fall, lambda y, *args, density=_density: -density(*args)),
        (_inverse, lambda y, *args, density=_density: 1 / density(*args[:-1], y)),
        (_falling_inverse, lambda y, *args, density=_density: -1 / density(*args[:-1], y)),
    ):
        if _name:
            _fun = getattr(special, _name)
            _by(_fun, *(None,) * (_fun.nin - 1), _slope)

# ------------------------------------------------------- functions that SciPy writes in Python


def carry(original: Any) -> Any:
    """Make the twin of a function that does not let handles through: a call of its rule."""

    def twin(*args: Any, **kwargs: Any) -> Any:
        if dispatch.holds_traced(args) or dispatch.holds_traced(tuple(kwargs.values())):
            return dispatch.call(original, args, kwargs)
        return original(*args, **kwargs)

    return twin_for(original)(twin)


def _spherical(fun: Any, sign: int) -> None:
    """Declare a spherical Bessel function, of which SciPy knows the slope ([A] 10.1.1, 10.2.1)."""
    twin = carry(fun)

    def vjp(ct: Any, y: Any, n: Any, z: Any, derivative: bool = False) -> Any:
        if not derivative:
            return ct * conj(twin(n, z, derivative=True))
        return ct * conj((n * (n + 1) / z**2 + sign) * twin(n, z) - 2 * y / z)

    general(fun, None, vjp)


_spherical(special.spherical_jn, -1)
_spherical(special.spherical_yn, -1)
_spherical(special.spherical_in, 1)
_spherical(special.spherical_kn, 1)
general(
    special.multigammaln,
    lambda ct, y, a, d: ct * sum(special.digamma(a - j / 2) for j in range(int(d))),
    None,
)
carry(special.multigammaln)
