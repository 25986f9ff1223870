"""Exchanging objects wherever they can be reached from the user's names, in place.

One walk serves both directions: on entry arrays become handles, on exit handles become arrays. A
container whose elements change stays the very same object; only what cannot be changed (tuples,
frozen sets, bound methods) is made anew, and only when something inside changes.
"""

from __future__ import annotations

import functools
import operator
import sys
from collections import deque
from collections.abc import Callable
from itertools import chain
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from .containers import ATOMS, OPENERS, parts, rebuild, slots
from .left import LEFT, parts_of_iterator, remade_iterator
from .opaque import OPAQUE, PLAIN, held

_COLLECTIONS = frozenset({list, dict, set, deque})
_LONG = 64
_NESTED, _PLAIN_LEVELS = frozenset({tuple, list, dict}), 3
_DEEPEST = 100  # tuples inside tuples; everything else is walked without recursion
_OURS = __name__.partition(".")[0]


class Walk:
    """Visit objects breadth first and exchange what `swap` exchanges.

    Parameters
    ----------
    swap : callable
        Returns the replacement of an object, or the object itself.
    is_users : callable
        Says whether a class is the user's own, so that its instances are looked into.
    most : int
        Objects that are visited at most.
    libraries : int
        How many objects of other classes may lie in one another to be looked into: a library's
        object may hold what the cell gave it, but its inner life is large and not the cell's.
    enough : callable, optional
        ``enough(seen)``, with the ids of all that was visited, is asked after each container in
        which something was exchanged; the walk ends when it holds.
    numbers : bool
        Whether containers of mere numbers are looked into as well.
    leaving : bool
        Whether what the code leaves half way is looked at (`left.py`).

    Attributes
    ----------
    changed : dict
        The containers in which something was exchanged, by id.
    rebuilt : list of (new, old)
        The tuples and the like that had to be made anew.
    held : list of (holder, value)
        Arrays that stay where they are: in an iterator, in a library's object, in bytes.
    """

    def __init__(
        self,
        swap: Callable[[Any], Any],
        is_users: Callable[[type], bool],
        most: int = sys.maxsize,
        libraries: int = 0,
        enough: Callable[..., bool] | None = None,
        numbers: bool = False,
        leaving: bool = False,
    ) -> None:
        self.swap = swap
        self.is_users = is_users
        self.left = most
        self.libraries = libraries
        self.enough, self.numbers, self.leaving = enough, numbers, leaving
        self._inert = frozenset[type]() if numbers else PLAIN
        self.changed: dict[int, Any] = {}
        self.rebuilt: list[tuple[Any, Any]] = []
        self.held: list[tuple[Any, Any]] = []
        # keeps what it has seen alive: an id must not be given to another object meanwhile
        self._seen: dict[int, tuple[Any, Any]] = {}
        self._waiting: deque[tuple[Any, int]] = deque()
        self._long: deque[tuple[Any, int]] = deque()  # a history, say: after all others

    def run(self) -> None:
        """Look into everything that was reached."""
        while (waiting := self._waiting or self._long) and self.left > 0:
            holder, level = waiting.popleft()
            if not self.numbers and is_plain_data(holder):
                self.left -= len(holder) // 100  # as much faster
                continue
            look = LEFT.get(type(holder)) or slots
            for put, place, value in look(holder):
                self.left -= 1
                if put is held and issubclass(type(value), np.ndarray):
                    self.held.append((holder, value))
                    continue
                new = self.visit(value, level)
                if new is not value and put is held:  # a tuple
                    self.held.append((holder, value))
                elif new is not value:
                    put(holder, place, new)
                    self.changed[id(holder)] = holder
                value = None  # references to what was exchanged may be counted
            if self.enough and id(holder) in self.changed and self.enough(self._seen):
                return

    def visit(self, value: Any, level: int = 0, depth: int = 0) -> Any:
        """Return what stands for a value; its contents wait for `run`.

        `level` counts the libraries' objects around it, `depth` the tuples.
        """
        kind = type(value)
        if kind in self._inert or (kind is tuple and self._inert.issuperset(map(type, value))):
            return value
        if kind in ATOMS:
            return self.swap(value)
        seen = self._seen.get(id(value))
        if seen is not None:
            return seen[1]
        new = self.swap(value)
        if new is value and not _is_floats(value):
            elements = parts(value) if depth < _DEEPEST else None
            remake: Callable = rebuild
            if elements is None and self.leaving:
                elements, remake = parts_of_iterator(value), remade_iterator
            if elements is not None:
                new = self._rebuild(value, elements, remake, level, depth)
            if new is value and (elements is None or kind in OPENERS):
                self._note(value, level)
        self._seen[id(value)] = (value, new)
        return new

    def _note(self, value: Any, level: int) -> None:
        """Note what has to be looked into, and what cannot be."""
        kind = type(value)
        if looks_inside(value, self.is_users) or (self.leaving and kind in LEFT):
            is_long = kind in _COLLECTIONS and len(value) > _LONG
            (self._long if is_long else self._waiting).append((value, level))
        elif is_library_object(value):
            if level < self.libraries:
                self._waiting.append((value, level + 1))
            else:
                self._note_held(value, level)
        if issubclass(kind, np.ndarray):  # not one that `swap` exchanges, but it may share memory
            self.held.append((value, value))

    def _note_held(self, value: Any, level: int) -> None:
        for attribute in vars(value).values():
            if issubclass(type(attribute), np.ndarray):
                self.held.append((value, attribute))
            elif type(attribute) in OPAQUE:
                self._waiting.append((attribute, level))

    def _rebuild(
        self, value: Any, elements: list[Any], remake: Callable, level: int, depth: int
    ) -> Any:
        self.left -= len(elements)
        new = [self.visit(element, level, depth + 1) for element in elements]
        if all(map(operator.is_, new, elements)):
            return value
        result = remake(value, new)
        self.rebuilt.append((result, value))
        return result


