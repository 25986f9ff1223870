"""Optimizers, losses and metrics against the formulas of the papers and of Keras 3, written out."""

import numpy as np
import pytest
from tf.differences import assert_same

from tapemagic import tf

GRADIENTS = [np.array([0.5, -2.0]), np.array([-1.0, 0.25]), np.array([3.0, 0.0])]
START = np.array([1.0, 2.0])


def run(optimizer):
    """Apply three gradients to one variable; return where it ends."""
    v = tf.Variable(START, dtype=tf.float64)
    for gradient in GRADIENTS:
        optimizer.apply_gradients([(tf.constant(gradient), v)])
    assert int(optimizer.iterations.numpy()) == 3
    return v.numpy()


def sgd(rate=0.01, momentum=0.0, nesterov=False):
    w, m = START.copy(), 0.0
    for g in GRADIENTS:
        m = momentum * m - rate * g
        w = w + (momentum * m - rate * g if nesterov else m)
    return w


def adam(rate=0.001, b1=0.9, b2=0.999, epsilon=1e-7, amsgrad=False, decay=0.0):
    w, m, v, largest = START.copy(), 0.0, 0.0, 0.0
    for t, g in enumerate(GRADIENTS, 1):
        w = w - rate * decay * w
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
        largest = np.maximum(largest, v)
        used = largest if amsgrad else v
        w = w - rate * np.sqrt(1 - b2**t) / (1 - b1**t) * m / (np.sqrt(used) + epsilon)
    return w


def rmsprop(rate=0.001, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False):
    w, v, mean, m = START.copy(), 0.0, 0.0, 0.0
    for g in GRADIENTS:
        v, mean = rho * v + (1 - rho) * g**2, rho * mean + (1 - rho) * g
        m = momentum * m + rate * g / np.sqrt((v - mean**2 if centered else v) + epsilon)
        w = w - m
    return w


def adagrad(rate=0.001, start=0.1, epsilon=1e-7):
    w, total = START.copy(), start
    for g in GRADIENTS:
        total = total + g**2
        w = w - rate * g / np.sqrt(total + epsilon)
    return w


@pytest.mark.parametrize(
    ("optimizer", "expected"),
    [
        (tf.keras.optimizers.SGD(), sgd()),
        (tf.keras.optimizers.SGD(0.1, momentum=0.9), sgd(0.1, 0.9)),
        (tf.keras.optimizers.SGD(learning_rate=0.1, momentum=0.9, nesterov=True),
         sgd(0.1, 0.9, True)),
        (tf.keras.optimizers.Adam(), adam()),
        (tf.keras.optimizers.Adam(0.1, beta_1=0.5, beta_2=0.9, epsilon=1e-3),
         adam(0.1, 0.5, 0.9, 1e-3)),
        (tf.keras.optimizers.Adam(0.1, amsgrad=True, beta_2=0.5), adam(0.1, b2=0.5, amsgrad=True)),
        (tf.keras.optimizers.AdamW(0.1, weight_decay=0.2), adam(0.1, decay=0.2)),
        (tf.keras.optimizers.RMSprop(), rmsprop()),
        (tf.keras.optimizers.RMSprop(0.1, rho=0.5, momentum=0.3, centered=True),
         rmsprop(0.1, 0.5, 0.3, centered=True)),
        (tf.keras.optimizers.Adagrad(0.1, initial_accumulator_value=0.5), adagrad(0.1, 0.5)),
    ],
)  # fmt: skip
def test_optimizer(optimizer, expected):
    assert np.allclose(run(optimizer), expected, rtol=1e-13)


def test_clipping():
    v = tf.Variable([0.0, 0.0], dtype=tf.float64)
    w = tf.Variable(0.0, dtype=tf.float64)
    gradients = [tf.constant([3.0, -4.0], tf.float64), tf.constant(12.0, tf.float64)]
    for options, expected in (
        ({"clipnorm": 1.0}, [0.6, -0.8, 1.0]),
        ({"clipvalue": 2.0}, [2.0, -2.0, 2.0]),
        ({"global_clipnorm": 6.5}, [1.5, -2.0, 6.0]),
        ({"clipnorm": 100.0}, [3.0, -4.0, 12.0]),
    ):
        v.assign([0.0, 0.0])
        w.assign(0.0)
        tf.keras.optimizers.SGD(1.0, **options).apply_gradients(zip(gradients, [v, w], strict=True))
        assert [*-v.numpy(), -w.numpy()] == pytest.approx(expected)
    with pytest.raises(ValueError, match="clipnorm"):
        tf.keras.optimizers.SGD(clipnorm=1.0, clipvalue=1.0)


