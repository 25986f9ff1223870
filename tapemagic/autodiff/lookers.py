"""Who looks at the memory of an array besides its handles: a memoryview, ctypes, another dtype.

Or whose it is: that of ``np.frombuffer(bytearray(24))`` is the bytearray's.

What they write the tape does not see, and what is computed from what they read has no gradient.
While only plain numbers are in that memory both sides share it, as in NumPy; entries keep copies.
A traced value may be written into it only when they are gone.
"""

from __future__ import annotations

import sys
import weakref
from typing import Any

import numpy as np

from tapemagic.errors import UnsupportedWriteError

from . import guards, leaks
from .places import owner_of
from .recorder import RECORDER

#: Where Python has its objects whose memory can be written to, besides `bytearray`.
_OWNERS = {"array", "_ctypes", "mmap"}


class Lookers:
    """Those who look at a buffer; `before` tells whether they have written to it.

    If the memory is theirs (`owns`), they may come back to it at any time.
    """

    def __init__(self, buffer: np.ndarray, *, owns: bool = False) -> None:
        self.before, self.owns = guards.fingerprint(buffer), owns


def lend(storage: Any) -> None:
    """Let somebody else look at the memory, and write to it."""
    if not is_seen(storage):
        storage.copy_buffer()  # entries may refer to the old one
        storage.lookers = Lookers(storage.buffer)
        if RECORDER.recording is not None:
            root = owner_of(storage.buffer)
            RECORDER.recording.lent[id(root)] = weakref.ref(root)
        storage.exposed = True  # so that the next write asks for them


def share(storage: Any) -> None:
    """Share memory that belongs to an object of Python's (`bytearray`, ctypes), if it does."""
    root = owner_of(storage.buffer)
    owner: Any = root.base
    if owner is None:
        return
    if type(owner) is memoryview:
        owner = owner.obj
    modules = {kind.__module__ for kind in type(owner).__mro__}
    if type(owner) is bytearray or (_OWNERS & modules and type(root) is not np.memmap):
        storage.lookers = Lookers(storage.buffer, owns=True)
        storage.stay()


def looks(array: np.ndarray) -> bool:
    """Tell whether a plain array is one of those who look at the memory of another."""
    lent = RECORDER.recording.lent if RECORDER.recording is not None else {}
    if not lent:
        return False
    root = owner_of(array)
    return id(root) in lent and lent[id(root)]() is root


def is_seen(storage: Any) -> bool:
    """Tell whether anybody else looks at the memory, and note what was written there.

    They hold references to it, which no handle accounts for.
    """
    if storage.lookers is None:
        return False
    if guards.fingerprint(storage.buffer) != storage.lookers.before:
        storage.changed = True
    if storage.lookers.owns:
        return True
    root = owner_of(storage.buffer)
    handles = [handle for known in storage.handles if (handle := known()) is not None]
    ours = [holder for holder in (storage, *handles) if _array_of(holder) is root]
    views = {id(_array_of(x)) for x in (storage, *handles) if _array_of(x).base is root}
    if sys.getrefcount(root) - ALONE > len(ours) + len(views):
        return True
    storage.lookers = None
    return False


def shares(storage: Any, is_traced: bool) -> bool:
    """Tell whether a write has to reach somebody who looks.

    Raises
    ------
    UnsupportedWriteError
        If it is of a traced value, or the memory is somebody else's and watched.
    """
    if not is_seen(storage):
        return False
    if not is_traced and not (storage.lookers.owns and storage.current() >= 0):
        return True
    what = "A traced value" if is_traced else "A number"
    if storage.lookers.owns:
        whose = "of an object that is no array (a bytearray, ctypes)"
        fix = "Write into a copy: np.frombuffer(...).copy()."
    else:
        whose = "that another object looks at (a memoryview, a view of another dtype or class)"
        fix = "Give that object a copy: memoryview(x.copy()), or delete it before."
    raise leaks.locate(
        UnsupportedWriteError(
            f"{what} would be written into memory {whose}.",
            why="What is computed through that object would have no gradient.",
            fix=fix,
        )
    )


def _array_of(holder: Any) -> np.ndarray:
    """Return the array that a storage or one of its handles holds."""
    return holder._value if hasattr(holder, "_value") else holder.buffer


def _references_to_a_local() -> int:
    alone = np.empty(0)
    return sys.getrefcount(alone)


#: What `sys.getrefcount` says of an object that one local name holds, and nobody else.
ALONE = _references_to_a_local()
