"""Names of a script that mean NumPy stand for its twins while a tape records.

Dispatch cannot see ``np.zeros(3)``, ``np.array([t, t])`` or ``math.sin(t)``. As in a `%%tape` cell,
the names under which the running code finds NumPy, `math` or one of their functions are bound to
twins (`twins/modules.py`) when recording begins, and to the originals again when it ends. NumPy
itself is never patched.
"""

from __future__ import annotations

import functools
import importlib
import sys
from collections import deque
from collections.abc import Iterable, Iterator, MutableMapping
from functools import partial
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any

import numpy as np

from tapemagic.autodiff import later
from tapemagic.autodiff.codes import is_module
from tapemagic.autodiff.positions import user_frame
from tapemagic.autodiff.recorder import RECORDER
from tapemagic.autodiff.traced import TracedArray
from tapemagic.autodiff.twinning import TWINS

from .borrowed import Borrowed
from .containers import slots
from .exchange import Exchange, Place, is_users, is_users_module
from .frame_names import FrameNames
from .held_functions import Look, called_locals, held_functions, used_by, with_twins
from .recent import FLAT
from .scopes import scopes

#: Local names under which NumPy is usually known; other locals are not looked at.
_USUAL = frozenset(("np", "numpy", "math", "cmath", "xp"))
_MOST_SCOPES = 200  # of the user's own modules
_MOST_LOOKS = 32  # that are remembered
#: What leads to other names.
_LEADING = (FunctionType, ModuleType, type)

#: What holds no functions.
_FLAT = FLAT | {np.ndarray, TracedArray}

#: (names, name, original, twin)
_Binding = tuple[MutableMapping[str, Any], str, Any, Any]


class ScriptNames:
    """The names that are bound to twins for the time of a recording."""

    def __init__(self) -> None:
        self._bound: list[_Binding] = []
        # of one script at a time, since a loop of steps asks for the same ones again
        self._scopes: dict[int, Any] = {}
        self._known: list[_Binding] = []
        self._size = 0
        self._meant: list[list[int]] = []  # what has twins in each module, in order, by id
        self._look: Look | None = None
        self._looks: dict[int, Look] = {}  # by id of the code

    def bind(self, frame: Any, runs: Any = None) -> None:
        """Bind the twins, for the code of a frame, and a function that it will call."""
        names, code = frame.f_globals, frame.f_code
        # What the code's names mean is compared by identity: steps of a loop ask the same.
        values = map(names.get, code.co_names)
        meant = [id(x) if type(x) in _LEADING or id(x) in TWINS else id(type(x)) for x in values]
        local, called = FrameNames(frame), [runs]
        found = local.pick(chosen) if (chosen := _local_names(code)) else {}
        called += [x for x in found.values() if type(x) not in _FLAT]
        asked = (code, id(names), len(names), *meant)
        if self._look is None or not self._look.is_of(asked, called):
            self._look_around(frame, called)
            self._look = self._look_again(names, asked, called)
        bindings = [*self._known, *self._look.held]
        for name, value in found.items():
            if (twin := with_twins(value)) is not value:
                bindings.append((local, name, value, twin))
        RECORDER.made = []
        for binding in bindings:
            scope, name, original, twin = binding
            if scope.get(name) is original:
                scope[name] = twin
                self._bound.append(binding)
        if self._bound and self._bound[-1][0] is local:
            local.pick(())  # what was read to bind it

    def _look_again(self, names: dict[str, Any], asked: tuple, called: list[Any]) -> Look:
        """Find what holds functions; the steps of a few codes may take turns."""
        code = asked[0]
        look = self._looks.pop(id(code), None)
        if look is None or not look.is_of(asked, called):
            look = Look(asked, called, [*held_functions([*called, *used_by(code, names)])])
        if look.is_weak:  # else it would keep what it knows alive
            self._looks[id(code)] = look
        if len(self._looks) > _MOST_LOOKS:
            del self._looks[next(iter(self._looks))]
        return look

    def _look_around(self, frame: Any, runs: list[Any]) -> None:
        """Find the names that mean NumPy in all modules that the code may reach."""
        _load_twins()
        names = frame.f_globals
        used = used_by(frame.f_code, names)
        near = [names, *_scopes_of(used), *_used_by_functions(runs)]
        users = _users({id(one): one for one in near})
        meant = [list(filter(TWINS.__contains__, map(id, list(one.values())))) for one in users]
        same = len(names) == self._size and meant == self._meant
        if same and all(id(one) in self._scopes for one in near):
            return
        self._size, self._meant = len(names), meant
        self._scopes = _reached([*near, *_modules_of_callers(frame)])
        self._known = [one for scope in _users(self._scopes) for one in _in_scope(scope)]

    def release(self, tape: Any) -> None:
        """Bind the originals again, and put plain arrays where somebody has one that a twin made.

        Those that took traced values are known to the tape by the plain arrays from then on.
        """
        for scope, name, original, twin in self._bound:
            if scope.get(name) is twin:
                scope[name] = original
        self._bound.clear()
        if self._look is not None and not self._look.is_weak:
            self._look = None
        made, RECORDER.made = RECORDER.made, None
        if made:
            left = Left([x for find in made if (x := find()) is not None], tape)
            names = scopes(user_frame())
            if left.ours or any(left.is_left(x) for one in names for _, x in list(one.items())):
                left.put_back()


