"""What a model is compiled with, and what it does with one batch: the steps that are replaced."""

from __future__ import annotations

import functools
import inspect
import operator
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tapemagic.autodiff import leaks
from tapemagic.autodiff.warned import warn
from tapemagic.errors import TapeUseError
from tapemagic.tf import nest
from tapemagic.tf.reductions import reduce_sum
from tapemagic.tf.tape import GradientTape

from . import optimizers
from .batches import unpacked
from .compiled import CompiledLoss, CompiledMetrics
from .layer import Layer
from .metric import Metric
from .metrics import Mean


@functools.cache
def _takes_training(compute_loss: Hashable) -> bool:
    return "training" in inspect.signature(compute_loss).parameters  # type: ignore[arg-type]


def _metrics_of(layer: Any) -> Iterator[Metric]:
    """Yield the metrics in the attributes of a layer: themselves, or in lists and dicts."""
    for value in vars(layer).values():
        if isinstance(value, (list, tuple, Mapping)):
            items = value.values() if isinstance(value, Mapping) else value
            yield from (x for x in items if isinstance(x, Metric))
        elif isinstance(value, Metric):
            yield value


@dataclass
class _Compiled:
    """What `compile` leaves behind."""

    tracker: Mean  # of the loss
    loss: CompiledLoss | None
    metrics: CompiledMetrics