def looks_inside(value: Any, is_users: Callable[[type], bool]) -> bool:
    """Say whether a value is a container, or an object of the user's or of Python's."""
    kind = type(value)
    if kind is np.ndarray:
        return value.dtype.kind == "O"
    if kind is FunctionType:  # a twin keeps its original
        return not _is_ours(value.__globals__.get("__name__") or "")
    if kind in OPENERS or isinstance(value, list | dict | set | deque | BaseException):
        return True
    if isinstance(value, type):
        return is_users(value)
    return is_users(kind) or is_pythons_object(value)


def _is_floats(value: Any) -> bool:
    """Say whether a value is an array of floats, or a number: there is nothing inside."""
    kind = type(value)
    return issubclass(kind, np.generic) or (kind is np.ndarray and value.dtype.kind in "fc")


def is_plain_data(holder: Any) -> bool:
    """Say whether a container holds but numbers and text, also in others, at the speed of C."""
    level = [holder]
    for _ in range(_PLAIN_LEVELS):
        elements = list(chain.from_iterable(map(_elements, level)))
        kinds = set(map(type, elements)) - PLAIN
        if not kinds:
            return True
        if not kinds <= _NESTED:
            return False
        level = [x for x in elements if type(x) in _NESTED]
    return False


def _elements(holder: Any) -> Any:
    kind = type(holder)
    if kind is dict:
        return (*holder, *holder.values())
    return holder if kind in _NESTED or kind in _COLLECTIONS else (holder,)


def is_library_object(value: Any) -> bool:
    """Say whether a value is an instance with attributes, and neither a class nor a module.

    Functions have names; a callable object, such as a polynomial, has none. A tape is none: the
    handles in it are its own.
    """
    if isinstance(value, type | ModuleType) or (callable(value) and hasattr(value, "__name__")):
        return False
    return (
        not _is_ours(type(value).__module__ or "")
        and type(getattr(value, "__dict__", None)) is dict
    )


def is_pythons_object(value: Any) -> bool:
    """Say whether a value is an instance, with attributes, of a class of Python's own library.

    A `UserDict`, a `Queue`, a `Namespace` of arguments: what it holds is the user's.
    """
    kind: Any = type(value)
    return _is_pythons(kind) and (is_library_object(value) or has_slots(kind))


@functools.lru_cache(maxsize=4096)
def has_slots(kind: Any) -> bool:
    """Say whether a class, or a base of it, has `__slots__`."""
    return any("__slots__" in vars(base) for base in kind.__mro__)


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] == _OURS


@functools.lru_cache(maxsize=4096)
def _is_pythons(kind: Any) -> bool:
    return (kind.__module__ or "").partition(".")[0] in sys.stdlib_module_names
