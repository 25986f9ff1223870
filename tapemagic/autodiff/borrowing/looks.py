"""Where some code finds NumPy: in its names, in those of what it reaches, and under none.

Steps of a loop ask for the same again. What was found is kept, with what the code's names and
what it calls meant then.
"""

from __future__ import annotations

import dis
import importlib
import sys
import weakref
from collections import deque
from collections.abc import Iterable, Iterator, MutableMapping
from functools import partial
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from tapemagic.autodiff import later
from tapemagic.autodiff.codes import is_module
from tapemagic.autodiff.traced import TracedArray
from tapemagic.autodiff.twinning import TWINS

from .containers import slots
from .exchange import is_users, is_users_module
from .held_functions import Places, called_locals, held_functions, used_by, with_twins
from .recent import FLAT

#: Local names under which NumPy is usually known; other locals are not looked at.
_USUAL = frozenset(("np", "numpy", "math", "cmath", "xp"))
_MOST_SCOPES = 200  # of the user's own modules
_DEEPEST = 4  # closures within closures
#: What leads to other names.
_LEADING = frozenset((FunctionType, ModuleType, type))
#: What holds no functions.
_FLAT = FLAT | {np.ndarray, TracedArray}
_CONTAINERS = frozenset((list, dict, set, deque))
#: How code reads a name of its module.
_READING = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS")

#: (names or places in a container, which of them, what is there, its twin)
Binding = tuple[MutableMapping[str, Any] | Places, Any, Any, Any]


class Look:
    """What is known of some code.

    Attributes
    ----------
    code : code
    local : tuple of str
        The local names that may mean NumPy, or what is called.
    """

    def __init__(self, code: CodeType) -> None:
        self.code = code
        self.local: tuple[str, ...] = ()
        self._filled: dict[str, bool] = {}
        if not is_module(code):
            local = (*code.co_varnames, *code.co_cellvars, *code.co_freevars)
            self._filled = called_locals(code)
            self.local = (*_USUAL.intersection(local), *self._filled)
        self._global = tuple(_global_names(code))
        self._asked: list[Any] = []
        self._kinds: list[Any] = []
        self._scopes: list[dict[str, Any]] = []  # of the user's modules that it reaches
        self._sizes: list[int] = []
        self._known: list[Binding] = []
        self._held: list[tuple[Any, list[Binding]]] = []  # with weak references to who holds them

    def bindings(self, frame: Any, local: dict[str, Any], runs: Any) -> list[Binding]:
        """Return what has to be bound to twins, for these local names, and what will be run."""
        called = [] if runs is None else [runs]
        for name, x in local.items():
            kind = type(x)
            if kind not in _FLAT and not (kind in _CONTAINERS and self._filled.get(name)):
                called.append(x)
        names = frame.f_globals
        # What the names mean is compared by identity.
        values = map(names.get, self._global)
        asked = [id(x) if type(x) in _LEADING or id(x) in TWINS else type(x) for x in values]
        kinds = self._kinds if self._are_held(called) else [*map(_kind, called)]
        sizes = [*map(len, self._scopes)]
        if asked != self._asked or kinds != self._kinds or sizes != self._sizes:
            self._look_around(frame, called)
            self._asked, self._kinds = asked, kinds
            self._sizes = [*map(len, self._scopes)]
            self._held = [(None, [])] * len(called)
        found = [*self._known]
        for i, x in enumerate(called):
            find, held = self._held[i]
            if find is None or find() is not x:
                held = [*held_functions([x])]
                if (find := _weakly(x)) is not None:  # else it would keep what it knows alive
                    self._held[i] = find, held
            found += held
        return found

    def _are_held(self, called: list[Any]) -> bool:
        """Tell whether the very same things were called last."""
        finds = [find for find, _ in self._held]
        return len(finds) == len(called) and all(
            find is not None and find() is x for find, x in zip(finds, called)
        )

    def forget(self) -> None:
        """Let the next look be a new one, since a name means something else."""
        self._asked = []

    def _look_around(self, frame: Any, called: list[Any]) -> None:
        """Find the names that mean NumPy in all modules that the code may reach."""
        _load_twins()
        names = frame.f_globals
        used = [names[name] for name in self._global if name in names]
        near = [names, *_scopes_of(used), *_used_by_functions(called)]
        reached = _reached([*near, *_modules_of_callers(frame)])
        self._scopes = [scope for scope in reached if _is_users(scope)]
        self._known = [one for scope in self._scopes for one in _in_scope(scope)]
        self._known += held_functions(used)


def _global_names(code: CodeType) -> dict[str, None]:
    """Return the global names that code reads, and the code within it, in order."""
    found: dict[str, None] = {}
    for step in dis.get_instructions(code):
        if step.opname in _READING:
            found[step.argval] = None
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            found |= _global_names(inner)
    return found


def _kind(x: Any, depth: int = 0) -> Any:
    """Return what tells which modules a value reaches, if it is called.

    Of a function, its code and what its closure holds: a step may define it anew.
    """
    if type(x) is FunctionType and (depth < _DEEPEST or x.__closure__ is None):
        cells = [value for cell in x.__closure__ or () for _, _, value in slots(cell)]
        return x.__code__, id(x.__globals__), *(_kind(value, depth + 1) for value in cells)
    if isinstance(x, FunctionType | partial | MethodType):
        return weakref.ref(x)
    return id(x) if type(x) in _LEADING or id(x) in TWINS else type(x)


def _weakly(x: Any) -> Any:
    """Return a weak reference; None of a list or dict, which might hold much."""
    try:
        return weakref.ref(x)
    except TypeError:
        return None


def _reached(near: list[Any]) -> list[dict[str, Any]]:
    """Return the global names of modules, and of the user's modules that these reach."""
    found: dict[int, Any] = {}
    waiting, left = deque(near), _MOST_SCOPES
    while waiting and left:
        scope = waiting.popleft()
        if id(scope) not in found:
            found[id(scope)] = scope
            if _is_users(scope):
                waiting += _scopes_of(list(scope.values()))
                left -= 1
    return [*found.values()]


def _is_users(scope: dict[str, Any]) -> bool:
    """Tell whether global names are those of a module of the user's own."""
    return is_users_module(scope.get("__name__") or "__main__")


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


def _in_scope(scope: MutableMapping[str, Any]) -> Iterator[Binding]:
    for name, value in list(scope.items()):
        twin = with_twins(value)
        if twin is not value:
            yield scope, name, value, twin
