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
from tapemagic.autodiff.twinning import handles_in, twin_class, twin_module


def stand_for_tables(package: ModuleType, *classes: type) -> None:
    """Make the twins of a package's classes, and of the package."""
    for original in classes:
        _stand_for(original, package.__name__)
    twin_module(package)


def _stand_for(original: type, package: str) -> None:
    def construct(*args: Any, **kwargs: Any) -> Any:
        for handle in handles_in([*args, *kwargs.values()]):
            leaks.taken(handle, package, is_new=True)
        return original(*plain(args), **plain(kwargs))

    twin_class(original, construct)
