"""Modules, random numbers, and what is said of names that are not there."""

import numpy as np
import pytest

from tapemagic import tf
from tapemagic.errors import TapeUseError, TensorError
from tapemagic.tf import advice


class Dense(tf.Module):
    def __init__(self, inputs, outputs, name=None):
        super().__init__(name=name)
        self.w = tf.Variable(tf.ones((inputs, outputs)), name="w")
        self.b = tf.Variable(tf.zeros(outputs), name="b")
        self.steps = tf.Variable(0, trainable=False, name="steps")

    def __call__(self, x):
        return tf.nn.relu(x @ self.w + self.b)


class TwoLayers(tf.Module):
    def __init__(self):
        super().__init__()
        self.layers = {"second": Dense(2, 1), "first": [Dense(3, 2), "not a variable"]}
        self.scale = tf.Variable(1.0, name="scale")
        self.shared = self.layers["second"]


def test_module_collects_variables():
    model = TwoLayers()
    names = [v.name for v in model.variables]
    assert names == ["scale:0", "b:0", "steps:0", "w:0", "b:0", "steps:0", "w:0"]
    assert [v.shape for v in model.trainable_variables] == [(), (2,), (3, 2), (1,), (2, 1)]
    assert model.submodules == (model.layers["first"][0], model.layers["second"])
    assert (model.name, Dense(1, 1, name="out").name) == ("two_layers", "out")


def test_module_trains():
    layer = Dense(3, 2)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(tf.ones((4, 3))))
    gradients = tape.gradient(loss, layer.trainable_variables)
    assert type(gradients) is tuple
    assert [g.shape for g in gradients] == [(2,), (3, 2)]
    assert gradients[0].numpy().tolist() == [4, 4]


def test_categorical_draws_by_log_probabilities():
    tf.random.set_seed(3)
    logits = tf.math.log(tf.Variable([[0.2, 0.8, 1e-9], [1.0, 1e-9, 1e-9]])) + 5.0
    drawn = tf.random.categorical(logits, 2000)
    assert (drawn.shape, drawn.dtype) == ((2, 2000), tf.int64)
    assert np.bincount(drawn.numpy()[0]).tolist() == pytest.approx([400, 1600], abs=80)
    assert not drawn.numpy()[1].any()
    assert tf.random.categorical(logits, tf.constant(1), dtype=tf.int32).dtype == tf.int32
    # an action picks its probability, which goes on having a gradient
    with tf.GradientTape() as tape:
        w = tf.Variable([[1.0, 2.0]])
        chosen = tf.nn.softmax(w)[0, tf.random.categorical(w, 1)[0, 0]]
    assert tape.gradient(chosen, w).shape == (1, 2)


def test_random_shapes_and_ranges():
    tf.random.set_seed(3)
    normal = tf.random.normal((2000,), mean=5.0, stddev=2.0)
    assert normal.dtype == tf.float32
    assert normal.numpy().mean() == pytest.approx(5, abs=0.2)
    assert normal.numpy().std() == pytest.approx(2, abs=0.2)
    uniform = tf.random.uniform([1000], -1.0, 1.0, dtype=tf.float64).numpy()
    assert uniform.dtype == np.float64
    assert -1 <= uniform.min() < -0.9
    assert 0.9 < uniform.max() < 1
    whole = tf.random.uniform((500,), maxval=3, dtype=tf.int32).numpy()
    assert whole.dtype == np.int32
    assert set(whole.tolist()) == {0, 1, 2}
    cut = tf.random.truncated_normal((2000,), stddev=3.0).numpy()
    assert np.abs(cut).max() <= 6
    assert tf.random.normal(()).shape == ()
    assert tf.random.normal(3).shape == (3,)
    assert sorted(tf.random.shuffle(tf.range(9)).numpy().tolist()) == list(range(9))
    with pytest.raises(ValueError, match="maxval"):
        tf.random.uniform((2,), dtype=tf.int32)


def test_seeds():
    def draw():
        return [tf.random.normal((2,)).numpy(), tf.random.normal((2,), seed=7).numpy(),
                tf.random.normal((2,), seed=7).numpy()]  # fmt: skip

    tf.random.set_seed(1)
    first = draw()
    tf.random.set_seed(1)
    assert np.array_equal(first, draw())
    assert not np.array_equal(first, draw())
    assert not np.array_equal(first[1], first[2])
    tf.random.set_seed(2)
    assert not np.array_equal(first[1], draw()[1])
    one, other = (tf.random.Generator.from_seed(5) for _ in range(2))
    assert np.array_equal(one.uniform([3]).numpy(), other.uniform([3]).numpy())
    assert not np.array_equal(one.normal([3]).numpy(), one.normal([3]).numpy())
    assert tf.random.Generator.from_non_deterministic_state().normal([2]).shape == (2,)
    assert tf.random.get_global_generator().normal([2]).shape == (2,)


