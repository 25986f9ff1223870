"""From the tape to the frozen graph.

The tape is read through a handful of attributes (``nodes()``, ``bindings``, ``source_nodes``,
``asked_target``, ``target_reason``, ``cell``, ``cotangents``, ``contribution()``, ``failure``,
``caught``, ``sweep_failure``, ``reasons``), never by its class, so that a plain object with the
same attributes can be drawn as well.
"""

from __future__ import annotations

import gc
import linecache
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from tapemagic.graph.facts import Facts
from tapemagic.graph.known_arrays import KnownArrays
from tapemagic.graph.model import (
    FailureRow,
    Frame,
    Graph,
    GraphNode,
    SourceRow,
    Summaries,
    gradient_state,
)
from tapemagic.graph.source import SourceMap
from tapemagic.graph.why import remarks, source_reason
from tapemagic.graph.words import visible

# Deeper calls than this (a recursive function) are drawn as if they were this deep.
DEEPEST_FRAME = 8
# The values of a recording up to this size are kept at once, by a copy or a summary: the page then
# shows them as they were, also when the person overwrites an array before opening a node.
FROZEN_AT_ONCE = 2000
MOST_REASONS = 30  # each may cost a pass over the tape


def build_graph(tape: Any, kind: type[Graph] = Graph) -> Graph:
    """Turn a recording into plain data.

    Parameters
    ----------
    tape : object
        Anything with the reading interface of `GradientTape`.
    kind : type
        `Graph`, or one that can also be shown.

    Returns
    -------
    Graph
        With one `GraphNode` per recorded operation, in execution order.
    """
    with collector_paused():
        recorded = tape.nodes()
    cell = tape.cell
    text = cell.text if cell is not None else file_text(recorded)
    cotangents = tape.cotangents
    has_gradients = cotangents is not None
    known = {**several(recorded, cotangents or {}), **(cotangents or {})}
    values = Summaries(lambda index: recorded[index].value)
    gradients = Summaries(lambda index: full(known.get(index), recorded[index].shape))
    constants = Summaries(lambda key: recorded[key[0]].constants[key[1]])
    names = node_names(tape.bindings, tape.source_nodes)
    with collector_paused():
        few = len(recorded) <= FROZEN_AT_ONCE
        known_arrays = KnownArrays(getattr(tape, "arrays", {}) if few else {}, text)
        nodes = tuple(graph_nodes(recorded, names, known_arrays, text.count("\n") + 1))
    target = tape.asked_target
    graph = kind(
        nodes=nodes,
        sources=source_rows(tape, nodes, values, gradients, has_gradients),
        lines=tuple(text.splitlines()),
        target=(target[0], target[1]) if target is not None else None,
        has_gradients=has_gradients,
        failure=failure_row(tape.failure or tape.sweep_failure),
        source_map=SourceMap(text),
        values=values,
        gradients=gradients,
        constants=constants,
        no_target=visible(tape.target_reason, 200),
    )
    for index in range(len(nodes)) if few else tape.source_nodes.values():
        values.freeze(index)
        gradients.freeze(index)
    facts = Facts(tape, graph, recorded)
    said = remarks(facts) if few else ()
    return replace(graph, sources=tuple(with_reasons(facts)), remarks=said)


def with_reasons(facts: Facts) -> Iterable[SourceRow]:
    """Add to each row of the table why its gradient is not what one would expect."""
    examined = 0
    for row in facts.graph.sources:
        examined += row.state not in ("ok", "not-run")
        yield replace(row, reason=source_reason(facts, row)) if examined <= MOST_REASONS else row


