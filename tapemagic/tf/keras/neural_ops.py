"""Functions of `tf.keras.ops` for loops, and for neural networks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.autodiff.calls.dispatch import plain
from tapemagic.tf import control, nest, nn, segments
from tapemagic.tf.choices import chosen
from tapemagic.tf.conversion import operand, whole_numbers
from tapemagic.tf.refusals import refuse
from tapemagic.tf.tensor import Tensor, tensor_of

from . import activations, losses
from .numpy_ops import FUNCTIONS, declared, named

__all__ = ["FUNCTIONS"]

# ------------------------------------------------------------------------- loops and alternatives


def _segments(kind: str) -> Callable:
    fun = segments.FUNCTIONS[f"unsorted_segment_{kind}"]

    def function(
        data: Any, segment_ids: Any, num_segments: Any = None, sorted: bool = False
    ) -> Tensor:
        count = num_segments
        if count is None:
            count = int(np.max(chosen(np.positive, segment_ids), initial=-1)) + 1
        return fun(data, segment_ids, count)

    return function


FUNCTIONS["segment_max"] = named(_segments("max"), "segment_max")
FUNCTIONS["segment_sum"] = named(_segments("sum"), "segment_sum")


@declared
def cond(pred: Any, true_fn: Callable, false_fn: Callable) -> Any:
    """Return what one of two functions returns."""
    return control.cond(pred, true_fn, false_fn)


@declared
def fori_loop(lower: Any, upper: Any, body_fun: Callable, init_val: Any) -> Any:
    """Return what a function of a number and of the value before it makes, in turns."""
    value = init_val
    for i in range(whole_numbers(lower), whole_numbers(upper)):
        value = body_fun(i, value)
    return value


@declared
def while_loop(
    cond: Callable, body: Callable, loop_vars: Any, maximum_iterations: int | None = None
) -> Any:
    """Return what a function makes of values, again and again while another is true."""
    return control.while_loop(cond, body, loop_vars, maximum_iterations=maximum_iterations)


@declared
def vectorized_map(function: Callable, elements: Any) -> Any:
    """Return a function of each row."""
    return control.vectorized_map(function, elements)


@declared
def map_(f: Callable, xs: Any) -> Any:
    """Return a function of each row."""
    return control.vectorized_map(f, xs)


@declared
def scan(f: Callable, init: Any, xs: Any = None, length: int | None = None) -> tuple[Any, Any]:
    """Return the last state of a function of a state and a row, and what else it returned."""
    state, found = init, []
    for i in range(len(nest.flatten(xs)[0]) if xs is not None else length or 0):
        row = None if xs is None else nest.map_structure(lambda x, i=i: x[i], xs)
        state, y = f(state, row)
        found.append(y)
    if not found or found[0] is None:
        return state, None
    return state, nest.map_structure(lambda *ys: tensor_of(np.stack(ys)), *found)


# ------------------------------------------------------------------------------- neural networks


def _check_layout(name: str, data_format: Any) -> None:
    if data_format not in (None, "channels_last"):
        refuse(
            f"{name} with data_format={data_format!r} is not provided.", "Put the channels last."
        )


@declared
def conv(
    inputs: Any, kernel: Any, strides: Any = 1, padding: str = "valid", data_format: Any = None,
    dilation_rate: Any = 1,
) -> Tensor:  # fmt: skip
    """Return a convolution over one axis, over two, or over three."""
    _check_layout("conv", data_format)
    found = nn.convolution(inputs, kernel, strides, padding.upper(), dilations=dilation_rate)
    return tensor_of(found)


def _pooled(kind: str) -> Callable:
    def function(
        inputs: Any, pool_size: Any, strides: Any = None, padding: str = "valid",
        data_format: Any = None,
    ) -> Tensor:  # fmt: skip
        _check_layout(kind, data_format)
        fun = getattr(nn, f"{kind}{np.ndim(plain(inputs)) - 2}d")
        return fun(inputs, pool_size, pool_size if strides is None else strides, padding.upper())

    return function


FUNCTIONS |= {"max_pool": named(_pooled("max_pool"), "max_pool")}
FUNCTIONS |= {"average_pool": named(_pooled("avg_pool"), "average_pool")}


@declared
def gelu(x: Any, approximate: bool = True) -> Tensor:
    """Return x times the normal distribution function: by `tanh`, unless told otherwise."""
    return nn.gelu(x, approximate)


@declared
def moments(x: Any, axes: Any, keepdims: bool = False) -> Any:
    """Return mean and variance."""
    return nn.moments(x, axes, keepdims=keepdims)


@declared
def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Tensor:
    """Return the cross entropy of each element."""
    p, q = operand(target), operand(output)
    if from_logits:
        return nn.sigmoid_cross_entropy_with_logits(p, q)
    return tensor_of(losses.binary_crossentropy(p[..., np.newaxis], q[..., np.newaxis]))


@declared
def categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """Return the cross entropy of each row."""
    return losses.categorical_crossentropy(target, output, from_logits=from_logits, axis=axis)


@declared
def sparse_categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """Return the cross entropy of each class number, and the row of it."""
    return losses.sparse_categorical_crossentropy(
        target, output, from_logits=from_logits, axis=axis
    )


FUNCTIONS |= {
    name: getattr(activations, name) for name in ("celu", "glu", "hard_sigmoid", "hard_silu")
}
