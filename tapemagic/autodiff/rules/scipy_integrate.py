"""Integrals of `scipy.integrate`. Imported only when SciPy has been.

The rules for samples are short Python programs: SciPy's own code is run, with twins in place of
what it calls, so that values and conventions at the ends are its own in every version. Integrals of
functions of several variables are refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import integrate

from tapemagic.autodiff.calls.creation import convert
from tapemagic.autodiff.primitives import composite
from tapemagic.autodiff.twinning import STAND_INS, TWINS, relink, twin_module

from . import scipy_ode as _scipy_ode  # noqa: F401  (declares more)
from . import scipy_quadrature as _scipy_quadrature  # noqa: F401  (declares more)
from .algebra import as_array, plain
from .carrying import carry, refuse_rest, refused


class _Float64:
    """Stands for `np.float64`, as a dtype and as a function that keeps traced values."""

    dtype = np.dtype(np.float64)

    def __call__(self, x: Any) -> Any:
        return convert(np.float64, x)


class _Numpy:
    """NumPy as SciPy's code sees it when it is run on handles."""

    float64 = _Float64()

    def __getattr__(self, name: str) -> Any:
        return getattr(TWINS[id(np)], name)


def _namespace(*arrays: Any, **options: Any) -> Any:
    return TWINS[id(np)]


def _array(x: Any, **options: Any) -> Any:
    return as_array(x)


def _float_type(*arrays: Any, force_floating: bool = False, xp: Any = None) -> np.dtype:
    """Return the common dtype; of integers, if asked for, the default float."""
    dtype = np.result_type(*map(plain, arrays))
    return dtype if not force_floating or dtype.kind in "fc" else np.dtype(float)


def _promoted(*arrays: Any, force_floating: bool = False, xp: Any = None) -> Any:
    found = _all_promoted(*arrays, force_floating=force_floating)
    return found[0] if len(found) == 1 else found


def _all_promoted(*arrays: Any, force_floating: bool = False, xp: Any = None) -> list:
    """Return arrays of the common dtype, a list even of one."""
    given = [x for x in arrays if x is not None]
    dtype = _float_type(*given, force_floating=force_floating)
    return [None if x is None else as_array(x).astype(dtype, copy=False) for x in arrays]


def _swapped(x: Any, a: int, b: int, xp: Any = None) -> Any:
    return np.swapaxes(x, a, b)


class _Extra:
    """Stands for the array functions that SciPy adds since 1.18."""

    @staticmethod
    def apply_where(
        cond: Any, args: tuple, fun: Callable, *, fill_value: Any = None, **_: Any
    ) -> Any:
        """Compute where a condition holds."""
        return np.where(cond, fun(*(np.where(cond, x, 1.0) for x in args)), fill_value)


_NAMES = {
    "np": _Numpy(), "array_namespace": _namespace, "_asarray": _array,
    "xp_result_type": _float_type, "xp_promote": _promoted, "xp_swapaxes": _swapped,
    "xp_broadcast_promote": _all_promoted,  # before SciPy 1.16
    "xpx": _Extra, "xp_size": np.size,
}  # fmt: skip
_helper = integrate._quadrature._basic_simpson
STAND_INS[id(_helper)] = relink(_helper, **_NAMES)


def _rerun(fun: Callable, *arrays: str) -> None:
    """Declare that a function of samples is carried out by its own code."""
    linked = relink(fun, **_NAMES)

    def body(*given: Any, **options: Any) -> Any:
        named = dict(zip(arrays, given, strict=False))
        return linked(named.pop("y"), **named, **options)

    composite(fun, body)
    carry(fun, *arrays)


_rerun(integrate.trapezoid, "y", "x", "dx")
_rerun(integrate.simpson, "y", "x", "dx")
_rerun(integrate.cumulative_trapezoid, "y", "x", "dx", "initial")
_rerun(integrate.cumulative_simpson, "y", "x", "dx", "initial")
_rerun(integrate.romb, "y", "dx")

for _name in ("dblquad", "tplquad", "nquad", "quad_vec"):
    refused(
        getattr(integrate, _name),
        "it evaluates a function at points of its own choice",
        "Call scipy.integrate.quad, which has a rule, for each of them: one within the other.",
    )
refuse_rest(
    integrate,
    "it evaluates a function at points of its own choice",
    "Use scipy.integrate.simpson on samples, or a sum over np.polynomial.legendre.leggauss.",
)
twin_module(integrate)
