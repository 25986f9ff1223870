"""Jacobians from a tape: all cotangents in one sweep, as far as memory allows, or forwards."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from typing import Any

import numpy as np

from tapemagic.errors import TapeUseError

from . import lookup, structures
from .avals import AVALS, Aval
from .backward import has_nan
from .batches import Rows
from .calls.dispatch import is_traced, plain, untracked
from .recorder import RECORDER
from .sweeps.batched import sweep_rows
from .traced import TracedArray

#: What the cotangents of one node may take while many are swept at once.
CHUNK_BYTES = 1 << 26
#: A target with more elements than this, and than this many times those of the sources, is swept
#: forwards.
LARGE, TALL = 100, 8


def jacobian(tape: Any, target: Any, sources: Any, zero: bool) -> Any:
    """Return the Jacobian of `target` for each source, of shape target + source."""
    flat = structures.leaves(sources)
    target_ids = lookup.ids_of(tape, target, as_target=True)
    groups = [lookup.source_ids(tape, x) for x in flat]
    if not target_ids:
        blocks: list[Any] = [None] * len(flat)
        shape = np.shape(target)
    else:
        shape = AVALS[tape._recording.entries[target_ids[-1]][3]].shape
        blocks = _in_dtypes(tape, target_ids[-1], groups, _blocks(tape, target_ids[-1], groups))
    results: list[Any] = []
    for x, block in zip(flat, blocks, strict=True):
        if x is target and not target_ids and is_traced(x):  # never read, and yet itself
            value = plain(x)
            block = np.eye(np.size(value), dtype=value.dtype).reshape(-1, *np.shape(value))
        if block is not None:
            results.append(np.reshape(block, shape + block.shape[1:]))
            continue
        ct = tape._finish(x, None, zero)
        results.append(None if ct is None else np.zeros(shape + np.shape(ct), ct.dtype)[()])
    results = [x[()] if type(x) is np.ndarray else x for x in results]
    return structures.rebuild(sources, results)


def _in_dtypes(tape: Any, top: int, ids: list[list[int]], blocks: list[Any]) -> list[Any]:
    """Give every Jacobian the dtype of its source.

    Raises
    ------
    TapeUseError
        For a complex target and a real source: half of the derivatives would be lost.
    """
    entries = tape._recording.entries
    given: list[Any] = []
    for group, block in zip(ids, blocks):
        if block is not None and not is_traced(block):
            aval = AVALS[entries[group[0]][3]]
            if AVALS[entries[top][3]].is_complex and not aval.is_complex:
                raise TapeUseError(
                    "The Jacobian of complex values by real ones would lack its imaginary part.",
                    fix="Take those of np.real(...) and np.imag(...) of the target.",
                )
            if block.dtype != aval.dtype:
                block = (block if aval.is_complex else block.real).astype(aval.dtype)
        given.append(block)
    return given


def _blocks(tape: Any, top: int, ids: list[list[int]]) -> list[Any]:
    """Return, per list of ids, the cotangents of all elements of node `top` along a first axis."""
    recorded = RECORDER.recording is tape._recording
    aval = AVALS[tape._recording.entries[top][3]]
    if not recorded and aval.size > 1:
        forward = RECORDER.recording is None and _is_tall(tape, aval, ids)
        blocks = (_swept_forward if forward else _swept_at_once)(tape, top, ids)
        # The ordinary sweep knows more of what 0 times inf means.
        if not any(block is not None and has_nan(block) for block in blocks):
            return blocks
    rows = [
        tape._sweep({top: seed}, ids, selected={top: seed != 0})
        for seed in _unit_seeds(aval.shape, aval.dtype)
    ]
    return [_stack([row[i] for row in rows], group, tape) for i, group in enumerate(ids)]


def _swept_at_once(tape: Any, top: int, ids: list[list[int]]) -> list[Any]:
    entries = tape._recording.entries
    wanted = {id_ for group in ids for id_ in group if id_ <= top}
    mine = tape._mine(top)
    if mine is not None:
        wanted = {id_ for id_ in wanted if mine[id_]}
    if not wanted or (mine is not None and not mine[top]):
        return [None] * len(ids)
    chunks = [
        sweep_rows(entries, top, seeds, wanted, mine)
        for seeds in _chunks(entries, top, min(wanted))
    ]
    blocks: list[Any] = []
    for group in ids:
        known = [id_ for id_ in group if id_ in chunks[0]]
        parts = [reduce(np.add, [found[id_] for id_ in known]) for found in chunks if known]
        blocks.append(None if not parts else parts[0] if len(parts) == 1 else np.concatenate(parts))
    return blocks


def _is_tall(tape: Any, aval: Aval, ids: list[list[int]]) -> bool:
    """Tell whether the target has many more elements than the sources have."""
    avals = [AVALS[tape._recording.entries[group[0]][3]] for group in ids if group]
    real = not any(part.is_complex for part in (aval, *avals))
    return real and aval.size > max(LARGE, TALL * sum(part.size for part in avals))


def _swept_forward(tape: Any, top: int, ids: list[list[int]]) -> list[Any]:
    """Do the same in as many sweeps as the sources have elements.

    A pullback is linear in its cotangent: recorded and transposed, it is the push-forward.
    """
    from .tape import GradientTape  # which imports this file

    aval = AVALS[tape._recording.entries[top][3]]
    outer = GradientTape(persistent=True)  # whatever a subclass makes of `watch` and the like
    with outer:
        ct = outer.watch(untracked(np.zeros(aval.shape, aval.dtype), TracedArray))
        pulled = tape._sweep({top: ct}, ids)
    blocks: list[Any] = []
    for gradient in pulled:
        rows = jacobian(outer, gradient, ct, zero=False) if is_traced(gradient) else None
        if rows is not None:
            columns = np.reshape(rows, (gradient.size, aval.size)).T
            rows = np.reshape(columns, (aval.size, *gradient.shape))
        blocks.append(rows)
    return blocks


def _chunks(entries: list[tuple], top: int, bottom: int) -> Iterator[Rows]:
    """Yield the unit cotangents of a node, as many at a time as memory allows."""
    aval = AVALS[entries[top][3]]
    codes = {entry[3] for entry in entries[bottom : top + 1]} - {0}
    largest = max(AVALS[code].size * AVALS[code].dtype.itemsize for code in codes)
    step = max(1, CHUNK_BYTES // max(1, largest))
    for start in range(0, aval.size, step):
        stop = min(start + step, aval.size)
        count = stop - start
        yield Rows(count, slice(0, count), slice(start, stop), np.ones(count, aval.dtype))


def _unit_seeds(shape: tuple[int, ...], dtype: Any) -> Iterator[Any]:
    """Yield the unit cotangents of a target, in C order."""
    for index in np.ndindex(shape):
        seed = np.zeros(shape, dtype)
        seed[index] = 1
        yield seed[()]


def _stack(rows: list, group: list[int], tape: Any) -> Any:
    """Stack one array per element of a target."""
    if not any(row is not None for row in rows):
        return None
    aval = AVALS[tape._recording.entries[group[0]][3]]
    rows = [np.zeros(aval.shape, aval.dtype) if row is None else row for row in rows]
    return np.stack(rows) if any(map(is_traced, rows)) else np.array(rows)


def batch_jacobian(tape: Any, target: Any, source: Any, zero: bool) -> Any:
    """Return, per row, the Jacobian of the target's row in the source's row."""
    ids, source_ids = lookup.ids_of(tape, target, as_target=True), lookup.source_ids(tape, source)
    if not ids or not source_ids:
        return None
    entries = tape._recording.entries
    aval, source_aval = AVALS[entries[ids[-1]][3]], AVALS[entries[source_ids[-1]][3]]
    if not aval.ndim or not source_aval.ndim or aval.shape[0] != source_aval.shape[0]:
        raise TapeUseError(
            f"batch_jacobian needs as many rows in the target (shape {aval.shape}) as in the "
            f"source (shape {source_aval.shape})."
        )
    full = jacobian(tape, target, source, zero)
    if full is None:
        return None
    count = aval.shape[0]
    target_row, source_row = aval.shape[1:], source_aval.shape[1:]
    # Axes (row, target..., row, source...): what is off the diagonal of the two rows must vanish.
    moved = np.moveaxis(full, 1 + len(target_row), 1)
    coupled = plain(moved)[~np.eye(count, dtype=bool)]
    if np.any(coupled != 0):
        raise TapeUseError(
            "batch_jacobian: a row of the target depends on another row of the source.",
            fix="Use tape.jacobian(...).",
        )
    rows = np.arange(count)
    return moved[rows, rows].reshape((count, *target_row, *source_row))
