"""The reverse sweep: from the target back to the sources, once through the tape.

The entries are in execution order, which is a topological order: walking them backwards meets
every node after all of its uses. No sort and no recursion, so a chain of 10^6 operations is as good
as one of ten.

Two sweeps. The usual one runs the pullbacks. If its result holds a nan, a careful one follows,
which keeps *structural* zeros (elements that `where`, a mask or an index never selected) apart from
numeric ones: nothing flows into an element that was never selected, so there 0 times inf is 0. A
numeric zero times inf stays nan.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np

from . import dispatch, leaks, recorder
from .avals import AVALS, MULTIPLE, code_of, fit, full, is_small
from .primitives import PRIMITIVES, PULLBACKS
from .pullbacks import conj_if_complex, partial_of
from .recorder import RECORDER
from .structure import pick
from .traced import TracedArray

#: The cotangents of the sweeps that are going on, outermost first, for whoever shows progress.
SWEEPS: list[list] = []
#: What cotangents kept for the picture may take in all.
KEPT_BYTES = 1 << 27


class Slots(dict):
    """Cotangents by node id, None where there is none: what a pullback writes to."""

    def __missing__(self, key: int) -> None:
        return None


def sweep(
    entries: list[tuple],
    seeds: dict[int, Any],
    wanted: set[int],
    *,
    mine: Any = None,
    record: bool = False,
    kept: dict[int, Any] | None = None,
) -> dict[int, Any]:
    """Carry the seeds back through the tape.

    Parameters
    ----------
    entries : list of tuple
    seeds : dict
        Node id -> cotangent to start with.
    wanted : set of int
        Ids whose cotangents are returned.
    mine : bytearray, optional
        1 for the nodes that belong to the tape; all if not given.
    record : bool
        Whether the sweep itself is recorded, for derivatives of higher order.
    kept : dict, optional
        Filled with the cotangent of every node on a path, for the picture.

    Returns
    -------
    dict
        Id -> cotangent, for those of `wanted` that a path leads to.
    """
    here = RECORDER.stand(leaks.user_frame()) if record else nullcontext()
    with here, np.errstate(all="ignore"):  # the warnings of the user's own code came forward
        found = _sweep(entries, seeds, wanted, mine, record, kept)
        if any(map(_has_nan, found.values())):
            found = _careful_sweep(entries, seeds, wanted, mine, record, kept)
    return found


def _has_nan(ct: Any) -> bool:
    if type(ct) is not np.ndarray:
        ct = dispatch.plain(ct)
    if isinstance(ct, np.ndarray):
        if type(ct) is not np.ndarray or ct.dtype.kind != "f":
            return bool(np.isnan(ct).any())
        elements = ct if ct.ndim == 1 else ct.ravel()
        ct = elements.dot(elements)  # a sum of squares is nan if one of them is, and only then
    return bool(ct != ct)  # noqa: PLR0124  (a nan, at a tenth of the price of np.isnan)


def _sweep(
    entries: list[tuple], seeds: dict, wanted: set, mine: Any, record: bool, kept: dict | None
) -> dict[int, Any]:
    top = max(seeds)
    owned: set[int] = set()
    # Behind the cotangents: the id that is being pulled back, and the ids whose array is ours.
    cotangents: list[Any] = [None] * (top + 1) + [top, owned]
    for id_, ct in seeds.items():
        cotangents[id_] = ct
    pull = (
        _pull_plainly
        if mine is None and kept is None and not record
        else _Puller(mine, record, kept)
    )
    found = {}
    SWEEPS.append(cotangents)
    try:
        for stop in sorted(wanted, reverse=True):
            if stop > top:
                continue
            pull(entries, cotangents, top, stop)
            top = stop
            if cotangents[stop] is not None and (mine is None or mine[stop]):
                found[stop] = cotangents[stop]
                owned.discard(stop)
        if kept is not None and found:
            pull(entries, cotangents, top, top - 1)
    finally:
        SWEEPS.pop()
    return found


def _pull_plainly(entries: list[tuple], cotangents: list[Any], top: int, stop: int) -> None:
    """Pull back through the nodes from `top` down to the one after `stop`: the hot loop."""
    pullbacks = PULLBACKS
    current = len(cotangents) - 2
    for k in range(top, stop, -1):
        ct = cotangents[k]
        if ct is not None:
            entry = entries[k]
            cotangents[current] = k
            pullbacks[entry[0]](ct, entry, cotangents)
            cotangents[k] = None


class _Puller:
    """The same with what is asked for rarely: other tapes' nodes, recording, the picture."""

    def __init__(self, mine: Any, record: bool, kept: dict | None) -> None:
        self._mine, self._record = mine, record
        self._kept: Any = kept
        self._room = KEPT_BYTES

    def __call__(self, entries: list[tuple], cotangents: list[Any], top: int, stop: int) -> None:
        for k in range(top, stop, -1):
            ct = cotangents[k]
            if ct is None or (self._mine is not None and not self._mine[k]):
                continue
            entry = entries[k]
            if self._kept is not None and entry[3] != MULTIPLE:
                self._keep(k, ct, is_small(entry[3]), cotangents[-1])
            cotangents[-2] = k
            PULLBACKS[entry[0]](ct, lift(entry, k) if self._record else entry, cotangents)
            cotangents[k] = None

    def _keep(self, k: int, ct: Any, small: bool, owned: set[int]) -> None:
        """Keep a cotangent for the picture, if it is small or there is room."""
        plain = dispatch.plain(ct)
        self._room -= getattr(plain, "nbytes", 8)
        if small or self._room > 0:
            self._kept[k] = plain
            owned.discard(k)  # a write pulls back in place what it owns
        else:
            self._kept[k] = None


