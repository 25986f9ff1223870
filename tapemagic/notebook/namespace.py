"""The swap of a cell's namespace: plain arrays out, handles in, and back again.

On entry the float and complex arrays that the cell can reach become handles, and NumPy and its
functions become their twins. On exit every handle becomes what plain NumPy would have left.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, MutableMapping
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from tapemagic.autodiff.borrowing.exchange import Exchange, Place, is_array
from tapemagic.autodiff.traced import TracedArray
from tapemagic.autodiff.twins.modules import original_of, twin_of


class Swap(Exchange):
    """The exchange of the namespace of a cell.

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
        namespace: dict[str, Any],
        borrowed: Any,
        register: Callable[[Any, Any], None] = lambda plain, handle: None,
    ) -> None:
        super().__init__(borrowed, register)
        self.namespace = namespace
        self._before: dict[str, int] = {}
        self._in_cell = False
        self._scopes[id(namespace)] = namespace

    def enter(self, names: Iterable[str]) -> None:
        """Exchange what is reached from `names`."""
        self._before = {name: id(value) for name, value in self.namespace.items()}
        self.take((self.namespace, name) for name in names if name in self.namespace)
        self._take_modules()
        for name, value in list(self.namespace.items()):
            new = twin_of(value)  # `np` may be named in a string for `exec` alone
            if new is not value:
                self.namespace[name] = new

    def reach(self, values: Iterable[Any]) -> None:
        """Exchange what the user's modules hold that are among values, or that these work with."""
        for value in values:
            if type(value) in (FunctionType, ModuleType):
                self.note_scope(value)
        self._take_modules()

    def _take_modules(self) -> None:
        """Exchange what is under the global names of the user's modules that were reached."""
        while self._waiting:
            self.take(names_of(self._waiting.popleft()))

    def leave(self, names: Iterable[str], places: Iterable[Place] = ()) -> None:
        """Put plain objects wherever handles are.

        Parameters
        ----------
        names : iterable of str
            Names that the cell mentions; those that changed are found by themselves.
        places : iterable of (mapping, key)
            Where else the cell may have left something, such as `Out[7]`.
        """
        self.give_back(
            [*self._changed_by_the_cell(names), *self._in_modules(), *self._in_libraries(), *places]
        )
        self.tell_of_holders()

    def follow(self, names: Iterable[str]) -> None:
        """Exchange the arrays that the cell has made, wherever it has put them.

        It is about to write to one of them: whoever has that, or a view of it, has to see it. All
        are exchanged, so that a loop over a list of them does not search for each.
        """
        self._in_cell = True
        try:
            self.take([*self._changed_by_the_cell(names), *self._in_modules()], libraries=1)
        finally:
            self._in_cell = False

    def _changed_by_the_cell(self, names: Iterable[str]) -> list[Place]:
        mentioned = set(names)
        return [
            (self.namespace, name)
            for name, value in self.namespace.items()
            if name in mentioned or self._before.get(name) != id(value)
        ]

    def _in_modules(self) -> list[Place]:
        modules = [scope for scope in self._scopes.values() if scope is not self.namespace]
        return [place for scope in modules for place in names_of(scope)]

    def _in_libraries(self) -> list[Place]:
        """Return where the cell has put an array into a module that is not the user's."""
        values = map(original_of, list(self.namespace.values()))
        modules = [vars(value) for value in values if type(value) is ModuleType]
        return [(scope, k) for scope in modules for k, x in scope.items() if type(x) is TracedArray]

    def lift(self, value: Any) -> Any:
        """Return the handle of an array, or the twin of NumPy and its functions."""
        if self._in_cell:  # handles that there are by now are the cell's own
            return self.handle_of(value) if is_array(value) else value
        if type(value) is FunctionType or type(value) is ModuleType:
            self.note_scope(value)
        return twin_of(super().lift(value))

    def lower(self, value: Any) -> Any:
        """Return what a twin stands for."""
        return original_of(value)


def names_of(scope: MutableMapping[str, Any]) -> list[Place]:
    """Return the places of a module that are the user's own."""
    return [(scope, name) for name in list(scope) if not name.startswith("__")]


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
