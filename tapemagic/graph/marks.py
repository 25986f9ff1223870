"""What happened to a value besides operations: it was cut, shown, or became an integer or bool."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from tapemagic.graph.facts import at_line
from tapemagic.graph.model import GraphNode, Mark
from tapemagic.graph.words import listed

SCISSORS = "✂ "  # a note that begins so is drawn as a cut
CUT, LEFT = "cut by", "left the tape"
#: How the reason ends where a custom rule gave None.
PASSED_NOTHING = "passed no gradient on to it"


def notes_of(node: GraphNode, explains: bool) -> list[str]:
    """Say what happened to a node; that it left the tape only where it `explains` something.

    Examples
    --------
    >>> marks = (("cut", 3, ""), ("shown", 4, ""), ("flat", 5, "an integer (int)"))
    >>> node = GraphNode(0, "sin", "y", (), (), (), "float64", 2, (), (), marks)
    >>> notes_of(node, explains=False)
    ['✂ cut by stop_gradient at line 3', 'shown at line 4']
    >>> notes_of(node, explains=True)[1]
    'left the tape as an integer (int) at line 5'
    """
    notes: list[str] = []
    notes += [f"{SCISSORS}{CUT} {by} at {lines}" for by, lines in cuts_of(node.marks)]
    if explains:
        notes += [
            f"{LEFT}{f' as {detail}' if detail else ''} at {at_line(line)}"
            for _, line, detail in of_kind(node, "flat")[:2]
        ]
    notes += [f"{LEFT} into {by} at {lines}" for by, lines in by_detail(node.marks, "taken")]
    if texts := of_kind(node, "text"):
        notes.append(f"{LEFT} as text or in a file, read back at {lines_of(texts)}")
    if shown := of_kind(node, "shown"):
        notes.append(f"shown at {lines_of(shown)}")
    return notes


def ways_out_of_tape(marks: Iterable[Mark]) -> list[str]:
    """Say where values were cut or left the tape, as reasons for a gradient that is missing."""
    marks = list(marks)
    reasons = [f"{CUT} {by} ({lines})" for by, lines in cuts_of(marks)]
    if texts := [mark for mark in marks if mark[0] == "text"]:
        reasons.append(f"{LEFT} as text or in a file, read back ({lines_of(texts)})")
    reasons += [f"{LEFT} into {by} ({lines})" for by, lines in by_detail(marks, "taken")]
    left: dict[tuple[int | None, str], str] = {}
    keys = {line for kind, line, became in marks if kind == "flat" and is_key(became)}
    for kind, line, became in marks:
        by = line, became.partition("(")[2] or became
        # np.histogram asks for bools on its way to integers, and a dict compares keys
        asked = became.startswith("a bool") and (by in left or line in keys)
        if kind == "flat" and not asked:
            left[by] = f"at {at_line(line)}{f' as {became}' if became else ''}"
    if left:
        reasons.append(f"{LEFT} {listed(list(left.values()), 3)}")
    return reasons


def is_key(became: str) -> bool:
    """Whether a value was looked up in a dict, a set or a cache."""
    return became.startswith("a key ")


def cuts_of(marks: Iterable[Mark]) -> list[tuple[str, str]]:
    """Say what cut values off (`stop_gradient`, `numpy()`), each with its lines."""
    return [(by or "stop_gradient", lines) for by, lines in by_detail(marks, "cut")]


def by_detail(marks: Iterable[Mark], kind: str) -> list[tuple[str, str]]:
    """Return what marks of a kind say besides, each with its lines."""
    marks = [mark for mark in marks if mark[0] == kind]
    return [
        (detail, lines_of([mark for mark in marks if mark[2] == detail]))
        for detail in dict.fromkeys(mark[2] for mark in marks)
    ]


def marks_of(nodes: Iterable[Any]) -> Iterator[Mark]:
    """Yield what happened to nodes of a tape or of its graph, in order."""
    for node in nodes:
        yield from node.marks


def is_cut(node: GraphNode) -> bool:
    """Whether stop_gradient or the like was applied to a node."""
    return bool(of_kind(node, "cut"))


def of_kind(node: GraphNode, kind: str) -> list[Mark]:
    """Return the marks of one kind."""
    return [mark for mark in node.marks if mark[0] == kind]


def lines_of(marks: list[Mark]) -> str:
    """List the lines of marks."""
    return listed(list(dict.fromkeys(at_line(line) for _, line, _ in marks)))
