"""What a cell reaches and a copy of its names shares: modules of the user's, classes, caches.

A run on copies (`rerun.py`) finds in them what the cell found, and leaves in them what was there.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterable, Iterator
from types import FunctionType, ModuleType
from typing import Any

from tapemagic.autodiff.borrowing.caches import CACHE, Entry, entries_of, is_plain, refill
from tapemagic.autodiff.borrowing.exchange import is_users, is_users_module
from tapemagic.autodiff.tape import GradientTape

from .helpers import reached
from .interrupts import uninterrupted

#: Calls in a cache that are put back; a cell that fills a larger one is not run again.
MOST_CALLS = 10_000
_SHARED = (ModuleType, FunctionType, type, property, staticmethod, classmethod)


class Holder:
    """Something with attributes that is shared: a module's names, or a class.

    Parameters
    ----------
    owner : dict or type
    """

    def __init__(self, owner: Any) -> None:
        self._owner = owner
        self.id = id(owner)
        self._set: Callable[[str, Any], None]
        self._delete: Callable[[str], None]
        if isinstance(owner, dict):
            self._set, self._delete = owner.__setitem__, owner.__delitem__
        else:
            self._set = lambda name, value: type.__setattr__(owner, name, value)
            self._delete = lambda name: type.__delattr__(owner, name)

    def content(self) -> dict[str, Any]:
        """Return the data in it, by name."""
        names = self._owner if isinstance(self._owner, dict) else vars(self._owner)
        return {
            name: value
            for name, value in names.items()
            if not name.startswith("__") and not isinstance(value, _SHARED)
        }

    def copied(self, content: dict[str, Any], memo: dict[int, Any]) -> dict[str, Any]:
        """Copy a content, except what cannot be copied; `memo` is filled as `deepcopy` does."""
        return {name: _copy(value, memo) for name, value in content.items()}

    def fill(self, content: dict[str, Any]) -> None:
        """Let it hold these data and no others."""
        there = self.content()
        for name in there.keys() - content.keys():
            self._delete(name)
        for name, value in content.items():
            if name not in there or there[name] is not value:
                self._set(name, value)


class CacheHolder:
    """A cache of a function, as a `Holder`: its content is calls and counts."""

    def __init__(self, cache: Any) -> None:
        self._cache = cache
        self.id = id(cache)

    def size(self) -> int:
        """Return how many calls it holds."""
        return self._cache.cache_info().currsize

    def content(self) -> dict[str, Any]:
        """Return what it holds, and how often it was asked."""
        hits, misses, *_ = self._cache.cache_info()
        return {"entries": entries_of(self._cache), "hits": hits, "misses": misses}

    def copied(self, content: dict[str, Any], memo: dict[int, Any]) -> dict[str, Any]:
        """Copy a content; calls that are nothing but numbers are shared."""
        entries = content["entries"] or []
        found = [one if is_plain(one) else _copy(one, memo) for one in entries]
        return {**content, "entries": found if content["entries"] is not None else None}

    def fill(self, content: dict[str, Any]) -> None:
        """Let it hold this."""
        entries: list[Entry] | None = content["entries"]
        there = self.content()
        if entries is not None and not _is_same(there, content):
            refill(self._cache, entries, content["hits"], content["misses"])


def _is_same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    counts = ("hits", "misses")
    return all(one[name] == other[name] for name in counts) and all(
        x is y
        for first, second in zip(one["entries"], other["entries"], strict=False)
        for x, y in zip(first, second, strict=True)
    )


def holders(values: Iterable[Any], namespace: dict[str, Any]) -> list[Any]:
    """Return what is shared of all that can be reached from values; not the `namespace` itself."""
    found: dict[int, Any] = {}
    for one in reached(values):
        if type(one) is CACHE:
            found[id(one)] = CacheHolder(one)
        elif isinstance(one, type) and is_users(one):
            found[id(one)] = Holder(one)
        elif type(one) in (FunctionType, ModuleType):
            scope = one.__globals__ if type(one) is FunctionType else vars(one)
            if scope is not namespace and is_users_module(scope.get("__name__") or "__main__"):
                found[id(scope)] = Holder(scope)
    return list(found.values())


def is_shells(value: Any) -> bool:
    """Say whether a value is the shell's own (`get_ipython`, `exit`), or a tape of another cell."""
    owner = getattr(value, "__self__", value)
    package = type(owner).__module__.partition(".")[0]
    return package in ("IPython", "ipykernel") or isinstance(value, GradientTape)


def _copy(value: Any, memo: dict[int, Any]) -> Any:
    try:
        return copy.deepcopy(value, memo)
    except Exception:  # noqa: BLE001  (a lock, a file: the run shares it, as it shares modules)
        return value


@contextlib.contextmanager
def filled(contents: list[tuple[Any, dict[str, Any]]]) -> Iterator[None]:
    """Let holders hold other contents while the block runs."""
    before = [(holder, holder.content()) for holder, _ in contents]
    try:
        for holder, content in contents:
            holder.fill(content)
        yield
    finally:
        with uninterrupted():
            for holder, content in before:
                holder.fill(content)
