"""Findings: what is worth knowing about a recording, in words, most important first.

Each kind of finding is one small function from `Facts` to findings, listed in `FINDERS` in order
of importance. What is said about a source in the table comes from the same functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tapemagic.graph.advice import advised
from tapemagic.graph.facts import Facts, at_line, is_finite, place_of, quoted, sentence
from tapemagic.graph.folding import Folding
from tapemagic.graph.kinks import kinks
from tapemagic.graph.loops import loop_factors
from tapemagic.graph.marks import of_kind
from tapemagic.graph.model import Graph, GraphNode, SourceRow
from tapemagic.graph.why_missing import flat_steps, found_keys, rebindings, why_not_connected
from tapemagic.graph.why_nan import Trouble, beginning_of, begins_at, forward_troubles, troubles_of
from tapemagic.graph.why_values import broadcast_growth
from tapemagic.graph.why_zero import dead_units, why_zero
from tapemagic.graph.words import visible

REASON_LENGTH = 300
MOST_REMARKS = 5
#: Kinds of findings about gradients that are there, and may not be meant.
REMARKED = frozenset({"vanishing", "exploding", "dead", "kink", "broadcast"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing worth knowing.

    Attributes
    ----------
    kind : str
        ``"failed"``, ``"caught"``, ``"nan"``, ``"not-connected"``, ``"not-watched"``, ``"zero"``,
        ``"flat"``, ``"vanishing"``, ``"exploding"``, ``"dead"``, ``"kink"``, ``"broadcast"``,
        ``"rebound"``, ``"text"``, ``"taken"`` or ``"not-run"``.
    names : tuple of str
        The variables it is about.
    line : int or None
        Line of the cell.
    message : str
        One or two sentences.
    fix : str
        One thing to do about it; may be empty.
    """

    kind: str
    names: tuple[str, ...]
    line: int | None
    message: str
    fix: str = ""

    def __str__(self) -> str:
        return f"{self.message} {self.fix}".strip()


def findings(tape: Any, graph: Graph) -> list[Finding]:
    """List what is worth knowing about a recording, most important first.

    Parameters
    ----------
    tape : object
        With the reading interface of `GradientTape`.
    graph : Graph
        Of that tape.
    """
    facts = Facts(tape, graph)
    return [finding for finder in FINDERS for finding in finder(facts)]


def explain(tape: Any, graph: Graph, name: str | None = None) -> str:
    """Tell the findings about a name, or all of them, as text.

    A name with nothing to tell is said to be fine; one that is not known is said to be unknown.
    """
    found = findings(tape, graph)
    if name is None:
        return "\n".join(map(str, found)) or "Nothing to remark."
    rows = [row.name for row in graph.sources]
    inside = [row for row in rows if row.startswith((f"{name}.", f"{name}["))]
    names = inside if inside and name not in rows else [name]
    said = [str(finding) for finding in found if not set(names).isdisjoint(finding.names)]
    told = {one for finding in found if finding.kind not in REMARKED for one in finding.names}
    return "\n".join(
        [*(nothing_to_tell(tape, graph, one) for one in names if one not in told), *said]
    )


def nothing_to_tell(tape: Any, graph: Graph, name: str) -> str:
    """Answer for a name about which there is no finding."""
    shown = quoted(name)
    if graph.failure is not None and not graph.has_gradients:
        return sentence(f"{shown} has no gradient: {graph.failure.sentence}")
    for row in graph.sources:
        if row.name == name and row.gradient is not None:
            return f"{shown} has a gradient: {row.gradient.text}."
    for node in graph.nodes:
        if name in (node.name, node.name.partition("@")[0]):
            gradient = graph.gradient(node.index)
            where = f"{shown} ({place_of(node)})"
            if gradient is not None:
                return f"{where} has a gradient: {gradient.text}."
            return f"{where} is recorded and not on a path from the sources to the target."
    if name in tape.cell_names.integers:
        return f"{shown} is no source: {tape.cell_names.integers[name]}."
    if name in tape.cell_names.unwatched:
        return f"{shown} is no source: it was not watched; name it: %%tape {name}."
    return f"{shown} was not recorded: it is neither a source nor bound by the cell."


