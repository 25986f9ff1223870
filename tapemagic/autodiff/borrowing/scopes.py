"""The names that running code can use: those of its frame, of its callers and of their modules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tapemagic.autodiff.codes import is_module

from .exchange import is_users_module
from .frame_names import FrameNames, Names


def identity(scope: Names) -> int:
    """Return what is the same for two looks at the same names."""
    return id(scope.frame) if isinstance(scope, FrameNames) else id(scope)


def references(scope: Names, name: str) -> int:
    """Return how many references to the value of a name the names hold."""
    return scope.references(name) if isinstance(scope, FrameNames) else 1


def scopes(frame: Any) -> Iterator[Names]:
    """Yield the names that code in a frame can use: its own, its callers', and the global ones."""
    modules: dict[int, dict[str, Any]] = {}
    walker = frame
    while walker is not None and is_users_module(walker.f_globals.get("__name__") or "__main__"):
        modules[id(walker.f_globals)] = walker.f_globals
        if is_module(walker.f_code):
            break  # its names are the global ones
        yield FrameNames(walker)
        walker = walker.f_back
    yield from modules.values()
