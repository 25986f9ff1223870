"""Merges, borders, copies, noise and normalizations against NumPy, and gradients by differences."""

import numpy as np
import pytest
from tf.differences import assert_same

from tapemagic import tf

layers = tf.keras.layers
RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(3, 4)), RNG.normal(size=(3, 4))
SERIES, IMAGES = RNG.normal(size=(2, 4, 3)), RNG.normal(size=(1, 4, 4, 2))

MERGES = {
    "Add": A + B, "Subtract": A - B, "Multiply": A * B, "Average": (A + B) / 2,
    "Maximum": np.maximum(A, B), "Minimum": np.minimum(A, B),
    "Concatenate": np.concatenate([A, B], -1),
}  # fmt: skip


@pytest.mark.parametrize("name", MERGES)
def test_merges(name):
    y = getattr(layers, name)()([A, B])
    assert np.allclose(y, MERGES[name], atol=1e-6)
    assert np.array_equal(
        y, getattr(layers, name.lower())([tf.constant(x, tf.float32) for x in (A, B)])
    )


def test_products_over_an_axis():
    assert np.allclose(layers.Dot(axes=1)([A, B]), (A * B).sum(1, keepdims=True), atol=1e-6)
    x, y = RNG.normal(size=(2, 3, 4)), RNG.normal(size=(2, 4, 5))
    assert np.allclose(layers.Dot(axes=(2, 1))([x, y]), x @ y, atol=1e-5)
    unit = (z / np.linalg.norm(z, axis=1, keepdims=True) for z in (A, B))
    cosine = np.prod(list(unit), axis=0).sum(1, keepdims=True)
    assert np.allclose(layers.Dot(1, normalize=True)([A, B]), cosine, atol=1e-6)


def test_bad_merges():
    with pytest.raises(ValueError, match="at least two"):
        layers.Add()(A)
    with pytest.raises(ValueError, match="two tensors"):
        layers.Subtract()([A, B, A])


def groups(x):
    return (x - x.mean((1, 2), keepdims=True)) / np.sqrt(x.var((1, 2), keepdims=True) + 0.5)


