"""`Layer`: weights, names, what it is called with, and what reaches the layers inside."""

import copy
import pickle

import numpy as np
import pytest

from tapemagic import tf

Layer = tf.keras.layers.Layer


class Linear(Layer):
    def __init__(self, units, **options):
        super().__init__(**options)
        self.units = units
        self.seen = []

    def build(self, input_shape):
        self.seen.append(tuple(input_shape))
        self.steps = self.add_weight(
            shape=(), initializer="zeros", dtype="int64", trainable=False, name="steps"
        )
        self.w = self.add_weight(shape=(input_shape[-1], self.units), name="w")
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", name="b")

    def call(self, x):
        return tf.matmul(x, self.w) + self.b


class Block(Layer):
    """Layers in a list, in a dict and by themselves, one of them twice; a variable; a module."""

    def __init__(self):
        super().__init__(name="block")
        self.scale = tf.Variable(2.0, name="scale")
        self.list = [Linear(2, name="first"), "no layer"]
        self.dict = {"a": Linear(3, name="second")}
        self.again = self.list[0]
        self.module = tf.Module()
        self.module.v = tf.Variable(1.0, name="v")

    def call(self, x):
        return self.dict["a"](self.list[0](x)) * self.scale * self.module.v


def paths(variables):
    return [getattr(v, "path", v.name) for v in variables]


def test_weights_are_made_at_the_first_call():
    layer = Linear(3, name="linear")
    assert (layer.built, layer.variables, layer.seen) == (False, [], [])
    y = layer(np.ones((4, 2)))
    assert (layer.built, layer.seen) == (True, [(4, 2)])
    assert (y.shape, y.dtype) == ((4, 3), tf.float32)
    layer(np.ones((5, 2)))
    assert len(layer.seen) == 1
    # those that are trained first, in the order of creation
    assert paths(layer.weights) == ["linear/w", "linear/b", "linear/steps"]
    assert [v.name for v in layer.weights] == ["w", "b", "steps"]
    assert paths(layer.trainable_weights) == ["linear/w", "linear/b"]
    assert paths(layer.non_trainable_weights) == ["linear/steps"]
    assert [v.dtype.name for v in layer.weights] == ["float32", "float32", "int64"]
    assert layer.count_params() == 2 * 3 + 3 + 1


def test_build_by_hand_is_build():
    layer = Linear(3)
    layer.build((None, 2))
    w = layer.w
    layer(tf.ones((4, 2)))
    assert layer.w is w
    assert layer.seen == [(None, 2)]


def test_weights_of_the_layers_inside():
    block = Block()
    block(tf.ones((1, 2)))
    assert paths(block.trainable_variables) == [
        "scale:0", "block/first/w", "block/first/b", "block/second/w", "block/second/b", "v:0",
    ]  # fmt: skip
    assert [v.shape for v in block.weights[1:4]] == [(2, 2), (2,), ()]
    assert block.count_params() == 1 + (4 + 2 + 1) + (6 + 3 + 1) + 1
    # a module that has layers finds them, too
    holder = tf.Module()
    holder.block = block
    assert {id(v) for v in holder.variables} == {id(v) for v in block.variables}


def test_a_weight_that_no_attribute_has():
    class Hidden(Layer):
        def build(self, shape):
            self.parts = {"w": self.add_weight((1,), "ones", name="w")}
            self.add_weight((2,), "ones", name="unnamed")

        def call(self, x):
            return x * self._own_weights[1]

    layer = Hidden()
    x = tf.ones((3, 2))
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(layer(x))
    assert len(layer.trainable_variables) == 2
    first, second = tape.gradient(y, layer.trainable_variables)
    assert first is None
    assert second.numpy().tolist() == [3, 3]


def test_freezing():
    block = Block()
    block(tf.ones((1, 2)))
    block.dict["a"].trainable = False
    assert paths(block.trainable_variables) == ["scale:0", "block/first/w", "block/first/b", "v:0"]
    assert paths(block.non_trainable_variables)[1:3] == ["block/second/w", "block/second/b"]
    block.trainable = False
    assert (block.trainable_variables, block.list[0].trainable) == ([], False)
    assert len(block.non_trainable_variables) == len(block.variables) == 8
    block.trainable = True
    assert len(block.trainable_variables) == 6
    assert not Linear(1, trainable=False).trainable


def test_names():
    class SomeLayer2D(Layer):
        pass

    first, second = SomeLayer2D(), SomeLayer2D()
    assert (first.name, second.name) == ("some_layer2d", "some_layer2d_1")
    assert SomeLayer2D(name="own").name == "own"
    names = [tf.keras.layers.Conv2D(1, 1).name, tf.keras.layers.ReLU().name]
    assert [name.rstrip("_0123456789") for name in names] == ["conv2d", "re_lu"]
    assert tf.keras.layers.MaxPooling2D().name.startswith("max_pooling2d")


