"""An array that owns memory which handles look at, and what becomes of that memory afterwards."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff import guards
from tapemagic.autodiff.lookers import is_seen
from tapemagic.autodiff.places import Window, is_writeable, owner_of, view_at, window_of
from tapemagic.autodiff.recorder import Recording
from tapemagic.autodiff.storage import Storage


class Lender:
    """An array that owns memory, and the storage that stands for it meanwhile.

    Attributes
    ----------
    owner, memory : ndarray
        The array itself, and its memory as it lies; a copy, if that has gaps.
    is_whole : bool
        Whether all of the memory is floats that may be written back at once. If not, what lies
        between them is somebody else's.
    """

    def __init__(self, owner: np.ndarray, memory: np.ndarray | None, plain: np.ndarray) -> None:
        self.owner = owner
        self.is_copy = memory is None
        self.memory = _spread(plain) if memory is None else memory
        self.is_whole = memory is not None and owner.dtype.kind in "fc"
        self.is_strange = self.is_copy or owner.base is not None  # torch, ctypes, a file
        self.storage = Storage(self.memory, is_lent=True)
        if self.is_whole:  # it has been made in another shape than it is used in
            self.storage.look_as(plain)
        self.storage.is_part = not self.is_whole
        self.before = self._fingerprint()

    def _fingerprint(self) -> tuple:
        return guards.fingerprint(self.owner if self.is_copy else self.memory)

    def window_of(self, plain: np.ndarray) -> Window:
        """Say where in the memory a view of it lies."""
        if self.is_copy:
            return (*window_of(self.memory[..., 0], self.memory)[:4], is_writeable(plain))
        return window_of(plain, self.memory)

    def settle(self) -> None:
        """Write changed data back, or watch over data that entries refer to."""
        storage, recording = self.storage, self.storage.recording
        is_seen(storage)  # and was perhaps written to
        if (
            recording is not None
            and not storage.changed
            and storage.lookers is None
            and owner_of(storage.buffer) is owner_of(self.memory)
        ):
            recording.guards[id(self.memory)] = (self.memory, self.before)  # a sweep compares them
            return
        owns = storage.lookers is not None and storage.lookers.owns  # entries have copies
        if recording is not None and not owns and self._fingerprint() != self.before:
            recording.spoiled = behind_our_back(self.owner)
        if storage.changed:
            if recording is not None and not storage.copied_at_once:
                _move_aside(recording, self.memory)
            if self.is_whole or self.is_copy:
                write(self.memory, storage.as_owned())


def _spread(plain: np.ndarray) -> np.ndarray:
    """Copy an array, with gaps where it has gaps: `ravel` has to make a copy then."""
    if plain.flags.forc:
        return np.array(plain, order="K")[..., None]
    memory = np.zeros((*plain.shape, 2), plain.dtype)
    memory[..., 0] = plain
    return memory


def write(memory: np.ndarray, values: np.ndarray) -> None:
    """Write into an array, which may have been read-only before or after the cell wrote to it."""
    locked = [one for one in (owner_of(memory), memory) if not is_writeable(one)]
    for one in locked:
        one.flags.writeable = True
    np.copyto(memory, values)
    for one in reversed(locked):
        one.flags.writeable = False


def _move_aside(recording: Recording, memory: np.ndarray) -> None:
    """Make the entries that refer to some memory refer to a copy of it."""
    copy = memory.copy(order="K")
    owner = owner_of(memory)

    def moved(value: Any) -> Any:
        if type(value) is tuple:
            return tuple(map(moved, value))
        return view_at(copy, window_of(value, memory)) if refers(value) else value

    def refers(value: Any) -> bool:
        if type(value) is tuple:
            return any(map(refers, value))
        return isinstance(value, np.ndarray) and owner_of(value) is owner

    entries = recording.entries
    for k, entry in enumerate(entries):
        if refers(entry):
            entries[k] = moved(entry)


def behind_our_back(array: np.ndarray) -> str:
    """Say that an array was written to by none of its handles."""
    return (
        f"An array of shape {array.shape} was changed behind the tape's back (memoryview, ctypes, "
        "compiled code, or another name that the cell did not read)."
    )
