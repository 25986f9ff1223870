"""Windows that slide over images: what convolution and pooling have in common.

`cut_patches` returns what a window covers at each of its places; a convolution is then one product
of matrices, and a pooling one maximum or mean. Dumoulin and Visin 2016, "A guide to convolution
arithmetic for deep learning", has pictures.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tapemagic.autodiff.calls.dispatch import plain

from .conversion import operand
from .refusals import refuse

# ------------------------------------------------------------------------- what the user may say


def pair(value: Any, name: str) -> tuple[int, int]:
    """Return what is given for rows and columns: one number, two, or four with 1 around them."""
    given = np.atleast_1d(np.asarray(plain(value)))
    numbers = given.tolist()
    if len(numbers) == 4 and numbers[0] == numbers[3] == 1:
        numbers = numbers[1:3]
    if given.dtype.kind not in "iu" or len(numbers) not in (1, 2) or min(numbers) < 1:
        refuse(
            f"{name}={value!r}: positive numbers for the rows and the columns are expected.",
            f"Use one number, two, or [1, rows, columns, 1] for {name}.",
        )
    return numbers[0], numbers[-1]


def as_image(input: Any, data_format: Any, name: str) -> Any:
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


def find_border(
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


def cut_patches(x: Any, window: tuple, strides: tuple, rates: tuple = (1, 1)) -> Any:
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
