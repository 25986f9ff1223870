"""Models of connected layers, held against their layers called one by one, and differences."""

import numpy as np
import pytest

from tapemagic import tf
from tapemagic.errors import TapeUseError

keras = tf.keras
layers = keras.layers
DIGITS = keras.Input(shape=(4,), name="digits")


def data(*shape, seed=0):
    return tf.constant(np.random.default_rng(seed).normal(size=shape).astype("float32"))


def slope(loss, v, index, step=1e-2):
    """Central difference of a loss by one element of a weight."""
    start, values = v.numpy(), []
    for sign in (1, -1):
        moved = start.copy()
        moved[index] += sign * step
        v.assign(moved)
        values.append(float(loss()))
    v.assign(start)
    return (values[0] - values[1]) / (2 * step)


def check_gradients(model, loss):
    """Hold one element of each weight's gradient against a difference."""
    with tf.GradientTape() as tape:
        value = loss()
    for v, g in zip(
        model.trainable_weights, tape.gradient(value, model.trainable_weights), strict=True
    ):
        index = (0,) * v.ndim
        assert np.isclose(g.numpy()[index], slope(loss, v, index), rtol=2e-2, atol=1e-3), v.path


# what a tensor of an input says: shape, dtype, text; and the shapes that layers make of it
SHAPES = [
    (lambda: layers.Dense(3)(DIGITS), (None, 3)),
    (lambda: layers.Dropout(0.5)(DIGITS), (None, 4)),
    (lambda: layers.Concatenate()([DIGITS, DIGITS * 2]), (None, 8)),
    (lambda: (1 - DIGITS) / (DIGITS + 1) - DIGITS[:, :1], (None, 4)),
    (lambda: keras.ops.mean(DIGITS, axis=-1, keepdims=True), (None, 1)),
    (lambda: layers.Conv2D(4, 3, strides=2)(keras.Input((28, 28, 1))), (None, 13, 13, 4)),
    (lambda: layers.Conv2D(4, 3)(keras.Input((None, None, 3))), (None, None, None, 4)),
    (lambda: layers.LSTM(7, return_sequences=True)(keras.Input((None, 5))), (None, None, 7)),
    (lambda: layers.LSTM(7)(keras.Input((None, 5))), (None, 7)),
    (lambda: layers.Embedding(10, 6)(keras.Input((None,), dtype="int64")), (None, None, 6)),
    (lambda: layers.Reshape((-1, 2))(keras.Input((6,), batch_size=3)), (3, 3, 2)),
    (lambda: layers.Lambda(lambda x: x[:, None])(DIGITS), (None, 1, 4)),
]


@pytest.mark.parametrize(("connect", "shape"), SHAPES)
def test_shapes(connect, shape):
    assert connect().shape == shape


def test_how_a_tensor_is_printed():
    """As TensorFlow 2.21 prints it."""
    assert repr(DIGITS) == (
        "<KerasTensor shape=(None, 4), dtype=float32, sparse=False, ragged=False, name=digits>"
    )
    assert (DIGITS.dtype, DIGITS.ndim, DIGITS.name) == ("float32", 2, "digits")
    assert repr(layers.Dense(3)(DIGITS)).startswith("<KerasTensor shape=(None, 3), dtype=float32")


def test_a_model_is_its_layers():
    first, second = layers.Dense(3, "tanh", name="first"), layers.Dense(2, name="second")
    hidden = first(DIGITS)
    model = keras.Model(inputs=DIGITS, outputs=second(hidden + 1), name="line")
    x = data(5, 4)
    assert np.array_equal(model(x), second(first(x) + 1))
    assert [layer.name for layer in model.layers] == ["digits", "first", "second"]
    assert [v.path for v in model.weights] == [
        "first/kernel", "first/bias", "second/kernel", "second/bias",
    ]  # fmt: skip
    assert (model.name, model.count_params()) == ("line", 4 * 3 + 3 + 3 * 2 + 2)
    assert (model.input_shape, model.output_shape) == ((None, 4), (None, 2))
    assert model.input is DIGITS
    assert model.inputs == [DIGITS]
    assert model.get_layer("first").output is hidden
    part = keras.Model(model.input, model.get_layer("first").output)
    assert np.array_equal(part(x), first(x))
    assert part.weights[0] is model.weights[0]
    check_gradients(model, lambda: tf.reduce_mean(model(x) ** 2))


