"""What else a run gives, against its gradients: a program, Jacobians, a slope taken forwards."""

from __future__ import annotations

import contextlib
import io
import random
import traceback
import warnings
from typing import Any

import numpy as np

import tapemagic
from tapemagic.autodiff.calls.dispatch import is_traced, plain
from tapemagic.autodiff.twins.modules import numpy_twin
from tapemagic.errors import TapeError, TapeUseError

from .gradients import SINGLE, TOLERANCE, Outcome
from .programs import Program, compiled, fresh_space

#: Of how many runs each is asked for.
SHARE = 0.15


def compare_program(program: Program, run: Any, gradients: dict[str, Any]) -> Outcome | None:
    """Compare what the run gives as a program of its own, on a sample; a refusal is one."""
    loss = run.space["loss"]
    if random.Random(program.seed).random() >= SHARE or not is_traced(loss):
        return None
    try:
        made = run.tape.program(loss, list(run.sources.values()))
        value, *found = made(**made.inputs)
    except TapeUseError:
        return None  # loud, and not what this is about
    except Exception as error:
        return Outcome("program", "".join(traceback.format_exception(error)))
    for got, wanted in [(value, plain(loss)), *zip(found, gradients.values(), strict=True)]:
        if not _same(program, got, wanted):
            return Outcome("program", f"{got!r} where the tape has {wanted!r}")
    return _compare_again(program, run, made)


def _compare_again(program: Program, run: Any, made: Any) -> Outcome | None:
    """Compare what the program gives for other inputs with a run of its own; it may refuse them."""
    numbers = np.random.default_rng(program.seed + 2)
    changed = {
        name: (value * numbers.uniform(0.5, 1.5, np.shape(value))).astype(np.asarray(value).dtype)[
            ()
        ]
        for name, value in program.inputs.items()
    }
    try:
        value, *found = made(**dict(zip(made.inputs, changed.values(), strict=True)))
        again = type(run)(program, changed)
        gradients = again.gradients()
    except TapeError:
        return None
    except Exception as error:
        return Outcome("again", "".join(traceback.format_exception(error)))
    if not np.isfinite(plain(again.space["loss"])):
        return None
    pairs = [(value, plain(again.space["loss"])), *zip(found, gradients.values(), strict=True)]
    for got, wanted in pairs:
        if not _same(program, got, wanted):
            return Outcome("again", f"{got!r} for {changed}, where a tape has {wanted!r}")
    return None


def compare_forward(program: Program, gradients: dict[str, Any]) -> Outcome | None:
    """Compare the derivative along a direction, taken forwards, with the gradient, on a sample."""
    if random.Random(program.seed + 2).random() >= SHARE or program.views:
        return None
    numbers = np.random.default_rng(program.seed + 3)
    directions = tuple(
        numbers.normal(size=np.shape(value)).astype(np.asarray(value).dtype)[()]
        for value in program.inputs.values()
    )

    def loss(*values: Any) -> Any:
        space = fresh_space(program) | dict(zip(program.inputs, values, strict=True))
        space["np"] = numpy_twin
        exec(compiled(program.text), space)
        return space["loss"]

    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            with contextlib.redirect_stdout(io.StringIO()):
                _, got = tapemagic.jvp(loss, tuple(program.inputs.values()), directions)
    except TapeError:
        return None
    except Exception as error:
        return Outcome("forward", "".join(traceback.format_exception(error)))
    parts = [np.real(np.conj(g) * d) for g, d in zip(gradients.values(), directions, strict=True)]
    wanted = sum(float(np.sum(part)) for part in parts)
    rounding = SINGLE if program.is_single else TOLERANCE
    size = 1 + sum(float(np.sum(np.abs(part))) for part in parts)
    if abs(got - wanted) <= rounding * size or not np.isfinite(wanted):
        return None
    return Outcome("forward", f"{got!r} along a direction, where the gradient says {wanted!r}")


def compare_jacobian(program: Program, run: Any) -> Outcome | None:
    """Compare the Jacobian of one name with the gradients of its elements, on a sample."""
    if random.Random(program.seed + 1).random() >= SHARE:
        return None
    names = [name for name, value in run.space.items() if _has_jacobian(value)]
    if not names:
        return None
    name = random.Random(program.seed).choice(names)
    target, sources = run.space[name], list(run.sources.values())
    try:
        found = run.tape.jacobian(target, sources, unconnected_gradients="zero")
        for i in range(plain(target).size):
            seed = np.zeros_like(plain(target))
            seed[np.unravel_index(i, seed.shape)] = 1
            rows = run.tape.gradient(
                target, sources, output_gradients=seed, unconnected_gradients="zero"
            )
            for block, row in zip(found, rows, strict=True):
                got = np.reshape(block, (seed.size, *np.shape(row)))[i]
                if not _same(program, got, row):
                    return Outcome("jacobian", f"{name}, element {i}: {got!r}, not {row!r}")
    except TapeError:
        return None
    except Exception as error:
        return Outcome("jacobian", "".join(traceback.format_exception(error)))
    return None


def _has_jacobian(value: Any) -> bool:
    value = plain(value) if is_traced(value) else None
    return isinstance(value, np.ndarray) and value.dtype.kind == "f" and 2 <= value.size <= 12


def _same(program: Program, got: Any, wanted: Any) -> bool:
    rounding = SINGLE if program.is_single else TOLERANCE
    got = np.zeros_like(wanted) if got is None else got
    atol = rounding * (1 + float(np.max(np.abs(wanted), initial=0.0)))
    return np.allclose(got, wanted, rtol=rounding, atol=atol, equal_nan=True)
