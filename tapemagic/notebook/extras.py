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
from tapemagic.errors import TapeError

from .rerun import Rerun
from .session import Session

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
    """Compare the gradients with finite differences of the cell, run again on copies."""
    names = [name for name in session.sources.handles if name in session.start_values]
    if not names:
        raise UsageError("--check: no source has a value before the cell that could be moved")
    rows = dict(zip(session.sources.handles, session.gradients, strict=True))
    values = [np.array(session.start_values[name]) for name in names]
    gradients = [
        np.zeros_like(v) if rows[n] is None else np.asarray(rows[n])
        for n, v in zip(names, values, strict=True)
    ]

    def loss(moved: list[np.ndarray]) -> float:
        again = rerun.record(dict(zip(names, (one[()] for one in moved), strict=True)))
        return np.sum(again.value_of_target())

    return compare(loss, values, gradients, names)


def hessians(session: Session, rerun: Rerun, values: dict[str, float]) -> list[str]:
    """Spell the second derivatives of the target: each source with itself."""
    again = rerun.record(values, keeps_gradients=True)
    rows = []
    for (name, handle), gradient in zip(
        again.sources.handles.items(), again.gradients, strict=True
    ):
        value = None if gradient is None else again.tape.jacobian(gradient, handle)
        target = in_quotient(session.target_name())
        rows.append(spell(f"d2 {target} / d {name}2", value))
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
        return f"{name}: shape {np.shape(value)}, too large to print; ask tape.jacobian"
    value = np.asarray(value) + 0.0  # a zero has no sign that anybody would want to read
    text = np.array2string(value, precision=6, max_line_width=78)
    return f"{name} =\n{text}" if "\n" in text else f"{name} = {text}"