def remarks(facts: Facts) -> tuple[str, ...]:
    """Tell of gradients that are there and may not be meant: dead units, kinks, what has grown.

    And of a target that is not finite, if no gradient is there to say so.
    """
    said = [str(finding) for finder in (dead, at_kinks, grown) for finding in finder(facts)]
    said += dict.fromkeys(sentence(message) for _, _, message in found_keys(facts))
    target = facts.graph.target
    told = any(row.state == "nan" for row in facts.graph.sources)
    if target is not None and not told and not is_finite(facts.recorded[target[1]].value):
        said[:0] = [str(one) for one in not_finite(facts) if target[0] in one.names]
    return tuple(said)


def remarks_on(folding: Folding) -> list[str]:
    """What the page says below the table: the same, and loops along which gradients fade."""
    faded = [sentence(message) for _, _, message in loop_factors(folding)]
    said = [*faded, *folding.graph.remarks]
    if len(said) > MOST_REMARKS:
        said[MOST_REMARKS:] = [f"… and {len(said) - MOST_REMARKS} more: tape.explain()"]
    return said


def source_reason(facts: Facts, row: SourceRow) -> str:
    """Say in words why the gradient of one source is missing, zero or not a number: and a fix."""
    if row.name in facts.tape.reasons:
        return visible(facts.tape.reasons[row.name], REASON_LENGTH)
    if row.index is None or row.state in ("ok", "not-run"):
        return ""
    reason, fix = REASONS[row.state](facts, row.index)
    return visible(f"{reason}. {fix}" if fix else reason, REASON_LENGTH)


def why_nan(facts: Facts, source: int) -> tuple[str, str]:
    """Name the operations at which a value and the gradient of a source stopped being finite."""
    if not is_finite(facts.recorded[source].value):
        return "its own value is not finite", ""
    told = [
        f"{trouble.message} ({in_brackets(trouble.fix)})" if trouble.fix else trouble.message
        for trouble in troubles_of(facts, source)
    ]
    return "; ".join(told) or "some elements are not finite", ""


def in_brackets(text: str) -> str:
    """Spell a sentence as it stands between brackets in another one."""
    return text[:1].lower() + text[1:].rstrip(".")


#: State of a source -> what says why, and what to do.
REASONS: dict[str, Callable[[Facts, int], tuple[str, str]]] = {
    "not-connected": lambda facts, source: advised(why_not_connected(facts, source)),
    "zero": lambda facts, source: advised(why_zero(facts, source)),
    "nan": why_nan,
}


def failed(facts: Facts) -> Iterator[Finding]:
    """The cell raised."""
    failure = facts.graph.failure
    if failure is not None:
        message = sentence(failure.sentence)
        yield Finding(
            "failed",
            (),
            failure.line,
            message,
            "What was recorded before it can still be looked at.",
        )


def caught(facts: Facts) -> Iterator[Finding]:
    """Refusals that the code caught."""
    for line, message in facts.tape.caught:
        fix = "Let the error pass: it says what to do instead."
        yield Finding("caught", (), line, sentence(visible(message, REASON_LENGTH)), fix)


def not_finite(facts: Facts) -> Iterator[Finding]:
    """The first value that is nan or inf, and where the gradient of each source became so."""
    names: dict[Trouble, list[str]] = {found: [] for found in forward_troubles(facts)}
    for row in facts.graph.sources:
        if row.state != "nan" or row.index is None:
            continue
        for found in troubles_of(facts, row.index):
            names.setdefault(found, []).append(row.name)
    target = facts.graph.target
    is_bad = target is not None and not is_finite(facts.recorded[target[1]].value)
    if target is not None and is_bad:
        names.setdefault(begins_at(facts, beginning_of(facts, target[1])), [])
    for found, affected in names.items():
        message = found.message
        if target is not None and is_bad and facts.downstream(found.node)[target[1]]:
            affected.append(target[0])
        elif target is not None and not affected and not is_bad:
            message += f"; {quoted(target[0])} and the gradients are finite all the same"
        yield Finding("nan", tuple(affected), found.line, sentence(message), found.fix)


def not_watched(facts: Facts) -> Iterator[Finding]:
    """Names that could not be sources."""
    for name, words in facts.tape.reasons.items():
        yield Finding(
            "not-watched",
            (name,),
            None,
            sentence(f"{quoted(name)} has no gradient: {visible(words, REASON_LENGTH)}"),
        )


