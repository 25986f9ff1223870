"""Functions of `tf.keras.ops` that NumPy has under the same names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls.dispatch import plain
from tapemagic.tf import creation, picking, reductions
from tapemagic.tf.choices import chosen
from tapemagic.tf.conversion import convert_to_tensor, operand, whole_numbers
from tapemagic.tf.tensor import Tensor, dtype_of, tensor_of

from .floats import default_float

#: Functions of one array, and options that are no arrays.
_OF_ONE = (
    "angle", "diag", "diagonal", "exp2", "log10", "log2", "median", "moveaxis", "nan_to_num",
    "ravel", "rot90", "swapaxes", "tile", "trace", "tril", "triu", "trunc",
)  # fmt: skip
#: Functions of two arrays, the second of which takes the dtype of the first.
_OF_TWO = ("cross", "dot", "hypot", "inner", "isclose", "logaddexp", "outer", "tensordot", "vdot")


def _of_one(name: str) -> Callable:
    fun = getattr(np, name)

    def function(x: Any, *args: Any, **kwargs: Any) -> Tensor:
        return tensor_of(fun(operand(x), *args, **kwargs))

    return named(function, name)


def _of_two(name: str) -> Callable:
    fun = getattr(np, name)

    def function(x1: Any, x2: Any, *args: Any, **kwargs: Any) -> Tensor:
        x = operand(x1)
        return tensor_of(fun(x, operand(x2, dtype_of(x)), *args, **kwargs))

    return named(function, name)


def named(function: Callable, name: str) -> Callable:
    """Give a function a name, and words for it."""
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Return what ``numpy.{name}`` returns, as a tensor."
    return function


FUNCTIONS: dict[str, Callable] = {name: _of_one(name) for name in _OF_ONE}
FUNCTIONS |= {name: _of_two(name) for name in _OF_TWO}


def declared(function: Callable) -> Callable:
    """Put a function into the table (decorator)."""
    FUNCTIONS[function.__name__.rstrip("_")] = function
    return function


# ----------------------------------------------------------------------------------- conversions


@declared
def array(x: Any, dtype: Any = None) -> Tensor:
    """Return a tensor."""
    return convert_to_tensor(x, dtype)


@declared
def convert_to_numpy(x: Any) -> Any:
    """Return a plain array."""
    leaks.hand_out(x, "convert_to_numpy()")
    return np.array(plain(x))


@declared
def is_tensor(x: Any) -> bool:
    """Tell whether it is a tensor."""
    return isinstance(x, Tensor)


@declared
def full(shape: Any, fill_value: Any, dtype: Any = None) -> Tensor:
    """Return a tensor filled with a value."""
    return creation.cast(creation.fill(shape, fill_value), dtype or default_float())


@declared
def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Tensor:
    """Return a tensor of the same shape, filled with a value."""
    return full(np.shape(plain(x)), fill_value, dtype or dtype_of(operand(x)))


@declared
def ndim(x: Any) -> int:
    """Return the number of axes."""
    return int(np.ndim(plain(x)))


# ----------------------------------------------------------------------------------- whole arrays


@declared
def average(x: Any, axis: Any = None, weights: Any = None) -> Tensor:
    """Return the mean, weighted on request."""
    values = operand(x)
    if weights is None:
        return tensor_of(np.mean(values, axis=axis))
    return tensor_of(np.average(values, axis=axis, weights=operand(weights, dtype_of(values))))


def _of_floats(name: str) -> Callable:
    """Return the function of `tf`, of whole numbers as floats: a mean of them is none."""
    fun = reductions.FUNCTIONS[f"reduce_{name}"]

    def function(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
        values = operand(x)
        is_float = dtype_of(values).kind in "fc"
        return fun(values if is_float else creation.cast(values, default_float()), axis, keepdims)

    return named(function, name)


def _flattening(name: str, fun: Callable) -> Callable:
    """Return a function along an axis; without one, of all elements in a row."""

    def function(x: Any, axis: int | None = None) -> Tensor:
        values = operand(x)
        return fun(np.reshape(values, -1), 0) if axis is None else fun(values, axis)

    return named(function, name)


FUNCTIONS |= {"mean": _of_floats("mean"), "std": _of_floats("std")}
FUNCTIONS["var"] = named(_of_floats("variance"), "var")
FUNCTIONS |= {name: _flattening(name, reductions.FUNCTIONS[name]) for name in ("cumsum", "cumprod")}


@declared
def sum_(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the sum; of bools, how many are True."""
    values = operand(x)
    is_bool = dtype_of(values).kind == "b"
    values = creation.cast(values, np.int32) if is_bool else values
    return reductions.FUNCTIONS["reduce_sum"](values, axis, keepdims)