def lift(entry: tuple, k: int) -> tuple:
    """Put handles in place of the saved values of an entry, so that its pullback is recorded."""
    primitive = PRIMITIVES[entry[0]]
    if primitive.kind == "elementwise":
        a, b, x1, x2, y = entry[4:9]
        return (
            *entry[:6], _handle(x1, a), _handle(x2, b), _handle(y, k), *entry[9:],
        )  # fmt: skip
    ids, args, y = entry[4], entry[6], entry[8]
    if primitive.variadic is None and not primitive.vjps:  # machinery: saves no values
        return entry
    args = tuple(_handle(arg, ids[i]) if i < len(ids) else arg for i, arg in enumerate(args))
    if entry[3] == MULTIPLE:
        y = y and tuple(_part(item, k, i, len(y)) for i, item in enumerate(y))
    else:
        y = _handle(y, k)
    return (*entry[:6], args, entry[7], y)


def _handle(value: Any, id_: int) -> Any:
    if value is None or id_ < 0:
        return value
    return dispatch.traced(value, code_of(value), id_, TracedArray)


def _part(value: Any, k: int, i: int, count: int) -> Any:
    if getattr(value, "dtype", np.dtype(float)).kind not in "fc":
        return value
    code = code_of(value)
    tail = (code, (k,), (MULTIPLE,), (None, i, count), None, None)
    return dispatch.traced(value, code, recorder.append(tail, pick.code), TracedArray)


def marks(entries: list[tuple], leaves: set[int], spans: list[list[int]]) -> bytearray:
    """Mark the nodes that a tape recorded: those in its spans that depend on what it watches."""
    mine = bytearray(len(entries))
    for leaf in leaves:
        mine[leaf] = 1
    for start, stop in spans:
        for k in range(start, stop):
            entry = entries[k]
            ids = entry[4]
            if type(ids) is int:
                if (ids >= 0 and mine[ids]) or (entry[5] >= 0 and mine[entry[5]]):
                    mine[k] = 1
            elif any(id_ >= 0 and mine[id_] for id_ in ids):
                mine[k] = 1
    return mine


# ---------------------------------------------------------------------------- the careful sweep