#: Kind of mark -> what happened there, and what to do instead.
WAYS_ASIDE = {
    "text": (
        (
            "went into text or a file, and {line} reads such a number back: "
            "the gradient does not go that way."
        ),
        "Use the value itself.",
    ),
    "taken": (
        "went into {detail}, {line}: what is computed from it there counts as constant.",
        "Compute with arrays, and make tables of the results.",
    ),
}


def went_aside(facts: Facts) -> Iterator[Finding]:
    """Values that went through text or into a table: the gradient lacks that way."""
    for kind, (said, fix) in WAYS_ASIDE.items():
        went: dict[tuple[int | None, str], list[GraphNode]] = {}
        for node in facts.graph.nodes:
            for _, line, detail in of_kind(node, kind):
                went.setdefault((line, detail), []).append(node)
        for (line, detail), nodes in went.items():
            more = f" and {len(nodes) - 1} more" if len(nodes) > 1 else ""
            message = said.format(line=at_line(line), detail=detail)
            names = facts.sources_of(*(node.index for node in nodes))
            said_of = sentence(f"{facts.spelled(nodes[0])}{more} {message}")
            yield Finding(kind, names, line, said_of, fix)


def without_gradient(facts: Facts) -> Iterator[Finding]:
    """Sources whose gradient is missing or exactly zero."""
    for kind, said in (("not-connected", "has no gradient"), ("zero", "has gradient 0")):
        for row in facts.graph.sources:
            if row.state == kind and row.index is not None and row.name not in facts.tape.reasons:
                reason, fix = REASONS[kind](facts, row.index)
                message = f"{quoted(row.name)} {said}: {visible(reason, REASON_LENGTH)}"
                yield Finding(kind, (row.name,), None, sentence(message), fix)


def flattened(facts: Facts) -> Iterator[Finding]:
    """Steps without a derivative, beside others that have one."""
    names: dict[tuple[int | None, str], list[str]] = {}
    for name, line, message in (*flat_steps(facts), *found_keys(facts)):
        names.setdefault((line, message), []).append(name)
    for (line, message), affected in names.items():
        yield Finding("flat", tuple(affected), line, sentence(message))


def loops(facts: Facts) -> Iterator[Finding]:
    """Gradients that vanish or explode along a loop."""
    for kind, loop, message in loop_factors(facts.folding):
        names = facts.sources_of(loop.last - 1)
        yield Finding(kind, names, loop.line, sentence(message))


def dead(facts: Facts) -> Iterator[Finding]:
    """Rectifiers that are 0 for all of a batch in some of their columns."""
    for index, message in dead_units(facts):
        line = facts.graph.nodes[index].line
        yield Finding("dead", facts.sources_of(index), line, sentence(message))


def at_kinks(facts: Facts) -> Iterator[Finding]:
    """Elements at a tie or kink, where the number shown is one of several valid ones."""
    for line, message, nodes in kinks(facts):
        yield Finding("kink", facts.sources_of(*nodes), line, sentence(message))


def grown(facts: Facts) -> Iterator[Finding]:
    """Broadcasting that made both operands larger."""
    for index, line, message, fix in broadcast_growth(facts):
        yield Finding("broadcast", facts.sources_of(index), line, sentence(message), fix)


def rebound(facts: Facts) -> Iterator[Finding]:
    """Sources whose name got a new value inside the cell."""
    for name, line, message, fix in rebindings(facts):
        yield Finding("rebound", (name,), line, message, fix)


def not_run(facts: Facts) -> Iterator[Finding]:
    """Nobody asked for a gradient."""
    if not facts.graph.has_gradients and facts.graph.failure is None:
        reason = facts.tape.target_reason
        said = sentence(f"no target: {reason}") if reason else "No gradient was asked for yet."
        yield Finding("not-run", tuple(facts.tape.source_nodes), None, said)


FINDERS: tuple[Callable[[Facts], Iterator[Finding]], ...] = (
    failed, caught, not_finite, without_gradient, went_aside, not_watched, flattened, loops,
    dead, at_kinks, grown, rebound, not_run,
)  # fmt: skip
