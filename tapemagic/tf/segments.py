"""Sums of rows by their numbers: `tf.math.segment_sum` and its unsorted kin."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff.calls.dispatch import plain

from .conversion import operand, whole_numbers
from .picking import positions, scatter_nd
from .refusals import in_words, refuse
from .tensor import Tensor


@in_words
def segment_sum(data: Any, segment_ids: Any, name: str | None = None) -> Tensor:
    """Return the sums of the rows that have the same number, which must not decrease.

    Examples
    --------
    >>> segment_sum([1.0, 2.0, 4.0], [0, 0, 2]).numpy()
    array([3., 0., 4.], dtype=float32)
    """
    numbers = np.asarray(plain(segment_ids))
    if numbers.ndim != 1 or (np.diff(numbers) < 0).any() or (numbers < 0).any():
        refuse(
            f"segment_sum: the segment ids {numbers.tolist()} are not increasing.",
            "Use tf.math.unsorted_segment_sum(data, segment_ids, num_segments).",
        )
    return unsorted_segment_sum(data, numbers, numbers[-1] + 1 if numbers.size else 0)


@in_words
def unsorted_segment_sum(
    data: Any, segment_ids: Any, num_segments: Any, name: str | None = None
) -> Tensor:
    """Return the sums of the rows that have the same number; those of negative ones are dropped.

    Examples
    --------
    >>> unsorted_segment_sum([1.0, 2.0, 4.0, 8.0], [1, 0, 1, -1], 3).numpy()
    array([2., 5., 0.], dtype=float32)
    """
    x, numbers = operand(data), np.asarray(plain(segment_ids))
    if np.shape(x)[: numbers.ndim] != numbers.shape:
        refuse(f"segment ids of shape {numbers.shape} for data of shape {np.shape(x)}.")
    kept = numbers >= 0
    count = whole_numbers(num_segments)
    places = positions(numbers[kept], count, "segment_ids")
    rest = np.shape(x)[numbers.ndim :]
    return scatter_nd(places[:, None], x[kept], (count, *rest))
