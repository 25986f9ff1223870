"""Colours of images, [..., channels], and how much one image is like another."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff.calls.dispatch import plain

from .choices import chosen
from .conversion import floats, match, operand
from .creation import cast
from .refusals import in_words, refuse
from .specs import as_dtype, float32
from .tensor import Tensor, dtype_of, tensor_of


@in_words
def convert_image_dtype(
    image: Any, dtype: Any, saturate: bool = False, name: str | None = None
) -> Tensor:
    """Return an image in another dtype: floats are from 0 to 1, integers up to their largest."""
    x, wanted = operand(image), as_dtype(dtype)
    kinds = dtype_of(x).kind, wanted.dtype.kind
    if kinds in (("u", "f"), ("i", "f")):
        scaled = cast(x, dtype) * wanted.dtype.type(1 / np.iinfo(dtype_of(x)).max)
        return tensor_of(scaled)
    if kinds in (("f", "u"), ("f", "i")):
        scaled = x * dtype_of(x).type(wanted.max + 0.5)
        return cast(np.clip(scaled, wanted.min, wanted.max) if saturate else scaled, dtype)
    if dtype_of(x) != wanted.dtype and kinds != ("f", "f"):
        refuse(f"convert_image_dtype from {dtype_of(x)} to {wanted.name} is not provided.")
    return cast(x, dtype)


@in_words
def adjust_gamma(image: Any, gamma: Any = 1, gain: Any = 1) -> Tensor:
    """Return ``gain * image ** gamma``."""
    return tensor_of(gain * floats(image, "image.adjust_gamma") ** gamma)


@in_words
def grayscale_to_rgb(images: Any, name: str | None = None) -> Tensor:
    """Return three channels, all like the one that is there."""
    x = operand(images)
    if np.shape(plain(x))[-1:] != (1,):
        refuse(f"grayscale_to_rgb of shape {np.shape(plain(x))}.", "The last length has to be 1.")
    return tensor_of(np.repeat(x, 3, axis=-1))


@in_words
def rgb_to_hsv(images: Any, name: str | None = None) -> Tensor:
    """Return hue, saturation and value, each from 0 to 1."""
    x = floats(images, "image.rgb_to_hsv")
    red, green, blue = x[..., 0], x[..., 1], x[..., 2]
    value = np.max(x, axis=-1)
    spread = value - np.min(x, axis=-1)
    even, dark = chosen(np.equal, spread, 0), chosen(np.less_equal, value, 0)
    sixth = 1 / (6 * np.where(even, 1, spread))
    is_red, is_green = chosen(np.equal, red, value), chosen(np.equal, green, value)
    among_others = np.where(is_green, (blue - red) * sixth + 1 / 3, (red - green) * sixth + 2 / 3)
    hue = np.where(even, 0, np.where(is_red, (green - blue) * sixth, among_others))
    hue = np.where(chosen(np.less, hue, 0), hue + 1, hue)
    saturation = np.where(dark, 0, spread / np.where(dark, 1, value))
    return tensor_of(np.stack([hue, saturation, value], axis=-1).astype(dtype_of(x)))


@in_words
def hsv_to_rgb(images: Any, name: str | None = None) -> Tensor:
    """Return red, green and blue for hue, saturation and value."""
    x = floats(images, "image.hsv_to_rgb")
    place, saturation, value = x[..., 0] * 6, x[..., 1], x[..., 2]
    parts = np.abs(place - 3) - 1, 2 - np.abs(place - 2), 2 - np.abs(place - 4)
    channels = [(1 - saturation + saturation * np.clip(part, 0, 1)) * value for part in parts]
    return tensor_of(np.stack(channels, axis=-1))


@in_words
def adjust_hue(image: Any, delta: Any, name: str | None = None) -> Tensor:
    """Return an image whose hues are moved round their circle."""
    hsv = rgb_to_hsv(image)
    hue = (hsv[..., 0] + delta) % 1
    return hsv_to_rgb(np.stack([hue, hsv[..., 1], hsv[..., 2]], axis=-1))


@in_words
def adjust_saturation(image: Any, saturation_factor: Any, name: str | None = None) -> Tensor:
    """Return an image whose saturation is multiplied, up to 1."""
    hsv = rgb_to_hsv(image)
    saturation = np.clip(hsv[..., 1] * saturation_factor, 0, 1)
    return hsv_to_rgb(np.stack([hsv[..., 0], saturation, hsv[..., 2]], axis=-1))


@in_words
def psnr(a: Any, b: Any, max_val: Any, name: str | None = None) -> Tensor:
    """Return the ratio of the largest value to the differences, in decibels."""
    x, y, largest = _from_0_to_1(a, b, max_val)
    error = np.mean(np.square(x - y), axis=(-3, -2, -1))
    return tensor_of((20 * np.log(largest) - 10 * np.log(error)) / np.log(x.dtype.dtype.type(10)))


@in_words
def ssim(
    img1: Any, img2: Any, max_val: Any, filter_size: int = 11, filter_sigma: float = 1.5,
    k1: float = 0.01, k2: float = 0.03, return_index_map: bool = False,
) -> Tensor:  # fmt: skip
    """Return the structural similarity of images, 1 for the same ones.

    Wang et al. 2004, "Image quality assessment: from error visibility to structural similarity".
    """
    x, y, largest = _from_0_to_1(img1, img2, max_val)
    if min(np.shape(plain(x))[-3:-1]) < filter_size:
        refuse(
            f"ssim of images of shape {np.shape(plain(x))} with filter_size={filter_size}.",
            "Use a smaller filter_size.",
        )
    places = np.arange(filter_size) - (filter_size - 1) / 2
    weights = np.exp(-np.square(places) / (2 * filter_sigma**2))
    weights = (weights / weights.sum()).astype(dtype_of(x))

    def smooth(image: Any) -> Any:
        for axis in (-3, -2):  # a Gaussian of two axes is one along each
            windows = np.lib.stride_tricks.sliding_window_view(image, filter_size, axis=axis)
            image = np.matmul(windows, weights)
        return image

    small, smaller = (k1 * largest) ** 2, (k2 * largest) ** 2
    mean_x, mean_y = smooth(x), smooth(y)
    product, squares = 2 * mean_x * mean_y, np.square(mean_x) + np.square(mean_y)
    luminance = (product + small) / (squares + small)
    shared, total = 2 * smooth(x * y), smooth(np.square(x) + np.square(y))
    contrast = (shared - product + smaller) / (total - squares + smaller)
    found = np.mean(luminance * contrast, axis=-1)
    return tensor_of(found if return_index_map else np.mean(found, axis=(-2, -1)))


def _from_0_to_1(a: Any, b: Any, max_val: Any) -> tuple:
    """Return two images and their largest value as floats."""
    a, b = match((a, b))
    largest = np.asarray(plain(operand(max_val))).astype(dtype_of(operand(a)))
    return tuple(convert_image_dtype(x, float32) for x in (a, b, largest))
