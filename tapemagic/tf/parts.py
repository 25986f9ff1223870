"""Tensors taken apart and put together by numbers: partitions, sequences of different lengths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.autodiff.calls.dispatch import plain

from .conversion import match, operand, whole_numbers
from .creation import cast
from .picking import places_of, positions
from .refusals import declaring, in_words, refuse
from .shaping import concat
from .specs import bool_
from .tensor import Tensor, tensor_of

FUNCTIONS: dict[str, Callable] = {}


_declare = declaring(FUNCTIONS)


@_declare
def dynamic_partition(
    data: Any, partitions: Any, num_partitions: Any, name: str | None = None
) -> list:
    """Return, for each number, the rows that have it."""
    x, count = operand(data), whole_numbers(num_partitions)
    numbers = positions(np.asarray(plain(partitions)), count, "partitions")
    return [tensor_of(x[numbers == k]) for k in range(count)]


@_declare
def dynamic_stitch(indices: Any, data: Any, name: str | None = None) -> Tensor:
    """Return rows at the places that are named for them; of several, the last.

    Examples
    --------
    >>> from tapemagic import tf
    >>> print(tf.dynamic_stitch([[2, 0], [1]], [[1.0, 2.0], [3.0]]))
    tf.Tensor([2. 3. 1.], shape=(3,), dtype=float32)
    """
    numbers = [np.asarray(plain(operand(part))) for part in indices]
    rows = concat(
        [np.reshape(operand(x), (-1, *np.shape(plain(operand(x)))[n.ndim :]))
         for x, n in zip(data, numbers, strict=True)], 0,
    )  # fmt: skip
    order = np.concatenate([np.ravel(n) for n in numbers])
    last = np.full(int(order.max(initial=-1)) + 1, -1)
    last[order] = np.arange(len(order))
    if (last < 0).any():
        refuse(f"dynamic_stitch: nothing is given for the places {np.flatnonzero(last < 0)}.")
    return tensor_of(np.take(rows, last, axis=0))


@_declare
def sequence_mask(
    lengths: Any, maxlen: Any = None, dtype: Any = bool_, name: str | None = None
) -> Tensor:
    """Return True at the first places of each row, as many as its length."""
    numbers = np.asarray(plain(operand(lengths)))
    count = int(numbers.max(initial=0)) if maxlen is None else whole_numbers(maxlen)
    return cast(np.arange(count) < numbers[..., None], dtype)


@_declare
def reverse_sequence(
    input: Any, seq_lengths: Any, seq_axis: int | None = None, batch_axis: int | None = None,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return each example with its first elements, as many as its length, turned round."""
    along, batch = seq_axis or 0, batch_axis or 0
    x = np.moveaxis(operand(input), (batch, along), (0, 1))
    lengths = np.asarray(plain(seq_lengths))[:, None]
    places = np.arange(np.shape(x)[1])
    places = np.where(places < lengths, lengths - 1 - places, places)
    turned = x[np.arange(len(lengths))[:, None], places]
    return tensor_of(np.moveaxis(turned, (0, 1), (batch, along)))


@_declare
def ensure_shape(x: Any, shape: Any, name: str | None = None) -> Tensor:
    """Return the tensor if it is of a shape, in which None stands for any length."""
    tensor = tensor_of(operand(x))
    tensor.set_shape(shape)
    return tensor


def _scatter(name: str, ufunc: np.ufunc) -> Callable:
    def function(tensor: Any, indices: Any, updates: Any, name: str | None = None) -> Tensor:
        x, updates = match((tensor, updates), function.__name__)
        y = np.copy(x)
        ufunc.at(y, places_of(np.shape(x), indices), updates)
        return tensor_of(+y)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Return a copy of the tensor with `numpy.{ufunc.__name__}` at places."
    return FUNCTIONS.setdefault(name, in_words(function))


tensor_scatter_nd_max = _scatter("tensor_scatter_nd_max", np.maximum)
tensor_scatter_nd_min = _scatter("tensor_scatter_nd_min", np.minimum)
