"""A recorded run as one NumPy program: forward and gradient, readable, and runnable without us."""

from __future__ import annotations

import inspect
import traceback
from functools import cached_property
from typing import Any

import numpy as np

from tapemagic.errors import TapeError, TapeUseError

from . import lookup, naming, structures
from .avals import AVALS, fit, full
from .backward import has_nan, have_nan
from .calls import dispatch
from .nodes import Reader
from .programs.loops import rolled
from .programs.memory import hangs_on_layouts, lies_apart, own
from .programs.module import module_text
from .programs.names import Names, Places
from .programs.printing import Printer
from .programs.replay import Replay
from .programs.sources import fitted, source_values
from .programs.spelling import Speller
from .programs.symbols import NotSymbolicError, concrete, name_cotangent
from .programs.writer import Rows, Writer, stacked
from .recorder import generated_name
from .warned import unheard

#: A program of more operations than this would take minutes to compile.
MOST_ENTRIES = 250_000


class Program:
    """One function of the sources: the target of a run, and its gradient.

    Attributes
    ----------
    name : str
        Name of the function in the text.
    inputs : dict of name -> value
        The sources, as they were in the run.
    constants : dict of name -> array
        What the run read besides, where it is too large to be written out.

    Notes
    -----
    The text checks for itself the shapes, branches and indices that it takes for granted.

    What left the run as text (an f-string, `str`) is not followed: it is taken to be only shown.

    An element that `where`, a mask or an index never selected has the gradient 0 on a tape, even
    where its partial is infinite. Plain NumPy gives nan there, and so does the text by itself.

    Examples
    --------
    >>> import numpy as np, tapemagic
    >>> w = tapemagic.Variable([1.0, 2.0])
    >>> with tapemagic.GradientTape() as tape:
    ...     loss = np.sum(w ** 2)
    >>> program = tape.program(loss, w)
    >>> program(w=np.array([3.0, 1.0]))
    (np.float64(10.0), array([6., 2.]))
    """

    name = "value_and_gradient"

    def __init__(
        self, text: str, inputs: dict[str, Any], constants: dict[str, Any], sources: list[str]
    ) -> None:
        self._text, self.inputs, self.constants = text, inputs, constants
        self._sources = sources  # their names, in the order of the gradients

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        count = len(self._text.splitlines())
        return f"<program {self.name}({', '.join(self.inputs)}), {count} lines>"

    @cached_property
    def _scope(self) -> dict[str, Any]:
        scope: dict[str, Any] = {}
        exec(compile(self._text, generated_name("program"), "exec"), scope)  # noqa: S102
        return scope

    @cached_property
    def _function(self) -> Any:
        """What the text defines, without its `errstate`: a call has one for its own check too."""
        return inspect.unwrap(self._scope[self.name])

    def __call__(self, /, **inputs: Any) -> tuple:
        """Run the program; a source that is not given keeps the value that it had in the run.

        Returns
        -------
        tuple
            The target, and its gradient with respect to each source.

        Raises
        ------
        TapeUseError
            If a name, shape or dtype is not that of a source.
        TapeError
            If the run would have gone another way: another branch, index or shape, or an error of
            NumPy's; or if a gradient holds a nan, for which a tape would look once more (Notes).
        """
        given = self.inputs
        for name, x in inputs.items():
            if name not in given:
                raise TapeUseError(
                    f"{name!r} is not an input of this program.",
                    fix=f"Its inputs are: {', '.join(given)}.",
                )
            if x is not given[name]:
                inputs[name] = fitted(name, x, given[name])
        try:
            found, nan = self._run(inputs)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise self._other_way(error) from None
        if nan:
            which = next(k for k, ct in enumerate(found[1:]) if ct is not None and has_nan(ct))
            raise TapeError(
                f"With these inputs the program's gradient with respect to {self._sources[which]!r}"
                " has a nan.",
                why="It may belong to an element that was never selected; a tape would give 0.",
                fix="Run the cell again with these inputs.",
            )
        return found

    def _other_way(self, error: Exception) -> TapeError:
        """Return the refusal for what the text raises: a check of its own, or NumPy's error."""
        said = str(error)
        if not isinstance(error, self._scope.get("OtherWay", ())):
            frames = traceback.extract_tb(error.__traceback__)
            last = max((x.lineno or 0 for x in frames if x.name == self.name), default=0)
            above = (row.strip() for row in reversed(self._text.splitlines()[:last]))
            line = next((row[2:] for row in above if row.startswith("# ")), "an input")
            said = f"{line} raises {type(error).__name__}: {said}"
        return TapeError(
            f"With these inputs the run would have gone another way: {said}.",
            why="The program repeats one run, with the branches and indices that it took.",
            fix="Run the cell again with these inputs.",
        )

    def __reduce__(self) -> tuple:
        """Pickle and copy what the program was made of, not what its text has been compiled to."""
        return Program, (self._text, self.inputs, self.constants, self._sources)

    @np.errstate(all="ignore")
    def _run(self, inputs: dict[str, Any]) -> tuple[tuple, bool]:
        """Return what comes out, and whether gradients of new inputs hold a nan."""
        found = self._function(**(self.inputs | inputs), **self.constants)
        return found, bool(inputs) and have_nan(found[1:])


