"""Where batches come from beside arrays and `tf.data`; and weights of classes."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls.dispatch import plain
from tapemagic.errors import TapeUseError
from tapemagic.tf import nest, random
from tapemagic.tf.data import Dataset

from .floats import default_float


class PyDataset:
    """Base class of data sets in Python: `__len__` is the number of batches, `__getitem__` one.

    Parameters
    ----------
    workers, use_multiprocessing, max_queue_size
        Of no effect: batches are read one after the other.

    Examples
    --------
    >>> from tapemagic import tf
    >>> class Ones(tf.keras.utils.PyDataset):
    ...     def __len__(self):
    ...         return 2
    ...     def __getitem__(self, index):
    ...         return tf.ones((3, 1)), tf.ones((3, 1))
    >>> model = tf.keras.Sequential([tf.keras.layers.Dense(1, kernel_initializer="zeros")])
    >>> model.compile("sgd", "mse")
    >>> history = model.fit(Ones())
    2/2 ━━━━━━━━━━━━━━━━━━━━ - loss: 0.9608
    """

    def __init__(
        self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10
    ) -> None:
        self.workers, self.use_multiprocessing = workers, use_multiprocessing
        self.max_queue_size = max_queue_size

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError

    @property
    def num_batches(self) -> int | None:
        """Number of batches."""
        return len(self)  # type: ignore[arg-type]

    def on_epoch_begin(self) -> None:
        """Hear that an epoch begins."""

    def on_epoch_end(self) -> None:
        """Hear that an epoch ends."""


def as_dataset(x: Any, shuffle: bool) -> Any:
    """Return a generator, or a `PyDataset`, as a data set of batches; anything else as it is."""
    if isinstance(x, PyDataset):
        return Dataset(lambda: _batches(x, shuffle), x.num_batches)
    if isinstance(x, Iterator):  # the next epoch goes on where the last one ended
        return Dataset(lambda: map(_batch, x), None)
    return x


def _batches(data: PyDataset, shuffle: bool) -> Iterator:
    numbers = np.arange(data.num_batches or 0)
    if shuffle:
        numbers = np.random.default_rng(random.beginning(None)).permutation(numbers)
    data.on_epoch_begin()
    for number in numbers:
        yield _batch(data[int(number)])
    data.on_epoch_end()


def _batch(batch: Any) -> tuple:
    """Return a batch of arrays.

    Raises
    ------
    TapeUseError
        If it is no tuple: its rows would pass for x, y and weights.
    """
    if not isinstance(batch, tuple):
        raise leaks.locate(
            TapeUseError(
                f"A generator of batches yields a {type(batch).__name__}.",
                fix="Yield a tuple: (x,), (x, y) or (x, y, sample_weight).",
            )
        )
    return tuple(nest.map_structure(_array, list(batch)))


def _array(x: Any) -> Any:
    return x if x is None or hasattr(x, "__array__") else np.asarray(x)


def _weighted_batch(class_weight: Any, x: Any, y: Any, weights: Any = None) -> tuple:
    return weighted(x, y, weights, class_weight)


def weighted(x: Any, y: Any, weights: Any, class_weight: Mapping[int, float] | None) -> tuple:
    """Return x, y and a weight for each example, that of its class.

    Raises
    ------
    TapeUseError
        If there are weights already, or several outputs.
    """
    if class_weight is None:
        return x, y, weights
    if isinstance(x, Dataset):
        return x.map(functools.partial(_weighted_batch, class_weight)), y, weights
    if (
        weights is not None
        or y is None
        or nest.is_nested(y)
        or isinstance(x, (Iterator, PyDataset))
    ):
        raise leaks.locate(
            TapeUseError(
                "class_weight takes arrays, or a data set, of x and one y, without sample_weight.",
                fix="Use sample_weight=np.array([weights[label] for label in y]).",
            )
        )
    leaks.hand_out(y, "class_weight")
    labels = np.asarray(plain(y))
    if labels.ndim > 1:
        labels = labels[..., 0] if labels.shape[-1] == 1 else labels.argmax(axis=-1)
    classes = np.round(labels).astype(int)
    found = [class_weight.get(number, 1.0) for number in classes.ravel().tolist()]
    return x, y, np.reshape(found, classes.shape).astype(default_float().as_numpy_dtype)
