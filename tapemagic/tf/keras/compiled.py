"""The loss and the metrics that a model was compiled with, for each of its outputs.

They are looked up when the first batch shows how many outputs there are, and of which shapes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls.dispatch import plain
from tapemagic.errors import TapeUseError
from tapemagic.tf import nest

from . import losses, metrics
from .loss import Loss, same_rank


class Outputs:
    """Outputs of a model in order, and what belongs to each.

    Parameters
    ----------
    y_pred : tensor, or a list, tuple or dict of them
    names : list of str, optional
        Of a model's outputs.
    """

    def __init__(self, y_pred: Any, names: list[str] | None) -> None:
        self.count = len(nest.flatten(y_pred))
        if nest.is_nested(y_pred) and len(y_pred) != self.count:
            raise leaks.locate(
                TapeUseError(
                    "The model returns lists in lists, which fit() has no losses for.",
                    fix="Return one list or dict of tensors, or write train_step.",
                )
            )
        self.names: list[Any] = names or [None] * self.count
        self._are_named = isinstance(y_pred, Mapping)
        if self._are_named and set(self.names) != set(y_pred):
            self.names = sorted(y_pred)

    def of(self, y: Any) -> list:
        """Return labels or predictions, one for each output; None for all where there are none.

        Raises
        ------
        TapeUseError
            If their number or names are not those of the outputs.
        """
        if y is None:
            return [None] * self.count
        if isinstance(y, Mapping) and set(y) == set(self.names):
            return [y[name] for name in self.names]
        found = nest.flatten(y)
        if len(found) != self.count or self._are_named or isinstance(y, Mapping):
            names = ": " + ", ".join(self.names) if all(self.names) else ""
            raise leaks.locate(
                TapeUseError(
                    f"Labels or weights do not fit the model's {self.count} outputs{names}.",
                    fix="Pass one for each, as a list or dict like that of the outputs.",
                )
            )
        return found

    def weights_of(self, sample_weight: Any) -> list:
        """Return the weights of examples for each output: the same for all, if they are one."""
        is_one = not nest.is_nested(sample_weight)
        return [sample_weight] * self.count if is_one else self.of(sample_weight)

    def share(self, given: Any, what: str) -> list:
        """Return what `compile` was given for each output: all get what is neither list nor dict.

        Raises
        ------
        TapeUseError
            If it does not fit the outputs.
        """
        if isinstance(given, Mapping) and set(given) <= set(self.names):
            return [given.get(name) for name in self.names]
        if isinstance(given, (list, tuple)) and len(given) == self.count:
            return list(given)
        if nest.is_nested(given):
            raise leaks.locate(
                TapeUseError(
                    f"{what}={given!r} does not fit {self.count} outputs"
                    + (f": {', '.join(self.names)}." if all(self.names) else "."),
                    fix="Pass one for each, as a list or as a dict of the outputs' names.",
                )
            )
        return [given] * self.count


class _Part(NamedTuple):
    """The loss of one output."""

    loss: Callable
    weight: float | None
    tracker: metrics.Mean | None  # with several outputs each has one of its own


class CompiledLoss:
    """The weighted sum of the losses of the outputs.

    Parameters
    ----------
    loss, loss_weights
        What `compile` was given.
    names : list of str, optional
        Of the outputs.

    Attributes
    ----------
    metrics : list of Mean
        The losses of several outputs.
    """

    def __init__(self, loss: Any, loss_weights: Any, names: list[str] | None) -> None:
        self._given, self._names = (loss, loss_weights), names
        self._parts: list[_Part | None] | None = None
        self.metrics: list[metrics.Mean] = []

    def _build(self, outputs: Outputs, y_true: list, y_pred: list) -> list[_Part | None]:
        loss, weights = self._given
        shared = outputs.share(loss, "loss"), outputs.share(weights, "loss_weights")
        parts: list[_Part | None] = []
        for name, one, weight, *y in zip(outputs.names, *shared, y_true, y_pred, strict=True):
            found = None if one is None else _loss(one, *y)
            tracker = None
            if found is not None and outputs.count > 1:
                tracker = metrics.Mean(name=f"{name or found.name}_loss")
                self.metrics.append(tracker)
            parts.append(None if found is None else _Part(found, weight, tracker))
        return parts

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the loss of one batch."""
        outputs = Outputs(y_pred, self._names)
        each = [outputs.of(y_true), outputs.of(y_pred), outputs.weights_of(sample_weight)]
        if self._parts is None:
            self._parts = self._build(outputs, each[0], each[1])
        total = None
        for part, truth, said, weights in zip(self._parts, *each, strict=True):
            if part is None:
                continue
            if truth is None:
                raise leaks.locate(
                    TapeUseError(
                        "The loss that was compiled needs labels, and the batch has no y.",
                        fix="Pass y=..., or a data set of (x, y).",
                    )
                )
            value = part.loss(truth, said, weights)
            if part.tracker is not None:
                part.tracker.update_state(value, sample_weight=len(said))
            if part.weight is not None:
                value = value * part.weight
            total = value if total is None else total + value
        return total


