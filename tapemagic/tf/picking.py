"""Picking elements: gather, masks, where, sorting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tapemagic.autodiff.arrays.writing import write_item
from tapemagic.autodiff.calls.dispatch import plain

from .choices import chosen
from .conversion import check_kind, match, operand, whole_numbers
from .creation import zeros
from .refusals import declaring, refuse
from .specs import as_dtype, int32
from .tensor import Tensor, dtype_of, tensor_of

FUNCTIONS: dict[str, Callable] = {}


class Unique(NamedTuple):
    """Distinct elements, and the place of each element in them."""

    y: Tensor
    idx: Tensor


_declare = declaring(FUNCTIONS)


def positions(indices: Any, length: int, what: str) -> np.ndarray:
    """Return indices as plain integers; NumPy would read negative ones from the end."""
    places = np.asarray(plain(indices))
    places = places.astype(np.intp) if places.size == 0 else places
    if places.dtype.kind not in "iu":
        refuse(f"{what}: an index is a whole number, not {places.dtype}.", "Use tf.cast.")
    if places.size and (places.min() < 0 or places.max() >= length):
        refuse(f"{what}: an index is not in [0, {length}).", "Check the indices.")
    return places


@_declare
def gather(
    params: Any, indices: Any, validate_indices: Any = None, axis: Any = None,
    batch_dims: int = 0, name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return slices along an axis, at given places; the gradient is a dense tensor.

    The first `batch_dims` axes are common to both: each example has places of its own.
    """
    x = operand(params)
    batch = batch_dims + np.ndim(plain(indices)) * (batch_dims < 0)
    axis = batch if axis is None else whole_numbers(axis)
    places = positions(indices, np.shape(x)[axis], "gather")
    if not batch:
        return tensor_of(np.take(x, places, axis=axis))
    axis += np.ndim(x) * (axis < 0)
    rows = np.moveaxis(x, axis, batch)[(*_own_rows(places, batch), places)]
    for _ in range(places.ndim - batch):  # the places stand where the axis was
        rows = np.moveaxis(rows, batch, axis + places.ndim - batch - 1)
    return tensor_of(rows)


def _own_rows(places: np.ndarray, batch: int) -> list:
    """Return, for each place, the numbers of the example that it is of."""
    grid: tuple[np.ndarray, ...] = np.indices(places.shape[:batch], sparse=True)
    return [np.reshape(row, row.shape + (1,) * (places.ndim - batch)) for row in grid]


@_declare
def gather_nd(params: Any, indices: Any, batch_dims: int = 0, name: str | None = None) -> Tensor:
    """Return elements or slices at given tuples of places; see `gather` for `batch_dims`."""
    x, places = operand(params), np.asarray(plain(indices))
    inner = np.shape(x)[batch_dims:]
    own = _own_rows(places[..., 0], batch_dims) if batch_dims else []
    return tensor_of(x[(*own, *places_of(inner, places))])


def places_of(lengths: tuple, indices: Any) -> tuple:
    """Return indices of elements or slices, each a row of numbers, as NumPy takes them."""
    places = np.moveaxis(np.asarray(plain(indices)), -1, 0)
    if len(places) > len(lengths):
        refuse(f"Indices of {len(places)} numbers each, of a tensor of shape {lengths}.")
    return tuple(positions(part, n, "indices") for part, n in zip(places, lengths, strict=False))


@_declare
def tensor_scatter_nd_update(
    tensor: Any, indices: Any, updates: Any, name: str | None = None
) -> Tensor:
    """Return a copy of the tensor with elements or slices replaced."""
    x, updates = match((tensor, updates), "tensor_scatter_nd_update")
    y = np.copy(x)
    write_item(y, places_of(np.shape(x), indices), updates)  # nobody else has seen this copy
    return tensor_of(+y)


@_declare
def tensor_scatter_nd_add(
    tensor: Any, indices: Any, updates: Any, name: str | None = None
) -> Tensor:
    """Return a copy of the tensor with something added to elements or slices."""
    x, updates = match((tensor, updates), "tensor_scatter_nd_add")
    y = np.copy(x)
    np.add.at(y, places_of(np.shape(x), indices), updates)
    return tensor_of(+y)


@_declare
def tensor_scatter_nd_sub(
    tensor: Any, indices: Any, updates: Any, name: str | None = None
) -> Tensor:
    """Return a copy of the tensor with something subtracted from elements or slices."""
    x, updates = match((tensor, updates), "tensor_scatter_nd_sub")
    return tensor_scatter_nd_add(x, indices, -updates)


