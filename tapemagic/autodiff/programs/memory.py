"""Whose memory the results of a program's steps are, and until when."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff import elements
from tapemagic.autodiff.calls.creation import ARRAY
from tapemagic.autodiff.primitives import PRIMITIVES
from tapemagic.autodiff.structure import window_set

from .symbols import Symbol, concrete, is_symbol, symbols_in

#: Functions, besides ufuncs, whose result is never a view.
_FRESH = {
    np.array, np.zeros, np.empty, np.zeros_like, np.copy, np.concatenate, np.stack, np.where,
    np.outer, np.sum, np.mean, np.var, np.std, np.prod, np.max, np.min, np.cumsum, np.cumprod,
    np.sort, np.take, np.roll, np.repeat, np.tile, np.pad, np.dot, np.kron,
    np.linalg.inv, np.linalg.solve, np.linalg.cholesky, np.convolve, np.correlate,
    elements._get_window, elements._set_window, elements._scatter_window, elements._zero_window,
    elements._get_positions, elements._set_positions, elements._zero_positions,
}  # fmt: skip


#: Rows whose result is a view of an array, or a copy: as it lies in memory.
_VIEWS_OR_COPIES = {"reshape", "array", "astype"}
_VIEWS = {"view", "transpose", "swapaxes", "getitem", "identity", *_VIEWS_OR_COPIES}


def hangs_on_layouts(entries: list[tuple]) -> bool:
    """Tell whether what a write has reached may hang on how the inputs lie in memory."""
    primitives = [PRIMITIVES[entry[0]] for entry in entries]
    names = ["" if one is ARRAY else one.name for one in primitives]
    first: list[int] = []  # of each node, the one whose memory it may be
    for k, entry in enumerate(entries):
        ids = entry[4:6] if type(entry[4]) is int else entry[4]
        if names[k] == "copy" and names[ids[0]] == "reshape":  # what `ravel` may come to
            names[k] = "reshape"
        known = [i for i in ids[:2] if i >= 0] if names[k] in {"setitem", *_VIEWS} else []
        first.append(first[known[0]] if known else k)
    written = {first[k] for k, name in enumerate(names) if name == "setitem"}
    return any(first[k] in written for k, name in enumerate(names) if name in _VIEWS_OR_COPIES)


def lies_apart(entries: list[tuple], source: int) -> bool:
    """Tell whether a source was a part of other memory, with gaps between its elements."""
    for entry in entries:
        if PRIMITIVES[entry[0]] is window_set and entry[4] == (-1, source):
            _, (_, shape, strides, dtype, _) = entry[6][2]
            dense = np.empty(shape, dtype).strides
            return any(n > 1 and a != b for n, a, b in zip(shape, strides, dense, strict=True))
    return False


def is_fresh(step: Symbol) -> bool:
    """Tell whether the memory of a step's result is its own for certain."""
    if not isinstance(step.value, np.ndarray):
        return True
    if step.kind == "call":
        several = step.fun is np.einsum and type(step.args[0]) is str and len(step.args) > 2
        return several or isinstance(step.fun, np.ufunc) or step.fun in _FRESH
    if step.kind == "item":
        index = concrete(step.args[1])
        parts = index if type(index) is tuple else (index,)
        return any(isinstance(part, np.ndarray | list) and np.ndim(part) for part in parts)
    return step.kind in ("update", "copy")


def is_read(step: Symbol) -> bool:
    """Tell whether a step is a part at a fixed place, or a transpose, and has no name."""
    if step.name:
        return False
    if step.kind == "attribute" or (step.fun is np.transpose and len(step.args) == 1):
        return step.fun in ("T", "mT", np.transpose)
    if step.kind != "item" or symbols_in([step.args[1]]):
        return False
    parts = step.args[1] if type(step.args[1]) is tuple else (step.args[1],)
    return all(type(part) in (int, slice, type(None), type(...)) for part in parts)


def needed(steps: list[Symbol], roots: list[Symbol]) -> list[Symbol]:
    """Return the steps that the roots depend on, in order."""
    found = {step.number for step in roots}
    for step in reversed(steps):
        if step.number in found:
            found.update(used.number for used in symbols_in([step.args, step.kwargs]))
    return [step for step in steps if step.number in found]


def last_uses(steps: list[Symbol], users: dict[int, list[int]]) -> dict[int, int]:
    """Return where the memory of each step is read last, also through views of it."""
    last = {step.number: max(users[step.number], default=-1) for step in steps}
    for step in reversed(steps):
        if not is_fresh(step):
            for used in symbols_in([step.args, step.kwargs]):
                last[used.number] = max(last[used.number], last[step.number])
    return last


def copy_views(steps: list[Symbol], users: dict[int, list[int]]) -> None:
    """Make copies of the parts of an array that are still read when it is written to.

    Otherwise the whole array would have to be copied before the write.
    """
    last, by_number = last_uses(steps, users), {step.number: step for step in steps}
    for step in steps:
        base: Any = step.args[0] if step.kind == "update" else None
        if is_symbol(base) and is_fresh(base) and max(users[base.number]) <= step.number:
            for k in users[base.number]:
                part = by_number[k]
                if part.kind == "item" and k < step.number < last[k] and np.ndim(part.value):
                    part.kind = "copy"


def written_over(steps: list[Symbol], users: dict[int, list[int]]) -> set[int]:
    """Return the first writes to constants that nobody reads before all of them is written over.

    Such a constant is what `np.empty` has found in memory.
    """
    by_number = {step.number: step for step in steps}
    firsts = (x for x in steps if x.kind == "update" and type(x.args[0]) is np.ndarray)
    return {step.number for step in firsts if _is_written_over(step, users, by_number)}


def _is_written_over(step: Symbol, users: dict, by_number: dict) -> bool:
    written, left = np.zeros(step.shape, bool), step.size
    while step.fun == "=" and not symbols_in(step.args[1]):
        left -= np.count_nonzero(~written[step.args[1]])
        written[step.args[1]] = True
        if not left:
            return True
        using = [by_number.get(k) for k in users[step.number]]  # None: it is handed out
        writes = [x for x in using if x is not None and x.kind == "update" and x.args[0] is step]
        reads = [x for x in using if x is None or x.kind != "update" or x.args[0] is not step]
        if len(writes) != 1 or not all(_reads_written(x, written) for x in reads):
            return False
        step = writes[0]
    return False


def _reads_written(step: Symbol | None, written: np.ndarray) -> bool:
    """Tell whether a step reads a part of an array that has been written, and no more."""
    if step is None or step.kind not in ("item", "copy") or symbols_in(step.args[1]):
        return False
    return bool(written[step.args[1]].all())


def own(x: Any, others: list, writer: Any) -> Any:
    """Make sure that a result is nobody else's memory: no view, input, constant or other result."""
    if x is None:
        return None
    value = concrete(x)
    if not isinstance(value, np.ndarray):
        return x
    if not value.ndim and others:  # a gradient without axes is a number
        return x[()]
    if is_symbol(x) and value.flags.writeable:
        memory, taken = memory_of(x), set().union(*map(memory_of, others))
        if not taken & set(memory) and all(map(is_fresh, memory.values())):
            return x
    with writer.at("end", -1):
        return writer.add("update", "copy", (x, None, None), {}, np.array(value))


def memory_of(x: Any) -> dict[int, Any]:
    """Return the steps, by number, whose results a step may be a view of."""
    found, waiting = {}, symbols_in(x)
    while waiting:
        step = waiting.pop()
        inner = [] if is_fresh(step) else symbols_in([step.args, step.kwargs])
        waiting += inner
        if not inner:
            found[step.number] = step
    return found
