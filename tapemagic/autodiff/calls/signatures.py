"""Signatures of NumPy's functions: operands that are given by keyword find their positions."""

from __future__ import annotations

import inspect
from functools import lru_cache
from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.handles import HANDLE_TYPES, node_of, plain
from tapemagic.autodiff.positions import name_of, qualified_name
from tapemagic.autodiff.primitives import Primitive
from tapemagic.errors import NoRuleError

#: In older versions of NumPy, functions written in C do not tell their parameters.
_SPELLED: dict[Any, Any] = {
    np.bincount: lambda x, /, weights=None, minlength=0: ...,
    np.concatenate: lambda arrays, /, axis=0, out=None, *, dtype=None, casting="same_kind": ...,
    np.copyto: lambda dst, src, casting="same_kind", where=True: ...,
    np.dot: lambda a, b, out=None: ...,
    np.empty_like: lambda x, /, dtype=None, order="K", subok=True, shape=None, *, device=None: ...,
    np.inner: lambda a, b, /: ...,
    np.putmask: lambda a, mask, values: ...,
    np.vdot: lambda a, b, /: ...,
    np.where: lambda condition, x=None, y=None, /: ...,
}


def positional(fun: Any, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """Move keyword arguments into their positions."""
    try:
        signature = signature_of(fun)
        bound = signature.bind(*args, **kwargs)
    except (TypeError, ValueError):
        raise leaks.no_rule(fun, tuple(kwargs.values())) from None
    bound.apply_defaults()
    moved, rest = list(bound.args), dict(bound.kwargs)
    for name, value in rest.items():
        if type(value) in HANDLE_TYPES and node_of(value) < 0:  # a constant of the cell
            rest[name] = plain(value)
        elif type(value) in HANDLE_TYPES:
            raise leaks.locate(
                NoRuleError(
                    f"{name_of((value,))} is argument {name!r} of "
                    f"{qualified_name(fun)}, which has no derivative with respect to it.",
                    fix="Cut it on purpose with tapemagic.stop_gradient(...).",
                )
            )
    defaults = signature.parameters
    while len(moved) > len(args) and moved[-1] is list(defaults.values())[len(moved) - 1].default:
        moved.pop()
    rest = {k: v for k, v in rest.items() if v is not defaults[k].default or k in kwargs}
    return tuple(moved), rest


@lru_cache(maxsize=256)
def operands_of(primitive: Primitive) -> frozenset[str]:
    """Return the names under which arrays may be given that have a derivative."""
    if primitive.variadic:
        return frozenset()  # only by their positions
    try:
        names = signature_of(primitive.fun).parameters
    except (TypeError, ValueError):
        return frozenset()
    return frozenset(name for i, name in enumerate(names) if primitive.takes_array(i))


@lru_cache(maxsize=256)
def signature_of(fun: Any) -> inspect.Signature:
    """Return the signature of a function, looked up once."""
    try:
        return inspect.signature(fun)
    except ValueError:
        return inspect.signature(_SPELLED.get(fun, fun))
