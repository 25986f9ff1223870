"""Nested structures of arrays: dicts, lists, tuples, named tuples and dataclasses."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, ValuesView
from typing import Any

import numpy as np

from tapemagic.errors import TapeUseError

from .calls.dispatch import HANDLE_TYPES

#: Types that are leaves, asked first: every gradient comes through here.
_LEAVES = {np.ndarray, np.float64, np.float32, float, str, type(None)}
_FLAT = _LEAVES - {type(None)}  # which a structure leaves out


def is_flat(structure: Any) -> bool:
    """Tell whether a structure is a plain list or tuple of leaves, as most are."""
    kind = type(structure)
    if kind is not list and kind is not tuple:
        return False
    return not set(map(type, structure)) - HANDLE_TYPES - _FLAT


def _parts(structure: Any) -> list[Any] | None:
    """Return the items of a container, or None for a leaf."""
    kind = type(structure)
    if kind is list or kind is tuple:
        return list(structure)
    if kind in _LEAVES or kind in HANDLE_TYPES:
        return None
    if isinstance(structure, Mapping):
        return list(structure.values())
    if isinstance(structure, ValuesView) or hasattr(structure, "_fields"):
        return list(structure)
    if hasattr(type(structure), "__dataclass_fields__"):
        return [getattr(structure, name) for name in _array_fields(structure)]
    return None


def _array_fields(structure: Any) -> list[str]:
    """Return the fields of a dataclass that may hold arrays; settings (text, counts) stay."""
    import dataclasses  # which takes as long to load as a tenth of this package

    return [
        field.name
        for field in dataclasses.fields(structure)
        if not isinstance(getattr(structure, field.name), (str, bytes, bool, int))
        and not callable(getattr(structure, field.name))
    ]


def leaves(structure: Any, like: Any = None) -> list[Any]:
    """Return the leaves in order; with `like`, go only as deep as that structure does.

    Examples
    --------
    >>> leaves({"a": 1, "b": [2, (3,)]})
    [1, 2, 3]
    >>> leaves([1, 2], like=3)
    [[1, 2]]
    """
    if like is None:
        if type(structure) in HANDLE_TYPES:
            return [structure]
        if is_flat(structure):
            return list(structure)
    if structure is None:
        return [None] if like is not None and _parts(like) is None else []
    guide = structure if like is None else like
    if _parts(guide) is None:
        return [structure]
    parts = _parts(structure)
    if parts is None:
        return [structure]
    if isinstance(like, Mapping) and isinstance(structure, Mapping):
        if like.keys() != structure.keys():
            raise TapeUseError(f"Keys {list(structure)} were given for {list(like)}.")
        parts = [structure[key] for key in like]  # by key, in whatever order they come
    guides = _parts(guide) if like is not None else [None] * len(parts)
    found: list[Any] = []
    for part, below in zip(parts, guides or []):
        found += leaves(part, below) if like is not None else leaves(part)
    return found


def rebuild(structure: Any, values: list[Any]) -> Any:
    """Put `values`, one per leaf, into the shape of `structure`.

    Examples
    --------
    >>> rebuild({"a": 1, "b": [2, 3]}, [10, 20, 30])
    {'a': 10, 'b': [20, 30]}
    """
    if type(structure) in HANDLE_TYPES:
        return values[0]
    if is_flat(structure):
        return type(structure)(values)
    remaining = iter(values)
    return map_leaves(lambda leaf: next(remaining), structure)


def map_leaves(function: Callable[[Any], Any], structure: Any) -> Any:
    """Apply a function to every leaf and keep the structure."""
    if structure is None:
        return None
    if _parts(structure) is None:
        return function(structure)
    if isinstance(structure, Mapping):
        return {key: map_leaves(function, item) for key, item in structure.items()}
    if hasattr(structure, "_fields"):
        return type(structure)(*(map_leaves(function, item) for item in structure))
    if type(structure) in (list, tuple):
        return type(structure)(map_leaves(function, item) for item in structure)
    if isinstance(structure, ValuesView):
        return [map_leaves(function, item) for item in structure]
    if hasattr(type(structure), "__dataclass_fields__"):
        changed = copy.copy(structure)
        for name in _array_fields(structure):  # also of a frozen one, and fields without init
            object.__setattr__(changed, name, map_leaves(function, getattr(structure, name)))
        return changed
    return function(structure)
