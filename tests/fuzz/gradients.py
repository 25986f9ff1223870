"""What became of a program, and its gradient compared with finite differences."""

from __future__ import annotations

from typing import Any

import numpy as np

from .programs import Program, run_plain

STEP = 1e-4
#: Gradient and differences agree to this, relative to their size, and no better by chance.
TOLERANCE = 2e-6
#: The same where float32 occurs.
SINGLE = 2e-4
#: Right; right as far as differences can judge at a kink; refused with a line; no such program.
PASSED = ("ok", "kink", "refused", "skipped")


class Outcome:
    """What became of a program, with details: one of `PASSED`, or a kind of failure."""

    def __init__(self, kind: str, detail: str = "") -> None:
        self.kind, self.detail = kind, detail

    @property
    def failed(self) -> bool:
        return self.kind not in PASSED

    def __repr__(self) -> str:
        return f"{self.kind}: {self.detail}"


def compare_gradients(program: Program, gradients: dict[str, Any]) -> Outcome | None:
    """Compare with differences, in double precision, along a random direction per source."""
    rng = np.random.default_rng(program.seed)
    kinks, precise = 0, program.doubled() if program.is_single else program
    if precise is not program and not np.isclose(_loss(precise, {}), _loss(program, {}), SINGLE):
        return Outcome("kink")  # rounded to single precision, it takes another branch
    for name, got in gradients.items():
        value = program.inputs[name]
        if np.shape(got) != np.shape(value) or np.asarray(got).dtype != np.asarray(value).dtype:
            return Outcome("gradient", f"{name}: {np.asarray(got).dtype}{np.shape(got)}")
        direction = _direction(rng, value)
        wanted = differences(lambda t: _loss(precise, {name: value + t * direction}))
        if wanted is None:
            kinks += 1
            continue
        along = float(np.sum(np.real(np.conj(got) * direction)))
        allowed = SINGLE * (1 + np.sum(np.abs(got))) if precise is not program else 0.0
        if not close(along, wanted[0], wanted[1] + allowed):
            return Outcome(
                "gradient", f"{name}: {along!r}, differences give {wanted[0]!r} ({got!r})"
            )
    return Outcome("kink") if kinks else None


def _direction(rng: np.random.Generator, value: Any) -> Any:
    direction = rng.normal(size=np.shape(value))
    if np.iscomplexobj(value):
        direction = direction + 1j * rng.normal(size=np.shape(value))
    return direction if np.ndim(value) else direction.item() if np.ndim(direction) else direction


def _loss(program: Program, changed: dict[str, Any]) -> float:
    try:
        return float(run_plain(program, changed)["loss"])
    except Exception:
        return np.nan  # changed a little, it is no program any more


def differences(f: Any) -> tuple[float, float] | None:
    """Return the derivative of `f` at 0 and its uncertainty, or None at a kink."""
    middle = f(0.0)
    for h in (STEP, STEP / 30):
        f1, f2, b1, b2 = f(h), f(h / 2), f(-h), f(-h / 2)
        wide, narrow = (f1 - b1) / (2 * h), (f2 - b2) / h
        size = 1 + abs(narrow) + abs(middle)
        gap_wide, gap = (f1 - 2 * middle + b1) / h, (f2 - 2 * middle + b2) / (h / 2)
        smooth = abs(gap) < 1e-7 * size or abs(gap) < 0.7 * abs(gap_wide)
        if smooth and abs(wide - narrow) < 1e-4 * size:
            return (4 * narrow - wide) / 3, abs(wide - narrow) * 0.5
    return None


def close(got: float, wanted: float, uncertainty: float) -> bool:
    return abs(got - wanted) <= TOLERANCE * (1 + abs(wanted)) * 10 + uncertainty
