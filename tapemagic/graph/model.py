"""The frozen graph of one recording: plain data and summaries, never arrays.

Everything that draws or explains a recording reads this and not the tape. Structure (`nodes`) is
made at once for every operation; summaries cost a pass over each array, so those of a long tape
are made when somebody looks (`Graph.value`, `Graph.gradient`) and then kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tapemagic.graph.summary import ArraySummary

if TYPE_CHECKING:
    from tapemagic.graph.source import SourceMap

__all__ = ["ArraySummary", "Graph", "GraphEdge", "GraphNode", "Group", "SourceRow", "Summaries"]

# One stack frame of an operation: function ('' at cell level), file, line.
Frame = tuple[str, str, int]
# Fate of a value ("cut", "shown", "flat": became an integer or bool, "text": made into text that
# was read back, "taken": plain data of a table, "found": a key of a dict that was made before),
# line, what it became or who has it.
Mark = tuple[str, int | None, str]


class GraphNode(NamedTuple):
    """One recorded operation, or a watched leaf (``op == "source"``).

    Attributes
    ----------
    index : int
        Place in the recording, which is also execution order.
    op : str
        Name of the primitive.
    name : str
        The name the value was bound to (``"w@2"`` for its second binding), or ``""``.
    inputs : tuple of (int or None)
        Operand nodes by position; None where the operand is a constant.
    formulas : tuple of str
        Local derivative per operand.
    line : int or None
        Line of the cell, also for work done inside a helper function.
    frames : tuple of (str, str, int)
        The calls below cell level: function, file, line; outermost first.
    constants : tuple of str
        The person's names of constant operands, by position; may be shorter than `inputs`.
    marks : tuple of (str, int or None, str)
        Where the value was cut, shown, or became an integer or bool.
    inside : str
        The function that it was computed in, in words: ``in relu at line 3``, or "".
    """

    index: int  # type: ignore[assignment]  # a tuple's method of that name is of no use here
    op: str
    name: str
    inputs: tuple[int | None, ...]
    formulas: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: str
    line: int | None
    frames: tuple[Frame, ...]
    constants: tuple[str, ...] = ()
    marks: tuple[Mark, ...] = ()
    inside: str = ""


@dataclass(frozen=True, slots=True)
class GraphEdge:
    """A value on its way into an operation: from node `start` to operand `position` of `end`."""

    start: int
    end: int
    position: int


@dataclass(frozen=True, slots=True)
class Group:
    """A run of operations that is drawn as one box until it is opened.

    Attributes
    ----------
    id : str
        Path of ordinals below the root, such as ``"g3.0"``: the same for the same recording.
    kind : str
        ``"cell"``, ``"line"``, ``"loop"``, ``"iteration"``, ``"call"`` or ``"run"`` (a stretch of
        boxes that would be too many side by side).
    title : str
    first, last : int
        The nodes from `first` up to but not including `last`.
    line : int or None
        First cell line.
    depth : int
        How many frames below cell level its lines are read.
    loops : int
        How many loops of that frame are already open around it.
    starts : tuple of int
        For loops and runs of iterations: where each iteration begins that recorded something.
    is_complete : bool
        Whether these are certainly all of its iterations.
    """

    id: str
    kind: str
    title: str
    first: int
    last: int
    line: int | None
    depth: int = 0
    loops: int = 0
    starts: tuple[int, ...] = ()
    is_complete: bool = True

    @property
    def count(self) -> int:
        """How often its body ran: the × n; 1 where that is not known."""
        return max(len(self.starts), 1) if self.is_complete else 1


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One line of the table of sources.

    `state` is ``"ok"``, ``"not-run"`` (no gradient was asked for), ``"not-connected"``, ``"zero"``
    or ``"nan"``; `reason` says in words why it is anything but ok.
    """

    name: str
    index: int | None
    shape: tuple[int, ...]
    dtype: str
    value: ArraySummary | None
    gradient: ArraySummary | None
    state: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class FailureRow:
    """The operation at which the cell failed."""

    line: int | None
    op: str
    message: str
    inputs: tuple[int | None, ...] = ()

    @property
    def sentence(self) -> str:
        """Where and how it failed, in one sentence without a full stop."""
        where = f"line {self.line}: " if self.line else ""
        what = f"{self.op} failed: " if self.op else ""
        return f"{where}{what}{self.message}"


