"""`tf.keras.activations`: functions of `tf.nn` under the names and with the options of Keras 3."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.autodiff.calls.dispatch import plain
from tapemagic.errors import TapeUseError
from tapemagic.tf import advice, arithmetic, nn, shaping
from tapemagic.tf.choices import chosen
from tapemagic.tf.conversion import convert_to_tensor, operand
from tapemagic.tf.tensor import Tensor, dtype_of, tensor_of


def _of_one(name: str, fun: Callable) -> Callable:
    """Make an activation without options: what else it is given must not pass for a name."""

    def activation(x: Any) -> Tensor:
        return fun(x)

    activation.__name__ = activation.__qualname__ = name
    activation.__doc__ = fun.__doc__
    return activation


linear = _of_one("linear", convert_to_tensor)
relu6 = _of_one("relu6", nn.relu6)
selu = _of_one("selu", nn.selu)
sigmoid = _of_one("sigmoid", nn.sigmoid)
silu = swish = _of_one("silu", nn.silu)
softplus = _of_one("softplus", nn.softplus)
softsign = _of_one("softsign", nn.softsign)
tanh = _of_one("tanh", nn.tanh)
exponential = _of_one("exponential", arithmetic.FUNCTIONS["exp"])
log_sigmoid = _of_one("log_sigmoid", arithmetic.FUNCTIONS["log_sigmoid"])


def relu(x: Any, negative_slope: Any = 0.0, max_value: Any = None, threshold: Any = 0.0) -> Tensor:
    """Return `x` above the threshold, bent below it; `max_value` at most."""
    y: Any
    if not threshold:
        y = nn.leaky_relu(x, negative_slope) if negative_slope else nn.relu(x)
    else:
        x = operand(x)
        y = np.where(chosen(np.greater, x, threshold), x, (x - threshold) * negative_slope)
    if max_value is not None:
        y = np.where(chosen(np.greater_equal, x, max_value), max_value, y)
    return tensor_of(y)


def elu(x: Any, alpha: Any = 1.0) -> Tensor:
    """Return `x`, and ``alpha * (exp(x) - 1)`` where it is not positive."""
    x = operand(x)
    return tensor_of(np.where(chosen(np.greater, x, 0), x, nn.elu(x) * alpha))


def gelu(x: Any, approximate: bool = False) -> Tensor:
    """Return x times the normal distribution function."""
    return nn.gelu(x, approximate)


def leaky_relu(x: Any, negative_slope: Any = 0.2) -> Tensor:
    """Return `x`, and ``negative_slope * x`` where it is not positive."""
    return nn.leaky_relu(x, negative_slope)


def celu(x: Any, alpha: Any = 1.0) -> Tensor:
    """Return `x`, and ``alpha * (exp(x / alpha) - 1)`` where it is not positive."""
    return elu(operand(x) / alpha) * alpha


def glu(x: Any, axis: int = -1) -> Tensor:
    """Return the first half of the elements along an axis, times the sigmoid of the second."""
    first, second = shaping.FUNCTIONS["split"](x, 2, axis)
    return tensor_of(first * nn.sigmoid(second))


def hard_sigmoid(x: Any) -> Tensor:
    """Return ``relu6(x + 3) / 6``."""
    return tensor_of(operand(nn.relu6(operand(x) + 3)) / 6)


def hard_silu(x: Any) -> Tensor:
    """Return ``x * hard_sigmoid(x)``."""
    return tensor_of(operand(x) * hard_sigmoid(x))


hard_swish = hard_silu


def mish(x: Any) -> Tensor:
    """Return ``x * tanh(softplus(x))``."""
    return tensor_of(operand(x) * nn.tanh(nn.softplus(x)))


def squareplus(x: Any, b: Any = 4) -> Tensor:
    """Return ``(x + sqrt(x**2 + b)) / 2``."""
    x = operand(x)
    return tensor_of((x + np.sqrt(np.square(x) + b)) / 2)


def sparse_plus(x: Any) -> Tensor:
    """Return 0 up to -1, ``(x + 1)**2 / 4`` up to 1, and `x` from there on."""
    x = operand(x)
    middle = np.where(chosen(np.less, x, 1), np.square(x + 1) / 4, x)
    return tensor_of(np.where(chosen(np.less_equal, x, -1), 0, middle))


def sparse_sigmoid(x: Any) -> Tensor:
    """Return ``(x + 1) / 2``, between 0 and 1."""
    x = operand(x)
    middle = np.where(chosen(np.greater_equal, x, 1), 1, (x + 1) / 2)
    return tensor_of(np.where(chosen(np.less_equal, x, -1), 0, middle))


def tanh_shrink(x: Any) -> Tensor:
    """Return ``x - tanh(x)``."""
    return tensor_of(operand(x) - nn.tanh(x))


def hard_tanh(x: Any) -> Tensor:
    """Return `x`, between -1 and 1."""
    return tensor_of(np.clip(operand(x), -1, 1))


def hard_shrink(x: Any, threshold: Any = 0.5) -> Tensor:
    """Return `x`, and 0 where it is not farther from 0 than the threshold."""
    x = operand(x)
    return tensor_of(np.where(chosen(np.greater, np.abs(x), threshold), x, 0))


def soft_shrink(x: Any, threshold: Any = 0.5) -> Tensor:
    """Return `x`, nearer to 0 by the threshold, and 0 where it is not so far from it."""
    x = operand(x)
    below = np.where(chosen(np.less, x, -threshold), x + threshold, 0)
    return tensor_of(np.where(chosen(np.greater, x, threshold), x - threshold, below))


def sparsemax(x: Any, axis: int = -1) -> Tensor:
    """Return the nearest probabilities along an axis. Martins and Astudillo 2016, algorithm 1.

    Those of Keras 3.15 do not add up to 1.
    """
    x = np.moveaxis(operand(x), axis, -1)
    ordered = -np.sort(-x, axis=-1)
    ranks = np.arange(1, np.shape(plain(x))[-1] + 1, dtype=dtype_of(x))
    above = chosen(np.greater, 1 + ranks * ordered, np.cumsum(ordered, axis=-1))
    count = np.sum(np.asarray(above), axis=-1, keepdims=True).astype(dtype_of(x))
    level = (np.sum(np.where(above, ordered, 0), axis=-1, keepdims=True) - 1) / count
    return tensor_of(np.moveaxis(np.where(chosen(np.greater, x, level), x - level, 0), -1, axis))


def softmax(x: Any, axis: Any = -1) -> Tensor:
    """Return ``exp(x) / sum(exp(x))`` along an axis."""
    return nn.softmax(x, axis)


def log_softmax(x: Any, axis: Any = -1) -> Tensor:
    """Return the logarithm of `softmax`."""
    return nn.log_softmax(x, axis)


_BY_NAME = {
    name: known
    for name, known in vars().copy().items()
    if getattr(known, "__module__", "") == __name__ and not name.startswith("_")
}


def get(identifier: Any) -> Callable:
    """Return an activation by its name; a function is returned as it is, and None is `linear`.

    Examples
    --------
    >>> get("relu")(-2.0).numpy()
    np.float32(0.0)
    """
    if identifier is None:
        return linear
    if callable(identifier):
        return identifier
    if identifier not in _BY_NAME:
        raise TapeUseError(
            f"No activation is called {identifier!r}.", fix="Pass a function of a tensor."
        )
    return _BY_NAME[identifier]


class Setting:
    """An attribute of a layer that holds an activation: assigned by name, None for `linear`."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __set__(self, layer: Any, identifier: Any) -> None:
        vars(layer)[self._name] = get(identifier)


__getattr__ = advice.missing("tf.keras.activations")
