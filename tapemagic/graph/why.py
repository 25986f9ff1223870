"""Why a gradient is missing, zero or not a number."""

from __future__ import annotations

from typing import Any

from tapemagic.graph.model import Graph, SourceRow
from tapemagic.graph.words import visible


def source_reason(tape: Any, graph: Graph, row: SourceRow) -> str:
    """Say in words why the gradient of one source is missing, zero or not a number."""
    if row.name in tape.reasons:
        return visible(tape.reasons[row.name], 160)
    return {
        "not-connected": "the target does not depend on it",
        "zero": "every element is exactly 0",
        "nan": "some elements are not finite",
    }.get(row.state, "")
