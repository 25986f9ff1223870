"""Twins of `numpy.polynomial`: its functions convert what they get, so their code is relinked."""

from __future__ import annotations

from types import FunctionType, ModuleType
from typing import Any

import numpy as np
from numpy.polynomial import (
    chebyshev,
    hermite,
    hermite_e,
    laguerre,
    legendre,
    polynomial,
    polyutils,
)  # fmt: skip

from tapemagic.autodiff.twinning import (
    TWINS,
    made,
    register,
    relink,
    twin_for,
    twin_module,
)

_MODULES = (polynomial, chebyshev, legendre, hermite, hermite_e, laguerre)
_CLASSES = ("Polynomial", "Chebyshev", "Legendre", "Hermite", "HermiteE", "Laguerre")


#: Class of polynomials -> the twin that its instances are of for the time of a cell.
POLYNOMIALS: dict[type, type] = {}


def _functions(module: ModuleType) -> None:
    for value in list(vars(module).values()):
        if isinstance(value, FunctionType) and value.__module__ == module.__name__:
            twin_for(value)(relink(value))


def _relinked(value: Any) -> Any:
    """Return a method of a class with its code, or the function it stands for, exchanged."""
    if isinstance(value, staticmethod):
        return staticmethod(TWINS.get(id(value.__func__), value.__func__))
    if isinstance(value, classmethod):
        return classmethod(relink(value.__func__))
    if isinstance(value, FunctionType):
        return relink(value)
    return value


def _class(original: type) -> None:
    """Make a subclass that runs the same methods, relinked."""
    body: dict[str, Any] = {}
    for base in original.__mro__[-2::-1]:
        for name, value in vars(base).items():
            if name.startswith("__array") or name in ("__dict__", "__weakref__", "__slots__"):
                continue
            if isinstance(value, (staticmethod, classmethod, FunctionType)):
                body[name] = _relinked(value)
    body["__module__"] = original.__module__
    body["__doc__"] = original.__doc__

    class Kind(type(original)):  # type: ignore[misc]
        def __call__(cls, *args: Any, **kwargs: Any) -> Any:
            return made(super().__call__(*args, **kwargs))

        def __instancecheck__(cls, x: Any) -> bool:
            return isinstance(x, original)

    POLYNOMIALS[original] = register(original, Kind(original.__name__, (original,), body))


_functions(polyutils)
for _module in _MODULES:
    _functions(_module)
for _module, _name in zip(_MODULES, _CLASSES, strict=True):
    _class(getattr(_module, _name))
_class(np.poly1d)
for _module in (polyutils, *_MODULES):
    twin_module(_module)
polynomial_twin = twin_module(np.polynomial)
