"""Densities and distribution functions of `scipy.stats`. Imported only when its module has been.

A distribution is an object, and has a twin: its methods are carried out by SciPy, so that values
are its own in every bit, and recorded. Their derivatives follow from one formula for each
parameter, the slope of the logarithm of the standard density, and from the density itself.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from inspect import signature
from types import MethodType
from typing import Any

import numpy as np
from scipy import stats

from tapemagic.autodiff import leaks
from tapemagic.autodiff.later import OBJECTS, StandIn
from tapemagic.autodiff.positions import name_of
from tapemagic.autodiff.primitives import general
from tapemagic.autodiff.pullbacks import FORMULA_NAMES
from tapemagic.autodiff.recorder import RECORDER
from tapemagic.autodiff.twinning import fresh, register, twin_module
from tapemagic.errors import NoRuleError

from . import scipy_multivariate as _scipy_multivariate  # noqa: F401  (declares more)
from . import scipy_special as _scipy_special  # noqa: F401  (rules of what the formulas call)
from . import scipy_statistics as _scipy_statistics  # noqa: F401
from .algebra import apply, as_array, is_live, plain
from .carrying import refuse_rest
from .scipy_densities import CONTINUOUS, DISCRETE, MOVES

_DENSITIES = ("logpdf", "pdf", "logpmf", "pmf")
_AREAS = {"cdf": 1, "sf": -1, "logcdf": 1, "logsf": -1}
_QUANTILES = {"ppf": 1, "isf": -1}
_ADVICE = "Write it with NumPy's functions, or cut it: tapemagic.stop_gradient(...)."


def _slope(name: str, number: int, table: dict = CONTINUOUS) -> Callable:
    """Return the slope in z, or in a shape parameter, as a function of z and all shapes."""
    names = ["k" if table is DISCRETE else "z", *_shapes(getattr(stats, name))]
    return _compiled(f"lambda {', '.join(names)}: {table[name][number] or '0'}")


@functools.cache
def _compiled(text: str) -> Callable:
    return eval(text, FORMULA_NAMES)  # noqa: S307  (the formulas are those of the tables)


def _shapes(distribution: Any) -> list[str]:
    return [name.strip() for name in (distribution.shapes or "").split(",") if name.strip()]


# ---------------------------------------------------------------------------------------- rules


def _value(x: Any, loc: Any, scale: Any, *shapes: Any, name: str, method: str) -> Any:
    options = {"scale": scale} if name in CONTINUOUS else {}
    return getattr(getattr(stats, name), method)(x, *shapes, loc=loc, **options)


def _vjp(i: int, ct: Any, y: Any, *given: Any, name: str, method: str) -> Any:
    # integers may have no sign, and no room
    given = tuple(x * 1.0 if x.dtype.kind in "biu" else x for x in given)
    if method in _DENSITIES:
        inside = np.isfinite(y) if method.startswith("log") else y > 0
        slope = np.where(inside, _of_density(i, inside, *given, name=name), 0)
        return ct * (slope if method.startswith("log") else y * slope)
    if y.dtype == np.longdouble:  # in which SciPy has not all densities
        given = tuple(x.astype(np.float64) for x in given)
    x, loc, scale = given[:3]
    if method in _QUANTILES:
        if i == 1:
            return ct
        if i == 2:
            return ct * (y - loc) / scale
        if i > 2:
            z = (y - loc) / scale
            return -ct * scale * _slope(name, i - 3, MOVES)(z, *given[3:])
        density = apply(_value, y, *given[1:], name=name, method="pdf")
        return _QUANTILES[method] * ct / density
    if method.startswith("log"):
        finite = np.isfinite(y)
        density = np.exp(apply(_value, *given, name=name, method="logpdf") - np.where(finite, y, 0))
        density = np.where(finite, density, 0)
    else:
        density = apply(_value, *given, name=name, method="pdf")
    z = np.where(density > 0, (x - loc) / scale, 0)
    if i > 2:
        z = np.where(density > 0, z, 1)
        moves = scale * _slope(name, i - 3, MOVES)(z, *given[3:])
    else:
        moves = (1, -1, -z)[i]
    return _AREAS[method] * ct * density * moves


def _of_density(i: int, inside: Any, x: Any, loc: Any, scale: Any, *shapes: Any, name: str) -> Any:
    """Return the slope of the log-density in one operand; where it is not inside, something."""
    if name in DISCRETE:
        return _slope(name, i - 3, DISCRETE)(np.where(inside, x - loc, 1), *shapes)
    z = np.where(inside, (x - loc) / scale, 0.5)
    if i > 2:
        return _slope(name, i - 2)(z, *shapes)
    slope = _slope(name, 0)(z, *shapes)
    return -(1 + z * slope) / scale if i == 2 else (slope if i == 0 else -slope) / scale


general(_value, variadic=_vjp, name="distribution")


# ---------------------------------------------------------------------------------------- twins


def _refuse(distribution: Any, method: str, given: Any) -> NoRuleError:
    live = [x for x in given if is_live(x)]
    return leaks.locate(
        NoRuleError(
            f"{name_of(live)} cannot go through scipy.stats.{distribution.name}.{method} as"
            " this argument: it has no derivative rule.",
            fix=_ADVICE,
        )
    )


def _carry(distribution: Any, method: str, args: tuple, kwargs: dict) -> Any:
    """Carry out a method of a distribution: recorded, where it has a rule."""
    fun = getattr(distribution, method)
    given = (*args, *kwargs.values())
    if not any(map(is_live, given)):
        return fresh(fun(*plain(args), **plain(kwargs)), args, kwargs)
    name, shapes = distribution.name, _shapes(distribution)
    is_discrete = name in DISCRETE
    first = "q" if method in _QUANTILES else "k" if is_discrete else "x"
    names = [first, *shapes, "loc", *(() if is_discrete else ("scale",))]
    bound = dict(zip(names, args, strict=False)) | kwargs
    if len(args) > len(names) or not set(bound) <= set(names) or not {first, *shapes} <= set(bound):
        fun(*plain(args), **plain(kwargs))  # SciPy's own error
        raise _refuse(distribution, method, given)
    fixed = [bound.get(one) for one in _fixed(distribution, method, names)]
    if any(map(is_live, fixed)):
        raise _refuse(distribution, method, fixed)
    operands = [bound[first], bound.get("loc", 0), bound.get("scale", 1)]
    operands += [bound[one] for one in shapes]
    return apply(_value, *map(as_array, operands), name=name, method=method)


def _fixed(distribution: Any, method: str, names: list[str]) -> list[str]:
    """Return which of the arguments have no derivative."""
    name, shapes = distribution.name, _shapes(distribution)
    if name in CONTINUOUS:
        return [] if method in _DENSITIES or name in MOVES else shapes
    if name not in DISCRETE or method not in _DENSITIES:
        return names
    return ["k", "loc", *(one for one, slope in zip(shapes, DISCRETE[name]) if not slope)]


class Distribution(StandIn):
    """Stands for a distribution in a cell."""

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(self._original)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return the distribution with fixed parameters, which may be traced."""
        frozen = self._original(*plain(args), **plain(kwargs))
        return frozen if RECORDER.recording is None else Frozen(frozen, args, kwargs)

    freeze = __call__

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._original, name)
        if name.startswith("_") or not isinstance(value, MethodType):
            return value
        if name in (*_DENSITIES, *_AREAS, *_QUANTILES):
            return lambda *args, **kwargs: _carry(self._original, name, args, kwargs)
        return _guarded(self._original, name, value, ())


