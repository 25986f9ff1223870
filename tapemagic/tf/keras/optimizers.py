"""`tf.keras.optimizers`: steps of gradient descent, by Keras 3's formulas.

Sources: momentum as Sutskever et al. 2013, "On the importance of initialization and momentum in
deep learning"; Adam: Kingma and Ba 2015, algorithm 1 with the step size of section 2, and Adamax,
algorithm 2; AMSGrad: Reddi et al. 2018; Nadam: Dozat 2016; RMSprop: Hinton 2012, lecture 6e;
Adagrad: Duchi et al. 2011; Adadelta: Zeiler 2012; Lion: Chen et al. 2023; Ftrl: McMahan et al.
2013, "Ad click prediction", algorithm 1; Lamb: You et al. 2020, algorithm 2.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.tf import advice

from . import (
    optimizer,
    schedules,  # noqa: F401  (a name of this module)
)
from .configs import serialize  # noqa: F401  (a name of this module)
from .names import by_name
from .optimizer import remembered

Optimizer = optimizer.Optimizer


class SGD(Optimizer):
    """``m = momentum * m - rate * g``; the variable moves by m, or (`nesterov`) a step further."""

    def __init__(
        self, learning_rate: Any = 0.01, momentum: float = 0.0, nesterov: bool = False, **more: Any
    ) -> None:
        super().__init__(learning_rate, **more)
        self.momentum, self.nesterov = momentum, nesterov

    def change(self, gradient: Any, rate: float, step: int, state: dict, value: Any) -> Any:
        """Return what is taken off a variable."""
        if not self.momentum:
            return rate * gradient
        m = remembered(state, "m", gradient) * self.momentum - rate * gradient
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

    def change(self, gradient: Any, rate: float, step: int, state: dict, value: Any) -> Any:
        """Return what is taken off a variable."""
        m, v = remembered(state, "m", gradient), remembered(state, "v", gradient)
        state["m"] = m = m + (gradient - m) * (1 - self.beta_1)
        state["v"] = v = v + (np.square(np.abs(gradient)) - v) * (1 - self.beta_2)
        if self.amsgrad:
            state["largest"] = v = np.maximum(remembered(state, "largest", gradient), v)
        scale = rate * np.sqrt(1 - self.beta_2**step) / (1 - self.beta_1**step)
        return float(scale) * m / (np.sqrt(v) + self.epsilon)


class AdamW(Adam):
    """`Adam` with weight decay (Loshchilov and Hutter 2019)."""

    def __init__(
        self, learning_rate: Any = 0.001, weight_decay: float = 0.004, beta_1: float = 0.9,
        beta_2: float = 0.999, epsilon: float = 1e-7, amsgrad: bool = False, **more: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **more
        )


class RMSprop(Optimizer):
    """Step by the gradient over the root of the mean of its squares."""

    def __init__(
        self, learning_rate: Any = 0.001, rho: float = 0.9, momentum: float = 0.0,
        epsilon: float = 1e-7, centered: bool = False, **more: Any,
    ) -> None:  # fmt: skip
        super().__init__(learning_rate, **more)
        self.rho, self.momentum, self.epsilon, self.centered = rho, momentum, epsilon, centered

    def change(self, gradient: Any, rate: float, step: int, state: dict, value: Any) -> Any:
        """Return what is taken off a variable."""
        v = self.rho * remembered(state, "v", gradient)
        state["v"] = v = v + (1 - self.rho) * np.square(np.abs(gradient))
        if self.centered:
            mean = self.rho * remembered(state, "mean", gradient) + (1 - self.rho) * gradient
            state["mean"] = mean
            v = v - np.square(mean)
        change = rate * gradient / np.sqrt(v + self.epsilon)
        if self.momentum:
            state["m"] = change = self.momentum * remembered(state, "m", gradient) + change
        return change


class Adagrad(Optimizer):
    """Step by the gradient over the root of the sum of its squares so far."""

    def __init__(
        self, learning_rate: Any = 0.001, initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7, **more: Any,
    ) -> None:  # fmt: skip
        super().__init__(learning_rate, **more)
        self.initial_accumulator_value, self.epsilon = initial_accumulator_value, epsilon

    def change(self, gradient: Any, rate: float, step: int, state: dict, value: Any) -> Any:
        """Return what is taken off a variable."""
        total = remembered(state, "total", gradient, self.initial_accumulator_value)
        total = total + np.square(np.abs(gradient))
        state["total"] = total
        return rate * gradient / np.sqrt(total + self.epsilon)


class Nadam(Adam):
    """`Adam` with a look ahead, and a momentum that grows from half of `beta_1`."""

    def change(self, gradient: Any, rate: float, step: int, state: dict, value: Any) -> Any:
        """Return what is taken off a variable."""
        now, then = (self.beta_1 * (1 - 0.5 * 0.96**n) for n in (step, step + 1))
        state["product"] = product = state.get("product", 1.0) * now
        m, v = remembered(state, "m", gradient), remembered(state, "v", gradient)
        state["m"] = m = m + (gradient - m) * (1 - self.beta_1)
        state["v"] = v = v + (np.square(gradient) - v) * (1 - self.beta_2)
        mean = then * m / (1 - product * then) + (1 - now) * gradient / (1 - product)
        return rate * mean / (np.sqrt(v / (1 - self.beta_2**step)) + self.epsilon)


class Adamax(Adam):
    """Step by the mean of the gradients over the largest of them, which fades."""

    def change(self, gradient: Any, rate: float, step: int, state: dict, value: Any) -> Any:
        """Return what is taken off a variable."""
        m = remembered(state, "m", gradient)
        state["m"] = m = m + (gradient - m) * (1 - self.beta_1)
        u = np.maximum(self.beta_2 * remembered(state, "u", gradient), np.abs(gradient))
        state["u"] = u
        return rate * m / ((1 - self.beta_1**step) * (u + self.epsilon))


class Adadelta(Optimizer):
    """Step by the gradient over its root mean square, times that of the steps so far."""

    def __init__(
        self, learning_rate: Any = 0.001, rho: float = 0.95, epsilon: float = 1e-7, **more: Any
    ) -> None:
        super().__init__(learning_rate, **more)
        self.rho, self.epsilon = rho, epsilon

    def change(self, gradient: Any, rate: float, step: int, state: dict, value: Any) -> Any:
        """Return what is taken off a variable."""
        squares, steps = (remembered(state, name, gradient) for name in ("squares", "steps"))
        state["squares"] = squares = self.rho * squares + (1 - self.rho) * np.square(gradient)
        change = np.sqrt(steps + self.epsilon) * gradient / np.sqrt(squares + self.epsilon)
        state["steps"] = self.rho * steps + (1 - self.rho) * np.square(change)
        return rate * change


class Lion(Optimizer):
    """Step by the sign of a mean of the gradients."""

    def __init__(
        self, learning_rate: Any = 0.001, beta_1: float = 0.9, beta_2: float = 0.99, **more: Any
    ) -> None:
        super().__init__(learning_rate, **more)
        self.beta_1, self.beta_2 = beta_1, beta_2

    def change(self, gradient: Any, rate: float, step: int, state: dict, value: Any) -> Any:
        """Return what is taken off a variable."""
        m = remembered(state, "m", gradient)
        state["m"] = m * self.beta_2 + gradient * (1 - self.beta_2)
        return rate * np.sign(m * self.beta_1 + gradient * (1 - self.beta_1))


class Lamb(Adam):
    """`Adam` with steps as long as a part of each variable's norm."""

    def __init__(
        self, learning_rate: Any = 0.001, beta_1: float = 0.9, beta_2: float = 0.999,
        epsilon: float = 1e-7, **more: Any,
    ) -> None:  # fmt: skip
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **more)

    def change(self, gradient: Any, rate: float, step: int, state: dict, value: Any) -> Any:
        """Return what is taken off a variable."""
        m, v = remembered(state, "m", gradient), remembered(state, "v", gradient)
        state["m"] = m = m + (gradient - m) * (1 - self.beta_1)
        state["v"] = v = v + (np.square(gradient) - v) * (1 - self.beta_2)
        scale = np.sqrt(v / (1 - self.beta_2**step)) + self.epsilon
        change = m / (1 - self.beta_1**step) / scale
        norms = [float(np.sqrt(np.sum(np.square(x)))) for x in (value, change)]
        return (norms[0] / norms[1] if all(norms) else 1.0) * rate * change


