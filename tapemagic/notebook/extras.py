"""What `--check`, `--jacobian`, `--code` and `--order 2` add to the page."""

from __future__ import annotations

import re
import time
from types import SimpleNamespace
from typing import Any

import numpy as np
from IPython.core.error import UsageError
from IPython.display import Code, display

from tapemagic.autodiff.calls.dispatch import plain
from tapemagic.autodiff.checking import Check, compare
from tapemagic.autodiff.lookup import ids_of
from tapemagic.errors import TapeError

from .frames import find_line, first_line
from .rerun import Rerun
from .session import Session
from .versions import is_variable

#: A Jacobian or Hessian with more elements is not printed.
MOST_PRINTED = 400


def add_extras(session: Session, rerun: Rerun | None) -> None:
    """Find what the options of a run ask for; its program is shown in an output of its own.

    Raises
    ------
    UsageError
        If an option needs to run the cell again and it cannot be.
    """
    if session.options.code:
        show_code(session)
    find_extras(session, rerun, {})


def find_extras(session: Session, rerun: Rerun | None, values: dict[str, float]) -> None:
    """Find what the options ask for and can be said in lines of text.

    Parameters
    ----------
    session : Session
        The run, of the cell or of a slider.
    rerun : Rerun or None
    values : dict
        What sliders have set: name of a source -> number.

    Raises
    ------
    UsageError
        If an option needs to run the cell again and it cannot be.
    """
    options, extras = session.options, session.outcome.extras
    start = time.perf_counter()
    if options.jacobian:
        extras += jacobians(session)
    if options.check or options.order == 2:
        if rerun is None or rerun.reason:
            why = rerun.reason if rerun is not None else "it was not prepared"
            raise UsageError(f"--check and --order 2 run the cell again, and they cannot: {why}")
        if options.check:
            extras.append(str(check(session, rerun)))
        if options.order == 2:
            extras += hessians(session, rerun, values)
    session.outcome.seconds = time.perf_counter() - start


def show_code(session: Session) -> None:
    """Show the run and its gradient as a NumPy program, in an output of its own."""
    from tapemagic.autodiff.program import make_program  # a large room, rarely entered

    spaces = SimpleNamespace(f_locals=session.namespace, f_globals={})
    try:
        names = list(session.sources.handles)
        program = make_program(session.tape, session.target_key(), names, spaces)
    except TapeError as error:
        session.outcome.notes.append(f"--code: {error}")
    else:
        display(Code(str(program), language="python"))


def jacobians(session: Session) -> list[str]:
    """Spell the Jacobian of the target with respect to each source."""
    target = session.target_key()
    found = session.tape.jacobian(target, list(session.sources.handles.values()))
    name = in_quotient(session.target_name())
    return [
        spell(f"d {name} / d {source}", value)
        for source, value in zip(session.sources.handles, found, strict=True)
    ]


def check(session: Session, rerun: Rerun) -> Check:
    """Compare the gradients with finite differences of the cell, run again on copies.

    Left out are variables that the cell makes, or assigns to: each read counts with the value that
    it had, and a move of the first one does not reach the others.
    """
    names, values, gradients, variables = [], [], [], []
    for (name, handle), gradient in zip(
        session.sources.handles.items(), session.gradients, strict=True
    ):
        is_plain = not is_variable(handle)
        start = session.start_values.get(name) if is_plain else start_of(session, rerun, handle)
        if start is None:
            continue
        names.append(name)
        values.append(np.array(start))
        gradients.append(np.zeros_like(values[-1]) if gradient is None else np.asarray(gradient))
        variables.append(None if is_plain else session.originals.get(id(handle), handle))
    if not names:
        raise UsageError("--check: no source has a value before the cell that could be moved")

    def loss(moved: list[np.ndarray]) -> float:
        given = [(name, x, value[()]) for name, x, value in zip(names, variables, moved)]
        again = run_again(
            rerun,
            {name: value for name, x, value in given if x is None},
            [(x, value) for _, x, value in given if x is not None],
        )
        return np.sum(again.value_of_target())

    return compare(loss, values, gradients, names)


def run_again(rerun: Rerun, *args: Any, **kwargs: Any) -> Session:
    """Run the cell again.

    Raises
    ------
    UsageError
        If it ends early: it is not the cell that has failed then.
    """
    try:
        return rerun.record(*args, **kwargs)
    except TapeError:
        raise
    except Exception as error:  # noqa: BLE001  (of the user's code)
        said = f"{type(error).__name__}: {first_line(error)}".removesuffix(": ")
        raise UsageError(
            "--check and --order 2 run the cell again, on copies and with other values, and it "
            f"failed at line {find_line(error, rerun.cell.filename)} then: {said}"
        ) from None


def start_of(session: Session, rerun: Rerun, variable: Any) -> Any:
    """Return the value of a variable before the cell, if every read in it has found that."""
    start = session.start_values.get(id(variable), rerun.start_of(variable))
    ids = ids_of(session.tape, variable)
    read = [session.tape._recording.entries[id_][-1] for id_ in ids]
    is_same = len(read) == 1 and start is not None and np.array_equal(start, read[0], True)
    return start if is_same else None


def hessians(session: Session, rerun: Rerun, values: dict[str, float]) -> list[str]:
    """Spell the second derivatives of the target: each source with itself."""
    again = run_again(rerun, values, keeps_gradients=True)
    target = in_quotient(session.target_name())
    rows = []
    # what the cell makes has other names when it runs again: dense_2/kernel
    for name, handle, gradient in zip(
        session.sources.handles, again.sources.handles.values(), again.gradients, strict=True
    ):
        row = f"d2 {target} / d {name}2"
        if gradient is not None and np.size(handle) ** 2 > MOST_PRINTED:
            rows.append(too_large(row, (*np.shape(handle), *np.shape(handle))))
            continue
        value = None if gradient is None else again.tape.jacobian(gradient, handle)
        rows.append(spell(row, value))
    return rows


def in_quotient(target: str) -> str:
    """Put an expression between brackets where it stands under a derivative."""
    is_name = re.fullmatch(r"[\w.]+(\[[^\[\]]*\])*", target)
    return target if is_name else f"({target})"


def spell(name: str, value: Any) -> str:
    """Write a matrix under its name, if it is small enough to be read."""
    if value is None:
        return f"{name}: not connected"
    value = plain(value)
    if np.size(value) > MOST_PRINTED:
        return too_large(name, np.shape(value))
    value = np.asarray(value) + 0.0  # a zero has no sign that anybody would want to read
    text = np.array2string(value, precision=6, max_line_width=78)
    return f"{name} =\n{text}" if "\n" in text else f"{name} = {text}"


def too_large(name: str, shape: tuple[int, ...]) -> str:
    """Say that a matrix is not printed."""
    return f"{name}: shape {shape}, too large to print; ask tape.jacobian"
