"""Where the handles of a block are, if nothing but names and a few containers can hold one.

References are counted. A collection leaves nothing in the youngest generation, so as long as there
was none, all handles that were made since are there and are found at once, however much else the
program holds. Where all references to them are accounted for, nothing else need be looked into.
"""

from __future__ import annotations

import gc
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from tapemagic.autodiff.traced import TracedArray

from .containers import slots
from .frame_names import Names
from .opaque import held
from .scopes import references

#: Where more was made (the collector may be switched off), to look through it is no shortcut.
_MOST = 5_000


def collections() -> list[int]:
    """Return how many collections of each generation there were."""
    return [one["collections"] for one in gc.get_stats()]


class Inventory:
    """The handles that names and containers hold.

    Parameters
    ----------
    since : list of int
        What `collections` has said before there was any.
    scopes : iterable of mapping
        Names, of frames and modules.
    holders : list
        Containers; a list, a dict or an object with attributes.
    """

    def __init__(self, since: list[int], scopes: Iterable[Names], holders: list[Any]) -> None:
        self._since = since
        self._named: list[tuple[Any, dict[str, Any]]] = []
        self._placed: list[tuple[Callable, Any, Any, Any]] = []
        self._counts: defaultdict[int, int] = defaultdict(int)  # references to each handle, by id
        self._is_plain = _are_apart(holders)
        for scope in scopes:
            found = {name: x for name, x in scope.copy().items() if type(x) is TracedArray}
            if found:
                self._named.append((scope, found))
                for name, handle in found.items():
                    self._counts[id(handle)] += references(scope, name)
        for holder in holders if self._is_plain else ():
            for put, place, handle in slots(holder):
                if type(handle) is TracedArray and put is not held:
                    self._placed.append((put, holder, place, handle))
                    self._counts[id(handle)] += 1

    def is_complete(self, ours: Iterable[tuple]) -> bool:
        """Tell whether nothing else refers to any handle, but what is `ours`."""
        if not self._is_plain or gc.get_count()[0] > _MOST:
            return False
        young: list[Any] = [x for x in gc.get_objects(0) if type(x) is TracedArray]
        if collections() != self._since:  # asked last: there may have been one just now
            return False
        if not self._counts.keys() <= set(map(id, young)):
            return False  # one is older, or this Python keeps its objects in another way
        here = (found for _, found in self._named)
        by_us = list(map(id, gc.get_referents(*ours, *here, *self._placed)))
        young.append(object())  # to which nothing else refers
        alone = sys.getrefcount(young[-1])
        for i in range(len(young) - 1):
            known = self._counts.get(id(young[i]), 0) + by_us.count(id(young[i]))
            if sys.getrefcount(young[i]) != alone + known:
                return False
        return True

    def put(self, lower: Callable[[Any], Any]) -> None:
        """Put what `lower` returns of each handle in its places."""
        plain: dict[int, Any] = {}  # by id
        for scope, found in self._named:
            for handle in found.values():
                if id(handle) not in plain:
                    plain[id(handle)] = lower(handle)
            scope.update({name: plain[id(handle)] for name, handle in found.items()})
        for put, holder, place, handle in self._placed:
            put(holder, place, plain[id(handle)] if id(handle) in plain else lower(handle))


def _are_apart(holders: list[Any]) -> bool:
    """Tell whether no two of the containers count the same reference.

    An object and the dict of its attributes would, or a closure and the frame that made it.
    """
    ids = set(map(id, holders))
    for holder in holders:
        if type(holder) is not list and type(holder) is not dict:
            own = getattr(holder, "__dict__", None)
            if type(own) is not dict or id(own) in ids:
                return False
    return True