@declared
def count_nonzero(x: Any, axis: Any = None) -> Tensor:
    """Return how many elements are not 0, as int32."""
    return creation.cast(reductions.FUNCTIONS["count_nonzero"](x, axis), np.int32)


@declared
def linspace(start: Any, stop: Any, num: int = 50) -> Tensor:
    """Return numbers at equal distances, from `start` up to `stop`."""
    return creation.linspace(start, stop, num)


@declared
def split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    """Return parts of one length, so many, or those between places along an axis."""
    places = whole_numbers(indices_or_sections)
    return [tensor_of(part) for part in np.split(operand(x), places, axis)]


@declared
def nonzero(x: Any) -> list[Tensor]:
    """Return the places of what is not 0: a tensor for each axis."""
    places = np.asarray(chosen(np.argwhere, x)).astype(np.int32)
    return [tensor_of(column) for column in places.T]


@declared
def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """Return the first where the condition is true, else the second; or where that is."""
    return nonzero(condition) if x1 is None else picking.FUNCTIONS["where"](condition, x1, x2)


@declared
def flip(x: Any, axis: Any = None) -> Tensor:
    """Return a tensor the other way round along an axis, or along all."""
    return tensor_of(np.flip(operand(x), axis))


@declared
def roll(x: Any, shift: Any, axis: Any = None) -> Tensor:
    """Return a tensor whose elements are moved along an axis, or in a row."""
    return tensor_of(np.roll(operand(x), whole_numbers(shift), axis))


@declared
def hstack(xs: Any) -> Tensor:
    """Return tensors side by side."""
    return tensor_of(np.hstack([operand(x) for x in xs]))


@declared
def vstack(xs: Any) -> Tensor:
    """Return tensors one below the other."""
    return tensor_of(np.vstack([operand(x) for x in xs]))


@declared
def meshgrid(*x: Any, indexing: str = "xy") -> Any:
    """Return coordinates of a grid."""
    return creation.meshgrid(*x, indexing=indexing)


@declared
def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> Tensor:
    """Return elements at places along an axis."""
    return tensor_of(np.take_along_axis(operand(x), np.asarray(plain(operand(indices))), axis))


@declared
def scatter(indices: Any, values: Any, shape: Any) -> Tensor:
    """Return zeros with values added at places."""
    return picking.FUNCTIONS["scatter_nd"](indices, values, shape)


@declared
def scatter_update(inputs: Any, indices: Any, updates: Any) -> Tensor:
    """Return the inputs with others at some places."""
    return picking.FUNCTIONS["tensor_scatter_nd_update"](inputs, indices, updates)


@declared
def slice_(inputs: Any, start_indices: Any, shape: Any) -> Tensor:
    """Return a block that begins at a place."""
    return picking.FUNCTIONS["slice"](inputs, start_indices, shape)


@declared
def normalize(x: Any, axis: int = -1, order: int = 2) -> Tensor:
    """Return vectors divided by their norms."""
    values = operand(x)
    norms = np.linalg.norm(values, order, axis, keepdims=True)
    return tensor_of(values / np.maximum(norms, 1e-12))
