"""The swap of a cell's namespace: plain arrays out, handles in, and back again.

On entry the float and complex arrays that the cell can reach become handles, and NumPy and its
functions become their twins. On exit every handle becomes what plain NumPy would have left, in the
same container and, for an array that was there before, in the same array.
"""

from __future__ import annotations

import functools
import math
import sys
import weakref
from collections.abc import Callable, Iterable, MutableMapping
from types import SimpleNamespace
from typing import Any

import numpy as np

from tapemagic.autodiff.dispatch import HANDLE_TYPES
from tapemagic.autodiff.traced import TracedArray
from tapemagic.autodiff.twins import original_of, twin_of

from .containers import Walk

#: Objects that are looked at on entry. What lies beyond stays plain, and is refused aloud when a
#: traced value is written into it.
MOST_VISITED = 200_000


class Swap:
    """One exchange of a namespace, there and back.

    Parameters
    ----------
    namespace : dict
        The user's names.
    borrowed : Borrowed
        Makes handles of plain objects and knows what each handle has to become.
    register : callable
        Called with every (plain object, handle) that is exchanged on exit.
    """

    def __init__(
        self,
        namespace: MutableMapping[str, Any],
        borrowed: Any,
        register: Callable[[Any, Any], None] = lambda plain, handle: None,
    ) -> None:
        self.namespace = namespace
        self.borrowed = borrowed
        self.register = register
        self._foreign: list[Any] = []
        self._made: set[int] = set()  # ids of handles, which `borrowed` keeps alive
        self._changed: list[Callable[[], Any]] = []
        self._before: dict[str, int] = {}
        self._originals: dict[int, tuple[Any, Any]] = {}  # id(tuple) -> it, what it stands for

    # ------------------------------------------------------------------------------- entry

    def enter(self, names: Iterable[str]) -> None:
        """Exchange what is reached from `names`."""
        self._before = {name: id(value) for name, value in self.namespace.items()}
        walk = Walk(self._lift, is_users, MOST_VISITED)
        for name in names:
            if name in self.namespace:
                value = self.namespace[name]
                new = walk.visit(value)
                if new is not value:
                    self.namespace[name] = new
        walk.run()
        self.note_changed(walk.changed.values(), walk.rebuilt)
        for name, value in list(self.namespace.items()):
            new = twin_of(value)  # `np` may be named in a string for `exec` alone
            if new is not value:
                self.namespace[name] = new

    def note_changed(self, holders: Iterable[Any], rebuilt: Iterable[tuple[Any, Any]]) -> None:
        """Remember containers into which handles were put, and tuples that were made anew."""
        self._changed += map(remember, holders)
        for new, old in rebuilt:
            # what was itself a new one goes back to the very first
            self._originals[id(new)] = new, self._originals.get(id(old), (old, old))[1]

    def _lift(self, value: Any) -> Any:
        kind = type(value)
        if kind in HANDLE_TYPES:
            if id(value) not in self._made:
                # made by a tape of the user's before the cell: not ours to exchange
                self._foreign.append(value)
            return value
        if is_array(value):
            handle = self.borrowed.lift(value)
            self._made.add(id(handle))
            return handle
        return twin_of(value)

    # -------------------------------------------------------------------------------- exit

    def leave(
        self, names: Iterable[str], places: Iterable[tuple[MutableMapping, Any]] = ()
    ) -> None:
        """Put plain objects wherever handles are.

        Parameters
        ----------
        names : iterable of str
            Names that the cell mentions; those that changed are found by themselves.
        places : iterable of (mapping, key)
            Where else the cell may have left something, such as `Out[7]`.
        """
        foreign = {id(handle) for handle in self._foreign}
        walk = Walk(functools.partial(self._lower, foreign), is_users, libraries=1)
        mentioned = set(names)
        own = [
            (self.namespace, name)
            for name, value in self.namespace.items()
            if name in mentioned or self._before.get(name) != id(value)
        ]
        for mapping, key in (*own, *places):
            value = mapping[key]
            new = walk.visit(value)
            if new is not value:
                mapping[key] = new
        for find in self._changed:
            walk.visit(find())
        for _, original in self._originals.values():
            for element in original:  # lists and the like inside may hold new handles
                walk.visit(element)
        walk.run()
        self.borrowed.restore()

    def _lower(self, foreign: set[int], value: Any) -> Any:
        if type(value) is TracedArray:
            if id(value) in foreign:
                return value
            plain = self.borrowed.lower(value)
            self.register(plain, value)
            return plain
        if id(value) in self._originals:
            return self._originals[id(value)][1]
        return original_of(value)


def remember(holder: Any) -> Callable[[], Any]:
    """Return a function that gives the container back, without keeping it alive if possible.

    An object that the cell deletes must die when plain NumPy would have let it die.
    """
    try:
        return weakref.ref(holder)
    except TypeError:
        return lambda: holder


def is_array(value: Any) -> bool:
    """Say whether a value is an array that can carry derivatives."""
    return type(value) in (np.ndarray, np.memmap) and value.dtype.kind in "fc"


def is_scalar(value: Any) -> bool:
    """Say whether a value is a number that can carry derivatives."""
    return type(value) in (float, complex) or isinstance(value, np.inexact)


def fresh(value: Any) -> Any:
    """Return an equal number that is an object of its own, and an array as it is.

    Python shares equal numbers of one cell (``a = 1.0; b = 1.0``); as sources they are two.
    """
    if type(value) is float:
        return math.copysign(value, value)
    if type(value) is complex:
        return complex(value.real, value.imag)
    return value.copy() if isinstance(value, np.inexact) else value


def is_users(kind: type) -> bool:
    """Say whether a class was written by the user, in the notebook or in a file of theirs."""
    module = getattr(kind, "__module__", None)
    return kind is SimpleNamespace or (isinstance(module, str) and is_users_module(module))


@functools.lru_cache(maxsize=4096)
def is_users_module(name: str) -> bool:
    """Say whether a module is neither Python's own nor an installed library."""
    if name == "__main__":
        return True
    root = name.partition(".")[0]
    if root in sys.stdlib_module_names or root == __name__.partition(".")[0]:
        return False
    file = getattr(sys.modules.get(name), "__file__", None) or "site-packages"
    return "site-packages" not in file and "dist-packages" not in file
