"""Running the recorded operations again with other values of the sources.

The branches that the run took, its indices and its random draws stay as they were: what is run
again is the straight line of operations on the tape.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .avals import AVALS, MULTIPLE
from .checking import Check, compare
from .cuts import custom, value_again
from .primitives import PRIMITIVES
from .structure import positions_set, source, window_get, window_set
from .warned import unheard

_OF_MEMORY = (window_get, window_set, positions_set)
#: A value that only the person's own code could give.
UNKNOWN = object()


def run_again(
    entries: list[tuple], count: int, given: dict[int, Any], *, asked: bool = True
) -> list[Any]:
    """Return the values of the first `count` nodes, where `given` replaces some of them.

    Parameters
    ----------
    entries : list of tuple
    count : int
    given : dict
        Node id -> value; every source that is read has to be among them or kept on the tape.
    asked : bool
        Whether the person asked for it. If not, functions of theirs (`custom_gradient`,
        `checkpoint`) are not called again: what hangs on them is `UNKNOWN`.
    """
    values: list[Any] = []
    for k in range(count):
        if k in given:
            values.append(given[k])
            continue
        entry = entries[k]
        primitive = PRIMITIVES[entry[0]]
        inputs = entry[4:6] if primitive.kind == "elementwise" else entry[4]
        if primitive is source:
            values.append(entry[8])
        elif any(i >= 0 and values[i] is UNKNOWN for i in inputs):
            values.append(UNKNOWN)
        elif primitive is custom:
            operands = [values[i] if i >= 0 else None for i in inputs]
            values.append(value_again(entry, operands) if asked else UNKNOWN)
        elif primitive.kind == "elementwise":
            operands = [values[i] if i >= 0 else x for i, x in zip(inputs, entry[6:8])]
            values.append(primitive.fun(*operands[: primitive.arity]))
        else:
            args, keywords = entry[6], dict(entry[7] or ())
            operands = [
                values[inputs[i]] if i < len(inputs) and inputs[i] >= 0 else arg
                for i, arg in enumerate(args)
            ]
            if operands and operands[0] is None and entry[3]:  # a write that covers everything
                operands[0] = np.empty(AVALS[entry[3]].shape, AVALS[entry[3]].dtype)
            y = primitive.fun(*operands, **keywords)
            values.append(list(y) if entry[3] == MULTIPLE else y)
    return values


#: Values that were not kept are computed again for the picture up to these bounds.
SHOWN_NODES = 5_000
SHOWN_BYTES = 1 << 27


def missing_values(entries: list[tuple], count: int) -> dict[int, Any]:
    """Return the values that the tape did not keep, by running it again, if that is cheap.

    A value is kept by the tape if a rule reads it or if it is small. A picture of a short run with
    larger arrays would be half empty without this.
    """
    avals = [AVALS.get(entry[3]) for entry in entries[:count]]
    size = sum(aval.size * aval.dtype.itemsize for aval in avals if aval is not None)
    missing = [k for k in range(count) if entries[k][8] is None and entries[k][3] != MULTIPLE]
    if not missing or count > SHOWN_NODES or size > SHOWN_BYTES:
        return {}
    try:
        with unheard():
            values = run_again(entries, count, {}, asked=False)
    except Exception:  # noqa: BLE001  (a picture with gaps is better than none)
        return {}
    return {k: values[k] for k in missing if values[k] is not UNKNOWN}


def check(
    entries: list[tuple],
    seeds: dict[int, Any],
    ids: list[list[int]],
    names: dict[int, str],
    sweep: Callable[..., list[Any]],
    tolerance: float,
) -> Check:
    """Compare the gradients of the nodes `ids` with differences of the run carried out again."""
    count = max(seeds, default=-1) + 1
    with unheard():
        plain = run_again(entries, count, {})
    reached = [group for group in ids if group and group[-1] < count]
    nodes = [group[-1] for group in reached]
    found = sweep(seeds, [[node] for node in nodes])
    start = [np.asarray(plain[node]) for node in nodes]
    gradients = [
        np.zeros_like(value) if ct is None else np.asarray(ct) for value, ct in zip(start, found)
    ]

    def target(values: list[np.ndarray]) -> float:
        again = run_again(entries, count, dict(zip(nodes, values)))
        return sum(float(np.sum(np.real(np.conj(ct) * again[node]))) for node, ct in seeds.items())

    # places in memory are counted in bytes, of which double precision has others
    widens = not any(PRIMITIVES[entry[0]] in _OF_MEMORY for entry in entries[:count])
    labels = [names.get(group[0], f"node {group[0]}") for group in reached]
    return compare(target, start, gradients, labels, tolerance, widens=widens)
