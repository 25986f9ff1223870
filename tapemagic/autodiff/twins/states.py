"""Random numbers that nobody holds a generator of: where their sequences stand."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np

#: Ways to get and to set the state of such a sequence; other spellings add their own.
SEQUENCES: list[tuple[Callable[[], Any], Callable[[Any], Any]]] = [
    (random.getstate, random.setstate),
    (np.random.get_state, np.random.set_state),
]


def current() -> list[Any]:
    """Return where all sequences stand."""
    return [get() for get, _ in SEQUENCES]


def put(states: list[Any]) -> None:
    """Let the sequences go on from there; what was not known then goes on as it is."""
    for (_, set_state), state in zip(SEQUENCES, states):
        set_state(state)
