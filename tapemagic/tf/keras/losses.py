"""`tf.keras.losses`: functions of rows, and classes that average them, by Keras 3's formulas."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff.calls.dispatch import plain
from tapemagic.tf import advice, nn
from tapemagic.tf.choices import chosen
from tapemagic.tf.conversion import convert_to_tensor, operand
from tapemagic.tf.refusals import refuse
from tapemagic.tf.tensor import Tensor, tensor_of

from . import divergences, loss, masks
from .loss import as_pair, clipped, loss_class, mean_rows, same_shape
from .names import by_name

Loss, Reduction = loss.Loss, loss.Reduction


def mean_squared_error(y_true: Any, y_pred: Any) -> Tensor:
    """Return the mean of squared differences of each row."""
    y_true, y_pred = as_pair(y_true, y_pred)
    return mean_rows(np.square(y_pred - y_true))


def mean_absolute_error(y_true: Any, y_pred: Any) -> Tensor:
    """Return the mean of absolute differences of each row."""
    y_true, y_pred = as_pair(y_true, y_pred)
    return mean_rows(np.abs(y_pred - y_true))


def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Tensor:
    """Return the mean of Huber's loss: squares up to `delta`, then straight."""
    y_true, y_pred = as_pair(y_true, y_pred)
    size = np.abs(y_pred - y_true)
    inside = chosen(np.less_equal, size, delta)
    return mean_rows(np.where(inside, 0.5 * np.square(size), delta * size - 0.5 * delta * delta))


def log_cosh(y_true: Any, y_pred: Any) -> Tensor:
    """Return the mean of ``log(cosh(difference))`` of each row."""
    y_true, y_pred = as_pair(y_true, y_pred)
    x = y_pred - y_true
    return mean_rows(x + np.logaddexp(x * -2.0, 0) - float(np.log(2)))


def binary_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """Return the mean cross entropy of probabilities (or logits) with labels of 0 and 1."""
    y_true, y_pred = same_shape(*as_pair(y_true, y_pred))
    if label_smoothing:
        y_true = y_true * (1 - label_smoothing) + 0.5 * label_smoothing
    if from_logits:
        losses = nn.sigmoid_cross_entropy_with_logits(y_true, y_pred)
    else:
        p = clipped(y_pred)
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
    y_true, y_pred = same_shape(*as_pair(y_true, y_pred))
    if label_smoothing:
        count = np.shape(plain(y_true))[-1]
        y_true = y_true * (1 - label_smoothing) + label_smoothing / count
    if from_logits:
        return nn.softmax_cross_entropy_with_logits(y_true, y_pred, axis)
    p = clipped(y_pred / np.sum(y_pred, axis=axis, keepdims=True))
    return tensor_of(-np.sum(y_true * np.log(p), axis=axis))


def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, ignore_class: Any = None, axis: int = -1
) -> Tensor:
    """Return the cross entropy of each row of probabilities (or logits) with a class number.

    Rows of the class `ignore_class` are 0, and do not count in a mean.
    """
    if axis not in (-1, np.ndim(plain(operand(y_pred))) - 1):
        refuse(
            f"sparse_categorical_crossentropy(axis={axis}) is not provided.",
            "Put the classes last: tf.transpose(y_pred, ...).",
        )
    labels = np.asarray(plain(convert_to_tensor(y_true))).astype(np.int64)
    rows = operand(y_pred)
    if labels.ndim == np.ndim(plain(rows)) and labels.shape[-1] == 1:
        labels = labels[..., 0]
    counts = labels != ignore_class  # all of them for None
    if ignore_class is not None:
        labels, rows = np.where(counts, labels, 0), np.where(counts[..., np.newaxis], rows, 0)
    logits = rows if from_logits else np.log(clipped(rows))
    y = nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
    if ignore_class is None:
        return y
    return masks.attach(tensor_of(np.where(counts, y, 0)), tensor_of(counts))


globals().update(divergences.FUNCTIONS)
_FUNCTIONS = {
    "MeanSquaredError": mean_squared_error, "MeanAbsoluteError": mean_absolute_error,
    "Huber": huber, "LogCosh": log_cosh, "BinaryCrossentropy": binary_crossentropy,
    "CategoricalCrossentropy": categorical_crossentropy,
    "SparseCategoricalCrossentropy": sparse_categorical_crossentropy,
}  # fmt: skip
_FUNCTIONS |= divergences.CLASSES
globals().update((name, loss_class(name, fun)) for name, fun in _FUNCTIONS.items())

MSE = mse = mean_squared_error
MAE = mae = mean_absolute_error
logcosh = log_cosh
_SHORT = {"mse": mse, "mae": mae, "bce": binary_crossentropy}


def get(identifier: Any) -> Any:
    """Return a loss by its name; a function is returned as it is.

    Raises
    ------
    TapeUseError
        If no loss is called so.
    """
    known = {name: one for name, one in globals().items() if callable(one)}
    return by_name("loss", known | _SHORT, identifier)


__getattr__ = advice.missing("tf.keras.losses")
