"""Layers against their formulas in NumPy, and their gradients against finite differences."""

import numpy as np
import pytest
from tf.differences import assert_same

from tapemagic import tf

layers = tf.keras.layers
X = np.array([[0.3, -1.2, 2.0], [0.7, 0.1, -0.4]])
W = np.array([[1.0, -0.5], [0.25, 2.0], [-1.5, 0.75]])
B = np.array([0.1, -0.2])


def with_weights(layer, *names):
    """Return a function of the input and the weights that calls a layer."""

    def call(x, *weights):
        layer.build(x.shape)
        for name, weight in zip(names, weights, strict=True):
            setattr(layer, name, weight)
        return layer(x)

    return call


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x, axis):
    return np.exp(x) / np.exp(x).sum(axis, keepdims=True)


#: Layer and its weights' names, the same in NumPy, the input and the weights.
ROWS = {
    "Dense": (layers.Dense(2, dtype="float64"), ["kernel", "bias"],
              lambda x, w, b: x @ w + b, X, W, B),
    "Dense tanh": (layers.Dense(2, activation="tanh", dtype="float64"), ["kernel", "bias"],
                   lambda x, w, b: np.tanh(x @ w + b), X, W, B),
    "Dense function": (layers.Dense(2, tf.nn.sigmoid, use_bias=False, dtype="float64"), ["kernel"],
                       lambda x, w: sigmoid(x @ w), X, W),
    "Dense of a stack": (layers.Dense(2, dtype="float64"), ["kernel", "bias"],
                         lambda x, w, b: np.einsum("abi,ij->abj", x, w) + b,
                         np.stack([X, X + 1, X * 2]), W, B),
    "Activation": (layers.Activation("softplus", dtype="float64"), [],
                   lambda x: np.log1p(np.exp(x)), X),
    "ReLU": (layers.ReLU(dtype="float64"), [], lambda x: np.maximum(x, 0), X),
    "ReLU of all": (layers.ReLU(1.5, 0.2, 0.2, dtype="float64"), [],
                    lambda x: np.where(x >= 1.5, 1.5, np.where(x >= 0.2, x, 0.2 * (x - 0.2))), X),
    "LeakyReLU": (layers.LeakyReLU(dtype="float64"), [], lambda x: np.where(x > 0, x, 0.3 * x), X),
    "Softmax": (layers.Softmax(axis=0, dtype="float64"), [], lambda x: softmax(x, 0), X),
    "Dropout": (layers.Dropout(0.9, dtype="float64"), [], lambda x: x, X),
    "Flatten": (layers.Flatten(dtype="float64"), [], lambda x: x.reshape(3, 6),
                np.stack([X, X + 1, X * 2])),
    "Flatten of numbers": (layers.Flatten(dtype="float64"), [], lambda x: x.reshape(2, 1), B),
    "Reshape": (layers.Reshape((3, 1), dtype="float64"), [], lambda x: x.reshape(2, 3, 1), X),
    "Reshape -1": (layers.Reshape((-1, 2), dtype="float64"), [], lambda x: x.reshape(3, 3, 2),
                   np.stack([X, X + 1, X * 2])),
    "Rescaling": (layers.Rescaling(2.0, -1, dtype="float64"), [], lambda x: 2 * x - 1, X),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_layer(name):
    layer, names, reference, *args = ROWS[name]
    assert_same(with_weights(layer, *names), reference, *args)


@pytest.mark.parametrize("name", ROWS)
def test_layers_compute_in_float32_unless_told_otherwise(name):
    layer, _, _, x, *_ = ROWS[name]
    fresh = type(layer)(
        *{
            "Dense": (2,),
            "Activation": ("tanh",),
            "Dropout": (0.1,),
            "Reshape": ((-1,),),
            "Rescaling": (2,),
        }.get(type(layer).__name__, ())
    )
    assert fresh(x).dtype == tf.float32  # fmt: skip


def test_weights_of_dense():
    layer = layers.Dense(200)
    layer.build((None, 100))
    kernel = layer.kernel.numpy()
    limit = np.sqrt(6 / 300)  # Glorot and Bengio 2010, formula 16
    assert kernel.shape == (100, 200)
    assert 0.99 * limit < np.abs(kernel).max() <= limit
    assert abs(kernel.mean()) < 0.01 * limit * 3
    assert not layer.bias.numpy().any()
    assert [v.name for v in layer.weights] == ["kernel", "bias"]
    assert [v.name for v in layers.Dense(1, use_bias=False).weights] == []


def test_dense_takes_integers():
    layer = layers.Dense(1, kernel_initializer="ones")
    assert layer(np.array([[1, 2]])).numpy().tolist() == [[3.0]]
    assert layer(tf.constant([[True, False]])).numpy().tolist() == [[1.0]]


@pytest.mark.parametrize(
    ("layer", "x"),
    [
        (layers.Dense(1), tf.constant([[1j, 2]])),
        (layers.Dense(1, autocast=False), tf.ones((1, 2), tf.float64)),
    ],
)
def test_what_would_lose_a_part_is_not_cast(layer, x):
    with pytest.raises(TypeError, match="not converted by themselves"):
        layer(x)


def test_dense_checks_its_input():
    layer = layers.Dense(2, name="dense")
    with pytest.raises(ValueError, match=r"\(3,\).*'dense': expected min_ndim=2"):
        layer(tf.ones(3))
    layer(tf.ones((1, 3)))
    with pytest.raises(ValueError, match=r"\(1, 4\).*axis -1 to have the length 3"):
        layer(tf.ones((1, 4)))
    for units in (0, -1, "2", None):
        with pytest.raises(ValueError, match="units="):
            layers.Dense(units)


def test_embedding():
    layer = layers.Embedding(4, 2)
    numbers = tf.constant([[1, 3], [1, 0]])
    with tf.GradientTape() as tape:
        y = layer(numbers)
        total = tf.reduce_sum(y * [[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]])
    table = layer.embeddings.numpy()
    assert table.shape == (4, 2)
    assert np.abs(table).max() <= 0.05
    assert np.array_equal(y.numpy(), table[[[1, 3], [1, 0]]])
    assert np.array_equal(layer(np.array([[1.0, 3.0]])).numpy(), y.numpy()[:1])
    expected = [[7, 8], [6, 8], [0, 0], [3, 4]]  # row 1 is read twice
    assert tape.gradient(total, layer.embeddings).numpy().tolist() == expected
    for index in (-1, 4):
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"\[0, 4\)"):
            layer(tf.constant([index]))


