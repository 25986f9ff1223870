"""What else a run gives, against its gradients: a program of its own, and Jacobians."""

from __future__ import annotations

import random
import traceback
from typing import Any

import numpy as np

from tapemagic.autodiff.calls.dispatch import is_traced, plain
from tapemagic.errors import TapeError, TapeUseError

from .gradients import SINGLE, TOLERANCE, Outcome
from .programs import Program

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
    return None


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
