"""What Keras takes by name: ``"l2"``, ``"adam"``, or by the settings of a class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tapemagic.errors import TapeUseError

from .configs import is_serialized


def by_name(kind: str, known: Mapping[str, Any], identifier: Any) -> Any:
    """Return what is called so, made if it is a class; what is no name is returned as it is.

    Raises
    ------
    TapeUseError
        If no `kind` of thing is called so.
    """
    config = {}
    if is_serialized(identifier):
        identifier, config = identifier["class_name"], identifier["config"]
    found = identifier
    if isinstance(identifier, str):
        found = known.get(identifier, known.get(identifier.lower()))
    if found is None and identifier is not None:
        raise TapeUseError(f"No {kind} is called {identifier!r}.", fix=f"Pass the {kind} itself.")
    return found(**config) if isinstance(found, type) else found
