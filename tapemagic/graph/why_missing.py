"""Why the gradient of a source is missing."""

from __future__ import annotations

from collections.abc import Iterator

from tapemagic.graph.facts import Facts, at_line, op_at, place_of, quoted
from tapemagic.graph.marks import PASSED_NOTHING, marks_of, of_kind, ways_out_of_tape
from tapemagic.graph.model import GraphNode
from tapemagic.graph.words import listed, visible

FLAT = frozenset({
    "floor", "ceil", "rint", "round", "around", "trunc", "fix",
    "sign", "signbit", "heaviside", "floor_divide", "astype",
    "argmax", "argmin", "argsort", "searchsorted", "digitize",
    "greater", "greater_equal", "less", "less_equal", "equal", "not_equal",
    "isnan", "isinf", "isfinite", "nonzero", "count_nonzero",
})  # fmt: skip

#: What makes an integer of a number on purpose; others, such as argmax, are seldom a mistake.
ROUNDING = frozenset({"int", "astype", "round", "floor", "ceil", "trunc"})


def why_not_connected(facts: Facts, source: int) -> str:
    """Say why no gradient came back to a source."""
    graph = facts.graph
    name = quoted(graph.nodes[source].name)
    marks = facts.downstream(source)
    last = max(index for index, mark in enumerate(marks) if mark)
    target = graph.target[1] if graph.target else None
    if target is not None and marks[target]:
        return why_cut(facts, marks)
    left = ways_out_of_tape(marks_of(node for node in graph.nodes if marks[node.index]))
    node = graph.nodes[last]
    if left and any(kind != "shown" for kind, *_ in node.marks):
        return "; ".join(left)
    return "; ".join([*left, why_unread(facts, name, node, source)])


def why_unread(facts: Facts, name: str, node: GraphNode, source: int) -> str:
    """Say what the last value computed from a source is, which the target does not read."""
    if node.index == source:
        unread = f"no recorded operation reads {name}"
        if how := facts.how_replaced(source):
            unread = f"{name} was {how}, and no recorded operation reads its value from before"
        return "; ".join(filter(None, [unread, facts.tape.target_reason]))
    last = f"the last value computed from {name} is {facts.spelled(node)}"
    if facts.tape.target_reason:
        return f"{facts.tape.target_reason}; {last}"
    return (
        f"{facts.target_name} does not depend on it: {last}, "
        f"and {facts.target_name} does not read that"
    )


def why_cut(facts: Facts, marks: bytearray) -> str:
    """Say where a gradient that was on its way ended."""
    blockers = [
        node
        for node in facts.graph.nodes
        if marks[node.index] and node.index in facts.cotangents
        and any(
            start is not None and marks[start] and start not in facts.cotangents
            for start in node.inputs
        )
    ]  # fmt: skip
    flat = [node for node in blockers if is_flat(node)]
    if flat:
        return (
            f"the path goes only through {ops_of(flat)}, which {is_or_are(flat)} flat: "
            "the derivative is 0 wherever it exists"
        )
    if blockers:
        return f"{ops_of(blockers)} {PASSED_NOTHING}"
    return f"{facts.target_name} does not depend on it"


def flat_steps(facts: Facts) -> Iterator[tuple[str, int | None, str]]:
    """Steps at which a part of a gradient ends: a source that has other parts, line and words."""
    ends: dict[tuple[int | None, str], int] = {}
    for node in facts.graph.nodes:
        for _, line, detail in of_kind(node, "flat"):
            if name_of(detail) in ROUNDING:
                place = f"{at_line(line)}{detail.partition(')')[2]}"
                ends[line, f"{quoted(name_of(detail))} makes an integer ({place})"] = node.index
        if is_flat(node) and node.index in facts.cotangents:
            ends[node.line, f"{quoted(node.op)} is flat ({place_of(node)})"] = node.index
    yield from _affected(facts, ends)


def found_keys(facts: Facts) -> Iterator[tuple[str, int | None, str]]:
    """Keys of dicts and caches under which something was found: as `flat_steps` says it."""
    ends: dict[tuple[int | None, str], int] = {}
    for node in facts.graph.nodes:
        for _, line, _ in of_kind(node, "found"):
            under = facts.spelled(node)
            what = f"what a dict or a cache held under {under} before, read at {at_line(line)}"
            ends[line, f"{what}, counts as constant"] = node.index
    yield from _affected(facts, ends)


def _affected(
    facts: Facts, ends: dict[tuple[int | None, str], int]
) -> Iterator[tuple[str, int | None, str]]:
    for row in facts.graph.sources if ends else ():
        if row.index is not None and row.state in ("ok", "nan"):
            marks = facts.downstream(row.index)
            for (line, what), index in ends.items():
                if marks[index]:
                    yield row.name, line, f"{what}: no gradient goes through it"


def name_of(detail: str) -> str:
    """Return the function in what a value became: ``an integer (int) in half at line 3``."""
    return detail.partition("(")[2].partition(")")[0]


def is_flat(node: GraphNode) -> bool:
    """Whether an operation has derivative 0 wherever it has one."""
    return node.op in FLAT or (bool(node.formulas) and set(node.formulas) == {"0"})


def ops_of(nodes: list[GraphNode]) -> str:
    """Name operations with their lines."""
    return listed(list(dict.fromkeys(map(op_at, nodes))))


def is_or_are(nodes: list[GraphNode]) -> str:
    """Agree with the number of operations that `ops_of` names."""
    return "is" if len({(node.op, node.line) for node in nodes}) == 1 else "are"


def rebindings(facts: Facts) -> Iterator[tuple[str, int | None, str, str]]:
    """Sources whose name stands for something else at the end: name, line, words and advice."""
    tape, sources = facts.tape, facts.tape.source_nodes
    missing = {row.index for row in facts.graph.sources if row.state == "not-connected"}
    for name, first in sources.items():
        ids = [index for known, index in tape.bindings if known == name]
        ids = ids if first in ids else [first, *ids]
        if first in missing and not facts.users[first]:
            continue  # that is said as the reason
        shown = visible(name, 40)
        is_made = name in tape.cell_names.made
        then = "the value that it had first" if is_made else "its value when the cell began"
        value = f"the gradient is with respect to {then}."
        if ids[-1] != first:
            node, version = facts.graph.nodes[ids[-1]], f"{shown}@{len(ids) - 1}"
            how = facts.how_replaced(first)
            if node.op != "source":
                done = "written into" if node.op == "setitem" else "bound again"
                how = f"{done}, last on {place_of(node)}"
            elif node.index not in sources.values():  # a variable that keeps its name
                how = f"assigned to and read again, last on {place_of(node)}"
                value = "the gradient is with respect to the value that was read first."
            advice = f"Ask for '{version}' to get the other one."
            yield name, node.line, f"'{shown}' was {how} ({version}); {value}", advice
        elif name in tape.cell_names.replaced:
            yield name, None, f"'{shown}' was {facts.how_replaced(first)}; {value}", ""
