"""`tf.keras.metrics`: running means over the batches of an epoch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.autodiff import structures
from tapemagic.autodiff.calls.dispatch import plain
from tapemagic.autodiff.kept import Kept
from tapemagic.tf import advice, nn
from tapemagic.tf.creation import cast
from tapemagic.tf.refusals import refuse
from tapemagic.tf.specs import float32
from tapemagic.tf.tensor import Tensor, tensor_of

from . import counts, losses, masks, metric, overlaps, scores
from .calls import snake
from .loss import same_rank, same_shape
from .names import by_name

Metric = metric.Metric
Precision, Recall = counts.Precision, counts.Recall
TruePositives, TrueNegatives = counts.TruePositives, counts.TrueNegatives
FalsePositives, FalseNegatives = counts.FalsePositives, counts.FalseNegatives
globals().update(
    {
        name: one for part in (scores, overlaps) for name, one in vars(part).items()
        if isinstance(one, type) and issubclass(one, scores.Summed)
        and not name.startswith("_") and one is not scores.Summed
    }
)  # fmt: skip


class Mean(metric.Metric):
    """The weighted mean of everything that it was called with since `reset_state`.

    Examples
    --------
    >>> from tapemagic import tf
    >>> mean = tf.keras.metrics.Mean()
    >>> mean.update_state([1.0, 3.0])
    >>> print(mean.result())
    tf.Tensor(2.0, shape=(), dtype=float32)
    """

    _sums_rows = False  # what a weight is for is summed up, and not averaged

    def __init__(self, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(dtype, name or snake(type(self).__name__))
        self.reset_state()

    def reset_state(self) -> None:
        """Forget everything."""
        self._total = self._weight = 0.0
        self._taken = Kept()

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Take in values."""
        self._taken.add(*structures.leaves([values, sample_weight]))
        values = np.asarray(plain(values), float)
        if sample_weight is None:
            values = self._of_examples(values)
            self._weight += len(values) if values.ndim else 1
        else:
            values, weights = same_rank(values, np.asarray(plain(sample_weight), float))
            values = self._of_examples(values, weights.ndim)
            fits = all(m in (1, n) for n, m in zip(values.shape, weights.shape, strict=False))
            if values.ndim < weights.ndim or not fits:
                refuse(f"Weights of shape {weights.shape} for values of shape {values.shape}.")
            weights = np.broadcast_to(weights, values.shape)
            values = self._of_examples(values * weights)
            self._weight += float(np.sum(self._of_examples(weights)))
        self._total += float(np.sum(values))

    def _of_examples(self, values: np.ndarray, axes: int = 1) -> np.ndarray:
        """Return one number for each example, however many it has, or one along so many axes."""
        rest = tuple(range(axes, values.ndim))
        return values.sum(axis=rest) if self._sums_rows else values.mean(axis=rest)

    def result(self) -> Tensor:
        """Return the mean, 0 of nothing; the gradient ends there."""
        self._taken.read("a metric")
        return tensor_of(
            self.dtype.as_numpy_dtype(self._total / self._weight if self._weight else 0.0)
        )


class Sum(Mean):
    """The weighted sum of everything that it was called with since `reset_state`."""

    _sums_rows = True

    def result(self) -> Tensor:
        """Return the sum; the gradient ends there."""
        self._taken.read("a metric")
        return tensor_of(self.dtype.as_numpy_dtype(self._total))


def _rows(values: np.ndarray) -> np.ndarray:
    """Average over the last axis, so that there is one value for each weight."""
    return values.mean(axis=-1) if values.ndim > 1 else values


