"""Loops of a recording: the iteration that something belongs to, gradients that fade along them."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from tapemagic.graph.folding import Folding, position
from tapemagic.graph.model import Graph, Group
from tapemagic.graph.words import number, visible

FEWEST_ITERATIONS = 5
FADED = 1e-6  # first over last |gradient| below it vanishes, above its inverse explodes
SETTLED = 1e-6  # what the last iteration still changes of a value that has converged
MOST_GROUPS, MOST_NODES = 12, 100_000  # looked into for loops, besides the cell itself

Span = tuple[int, int]  # the nodes of one iteration


def iterations_of(folding: Folding, index: int) -> list[int]:
    """Number the iterations that a node was made in, outermost loop first; [] if none is certain.

    A loop that recorded nothing at first has iterations that cannot be counted.
    """
    rounds: list[int] = []
    group, node = folding.root, folding.graph.nodes[index]
    places = (position(node, depth) for depth in range(len(node.frames) + 1))
    loops = sum(len(folding.graph.source_map.outline(file).loops(line)) for file, line in places)
    while loops:
        if group.kind == "loop":
            if not group.is_complete:
                return []
            rounds.append(bisect_right(group.starts, index))
        inner = (item for item in folding.children(group) if isinstance(item, Group))
        found = next((item for item in inner if item.first <= index < item.last), None)
        if found is None:
            # what repeats in one line is a loop as well, and two loops of one line are one
            return rounds if len(rounds) == loops else []
        group = found
    return []


def loops_of(folding: Folding) -> Iterator[Group]:
    """Yield the loops of the cell and of some functions that it calls, not those inside others."""
    waiting, groups, nodes = [folding.root], MOST_GROUPS, MOST_NODES + folding.root.last
    while waiting and groups:
        group = waiting.pop()
        if nodes < group.last - group.first:
            continue
        groups, nodes = groups - 1, nodes - (group.last - group.first)
        inside = [item for item in folding.children(group) if isinstance(item, Group)]
        yield from (item for item in inside if item.kind == "loop")
        waiting += [item for item in inside if item.kind != "loop"][::-1]


def loop_factors(folding: Folding) -> Iterator[tuple[str, Group, str]]:
    """Loops along which gradients shrink or grow by a large factor: which, and what to say."""
    graph = folding.graph
    for loop in loops_of(folding) if graph.has_gradients else ():
        spans = list(pairwise((*loop.starts, loop.last)))
        if len(spans) < FEWEST_ITERATIONS:
            continue
        known = (Fade.of(graph, spans, label) for label in handed_on(graph, *spans[:2]))
        fades = [fade for fade in known if fade is not None]
        fade = max(fades, key=lambda one: abs(math.log10(one.ratio)), default=None)
        if fade is None or FADED <= fade.ratio <= 1 / FADED or has_settled(graph, spans, fade):
            continue
        kind = "vanishing" if fade.ratio < 1 else "exploding"
        often = f"× {len(spans):,}" if loop.is_complete else f"at least × {len(spans):,}"
        yield (
            kind,
            loop,
            f"{fade.value} is {kind} along the loop {header(graph, loop)} ({often}): {fade}",
        )


class Fade(NamedTuple):
    """|gradient| of what a loop hands from iteration to iteration, early in it and at its end."""

    label: str
    skipped: int  # iterations at the beginning of which the gradient is exactly 0
    first: float
    last: float
    steps: int

    @classmethod
    def of(cls, graph: Graph, spans: Sequence[Span], label: str) -> Fade | None:
        """Measure it; None if it cannot be told, or is too short."""
        end = len(spans) - (1 if label.isidentifier() else 2)  # nothing reads the last one's
        last = norm_at(graph, spans[end], label)
        for begin in range(end + 2 - FEWEST_ITERATIONS if last else 0):
            first = norm_at(graph, spans[begin], label)
            if first is None:
                return None
            if first:
                return cls(label, begin, first, last or 0.0, end - begin)
        return None

    @property
    def ratio(self) -> float:
        """How much of the gradient is left at the beginning."""
        return self.first / self.last

    @property
    def value(self) -> str:
        """What fades, in words."""
        name = visible(self.label, 40)
        named = (
            f"'{name}'" if self.label.isidentifier() else "what each iteration hands to the next"
        )
        return f"the gradient of {named}"

    def __str__(self) -> str:
        factor = self.ratio ** (1 / self.steps)
        at = f"iteration {self.skipped + 1} and 0 before" if self.skipped else "its first"
        end = "at" if self.label.isidentifier() else "before"
        return (
            f"{number(self.last, 2)} {end} its last iteration, {number(self.first, 2)} at {at}, "
            f"a factor of {number(factor, 3)} per step"
        )


def header(graph: Graph, loop: Group) -> str:
    """Say where a loop stands."""
    frames = graph.nodes[loop.first].frames[: loop.depth]
    inside = f"in {frames[-1][0]}, " if frames else "on "
    return f"{inside}line {loop.line}" if loop.line else f"{inside}an unknown line"


def handed_on(graph: Graph, span: Span, following: Span) -> dict[str, int]:
    """Find the values of one iteration that the next one reads, by name or by where they stand.

    An array that the next one only writes into is filled: that is no step from the one before.
    """
    read = {
        start
        for node in graph.nodes[slice(*following)]
        for place, start in enumerate(node.inputs)
        if start is not None and not (node.op == "setitem" and place == 0)
    }
    names = {index: graph.nodes[index].name.partition("@")[0] for index in range(*span)}
    return {names[k] or f"{span[1] - k} before the end": k for k in names if k in read}


def find(graph: Graph, span: Span, label: str) -> int | None:
    """Return the node of an iteration that goes by a label of `handed_on`."""
    if not label.isidentifier():
        index = span[1] - int(label.partition(" ")[0])
        return index if index >= span[0] else None
    nodes = reversed(graph.nodes[slice(*span)])
    return next((node.index for node in nodes if node.name.partition("@")[0] == label), None)


def norm_at(graph: Graph, span: Span, label: str) -> float | None:
    """|gradient| in one iteration, None if it has none or is not finite."""
    index = find(graph, span, label)
    gradient = None if index is None else graph.gradient(index)
    norm = None if gradient is None else gradient.norm
    return norm if norm is not None and math.isfinite(norm) else None


def has_settled(graph: Graph, spans: Sequence[Span], fade: Fade) -> bool:
    """Whether an iteration has converged, and every source has a gradient all the same.

    Then the result does not hang on where the iteration began, as it should not.
    """
    ends = [find(graph, span, fade.label) for span in spans[-3:-1]]
    values = [graph.value(index) for index in ends if index is not None]
    norms = [value.norm for value in values if value is not None and value.norm is not None]
    gradients = [row.gradient for row in graph.sources if row.gradient is not None]
    return (
        len(norms) == 2
        and abs(norms[1] - norms[0]) <= SETTLED * abs(norms[1])
        and all((one.norm or 0.0) >= FADED * fade.last for one in gradients)
    )
