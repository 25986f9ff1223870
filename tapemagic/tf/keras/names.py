"""What Keras takes by name: ``"l2"``, ``"adam"``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tapemagic.errors import TapeUseError


def by_name(kind: str, known: Mapping[str, Any], identifier: Any) -> Any:
    """Return what is called so, made if it is a class; what is no name is returned as it is.

    Raises
    ------
    TapeUseError
        If no `kind` of thing is called so.
    """
    found = known.get(identifier) if isinstance(identifier, str) else identifier
    if found is None and identifier is not None:
        raise TapeUseError(f"No {kind} is called {identifier!r}.", fix=f"Pass the {kind} itself.")
    return found() if isinstance(found, type) else found
