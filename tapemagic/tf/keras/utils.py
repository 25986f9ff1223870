"""`tf.keras.utils`: labels as rows, rows of length 1, and seeds."""

from __future__ import annotations

import random as pythons
from typing import Any

import numpy as np

from tapemagic.autodiff.calls.dispatch import plain
from tapemagic.tf import advice, random
from tapemagic.tf.refusals import refuse


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


def normalize(x: Any, axis: int = -1, order: int = 2) -> np.ndarray:
    """Return a plain array of vectors that were divided by their norms, zeros as they are."""
    values = np.asarray(plain(x))
    norms = np.linalg.norm(values, order, axis, keepdims=True)
    return values / np.where(norms == 0, 1, norms)


def set_random_seed(seed: int) -> None:
    """Start the random numbers of Python, NumPy and `tf.random` anew."""
    pythons.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  (the one that this is about)
    random.set_seed(seed)


__getattr__ = advice.missing("tf.keras.utils")
