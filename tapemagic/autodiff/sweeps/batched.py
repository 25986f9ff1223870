"""The reverse sweep for many cotangents at once, as Jacobians need it.

The unit cotangents of a target start as `Rows` and stay so through elementwise operations and
indices. What needs whole arrays makes them; what has no rule for a leading axis (`batches.py`) is
pulled back row by row, that one operation only.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from tapemagic.autodiff.avals import AVALS, MULTIPLE, Aval, full
from tapemagic.autodiff.batches import (
    BATCHED,
    SPARSE,
    Rows,
    as_dtype,
    fit_rows,
    full_rows,
    places_of,
)
from tapemagic.autodiff.places import decode, is_repeating
from tapemagic.autodiff.primitives import PRIMITIVES, PULLBACKS
from tapemagic.autodiff.pullbacks import conj_if_complex, partial_of
from tapemagic.autodiff.structure import get_item, pick, settled

from .careful import Slots

#: Sparse cotangents with more values than this per row are looked through for places that meet.
CROWDED = 8

partial_at = lru_cache(maxsize=None)(partial_of)


def sweep_rows(
    entries: list[tuple], top: int, seeds: Rows, wanted: set[int], mine: Any = None
) -> dict[int, np.ndarray]:
    """Carry the cotangents of node `top` back through the tape, all at once.

    Parameters
    ----------
    entries : list of tuple
    top : int
    seeds : Rows
    wanted : set of int
        Ids whose cotangents are returned.
    mine : bytearray, optional
        1 for the nodes that belong to the tape; all if not given.

    Returns
    -------
    dict
        Id -> array whose leading axis counts the seeds; for those of `wanted` that a path leads to.
    """
    found: dict[int, np.ndarray] = {}
    pull = _Pull(seeds.count)
    slots = pull.slots
    slots[top] = seeds
    with np.errstate(all="ignore"):
        for k in range(top, min(wanted) - 1, -1):
            ct = slots.pop(k, None)
            if ct is None or (mine is not None and not mine[k]):
                continue
            entry = entries[k]
            if k in wanted:
                found[k] = full_rows(_dense(ct, AVALS[entry[3]]), AVALS[entry[3]])
                pull.owned.discard(k)
            pull(k, entry, ct)
    return found


def _dense(ct: Any, aval: Aval) -> np.ndarray:
    return ct.dense(aval) if type(ct) is Rows else ct


class _Pull:
    """One sweep: what has come together at each node so far."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.slots: Any = Slots()
        self.owned: set[int] = set()  # ids whose array nobody else refers to

    def __call__(self, k: int, entry: tuple, ct: Any) -> None:
        primitive = PRIMITIVES[entry[0]]
        if primitive.kind == "elementwise":
            self._elementwise(primitive, entry, ct)
        elif primitive is get_item and self._item(entry, ct):
            pass
        elif primitive is pick:
            self._pick(entry, ct)
        else:
            self._general(k, primitive, entry, ct)

    def _add(self, operand: int, new: Any, aval: Aval) -> None:
        old = self.slots[operand]
        if old is None:
            self.slots[operand] = new
        elif (
            type(old) is Rows and type(new) is Rows and 2 * len(old.values) < self.count * aval.size
        ):
            both = old + new
            crowded = len(both.values) > max(CROWDED * self.count, 1 << 12)
            self.slots[operand] = both.merged(aval.size) if crowded else both
        else:
            self.slots[operand] = _dense(old, aval) + _dense(new, aval)
            self.owned.discard(operand)

    def _elementwise(self, primitive: Any, entry: tuple, ct: Any) -> None:
        x1, x2, y = entry[6:9]
        aval = AVALS[entry[3]]
        for i, formula in enumerate(primitive.formulas):
            operand = entry[4 + i]
            if operand < 0:
                continue
            target = AVALS[entry[9 + i]] if len(entry) > 9 else aval
            partial = conj_if_complex(partial_at(primitive, i)(y, x1, x2)) if formula != "1" else 1
            if type(ct) is Rows:
                if target.shape == aval.shape:
                    same = formula == "1" and ct.values.dtype == target.dtype
                    self._add(operand, ct if same else _times(ct, partial, target), target)
                    continue
                ct = ct.dense(aval)
            if target.shape != aval.shape:  # each element that the operand was used for counts
                ct = full_rows(ct, aval)
            new = ct if formula == "1" else -ct if formula == "-1" else ct * partial
            self._add(operand, fit_rows(new, target), target)

    def _item(self, entry: tuple, ct: Any) -> bool:
        """Pull back through ``x[index]``; False if its result has axes in another order."""
        a, index, aval = entry[4][0], decode(entry[6][1]), AVALS[entry[5][0]]
        if type(ct) is Rows:
            places = places_of(aval.shape, entry[6][1])
            self._add(a, Rows(self.count, ct.rows, places[ct.columns], ct.values), aval)
            return True
        items = index if isinstance(index, tuple) else (index,)
        if sum(not isinstance(item, (slice, int, type(None), type(...))) for item in items) > 1:
            return False  # several arrays: where their axes go depends on what stands before
        if len(items) > 1 and is_repeating(index) and any(isinstance(i, int) for i in items):
            return False
        buffer = self.slots[a]
        if a not in self.owned:
            buffer = np.zeros((self.count, *aval.shape), aval.dtype) if buffer is None else (
                np.array(full_rows(_dense(buffer, aval), aval)))  # fmt: skip
            self.slots[a] = buffer
            self.owned.add(a)
        ct = full_rows(ct, AVALS[entry[3]])
        if is_repeating(index):
            np.add.at(buffer, (slice(None), *items), ct)
        else:
            buffer[(slice(None), *items)] += ct
        return True

    def _pick(self, entry: tuple, ct: Any) -> None:
        (a,), (_, i, count), aval = entry[4], entry[6], AVALS[entry[3]]
        if self.slots[a] is None:
            self.slots[a] = [None] * count
        parts = self.slots[a]
        ct = full_rows(_dense(ct, aval), aval)
        parts[i] = ct if parts[i] is None else parts[i] + ct

    def _general(self, k: int, primitive: Any, entry: tuple, ct: Any) -> None:
        ids, avals = entry[4], entry[5]
        rule, sparse = BATCHED.get(primitive.fun), SPARSE.get(primitive.fun)
        whole = ct
        if entry[3] != MULTIPLE:
            whole = None
        parts: dict[int, Any] = {}
        for i, operand in enumerate(ids):
            if operand < 0:
                continue
            target = AVALS[avals[i]] if avals[i] else None
            new = sparse(i, ct, entry) if sparse and type(ct) is Rows else None
            if new is None and rule is not None and target is not None:
                if whole is None:
                    whole = full_rows(_dense(ct, AVALS[entry[3]]), AVALS[entry[3]])
                new = rule(i, whole, entry)
                new = None if new is None else fit_rows(new, target)
            if new is None:
                self._row_by_row(k, entry, _dense(ct, AVALS[entry[3]]) if whole is None else whole)
                return
            parts[i] = new, target
        for i, (new, target) in parts.items():
            self._add(ids[i], new, target)

    def _row_by_row(self, k: int, entry: tuple, ct: Any) -> None:
        pullback = PULLBACKS[entry[0]]
        rows: dict[int, list] = {}
        for r in range(self.count):
            if isinstance(ct, list):
                row: Any = [None if part is None else part[r] for part in ct]
            else:
                row = np.array(full(ct[r], AVALS[entry[3]]))[()]  # a write pulls back in place
            slots = Slots({-1: {k}, -2: k, -3: ()})
            pullback(row, entry, slots)
            for operand, new in slots.items():
                if operand >= 0:
                    rows.setdefault(operand, []).append(settled(new))
        for operand, news in rows.items():
            code = entry[5][entry[4].index(operand)] or entry[3]
            aval = AVALS[code]
            self._add(operand, np.array([full(new, aval) for new in news]), aval)


def _times(ct: Rows, partial: Any, target: Aval) -> Rows:
    if type(partial) is np.ndarray and partial.ndim:
        if partial.shape != target.shape:
            partial = np.broadcast_to(partial, target.shape)
        partial = partial.reshape(-1)[ct.columns]
    return Rows(ct.count, ct.rows, ct.columns, as_dtype(ct.values * partial, target))
