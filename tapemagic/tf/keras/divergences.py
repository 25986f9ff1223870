"""More functions of `tf.keras.losses`: how far predictions are from labels, by Keras 3's formulas.

Focal losses: Lin et al. 2017, "Focal loss for dense object detection".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.autodiff.calls.dispatch import plain
from tapemagic.tf import nn
from tapemagic.tf.choices import chosen
from tapemagic.tf.reductions import FUNCTIONS as REDUCTIONS
from tapemagic.tf.tensor import Tensor, tensor_of

from .loss import EPSILON, as_pair, clipped, mean_rows, same_shape

FUNCTIONS: dict[str, Callable] = {}
CLASSES: dict[str, Callable] = {}


def _declare(cls: str, *others: str) -> Callable:
    """Note a loss, its class and its other names (decorator)."""

    def declare(fun: Callable) -> Callable:
        CLASSES[cls] = fun
        FUNCTIONS.update(dict.fromkeys((fun.__name__, *others), fun))
        return fun

    return declare


def _signed(labels: Any) -> Any:
    """Return labels of 0 and 1 as -1 and 1, and others as they are."""
    return labels * 2 - 1 if chosen(_are_bits, labels) else labels


def _are_bits(labels: Any) -> bool:
    return bool(np.isin(labels, (0, 1)).all())


@_declare("Hinge")
def hinge(y_true: Any, y_pred: Any) -> Tensor:
    """Return the mean of ``max(1 - y_true * y_pred, 0)``; labels 0 and 1 become -1 and 1."""
    y_true, y_pred = as_pair(y_true, y_pred)
    return mean_rows(nn.relu(1 - y_pred * _signed(y_true)))


@_declare("SquaredHinge")
def squared_hinge(y_true: Any, y_pred: Any) -> Tensor:
    """Return the mean of ``max(1 - y_true * y_pred, 0)**2``; labels 0 and 1 become -1 and 1."""
    y_true, y_pred = as_pair(y_true, y_pred)
    return mean_rows(np.square(nn.relu(1 - y_pred * _signed(y_true))))


@_declare("CategoricalHinge")
def categorical_hinge(y_true: Any, y_pred: Any) -> Tensor:
    """Return how much the best wrong class of each row comes within 1 of the right one."""
    y_true, y_pred = same_shape(*as_pair(y_true, y_pred))
    right = np.sum(y_true * y_pred, axis=-1)
    return nn.relu(np.max((1 - y_true) * y_pred, axis=-1) - right + 1)


def _at_least(x: Any, least: float) -> Any:
    return np.where(chosen(np.greater, x, least), x, least)


@_declare("MeanAbsolutePercentageError", "mape", "MAPE")
def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Tensor:
    """Return the mean of absolute differences in parts of a hundred of the labels."""
    y_true, y_pred = as_pair(y_true, y_pred)
    parts = np.abs((y_true - y_pred) / _at_least(np.abs(y_true), EPSILON))
    return mean_rows(parts * 100.0)


@_declare("MeanSquaredLogarithmicError", "msle", "MSLE")
def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Tensor:
    """Return the mean of squared differences of ``log(x + 1)``."""
    y_true, y_pred = as_pair(y_true, y_pred)
    first, second = (np.log(_at_least(y, EPSILON) + 1) for y in (y_pred, y_true))
    return mean_rows(np.square(first - second))


@_declare("CosineSimilarity")
def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Tensor:
    """Return the cosine of the angle between each pair of rows, negative: -1 where they agree."""
    normalize = REDUCTIONS["l2_normalize"]
    y_true, y_pred = (normalize(y, axis) for y in as_pair(y_true, y_pred))
    return tensor_of(-np.sum(y_true * y_pred, axis=axis))


@_declare("KLDivergence", "kullback_leibler_divergence", "kld", "KLD")
def kl_divergence(y_true: Any, y_pred: Any) -> Tensor:
    """Return ``sum(y_true * log(y_true / y_pred))`` of each row of probabilities."""
    y_true, y_pred = (np.clip(y, EPSILON, 1) for y in same_shape(*as_pair(y_true, y_pred)))
    return tensor_of(np.sum(y_true * np.log(y_true / y_pred), axis=-1))


@_declare("Poisson")
def poisson(y_true: Any, y_pred: Any) -> Tensor:
    """Return the mean of ``y_pred - y_true * log(y_pred)``."""
    y_true, y_pred = as_pair(y_true, y_pred)
    return mean_rows(y_pred - y_true * np.log(y_pred + EPSILON))


@_declare("Dice")
def dice(y_true: Any, y_pred: Any, axis: Any = None) -> Tensor:
    """Return ``1 - 2 * overlap / (sizes of both)``: of all elements, or of those along axes."""
    y_true, y_pred = same_shape(*as_pair(y_true, y_pred))
    both = np.sum(y_true, axis=axis) + np.sum(y_pred, axis=axis)
    return tensor_of(1 - 2 * np.sum(y_true * y_pred, axis=axis) / (both + EPSILON))


@_declare("Tversky")
def tversky(
    y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: Any = None
) -> Tensor:
    """Return one minus the overlap over it and what is missed, and what is said wrongly."""
    y_true, y_pred = same_shape(*as_pair(y_true, y_pred))
    overlap = np.sum(y_true * y_pred, axis=axis)
    missed = np.sum((1 - y_pred) * y_true, axis=axis)
    wrong = np.sum(y_pred * (1 - y_true), axis=axis)
    return tensor_of(1 - overlap / (overlap + missed * alpha + wrong * beta + EPSILON))


@_declare("BinaryFocalCrossentropy")
def binary_focal_crossentropy(
    y_true: Any, y_pred: Any, apply_class_balancing: bool = False, alpha: float = 0.25,
    gamma: float = 2.0, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1,
) -> Tensor:  # fmt: skip
    """Return the mean cross entropy, less of what is predicted well."""
    y_true, y_pred = same_shape(*as_pair(y_true, y_pred))
    if label_smoothing:
        y_true = y_true * (1 - label_smoothing) + 0.5 * label_smoothing
    p = nn.sigmoid(y_pred) if from_logits else y_pred
    q = clipped(p)
    entropy = -(y_true * np.log(q) + (1 - y_true) * np.log(1 - q))
    losses = entropy * (1 - (y_true * p + (1 - y_true) * (1 - p))) ** gamma
    if apply_class_balancing:
        losses = losses * (y_true * alpha + (1 - y_true) * (1 - alpha))
    return tensor_of(np.mean(losses, axis=axis))


@_declare("CategoricalFocalCrossentropy")
def categorical_focal_crossentropy(
    y_true: Any, y_pred: Any, alpha: float = 0.25, gamma: float = 2.0, from_logits: bool = False,
    label_smoothing: float = 0.0, axis: int = -1,
) -> Tensor:  # fmt: skip
    """Return the cross entropy of each row, less of what is predicted well."""
    y_true, y_pred = same_shape(*as_pair(y_true, y_pred))
    if label_smoothing:
        y_true = y_true * (1 - label_smoothing) + label_smoothing / np.shape(plain(y_true))[axis]
    p = nn.softmax(y_pred, axis) if from_logits else y_pred
    p = clipped(p / np.sum(p, axis=axis, keepdims=True))
    return tensor_of(np.sum(-y_true * np.log(p) * (1 - p) ** gamma * alpha, axis=axis))
