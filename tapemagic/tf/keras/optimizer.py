"""What the optimizers of Keras have in common: the learning rate, clipping, and a step."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff import leaks, structures
from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.warned import warn
from tapemagic.errors import TapeUseError
from tapemagic.tf.conversion import operand
from tapemagic.tf.refusals import refuse
from tapemagic.tf.specs import int64
from tapemagic.tf.tape import GradientTape
from tapemagic.tf.tensor import tensor_of
from tapemagic.tf.variable import Variable

from . import schedules
from .clipping import clipped
from .configs import is_serialized, serialize
from .floats import default_float
from .own_steps import OwnSteps
from .weights import Weight, own_name


class Optimizer(OwnSteps):
    """Base class: clips gradients, keeps what a method remembers of each variable.

    Parameters
    ----------
    learning_rate : float, variable, or a callable of the number of steps done
    clipnorm, global_clipnorm, clipvalue : float, optional
        Largest norm of each gradient, of all of them, and of each element.
    weight_decay : float, optional
        Part of ``learning_rate * variable`` taken off at each step.
    use_ema : bool
        Whether running means of the variables are kept, which `fit` puts into them at its end.
    ema_momentum : float
        How much of a running mean stays at each step.
    ema_overwrite_frequency : int, optional
        After so many steps the variables become their running means.
    gradient_accumulation_steps : int, optional
        So many gradients make one step, by their mean.
    """

    def __init__(
        self,
        learning_rate: Any,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **more: Any,
    ) -> None:
        super().__init__()
        _refuse_settings(more)
        self.name = name or own_name(type(self))
        self._calls = Weight(0, False, name=f"{self.name}/iteration", dtype=int64)
        self._rate: Any = None
        self.learning_rate = learning_rate
        self.weight_decay, self.use_ema, self.ema_momentum = weight_decay, use_ema, ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.gradient_accumulation_steps = gradient_accumulation_steps
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
    def iterations(self) -> Any:
        """The number of steps done."""
        if not self.gradient_accumulation_steps:
            return self._calls
        return tensor_of(np.int64(int(self._calls.numpy()) // self.gradient_accumulation_steps))

    @property
    def learning_rate(self) -> Any:
        """The size of a step: a variable, or what a schedule says of the steps done."""
        is_weight = isinstance(self._rate, Weight)
        return self._rate if is_weight else tensor_of(operand(self._rate(self.iterations)))

    @learning_rate.setter
    def learning_rate(self, rate: Any) -> None:
        if is_serialized(rate):
            rate = schedules.deserialize(rate)
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
        self.apply([gradient for gradient, _ in pairs], [variable for _, variable in pairs])
        return self._calls

    def apply(self, grads: Any, trainable_variables: Any = None) -> Variable:
        """Do one step, `apply_gradients` of two lists: by default of what `build` was told of.

        Raises
        ------
        TapeUseError
            If every gradient is None, or something is not a variable.
        """
        moved: list[Any] = list(trainable_variables or self._moved)
        grads = list(grads)
        if len(grads) != len(moved):
            raise leaks.locate(
                TapeUseError(f"{len(grads)} gradients were given for {len(moved)} variables.")
            )
        for variable in moved:
            _check_variable(variable)
        if not self.built:
            self.build(moved)
            self.built, self._moved = True, moved  # a subclass may not call super().build()
        pairs = [(g, v) for g, v in zip(grads, moved, strict=True) if g is not None]
        if not pairs:
            raise TapeUseError(
                "No gradients provided for any variable.",
                fix="Every gradient is None: does the loss depend on the variables, inside the "
                "tape's block?",
            )
        variables = [variable for _, variable in pairs]
        if without := [v.name for g, v in zip(grads, moved, strict=True) if g is None]:
            warn(f"Gradients do not exist for {', '.join(without)}.")
        for x in structures.leaves(pairs):
            leaks.hand_out(x, "the optimizer")
        gradients = [np.array(dispatch.plain(gradient)) for gradient, _ in pairs]
        leaks.hand_out(self.learning_rate, "the optimizer")
        if self.gradient_accumulation_steps:
            gradients = self._gathered(gradients, variables, self.gradient_accumulation_steps)
        if gradients:
            self._step(clipped(gradients, self._clips), variables)
        if self.use_ema:
            self._average(variables)
        for variable in variables:
            if variable.constraint is not None:
                variable.assign(variable.constraint(dispatch.plain(variable)))
        self._calls.assign_add(1)
        return self._calls

    def _step(self, gradients: list[np.ndarray], variables: list) -> None:
        """Move variables by their gradients."""
        rate = tensor_of(dispatch.plain(self.learning_rate))
        for gradient, variable in zip(gradients, variables, strict=True):
            if self.weight_decay and self._decays(variable):
                value = dispatch.plain(variable)
                variable.assign(value - value * (self.weight_decay * float(dispatch.plain(rate))))
            self.update_step(tensor_of(gradient), variable, rate)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Move one variable by its gradient."""
        value = np.asarray(dispatch.plain(variable))
        change = self.change(
            np.asarray(dispatch.plain(gradient)), float(dispatch.plain(learning_rate)),
            int(dispatch.plain(self.iterations)) + 1, self._state_of(variable), value,
        )  # fmt: skip
        variable.assign((value - change).astype(value.dtype))

    def _gathered(self, gradients: list, variables: list, steps: int) -> list[np.ndarray]:
        """Return the means of so many gradients at each last one of them, else nothing."""
        states = [self._state_of(variable) for variable in variables]
        for gradient, state in zip(gradients, states, strict=True):
            state["gathered"] = remembered(state, "gathered", gradient) + gradient
        if (int(self._calls.numpy()) + 1) % steps:
            return []
        return [state.pop("gathered") / steps for state in states]

    def _average(self, variables: list) -> None:
        """Let running means go on, and put them into the variables if it is time."""
        number = int(dispatch.plain(self.iterations))
        stays = self.ema_momentum if number else 0.0
        for variable in variables:
            state, value = self._state_of(variable), np.asarray(dispatch.plain(variable))
            state["average"] = stays * remembered(state, "average", value) + (1 - stays) * value
        if self.ema_overwrite_frequency and not (number + 1) % self.ema_overwrite_frequency:
            self.finalize_variable_values(variables)

    def finalize_variable_values(self, var_list: Any) -> None:
        """Put the running means into variables, if there are any."""
        for variable in var_list if self.use_ema else ():
            if "average" in (state := self._state_of(variable)):
                variable.assign(state["average"].astype(variable.dtype.dtype))

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
        self, gradient: np.ndarray, rate: float, step: int, state: dict[str, np.ndarray],
        value: np.ndarray,
    ) -> np.ndarray:  # fmt: skip
        """Return what is taken off a variable; `state` holds what the method remembers.

        Raises
        ------
        TapeUseError
            If a subclass has no step of its own.
        """
        raise leaks.locate(
            TapeUseError(
                f"{type(self).__name__} does not say how a variable is moved.",
                fix="Give it a method update_step(self, gradient, variable, learning_rate).",
            )
        )

    def get_config(self) -> dict[str, Any]:
        """Return the settings that make another one: what all optimizers have, then its own."""
        rate: Any = self._rate
        clips = {
            name: self._clips.get(name) for name in ("clipnorm", "global_clipnorm", "clipvalue")
        }
        known = {
            "name": self.name,
            "learning_rate": float(rate.numpy()) if isinstance(rate, Weight) else serialize(rate),
            "weight_decay": self.weight_decay, **clips, "use_ema": self.use_ema,
            "ema_momentum": self.ema_momentum,
            "ema_overwrite_frequency": self.ema_overwrite_frequency, "loss_scale_factor": None,
            "gradient_accumulation_steps": self.gradient_accumulation_steps,
        }  # fmt: skip
        return known | {name: x for name, x in self._settings().items() if name not in known}

    @property
    def variables(self) -> list[Variable]:
        """The number of steps done, the learning rate, and what a subclass has added.

        What the optimizers here remember is kept as plain arrays.
        """
        return list(self.named_variables().values())

    def named_variables(self) -> dict[str, Variable]:
        """Return `variables` by the names under which they are saved."""
        rate = {"learning_rate": self._rate} if isinstance(self._rate, Weight) else {}
        own = {f"own/{place}": weight for place, weight in enumerate(self._own_variables)}
        return {"iterations": self._calls, **rate, **own}

    def _state_of(self, variable: Variable) -> dict[str, np.ndarray]:
        known, state = self._states.get(id(variable), (None, {}))
        if known is not variable:  # it is new, or a copy: in one of the optimizer its number is old
            found = [state for one, state in self._states.values() if one is variable]
            state = found[0] if found else {}
            self._states[id(variable)] = variable, state
        return state


#: Settings of Keras that are not here -> what they are when they ask for nothing, and another way.
_SETTINGS = {
    "loss_scale_factor": (None, "a factor of your own"),
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


def remembered(state: dict, name: str, gradient: np.ndarray, start: float = 0.0) -> np.ndarray:
    """Return what a method remembers under a name, at first an array filled with `start`."""
    return state.setdefault(name, np.full(gradient.shape, start, gradient.dtype))
