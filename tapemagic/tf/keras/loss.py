"""What losses are made of: pairs of labels and predictions, and the class that averages rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.autodiff.calls.dispatch import plain
from tapemagic.errors import TapeUseError
from tapemagic.tf import nest
from tapemagic.tf.conversion import convert_to_tensor, operand
from tapemagic.tf.creation import cast
from tapemagic.tf.refusals import refuse
from tapemagic.tf.specs import as_dtype
from tapemagic.tf.tensor import Tensor, dtype_of, tensor_of

from . import masks
from .calls import snake
from .floats import default_float

#: Smallest probability that a logarithm is taken of.
EPSILON = 1e-7


class Reduction:
    """What becomes of the rows of a loss: names of the words that `reduction=` takes."""

    AUTO = SUM_OVER_BATCH_SIZE = "sum_over_batch_size"
    NONE = "none"
    SUM = "sum"


def same_rank(x: Any, y: Any) -> tuple[Any, Any]:
    """Return both with one number of axes, where one has a last axis of length 1 more.

    Labels of shape (n,) beside predictions of shape (n, 1) would be broadcast to (n, n) otherwise.
    """
    shapes = np.shape(plain(x)), np.shape(plain(y))
    if len(shapes[0]) == len(shapes[1]) + 1 and shapes[0][-1] == 1:
        return x, np.expand_dims(y, -1)
    if len(shapes[1]) == len(shapes[0]) + 1 and shapes[1][-1] == 1:
        return np.expand_dims(x, -1), y
    return x, y


def same_shape(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Return labels and predictions as `same_rank` does, for what does not broadcast.

    Raises
    ------
    TensorError
        If their shapes still differ.
    """
    y_true, y_pred = same_rank(y_true, y_pred)
    if np.shape(plain(y_true)) != (shape := np.shape(plain(y_pred))):
        refuse(f"Labels of shape {np.shape(plain(y_true))} for predictions of shape {shape}.")
    return y_true, y_pred


def as_pair(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Return both as tensors of the prediction's dtype, and of one rank."""
    y_pred = operand(y_pred)
    return same_rank(cast(convert_to_tensor(y_true), dtype_of(y_pred)), y_pred)


def mean_rows(y: Any) -> Tensor:
    """Average over the last axis; single numbers stay."""
    return tensor_of(np.mean(y, axis=-1) if np.ndim(plain(y)) else y)


def clipped(p: Any) -> Any:
    """Return probabilities, none so near to 0 or 1 that its logarithm is lost."""
    return np.clip(p, EPSILON, 1 - EPSILON)


_REDUCTIONS = (
    "sum_over_batch_size", "auto", "mean", "mean_with_sample_weight", "sum", "none",
)  # fmt: skip


_NAMES = {"Huber": "huber_loss"}  # where Keras has another than that of the class


class Loss:
    """Base class: averages, or sums, the losses of the rows.

    Parameters
    ----------
    reduction : {"sum_over_batch_size", "sum", "none", None, "mean", "mean_with_sample_weight"}
    dtype : dtype
        Of the computation: float32 if not given.
    """

    def __init__(
        self, name: str | None = None, reduction: str | None = "sum_over_batch_size",
        dtype: Any = None,
    ) -> None:  # fmt: skip
        reduction = (reduction or "none").lower()
        if reduction not in _REDUCTIONS:
            raise TapeUseError(f"Unknown reduction: {reduction!r}.")
        self.dtype = as_dtype(dtype or default_float())
        self.name, self.reduction = (
            name or _NAMES.get(type(self).__name__, snake(type(self).__name__)),
            reduction,
        )

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each row."""
        raise NotImplementedError

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Tensor:
        """Return the average, sum or rows, each row times its weight."""
        mask = masks.of(y_pred)
        y_true, y_pred = (
            nest.map_structure(lambda x: cast(x, self.dtype), y) for y in (y_true, y_pred)
        )
        losses, total = self.call(y_true, y_pred), 0
        if (own := masks.of(losses)) is not None:  # of rows that the loss does not count
            both = masks.as_bools(own) & (True if mask is None else masks.as_bools(mask))
            mask = tensor_of(both)
        losses = operand(losses)
        if mask is not None:
            is_mean = self.reduction not in ("none", "sum", "mean_with_sample_weight")
            sample_weight = masks.weights(mask, sample_weight, is_mean=is_mean)
        if sample_weight is not None:
            weight = cast(convert_to_tensor(sample_weight), dtype_of(losses))
            losses, weight = same_rank(losses, weight)
            total = np.sum(weight)
            missing = np.ndim(plain(losses)) - np.ndim(plain(weight))
            if missing < 0 < np.ndim(plain(losses)):  # TensorFlow's would be broadcast
                shapes = np.shape(plain(weight)), np.shape(plain(losses))
                refuse(f"Weights, or a mask, of shape {shapes[0]} for losses of shape {shapes[1]}.")
            losses = losses * np.reshape(weight, np.shape(plain(weight)) + (1,) * max(missing, 0))
        if self.reduction == "none":
            return tensor_of(losses)
        if self.reduction == "mean_with_sample_weight" and sample_weight is not None:
            return tensor_of(np.sum(losses) / total)
        return tensor_of(np.sum(losses) if self.reduction == "sum" else np.mean(losses))


def loss_class(name: str, function: Callable) -> type:
    """Make the class of a loss function; what it is given at creation goes to the function."""

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        own = {key: kwargs.pop(key) for key in ("name", "reduction", "dtype") if key in kwargs}
        Loss.__init__(self, **own)
        self.options = dict(zip(function.__code__.co_varnames[2:], args, strict=False), **kwargs)
        unknown = set(kwargs) - set(function.__code__.co_varnames[: function.__code__.co_argcount])
        if unknown:
            raise TypeError(f"{name} has no argument {', '.join(sorted(unknown))}.")

    def call(self: Any, y_true: Any, y_pred: Any) -> Any:
        return function(y_true, y_pred, **self.options)

    members = {"__init__": __init__, "call": call, "__doc__": function.__doc__}
    return type(name, (Loss,), members)
