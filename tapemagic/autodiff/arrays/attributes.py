"""Attributes that a handle has because its plain value has them: ``x.dtype``, ``x.strides``.

Descriptors and not a `__getattr__`: a class that has one loses the interpreter's fast way to all
its other attributes, which made every operator half as slow again.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls import dispatch

#: Facts about an array that say nothing about its values.
FACTS = ("dtype", "ndim", "size", "nbytes", "itemsize", "strides", "flags", "base", "device")


class Fact:
    """Looks a fact up on the plain value."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, handle: Any, cls: type | None = None) -> Any:
        if handle is None:
            return self
        return getattr(dispatch.plain(handle), self.name)


class Refusal:
    """Refuses an attribute that would hand out values or memory behind the tape's back."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, handle: Any, cls: type | None = None) -> Any:
        if handle is None:
            return self
        attribute = getattr(dispatch.plain(handle), self.name)
        leaks.leave(handle, f"its attribute '{self.name}' has no rule")
        return attribute


def install(cls: type) -> None:
    """Give a handle class all attributes of arrays and numbers that it does not have yet.

    Special methods are left alone: what they mean for a handle is decided one by one.
    """
    for name in FACTS:
        setattr(cls, name, Fact(name))
    for kind in (np.ndarray, np.float64, np.complex128, float, complex):
        for name in dir(kind):
            if not name.startswith("_") and not hasattr(cls, name):
                setattr(cls, name, Refusal(name))