def test_learning_rate():
    schedule = tf.keras.optimizers.schedules.ExponentialDecay(1.0, 2, 0.25)
    optimizer = tf.keras.optimizers.SGD(schedule)
    v = tf.Variable(0.0)
    for rate in (1.0, 0.5, 0.25):
        assert optimizer.learning_rate.numpy() == pytest.approx(rate)
        optimizer.apply([tf.constant(1.0)], [v])
    assert v.numpy() == -1.75
    assert v.dtype == tf.float32
    optimizer.learning_rate = 0.125
    assert optimizer.learning_rate.numpy() == 0.125
    optimizer.learning_rate.assign(0.5)
    assert float(optimizer.lr) == 0.5


S = tf.keras.optimizers.schedules


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        (S.ExponentialDecay(1.0, 2, 0.25, staircase=True), {0: 1, 1: 1, 2: 0.25}),
        (S.InverseTimeDecay(1.0, 2, 3.0), {0: 1, 2: 0.25}),
        (S.PiecewiseConstantDecay([3, 6], [1.0, 0.5, 0.1]), {3: 1, 4: 0.5, 6: 0.5, 7: 0.1}),
        (S.PolynomialDecay(1.0, 4, 0.2, power=2.0), {0: 1, 2: 0.4, 4: 0.2, 9: 0.2}),
        (S.PolynomialDecay(1.0, 4, 0.2, cycle=True), {4: 0.2, 6: 0.4, 8: 0.2}),
        (S.CosineDecay(1.0, 4, alpha=0.5), {0: 1, 2: 0.75, 4: 0.5, 5: 0.5}),
        (S.CosineDecay(0.0, 4, warmup_target=1.0, warmup_steps=2), {1: 0.5, 2: 1, 4: 0.5, 6: 0}),
        (S.CosineDecayRestarts(1.0, 2, m_mul=0.5), {0: 1, 1: 0.5, 2: 0.5, 4: 0.25, 6: 0.25}),
    ],
)
def test_schedules(schedule, rates):
    for step, rate in rates.items():
        assert schedule(step).dtype == tf.float32
        assert schedule(step).numpy() == pytest.approx(rate, abs=1e-6)


#: After three steps of 0.1 down ``v**2`` from 1 and -2: TensorFlow 2.21's.
THREE_STEPS = {
    "Nadam": [0.75467, -1.74972], "Adamax": [0.7155, -1.70765], "Adadelta": [0.99957, -1.99957],
    "Lion": [0.7, -1.7],
}  # fmt: skip


@pytest.mark.parametrize("name", THREE_STEPS)
def test_other_optimizers(name):
    v = tf.Variable([1.0, -2.0])
    optimizer = getattr(tf.keras.optimizers, name)(0.1)
    for _ in range(3):
        optimizer.apply_gradients([(2 * v, v)])
    assert np.allclose(v.numpy(), THREE_STEPS[name], atol=2e-5)
    assert isinstance(tf.keras.optimizers.get(name.lower()), type(optimizer))


def test_missing_gradients():
    v, w = tf.Variable(1.0), tf.Variable(2.0, name="w")
    optimizer = tf.keras.optimizers.SGD(1.0)
    with pytest.warns(UserWarning, match="w:0"):
        optimizer.apply_gradients([(tf.constant(1.0), v), (None, w)])
    assert (v.numpy(), w.numpy()) == (0, 2)
    with pytest.raises(ValueError, match="No gradients provided"):
        optimizer.apply_gradients([(None, v)])


def test_minimize():
    v = tf.Variable(3.0)
    optimizer = tf.keras.optimizers.SGD(0.25)
    optimizer.minimize(lambda: v**2, [v])
    assert v.numpy() == 1.5
    with tf.GradientTape() as tape:
        loss = v**2
    optimizer.minimize(loss, v, tape=tape)
    assert v.numpy() == 0.75
    with pytest.raises(ValueError, match="tape"):
        optimizer.minimize(loss, v)