#: Layer, the same in NumPy, and the input.
ROWS = {
    "Lambda": (layers.Lambda(lambda x: x * 2, dtype="float64"), lambda x: x * 2, A),
    "Identity": (layers.Identity(dtype="float64"), lambda x: x, A),
    "Permute": (layers.Permute((2, 1), dtype="float64"), lambda x: x.swapaxes(1, 2), SERIES),
    "RepeatVector": (layers.RepeatVector(2, dtype="float64"), lambda x: np.stack([x, x], 1), A),
    "ELU": (layers.ELU(0.5, dtype="float64"), lambda x: np.where(x > 0, x, np.expm1(x) / 2), A),
    "PReLU": (layers.PReLU("ones", dtype="float64"), lambda x: x, A),
    "ZeroPadding1D": (layers.ZeroPadding1D((1, 2), dtype="float64"),
                      lambda x: np.pad(x, [(0, 0), (1, 2), (0, 0)]), SERIES),
    "ZeroPadding2D": (layers.ZeroPadding2D((1, 2), dtype="float64"),
                      lambda x: np.pad(x, [(0, 0), (1, 1), (2, 2), (0, 0)]), IMAGES),
    "Cropping1D": (layers.Cropping1D(1, dtype="float64"), lambda x: x[:, 1:-1], SERIES),
    "Cropping2D": (layers.Cropping2D(((1, 0), (0, 2)), dtype="float64"),
                   lambda x: x[:, 1:, :-2], IMAGES),
    "UpSampling1D": (layers.UpSampling1D(2, dtype="float64"), lambda x: x.repeat(2, 1), SERIES),
    "UpSampling2D": (layers.UpSampling2D((1, 3), dtype="float64"), lambda x: x.repeat(3, 2), IMAGES),
    "UnitNormalization": (layers.UnitNormalization(dtype="float64"),
                          lambda x: x / np.linalg.norm(x, axis=-1, keepdims=True), A),
    "RMSNormalization": (layers.RMSNormalization(epsilon=0.5, dtype="float64"),
                         lambda x: x / np.sqrt((x**2).mean(-1, keepdims=True) + 0.5), A),
    "GroupNormalization": (layers.GroupNormalization(-1, epsilon=0.5, dtype="float64"),
                           groups, IMAGES),
    "Normalization": (layers.Normalization(mean=1.0, variance=4.0, dtype="float64"),
                      lambda x: (x - 1) / 2, A),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_against_numpy(name):
    layer, reference, x = ROWS[name]
    assert_same(layer, reference, x)


def test_stretched_images():
    # a straight line between the middles of elements, and level outside of them
    x = np.array([0.0, 4.0]).reshape(1, 1, 2, 1)
    y = layers.UpSampling2D((1, 2), interpolation="bilinear")(x)
    assert y.numpy().ravel().tolist() == [0, 1, 3, 4]


def test_group_normalization_of_pairs():
    y = layers.GroupNormalization(1, epsilon=0)(IMAGES).numpy()
    assert np.allclose((y.mean(), y.var()), (0, 1), atol=1e-5)
    with pytest.raises(ValueError, match="in 3 groups"):
        layers.GroupNormalization(3)(IMAGES)


def test_normalization_adapts():
    layer = layers.Normalization()
    layer.adapt(A)
    assert np.allclose(layer(B), (B - A.mean(0)) / A.std(0), atol=1e-5)
    back = layers.Normalization(invert=True)
    back.adapt(A)
    assert np.allclose(back(layer(B)), B, atol=1e-5)
    with pytest.raises(ValueError, match="adapt"):
        layers.Normalization()(A)


@pytest.mark.parametrize("name", ["GaussianNoise", "GaussianDropout"])
def test_noise(name):
    layer, x = getattr(layers, name)(0.2), np.ones((1000, 4))
    assert np.array_equal(layer(x), x)
    y = layer(x, training=True).numpy()
    deviation = {"GaussianNoise": 0.2, "GaussianDropout": 0.5}[name]
    assert np.allclose((y.mean(), y.std()), (1, deviation), atol=0.05)


def test_dropout_of_channels():
    y = layers.SpatialDropout2D(0.5)(np.ones((50, 3, 3, 4)), training=True).numpy()
    assert (y == y[:, :1, :1]).all()
    assert set(np.unique(y)) == {0, 2}


def test_regularizers_and_constraints():
    kernel = np.array([[3.0, -1.0], [-4.0, 0.5]])
    layer = layers.Dense(
        2, kernel_initializer=lambda shape, dtype: kernel, kernel_regularizer="l1",
        bias_regularizer=tf.keras.regularizers.L2(0.5), kernel_constraint="unit_norm",
        activity_regularizer=tf.keras.regularizers.L1L2(l2=0.1), bias_initializer="ones",
    )  # fmt: skip
    y = layer(np.eye(2)).numpy()
    expected = [0.1 * (y**2).sum() / 2, 0.01 * 8.5, 0.5 * 2]  # of the batch, of the weights
    assert np.allclose(layer.losses, expected)
    with tf.GradientTape() as tape:
        penalty = tf.add_n(layer.losses)
    assert np.allclose(tape.gradient(penalty, layer.bias), 1)
    tf.keras.optimizers.SGD(0.0).apply_gradients([(layer.kernel * 0, layer.kernel)])
    assert np.allclose(np.linalg.norm(layer.kernel, axis=0), 1, atol=1e-5)
    depthwise = layers.DepthwiseConv2D(2, depthwise_regularizer="l2")
    heads = layers.MultiHeadAttention(1, 2, kernel_regularizer="l2")
    assert (depthwise(IMAGES).shape, heads(SERIES, SERIES).shape) == ((1, 3, 3, 2), (2, 4, 3))
    assert (len(depthwise.losses), len(heads.losses)) == (1, 4)
    with pytest.raises(ValueError, match="kernal_regularizer"):
        layers.Dense(2, kernal_regularizer="l2")
    c = tf.keras.constraints
    assert c.NonNeg()(kernel).numpy().tolist() == [[3, 0], [0, 0.5]]
    assert np.allclose(np.linalg.norm(c.MaxNorm(2.0, axis=1)(kernel), axis=1), 2, atol=1e-5)
    norms = np.linalg.norm(c.MinMaxNorm(2.0, 3.0, rate=0.5)(kernel), axis=0)
    assert np.allclose(norms, [(5 + 3) / 2, (1.25**0.5 + 2) / 2], atol=1e-5)
    rows = np.array([[1.0, 1.0], [1.0, 0.0]])
    orthogonal = tf.keras.regularizers.OrthogonalRegularizer(2.0)
    assert np.allclose(orthogonal(rows), 2 * 0.5 * 2 * 0.5**0.5)