class Ftrl(Optimizer):
    """Follow the leader, with proximal terms: of a large `l1_...` many elements become 0."""

    def __init__(
        self, learning_rate: Any = 0.001, learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1, l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0, beta: float = 0.0, **more: Any,
    ) -> None:  # fmt: skip
        super().__init__(learning_rate, **more)
        self.learning_rate_power, self.beta = learning_rate_power, beta
        self.initial_accumulator_value = initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength

    def change(self, gradient: Any, rate: float, step: int, state: dict, value: Any) -> Any:
        """Return what is taken off a variable."""
        total = remembered(state, "total", gradient, self.initial_accumulator_value)
        new = total + np.square(gradient)
        before, after = (x**-self.learning_rate_power / rate for x in (total, new))
        shrunk = gradient + 2 * self.l2_shrinkage_regularization_strength * value
        linear = remembered(state, "linear", gradient) + shrunk - (after - before) * value
        state["total"], state["linear"] = new, linear
        quadratic = after + 2 * self.l2_regularization_strength + self.beta / rate
        most = self.l1_regularization_strength
        return value - (np.clip(linear, -most, most) - linear) / quadratic


_BY_NAME = {
    cls.__name__.lower(): cls for cls in (
        SGD, Adam, AdamW, RMSprop, Adagrad, Nadam, Adamax, Adadelta, Lion, Lamb, Ftrl,
    )
}  # fmt: skip


def get(identifier: Any) -> Any:
    """Return an optimizer by its name; an optimizer is returned as it is.

    Raises
    ------
    TapeUseError
        If no optimizer is called so.
    """
    return by_name("optimizer", _BY_NAME, identifier)


deserialize = get

__getattr__ = advice.missing("tf.keras.optimizers")