def test_a_training_loop():
    tf.random.set_seed(0)
    x = tf.random.normal((64, 2))
    y = x @ tf.constant([[2.0], [-1.0]]) + 0.5
    w, b = tf.Variable(tf.zeros((2, 1))), tf.Variable(tf.zeros(1))
    optimizer, loss_of = tf.keras.optimizers.Adam(0.1), tf.keras.losses.MeanSquaredError()
    for _ in range(200):
        with tf.GradientTape() as tape:
            loss = loss_of(y, x @ w + b)
        optimizer.apply_gradients(zip(tape.gradient(loss, [w, b]), [w, b], strict=True))
    assert np.allclose(w.numpy(), [[2], [-1]], atol=1e-2)
    assert np.allclose(b.numpy(), 0.5, atol=1e-2)


# ---------------------------------------------------------------------------------------- losses

T2 = np.array([[0.0, 1.0], [1.0, 0.0]])
P2 = np.array([[0.6, 0.4], [0.2, 0.8]])
L2 = np.array([[1.0, -2.0], [0.5, 3.0]])


def log_softmax(x):
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def binary(t, p):
    return -(t * np.log(p) + (1 - t) * np.log(1 - p))


sigmoid = 1 / (1 + np.exp(-L2))
losses = tf.keras.losses


@pytest.mark.parametrize(
    ("loss", "t", "p", "expected"),
    [
        (losses.MeanSquaredError(), T2, P2, ((T2 - P2) ** 2).mean()),
        (losses.MeanSquaredError(reduction="sum"), T2, P2, ((T2 - P2) ** 2).mean(1).sum()),
        (losses.MeanSquaredError(reduction="none"), T2, P2, ((T2 - P2) ** 2).mean(1)),
        (losses.MeanAbsoluteError(), T2, P2, np.abs(T2 - P2).mean()),
        (losses.Huber(reduction=losses.Reduction.SUM), T2, L2, np.sum([1.5, 1.3125])),
        (losses.Huber(), T2, L2, np.mean([[0.5, 2.5], [0.125, 2.5]])),
        (losses.Huber(delta=2.0), T2, L2, np.mean([[0.5, 4.0], [0.125, 4.0]])),
        (losses.LogCosh(), T2, L2, np.log(np.cosh(T2 - L2)).mean()),
        (losses.Hinge(), T2, L2, np.maximum(1 - (2 * T2 - 1) * L2, 0).mean()),
        (losses.BinaryCrossentropy(), T2, P2, binary(T2, P2).mean()),
        (losses.BinaryCrossentropy(from_logits=True), T2, L2, binary(T2, sigmoid).mean()),
        (losses.BinaryCrossentropy(label_smoothing=0.2), T2, P2,
         binary(T2 * 0.8 + 0.1, P2).mean()),
        (losses.CategoricalCrossentropy(), T2, P2, -(T2 * np.log(P2)).sum(1).mean()),
        (losses.CategoricalCrossentropy(), T2, P2 * 3, -(T2 * np.log(P2)).sum(1).mean()),
        (losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.2), T2, L2,
         -((T2 * 0.8 + 0.1) * log_softmax(L2)).sum(1).mean()),
        (losses.SparseCategoricalCrossentropy(), np.array([1, 0]), P2,
         -np.log([0.4, 0.2]).mean()),
        (losses.SparseCategoricalCrossentropy(from_logits=True), np.array([[1], [0]]), L2,
         -log_softmax(L2)[[0, 1], [1, 0]].mean()),
        (losses.mean_squared_error, T2, P2, ((T2 - P2) ** 2).mean(1)),
        (losses.binary_crossentropy, T2, P2, binary(T2, P2).mean(1)),
        (losses.mse, 1.0, np.array(3.0), 4.0),
    ],
)  # fmt: skip
def test_loss(loss, t, p, expected):
    y = loss(t, tf.constant(p))
    assert isinstance(y, tf.Tensor)
    # classes compute in float32, whatever they are given, and functions in the prediction's dtype
    assert y.dtype == (tf.float32 if isinstance(loss, losses.Loss) else tf.float64)
    assert np.allclose(y.numpy(), expected, rtol=1e-6)


def cosine(t, p):
    return (t * p).sum(-1) / np.linalg.norm(t, axis=-1) / np.linalg.norm(p, axis=-1)


def focal(t, p):
    return (np.where(t == 1, 1 - p, p) ** 2 * binary(t, p)).mean(1)


