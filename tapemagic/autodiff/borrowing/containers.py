"""Exchanging objects wherever they can be reached from the user's names, in place.

One walk serves both directions: on entry arrays become handles, on exit handles become arrays. A
container whose elements change stays the very same object; only tuples and frozen sets are made
anew, and only when something inside them changes.
"""

from __future__ import annotations

import contextlib
import functools
import operator
import sys
from collections import deque
from collections.abc import Callable, Iterator
from types import CellType, FunctionType, MemberDescriptorType, MethodType, ModuleType
from typing import Any

import numpy as np

_PLAIN = frozenset({int, float, complex, bool, str, bytes, type(None)})
_ATOMS = _PLAIN | {range, slice, ModuleType, np.dtype}
_DEEPEST = 100  # tuples inside tuples; everything else is walked without recursion


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

    Attributes
    ----------
    changed : dict
        The containers in which something was exchanged, by id.
    rebuilt : list of (new, old)
        The tuples and frozen sets that had to be made anew.
    """

    def __init__(
        self,
        swap: Callable[[Any], Any],
        is_users: Callable[[type], bool],
        most: int = sys.maxsize,
        libraries: int = 0,
        enough: Callable[..., bool] | None = None,
        numbers: bool = False,
    ) -> None:
        self.swap = swap
        self.is_users = is_users
        self.left = most
        self.libraries = libraries
        self.enough, self.numbers = enough, numbers
        self.changed: dict[int, Any] = {}
        self.rebuilt: list[tuple[Any, Any]] = []
        # keeps what it has seen alive: an id must not be given to another object meanwhile
        self._seen: dict[int, tuple[Any, Any]] = {}
        self._waiting: deque[tuple[Any, int]] = deque()

    def run(self) -> None:
        """Look into everything that was reached."""
        while self._waiting and self.left > 0:
            holder, level = self._waiting.popleft()
            if not self.numbers and is_plain_data(holder):
                self.left -= len(holder) // 100  # as much faster
                continue
            for put, place, value in slots(holder):
                self.left -= 1
                new = self.visit(value, level)
                if new is not value:
                    put(holder, place, new)
                    self.changed[id(holder)] = holder
                value = None  # references to what was exchanged may be counted
            if self.enough and id(holder) in self.changed and self.enough(self._seen):
                return

    def visit(self, value: Any, level: int = 0, depth: int = 0) -> Any:
        """Return what stands for a value; its contents wait for `run`.

        `level` counts the libraries' objects around it, `depth` the tuples.
        """
        if type(value) in _ATOMS:
            return self.swap(value)
        seen = self._seen.get(id(value))
        if seen is not None:
            return seen[1]
        new = self.swap(value)
        if new is value and isinstance(value, tuple | frozenset) and depth < _DEEPEST:
            new = self._rebuild(value, level, depth)
        elif new is value and self._looks_inside(value):
            self._waiting.append((value, level))
        elif new is value and level < self.libraries and is_library_object(value):
            self._waiting.append((value, level + 1))
        self._seen[id(value)] = (value, new)
        return new

    def _rebuild(self, value: Any, level: int, depth: int) -> Any:
        elements = list(value)
        self.left -= len(elements)
        new = [self.visit(element, level, depth + 1) for element in elements]
        if all(map(operator.is_, new, elements)):
            return value
        result = rebuild(value, new)
        self.rebuilt.append((result, value))
        return result

    def _looks_inside(self, value: Any) -> bool:
        kind = type(value)
        if kind is np.ndarray:
            return value.dtype.kind == "O"
        if kind in _OPENERS or isinstance(value, list | dict | set | deque):
            return True
        return self.is_users(value) if isinstance(value, type) else self.is_users(kind)


def rebuild(value: Any, elements: list[Any]) -> Any:
    """Make a tuple or frozen set like another one; of an unknown kind, return that one."""
    if hasattr(value, "_make"):  # a named tuple
        return value._make(elements)
    return type(value)(elements) if type(value) in (tuple, frozenset) else value


def is_plain_data(holder: Any) -> bool:
    """Say whether a container holds nothing but numbers and text, at the speed of C."""
    kind = type(holder)
    if kind is dict:
        parts = (holder, holder.values())
        return all(_PLAIN.issuperset(map(type, part)) for part in parts)
    return kind in (list, set, deque) and _PLAIN.issuperset(map(type, holder))


def is_library_object(value: Any) -> bool:
    """Say whether a value is an instance with attributes, and neither a class nor a module.

    A tape is none: the handles in it are its own.
    """
    if isinstance(value, type | ModuleType) or callable(value):
        return False
    ours = (type(value).__module__ or "").partition(".")[0] == __name__.partition(".")[0]
    return not ours and type(getattr(value, "__dict__", None)) is dict


# ------------------------------------------------------------------- what is inside a container

#: (function that puts a new value into the holder, place, value that is there)
Slot = tuple[Callable[[Any, Any, Any], Any], Any, Any]


def slots(holder: Any) -> Iterator[Slot]:
    """Yield every place in a container, with the way to put something else there.

    The user's own `__setitem__`, `__setattr__` and properties are never called.
    """
    kind = type(holder)
    opener = _OPENERS.get(kind)
    if opener is not None:
        yield from opener(holder)
    elif isinstance(holder, type):
        yield from _of_class(holder)
    else:
        for base in (list, dict, set, deque):
            if isinstance(holder, base):
                yield from _OPENERS[base](holder)
        own = getattr(holder, "__dict__", None)
        if type(own) is dict:
            for name, value in list(own.items()):
                yield set_attribute, name, value
        yield from _of_slots(holder, kind)
        yield _never, None, kind


def set_attribute(holder: Any, name: str, new: Any) -> None:
    """Set an attribute behind the back of properties and `__setattr__`."""
    holder.__dict__[name] = new


def _of_list(holder: Any) -> Iterator[Slot]:
    for index, value in enumerate(list.__iter__(holder)):
        yield list.__setitem__, index, value


def _of_deque(holder: Any) -> Iterator[Slot]:
    for index, value in enumerate(list(holder)):
        yield deque.__setitem__, index, value


def _of_dict(holder: Any) -> Iterator[Slot]:
    keys = [key for key in dict.keys(holder) if type(key) not in _ATOMS]
    for key in keys:
        yield _replace_key, key, key
    for key, value in list(dict.items(holder)):
        yield dict.__setitem__, key, value


def _replace_key(holder: dict, old: Any, new: Any) -> None:
    """Exchange a key and keep the order of the others."""
    items = [(new if key is old else key, value) for key, value in dict.items(holder)]
    dict.clear(holder)
    dict.update(holder, items)


def _of_set(holder: Any) -> Iterator[Slot]:
    for value in list(holder):
        yield _replace_element, value, value


def _replace_element(holder: set, old: Any, new: Any) -> None:
    set.discard(holder, old)
    set.add(holder, new)


def _of_objects(holder: np.ndarray) -> Iterator[Slot]:
    for index in np.ndindex(holder.shape):
        yield _put_object, index, holder[index]


def _put_object(holder: Any, index: tuple[int, ...], new: Any) -> None:
    # through a box: an array given to a place of an object array would be spread over it
    box = np.empty((), dtype=object)
    box[()] = new
    holder[(*index, ...)] = box


def _of_closure(holder: CellType) -> Iterator[Slot]:
    with contextlib.suppress(ValueError):  # not filled yet
        yield setattr, "cell_contents", holder.cell_contents


def _of_function(holder: FunctionType) -> Iterator[Slot]:
    for cell in holder.__closure__ or ():
        yield _never, None, cell
    if holder.__defaults__:
        yield setattr, "__defaults__", holder.__defaults__
    if holder.__kwdefaults__:
        yield _never, None, holder.__kwdefaults__
    if holder.__dict__:
        yield _never, None, holder.__dict__


def _of_method(holder: MethodType) -> Iterator[Slot]:
    yield _never, None, holder.__func__
    yield _never, None, holder.__self__


def _of_partial(holder: functools.partial) -> Iterator[Slot]:
    yield _never, None, holder.func
    yield _set_arguments, None, holder.args
    yield _never, None, holder.keywords


def _set_arguments(holder: functools.partial, place: None, args: tuple) -> None:
    holder.__setstate__((holder.func, args, holder.keywords, vars(holder) or None))  # type: ignore[attr-defined]


def _of_descriptor(holder: Any) -> Iterator[Slot]:
    parts = ("fget", "fset", "fdel") if type(holder) is property else ("__func__",)
    for part in parts:
        yield _never, None, getattr(holder, part)


def _of_class(holder: type) -> Iterator[Slot]:
    for name, value in list(vars(holder).items()):
        if callable(value) or not (name.startswith("__") and name.endswith("__")):
            yield type.__setattr__, name, value
    for base in holder.__bases__:
        yield _never, None, base


def _of_slots(holder: Any, kind: type) -> Iterator[Slot]:
    for base in kind.__mro__:
        names = vars(base).get("__slots__", ())
        for name in (names,) if isinstance(names, str) else tuple(names):
            member = vars(base).get(_mangled(name, base))
            if isinstance(member, MemberDescriptorType):
                with contextlib.suppress(AttributeError):  # an empty slot
                    yield set_member, member, member.__get__(holder, kind)


def set_member(holder: Any, member: MemberDescriptorType, new: Any) -> None:
    """Set a slot."""
    member.__set__(holder, new)


def _mangled(name: str, base: type) -> str:
    private = name.startswith("__") and not name.endswith("__")
    return f"_{base.__name__.lstrip('_')}{name}" if private else name


def _never(holder: Any, place: None, new: Any) -> None:
    """Replace nothing: what is here is only looked into."""


_OPENERS: dict[type, Callable[[Any], Iterator[Slot]]] = {
    list: _of_list,
    dict: _of_dict,
    set: _of_set,
    deque: _of_deque,
    np.ndarray: _of_objects,
    CellType: _of_closure,
    FunctionType: _of_function,
    MethodType: _of_method,
    functools.partial: _of_partial,
    staticmethod: _of_descriptor,
    classmethod: _of_descriptor,
    property: _of_descriptor,
}