@_declare
def scatter_nd(indices: Any, updates: Any, shape: Any, name: str | None = None) -> Tensor:
    """Return zeros of a shape with the updates added at places, which may be named repeatedly."""
    updates = operand(updates)
    return tensor_scatter_nd_add(zeros(shape, dtype_of(updates)), indices, updates)


@_declare
def slice_(input_: Any, begin: Any, size: Any, name: str | None = None) -> Tensor:
    """Return `size` elements from `begin` on, along each axis; -1 for all that follow."""
    x = operand(input_)
    starts, counts = (np.atleast_1d(whole_numbers(part)).tolist() for part in (begin, size))
    parts = []
    for i, n, length in zip(starts, counts, x.shape, strict=True):
        if not 0 <= i <= length or not -1 <= n <= length - i:
            refuse(f"slice from {starts} of size {counts} of a tensor of shape {x.shape}.")
        parts.append(slice(i, None if n < 0 else i + n))
    return x[tuple(parts)]


@_declare
def strided_slice(
    input_: Any, begin: Any, end: Any, strides: Any = None, name: str | None = None
) -> Tensor:
    """Return every so many elements along each axis, as ``x[begin:end:stride, ...]``."""
    x, first, last = operand(input_), whole_numbers(begin), whole_numbers(end)
    steps = (1,) * len(first) if strides is None else whole_numbers(strides)
    return tensor_of(x[tuple(map(slice, first, last, steps))])


@_declare
def boolean_mask(tensor: Any, mask: Any, axis: Any = None, name: str = "boolean_mask") -> Tensor:
    """Return the elements where a mask is True."""
    before = (slice(None),) * (whole_numbers(axis) or 0)
    return tensor_of(operand(tensor)[(*before, np.asarray(plain(mask), bool))])


@_declare
def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Tensor:
    """Return elements of `x` where the condition holds, else of `y`; alone, the places."""
    condition = np.asarray(plain(condition))
    if x is None and y is None:
        return tensor_of(np.argwhere(condition))
    check_kind(condition, "b", "where")
    x, y = match((x, y), "where")
    return tensor_of(np.where(condition, x, y))


@_declare
def sort(values: Any, axis: int = -1, direction: str = "ASCENDING", name: Any = None) -> Tensor:
    """Return the elements in order along an axis."""
    _check_direction(direction)
    values = operand(values)
    check_kind(values, "fiub", "sort")
    y = np.sort(values, axis=axis)
    return tensor_of(np.flip(y, axis) if direction == "DESCENDING" else y)


@_declare
def argsort(
    values: Any, axis: int = -1, direction: str = "ASCENDING", stable: bool = False,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return the places that put the elements in order; equal ones keep theirs."""
    _check_direction(direction)
    check_kind(operand(values), "fiub", "argsort")
    order = _falling if direction == "DESCENDING" else _rising
    return tensor_of(chosen(order, operand(values), axis=axis).astype(np.int32))


def _check_direction(direction: Any) -> None:
    if direction not in ("ASCENDING", "DESCENDING"):
        refuse(f"direction={direction!r}.", 'Use "ASCENDING" or "DESCENDING".')


def _rising(x: Any, axis: int) -> np.ndarray:
    return np.argsort(x, axis=axis, kind="stable")


def _falling(x: Any, axis: int) -> np.ndarray:
    """Sort from the back and turn round, so that ties keep their order."""
    places = np.flip(np.argsort(np.flip(x, axis), axis=axis, kind="stable"), axis)
    return np.shape(x)[axis] - 1 - places


@_declare
def searchsorted(
    sorted_sequence: Any, values: Any, side: Any = "left", out_type: Any = int32,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return where values would go in a sorted tensor."""
    places = chosen(np.searchsorted, sorted_sequence, values, side)
    return tensor_of(np.asarray(places).astype(as_dtype(out_type).dtype))


@_declare
def unique(x: Any, out_idx: Any = int32, name: str | None = None) -> tuple:
    """Return the distinct elements in order of appearance, and each element's place in them."""
    x = operand(x)
    _, first, places = chosen(np.unique, x, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank_of = np.argsort(order)
    numbers = rank_of[places].astype(as_dtype(out_idx).dtype)
    return Unique(tensor_of(np.take(x, first[order])), tensor_of(numbers))
