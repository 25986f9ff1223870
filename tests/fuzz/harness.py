"""Run a program as plain NumPy and under a tape, and compare values, aliasing and gradients."""

from __future__ import annotations

import contextlib
import io
import random
import traceback
import warnings
from dataclasses import replace
from typing import Any

import numpy as np

import tapemagic
from tapemagic.autodiff.borrowing.borrowed import Borrowed
from tapemagic.autodiff.calls.dispatch import is_traced
from tapemagic.autodiff.recorder import RECORDER
from tapemagic.autodiff.twins.modules import numpy_twin
from tapemagic.errors import TapeError

from .cells import CellRun
from .derivatives import compare_forward, compare_jacobian, compare_program
from .gradients import Outcome, close, compare_gradients, differences
from .programs import (
    HELPER_NAMES,
    Program,
    arrays_in,
    compiled,
    fresh_space,
    run_plain,
    values_of,
)  # fmt: skip


class TracedRun:
    """A program run under a persistent tape that watches its inputs."""

    def __init__(self, program: Program, changed: dict[str, Any] | None = None) -> None:
        space = fresh_space(program, changed)
        self.plain_inputs = {k: v for k, v in space.items() if k not in HELPER_NAMES}
        self.borrowed = Borrowed()
        self.tape = tapemagic.GradientTape(persistent=True)
        space["np"] = numpy_twin
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            with self.tape:
                for name, value in self.plain_inputs.items():
                    space[name] = self.borrowed.lift(value)
                self.sources = {name: space[name] for name in program.inputs}
                self.tape.watch(list(self.sources.values()))
                with contextlib.redirect_stdout(io.StringIO()):
                    exec(compiled(program.text), space)
        self.space = space

    def gradients(self) -> dict[str, Any]:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("error")
            return self.tape.gradient(
                self.space["loss"], self.sources, unconnected_gradients="zero"
            )

    def products(self, directions: dict[str, Any]) -> dict[str, Any]:
        """Return the second derivative along `directions`: the gradient, differentiated."""
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("error")
            with self.tape:
                first = self.tape.gradient(
                    self.space["loss"], self.sources, unconnected_gradients="zero"
                )
                total = sum(np.sum(first[k] * d) for k, d in directions.items())
            return self.tape.gradient(total, self.sources, unconnected_gradients="zero")

    def leave(self) -> dict[str, Any]:
        """Return the namespace that the cell leaves behind."""
        self.borrowed.restore()
        return {
            name: self.borrowed.lower(value) if is_traced(value)
            else value
            for name, value in values_of(self.space).items()
        }  # fmt: skip


def check(program: Program, *, order_two: bool | None = None) -> Outcome:
    """Run a program both ways and compare."""
    try:
        plain = run_plain(program)
    except Exception as error:
        return Outcome("skipped", f"not a program: {error!r}")
    if not np.isfinite(plain.get("loss", np.nan)):
        return Outcome("skipped", "not finite")
    outcome = _check_cell(program) if program.cell else _check_script(program, plain, order_two)
    if RECORDER.recording is not None:
        return Outcome("hooked", "a recording is still open")
    return outcome


def _check_script(program: Program, plain: dict[str, Any], order_two: bool | None) -> Outcome:
    try:
        run = TracedRun(program)
        gradients = run.gradients()
        left = run.leave()
    except Exception as error:
        return refused(error)
    return (
        _compare_values(plain, left)
        or _compare_inputs(program, run)
        or _judged(program, gradients)
        or _compare_second(program, run, order_two)
        or compare_program(program, run, gradients)
        or compare_jacobian(program, run)
        or compare_forward(program, gradients)
        or Outcome("ok")
    )


def _check_cell(program: Program) -> Outcome:
    run = CellRun(program)
    if run.error is not None:
        return refused(run.error)
    difference = run.difference()
    if difference:
        return Outcome("value", difference)
    try:
        gradients = run.gradients()
    except Exception as error:
        return refused(error)
    return _judged(program, gradients) or Outcome("ok")


def refused(error: BaseException) -> Outcome:
    """Judge an error that plain NumPy does not raise: one of ours, with a line, is a refusal."""
    ours = next((e for e in (error, error.__cause__) if isinstance(e, TapeError)), None)
    if ours is None:
        return Outcome("error", "".join(traceback.format_exception(error)))
    return Outcome("refused" if ours.line is not None else "lineless", str(ours))


# ----------------------------------------------------------------------------------- values


