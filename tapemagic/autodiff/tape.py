"""`GradientTape`: what is watched, what is recorded, and the gradient of one in the other."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import SourceError, TapeStateError, TapeUseError
from . import (
    backward,
    dispatch,
    guards,
    jacobians,
    lookup,
    recorder,
    recheck,
    structures,
    watching,
)
from .avals import AVALS
from .checking import Check
from .dispatch import is_traced
from .nodes import Node, Reader
from .recorder import RECORDER, Recording
from .structure import identity
from .variable import Variable, VariableState, add_source

if TYPE_CHECKING:
    from .program import Program

_SPENT = (
    "A non-persistent GradientTape can only be used to compute one set of gradients (or jacobians)"
)


class GradientTape:
    """Record operations, and differentiate them in reverse.

    Parameters
    ----------
    persistent : bool
        Whether `gradient` may be asked for more than once.
    watch_accessed_variables : bool
        Whether trainable variables are watched when they are read.

    Examples
    --------
    >>> import numpy as np, tapemagic
    >>> w = tapemagic.Variable([1.0, 2.0])
    >>> with tapemagic.GradientTape() as tape:
    ...     loss = np.sum(w ** 2)
    >>> tape.gradient(loss, w)
    array([2., 4.])
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self._persistent = persistent
        self._watches_reads = watch_accessed_variables
        self._recording: Recording | None = None
        self._spans: list[list[int]] = []
        self._open = False
        self._spent = False
        self._watched: dict[int, tuple[Any, list[int]]] = {}  # id(object) -> object, node ids
        self.rebound: Any = None  # names of a script that hold handles (watching.py)
        self._plain: dict[int, lookup.Left] = {}  # id(plain object) -> what it stands for
        self._asked: tuple[dict[int, Any], list[list[int]]] | None = None  # seeds, node ids
        self._cotangents: dict[int, Any] | None = None
        self._namespace: dict[str, Any] = {}  # of the script, to find names when somebody looks
        self.bindings: list[tuple[str, int]] = []
        self.arrays: dict[str, Any] = {}  # name -> weak reference to what is not watched
        self.source_nodes: dict[str, int] = {}
        self.target: tuple[str, int] | None = None
        self.cell: Any = None
        self.failure: Any = None
        self.reasons: dict[str, str] = {}

    # ---------------------------------------------------------------------------- recording

    def __enter__(self) -> GradientTape:
        self.start()
        return self

    def __exit__(self, *error: Any) -> None:
        if self._open:
            self.stop()

    def start(self) -> None:
        """Begin, or go on with, recording.

        Raises
        ------
        TapeUseError
            If it records already.
        """
        if self._open:
            raise TapeUseError("Tape is still recording, cannot re-enter it.")
        current = RECORDER.recording
        if self._recording is not None and current is not None and current is not self._recording:
            raise TapeUseError(
                "A finished tape cannot go on recording inside the block of another tape.",
                fix="Open it first, or use a new tape.",
            )
        if self._recording is None:
            self._recording = current or Recording()
        self._resume()
        if self._plain and self.cell is None:
            watching.take_back(self)

    def stop(self) -> None:
        """End the recording; what was recorded can still be differentiated."""
        if RECORDER.frame is not None:
            self._namespace = RECORDER.frame.f_globals
        self._pause()
        self._put_back()

    def _put_back(self) -> None:
        if self.rebound is not None:
            rebound, self.rebound = self.rebound, None
            rebound.put_back(self)

    def _resume(self) -> None:
        recording = self._recording
        if RECORDER.recording is not recording:
            RECORDER.open(recording)
        recording.forget_reads()
        recording.sharers.add(id(self))
        RECORDER.tapes.append(self)
        self._spans.append([len(recording.entries), len(recording.entries)])
        self._open = True

    def _pause(self) -> None:
        recording = self._recording
        self._spans[-1][1] = len(recording.entries)
        self._open = False
        if self in RECORDER.tapes:
            RECORDER.tapes.remove(self)
        recording.forget_reads()
        if not RECORDER.tapes and RECORDER.recording is recording:
            RECORDER.close()

    @contextmanager
    def stop_recording(self) -> Iterator[None]:
        """Suspend the recording of this tape in a block.

        Raises
        ------
        TapeStateError
            If the tape does not record.
        """
        if not self._open:
            raise TapeStateError(
                "Tape is not currently recording.",
                fix="Use stop_recording() inside the tape's own block.",
            )
        self._pause()
        try:
            yield
        finally:
            self._resume()

    def reset(self) -> None:
        """Forget everything recorded and watched so far.

        Raises
        ------
        TapeUseError
            Outside the block.
        """
        if not self._open:
            raise TapeUseError(
                "reset() outside of the tape's block.",
                fix="Call it while the tape records, or make a new tape.",
            )
        self._pause()
        self._recording = RECORDER.recording
        self._spans, self._watched, self._plain = [], {}, {}
        self._asked, self._cotangents, self._spent = None, None, False
        self.start()

    # ----------------------------------------------------------------------------- watching

    def watch(self, tensor: Any) -> Any:
        """Watch a traced array, or everything in a nested structure, from here on.

        Parameters
        ----------
        tensor : TracedArray, Variable, or a list, tuple or dict of them
            A plain ndarray or number is not followed by plain Python: what is returned in its
            place is.

        Returns
        -------
        TracedArray
            What to go on computing with (the argument itself, if it is traced or a Variable).

        Raises
        ------
        TapeStateError
            If the tape does not record.
        """
        if not self._open:
            raise TapeStateError(
                "watch() outside of the tape's block: nothing would be recorded.",
                fix="Call it inside 'with tape:'.",
            )
        return structures.map_leaves(self._watch_one, tensor)

    def _watch_one(self, x: Any) -> Any:
        if not is_traced(x):
            return watching.take_over(self, x)
        dtype = np.dtype(AVALS[x.aval].dtype)
        if dtype.kind not in "fc":
            warnings.warn(
                f"The dtype of the watched tensor must be floating (e.g. tf.float32), got {dtype}: "
                "its gradient will be None.",
                stacklevel=4,
            )
            return x
        if id(x) in self._watched and not isinstance(x.storage, VariableState):
            return x
        if isinstance(x.storage, VariableState):
            self._watched.setdefault(id(x), (x, []))
            x.token = None
            return x
        token = x.token if x.storage is None else x.storage.token
        if token is not None and token is not RECORDER.token:
            x.past = [*getattr(x, "past", ()), (token, x.id)]  # what older tapes know it by
        if x.storage is not None:
            x.storage.adopt(x)
        elif x.token is RECORDER.token:  # another tape follows it: a new name, for uses from here on
            old = (x.aval, x.id, -1, None, None, None)
            x.id = recorder.append(old, identity.code)
        else:
            x.id, x.token = add_source(x), RECORDER.token
        self._watched[id(x)] = (x, [x.id])
        return x

    def wants(self, variable: Any) -> bool:
        """Tell whether this tape watches a variable that is being read."""
        if not self._open:
            return False
        return id(variable) in self._watched or (
            self._watches_reads and variable.storage.trainable
        )

    def note_read(self, variable: Any) -> None:
        """Note the node of a variable's current value."""
        ids = self._watched.setdefault(id(variable), (variable, []))[1]
        if variable.id not in ids:
            ids.append(variable.id)

    def watched_variables(self) -> tuple[Variable, ...]:
        """Return the variables that were watched, in order of creation."""
        found = [x for x, _ in self._watched.values() if isinstance(x.storage, VariableState)]
        return tuple(sorted(found, key=lambda x: x.storage.number))

    def register_plain(self, plain: Any, handle: Any) -> None:
        """Let `plain`, what a cell left in place of `handle`, stand for its nodes."""
        first, now = self._ids_of(handle), self._ids_of(handle, as_target=True)
        if first or now:
            self._plain[id(plain)] = lookup.Left(plain, handle, first[-1:], now[-1:])

    # ------------------------------------------------------------------------------- looking

    def nodes(self) -> list[Node]:
        """Return what was recorded, in execution order."""
        if self._recording is None:
            return []
        stop = self._spans[-1][1] if self._spans and not self._open else None
        count = len(self._recording.entries) if stop is None else stop
        reader = Reader(self._recording, getattr(self.cell, "filename", None))
        return [reader.node(index) for index in range(count)]

    @property
    def cotangents(self) -> dict[int, Any] | None:
        """The cotangents of all nodes on a path, from the gradient asked for last.

        They are not kept by the sweep itself, but found by another one when somebody looks.
        """
        if self._cotangents is None and self._asked is not None:
            kept: dict[int, Any] = {}
            self._sweep(*self._asked, kept=kept)
            self._cotangents = kept
        return self._cotangents

    @property
    def graph(self) -> Any:
        """The run as a frozen `Graph`: plain data, summaries of arrays, never the arrays."""
        from tapemagic.graph.build import build_graph  # noqa: PLC0415  (a door: looks, never records)

        if self.cell is None and self._recording is not None:
            lookup.find_names(self, self._namespace)
        return build_graph(self)

    @property
    def findings(self) -> list:
        """What is worth knowing about the gradients, most important first."""
        from tapemagic.graph.why import findings  # noqa: PLC0415

        return findings(self, self.graph)

    def explain(self, name: str | None = None) -> str:
        """Say in words why gradients are what they are (of one name, or all).

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
        from tapemagic.graph.why import explain  # noqa: PLC0415

        return explain(self, self.graph, name)

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
        return recheck.check(self._recording.entries, *self._asked, self._sweep, tolerance)

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
        from .program import make_program  # noqa: PLC0415  (built on the tape's own tools)

        return make_program(self, target, sources, sys._getframe(1))

    def save(self, file: Any) -> None:
        """Write the run to a file: ``.html`` (live view), ``.json``, ``.svg`` or ``.txt``.

        `tapemagic.load` reads the first two.
        """
        from tapemagic.display.saving import save  # noqa: PLC0415

        save(self.graph, file)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return self.graph._repr_mimebundle_(include, exclude)

    def __repr__(self) -> str:
        count = len(self._recording.entries) if self._recording is not None else 0
        state = "recording" if self._open else "finished" if count else "not entered"
        return f"<GradientTape, {state}, {count} nodes>"

    # ------------------------------------------------------------------------------ gradient

    def gradient(
        self,
        target: Any,
        sources: Any,
        output_gradients: Any = None,
        unconnected_gradients: Any = "none",
    ) -> Any:
        """Return the gradient of the target with respect to each source.

        Parameters
        ----------
        target : TracedArray, array, name, or a list or dict of them
            Several targets are added up; so are the elements of a target that is not a scalar.
        sources : TracedArray, Variable, array, name, or a nested structure of them
        output_gradients : array or structure of `target`, optional
            The cotangent to start from, in the target's shape (it may broadcast).
        unconnected_gradients : {"none", "zero"}
            What stands for a source that the target does not depend on.

        Returns
        -------
        array, or the structure of `sources`
            Each in the shape and dtype of its source; None where unconnected.

        Raises
        ------
        TapeStateError
            If a tape that is not persistent was used before, or nothing was recorded.
        TapeUseError
            If a shape does not fit.
        """
        self._claim()
        zero = _wants_zero(unconnected_gradients)
        seeds = self._seeds(target, output_gradients)
        flat = structures.leaves(sources)
        ids = [self._ids_of(x) for x in flat]
        if not any(map(is_traced, seeds.values())):
            self._asked, self._cotangents = (seeds, ids), None
        found = self._sweep(seeds, ids)
        results = [
            self._finish(x, ct, zero) for x, ct in zip(flat, found)
        ]
        return structures.rebuild(sources, results)

    def jacobian(
        self, target: Any, sources: Any, unconnected_gradients: Any = "none", **_ignored: Any
    ) -> Any:
        """Return the Jacobian of the target with respect to each source.

        Parameters
        ----------
        target : TracedArray, array or name
        sources : TracedArray, Variable, array, name, or a nested structure of them
        unconnected_gradients : {"none", "zero"}

        Returns
        -------
        array, or the structure of `sources`
            Of shape target + source.
        """
        self._claim()
        return jacobians.jacobian(self, target, sources, _wants_zero(unconnected_gradients))

    def batch_jacobian(
        self, target: Any, source: Any, unconnected_gradients: Any = "none", **_ignored: Any
    ) -> Any:
        """Return the Jacobian of every row of the target in the same row of the source.

        Returns
        -------
        array of shape (rows,) + target row + source row

        Raises
        ------
        TapeUseError
            If the numbers of rows differ, or a row of the target depends on another row.
        """
        self._claim()
        return jacobians.batch_jacobian(self, target, source, _wants_zero(unconnected_gradients))

    def _claim(self) -> None:
        if self._recording is None:
            raise TapeStateError(
                "This tape has recorded nothing yet: it was never entered.",
                fix="Compute inside 'with tapemagic.GradientTape() as tape:'.",
            )
        if self._persistent:
            return
        if self._spent:
            raise TapeStateError(
                f"{_SPENT}.", fix="Use GradientTape(persistent=True) to ask more than once."
            )
        self._spent = True
        if self._open:
            self.stop()

    def _ids_of(self, x: Any, *, as_target: bool = False) -> list[int]:
        """Return the nodes that an object or name stands for on this tape."""
        return lookup.ids_of(self, x, as_target)

    def _seeds(self, target: Any, output_gradients: Any) -> dict[int, Any]:
        targets = structures.leaves(target)
        if output_gradients is None:
            given = [None] * len(targets)
        else:
            given = structures.leaves(output_gradients, like=target)
            if len(given) != len(targets):
                raise TapeUseError(
                    f"{len(targets)} targets and {len(given)} output_gradients were given."
                )
        seeds: dict[int, Any] = {}
        for x, ct in zip(targets, given):
            ids = self._ids_of(x, as_target=True)
            if not ids:
                continue
            id_ = ids[-1]
            aval = AVALS[self._recording.entries[id_][3]]
            seed = _seed(ct, aval)
            seeds[id_] = seed if id_ not in seeds else seeds[id_] + seed
        return seeds

    def _sweep(
        self,
        seeds: dict[int, Any],
        ids: list[list[int]],
        kept: dict[int, Any] | None = None,
    ) -> list[Any]:
        """Run the sweep; return one cotangent (or None) per list of node ids."""
        wanted = {id_ for group in ids for id_ in group}
        if not seeds or not wanted:
            return [None] * len(ids)
        recording = self._recording
        if self._open:
            self._spans[-1][1] = len(recording.entries)
        guards.verify(recording)
        mine = None
        if len(recording.sharers) > 1 or len(self._spans) > 1:
            leaves = {id_ for _, group in self._watched.values() for id_ in group}
            mine = backward.marks(recording.entries, leaves, self._spans)
            wanted = {id_ for id_ in wanted if id_ < len(mine) and mine[id_]}
            seeds = {id_: ct for id_, ct in seeds.items() if mine[id_]}
            if not seeds or not wanted:
                return [None] * len(ids)
        record = RECORDER.recording is recording
        found = backward.sweep(
            recording.entries, seeds, wanted, mine=mine, record=record, kept=kept
        )
        results = []
        shared = {id(seed) for seed in seeds.values()}
        for group in ids:
            parts = [found[id_] for id_ in group if id_ in found]
            aval = AVALS[recording.entries[group[0]][3]] if group else None
            results.append(_total(parts, aval, shared) if parts else None)
        return results

    def _finish(self, x: Any, ct: Any, zero: bool) -> Any:
        if ct is not None:
            return ct
        if not zero:
            return None
        ids = self._ids_of(x)
        if ids:  # the handle itself may have another shape by now
            aval = AVALS[self._recording.entries[ids[0]][3]]
            return np.zeros(aval.shape, aval.dtype)[()]
        value = dispatch.plain(x)
        return np.zeros(np.shape(value), np.asarray(value).dtype)[()]


def _wants_zero(unconnected_gradients: Any) -> bool:
    choice = getattr(unconnected_gradients, "value", unconnected_gradients)
    if choice not in ("none", "zero"):
        raise TapeUseError(
            f"Unknown value for unconnected_gradients: {unconnected_gradients!r}",
            fix='Use "none" or "zero".',
        )
    return choice == "zero"


def _seed(ct: Any, aval: Any) -> Any:
    if ct is None:
        return np.ones(aval.shape, aval.dtype) if aval.shape else aval.dtype.type(1)
    value = ct if is_traced(ct) else np.asarray(ct)
    try:
        fits = np.broadcast_shapes(value.shape, aval.shape) == aval.shape
    except ValueError:
        fits = False
    if not fits:
        raise TapeUseError(
            f"output_gradients of shape {value.shape} does not fit the target of shape "
            f"{aval.shape}."
        )
    if value.dtype != aval.dtype:
        value = value.astype(aval.dtype)
    return value[()] if not is_traced(value) else value


def _total(parts: list[Any], aval: Any, shared: set[int]) -> Any:
    """Add the cotangents of the nodes of one source; give it shape, dtype and memory of its own.

    `shared` holds the identities of arrays that somebody else has as well (seeds, earlier results).
    """
    ct = parts[0]
    for part in parts[1:]:
        ct = ct + part
    if is_traced(ct):
        return np.broadcast_to(ct, aval.shape) if ct.shape != aval.shape else ct
    if (
        type(ct) is not np.ndarray
        or ct.shape != aval.shape
        or ct.dtype != aval.dtype
        or ct.base is not None
        or id(ct) in shared
    ):
        ct = np.array(np.broadcast_to(ct, aval.shape) if aval.shape else ct, dtype=aval.dtype)
    shared.add(id(ct))
    return ct if aval.shape else ct[()]
