"""`tf.keras.optimizers.schedules`: learning rates that depend on the number of steps done.

Cosine decay and its restarts: Loshchilov and Hutter 2017, "SGDR".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff.calls.dispatch import plain
from tapemagic.errors import TapeUseError
from tapemagic.tf import advice
from tapemagic.tf.tensor import Tensor, tensor_of

from .configs import Configured, serialize  # noqa: F401  (a name of this module)
from .names import by_name


class LearningRateSchedule(Configured):
    """Base class: called with the number of steps done, it returns the learning rate."""

    def __call__(self, step: Any) -> Any:
        """Return the learning rate after a number of steps."""
        raise NotImplementedError("A schedule needs a method __call__(self, step).")


class _Formula(LearningRateSchedule):
    """Base class of those that a formula says."""

    def __call__(self, step: Any) -> Tensor:
        """Return the learning rate after a number of steps."""
        return tensor_of(np.float32(self.rate(np.float32(plain(step)))))

    def rate(self, step: Any) -> Any:
        """Return the learning rate as a number."""
        raise NotImplementedError


class ExponentialDecay(_Formula):
    """A learning rate that falls by a factor every `decay_steps` steps."""

    def __init__(
        self, initial_learning_rate: float, decay_steps: int, decay_rate: float,
        staircase: bool = False, name: str = "ExponentialDecay",
    ) -> None:  # fmt: skip
        self.initial, self.steps = np.float32(initial_learning_rate), decay_steps
        self.decay, self.staircase = np.float32(decay_rate), staircase

    def _done(self, step: Any) -> Any:
        return np.floor(step / self.steps) if self.staircase else step / self.steps

    def rate(self, step: Any) -> Any:
        """Return ``initial * decay ** (step / decay_steps)``."""
        return self.initial * self.decay ** self._done(step)


class InverseTimeDecay(ExponentialDecay):
    """A learning rate over ``1 + decay_rate * step / decay_steps``."""

    def __init__(
        self, initial_learning_rate: float, decay_steps: int, decay_rate: float,
        staircase: bool = False, name: str = "InverseTimeDecay",
    ) -> None:  # fmt: skip
        super().__init__(initial_learning_rate, decay_steps, decay_rate, staircase, name)

    def rate(self, step: Any) -> Any:
        """Return ``initial / (1 + decay * step / decay_steps)``."""
        return self.initial / (1 + self.decay * self._done(step))


class PiecewiseConstantDecay(_Formula):
    """One value up to, and with, the first boundary, the next up to the second, and so on."""

    def __init__(self, boundaries: Any, values: Any, name: str = "PiecewiseConstant") -> None:
        if len(boundaries) != len(values) - 1:
            raise TapeUseError(f"{len(boundaries)} boundaries of {len(values)} values.")
        self.boundaries, self.values = list(boundaries), list(values)

    def rate(self, step: Any) -> Any:
        """Return the value between two boundaries."""
        return self.values[int(np.searchsorted(self.boundaries, step))]


class PolynomialDecay(_Formula):
    """A learning rate that falls to another in `decay_steps`, as a power of what is left."""

    def __init__(
        self, initial_learning_rate: float, decay_steps: int, end_learning_rate: float = 0.0001,
        power: float = 1.0, cycle: bool = False, name: str = "PolynomialDecay",
    ) -> None:  # fmt: skip
        self.initial, self.steps = np.float32(initial_learning_rate), decay_steps
        self.end, self.power, self.cycle = np.float32(end_learning_rate), power, cycle

    def rate(self, step: Any) -> Any:
        """Return ``(initial - end) * (1 - step / decay_steps) ** power + end``."""
        steps = self.steps * max(1, np.ceil(step / self.steps)) if self.cycle else self.steps
        left = 1 - min(step, steps) / steps
        return (self.initial - self.end) * left**self.power + self.end


class CosineDecay(_Formula):
    """A learning rate that rises for `warmup_steps`, and falls with a cosine for `decay_steps`."""

    def __init__(
        self, initial_learning_rate: float, decay_steps: int, alpha: float = 0.0,
        name: str = "CosineDecay", warmup_target: float | None = None, warmup_steps: int = 0,
    ) -> None:  # fmt: skip
        self.initial, self.steps, self.alpha = np.float32(initial_learning_rate), decay_steps, alpha
        self.target, self.warmup = warmup_target, warmup_steps

    def rate(self, step: Any) -> Any:
        """Return the rate on the way up, or on the way down."""
        top, warmup = (
            (self.initial, 0) if self.target is None else (np.float32(self.target), self.warmup)
        )
        if step < warmup:
            return self.initial + (top - self.initial) * step / warmup
        part = min(step - warmup, self.steps) / self.steps
        cosine = 0.5 * (1 + np.cos(np.float32(np.pi) * part))
        return top * ((1 - self.alpha) * cosine + self.alpha)


class CosineDecayRestarts(_Formula):
    """Cosine decay that begins again and again, each time for longer."""

    def __init__(
        self, initial_learning_rate: float, first_decay_steps: int, t_mul: float = 2.0,
        m_mul: float = 1.0, alpha: float = 0.0, name: str = "SGDRDecay",
    ) -> None:  # fmt: skip
        self.initial, self.steps = np.float32(initial_learning_rate), first_decay_steps
        self.longer, self.factor, self.alpha = t_mul, m_mul, alpha

    def rate(self, step: Any) -> Any:
        """Return the rate in the period that the step is in."""
        top, steps = 1.0, np.float32(self.steps)
        while step >= steps:
            step, steps, top = step - steps, steps * self.longer, top * self.factor
        cosine = 0.5 * top * (1 + np.cos(np.float32(np.pi) * (step / steps)))
        return self.initial * ((1 - self.alpha) * cosine + self.alpha)


def deserialize(config: Any) -> Any:
    """Return the schedule that `serialize` returned the settings of."""
    return by_name("schedule", globals(), config)


__getattr__ = advice.missing("tf.keras.optimizers.schedules")
