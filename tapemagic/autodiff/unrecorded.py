"""Work of which the tapes that are open hear nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .recorder import RECORDER


@contextmanager
def unrecorded() -> Iterator[None]:
    """Suspend the recording of every open tape in a block; tapes opened in it record as usual."""
    tapes = list(RECORDER.tapes)
    for tape in reversed(tapes):
        tape._pause()
    try:
        yield
    finally:
        if tapes:
            RECORDER.claim()  # a tape that ended in the block has let other threads record
        for tape in tapes:
            tape._resume()
