"""`tf.keras.losses`: functions of rows, and classes that average them, by Keras 3's formulas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.autodiff.calls.dispatch import plain
from tapemagic.errors import TapeUseError
from tapemagic.tf import advice, nn
from tapemagic.tf.choices import chosen
from tapemagic.tf.conversion import convert_to_tensor, operand
from tapemagic.tf.creation import cast
from tapemagic.tf.refusals import refuse
from tapemagic.tf.tensor import Tensor, dtype_of, tensor_of

_EPSILON = 1e-7


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


def _pair(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Return both as tensors of the prediction's dtype, and of one rank."""
    y_pred = operand(y_pred)
    return same_rank(cast(convert_to_tensor(y_true), dtype_of(y_pred)), y_pred)


def _rows(y: Any) -> Tensor:
    """Average over the last axis; single numbers stay."""
    return tensor_of(np.mean(y, axis=-1) if np.ndim(plain(y)) else y)


def mean_squared_error(y_true: Any, y_pred: Any) -> Tensor:
    """Return the mean of squared differences of each row."""
    y_true, y_pred = _pair(y_true, y_pred)
    return _rows(np.square(y_pred - y_true))


def mean_absolute_error(y_true: Any, y_pred: Any) -> Tensor:
    """Return the mean of absolute differences of each row."""
    y_true, y_pred = _pair(y_true, y_pred)
    return _rows(np.abs(y_pred - y_true))


def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Tensor:
    """Return the mean of Huber's loss: squares up to `delta`, then straight."""
    y_true, y_pred = _pair(y_true, y_pred)
    size = np.abs(y_pred - y_true)
    inside = chosen(np.less_equal, size, delta)
    return _rows(np.where(inside, 0.5 * np.square(size), delta * size - 0.5 * delta * delta))


def log_cosh(y_true: Any, y_pred: Any) -> Tensor:
    """Return the mean of ``log(cosh(difference))`` of each row."""
    y_true, y_pred = _pair(y_true, y_pred)
    x = y_pred - y_true
    return _rows(x + np.logaddexp(x * -2.0, 0) - float(np.log(2)))


def hinge(y_true: Any, y_pred: Any) -> Tensor:
    """Return the mean of ``max(1 - y_true * y_pred, 0)``; labels 0 and 1 become -1 and 1."""
    y_true, y_pred = _pair(y_true, y_pred)
    labels = y_true * 2 - 1 if chosen(_are_bits, y_true) else y_true
    return _rows(nn.relu(1 - y_pred * labels))


def _are_bits(labels: Any) -> bool:
    return bool(np.isin(labels, (0, 1)).all())


def _clipped(p: Any) -> Any:
    return np.clip(p, _EPSILON, 1 - _EPSILON)


def binary_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """Return the mean cross entropy of probabilities (or logits) with labels of 0 and 1."""
    y_true, y_pred = same_shape(*_pair(y_true, y_pred))
    if label_smoothing:
        y_true = y_true * (1 - label_smoothing) + 0.5 * label_smoothing
    if from_logits:
        losses = nn.sigmoid_cross_entropy_with_logits(y_true, y_pred)
    else:
        p = _clipped(y_pred)
        losses = -(y_true * np.log(p) + (1 - y_true) * np.log(1 - p))
    return tensor_of(np.mean(losses, axis=axis) if np.ndim(plain(losses)) else losses)


def categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """Return the cross entropy of each row of probabilities (or logits) with a one-hot row."""
    y_true, y_pred = same_shape(*_pair(y_true, y_pred))
    if label_smoothing:
        count = np.shape(plain(y_true))[-1]
        y_true = y_true * (1 - label_smoothing) + label_smoothing / count
    if from_logits:
        return nn.softmax_cross_entropy_with_logits(y_true, y_pred, axis)
    p = _clipped(y_pred / np.sum(y_pred, axis=axis, keepdims=True))
    return tensor_of(-np.sum(y_true * np.log(p), axis=axis))


def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, ignore_class: Any = None, axis: int = -1
) -> Tensor:
    """Return the cross entropy of each row of probabilities (or logits) with a class number."""
    if ignore_class is not None or axis != -1:
        raise TapeUseError(
            "sparse_categorical_crossentropy: ignore_class and axis are not provided."
        )
    labels = np.asarray(plain(convert_to_tensor(y_true))).astype(np.int64)
    rows = operand(y_pred)
    if labels.ndim == np.ndim(plain(rows)) and labels.shape[-1] == 1:
        labels = labels[..., 0]
    logits = rows if from_logits else np.log(_clipped(rows))
    return nn.sparse_softmax_cross_entropy_with_logits(labels, logits)


# -------------------------------------------------------------------------------------- classes


class Loss:
    """Base class: averages, or sums, the losses of the rows.

    Parameters
    ----------
    reduction : {"sum_over_batch_size", "sum", "none", None, "mean"}
    """

    def __init__(
        self, name: str | None = None, reduction: str | None = "sum_over_batch_size"
    ) -> None:
        reduction = (reduction or "none").lower()
        if reduction not in ("sum_over_batch_size", "auto", "mean", "sum", "none"):
            raise TapeUseError(f"Unknown reduction: {reduction!r}.")
        self.name, self.reduction = name or type(self).__name__.lower(), reduction

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each row."""
        raise NotImplementedError

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Tensor:
        """Return the average, sum or rows, each row times its weight."""
        losses = operand(self.call(y_true, y_pred))
        if sample_weight is not None:
            weight = cast(convert_to_tensor(sample_weight), dtype_of(losses))
            losses, weight = same_rank(losses, weight)
            missing = np.ndim(plain(losses)) - np.ndim(plain(weight))
            losses = losses * np.reshape(weight, np.shape(plain(weight)) + (1,) * max(missing, 0))
        if self.reduction == "none":
            return tensor_of(losses)
        return tensor_of(np.sum(losses) if self.reduction == "sum" else np.mean(losses))


def _loss_class(name: str, function: Callable) -> type:
    """Make the class of a loss function; what it is given at creation goes to the function."""

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        own = {key: kwargs.pop(key) for key in ("name", "reduction") if key in kwargs}
        Loss.__init__(self, **own)
        self.options = dict(zip(function.__code__.co_varnames[2:], args, strict=False), **kwargs)
        unknown = set(kwargs) - set(function.__code__.co_varnames[: function.__code__.co_argcount])
        if unknown:
            raise TypeError(f"{name} has no argument {', '.join(sorted(unknown))}.")

    def call(self: Any, y_true: Any, y_pred: Any) -> Any:
        return function(y_true, y_pred, **self.options)

    members = {"__init__": __init__, "call": call, "__doc__": function.__doc__}
    return type(name, (Loss,), members)


MeanSquaredError = _loss_class("MeanSquaredError", mean_squared_error)
MeanAbsoluteError = _loss_class("MeanAbsoluteError", mean_absolute_error)
Huber = _loss_class("Huber", huber)
LogCosh = _loss_class("LogCosh", log_cosh)
Hinge = _loss_class("Hinge", hinge)
BinaryCrossentropy = _loss_class("BinaryCrossentropy", binary_crossentropy)
CategoricalCrossentropy = _loss_class("CategoricalCrossentropy", categorical_crossentropy)
SparseCategoricalCrossentropy = _loss_class(
    "SparseCategoricalCrossentropy", sparse_categorical_crossentropy
)
MSE = mse = mean_squared_error
MAE = mae = mean_absolute_error

__getattr__ = advice.missing("tf.keras.losses")
