"""Images whose channels are treated one by one, or exchanged for rows and columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff.calls.dispatch import plain

from .conversion import match, operand, whole_numbers
from .convolution import conv2d
from .refusals import refuse
from .tensor import Tensor, tensor_of
from .windows import as_image, cut_patches, find_border, per_axis


def depthwise_conv2d(
    input: Any, filter: Any, strides: Any, padding: Any, data_format: Any = None,
    dilations: Any = None, name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return the cross-correlation of each channel with filters of its own.

    Parameters
    ----------
    input : tensor, [batch, rows, columns, channels]
    filter : tensor, [filter rows, filter columns, channels, results of each]
    strides, dilations : int, or two of them
    padding : {"SAME", "VALID"}, or pairs as of `conv2d`

    Returns
    -------
    tensor, [batch, rows of places, columns of places, channels * results of each]
    """
    x, w = match((as_image(input, data_format, "depthwise_conv2d"), filter), "depthwise_conv2d")
    shape, filter_shape = np.shape(plain(x)), np.shape(plain(w))
    if len(filter_shape) != 4 or filter_shape[2] != shape[3]:
        refuse(
            f"depthwise_conv2d of an input of shape {shape} and filters of shape {filter_shape}.",
            f"Filters of it are of shape [rows, columns, {shape[3]}, results of each].",
        )
    window, steps, rates = (
        filter_shape[:2],
        per_axis(strides, "strides"),
        per_axis(dilations or 1, "rates"),
    )
    border = find_border(padding, shape[1:3], window, steps, rates)
    patches = cut_patches(np.pad(x, [(0, 0), *border, (0, 0)]), window, steps, rates)
    filters = np.reshape(w, (-1, *filter_shape[2:]))
    y = np.einsum("brcwi,wim->brcim", patches, filters)
    return tensor_of(np.reshape(y, (*np.shape(y)[:3], -1)))


def separable_conv2d(
    input: Any, depthwise_filter: Any, pointwise_filter: Any, strides: Any, padding: Any,
    data_format: Any = None, dilations: Any = None, name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return `depthwise_conv2d`, and then a product over the channels at each place."""
    y = depthwise_conv2d(input, depthwise_filter, strides, padding, data_format, dilations)
    return conv2d(y, pointwise_filter, 1, "VALID")


def space_to_depth(
    input: Any, block_size: int, data_format: str = "NHWC", name: str | None = None
) -> Tensor:
    """Return images in which the elements of each block are channels of one place."""
    x = as_image(input, data_format, "space_to_depth")
    batch, rows, columns, channels = np.shape(plain(x))
    if rows % block_size or columns % block_size:
        refuse(f"space_to_depth of {rows} by {columns} places in blocks of {block_size}.")
    blocks = (batch, rows // block_size, block_size, columns // block_size, block_size, channels)
    y = np.transpose(np.reshape(x, blocks), (0, 1, 3, 2, 4, 5))
    return tensor_of(np.reshape(y, (*np.shape(y)[:3], -1)))


def depth_to_space(
    input: Any, block_size: int, data_format: str = "NHWC", name: str | None = None
) -> Tensor:
    """Return images in which the channels of each place are the elements of a block."""
    x = as_image(input, data_format, "depth_to_space")
    batch, rows, columns, channels = np.shape(plain(x))
    if channels % block_size**2:
        refuse(f"depth_to_space of {channels} channels in blocks of {block_size}.")
    blocks = (batch, rows, columns, block_size, block_size, channels // block_size**2)
    y = np.transpose(np.reshape(x, blocks), (0, 1, 3, 2, 4, 5))
    return tensor_of(np.reshape(y, (batch, rows * block_size, columns * block_size, -1)))


def local_response_normalization(
    input: Any, depth_radius: int = 5, bias: float = 1, alpha: float = 1, beta: float = 0.5,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return channels divided by ``(bias + alpha * s) ** beta``, s the squares of the nearest.

    Krizhevsky et al. 2012, "ImageNet classification with deep convolutional neural networks".
    """
    x, radius = operand(input), whole_numbers(depth_radius)
    count = np.shape(plain(x))[-1]
    squares = np.pad(np.square(x), [(0, 0)] * (np.ndim(plain(x)) - 1) + [(radius, radius)])
    total = sum(squares[..., i : i + count] for i in range(2 * radius + 1))
    return tensor_of(x / (bias + alpha * total) ** beta)