def test_random_is_reparametrised():
    mean, deviation = tf.Variable(1.0), tf.Variable(2.0)
    with tf.GradientTape() as tape:
        sample = tf.random.normal((5,), mean, deviation)
        y = tf.reduce_sum(sample)
    found = tape.gradient(y, [mean, deviation])
    assert found[0].numpy() == 5
    assert found[1].numpy() == pytest.approx((y.numpy() - 5) / 2, rel=1e-5)


@pytest.mark.parametrize(
    ("use", "words"),
    [
        (lambda: tf.sparse.segment_mean, "Use dense tensors: tf.sparse.to_dense"),
        (lambda: tf.nn.conv4d, "sliding_window_view"),
        (lambda: tf.keras.layers.ConvLSTM2D, "Use a subclass of tf.keras.layers.Layer"),
        (lambda: tf.keras.models.load_model, "model.set_weights"),
        (lambda: tf.keras.callbacks.TensorBoard, "a subclass of tf.keras.callbacks.Callback"),
        (lambda: tf.math.hypot, "np.hypot in a %%tape cell"),
        (lambda: tf.no_such_name, "Use NumPy's functions"),
        (lambda: tf.keras.losses.NoSuchLoss, "tf.keras.losses.NoSuchLoss is not provided"),
        (lambda: tf.keras.optimizers.Muon, "tf.keras.optimizers.Adam"),
        (lambda: tf.keras.metrics.PearsonCorrelation, "tf.keras.metrics.PearsonCorrelation"),
        (lambda: tf.activations, "Use tf.keras.activations."),
        (lambda: tf.keras.ops.extract_sequences, "tf.nn"),
        (lambda: tf.test.compute_gradient, "tapemagic.check_gradient"),
        (lambda: tf.nn.fractional_max_pool, "sliding_window_view"),
        (lambda: tf.linalg.matrix_power, "np.linalg.matrix_power in a %%tape cell"),
        (lambda: tf.keras.initializers.STFT, "VarianceScaling"),
        (lambda: tf.dtypes.qint8, "tf.float32"),
        (lambda: tf.debugging.is_numeric_tensor, "assert bool("),
        (lambda: tf.constant(1.0).assign, "v[index].assign(value)"),
        (lambda: tf.Variable([1.0, 2.0])[:][1].assign(3.0), "v[index].assign(value)"),
        (lambda: tf.Variable([1.0, 2.0])[1].assign_add(3.0), "scatter_nd_add"),
        (lambda: tf.Variable([1.0, 2.0]).scatter_update, "scatter_nd_update"),
        (lambda: tf.keras.optimizers.schedules.NoSuchDecay, "v.assign"),
        (lambda: tf.keras.mixed_precision.Policy, "everything is computed in float32"),
        (lambda: tf.keras.config.set_dtype_policy, "everything is computed in float32"),
        (lambda: tf.ragged.constant, "pad_sequences"),
        (lambda: tf.strings.split, "Python's str"),
        (lambda: tf.math.special.fresnel_cos, "scipy.special"),
        (lambda: tf.keras.ops.image.pad_images, "tf.image"),
        (lambda: tf.keras.preprocessing.sequence.TimeseriesGenerator, "NumPy and plain Python"),
        (lambda: tf.random.experimental.Nothing, "Use tf.random."),
        (lambda: tf.version.COMPILER_VERSION, "tf.version.VERSION"),
        (lambda: tf.raw_ops.Relu, "the function of that name in tf"),
        (lambda: tf.keras.optimizers.legacy.Adam, "the optimizers of tf.keras.optimizers"),
        (lambda: tf.distribute.Strategy, "Leave it out: code runs eagerly"),
        (lambda: tf.errors.NotFoundError, "tf.errors.NotFoundError"),
        (lambda: tf.autodiff.nothing, "tf.autodiff.nothing"),
        (lambda: tf.debugging.enable_check_numerics, "enable_check_numerics"),
        (lambda: tf.data.Dataset.range(3).element_spec, "next(iter(dataset))"),
        (lambda: tf.data.Dataset.list_files, "Use tf.data.Dataset.from_generator"),
        (lambda: tf.random.Generator.from_state, "tf.random.Generator.from_state is not provided"),
    ],
)
def test_a_missing_name_says_what_to_write(use, words):
    with pytest.raises(AttributeError) as caught:
        use()
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "use",
    [
        lambda: tf.keras.layers.Dense(2, dtype="mixed_float16"),
        lambda: tf.cast([1.0], "string"),
        lambda: tf.zeros(2, dtype="bfloat16"),
        lambda: tf.keras.Input((1,), dtype="string"),
        lambda: tf.constant("text", dtype=str),
    ],
)
def test_dtypes_that_are_not_provided(use):
    with pytest.raises(TensorError, match="is not provided") as caught:
        use()
    assert "There are float16, float32" in str(caught.value)


def test_inputs_are_dense():
    with pytest.raises(TapeUseError, match="takes no ragged"):
        tf.keras.Input((None,), ragged=True)
    assert tf.keras.Input((2,), sparse=False).shape == (None, 2)


