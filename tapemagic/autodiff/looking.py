"""Looking at a tape: its nodes, its graph, and the words about them."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from tapemagic.errors import TapeError, TapeStateError, TapeUseError

from . import absence, lookup, naming, recheck, structures
from .caught import caught
from .checking import Check
from .nodes import Node, Reader
from .positions import user_frame
from .primitives import PULLBACKS
from .structure import settled
from .sweeps.careful import Slots

if TYPE_CHECKING:
    from .program import Program


class SweepFailure(NamedTuple):
    """What ended a sweep: the line and node of the operation if known, and the words."""

    line: int | None
    op: str
    message: str
    inputs: tuple[int, ...]

    @classmethod
    def of(cls, error: Exception) -> Self:
        """Read off an error what the page says of it."""
        if not isinstance(error, TapeError):
            return cls(None, "gradient", f"{type(error).__name__}: {error}", ())
        inputs = () if error.node is None else (error.node,)
        return cls(error.line, "gradient", error.what, inputs)


class Looking:
    """What a tape tells about its run; nothing here is recorded or changes the tape."""

    cell: Any
    refused: Mapping[str, str]
    no_target: str
    #: Name -> why it stands for no node; why the target does not. Both are found with the graph.
    reasons: Mapping[str, str] = MappingProxyType({})
    target_reason: str = ""
    #: Name and node of what the gradient asked for last is the gradient of.
    asked_target: tuple[str, int] | None = None
    #: Why the gradient asked for last (`_asked`) has no cotangents to show.
    _unswept: tuple[Any, SweepFailure] | None = None
    _asked: Any
    _cotangents: dict[int, Any] | None
    _namespace: Mapping[str, Any]
    _open: bool
    _recording: Any
    _spans: list[list[int]]
    _sweep: Any
    _watched: dict[int, tuple[Any, list[int]]]
    source_nodes: dict[str, int]

    def nodes(self) -> list[Node]:
        """Return what was recorded, in execution order."""
        if self._recording is None:
            return []
        stop = self._spans[-1][1] if self._spans and not self._open else None
        count = len(self._recording.entries) if stop is None else stop
        reader = self._reader()
        values = recheck.missing_values(self._recording.entries, count)
        return [reader.node(index, values.get(index)) for index in range(count)]

    def _name_line(self, error: TapeError) -> None:
        """Let an error that a sweep came upon name the line of that operation."""
        if error.node is None or error.node >= len(self._recording.entries):
            return
        calls = self._reader().node(error.node).calls
        if calls:
            _, filename, error.line = calls[0]
            error.code = linecache.getline(filename, calls[0][2]).strip()

    def _reader(self) -> Reader:
        target = None if self.asked_target is None else self.asked_target[1]
        return Reader(self._recording, getattr(self.cell, "filename", None), target)

    @property
    def cotangents(self) -> dict[int, Any] | None:
        """The cotangents of all nodes on a path, from the gradient asked for last.

        Most sweeps do not keep them, and they are found by another one when somebody looks.
        """
        if self._cotangents is None and self._asked is not None and self.sweep_failure is None:
            try:
                self._sweep_for_page(*self._asked)
            except Exception as error:  # noqa: BLE001  (what was recorded can be looked at anyway)
                self._unswept = self._asked, SweepFailure.of(error)
        return self._cotangents

    def _sweep_for_page(self, seeds: dict[int, Any], ids: list[list[int]]) -> list[Any]:
        """Run a sweep as `_sweep` does, down to all that is watched, and keep the cotangents."""
        self.keeps_cotangents = False
        kept: dict[int, Any] = {}
        watched = [group for _, group in self._watched.values() if group]
        found = self._sweep(seeds, [*ids, *watched], kept=kept)
        self._cotangents = kept
        return found[: len(ids)]

    @property
    def caught(self) -> list[tuple[int | None, str]]:
        """Lines of refusals that were caught, so that the run went another way, with a sentence."""
        return caught(self._recording.refusals) if self._recording is not None else []

    @property
    def sweep_failure(self) -> SweepFailure | None:
        """What kept the sweep of the gradient asked for last from its end, if anything did."""
        asked, failure = self._unswept or (None, None)
        return failure if asked is self._asked else None

    def contribution(self, index: int, operand: int, ct: Any) -> Any:
        """Return what one operation alone makes of a cotangent of its result, for one operand."""
        entry = self._recording.entries[index]
        slots = Slots({-1: set(), -2: index, -3: ()})
        with np.errstate(all="ignore"):
            PULLBACKS[entry[0]](ct, entry, slots)
            return settled(slots[operand])

    @property
    def graph(self) -> Any:
        """The run as a frozen `Graph`: plain data, summaries of arrays, never the arrays."""
        from tapemagic.display.figure import Figure
        from tapemagic.graph.build import build_graph

        names = self._names()
        if self.cell is not None:
            naming.name_variables(self)
        elif self._recording is not None:
            lookup.find_names(self, names)
        self.asked_target = naming.asked_target(self)
        self.reasons = {**self.refused, **absence.why_no_sources(self, names)}
        self.target_reason = (
            absence.why_no_target(self, names) if self._asked is not None else self.no_target
        )
        return build_graph(self, Figure)

    def __reduce__(self) -> Any:
        raise TapeUseError(
            "A tape cannot be copied or pickled: it refers to the code that ran.",
            fix="tape.save(file) keeps what it shows, tape.program(...) what it computed.",
        )

    def _names(self) -> dict[str, Any]:
        """Return what names hold: those of the module that recorded, and of who is looking."""
        frame = user_frame()
        return {**self._namespace, **(frame.f_locals if frame is not None else {})}

    @property
    def findings(self) -> list:
        """What is worth knowing about the gradients, most important first."""
        from tapemagic.graph.why import findings

        return findings(self, self.graph)

    def explain(self, name: Any = None) -> str:
        """Say in words why gradients are what they are (of one variable, or all).

        Parameters
        ----------
        name : name, Variable or array, or a nested structure of them, optional
            What `gradient` takes as a source.

        Examples
        --------
        >>> import numpy as np, tapemagic
        >>> w = tapemagic.Variable(2.0)
        >>> with tapemagic.GradientTape() as tape:
        ...     loss = w * 3
        >>> _ = tape.gradient(loss, w)
        >>> isinstance(tape.explain(), str)
        True
        """
        from tapemagic.graph.why import explain

        graph = self.graph
        if name is None:
            return explain(self, graph)
        names = [lookup.name_of(self, x, self._names()) for x in structures.leaves(name)]
        return "\n".join(explain(self, graph, known) for known in dict.fromkeys(names))

    def check(self, tolerance: float = 1e-5) -> Check:
        """Compare the gradients asked for last with finite differences of the recorded run.

        Returns
        -------
        Check
            True in a condition if all agree; prints as a sentence.

        Raises
        ------
        TapeStateError
            If no gradient was asked for.
        """
        if self._asked is None:
            raise TapeStateError(
                "No gradient was asked for yet.", fix="Call tape.gradient(...) first."
            )
        if self.cell is None:
            lookup.find_names(self, self._names())
        seeds, ids = self._asked
        names = {id_: name for name, id_ in self.source_nodes.items()}
        entries = self._recording.entries
        return recheck.check(entries, seeds, ids, names, self._sweep, tolerance)

    def program(self, target: Any = None, sources: Any = None) -> Program:
        """Return the run up to `target`, and its gradient, as one NumPy program.

        Parameters
        ----------
        target : TracedArray, array, name, or a list or dict of them, optional
            The target of the cell, if not given.
        sources : TracedArray, Variable, array, name, or a nested structure of them, optional
            The sources of the cell (or all that was watched), if not given.

        Returns
        -------
        Program
            `str(program)` is its source, which needs NumPy only; ``program(w=..., b=...)`` runs it.

        Raises
        ------
        TapeUseError
            If the run cannot be written as a program.

        Examples
        --------
        >>> import numpy as np, tapemagic
        >>> x = tapemagic.Variable(3.0)
        >>> with tapemagic.GradientTape() as tape:
        ...     y = x * x
        >>> tape.program(y, x)(x=5.0)
        (np.float64(25.0), np.float64(10.0))
        """
        from .program import make_program

        return make_program(self, target, sources, sys._getframe(1))

    def save(self, file: Any) -> None:
        """Write the run to a file: ``.html`` (live view), ``.json``, ``.svg`` or ``.txt``.

        `tapemagic.load` reads the first two.
        """
        from tapemagic.display.saving import save

        save(self.graph, file)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return self.graph._repr_mimebundle_(include, exclude)

    def __repr__(self) -> str:
        count = len(self._recording.entries) if self._recording is not None else 0
        state = "recording" if self._open else "finished" if count else "not entered"
        return f"<GradientTape, {state}, {count} nodes>"
