"""Convolution and pooling of images: `tf.nn.conv2d`, `max_pool2d`, `avg_pool2d` and their kin.

All of them look at the image through a window that slides over it. `_patches` cuts out what the
window covers at each of its places; a convolution is then one product of matrices, and a pooling
one maximum or mean. Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning",
has pictures.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tapemagic.autodiff.calls.dispatch import plain

from .conversion import match, operand, whole_numbers
from .refusals import refuse
from .tensor import Tensor, dtype_of, tensor_of

# ------------------------------------------------------------------------- what the user may say


def pair(value: Any, name: str) -> tuple[int, int]:
    """Return what is given for rows and columns: one number, two, or four with 1 around them."""
    numbers = np.atleast_1d(whole_numbers(value)).tolist()
    if len(numbers) == 4 and numbers[0] == numbers[3] == 1:
        numbers = numbers[1:3]
    if len(numbers) not in (1, 2) or min(numbers) < 1:
        refuse(
            f"{name}={value!r}: positive numbers for the rows and the columns are expected.",
            f"Use one number, two, or [1, rows, columns, 1] for {name}.",
        )
    return numbers[0], numbers[-1]


def _image(input: Any, data_format: Any, name: str) -> Any:
    """Return the input as a tensor, if it is one of batch, rows, columns and channels."""
    if data_format not in (None, "NHWC"):
        refuse(
            f"{name} with data_format={data_format!r} is not provided.",
            "Put the channels last: tf.transpose(x, [0, 2, 3, 1]).",
        )
    x = operand(input)
    shape = np.shape(plain(x))
    if len(shape) != 4:
        refuse(
            f"{name} of a tensor of shape {shape}: it takes [batch, rows, columns, channels].",
            "Add what is missing: x[tf.newaxis] for the batch, x[..., tf.newaxis] for channels.",
        )
    return x


def _border(
    padding: Any, lengths: tuple, window: tuple, strides: tuple, rates: tuple
) -> list[tuple[int, int]]:
    """Return how many rows to add above and below, and how many columns left and right.

    "SAME" gives ``ceil(length / stride)`` places; what does not divide evenly goes to the end.
    """
    if not isinstance(padding, str):
        return [(int(before), int(after)) for before, after in padding][1:3]
    if padding.upper() not in ("SAME", "VALID"):
        refuse(f"Unknown padding: {padding!r}.", 'Use "SAME", "VALID" or a list of pairs.')
    if padding.upper() == "VALID":
        return [(0, 0), (0, 0)]
    border = []
    for length, size, stride, rate in zip(lengths, window, strides, rates, strict=True):
        places = math.ceil(length / stride)
        missing = max(0, (places - 1) * stride + (size - 1) * rate + 1 - length)
        border.append((missing // 2, missing - missing // 2))
    return border


# ----------------------------------------------------------------------------- the sliding window


def _patches(x: Any, window: tuple, strides: tuple, rates: tuple = (1, 1)) -> Any:
    """Return what a window covers: [batch, rows, columns, elements of the window, channels].

    Element (i, j) of the window, at all of its places at once, is a slice of the image.
    """
    places = []
    for length, size, stride, rate in zip(np.shape(x)[1:3], window, strides, rates, strict=True):
        covered = (size - 1) * rate + 1
        if covered > length:
            refuse(
                f"A window of {covered} elements does not fit into a length of {length}.",
                'Use padding="SAME", or a smaller window.',
            )
        last = (length - covered) // stride * stride
        places.append([slice(i, i + last + 1, stride) for i in range(0, covered, rate)])
    return np.stack([x[:, rows, columns] for rows in places[0] for columns in places[1]], axis=3)


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
    x, w = match((_image(input, data_format, "conv2d"), operand(filters)), "conv2d")
    shape, filter_shape = np.shape(plain(x)), np.shape(plain(w))
    if len(filter_shape) != 4 or filter_shape[2] != shape[3]:
        refuse(
            f"conv2d of an input of shape {shape} and filters of shape {filter_shape}.",
            f"Filters of it are of shape [rows, columns, {shape[3]}, results].",
        )
    *window, channels, results = filter_shape
    steps, rates = pair(strides, "strides"), pair(dilations or 1, "dilations")
    border = _border(padding, shape[1:3], tuple(window), steps, rates)
    padded = np.pad(x, [(0, 0), *border, (0, 0)])
    patches = _patches(padded, tuple(window), steps, rates)
    # one large product: of many small ones BLAS would make less
    rows = np.reshape(patches, (-1, math.prod(window) * channels))
    product = np.matmul(rows, np.reshape(w, (-1, results)))
    return tensor_of(np.reshape(product, (*np.shape(patches)[:3], results)))


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


# ---------------------------------------------------------------------------------------- pooling


def max_pool2d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NHWC",
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return the largest element in each place of a window, of each channel by itself.

    Of equal ones the first is meant, row by row, as in TensorFlow: it gets the whole gradient.

    Parameters
    ----------
    input : tensor, [batch, rows, columns, channels]
    ksize, strides : int, or two of them
        Size and steps of the window.
    padding : {"SAME", "VALID"}
        Whether the window may stand over the border, which has nothing in it.

    Raises
    ------
    TensorError
        If shapes do not fit, or the channels come first.

    Examples
    --------
    >>> from tapemagic import tf
    >>> x = tf.Variable(tf.reshape(tf.constant([1.0, 7.0, 7.0, 2.0]), [1, 2, 2, 1]))
    >>> with tf.GradientTape() as tape:
    ...     y = tf.nn.max_pool2d(x, ksize=2, strides=2, padding="VALID")
    >>> print(tf.squeeze(tape.gradient(y, x)))
    tf.Tensor(
    [[0. 1.]
     [0. 0.]], shape=(2, 2), dtype=float32)
    """
    x = _image(input, data_format, "max_pool2d")
    window, steps = pair(ksize, "ksize"), pair(strides, "strides")
    border = _pooling_border(x, window, steps, padding)
    # The border repeats what is beside it, inside every window that reaches it: no new maximum, and
    # no element comes before one that it came after.
    patches = _patches(np.pad(x, border, mode="edge"), window, steps)
    places = np.argmax(plain(patches), axis=3)
    chosen = np.take_along_axis(patches, np.expand_dims(places, 3), axis=3)
    return tensor_of(np.squeeze(chosen, axis=3))


