"""Colours and likeness of images against Python's `colorsys` and the formulas, with gradients."""

import colorsys

import numpy as np
import pytest
from tf.differences import assert_same

from tapemagic import tf

X = np.random.default_rng(0).uniform(0.1, 0.9, (1, 4, 5, 3))
Y = np.random.default_rng(1).uniform(0.1, 0.9, (1, 4, 5, 3))


def each_pixel(fun):
    return lambda x: np.apply_along_axis(lambda pixel: np.array(fun(*pixel)), -1, x)


def hue_moved(x, delta):
    hsv = each_pixel(colorsys.rgb_to_hsv)(x)
    return each_pixel(colorsys.hsv_to_rgb)((hsv + np.array([delta, 0, 0])) % 1)


def decibels(x, y):
    return 10 * np.log10(4 / np.mean((x - y) ** 2, axis=(1, 2, 3)))


@pytest.mark.parametrize(
    ("fun", "reference", "args"),
    [
        (tf.image.rgb_to_hsv, each_pixel(colorsys.rgb_to_hsv), [X]),
        (tf.image.hsv_to_rgb, each_pixel(colorsys.hsv_to_rgb), [X]),
        (lambda x: tf.image.adjust_hue(x, 0.2), lambda x: hue_moved(x, 0.2), [X]),
        (lambda x: tf.image.adjust_gamma(x, 2.0), lambda x: x**2, [X]),
        (tf.image.rot90, lambda x: np.rot90(x, axes=(1, 2)), [X]),
        (
            lambda x: tf.image.resize_with_crop_or_pad(x, 2, 7),
            lambda x: np.pad(x[:, 1:3], [(0, 0), (0, 0), (1, 1), (0, 0)]), [X],
        ),
    ],
)  # fmt: skip
def test_values_and_gradients(fun, reference, args):
    assert_same(fun, reference, *args)


def test_grey_black_and_white():
    """Where hue and saturation have no place, they are 0, and so is their gradient."""
    x = tf.Variable([[0.0, 0.0, 0.0], [0.5, 0.5, 0.5]])
    with tf.GradientTape() as tape:
        y = tf.image.rgb_to_hsv(x)
    assert y.numpy().tolist() == [[0, 0, 0], [0, 0, 0.5]]
    assert np.isfinite(tape.gradient(y, x).numpy()).all()


def test_likeness():
    assert tf.image.psnr(X, Y, 2.0).numpy() == pytest.approx(decibels(X, Y), rel=1e-5)
    x, y = (tf.constant(image, tf.float32) for image in (X, Y))
    assert tf.image.ssim(x, x, 1.0, filter_size=3).numpy() == pytest.approx([1])
    assert tf.image.ssim(x, y, 1.0, filter_size=3).numpy() < 0.9
    with pytest.raises(tf.errors.InvalidArgumentError, match="filter_size"):
        tf.image.ssim(x, y, 1.0)


def test_dtypes_of_images():
    x = tf.constant([[[0, 128, 255]]], tf.uint8)
    y = tf.image.convert_image_dtype(x, tf.float32)
    assert y.numpy().ravel().tolist() == pytest.approx([0, 128 / 255, 1])
    assert np.array_equal(tf.image.convert_image_dtype(y, tf.uint8), x)
    assert tf.image.random_crop(x, [1, 1, 2]).shape == (1, 1, 2)
    with pytest.raises(tf.errors.InvalidArgumentError, match="random_crop"):
        tf.image.random_crop(x, [2, 1, 2])
