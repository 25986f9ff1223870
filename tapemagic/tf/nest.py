"""`tf.nest`: nested lists, tuples and dicts, taken apart and put together.

Unlike in the sources of a gradient, None is a leaf, and a dict is read in the order of its keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tapemagic.errors import TapeUseError, TensorError

from . import advice
from .specs import TensorShape


def is_nested(structure: Any) -> bool:
    """Tell whether something is a list, tuple or dict, and not a leaf."""
    return isinstance(structure, (list, tuple, Mapping)) and not isinstance(structure, TensorShape)


def _children(structure: Any) -> list:
    if isinstance(structure, Mapping):
        return [structure[key] for key in sorted(structure)]
    return list(structure)


def _with_children(structure: Any, children: Iterable) -> Any:
    """Return a container like `structure`, of other items."""
    if isinstance(structure, Mapping):
        items = dict(zip(sorted(structure), children, strict=True))
        return {key: items[key] for key in structure}
    if hasattr(structure, "_fields"):  # a named tuple
        return type(structure)(*children)
    return type(structure)(children)


def flatten(structure: Any, expand_composites: bool = False) -> list:
    """Return the leaves of a nested structure; of a leaf, itself.

    Examples
    --------
    >>> flatten({"b": [2, (3, None)], "a": 1})
    [1, 2, 3, None]
    """
    if not is_nested(structure):
        return [structure]
    return [leaf for child in _children(structure) for leaf in flatten(child)]


def pack_sequence_as(structure: Any, flat_sequence: Any, expand_composites: bool = False) -> Any:
    """Return a structure like `structure` of the given leaves.

    Raises
    ------
    TapeUseError
        If there are more or fewer of them.

    Examples
    --------
    >>> pack_sequence_as({"b": [2, (3,)], "a": 1}, [10, 20, 30])
    {'b': [20, (30,)], 'a': 10}
    """
    given, count = list(flat_sequence), len(flatten(structure))
    if len(given) != count:
        raise TapeUseError(f"{len(given)} leaves were given for a structure of {count}.")
    remaining = iter(given)

    def build(part: Any) -> Any:
        if not is_nested(part):
            return next(remaining)
        leaves = [build(child) for child in _children(part)]
        return _with_children(part, leaves)

    return build(structure)


def assert_same_structure(
    nest1: Any, nest2: Any, check_types: bool = True, expand_composites: bool = False
) -> None:
    """Raise unless two structures differ in their leaves alone.

    Raises
    ------
    TapeUseError
        If lengths, keys or depths differ.
    TensorError
        With `check_types`, if one is a list where the other is a tuple, and the like.
    """
    if not is_nested(nest1) and not is_nested(nest2):
        return
    if not (is_nested(nest1) and is_nested(nest2)) or _places(nest1) != _places(nest2):
        raise TapeUseError(f"The structures differ: {_outline(nest1)} and {_outline(nest2)}.")
    if check_types and type(nest1) is not type(nest2):
        raise TensorError(
            f"The structures differ: {_outline(nest1)} and {_outline(nest2)}.",
            fix="Convert one of them, or use check_types=False.",
        )
    for one, other in zip(_children(nest1), _children(nest2), strict=True):
        assert_same_structure(one, other, check_types)


def _places(structure: Any) -> list:
    """Return what the items of a container are found by: keys, or indices."""
    return sorted(structure) if isinstance(structure, Mapping) else list(range(len(structure)))


def _outline(structure: Any) -> str:
    if not is_nested(structure):
        return f"a leaf ({type(structure).__name__})"
    return f"a {type(structure).__name__} of {_places(structure)}"


def map_structure(
    func: Callable, *structure: Any, check_types: bool = True, expand_composites: bool = False
) -> Any:
    """Return a structure of the results of a function of each leaf, or of leaves that correspond.

    Examples
    --------
    >>> map_structure(lambda x, y: x + y, {"a": 1, "b": [2]}, {"a": 10, "b": [20]})
    {'a': 11, 'b': [22]}
    """
    first, *others = structure
    for other in others:
        assert_same_structure(first, other, check_types)
    leaves = zip(*map(flatten, structure), strict=True)
    return pack_sequence_as(first, [func(*parts) for parts in leaves])


__getattr__ = advice.missing("tf.nest")