@pytest.mark.parametrize("name", advice.WAYS)
def test_advice_is_only_for_what_is_missing(name):
    *path, last = name.split(".")[1:]
    found = tf
    for part in path:
        found = getattr(found, part)
    with pytest.raises(
        AttributeError, match=rf"(?s)^{name} is not provided\..*\n  (Use|Leave it out)"
    ):
        getattr(found, last)


@pytest.mark.parametrize("name", ["version", "test", "random", "split", "sort_complex", "pi"])
@pytest.mark.parametrize("module", ["tf", "tf.random", "tf.nn", "tf.math"])
def test_numpy_is_recommended_for_its_functions_only(module, name):
    way = advice._way(module, name)
    if f"np.{name} " in way:
        assert module in ("tf", "tf.math")
        assert callable(getattr(np, name))


@pytest.mark.parametrize("name", ["losses", "metrics", "optimizers", "initializers"])
def test_short_names_of_keras(name):
    assert getattr(tf, name) is getattr(tf.keras, name)


def test_version():
    assert tf.__version__ == tf.version.VERSION


def test_names_of_dtypes():
    assert tf.dtypes.cast(2, tf.dtypes.float64).dtype == tf.float64
    assert tf.dtypes.as_dtype("int32") is tf.int32
    assert tf.dtypes.bool is tf.bool
    assert tf.dtypes.DType is tf.DType


def test_name_scope_of_a_module():
    class Scaled(tf.Module):
        @tf.Module.with_name_scope
        def __call__(self, x):
            with self.name_scope as scope:
                return scope, x * 2

    scope, y = Scaled()(tf.constant(3.0))
    assert (scope, y.numpy()) == ("scaled/", 6)


def test_probing_is_quiet():
    assert not hasattr(tf.constant(1.0), "assign")
    assert not hasattr(tf, "__wrapped__")
    assert hasattr(tf, "constant")
    assert tf.executing_eagerly()
    assert tf.__version__.startswith("2.")


def test_a_generator_as_a_seed():
    """Each draw goes on where the last one ended; another generator begins at the beginning."""
    first, second = (tf.keras.random.SeedGenerator(3) for _ in range(2))
    draws = [tf.keras.random.normal((2,), seed=first).numpy().tolist() for _ in range(2)]
    assert draws[0] != draws[1]
    assert [tf.keras.random.normal((2,), seed=second).numpy().tolist() for _ in range(2)] == draws


def test_variables_are_called_after_their_scopes():
    class Dense(tf.Module):
        @tf.Module.with_name_scope
        def __call__(self):
            self.w = tf.Variable(1.0, name="w")
            with self.name_scope, tf.name_scope("inside"):
                self.b = tf.Variable(1.0)

    with tf.name_scope("outer"):
        dense = Dense(name="own")
    dense()
    assert [v.name for v in dense.variables] == ["outer/own/inside/Variable:0", "outer/own/w:0"]
    assert (dense.name, dense.name_scope.name) == ("own", "outer/own/")
    assert tf.Variable(1.0).name == "Variable:0"


def test_a_module_that_was_not_set_up():
    class Forgetful(tf.Module):
        def __init__(self):
            self.w = tf.Variable(1.0)

        @tf.Module.with_name_scope
        def __call__(self):
            return self.w

    with pytest.raises(ValueError, match=r"Forgetful has not been set up(?s:.)*super\(\)"):
        Forgetful()()


def test_seeds_are_split_and_folded():
    seeds = tf.random.split([1, 2], 3)
    assert (seeds.shape, seeds.dtype) == ((3, 2), tf.int32)
    assert np.array_equal(seeds, tf.random.experimental.stateless_split([1, 2], 3))
    folded = [tf.random.fold_in([1, 2], n).numpy().tolist() for n in (0, 1, 0)]
    assert folded[0] == folded[2] != folded[1]
    generator = tf.random.Generator.from_seed(1)
    first = generator.normal([2])
    one, two = generator.split(2)
    assert not np.array_equal(one.normal([2]), two.normal([2]))
    generator.reset_from_seed(1)
    assert np.array_equal(generator.normal([2]), first)
    with pytest.raises(AttributeError, match="make_seeds is not provided"):
        _ = generator.make_seeds


def test_stateless_draws_have_their_distributions():
    many = [10_000]
    successes = tf.random.stateless_binomial(many, [1, 2], counts=10, probs=0.3)
    assert abs(np.mean(successes) - 3) < 0.1
    assert abs(np.mean(tf.random.stateless_poisson(many, [1, 2], lam=4.0)) - 4) < 0.1
    beta = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        drawn = tf.reduce_mean(tf.random.stateless_gamma(many, [1, 2], alpha=3.0, beta=beta))
    assert abs(drawn - 1.5) < 0.05
    assert float(tape.gradient(drawn, beta)) == pytest.approx(-float(drawn) / 2)
