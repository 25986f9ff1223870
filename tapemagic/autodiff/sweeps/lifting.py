"""Entries as a sweep that is not the plain one sees them.

With handles in place of what they saved, their pullbacks are recorded like any code; with operands
hidden, nothing is computed for those.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff import recorder
from tapemagic.autodiff.avals import MULTIPLE, code_of
from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.handles import NUMBER
from tapemagic.autodiff.primitives import PRIMITIVES
from tapemagic.autodiff.structure import pick
from tapemagic.autodiff.traced import TracedArray


def has_short_way(entry: tuple) -> bool:
    """Tell whether a lifted entry is elementwise, of handles only.

    A Python number meets them without a detour through NumPy; a plain 0.0 it could not divide by.
    """
    return (
        type(entry[4]) is int
        and not isinstance(entry[6], complex | float | int | np.generic)
        and (not isinstance(entry[7], complex | float | int | np.generic))
    )


def lift(entry: tuple, k: int) -> tuple:
    """Put handles in place of the saved values of an entry, so that its pullback is recorded."""
    primitive = PRIMITIVES[entry[0]]
    if not primitive.reads:  # nothing was saved, unless to be shown
        return entry
    if primitive.kind == "elementwise":
        code, a, b, x1, x2, y = entry[3:9]
        code1, code2 = entry[9:] or (code, code)
        values = _handle(x1, code1, a), _handle(x2, code2, b), _handle(y, code, k)
        return entry[:6] + values + entry[9:]
    ids, codes, args, y = entry[4], entry[5], entry[6], entry[8]
    args = tuple(map(_handle, args, codes, ids)) + args[len(ids) :]
    if entry[3] == MULTIPLE:
        y = y and tuple(_part(item, k, i, len(y)) for i, item in enumerate(y))
    else:
        y = _handle(y, entry[3], k)
    return (*entry[:6], args, entry[7], y)


def narrowed(entry: tuple, mine: bytearray) -> tuple:
    """Hide the operands that lead to nothing of the tape: no cotangent is computed for them."""
    ids = entry[4]
    if type(ids) is int:
        a, b = ids, entry[5]
        if (a < 0 or mine[a]) and (b < 0 or mine[b]):
            return entry
        a, b = a if a >= 0 and mine[a] else -1, b if b >= 0 and mine[b] else -1
        return (*entry[:4], a, b, *entry[6:])
    if all(id_ < 0 or mine[id_] for id_ in ids):
        return entry
    return (*entry[:4], tuple(id_ if id_ >= 0 and mine[id_] else -1 for id_ in ids), *entry[5:])


def _handle(value: Any, code: int, id_: int) -> Any:
    """Return the handle of a saved value, if it is a node's; `code` is that of its node."""
    if value is None or id_ < 0:
        return value
    if code <= NUMBER:  # a Python number is kept as NumPy's
        code = code_of(value)
    return dispatch.traced(value, code, id_, TracedArray)


def _part(value: Any, k: int, i: int, count: int) -> Any:
    if getattr(value, "dtype", np.dtype(float)).kind not in "fc":
        return value
    code = code_of(value)
    tail = (code, (k,), (MULTIPLE,), (None, i, count), None, None)
    return dispatch.traced(value, code, recorder.append(tail, pick.code), TracedArray)
