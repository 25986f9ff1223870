"""The life of one `%%tape` cell: arm, run, put back, differentiate."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from tapemagic.autodiff.borrowing.borrowed import Borrowed
from tapemagic.autodiff.calls.dispatch import HANDLE_TYPES, is_traced, plain
from tapemagic.autodiff.leaks import tables
from tapemagic.autodiff.naming import name_variables
from tapemagic.autodiff.tape import GradientTape

from . import memory
from .frames import find_line, first_line, names_read_at, note_on_strict_code
from .helpers import Helpers
from .hooks import RUNNING, CellHooks
from .instrument import Plan
from .interrupts import uninterrupted
from .namespace import Swap
from .records import Cell, Failure, Options, Outcome
from .source import follow
from .sources import (
    check_sources,
    find_sources,
    integers,
    is_bound_first,
    take_sources,
    why_no_source,
)
from .strict import check_strict
from .targets import (
    find_inside,
    find_target,
    hint_on_sources,
    note_on_tape,
    notes_on_last,
    notes_on_target,
    parts,
    why_no_target,
)
from .versions import is_variable, names_at_end, node_of, note_unseen_versions

#: Builtins that reach names which the cell does not mention.
_READERS = frozenset(("exec", "eval", "globals", "locals", "vars"))


class Session:
    """One run of an instrumented cell in a namespace.

    Knows no shell: a slider runs a cell again with a namespace of its own.

    Parameters
    ----------
    plan : Plan
        The instrumented cell.
    options : Options
    namespace : dict
        The names that the cell reads and binds.
    cell : Cell
        Its text and number, for the page.

    Raises
    ------
    UsageError
        For a source that does not exist; nothing has been touched then.

    Attributes
    ----------
    reads, reached : list of str
        Names of the namespace that the cell reads before it binds them, and all that it or its
        magic mentions, with those that their functions read.
    paths : list of Path
        The sources, as named or found.
    """

    def __init__(self, plan: Plan, options: Options, namespace: dict[str, Any], cell: Cell) -> None:
        self.plan = plan
        self.options = options
        self.namespace = namespace
        self.tape = GradientTape(persistent=True)
        self.tape.cell = cell
        self.outcome = Outcome(self.tape)
        self.armed = False
        #: For second derivatives: whether the gradients are to be recorded themselves.
        self.keeps_gradients = False
        #: One per source, in the order of `sources.handles`.
        self.gradients: list[Any] = []
        #: Of a cell that runs again: id of a variable -> the one that it is a copy of.
        self.originals: dict[int, Any] = {}
        #: Plain values of the sources when the cell began, by name; of variables by id.
        self.start_values: dict[str | int, Any] = {}
        self._target: tuple[str, Any, int] | None = None
        #: Name of a container with values that could be the target, and the path to the first.
        self._inside = ("", "")
        self.reads = follow(plan.source.reads, namespace)
        named = [path.root for path in options.sources]
        self.reached = follow((*plan.source.names, *named), namespace)
        if not _READERS.isdisjoint(self.reached):  # text that may name anything
            self.reached = list(dict.fromkeys([*self.reached, *namespace]))
        self.paths = list(options.sources) or find_sources(self.reads, namespace)
        #: Whether it asks a tape of its own name, which can only be that of an earlier run.
        self._reads_tape = options.output in plan.source.reads and (
            type(namespace.get(options.output)) in (GradientTape, type(None))
        )
        check_sources(self.paths, plan.source, self.reads, namespace)

    # ------------------------------------------------------------------------------- before

    def scalars(self) -> dict[str, float]:
        """Return the sources that are single real numbers, to be asked before `begin`.

        What the cell itself makes is none: another value would be overwritten.
        """
        source, namespace, reads = self.plan.source, self.namespace, set(self.reads)
        values = (
            (path.text, namespace[path.root])
            for path in self.paths
            if not path.steps and not is_bound_first(path, source, reads, namespace)
        )
        plain_values = ((name, plain(x) if is_variable(x) else x) for name, x in values)
        return {
            name: float(value)
            for name, value in plain_values
            if isinstance(value, float | np.floating) and type(value) not in HANDLE_TYPES
        }

    def begin(self) -> None:
        """Exchange the namespace and start recording."""
        try:
            with uninterrupted():
                self._arm()
        except BaseException as error:
            self.end(error)
            raise

    def _arm(self) -> None:
        source, namespace, paths = self.plan.source, self.namespace, self.paths
        borrowed = Borrowed()
        self.swap = Swap(namespace, borrowed, self.tape.register_plain)
        self.armed = True
        memory.keep()
        # for the page: names of the operands that nobody watches
        reached = ((name, namespace.get(name)) for name in self.reached)
        arrays = ((name, plain(x) if is_traced(x) else x) for name, x in reached)
        self.tape.arrays = {name: weakref.ref(x) for name, x in arrays if type(x) is np.ndarray}
        self.helpers = Helpers(namespace, self.swap.reach)
        self.helpers.prepare([namespace[name] for name in self.reached if name in namespace])
        self.swap.enter([*self.reached, *(path.root for path in paths)])
        self.sources = take_sources(paths, source, self.reads, namespace, borrowed.lift)
        self.swap.note_changed(self.sources.changed, self.sources.rebuilt)
        self.hooks = CellHooks(
            namespace,
            borrowed,
            self.tape.bindings,
            self.watch,
            self.sources.wanted,
            self.plan.written,
            lambda: self.swap.follow(self.reached),
            self.helpers.prepare,
        )
        self.tape.start()
        for name, handle in self.sources.handles.items():
            self.watch(name, handle)
            if self.options.check:
                self.start_values[name] = np.array(plain(handle))[()]
        self.hooks.install()

    def watch(self, name: str, handle: Any) -> None:
        """Make a handle the source of a name."""
        self.tape.watch(handle)
        self.tape.source_nodes[name] = node_of(handle)
        self.sources.handles[name] = handle

    # -------------------------------------------------------------------------------- after

    def end(self, error: BaseException | None, places: Any = ()) -> None:
        """Stop recording and leave the namespace as plain NumPy would have left it.

        Parameters
        ----------
        error : BaseException or None
            What ended the cell early.
        places : iterable of (mapping, key)
            Where else the cell may have left handles.
        """
        if not self.armed:
            return
        with uninterrupted():
            self.armed = False
            memory.release()
            hooks = getattr(self, "hooks", None)
            if hooks is not None:
                if error is None:
                    self._report_trailing()
                # while it records: afterwards no handle is on the tape any more
                self._target = find_target(self)
                if note_unseen_versions(self.tape, self.namespace) and self._target is None:
                    self._target = find_target(self)
                self.tape.cell_names = names_at_end(self)
                if self._target is None:
                    self._inside = find_inside(
                        self.plan.source.binds, self.namespace, self.tape.source_nodes.values()
                    )
                self.sources.handles |= name_variables(self.tape, self._paths_to_variables)
                if error is None and self.keeps_gradients:
                    self.gradients = self._gradients_on_tape()
                if error is not None:
                    self.tape.forget_refusals(error)
                    self.tape.failure = self._failure(error)
                self.tape.stop()
                if hooks in RUNNING:
                    hooks.remove()
            helpers = getattr(self, "helpers", None)
            if helpers is not None:
                places = [*places, *helpers.places()]
                helpers.leave()
            # what a debugger shows of the frames that it came through
            self.swap.leave(self.reached, [*places, ({"error": error}, "error")])

    def _failure(self, error: BaseException) -> Failure:
        """Say where the cell ended early, and what it read there: asked while it records."""
        line = find_line(error, self.tape.cell.filename)
        if note := note_on_strict_code(error, line):
            self.outcome.notes.append(note)
        said = f"{type(error).__name__}: {first_line(error)}".removesuffix(": ")
        read = [self.namespace.get(name) for name in names_read_at(line, self.plan.body)]
        return Failure(line, "", said, tuple(node for node in map(node_of, read) if node >= 0))

    def _paths_to_variables(self) -> dict[int, str]:
        """Say where the names of the cell hold variables: ``net.w``, ``pairs[0]``."""
        names = [*self.reached, *self.plan.source.binds]
        return {
            id(value): path
            for name in reversed(names)
            for path, value in parts(name, self.namespace.get(name), set())
            if is_variable(value)
        }

    def _report_trailing(self) -> None:
        for name in filter(self.namespace.__contains__, self.plan.trailing):
            self.namespace[name] = self.hooks.bind(name, self.namespace[name])

    def _gradients_on_tape(self) -> list[Any]:
        if self._target is None or self._target[2] < 0:
            return []
        return self.tape.gradient(self.target_key(), list(self.sources.handles.values()))

    def target_name(self) -> str:
        """Return what the page calls the target, or ""."""
        return "" if self._target is None else self._target[0]

    def value_of_target(self) -> Any:
        """Return the plain value of the target, or None."""
        return None if self._target is None else plain(self._target[1])

    @memory.kept()
    def differentiate(self) -> None:
        """Take the gradient of the target, after `end`.

        Raises
        ------
        UsageError
            If the target that was asked for does not exist or is not a number.
        TapeError
            If the tape cannot be swept.
        """
        tape, sources = self.tape, self.sources
        wanted = {name: why_no_source(self.namespace.get(name)) for name in sources.wanted}
        tape.refused = wanted | sources.reasons
        outcome = self.outcome
        if self._reads_tape:
            outcome.notes.append(note_on_tape(self.options.output, self.plan.body))
        outcome.notes += [message for _, message in tape.caught]
        if tape.failure is not None:
            return
        at = None if self._target is None or self._target[2] < 0 else self._target[2]
        outcome.notes += tables(tape._recording.taken, at)
        if self.options.strict:
            check_strict(tape)
        if not sources.handles:
            if self.options.sources:
                outcome.notes.append("No source: none of those named is a float variable.")
            else:
                tape.refused = integers(self.reads, self.namespace)
                said = "No source: the cell reads no float variable."
                outcome.notes.append(said + hint_on_sources(self))
        elif self._target is None:
            own = set(self.plan.source.binds).difference(self.plan.source.reads)
            made = [name for name in tape.source_nodes if name in own]
            tape.no_target = why_no_target(tape, self._inside, made)
            outcome.notes.append(f"No target: {tape.no_target}.")
        else:
            name, value, index = self._target
            outcome.notes += notes_on_target(self, name, value)
            if self.options.target is None:
                outcome.notes += notes_on_last(self, name)
            if index >= 0:
                tape.target = (name, index)
            tape.keeps_cotangents = self.options.show != "none"
            self.gradients = tape.gradient(self.target_key(), list(sources.handles.values()))

    def target_key(self) -> Any:
        """Return what means the target to the tape.

        A source that the cell has written into is the same handle still; as a target it is meant
        with its last contents, which only the version of its name tells.
        """
        if self._target is None:
            return None
        _, value, index = self._target
        for name, handle in self.sources.handles.items():
            if handle is value and index != self.tape.source_nodes[name]:
                if (name, index) not in self.tape.bindings:
                    self.tape.bindings.append((name, index))
                return name
        return value