def test_several_inputs_and_outputs():
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    dense = layers.Dense(3)
    y = dense(layers.add([a, b])) + a
    x, z = data(2, 3), data(2, 3, seed=1)
    model = keras.Model([a, b], {"y": y, "both": [y * b, a]})
    found = model([x, z])
    assert np.array_equal(found["y"], dense(x + z) + x)
    assert np.array_equal(found["both"][0], (dense(x + z) + x) * z)
    assert np.array_equal(found["both"][1], x)
    assert np.array_equal(model({"b": z, "a": x})["y"], found["y"])
    named = keras.Model({"first": a, "second": b}, y)
    assert np.array_equal(named({"second": z, "first": x}), found["y"])


def test_a_layer_that_is_used_twice_has_one_set_of_weights():
    dense = layers.Dense(3)
    model = keras.Model(DIGITS, layers.add([dense(DIGITS), dense(DIGITS * 2)]))
    assert len(model.weights) == 2
    assert len(model.layers) == 3
    x = data(2, 4)
    assert np.allclose(model(x), dense(x) + dense(x * 2))
    check_gradients(model, lambda: tf.reduce_sum(model(x) ** 2))


def test_models_inside_of_models():
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(64, "tanh"), layers.Dropout(0.5)])
    outer = keras.Model(DIGITS, layers.Dense(1)(inner(DIGITS)))
    x = data(6, 4)
    assert np.array_equal(outer(x), outer.layers[-1](inner(x)))
    assert len(outer.trainable_weights) == 4
    assert not np.array_equal(outer(x, training=True), outer(x, training=True))
    inner.trainable = False
    assert len(outer.trainable_weights) == 2
    part = keras.Model(inner.inputs, inner.layers[0].output)
    assert np.array_equal(part(x), inner.layers[0](x))


def test_state_and_losses():
    normed = layers.BatchNormalization()
    kernel = layers.Dense(2, kernel_regularizer=keras.regularizers.L2(0.1))
    model = keras.Model(DIGITS, kernel(normed(DIGITS)))
    assert normed.moving_mean.numpy().tolist() == [0, 0, 0, 0]  # connecting is no training
    x = data(8, 4)
    model(x, training=True)
    assert np.allclose(normed.moving_mean, 0.01 * x.numpy().mean(0), atol=1e-6)
    [loss] = model.losses
    assert np.isclose(loss, 0.1 * np.sum(kernel.kernel.numpy() ** 2))


def test_a_subclass_may_be_connected():
    class Mine(keras.Model):
        def double(self, x):
            return self(x) * 2

    model = Mine(DIGITS, layers.Dense(2)(DIGITS))
    x = data(3, 4)
    assert np.array_equal(model.double(x), model(x) * 2)


def test_attention_to_a_feature():
    """What a saliency map is made of: an inner value and its gradient."""
    image = keras.Input((8, 8, 1))
    conv = layers.Conv2D(3, 3, activation="relu", name="conv")(image)
    model = keras.Model(image, layers.Dense(2)(layers.Flatten()(conv)))
    both = keras.Model(model.inputs, [model.get_layer("conv").output, model.output])
    with tf.GradientTape() as tape:
        inner, scores = both(data(1, 8, 8, 1))
        score = scores[:, 1]
    kernel = model.layers[-1].kernel.numpy()[:, 1].reshape(inner.shape)
    assert np.allclose(tape.gradient(score, inner), kernel)


