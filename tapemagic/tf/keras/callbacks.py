"""`tf.keras.callbacks`: what `fit` tells of epochs and batches, and who listens."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from tapemagic.autodiff import leaks
from tapemagic.autodiff.warned import warn
from tapemagic.errors import TapeUseError
from tapemagic.tf import advice, nest


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


class History(Callback):
    """What `fit` returns: the losses and metrics of each epoch.

    Attributes
    ----------
    epoch : list of int
    history : dict of str to list of float
        Validation under names that begin with ``val_``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[float]] = {}
        self.epoch: list[int] = []

    def on_train_begin(self, logs: Any = None) -> None:
        """Count the epochs anew."""
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write down an epoch."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)


class LambdaCallback(Callback):
    """A callback of functions: ``LambdaCallback(on_epoch_end=lambda epoch, logs: ...)``."""

    def __init__(self, **functions: Callable | None) -> None:
        super().__init__()
        for name, function in functions.items():
            if not (name.startswith("on_") and hasattr(Callback, name)):
                raise leaks.locate(TapeUseError(f"No moment of a training is called {name!r}."))
            if function is not None:
                setattr(self, name, function)


class EarlyStopping(Callback):
    """End the training when a number gets no better.

    Parameters
    ----------
    monitor : str
        Its name in the `History`.
    min_delta : float
        A smaller change is none.
    patience : int
        So many epochs without a better number are waited for.
    verbose : {0, 1}
        Whether it says so.
    mode : {"auto", "min", "max"}
        Which is better: "auto" knows of losses and of the metrics of `tf.keras`.
    baseline : float, optional
        What has to be surpassed.
    restore_best_weights : bool
        Whether the model gets the weights of its best epoch back at the end.
    start_from_epoch : int
        Nothing counts before it.
    """

    def __init__(
        self, monitor: str = "val_loss", min_delta: float = 0, patience: int = 0, verbose: int = 0,
        mode: str = "auto", baseline: float | None = None, restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:  # fmt: skip
        super().__init__()
        if mode not in ("auto", "min", "max"):
            raise leaks.locate(TapeUseError(f"mode={mode!r} is none of 'auto', 'min' and 'max'."))
        self.monitor, self.min_delta, self.mode = monitor, abs(min_delta), mode
        self.patience, self.verbose, self.baseline = patience, verbose, baseline
        self.restore_best_weights, self.start_from_epoch = restore_best_weights, start_from_epoch
        self.on_train_begin()

    def on_train_begin(self, logs: Any = None) -> None:
        """Forget earlier trainings."""
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best: float | None = None
        self.best_weights: list | None = None

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Compare, and stop the training if it is time."""
        current = (logs or {}).get(self.monitor)
        if current is None:
            warn(
                f"EarlyStopping looks at {self.monitor!r}, which is not there: "
                f"{', '.join(logs or {})} are."
            )
        if current is None or epoch < self.start_from_epoch:
            return
        is_better = self._is_better(current, self.best)
        if is_better:
            self.best, self.best_epoch = current, epoch
        if self.restore_best_weights and (is_better or self.best_weights is None):
            self.best_weights = self.model.get_weights()
        self.wait += 1
        if is_better and self._is_better(current, self.baseline):
            self.wait = 0
        elif not is_better and self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Any = None) -> None:
        """Give the best weights back, if that was asked for."""
        if self.stopped_epoch and self.verbose:
            say(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.best_weights is not None:
            if self.verbose:
                say(
                    "Restoring model weights from the end of the best epoch: "
                    f"{self.best_epoch + 1}."
                )
            self.model.set_weights(self.best_weights)

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
                    f"EarlyStopping does not know whether a large {self.monitor!r} is good or bad.",
                    fix="Pass mode='max' or mode='min'.",
                )
            )
        return direction == "up"


class CallbackList:
    """Those who listen to one run, in order.

    Parameters
    ----------
    callbacks : Callback, or a list of them, optional
    model : Model
    last : list of Callback
        Who listens after them.
    **params
        What they are told of the run.
    """

    def __init__(self, callbacks: Any, model: Any, last: list[Callback], **params: Any) -> None:
        given = [] if callbacks is None else nest.flatten(callbacks)
        for one in given:
            if not isinstance(one, Callback):
                raise leaks.locate(
                    TapeUseError(
                        f"callbacks holds a {type(one).__name__}.",
                        fix="Write a subclass of tf.keras.callbacks.Callback, and pass an object.",
                    )
                )
        self._callbacks: list[Callback] = [*given, *last]
        for one in self._callbacks:
            one.set_model(model)
            one.set_params(params)

    def tell(self, moment: str, *numbers: int, logs: Any = None) -> None:
        """Call the method of a moment of each."""
        for one in self._callbacks:
            getattr(one, moment)(*numbers, logs)


__getattr__ = advice.missing("tf.keras.callbacks")