@pytest.mark.parametrize(
    ("name", "t", "p", "expected"),
    [
        ("KLDivergence", P2, P2[::-1], (P2 * np.log(P2 / P2[::-1])).sum(1)),
        ("Poisson", T2, P2, (P2 - T2 * np.log(P2)).mean(1)),
        ("CosineSimilarity", T2, P2, -cosine(T2, P2)),
        ("SquaredHinge", T2, L2, (np.maximum(1 - (2 * T2 - 1) * L2, 0) ** 2).mean(1)),
        ("CategoricalHinge", T2, L2, np.maximum(((1 - T2) * L2).max(1) - (T2 * L2).sum(1) + 1, 0)),
        ("MeanAbsolutePercentageError", P2, L2, 100 * np.abs((P2 - L2) / P2).mean(1)),
        ("MeanSquaredLogarithmicError", T2, P2, (np.log((1 + T2) / (1 + P2)) ** 2).mean(1)),
        ("BinaryFocalCrossentropy", T2, P2, focal(T2, P2)),
        ("CategoricalFocalCrossentropy", T2, P2,
         (-T2 * np.log(P2) * (1 - P2) ** 2 * 0.25).sum(1)),
    ],
)  # fmt: skip
def test_other_losses(name, t, p, expected):
    loss = getattr(losses, name)
    assert np.allclose(loss(reduction="none")(t, p), expected, rtol=1e-5)
    weights = [1.0, 3.0]
    mean = loss(reduction="mean_with_sample_weight")(t, p, sample_weight=weights)
    assert np.allclose(mean, np.average(expected, weights=weights), rtol=1e-5)
    sign = -1 if name == "CosineSimilarity" else 1  # the metric is the cosine itself
    if "Focal" not in name:
        metric = getattr(tf.keras.metrics, name)()
        assert np.allclose(metric(t, p), sign * expected.mean(), rtol=1e-5)


def test_names_of_losses():
    assert losses.get("mse") is losses.mean_squared_error
    assert isinstance(losses.get("KLDivergence"), losses.KLDivergence)
    assert (losses.Huber().name, losses.LogCosh().name) == ("huber_loss", "log_cosh")
    with pytest.raises(ValueError, match="No loss"):
        losses.get("nonsense")


def test_losses_differentiate_and_weigh():
    p = tf.Variable(L2, dtype=tf.float32)
    with tf.GradientTape() as tape:
        y = losses.CategoricalCrossentropy(from_logits=True)(T2, p)
    assert np.allclose(tape.gradient(y, p).numpy(), (np.exp(log_softmax(L2)) - T2) / 2, atol=1e-6)
    weighted = losses.MeanSquaredError()(T2, P2, sample_weight=[1.0, 0.0])
    assert weighted.numpy() == pytest.approx(((T2 - P2) ** 2).mean(1)[0] / 2)
    assert losses.BinaryCrossentropy()([0.0, 1.0], [0.0, 1.0]).numpy() < 1e-6
    with pytest.raises(ValueError, match="reduction"):
        losses.MeanSquaredError(reduction="nonsense")
    with pytest.raises(TypeError, match="nonsense"):
        losses.Huber(nonsense=1)
    with pytest.raises(ValueError, match="axis=0"):
        losses.sparse_categorical_crossentropy([0], P2, axis=0)
    with pytest.raises(ValueError, match="ignore_class"):
        tf.keras.metrics.SparseCategoricalCrossentropy(ignore_class=1)


def test_metrics():
    metrics = tf.keras.metrics
    mean = metrics.Mean(name="loss")
    assert mean.result().numpy() == 0
    mean.update_state(tf.constant([1.0, 3.0]))
    assert mean(5.0, sample_weight=2.0).numpy() == 3.5
    mean.reset_state()
    assert mean(7).numpy() == 7
    assert metrics.MeanSquaredError()(T2, P2).numpy() == pytest.approx(((T2 - P2) ** 2).mean())
    said = [[0.2], [0.7], [0.9], [0.4]]  # labels that are neither 0 nor 1: TensorFlow 2.21's
    assert metrics.BinaryAccuracy()([[0.0], [0.7], [1.0], [0.6]], said).numpy() == 0.5
    assert metrics.BinaryAccuracy()([[2], [2], [1], [-1]], said).numpy() == 0.25
    assert metrics.BinaryAccuracy()([0.0, 1.0, 1.0], [0.4, 0.6, 0.1]).numpy() == pytest.approx(
        2 / 3
    )
    assert metrics.CategoricalAccuracy()(T2, [[0.1, 0.9], [0.2, 0.8]]).numpy() == 0.5
    assert metrics.SparseCategoricalAccuracy()([[1], [1]], P2).numpy() == 0.5
    total = metrics.Sum()
    total.update_state([1.0, 2.0])
    assert total(3.0, sample_weight=2.0).numpy() == 9
    assert metrics.RootMeanSquaredError()([1.0, 2.0], [4.0, 6.0]).numpy() == pytest.approx(
        12.5**0.5
    )
    scores = [[0.1, 0.2, 0.7], [0.3, 0.4, 0.3]]
    assert metrics.SparseTopKCategoricalAccuracy(k=2)([1, 1], scores).numpy() == 1
    assert metrics.TopKCategoricalAccuracy(k=1)(np.eye(3)[:2], scores).numpy() == 0.5
    assert metrics.MeanMetricWrapper(lambda t, p: t - p, name="m")([3.0], [1.0]).numpy() == 2


