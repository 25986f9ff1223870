"""`Model` and `Sequential`: what is built when, what they hold, and what they refuse."""

import numpy as np
import pytest

from tapemagic import tf

keras = tf.keras
Dense = keras.layers.Dense


def test_sequential_calls_one_layer_after_the_other():
    first, second = Dense(3, activation="relu"), Dense(2)
    model = keras.Sequential([first, second], name="two")
    assert (model.layers, model.built, model.weights) == ([first, second], False, [])
    x = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    y = model(x)
    hidden = np.maximum(x @ first.kernel.numpy() + first.bias.numpy(), 0)
    assert np.allclose(y.numpy(), hidden @ second.kernel.numpy() + second.bias.numpy(), rtol=1e-5)
    assert [v.path for v in model.weights] == [
        f"two/{layer.name}/{weight}" for layer in (first, second) for weight in ("kernel", "bias")
    ]


@pytest.mark.parametrize(
    "make",
    [
        lambda: keras.Sequential([keras.Input(shape=(4,)), Dense(3), Dense(2)]),
        lambda: keras.Sequential([keras.layers.InputLayer((4,)), Dense(3), Dense(2)]),
        lambda: keras.Sequential([keras.layers.InputLayer(input_shape=[4]), Dense(3), Dense(2)]),
        lambda: keras.Sequential([keras.Input(batch_shape=(None, 4)), Dense(3), Dense(2)]),
        lambda: keras.Sequential([Dense(3, input_shape=(4,)), Dense(2)]),
        lambda: keras.models.Sequential([Dense(3, input_dim=4), Dense(2)]),
    ],
)
def test_sequential_that_knows_its_input_is_built_at_once(make):
    model = make()
    assert model.built
    assert len(model.layers) == 2
    assert [v.shape for v in model.trainable_weights] == [(4, 3), (3,), (3, 2), (2,)]
    assert [v.path.count("/") for v in model.weights] == [2] * 4
    assert (model.input_shape, model.output_shape) == ((None, 4), (None, 2))
    model.add(Dense(1))
    assert model.output_shape == (None, 1)
    assert [v.shape for v in model.trainable_weights][4:] == [(2, 1), (1,)]
    assert model(tf.ones((7, 4))).shape == (7, 1)
    assert model.pop().units == 1
    assert model(tf.ones((7, 4))).shape == (7, 2)


def test_sequential_step_by_step_and_build():
    model = keras.Sequential()
    model.add(Dense(3))
    model.add(keras.Sequential([Dense(2), keras.layers.BatchNormalization()]))
    model.build((None, 4))
    assert [v.shape for v in model.trainable_weights] == [(4, 3), (3,), (3, 2), (2,), (2,), (2,)]
    kernel = model.layers[0].kernel
    model.build((None, 4))
    assert model.layers[0].kernel is kernel
    # the trial with zeros leaves no trace in the running mean and variance
    assert model.layers[1].layers[1].moving_variance.numpy().tolist() == [1, 1]


def test_lengths_that_are_not_known_wait_for_the_first_call():
    model = keras.Sequential(
        [keras.Input((None, None, 3)), keras.layers.Conv2D(2, 3), keras.layers.Flatten()]
    )
    assert not model.weights
    assert model(tf.zeros((1, 5, 4, 3))).shape == (1, 3 * 2 * 2)


def test_numbers_of_words():
    model = keras.Sequential([
        keras.Input((3,), dtype="int32"), keras.layers.Embedding(5, 2), keras.layers.Flatten(),
        Dense(1),
    ])  # fmt: skip
    assert [v.shape for v in model.weights] == [(5, 2), (6, 1), (1,)]


class Net(keras.Model):
    def __init__(self, **options):
        super().__init__(**options)
        self.inner = Dense(3, activation="relu", name="inner")
        self.drop = keras.layers.Dropout(0.5)
        self.heads = [Dense(1, name="left"), Dense(1, name="right")]

    def call(self, x, training=True):
        x = self.drop(self.inner(x), training=training)
        return [head(x) for head in self.heads]


def test_model():
    net = Net(name="net")
    left, right = net(tf.ones((2, 4)), training=False)
    assert left.shape == right.shape == (2, 1)
    assert net.layers == [net.inner, net.drop, *net.heads]
    assert [v.path for v in net.weights] == [
        "net/inner/kernel", "net/inner/bias", "net/left/kernel", "net/left/bias",
        "net/right/kernel", "net/right/bias",
    ]  # fmt: skip
    assert net.get_layer("left") is net.heads[0] is net.get_layer(index=2)
    for missing in ({"name": "middle"}, {"index": 9}, {"index": -9}):
        with pytest.raises(ValueError, match="inner, dropout"):
            net.get_layer(**missing)


def test_model_is_built_by_a_shape():
    net = Net()
    net.build(input_shape=(None, 4))
    assert net.count_params() == 4 * 3 + 3 + 2 * (3 + 1)
    kernel = net.inner.kernel
    net(tf.ones((2, 4)))
    assert net.inner.kernel is kernel


def test_model_with_a_build_of_its_own():
    class Shifted(keras.Model):
        def build(self, input_shape):
            self.shift = self.add_weight((input_shape[-1],), "ones", name="shift")
            super().build(input_shape)

        def call(self, x):
            return x + self.shift

    for model in (Shifted(), Shifted()):
        assert model(tf.zeros((1, 2))).numpy().tolist() == [[1, 1]]
        assert len(model.weights) == 1
    model = Shifted()
    model.build((None, 2))
    assert [v.name for v in model.weights] == ["shift"]


def test_summary():
    lines = []
    model = keras.Sequential(
        [keras.Input((4,)), Dense(3, name="first"), keras.layers.BatchNormalization(name="norm")]
    )
    model.summary(print_fn=lines.append)
    assert lines[0] == f'Model: "{model.name}"'
    assert [line.split() for line in lines[1:4]] == [
        ["Layer", "(type)", "Param", "#"],
        ["first", "(Dense)", str(4 * 3 + 3)],
        ["norm", "(BatchNormalization)", str(4 * 3)],
    ]
    assert lines[4:] == ["Total params: 27", "Trainable params: 21", "Non-trainable params: 6"]


@pytest.mark.parametrize(
    ("use", "error", "words"),
    [
        (lambda: keras.Sequential([Dense(1)]).output_shape, ValueError, "tf.keras.Input"),
        (lambda: keras.Sequential([Dense(1)]).input_shape, ValueError, "tf.keras.Input"),
        (lambda: keras.Input(), ValueError, "one of shape and batch_shape"),
        (lambda: keras.Sequential([tf.nn.relu]), ValueError, "A function cannot be added"),
        (lambda: keras.Sequential([Dense(1), keras.Input((2,))]), ValueError, "in front of them"),
        (lambda: keras.Sequential([Dense(1, name="a"), Dense(1, name="a")]), ValueError,
         "is called 'a' already"),
        (lambda: Net().save("file"), AttributeError, "np.savez"),
        (lambda: Net().load_weights("file"), AttributeError, "model.set_weights"),
    ],
)  # fmt: skip
def test_what_is_refused(use, error, words):
    with pytest.raises(error, match=words):
        use()
