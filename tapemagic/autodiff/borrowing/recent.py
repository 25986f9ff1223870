"""What a block has put into containers that were there before it: ``losses.append(loss)``.

A loop of steps may keep a long history, so it is read from its end, where the new is, and no
farther than a few elements that are none of the block's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from tapemagic.autodiff.traced import TracedArray

from .exchange import is_users

#: So many elements in a row without a handle, and the rest is taken to be older.
_OLD = 32
#: So many of them are looked into, if they are containers themselves.
_INSIDE = 8
#: What holds nothing else.
INERT = frozenset({int, float, str, bool, type(None), np.float64, np.float32})
#: What most names hold, and into which a block puts nothing once it is there.
FLAT = INERT | {np.ndarray, type, FunctionType, ModuleType}


def recent(value: Any, depth: int = 1) -> Iterator[tuple[Any, Any]]:
    """Yield where handles are at the end of a list, dict, deque or object, as (container, key)."""
    kind = type(value)
    elements: Iterable[Any]
    if kind is list or kind is deque:
        holder, elements = value, reversed(value)
    elif kind is dict or (type(getattr(value, "__dict__", None)) is dict and is_users(kind)):
        holder = value if kind is dict else vars(value)
        elements = reversed(holder.values())
    else:
        return
    if FLAT.issuperset(map(type, islice(elements, _OLD))):
        return  # so it is with most, and this is the speed of C
    is_mapping = type(holder) is dict
    positions = reversed(holder) if is_mapping else range(len(holder) - 1, -1, -1)
    old = 0
    for key, element in zip(positions, reversed(holder.values() if is_mapping else holder)):
        if type(element) in FLAT:
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
