"""Plain arrays that a tape refers to but does not own: keep them, and notice when they change.

Inside a `%%tape` cell every array is behind a handle and writes are seen. In a script an operand
may be an ordinary array, which anybody can write to between the operation and the sweep. Small
ones are copied; of large ones a fingerprint is taken, and a sweep over changed data is refused.
"""

from __future__ import annotations

import weakref

import numpy as np

from tapemagic.errors import ChangedDataError

from .recorder import RECORDER, Recording

#: Arrays up to this many bytes are copied: hardly dearer than to watch them, and always right.
COPIED = 1 << 18
#: From so many bytes on, the copy that an earlier operation made is looked at first.
SHARED = 1 << 12
#: Of arrays above this many bytes every sixteenth page is read: reading all of them, twice, would
#: cost as much as the operation. A change of a few elements of so large an array can escape.
SAMPLED = 1 << 25
_WHOLE = 1 << 15
_PAGE = 512  # words of 8 bytes
_NOTHING = np.empty(0, np.uint8)
#: Size of an item -> what its bits are compared as: nan is not equal to itself, 0.0 is to -0.0.
_WORDS = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}


def keep(value: np.ndarray) -> np.ndarray:
    """Return what an entry stores for a plain array operand."""
    size = value.nbytes
    if size < SHARED:
        return value.copy()
    recording = RECORDER.recording
    if size <= COPIED:
        return value.copy() if recording is None else _copied_once(value, recording)
    if recording is not None and id(value) not in recording.guards:
        recording.guards[id(value)] = (value, fingerprint(value))
    return value


def _copied_once(value: np.ndarray, recording: Recording) -> np.ndarray:
    """Return a copy, the same one for an array that many operations use as it is.

    A loop over a constant matrix holds one copy and not one per round.
    """
    known = recording.copies.get(id(value))
    if known is not None:
        same, copy = known
        if same() is value and _same_bytes(value, copy):
            return copy
    copy = value.copy()
    recording.copies[id(value)] = weakref.ref(value), copy
    return copy


def _same_bytes(value: np.ndarray, copy: np.ndarray) -> bool:
    word = _WORDS.get(value.itemsize)
    if word is None or value.shape != copy.shape or value.dtype != copy.dtype:
        return False
    return bool((value.view(word) == copy.view(word)).all())


def fingerprint(value: np.ndarray) -> tuple:
    """Summarise the bytes of an array; equal data give equal fingerprints.

    All bytes of a small one. Of others sums of the words (any changed word changes them) and a
    sample of positions (which a sum does not see when elements trade places).
    """
    if value.nbytes <= _WHOLE:
        return (value.tobytes(),)
    if type(value) is not np.ndarray or not value.flags.c_contiguous:
        value = np.ascontiguousarray(value)
    if value.nbytes % 8:
        words = value.reshape(-1).view(np.uint8)
        whole, rest = words[: words.size // 8 * 8].view(np.uint64), words[words.size // 8 * 8 :]
    else:
        whole, rest = value.reshape(-1).view(np.uint64), _NOTHING
    summed = whole
    if value.nbytes > SAMPLED:
        summed = whole[: whole.size // _PAGE * _PAGE].reshape(-1, _PAGE)[::16]
    step = max(1, whole.size // 4093)
    return int(np.add.reduce(summed, axis=None)), whole[::step].tobytes(), rest.tobytes()


def verify(recording: Recording) -> None:
    """Raise if an array that a tape refers to was changed since it was used.

    Raises
    ------
    ChangedDataError
    """
    if recording.spoiled:
        raise ChangedDataError(
            recording.spoiled,
            why="The tape cannot know which operations saw which values.",
            fix="Write to the array by its name inside the cell.",
        )
    for value, known in recording.guards.values():
        if fingerprint(value) != known:
            raise ChangedDataError(
                f"An array of shape {value.shape} was changed after the tape used it.",
                why="The gradient would mix its old and its new values.",
                fix="Take the gradient before changing it, or change a copy.",
            )
