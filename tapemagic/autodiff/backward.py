"""The reverse sweep: from the target back to the sources, once through the tape.

The entries are in execution order, which is a topological order: walking them backwards meets
every node after all of its uses. No sort and no recursion, so a chain of 10^6 operations is as good
as one of ten.

Two sweeps. The usual one runs the pullbacks. If its result holds a nan, a careful one follows
(`sweeps/careful.py`), which keeps structural zeros apart from numeric ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy import float64, ndarray

from tapemagic.errors import TapeError

from .avals import MULTIPLE, is_small
from .calls import dispatch
from .elements import Reads
from .positions import user_frame
from .primitives import PULLBACKS
from .recorder import RECORDER
from .structure import settled, source
from .sweeps.careful import careful_sweep
from .sweeps.lifting import has_short_way, lift, narrowed

#: The cotangents of the sweeps that are going on, outermost first, for whoever shows progress.
SWEEPS: list[list] = []
#: From so many elements on BLAS shares a dot product among threads, which may have to be woken.
THREADED = 10_000
#: What cotangents kept for the picture may take in all.
KEPT_BYTES = 1 << 27


@np.errstate(all="ignore")  # the warnings of the user's own code were given forward
def sweep(
    entries: list[tuple],
    seeds: dict[int, Any],
    wanted: set[int],
    mine: Any = None,
    record: bool = False,
    kept: dict[int, Any] | None = None,
    selected: dict[int, Any] | None = None,
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
    selected : dict, optional
        Node id -> mask of the elements of its seed that count: the others are 0 since nothing
        selected them, also times an infinity.

    Returns
    -------
    dict
        Id -> cotangent, for those of `wanted` that a path leads to.
    """
    before = None if RECORDER.recording is None else RECORDER.stand(user_frame())
    try:
        found = _sweep(entries, seeds, wanted, mine, record, kept)
        if have_nan(found.values()):
            found = careful_sweep(entries, seeds, wanted, mine, record, kept, selected)
    finally:
        if before is not None:
            RECORDER.go_on(before)
    return found


def have_nan(cotangents: Iterable[Any]) -> bool:
    """Tell whether any cotangent holds a nan; None, of a source without a path, does not."""
    for ct in cotangents:
        kind = type(ct)
        if kind is ndarray and ct.size < THREADED and ct.dtype.kind == "f":
            elements = ct if ct.ndim == 1 else ct.ravel()
            ct = elements.dot(elements)  # a sum of squares is nan if one of them is, and only so
        elif kind is not float64:
            if ct is not None and has_nan(ct):
                return True
            continue
        if ct != ct:  # noqa: PLR0124  (a nan, at a tenth of the price of np.isnan)
            return True
    return False


def has_nan(ct: Any) -> bool:
    """Tell whether an array, traced or not, or a number holds a nan."""
    ct = dispatch.plain(ct)
    if type(ct) is ndarray and ct.dtype.kind == "f" and ct.size:
        return bool(np.isnan(np.maximum.reduce(ct, axis=None)))
    return bool(np.isnan(ct).any())


def _sweep(
    entries: list[tuple], seeds: dict, wanted: set, mine: Any, record: bool, kept: dict | None
) -> dict[int, Any]:
    top = max(seeds)
    owned: set[int] = set()
    # Behind the cotangents: the ids where outer products may wait, the id that is being pulled
    # back, and the ids whose array is ours.
    cotangents: list[Any] = [None] * (top + 1) + [wanted, top, owned]
    for id_, ct in seeds.items():
        cotangents[id_] = ct
    pull = (
        _pull_plainly
        if mine is None and kept is None and RECORDER.recording is None
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
            ct = cotangents[stop]
            if ct is not None and (mine is None or mine[stop]):
                if type(ct) is not ndarray:
                    ct = cotangents[stop] = settled(ct)
                found[stop] = ct
                owned.discard(stop)
        if kept is not None and found:
            pull(entries, cotangents, top, top - 1)
    except TapeError as error:
        error.node = cotangents[-2]
        raise
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
        mine, record, kept = self._mine, self._record, self._kept
        for k in range(top, stop, -1):
            ct = cotangents[k]
            if ct is None or (mine is not None and not mine[k]):
                continue
            if type(ct) is Reads:
                ct = ct.total()
            entry = entries[k]
            if kept is not None and entry[3] != MULTIPLE:
                self._keep(k, ct, is_small(entry[3]), cotangents[-1])
            cotangents[-2] = k
            if record:
                entry = lift(entry, k)
                if type(ct) is np.float64 and has_short_way(entry):
                    ct = float(ct)
            if mine is not None:
                entry = narrowed(entry, mine)
            PULLBACKS[entry[0]](ct, entry, cotangents)
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


def marks(
    entries: list[tuple], top: int, leaves: set[int], spans: list[list[int]]
) -> bytearray | None:
    """Mark the nodes up to `top` that a tape recorded: in its spans, depending on its leaves.

    None stands for all of them: tapes that were opened together and watch the same.
    """
    (start, stop), *more = spans
    if not more and start == 0 and top < stop:
        sources = {k for k in range(top + 1) if entries[k][0] == source.code}
        if sources <= leaves:
            return None
    mine = bytearray(top + 1)
    for leaf in leaves:
        if leaf <= top:
            mine[leaf] = 1
    first = min(leaves, default=top)
    for start, stop in spans:
        for k in range(max(start, first), min(stop, top + 1)):
            entry = entries[k]
            ids = entry[4]
            if type(ids) is int:
                b = entry[5]
                if (ids >= 0 and mine[ids]) or (b >= 0 and mine[b]):
                    mine[k] = 1
            else:
                for id_ in ids:
                    if id_ >= 0 and mine[id_]:
                        mine[k] = 1
                        break
    return mine
