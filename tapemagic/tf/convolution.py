"""Convolution: `tf.nn.conv2d`, `conv1d`, `conv3d`, and the transposed ones."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tapemagic.autodiff.calls.dispatch import plain

from .conversion import match, operand, whole_numbers
from .refusals import refuse
from .tensor import Tensor, tensor_of
from .windows import AXES, LAYOUTS, as_image, cut_patches, find_border, per_axis


def conv2d(
    input: Any, filters: Any, strides: Any, padding: Any, data_format: str = "NHWC",
    dilations: Any = None, name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return the cross-correlation of images with filters.

    Parameters
    ----------
    input : tensor, [batch, rows, columns, channels]
    filters : tensor, [filter rows, filter columns, channels, results]
    strides : int, or two of them
        Steps of the filter down and to the right.
    padding : {"SAME", "VALID"}, or [[0, 0], [top, bottom], [left, right], [0, 0]]
        Zeros around the image: so many that a filter of stride 1 keeps its size, or none.
    dilations : int, or two of them, optional
        Steps between the elements of a filter.

    Returns
    -------
    tensor, [batch, rows of places, columns of places, results]

    Raises
    ------
    TensorError
        If shapes do not fit, or the channels come first.

    Examples
    --------
    >>> from tapemagic import tf
    >>> image = tf.reshape(tf.range(9.0), [1, 3, 3, 1])
    >>> y = tf.nn.conv2d(image, tf.ones([2, 2, 1, 1]), strides=1, padding="VALID")
    >>> print(y[0, :, :, 0])
    tf.Tensor(
    [[ 8. 12.]
     [20. 24.]], shape=(2, 2), dtype=float32)
    """
    return _convolved("conv2d", input, filters, strides, padding, data_format, dilations, 2)


