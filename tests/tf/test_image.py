"""Images and Fourier transforms against NumPy's, and gradients against differences."""

import numpy as np
import pytest
from tf.differences import assert_same

from tapemagic import tf

RNG = np.random.default_rng(0)
X = RNG.uniform(size=(2, 4, 5, 3))


def variation(x):
    return np.abs(np.diff(x, axis=1)).sum((1, 2, 3)) + np.abs(np.diff(x, axis=2)).sum((1, 2, 3))


def contrast(x):
    mean = x.mean((1, 2), keepdims=True)
    return (x - mean) * 2 + mean


ROWS = {
    "total_variation": (tf.image.total_variation, variation),
    "image_gradients": (lambda x: tf.image.image_gradients(x)[0],
                        lambda x: np.diff(x, axis=1, append=x[:, -1:])),
    "flip_left_right": (tf.image.flip_left_right, lambda x: x[:, :, ::-1]),
    "flip_up_down": (tf.image.flip_up_down, lambda x: x[:, ::-1]),
    "adjust_brightness": (lambda x: tf.image.adjust_brightness(x, 0.1), lambda x: x + 0.1),
    "adjust_contrast": (lambda x: tf.image.adjust_contrast(x, 2.0), contrast),
    "rgb_to_grayscale": (tf.image.rgb_to_grayscale,
                         lambda x: (x @ [0.2989, 0.587, 0.114])[..., None]),
    "standardized": (tf.image.per_image_standardization,
                     lambda x: (x - x.mean((1, 2, 3), keepdims=True))
                     / x.std((1, 2, 3), keepdims=True)),
    "resize": (lambda x: tf.image.resize(x, (2, 10), "nearest"),
               lambda x: x[:, 1::2].repeat(2, axis=2)),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_images(name):
    assert_same(*ROWS[name], X)


def test_straight_lines_between():
    line = np.array([0.0, 4.0, 2.0]).reshape(1, 3, 1)
    assert tf.image.resize(line, (1, 6)).numpy().ravel().tolist() == [0, 1, 3, 3.5, 2.5, 2]
    half = tf.image.resize(X, (2, 5)).numpy()
    assert np.allclose(half, (X[:, ::2] + X[:, 1::2]) / 2, atol=1e-6)
    with pytest.raises(tf.errors.InvalidArgumentError, match="bicubic"):
        tf.image.resize(X, (2, 2), method="bicubic")


def test_random_flips():
    tf.random.set_seed(0)
    flips = {tf.image.random_flip_left_right(X[0]).numpy()[0, 0, 0].item() for _ in range(20)}
    assert flips == {X[0, 0, 0, 0], X[0, 0, -1, 0]}


@pytest.mark.parametrize(
    ("name", "reference"),
    [("rfft", np.fft.rfft), ("rfft2d", lambda x: np.fft.rfftn(x, axes=(-2, -1)))],
)
def test_transforms_of_real_numbers(name, reference):
    x = X[0]
    y = getattr(tf.signal, name)(tf.constant(x))
    assert np.allclose(y, reference(x))
    assert getattr(tf.signal, name)(tf.constant(x, tf.float32)).dtype == tf.complex64
    assert_same(
        lambda x: tf.abs(getattr(tf.signal, name)(x)) ** 2, lambda x: np.abs(reference(x)) ** 2, x
    )
    back = getattr(tf.signal, f"i{name}")(y, fft_length=x.shape[-2:] if "2d" in name else [3])
    assert np.allclose(back, x)


@pytest.mark.parametrize("name", ["fft", "fft2d"])
def test_transforms_of_complex_numbers(name):
    z = tf.constant(X[0] + 1j)
    there = getattr(tf.signal, name)(z)
    numpys = np.fft.fft if name == "fft" else np.fft.fft2
    assert np.allclose(there, numpys(z.numpy()))
    assert np.allclose(getattr(tf.signal, f"i{name}")(there), z)
    with pytest.raises(tf.errors.InvalidArgumentError, match="complex numbers only"):
        getattr(tf.signal, name)(X)
