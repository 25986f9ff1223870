"""``ufunc.at(z, indices, ...)``: in place, one element after the other."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.calls.creation import row
from tapemagic.autodiff.calls.dispatch import (
    HANDLE_TYPES,
    call_elementwise,
    call_primitive,
    plain,
)
from tapemagic.autodiff.positions import name_of
from tapemagic.autodiff.primitives import RULES, Primitive, general
from tapemagic.autodiff.warned import unheard
from tapemagic.errors import UnsupportedWriteError

from .writing import write_item


def _added_at(z: Any, b: Any, indices: Any, sign: int = 1) -> np.ndarray:
    z = np.array(z)
    (np.add if sign > 0 else np.subtract).at(z, indices, b)
    return z


general(
    _added_at,
    lambda ct, y, z, b, indices, sign=1: ct,
    lambda ct, y, z, b, indices, sign=1: ct[indices] * sign,
    name="add at",
    generic=True,
)


def at(ufunc: Any, z: Any, indices: Any, *others: Any) -> None:
    """Carry out ``ufunc.at(z, indices, ...)``: in place, one element after the other."""
    values = plain(others)
    if type(z) not in HANDLE_TYPES:
        flat = z.dtype.kind not in "fc" or all(
            dispatch.operand(x, reads=False)[1] < 0 for x in others
        )
        if not flat:
            raise leaks.locate(
                UnsupportedWriteError(
                    f"{name_of(others)} would be written by np.{ufunc.__name__}.at into a"
                    " plain array, which the tape cannot follow.",
                    fix="Make the array in the cell, or pass a copy: z = z.copy().",
                )
            )
        ufunc.at(z, plain(indices), *values)
        leaks.flat(None, others)
        return
    if not isinstance(z._value, np.ndarray):
        ufunc.at(plain(z), plain(indices), *values)  # NumPy's own error
    indices = plain(indices)
    positions = np.arange(z.size).reshape(z.shape)[indices]
    if ufunc in (np.add, np.subtract) and others:
        sign = 1 if ufunc is np.add else -1
        operands = (z, others[0], indices, sign)
        write_item(z, Ellipsis, call_primitive(row(_added_at), operands, {}, _added_at))
        return
    ufunc.at(np.array(plain(z)), indices, *values)  # NumPy's own errors and warnings
    others = tuple(np.ravel(np.broadcast_to(x, np.shape(positions))) for x in others)
    others = tuple(np.copy(x) if np.may_share_memory(plain(x), plain(z)) else x for x in others)
    for chosen in _rounds(np.ravel(positions)):
        where = np.unravel_index(np.ravel(positions)[chosen], z.shape)
        steps = [z[where], *(x[chosen] for x in others)]
        write_item(z, where, _step(ufunc, plain(z), where, steps))


def _step(ufunc: Any, z: np.ndarray, where: Any, operands: list) -> Any:
    """Record ``ufunc(*operands)`` with the value that `at` gives, which may round otherwise."""
    rule = RULES.get(ufunc)
    if not (isinstance(rule, Primitive) and rule.kind == "elementwise"):
        return ufunc(*operands)
    z = np.array(z)
    with unheard():
        ufunc.at(z, where, *plain(operands[1:]))
    return call_elementwise(rule, lambda *_: z[where], tuple(operands))


def _rounds(positions: np.ndarray) -> list[np.ndarray]:
    """Split positions into rounds in which none occurs twice: the k-th has all k-th occurrences."""
    order = np.argsort(positions, kind="stable")
    ordered = positions[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(order) else order
    lengths = np.diff(np.r_[starts, len(order)])
    turn = np.empty(len(order), np.intp)
    turn[order] = np.arange(len(order)) - np.repeat(starts, lengths)
    return [np.flatnonzero(turn == k) for k in range(int(lengths.max(initial=0)))]
