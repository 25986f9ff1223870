"""Twins of `numpy.random`: draws whose parameters are traced.

A draw that is ``loc + scale * noise`` is recorded so; the noise is found by drawing once more from
the same state of the generator, with plain location 0 and scale 1. Permutations and choices are
gathers: the same method shuffles positions. Values, and the state that is left behind, are those
of the real generator.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.errors import NoRuleError

from . import dispatch, leaks
from .creation import as_operand, row
from .dispatch import HANDLE_TYPES, call_primitive, holds_traced, plain
from .primitives import general
from .recorder import RECORDER
from .twinning import ORIGINALS, fresh, register, twin_for, twin_module
from .ufuncs import is_live
from .writing import write_item

#: method -> names of its location and scale, both linear; the defaults of the two.
_LINEAR = {
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


def draw(owner: Any, name: str, args: tuple, kwargs: dict) -> Any:
    """Carry out ``owner.name(*args, **kwargs)``, with handles perhaps among the arguments."""
    source = Source(owner)
    args = tuple(map(as_operand, args))
    kwargs = {key: as_operand(value) for key, value in kwargs.items()}
    if not holds_traced((*args, *kwargs.values())):
        return fresh(source.method(name)(*args, **kwargs), args, kwargs)
    special = _GATHERS.get(name)
    if special is not None:
        return special(source, *args, **kwargs)
    if not any(is_live(x) for x in (*args, *kwargs.values())):
        return fresh(source.method(name)(*plain(args), **plain(kwargs)))
    if name in _LINEAR:
        return _location_scale(source, name, args, kwargs)
    special = _DRAWS.get(name)
    if special is not None:
        return special(source, *args, **kwargs)
    raise _refusal(name, (*args, *kwargs.values()))


def _refusal(name: str, args: tuple) -> NoRuleError:
    return leaks.locate(
        NoRuleError(
            f"{leaks.name_of(args)} is a parameter of random.{name}, through which no derivative"
            " passes draw by draw.",
            fix="Use a distribution of the form loc + scale * noise, or stop_gradient(...).",
        )
    )


def _location_scale(source: Source, name: str, args: tuple, kwargs: dict) -> Any:
    loc_name, scale_name, loc, scale = _LINEAR[name]
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
        raise _refusal("gamma", (shape,))
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
    if is_live(cov):
        raise _refusal("multivariate_normal", (cov,))
    before = source.state()
    cov = plain(cov)
    y = source.method("multivariate_normal")(plain(mean), cov, *args, **kwargs)
    noise = source.again(before, "multivariate_normal", plain(mean) * 0, cov, *args, **kwargs)
    return _recorded(y, mean, 1.0, noise)


_DRAWS: dict[str, Callable] = {
    "uniform": _uniform, "gamma": _gamma, "lognormal": _lognormal, "weibull": _weibull,
    "multivariate_normal": _multivariate_normal,
}  # fmt: skip


# ----------------------------------------------------------------------- shuffles and choices


def _permutation(source: Source, x: Any, axis: int = 0) -> Any:
    options = {} if axis == 0 else {"axis": axis}
    if np.ndim(plain(x)) == 0:
        return source.method("permutation")(plain(x), **options)
    order = source.method("permutation")(np.arange(x.shape[axis]))
    return np.take(x, order, axis=axis)


def _shuffle(source: Source, x: Any, axis: int = 0) -> None:
    if not np.ndim(plain(x)):
        source.method("shuffle")(plain(x))  # NumPy's own error
    order = np.arange(x.shape[axis])
    source.method("shuffle")(order)
    write_item(x, Ellipsis, np.take(x, order, axis=axis))


def _permuted(source: Source, x: Any, *, axis: int | None = None, out: Any = None) -> Any:
    order = source.method("permuted")(np.arange(x.size).reshape(x.shape), axis=axis)
    y = np.reshape(np.ravel(x)[order], x.shape)
    if out is None:
        return y
    out[...] = y
    return out


def _choice(
    source: Source, a: Any, size: Any = None, replace: bool = True, p: Any = None, axis: int = 0,
    shuffle: bool = True,
) -> Any:  # fmt: skip
    if is_live(p):
        raise _refusal("choice", (p,))
    options = {} if shuffle else {"shuffle": False}
    count = np.arange(a.shape[axis]) if np.ndim(plain(a)) else a
    chosen = source.method("choice")(plain(count), size, replace, plain(p), **options)
    return np.take(a, chosen, axis=axis) if type(a) in HANDLE_TYPES and np.ndim(a) else chosen


_GATHERS: dict[str, Callable] = {
    "permutation": _permutation, "shuffle": _shuffle, "permuted": _permuted, "choice": _choice,
}  # fmt: skip


# --------------------------------------------------------------------------------- the twins


class TracedGenerator:
    """Stands for a Generator or RandomState in a cell: the same one, asked through `draw`."""

    def __init__(self, original: Any) -> None:
        self._original = original

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(self._original)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._original, name)
        if not callable(value) or name.startswith("_"):
            return value
        if name == "spawn":
            return lambda n: [twin_generator(child) for child in value(n)]

        def method(*args: Any, **kwargs: Any) -> Any:
            return draw(self._original, name, args, kwargs)

        method.__name__ = name
        return method

    def __repr__(self) -> str:
        return repr(self._original)

    def __reduce__(self) -> Any:
        return self._original.__reduce__()


def twin_generator(original: Any) -> Any:
    """Return the twin of a Generator or RandomState; it lives as long as somebody holds it."""
    twin = TracedGenerator(original)
    ORIGINALS[id(twin)] = original
    weakref.finalize(twin, ORIGINALS.pop, id(twin), None)
    return twin


@twin_for(np.random.default_rng)
def _default_rng(seed: Any = None) -> Any:
    seed = ORIGINALS.get(id(seed), seed)
    rng = np.random.default_rng(seed)
    return rng if RECORDER.recording is None else twin_generator(rng)


class _Maker(type):
    """Makes `np.random.Generator(...)` a twin, and keeps isinstance() what it is."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        original = ORIGINALS[id(cls)]
        made = original(*args, **kwargs)
        return made if RECORDER.recording is None else twin_generator(made)

    def __instancecheck__(cls, x: Any) -> bool:
        return isinstance(x, ORIGINALS[id(cls)])


for _type in (np.random.Generator, np.random.RandomState):
    register(_type, _Maker(_type.__name__, (_type,), {"__doc__": _type.__doc__}))


def _module_twin(name: str) -> None:
    def twin(*args: Any, **kwargs: Any) -> Any:
        if RECORDER.recording is None:
            return original(*args, **kwargs)
        return draw(np.random, name, args, kwargs)

    original = getattr(np.random, name)
    twin_for(original)(twin)


_NO_DRAWS = frozenset(
    ("default_rng", "get_state", "set_state", "seed", "get_bit_generator", "set_bit_generator")
)
for _name in sorted(set(np.random.__all__) - _NO_DRAWS):
    if not isinstance(getattr(np.random, _name), type):
        _module_twin(_name)

random_twin = twin_module(np.random)
