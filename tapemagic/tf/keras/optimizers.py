"""`tf.keras.optimizers`: steps of gradient descent, by Keras 3's formulas.

Sources: momentum as Sutskever et al. 2013, "On the importance of initialization and momentum in
deep learning"; Adam: Kingma and Ba 2015, algorithm 1 with the step size of section 2; AMSGrad:
Reddi et al. 2018; RMSprop: Hinton 2012, lecture 6e; Adagrad: Duchi et al. 2011.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff import leaks, structures
from tapemagic.autodiff.calls import dispatch
from tapemagic.errors import TapeUseError
from tapemagic.tf import advice
from tapemagic.tf.specs import int64
from tapemagic.tf.tape import GradientTape
from tapemagic.tf.variable import Variable


class Optimizer:
    """Base class: clips gradients, keeps what a method remembers of each variable.

    Parameters
    ----------
    learning_rate : float, variable, or a callable of the number of steps done
    clipnorm, global_clipnorm, clipvalue : float, optional
        Largest norm of each gradient, of all of them, and of each element.
    weight_decay : float, optional
        Part of ``learning_rate * variable`` taken off at each step.
    """

    def __init__(
        self,
        learning_rate: Any,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        name: str | None = None,
    ) -> None:
        self._rate = learning_rate
        self._weight_decay = weight_decay
        self._clips = {
            name: limit
            for name, limit in (
                ("clipnorm", clipnorm), ("clipvalue", clipvalue),
                ("global_clipnorm", global_clipnorm),
            ) if limit is not None
        }  # fmt: skip
        if len(self._clips) > 1:
            raise TapeUseError(f"Only one of {' and '.join(self._clips)} can be given.")
        self.name = name or type(self).__name__.lower()
        self.iterations = Variable(0, trainable=False, name="iteration", dtype=int64)
        self._states: dict[int, tuple[Variable, dict[str, np.ndarray]]] = {}

    @property
    def learning_rate(self) -> Any:
        """The size of a step, now."""
        rate = self._rate(self.iterations) if callable(self._rate) else self._rate
        leaks.hand_out(rate, "the optimizer")
        return float(np.asarray(dispatch.plain(rate)))

    @learning_rate.setter
    def learning_rate(self, rate: Any) -> None:
        self._rate = rate

    lr = learning_rate

    def apply_gradients(self, grads_and_vars: Any, name: Any = None) -> Variable:
        """Do one step.

        Parameters
        ----------
        grads_and_vars : iterable of (gradient, variable)
            ``zip(gradients, variables)``; a variable whose gradient is None is left alone.

        Returns
        -------
        Variable
            The number of steps done.

        Raises
        ------
        TapeUseError
            If every gradient is None.
        """
        pairs = [(gradient, variable) for gradient, variable in grads_and_vars]
        without = [variable.name for gradient, variable in pairs if gradient is None]
        pairs = [pair for pair in pairs if pair[0] is not None]
        if not pairs:
            raise TapeUseError(
                "No gradients provided for any variable.",
                fix="Every gradient is None: does the loss depend on the variables, inside the "
                "tape's block?",
            )
        if without:
            leaks.warn(f"Gradients do not exist for {', '.join(without)}.")
        for x in structures.leaves(pairs):
            leaks.hand_out(x, "the optimizer")
        gradients = [np.array(dispatch.plain(gradient)) for gradient, _ in pairs]
        rate = self.learning_rate
        step = int(self.iterations.numpy()) + 1
        for gradient, (_, variable) in zip(self._clipped(gradients), pairs, strict=True):
            state = self._state_of(variable)
            value = dispatch.plain(variable)
            if self._weight_decay:
                value = value - value * (self._weight_decay * rate)
            change = self.change(gradient, rate, step, state)
            variable.assign((value - change).astype(np.asarray(value).dtype))
        self.iterations.assign_add(1)
        return self.iterations

    def apply(self, grads: Any, trainable_variables: Any = None) -> Variable:
        """Do one step: Keras 3's name for `apply_gradients`."""
        return self.apply_gradients(zip(grads, trainable_variables, strict=True))

    def minimize(self, loss: Any, var_list: Any, tape: Any = None) -> Variable:
        """Do one step on a loss: a callable, or a tensor and the tape that recorded it."""
        variables = structures.leaves(var_list() if callable(var_list) else var_list)
        if callable(loss):
            with GradientTape() as recorded:
                loss = loss()
            tape = recorded
        elif tape is None:
            raise TapeUseError("minimize() of a tensor needs the tape that recorded it: tape=tape.")
        return self.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))

    def change(
        self, gradient: np.ndarray, rate: float, step: int, state: dict[str, np.ndarray]
    ) -> np.ndarray:
        """Return what is taken off a variable; `state` holds what the method remembers."""
        raise NotImplementedError

    @property
    def variables(self) -> list[Variable]:
        """The number of steps done; what is remembered is kept as plain arrays."""
        return [self.iterations]

    def _state_of(self, variable: Variable) -> dict[str, np.ndarray]:
        return self._states.setdefault(id(variable), (variable, {}))[1]

    def _clipped(self, gradients: list[np.ndarray]) -> list[np.ndarray]:
        ((kind, limit),) = self._clips.items() or [("", 0.0)]
        if kind == "clipvalue":
            return [np.clip(g, -limit, limit) for g in gradients]
        if kind == "clipnorm":
            return [g * min(1.0, limit / max(_norm([g]), 1e-30)) for g in gradients]
        if kind == "global_clipnorm":
            factor = min(1.0, limit / max(_norm(gradients), 1e-30))
            return [g * factor for g in gradients]
        return gradients


