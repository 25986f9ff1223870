"""The inputs of a program: what they were in the run, and whether other ones fit."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.primitives import PRIMITIVES
from tapemagic.autodiff.recheck import UNKNOWN, run_again
from tapemagic.autodiff.structure import source
from tapemagic.autodiff.variable import VariableState
from tapemagic.errors import TapeUseError


def source_values(tape: Any, entries: list, groups: list) -> dict[int, Any]:
    """Return the value of every watched leaf and of every wanted node that has to be an input."""
    values = {}
    for x, ids in tape._watched.values():
        if dispatch.is_traced(x) and ids and ids[-1] == x.id and not _is_changed(tape, x):
            values[ids[-1]] = x._value
    wanted = {id_ for group in groups for id_ in group}
    missing = {
        id_ for id_ in range(len(entries))
        if PRIMITIVES[entries[id_][0]] is source and id_ not in values
    }  # fmt: skip
    for k in missing:
        if entries[k][8] is not None:
            values[k] = entries[k][8]
    missing -= set(values)
    for entry in entries if missing else ():
        simple = type(entry[4]) is int
        ids, saved = (entry[4:6], entry[6:8]) if simple else (entry[4], entry[6])
        for id_, value in zip(ids, saved or (), strict=False):
            if id_ in missing and value is not None:
                values[id_] = value
                missing.discard(id_)
    # of watched arrays that share memory, the later one is a new name in the memory of the first
    named = {ids[-1] for x, ids in tape._watched.values() if dispatch.is_traced(x) and ids}
    named = (named & wanted) - set(values)
    if named and not missing:
        again = run_again(entries, max(named) + 1, values, asked=False)
        values |= {id_: again[id_] for id_ in named if again[id_] is not UNKNOWN}
    return {
        id_: np.float64(v) if type(v) is float else np.complex128(v) if type(v) is complex else v
        for id_, v in values.items()
        if PRIMITIVES[entries[id_][0]] is source or id_ in wanted
    }


def fitted(name: str, x: Any, known: Any) -> Any:
    """Return a new value of an input with the type and dtype of the recorded one.

    Raises
    ------
    TapeUseError
        If its shape or dtype is another one.
    LeavesTapeError
        If it is on a tape, which would not see what the program computes.
    """
    if type(x) is np.ndarray is type(known) and x.shape == known.shape and x.dtype == known.dtype:
        return x
    if dispatch.is_traced(x):
        leaks.leave(x, "a program computes with plain arrays")
    plain = dispatch.plain(x)
    if isinstance(plain, (np.ma.MaskedArray, np.matrix)):
        raise TapeUseError(
            f"{name!r} is a {type(plain).__name__}; programs compute with plain arrays."
        )
    value = np.asarray(plain)
    if value.shape != np.shape(known):
        raise TapeUseError(
            f"{name!r} has shape {value.shape}; the program was made for {np.shape(known)}."
        )
    dtype = np.asarray(known).dtype
    if not np.can_cast(value.dtype, dtype, "safe") or value.dtype.kind not in "biufc":
        raise TapeUseError(f"{name!r} has dtype {value.dtype}; the program was made for {dtype}.")
    value = value.astype(dtype, copy=False)
    return value if isinstance(known, np.ndarray) else value[()]


def _is_changed(tape: Any, x: Any) -> bool:
    """Tell whether a watched array holds something else than when it was watched."""
    token = tape._recording.token
    if isinstance(x.storage, VariableState):
        return x.storage.leaf_token is not token
    return x.token is not token
