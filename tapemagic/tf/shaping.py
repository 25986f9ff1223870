"""Shapes, joining and picking: reshape, concat, gather, where, sort and their kin."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.autodiff.calls.dispatch import is_traced, plain

from .conversion import convert_to_tensor, match, operand, whole_numbers
from .refusals import declaring, refuse
from .specs import TensorShape, as_dtype, int32
from .tensor import Tensor, tensor_of

FUNCTIONS: dict[str, Callable] = {}


_declare = declaring(FUNCTIONS)


# ---------------------------------------------------------------------------------------- facts


@_declare
def shape(input: Any, out_type: Any = int32, name: str | None = None) -> Tensor:
    """Return the shape as an int32 tensor."""
    return tensor_of(np.array(np.shape(plain(input)), as_dtype(out_type).dtype))


@_declare
def size(input: Any, out_type: Any = int32, name: str | None = None) -> Tensor:
    """Return the number of elements as an int32 tensor."""
    return tensor_of(as_dtype(out_type).dtype.type(np.size(plain(input))))


@_declare
def rank(input: Any, name: str | None = None) -> Tensor:
    """Return the number of axes as an int32 tensor."""
    return tensor_of(np.int32(np.ndim(plain(input))))


@_declare
def broadcast_static_shape(shape_x: Any, shape_y: Any) -> TensorShape:
    """Return the shape that two shapes broadcast to."""
    return TensorShape(np.broadcast_shapes(tuple(shape_x), tuple(shape_y)))


# --------------------------------------------------------------------------------------- shapes


@_declare
def reshape(tensor: Any, shape: Any, name: str | None = None) -> Tensor:
    """Return the elements in another shape; -1 is worked out."""
    x, lengths = operand(tensor), whole_numbers(shape)
    try:
        return tensor_of(np.reshape(x, lengths))
    except ValueError:
        wanted = np.atleast_1d(lengths).tolist()
        if wanted.count(-1) > 1:
            refuse(f"Only one length may be -1: {wanted}.")
        known = math.prod(n for n in wanted if n >= 0)
        asks = "requires a multiple of" if -1 in wanted else "has"
        refuse(
            f"Input to reshape is a tensor with {x.shape.num_elements()} values, but the requested "
            f"shape {asks} {known}: {x.shape} to {wanted}."
        )


@_declare
def transpose(a: Any, perm: Any = None, conjugate: bool = False, name: str = "transpose") -> Tensor:
    """Return the axes reversed, or in the order `perm`."""
    y = np.transpose(operand(a), whole_numbers(perm))
    return tensor_of(np.conjugate(y) if conjugate else y)


@_declare
def squeeze(input: Any, axis: Any = None, name: str | None = None) -> Tensor:
    """Return the elements without axes of length 1."""
    return tensor_of(np.squeeze(operand(input), axis=whole_numbers(axis)))


@_declare
def expand_dims(input: Any, axis: Any, name: str | None = None) -> Tensor:
    """Return the elements with an axis of length 1 added."""
    return tensor_of(np.expand_dims(operand(input), whole_numbers(axis)))


@_declare
def broadcast_to(input: Any, shape: Any, name: str | None = None) -> Tensor:
    """Return the tensor repeated to a larger shape."""
    return tensor_of(np.broadcast_to(operand(input), whole_numbers(shape)))


@_declare
def tile(input: Any, multiples: Any, name: str | None = None) -> Tensor:
    """Return the tensor repeated along each axis."""
    x, counts = operand(input), np.atleast_1d(whole_numbers(multiples)).tolist()
    if len(counts) != len(x.shape):
        refuse(f"tile of a tensor of shape {x.shape} takes {len(x.shape)} multiples, not {counts}.")
    return tensor_of(np.tile(x, counts))


@_declare
def repeat(input: Any, repeats: Any, axis: Any = None, name: str | None = None) -> Tensor:
    """Return each element repeated."""
    return tensor_of(np.repeat(operand(input), whole_numbers(repeats), axis=whole_numbers(axis)))


@_declare
def reverse(tensor: Any, axis: Any, name: str | None = None) -> Tensor:
    """Return the tensor reversed along axes."""
    return tensor_of(np.flip(operand(tensor), whole_numbers(axis)))


@_declare
def roll(input: Any, shift: Any, axis: Any, name: str | None = None) -> Tensor:
    """Return the tensor rolled along axes."""
    return tensor_of(np.roll(operand(input), whole_numbers(shift), whole_numbers(axis)))


@_declare
def pad(
    tensor: Any, paddings: Any, mode: Any = "CONSTANT", constant_values: Any = 0,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return the tensor with a border: of one value, reflected, or symmetric."""
    width = [whole_numbers(pair) for pair in plain(paddings)]
    pairs = all(isinstance(pair, tuple) and len(pair) == 2 for pair in width)
    if len(width) != len(np.shape(plain(tensor))) or not pairs:
        refuse(f"pad of a tensor of shape {np.shape(plain(tensor))}: a pair per axis, not {width}.")
    if mode.upper() == "CONSTANT":
        return tensor_of(np.pad(operand(tensor), width, constant_values=constant_values))
    return tensor_of(np.pad(operand(tensor), width, mode=mode.lower()))


# -------------------------------------------------------------------------- joining, taking apart


def _tensors(values: Any, name: str) -> list:
    return list(map(operand, match(tuple(values), name)))


@_declare
def concat(values: Any, axis: Any, name: str = "concat") -> Tensor:
    """Return tensors joined along an axis."""
    if is_traced(values):
        return convert_to_tensor(values)
    return tensor_of(np.concatenate(_tensors(values, "concat"), axis=whole_numbers(axis)))


@_declare
def stack(values: Any, axis: int = 0, name: str = "stack") -> Tensor:
    """Return tensors of one shape joined along a new axis."""
    values = list(values)
    if all(isinstance(x, (int, float, complex)) for x in values):
        values = convert_to_tensor(values)  # numbers of Python's are of one dtype in a list
    return tensor_of(np.stack(_tensors(values, "stack"), axis=whole_numbers(axis)))


@_declare
def unstack(value: Any, num: int | None = None, axis: int = 0, name: str = "unstack") -> list:
    """Return a list of the parts along an axis."""
    moved = np.moveaxis(operand(value), axis, 0)
    if num is not None and num != len(moved):
        refuse(f"unstack into {num} parts of an axis of length {len(moved)}.")
    return [moved[i] for i in range(np.shape(moved)[0])]


@_declare
def split(
    value: Any, num_or_size_splits: Any, axis: Any = 0, num: Any = None, name: str = "split"
) -> list:
    """Return a list of equal parts along an axis, or of parts of given sizes."""
    sizes, axis, x = whole_numbers(num_or_size_splits), whole_numbers(axis), operand(value)
    if isinstance(sizes, int):
        return [tensor_of(part) for part in np.split(x, sizes, axis=axis)]
    length = np.shape(x)[axis]
    known = sum(n for n in sizes if n >= 0)
    sizes = [n if n >= 0 else length - known for n in sizes]
    if sum(sizes) != length:
        refuse(f"split into {sizes} of an axis of length {length}.")
    return [tensor_of(part) for part in np.split(x, np.cumsum(sizes)[:-1], axis=axis)]
