"""Calls of functions with a gradient of their own, recorded once more so that they can be written.

A tape has kept of such a call what the user's gradient function computes with, and no operations.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff import structures
from tapemagic.autodiff.avals import code_of
from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.checkpoints import undrawn
from tapemagic.autodiff.cuts import has_slope
from tapemagic.autodiff.open_tape import OpenTape
from tapemagic.autodiff.recorder import RECORDER, Recording
from tapemagic.autodiff.unrecorded import unrecorded
from tapemagic.autodiff.variable import add_source


def recorded_again(
    rule: tuple, operands: list, cts: list | None
) -> tuple[Recording, list[int], list[Any], bool]:
    """Record a call once more, and its gradient where there are cotangents for it.

    Parameters
    ----------
    rule : tuple
        What the tape has kept of the call.
    operands : list
        Plain values of the arguments, None for constant ones.
    cts : list or None
        Plain cotangents of the results.

    Returns
    -------
    recording : Recording
    sources : list of int
        Nodes of the operands, and of the cotangents.
    results : list of (value, node)
        Cotangents of all arguments, or the values; the node of what hangs on no operand is -1.
    has_gradient : bool
        Whether the results are those cotangents.
    """
    _, _, again, cls = rule
    tape = OpenTape(persistent=True, watch_accessed_variables=False)
    tape.runs = again.args[0]
    was, RECORDER.writer = RECORDER.writer, None
    try:
        with unrecorded(), undrawn(tape.runs), tape:
            handles = [None if x is None else _source(x, cls) for x in operands]
            y, cotangents_of = again(handles)
            found = list(filter(has_slope, structures.leaves(y)))
            has_gradient = cts is not None and cotangents_of is not None
            if has_gradient:
                given = [_source(ct, cls) for ct in cts or ()]
                found, handles = cotangents_of(given), handles + given
            results = [(None, -1) if x is None else dispatch.operand(x)[:2] for x in found]
    finally:
        RECORDER.writer = was
    return tape._recording, [x.id for x in handles if x is not None], results, has_gradient


def _source(value: Any, cls: type) -> Any:
    """Return a handle of a copy of a value, as a leaf of the recording."""
    value = np.array(value)[()]
    handle = dispatch.traced(value, code_of(value), -1, cls)
    handle.id = add_source(handle)
    return handle