#: Elements up to which a copy of an array costs less than its summary.
COPIED = 256


class Summaries:
    """Summaries by key (a node index), each made when first asked for and then kept.

    Parameters
    ----------
    read : callable
        Gives the plain value for a key, or None when there is none.
    """

    __slots__ = ("_frozen", "_made", "_read")

    def __init__(self, read: Callable[[Any], object]) -> None:
        self._read = read
        self._frozen: dict[Any, object] = {}
        self._made: dict[Any, ArraySummary | None] = {}

    def fill(self, made: dict[Any, ArraySummary | None]) -> None:
        """Take summaries that were made earlier (a run that was saved)."""
        self._made.update(made)

    def freeze(self, key: Any) -> None:
        """Keep what a value is now, for a look after somebody has written into the array."""
        value = self._read(key)
        if isinstance(value, np.ndarray) and value.size <= COPIED:
            self._frozen[key] = value.copy()
        elif isinstance(value, float | np.generic):  # cannot be written into
            self._frozen[key] = value
        else:
            self(key)

    def __call__(self, key: Any) -> ArraySummary | None:
        """Return the summary of one value."""
        if key not in self._made:
            value = self._frozen.pop(key) if key in self._frozen else self._read(key)
            self._made[key] = None if value is None else ArraySummary.of(value)
        return self._made[key]


@dataclass(frozen=True, slots=True)
class Graph:
    """One recording as plain data.

    Attributes
    ----------
    nodes : tuple of GraphNode
        In execution order: ``nodes[k].index == k``.
    sources : tuple of SourceRow
    lines : tuple of str
        Text of the cell; line 1 first.
    target : tuple (str, int) or None
        Name and node index.
    has_gradients : bool
        Whether a gradient was asked for. When False nothing is said about gradients at all.
    failure : FailureRow or None
    no_target : str
        Why a cell that is over has nothing to differentiate.
    remarks : tuple of str
        What is worth knowing of gradients that are there: kinks, and shapes that grew.
    """

    nodes: tuple[GraphNode, ...]
    sources: tuple[SourceRow, ...]
    lines: tuple[str, ...]
    target: tuple[str, int] | None
    has_gradients: bool
    failure: FailureRow | None
    source_map: SourceMap = field(repr=False, compare=False)
    values: Summaries = field(repr=False, compare=False)
    gradients: Summaries = field(repr=False, compare=False)
    constants: Summaries = field(repr=False, compare=False)
    no_target: str = ""
    remarks: tuple[str, ...] = ()

    @property
    def obstacle(self) -> str:
        """What stands in the place of gradients that will not come; "" if they may, or are here."""
        if self.has_gradients:
            return ""
        if self.failure is not None:
            line = self.failure.line
            return f"failed at line {line}" if line else "the cell failed"
        return "no target" if self.no_target else ""

    def value(self, index: int) -> ArraySummary | None:
        """Summary of a node's value, None when the tape did not keep it."""
        return self.values(index)

    def gradient(self, index: int) -> ArraySummary | None:
        """Summary of a node's gradient, None when it has none (see `state`)."""
        return self.gradients(index) if self.has_gradients else None

    def constant(self, index: int, position: int) -> ArraySummary | None:
        """Summary of a constant operand, None when the tape did not keep it."""
        return self.constants((index, position))

    def state(self, index: int) -> str:
        """Say ``"ok"``, ``"not-run"``, ``"not-connected"``, ``"zero"`` or ``"nan"``."""
        return gradient_state(self.gradient(index), self.has_gradients)

    @property
    def edges(self) -> Iterator[GraphEdge]:
        """Every operand of every operation; an operand used twice is two edges."""
        for node in self.nodes:
            for position, start in enumerate(node.inputs):
                if start is not None:
                    yield GraphEdge(start, node.index, position)

    def code(self, line: int | None) -> str:
        """Text of one cell line, without its indentation."""
        if line is None or not 1 <= line <= len(self.lines):
            return ""
        return self.lines[line - 1].strip()


def gradient_state(gradient: ArraySummary | None, has_gradients: bool) -> str:
    """Put into one word what a gradient says."""
    if not has_gradients:
        return "not-run"
    if gradient is None:
        return "not-connected"
    if not gradient.is_finite:
        return "nan"
    return "zero" if gradient.is_zero else "ok"
