"""Rows brought together by their numbers: `tf.math.segment_sum` and its kin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.autodiff.calls.dispatch import plain

from .conversion import operand, whole_numbers
from .picking import positions, scatter_nd
from .refusals import in_words, refuse
from .shaping import stack
from .specs import as_dtype
from .tensor import Tensor, dtype_of, tensor_of


@in_words
def segment_sum(data: Any, segment_ids: Any, name: str | None = None) -> Tensor:
    """Return the sums of the rows that have the same number, which must not decrease.

    Examples
    --------
    >>> segment_sum([1.0, 2.0, 4.0], [0, 0, 2]).numpy()
    array([3., 0., 4.], dtype=float32)
    """
    return unsorted_segment_sum(data, *_in_order(segment_ids, "sum"))


def _in_order(segment_ids: Any, name: str) -> tuple[np.ndarray, int]:
    """Return the numbers of segments, which must not decrease, and how many there are."""
    numbers = np.asarray(plain(segment_ids))
    if numbers.ndim != 1 or (np.diff(numbers) < 0).any() or (numbers < 0).any():
        refuse(
            f"segment_{name}: the segment ids {numbers.tolist()} are not increasing.",
            f"Use tf.math.unsorted_segment_{name}(data, segment_ids, num_segments).",
        )
    return numbers, int(numbers[-1]) + 1 if numbers.size else 0


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


def _lowest(dtype: np.dtype) -> Any:
    return as_dtype(dtype).min


def _highest(dtype: np.dtype) -> Any:
    return as_dtype(dtype).max


def _root_mean(x: Any, axis: int) -> Any:
    return np.sum(x, axis=axis) / len(x) ** 0.5


#: Name -> function of the rows of a segment, and what there is of none in unsorted segments.
_KINDS: dict[str, tuple[Callable, Callable]] = {
    "max": (np.max, _lowest), "min": (np.min, _highest), "prod": (np.prod, lambda _: 1),
    "mean": (np.mean, lambda _: 0), "sqrt_n": (_root_mean, lambda _: 0),
}  # fmt: skip
FUNCTIONS: dict[str, Callable] = {
    "segment_sum": segment_sum,
    "unsorted_segment_sum": unsorted_segment_sum,
}


def _declare(kind: str, fun: Callable, of_none: Callable) -> None:
    def unsorted(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Tensor:
        x, numbers = operand(data), np.asarray(plain(segment_ids))
        if np.shape(x)[: numbers.ndim] != numbers.shape:
            refuse(f"segment ids of shape {numbers.shape} for data of shape {np.shape(x)}.")
        count = whole_numbers(num_segments)
        positions(numbers[numbers >= 0], count, "segment_ids")
        none = np.full(np.shape(x)[numbers.ndim :], of_none(dtype_of(x)), dtype_of(x))
        rows = [x[numbers == k] for k in range(count)]
        return stack([fun(r, axis=0).astype(none.dtype) if len(r) else none for r in rows])

    def in_order(data: Any, segment_ids: Any, name: str | None = None) -> Tensor:
        numbers, count = _in_order(segment_ids, kind)
        y = unsorted(data, numbers, count)
        empty = ~np.isin(np.arange(count), numbers)
        if kind in ("max", "min") and empty.any():  # 0 of no rows, only here
            return tensor_of(np.where(np.reshape(empty, (-1,) + (1,) * (len(y.shape) - 1)), 0, y))
        return y

    for fun_of_rows, name in (
        (unsorted, f"unsorted_segment_{kind}"),
        (in_order, f"segment_{kind}"),
    ):
        fun_of_rows.__name__ = fun_of_rows.__qualname__ = name
        fun_of_rows.__doc__ = f"Return the {kind} of the rows that have the same number."
        FUNCTIONS[name] = in_words(fun_of_rows)


for _kind, _functions in _KINDS.items():
    _declare(_kind, *_functions)
del FUNCTIONS["segment_sqrt_n"]
