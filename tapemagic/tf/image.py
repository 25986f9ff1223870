"""`tf.image`: what losses and attacks on images use, [..., rows, columns, channels]."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff.calls.dispatch import plain

from . import advice, colours, cropping, random
from .conversion import floats, operand, whole_numbers
from .creation import cast
from .refusals import in_words, refuse
from .specs import float32
from .tensor import Tensor, dtype_of, tensor_of

convert_image_dtype, adjust_gamma = colours.convert_image_dtype, colours.adjust_gamma
adjust_hue, adjust_saturation = colours.adjust_hue, colours.adjust_saturation
grayscale_to_rgb = colours.grayscale_to_rgb
rgb_to_hsv, hsv_to_rgb = colours.rgb_to_hsv, colours.hsv_to_rgb
psnr, ssim = colours.psnr, colours.ssim
central_crop, random_crop = cropping.central_crop, cropping.random_crop
crop_to_bounding_box = cropping.crop_to_bounding_box
pad_to_bounding_box = cropping.pad_to_bounding_box
resize_with_crop_or_pad = cropping.resize_with_crop_or_pad
rot90, transpose = cropping.rot90, cropping.transpose
extract_patches, sobel_edges = cropping.extract_patches, cropping.sobel_edges


class ResizeMethod:
    """Names of the ways to resize."""

    BILINEAR, NEAREST_NEIGHBOR, BICUBIC = "bilinear", "nearest", "bicubic"
    AREA, GAUSSIAN, LANCZOS3, LANCZOS5 = "area", "gaussian", "lanczos3", "lanczos5"
    MITCHELLCUBIC = "mitchellcubic"


@in_words
def total_variation(images: Any, name: str | None = None) -> Tensor:
    """Return the sum of absolute differences of neighbours in each image."""
    x = operand(images)
    if np.ndim(plain(x)) not in (3, 4):
        refuse(f"total_variation of shape {np.shape(plain(x))}.")
    down = np.abs(x[..., 1:, :, :] - x[..., :-1, :, :])
    across = np.abs(x[..., 1:, :] - x[..., :-1, :])
    axes = (-3, -2, -1)
    return tensor_of(np.sum(down, axis=axes) + np.sum(across, axis=axes))


@in_words
def image_gradients(image: Any) -> tuple:
    """Return the differences to the next row and to the next column, 0 at the last."""
    x = operand(image)
    if np.ndim(plain(x)) != 4:
        refuse(f"image_gradients of shape {np.shape(plain(x))}.", "It takes a batch of images.")
    none = (0, 0)
    down = np.pad(x[:, 1:] - x[:, :-1], [none, (0, 1), none, none])
    across = np.pad(x[:, :, 1:] - x[:, :, :-1], [none, none, (0, 1), none])
    return tensor_of(down), tensor_of(across)


@in_words
def flip_left_right(image: Any) -> Tensor:
    """Return the columns in reverse order."""
    return tensor_of(np.flip(operand(image), -2))


@in_words
def flip_up_down(image: Any) -> Tensor:
    """Return the rows in reverse order."""
    return tensor_of(np.flip(operand(image), -3))


def random_flip_left_right(image: Any, seed: Any = None) -> Tensor:
    """Return one image, or in half of the cases its columns in reverse order."""
    turned = plain(random.uniform((), seed=seed)) < 0.5
    return flip_left_right(image) if turned else tensor_of(operand(image))


def random_flip_up_down(image: Any, seed: Any = None) -> Tensor:
    """Return one image, or in half of the cases its rows in reverse order."""
    turned = plain(random.uniform((), seed=seed)) < 0.5
    return flip_up_down(image) if turned else tensor_of(operand(image))


def random_brightness(image: Any, max_delta: float, seed: Any = None) -> Tensor:
    """Return the image plus a random number between ``-max_delta`` and ``max_delta``."""
    return adjust_brightness(image, random.uniform((), -max_delta, max_delta, seed=seed))


def random_contrast(image: Any, lower: float, upper: float, seed: Any = None) -> Tensor:
    """Return the image with its contrast times a random number."""
    return adjust_contrast(image, random.uniform((), lower, upper, seed=seed))


def adjust_brightness(image: Any, delta: Any) -> Tensor:
    """Return the image plus a number."""
    return tensor_of(floats(image, "image.adjust_brightness") + delta)


@in_words
def adjust_contrast(images: Any, contrast_factor: Any) -> Tensor:
    """Return the differences to the mean of each channel times a factor."""
    x = floats(images, "image.adjust_contrast")
    mean = np.mean(x, axis=(-3, -2), keepdims=True)
    return tensor_of((x - mean) * contrast_factor + mean)


@in_words
def rgb_to_grayscale(images: Any, name: str | None = None) -> Tensor:
    """Return one channel of three, by how bright they look."""
    x = floats(images, "image.rgb_to_grayscale")
    weights = np.array([0.2989, 0.587, 0.114], dtype_of(x))
    return tensor_of(np.expand_dims(np.tensordot(x, weights, 1), -1))


@in_words
def per_image_standardization(image: Any) -> Tensor:
    """Return each image with mean 0 and variance 1; even ones become zeros."""
    x = cast(image, float32) if dtype_of(operand(image)).kind in "iu" else operand(image)
    axes = (-3, -2, -1)
    count = np.prod(np.shape(plain(x))[-3:])
    mean = np.mean(x, axis=axes, keepdims=True)
    least = np.asarray(1 / np.sqrt(count), dtype_of(x))
    return tensor_of((x - mean) / np.maximum(np.std(x, axis=axes, keepdims=True), least))


@in_words
def resize(
    images: Any, size: Any, method: str = "bilinear", preserve_aspect_ratio: bool = False,
    antialias: bool = False, name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return images with other numbers of rows and columns; "bilinear" makes float32 of them."""
    if method not in ("bilinear", "nearest") or preserve_aspect_ratio or antialias:
        refuse(
            f"resize with method={method!r}, preserve_aspect_ratio={preserve_aspect_ratio}, "
            f"antialias={antialias} is not provided.",
            'Use method="bilinear" or "nearest".',
        )
    y = operand(images)
    y = cast(y, float32) if method == "bilinear" else y
    for axis, count in zip((-3, -2), whole_numbers(size), strict=True):
        y = stretched(y, count, axis + np.ndim(plain(y)), method)
    return tensor_of(y)


def stretched(x: Any, count: int, axis: int, method: str) -> Any:
    """Return `count` elements in place of those along an axis.

    Their middles lie evenly over the middles of those, beyond which the last one counts.
    """
    length = np.shape(plain(x))[axis]
    place = (np.arange(count) + 0.5) * (length / count)
    if method == "nearest":
        return np.take(x, np.minimum(place.astype(int), length - 1), axis=axis)
    place = np.clip(place - 0.5, 0, length - 1)
    low = np.minimum(place.astype(int), max(length - 2, 0))
    part = (place - low).astype(dtype_of(x)).reshape((-1,) + (1,) * (np.ndim(plain(x)) - axis - 1))
    high = np.take(x, np.minimum(low + 1, length - 1), axis=axis)
    return np.take(x, low, axis=axis) * (1 - part) + high * part


__getattr__ = advice.missing("tf.image")