def test_dropout():
    x = tf.Variable(tf.ones((200, 10)))
    layer = layers.Dropout(0.25, noise_shape=(200, 1), seed=3)
    with tf.GradientTape() as tape:
        y = layer(x, training=True)
    values, rows = y.numpy(), y.numpy()[:, :1]
    assert set(np.unique(values).tolist()) == {0.0, np.float32(4 / 3).item()}
    assert np.array_equal(values, np.broadcast_to(rows, values.shape))
    assert 0.6 < np.count_nonzero(rows) / 200 < 0.9
    assert np.array_equal(tape.gradient(y, x).numpy(), values)  # x is 1
    assert not np.array_equal(layer(x, training=True).numpy(), values)
    assert np.array_equal(layer(x, training=False).numpy(), x.numpy())
    assert not layers.Dropout(1.0)(x, training=True).numpy().any()
    assert layers.Dropout(0)(x, training=True).numpy().all()
    with pytest.raises(ValueError, match="rate=2"):
        layers.Dropout(2)


def test_kinks_are_flat_on_the_left():
    x = tf.Variable([0.0, 6.0])
    with tf.GradientTape(persistent=True) as tape:
        results = [layers.ReLU(6)(x), layers.ReLU(threshold=6)(x), layers.LeakyReLU(alpha=0.5)(x)]
    assert [tape.gradient(y, x).numpy().tolist() for y in results] == [[0, 0], [0, 0], [0.5, 1]]


def test_aliases():
    assert layers.MaxPool2D is layers.MaxPooling2D
    assert set(layers.__all__) <= set(vars(layers))
