"""Handles in the place of plain objects, wherever the user's names reach them, and back again.

A plain array cannot tell anybody what is computed from it. So names, and containers and objects
that can be reached by them, are made to hold handles while a cell or a block runs. Afterwards every
handle is replaced by what plain NumPy would have left, in the same container and, for an array that
was there before, in the same array.
"""

from __future__ import annotations

import functools
import sys
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from types import FunctionType
from typing import Any

import numpy as np

from tapemagic.autodiff.codes import is_installed
from tapemagic.autodiff.handles import HANDLE_TYPES
from tapemagic.autodiff.lookers import looks
from tapemagic.autodiff.places import owner_of
from tapemagic.autodiff.traced import TracedArray
from tapemagic.autodiff.warned import warn

from .containers import parts
from .frame_names import Names
from .left import GIVING
from .walk import Walk

#: Objects that are looked at on entry. What lies beyond stays plain, and is refused aloud when a
#: traced value is written into it.
MOST_VISITED = 200_000

#: Where an object may be: a mapping of names, and a name in it.
Place = tuple[MutableMapping[str, Any], Any]


class Exchange:
    """One exchange of what names reach, there and back.

    Parameters
    ----------
    borrowed : Borrowed
        Makes handles of plain objects and knows what each handle has to become.
    register : callable
        Called with every (plain object, handle) that is exchanged on exit.
    """

    def __init__(
        self,
        borrowed: Any,
        register: Callable[[Any, Any], None] = lambda plain, handle: None,
    ) -> None:
        self.borrowed = borrowed
        self.register = register
        self._foreign: dict[int, Any] = {}  # by id
        self._made: set[int] = set()  # ids of handles, which `borrowed` keeps alive
        self._changed: dict[int, Callable[[], Any]] = {}  # by id of the container
        self._originals: dict[int, tuple[Any, Any]] = {}  # id(tuple) -> it, what it stands for
        self._held: list[tuple[str, np.ndarray]] = []  # type of a holder, array that stays there
        self._scopes: dict[int, Names] = {}  # whose names are exchanged
        self._waiting: deque[Names] = deque()

    def take(
        self,
        places: Iterable[Place],
        libraries: int = 0,
        enough: Callable[..., bool] | None = None,
        numbers: bool = False,
    ) -> None:
        """Exchange what is reached from places as `lift` says.

        `libraries` is how far objects of other classes than the user's are looked into, `enough`
        says when to stop, and `numbers` asks for containers of mere numbers too (`Walk`).
        """
        walk = Walk(self.lift, is_users, MOST_VISITED, libraries, enough, numbers)
        for mapping, key in places:
            value = mapping[key]
            new = walk.visit(value)
            if new is not value:
                mapping[key] = new
        walk.run()
        if walk.left <= 0:
            warn(
                f"More than {MOST_VISITED:,} objects are reached from the names here; arrays "
                "beyond them are not followed, and their gradients would be missing."
            )
        self.note_changed(walk.changed.values(), walk.rebuilt)
        # not the holders themselves: what the cell deletes must die
        self._held += [(_kind_of(one), x) for one, value in walk.held for x in arrays_in(value)]

    def note_scope(self, value: Any) -> None:
        """Let the global names of a user's function or module be looked at as well."""
        scope = value.__globals__ if type(value) is FunctionType else vars(value)
        if id(scope) not in self._scopes and is_users_module(scope.get("__name__") or "__main__"):
            self._scopes[id(scope)] = scope
            self._waiting.append(scope)

    def lift(self, value: Any) -> Any:
        """Return the handle of an array, and anything else as it is."""
        if type(value) in HANDLE_TYPES:
            if id(value) not in self._made:
                # made by another tape before: not ours to exchange
                self._foreign[id(value)] = value
            return value
        return self.handle_of(value) if is_array(value) else value

    def handle_of(self, value: Any) -> Any:
        """Return the handle of an array or number, and remember it as ours."""
        handle = self.borrowed.lift(value)
        self._made.add(id(handle))
        return handle

    def note_changed(self, holders: Iterable[Any], rebuilt: Iterable[tuple[Any, Any]]) -> None:
        """Remember containers into which handles were put, and tuples that were made anew."""
        for holder in holders:
            known = self._changed.get(id(holder))
            if known is None or known() is not holder:
                self._changed[id(holder)] = remember(holder)
        for new, old in rebuilt:
            # what was itself a new one goes back to the very first
            self._originals[id(new)] = new, self._originals.get(id(old), (old, old))[1]

    def _holds_ours(self, value: Any) -> bool:
        """Tell whether a tuple, or one inside it, holds a result of the running code."""
        return any(
            not self.is_foreign(x) if type(x) in HANDLE_TYPES else self._holds_ours(x)
            for x in parts(value) or ()
        )

    def give_back(self, places: Iterable[Place]) -> None:
        """Put plain objects wherever handles are, in places and in what changed on entry."""
        walk = Walk(self._lower, is_users, libraries=1, leaving=True)
        for mapping, key in places:
            value = mapping[key]
            new = walk.visit(value)
            if new is not value:
                mapping[key] = new
        for find in self._changed.values():
            walk.visit(find())
        for _, original in self._originals.values():
            for element in parts(original) or ():  # lists and the like inside may hold new handles
                walk.visit(element)
        walk.run()
        self._tell_of_left({type(x) for pair in walk.held for x in pair} & GIVING.keys())
        self.borrowed.restore()

    def _lower(self, value: Any) -> Any:
        if type(value) is TracedArray:
            if self.is_foreign(value):
                return value
            plain = self.borrowed.lower(value)
            self.register(plain, value)
            return plain
        if id(value) in self._originals:
            original = self._originals[id(value)][1]
            # A tuple of the running code's making is made anew once more, of plain objects.
            return value if self._holds_ours(original) else original
        return self.lower(value)

    def tell_of_holders(self) -> None:
        """Warn of arrays that are followed, and are also held by what cannot be looked into."""
        told = {(self._name_of(x), kind) for kind, x in self._held if self.borrowed.follows(x)}
        self._held.clear()
        for name, kind in sorted(told):
            warn(
                f"{name} is also held by an object of type {kind}, which the tape cannot look "
                "into: what is computed through it has no gradient, and what is written to the "
                "array is not seen there meanwhile. Make that object under the tape.",
            )

    def _tell_of_left(self, kinds: set[type]) -> None:
        """Warn of iterators that were left half way and still hold handles."""
        for name in sorted(GIVING[kind] for kind in kinds):
            warn(
                f"An iterator of type {name} was left half way, and what it gives from now on are "
                "still traced values. Go through it to its end, or make it anew."
            )

    def _name_of(self, array: np.ndarray) -> str:
        """Return what an array is called, by its name or that of one with the same memory."""
        owner, found = owner_of(array), []
        for scope in self._scopes.values():
            for name, value in list(scope.items()):
                plain = self.borrowed.plain_of(value)
                if is_array(plain) and owner_of(plain) is owner:
                    found.append(name)
        # those of the shell for what it has shown come last
        best = min(found, key=lambda name: name.startswith("_"), default="")
        return f"'{best}'" if best else f"An array of shape {array.shape}"

    def is_foreign(self, handle: Any) -> bool:
        """Tell whether a handle is to stay one, since it was there before."""
        return id(handle) in self._foreign

    def lower(self, value: Any) -> Any:
        """Return what has to stand in place of a value that is no handle."""
        return value


