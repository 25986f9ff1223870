"""Pooling: `tf.nn.max_pool2d` and `avg_pool2d`, and those of series and of volumes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.autodiff.calls.dispatch import plain

from .choices import chosen
from .conversion import operand, whole_numbers
from .refusals import refuse
from .tensor import Tensor, dtype_of, tensor_of
from .windows import as_image, cut_patches, find_border, per_axis


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
    return _largest("max_pool2d", input, ksize, strides, padding, data_format, 2)


def max_pool3d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NDHWC",
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return `max_pool2d` of volumes, [batch, depth, rows, columns, channels].

    Of equal ones the first gets the gradient; in TensorFlow each of them gets the whole of it.

    Raises
    ------
    TensorError
        If shapes do not fit, or the channels come first.
    """
    return _largest("max_pool3d", input, ksize, strides, padding, data_format, 3)


def _largest(
    name: str, input: Any, ksize: Any, strides: Any, padding: Any, data_format: Any, axes: int
) -> Tensor:
    x = as_image(input, data_format, name, axes)
    window, steps = per_axis(ksize, "ksize", axes), per_axis(strides, "strides", axes)
    border = _border(x, window, steps, padding)
    # The border repeats what is beside it, inside every window that reaches it: no new maximum, and
    # no element comes before one that it came after.
    patches = cut_patches(np.pad(x, border, mode="edge"), window, steps)
    places = chosen(np.argmax, patches, axis=axes + 1)
    largest = np.take_along_axis(patches, np.expand_dims(places, axes + 1), axis=axes + 1)
    return tensor_of(np.squeeze(largest, axis=axes + 1))


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
    return _mean("avg_pool2d", input, ksize, strides, padding, data_format, 2)


def avg_pool3d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NDHWC",
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return `avg_pool2d` of volumes, [batch, depth, rows, columns, channels].

    Raises
    ------
    TensorError
        If shapes do not fit, or the channels come first.
    """
    return _mean("avg_pool3d", input, ksize, strides, padding, data_format, 3)


def _mean(
    name: str, input: Any, ksize: Any, strides: Any, padding: Any, data_format: Any, axes: int
) -> Tensor:
    x = as_image(input, data_format, name, axes)
    if dtype_of(x).kind != "f":
        refuse(f"{name} of {dtype_of(x)}: it takes floats only.", "Use tf.cast(x, tf.float32).")
    window, steps = per_axis(ksize, "ksize", axes), per_axis(strides, "strides", axes)
    border = _border(x, window, steps, padding)
    inside = np.pad(np.ones((1, *np.shape(plain(x))[1:-1], 1), dtype_of(x)), border)
    count = np.sum(cut_patches(inside, window, steps), axis=axes + 1)
    total = np.sum(cut_patches(np.pad(x, border), window, steps), axis=axes + 1)
    return tensor_of(total / count)


def _in_one_row(name: str, pool: Callable) -> Callable:
    def function(
        input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NWC",
        name: str | None = None,
    ) -> Tensor:  # fmt: skip
        if data_format != "NWC":
            refuse(f"{function.__name__} with data_format={data_format!r}.", 'Use "NWC".')
        sizes = ((1, *np.atleast_1d(whole_numbers(n)).tolist()) for n in (ksize, strides))
        return tensor_of(np.squeeze(pool(np.expand_dims(operand(input), 1), *sizes, padding), 1))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Return `{pool.__name__}` of series, [batch, steps, channels]."
    return function


max_pool1d = _in_one_row("max_pool1d", max_pool2d)
avg_pool1d = _in_one_row("avg_pool1d", avg_pool2d)


def _border(x: Any, window: tuple, strides: tuple, padding: Any) -> list:
    if not isinstance(padding, str):
        refuse("Pooling with a padding of numbers is not provided.", 'Use "SAME" or "VALID".')
    return [
        (0, 0),
        *find_border(padding, x.shape[1:-1], window, strides, (1,) * len(window)),
        (0, 0),
    ]
