"""Metrics of segmentations: how much of what is said of a class overlaps with what is true."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.tf.refusals import refuse

from .scores import Summed


class IoU(Summed):
    """The mean, over some classes, of what is both said and true in what is one of them.

    Parameters
    ----------
    num_classes : int
    target_class_ids : list of int
        The classes that count.
    ignore_class : int, optional
        Rows of this class are left out.
    sparse_y_true, sparse_y_pred : bool
        Whether they are numbers of classes, or rows of probabilities.
    axis : int
        Of those.

    Examples
    --------
    >>> from tapemagic import tf
    >>> iou = tf.keras.metrics.MeanIoU(num_classes=2)
    >>> iou.update_state([0, 0, 1, 1], [0, 1, 0, 1])
    >>> print(iou.result())
    tf.Tensor(0.33333334, shape=(), dtype=float32)
    """

    def __init__(
        self, num_classes: int, target_class_ids: Any, name: str | None = None, dtype: Any = None,
        ignore_class: int | None = None, sparse_y_true: bool = True, sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:  # fmt: skip
        super().__init__(name, dtype)
        self._takes_floats = dtype is not None  # else TensorFlow cuts weights to whole numbers
        self.num_classes, self.target_class_ids = num_classes, list(target_class_ids)
        self.ignore_class, self.axis = ignore_class, axis
        self.sparse_y_true, self.sparse_y_pred = sparse_y_true, sparse_y_pred

    def measure(self, y_true: Any, y_pred: Any, weights: Any) -> np.ndarray:
        """Return the weighted numbers of examples by what is true and what is said."""
        truth = y_true if self.sparse_y_true else y_true.argmax(axis=self.axis)
        said = y_pred if self.sparse_y_pred else y_pred.argmax(axis=self.axis)
        truth, said = truth.astype(int).ravel(), said.astype(int).ravel()
        counted = np.ones(len(truth)) if weights is None else np.ravel(weights)
        if self.ignore_class is not None:
            kept = truth != self.ignore_class
            truth, said, counted = truth[kept], said[kept], counted[kept]
        both = np.concatenate([truth, said])
        if ((both < 0) | (both >= self.num_classes)).any():
            refuse(f"{self.name}: a class is not in [0, {self.num_classes}).")
        if not self._takes_floats and (counted != np.round(counted)).any():
            refuse(f"{self.name} counts in whole numbers.", 'Make it with dtype="float32".')
        found = np.zeros((self.num_classes, self.num_classes))
        np.add.at(found, (truth, said), counted)
        return found

    def of(self, sums: Any) -> Any:
        """Return the mean over the classes that there are examples of."""
        both = np.diag(sums)
        one = sums.sum(axis=0) + sums.sum(axis=1) - both
        both, one = both[self.target_class_ids], one[self.target_class_ids]
        return np.mean(both[one > 0] / one[one > 0]) if (one > 0).any() else 0.0


class BinaryIoU(IoU):
    """`IoU` of probabilities of a yes, class 1, and of the rest, class 0."""

    def __init__(
        self, target_class_ids: Any = (0, 1), threshold: float = 0.5, name: str | None = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = threshold

    def measure(self, y_true: Any, y_pred: Any, weights: Any) -> np.ndarray:
        """Return the weighted numbers of examples by what is true and what is said."""
        return super().measure(y_true, (y_pred >= self.threshold).astype(int), weights)


class MeanIoU(IoU):
    """`IoU` of all classes."""

    def __init__(self, num_classes: int, name: str | None = None, **options: Any) -> None:
        super().__init__(num_classes, range(num_classes), name, **options)


class OneHotIoU(IoU):
    """`IoU` of rows of probabilities, and of labels that are rows with a 1."""

    def __init__(
        self, num_classes: int, target_class_ids: Any, name: str | None = None, dtype: Any = None,
        ignore_class: int | None = None, sparse_y_pred: bool = False, axis: int = -1,
    ) -> None:  # fmt: skip
        super().__init__(
            num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis
        )


class OneHotMeanIoU(OneHotIoU):
    """`OneHotIoU` of all classes."""

    def __init__(self, num_classes: int, name: str | None = None, **options: Any) -> None:
        super().__init__(num_classes, range(num_classes), name, **options)
