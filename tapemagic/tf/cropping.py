"""Parts of images, [..., rows, columns, channels]: cut out, turned round, taken as patches."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff.calls.dispatch import plain

from . import random
from .conversion import floats, operand, whole_numbers
from .refusals import in_words, refuse
from .tensor import Tensor, tensor_of
from .windows import as_image, cut_patches, find_border


def _lengths(image: Any) -> tuple[int, int]:
    """Return the numbers of rows and columns."""
    shape = np.shape(plain(operand(image)))
    if len(shape) not in (3, 4):
        refuse(f"An image of shape {shape}: it has rows, columns and channels.")
    return shape[-3], shape[-2]


def crop_to_bounding_box(
    image: Any, offset_height: int, offset_width: int, target_height: int, target_width: int
) -> Tensor:
    """Return so many rows and columns, from one of each on."""
    rows, columns = _lengths(image)
    bottom, right = offset_height + target_height, offset_width + target_width
    if not (0 <= offset_height < bottom <= rows and 0 <= offset_width < right <= columns):
        refuse(f"Rows {offset_height}:{bottom} and columns {offset_width}:{right} of {image.shape}")
    return operand(image)[..., offset_height:bottom, offset_width:right, :]


def pad_to_bounding_box(
    image: Any, offset_height: int, offset_width: int, target_height: int, target_width: int
) -> Tensor:
    """Return an image that lies in a larger one of zeros, from a row and a column on."""
    rows, columns = _lengths(image)
    below, right = target_height - offset_height - rows, target_width - offset_width - columns
    if min(offset_height, offset_width, below, right) < 0:
        refuse(f"An image of shape {image.shape} does not fit {target_height} x {target_width}.")
    around = [(offset_height, below), (offset_width, right), (0, 0)]
    x = operand(image)
    return tensor_of(np.pad(x, [(0, 0)] * (np.ndim(plain(x)) - 3) + around))


def resize_with_crop_or_pad(image: Any, target_height: int, target_width: int) -> Tensor:
    """Return the middle of an image, or an image in the middle of zeros."""
    more = [n - m for n, m in zip((target_height, target_width), _lengths(image), strict=True)]
    kept = [min(pair) for pair in zip((target_height, target_width), _lengths(image), strict=True)]
    middle = crop_to_bounding_box(image, *(max(-n // 2, 0) for n in more), *kept)
    top, left = (max(n // 2, 0) for n in more)
    return pad_to_bounding_box(middle, top, left, target_height, target_width)


def central_crop(image: Any, central_fraction: float) -> Tensor:
    """Return the middle of an image, a part of its rows and of its columns."""
    if not 0 < central_fraction <= 1:
        refuse(f"central_fraction={central_fraction} is not in (0, 1].")
    lengths = _lengths(image)
    starts = [int((n - n * central_fraction) / 2) for n in lengths]
    kept = [n - 2 * start for n, start in zip(lengths, starts, strict=True)]
    return crop_to_bounding_box(image, *starts, *kept)


def random_crop(value: Any, size: Any, seed: Any = None, name: str | None = None) -> Tensor:
    """Return a part of a tensor of a given size, from anywhere in it."""
    x, wanted = operand(value), whole_numbers(size)
    shape = np.shape(plain(x))
    if len(wanted) != len(shape) or any(n > m for n, m in zip(wanted, shape, strict=True)):
        refuse(f"random_crop of size {wanted} of a tensor of shape {shape}.")
    part = plain(random.uniform((len(shape),), seed=seed))
    starts = [int(u * (m - n + 1)) for u, m, n in zip(part, shape, wanted, strict=True)]
    return x[tuple(slice(i, i + n) for i, n in zip(starts, wanted, strict=True))]


@in_words
def rot90(image: Any, k: int = 1, name: str | None = None) -> Tensor:
    """Return an image turned left by a right angle, or by several."""
    return tensor_of(np.rot90(operand(image), whole_numbers(k), axes=(-3, -2)))


@in_words
def transpose(image: Any, name: str | None = None) -> Tensor:
    """Return rows for columns."""
    return tensor_of(np.swapaxes(operand(image), -3, -2))


def extract_patches(
    images: Any, sizes: Any, strides: Any, rates: Any, padding: str, name: str | None = None
) -> Tensor:
    """Return what a window covers at each of its places, as channels.

    Examples
    --------
    >>> from tapemagic import tf
    >>> image = tf.reshape(tf.range(4.0), [1, 2, 2, 1])
    >>> ones = [1, 1, 1, 1]
    >>> print(tf.image.extract_patches(image, [1, 1, 2, 1], ones, ones, "VALID")[0, :, 0])
    tf.Tensor(
    [[0. 1.]
     [2. 3.]], shape=(2, 2), dtype=float32)
    """
    x = as_image(images, None, "image.extract_patches")
    window, steps, rates = (tuple(whole_numbers(n)[1:3]) for n in (sizes, strides, rates))
    border = find_border(padding, np.shape(plain(x))[1:3], window, steps, rates)
    patches = cut_patches(np.pad(x, [(0, 0), *border, (0, 0)]), window, steps, rates)
    return tensor_of(np.reshape(patches, (*np.shape(patches)[:3], -1)))


@in_words
def sobel_edges(image: Any) -> Tensor:
    """Return the slopes down and to the right, along a new last axis.

    Each is a difference over two elements, smoothed across by weights of 1, 2 and 1.
    """
    x = np.pad(floats(image, "image.sobel_edges"), [(0, 0), (1, 1), (1, 1), (0, 0)], "reflect")
    down, right = x[:, 2:] - x[:, :-2], x[:, :, 2:] - x[:, :, :-2]
    down = down[:, :, :-2] + 2 * down[:, :, 1:-1] + down[:, :, 2:]
    right = right[:, :-2] + 2 * right[:, 1:-1] + right[:, 2:]
    return tensor_of(np.stack([down, right], axis=-1))