class Frozen(Distribution):
    """Stands for a distribution whose parameters are fixed, and may be traced."""

    def __init__(self, original: Any, args: tuple | None = None, kwargs: Any = None) -> None:
        super().__init__(original)
        self._args = original.args if args is None else args
        self._kwargs = original.kwds if kwargs is None else kwargs

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._original, name)
        if name.startswith("_") or not isinstance(value, MethodType):
            return value
        if name in (*_DENSITIES, *_AREAS, *_QUANTILES):
            takes = signature(value)  # one argument, x, k or q
            return lambda *args, **kwargs: _carry(
                self._original.dist,
                name,
                (*takes.bind(*args, **kwargs).args, *self._args),
                self._kwargs,
            )
        return _guarded(self._original.dist, name, value, (*self._args, *self._kwargs.values()))


def _guarded(distribution: Any, name: str, method: Callable, known: tuple) -> Callable:
    """Return a method that refuses traced values."""

    def called(*args: Any, **kwargs: Any) -> Any:
        given = (*args, *kwargs.values(), *known)
        if any(map(is_live, given)):
            raise _refuse(distribution, name, given)
        return fresh(method(*plain(args), **plain(kwargs)))

    return called


for _one in list(vars(stats).values()):
    if isinstance(_one, stats.rv_continuous | stats.rv_discrete):
        register(_one, Distribution(_one))
for _frozen in (stats.norm(), stats.poisson(1.0)):
    OBJECTS[type(_frozen)] = Frozen
refuse_rest(stats, "it has no derivative rule", _ADVICE)
twin_module(stats)
