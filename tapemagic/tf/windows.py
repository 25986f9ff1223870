"""Windows that slide over images: what convolution and pooling have in common.

`cut_patches` returns what a window covers at each of its places; a convolution is then one product
of matrices, and a pooling one maximum or mean. Dumoulin and Visin 2016, "A guide to convolution
arithmetic for deep learning", has pictures.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from tapemagic.autodiff.calls.dispatch import plain

from .conversion import operand
from .refusals import refuse

# ------------------------------------------------------------------------- what the user may say


#: How many axes a window slides along -> their names, and TensorFlow's word for channels last.
AXES = {2: "rows, columns", 3: "depth, rows, columns"}
LAYOUTS = {2: "NHWC", 3: "NDHWC"}


def per_axis(value: Any, name: str, axes: int = 2) -> tuple[int, ...]:
    """Return what is given for rows and columns: one number, one of each, or with 1 around them."""
    given = np.atleast_1d(np.asarray(plain(value)))
    numbers = given.tolist()
    if len(numbers) == axes + 2 and numbers[0] == numbers[-1] == 1:
        numbers = numbers[1:-1]
    if given.dtype.kind not in "iu" or len(numbers) not in (1, axes) or min(numbers) < 1:
        refuse(
            f"{name}={value!r}: positive numbers for {AXES[axes]} are expected.",
            f"Use one number, {axes} of them, or [1, {AXES[axes]}, 1] for {name}.",
        )
    return tuple(numbers if len(numbers) == axes else numbers * axes)


def as_image(input: Any, data_format: Any, name: str, axes: int = 2) -> Any:
    """Return the input as a tensor, if it is one of batch, rows, columns and channels."""
    if data_format not in (None, LAYOUTS[axes]):
        refuse(
            f"{name} with data_format={data_format!r} is not provided.",
            f"Put the channels last: tf.transpose(x, {[0, *range(2, axes + 2), 1]}).",
        )
    x = operand(input)
    shape = np.shape(plain(x))
    if len(shape) != axes + 2:
        refuse(
            f"{name} of a tensor of shape {shape}: it takes [batch, {AXES[axes]}, channels].",
            "Add what is missing: x[tf.newaxis] for the batch, x[..., tf.newaxis] for channels.",
        )
    return x


def find_border(
    padding: Any, lengths: tuple, window: tuple, strides: tuple, rates: tuple
) -> list[tuple[int, int]]:
    """Return how many rows to add above and below, and how many columns left and right.

    "SAME" gives ``ceil(length / stride)`` places; what does not divide evenly goes to the end.
    """
    if not isinstance(padding, str):
        return [(int(before), int(after)) for before, after in padding][1:-1]
    if padding.upper() not in ("SAME", "VALID"):
        refuse(f"Unknown padding: {padding!r}.", 'Use "SAME", "VALID" or a list of pairs.')
    if padding.upper() == "VALID":
        return [(0, 0)] * len(window)
    border = []
    for length, size, stride, rate in zip(lengths, window, strides, rates, strict=True):
        places = math.ceil(length / stride)
        missing = max(0, (places - 1) * stride + (size - 1) * rate + 1 - length)
        border.append((missing // 2, missing - missing // 2))
    return border


# ----------------------------------------------------------------------------- the sliding window


def cut_patches(x: Any, window: tuple, strides: tuple, rates: Any = None) -> Any:
    """Return what a window covers: [batch, rows, columns, elements of the window, channels].

    Element (i, j) of the window, at all of its places at once, is a slice of the image.
    """
    places = []
    for length, size, stride, rate in zip(
        np.shape(x)[1:-1], window, strides, rates or (1,) * len(window), strict=True
    ):
        covered = (size - 1) * rate + 1
        if covered > length:
            refuse(
                f"A window of {covered} elements does not fit into a length of {length}.",
                'Use padding="SAME", or a smaller window.',
            )
        last = (length - covered) // stride * stride
        places.append([slice(i, i + last + 1, stride) for i in range(0, covered, rate)])
    parts = [x[(slice(None), *part)] for part in itertools.product(*places)]
    return np.stack(parts, axis=len(window) + 1)
