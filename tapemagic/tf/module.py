"""`tf.Module`: an object that finds the variables in its attributes."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tapemagic.autodiff import leaks
from tapemagic.errors import TapeUseError

from .scopes import NameScope, scoped
from .variable import Variable


class Module:
    """Base class of models: collects the variables of its attributes and of modules in them.

    Examples
    --------
    >>> from tapemagic import tf
    >>> class Line(tf.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.w, self.b = tf.Variable(2.0), tf.Variable(0.0, trainable=False)
    >>> len(Line().variables), len(Line().trainable_variables)
    (2, 1)
    """

    def __init__(self, name: str | None = None) -> None:
        self._name = name or re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(self).__name__).lower()
        self._scope = scoped(f"{self._name}/")

    @property
    def name(self) -> str:
        """Name given, or that of the class."""
        return self._name

    @property
    def name_scope(self) -> Any:
        """A block, ``with self.name_scope:``, in which variables are called after the module.

        Raises
        ------
        TapeUseError
            If a subclass has forgotten ``super().__init__()``.
        """
        if "_scope" not in vars(self):
            raise leaks.locate(
                TapeUseError(
                    f"The module {type(self).__name__} has not been set up, and has no name.",
                    fix="Begin its __init__ with super().__init__().",
                )
            )
        return NameScope(self._scope)

    @classmethod
    def with_name_scope(cls, method: Callable) -> Callable:
        """Return a method whose variables are called after the module (decorator)."""

        @functools.wraps(method)
        def inside(self: Module, *args: Any, **kwargs: Any) -> Any:
            with self.name_scope:
                return method(self, *args, **kwargs)

        return inside

    @property
    def variables(self) -> tuple[Variable, ...]:
        """All variables, in order of the attributes' names."""
        return tuple(x for x in _walk(self, set()) if isinstance(x, Variable))

    @property
    def trainable_variables(self) -> tuple[Variable, ...]:
        """The variables that tapes watch."""
        return tuple(x for x in self.variables if x.trainable)

    @property
    def non_trainable_variables(self) -> tuple[Variable, ...]:
        """The others."""
        return tuple(x for x in self.variables if not x.trainable)

    @property
    def submodules(self) -> tuple[Module, ...]:
        """The modules inside this one."""
        return tuple(x for x in _walk(self, set()) if isinstance(x, Module))


def _walk(module: Module, seen: set[int]) -> Iterator[Any]:
    """Yield the variables in a module's attributes, then the modules there with all they hold."""
    seen.add(id(module))
    found = [x for _, value in sorted(vars(module).items()) for x in flatten(value)]
    for x in sorted(found, key=lambda x: isinstance(x, Module)):
        if id(x) not in seen:
            seen.add(id(x))
            yield x
            if isinstance(x, Module):
                yield from _walk(x, seen)


def flatten(value: Any) -> Iterator[Any]:
    """Yield the variables and modules in an attribute: itself, or in lists, tuples and dicts."""
    if isinstance(value, (Variable, Module)):
        yield value
    elif isinstance(value, Mapping):
        for _, item in sorted(value.items(), key=lambda item: str(item[0])):
            yield from flatten(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from flatten(item)
