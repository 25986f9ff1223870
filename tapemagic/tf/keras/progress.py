"""The lines that `fit`, `evaluate` and `predict` print: one for each run over the data.

As Keras prints them at the end of an epoch, without times, so that they are the same on each run.
"""

from __future__ import annotations

from typing import Any

from .callback import Callback, say

_BAR = "━" * 20


class ProgressLines(Callback):
    """Prints what an epoch came to.

    Parameters
    ----------
    verbose : {1, 2, "auto"}
        1 (or "auto") with the bar, 2 without.
    """

    def __init__(self, verbose: Any) -> None:
        super().__init__()
        self._bar = f" {_BAR}" if verbose in (1, "auto") else ""
        self._steps, self._is_training = 0, False

    def on_train_begin(self, logs: Any = None) -> None:
        """Keep silent of validations from here on."""
        self._is_training = True

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Print the number of the epoch, if there are several."""
        if self.params["epochs"] > 1:
            say(f"Epoch {epoch + 1}/{self.params['epochs']}")

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Count."""
        self._steps = batch + 1

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """Count, unless this is a validation."""
        if not self._is_training:
            self._steps = batch + 1

    on_predict_batch_end = on_train_batch_end

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Print losses and metrics."""
        numbers = [f"{name}: {_number(value)}" for name, value in (logs or {}).items()]
        total = self.params["steps"] or self._steps
        say(" - ".join([f"{self._steps}/{total}{self._bar}", *numbers]))

    def on_test_end(self, logs: Any = None) -> None:
        """Print losses and metrics, unless this is a validation."""
        if not self._is_training:
            self.on_epoch_end(0, logs)

    def on_predict_end(self, logs: Any = None) -> None:
        """Print how many batches there were."""
        self.on_epoch_end(0)


def _number(value: Any) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:.4f}" if abs(value) > 1e-3 else f"{value:.4e}"
