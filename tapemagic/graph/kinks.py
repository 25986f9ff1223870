"""Elements at which an operation has no derivative, and the convention for the number shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tapemagic.graph.facts import Facts, as_numbers, is_zero, op_at
from tapemagic.graph.words import counted

SHIFTING = frozenset({"add", "subtract"})
MOVING = frozenset({"getitem", "reshape", "expand_dims", "squeeze", "transpose", "broadcast_to"})
ROUNDING = 1e-13  # of all that arrived: what is left when it cancels

AT_ZERO = "at 0: the derivative shown there is 0"
INFINITE = "at 0: the derivative there is infinite"
HALVES = "at a tie: each operand gets one half"
SHARED = "at a tie: they share the gradient equally"
STOOD = "at a tie: they keep the order in which they stood"
JUMPS = "at a jump of the value: the derivative shown is that beside it"


def kinks(facts: Facts) -> Iterator[tuple[int | None, str, list[int]]]:
    """Elements at a kink, counted by operation and line; and the nodes that have them."""
    found: dict[tuple[str, int | None, str], list[tuple[int, int]]] = {}
    nodes = facts.graph.nodes
    for node in facts.recorded:
        if node.op in KINKS and node.index in facts.cotangents and has_effect(facts, node.index):
            for convention, count in elements_at_kinks(facts, node):
                where = op_at(nodes[node.index])
                found.setdefault((where, node.line, convention), []).append((node.index, count))
    for (where, line, convention), places in found.items():
        count = sum(count for _, count in places)
        message = f"{where}: {counted(count, 'element')} {convention}."
        yield line, message, [index for index, _ in places]


def is_kink_at_zero(facts: Facts, index: int) -> bool:
    """Whether an operation passes on zeros because of what a kink at 0 counts as."""
    node = facts.recorded[index]
    return any(convention == AT_ZERO for convention, _ in elements_at_kinks(facts, node))


def elements_at_kinks(facts: Facts, node: Any) -> Iterator[tuple[str, int]]:
    """Count the elements at each kink of one operation; none if its operands were not kept."""
    arguments = arguments_of(node, facts.operands(node.index))
    if any(value is None for value in map(as_numbers, facts.operands(node.index))):
        return
    for at_kink, convention in KINKS.get(node.op, ()):
        hits = at_kink(node, *arguments)
        # where no gradient arrives, one number is as good as another
        if np.shape(hits) == node.shape:
            hits = hits & (np.broadcast_to(facts.cotangents[node.index], node.shape) != 0)
        count = int(np.count_nonzero(hits))
        if count:
            yield convention, count


def has_effect(facts: Facts, index: int) -> bool:
    """Whether a gradient arrives at an operation, and not only what rounding left of it.

    A maximum that is subtracted and cancels, as in softmax, may have its ties.
    """
    shifts, scale = [index], 0.0
    while shifts:
        for user in facts.users[shifts.pop()]:
            if user not in facts.cotangents:
                continue
            if facts.recorded[user].op in SHIFTING:
                scale += float(np.abs(facts.cotangents[user]).sum())
            elif facts.recorded[user].op in MOVING:
                shifts.append(user)
            else:
                return not is_zero(facts.cotangents[index])
    largest = np.abs(facts.cotangents[index]).max(initial=0.0)
    return bool(largest > ROUNDING * scale)


def arguments_of(node: Any, operands: list[Any]) -> list[Any]:
    """Put the operands of a call and its other positional arguments in order."""
    left = iter(operands)
    positional = {int(key): value for key, value in node.params.items() if key.isdigit()}
    count = len(operands) + len(positional)
    return [
        positional[place] if place in positional else as_numbers(next(left))
        for place in range(count)
    ]


def is_zero_argument(node: Any, x: Any, *more: Any) -> Any:
    """The argument is 0."""
    return x == 0


def is_zero_result(node: Any, x: Any, *more: Any) -> Any:
    """The result is 0: of `std`, that all values are equal."""
    return as_numbers(node.value) == 0


def is_tie(node: Any, x1: Any, x2: Any) -> Any:
    """The two operands are equal."""
    return x1 == x2


def shares_extreme(node: Any, x: Any, axis: Any = None, *more: Any) -> Any:
    """Several elements are the largest, or smallest."""
    hits = is_extreme(x, as_numbers(node.value), node.params.get("axis", axis))
    hits = hits & node.params.get("where", True)
    return hits & (np.count_nonzero(hits, axis=node.params.get("axis", axis), keepdims=True) > 1)


def is_extreme(x: np.ndarray, best: np.ndarray | None, axis: Any) -> np.ndarray:
    """The element equals the result of a reduction along `axis`."""
    if best is None:
        return np.zeros(x.shape, bool)
    if best.ndim < x.ndim:
        best = np.expand_dims(best, tuple(range(x.ndim)) if axis is None else axis)
    return x == best


def is_zero_of_norm(node: Any, x: Any, order: Any = None, *more: Any) -> Any:
    """The norm is 0; if it adds up absolute values, any of them."""
    order = node.params.get("ord", order)
    adds_up = order is not None and not isinstance(order, str) and abs(order) <= 1
    return (x == 0) & (order != 0) if adds_up else as_numbers(node.value) == 0


def shares_norm(
    node: Any, x: Any, order: Any = None, axis: Any = None, keepdims: Any = False
) -> Any:
    """Several elements are the largest, or smallest, and the norm is that one."""
    order = node.params.get("ord", order)
    if order not in (np.inf, -np.inf):
        return np.False_
    return (x != 0) & shares_extreme(node, np.abs(x), axis)


def is_at_bound(node: Any, x: Any, low: Any = None, high: Any = None, *more: Any) -> Any:
    """The element equals one of its bounds."""
    return np.logical_or(low is not None and x == low, high is not None and x == high)


def has_equal(node: Any, x: Any, axis: Any = -1, *more: Any) -> Any:
    """Another element of the same row is equal."""
    axis = node.params.get("axis", axis)
    rows = np.sort(x.ravel() if axis is None else np.moveaxis(x, axis, -1))
    same = rows[..., 1:] == rows[..., :-1]
    end = np.zeros((*rows.shape[:-1], 1), bool)
    return np.concatenate([same, end], -1) | np.concatenate([end, same], -1)


def picks_equal(node: Any, x: Any, *weights: Any) -> Any:
    """A quantile picks one of several equal elements; up or down, another one takes its place."""
    if weights:
        return np.False_
    rows = rows_along(x, node.params["axis"])
    lengths = np.count_nonzero(~np.isnan(rows), axis=1)  # nans are sorted to the end
    found = [
        splits_ties(rows[lengths == length, :length], q, node.params["method"])
        for length in np.unique(lengths[lengths > 0])
        for q in np.ravel(node.params["q"])
    ]
    return np.concatenate([np.zeros(0, bool), *found])


def rows_along(x: np.ndarray, axis: Any) -> np.ndarray:
    """Put what a reduction along some axes takes together into sorted rows."""
    axes = np.arange(x.ndim)[slice(None) if axis is None else np.atleast_1d(axis)]
    moved = np.moveaxis(x, axes, range(x.ndim - axes.size, x.ndim))
    return np.sort(moved.reshape(-1, np.prod([x.shape[i] for i in axes], dtype=int)))


def splits_ties(rows: np.ndarray, q: float, method: str) -> np.ndarray:
    """Tell of each row whether what its quantile picks equals an element that it leaves.

    The mean of two equal elements, and of no more, moves as smoothly as one element does.
    """
    place = np.quantile(np.arange(float(rows.shape[1])), q, method=method)  # type: ignore[call-overload]
    low, high = int(np.floor(place)), int(np.ceil(place))
    same = rows[:, 1:] == rows[:, :-1]
    before = same[:, max(low - 1, 0) : low].any(axis=1)
    after = same[:, high : high + 1].any(axis=1)
    is_mean = high == low or place - low == 0.5
    return before | after | (same[:, low:high].any(axis=1) & (not is_mean))


def is_at_point(node: Any, x: Any, points: Any, *more: Any) -> Any:
    """The table is read at one of its points; it is the place there that moves."""
    return np.isin(x, points) & any(place is not None for place in node.inputs[:2])


def equals_extreme_before(node: Any, x: Any, ufunc: Any, axis: int = 0, *more: Any) -> Any:
    """The element equals the largest, or smallest, of those before it."""
    running = as_numbers(node.value)
    if ufunc not in (np.maximum, np.minimum) or running is None:
        return np.False_
    before = np.moveaxis(running, axis, 0)[:-1]
    return np.moveaxis(x, axis, 0)[1:] == before


#: Operation -> its kinks: which elements are at it, given node and arguments, and what is shown.
KINKS: dict[str, tuple[tuple[Callable[..., Any], str], ...]] = {
    **dict.fromkeys(("absolute", "fabs"), ((is_zero_argument, AT_ZERO),)),
    **dict.fromkeys(("std", "nanstd", "hypot"), ((is_zero_result, AT_ZERO),)),
    **dict.fromkeys(("sqrt", "cbrt"), ((is_zero_argument, INFINITE),)),
    **dict.fromkeys(("maximum", "minimum", "fmax", "fmin"), ((is_tie, HALVES),)),
    **dict.fromkeys(("max", "min", "nanmax", "nanmin"), ((shares_extreme, SHARED),)),
    **dict.fromkeys(("norm", "vector_norm"), ((is_zero_of_norm, AT_ZERO), (shares_norm, SHARED))),
    "clip": ((is_at_bound, "at a bound: the derivative shown there is 1"),),
    "sort": ((has_equal, STOOD),),
    "partition": ((lambda node, x, place, *axis: has_equal(node, x, *axis), STOOD),),
    "quantile": ((picks_equal, "at a tie: of those that are equal, one gets the gradient"),),
    "interp": (
        (is_at_point, "at a point of the table: the slope shown is that of one piece beside it"),
    ),
    "accumulate": ((equals_extreme_before, HALVES),),
    "remainder": ((is_zero_result, JUMPS),),
    "fmod": ((lambda node, x, *more: (x != 0) & is_zero_result(node, x), JUMPS),),
    "relu": ((is_zero_argument, AT_ZERO),),
    "relu6": (
        (lambda node, x: (x == 0) | (x == 6), "at a bound: the derivative shown there is 0"),
    ),
    "leaky_relu": ((is_zero_argument, "at 0: the derivative shown is that of negative numbers"),),
}