def avg_pool2d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NHWC",
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return the mean in each place of a window, of each channel by itself.

    Where the window stands over the border, the mean is that of the elements inside.

    Parameters
    ----------
    input : tensor, [batch, rows, columns, channels]
    ksize, strides : int, or two of them
        Size and steps of the window.
    padding : {"SAME", "VALID"}

    Raises
    ------
    TensorError
        If shapes do not fit, or the channels come first.

    Examples
    --------
    >>> from tapemagic import tf
    >>> x = tf.reshape(tf.constant([1.0, 2.0, 6.0]), [1, 1, 3, 1])
    >>> print(tf.squeeze(tf.nn.avg_pool2d(x, ksize=[1, 2], strides=1, padding="SAME")))
    tf.Tensor([1.5 4.  6. ], shape=(3,), dtype=float32)
    """
    x = _image(input, data_format, "avg_pool2d")
    window, steps = pair(ksize, "ksize"), pair(strides, "strides")
    border = _pooling_border(x, window, steps, padding)
    inside = np.pad(np.ones((1, *np.shape(plain(x))[1:3], 1), dtype_of(x)), border)
    count = np.sum(_patches(inside, window, steps), axis=3)
    return tensor_of(np.sum(_patches(np.pad(x, border), window, steps), axis=3) / count)


def _pooling_border(x: Any, window: tuple, strides: tuple, padding: Any) -> list:
    if not isinstance(padding, str):
        refuse("Pooling with a padding of numbers is not provided.", 'Use "SAME" or "VALID".')
    border = _border(padding, np.shape(plain(x))[1:3], window, strides, (1, 1))
    return [(0, 0), *border, (0, 0)]


#: Names that `tf.nn` shares with this module.
FUNCTIONS = {
    "conv1d": conv1d, "conv2d": conv2d, "max_pool": max_pool2d, "max_pool2d": max_pool2d,
    "avg_pool": avg_pool2d, "avg_pool2d": avg_pool2d,
}  # fmt: skip
