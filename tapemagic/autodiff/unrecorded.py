"""Work of which the tapes that are open hear nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .recorder import RECORDER


@contextmanager
def unrecorded() -> Iterator[None]:
    """Suspend the recording of every open tape in a block; tapes opened in it record as usual.

    Raises
    ------
    TapeStateError
        If a tape of another thread records at the end of it.
    """
    tapes = list(RECORDER.tapes)
    for tape in reversed(tapes):
        tape._pause()
    try:
        yield
    finally:
        for tape in tapes:
            tape._claim_recorder()  # one that ended in the block has let other threads record
            tape._resume()