def test_print_of_a_weight():
    layer = tf.keras.layers.Dense(2, kernel_initializer="ones", name="dense")
    layer.build((None, 1))
    text = "<Variable path=dense/kernel, shape=(1, 2), dtype=float32, value=[[1. 1.]]>"
    assert repr(layer.kernel) == str(layer.kernel) == f"{layer.kernel}" == text
    assert isinstance(layer.kernel.value, tf.Tensor)
    assert isinstance(layer.kernel, tf.Variable)


def test_copies_of_a_layer():
    layer = Linear(1, name="linear")
    x = tf.ones((1, 2))
    y = layer(x)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert other.w is other._own_weights[1]
        assert other.w.path == "linear/w"
        assert np.array_equal(other(x).numpy(), y.numpy())
        other.w.assign(tf.zeros((2, 1)))
        assert not other(x).numpy().any()
    assert np.array_equal(layer(x).numpy(), y.numpy())


def test_get_and_set_weights():
    layer, other = Linear(2), Linear(2)
    x = tf.random.normal((3, 4))
    y = layer(x)
    other.build((None, 4))
    other.set_weights(layer.get_weights())
    assert np.array_equal(other(x).numpy(), y.numpy())
    with pytest.raises(ValueError, match="has 3 weights, and 1"):
        other.set_weights([1])
    with pytest.raises(ValueError, match="shape"):
        other.set_weights([np.ones((2, 4)), np.zeros(2), 0])


# ------------------------------------------------------------------------------------ the dtype


@pytest.mark.parametrize(
    "given", [np.ones((1, 2)), np.ones((1, 2), np.float32), tf.ones((1, 2), tf.float64)]
)
@pytest.mark.parametrize("dtype", [None, "float64", tf.float16])
def test_floats_are_brought_to_the_dtype_of_the_layer(given, dtype):
    layer = Linear(2, dtype=dtype)
    y = layer(given)
    wanted = tf.as_dtype(dtype or "float32")
    assert y.dtype == layer.w.dtype == layer.dtype == layer.compute_dtype == wanted


def test_an_input_of_another_dtype_has_a_gradient_of_its_own():
    x = tf.Variable([[1.0, 2.0]], dtype=tf.float64)
    layer = Linear(1)
    with tf.GradientTape() as tape:
        y = layer(x)
    gradient = tape.gradient(y, x)
    assert gradient.dtype == tf.float64
    assert np.array_equal(gradient.numpy(), layer.w.numpy().T)


def test_what_is_no_float_stays_and_so_do_floats_without_autocast():
    class Same(Layer):
        def call(self, x, more=None):
            return x, more

    numbers, more = Same()([np.arange(3), {"a": tf.constant(True)}], more=np.float64(2))
    assert (numbers[0].dtype, numbers[1]["a"].dtype, more.dtype) == (tf.int64, tf.bool, tf.float32)
    assert Same(autocast=False)(np.ones(2))[0].dtype == tf.float64


# ---------------------------------------------------------------------------------- training or not


class Tells(Layer):
    def call(self, x, training=None):
        return x * 0 + {None: 0.0, False: 1.0, True: 2.0}[training]


class TellsTraining(Tells):
    def call(self, x, training=True):
        return super().call(x, training)


class Outer(Layer):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def call(self, x):
        return self.inner(x)


class OuterOfTraining(Outer):
    def call(self, x, training=True):
        return self.inner(x)


@pytest.mark.parametrize(
    ("layer", "options", "expected"),
    [
        (Tells(), {}, 0),
        (Tells(), {"training": False}, 1),
        (Tells(), {"training": True}, 2),
        (TellsTraining(), {}, 2),
        (TellsTraining(), {"training": False}, 1),
        (TellsTraining(), {"training": None}, 2),
        # what the outermost call says reaches the inner ones, whoever takes it
        (Outer(Tells()), {"training": True}, 2),
        (Outer(Outer(Tells())), {"training": True}, 2),
        (Outer(TellsTraining()), {"training": False}, 1),
        (OuterOfTraining(Tells()), {}, 2),
        (OuterOfTraining(Tells()), {"training": False}, 1),
        (tf.keras.Sequential([Tells()]), {"training": True}, 2),
        (tf.keras.Sequential([Outer(Tells())]), {}, 0),
    ],
)
def test_training(layer, options, expected):
    assert layer(tf.constant([0.0]), **options).numpy().tolist() == [expected]


def test_inputs_by_their_name():
    assert TellsTraining()(training=False, x=tf.constant(0.0)).numpy() == 1
    layer = Linear(2)
    assert layer(x=tf.ones((3, 4))).shape == (3, 2)
    with pytest.raises(TypeError, match="mask"):
        tf.keras.Sequential([layer])(tf.ones((3, 4)), mask=tf.ones(3))


def test_a_call_that_is_a_tf_function():
    class Doubles(Layer):
        @tf.function
        def call(self, x, training=None):
            return x * 2 if training else x

    layer = Doubles(name="doubles")
    assert layer(tf.constant(2.0), training=True).numpy() == 4
    assert layer(tf.constant(2.0)).numpy() == 2
    assert repr(layer) == "<Doubles name=doubles, built=True>"


