"""`tf.keras.metrics`: running means over the batches of an epoch."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff import structures
from tapemagic.autodiff.calls.dispatch import plain
from tapemagic.autodiff.kept import Kept
from tapemagic.tf import advice
from tapemagic.tf.tensor import Tensor, tensor_of

from .losses import same_rank, same_shape


class Mean:
    """The weighted mean of everything that it was called with since `reset_state`.

    Examples
    --------
    >>> from tapemagic import tf
    >>> mean = tf.keras.metrics.Mean()
    >>> mean.update_state([1.0, 3.0])
    >>> print(mean.result())
    tf.Tensor(2.0, shape=(), dtype=float32)
    """

    def __init__(self, name: str | None = None, dtype: Any = None) -> None:
        self.name = name or "mean"
        self.reset_state()

    def reset_state(self) -> None:
        """Forget everything."""
        self._total = self._weight = 0.0
        self._taken = Kept()

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Take in values."""
        self._taken.add(*structures.leaves([values, sample_weight]))
        values = np.asarray(plain(values), float)
        weights = np.asarray(1.0 if sample_weight is None else plain(sample_weight), float)
        if weights.ndim:
            values, weights = same_rank(values, weights)
            values = values.mean(axis=tuple(range(weights.ndim, values.ndim)))
        weights = np.broadcast_to(weights, values.shape)
        self._total += float(np.sum(values * weights))
        self._weight += float(np.sum(weights))

    def result(self) -> Tensor:
        """Return the mean, 0 of nothing; the gradient ends there."""
        self._taken.read("a metric")
        return tensor_of(np.float32(self._total / self._weight if self._weight else 0.0))

    def __call__(self, *args: Any, **kwargs: Any) -> Tensor:
        """Take in values and return the mean so far."""
        self.update_state(*args, **kwargs)
        return self.result()


def _rows(values: np.ndarray) -> np.ndarray:
    """Average over the last axis, so that there is one value for each weight."""
    return values.mean(axis=-1) if values.ndim > 1 else values


class _Comparison(Mean):
    """The mean of a function of truth and prediction."""

    def update_state(  # type: ignore[override]  # (Keras gives them one name)
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        """Take in one batch."""
        self._taken.add(*structures.leaves([y_true, y_pred]))
        truth, prediction = np.asarray(plain(y_true)), np.asarray(plain(y_pred))
        super().update_state(self._compare(truth, prediction), sample_weight)

    def _compare(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        raise NotImplementedError


class MeanSquaredError(_Comparison):
    """The mean of squared differences."""

    def _compare(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        y_true, y_pred = same_shape(y_true, y_pred)
        return _rows(np.square(y_pred - y_true))


class MeanAbsoluteError(_Comparison):
    """The mean of absolute differences."""

    def _compare(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        y_true, y_pred = same_shape(y_true, y_pred)
        return _rows(np.abs(y_pred - y_true))


class Accuracy(_Comparison):
    """How often a prediction is the label."""

    def _compare(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        y_true, y_pred = same_shape(y_true, y_pred)
        return _rows(y_true == y_pred)


class BinaryAccuracy(_Comparison):
    """How often a probability is on the label's side of the threshold."""

    def __init__(self, name: str | None = None, dtype: Any = None, threshold: float = 0.5) -> None:
        super().__init__(name or "binary_accuracy", dtype)
        self.threshold = threshold

    def _compare(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        y_true, y_pred = same_shape(y_true, y_pred)
        return _rows((y_pred > self.threshold) == (y_true > 0.5))


class CategoricalAccuracy(_Comparison):
    """How often the largest of a row is where the one-hot row has its 1."""

    def _compare(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        y_true, y_pred = same_shape(y_true, y_pred)
        return np.argmax(y_true, axis=-1) == np.argmax(y_pred, axis=-1)


class SparseCategoricalAccuracy(_Comparison):
    """How often the largest of a row is at the class number."""

    def _compare(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        if y_true.ndim == y_pred.ndim and y_true.shape[-1] == 1:
            y_true = y_true[..., 0]
        y_true, places = same_shape(y_true, np.argmax(y_pred, axis=-1))
        return y_true == places


__getattr__ = advice.missing("tf.keras.metrics")
