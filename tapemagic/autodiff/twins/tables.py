"""Tables hold plain values: what stands for their classes in a cell.

A table keeps what a list holds as Python objects, and asks nobody: a column of handles would
neither print as one of floats nor be one afterwards. So the tables that a cell makes are given
plain values, which the page tells (`leaks.taken`).
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls.dispatch import plain
from tapemagic.autodiff.twinning import ORIGINALS, handles_in, register, twin_module


class _Making(type):
    """Class of what stands for a class of tables, and makes objects of that one."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        original = ORIGINALS.get(id(cls))
        if original is None:  # the user's own table
            return super().__call__(*args, **kwargs)
        for handle in handles_in([*args, *kwargs.values()]):
            leaks.taken(handle, original.__module__.partition(".")[0], is_new=True)
        return original(*plain(args), **plain(kwargs))

    def __getattribute__(cls, name: str) -> Any:
        original = ORIGINALS.get(id(cls))
        if original is None or name in ("__class__", "mro"):
            return super().__getattribute__(name)
        return getattr(original, name)

    def __instancecheck__(cls, x: Any) -> bool:
        return isinstance(x, ORIGINALS.get(id(cls), ())) or super().__instancecheck__(x)

    def __subclasscheck__(cls, kind: type) -> bool:
        return issubclass(kind, ORIGINALS.get(id(cls), ())) or super().__subclasscheck__(kind)


def stand_for_tables(package: ModuleType, *classes: type) -> None:
    """Make the twins of a package's classes, and of the package."""
    for original in classes:
        kind = type(original)  # a package may have a class of classes of its own
        making = _Making if kind is type else type(_Making.__name__, (_Making, kind), {})
        register(original, making(original.__name__, (original,), {}))
    twin_module(package)