def test_a_cell_watches_the_weights():
    model = keras.Model(DIGITS, layers.Dense(1)(DIGITS))
    with tf.GradientTape() as tape:
        tf.reduce_sum(model(data(2, 4)))
    assert [v.name for v in tape.watched_variables()] == ["kernel", "bias"]


@pytest.mark.parametrize(
    ("use", "error", "words"),
    [
        (lambda: keras.Model(keras.Input((4,)), DIGITS * 2), ValueError, "depends on 'digits'"),
        (lambda: keras.Model(DIGITS, None), ValueError, "not among its inputs"),
        (lambda: keras.Model(inputs=1, outputs=2), ValueError, "not among its inputs"),
        (lambda: tf.exp(DIGITS), ValueError, "tf.keras.ops"),
        (lambda: np.exp(DIGITS), TypeError, "'Input'"),
        (lambda: float(DIGITS), TypeError, "'Input'"),
        (lambda: bool(DIGITS > 0), TypeError, "'>' not supported"),
        (lambda: list(DIGITS), ValueError, "it has no value"),
        (lambda: layers.Dense(1).output, AttributeError, "never connected"),
        (lambda: keras.Model([DIGITS, DIGITS * 2], DIGITS)([1.0]), ValueError, "takes 2 inputs"),
        (lambda: keras.Model()(tf.ones((1, 2))), NotImplementedError, "no method call"),
        (lambda: keras.Model().inputs, AttributeError, "inputs"),
    ],
)
def test_what_is_refused(use, error, words):
    with pytest.raises(error, match=words):
        use()


def test_whether_the_model_trains_goes_before_what_a_layer_was_connected_with():
    """As in Keras 3; moving means are not touched by connecting."""
    inputs = tf.keras.Input((2,))
    norm = layers.BatchNormalization()
    model = tf.keras.Model(inputs, layers.Dropout(1.0)(norm(inputs, training=True), training=True))
    assert np.array_equal(norm.moving_variance, [1, 1])
    x = tf.constant([[1.0, 2.0], [3.0, 5.0]])
    assert not model(x).numpy().any()
    assert np.array_equal(model(x, training=False), norm(x))


def test_an_activation_is_taken_off():
    inputs = tf.keras.Input((2,))
    outputs = layers.Dense(3, activation="softmax", kernel_initializer="ones")(inputs)
    model = tf.keras.Model(inputs, outputs)
    model.layers[-1].activation = None
    assert np.array_equal(model(tf.ones((1, 2))), [[2, 2, 2]])
    model.layers[-1].activation = "relu"
    assert np.array_equal(model(-tf.ones((1, 2))), [[0, 0, 0]])


def test_layers_and_weights_stand_in_the_order_of_keras():
    """What is further from the outputs comes first, whatever was connected first."""
    a, b = tf.keras.Input((3,)), tf.keras.Input((4,))
    short = layers.Dense(5)(b)
    long = layers.Dense(5)(layers.Dense(6)(a))
    model = tf.keras.Model([a, b], layers.Concatenate()([short, long]))
    shapes = [tuple(v.shape) for v in model.weights]
    assert shapes == [(3, 6), (6,), (4, 5), (5,), (6, 5), (5,)]
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds == ["InputLayer", "InputLayer", "Dense", "Dense", "Dense", "Concatenate"]
    assert len(tf.keras.Model([a, b], short).layers) == 3


def test_settings_make_layers_of_their_own():
    inner = layers.LSTM(2)
    twin = layers.Bidirectional.from_config(layers.Bidirectional(inner).get_config())
    assert twin.forward_layer.units == 2
    assert twin.forward_layer is not inner

    class Own(tf.keras.Model):
        def call(self, x):
            return x

    with pytest.raises(TapeUseError, match=r"set_weights\(model.get_weights\(\)\)"):
        tf.keras.models.clone_model(Own())

    class Unnamed(layers.Layer):
        def __init__(self, *sizes):
            super().__init__()

    with pytest.raises(TapeUseError, match=r"\*sizes"):
        Unnamed(1, 2).get_config()
