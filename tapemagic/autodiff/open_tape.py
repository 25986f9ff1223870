"""Watching and recording: the part of a tape that is at work while the user's code runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from types import MappingProxyType
from typing import Any, Self

import numpy as np

from tapemagic.errors import TapeStateError, TapeUseError

from . import leaks, lookup, recorder, structures, tracebacks
from .absence import CellNames
from .avals import AVALS
from .borrowing import watching
from .borrowing.script_names import SCRIPT_NAMES, running_frame
from .borrowing.watchable import is_watchable
from .calls.dispatch import is_traced
from .caught import caught, forget
from .positions import outside_libraries, user_frame
from .recorder import RECORDER, Recording
from .structure import identity
from .variable import Variable, VariableState, add_source
from .warned import WARNING_LINES, warn, warn_of_dtype


class OpenTape:
    """What a tape does between entering and leaving its block.

    Several tapes may be open at once; they share one recording, and each remembers the stretches
    of it during which it was open.
    """

    # What most tapes never set.
    _recording: Any = None
    _asked: tuple[dict[int, Any], list[list[int]]] | None = None  # seeds, node ids
    _cotangents: dict[int, Any] | None = None
    _absent: tuple[list[Any], dict[int, Any]] = ([], {})  # targets, sources that have no node
    keeps_cotangents = False  # in the next sweep, since a page will show them
    exchanged: Any = None  # what of a script holds handles meanwhile (borrowing/watching.py)
    target: tuple[str, int] | None = None
    no_target = ""  # why the cell has none
    cell_names = CellNames()
    cell: Any = None
    runs: Any = None  # the function that will be run in the block, if it is known
    failure: Any = None
    _told = 0  # number of caught refusals that were warned of
    pauses: tuple[int, ...] = ()  # lines on which stop_recording() suspended it
    _guests: tuple[Any, ...] = ()  # ended tapes whose names stay handles while this one records
    _namespace: Mapping[str, Any] = MappingProxyType({})  # of the script, for who looks for names
    refused: Mapping[str, str] = MappingProxyType({})  # names that a cell could not watch, and why
    #: Name -> weak reference to an array of the cell that is not watched.
    arrays: Mapping[str, Any] = MappingProxyType({})

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self._persistent = persistent
        self._watches_reads = watch_accessed_variables
        self._spans: list[list[int]] = []
        self._open = False
        self._spent = False
        self._watched: dict[int, tuple[Any, list[int]]] = {}  # id(object) -> object, node ids
        self._plain: dict[int, lookup.Left] = {}  # id(plain object) -> what it stands for
        self.bindings: list[tuple[str, int]] = []
        self.source_nodes: dict[str, int] = {}

    # ---------------------------------------------------------------------------- recording

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        if self._open:
            self.stop(error)
        if error is not None:
            tracebacks.prune(error)
            if not RECORDER.tapes:  # else it may be caught while another tape records
                self.forget_refusals(error)
            if (refusal := tracebacks.refusal_behind(error)) is not error:
                raise refusal from None
        elif (
            (self._recording.refusals or self._recording.taken)
            and self.cell is None
            and not RECORDER.tapes
        ):
            self._tell()

    def _tell(self) -> None:
        """Warn in a script of what the gradient may lack, since its last warning."""
        refusals, taken = self._recording.refusals, self._recording.taken
        told = [message for _, message in caught(refusals)]
        for message in told[self._told :] + leaks.tables(taken):
            warn(message)
        self._told = len(told)
        taken.clear()

    def forget_refusals(self, error: BaseException) -> None:
        """Take back that refusals were caught which have ended the run, or led to what has."""
        if self._recording is not None:
            forget(self._recording.refusals, error)

    def start(self) -> None:
        """Begin, or go on with, recording.

        Raises
        ------
        TapeUseError
            If it records already.
        TapeStateError
            If a tape of another thread records.
        """
        if self._open:
            raise TapeUseError("Tape is still recording, cannot re-enter it.")
        self._claim_recorder()
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

    def stop(self, error: BaseException | None = None) -> None:
        """End the recording, by an error perhaps; what was recorded can still be differentiated."""
        if RECORDER.frame is not None:
            self._namespace = RECORDER.frame.f_globals
        self._pause()
        if RECORDER.recording is self._recording:
            RECORDER.tapes[0]._guests += (self, *self._guests)
            self._guests = ()
        elif self.exchanged is not None or self._guests:
            watching.put_back([self, *self._guests], error)
            self._guests = ()
        if not RECORDER.tapes:
            RECORDER.thread = None

    def _claim_recorder(self) -> None:
        if not RECORDER.claim():
            raise TapeStateError(
                "Another thread records: a process has one recorder.",
                why="The operations and names of both would get mixed up.",
                fix="Let one thread at a time enter a tape (a threading.Lock), or use processes.",
            )

    def _resume(self) -> None:
        recording = self._recording
        frame = running_frame() if self.cell is None and not RECORDER.tapes else None
        is_open = RECORDER.recording is recording
        if is_open:
            recording.forget_reads()
        else:
            RECORDER.open(recording, frame)
        recording.sharers.add(id(self))
        if frame is not None:
            SCRIPT_NAMES.bind(frame, self.runs)
        if not RECORDER.tapes:
            WARNING_LINES.begin()
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
            WARNING_LINES.end()
            if self.cell is None:
                SCRIPT_NAMES.release(self)

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
        if (frame := outside_libraries(user_frame())) is not None:
            self.pauses += (frame.f_lineno,)
        self._pause()
        try:
            yield
        finally:
            self._claim_recorder()  # a tape that ended in the block has let other threads record
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
        if RECORDER.recording is None:
            watching.put_back([self, *self._guests])
        self._recording = RECORDER.recording
        self._spans, self._watched, self._plain = [], {}, {}
        self._asked, self._cotangents, self._spent = None, None, False
        self._absent, self.pauses = ([], {}), ()
        self.start()

    # ----------------------------------------------------------------------------- watching

    def watch(self, tensor: Any) -> Any:
        """Watch a traced array, or everything in a nested structure, from here on.

        Parameters
        ----------
        tensor : TracedArray, Variable, array or number, or a nested structure of them
            Until the block ends, handles stand for plain arrays and numbers wherever the code can
            find them: in names, containers, objects and closures (`borrowing/watching.py`).

        Returns
        -------
        TracedArray
            What to go on computing with (the argument itself, if it is traced or a Variable).

        Raises
        ------
        TapeStateError
            If the tape does not record.
        SourceError
            If `tensor` is not numeric, or nothing that the code can reach holds it.
        """
        if not self._open:
            raise TapeStateError(
                "watch() outside of the tape's block: nothing would be recorded.",
                fix="Call it inside 'with tape:'.",
            )
        found = {id(x): x for x in structures.leaves(tensor) if not is_traced(x)}
        plains = [x for x in found.values() if is_watchable(x)]
        found.clear()  # references to what is to be watched are counted
        alone = len(plains) == 1 and plains[0] is tensor
        handles = watching.take_over(self, plains, None if alone else tensor) if plains else {}

        def watched(x: Any) -> Any:
            return self._watch_one(x) if is_traced(x) else handles.get(id(x), x)

        return structures.map_leaves(watched, tensor)

    def _watch_one(self, x: Any) -> Any:
        dtype = np.dtype(AVALS[x.aval].dtype)
        if dtype.kind not in "fc":
            warn_of_dtype(dtype)
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
            x.storage.adopt(x, is_kept=self._persistent)  # it may be asked again, after an update
        elif x.token is RECORDER.token:
            # another tape follows it: a new name, for uses from here on
            old = (x.aval, x.id, -1, None, None, None)
            x.id = recorder.append(old, identity.code)
        else:
            x.id, x.token = add_source(x), RECORDER.token
        self._watched[id(x)] = (x, [x.id])
        return x

    def wants(self, variable: Any) -> bool:
        """Tell whether this tape, which records, watches a variable that is being read."""
        return (self._watches_reads and variable.storage.trainable) or id(variable) in self._watched

    def note_version(self, variable: Any, known: list[int]) -> None:
        """Add the node of a variable's current value to those of the values before."""
        known.append(variable.id)
        names = [name for name, id_ in self.source_nodes.items() if id_ == known[0]]
        self.bindings += [(name, variable.id) for name in names]

    def watched_variables(self) -> tuple[Variable, ...]:
        """Return the variables that were watched, in order of creation."""
        found = [x for x, _ in self._watched.values() if isinstance(x.storage, VariableState)]
        return tuple(sorted(found, key=lambda x: x.storage.number))

    def register_plain(self, plain: Any, handle: Any) -> None:
        """Let `plain`, what a cell left in place of `handle`, stand for its nodes."""
        now = lookup.ids_of(self, handle, as_target=True)
        first = lookup.ids_of(self, handle) if id(handle) in self._watched else now
        if first or now:
            self._plain[id(plain)] = lookup.Left(plain, handle, first[-1:], now[-1:])

    def holding(self) -> Iterator[tuple]:
        """Yield the tuples here that refer to handles."""
        return chain(self._watched.values(), self._plain.values())
