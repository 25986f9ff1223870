"""What of a script is exchanged for handles while tapes that watch it record."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable
from functools import partial
from types import FunctionType, ModuleType
from typing import Any
from weakref import getweakrefcount

import numpy as np

from tapemagic.autodiff.handles import HANDLE_TYPES
from tapemagic.autodiff.places import owner_of
from tapemagic.autodiff.recorder import RECORDER
from tapemagic.autodiff.traced import TracedArray

from .borrowed import Borrowed
from .containers import slots
from .exchange import Exchange, Place, is_array, is_users_module
from .frame_names import Names
from .inventory import Inventory, collections
from .opaque import held
from .recent import INERT, is_flat, recent
from .scopes import identity, scopes

#: Whether the argument of a call in progress counts as a reference to it. From 3.14 on Python may
#: lend it, so it is not relied on: then one search too many is made.
_ARGUMENTS_COUNT = sys.version_info < (3, 14)
#: Numbers that Python may share between names that have nothing to do with each other.
_PYTHON_NUMBERS = (float, complex)

#: What `lift` asks about: most names hold something else.
_LIFTED = frozenset({np.ndarray, np.memmap, *HANDLE_TYPES})


class Watched(Exchange):
    """What was exchanged for the tapes that record at once.

    Attributes
    ----------
    tapes : list
        Those that are told which plain object stands for which handle.
    found : dict of id -> int
        In how many places each object that was chosen last was found.
    """

    def __init__(self) -> None:
        # not a method of its own: that circle, with the tapes, would wait for the collector
        self.tapes: list[Any] = []
        super().__init__(Borrowed(), partial(_register, self.tapes))
        self.found: dict[int, int] = {}
        self._chosen: dict[int, Any] = {}  # by id
        self._handles: dict[int, int] = {}  # id of a handle -> id of what it stands for
        self._memories: list[Any] = []  # of the chosen arrays, and the numbers
        self._owners: set[int] = set()  # their ids
        self._before: dict[int, dict[str, int]] = {}  # of each scope: name -> id of its value
        self._tokens: set[int] = set()
        self._since: list[int] | None = None  # collections before there was any handle

    # ------------------------------------------------------------------------------- entry

    def exchange(
        self, frame: Any, chosen: list[Any], structure: Any = None, is_discarded: bool = False
    ) -> None:
        """Put handles wherever the code in a frame can find the chosen objects, or views of them.

        The structure that was given and the names of the frame and its callers are looked at
        first; all that can be reached from them only if something else refers to a chosen object.

        A Python number is looked for in the names of the frame itself only: equal numbers
        elsewhere may be the same object.

        Parameters
        ----------
        frame : frame
        chosen : list
            Nobody else of ours may refer to the objects in it: references to them are counted.
        structure : object, optional
            What holds them, if not one object was given by itself.
        is_discarded : bool
            Whether the caller will compute with what is found, for lack of anything else.
        """
        recording: Any = RECORDER.recording
        if self._since is None and not (recording.entries or RECORDER.made):
            self._since = collections()
        count = len(chosen)
        self._chosen = {id(chosen[i]): chosen[i] for i in range(count)}
        before = _references(chosen)
        self._handles = {id(self.handle_of(chosen[i])): id(chosen[i]) for i in range(count)}
        ours = [now - then for now, then in zip(_references(chosen), before)]
        # an object to which only these lists refer, to compare the others with
        chosen.append(np.empty(0))
        self._chosen = {id(chosen[i]): chosen[i] for i in range(len(chosen))}
        # of a view the whole memory; with the numbers: each of them counts alike
        self._memories = [owner_of(x) if _is_view(x) else x for x in chosen]
        self._owners = {id(x) for x in self._memories if is_shared(x) or x.flags.owndata}
        numbers = {id(chosen[i]): chosen[i] for i in range(count) if is_shared(chosen[i])}
        self.found = dict.fromkeys(self._chosen, 0)
        if type(structure) is list and all(id(x) in self._chosen for x in structure):
            structure[:] = map(self.lift, structure)  # as most parameters are
            self.note_changed([structure], ())
        elif structure is not None:
            self.take([({"": structure}, "")], numbers=bool(numbers))
        inside = self.found
        self.found = dict.fromkeys(self._chosen, 0)
        for scope in scopes(frame):
            if self._take_names(scope, structure) or type(structure) not in (list, tuple):
                self.found = {key: n + inside.pop(key, 0) for key, n in self.found.items()}
            for number in numbers:
                self._chosen.pop(number, None)
        argument = structure is None and _ARGUMENTS_COUNT
        done = 0  # so many of them need not be asked again

        def all_found(seen: Any = ()) -> bool:
            """Tell whether nothing else refers to any of them (`seen` does itself, once)."""
            nonlocal done
            alone = sys.getrefcount(chosen[count])
            for i in range(done, count):
                known = ours[i] + alone + argument + (id(chosen[i]) in seen)
                has_more = sys.getrefcount(chosen[i]) > known
                if has_more or (is_discarded and not self.found[id(chosen[i])]):
                    return False
                if _is_view(chosen[i]) or is_shared(chosen[i]) or getweakrefcount(chosen[i]):
                    return False  # the references do not tell
                done = i + 1
            return True

        if self._changed and not all_found():
            self._look_where_others_were()
        if not all_found():
            self._look_everywhere(numbers, all_found)
            all_found()
        del chosen[count:]
        for i in range(count):
            if i < done and type(chosen[i]) is np.ndarray:
                self.borrowed.copy(chosen[i])
            else:
                self.borrowed.lift(chosen[i])
        for key, scope in self._scopes.items():
            values = scope.copy()
            self._before[key] = dict(zip(values, map(id, values.values()), strict=True))

    def _take_names(self, scope: Names, structure: Any) -> bool:
        """Exchange what is directly under a name; tell whether the structure has one."""
        self._scopes[identity(scope)] = scope
        values, lifted = scope.copy(), {}
        for name, value in values.items():
            kind = type(value)
            if kind is FunctionType:
                if id(value.__globals__) not in self._scopes:  # as most are
                    self.note_scope(value)
            elif kind is ModuleType:
                if is_users_module(value.__name__):
                    self.note_scope(value)
            elif kind in _LIFTED or id(value) in self._chosen:
                new = self.lift(value)
                if new is not value:
                    lifted[name] = new
        if lifted:
            scope.update(lifted)
        return structure is not None and id(structure) in set(map(id, values.values()))

    def _look_where_others_were(self) -> None:
        """Look into what held the arrays watched before: a loop may watch each of many."""
        for find in self._changed.values():
            holder = find()
            for put, place, value in slots(holder):
                if id(value) in self._chosen and put is not held:
                    put(holder, place, self.lift(value))
                value = None  # references are counted

    def _look_everywhere(self, numbers: dict[int, Any], all_found: Callable[..., bool]) -> None:
        """Look into all that names reach, near things first, until every reference is found."""
        self._chosen |= numbers
        self._waiting = deque(self._scopes.values())
        while self._waiting and not all_found():
            scope = self._waiting.popleft()
            self._scopes[identity(scope)] = scope
            names = [name for name in list(scope) if not name.startswith("__")]
            places = [(scope, name) for name in names]
            self.take(places, libraries=1, enough=all_found, numbers=bool(numbers))
            self._chosen = {k: x for k, x in self._chosen.items() if k not in numbers}

    def lift(self, value: Any) -> Any:
        """Return the handle of a chosen object, or of an array that shares its memory."""
        kind = type(value)
        if kind is FunctionType or kind is ModuleType:
            self.note_scope(value)
        elif id(value) in self._handles:
            self.found[self._handles[id(value)]] = self.found[self._handles[id(value)]] or 1
        elif id(value) in self._chosen:
            self.found[id(value)] += 1
            return self.handle_of(value)
        elif is_array(value) and self._shares(value):
            return self.handle_of(value)  # a view, or the base
        return value

    def handle_of(self, value: Any) -> Any:
        """Return the handle of an array or number, and remember it as ours.

        What is to be done with the memory of a chosen one the end of the search tells.
        """
        if id(value) not in self._chosen:
            return super().handle_of(value)
        handle = self.borrowed.hold(value)
        self._made.add(id(handle))
        return handle

    def _shares(self, array: np.ndarray) -> bool:
        """Tell whether an array shares memory with a chosen one."""
        if array.flags.owndata and len(self._owners) == len(self._memories):
            return id(array) in self._owners
        return any(
            isinstance(one, np.ndarray) and np.may_share_memory(array, one)
            for one in self._memories
        )

    # -------------------------------------------------------------------------------- exit

    def put_back(self, tapes: list[Any], error: BaseException | None) -> None:
        """Put plain objects back, also into what was raised; tell the tapes which they are."""
        self.tapes[:] = tapes
        self._tokens = {id(tape._recording.token) for tape in tapes}
        inventory = None
        if error is None and self._since is not None and not self._originals:
            holders = [find() for find in self._changed.values()]
            inventory = Inventory(self._since, self._scopes.values(), holders)
        ours = (x for one in (self.borrowed, *tapes) for x in one.holding())
        if inventory and inventory.is_complete(ours):
            inventory.put(self._lower)
            self.borrowed.restore()
        else:
            self.give_back(self._changed_places(error))
        self.tell_of_holders()

    def _changed_places(self, error: BaseException | None) -> list[Place]:
        """Return where handles may be: what is new, and near the ends of what is old."""
        changed: list[Place] = [] if error is None else [({"": error}, "")]
        seen: set[int] = set()
        for key, scope in self._scopes.items():
            before = self._before.get(key, {})  # none if the exchange was refused
            for name, value in list(scope.items()):
                if type(value) in INERT:
                    continue
                is_known = before.get(name) == id(value) and id(value) not in self._originals
                if type(value) is TracedArray or not is_known:
                    changed.append((scope, name))
                elif not (is_flat(value) or name.startswith("__")):
                    changed += recent(value, seen)
        return changed

    def is_foreign(self, handle: Any) -> bool:
        """Tell whether another recording made a handle."""
        if id(handle) in self._made:
            return False
        token = handle.token if handle.storage is None else handle.storage.token
        return token is not None and id(token) not in self._tokens


def _register(tapes: list[Any], plain: Any, handle: Any) -> None:
    for tape in tapes:
        tape.register_plain(plain, handle)


def _references(objects: list[Any]) -> list[int]:
    return [sys.getrefcount(objects[i]) for i in range(len(objects))]


def is_shared(x: Any) -> bool:
    """Tell whether an object is a number that names may share by chance."""
    return type(x) in _PYTHON_NUMBERS


def _is_view(x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.base is not None
