"""Convolution and pooling layers: which function of `tf.nn` they are, and of what."""

import numpy as np
import pytest

from tapemagic import tf

layers = tf.keras.layers
X = np.random.default_rng(2).normal(size=(2, 6, 7, 3)).astype(np.float32)


@pytest.mark.parametrize(
    ("options", "window", "step", "padding", "rate"),
    [
        ({"kernel_size": 3}, (3, 3), 1, "VALID", 1),
        ({"kernel_size": (2, 3), "strides": 2, "padding": "same"}, (2, 3), 2, "SAME", 1),
        ({"kernel_size": [2, 2], "dilation_rate": (2, 2), "padding": "SAME"}, (2, 2), 1, "SAME", 2),
    ],
)
def test_conv2d(options, window, step, padding, rate):
    layer = layers.Conv2D(4, activation="tanh", bias_initializer="ones", **options)
    y = layer(X)
    expected = [("kernel", (*window, 3, 4)), ("bias", (4,))]
    assert [(v.name, v.shape) for v in layer.weights] == expected
    product = tf.nn.conv2d(X, layer.kernel.numpy(), step, padding, dilations=rate).numpy()
    assert np.allclose(y.numpy(), np.tanh(product + 1), rtol=1e-6)


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        # the documented rule: n * stride, and for "valid" what the kernel covers beyond that
        ({"kernel_size": 3, "strides": 2, "padding": "same"}, (12, 14)),
        ({"kernel_size": (5, 2), "strides": (2, 3)}, (6 * 2 + 3, 7 * 3)),
        ({"kernel_size": 3}, (8, 9)),
        ({"kernel_size": 2, "dilation_rate": 3, "padding": "same"}, (6, 7)),
    ],
)
def test_conv2d_transpose(options, shape):
    layer = layers.Conv2DTranspose(4, activation="tanh", bias_initializer="ones", **options)
    y = layer(X)
    size = tuple(np.broadcast_to(options["kernel_size"], 2))
    expected = [("kernel", (*size, 4, 3)), ("bias", (4,))]
    assert [(v.name, v.shape) for v in layer.weights] == expected
    assert y.shape == (2, *shape, 4)
    back = tf.nn.conv2d_transpose(
        X, layer.kernel.numpy(), y.shape, options.get("strides", 1),
        options.get("padding", "valid"), dilations=options.get("dilation_rate", 1),
    )  # fmt: skip
    assert np.allclose(y.numpy(), np.tanh(back.numpy() + 1), rtol=1e-5)


def test_conv2d_has_glorots_limits():
    layer = layers.Conv2D(32, 5, use_bias=False)
    layer.build((None, None, None, 16))
    limit = np.sqrt(6 / (5 * 5 * 16 + 5 * 5 * 32))
    assert 0.99 * limit < np.abs(layer.kernel.numpy()).max() <= limit
    assert len(layer.weights) == 1


@pytest.mark.parametrize(
    ("layer", "fun"),
    [(layers.MaxPooling2D, tf.nn.max_pool2d), (layers.AveragePooling2D, tf.nn.avg_pool2d)],
)
def test_pooling(layer, fun):
    assert np.array_equal(layer()(X).numpy(), fun(X, 2, 2, "VALID").numpy())
    assert np.array_equal(layer((3, 2))(X).numpy(), fun(X, [3, 2], [3, 2], "VALID").numpy())
    given = layer(3, strides=1, padding="same")(X)
    assert np.array_equal(given.numpy(), fun(X, 3, 1, "SAME").numpy())


@pytest.mark.parametrize(
    ("layer", "reduce"),
    [(layers.GlobalAveragePooling2D, np.mean), (layers.GlobalMaxPooling2D, np.max)],
)
def test_global_pooling(layer, reduce):
    assert np.allclose(layer()(X).numpy(), reduce(X, (1, 2)), rtol=1e-6)
    assert layer(keepdims=True)(X).shape == (2, 1, 1, 3)


@pytest.mark.parametrize(
    ("use", "words"),
    [
        (lambda: layers.Conv2D(4, 3, data_format="channels_first"), "channels last"),
        (lambda: layers.Conv2D(4, 3, groups=2), "groups=2"),
        *(
            (lambda layer=layer: layer(data_format="channels_first"), "channels last")
            for layer in (
                layers.MaxPooling2D,
                layers.AveragePooling3D,
                layers.GlobalMaxPooling2D,
                layers.ZeroPadding2D,
                layers.ZeroPadding3D,
                layers.Cropping2D,
                layers.UpSampling2D,
                layers.UpSampling3D,
            )
        ),
        (lambda: layers.Conv3D(4, 3, data_format="channels_first"), "channels last"),
        *(
            (lambda op=op: op(X, 2, data_format="channels_first"), "channels last")
            for op in (tf.keras.ops.conv, tf.keras.ops.max_pool, tf.keras.ops.average_pool)
        ),
        (lambda: layers.Conv3D(4, 3)(X), "expected ndim=5, found ndim=4"),
        (lambda: layers.Conv3D(4, (3, 3)), "Use one number, 3 of them"),
        (lambda: layers.Conv2D(4, 3)(X[0]), "expected ndim=4, found ndim=3"),
        (lambda: layers.MaxPooling2D()(X[0]), "expected ndim=4"),
        (lambda: layers.GlobalAveragePooling2D()(X[0]), "expected ndim=4"),
    ],
)
def test_what_is_refused(use, words):
    with pytest.raises(ValueError, match=words):
        use()


def test_other_channels_than_at_first():
    layer = layers.Conv2D(4, 3)
    layer(X)
    with pytest.raises(ValueError, match="axis -1 to have the length 3"):
        layer(X[..., :2])