def _norm(arrays: list[np.ndarray]) -> float:
    return float(np.sqrt(sum(np.sum(np.square(np.abs(x))) for x in arrays)))


def _remembered(state: dict, name: str, gradient: np.ndarray, start: float = 0.0) -> np.ndarray:
    return state.setdefault(name, np.full(gradient.shape, start, gradient.dtype))


class SGD(Optimizer):
    """``m = momentum * m - rate * g``; the variable moves by m, or (`nesterov`) a step further."""

    def __init__(
        self, learning_rate: Any = 0.01, momentum: float = 0.0, nesterov: bool = False, **more: Any
    ) -> None:
        super().__init__(learning_rate, **more)
        self.momentum, self.nesterov = momentum, nesterov

    def change(self, gradient: Any, rate: float, step: int, state: dict) -> Any:
        """Return what is taken off a variable."""
        if not self.momentum:
            return rate * gradient
        m = _remembered(state, "m", gradient) * self.momentum - rate * gradient
        state["m"] = m
        return rate * gradient - self.momentum * m if self.nesterov else -m


class Adam(Optimizer):
    """Step by the mean of the gradients over the root of the mean of their squares."""

    def __init__(
        self, learning_rate: Any = 0.001, beta_1: float = 0.9, beta_2: float = 0.999,
        epsilon: float = 1e-7, amsgrad: bool = False, **more: Any,
    ) -> None:  # fmt: skip
        super().__init__(learning_rate, **more)
        self.beta_1, self.beta_2, self.epsilon, self.amsgrad = beta_1, beta_2, epsilon, amsgrad

    def change(self, gradient: Any, rate: float, step: int, state: dict) -> Any:
        """Return what is taken off a variable."""
        m, v = _remembered(state, "m", gradient), _remembered(state, "v", gradient)
        state["m"] = m = m + (gradient - m) * (1 - self.beta_1)
        state["v"] = v = v + (np.square(np.abs(gradient)) - v) * (1 - self.beta_2)
        if self.amsgrad:
            state["largest"] = v = np.maximum(_remembered(state, "largest", gradient), v)
        scale = rate * np.sqrt(1 - self.beta_2**step) / (1 - self.beta_1**step)
        return float(scale) * m / (np.sqrt(v) + self.epsilon)


class AdamW(Adam):
    """`Adam` with weight decay (Loshchilov and Hutter 2019)."""

    def __init__(
        self, learning_rate: Any = 0.001, weight_decay: float = 0.004, **more: Any
    ) -> None:
        super().__init__(learning_rate, weight_decay=weight_decay, **more)


class RMSprop(Optimizer):
    """Step by the gradient over the root of the mean of its squares."""

    def __init__(
        self, learning_rate: Any = 0.001, rho: float = 0.9, momentum: float = 0.0,
        epsilon: float = 1e-7, centered: bool = False, **more: Any,
    ) -> None:  # fmt: skip
        super().__init__(learning_rate, **more)
        self.rho, self.momentum, self.epsilon, self.centered = rho, momentum, epsilon, centered

    def change(self, gradient: Any, rate: float, step: int, state: dict) -> Any:
        """Return what is taken off a variable."""
        v = self.rho * _remembered(state, "v", gradient)
        state["v"] = v = v + (1 - self.rho) * np.square(np.abs(gradient))
        if self.centered:
            mean = self.rho * _remembered(state, "mean", gradient) + (1 - self.rho) * gradient
            state["mean"] = mean
            v = v - np.square(mean)
        change = rate * gradient / np.sqrt(v + self.epsilon)
        if self.momentum:
            state["m"] = change = self.momentum * _remembered(state, "m", gradient) + change
        return change


class Adagrad(Optimizer):
    """Step by the gradient over the root of the sum of its squares so far."""

    def __init__(
        self, learning_rate: Any = 0.001, initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7, **more: Any,
    ) -> None:  # fmt: skip
        super().__init__(learning_rate, **more)
        self.start, self.epsilon = initial_accumulator_value, epsilon

    def change(self, gradient: Any, rate: float, step: int, state: dict) -> Any:
        """Return what is taken off a variable."""
        total = _remembered(state, "total", gradient, self.start) + np.square(np.abs(gradient))
        state["total"] = total
        return rate * gradient / np.sqrt(total + self.epsilon)


class ExponentialDecay:
    """A learning rate that falls by a factor every `decay_steps` steps."""

    def __init__(
        self, initial_learning_rate: float, decay_steps: int, decay_rate: float,
        staircase: bool = False, name: str | None = None,
    ) -> None:  # fmt: skip
        self.initial, self.steps = initial_learning_rate, decay_steps
        self.rate, self.staircase = decay_rate, staircase

    def __call__(self, step: Any) -> float:
        """Return the learning rate after a number of steps."""
        done = float(np.asarray(dispatch.plain(step))) / self.steps
        return self.initial * self.rate ** (np.floor(done) if self.staircase else done)


class Schedules:
    """Learning rates that depend on the number of steps done."""

    ExponentialDecay = ExponentialDecay
    LearningRateSchedule = object

    def __getattr__(self, name: str) -> Any:
        return _no_schedule(name)


_no_schedule = advice.missing("tf.keras.optimizers.schedules")
schedules = Schedules()  # a module in Keras


__getattr__ = advice.missing("tf.keras.optimizers")
