"""Where the iterations of a loop begin, told from the order in which its lines ran."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from tapemagic.graph.model import GraphNode
from tapemagic.graph.source import Loop, Outline


def iteration_starts(
    nodes: Sequence[GraphNode], first: int, last: int, depth: int, loops: int, outline: Outline
) -> tuple[int, ...]:
    """First node of each iteration of one loop.

    Parameters
    ----------
    nodes : sequence of GraphNode
    first, last : int
        The stretch of the recording that belongs to the loop.
    depth : int
        Frames below cell level at which the loop stands.
    loops : int
        How many loops of its frame are open inside it, itself included.
    outline : Outline
        Of the text that the loop stands in.

    Notes
    -----
    A new iteration begins where the lines jump back or into another branch of the same `if`, or
    where one line binds a name once more than its statements do. A body of one line without a name
    leaves only its repetition to go by.
    """
    starts = [first]
    visits: dict[int, tuple[int, bool]] = {}  # line -> (where its visit is counted, plain)
    lines: set[int] = set()
    bound: Counter[str] = Counter()  # how often the line that runs has bound names, in this visit
    after_binding = first
    previous = -1
    for index in range(first, last):
        node = nodes[index]
        if node.op == "source":
            continue
        line = line_at(node, depth)
        if line not in visits:
            inner = outline.loops(line)[loops:]
            visits[line] = (inner[0][0], False) if inner else (outline.statement(line), True)
        visit, plain = visits[line]
        name = node.name.partition("@")[0] if plain else ""
        if visit < previous or outline.excludes(previous, visit):
            starts.append(index)
        elif visit == previous and name and bound[name] >= max(outline.writes(visit, name), 1):
            starts.append(after_binding)
            bound.clear()
        if visit != previous:
            bound.clear()
        if name:
            bound[name] += 1
            after_binding = index + 1
        lines.add(visit)
        previous = visit
    if len(starts) == 1 and len(lines) == 1 and all(plain for _, plain in visits.values()):
        return period_starts(nodes, first, last)
    return tuple(starts)


def records_throughout(
    nodes: Sequence[GraphNode],
    born: Mapping[str, int],
    first: int,
    last: int,
    depth: int,
    loop: Loop,
    outline: Outline,
) -> bool:
    """Tell whether each iteration of a loop has certainly recorded something.

    So it is if some statement runs in every iteration (or one branch or another of some `if` does)
    and reads what was on the tape before the loop, itself or by its name. A value that the loop
    itself makes may have been a plain one in its first iterations. `born` has the first node of
    each name.
    """
    lines: set[int] = set()
    for index in range(first, last):
        node = nodes[index]
        line = outline.statement(line_at(node, depth))
        if line in lines or not any(
            start < first or born.get(nodes[start].name.partition("@")[0], first) < first
            for start in node.inputs
            if start is not None
        ):
            continue
        lines.add(line)
        if outline.always_runs(loop, lines):
            return True
    return False


def line_at(node: GraphNode, depth: int) -> int:
    """Line of a node as seen from `depth` frames below the cell."""
    if depth == 0 or not node.frames:
        return node.line or 0
    return node.frames[min(depth, len(node.frames)) - 1][2]


def period_starts(nodes: Sequence[GraphNode], first: int, last: int) -> tuple[int, ...]:
    """First node of each repetition when a stretch does the same over and over.

    Repetitions are counted from the end: the first one is often shorter, as what it starts from
    is a constant. ``(first,)`` when nothing repeats.
    """
    members = [index for index in range(first, last) if nodes[index].op != "source"]
    tokens = [
        (node.op, node.line, node.frames, node.name.partition("@")[0])
        for node in (nodes[index] for index in members)
    ]
    period = smallest_period(tokens[::-1])
    total = len(tokens)
    if not period or total < 2 * period:
        return (first,)
    begin = total % period
    whole = list(range(begin, total, period))
    return tuple(members[place] for place in ([0, *whole] if begin else whole))


def smallest_period(tokens: Sequence) -> int:
    """Smallest p with ``tokens[k] == tokens[k + p]`` throughout (Knuth, Morris and Pratt).

    Examples
    --------
    >>> smallest_period("abcabca"), smallest_period("abc")
    (3, 3)
    """
    borders = [0] * len(tokens)
    length = 0
    for place in range(1, len(tokens)):
        while length and tokens[place] != tokens[length]:
            length = borders[length - 1]
        if tokens[place] == tokens[length]:
            length += 1
        borders[place] = length
    return len(tokens) - borders[-1] if tokens else 0
