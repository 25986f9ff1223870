"""What a block has put into containers that were there before it: ``losses.append(loss)``.

A loop of steps may keep a long history, so it is read from its end, where the new is, and no
farther than a few elements that are none of the block's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from tapemagic.autodiff.traced import TracedArray

from .exchange import is_users

#: So many elements in a row without a handle, and the rest is taken to be older.
_OLD = 32
#: So many of them are looked into, if they are containers themselves.
_INSIDE = 8
_PLAIN = frozenset({int, float, str, bool, type(None), np.ndarray, np.float64, np.float32})


def recent(value: Any, depth: int = 1) -> Iterator[tuple[Any, Any]]:
    """Yield where handles are at the end of a list, dict, deque or object, as (container, key)."""
    kind = type(value)
    pairs: Iterable[tuple[Any, Any]]
    if kind is list or kind is deque:
        holder, pairs = value, zip(range(len(value) - 1, -1, -1), reversed(value))
    elif kind is dict:
        holder, pairs = value, reversed(value.items())
    elif type(getattr(value, "__dict__", None)) is dict and is_users(kind):
        holder, pairs = vars(value), reversed(vars(value).items())
    else:
        return
    old = 0
    for key, element in pairs:
        if type(element) in _PLAIN:
            pass
        elif type(element) is TracedArray or (
            isinstance(element, tuple) and TracedArray in map(type, element)
        ):
            yield holder, key
            old = 0
            continue
        elif depth and old < _INSIDE:
            yield from recent(element, depth - 1)
        old += 1
        if old == _OLD:
            return
