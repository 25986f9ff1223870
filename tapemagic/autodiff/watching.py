"""Watching plain arrays and numbers in a script: what holds them holds handles during the block.

A plain array cannot tell anybody what is computed from it. So `tape.watch(x)` puts a handle
wherever the code that is running can find `x`, as a `%%tape` cell does with what it reads: in the
names of the calling frame and of its callers, in their modules, and in the containers, objects and
functions that these reach. The end of the block puts plain objects back.
"""

from __future__ import annotations

import ctypes
import dis
import inspect
import sys
import warnings
from collections import deque
from collections.abc import Iterator, MutableMapping
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from tapemagic.errors import SourceError

from . import dispatch
from .borrowed import Borrowed
from .dispatch import is_traced
from .exchange import Exchange, Place, is_users_module
from .leaks import user_frame
from .recorder import RECORDER
from .writing import write_item

#: Numbers that Python may share between names that have nothing to do with each other.
_PYTHON_NUMBERS = (float, complex)


class FrameNames(MutableMapping):
    """The local names of a frame, to read and to bind."""

    def __init__(self, frame: Any) -> None:
        self.frame = frame

    def __getitem__(self, name: str) -> Any:
        return self.frame.f_locals[name]

    def __setitem__(self, name: str, value: Any) -> None:
        names = self.frame.f_locals  # each look at it fetches the values anew
        names[name] = value
        if sys.version_info < (3, 13) and self.frame.f_code.co_flags & inspect.CO_OPTIMIZED:
            # Before PEP 667, f_locals of a function is a copy that has to be written back.
            ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(self.frame), ctypes.c_int(0))

    def __delitem__(self, name: str) -> None:
        raise TypeError("names of a frame are only exchanged")

    def __iter__(self) -> Iterator[str]:
        return iter(self.frame.f_locals)

    def __len__(self) -> int:
        return len(self.frame.f_locals)


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
        super().__init__(Borrowed(), self._register)
        self.tapes: list[Any] = []
        self.found: dict[int, int] = {}
        self._chosen: dict[int, Any] = {}
        self._arrays: list[np.ndarray] = []
        self._scopes: dict[int, MutableMapping[str, Any]] = {}
        self._waiting: deque[MutableMapping[str, Any]] = deque()
        self._began = False

    def exchange(self, frame: Any, chosen: list[Any]) -> None:
        """Put handles wherever the code in a frame can find the chosen objects, or views of them.

        A Python number is looked for from the names of the frame itself only: equal numbers
        elsewhere may be the same object.
        """
        self._chosen = {id(x): x for x in chosen}
        self._arrays = [x for x in chosen if isinstance(x, np.ndarray)]
        self.found = dict.fromkeys(self._chosen, 0)
        self._waiting = deque(scopes(frame))
        while self._waiting:
            scope = self._waiting.popleft()
            self._scopes[_identity(scope)] = scope
            self.take(_places(scope), libraries=1)
            for x in chosen:
                if type(x) in _PYTHON_NUMBERS:
                    self._chosen.pop(id(x), None)
        self._began = True

    def lift(self, value: Any) -> Any:
        """Return the handle of a chosen object, or of an array that shares its memory."""
        kind = type(value)
        if kind is FunctionType or kind is ModuleType:
            self._note_scope(value)
        elif is_traced(value):
            if not self._began and id(value) not in self._made:
                self._foreign.append(value)  # made before: not ours to exchange
        elif id(value) in self._chosen:
            self.found[id(value)] += 1
            return self.handle_of(value)
        elif isinstance(value, np.ndarray) and value.dtype.kind in "fc":
            if any(np.may_share_memory(value, x) for x in self._arrays):  # a view, or the base
                return self.handle_of(value)
        return value

    def _note_scope(self, value: Any) -> None:
        """Let the global names of a user's function or module be looked at as well."""
        scope = value.__globals__ if type(value) is FunctionType else vars(value)
        if id(scope) not in self._scopes and is_users_module(scope.get("__name__") or "__main__"):
            self._scopes[id(scope)] = scope
            self._waiting.append(scope)

    def put_back(self, tapes: list[Any]) -> None:
        """Put plain objects back; tell the tapes which they are."""
        self.tapes = tapes
        self.give_back([place for scope in self._scopes.values() for place in _places(scope)])

    def _register(self, plain: Any, handle: Any) -> None:
        for tape in self.tapes:
            tape.register_plain(plain, handle)


