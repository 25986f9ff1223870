"""`tf.keras.callbacks`: what `fit` tells of epochs and batches, and who listens."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls.dispatch import plain
from tapemagic.errors import TapeUseError
from tapemagic.tf import advice, nest

from .callback import Callback, Monitor, say


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


class EarlyStopping(Monitor):
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
        super().__init__(monitor, mode, min_delta)
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
        current = self.now(logs or {})
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


class ReduceLROnPlateau(Monitor):
    """Make the learning rate smaller when a number gets no better.

    Parameters
    ----------
    monitor, mode, min_delta
        As in `EarlyStopping`.
    factor : float
        What the learning rate is multiplied with.
    patience : int
        So many epochs without a better number are waited for.
    verbose : {0, 1}
        Whether it says so.
    cooldown : int
        Epochs after that in which it does not count.
    min_lr : float
        The least learning rate.
    """

    def __init__(
        self, monitor: str = "val_loss", factor: float = 0.1, patience: int = 10, verbose: int = 0,
        mode: str = "auto", min_delta: float = 1e-4, cooldown: int = 0, min_lr: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__(monitor, mode, min_delta)
        if factor >= 1:
            raise leaks.locate(TapeUseError(f"factor={factor} makes no learning rate smaller."))
        self.factor, self.patience, self.verbose = factor, patience, verbose
        self.cooldown, self.min_lr = cooldown, min_lr
        self.on_train_begin()

    def on_train_begin(self, logs: Any = None) -> None:
        """Forget earlier trainings."""
        self.best: float | None = None
        self.wait = self.cooldown_counter = 0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Compare, and make the learning rate smaller if it is time."""
        rate = _note_rate(self.model, logs)
        if (current := self.now(logs)) is None:
            return
        if self.cooldown_counter:
            self.cooldown_counter -= 1
            self.wait = 0
        if self._is_better(current, self.best):
            self.best, self.wait = current, 0
        elif not self.cooldown_counter:
            self.wait += 1
            if self.wait >= self.patience and rate > self.min_lr:
                smaller = max(rate * self.factor, self.min_lr)
                self.model.optimizer.learning_rate = smaller
                self.cooldown_counter, self.wait = self.cooldown, 0
                if self.verbose:
                    say(
                        f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to "
                        f"{smaller}."
                    )


class LearningRateScheduler(Callback):
    """Set the learning rate of each epoch by a function of its number, and of the last rate.

    Parameters
    ----------
    schedule : callable
        Of the epoch and the rate, or of the epoch alone; it returns a float.
    verbose : {0, 1}
        Whether it says so.

    Examples
    --------
    >>> from tapemagic import tf
    >>> model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
    >>> model.compile(tf.keras.optimizers.SGD(0.5), "mse")
    >>> half = tf.keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    >>> x = tf.ones((2, 1))
    >>> model.fit(x, x, epochs=2, verbose=0, callbacks=[half]).history["learning_rate"]
    [0.25, 0.125]
    """

    def __init__(self, schedule: Callable, verbose: int = 0) -> None:
        super().__init__()
        self.schedule, self.verbose = schedule, verbose

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Set the learning rate.

        Raises
        ------
        TapeUseError
            If the function returns no float.
        """
        optimizer = self.model.optimizer
        several = len(inspect.signature(self.schedule).parameters) > 1
        more = (float(plain(optimizer.learning_rate)),) if several else ()
        rate = self.schedule(epoch, *more)
        if not isinstance(rate, (float, np.floating)):
            raise leaks.locate(
                TapeUseError(
                    f"The schedule of learning rates returned a {type(rate).__name__}.",
                    fix="Return a float: float(rate).",
                )
            )
        optimizer.learning_rate = rate
        if self.verbose:
            say(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {rate}.")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Put the learning rate among the numbers of the epoch."""
        _note_rate(self.model, logs)


def _note_rate(model: Any, logs: Any) -> float:
    """Return the learning rate, which is put among the numbers of an epoch."""
    logs["learning_rate"] = rate = float(plain(model.optimizer.learning_rate))
    return rate


class TerminateOnNaN(Callback):
    """End the training when the loss is no number."""

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        """Look at the loss of the batches so far."""
        loss = (logs or {}).get("loss")
        if loss is not None and not math.isfinite(loss):
            say(f"Batch {batch}: Invalid loss, terminating training")
            self.model.stop_training = True


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
            getattr(one, moment)(*numbers, {} if logs is None else logs)


__getattr__ = advice.missing("tf.keras.callbacks")