def remember(holder: Any) -> Callable[[], Any]:
    """Return a function that gives the container back, without keeping it alive if possible.

    An object that the cell deletes must die when plain NumPy would have let it die.
    """
    try:
        return weakref.ref(holder)
    except TypeError:
        return lambda: holder


def arrays_in(value: Any) -> Iterator[np.ndarray]:
    """Yield an array, or those in a tuple."""
    if issubclass(type(value), np.ndarray):
        yield value
    else:
        for part in parts(value) or ():
            yield from arrays_in(part)


def _kind_of(holder: Any) -> str:
    kind = type(holder).__name__
    return f"{kind} ({holder.dtype})" if issubclass(type(holder), np.ndarray) else kind


def is_array(value: Any) -> bool:
    """Say whether a value is an array that can carry derivatives.

    One that looks at the memory of a handle stays plain.
    """
    is_floats = type(value) in (np.ndarray, np.memmap) and value.dtype.kind in "fc"
    return is_floats and not looks(value)


def is_users(kind: type) -> bool:
    """Say whether a class was written by the user, in the notebook or in a file of theirs.

    Those that the user has made by a call (`make_dataclass`, `new_class`) name the module `types`.
    """
    module = getattr(kind, "__module__", None)
    return module == "types" or (isinstance(module, str) and is_users_module(module))


@functools.lru_cache(maxsize=4096)
def is_users_module(name: str) -> bool:
    """Say whether a module is neither Python's own nor an installed library."""
    if name == "__main__":
        return True
    root = name.partition(".")[0]
    if root in sys.stdlib_module_names or root == __name__.partition(".")[0]:
        return False
    module = sys.modules.get(name) or sys.modules.get(root)
    file = getattr(module, "__file__", None)
    if file is None:  # made by hand, if no importer knows of it
        top = sys.modules.get(root)
        return top is not None and getattr(top, "__spec__", None) is None
    return not is_installed(file)