def test_counts():
    metrics = tf.keras.metrics
    truth, said, weights = [1, 1, 0, 1, 0], [0.9, 0.2, 0.8, 0.7, 0.1], [1.0, 2.0, 1.0, 4.0, 8.0]
    expected = {
        "TruePositives": 5, "FalsePositives": 1, "FalseNegatives": 2, "TrueNegatives": 8,
        "Precision": 5 / 6, "Recall": 5 / 7,
    }  # fmt: skip
    for name, value in expected.items():
        metric = getattr(metrics, name)()
        metric.update_state(truth[:2], said[:2], sample_weight=weights[:2])
        found = metric(truth[2:], said[2:], sample_weight=weights[2:])
        assert found.numpy() == pytest.approx(value)
        metric.reset_state()
        assert metric.result().numpy() == 0
    assert metrics.Recall(thresholds=0.75)(truth, said).numpy() == pytest.approx(1 / 3)


def test_a_metric_of_ones_own():
    class Largest(tf.keras.metrics.Metric):
        def __init__(self):
            super().__init__(name="largest")
            self.largest = self.add_weight(name="largest", initializer="zeros")

        def update_state(self, x):
            self.largest.assign(tf.maximum(self.largest, tf.reduce_max(x)))

        def result(self):
            return self.largest

    metric = Largest()
    assert metric([1.0, 3.0]).numpy() == metric([2.0]).numpy() == 3
    metric.reset_state()
    assert metric.result().numpy() == 0


def test_weights_that_fit_no_values():
    for metric in (tf.keras.metrics.Mean(), tf.keras.metrics.Sum()):
        for weights in (np.ones((2, 3)), np.ones(3)):
            with pytest.raises(ValueError, match="Weights of shape"):
                metric.update_state([1.0, 2.0], sample_weight=weights)


# ----------------------------------------------------------------- activations and first values

POINTS = np.array([-2.0, -0.5, 0.5, 3.0])


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("linear", lambda x: x),
        ("relu", lambda x: np.maximum(x, 0)),
        ("elu", lambda x: np.where(x > 0, x, np.exp(x) - 1)),
        ("exponential", np.exp),
        ("sigmoid", lambda x: 1 / (1 + np.exp(-x))),
        ("softplus", lambda x: np.log(1 + np.exp(x))),
        ("softmax", lambda x: np.exp(x) / np.exp(x).sum()),
        ("leaky_relu", lambda x: np.where(x > 0, x, 0.2 * x)),
        ("silu", lambda x: x / (1 + np.exp(-x))),
        ("tanh", np.tanh),
        ("log_sigmoid", lambda x: -np.log(1 + np.exp(-x))),
    ],
)
def test_activations(name, formula):
    activation = tf.keras.activations.get(name)
    assert activation is getattr(tf.keras.activations, name)
    np.testing.assert_allclose(activation(POINTS), formula(POINTS), rtol=1e-12)
    if name not in ("softmax", "leaky_relu", "elu", "relu"):
        with pytest.raises(TypeError):  # Keras' further options are not taken for a name
            activation(POINTS, 0.1)


def test_activations_with_options():
    x = tf.Variable(POINTS)
    with tf.GradientTape() as tape:
        y = tf.keras.activations.elu(x, alpha=0.5)
    negative = 0.5 * np.exp(POINTS)
    np.testing.assert_allclose(y, np.where(POINTS > 0, POINTS, negative - 0.5))
    np.testing.assert_allclose(tape.gradient(y, x), np.where(POINTS > 0, 1, negative))
    assert tf.keras.activations.get(None) is tf.keras.activations.linear
    assert tf.keras.activations.get(np.tanh) is np.tanh
    with pytest.raises(ValueError, match="No activation"):
        tf.keras.activations.get("np")


