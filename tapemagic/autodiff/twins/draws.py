"""Draws whose parameters are traced: reparametrised.

A draw that is ``loc + scale * noise`` is recorded so; the noise is found by drawing once more from
the same state of the generator, with plain location 0 and scale 1. Where one random number makes
one draw, it is found from the draw itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.calls.creation import row
from tapemagic.autodiff.calls.dispatch import call_primitive, holds_traced, plain
from tapemagic.autodiff.handles import is_live
from tapemagic.autodiff.positions import name_of
from tapemagic.autodiff.primitives import general
from tapemagic.autodiff.rules.algebra import with_value
from tapemagic.autodiff.twinning import fresh
from tapemagic.errors import NoRuleError

#: method -> names of its location and scale, both linear; the defaults of the two.
LINEAR = {
    "normal": ("loc", "scale", 0.0, 1.0), "laplace": ("loc", "scale", 0.0, 1.0),
    "logistic": ("loc", "scale", 0.0, 1.0), "gumbel": ("loc", "scale", 0.0, 1.0),
    "exponential": (None, "scale", None, 1.0), "rayleigh": (None, "scale", None, 1.0),
}  # fmt: skip


def _draw(loc: Any, scale: Any, noise: Any) -> Any:
    return loc + scale * noise


general(
    _draw,
    lambda ct, y, loc, scale, noise: ct,
    lambda ct, y, loc, scale, noise: ct * noise,
    name="draw",
)


class Source:
    """A generator, old or new, or `numpy.random` itself: its methods and its state."""

    def __init__(self, owner: Any) -> None:
        self.owner = owner

    def method(self, name: str) -> Callable:
        """Return the real method."""
        return getattr(self.owner, name)

    def state(self) -> Any:
        """Return all that the next draws depend on."""
        if isinstance(self.owner, np.random.Generator):
            return self.owner.bit_generator.state
        return self.owner.get_state()

    def restore(self, state: Any) -> None:
        """Go back to a state."""
        if isinstance(self.owner, np.random.Generator):
            self.owner.bit_generator.state = state
        else:
            self.owner.set_state(state)

    def again(self, before: Any, name: str, *args: Any, **kwargs: Any) -> Any:
        """Draw once more from an earlier state, and leave the present one."""
        after = self.state()
        self.restore(before)
        try:
            return self.method(name)(*args, **kwargs)
        finally:
            self.restore(after)


_ADVICE = "Use a distribution of the form loc + scale * noise, or stop_gradient(...)."


def refusal(name: str, args: tuple, fix: str = _ADVICE) -> NoRuleError:
    """Return the error for a parameter through which no derivative passes."""
    return leaks.locate(
        NoRuleError(
            f"{name_of(args)} is a parameter of random.{name}, through which no derivative"
            " passes draw by draw.",
            fix=fix,
        )
    )


def location_scale(source: Source, name: str, args: tuple, kwargs: dict) -> Any:
    """Draw ``loc + scale * noise``."""
    loc_name, scale_name, loc, scale = LINEAR[name]
    names = [one for one in (loc_name, scale_name, "size") if one]
    given = {**dict(zip(names, args, strict=False)), **kwargs}
    before = source.state()
    y = source.method(name)(*plain(args), **plain(kwargs))
    shape = np.shape(y) if np.ndim(y) or given.get("size") is not None else None
    noise = source.again(before, name, size=shape)
    loc = given.get(loc_name, loc) if loc_name else 0.0
    return _recorded(y, loc, given.get(scale_name, scale), noise)


def _recorded(y: Any, loc: Any, scale: Any, noise: Any) -> Any:
    if not holds_traced((loc, scale)):
        return fresh(y)
    return call_primitive(row(_draw), (loc, scale, noise), {}, lambda *_: y)


def _uniform(source: Source, low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Any:
    before = source.state()
    y = source.method("uniform")(plain(low), plain(high), size)
    share = source.again(before, "uniform", size=np.shape(y) if np.ndim(y) or size else None)
    return _recorded(y, low, high - low, share)


def _gamma(source: Source, shape: Any, scale: Any = 1.0, size: Any = None) -> Any:
    if is_live(shape):
        raise refusal("gamma", (shape,))
    before = source.state()
    shape = plain(shape)
    y = source.method("gamma")(shape, plain(scale), size)
    number = np.ndim(y) == 0 and size is None
    noise = source.again(before, "gamma", shape, 1.0, None if number else np.shape(y))
    return _recorded(y, 0.0, scale, noise)


def _lognormal(source: Source, mean: Any = 0.0, sigma: Any = 1.0, size: Any = None) -> Any:
    before = source.state()
    y = source.method("lognormal")(plain(mean), plain(sigma), size)
    number = np.ndim(y) == 0 and size is None
    noise = source.again(before, "normal", size=None if number else np.shape(y))
    exponent = _recorded(plain(mean) + plain(sigma) * noise, mean, sigma, noise)
    return dispatch.call_elementwise(row(np.exp), lambda _: y, (exponent,))


def _weibull(source: Source, a: Any, size: Any = None) -> Any:
    before = source.state()
    y = source.method("weibull")(plain(a), size)
    number = np.ndim(y) == 0 and size is None
    noise = source.again(before, "standard_exponential", size=None if number else np.shape(y))
    return dispatch.call_elementwise(row(np.power), lambda *_: y, (noise, 1.0 / a))


def _multivariate_normal(source: Source, mean: Any, cov: Any, *args: Any, **kwargs: Any) -> Any:
    before = source.state()
    y = source.method("multivariate_normal")(plain(mean), plain(cov), *args, **kwargs)
    if not is_live(cov):
        zero = plain(mean) * 0
        noise = source.again(before, "multivariate_normal", zero, plain(cov), *args, **kwargs)
        return _recorded(y, mean, 1.0, noise)
    noise = source.again(before, "standard_normal", np.shape(y))
    return with_value(mean + noise @ np.swapaxes(_factor(source, cov, **kwargs), 0, 1), y)


def _factor(source: Source, cov: Any, *, method: str = "svd", **_: Any) -> Any:
    """Return the root of a covariance that the generator multiplies its noise by."""
    if method == "cholesky":
        return np.linalg.cholesky(cov)
    if method == "eigh":
        values, vectors = np.linalg.eigh(cov)
        return vectors * np.sqrt(np.abs(values))
    left, values, right = np.linalg.svd(cov)
    old = not isinstance(source.owner, np.random.Generator)
    return (np.swapaxes(right, 0, 1) if old else left) * np.sqrt(values)


# From here on the noise is what the value says that it was: its distribution, turned round.


def _pareto(source: Source, a: Any, size: Any = None) -> Any:
    y = source.method("pareto")(plain(a), size)
    return with_value(np.expm1(np.log1p(y) * plain(a) / a), y)


def _power(source: Source, a: Any, size: Any = None) -> Any:
    y = source.method("power")(plain(a), size)
    return with_value((y ** plain(a)) ** (1.0 / a), y)


def _triangular(source: Source, left: Any, mode: Any, right: Any, size: Any = None) -> Any:
    y = source.method("triangular")(plain(left), plain(mode), plain(right), size)
    low = y <= plain(mode)
    area = (right - left) * np.where(low, mode - left, right - mode)
    share = np.where(low, y - plain(left), plain(right) - y) ** 2 / plain(area)
    root = np.sqrt(share * area)
    return with_value(np.where(low, left + root, right - root)[()], y)


DRAWS: dict[str, Callable] = {
    "uniform": _uniform, "gamma": _gamma, "lognormal": _lognormal, "weibull": _weibull,
    "multivariate_normal": _multivariate_normal, "pareto": _pareto, "power": _power,
    "triangular": _triangular,
}  # fmt: skip
