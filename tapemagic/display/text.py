"""The recording as text: what a terminal shows, and what every richer display falls back to."""

from __future__ import annotations

import textwrap
import unicodedata

from tapemagic.display.boxes import no_gradient
from tapemagic.display.gates import symbol
from tapemagic.display.scene import source_row, target_row
from tapemagic.graph.folding import Folding, Item
from tapemagic.graph.marks import SCISSORS, is_cut, lines_of, of_kind
from tapemagic.graph.model import ArraySummary, Graph, GraphNode, Group
from tapemagic.graph.why import remarks_on
from tapemagic.graph.words import counted, cut, end_of_path, number, visible

WIDTH = 80
MOST_SOURCES = 40
COLUMNS = {"name": 12, "shape": 10, "value": 20, "gradient": 20, "norm": 9}
MOST_NAME = 34
CODE, DONE, RESULT = 28, 10, 14


def to_text(graph: Graph, *, folding: Folding | None = None) -> str:
    """Tell a recording in lines of at most 80 columns.

    Parameters
    ----------
    graph : Graph
    folding : Folding, optional
        Of the same graph, kept from another display.

    Returns
    -------
    str
        A headline, the table of sources, and the operations folded by line.
    """
    rows = [headline(graph), ""]
    if graph.sources:
        rows += [*source_table(graph), ""]
    folding = folding or Folding(graph)
    rows += operations(folding)
    rows += read_back(graph)
    for said in remarks_on(folding):
        rows += textwrap.wrap(f"! {said}", WIDTH, subsequent_indent="  ")
    if graph.failure is not None:
        failed = f"✗ {graph.failure.sentence}"
        rows += textwrap.wrap(failed, WIDTH, subsequent_indent="  ")
    return "\n".join(fit(row, WIDTH).rstrip() for row in rows)


def wrapped(note: str) -> str:
    """Break the lines of a note that a terminal has no room for; those of a matrix are short."""
    return "\n".join(
        textwrap.fill(line, WIDTH) if len(line) > WIDTH else line for line in note.split("\n")
    )


def headline(graph: Graph) -> str:
    """Target and size in one line; no In [n], which would change from run to run."""
    count = sum(node.op != "source" for node in graph.nodes)
    target = target_row(graph)
    said = f": {target['name']} = {target['value']}" if target["name"] else ""
    title = cut("tape" + said, 58)
    return f"{title} ({counted(count, 'operation')})"


def source_table(graph: Graph) -> list[str]:
    """One line per source, and its reason below where there is one."""
    told = [source_row(graph, row) for row in graph.sources[:MOST_SOURCES]]
    widths = column_widths([shown["name"] for shown in told])
    columns = {title: widths[title] for title in COLUMNS if any(shown[title] for shown in told)}
    rows = ["  ".join(pad(title, width) for title, width in columns.items())]
    for shown in told:
        shown["name"] = end_of_path(shown["name"], columns["name"])
        rows.append("  ".join(pad(shown[title], width) for title, width in columns.items()))
        if shown["reason"]:
            rows += textwrap.wrap(
                shown["reason"], WIDTH - 4, initial_indent="    ", subsequent_indent="    "
            )
    if len(graph.sources) > MOST_SOURCES:
        rows.append(f"… and {counted(len(graph.sources) - MOST_SOURCES, 'more source')}")
    return rows


def column_widths(names: list[str]) -> dict[str, int]:
    """Give names the room that tells them apart, at the cost of values and gradients.

    Examples
    --------
    >>> column_widths(["layers[0].neurons.w", "layers[1].neurons.w"])["name"]
    13
    """
    width, different = COLUMNS["name"], len(set(names))
    while width < MOST_NAME and len({end_of_path(name, width) for name in names}) < different:
        width += 1
    taken = width - COLUMNS["name"]
    value, gradient = COLUMNS["value"] - taken // 2, COLUMNS["gradient"] - (taken + 1) // 2
    return COLUMNS | {"name": width, "value": value, "gradient": gradient}


def operations(folding: Folding) -> list[str]:
    """One line per line of the cell: its text, what it did, value and gradient of its result."""
    items = folding.children(folding.root)
    if not items:
        return ["nothing was recorded"]
    head = f"line  {pad('code', CODE)}  {pad('did', DONE)}  {pad('value', RESULT)}"
    if not folding.graph.obstacle:
        head += "   gradient"
    return [head, *(operation_row(folding, item) for item in items)]


def read_back(graph: Graph) -> list[str]:
    """Say where a gradient lacks a part, since a number went through text."""
    texts = [mark for node in graph.nodes if node.marks for mark in of_kind(node, "text")]
    if not texts:
        return []
    said = (
        f"! a value went into text or a file, read back at {lines_of(texts)}: the gradient lacks "
        "what went that way"
    )
    return textwrap.wrap(said, WIDTH, subsequent_indent="  ")


def operation_row(folding: Folding, item: Item) -> str:
    """Tell one operation or group in a line."""
    graph = folding.graph
    if isinstance(item, Group):
        members = [n for n in graph.nodes[item.first : item.last] if n.op != "source"]
        # what goes on to the target says more than what does not
        going = (node for node in reversed(members) if graph.gradient(node.index) is not None)
        last, line = next(going, members[-1]), item.line
        if item.kind == "loop":
            done = f"× {item.count:,}" if item.is_complete else "loop"
        else:
            done = " ".join(map(sign, members[:6]))
            done += " …" if len(members) > 6 else ""
        titled = item.kind in ("loop", "run") or line is None
        code = item.title if titled else graph.code(line)
    else:
        last = graph.nodes[item]
        line, done = last.line, sign(last)
        code = graph.code(graph.source_map.outline().statement(line) if line else None)
    value, gradient = graph.value(last.index), graph.gradient(last.index)
    given = short(value) if value is not None else "not kept"
    place = str(line) if line else ""
    did = f"{pad(visible(code), CODE)}  {pad(visible(done), DONE)}"
    row = f"{place:>4}  {did}  {pad(given, RESULT)}"
    if graph.obstacle:
        return row
    back = short(gradient) if gradient is not None else no_gradient(graph, graph.state(last.index))
    return f"{row} | {back}"


def sign(node: GraphNode) -> str:
    """Sign of an operation, with scissors if its result was cut."""
    return f"{symbol(node.op)} {SCISSORS.strip()}" if is_cut(node) else symbol(node.op)


def short(summary: ArraySummary) -> str:
    """Spell a value in 14 columns: its elements when they fit, else its norm."""
    if len(summary.text) > RESULT and summary.norm is not None:
        return f"norm {number(summary.norm)}"
    return cut(summary.text, RESULT)


def pad(text: str, width: int) -> str:
    """Cut or fill to a number of terminal columns."""
    text = fit(text, width)
    return text + " " * (width - columns(text))


def fit(text: str, width: int) -> str:
    """Cut to a number of terminal columns."""
    if columns(text) <= width:
        return text
    while columns(text) > width - 1:
        text = text[: max(len(text) - 1 - (columns(text) - width) // 2, 0)]
    return text + "…"


def columns(text: str) -> int:
    r"""Columns that a terminal gives a text: two for wide characters, none for combining ones.

    Examples
    --------
    >>> columns("abc"), columns("中文"), columns("e\u0301")
    (3, 4, 1)
    """
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character)
        else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )  # fmt: skip
