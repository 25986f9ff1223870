"""Attention, and convolution of series and channels, against formulas of NumPy."""

import numpy as np
import pytest
from tf.differences import assert_same

from tapemagic import tf

layers = tf.keras.layers
RNG = np.random.default_rng(0)
Q, V, K = RNG.normal(size=(2, 3, 4)), RNG.normal(size=(2, 5, 4)), RNG.normal(size=(2, 5, 4))


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def test_attention():
    layer = layers.Attention(dtype="float64")
    assert_same(
        lambda q, v, k: layer([q, v, k]),
        lambda q, v, k: softmax(q @ k.swapaxes(1, 2)) @ v, Q, V, K,
    )  # fmt: skip
    y, weights = layers.Attention()([Q, V], return_attention_scores=True)
    assert np.allclose(weights, softmax(Q @ V.swapaxes(1, 2)), atol=1e-5)
    sums = np.tanh(Q[:, :, None] + V[:, None])
    y = layers.Attention(score_mode="concat", use_scale=True)([Q, V])
    assert np.allclose(y, softmax(sums.sum(-1)) @ V, atol=1e-5)
    layer = layers.AdditiveAttention()
    y = layer([Q, V])
    assert np.allclose(y, softmax((layer.scale.numpy() * sums).sum(-1)) @ V, atol=1e-5)


def test_masks():
    known = np.array([[True, True, False, True, False]] * 2)
    y = layers.Attention()([Q, V], mask=[np.array([[True, False, True]] * 2), known])
    expected = softmax(np.where(known[:, None], Q @ V.swapaxes(1, 2), -np.inf)) @ V
    assert np.allclose(y, expected * np.array([1, 0, 1])[:, None], atol=1e-5)
    earlier = np.where(np.tri(3) > 0, Q @ Q.swapaxes(1, 2), -np.inf)
    assert np.allclose(
        layers.Attention()([Q, Q], use_causal_mask=True), softmax(earlier) @ Q, atol=1e-5
    )


def test_heads():
    layer = layers.MultiHeadAttention(2, 3, value_dim=5, output_shape=6)
    y, weights = layer(Q, V, K, return_attention_scores=True)
    wq, bq, wk, bk, wv, bv, wo, bo = (v.numpy() for v in layer.weights)
    q, k, v = (np.einsum("btc,chd->bhtd", x, w) for x, w in ((Q, wq), (K, wk), (V, wv)))
    q, k, v = q + bq[:, None], k + bk[:, None], v + bv[:, None]
    scores = softmax(q @ k.swapaxes(-1, -2) / np.sqrt(3))
    assert np.allclose(weights, scores, atol=1e-5)
    assert np.allclose(y, np.einsum("bhtd,hde->bte", scores @ v, wo) + bo, atol=1e-5)
    masked = layer(Q, V, attention_mask=np.arange(5) < np.ones((2, 3, 1)))
    assert np.allclose(masked, np.einsum("bhtd,hde->bte", v_of_first(layer, V), wo) + bo, atol=1e-5)
    assert layer(Q, Q, use_causal_mask=True).shape == (2, 3, 6)
    # with nothing to look at, TensorFlow 2.21 returns the bias, and not the mean of all
    for options in ({"attention_mask": np.zeros((2, 3, 5), bool)},
                    {"attention_mask": np.arange(5) > np.full((2, 3, 1), 2),
                     "use_causal_mask": True}):  # fmt: skip
        y, weights = layer(Q, V, return_attention_scores=True, **options)
        assert not weights.numpy().any()
        assert np.allclose(y, np.broadcast_to(bo, y.shape), atol=1e-6)


def v_of_first(layer, x):
    """What each query gets if it may look at the first value only."""
    weights, bias = layer.value_dense.kernel.numpy(), layer.value_dense.bias.numpy()
    v = np.einsum("btc,chd->bhtd", x, weights) + bias[:, None]
    return np.repeat(v[:, :, :1], 3, axis=2)


def test_einstein():
    layer = layers.EinsumDense("abc,cde->abde", (None, 2, 3), bias_axes="de", activation="tanh")
    y = layer(Q)
    kernel, bias = layer.get_weights()
    assert np.allclose(y, np.tanh(np.einsum("abc,cde->abde", Q, kernel) + bias), atol=1e-5)
    with pytest.raises(ValueError, match="every axis"):
        layers.EinsumDense("...x,xy->...y", 4)(Q)


def convolved(x, kernel, bias=0):
    steps = x.shape[1] - len(kernel) + 1
    return sum(x[:, i : i + steps] @ kernel[i] for i in range(len(kernel))) + bias


def test_series():
    layer = layers.Conv1D(2, 3)
    y = layer(V)
    assert np.allclose(y, convolved(V, *layer.get_weights()), atol=1e-5)
    layer = layers.Conv1D(2, 3, padding="causal")
    y, before = layer(V), np.pad(V, [(0, 0), (2, 0), (0, 0)])
    assert np.allclose(y, convolved(before, *layer.get_weights()), atol=1e-5)
    layer = layers.Conv1DTranspose(3, 2, strides=2)
    kernel = (layer(V), layer.kernel.numpy())[1]  # of the ends of what comes out, each apart
    expected = np.einsum("btc,kfc->btkf", V, kernel).reshape(2, 10, 3)
    assert np.allclose(layer(V), expected, atol=1e-5)
    pairs = V[:, :4].reshape(2, 2, 2, 4)
    assert np.allclose(layers.MaxPooling1D()(V), pairs.max(2))
    assert np.allclose(layers.AveragePooling1D()(V), pairs.mean(2), atol=1e-6)
    assert np.allclose(layers.GlobalMaxPooling1D()(V), V.max(1))
    assert np.allclose(
        layers.GlobalAveragePooling1D(keepdims=True)(V), V.mean(1, keepdims=True), atol=1e-6
    )


def test_channels_by_themselves():
    x = RNG.normal(size=(1, 4, 4, 2))
    layer = layers.DepthwiseConv2D(3, depth_multiplier=2, bias_initializer="ones")
    y, kernel = layer(x), layer.kernel.numpy()
    assert np.allclose(
        y, tf.nn.depthwise_conv2d(x, kernel.astype(float), [1] * 4, "VALID") + 1, atol=1e-5
    )
    layer = layers.SeparableConv2D(3, 3, use_bias=False)
    y = layer(x)
    kernels = [v.numpy().astype(float) for v in layer.weights]
    assert np.allclose(y, tf.nn.separable_conv2d(x, *kernels, [1] * 4, "VALID"), atol=1e-5)
