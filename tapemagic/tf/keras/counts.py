"""Metrics that count right and wrong answers of yes or no."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff import structures
from tapemagic.autodiff.calls.dispatch import plain
from tapemagic.autodiff.kept import Kept
from tapemagic.tf.tensor import Tensor, tensor_of

from .loss import same_shape
from .metric import Metric
from .scores import parts


class _Counts(Metric):
    """Weighted numbers of answers, by what is true and what is said.

    Parameters
    ----------
    thresholds : float, or a list of them, optional
        Probability from which on an answer is a yes; of several, the result is one for each.
    """

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.thresholds = 0.5 if thresholds is None else thresholds
        self.reset_state()

    def reset_state(self) -> None:
        """Forget everything."""
        self._counts = np.zeros((2, 2, np.size(self.thresholds)))
        self._taken = Kept()

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in one batch."""
        self._taken.add(*structures.leaves([y_true, y_pred]))
        truth, said = same_shape(np.asarray(plain(y_true)), np.asarray(plain(y_pred)))
        truth, said = self.counted(truth, said)
        weights = np.asarray(1.0 if sample_weight is None else plain(sample_weight), float)
        weights = weights.reshape(weights.shape + (1,) * (said.ndim - weights.ndim))
        dtype = self.dtype.as_numpy_dtype  # of both: 0.4 is not more than 0.4
        said = said.astype(dtype)
        for number, threshold in enumerate(np.ravel(self.thresholds).astype(dtype)):
            places: Any = (truth > 0).astype(int), (said > threshold).astype(int), number
            np.add.at(self._counts, places, np.broadcast_to(weights, said.shape))

    def counted(self, truth: np.ndarray, said: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return those answers that count: all."""
        return truth, said

    def result(self) -> Tensor:
        """Return what the numbers say; the gradient ends there."""
        self._taken.read("a metric")
        (no_no, no_yes), (yes_no, yes_yes) = self._counts
        found: Any = np.asarray(self.of(no_no, no_yes, yes_no, yes_yes), self.dtype.as_numpy_dtype)
        return tensor_of(found if found.size > 1 else found[0])

    def of(self, no_no: Any, no_yes: Any, yes_no: Any, yes_yes: Any) -> Any:
        """Return the metric of the numbers: first what is true, then what was said."""
        raise NotImplementedError


def _counting(name: str, formula: Any, words: str) -> type:
    members = {"of": lambda self, *counts: formula(*counts), "__doc__": f"{words}."}
    return type(name, (_Counts,), members)


TrueNegatives = _counting("TrueNegatives", lambda nn, ny, yn, yy: nn, "Right noes")
FalsePositives = _counting("FalsePositives", lambda nn, ny, yn, yy: ny, "Wrong yeses")
FalseNegatives = _counting("FalseNegatives", lambda nn, ny, yn, yy: yn, "Wrong noes")
TruePositives = _counting("TruePositives", lambda nn, ny, yn, yy: yy, "Right yeses")


class _Rate(_Counts):
    """What `Precision` and `Recall` have in common.

    Parameters
    ----------
    thresholds : float, or a list of them, optional
        Probability from which on an answer is a yes; of several, the result is one for each.
    top_k : int, optional
        Only the largest `top_k` of a row can be a yes, and without `thresholds` all of them are.
    class_id : int, optional
        Only the answers of this class count.
    """

    _direction = "up"

    def __init__(
        self, thresholds: Any = None, top_k: int | None = None, class_id: int | None = None,
        name: str | None = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        if thresholds is None and top_k is not None:
            thresholds = -np.inf
        super().__init__(thresholds, name, dtype)
        self.top_k, self.class_id = top_k, class_id

    def counted(self, truth: np.ndarray, said: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the answers of the class, -inf for those that cannot be a yes."""
        if self.top_k is not None:
            order = np.argsort(-said, axis=-1, kind="stable")  # of equal ones the first
            said = said.astype(np.result_type(said, np.float32))
            np.put_along_axis(said, order[..., self.top_k :], -np.inf, axis=-1)
        if self.class_id is not None:
            truth, said = truth[..., self.class_id], said[..., self.class_id]
        return truth, said


class Precision(_Rate):
    """How many of the yeses are right."""

    def of(self, no_no: Any, no_yes: Any, yes_no: Any, yes_yes: Any) -> Any:
        """Return the right ones of the yeses."""
        return parts(yes_yes, yes_yes + no_yes)


class Recall(_Rate):
    """How much of what is true was said."""

    def of(self, no_no: Any, no_yes: Any, yes_no: Any, yes_yes: Any) -> Any:
        """Return the part of what is true."""
        return parts(yes_yes, yes_yes + yes_no)
