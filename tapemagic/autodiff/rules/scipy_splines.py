"""Splines of `scipy.interpolate`. Imported with its rules.

A spline is linear in its values: the cotangent of these is that of the result times the splines of
the unit vectors. By the place where it is evaluated, its derivative is one that SciPy has as well.
An object that SciPy makes has a stand-in, which knows the values.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import interpolate

from tapemagic.autodiff.later import OBJECTS, StandIn
from tapemagic.autodiff.primitives import general
from tapemagic.autodiff.recorder import RECORDER
from tapemagic.autodiff.twinning import fresh, twin_class, twin_for

from .algebra import apply, as_array, is_live, plain, with_value
from .carrying import carried, constant_argument, unsupported
from .written_splines import combined, is_symbol, sampled, value

_ADVICE = "Cut it on purpose with tapemagic.stop_gradient(...)."
_MAKERS = "Use CubicSpline, make_interp_spline or interp1d, whose values may be traced."


def _derived(spline: Any, at: Any, order: int) -> Any:
    """Return the derivative of an order at some places; of a negative one the integral."""
    return _slope(spline, at, order) if order >= 0 else value(spline.antiderivative(-order), at, 0)


def _slope(spline: Any, at: Any, order: int) -> Any:
    """Return a derivative; beyond the degree SciPy 1.15 writes outside of its memory."""
    if order > getattr(spline, "k", order):
        return value(spline, at, 0) * 0.0
    return value(spline, at, order)


# ------------------------------------------------------------------------------------- the rules


def _at(at: Any, spline: Any, order: int, axis: int) -> Any:
    """Evaluate a spline of constant values."""
    return _derived(spline, at, order)


def _of(at: Any, values: Any, make: Callable, order: int) -> Any:
    """Evaluate a spline whose values lie along the first axis."""
    if is_symbol(at) or is_symbol(values):
        return combined(_derived(make(np.eye(values.shape[0])), at, order), values)
    return _derived(make(values), at, order)


def _by_place(ct: Any, slope: Any, axis: int, count: int) -> Any:
    """Sum over all axes but those of the places."""
    others = tuple(i for i in range(slope.ndim) if not axis <= i < axis + count)
    return np.sum(ct * np.conj(slope), axis=others)


def _by_values(ct: Any, at: Any, n: int, make: Callable, order: int) -> Any:
    return _by_values_of(ct, apply(_of, at, np.eye(n), make, order))


def _by_values_of(ct: Any, matrix: Any) -> Any:
    places = range(matrix.ndim - 1)
    return np.tensordot(matrix, ct, (places, places))


general(
    _at,
    lambda ct, y, at, spline, order, axis: _by_place(
        ct, apply(_at, at, spline, order + 1, axis), axis, at.ndim
    ),
    name="spline",
)
general(
    _of,
    lambda ct, y, at, values, make, order: _by_place(
        ct, apply(_of, at, values, make, order + 1), 0, at.ndim
    ),
    lambda ct, y, at, values, make, order: _by_values(ct, at, values.shape[0], make, order),
    name="spline",
)
general(
    sampled,
    lambda ct, y, values, sample: _by_values_of(
        ct, apply(sampled, np.eye(values.shape[0]), sample)
    ),
    name="spline",
)


# ------------------------------------------------------------------------------------- stand-ins


def _evaluated(at: Any, values: Any, make: Callable, order: int) -> Any:
    if is_live(at):
        return apply(_of, at, values, make, order)
    return apply(sampled, values, lambda values: _of(plain(at), values, make, order))


#: Attributes that do not depend on the values.
_FACTS = ("x", "t", "k", "axis", "extrapolate")


class Spline(StandIn):
    """Stands for a spline in a cell."""

    def __init__(
        self, original: Any, values: Any = None, make: Callable = lambda _: None, order: int = 0
    ) -> None:
        super().__init__(original)
        self._values, self._make, self._order = values, make, order

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(self._original)

    def __call__(self, x: Any, nu: int = 0, *args: Any, **kwargs: Any) -> Any:
        """Return the value, or a derivative, at some places."""
        if self._values is None and not is_live(x):
            return fresh(self._original(plain(x), nu, *args, **kwargs))
        goes_on = getattr(self._original, "ext", 0) == 0
        if args or kwargs or not goes_on:
            raise unsupported(type(self._original), "a rule of its own outside", _ADVICE)
        at, axis = as_array(x), getattr(self._original, "axis", 0)
        if self._values is None:  # a copy, since an object may be changed in place
            return apply(_at, at, copy.deepcopy(self._original), nu, axis)
        y = _evaluated(at, self._values, self._make, self._order + nu)
        places = range(at.ndim)
        y = np.moveaxis(y, places, [i + axis for i in places])
        return self._checked(y, self._original(plain(at), nu))

    def _checked(self, y: Any, value: Any) -> Any:
        """Give a result SciPy's value: it is another one only if the spline has been changed."""
        scale = np.nanmax(np.abs(value), initial=0)
        if not np.allclose(plain(y), value, 1e-6, 1e-6 * scale, equal_nan=True):
            raise unsupported(type(self._original), "data that have been changed since", _ADVICE)
        return with_value(y, value)

    def derivative(self, nu: int = 1) -> Any:
        """Return the spline of a derivative."""
        return type(self)._of_order(self, self._original.derivative(nu), nu)

    def antiderivative(self, nu: int = 1) -> Any:
        """Return the spline of an integral."""
        return type(self)._of_order(self, self._original.antiderivative(nu), -nu)

    def _of_order(self, original: Any, more: int) -> Any:
        return Spline(original, self._values, self._make, self._order + more)

    def integrate(self, a: Any, b: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the integral between two numbers."""
        value = self._original.integrate(*plain((a, b, *args)), **kwargs)
        if self._values is None and not is_live((a, b)):
            return fresh(value)
        if args or kwargs or self._original.extrapolate == "periodic":
            raise unsupported(type(self._original), "a rule of its own outside", _ADVICE)
        whole = self.antiderivative()
        return with_value(whole(b) - whole(a), value)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._original, name)
        if self._values is not None and not name.startswith("_") and name not in _FACTS:
            raise unsupported(type(self._original), f"{name!r} of traced values", _ADVICE)
        return value


class _Interpolation:
    """An `interp1d` as a spline: 0, and not its filling, where it does not go on."""

    def __init__(self, x: Any, y: Any, goes_on: bool, **options: Any) -> None:
        filling: Any = "extrapolate" if goes_on else 0
        self._fun = interpolate.interp1d(
            x, y, axis=0, bounds_error=False, fill_value=filling, **options
        )
        self._goes_on = goes_on

    def __call__(self, at: Any, order: int) -> Any:
        if order == 0:
            return self._fun(at)
        x, y = self._fun.x, self._fun.y
        shape = (*np.shape(at), *y.shape[1:])
        if hasattr(self._fun, "_spline"):
            slope = np.reshape(_slope(self._fun._spline, at, order), shape)
        elif self._fun._kind == "linear" and order == 1:
            right = np.clip(np.searchsorted(x, at), 1, len(x) - 1)
            slope = ((y[1:] - y[:-1]).T / np.diff(x)).T[right - 1]
        else:
            slope = np.zeros(shape)
        inside = (at >= x[0]) & (at <= x[-1]) | self._goes_on
        return (slope.T * np.transpose(inside)).T


class Interp1d(Spline):
    """Stands for an `interp1d` in a cell."""

    def __call__(self, x: Any) -> Any:  # type: ignore[override]
        """Return the values at some places."""
        found = self._original
        value = found(plain(x))
        if self._values is None and not is_live(x):
            return fresh(value)
        at, axis = as_array(x), found.axis
        if self._values is None:
            kind = found._spline.k if hasattr(found, "_spline") else found._kind
            fun = _Interpolation(found.x, np.moveaxis(found.y, axis, 0), _goes_on(found), kind=kind)
            y = apply(_at, at, fun, 0, 0)
        else:
            y = _evaluated(at, self._values, self._make, 0)
        places = range(at.ndim)
        return with_value(np.moveaxis(y, places, [i + axis for i in places]), value)


def _goes_on(found: Any) -> bool:
    return isinstance(found.fill_value, str)


# ------------------------------------------------------------------------------------ what makes


def _again(fun: Callable, name: str, given: dict) -> Callable:
    """Return a function that makes the same spline of other values."""

    def make(values: Any) -> Any:
        return fun(**{**given, name: values, "axis": 0})

    return make


def _again_interp1d(found: Any, given: dict) -> Callable:
    options = {key: given[key] for key in ("kind", "assume_sorted") if key in given}
    return lambda values: _Interpolation(given["x"], values, _goes_on(found), **options)


def _constructing(fun: Callable, values: str, kind: type[Spline]) -> Callable:
    """Return what makes stand-ins; `values` names the parameter that may be traced, if any."""
    signature = inspect.signature(fun)

    def construct(*args: Any, **kwargs: Any) -> Any:
        if RECORDER.recording is None:
            return fun(*args, **kwargs)
        given = signature.bind(*args, **kwargs).arguments
        found = fun(*plain(args), **plain(kwargs))
        if not any(map(is_live, given.values())):
            return kind(found)
        if not values and any(map(is_live, given.values())):
            raise unsupported(fun, "traced values or knots", _MAKERS)
        known = {
            key: copy.deepcopy(constant_argument(fun, key, x))
            for key, x in given.items()
            if key != values
        }
        ends = known.get("bc_type")
        if ends == "periodic" or not isinstance(ends, str | None):
            raise unsupported(fun, f"bc_type={ends!r}", "Use 'natural', 'clamped' or 'not-a-knot'.")
        again = _again_interp1d(found, known) if kind is Interp1d else _again(fun, values, known)
        return kind(found, np.moveaxis(as_array(given[values]), found.axis, 0), again)

    return construct


for _name, _values in (
    ("CubicSpline", "y"), ("BSpline", "c"), ("PPoly", ""), ("PchipInterpolator", ""),
    ("Akima1DInterpolator", ""), ("CubicHermiteSpline", ""), ("UnivariateSpline", ""),
    ("InterpolatedUnivariateSpline", ""), ("LSQUnivariateSpline", ""),
):  # fmt: skip
    _fun = getattr(interpolate, _name)
    twin_class(_fun, _constructing(_fun, _values, Spline))
    OBJECTS[_fun] = Spline
twin_class(interpolate.interp1d, _constructing(interpolate.interp1d, "y", Interp1d))
OBJECTS[interpolate.interp1d] = Interp1d
for _name in ("make_interp_spline", "make_lsq_spline", "make_smoothing_spline"):
    _fun = getattr(interpolate, _name)
    twin_for(_fun)(_constructing(_fun, "" if _name == "make_smoothing_spline" else "y", Spline))


def _splev(x: Any, tck: Any, der: int) -> Any:
    if der > tck[2]:  # which SciPy refuses
        return interpolate.splev(x, tck) * 0.0
    return interpolate.splev(x, tck, der)


general(_splev, lambda ct, y, x, tck, der: ct * apply(_splev, x, tck, der + 1), None, None,
        name="splev")  # fmt: skip


@carried(interpolate.splev, "x")
def _splev_body(x: Any, tck: Any, der: int = 0, ext: int = 0) -> Any:
    if ext:
        raise unsupported(interpolate.splev, "ext=", _ADVICE)
    if not isinstance(tck, tuple) or np.ndim(tck[1]) != 1:
        return Spline(tck)(x, der) if callable(tck) else _curve(x, tck, der)
    return apply(_splev, as_array(x), tck, der)


def _curve(x: Any, tck: Any, der: int) -> Any:
    """Evaluate a curve, each of its coordinates for itself."""
    knots, coefficients, degree = tck
    return [_splev_body(x, (knots, c, degree), der) for c in coefficients]
