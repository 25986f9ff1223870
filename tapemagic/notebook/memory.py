"""Freed memory, kept while a cell runs.

The C library gives the memory of a large array back to the system when the array goes, and takes
it again for the next one; every page of it is then cleared anew, which can cost more than the
arithmetic. On glibc it can be told to wait until the cell is over. Elsewhere (macOS, Windows, musl,
Pyodide) nothing is done. ``TAPEMAGIC_KEEP_MEMORY=0`` in the environment turns it off.
"""

from __future__ import annotations

import ctypes
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

# names and numbers of <malloc.h>
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -3, -4
_NEVER = 2**31 - 1
#: What glibc's own thresholds grow to in a process that has freed one large array. They cannot be
#: told to grow by themselves again once they were set.
_USUAL = ((_MMAP_MAX, 65536), (_MMAP_THRESHOLD, 1 << 25), (_TRIM_THRESHOLD, 1 << 26))

_running = 0  # a slider may run a cell while another cell runs


@lru_cache(maxsize=1)
def _libc() -> Any:
    """Return glibc, or None where there is none."""
    if platform.libc_ver()[0] != "glibc":
        return None
    try:
        libc = ctypes.CDLL(None)
        libc.mallopt.argtypes = ctypes.c_int, ctypes.c_int
        libc.malloc_trim.argtypes = (ctypes.c_size_t,)
    except (OSError, AttributeError):
        return None
    return libc


def keep() -> None:
    """Keep freed memory from here on; every call needs one of `release`."""
    global _running  # noqa: PLW0603  (the state of the process, not of an object)
    _running += 1
    libc = _libc()
    if libc is not None and _running == 1 and os.environ.get("TAPEMAGIC_KEEP_MEMORY") != "0":
        libc.mallopt(_MMAP_MAX, 0)
        libc.mallopt(_TRIM_THRESHOLD, _NEVER)


def release(*, trim: bool = False) -> None:
    """Undo `keep`; with `trim`, give what is free back to the system now."""
    global _running  # noqa: PLW0603
    _running -= 1
    libc = _libc()
    if libc is None or _running or os.environ.get("TAPEMAGIC_KEEP_MEMORY") == "0":
        return
    for parameter, value in _USUAL:
        libc.mallopt(parameter, value)
    if trim:
        libc.malloc_trim(0)


@contextmanager
def kept() -> Iterator[None]:
    """Keep freed memory in a block, and give it back at its end."""
    keep()
    try:
        yield
    finally:
        release(trim=True)
