"""`tf.keras.utils`: labels as rows, rows of length 1, series of one length, and seeds."""

from __future__ import annotations

import random as pythons
from collections.abc import Iterable
from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls.dispatch import is_traced, plain
from tapemagic.tf import advice, nest, random
from tapemagic.tf.choices import chosen
from tapemagic.tf.conversion import convert_to_tensor
from tapemagic.tf.data import Dataset
from tapemagic.tf.refusals import refuse
from tapemagic.tf.tensor import tensor_of

from .sources import PyDataset

Sequence = PyDataset  # its name in Keras 2


def to_categorical(x: Any, num_classes: int | None = None) -> np.ndarray:
    """Return a plain array of rows with a 1 at each class number, and zeros.

    Examples
    --------
    >>> to_categorical([1, 0])
    array([[0., 1.],
           [1., 0.]])
    """
    numbers = np.asarray(plain(x)).astype(int)
    if numbers.ndim > 1 and numbers.shape[-1] == 1:
        numbers = numbers[..., 0]
    count = int(numbers.max(initial=-1)) + 1 if num_classes is None else num_classes
    if numbers.size and not 0 <= numbers.min() <= numbers.max() < count:
        refuse(f"to_categorical: a class is not in [0, {count}).")
    return np.eye(count)[numbers]


def normalize(x: Any, axis: int = -1, order: int = 2) -> Any:
    """Return vectors divided by their norms, zeros as they are: a tensor, or a plain array."""
    values = convert_to_tensor(x) if is_traced(x) else np.asarray(x)
    norms = np.linalg.norm(values, order, axis, keepdims=True)
    y = values / np.where(chosen(np.equal, norms, 0), 1, norms)
    return tensor_of(y) if is_traced(x) else y


def pad_sequences(
    sequences: Iterable, maxlen: int | None = None, dtype: Any = "int32", padding: str = "pre",
    truncating: str = "pre", value: Any = 0.0,
) -> np.ndarray:  # fmt: skip
    """Return rows of one length as a plain array: filled up, or cut, in front or at the end.

    Parameters
    ----------
    sequences : list of lists
    maxlen : int, optional
        That of the longest if not given.
    padding, truncating : {"pre", "post"}
        Where rows are filled up, and cut.
    value : number
        What they are filled up with.

    Examples
    --------
    >>> pad_sequences([[1, 2, 3], [4]], padding="post")
    array([[1, 2, 3],
           [4, 0, 0]], dtype=int32)
    """
    if not {padding, truncating} <= {"pre", "post"}:
        refuse(f"pad_sequences: padding={padding!r} and truncating={truncating!r}.")
    for x in nest.flatten(list(sequences)):
        leaks.hand_out(x, "pad_sequences")
    rows = [np.asarray(plain(row)) for row in sequences]
    length = max(map(len, rows), default=0) if maxlen is None else maxlen
    rest = next((row.shape[1:] for row in rows if len(row)), ())
    found = np.full((len(rows), length, *rest), value, dtype)
    for filled, row in zip(found, rows, strict=True):
        if len(row):
            start = max(len(row) - length, 0) if truncating == "pre" else 0
            kept = row[start : start + length]
            place = length - len(kept) if padding == "pre" else 0
            filled[place : place + len(kept)] = kept
    return found


def timeseries_dataset_from_array(
    data: Any, targets: Any, sequence_length: int, sequence_stride: int = 1,
    sampling_rate: int = 1, batch_size: int | None = 128, shuffle: bool = False, seed: Any = None,
    start_index: int | None = None, end_index: int | None = None,
) -> Dataset:  # fmt: skip
    """Return a data set of parts of a series, each with the target at its first place.

    Parameters
    ----------
    data : array
        Rows in their order in time.
    targets : array or None
    sequence_length : int
    sequence_stride : int
        Rows between the beginnings of two parts.
    sampling_rate : int
        Rows between two rows of a part.
    batch_size : int or None
        None for single parts.
    shuffle, seed : optional
        Whether the parts come in random order.
    start_index, end_index : int, optional
        Rows of the series that are used.

    Examples
    --------
    >>> series = np.arange(5)
    >>> for part, target in timeseries_dataset_from_array(series, series[2:], 2, batch_size=2):
    ...     print(part.numpy().tolist(), target.numpy().tolist())
    [[0, 1], [1, 2]] [2, 3]
    [[2, 3]] [4]
    """
    used = slice(start_index, end_index)
    rows = convert_to_tensor(data)[used]
    count = len(rows) - (sequence_length - 1) * sampling_rate
    places = sampling_rate * np.arange(sequence_length)
    if targets is not None:
        numbers = convert_to_tensor(targets)
        count, numbers = min(count, len(numbers)), numbers[used]
    if count < 1:
        refuse(f"No part of {sequence_length} rows fits into {len(rows)} rows.")

    def part(start: Any) -> Any:
        row = tensor_of(np.take(rows, plain(start) + places, axis=0))
        return row if targets is None else (row, numbers[int(plain(start))])

    starts = Dataset.from_tensor_slices(np.arange(0, count, sequence_stride))
    parts = (starts.shuffle(count, seed=seed) if shuffle else starts).map(part)
    return parts if batch_size is None else parts.batch(batch_size)


def set_random_seed(seed: int) -> None:
    """Start the random numbers of Python, NumPy and `tf.random` anew."""
    pythons.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  (the one that this is about)
    random.set_seed(seed)


__getattr__ = advice.missing("tf.keras.utils")