def make_program(tape: Any, target: Any, sources: Any, caller: Any) -> Program:
    """Write the run of a tape, up to `target`, and its gradient as a program.

    Parameters
    ----------
    tape : GradientTape
    target, sources : as for `GradientTape.gradient`, or None for those of the cell
    caller : frame, or what has its f_locals and f_globals
        Where names of arrays are looked for.
    """
    recording = tape._recording
    if len(recording.entries) > MOST_ENTRIES:
        raise TapeUseError(
            f"A run of {len(recording.entries)} operations is too long to be written as a program."
        )
    target, sources = _asked_for(tape, target, sources)
    seeds, _ = tape._seeds(target, None)
    found_ids = (lookup.ids_of(tape, x, as_target=True) for x in structures.leaves(target))
    targets = [ids[-1] for ids in found_ids if ids and ids[-1] in seeds]
    leaves = structures.leaves(sources)
    groups = [lookup.source_ids(tape, x) for x in leaves]
    if not seeds:
        raise TapeUseError("The target does not depend on anything watched: there is no program.")
    top = max(seeds)
    names = Names(tape, leaves, groups, caller)
    values = source_values(tape, recording.entries, groups)
    writer = Writer([*names.arrays, *stacked(recording.entries, Rows(names.arrays))])
    replay = Replay(recording, values, names.of_nodes, top, writer)
    wanted = {id_ for group in groups for id_ in group if id_ <= top}
    try:
        replay.forward()
        found = replay.backward(seeds, wanted) if wanted else {}
    except NotSymbolicError:
        raise TapeUseError(
            "This run cannot be written as a program: a rule asks for the numbers themselves.",
        ) from None
    except TapeError as error:
        tape._name_line(error)
        raise
    with unheard():
        with writer.at("backward", -1):
            gradients = [_total(found, group, recording.entries) for group in groups]
        value = _sum_of([replay.nodes[id_] for id_ in targets])
    outputs: list[Any] = []
    for x in (value, *gradients):
        outputs.append(own(x, outputs, writer))
    for ct, group in zip(outputs[1:], groups, strict=True):
        if group:
            name_cotangent(ct, names.of_nodes[group[0]])
    _compare_values(replay, seeds)
    _compare(list(map(dispatch.plain, tape._sweep(seeds, groups))), gradients)
    return _printed(tape, replay, outputs, names)


def _asked_for(tape: Any, target: Any, sources: Any) -> tuple[Any, Any]:
    if target is None:
        if tape.target is None:
            raise TapeUseError("Which target? A tape outside of a cell needs to be told.")
        target = tape.target[0]
    if sources is None:
        sources = list(tape.source_nodes) or [x for x, _ in tape._watched.values()]
    return target, naming.expanded(tape, sources)


def _sum_of(parts: list) -> Any:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _total(found: dict, group: list, entries: list) -> Any:
    parts = [found[id_] for id_ in group if id_ in found]
    if not parts:
        return None
    aval = AVALS[entries[group[0]][3]]
    return fit(full(_sum_of(parts), aval), aval)