SCRIPT_NAMES = ScriptNames()


@functools.lru_cache(maxsize=1024)
def _local_names(code: CodeType) -> tuple[str, ...]:
    """Return the local names that may mean NumPy, or what is called."""
    if is_module(code):
        return ()
    local = (*code.co_varnames, *code.co_cellvars, *code.co_freevars)
    return (*_USUAL.intersection(local), *called_locals(code))


def running_frame() -> FrameType | None:
    """Return the innermost frame that is the user's own, and not of a library.

    Asked by a tape that begins or goes on, which is two more frames of ours.
    """
    frame = user_frame(4)
    while frame is not None and not is_users_module(frame.f_globals.get("__name__") or ""):
        frame = frame.f_back
    return frame


def _reached(near: list[Any]) -> dict[int, Any]:
    """Return the global names of modules, and of the user's modules that these reach, by id."""
    found: dict[int, Any] = {}
    waiting, left = deque(near), _MOST_SCOPES
    while waiting and left:
        scope = waiting.popleft()
        if id(scope) not in found:
            found[id(scope)] = scope
            if is_users_module(scope.get("__name__") or "__main__"):
                waiting += _scopes_of(list(scope.values()))
                left -= 1
    return found


def _users(scopes: dict[int, Any]) -> list[dict[str, Any]]:
    """Return those of the user's own modules."""
    return [one for one in scopes.values() if is_users_module(one.get("__name__") or "__main__")]


def _scopes_of(values: Iterable[Any]) -> list[dict[str, Any]]:
    """Return the global names that functions, and the user's modules and classes, work with."""
    found = [value.__globals__ for value in values if type(value) is FunctionType]
    modules = [value for value in values if type(value) is ModuleType]
    kinds = {value if isinstance(value, type) else type(value) for value in values}
    names = {base.__module__ for kind in kinds for base in kind.__mro__ if is_users(base)}
    modules += [sys.modules[name] for name in names if name in sys.modules]
    return found + [vars(one) for one in modules if is_users_module(one.__name__)]


def _used_by_functions(funs: list[Any]) -> list[dict[str, Any]]:
    """Return the same for what is called, and for what that wraps: closures within closures."""
    found: list[dict[str, Any]] = []
    waiting, seen = [*funs], set[int]()
    while waiting and len(seen) < _MOST_SCOPES:
        fun = waiting.pop()
        if type(fun) is partial:
            waiting.append(fun.func)
        elif type(fun) is not FunctionType:
            methods = [vars(kind).get("__call__") for kind in type(fun).__mro__]
            methods.append(getattr(fun, "__func__", None))
            waiting += [method for method in methods if type(method) is FunctionType]
        elif id(fun) not in seen:
            seen.add(id(fun))
            cells = [value for cell in fun.__closure__ or () for _, _, value in slots(cell)]
            found += [
                fun.__globals__,
                *_scopes_of(used_by(fun.__code__, fun.__globals__)),
                *_scopes_of(cells),
            ]
            waiting += cells
    return found


def _modules_of_callers(frame: Any) -> Iterator[dict[str, Any]]:
    # not the local names: a look at them would keep their values alive
    while frame is not None:
        yield frame.f_globals
        frame = frame.f_back


def _load_twins() -> None:
    importlib.import_module("tapemagic.autodiff.twins.modules")  # when a tape first records
    later.load()


def _in_scope(scope: MutableMapping[str, Any]) -> Iterator[_Binding]:
    for name, value in list(scope.items()):
        twin = with_twins(value)
        if twin is not value:
            yield scope, name, value, twin


class Left(Exchange):
    """What twins made during a block, and constants made of it, become plain NumPy after it."""

    def __init__(self, made: list[Any], tape: Any) -> None:
        super().__init__(Borrowed(), tape.register_plain)
        self.ours = {id(x): x for x in made}

    def is_left(self, value: Any) -> bool:
        """Tell whether a value is a handle that depends on nothing, or has taken traced values."""
        return type(value) is TracedArray and not self.is_foreign(value)

    def is_foreign(self, handle: Any) -> bool:
        """Tell whether a handle is the result of something watched, which it stays."""
        if handle.storage is None:
            return handle.id >= 0 and id(handle) not in self.ours
        return not getattr(handle.storage, "is_made", False)

    def lower(self, value: Any) -> Any:
        """Return a generator, polynomial or vectorized function of NumPy's own class."""
        from tapemagic.autodiff.twins.modules import original_of  # loaded: a twin made something

        return original_of(value) if id(value) in self.ours else value

    def put_back(self) -> None:
        """Look for them in all that the names of the running code reach."""
        frame = user_frame()
        places: list[Place] = []
        for scope in scopes(frame):
            places += [(scope, name) for name in list(scope) if not name.startswith("__")]
        self.give_back(places)