def _careful_sweep(
    entries: list[tuple], seeds: dict, wanted: set, mine: Any, record: bool, kept: dict | None
) -> dict[int, Any]:
    """Sweep with a mask beside every cotangent: False where nothing was ever selected."""
    cotangents: Slots = Slots(seeds)
    masks: Slots = Slots()  # None: everything was selected
    found = {}
    for k in range(max(seeds), min(wanted) - 1, -1):
        ct = cotangents.pop(k, None)
        if ct is None or (mine is not None and not mine[k]):
            continue
        mask = masks.pop(k, None)
        entry = entries[k]
        if k in wanted:
            found[k] = ct
        if kept is not None and entry[3] != MULTIPLE:
            kept[k] = dispatch.plain(ct)
        lifted = lift(entry, k) if record else entry
        if PRIMITIVES[entry[0]].kind == "elementwise":
            parts = _masked_partials(ct, mask, entry, lifted)
        else:
            parts = _pulled(ct, mask, entry, lifted, k)
        for operand, new, selected in parts:
            old = cotangents[operand]
            if isinstance(new, list):  # parts of a result that is a tuple
                cotangents[operand] = _join(old, new)
                continue
            cotangents[operand] = new if old is None else old + new
            before = masks[operand]
            masks[operand] = (
                None
                if selected is None or (old is not None and before is None)
                else selected
                if old is None
                else selected | before
            )
    return found


def _masked_partials(ct: Any, mask: Any, entry: tuple, lifted: tuple) -> list[tuple]:
    """Pull back through an elementwise primitive; nothing flows where the mask is False."""
    primitive = PRIMITIVES[entry[0]]
    x1, x2, y = lifted[6:9]
    ct = full(ct, AVALS[entry[3]])
    codes = entry[9:11] if len(entry) > 9 else (entry[3], entry[3])
    parts = []
    for position in range(primitive.arity):
        operand = entry[4 + position]
        if operand < 0:
            continue
        new = ct * conj_if_complex(partial_of(primitive, position)(y, x1, x2))
        if mask is not None:
            new = np.where(mask, new, 0.0)
        aval = AVALS[codes[position]]
        selected = None if mask is None else _fit_mask(mask, aval)
        parts.append((operand, fit(new, aval), selected))
    return parts


def _fit_mask(mask: np.ndarray, aval: Any) -> np.ndarray | None:
    selected = np.asarray(fit(mask.astype(float), aval)) != 0
    return None if selected.all() else selected


def _pulled(ct: Any, mask: Any, entry: tuple, lifted: tuple, k: int) -> list[tuple]:
    """Pull back through any other primitive; selecting ones pull their mask back as well."""
    primitive = PRIMITIVES[entry[0]]
    slots = Slots({-1: set(), -2: k})
    PULLBACKS[entry[0]](ct, lifted, slots)
    selecting = primitive.kind == "linear" and entry[3] != MULTIPLE
    chosen = Slots({-1: set(), -2: k})
    if selecting:
        aval = AVALS[entry[3]]
        # Uneven weights, since even ones cancel in a difference or a Fourier transform: what is 0
        # then is 0 for every cotangent. A view may read one part only of a complex number.
        rng = np.random.default_rng(0)
        uneven = rng.uniform(0.5, 1.5, (2, *aval.shape))
        uneven = uneven[0] + 1j * uneven[1] if aval.is_complex else uneven[0]
        indicator = np.asarray(uneven if mask is None else uneven * mask).astype(aval.dtype)
        PULLBACKS[entry[0]](indicator, entry, chosen)
    parts = []
    for operand, new in slots.items():
        if operand < 0:
            continue
        selected = None
        if selecting and not isinstance(new, list):
            operand_aval = _aval_of(entry, operand)
            selected = np.asarray(full(chosen[operand], operand_aval)) != 0
            selected = None if selected.all() else selected
        parts.append((operand, new, selected))
    return parts


def _aval_of(entry: tuple, operand: int) -> Any:
    code = entry[5][entry[4].index(operand)]
    return AVALS[code or entry[3]]


def _join(old: list | None, new: list) -> list:
    if old is None:
        return new
    return [b if a is None else a if b is None else a + b for a, b in zip(old, new)]
