"""How often something is there, and in which order: whole numbers, and sums of weights by them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tapemagic.autodiff.calls.dispatch import plain

from .choices import chosen
from .conversion import operand, whole_numbers
from .picking import positions, scatter_nd, unique
from .refusals import declaring, refuse
from .specs import as_dtype, int32
from .tensor import Tensor, dtype_of, tensor_of

FUNCTIONS: dict[str, Callable] = {}


class UniqueWithCounts(NamedTuple):
    """Distinct elements, the place of each element in them, and how often they are."""

    y: Tensor
    idx: Tensor
    count: Tensor  # type: ignore[assignment]  # (a method of tuples)


_declare = declaring(FUNCTIONS)


@_declare
def bincount(
    arr: Any, weights: Any = None, minlength: Any = None, maxlength: Any = None,
    dtype: Any = int32, name: str | None = None, axis: Any = None, binary_output: bool = False,
) -> Tensor:  # fmt: skip
    """Return how often each whole number is there, or the sum of its weights.

    Examples
    --------
    >>> from tapemagic import tf
    >>> print(tf.math.bincount([1, 1, 3], minlength=5))
    tf.Tensor([0 2 0 1 0], shape=(5,), dtype=int32)
    """
    if axis is not None or binary_output:
        refuse("bincount with axis or binary_output is not provided.", "Use it for each row.")
    numbers = np.ravel(np.asarray(plain(operand(arr))))
    low, high = whole_numbers(minlength) or 0, whole_numbers(maxlength)
    count = max(low, int(numbers.max(initial=-1)) + 1)
    kept = slice(None) if high is None else numbers < high
    count = count if high is None else min(count, high)
    given = np.ones(len(numbers), as_dtype(dtype).dtype) if weights is None else operand(weights)
    places = positions(numbers[kept], count, "bincount")
    return scatter_nd(places[:, None], np.reshape(given, (-1,))[kept], (count,))


@_declare
def confusion_matrix(
    labels: Any, predictions: Any, num_classes: Any = None, weights: Any = None,
    dtype: Any = int32, name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return how often each class, a row, was predicted as each class, a column."""
    rows, columns = (
        np.ravel(np.asarray(plain(operand(x)))).astype(np.int64) for x in (labels, predictions)
    )
    largest = int(max(rows.max(initial=-1), columns.max(initial=-1))) + 1
    count = whole_numbers(num_classes) or largest
    given = np.ones(len(rows)) if weights is None else operand(weights)
    places = [positions(x, count, "confusion_matrix") for x in (rows, columns)]
    return scatter_nd(np.stack(places, 1), given.astype(as_dtype(dtype).dtype), (count, count))


@_declare
def histogram_fixed_width(
    values: Any, value_range: Any, nbins: Any = 100, dtype: Any = int32, name: str | None = None
) -> Tensor:
    """Return how many values are in each of equal bins; those outside are in the nearest."""
    x, count = operand(values), whole_numbers(nbins)
    low, high = np.asarray(plain(value_range), dtype_of(x))
    return bincount(chosen(_bins, x, low=low, high=high, count=count), None, count, None, dtype)


def _bins(x: Any, low: Any, high: Any, count: int) -> np.ndarray:
    scaled = (np.asarray(x, float) - low) / (float(high) - float(low)) * count
    return np.clip(np.floor(scaled), 0, count - 1).astype(int)


@_declare
def unique_with_counts(x: Any, out_idx: Any = int32, name: str | None = None) -> tuple:
    """Return the distinct elements, the place of each element in them, and how often they are."""
    values, places = unique(x, out_idx)
    return UniqueWithCounts(values, places, bincount(places, dtype=out_idx))


@_declare
def invert_permutation(x: Any, name: str | None = None) -> Tensor:
    """Return at which place each number is."""
    numbers = np.asarray(plain(operand(x)))
    if not np.array_equal(np.sort(numbers), np.arange(len(numbers))):
        refuse(f"{numbers.tolist()} is no permutation of 0, 1, 2, ...")
    return tensor_of(np.argsort(numbers).astype(numbers.dtype))


@_declare
def unravel_index(indices: Any, dims: Any, name: str | None = None) -> Tensor:
    """Return the rows, columns, ... of elements that were counted one after the other."""
    numbers = np.asarray(plain(operand(indices)))
    found = np.unravel_index(numbers, whole_numbers(dims))
    return tensor_of(np.stack(found).astype(numbers.dtype))