class _Comparison(Mean):
    """The mean of a function of truth and prediction."""

    _direction: str | None = "up"

    def update_state(  # type: ignore[override]  # (Keras gives them one name)
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        """Take in one batch."""
        self._taken.add(*structures.leaves([y_true, y_pred]))
        if (mask := masks.of(y_pred)) is not None:
            sample_weight = masks.weights(mask, sample_weight, is_mean=False)
        truth, prediction = np.asarray(plain(y_true)), np.asarray(plain(y_pred))
        super().update_state(self._compare(truth, prediction), sample_weight)

    def _compare(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        raise NotImplementedError


class Accuracy(_Comparison):
    """How often a prediction is the label."""

    def _compare(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        y_true, y_pred = same_shape(y_true, y_pred)
        return _rows(y_true == y_pred)


class BinaryAccuracy(_Comparison):
    """How often a probability is on that side of the threshold that the label, 0 or 1, names."""

    def __init__(self, name: str | None = None, dtype: Any = None, threshold: float = 0.5) -> None:
        super().__init__(name, dtype)
        self.threshold = threshold

    def _compare(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        y_true, y_pred = same_shape(y_true, y_pred)
        return _rows((y_pred > self.threshold) == y_true)


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


#: Losses that average the elements of a row: of single numbers, each counts as a row.
_OF_NUMBERS = {
    "mean_squared_error", "mean_absolute_error", "mean_absolute_percentage_error",
    "mean_squared_logarithmic_error", "huber", "log_cosh", "hinge", "squared_hinge", "poisson",
    "binary_crossentropy",
}  # fmt: skip


class MeanMetricWrapper(_Comparison):
    """The mean of a function of labels and predictions."""

    def __init__(
        self, fn: Callable, name: str | None = None, dtype: Any = None, **options: Any
    ) -> None:
        super().__init__(name or getattr(fn, "__name__", None), dtype)
        if options.get("ignore_class") is not None:
            refuse("A metric with an ignore_class.", "Give it weights: sample_weight=y != 255.")
        self._fn, self._options = fn, options
        is_loss = fn in vars(losses).values()
        self._direction = "down" if is_loss else "up" if fn in _FUNCTIONS.values() else None

    def _compare(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        if y_true.ndim == y_pred.ndim == 1 and self._fn.__name__ in _OF_NUMBERS:
            y_true, y_pred = y_true[:, np.newaxis], y_pred[:, np.newaxis]  # each has a weight
        return np.asarray(
            plain(self._fn(y_true, y_pred.astype(self.dtype.as_numpy_dtype), **self._options))
        )


def _metric_class(name: str, own: str, fn: Callable) -> type:
    """Make the class of the mean of a loss."""

    def __init__(self: Any, name: str | None = None, dtype: Any = None, **options: Any) -> None:  # noqa: N807
        MeanMetricWrapper.__init__(self, fn, name or own, dtype, **options)

    return type(name, (MeanMetricWrapper,), {"__init__": __init__, "__doc__": fn.__doc__})


def _cosine(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Return the cosine of the angle between each pair of rows."""
    return -losses.cosine_similarity(y_true, y_pred, axis)


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """Tell for each one-hot row whether its class is among the k likeliest."""
    return sparse_top_k_categorical_accuracy(np.argmax(plain(y_true), axis=-1), y_pred, k)


def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """Tell for each class number whether it is among the k likeliest."""
    numbers = np.asarray(plain(y_true)).astype(int).reshape(-1)
    return cast(nn.in_top_k(numbers, np.reshape(plain(y_pred), (len(numbers), -1)), k), float32)


class RootMeanSquaredError(Mean):
    """The root of the mean of squared differences."""

    _direction = "down"

    def update_state(  # type: ignore[override]  # (Keras gives them one name)
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        """Take in one batch."""
        truth, prediction = same_rank(*(np.asarray(plain(y)) for y in (y_true, y_pred)))
        self._taken.add(y_true, y_pred)
        super().update_state(np.square(prediction - truth), sample_weight)

    def result(self) -> Tensor:
        """Return the root; the gradient ends there."""
        return tensor_of(np.sqrt(plain(super().result())))


_FUNCTIONS: dict[str, Callable] = {
    name: getattr(losses, name) for name in (
        "mean_squared_error", "mean_absolute_error", "mean_absolute_percentage_error",
        "mean_squared_logarithmic_error", "kl_divergence", "poisson", "hinge", "squared_hinge",
        "categorical_hinge", "huber", "log_cosh", "binary_crossentropy",
        "categorical_crossentropy", "sparse_categorical_crossentropy",
    )
}  # fmt: skip
globals().update(_FUNCTIONS)
_FUNCTIONS |= {
    "top_k_categorical_accuracy": top_k_categorical_accuracy,
    "sparse_top_k_categorical_accuracy": sparse_top_k_categorical_accuracy,
    "cosine_similarity": _cosine, "logcosh": losses.log_cosh,
}  # fmt: skip
_NAMES = {"kl_divergence": "KLDivergence", "logcosh": "LogCoshError"}
for _name, _fn in _FUNCTIONS.items():
    _class = _NAMES.get(_name, "".join(part.capitalize() for part in _name.split("_")))
    globals()[_class.replace("Topk", "TopK")] = _metric_class(_class, _name, _fn)
MSE = mse = losses.mean_squared_error
MAE = mae = losses.mean_absolute_error

_SHORT = {
    "mse": "mean_squared_error", "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error", "msle": "mean_squared_logarithmic_error",
    "bce": "binary_crossentropy",
}  # fmt: skip


def get(identifier: Any) -> Any:
    """Return a metric by its name; a function or metric is returned as it is.

    Raises
    ------
    TapeUseError
        If no metric is called so.
    """
    classes = {
        name: one for name, one in globals().items()
        if isinstance(one, type) and issubclass(one, Metric) and not name.startswith("_")
    }  # fmt: skip
    known = classes | {snake(name): one for name, one in classes.items()}
    if isinstance(identifier, str):
        identifier = _SHORT.get(identifier.lower(), identifier)
    return by_name("metric", known, identifier)


__getattr__ = advice.missing("tf.keras.metrics")
