"""Equations of matrices of `scipy.linalg`: Sylvester's, Lyapunov's, Stein's and Riccati's.

Imported with its rules. The cotangents solve equations of the same kind with the adjoint matrices.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg

from tapemagic.autodiff.primitives import general

from .algebra import adjoint, apply, as_array, as_matrix
from .carrying import carried, carried_general, unsupported

# ----------------------------------------------------------------------------------------- linear


def _sylvester_q(ct: Any, y: Any, a: Any, b: Any, q: Any) -> Any:
    """``a y + y b = q``, so ``a^H ct_q + ct_q b^H = ct``."""
    return apply(linalg.solve_sylvester, adjoint(a), adjoint(b), ct)


carried_general(
    linalg.solve_sylvester,
    "a b q",
    lambda ct, y, a, b, q: -_sylvester_q(ct, y, a, b, q) @ adjoint(y),
    lambda ct, y, a, b, q: -adjoint(y) @ _sylvester_q(ct, y, a, b, q),
    _sylvester_q,
)


def _lyapunov_q(ct: Any, y: Any, a: Any, q: Any) -> Any:
    """``a y + y a^H = q``, so ``a^H ct_q + ct_q a = ct``."""
    return apply(linalg.solve_continuous_lyapunov, adjoint(a), ct)


def _lyapunov_a(ct: Any, y: Any, a: Any, q: Any) -> Any:
    z = _lyapunov_q(ct, y, a, q)
    return -(z @ adjoint(y) + adjoint(z) @ y)


carried_general(linalg.solve_continuous_lyapunov, "a q", _lyapunov_a, _lyapunov_q)


def _stein_q(ct: Any, y: Any, a: Any, q: Any, **_: Any) -> Any:
    """``y = a y a^H + q``, so ``ct_q = a^H ct_q a + ct``."""
    return apply(linalg.solve_discrete_lyapunov, adjoint(a), ct)


def _stein_a(ct: Any, y: Any, a: Any, q: Any, **_: Any) -> Any:
    z = _stein_q(ct, y, a, q)
    return z @ a @ adjoint(y) + adjoint(z) @ a @ y


carried_general(linalg.solve_discrete_lyapunov, "a q", _stein_a, _stein_q)


# ----------------------------------------------------------------------------------------- Riccati
#
# With the gain k, the matrix a - b k is stable, and the derivative dy solves the equation of
# Lyapunov (of Stein, if time is discrete) for dq + k^H dr k and twice the symmetric part of
# m^H (da - db k).


def _riccati(a: Any, b: Any, q: Any, r: Any, discrete: bool) -> Any:
    return (linalg.solve_discrete_are if discrete else linalg.solve_continuous_are)(a, b, q, r)


def _parts(ct: Any, y: Any, a: Any, b: Any, r: Any, discrete: bool) -> tuple[Any, Any, Any]:
    """Return the cotangent of `q`, the gain, and ``m``."""
    weight, ct = adjoint(b) @ y, (ct + adjoint(ct)) / 2
    if not discrete:
        gain = np.linalg.solve(r, weight)
        return apply(linalg.solve_continuous_lyapunov, a - b @ gain, -ct), gain, y
    gain = np.linalg.solve(r + weight @ b, weight @ a)
    stable = a - b @ gain
    return apply(linalg.solve_discrete_lyapunov, stable, ct), gain, y @ stable


def _riccati_a(ct: Any, y: Any, a: Any, b: Any, q: Any, r: Any, discrete: bool) -> Any:
    z, _, m = _parts(ct, y, a, b, r, discrete)
    return 2 * m @ z


def _riccati_b(ct: Any, y: Any, a: Any, b: Any, q: Any, r: Any, discrete: bool) -> Any:
    z, gain, m = _parts(ct, y, a, b, r, discrete)
    return -2 * m @ z @ adjoint(gain)


def _riccati_q(ct: Any, y: Any, a: Any, b: Any, q: Any, r: Any, discrete: bool) -> Any:
    return _parts(ct, y, a, b, r, discrete)[0]


def _riccati_r(ct: Any, y: Any, a: Any, b: Any, q: Any, r: Any, discrete: bool) -> Any:
    z, gain, _ = _parts(ct, y, a, b, r, discrete)
    return gain @ z @ adjoint(gain)


general(_riccati, _riccati_a, _riccati_b, _riccati_q, _riccati_r, name="riccati")


def _carry(fun: Any, discrete: bool) -> None:
    @carried(fun, "a", "b", "q", "r")
    def body(a: Any, b: Any, q: Any, r: Any, e: Any = None, s: Any = None, **_: Any) -> Any:
        if e is not None or s is not None:
            raise unsupported(fun, "e= or s=", "Bring the equation to the form without them.")
        read = as_matrix if discrete else as_array  # as SciPy does
        return apply(_riccati, *(np.atleast_2d(read(x)) for x in (a, b, q, r)), discrete)


_carry(linalg.solve_continuous_are, False)
_carry(linalg.solve_discrete_are, True)