@contextmanager
def collector_paused() -> Iterator[None]:
    """Make many objects that all stay: the garbage collector would only look at them again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def file_text(recorded: list) -> str:
    """Text of the file or notebook cell in which a ``with GradientTape()`` recorded."""
    calls = recorded[-1].calls if recorded else ()
    return "".join(linecache.getlines(calls[0][1])) if calls else ""


def several(recorded: list, cotangents: dict[int, Any]) -> dict[int, tuple]:
    """Put together the cotangents of operations with several results, which each result has."""
    found: dict[int, tuple] = {}
    for node in recorded:
        if node.op == "pick" and node.index in cotangents:
            found[node.inputs[0]] = (*found.get(node.inputs[0], ()), cotangents[node.index])
    return found


def full(cotangent: Any, shape: tuple[int, ...]) -> Any:
    """Give a cotangent the shape of its node; a sum may pass on one number for all elements."""
    if cotangent is None or isinstance(cotangent, (tuple, list)):
        return cotangent  # of a node with several results
    if getattr(cotangent, "shape", None) == shape:
        return cotangent
    try:
        return np.broadcast_to(np.asarray(cotangent), shape)
    except ValueError:
        return cotangent


def node_names(bindings: Iterable[tuple[str, int]], source_nodes: dict[str, int]) -> dict[int, str]:
    """Name nodes after what they were first bound to.

    A name bound once is itself; one bound again gets versions: the source ``w`` is followed by
    ``w@1``, and an intermediate ``h`` that is bound twice is ``h@1`` and ``h@2``.
    """
    names = {index: name for name, index in source_nodes.items()}
    bindings = list(bindings)
    total: dict[str, int] = {}
    for name, _ in bindings:
        total[name] = total.get(name, 0) + 1
    version: dict[str, int] = {}
    for name, index in bindings:
        if source_nodes.get(name) == index:
            continue  # the source under its own name is version 0
        version[name] = version.get(name, 0) + 1
        once = total[name] == 1 and name not in source_nodes
        names.setdefault(index, name if once else f"{name}@{version[name]}")
    return names


def graph_nodes(
    recorded: list, names: dict[int, str], arrays: KnownArrays, lines: int
) -> Iterable[GraphNode]:
    """Copy what the picture needs from each recorded operation.

    A line beyond the last one of the text belongs to what ran for us, and is no line to show.
    """
    frames_of: dict[tuple, tuple[Frame, ...]] = {}
    for node in recorded:
        calls = node.calls
        frames = frames_of.get(calls)
        if frames is None:
            frames = frames_of[calls] = frames_below_cell(calls, node.line)
        yield GraphNode(
            node.index,
            node.op,
            names.get(node.index, ""),
            node.inputs,
            node.formulas,
            node.shape,
            node.dtype,
            node.line if (node.line or 0) <= lines else None,
            frames,
            arrays.names(node),
            node.marks and tuple(mark for mark in node.marks if (mark[1] or 0) <= lines),
            node.inside,
        )


def frames_below_cell(calls: tuple[Frame, ...], line: int | None) -> tuple[Frame, ...]:
    """Leave out the cell's own frame, and what lies deeper than anybody would open.

    What ran without a `line` of the cell has no frame there; its file stands for a function.
    """
    if line is not None:
        return tuple(calls[1 : DEEPEST_FRAME + 1])
    return tuple(
        (file_name(file) if name == "<module>" else name, file, at)
        for name, file, at in calls[:DEEPEST_FRAME]
    )


def file_name(path: str) -> str:
    """Name a file on the disk; what another cell calls itself changes from run to run."""
    return os.path.basename(path) if os.path.isfile(path) else "another cell"


def failure_row(failure: Any) -> FailureRow | None:
    """Copy the failure, its message made fit for one line."""
    if failure is None:
        return None
    inputs = tuple(getattr(failure, "inputs", ()))
    return FailureRow(failure.line, visible(failure.op, 40), visible(failure.message, 160), inputs)


def source_rows(
    tape: Any,
    nodes: tuple[GraphNode, ...],
    values: Summaries,
    gradients: Summaries,
    has_gradients: bool,
) -> tuple[SourceRow, ...]:
    """One row per source, then one per name that could not be a source."""
    rows = []
    named = set(tape.source_nodes.values())
    unnamed = {
        node.name or f"source {node.index}": node.index
        for node in nodes
        if node.op == "source" and node.index not in named
        if node.name or tape.cell is None  # in a cell others are watched by what it calls
    }
    for name, index in {**tape.source_nodes, **unnamed}.items():
        gradient = gradients(index) if has_gradients else None
        state = gradient_state(gradient, has_gradients)
        node = nodes[index]
        rows.append(SourceRow(name, index, node.shape, node.dtype, values(index), gradient, state))
    refused = [name for name in tape.reasons if name not in tape.source_nodes]
    rows += [SourceRow(name, None, (), "", None, None, "not-connected") for name in refused]
    return tuple(rows)
