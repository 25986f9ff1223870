"""What the callbacks of Keras have in common, and the one that compares numbers of epochs."""

from __future__ import annotations

import operator
from typing import Any

from tapemagic.autodiff import leaks
from tapemagic.autodiff.warned import warn
from tapemagic.errors import TapeUseError


def say(line: str) -> None:
    """Print a line of a training."""
    print(line, flush=True)  # noqa: T201  (it is asked for by `verbose`)


class Callback:
    """Base class: a subclass writes the methods of the moments that it wants to hear of.

    Attributes
    ----------
    model : Model
        The one that is trained; ``self.model.stop_training = True`` ends the training.
    params : dict
        ``{"verbose": ..., "epochs": ..., "steps": ...}``.

    Examples
    --------
    >>> from tapemagic import tf
    >>> class Losses(tf.keras.callbacks.Callback):
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         print(f"{epoch}: {logs['loss']:.2f}")
    >>> model = tf.keras.Sequential([tf.keras.layers.Dense(1, kernel_initializer="zeros")])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> x, y = tf.constant([[1.0], [2.0]]), tf.constant([[2.0], [4.0]])
    >>> history = model.fit(x, y, epochs=2, verbose=0, callbacks=[Losses()])
    0: 10.00
    1: 8.69
    """

    model: Any = None

    def __init__(self) -> None:
        self.params: dict[str, Any] = {}

    def set_model(self, model: Any) -> None:
        """Be told of the model."""
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """Be told how it is trained."""
        self.params = params

    def on_train_begin(self, logs: Any = None) -> None:
        """Hear that `fit` begins."""

    def on_train_end(self, logs: Any = None) -> None:
        """Hear that `fit` ends."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Hear that an epoch of `fit` begins."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Hear what the losses and metrics of an epoch are, and those of the validation."""

    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Hear what `on_train_batch_begin` hears, under its old name."""

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        """Hear what `on_train_batch_end` hears, under its old name."""

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Hear that a batch of `fit` begins."""
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Hear what losses and metrics are after a batch."""
        self.on_batch_end(batch, logs=logs)

    def on_test_begin(self, logs: Any = None) -> None:
        """Hear that `evaluate` or a validation begins."""

    def on_test_end(self, logs: Any = None) -> None:
        """Hear what `evaluate` or a validation found."""

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Hear that a batch of `evaluate` begins."""

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """Hear what losses and metrics are after a batch of `evaluate`."""

    def on_predict_begin(self, logs: Any = None) -> None:
        """Hear that `predict` begins."""

    def on_predict_end(self, logs: Any = None) -> None:
        """Hear that `predict` ends."""

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Hear that a batch of `predict` begins."""

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        """Hear what is predicted of a batch: ``{"outputs": ...}``."""


class Monitor(Callback):
    """Base class: whether a number is better than another by more than `min_delta`."""

    def __init__(self, monitor: str, mode: str, min_delta: float) -> None:
        super().__init__()
        if mode not in ("auto", "min", "max"):
            raise leaks.locate(TapeUseError(f"mode={mode!r} is none of 'auto', 'min' and 'max'."))
        self.monitor, self.min_delta, self.mode = monitor, abs(min_delta), mode

    def now(self, logs: Any) -> Any:
        """Return the number, or warn that it is not there."""
        if self.monitor not in logs:
            warn(
                f"{type(self).__name__} looks at {self.monitor!r}, which is not there: "
                f"{', '.join(logs)} are."
            )
        return logs.get(self.monitor)

    def _is_better(self, value: float, other: float | None) -> bool:
        """Tell whether a number is better than another by more than `min_delta`."""
        rises = self._rises()
        value = value - self.min_delta if rises else value + self.min_delta
        return other is None or (operator.gt if rises else operator.lt)(value, other)

    def _rises(self) -> bool:
        """Tell whether larger numbers are better."""
        if self.mode != "auto":
            return self.mode == "max"
        name = self.monitor.removeprefix("val_")
        known = {
            metric.name: metric._direction
            for compiled in self.model.metrics
            for metric in getattr(compiled, "metrics", ())
        }
        direction = "down" if name == "loss" else known.get(name)
        if direction is None:
            raise leaks.locate(
                TapeUseError(
                    f"{type(self).__name__} does not know whether a large {self.monitor!r} is "
                    "good or bad.",
                    fix="Pass mode='max' or mode='min'.",
                )
            )
        return direction == "up"
