"""Where values and gradients stopped being finite."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from tapemagic.graph.facts import (
    Facts,
    as_numbers,
    bad_element,
    element_at,
    elements_at,
    has_nan,
    is_finite,
    place_of,
    quoted,
    written,
)
from tapemagic.graph.loops import iterations_of
from tapemagic.graph.words import listed

ABOVE_0 = "Keep the argument of {op} above 0."
INSIDE_1 = "Keep the argument of {op} inside -1 and 1."
FIXES = {
    **dict.fromkeys(("sqrt", "log", "log2", "log10"), ABOVE_0),
    **dict.fromkeys(("arccos", "arcsin", "arctanh"), INSIDE_1),
    "log1p": "Keep the argument of log1p above -1.",
    "divide": "Keep the divisor away from 0.",
    "power": "Keep the base positive, or the exponent a whole number.",
    "exp": "Subtract the maximum before exp.",
}
#: Operations with a formula whose elements are not made of those at the same place.
REDUCING = frozenset({"matmul", "sum", "mean"})


class Trouble(NamedTuple):
    """One place where something stopped being finite: what to say of it, and its node."""

    line: int | None
    message: str
    fix: str
    node: int


def forward_troubles(facts: Facts, source: int | None = None) -> list[Trouble]:
    """The first value in time order that went wrong; if it is infinite, the first nan as well.

    With a `source`, of those on its way to the target.
    """
    wrong = facts.gone_wrong
    if source is not None:
        marks = facts.downstream(source)
        wrong = [index for index in wrong if marks[index] and index in facts.cotangents]
    return [begins_at(facts, index) for index in first_of(facts, wrong)]


def first_of(facts: Facts, wrong: list[int]) -> list[int]:
    """Return the first value that went wrong, and the first nan if that comes later."""
    first_nan = [index for index in wrong if has_nan(facts.recorded[index].value)][:1]
    return list(dict.fromkeys(wrong[:1] + first_nan))


def is_elementwise(node: Any) -> bool:
    """Whether each element of a result is made of the operands' elements at its place."""
    return bool(node.formulas) and node.op not in REDUCING


def begins_at(facts: Facts, index: int, place: tuple[int, ...] | None = None) -> Trouble:
    """Say that a value is not finite where it comes from; `place` is the element that is meant."""
    node = facts.recorded[index]
    if place is None and index in facts.gone_wrong:
        place = wrong_place(facts, index)
    word, element, place = bad_element(node.value, place)
    where = f", {element}" if element else ""
    if node.op == "source":
        name = facts.graph.nodes[index].name
        message = f"{quoted(name)} holds {word} from the beginning{where}"
        return Trouble(node.line, message, "", index)
    made = f"{written(node.op)}({', '.join(spelled(facts, index, node.shape, place))})"
    firsts = first_of(facts, facts.gone_wrong)
    which = "first " if firsts and index == firsts[0 if word == "inf" else -1] else ""
    message = f"{which}{word} going forward: {when(facts, index)}{where}: {made}"
    # what is made of an infinity is mended where that came from
    fix = fix_of(node.op) if all(map(is_finite, facts.operands(index))) else ""
    return Trouble(node.line, message + data_with_nan(facts, index), fix, index)


def wrong_place(facts: Facts, index: int) -> tuple[int, ...]:
    """Return the first element that went wrong: one that is nan, if any is."""
    node = facts.recorded[index]
    value = np.asarray(node.value)
    bad = np.isnan(value) if has_nan(value) else ~np.isfinite(value)
    if is_elementwise(node):
        for x in map(as_numbers, facts.operands(index)):
            fresh = bad if x is None else bad & ~np.isnan(x)
            bad = fresh if fresh.any() else bad
    return tuple(int(axis) for axis in np.argwhere(bad)[0])


def spelled(
    facts: Facts, index: int, shape: tuple[int, ...], place: tuple[int, ...]
) -> Iterator[str]:
    """Spell the operands of a node: their elements at one place of the result, if they have one."""
    node = facts.recorded[index]
    return elements_at(facts.operands(index), shape, place if is_elementwise(node) else None)


def when(facts: Facts, index: int) -> str:
    """Say on which line a node was made, and in which iterations of its loops."""
    said = place_of(facts.graph.nodes[index])
    if rounds := iterations_of(facts.folding, index):
        said += f", iteration{'s' if len(rounds) > 1 else ''} {listed([*map(str, rounds)])}"
    return said


