"""A graph as JSON text, and back: a run that can be looked at after its kernel is gone."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import Any

from tapemagic.errors import TapeUseError
from tapemagic.graph.model import FailureRow, Graph, GraphNode, SourceRow, Summaries
from tapemagic.graph.source import SourceMap
from tapemagic.graph.summary import ArraySummary

FORMAT = 1
#: Values and gradients are summarised for graphs up to this many nodes.
SUMMARISED = 20_000


def to_json(graph: Graph) -> str:
    """Write a graph as text: structure, summaries and the cell's source, never the arrays."""
    indices = range(len(graph.nodes)) if len(graph.nodes) <= SUMMARISED else ()
    constants = {
        f"{node.index} {position}": _summary(graph.constant(node.index, position))
        for node in (graph.nodes if indices else ())
        for position, start in enumerate(node.inputs)
        if start is None
    }
    return json.dumps(
        {
            "tapemagic": FORMAT,
            "nodes": [node._asdict() for node in graph.nodes],
            "sources": [asdict(row) for row in graph.sources],
            "lines": graph.lines,
            "target": graph.target,
            "has_gradients": graph.has_gradients,
            "no_target": graph.no_target,
            "remarks": graph.remarks,
            "failure": None if graph.failure is None else asdict(graph.failure),
            "values": {index: _summary(graph.value(index)) for index in indices},
            "gradients": {index: _summary(graph.gradient(index)) for index in indices},
            "constants": constants,
        },
        default=_complex,
    )


def _summary(summary: ArraySummary | None) -> dict[str, Any] | None:
    return None if summary is None else asdict(summary)


def _complex(value: Any) -> Any:
    if isinstance(value, complex):
        return {"re": value.real, "im": value.imag}
    raise TypeError(f"{type(value).__name__} in a graph")


def from_json(text: str, kind: type[Graph] = Graph) -> Graph:
    """Read a graph that `to_json` wrote, as one of a kind.

    Raises
    ------
    TapeUseError
        If the text is something else.
    """
    try:
        data = json.loads(text)
        if data["tapemagic"] != FORMAT:
            raise TapeUseError(f"The file has format {data['tapemagic']}, and {FORMAT} is known.")
        lines = tuple(data["lines"])
        return kind(
            nodes=tuple(map(_node, data["nodes"])),
            sources=tuple(_source(row) for row in data["sources"]),
            lines=lines,
            target=None if data["target"] is None else tuple(data["target"]),
            has_gradients=data["has_gradients"],
            no_target=data.get("no_target", ""),
            remarks=tuple(data.get("remarks", ())),
            failure=None if data["failure"] is None else _build(FailureRow, data["failure"]),
            source_map=SourceMap("\n".join(lines)),
            values=_summaries(data["values"]),
            gradients=_summaries(data["gradients"]),
            constants=_summaries(data["constants"], pairs=True),
        )
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, TapeUseError):
            raise
        raise TapeUseError(
            "This is not a run that tapemagic saved.", fix="Save one with tape.save(...)."
        ) from error


def _tuples(value: Any) -> Any:
    """Turn the lists of JSON back into the tuples of frozen dataclasses."""
    if isinstance(value, list):
        return tuple(map(_tuples, value))
    if isinstance(value, dict) and value.keys() == {"re", "im"}:
        return complex(value["re"], value["im"])
    return value


def _build(cls: type, row: dict[str, Any]) -> Any:
    names = {field.name for field in fields(cls)}
    return cls(**{name: _tuples(value) for name, value in row.items() if name in names})


def _node(row: dict[str, Any]) -> GraphNode:
    return GraphNode(**{name: _tuples(row[name]) for name in GraphNode._fields if name in row})


def _source(row: dict[str, Any]) -> SourceRow:
    made = {
        name: None if row[name] is None else _build(ArraySummary, row[name])
        for name in ("value", "gradient")
    }
    return _build(SourceRow, row | made)


def _summaries(rows: dict[str, Any], *, pairs: bool = False) -> Summaries:
    made = {(tuple(map(int, key.split())) if pairs else int(key)): row for key, row in rows.items()}
    summaries = Summaries(lambda key: None)
    summaries.fill(
        {key: None if row is None else _build(ArraySummary, row) for key, row in made.items()}
    )
    return summaries