def _compare_values(plain: dict[str, Any], left: dict[str, Any]) -> Outcome | None:
    wanted, got = arrays_in(plain), left
    for name, value in values_of(plain).items():
        if name not in got:
            return Outcome("value", f"{name} is missing")
        if name not in wanted:
            continue
        difference = _difference(value, got[name])
        if difference:
            return Outcome("value", f"{name}: {difference}")
    names = [k for k, v in wanted.items() if isinstance(v, np.ndarray)]
    for i, a in enumerate(names):
        for b in names[:i]:
            if (plain[a] is plain[b]) != (got[a] is got[b]):
                return Outcome("alias", f"'{a} is {b}' differs")
            if not (plain[a].flags.writeable or plain[b].flags.writeable):
                continue  # nobody can tell
            if np.shares_memory(plain[a], plain[b]) != np.shares_memory(got[a], got[b]):
                return Outcome("alias", f"{a} and {b}: sharing of memory differs")
    return None


def _difference(wanted: Any, got: Any) -> str:
    if type(wanted) is not type(got):
        return f"type {type(wanted).__name__}, got {type(got).__name__}"
    if not isinstance(wanted, np.ndarray):
        same = wanted == got or (wanted != wanted and got != got)
        return "" if same else f"{wanted!r}, got {got!r}"
    if wanted.dtype != got.dtype or wanted.shape != got.shape:
        return f"{wanted.dtype}{wanted.shape}, got {got.dtype}{got.shape}"
    if wanted.tobytes() != got.tobytes() and not np.array_equal(wanted, got):
        return f"\n{wanted!r}\ngot\n{got!r}"
    if wanted.flags.writeable != got.flags.writeable:
        return f"writeable {wanted.flags.writeable}, got {got.flags.writeable}"
    if wanted.flags.writeable and _steps(wanted) != _steps(got):
        return f"strides {wanted.strides}, got {got.strides}"
    return ""


def _steps(x: np.ndarray) -> list[int]:
    """Return the strides that matter: of axes longer than 1."""
    return [step for n, step in zip(x.shape, x.strides, strict=True) if n > 1 and x.size]


def _compare_inputs(program: Program, run: TracedRun) -> Outcome | None:
    """Check that the arrays that existed before hold what NumPy would have left in them."""
    space = fresh_space(program)
    before = {name: space[name] for name in run.plain_inputs}
    run_plain(program, before=space)
    for name, value in before.items():
        difference = _difference(value, run.plain_inputs[name])
        if difference:
            return Outcome("input", f"{name} as it was before the cell: {difference}")
    return None


# --------------------------------------------------------------------------------- gradients


def _judged(program: Program, gradients: dict[str, Any]) -> Outcome | None:
    """Compare gradients, except where they hang on rounding: ``x.std()`` of equal numbers."""
    outcome = compare_gradients(program, gradients)
    if outcome is None or outcome.kind != "gradient" or _is_steady(program):
        return outcome
    return Outcome("kink")


def _is_steady(program: Program) -> bool:
    """Tell whether inputs that differ by a little more than rounding have the same gradient.

    A rule that is wrong gives a wrong gradient that is as steady as the right one.
    """
    found = []
    step, rtol = (1e-6, 1e-3) if program.is_single else (1e-10, 1e-5)
    for factor in (1.0, 1 - step, 1 + step):
        inputs = {name: value * factor for name, value in program.inputs.items()}
        moved = replace(program, inputs=inputs)
        try:
            found.append((CellRun if program.cell else TracedRun)(moved).gradients())
        except Exception:
            return True  # something else is wrong, too
    first, *others = found
    return all(
        np.allclose(other[name], first[name], rtol=rtol, atol=rtol / 100, equal_nan=True)
        for other in others
        for name in first
    )


def _compare_second(program: Program, run: TracedRun, wish: bool | None) -> Outcome | None:
    """Compare derivatives of the gradient with differences of gradients."""
    if wish is None:
        wish = random.Random(program.seed).random() < 0.2
    if (
        not wish
        or program.is_single
        or any(np.iscomplexobj(value) for value in program.inputs.values())
    ):
        return None
    rng = np.random.default_rng(program.seed + 1)
    directions = {k: rng.normal(size=np.shape(v)) for k, v in program.inputs.items()}
    others = {k: rng.normal(size=np.shape(v)) for k, v in program.inputs.items()}
    try:
        products = run.products(directions)
    except Exception as error:
        return refused(error)
    got = sum(float(np.sum(products[k] * d)) for k, d in others.items())

    def slope(t: float) -> float:
        changed = {k: v + t * others[k] for k, v in program.inputs.items()}
        gradients = TracedRun(program, changed).gradients()
        return sum(float(np.sum(gradients[k] * d)) for k, d in directions.items())

    wanted = differences(slope)
    if wanted is None:
        return Outcome("kink")
    if not close(got, *wanted):
        return Outcome("second", f"{got!r}, differences of gradients give {wanted[0]!r}")
    return None
