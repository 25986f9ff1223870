"""Training: `fit`, `evaluate` and `predict` of models, over epochs and batches."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls.dispatch import is_traced, plain
from tapemagic.autodiff.recorder import RECORDER
from tapemagic.autodiff.unrecorded import unrecorded
from tapemagic.autodiff.warned import warn
from tapemagic.errors import TapeUseError
from tapemagic.tf import nest

from .batches import Batches, as_floats, split, unpacked
from .callback import Callback
from .callbacks import CallbackList, History
from .optimizer import Optimizer
from .progress import ProgressLines
from .sources import weighted
from .steps import Steps

_TRAINED = (
    "it trains the weights aside. Weights that are read from here on count with their new values; "
    "no gradient goes back through the training, to their old values or to the data."
)
_PLAIN = "what it returns counts as constant. For a gradient call the model itself: model(x)."


def _aside(what: str) -> Callable[[Callable], Callable]:
    """Return a decorator: what a method does is not recorded by open tapes, and it says so."""

    def decorate(method: Callable) -> Callable:
        @functools.wraps(method)
        def wrapper(self: Any, *args: Any, **kwargs: Any) -> Any:
            if RECORDER.recording is None:
                return method(self, *args, **kwargs)
            how = f"{method.__name__}()"
            warn(f"The open tape does not follow {how}: {what}")
            for x in [*nest.flatten([args, kwargs]), *self.trainable_variables]:
                if is_traced(x):
                    leaks.hand_out(x, how)
            with unrecorded():
                return method(self, *args, **kwargs)

        return wrapper

    return decorate


class Trainer(Steps):
    """The part of a model that trains it.

    Attributes
    ----------
    history : History
        Of the last `fit`.
    stop_training : bool
        Set it, and the training ends.
    """

    history: Any = None
    stop_training = False

    @_aside(_TRAINED)
    def fit(
        self, x: Any = None, y: Any = None, batch_size: int | None = None, epochs: int = 1,
        verbose: Any = "auto", callbacks: Any = None, validation_split: float = 0.0,
        validation_data: Any = None, shuffle: bool = True, class_weight: Any = None,
        sample_weight: Any = None, initial_epoch: int = 0, steps_per_epoch: int | None = None,
        validation_steps: int | None = None, validation_batch_size: int | None = None,
        validation_freq: Any = 1,
    ) -> History:  # fmt: skip
        """Train the model.

        Parameters
        ----------
        x : array, tensor, tf.data.Dataset, generator or PyDataset, or a list or dict of arrays
            A data set holds batches: x, (x, y) or (x, y, sample_weight).
        y : array or tensor, optional
        batch_size : int, optional
            32 if not given.
        epochs, initial_epoch : int
            Number of the last epoch, and of the first.
        verbose : {"auto", 0, 1, 2}
            What is printed: nothing for 0; 2 leaves out the bar.
        callbacks : Callback, or a list of them, optional
        validation_split : float
            Part at the end of the arrays that is evaluated after each epoch, and not trained with.
        validation_data : tuple or tf.data.Dataset, optional
            What is evaluated instead.
        shuffle : bool
            Whether arrays are read in another order in each epoch.
        class_weight : dict of int to float, optional
            A weight for the examples of each class, 1 for those of others.
        sample_weight : array, optional
            A weight for each example.
        steps_per_epoch, validation_steps : int, optional
            Batches per epoch, where not all are read.
        validation_freq : int or list of int
            After which epochs there is a validation.

        Returns
        -------
        History
            ``history.history`` holds a list for each loss and metric.

        Raises
        ------
        TapeUseError
            For data of other kinds, or of different lengths.
        """
        self._what_was_compiled()
        data, kept = (x, y, sample_weight), validation_data
        if validation_split and kept is None:
            data, kept = split(data, validation_split)
        data = weighted(*data, class_weight)
        batches = Batches(*data, batch_size, steps_per_epoch, shuffle)
        validation = None
        if kept is not None:
            size = validation_batch_size or batch_size
            validation = Batches(*unpacked(kept), size, validation_steps, shuffle=False)
        self.history = History()
        listeners = CallbackList(
            callbacks, self, [self.history, *_lines(verbose)],
            verbose=verbose, epochs=epochs, steps=batches.count,
        )  # fmt: skip
        self.stop_training = False
        found: dict[str, Any] = {}
        listeners.tell("on_train_begin")
        for epoch in range(initial_epoch, epochs):
            listeners.tell("on_epoch_begin", epoch)
            logs = self._over(batches, "train", self.train_step, listeners)
            if validation is not None and _is_due(epoch + 1, validation_freq):
                tested = self._tested(validation, listeners)
                logs = {**logs, **{f"val_{name}": value for name, value in tested.items()}}
            found = _numbers(logs)
            listeners.tell("on_epoch_end", epoch, logs=found)
            if self.stop_training:
                break
        if isinstance(self.optimizer, Optimizer):
            self.optimizer.finalize_variable_values(self.trainable_variables)
        listeners.tell("on_train_end", logs=found)
        return self.history

    @_aside(_PLAIN)
    def evaluate(
        self, x: Any = None, y: Any = None, batch_size: int | None = None, verbose: Any = "auto",
        sample_weight: Any = None, steps: int | None = None, callbacks: Any = None,
        return_dict: bool = False,
    ) -> Any:  # fmt: skip
        """Return the loss and the metrics of data as floats: in a list, or by their names."""
        self._what_was_compiled()
        batches = Batches(x, y, sample_weight, batch_size, steps, shuffle=False)
        listeners = CallbackList(
            callbacks, self, _lines(verbose), verbose=verbose, epochs=1, steps=batches.count
        )
        found = self._tested(batches, listeners)
        return found if return_dict else self._in_order(found)

    @_aside(_PLAIN)
    def predict(
        self, x: Any, batch_size: int | None = None, verbose: Any = "auto",
        steps: int | None = None, callbacks: Any = None,
    ) -> Any:  # fmt: skip
        """Return what the model makes of data, as plain arrays."""
        batches = Batches(x, None, None, batch_size, steps, shuffle=False)
        listeners = CallbackList(
            callbacks, self, _lines(verbose), verbose=verbose, epochs=1, steps=batches.count
        )
        outputs = []
        listeners.tell("on_predict_begin")
        for number, data in enumerate(batches.epoch()):
            listeners.tell("on_predict_batch_begin", number)
            outputs.append(_arrays(self.predict_step(data)))
            listeners.tell("on_predict_batch_end", number, logs={"outputs": outputs[-1]})
        listeners.tell("on_predict_end")
        return nest.map_structure(lambda *parts: np.concatenate(parts), *outputs)

    def _tested(self, batches: Batches, listeners: CallbackList) -> dict[str, Any]:
        batches.rewind()
        listeners.tell("on_test_begin")
        found = _numbers(self._over(batches, "test", self.test_step, listeners))
        listeners.tell("on_test_end", logs=found)
        return found

    def _over(
        self, batches: Batches, kind: str, step: Callable, listeners: CallbackList
    ) -> Mapping[str, Any]:
        """Do a step with each batch; return what the last one returned."""
        self.reset_metrics()
        logs: Mapping[str, Any] = {}
        for number, data in enumerate(batches.epoch()):
            listeners.tell(f"on_{kind}_batch_begin", number)
            logs = step(data)
            listeners.tell(f"on_{kind}_batch_end", number, logs=_numbers(logs))
            if self.stop_training and kind == "train":
                break
        return logs

    # ------------------------------------------------------------------------------ single batches

    @_aside(_TRAINED)
    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:  # fmt: skip
        """Do one step of training; return the loss and the metrics before it, as `evaluate`."""
        data = weighted(x, y, sample_weight, class_weight)
        return self._on_batch(self.train_step, data, return_dict)

    @_aside(_PLAIN)
    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Return the loss and the metrics of one batch, as `evaluate`."""
        return self._on_batch(self.test_step, (x, y, sample_weight), return_dict)

    @_aside(_PLAIN)
    def predict_on_batch(self, x: Any) -> Any:
        """Return what the model makes of one batch, as plain arrays."""
        return _arrays(self.predict_step((as_floats(x),)))

    def _on_batch(self, step: Callable, data: tuple, return_dict: bool) -> Any:
        self._what_was_compiled()
        self.reset_metrics()
        found = _numbers(step(tuple(as_floats(list(data)))))
        return found if return_dict else self._in_order(found)

    def _in_order(self, found: dict[str, Any]) -> Any:
        """Return numbers in the order of the metrics, those of other names after them."""
        names = [
            one.name for metric in self.metrics for one in getattr(metric, "metrics", [metric])
        ]
        numbers = [found[name] for name in [*names, *sorted(set(found) - set(names))]
                   if name in found]  # fmt: skip
        return numbers[0] if len(numbers) == 1 else numbers


def _is_due(epoch: int, frequency: Any) -> bool:
    """Tell whether an epoch, counted from 1, ends with a validation."""
    return epoch in frequency if isinstance(frequency, list) else epoch % frequency == 0


def _lines(verbose: Any) -> list[Callback]:
    return [ProgressLines(verbose)] if verbose else []


def _arrays(outputs: Any) -> Any:
    return nest.map_structure(lambda x: np.array(plain(x)), outputs)


def _numbers(logs: Any) -> dict[str, Any]:
    """Return what a step returned in the order of its names: single numbers as floats.

    Raises
    ------
    TapeUseError
        If it is no dict.
    """
    if not isinstance(logs, Mapping):
        raise leaks.locate(
            TapeUseError(
                f"A step returned a {type(logs).__name__}.",
                fix="Return a dict: {metric.name: metric.result() for metric in self.metrics}.",
            )
        )
    found: dict[str, Any] = {}
    for name in sorted(logs):
        value = logs[name]
        if isinstance(value, Mapping):
            found |= _numbers(value)
        else:
            found[name] = plain(value) if np.ndim(plain(value)) else float(plain(value))
    return found
