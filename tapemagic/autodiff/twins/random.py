"""Twins of `numpy.random`: draws whose parameters are traced.

Draws are reparametrised (`twins/draws.py`). Permutations and choices are gathers: the same method
shuffles positions. Values, and the state that is left behind, are those of the real generator.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.autodiff.arrays.writing import write_item
from tapemagic.autodiff.calls.creation import as_operand
from tapemagic.autodiff.calls.dispatch import HANDLE_TYPES, holds_traced, is_traced, plain
from tapemagic.autodiff.handles import is_live
from tapemagic.autodiff.places import copy_as_it_lies
from tapemagic.autodiff.recorder import RECORDER
from tapemagic.autodiff.twinning import ORIGINALS, fresh, made, register, twin_for, twin_module

from .draws import DRAWS, LINEAR, Source, location_scale, refusal


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
    outs = [x for x in (*args[_OUT.get(name, 9) :], kwargs.get("out")) if is_traced(x)]
    if outs and name in _OUT and not any(map(is_live, args[: _OUT[name]])):
        return _filled(source.method(name), args, kwargs, outs[0])
    if not any(is_live(x) for x in (*args, *kwargs.values())):
        return fresh(source.method(name)(*plain(args), **plain(kwargs)))
    if name in LINEAR:
        return location_scale(source, name, args, kwargs)
    special = DRAWS.get(name)
    if special is not None:
        return special(source, *args, **kwargs)
    raise refusal(name, (*args, *kwargs.values()))


#: Methods that write into an array, and the place of that among their arguments.
_OUT = {"random": 2, "standard_normal": 2, "standard_exponential": 3, "standard_gamma": 3}


def _filled(method: Callable, args: tuple, kwargs: dict, out: Any) -> Any:
    """Draw into memory like that of `out`, and write what was drawn."""
    array = plain(out)
    memory = copy_as_it_lies(array)
    memory.flags.writeable = array.flags.writeable  # NumPy's own error
    given = [memory if x is out else plain(x) for x in args]
    method(*given, **{key: memory if x is out else plain(x) for key, x in kwargs.items()})
    write_item(out, Ellipsis, memory)
    return out


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
    numbers = np.empty_like(plain(x), dtype=int)  # in the order in which x lies in memory
    numbers[...] = np.arange(x.size).reshape(x.shape)
    y = np.ravel(x)[source.method("permuted")(numbers, axis=axis)]
    if out is None:
        return y
    out[...] = y
    return out


def _choice(
    source: Source, a: Any, size: Any = None, replace: bool = True, p: Any = None, axis: int = 0,
    shuffle: bool = True,
) -> Any:  # fmt: skip
    if is_live(p):
        raise refusal("choice", (p,), "Cut it there: p=tapemagic.stop_gradient(...).")
    if np.ndim(plain(a)) > 1 and not isinstance(source.owner, np.random.Generator):
        source.method("choice")(plain(a), size, replace, plain(p))  # NumPy's own error
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
            return lambda n: [made(twin_generator(child)) for child in value(n)]

        def method(*args: Any, **kwargs: Any) -> Any:
            return draw(self._original, name, args, kwargs)

        method.__name__ = name
        return method

    def __repr__(self) -> str:
        return repr(self._original)

    def __str__(self) -> str:
        return str(self._original)

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
    return rng if RECORDER.recording is None else made(twin_generator(rng))


class _Maker(type):
    """Makes `np.random.Generator(...)` a twin, and keeps isinstance() what it is."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        original = ORIGINALS.get(id(cls))
        if original is None:  # a class of the user's: what its methods are given is refused
            return super().__call__(*args, **kwargs)
        rng = original(*args, **kwargs)
        return rng if RECORDER.recording is None else made(twin_generator(rng))

    def __instancecheck__(cls, x: Any) -> bool:
        original = ORIGINALS.get(id(cls))
        return super().__instancecheck__(x) if original is None else isinstance(x, original)


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
