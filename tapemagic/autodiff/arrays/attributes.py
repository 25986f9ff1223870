"""Attributes that a handle has because its plain value has them: ``x.dtype``, ``x.strides``.

Descriptors and not a `__getattr__`: a class that has one loses the interpreter's fast way to all
its other attributes, which made every operator half as slow again.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.later import StandIn
from tapemagic.autodiff.positions import name_of
from tapemagic.errors import UnsupportedWriteError

from .views import base_of, lent

#: Facts about an array that say nothing about its values.
FACTS = ("dtype", "ndim", "size", "nbytes", "itemsize", "strides", "device")


class Fact:
    """Looks a fact up on the plain value; what NumPy lets one set is not followed."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, handle: Any, cls: type | None = None) -> Any:
        if handle is None:
            return self
        return getattr(dispatch.plain(handle), self.name)

    def __set__(self, handle: Any, new: Any) -> None:
        value = dispatch.plain(handle)
        setattr(value[...] if isinstance(value, np.ndarray) else value, self.name, new)
        raise leaks.locate(
            UnsupportedWriteError(
                f"{name_of((handle,))}.{self.name} cannot be set while a tape records.",
                fix="Make a new array, or set it in another cell.",
            )
        )


class Flags(StandIn):
    """The flags of an array behind a handle: read from the plain array, set on the handle."""

    __slots__ = ("_handle",)

    def __init__(self, handle: Any) -> None:
        object.__setattr__(self, "_handle", handle)

    @property
    def _original(self) -> Any:
        return dispatch.plain(self._handle).flags

    def _plain(self) -> Any:
        leaks.laid_out(self._handle)
        return self._original

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plain(), name)

    def __getitem__(self, name: str) -> bool:
        return self._plain()[name]

    def __setattr__(self, name: str, new: Any) -> None:
        if name == "writeable" and isinstance(self._handle._value, np.ndarray):
            self._handle.setflags(write=bool(new))
        else:
            setattr(self._plain(), name, new)  # NumPy's own errors

    def __setitem__(self, name: str, new: Any) -> None:
        setattr(self, {"W": "writeable"}.get(name, name.lower()), new)

    def __eq__(self, other: object) -> bool:
        return self._plain() == (other._plain() if type(other) is Flags else other)

    __hash__ = None  # type: ignore[assignment]  # as of NumPy's

    def __repr__(self) -> str:
        return repr(self._plain())


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
        return getattr(lent(handle), self.name) if self.name in ("data", "ctypes") else attribute


def install(cls: type) -> None:
    """Give a handle class all attributes of arrays and numbers that it does not have yet.

    Special methods are left alone: what they mean for a handle is decided one by one.
    """
    for name in FACTS:
        setattr(cls, name, Fact(name))
    cls.flags = property(Flags)  # type: ignore[attr-defined]
    cls.base = property(base_of)  # type: ignore[attr-defined]
    for kind in (np.ndarray, np.float64, np.complex128, float, complex):
        for name in dir(kind):
            if not name.startswith("_") and not hasattr(cls, name):
                setattr(cls, name, Refusal(name))
