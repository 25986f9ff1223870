"""Metrics of answers at many thresholds, of several classes, and of explained variance.

Area under the precision-recall curve: Davis and Goadrich 2006, "The relationship between
precision-recall and ROC curves".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.autodiff import structures
from tapemagic.autodiff.calls.dispatch import plain
from tapemagic.autodiff.kept import Kept
from tapemagic.tf import nn
from tapemagic.tf.refusals import refuse
from tapemagic.tf.tensor import Tensor, tensor_of

from .loss import EPSILON, same_shape
from .metric import Metric


class Summed(Metric):
    """Base class: sums over all batches of arrays that `measure` makes of one."""

    _direction = "up"

    def __init__(self, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.reset_state()

    def reset_state(self) -> None:
        """Forget everything."""
        self._sums: Any = 0.0
        self._taken = Kept()

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in one batch."""
        self._taken.add(*structures.leaves([y_true, y_pred]))
        truth, said = (np.asarray(plain(y)) for y in (y_true, y_pred))
        weights = None if sample_weight is None else np.asarray(plain(sample_weight), float)
        self._sums = self._sums + self.measure(truth, said, weights)

    def measure(self, y_true: Any, y_pred: Any, weights: Any) -> np.ndarray:
        """Return the sums of a batch."""
        raise NotImplementedError

    def of(self, sums: Any) -> Any:
        """Return the metric of the sums."""
        raise NotImplementedError

    def result(self) -> Tensor:
        """Return the metric, 0 of nothing; the gradient ends there."""
        self._taken.read("a metric")
        found = self.of(self._sums) if np.ndim(self._sums) else 0.0
        return tensor_of(np.asarray(found, self.dtype.as_numpy_dtype))


def parts(x: Any, whole: Any) -> Any:
    """Return ``x / whole``, 0 where there is nothing."""
    return np.divide(x, whole, out=np.zeros_like(x + whole), where=whole > 0)


