"""Numbers that come back: from text or a file, or from under a key that a traced value was."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

from .handles import HANDLE_TYPES, node_of, plain
from .positions import context_of, user_frame
from .recorder import RECORDER

#: Numbers are compared with so many of the values that were shown last; so many are looked at.
COMPARED, _MOST_READ = 1000, 10_000


def read_back(numbers: Any) -> None:
    """Note what was read from text or a file, if a traced value like that was shown before.

    Text may be rounded, so the two need not be equal. What is only a coincidence is noted as well:
    it costs a remark, and a gradient that lacks a part in silence would cost more.

    Parameters
    ----------
    numbers : float, complex, ndarray, nested lists and dicts of them, or an archive of arrays
        What the text or file said.
    """
    recording, frame = RECORDER.recording, user_frame()
    if recording is None or frame is None or not recording.events:
        return
    if isinstance(numbers, np.lib.npyio.NpzFile):
        for array in numbers.values():
            read_back(array)
        return
    found = np.array(list(islice(_numbers(numbers), _MOST_READ)))
    said = [
        id_
        for kind, id_, _, _, detail in islice(reversed(recording.events), COMPARED)
        if kind == "shown" and _says(found, detail)
    ]
    if not said:
        return
    place = context_of(frame), frame.f_lasti
    recording.events.append(("text", said[0], *place, len(recording.entries)))
    # what was read is a constant of a program: the values have to be what they were
    nodes = tuple([("node", id_) for id_ in said])
    recording.decisions.append((len(recording.entries), *place, None, nodes, ()))


def look_up(one: Any, other: Any, same: Any) -> None:
    """Note that a dict or a cache knows a traced key as a number that is not traced.

    The two were compared; whoever looks something up has asked for the hash before, at the same
    place.
    """
    key, number = (one, other) if type(one) in HANDLE_TYPES else (other, one)
    if type(number) in HANDLE_TYPES or np.ndim(same) or not same:
        return
    recording, frame = RECORDER.recording, user_frame()
    if recording is None or frame is None:
        return
    id_, place = node_of(key), (context_of(frame), frame.f_lasti)
    for _, known, *at, detail in reversed(recording.events):
        if tuple(at) != place:
            return
        if known == id_ and type(detail) is tuple and hash in detail:
            recording.events.append(("found", id_, *place, len(recording.entries)))
            return


def _numbers(x: Any) -> Iterator[Any]:
    """Yield the floating-point numbers in what was read, in order; not what is on the tape."""
    if type(x) in HANDLE_TYPES:
        if node_of(x) >= 0:
            return
        x = plain(x)  # an array that was made of what was read
    if isinstance(x, np.ndarray):
        yield from x.flat if x.dtype.kind in "fc" else ()
    elif isinstance(x, list | tuple | dict):
        for item in x.values() if isinstance(x, dict) else x:
            yield from _numbers(item)
    elif isinstance(x, float | complex | np.inexact):
        yield x


def _says(found: np.ndarray, shown: tuple) -> bool:
    """Tell whether numbers that were read may be those of a value that was shown.

    One number may be rounded to two digits; among many it has to be closer, and no whole one, of
    which there are many everywhere. Several have to follow on each other.
    """
    if found.size == 1:
        return any(abs(x - found[0]) <= 0.01 * abs(x) + 1e-3 for x in shown)
    if not shown or len(shown) > found.size or (len(shown) == 1 and shown[0] == round(shown[0])):
        return False
    runs = np.lib.stride_tricks.sliding_window_view(found, len(shown))
    return bool(np.isclose(runs, shown, rtol=1e-4, atol=0, equal_nan=True).all(axis=1).any())
