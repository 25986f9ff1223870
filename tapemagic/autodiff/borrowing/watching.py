"""Watching plain arrays and numbers in a script: what holds them holds handles during the block.

A plain array cannot tell anybody what is computed from it. So `tape.watch(x)` puts a handle
wherever the code that is running can find `x`, as a `%%tape` cell does with what it reads: in the
names of the calling frame and of its callers, in their modules, and in the containers, objects and
functions that these reach. The end of the block puts plain objects back.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, MutableMapping
from functools import partial
from types import FunctionType, ModuleType
from typing import Any
from weakref import getweakrefcount

import numpy as np

from tapemagic.autodiff.arrays.writing import write_item
from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.calls.dispatch import HANDLE_TYPES
from tapemagic.autodiff.leaks import locate
from tapemagic.autodiff.places import owner_of
from tapemagic.autodiff.positions import is_statement, user_frame
from tapemagic.autodiff.recorder import RECORDER
from tapemagic.autodiff.traced import TracedArray
from tapemagic.errors import SourceError

from .borrowed import Borrowed
from .exchange import Exchange, Place, is_array
from .recent import is_flat, recent
from .scopes import identity, scopes

#: Whether the argument of a call in progress counts as a reference to it. From 3.14 on Python may
#: lend it, so it is not relied on: then one search too many is made.
_ARGUMENTS_COUNT = sys.version_info < (3, 14)
#: Numbers that Python may share between names that have nothing to do with each other.
_PYTHON_NUMBERS = (float, complex)

#: What `lift` asks about: most names hold something else.
_LIFTED = frozenset({np.ndarray, np.memmap, *HANDLE_TYPES, FunctionType, ModuleType})


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
        self._arrays: list[np.ndarray] = []
        self._before: dict[int, dict[str, int]] = {}  # of each scope: name -> id of its value
        self._tokens: set[int] = set()

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
        count = len(chosen)
        before = _references(chosen)
        self._handles = {id(self.handle_of(chosen[i])): id(chosen[i]) for i in range(count)}
        ours = [now - then for now, then in zip(_references(chosen), before)]
        # an object to which only these lists refer, to compare the others with
        chosen.append(np.empty(0))
        self._chosen = {id(chosen[i]): chosen[i] for i in range(len(chosen))}
        # of a view the whole memory; with the numbers: each of them counts alike
        self._arrays = [owner_of(x) if _is_view(x) else x for x in chosen]
        numbers = {id(chosen[i]): chosen[i] for i in range(count) if _is_shared(chosen[i])}
        self.found = dict.fromkeys(self._chosen, 0)
        if structure is not None:
            self.take([({"": structure}, "")], numbers=bool(numbers))
        inside = self.found
        self.found = dict.fromkeys(self._chosen, 0)
        for scope in scopes(frame):
            if self._take_names(scope, structure) or type(structure) not in (list, tuple):
                self.found = {key: n + inside.pop(key, 0) for key, n in self.found.items()}
            self._chosen = {k: x for k, x in self._chosen.items() if k not in numbers}
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
                if _is_view(chosen[i]) or _is_shared(chosen[i]) or getweakrefcount(chosen[i]):
                    return False  # the references do not tell
                done = i + 1
            return True

        if not all_found():
            self._look_everywhere(numbers, all_found)
        del chosen[count:]
        self._before = {
            key: {name: id(value) for name, value in list(scope.items())}
            for key, scope in self._scopes.items()
        }

    def _take_names(self, scope: MutableMapping[str, Any], structure: Any) -> bool:
        """Exchange what is directly under a name; tell whether the structure has one."""
        self._scopes[identity(scope)] = scope
        named = False
        for name, value in list(scope.items()):
            named = named or value is structure
            if type(value) in _LIFTED or id(value) in self._chosen:
                new = self.lift(value)
                if new is not value:
                    scope[name] = new
        return named

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
        elif is_array(value) and any(
            isinstance(x, np.ndarray) and np.may_share_memory(value, x) for x in self._arrays
        ):
            return self.handle_of(value)  # a view, or the base
        return value

    # -------------------------------------------------------------------------------- exit

    def put_back(self, tapes: list[Any], error: BaseException | None) -> None:
        """Put plain objects back, also into what was raised; tell the tapes which they are."""
        self.tapes[:] = tapes
        self._tokens = {id(tape._recording.token) for tape in tapes}
        changed: list[Place] = [] if error is None else [({"": error}, "")]
        for key, scope in self._scopes.items():
            before = self._before.get(key, {})  # none if the exchange was refused
            for name, value in list(scope.items()):
                is_known = before.get(name) == id(value) and id(value) not in self._originals
                if type(value) is TracedArray or not is_known:
                    changed.append((scope, name))
                elif not is_flat(value):
                    changed += recent(value)
        self.give_back(changed)
        self.tell_of_holders()

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


def _is_shared(x: Any) -> bool:
    return type(x) in _PYTHON_NUMBERS


def _is_view(x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.base is not None


def put_back(tapes: list[Any], error: BaseException | None = None) -> None:
    """Let names, and an error, hold plain objects again, after the last tape has stopped."""
    exchanges = [tape.exchanged for tape in tapes if tape.exchanged is not None]
    for tape in tapes:
        tape.exchanged = None
    for one in dict.fromkeys(exchanges):
        one.put_back(tapes, error)


def _exchange_of(tape: Any) -> Watched:
    """Return what was exchanged for a tape: one for all tapes that record at once."""
    recording = [one for other in RECORDER.tapes for one in (other, *other._guests)]
    shared = next((one.exchanged for one in recording if one.exchanged is not None), None)
    tape.exchanged = tape.exchanged or shared or Watched()
    return tape.exchanged


def take_back(tape: Any) -> None:
    """Put handles again wherever what a block left can be found."""
    frame = user_frame()
    if frame is None:
        return
    exchanged = _exchange_of(tape)
    known = list(tape._plain.values())
    for left in known:
        exchanged.borrowed.know(left.handle, left.plain)
    exchanged.exchange(frame, [left.plain for left in known])
    for left in known:
        plain = left.plain
        if isinstance(plain, np.ndarray) and not np.array_equal(
            plain, dispatch.plain(left.handle), equal_nan=True
        ):
            write_item(left.handle, Ellipsis, plain.copy())  # changed meanwhile: a constant


def take_over(tape: Any, plains: list[Any], structure: Any) -> dict[int, Any]:
    """Watch plain arrays and numbers; return their handles, by id.

    They were found in `structure`, or it is None and the only one was given by itself.

    Raises
    ------
    SourceError
        If one of them could not be followed.
    """
    frame: Any = user_frame()
    exchanged = _exchange_of(tape)
    is_discarded = is_statement(frame)
    exchanged.exchange(frame, plains, structure, is_discarded)
    if is_discarded:
        _check_found(exchanged, plains)
    handles = {}
    for x in plains:
        handles[id(x)] = tape._watch_one(exchanged.handle_of(x))
        tape.register_plain(x, handles[id(x)])
    return handles


def _check_found(exchanged: Watched, plains: list[Any]) -> None:
    for x in plains:
        found = exchanged.found[id(x)]
        if found == 0:
            raise locate(
                SourceError(
                    "No name here holds the array that is to be watched: what is computed from it "
                    "would not be followed.",
                    fix="Use what watch() returns: params = tape.watch(params).",
                )
            )
        if found > 1 and _is_shared(x):
            raise locate(
                SourceError(
                    f"{x} is found in {found} places, since Python shares equal numbers: which of "
                    "them is to be watched cannot be told.",
                    fix=f"Make it a number of its own: w = np.float64({x}), or a "
                    "tapemagic.Variable.",
                )
            )
