"""Channels one by one, and as places, against loops."""

import numpy as np
import pytest
from tf.differences import assert_same

from tapemagic import tf

RNG = np.random.default_rng(0)
X, W = RNG.normal(size=(1, 4, 5, 2)), RNG.normal(size=(2, 3, 2, 3))
POINTS = RNG.normal(size=(1, 1, 6, 2))


def by_hand(x, w):
    rows, columns = x.shape[1] - w.shape[0] + 1, x.shape[2] - w.shape[1] + 1
    y = np.zeros((x.shape[0], rows, columns, w.shape[2], w.shape[3]))
    for r, c in np.ndindex(rows, columns):
        window = x[:, r : r + w.shape[0], c : c + w.shape[1], :, None]
        y[:, r, c] = np.sum(window * w, axis=(1, 2))
    return y.reshape(*y.shape[:3], -1)


def test_filters_of_each_channel():
    strides = [1, 1, 1, 1]
    assert_same(lambda x, w: tf.nn.depthwise_conv2d(x, w, strides, "VALID"), by_hand, X, W)
    assert_same(
        lambda x, w, p: tf.nn.separable_conv2d(x, w, p, strides, "VALID"),
        lambda x, w, p: by_hand(x, w) @ p[0, 0], X, W, POINTS,
    )  # fmt: skip
    same = tf.nn.depthwise_conv2d(X, W, [1, 2, 2, 1], "SAME")
    padded = np.pad(X, [(0, 0), (0, 0), (1, 1), (0, 0)])
    assert np.allclose(same, by_hand(padded, W)[:, ::2, ::2])
    with pytest.raises(tf.errors.InvalidArgumentError, match="results of each"):
        tf.nn.depthwise_conv2d(X, W[:, :, :1], strides, "VALID")


def test_channels_and_places():
    x = RNG.normal(size=(2, 4, 6, 3))

    def blocks(x):
        return np.concatenate([x[:, r::2, c::2] for r in (0, 1) for c in (0, 1)], axis=-1)

    assert_same(lambda x: tf.nn.space_to_depth(x, 2), blocks, x)
    assert np.array_equal(tf.nn.depth_to_space(blocks(x), 2), x)
    for bad in (lambda: tf.nn.space_to_depth(x, 4), lambda: tf.nn.depth_to_space(x, 2)):
        with pytest.raises(tf.errors.InvalidArgumentError, match="blocks of"):
            bad()


@pytest.mark.parametrize("name", ["max", "avg"])
def test_pooling_of_series(name):
    pool = {"max": np.max, "avg": np.mean}[name]
    assert_same(
        lambda x: getattr(tf.nn, f"{name}_pool1d")(x, 2, 2, "VALID"),
        lambda x: np.stack([pool(x[:, i : i + 2], axis=1) for i in (0, 2)], 1), X[:, 0],
    )  # fmt: skip


def test_transposed_convolution_of_series():
    # the adjoint of conv1d: <y, conv(x)> = <transposed(y), x>
    x, w, y = RNG.normal(size=(1, 7, 2)), RNG.normal(size=(3, 2, 4)), RNG.normal(size=(1, 3, 4))
    there = np.sum(tf.nn.conv1d(x, w, 2, "VALID").numpy() * y)
    back = tf.nn.conv1d_transpose(y, w, [1, 7, 2], 2, "VALID")
    assert np.isclose(there, np.sum(back.numpy() * x))
