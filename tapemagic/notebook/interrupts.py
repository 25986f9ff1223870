"""Putting off Ctrl-C while the namespace is half exchanged."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Run the block to its end; an interrupt that arrives meanwhile is delivered after it."""
    handler = signal.getsignal(signal.SIGINT)
    arrived: list[tuple[Any, ...]] = []
    try:
        if handler is not None:  # None is one that Python cannot put back
            signal.signal(signal.SIGINT, lambda *details: arrived.append(details))
    except (ValueError, OSError):  # signals reach only the main thread, and a browser's not at all
        handler = None
    try:
        yield
    finally:
        if handler is not None:
            signal.signal(signal.SIGINT, handler)
            if arrived and callable(handler):
                handler(*arrived[0])
