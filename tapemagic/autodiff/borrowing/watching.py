"""Watching plain arrays and numbers in a script: what holds them holds handles during the block.

A plain array cannot tell anybody what is computed from it. So `tape.watch(x)` puts a handle
wherever the code that is running can find `x`, as a `%%tape` cell does with what it reads: in the
names of the calling frame and of its callers, in their modules, and in the containers, objects and
functions that these reach (`watched.py`). The end of the block puts plain objects back.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff.arrays.writing import write_item
from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.leaks import locate
from tapemagic.autodiff.positions import is_statement, user_frame
from tapemagic.autodiff.recorder import RECORDER
from tapemagic.errors import SourceError

from .watched import Watched, is_shared


def put_back(tapes: list[Any], error: BaseException | None = None) -> None:
    """Let names, and an error, hold plain objects again, after the last tape has stopped."""
    exchanges = [tape.exchanged for tape in tapes if tape.exchanged is not None]
    for tape in tapes:
        tape.exchanged = None
    for one in dict.fromkeys(exchanges):
        one.put_back(tapes, error)


def _exchange_of(tape: Any) -> Watched:
    """Return what was exchanged for a tape: one for all tapes that record at once."""
    recording = [one for other in RECORDER.tapes for one in (other, *other._guests)]
    shared = next((one.exchanged for one in recording if one.exchanged is not None), None)
    tape.exchanged = tape.exchanged or shared or Watched()
    return tape.exchanged


def take_back(tape: Any) -> None:
    """Put handles again wherever what a block left can be found."""
    frame = user_frame()
    if frame is None:
        return
    exchanged = _exchange_of(tape)
    known = list(tape._plain.values())
    for left in known:
        exchanged.borrowed.know(left.handle, left.plain)
    exchanged.exchange(frame, [left.plain for left in known])
    for left in known:
        plain = left.plain
        if isinstance(plain, np.ndarray) and not np.array_equal(
            plain, dispatch.plain(left.handle), equal_nan=True
        ):
            write_item(left.handle, Ellipsis, plain.copy())  # changed meanwhile: a constant


def take_over(tape: Any, plains: list[Any], structure: Any) -> dict[int, Any]:
    """Watch plain arrays and numbers; return their handles, by id.

    They were found in `structure`, or it is None and the only one was given by itself.

    Raises
    ------
    SourceError
        If one of them could not be followed.
    """
    frame: Any = user_frame()
    exchanged = _exchange_of(tape)
    is_discarded = is_statement(frame)
    exchanged.exchange(frame, plains, structure, is_discarded)
    if is_discarded:
        _check_found(exchanged, plains)
    handles = {}
    for x in plains:
        handles[id(x)] = tape._watch_one(exchanged.handle_of(x))
        tape.register_plain(x, handles[id(x)])
    return handles


def _check_found(exchanged: Watched, plains: list[Any]) -> None:
    for x in plains:
        found = exchanged.found[id(x)]
        if found == 0:
            raise locate(
                SourceError(
                    "No name here holds the array that is to be watched: what is computed from it "
                    "would not be followed.",
                    fix="Use what watch() returns: params = tape.watch(params).",
                )
            )
        if found > 1 and is_shared(x):
            raise locate(
                SourceError(
                    f"{x} is found in {found} places, since Python shares equal numbers: which of "
                    "them is to be watched cannot be told.",
                    fix=f"Make it a number of its own: w = np.float64({x}), or a "
                    "tapemagic.Variable.",
                )
            )