class _Thresholds(Summed):
    """Numbers of right and wrong answers, by the probability from which on an answer is a yes."""

    def __init__(
        self, num_thresholds: int = 200, name: str | None = None, dtype: Any = None,
        thresholds: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(name, dtype)
        inner = np.arange(1, num_thresholds - 1) / (num_thresholds - 1)
        inner = inner if thresholds is None else np.sort(thresholds)
        self.thresholds = np.concatenate([[-EPSILON], inner, [1 + EPSILON]])
        self.num_thresholds = len(self.thresholds)

    def measure(self, y_true: Any, y_pred: Any, weights: Any) -> np.ndarray:
        """Return wrong noes, right yeses, right noes and wrong yeses at each threshold."""
        truth, said = same_shape(y_true, y_pred)
        weights = np.ones(()) if weights is None else weights
        weights = weights.reshape(weights.shape + (1,) * (said.ndim - weights.ndim))
        counted = np.broadcast_to(weights, said.shape).ravel()
        yes = said.ravel() > self.thresholds[:, np.newaxis].astype(said.dtype)
        true = truth.ravel() > 0
        return np.stack(
            [(one & (yes == answer)) @ counted for one in (true, ~true) for answer in (False, True)]
        )


class AUC(_Thresholds):
    """The area under a curve: of right over wrong yeses, or of precision over recall.

    Parameters
    ----------
    num_thresholds : int
        Points of the curve.
    curve : {"ROC", "PR"}
    summation_method : {"interpolation", "minoring", "majoring"}
        Between two points.
    thresholds : list of float, optional
        The points themselves.
    from_logits : bool
        Whether answers are logits, and no probabilities.

    Examples
    --------
    >>> from tapemagic import tf
    >>> auc = tf.keras.metrics.AUC(num_thresholds=3)
    >>> auc.update_state([0, 0, 1, 1], [0, 0.5, 0.3, 0.9])
    >>> print(auc.result())
    tf.Tensor(0.75, shape=(), dtype=float32)
    """

    def __init__(
        self, num_thresholds: int = 200, curve: str = "ROC",
        summation_method: str = "interpolation", name: str | None = None, dtype: Any = None,
        thresholds: Any = None, multi_label: bool = False, from_logits: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(num_thresholds, name, dtype, thresholds)
        if multi_label:
            refuse("AUC(multi_label=True) is not provided.", "Make one AUC for each label.")
        if curve not in ("ROC", "PR") or summation_method not in _HEIGHTS:
            refuse(f"AUC with curve={curve!r} and summation_method={summation_method!r}.")
        self.curve, self.summation_method = curve, summation_method
        self.from_logits = from_logits

    def measure(self, y_true: Any, y_pred: Any, weights: Any) -> np.ndarray:
        """Return numbers of answers at each threshold."""
        said = plain(nn.sigmoid(y_pred)) if self.from_logits else y_pred
        return super().measure(y_true, said, weights)

    def of(self, sums: Any) -> Any:
        """Return the area."""
        missed, hits, noes, alarms = sums
        if self.curve == "PR" and self.summation_method == "interpolation":
            return self._between(hits, hits + alarms, missed)
        x, y = parts(alarms, alarms + noes), parts(hits, hits + missed)
        if self.curve == "PR":
            x, y = y, parts(hits, hits + alarms)
        return np.sum((x[:-1] - x[1:]) * _HEIGHTS[self.summation_method](y[:-1], y[1:]))

    @staticmethod
    def _between(hits: Any, yeses: Any, missed: Any) -> Any:
        """Return the area under curves along which hits grow evenly with the yeses."""
        more = hits[:-1] - hits[1:]
        slope = parts(more, yeses[:-1] - yeses[1:])
        ratio = np.where(yeses[1:] > 0, yeses[:-1] / np.maximum(yeses[1:], EPSILON), 1.0)
        start = hits[1:] - slope * yeses[1:]
        return np.sum(parts(slope * (more + start * np.log(ratio)), hits[1:] + missed[1:]))


_HEIGHTS: dict[str, Callable] = {
    "interpolation": lambda a, b: (a + b) / 2, "minoring": np.minimum, "majoring": np.maximum,
}  # fmt: skip


def _best(name: str, own: Callable, other: Callable, words: str) -> type:
    """Make the class of the best of one rate where another is at least a value, called after it."""
    least = other.__name__.strip("_")
    least = "sensitivity" if least == "recall" and "Sensitivity" in name else least

    def __init__(  # noqa: N807
        self: Any, value: Any = None, num_thresholds: int = 200, name: str | None = None,
        dtype: Any = None, **named: float,
    ) -> None:  # fmt: skip
        if (value is None) is (least not in named) or set(named) - {least}:
            raise TypeError(f"{type(self).__name__} takes {least}=.")
        _Thresholds.__init__(self, num_thresholds, name, dtype)
        self.value = named.get(least, value)

    def of(self: Any, sums: Any) -> Any:
        return np.max(own(*sums), where=other(*sums) >= self.value, initial=0.0)

    return type(name, (_Thresholds,), {"__init__": __init__, "of": of, "__doc__": words})


def _recall(missed: Any, hits: Any, noes: Any, alarms: Any) -> Any:
    return parts(hits, hits + missed)


def _precision(missed: Any, hits: Any, noes: Any, alarms: Any) -> Any:
    return parts(hits, hits + alarms)


def _specificity(missed: Any, hits: Any, noes: Any, alarms: Any) -> Any:
    return parts(noes, noes + alarms)


PrecisionAtRecall = _best(
    "PrecisionAtRecall", _precision, _recall, "The best precision of at least some recall."
)
RecallAtPrecision = _best(
    "RecallAtPrecision", _recall, _precision, "The best recall of at least some precision."
)
SensitivityAtSpecificity = _best(
    "SensitivityAtSpecificity", _recall, _specificity,
    "The best sensitivity of at least some specificity.",
)  # fmt: skip
SpecificityAtSensitivity = _best(
    "SpecificityAtSensitivity", _specificity, _recall,
    "The best specificity of at least some sensitivity.",
)  # fmt: skip


class FBetaScore(Summed):
    """The harmonic mean of precision and recall, which counts `beta` times as much.

    Parameters
    ----------
    average : {None, "micro", "macro", "weighted"}
        Of the scores of the classes.
    beta : float
    threshold : float, optional
        From which on an answer is a yes; the largest of a row is if it is not given.
    """

    def __init__(
        self, average: str | None = None, beta: float = 1.0, threshold: float | None = None,
        name: str = "fbeta_score", dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(name, dtype)
        if average not in (None, "micro", "macro", "weighted"):
            refuse(f"average={average!r} is none of None, 'micro', 'macro' and 'weighted'.")
        self.average, self.beta, self.threshold = average, beta, threshold

    def measure(self, y_true: Any, y_pred: Any, weights: Any) -> np.ndarray:
        """Return right yeses, wrong yeses and wrong noes of each class."""
        truth, said = same_shape(y_true, y_pred)
        if self.threshold is None:
            yes = (said >= said.max(axis=-1, keepdims=True)) & (np.abs(said) > 1e-9)
        else:
            yes = said > self.threshold
        true = truth.astype(bool)
        counted = np.ones((len(said), 1)) if weights is None else weights.reshape(len(said), -1)
        found = [np.sum(x * counted, axis=0) for x in (yes & true, yes & ~true, ~yes & true)]
        return np.stack(found)

    def of(self, sums: Any) -> Any:
        """Return the score, or those of the classes."""
        hits, alarms, missed = sums.sum(axis=1) if self.average == "micro" else sums
        precision, recall = hits / (hits + alarms + EPSILON), hits / (hits + missed + EPSILON)
        squared = self.beta**2
        score = (1 + squared) * precision * recall / (precision * squared + recall + EPSILON)
        if self.average == "macro":
            return score.mean()
        if self.average == "weighted":
            return np.sum(score * (hits + missed) / (np.sum(hits + missed) + EPSILON))
        return score


class F1Score(FBetaScore):
    """The harmonic mean of precision and recall."""

    def __init__(
        self, average: str | None = None, threshold: float | None = None, name: str = "f1_score",
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(average, 1.0, threshold, name, dtype)


class R2Score(Summed):
    """How much of the variance is explained: 1 for all of it, 0 for no more than by the mean."""

    def __init__(self, name: str = "r2_score", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def measure(self, y_true: Any, y_pred: Any, weights: Any) -> np.ndarray:
        """Return sums of squares, of numbers, of squared errors, and of weights."""
        truth, said = (y.astype(float).reshape(len(y), -1) for y in (y_true, y_pred))
        counted = np.ones((len(said), 1)) if weights is None else weights.reshape(len(said), -1)
        found = (truth**2, truth, (truth - said) ** 2, np.ones_like(truth))
        return np.stack([np.sum(x * counted, axis=0) for x in found])

    def of(self, sums: Any) -> Any:
        """Return the mean of the scores of all columns."""
        squares, numbers, errors, count = sums
        total = squares - numbers * (numbers / count)
        return np.mean(np.where(total == 0, 0.0, 1 - errors / np.where(total == 0, 1, total)))
