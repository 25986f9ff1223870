"""Why an object stands for no node on a tape, in words, for whoever asked for its gradient."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from . import naming
from .handles import is_traced, plain
from .variable import VariableState

_MOST_NAMES = 3


class CellNames(NamedTuple):
    """What became of the names of a cell, for whoever asks why a gradient is missing.

    Attributes
    ----------
    binds : collection of str
        Names that the cell binds.
    unwatched : collection of str
        Those of floats that it reads and that are no sources.
    replaced : mapping
        Name of a source that stands for something else at the end -> ``"bound again"`` or
        ``"deleted"``.
    integers : mapping
        Name of integers that it reads -> why they can be no source.
    made : collection of str
        Names that it binds before it reads them.
    """

    binds: Collection[str] = ()
    unwatched: Collection[str] = ()
    replaced: Mapping[str, str] = MappingProxyType({})
    integers: Mapping[str, str] = MappingProxyType({})
    made: Collection[str] = ()


def why_no_sources(tape: Any, namespace: Mapping[str, Any]) -> dict[str, str]:
    """Say of each source of the gradient asked for last that is not on the tape why it is not.

    Parameters
    ----------
    namespace : mapping
        Where the names of the objects are looked for.

    Returns
    -------
    dict
        Name -> reason.
    """
    _, sources = tape._absent
    found = {}
    for number, x in sources.items():
        known = naming.name_in(namespace, x)
        found[known or f"source {number}"] = why_no_source(tape, x, known or "x")
    return found


def why_no_source(tape: Any, x: Any, name: str) -> str:
    """Say why an object that was given as a source has no node on the tape."""
    value = plain(x)
    dtype = np.asarray(value).dtype
    if dtype.kind in "biu":
        return f"dtype {dtype}: has no derivative; use a float"
    if dtype.kind not in "fc":
        return f"{type(value).__name__}: not a number"
    if tape.cell is not None:
        return f"it was not watched; name it: %%tape {name}"
    if not (is_traced(x) and isinstance(x.storage, VariableState)):
        return (
            f"it was not watched: it is no Variable, and tape.watch({name}) was not called "
            f"({name} = {name} + 1 makes a Variable a plain value, {name}.assign_add(1) does not)"
        )
    if id(x) not in tape._watched:
        if not x.trainable:
            return f"it was not watched: trainable=False; call tape.watch({name})"
        if not tape._watches_reads:
            return f"it was not watched: watch_accessed_variables=False; call tape.watch({name})"
    return f"no recorded operation reads it: it was used {outside(tape)}"


def why_no_target(tape: Any, namespace: Mapping[str, Any]) -> str:
    """Say why nothing that was to be differentiated is on the tape; "" if something is."""
    targets, _ = tape._absent
    if not targets:
        return ""
    known = naming.name_in(namespace, targets[0])
    name = f"'{known}'" if known else "the target"
    dtype = np.asarray(plain(targets[0])).dtype
    if dtype.kind not in "fc":
        return f"{name} is of dtype {dtype}, which has no gradient"
    if tape.cell is not None and known:
        if known not in tape.cell_names.binds:
            return f"{name} is not on the tape: the cell does not compute it"
        others = [f"'{one}'" for one in tape.cell_names.unwatched][:_MOST_NAMES]
        reads = f"; of what the cell reads, {' and '.join(others)} " if others else ""
        reads += "is not watched" if len(others) == 1 else "are not watched" if others else ""
        return f"{name} is not on the tape: it is computed from plain values{reads}"
    return f"{name} is not on the tape: it was computed {outside(tape)}, or from plain values"


def outside(tape: Any) -> str:
    """Say where a tape does not record, with the lines that suspended it, if any did."""
    lines = " and ".join(f"line {line}" for line in dict.fromkeys(tape.pauses))
    place = "outside of the tape's block" if tape.cell is None else "outside of the cell"
    return place + (f", under stop_recording() ({lines})" if lines else "")
