"""What a block has put into containers that were there before it: ``losses.append(loss)``.

A loop of steps may keep a long history, so it is read from its end, where the new is, and no
farther than a few elements that are none of the block's. Near things come first, and of what lies
in one another only so much is looked into.
"""

from __future__ import annotations

import functools
import gc
from collections import OrderedDict, deque
from itertools import islice
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from tapemagic.autodiff.handles import HANDLE_TYPES
from tapemagic.autodiff.traced import TracedArray

from .caches import CACHE
from .containers import parts, slots
from .exchange import is_users
from .left import parts_of_iterator
from .opaque import PLAIN
from .walk import has_slots, looks_inside

#: So many elements in a row without a handle, and the rest is taken to be older.
_OLD = 32
#: So many of those in a longer list are looked into, if they are containers themselves.
_INSIDE = 8
#: So many containers are looked into from one name, and so many elements of one without an end.
_MOST = 100
#: What holds nothing else.
INERT = PLAIN | {np.float64, np.float32}
#: What most names hold, and what holds nothing that a block could exchange.
FLAT = INERT | {ModuleType}
_FLAT_INSIDE = FLAT | {np.ndarray}
#: What holds more than its attributes.
_MORE = (list, dict, set, deque, type, BaseException, FunctionType, CACHE)
_KEYED: tuple[type, ...] = (list, deque, OrderedDict, dict)


def recent(value: Any, seen: set[int]) -> list[tuple[Any, Any]]:
    """Return where handles are that a value reaches, as (container, key).

    What has no keys (a set, a closure) comes as the only element of a container of its own. `seen`
    are the ids of containers that were looked into for other names, to which others are added.
    """
    places: list[tuple[Any, Any]] = []
    if not (isinstance(value, tuple) or type(value) in _KEYED or looks_inside(value, is_users)):
        return places
    waiting, most = deque(_leaves(value)), len(seen) + _MOST
    while waiting and len(seen) < most:
        holder = waiting.popleft()
        kind: Any = type(holder)
        if id(holder) in seen or not (kind in _KEYED or looks_inside(holder, is_users)):
            continue
        seen.add(id(holder))
        own = None if kind in _KEYED else getattr(holder, "__dict__", None)
        if type(own) is dict:
            waiting.append(own)
        if is_keyed(kind):
            _look_at_the_end(holder, places, waiting)
        elif type(own) is not dict or isinstance(holder, _MORE) or has_slots(kind):
            _look_anywhere(holder, places, waiting)
    return places


def is_flat(value: Any) -> bool:
    """Tell whether nothing is in a value that a block could exchange."""
    kind = type(value)
    if kind in FLAT:
        return True
    if kind is np.ndarray:
        return value.dtype.kind != "O"
    if kind is tuple:
        return _FLAT_INSIDE.issuperset(map(type, value))
    if kind is FunctionType:  # most have no closure, and plain defaults
        if value.__closure__ is None and not value.__kwdefaults__ and not value.__dict__:
            return value.__defaults__ is None or is_flat(value.__defaults__)
        return not is_users(value)
    if kind in HANDLE_TYPES:  # a variable holds plain values
        return kind is not TracedArray
    return kind is type and not is_users(value)


@functools.lru_cache(maxsize=4096)
def is_keyed(kind: Any) -> bool:
    """Tell whether elements are read and put by keys, with nothing of the user's in between."""
    base = next((base for base in _KEYED if issubclass(kind, base)), None)
    ways = ("__getitem__", "__setitem__", "__len__", "__reversed__")
    return base is not None and all(getattr(kind, x) is getattr(base, x) for x in ways)


def _look_at_the_end(holder: Any, places: list, waiting: deque) -> None:
    """Note the keys of handles; let what else is near the end wait to be looked into."""
    is_mapping = isinstance(holder, dict)
    if is_mapping and any(_holds(key) for key in islice(reversed(holder), _OLD)):
        places.append(({"": holder}, ""))
    elements = holder.values() if is_mapping else holder
    if FLAT.issuperset(map(type, islice(reversed(elements), _OLD))):
        return  # so it is with most, and this is the speed of C
    keys = reversed(holder) if is_mapping else range(len(holder) - 1, -1, -1)
    old, inside = 0, _INSIDE if len(holder) > _OLD else _OLD
    for key, element in zip(keys, reversed(elements)):
        old += 1
        if not is_flat(element):
            found = [element] if type(element) in _KEYED else _leaves(element)
            if TracedArray in map(type, found):
                places.append((holder, key))
                old = 0
            elif inside:
                waiting.extend(found)
                inside -= 1
        if old == _OLD:
            return


def _look_anywhere(holder: Any, places: list, waiting: deque) -> None:
    """Note what holds a handle; let what else it holds wait to be looked into."""
    if type(holder) is CACHE:
        elements = gc.get_referents(holder)  # at the speed of C
    else:
        elements = [value for *_, value in islice(slots(holder), _MOST)]
    if isinstance(holder, type):  # not all of its methods
        elements = [x for x in elements if type(x) is not FunctionType]
    found = [x for element in elements if not is_flat(element) for x in _leaves(element)]
    if TracedArray in map(type, found):
        places.append(({"": holder}, ""))
    else:
        waiting.extend(found)


def _holds(key: Any) -> bool:
    """Tell whether a key is a handle, or a tuple with one."""
    return type(key) not in INERT and TracedArray in map(type, _leaves(key))


def _leaves(value: Any) -> list[Any]:
    """Return what a tuple or iterator, and those in it, are made of; anything else by itself."""
    found, waiting = [], [value]
    while waiting:
        one = waiting.pop()
        elements = one[:_OLD] if isinstance(one, tuple) else parts(one) or parts_of_iterator(one)
        if elements is None:
            found.append(one)
        else:
            waiting += elements
    return found
