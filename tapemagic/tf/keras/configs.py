"""Settings of layers, optimizers and schedules as dicts, and things made from them again."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Self

from tapemagic.autodiff import leaks
from tapemagic.errors import TapeUseError


class Configured:
    """What knows the arguments that it was made with."""

    __slots__ = ("_made_with",)  # not among the attributes, where layers and weights are looked for
    _made_with: tuple[tuple, dict[str, Any]]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Make one that remembers its arguments, whatever its `__init__` does with them."""
        made = super().__new__(cls)
        made._made_with = args, kwargs
        return made

    def _settings(self) -> dict[str, Any]:
        """Return the arguments by their names, those that were not given as well.

        Raises
        ------
        TapeUseError
            If they have no names.
        """
        args, kwargs = self._made_with
        bound = inspect.signature(type(self)).bind(*args, **kwargs)
        bound.apply_defaults()
        found: dict[str, Any] = {}
        for parameter in bound.signature.parameters.values():
            value = bound.arguments[parameter.name]
            if parameter.kind is parameter.VAR_POSITIONAL and value:
                raise leaks.locate(
                    TapeUseError(
                        f"{type(self).__name__} takes arguments without names (*{parameter.name}).",
                        fix="Write get_config() and from_config(config) of its own.",
                    )
                )
            if parameter.kind is parameter.VAR_KEYWORD:
                found |= value
            elif parameter.kind is not parameter.VAR_POSITIONAL:
                found[parameter.name] = value
        return found

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make another one of the same settings."""
        return self._settings()

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Make one of the settings that `get_config` returned."""
        return cls(**config)


def serialize(thing: Any) -> dict[str, Any]:
    """Return the name of a class, and the settings."""
    return {"class_name": type(thing).__name__, "config": thing.get_config()}


def is_serialized(given: Any) -> bool:
    """Tell whether something is what `serialize` returns."""
    return isinstance(given, Mapping) and {"class_name", "config"} <= set(given)