def _places(scope: MutableMapping[str, Any]) -> list[Place]:
    return [(scope, name) for name in list(scope) if not name.startswith("__")]


def _identity(scope: MutableMapping[str, Any]) -> int:
    return id(scope.frame) if isinstance(scope, FrameNames) else id(scope)


def scopes(frame: Any) -> Iterator[MutableMapping[str, Any]]:
    """Yield the names that code in a frame can use: its own, its callers', and the global ones."""
    modules: dict[int, dict[str, Any]] = {}
    walker = frame
    while walker is not None and is_users_module(walker.f_globals.get("__name__") or "__main__"):
        modules[id(walker.f_globals)] = walker.f_globals
        if walker.f_code.co_name == "<module>":
            break  # its names are the global ones
        yield FrameNames(walker)
        walker = walker.f_back
    yield from modules.values()


def put_back(tapes: list[Any]) -> None:
    """Let names hold plain objects again, after the last of several tapes has stopped."""
    exchanges = [tape.exchanged for tape in tapes if tape.exchanged is not None]
    for tape in tapes:
        tape.exchanged = None
    for one in dict.fromkeys(exchanges):
        one.put_back(tapes)


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


def is_watchable(x: Any) -> bool:
    """Tell whether a plain object can be watched; warn if it is an integer or bool.

    Raises
    ------
    SourceError
        If `x` is no number or array.
    """
    kind = getattr(getattr(x, "dtype", None), "kind", None)
    if kind is None and isinstance(x, (float, complex)):
        return True
    if (kind is None and isinstance(x, (bool, int))) or kind in ("i", "u", "b"):
        dtype = getattr(x, "dtype", type(x).__name__)
        warnings.warn(
            f"The dtype of the watched tensor must be floating (e.g. tf.float32), got {dtype}: "
            "its gradient will be None.",
            stacklevel=3,
        )
        return False
    if kind not in ("f", "c"):
        raise SourceError(
            f"A {type(x).__name__} cannot be watched.", fix="Watch arrays and numbers of floats."
        )
    return True


def take_over(tape: Any, plains: list[Any]) -> dict[int, Any]:
    """Watch plain arrays and numbers; return the handles that stand for them, by id.

    Raises
    ------
    SourceError
        If one of them could not be followed.
    """
    frame = user_frame()
    exchanged = _exchange_of(tape)
    exchanged.exchange(frame, plains)
    if _is_discarded(frame):
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
            raise SourceError(
                "No name here holds the array that is to be watched: what is computed from it "
                "would not be followed.",
                fix="Use what watch() returns: params = tape.watch(params).",
            )
        if found > 1 and type(x) in _PYTHON_NUMBERS:
            raise SourceError(
                f"{x} is found in {found} places, since Python shares equal numbers: which of them "
                "is to be watched cannot be told.",
                fix=f"Make it a number of its own: w = np.float64({x}), or a tapemagic.Variable.",
            )


_CACHE, _POP_TOP = (bytes([dis.opmap[name]]) for name in ("CACHE", "POP_TOP"))


def _is_discarded(frame: Any) -> bool:
    """Tell whether the call that a frame is carrying out stands alone, as a statement."""
    code, offset = frame.f_code.co_code, frame.f_lasti + 2
    while code[offset : offset + 1] == _CACHE:
        offset += 2
    return code[offset : offset + 1] == _POP_TOP