def test_training_by_its_place_and_after_an_error():
    assert Tells()(tf.constant(0.0), True).numpy() == 2

    class Fails(Layer):
        def call(self, x):
            raise KeyError("of the user")

    with pytest.raises(KeyError, match="of the user"):
        Outer(Fails())(tf.constant(0.0), training=True)
    assert Tells()(tf.constant(0.0)).numpy() == 0


# ------------------------------------------------------------------------------------------ losses


class Penalty(Layer):
    def call(self, x):
        self.add_loss(tf.reduce_sum(x**2))
        return x * 2


def test_losses_of_the_last_call():
    inner = Penalty()

    class Twice(Layer):
        def __init__(self):
            super().__init__()
            self.inner, self.first = inner, True

        def call(self, x):
            return inner(inner(x)) if self.first else x

    layer = Twice()
    x = tf.Variable(3.0)
    assert layer.losses == []
    with tf.GradientTape() as tape:
        y = layer(x) + sum(layer.losses)  # 4x + x^2 + (2x)^2
    assert [loss.numpy() for loss in layer.losses] == [9, 36]
    assert tape.gradient(y, x).numpy() == 4 + 10 * 3
    layer(x)
    assert len(layer.losses) == 2
    layer.first = False
    layer(x)
    assert layer.losses == []
    with pytest.raises(ValueError, match="outside of a call"):
        inner.add_loss(x)


# -------------------------------------------------------------------------------- what is refused


def forgetful():
    class Forgetful(Layer):
        def __init__(self):
            self.x = 1

        def call(self, x):
            return x

    return Forgetful()


@pytest.mark.parametrize(
    ("use", "words"),
    [
        (lambda: Linear(1)([[1.0, 2.0]]), "was given a float, not a tensor"),
        (lambda: Linear(1)("text"), "was given a str"),
        (lambda: forgetful()(tf.ones(1)), r"super\(\).__init__\(\)"),
        (lambda: Layer(colour="red"), r"Layer takes no colour='red'"),
        (lambda: Layer().add_weight("kernel", (1, 2)), "name='...'"),
        (lambda: Layer().add_weight((None, 2)), "with numbers"),
        (lambda: Layer().add_weight((2,), "no such"), "No initializer is called 'no such'"),
    ],
)
def test_what_is_refused(use, words):
    with pytest.raises(ValueError, match=words):
        use()


def test_a_layer_without_call():
    with pytest.raises(NotImplementedError, match="Layer has no method call"):
        Layer()(tf.ones(1))


@pytest.mark.parametrize(
    ("expected", "shape", "words"),
    [
        ({"ndim": 2}, (2,), "expected ndim=2, found ndim=1"),
        ({"min_ndim": 2}, (2,), "expected min_ndim=2"),
        ({"max_ndim": 2}, (2, 1, 1), "expected max_ndim=2"),
        ({"axes": {-1: 3}}, (3, 2), "axis -1 to have the length 3"),
        ({"shape": (None, 4)}, (4, 3), "axis 1 to have the length 4"),
        ({"shape": (None, 4)}, (1, 2, 4), "expected ndim=2"),
        ({"ndim": 2, "axes": {-1: 3}}, (9, 3), ""),
    ],
)
def test_input_spec(expected, shape, words):
    layer = Linear(1, name="linear")
    layer.input_spec = tf.keras.layers.InputSpec(**expected)
    if not words:
        layer(tf.ones(shape))
        return
    with pytest.raises(ValueError, match=f"incompatible with the layer 'linear'.*{words}"):
        layer(tf.ones(shape))


@pytest.mark.parametrize(
    ("given", "type_"),
    [
        ("glorot_uniform", tf.keras.initializers.GlorotUniform),
        ("HeNormal", tf.keras.initializers.HeNormal),
        ("random_normal", tf.keras.initializers.RandomNormal),
        ("uniform", tf.keras.initializers.RandomUniform),
        ("zero", tf.keras.initializers.Zeros),
        (tf.keras.initializers.Ones, tf.keras.initializers.Ones),
        (tf.keras.initializers.Constant(3.0), tf.keras.initializers.Constant),
    ],
)
def test_initializers_by_name(given, type_):
    assert type(tf.keras.initializers.get(given)) is type_


def test_names_begin_anew():
    """TensorFlow 2.21 calls the first layer after `clear_session()` as the first of all."""
    tf.keras.backend.clear_session()
    names = [tf.keras.layers.Dense(1).name for _ in range(2)]
    tf.keras.backend.clear_session()
    assert names == ["dense", "dense_1"]
    assert tf.keras.layers.Dense(1).name == "dense"
    optimizer = tf.keras.optimizers.Adam()
    optimizer.build([tf.Variable(1.0)])
    assert optimizer.iterations.path == "adam/iteration"
