"""Jacobians from a tape: one sweep per element of the target."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import TapeUseError
from . import structures
from .avals import AVALS
from .dispatch import is_traced


def _rows(tape: Any, target: Any, sources: list, seeds: Any) -> list[list[Any]]:
    """Return the cotangents of the sources for each seed: ``rows[seed][source]``."""
    id_ = tape._ids_of(target, as_target=True)[-1]
    ids = [tape._ids_of(x) for x in sources]
    return [tape._sweep({id_: seed}, ids) for seed in seeds]


def _unit_seeds(shape: tuple[int, ...], dtype: Any) -> Any:
    """Yield the unit cotangents of a target, in C order."""
    for index in np.ndindex(shape):
        seed = np.zeros(shape, dtype)
        seed[index] = 1
        yield seed[()]


def _stack(rows: list, shape: tuple[int, ...]) -> Any:
    """Stack one array per element of a target into shape target + source."""
    if any(is_traced(row) for row in rows):
        return np.reshape(np.stack(rows), shape)
    return np.array(rows).reshape(shape)[()]


def jacobian(tape: Any, target: Any, sources: Any, zero: bool) -> Any:
    """Return the Jacobian of `target` for each source, of shape target + source."""
    flat = structures.leaves(sources)
    target_ids = tape._ids_of(target, as_target=True)
    results: list[Any] = []
    entries = tape._recording.entries
    if target_ids:
        aval = AVALS[entries[target_ids[-1]][3]]
        rows = _rows(tape, target, flat, _unit_seeds(aval.shape, aval.dtype))
    for i, x in enumerate(flat):
        parts = [row[i] for row in rows] if target_ids else []
        known = next((part for part in parts if part is not None), None)
        if known is None:
            shape = aval.shape if target_ids else np.shape(target)
            ct = tape._finish(x, None, zero)
            results.append(None if ct is None else np.zeros(shape + np.shape(ct), ct.dtype)[()])
            continue
        parts = [np.zeros_like(known) if part is None else part for part in parts]
        results.append(_stack(parts, aval.shape + np.shape(known)))
    return structures.rebuild(sources, results)


def batch_jacobian(tape: Any, target: Any, source: Any, zero: bool) -> Any:
    """Return, per row, the Jacobian of the target's row in the source's row."""
    ids, source_ids = tape._ids_of(target, as_target=True), tape._ids_of(source)
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
    from .dispatch import plain  # noqa: PLC0415

    coupled = plain(moved)[~np.eye(count, dtype=bool)]
    if np.any(coupled != 0):
        raise TapeUseError(
            "batch_jacobian: a row of the target depends on another row of the source.",
            fix="Use tape.jacobian(...).",
        )
    rows = np.arange(count)
    return moved[rows, rows].reshape((count, *target_row, *source_row))
