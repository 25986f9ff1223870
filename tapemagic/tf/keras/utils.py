"""`tf.keras.utils`: labels as rows, rows of length 1, series of one length, and seeds."""

from __future__ import annotations

import random as pythons
from collections.abc import Sequence
from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls.dispatch import is_traced, plain
from tapemagic.tf import advice, nest, random
from tapemagic.tf.choices import chosen
from tapemagic.tf.conversion import convert_to_tensor
from tapemagic.tf.refusals import refuse
from tapemagic.tf.tensor import tensor_of


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
    sequences: Sequence, maxlen: int | None = None, dtype: Any = "int32", padding: str = "pre",
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


def set_random_seed(seed: int) -> None:
    """Start the random numbers of Python, NumPy and `tf.random` anew."""
    pythons.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  (the one that this is about)
    random.set_seed(seed)


__getattr__ = advice.missing("tf.keras.utils")