def data_with_nan(facts: Facts, index: int) -> str:
    """Name the arrays beside the tape in which a nan has been all along, "" if none has."""
    node, names = facts.recorded[index], facts.graph.nodes[index].constants
    said = []
    for position, value in enumerate(facts.operands(index)):
        name = names[position] if position < len(names) else ""
        if position < len(node.inputs) and node.inputs[position] is None and has_nan(value):
            if name or not is_elementwise(node):
                place = np.argwhere(np.isnan(np.asarray(value)))[0].tolist()
                said.append(f"{quoted(name) if name else 'a constant'} holds nan at {place}")
    return "".join(f"; {one}" for one in said)


def fix_of(op: str) -> str:
    """One thing to do about an operation that made something infinite or nan."""
    return FIXES.get(op, "").format(op=op)


def troubles_of(facts: Facts, source: int) -> list[Trouble]:
    """Why the gradient of one source is not finite, in order of time.

    A value elsewhere in the cell that is not finite says nothing about this source. Of those that
    hang on it the first is told, and then where its gradient went wrong, if that is elsewhere.
    """
    if not is_finite(facts.recorded[source].value):
        return [begins_at(facts, source)]
    found = forward_troubles(facts, source)
    back = trouble_on_way_back(facts, source)
    if back is not None and is_news(facts, back, found):
        found.append(back)
    return list(dict.fromkeys(found))


def is_news(facts: Facts, back: Trouble, told: list[Trouble]) -> bool:
    """Whether what went wrong on the way back has another reason than what is told already.

    It has none if it goes back to a value that a nan, told already, was made of.
    """
    if "going backward" in back.message:
        return True
    marks = facts.downstream(back.node)
    same = [known for known in told if known.node == back.node]
    if same:
        return is_elementwise(facts.recorded[back.node])
    node = facts.recorded[back.node]
    return not any(
        marks[known.node] or (known.line, facts.recorded[known.node].op) == (node.line, node.op)
        for known in told
    )


def trouble_on_way_back(facts: Facts, source: int) -> Trouble | None:
    """Where the gradient of one source stopped being finite.

    The way is followed from the source to the step of the sweep at which its gradient went wrong.
    """
    index = source
    while True:
        users = [user for user in facts.users[index] if user in facts.cotangents]
        if len(users) > 1:
            users = [user for user in users if not is_finite(facts.passed_on(user, index))]
        if not users:
            return None  # the sum of finite parts overflowed, or somebody's seed was not finite
        if is_finite(facts.cotangents[users[-1]]):
            return went_wrong(facts, index, users[-1])
        index = users[-1]


def went_wrong(facts: Facts, index: int, user: int) -> Trouble:
    """Say why one operation made a cotangent that is not finite of one that was."""
    maker, shape = facts.recorded[user], facts.recorded[index].shape
    word, element, place = bad_element(np.broadcast_to(facts.cotangents[index], shape))
    strange = [
        start for start, value in zip(maker.inputs, facts.operands(user), strict=False)
        if start is not None and not is_finite(element_at(value, maker.shape, place))
    ]  # fmt: skip
    if strange:  # the derivative was taken there: what is wrong with the operand comes first
        return begins_at(facts, beginning_of(facts, strange[0]))
    if maker.shape == shape and not is_finite(element_at(maker.value, shape, place)):
        return begins_at(facts, user, place)
    if maker.shape != shape and not is_finite(maker.value):
        return begins_at(facts, user)
    made = f"{written(maker.op)}({', '.join(spelled(facts, user, maker.shape, place))})"
    where = f", {element}" if element else ""
    message = f"first {word} going backward: {when(facts, user)}{where}: derivative of {made}"
    return Trouble(maker.line, message, fix_of(maker.op), user)


def beginning_of(facts: Facts, index: int) -> int:
    """Follow a value that is not finite to the first one that went wrong, or was put in."""
    way = [index]
    while starts := strange_inputs(facts, way[-1]):
        way.append(starts[0])
    return next((k for k in reversed(way) if k in facts.gone_wrong), way[-1])


def strange_inputs(facts: Facts, index: int) -> list[int]:
    """Operands of a node that are not finite."""
    return [
        start for start in facts.recorded[index].inputs
        if start is not None and not is_finite(facts.recorded[start].value)
    ]  # fmt: skip
