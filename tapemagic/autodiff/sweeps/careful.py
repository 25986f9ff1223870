"""The careful sweep: with a mask beside every cotangent, False where nothing was ever selected.

It keeps *structural* zeros (elements that `where`, `maximum`, a mask or an index never selected, or
on which, in a product, no selected element depends) apart from numeric ones: nothing flows into an
element that was never selected, so there 0 times inf is 0. A numeric zero times inf stays nan.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff.avals import AVALS, MULTIPLE, code_of, fit, full
from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.primitives import PRIMITIVES, PULLBACKS
from tapemagic.autodiff.pullbacks import conj_if_complex, partial_of
from tapemagic.autodiff.structure import settled

from .lifting import lift


class Slots(dict):
    """Cotangents by node id, None where there is none: what a pullback writes to."""

    def __missing__(self, key: int) -> None:
        return None


def careful_sweep(
    entries: list[tuple], seeds: dict, wanted: set, mine: Any, record: bool, kept: dict | None,
    selected: dict[int, Any] | None = None,
) -> dict[int, Any]:  # fmt: skip
    """Sweep with a mask beside every cotangent: False where nothing was ever selected.

    `selected` are the masks of seeds, if not all of their elements count.
    """
    cotangents: Slots = Slots(seeds)
    masks: Slots = Slots(selected or {})  # None: everything was selected
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
        for operand, new, chosen in parts:
            old = cotangents[operand]
            if isinstance(new, list):  # parts of a result that is a tuple
                cotangents[operand] = _join(old, new)
                continue
            cotangents[operand] = new if old is None else old + new
            before = masks[operand]
            masks[operand] = (
                None
                if chosen is None or (old is not None and before is None)
                else chosen
                if old is None
                else chosen | before
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
        partial = partial_of(primitive, position)(y, x1, x2)
        if type(partial) is int and partial == 0:  # of floor and its like: nothing passes
            new = np.zeros(np.shape(ct))
        else:
            new = ct * conj_if_complex(partial)
        flows = mask
        if primitive.chooses:
            chosen = np.broadcast_to(dispatch.plain(partial) != 0, np.shape(new))
            flows = chosen if mask is None else mask & chosen
        if flows is not None:
            new = np.where(flows, new, 0.0)
        aval = AVALS[codes[position]]
        selected = None if flows is None else _fit_mask(flows, aval)
        parts.append((operand, fit(new, aval), selected))
    return parts


def _fit_mask(mask: np.ndarray, aval: Any) -> np.ndarray | None:
    selected = np.asarray(fit(mask.astype(float), aval)) != 0
    return None if selected.all() else selected


def _pulled(ct: Any, mask: Any, entry: tuple, lifted: tuple, k: int) -> list[tuple]:
    """Pull back through any other primitive; one with a known structure pulls its mask as well."""
    primitive = PRIMITIVES[entry[0]]
    chosen: dict[int, np.ndarray] = {}
    if entry[3] != MULTIPLE and primitive.generic:
        generic = _generic(entry, primitive.generic)
        touched = _touched(generic, mask, k)
        lifted = _finite_where_untouched(lifted, generic, touched, mask)
        for position, operand in enumerate(entry[4]):
            if operand >= 0:
                here, before = touched[position], chosen.get(operand)
                chosen[operand] = here if before is None else here | before
    elif entry[3] != MULTIPLE and primitive.kind == "linear":
        chosen = _touched(entry, mask, k)
    slots = Slots({-1: set(), -2: k, -3: ()})
    PULLBACKS[entry[0]](ct, lifted, slots)
    parts = []
    for operand, pulled in slots.items():
        if operand < 0:
            continue
        new = settled(pulled)
        selected = chosen.get(operand) if not isinstance(new, list) else None
        if selected is None or selected.all():
            selected = None
        else:
            new = _unless_unseen(new, np.zeros(()), selected)
        parts.append((operand, new, selected))
    return parts


def _touched(entry: tuple, mask: Any, k: int) -> dict[int, np.ndarray]:
    """Tell which elements of each operand the selected elements of the result depend on."""
    aval = AVALS[entry[3]]
    # Uneven weights, since even ones cancel in a difference or a Fourier transform: what is 0
    # then is 0 for every cotangent. A view may read one part only of a complex number.
    uneven = _uneven(aval, 0)
    indicator = np.asarray(uneven if mask is None else uneven * mask).astype(aval.dtype)
    slots = Slots({-1: set(), -2: k, -3: ()})
    PULLBACKS[entry[0]](indicator, entry, slots)
    found = {}
    for operand, pulled in slots.items():
        if operand >= 0 and not isinstance(settled(pulled), list):
            found[operand] = np.asarray(full(settled(pulled), _aval_of(entry, operand))) != 0
    return found


def _uneven(aval: Any, seed: int) -> np.ndarray:
    """Return numbers at random, none of them near 0; others for another seed.

    Equal ones would cancel: the cross product of two equal vectors is 0.
    """
    rng = np.random.default_rng(seed)
    uneven = rng.uniform(0.5, 1.5, aval.shape)
    return uneven + 1j * rng.uniform(0.5, 1.5, aval.shape) if aval.is_complex else uneven


def _generic(entry: tuple, which: Any) -> tuple:
    """Return the entry with numbers at random for its operands, whose positions are their ids.

    Plain operands get an id as well: an element that nothing selected may be infinite there, too.
    """
    ids, codes, args = [], [], list(entry[6])
    for position, (operand, code) in enumerate(zip(entry[4], entry[5], strict=True)):
        value = args[position]
        if operand < 0 and value is not None and PRIMITIVES[entry[0]].takes_array(position):
            value = np.asarray(value)
            if value.dtype.kind in "biu":
                value = value.astype(float)
            if value.dtype.kind in "fc":  # and no keyword that was not given
                code = code_of(value)
        ids.append(position if code else -1)
        codes.append(code)
        if code and (which is True or position in which):
            args[position] = _uneven(AVALS[code], 2 + position).astype(AVALS[code].dtype)
    y = _uneven(AVALS[entry[3]], 1).astype(AVALS[entry[3]].dtype)
    return (*entry[:4], tuple(ids), tuple(codes), tuple(args), entry[7], y)


def _finite_where_untouched(
    lifted: tuple, generic: tuple, touched: dict[int, np.ndarray], mask: Any
) -> tuple:
    """Put other numbers where one is not finite and no selected element depends on it."""
    args = list(lifted[6])
    for position, seen in touched.items():
        if args[position] is not None:
            args[position] = _unless_unseen(args[position], generic[6][position], seen)
    y = lifted[8]
    if mask is not None and y is not None:
        y = _unless_unseen(y, generic[8], mask)
    return (*lifted[:6], tuple(args), lifted[7], y)


def _unless_unseen(x: Any, other: Any, seen: np.ndarray) -> Any:
    """Put another number in the place of what is not finite and was never selected."""
    keep = seen | np.isfinite(dispatch.plain(x))
    return x if keep.all() else np.where(keep, x, np.where(np.isfinite(other), other, 1))


def _aval_of(entry: tuple, operand: int) -> Any:
    code = entry[5][entry[4].index(operand)]
    return AVALS[code or entry[3]]


def _join(old: list | None, new: list) -> list:
    """Add up the cotangents of a tuple's parts, each of which several nodes may have read.

    A recorded sweep reads the results of a factorization once more.
    """
    if old is None:
        return new
    return [b if a is None else a if b is None else a + b for a, b in zip(old, new)]