class _Function(Loss):
    """A function of labels and predictions as a loss."""

    def __init__(self, function: Callable, name: str) -> None:
        super().__init__(name)
        self._function = function

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each row."""
        return self._function(*same_rank(y_true, y_pred))


def _loss(given: Any, y_true: Any, y_pred: Any) -> Any:
    """Return a loss by its name, or a function as one."""
    if given in ("crossentropy", "ce"):
        given = f"{_kind_of_classes(y_true, y_pred)}_crossentropy"
    found = losses.get(given)
    if isinstance(found, Loss):
        return found
    name = given if isinstance(given, str) else getattr(found, "__name__", "loss")
    return _Function(found, name)


def _kind_of_classes(y_true: Any, y_pred: Any) -> str:
    """Tell from the shapes how labels name classes: 0 or 1, by their numbers, or by rows."""
    labels, said = np.shape(plain(y_true)), np.shape(plain(y_pred))
    if len(said) > 1 and said[-1] == 1:
        return "binary"
    by_number = len(labels) < len(said) or (labels[-1:] == (1,) and said[-1] > 1)
    return "sparse_categorical" if by_number else "categorical"


class CompiledMetrics(metrics.Metric):
    """The metrics of the outputs; its result is a dict of theirs.

    Parameters
    ----------
    plain_ones, weighted
        What `compile` was given as `metrics` and as `weighted_metrics`.
    names : list of str, optional
        Of the outputs.
    """

    def __init__(self, plain_ones: Any, weighted: Any, names: list[str] | None) -> None:
        super().__init__(name="compile_metrics")
        self.are_given = plain_ones is not None or weighted is not None
        self._given, self._names = (plain_ones, weighted), names
        #: number and name of the output, the metric, whether examples have weights
        self._parts: list[tuple[int, Any, metrics.Metric, bool]] | None = None

    @property
    def metrics(self) -> list[metrics.Metric]:
        """The metrics, once they are known."""
        return [metric for _, _, metric, _ in self._parts or []]

    def _build(self, outputs: Outputs, y_true: list, y_pred: list) -> None:
        self._parts = []
        for given, is_weighted in zip(self._given, (False, True), strict=True):
            one = outputs.count == 1  # all metrics are of the one output
            shared = [nest.flatten(given)] if one else outputs.share(given or None, "metrics")
            for i, some in enumerate(shared):
                name = None if one else outputs.names[i]
                for metric in nest.flatten(some):
                    if metric is not None:
                        found = _metric(metric, y_true[i], y_pred[i])
                        self._parts.append((i, name, found, is_weighted))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in one batch."""
        outputs = Outputs(y_pred, self._names)
        truths, said = outputs.of(y_true), outputs.of(y_pred)
        weights = outputs.weights_of(sample_weight)
        if self._parts is None:
            self._build(outputs, truths, said)
        for i, _, metric, is_weighted in self._parts or []:
            given = {"sample_weight": weights[i]} if is_weighted else {}
            metric.update_state(truths[i], said[i], **given)

    def reset_state(self) -> None:
        """Let every metric forget."""
        for metric in self.metrics:
            metric.reset_state()

    def result(self) -> dict[str, Any]:
        """Return name -> result; a name that is there already gets a number."""
        found: dict[str, Any] = {}
        times: Counter[str] = Counter()
        for _, output, metric, is_weighted in self._parts or []:
            prefix = f"{output}_" if output else ""
            name = prefix + metric.name
            if name in times and is_weighted:
                name = f"{prefix}weighted_{metric.name}"
            times[name] += 1
            found[name if times[name] == 1 else f"{name}_{times[name] - 1}"] = metric.result()
        return found


def _metric(given: Any, y_true: Any, y_pred: Any) -> metrics.Metric:
    """Return a metric by its name, or a function as one."""
    found = given
    if given in ("accuracy", "acc"):
        found = f"{_kind_of_classes(y_true, y_pred)}_accuracy"
    found = metrics.get(found)
    if not isinstance(found, metrics.Metric):
        found = metrics.MeanMetricWrapper(found)
    if isinstance(given, str):
        found.name = given
    return found