def conv3d(
    input: Any, filters: Any, strides: Any, padding: Any, data_format: str = "NDHWC",
    dilations: Any = None, name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return `conv2d` of volumes, [batch, depth, rows, columns, channels].

    Raises
    ------
    TensorError
        If shapes do not fit, or the channels come first.
    """
    return _convolved("conv3d", input, filters, strides, padding, data_format, dilations, 3)


def _convolved(
    name: str, input: Any, filters: Any, strides: Any, padding: Any, data_format: Any,
    dilations: Any, axes: int,
) -> Tensor:  # fmt: skip
    x, w = match((as_image(input, data_format, name, axes), operand(filters)), name)
    shape, filter_shape = np.shape(plain(x)), np.shape(plain(w))
    if len(filter_shape) != axes + 2 or filter_shape[-2] != shape[-1]:
        refuse(
            f"{name} of an input of shape {shape} and filters of shape {filter_shape}.",
            f"Filters of it are of shape [{AXES[axes]}, {shape[-1]}, results].",
        )
    *window, channels, results = filter_shape
    steps = per_axis(strides, "strides", axes)
    rates = per_axis(dilations or 1, "dilations", axes)
    border = find_border(padding, shape[1:-1], tuple(window), steps, rates)
    padded = np.pad(x, [(0, 0), *border, (0, 0)])
    patches = cut_patches(padded, tuple(window), steps, rates)
    # one large product: of many small ones BLAS would make less
    rows = np.reshape(patches, (-1, math.prod(window) * channels))
    product = np.matmul(rows, np.reshape(w, (-1, results)))
    return tensor_of(np.reshape(product, (*np.shape(patches)[: axes + 1], results)))


def conv2d_transpose(
    input: Any, filters: Any, output_shape: Any, strides: Any, padding: Any = "SAME",
    data_format: str = "NHWC", dilations: Any = None, name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return what a cotangent of `conv2d` makes of its input: images that are larger again.

    Between the elements of the input come zeros, as many as the stride leaves out; over that slides
    the filter, turned round.

    Parameters
    ----------
    input : tensor, [batch, rows, columns, channels]
    filters : tensor, [filter rows, filter columns, results, channels]
    output_shape : [batch, rows, columns, results]
        Of which a convolution with the same strides and padding makes the shape of the input.
    strides, dilations : int, or two of them
    padding : {"SAME", "VALID"}

    Raises
    ------
    TensorError
        If shapes do not fit, or the channels come first.

    Examples
    --------
    >>> from tapemagic import tf
    >>> x, w = tf.constant([[[[1.0], [2.0]]]]), tf.reshape(tf.constant([10.0, 1.0]), [1, 2, 1, 1])
    >>> y = tf.nn.conv2d_transpose(x, w, [1, 1, 4, 1], strides=[1, 2])
    >>> print(tf.squeeze(y))
    tf.Tensor([10.  1. 20.  2.], shape=(4,), dtype=float32)
    """
    return _transposed(
        "conv2d_transpose",
        input,
        filters,
        output_shape,
        strides,
        padding,
        data_format,
        dilations,
        2,
    )


def conv3d_transpose(
    input: Any, filters: Any, output_shape: Any, strides: Any, padding: Any = "SAME",
    data_format: str = "NDHWC", dilations: Any = None, name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return `conv2d_transpose` of volumes, [batch, depth, rows, columns, channels].

    Raises
    ------
    TensorError
        If shapes do not fit, or the channels come first.
    """
    return _transposed(
        "conv3d_transpose",
        input,
        filters,
        output_shape,
        strides,
        padding,
        data_format,
        dilations,
        3,
    )


def _transposed(
    name: str, input: Any, filters: Any, output_shape: Any, strides: Any, padding: Any,
    data_format: Any, dilations: Any, axes: int,
) -> Tensor:  # fmt: skip
    x, w = as_image(input, data_format, name, axes), operand(filters)
    shape, wanted = tuple(whole_numbers(output_shape)), np.shape(plain(w))
    steps = per_axis(strides, "strides", axes)
    rates = per_axis(dilations or 1, "dilations", axes)
    if len(wanted) != axes + 2 or wanted[-1] != x.shape[-1] or shape[-1:] != wanted[-2:-1]:
        refuse(
            f"{name} of shape {x.shape} with filters of shape {wanted} to {shape}.",
            f"Filters of it are of shape [{AXES[axes]}, results, {x.shape[-1]}].",
        )
    frame = find_border(padding, shape[1:-1], wanted[:-2], steps, rates)
    around: list[tuple[int, int]] = []
    for axis, ((before, after), size, step, rate) in enumerate(
        zip(frame, wanted[:-2], steps, rates, strict=True), start=1
    ):
        covered, spread = (size - 1) * rate + 1, (x.shape[axis] - 1) * step + 1
        places = (shape[axis] + before + after - covered) // step + 1
        if places != x.shape[axis] or before >= covered:
            refuse(f"No convolution of {shape} with these filters and strides gives {x.shape}.")
        around.append((covered - 1 - before, shape[axis] + before - spread))
    spread_out = np.pad(_with_zeros(x, steps), [(0, 0), *around, (0, 0)])
    turned = np.swapaxes(np.flip(w, tuple(range(axes))), -2, -1)
    return _convolved(name, spread_out, turned, 1, "VALID", None, rates, axes)


def _with_zeros(x: Any, steps: tuple[int, ...]) -> Any:
    """Return images with ``step - 1`` zeros between the elements of rows and columns."""
    for axis, step in enumerate(steps, start=1):
        shape = list(np.shape(x))
        apart = np.expand_dims(x, axis + 1)
        behind = [(0, 0)] * (len(shape) + 1)
        behind[axis + 1] = (0, step - 1)
        shape[axis] *= step
        kept = [slice(None)] * len(shape)
        kept[axis] = slice(shape[axis] - step + 1)  # without zeros behind the last
        x = np.reshape(np.pad(apart, behind), shape)[tuple(kept)]
    return x


def conv1d(
    input: Any, filters: Any, stride: Any, padding: Any, data_format: str = "NWC",
    dilations: Any = None, name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return the cross-correlation of series, [batch, steps, channels], with filters.

    See `conv2d`, of which this is the case of one row.

    Raises
    ------
    TensorError
        If shapes do not fit, or the channels come first.

    Examples
    --------
    >>> from tapemagic import tf
    >>> series = tf.reshape(tf.constant([1.0, 2.0, 4.0, 8.0]), [1, 4, 1])
    >>> y = tf.nn.conv1d(series, tf.reshape(tf.constant([-1.0, 1.0]), [2, 1, 1]), 1, "VALID")
    >>> print(y[0, :, 0])
    tf.Tensor([1. 2. 4.], shape=(3,), dtype=float32)
    """
    if data_format not in (None, "NWC") or not isinstance(padding, str):
        refuse(
            f"conv1d with data_format={data_format!r}, padding={padding!r} is not provided.",
            'Use data_format="NWC" and "SAME" or "VALID".',
        )
    x, w = operand(input), operand(filters)
    step, rate = (np.atleast_1d(whole_numbers(n)).tolist() for n in (stride, dilations or 1))
    y = conv2d(
        np.expand_dims(x, 1), np.expand_dims(w, 0), (1, step[0]), padding, "NHWC", (1, rate[0])
    )
    return tensor_of(np.squeeze(y, 1))


def conv1d_transpose(
    input: Any, filters: Any, output_shape: Any, strides: Any, padding: Any = "SAME",
    data_format: str = "NWC", dilations: Any = None, name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return `conv2d_transpose` of series, [batch, steps, channels].

    Raises
    ------
    TensorError
        If shapes do not fit, or the channels come first.
    """
    if data_format not in (None, "NWC"):
        refuse(f"conv1d_transpose with data_format={data_format!r}.", 'Use data_format="NWC".')
    x, w = match((input, filters), "conv1d_transpose")
    batch, length, results = whole_numbers(output_shape)
    step, rate = (np.atleast_1d(whole_numbers(n)).tolist() for n in (strides, dilations or 1))
    y = conv2d_transpose(
        np.expand_dims(x, 1), np.expand_dims(w, 0), (batch, 1, length, results), (1, step[0]),
        padding, dilations=(1, rate[0]),
    )  # fmt: skip
    return tensor_of(np.squeeze(y, 1))


def convolution(
    input: Any, filters: Any, strides: Any = None, padding: Any = "VALID",
    data_format: Any = None, dilations: Any = None, name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return `conv1d` of series, `conv2d` of images and `conv3d` of volumes.

    Raises
    ------
    TensorError
        If shapes do not fit.
    """
    count = np.ndim(plain(operand(input))) - 2
    if count not in (1, 2, 3):
        refuse(f"convolution of shape {np.shape(plain(operand(input)))} is not provided.")
    convolve = {1: conv1d, 2: conv2d, 3: conv3d}[count]
    layout = data_format or {1: "NWC", **LAYOUTS}[count]
    return convolve(input, filters, strides or 1, padding, layout, dilations)


def atrous_conv2d(
    value: Any, filters: Any, rate: Any, padding: Any, name: str | None = None
) -> Tensor:
    """Return `conv2d` with a filter whose elements are `rate` apart."""
    return conv2d(value, filters, 1, padding, dilations=rate)