class Steps(Layer):
    """What a model is trained with, and one batch of it.

    Attributes
    ----------
    optimizer : Optimizer
    loss
        What `compile` was given.
    """

    optimizer: Any = None
    loss: Any = None
    #: Names of several outputs, where the model knows them.
    output_names: list[str] | None = None
    _compiled: _Compiled | None = None

    # --------------------------------------------------------------------------- how it is trained

    def compile(
        self, optimizer: Any = "rmsprop", loss: Any = None, loss_weights: Any = None,
        metrics: Any = None, weighted_metrics: Any = None, run_eagerly: bool = False,
        steps_per_execution: int = 1, jit_compile: Any = "auto", auto_scale_loss: bool = True,
    ) -> None:  # fmt: skip
        """Say how the model is trained.

        Parameters
        ----------
        optimizer : str or Optimizer
        loss : str, Loss or callable, or a list or dict of them, one for each output
        loss_weights : list or dict of float, optional
            Of the losses of several outputs.
        metrics : list of str, Metric or callable, optional
            Of several outputs: a list or dict of lists.
        weighted_metrics : list, optional
            The same, for metrics that count examples by their weights.
        run_eagerly, auto_scale_loss : bool
            Of no effect: all code runs eagerly.

        Raises
        ------
        TapeUseError
            For what is not provided: `steps_per_execution`, and compilers.

        Examples
        --------
        >>> from tapemagic import tf
        >>> model = tf.keras.Sequential([tf.keras.layers.Dense(1, kernel_initializer="zeros")])
        >>> model.compile(optimizer=tf.keras.optimizers.SGD(0.1), loss="mse", metrics=["mae"])
        >>> x, y = tf.constant([[1.0], [2.0]]), tf.constant([[2.0], [4.0]])
        >>> history = model.fit(x, y, epochs=2)
        Epoch 1/2
        1/1 ━━━━━━━━━━━━━━━━━━━━ - loss: 10.0000 - mae: 3.0000
        Epoch 2/2
        1/1 ━━━━━━━━━━━━━━━━━━━━ - loss: 1.0600 - mae: 0.9000
        """
        if steps_per_execution != 1 or jit_compile not in ("auto", None, False):
            raise leaks.locate(
                TapeUseError(
                    "compile() takes no steps_per_execution and no jit_compile=True.",
                    why="Code runs eagerly, one batch after the other.",
                    fix="Leave it out: it changes no numbers.",
                )
            )
        names = self.output_names
        self.optimizer, self.loss = optimizers.get(optimizer), loss
        self._compiled = _Compiled(
            Mean(name="loss"),
            None if loss is None else CompiledLoss(loss, loss_weights, names),
            CompiledMetrics(metrics, weighted_metrics, names),
        )

    def _what_was_compiled(self) -> _Compiled:
        if self._compiled is None:
            raise leaks.locate(
                TapeUseError(
                    f"The model {self.name!r} was not compiled.",
                    fix="Call model.compile(optimizer=..., loss=...) first.",
                )
            )
        return self._compiled

    @property
    def compiled(self) -> bool:
        """Whether `compile` was called."""
        return self._compiled is not None

    @property
    def metrics(self) -> list[Metric]:
        """The mean of the loss, what was compiled, and metrics in attributes of its layers."""
        found: list[Metric] = []
        if self._compiled is not None:
            found.append(self._compiled.tracker)
            if self._compiled.metrics.are_given:
                found.append(self._compiled.metrics)
            if self._compiled.loss is not None:
                found += self._compiled.loss.metrics
        for layer in [self, *(x for x in self.submodules if not isinstance(x, Steps))]:
            found += _metrics_of(layer)
        return found

    @property
    def metrics_names(self) -> list[str]:
        """Names of the metrics."""
        return [metric.name for metric in self.metrics]

    def reset_metrics(self) -> None:
        """Let every metric forget."""
        for metric in self.metrics:
            metric.reset_state()

    def get_metrics_result(self) -> dict[str, Any]:
        """Return name -> result of every metric."""
        found: dict[str, Any] = {}
        for metric in self.metrics:
            result = metric.result()
            found |= result if isinstance(result, dict) else {metric.name: result}
        return found

    # ------------------------------------------------------- one batch; for subclasses to replace

    def train_step(self, data: Any) -> dict[str, Any]:
        """Do one step of training on a batch, x, (x, y) or (x, y, sample_weight).

        Returns
        -------
        dict
            Name -> what is known so far of each loss and metric.
        """
        x, y, sample_weight = unpacked(data)
        with GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self._loss_of(x, y, y_pred, sample_weight, training=True)
        variables = self.trainable_variables
        if variables:
            self.optimizer.apply_gradients(
                zip(tape.gradient(loss, variables), variables, strict=True)
            )
        else:
            warn(f"The model {self.name!r} has no weights to be trained.")
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def test_step(self, data: Any) -> dict[str, Any]:
        """Take in the losses and metrics of a batch, without training."""
        x, y, sample_weight = unpacked(data)
        y_pred = self(x, training=False)
        self._loss_of(x, y, y_pred, sample_weight, training=False)
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def predict_step(self, data: Any) -> Any:
        """Return what the model makes of a batch."""
        return self(unpacked(data)[0], training=False)

    def _loss_of(self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: bool) -> Any:
        """Return the loss of a batch, which the mean takes in."""
        more = {"training": training} if _takes_training(type(self).compute_loss) else {}
        loss = self.compute_loss(x, y, y_pred, sample_weight, **more)
        rows = next(len(part) for part in nest.flatten(x) if part is not None)
        self._what_was_compiled().tracker.update_state(loss, sample_weight=rows)
        return loss

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None,
        training: bool = True,
    ) -> Any:  # fmt: skip
        """Return the loss that was compiled, and all that layers and regularizers add to it.

        Raises
        ------
        TapeUseError
            If there is neither.
        """
        compiled = self._what_was_compiled().loss
        parts = [] if compiled is None else [compiled(y, y_pred, sample_weight)]
        parts += [reduce_sum(loss) for loss in self.losses]
        if not parts:
            raise leaks.locate(
                TapeUseError(
                    f"The model {self.name!r} has no loss.",
                    fix="Pass loss= to compile(), or write train_step or compute_loss.",
                )
            )
        return functools.reduce(operator.add, parts)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict:
        """Let the metrics that were compiled take in a batch; return what all metrics say."""
        self._what_was_compiled().metrics.update_state(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def compiled_loss(
        self, y: Any, y_pred: Any, sample_weight: Any = None, regularization_losses: Any = None
    ) -> Any:
        """Return the loss of a batch, which the mean takes in: Keras 2's name for `compute_loss`.

        Losses of regularizers are in it, whether or not they are given.
        """
        return self._loss_of(y_pred, y, y_pred, sample_weight, training=True)

    @property
    def compiled_metrics(self) -> CompiledMetrics:
        """The metrics that were compiled, with `update_state`: as in Keras 2."""
        return self._what_was_compiled().metrics