@pytest.mark.parametrize("axis", [-1, 0])
def test_sparsemax_is_the_nearest_distribution(axis):
    """Of all levels to subtract, the one after which what is left adds up to 1, by bisection."""

    def nearest(row):
        low, high = row.min() - 1, row.max()
        for _ in range(80):
            middle = (low + high) / 2
            too_much = np.maximum(row - middle, 0).sum() > 1
            low, high = (middle, high) if too_much else (low, middle)
        return np.maximum(row - low, 0)

    x = np.random.default_rng(3).normal(size=(5, 4)) * 1.5

    def reference(x):
        return np.apply_along_axis(nearest, axis, x)

    assert_same(lambda v: tf.keras.activations.sparsemax(v, axis), reference, x)


INITIALIZERS = tf.keras.initializers


@pytest.mark.parametrize(
    ("initializer", "variance"),
    [
        (INITIALIZERS.RandomNormal(stddev=2.0), 4),
        (INITIALIZERS.RandomUniform(-3.0, 3.0), 3),
        (INITIALIZERS.TruncatedNormal(stddev=1.0), 0.7737),  # of the normal cut at 2
        (INITIALIZERS.GlorotUniform(), 2 / (200 + 600)),
        (INITIALIZERS.GlorotNormal(), 2 / (200 + 600)),
        (INITIALIZERS.HeUniform(), 2 / 200),
        (INITIALIZERS.HeNormal(), 2 / 200),
        (INITIALIZERS.LecunUniform(), 1 / 200),
        (INITIALIZERS.LecunNormal(), 1 / 200),
        (INITIALIZERS.VarianceScaling(3.0, "fan_out", "untruncated_normal"), 3 / 600),
    ],
)
def test_initializers_have_their_variance(initializer, variance):
    tf.random.set_seed(1)
    tensor = initializer((200, 600))
    values = tensor.numpy()
    assert (tensor.shape, tensor.dtype) == ((200, 600), tf.float32)
    assert np.mean(values) == pytest.approx(0, abs=4 * np.sqrt(variance / 120_000))
    assert np.var(values) == pytest.approx(variance, rel=0.02)


def test_initializers_with_a_value_or_a_seed():
    assert INITIALIZERS.Zeros()((2,)).numpy().tolist() == [0, 0]
    assert tf.ones_initializer()([2], tf.int32).numpy().tolist() == [1, 1]
    assert tf.constant_initializer(3)((1, 2)).numpy().tolist() == [[3, 3]]
    seeded = INITIALIZERS.GlorotUniform(seed=5)
    np.testing.assert_array_equal(seeded((3, 2)), seeded((3, 2)))
    window = INITIALIZERS.HeUniform()((3, 3, 4, 8))
    assert np.max(np.abs(window)) <= np.sqrt(3 * 2 / (3 * 3 * 4))
    with pytest.raises(ValueError, match="mode"):
        INITIALIZERS.VarianceScaling(1.0, "fan")


@pytest.mark.parametrize(
    "step",
    [
        lambda optimizer, tape, y, v: optimizer.minimize(y, v, tape=tape),
        lambda optimizer, tape, y, v: optimizer.apply(tape.gradient(y, v), v),
        lambda optimizer, tape, y, v: optimizer.apply_gradients(zip(tape.gradient(y, v), v)),
    ],
)
def test_a_missing_gradient_is_warned_of_on_the_users_line(step):
    used, unused = tf.Variable(1.0), tf.Variable(1.0)
    with tf.GradientTape() as tape:
        y = used * 2.0
    with pytest.warns(UserWarning, match="do not exist") as told:
        step(tf.keras.optimizers.SGD(), tape, y, [used, unused])
    assert [warning.filename for warning in told] == [__file__]


def test_rows_that_are_picked_twice_count_as_one_gradient():
    """Duchi's Adagrad squares the gradient; Keras 3 squares each row picked: [[10.1], [9.1]]."""
    v = tf.Variable([[1.0], [1.0]])
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(tf.gather(v, [0, 0, 1]) * tf.constant([[1.0], [3.0], [3.0]]))
    gradient = tape.gradient(y, v)
    assert gradient.numpy().tolist() == [[4.0], [3.0]]
    tf.keras.optimizers.Adagrad(0.1, initial_accumulator_value=0.1).apply_gradients([(gradient, v)])
    steps = 0.1 * np.array([4.0, 3.0]) / np.sqrt(0.1 + np.array([16.0, 9.0]))
    assert np.allclose(v.numpy()[:, 0], 1 - steps)
