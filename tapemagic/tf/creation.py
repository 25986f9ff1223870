"""Tensors out of nothing: constants, zeros, ranges, diagonals."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.calls.dispatch import is_traced

from .choices import chosen
from .conversion import check_kind, convert_to_tensor, match, operand, whole_numbers
from .refusals import refuse
from .specs import as_dtype, float32
from .tensor import Tensor, dtype_of, tensor_of


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> Tensor:
    """Return a tensor of the value; floats become float32 and integers int32.

    Parameters
    ----------
    value : number, array, tensor, or nested lists of them
    dtype : dtype, optional
    shape : optional
        What to reshape to; a single number fills it.
    """
    tensor = convert_to_tensor(value, dtype)
    if shape is None:
        return tensor
    shape = whole_numbers(shape)
    if np.size(tensor._value) == 1:
        return tensor_of(np.broadcast_to(np.reshape(tensor, ()), shape) + _zero(tensor))
    try:
        return tensor_of(np.reshape(tensor, shape))
    except ValueError:
        refuse(f"A constant of {np.size(tensor._value)} values cannot have the shape {shape}.")


def _zero(tensor: Tensor) -> Any:
    """Return a zero that makes a broadcast view an array of its own (bools: False)."""
    return tensor._value.dtype.type(0)


def zeros(shape: Any, dtype: Any = float32, name: str | None = None, layout: Any = None) -> Tensor:
    """Return zeros of a shape, float32 unless `dtype` says otherwise."""
    return tensor_of(np.zeros(whole_numbers(shape), as_dtype(dtype).dtype))


def ones(shape: Any, dtype: Any = float32, name: str | None = None, layout: Any = None) -> Tensor:
    """Return ones of a shape, float32 unless `dtype` says otherwise."""
    return tensor_of(np.ones(whole_numbers(shape), as_dtype(dtype).dtype))


def fill(dims: Any, value: Any, name: str | None = None, layout: Any = None) -> Tensor:
    """Return a tensor of a shape with one value everywhere."""
    return tensor_of(np.broadcast_to(convert_to_tensor(value), whole_numbers(dims)))


def _dtype_like(input: Any, dtype: Any) -> np.dtype:
    return dtype_of(operand(input)) if dtype is None else as_dtype(dtype).dtype


def zeros_like(input: Any, dtype: Any = None, name: str | None = None, layout: Any = None) -> Any:
    """Return zeros of the shape and dtype of a tensor."""
    return tensor_of(np.zeros(np.shape(dispatch.plain(input)), _dtype_like(input, dtype)))


def ones_like(input: Any, dtype: Any = None, name: str | None = None, layout: Any = None) -> Any:
    """Return ones of the shape and dtype of a tensor."""
    return tensor_of(np.ones(np.shape(dispatch.plain(input)), _dtype_like(input, dtype)))


def eye(
    num_rows: Any, num_columns: Any = None, batch_shape: Any = None, dtype: Any = float32,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return an identity matrix, or a batch of them."""
    rows, columns = whole_numbers(num_rows), whole_numbers(num_columns)
    matrix = np.eye(rows, columns, dtype=as_dtype(dtype).dtype)
    batch = whole_numbers(batch_shape) or ()
    return tensor_of(np.broadcast_to(matrix, (*np.atleast_1d(batch), *matrix.shape)).copy())


def range(
    start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str = "range"
) -> Tensor:
    """Return numbers from `start` up to, without, `limit`; integers are int32."""
    if limit is None:
        start, limit = 0, start
    parts = [_as_range_part(x) for x in (start, limit, delta)]
    # float32 beside int32 stays float32, as in TensorFlow and unlike in NumPy
    found = max((x.dtype.char for x in parts), key="bhilqefd".find)
    wanted = np.dtype(found) if dtype is None else as_dtype(dtype).dtype
    first, last, step = (part.item() for part in parts)
    if step == 0 or (last - first) * step < 0:
        refuse(f"range from {first} to {last} by {step}.")
    return tensor_of(np.arange(first, last, step).astype(wanted))


def _as_range_part(x: Any) -> Any:
    return np.asarray(chosen(np.positive, convert_to_tensor(x)))[()]


def linspace(start: Any, stop: Any, num: Any, name: str | None = None, axis: int = 0) -> Tensor:
    """Return `num` evenly spaced values from `start` to `stop`, both included.

    They are computed as ``start + steps * (stop - start)``, so that both ends can be
    differentiated by.
    """
    start, stop = map(operand, match((start, stop)))
    if dtype_of(start).kind in "iu":  # TensorFlow goes on in float64
        start, stop = cast(start, np.float64), cast(stop, np.float64)
    count = whole_numbers(num)
    dtype = dtype_of(start)
    if count == 1:
        return tensor_of(np.expand_dims(start, axis))
    steps = np.linspace(0, 1, count).astype(dtype)
    lengths = np.ndim(start._value) - axis if axis >= 0 else -axis - 1
    steps = steps.reshape((-1,) + (1,) * lengths)
    low, high = np.expand_dims(start, axis), np.expand_dims(stop, axis)
    return tensor_of(np.where(steps == 1, high, low + steps * (high - low)))


def one_hot(
    indices: Any, depth: Any, on_value: Any = None, off_value: Any = None, axis: int = -1,
    dtype: Any = None, name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return rows with `on_value` at the given places; all off where an index is out of range."""
    on = 1 if on_value is None else dispatch.plain(on_value)
    off = 0 if off_value is None else dispatch.plain(off_value)
    given = [x for x in (on_value, off_value) if x is not None]
    wanted = as_dtype(dtype or (dtype_of(operand(given[0])) if given else float32)).dtype
    count = whole_numbers(depth)
    if count < 0:
        refuse(f"one_hot of depth {count}.")
    places = np.asarray(dispatch.plain(indices))[..., None] == np.arange(count)
    return tensor_of(np.moveaxis(np.where(places, on, off).astype(wanted), -1, axis))


def meshgrid(*args: Any, indexing: Any = "xy", name: str | None = None) -> list:
    """Return coordinate tensors of a grid."""
    return [tensor_of(x) for x in np.meshgrid(*map(operand, args), indexing=indexing)]


def is_tensor(x: Any) -> bool:
    """Tell whether `x` is a tensor or variable."""
    return is_traced(x)


def identity(input: Any, name: str | None = None) -> Tensor:
    """Return the value as a tensor, still connected."""
    return +operand(input)


def cast(x: Any, dtype: Any, name: str | None = None) -> Tensor:
    """Return `x` in another dtype; differentiable from float to float."""
    x = operand(x)
    wanted = as_dtype(dtype).dtype
    if dtype_of(x) == wanted:
        return tensor_of(convert_to_tensor(x))
    if dtype_of(x).kind == "c" and wanted.kind != "c":
        x = np.real(x)  # TensorFlow drops the imaginary part as well
    return tensor_of(x.astype(wanted))


def complex(real: Any, imag: Any, name: str | None = None) -> Tensor:
    """Return ``real + 1j * imag``: complex64 from float32, complex128 from float64."""
    real, imag = match((real, imag))
    check_kind(operand(real), "f", "complex")
    wanted = np.result_type(dtype_of(real), np.complex64)
    return tensor_of(np.add(cast(real, wanted), np.multiply(cast(imag, wanted), 1j)))