def _compare_values(replay: Replay, seeds: dict[int, Any]) -> None:
    """Hold the target against what was recorded of it, which is all but large arrays."""
    for id_ in seeds:
        kept = replay.entries[id_][8]
        if kept is not None and not _is_close(concrete(replay.nodes[id_]), kept):
            raise TapeUseError(
                "This run cannot be written as a program: it would not give the recorded value."
            )


def _compare(expected_gradients: list, gradients: list) -> None:
    """Hold the program's gradient against the tape's: a program that differs is not handed out."""
    for ct, expected in zip(gradients, expected_gradients, strict=True):
        got = concrete(ct)
        same = (got is None) == (expected is None) and (got is None or _is_close(got, expected))
        if not same:
            raise TapeUseError(
                "This run cannot be written as a program: it would not give the tape's gradient.",
                why="Elements that were never selected meet an infinity or nan in it.",
            )


def _printed(tape: Any, replay: Replay, outputs: list, names: Names) -> Program:
    reader = Reader(tape._recording, getattr(tape.cell, "filename", None))
    places = Places(tape, replay, reader)
    steps = replay.writer.steps
    inputs = {name: replay.values[id_] for name, id_ in names.inputs if id_ in replay.values}
    for step in steps:  # other leaves that were watched are constants here
        if step.kind == "input" and step.name not in inputs:
            step.kind, step.args = "constant", (step.value,)
    layouts = hangs_on_layouts(replay.entries[: replay.top + 1])
    apart = [name for name, id_ in names.inputs if layouts and lies_apart(replay.entries, id_)]
    if apart:
        raise TapeUseError(
            f"This run cannot be written as a program: what it writes to hangs on how {apart[0]!r}"
            " lies in memory, which has gaps.",
            fix="Give the run an array of its own: a copy.",
        )
    for cuts, rolls in ((True, True), (False, True), (False, False)):
        speller = Speller(inputs, [*names.arrays, *names.matrices])
        printer = Printer(steps, outputs, replay.writer.checks, speller, places, cuts=cuts)
        try:
            rows = printer.rows()
            if rolls:
                rows = rolled(rows, {*inputs, *speller.constants, *speller.shared}, speller.fresh)
            text = module_text(Program.name, rows, inputs, speller, layouts)
        except NotImplementedError as error:
            raise TapeUseError(f"This run cannot be written as a program: {error}.") from None
        text = speller.renumbered(text)
        program = Program(text, _copied(inputs), _copied(speller.constants), names.of_sources)
        if _gives(program, outputs, exactly=rolls):
            return program
    raise TapeUseError("This run cannot be written as a program: its text does not repeat it.")


def _copied(values: dict[str, Any]) -> dict[str, Any]:
    """Copy arrays, each with its axes in the same order: NumPy sums, and ravels, along memory."""
    return {name: x.copy("K") if isinstance(x, np.ndarray) else x for name, x in values.items()}


def _gives(program: Program, outputs: list, *, exactly: bool) -> bool:
    """Tell whether a program repeats the run: one with loops in every bit, or it goes without."""
    try:
        with unheard():
            found = program()
    except Exception:  # noqa: BLE001  (whatever it raises: such a text is not handed out)
        return False
    same = np.array_equal if exactly else _is_close
    return all(
        x is y if y is None else same(x, y, equal_nan=np.asarray(y).dtype.kind in "fc")
        for x, y in zip(found, map(concrete, outputs), strict=True)
    )


def _is_close(got: Any, expected: Any, equal_nan: bool = True) -> bool:
    """Tell whether numbers are the same but for rounding, in the precision that they have."""
    expected = np.asarray(expected)
    rounding = float(np.sqrt(np.finfo(expected.dtype).eps)) if expected.dtype.kind in "fc" else 0.0
    finite = np.abs(expected[np.isfinite(expected)])
    return np.shape(got) == expected.shape and np.allclose(
        got, expected, rtol=rounding, atol=rounding * finite.max(initial=0.0), equal_nan=equal_nan
    )
