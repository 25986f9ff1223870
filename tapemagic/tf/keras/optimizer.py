"""What the optimizers of Keras have in common: the learning rate, clipping, and a step."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff import leaks, structures
from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.warned import warn
from tapemagic.errors import TapeUseError
from tapemagic.tf import advice
from tapemagic.tf.conversion import operand
from tapemagic.tf.refusals import refuse
from tapemagic.tf.specs import int64
from tapemagic.tf.tape import GradientTape
from tapemagic.tf.tensor import tensor_of
from tapemagic.tf.variable import Variable

from .floats import default_float
from .weights import Weight, own_name


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
        **more: Any,
    ) -> None:
        _refuse_settings(more)
        self.name = name or own_name(type(self))
        self.iterations = Weight(0, False, name=f"{self.name}/iteration", dtype=int64)
        self._rate: Any = None
        self.learning_rate = learning_rate
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
        self._states: dict[int, tuple[Variable, dict[str, np.ndarray]]] = {}

    @property
    def learning_rate(self) -> Any:
        """The size of a step: a variable, or what a schedule says of the steps done."""
        is_weight = isinstance(self._rate, Weight)
        return self._rate if is_weight else tensor_of(operand(self._rate(self.iterations)))

    @learning_rate.setter
    def learning_rate(self, rate: Any) -> None:
        if callable(rate) and not dispatch.is_traced(rate):
            self._rate = rate
        elif isinstance(self._rate, Weight):
            self._rate.assign(rate)
        else:
            leaks.hand_out(rate, "the optimizer")
            rate = default_float().as_numpy_dtype(dispatch.plain(rate))
            self._rate = Weight(rate, False, name=f"{self.name}/learning_rate")

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
            If every gradient is None, or something is not a variable.
        """
        pairs = [(gradient, variable) for gradient, variable in grads_and_vars]
        for _, variable in pairs:
            _check_variable(variable)
        without = [variable.name for gradient, variable in pairs if gradient is None]
        pairs = [pair for pair in pairs if pair[0] is not None]
        if not pairs:
            raise TapeUseError(
                "No gradients provided for any variable.",
                fix="Every gradient is None: does the loss depend on the variables, inside the "
                "tape's block?",
            )
        if without:
            warn(f"Gradients do not exist for {', '.join(without)}.")
        for x in structures.leaves(pairs):
            leaks.hand_out(x, "the optimizer")
        gradients = [np.array(dispatch.plain(gradient)) for gradient, _ in pairs]
        leaks.hand_out(self.learning_rate, "the optimizer")
        rate = float(dispatch.plain(self.learning_rate))
        step = int(self.iterations.numpy()) + 1
        for gradient, (_, variable) in zip(self._clipped(gradients), pairs, strict=True):
            state = self._state_of(variable)
            value = dispatch.plain(variable)
            if self._weight_decay:
                value = value - value * (self._weight_decay * rate)
            change = self.change(gradient, rate, step, state)
            variable.assign((value - change).astype(np.asarray(value).dtype))
            if getattr(variable, "constraint", None):
                variable.assign(variable.constraint(dispatch.plain(variable)))
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

    get_config = advice.missing_attribute(
        "Settings of an optimizer are not provided as a dict.", "Make another one by its class."
    )

    def build(self, variables: Any) -> None:
        """Do nothing: what is remembered of a variable begins with its first step."""

    @property
    def variables(self) -> list[Variable]:
        """The number of steps done, and the learning rate; the rest is kept as plain arrays."""
        return [self.iterations, *([self._rate] if isinstance(self._rate, Weight) else [])]

    def _state_of(self, variable: Variable) -> dict[str, np.ndarray]:
        known, state = self._states.get(id(variable), (None, {}))
        if known is not variable:  # it is new, or a copy: in one of the optimizer its number is old
            found = [state for one, state in self._states.values() if one is variable]
            state = found[0] if found else {}
            self._states[id(variable)] = variable, state
        return state

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


#: Settings of Keras that are not here -> what they are when they ask for nothing, and another way.
_SETTINGS = {
    "use_ema": (False, "average.assign(0.99 * average + 0.01 * v) after each step"),
    "ema_momentum": (0.99, "average.assign(0.99 * average + 0.01 * v) after each step"),
    "ema_overwrite_frequency": (None, "v.assign(average) when it is time"),
    "loss_scale_factor": (None, "a factor of your own"),
    "gradient_accumulation_steps": (None, "total.assign_add(gradient), and apply the total"),
    "jit_compile": ("auto", "none: nothing is compiled"),
    "lr": ((), "learning_rate"),
    "decay": ((), "learning_rate=tf.keras.optimizers.schedules.InverseTimeDecay(...)"),
}


def _refuse_settings(more: dict[str, Any]) -> None:
    """Raise for what an optimizer was told beside what it knows, if it asks for something."""
    for name, value in more.items():
        nothing, way = _SETTINGS.get(name, ((), ""))
        if value != nothing:
            refuse(f"Argument(s) not recognized: {name}={value!r}.", way and f"Use {way}.")


def _check_variable(variable: Any) -> None:
    if not isinstance(variable, Variable):
        raise leaks.locate(
            TapeUseError(
                f"apply_gradients takes pairs of a gradient and a variable, and not of a gradient "
                f"and a {type(variable).__name__}.",
                fix="Use zip(gradients, variables), with one list of variables.",
            )
        )


def _norm(arrays: list[np.ndarray]) -> float:
    return float(np.sqrt(sum(np.sum(np.square(np.abs(x))) for x in arrays)))


def remembered(state: dict, name: str, gradient: np.ndarray, start: float = 0.0) -> np.ndarray:
    """Return what a method remembers under a name, at first an array filled with `start`."""
    return state.setdefault(name, np.full(gradient.shape, start, gradient.dtype))
