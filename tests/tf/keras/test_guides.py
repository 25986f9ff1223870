"""What TensorFlow's guides to gradients and training do with layers, done here.

Their texts are not repeated: each test does what a section of a guide does, and holds the numbers
against plain NumPy or finite differences.
"""

import numpy as np
import pytest

from tapemagic import tf

layers = tf.keras.layers


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def differences(fun, v):
    """Return the derivative of a number by a variable, by central differences."""
    start, result = v.numpy(), np.zeros(v.shape)
    for index in np.ndindex(result.shape):
        values = []
        for sign in (1, -1):
            moved = start.copy()
            moved[index] += sign * 1e-6
            v.assign(moved)
            values.append(float(fun()))
        result[index] = (values[0] - values[1]) / 2e-6
    v.assign(start)
    return result


# --------------------------------------------- introduction to gradients and automatic differentiation


def test_gradients_of_a_layer():
    layer = layers.Dense(2, activation="relu")
    x = tf.constant([[1.0, 2.0, 3.0]])
    with tf.GradientTape() as tape:
        y = layer(x)
        loss = tf.reduce_mean(y**2)
    gradients = tape.gradient(loss, layer.trainable_variables)
    shown = [f"{v.name}, shape: {g.shape}" for v, g in zip(layer.trainable_variables, gradients)]
    assert shown == ["kernel, shape: (3, 2)", "bias, shape: (2,)"]
    z = x.numpy() @ layer.kernel.numpy()
    assert np.allclose(gradients[1].numpy(), np.maximum(z, 0)[0], atol=1e-6)
    assert np.allclose(gradients[0].numpy(), x.numpy().T @ np.maximum(z, 0), atol=1e-6)
    assert [v.name for v in tape.watched_variables()] == ["kernel", "bias"]


# -------------------------------------------------------------- advanced automatic differentiation


def test_gradient_of_the_size_of_a_gradient():
    layer = layers.Dense(10, activation=tf.nn.tanh, dtype="float64")
    x = tf.constant(numbers(7, 5))

    def size():
        with tf.GradientTape(watch_accessed_variables=False) as inner:
            inner.watch(x)
            total = tf.reduce_sum(layer(x) ** 2)
        return tf.norm(inner.gradient(total, x))

    with tf.GradientTape() as outer:
        magnitude = size()
    found = outer.gradient(magnitude, layer.trainable_variables)
    assert [g.shape for g in found] == [(5, 10), (10,)]
    for v, g in zip(layer.trainable_variables, found):
        assert np.allclose(g.numpy(), differences(size, v), rtol=1e-5, atol=1e-6)


def test_jacobian_of_a_layer():
    layer = layers.Dense(10, activation=tf.nn.relu, dtype="float64")
    x = tf.constant(numbers(7, 5))
    with tf.GradientTape(persistent=True) as tape:
        y = layer(x)
    j = tape.jacobian(y, layer.kernel)
    assert j.shape == (7, 10, 5, 10)
    active = (y.numpy() > 0).astype(float)
    expected = np.einsum("bi,bo,op->boip", x.numpy(), active, np.eye(10))
    assert np.allclose(j.numpy(), expected)
    assert np.allclose(tf.reduce_sum(j, [0, 1]).numpy(), tape.gradient(y, layer.kernel).numpy())


def test_hessian_and_a_step_of_newton():
    x = tf.constant(numbers(7, 5))
    one = layers.Dense(4, activation=tf.nn.softplus, dtype="float64")
    two = layers.Dense(3, activation=tf.nn.softplus, dtype="float64")

    def slope():
        with tf.GradientTape() as inner:
            loss = tf.reduce_mean(two(one(x)) ** 2)
        return inner.gradient(loss, one.kernel), loss

    with tf.GradientTape() as outer:
        gradient, before = slope()
    hessian = outer.jacobian(gradient, one.kernel)
    assert hessian.shape == (5, 4, 5, 4)
    for index in ((0, 0), (4, 3), (2, 1)):
        column = differences(lambda index=index: slope()[0][index], one.kernel)
        assert np.allclose(hessian.numpy()[index], column, rtol=1e-5, atol=1e-7)
    matrix = tf.reshape(hessian, [20, 20]) + tf.eye(20, dtype=tf.float64) * 1e-1
    step = tf.linalg.solve(matrix, tf.reshape(gradient, [20, 1]))
    one.kernel.assign_sub(tf.reshape(step, [5, 4]) * 0.1)
    assert slope()[1].numpy() < before.numpy()


def test_batch_jacobian_of_layers():
    x = tf.constant(numbers(7, 5))
    one = layers.Dense(8, activation=tf.nn.elu, dtype="float64")
    two = layers.Dense(6, activation=tf.nn.elu, dtype="float64")
    with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
        tape.watch(x)
        y = two(one(x))
    whole, each = tape.jacobian(y, x), tape.batch_jacobian(y, x)
    assert (whole.shape, each.shape) == ((7, 6, 7, 5), (7, 6, 5))
    assert np.allclose(tf.reduce_sum(whole, axis=2).numpy(), each.numpy())


def test_jacobian_through_batch_normalization():
    x = tf.constant(numbers(4, 3))
    one, norm, two = layers.Dense(5, "elu"), layers.BatchNormalization(), layers.Dense(2, "elu")
    with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
        tape.watch(x)
        y = two(norm(one(x), training=True))
    assert tape.jacobian(y, x).shape == (4, 2, 4, 3)
    with pytest.raises(ValueError, match="row"):  # TensorFlow returns sums over the rows here
        tape.batch_jacobian(y, x)


def test_gradients_of_each_example():
    model = tf.keras.Sequential([layers.Dense(3, "tanh"), layers.Dense(1)])
    x = tf.constant(numbers(4, 2), tf.float32)

    with tf.GradientTape() as tape:
        losses = tf.reduce_sum(model(x) ** 2, axis=1)
    each = tape.jacobian(losses, model.trainable_variables)
    for i in range(4):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(model(x[i : i + 1]) ** 2)
        alone = tape.gradient(loss, model.trainable_variables)
        for jacobian, gradient in zip(each, alone):
            assert np.allclose(jacobian.numpy()[i], gradient.numpy(), atol=1e-5)


def test_a_clipped_gradient_between_layers():
    @tf.custom_gradient
    def clip_gradients(y):
        def backward(upstream):
            return tf.clip_by_norm(upstream, 0.5)

        return y, backward

    one, two = layers.Dense(2, use_bias=False), layers.Dense(1, kernel_initializer="ones")
    x = tf.constant([[3.0, 4.0]])
    with tf.GradientTape() as tape:
        y = two(clip_gradients(one(x)))
    # the cotangent (1, 1) has the norm sqrt(2), and gets 1/2
    expected = np.outer([3, 4], np.full(2, 0.5 / np.sqrt(2)))
    assert np.allclose(tape.gradient(y, one.kernel).numpy(), expected, rtol=1e-6)


def test_layers_are_not_computed_again_in_silence():
    layer = layers.Dense(8, "tanh", name="inner")
    layer.build((None, 4))
    with tf.GradientTape(), pytest.raises(ValueError, match=r"inner reads .* would miss it"):
        tf.recompute_grad(layer)(tf.Variable(tf.ones((3, 4))))


# ----------------------------------------------------------------------- writing a training loop


def blobs(count, classes=3):
    """Return points around the corners of a triangle, and whose they are."""
    rng = np.random.default_rng(1)
    labels = rng.integers(0, classes, count)
    corners = np.array([[2.0, 0.0], [-1.0, 2.0], [-1.0, -2.0]])
    return (corners[labels] + 0.4 * rng.normal(size=(count, 2))).astype("float32"), labels


class ActivityPenalty(layers.Layer):
    def call(self, inputs):
        self.add_loss(1e-3 * tf.reduce_sum(inputs**2))
        return inputs


def test_a_training_loop_from_scratch():
    tf.random.set_seed(2)
    x, labels = blobs(96)
    model = tf.keras.Sequential(
        [layers.Dense(16, activation="relu"), ActivityPenalty(), layers.Dense(3)]
    )
    optimizer = tf.keras.optimizers.Adam(learning_rate=0.05)
    loss_of = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    accuracy = tf.keras.metrics.SparseCategoricalAccuracy()

    @tf.function
    def train_step(x, y):
        with tf.GradientTape() as tape:
            logits = model(x, training=True)
            loss = loss_of(y, logits) + sum(model.losses)
        gradients = tape.gradient(loss, model.trainable_weights)
        optimizer.apply(gradients, model.trainable_weights)
        accuracy.update_state(y, logits)
        return loss

    history = []
    for _ in range(15):
        for start in range(0, 96, 32):
            loss = train_step(x[start : start + 32], labels[start : start + 32])
        history.append(float(accuracy.result()))
        accuracy.reset_state()
    assert history[-1] > 0.97
    assert float(loss) < 0.5
    predictions = tf.math.argmax(tf.nn.softmax(model(x, training=False)), axis=1)
    assert np.mean(predictions.numpy() == labels) > 0.97


def test_a_walk_through_training():
    """Classes of points, from a data set in batches to the accuracy on points not seen before."""
    tf.random.set_seed(5)
    data = tf.data.Dataset.from_tensor_slices(blobs(150))
    train = data.take(120).shuffle(120).batch(32)
    features, labels = next(iter(train))
    assert (features.shape, labels.shape) == ((32, 2), (32,))

    model = tf.keras.Sequential([
        layers.Dense(10, activation=tf.nn.relu, input_shape=(2,)),
        layers.Dense(10, activation=tf.nn.relu), layers.Dense(3),
    ])  # fmt: skip
    loss_object = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = tf.keras.optimizers.SGD(learning_rate=0.1)

    def loss(model, x, y, training):
        return loss_object(y_true=y, y_pred=model(x, training=training))

    def grad(model, inputs, targets):
        with tf.GradientTape() as tape:
            value = loss(model, inputs, targets, training=True)
        return value, tape.gradient(value, model.trainable_variables)

    before, _ = grad(model, features, labels)
    losses = []
    for _ in range(10):
        average, accuracy = tf.keras.metrics.Mean(), tf.keras.metrics.SparseCategoricalAccuracy()
        for x, y in train:
            value, gradients = grad(model, x, y)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables))
            average.update_state(value)
            accuracy.update_state(y, model(x, training=True))
        losses.append(float(average.result()))
    assert losses[-1] < losses[0] < float(before)
    assert f"{accuracy.result():.3%}".endswith("%")

    accuracy = tf.keras.metrics.Accuracy()
    for x, y in data.skip(120).batch(10):
        prediction = tf.math.argmax(model(x, training=False), axis=1, output_type=tf.int64)
        accuracy(prediction, y)
    assert float(accuracy.result()) > 0.95


def test_a_small_convolutional_network_learns():
    tf.random.set_seed(3)
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 64)
    images = rng.normal(size=(64, 8, 8)) * 0.3
    images[labels == 0, 3, :] += 1  # a bar that lies, or one that stands
    images[labels == 1, :, 4] += 1
    images = images[..., tf.newaxis].astype("float32")

    class Net(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.conv = layers.Conv2D(8, 3, activation="relu")
            self.pool, self.flatten = layers.MaxPooling2D(), layers.Flatten()
            self.drop, self.out = layers.Dropout(0.2), layers.Dense(2)

        def call(self, x, training=False):
            return self.out(self.drop(self.flatten(self.pool(self.conv(x))), training=training))

    net, optimizer = Net(), tf.keras.optimizers.Adam(0.01)
    loss_of = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    for _ in range(30):
        with tf.GradientTape() as tape:
            loss = loss_of(labels, net(images, training=True))
        variables = net.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
    assert np.mean(np.argmax(net(images).numpy(), axis=1) == labels) > 0.95


def test_two_networks_against_each_other():
    """A step of each, on one tape: what a generative adversarial network does."""
    generator = tf.keras.Sequential([layers.Dense(4, "relu"), layers.Dense(2)])
    judge = tf.keras.Sequential([layers.Dense(4), layers.LeakyReLU(0.2), layers.Dense(1)])
    loss_of = tf.keras.losses.BinaryCrossentropy(from_logits=True)
    real = tf.constant(numbers(5, 2), tf.float32)
    with tf.GradientTape(persistent=True) as tape:
        fake = generator(tf.random.normal((5, 3)))
        verdict = judge(tf.concat([fake, real], axis=0))
        truth = tf.concat([tf.ones((5, 1)), tf.zeros((5, 1))], axis=0)
        judge_loss, generator_loss = loss_of(truth, verdict), loss_of(tf.zeros((5, 1)), verdict[:5])
    for loss, model in ((judge_loss, judge), (generator_loss, generator)):
        gradients = tape.gradient(loss, model.trainable_weights)
        assert all(g is not None and np.isfinite(g.numpy()).all() for g in gradients)


def test_the_networks_of_a_convolutional_generator():
    generator = tf.keras.Sequential([
        layers.Dense(3 * 3 * 8, use_bias=False, input_shape=(10,)), layers.BatchNormalization(),
        layers.LeakyReLU(), layers.Reshape((3, 3, 8)),
        layers.Conv2DTranspose(4, (5, 5), strides=(1, 1), padding="same", use_bias=False),
        layers.Conv2DTranspose(1, (5, 5), strides=(2, 2), padding="same", activation="tanh"),
    ])  # fmt: skip
    assert generator.output_shape == (None, 6, 6, 1)
    judge = tf.keras.Sequential([
        layers.Conv2D(4, (5, 5), strides=(2, 2), padding="same", input_shape=[6, 6, 1]),
        layers.LeakyReLU(), layers.Dropout(0.3), layers.Flatten(), layers.Dense(1),
    ])  # fmt: skip
    loss_of = tf.keras.losses.BinaryCrossentropy(from_logits=True)
    variables = generator.trainable_variables
    noise = tf.random.normal([4, 10])

    def loss():
        return loss_of(tf.ones((4, 1)), judge(generator(noise, training=True)))

    with tf.GradientTape() as tape:
        before = loss()
    gradients = tape.gradient(before, variables)
    size = float(tf.linalg.global_norm(gradients)) ** 2
    for v, g in zip(variables, gradients):
        v.assign_sub(1e-3 / size * g)
    assert before.numpy() - loss().numpy() == pytest.approx(1e-3, rel=0.1)  # the loss is that steep


# ------------------------------------------------------------------------ layers of one's own


def test_a_residual_block():
    class Block(tf.keras.Model):
        def __init__(self, kernel_size, filters):
            super().__init__(name="")
            self.convolutions = [
                layers.Conv2D(filters[0], (1, 1)),
                layers.Conv2D(filters[1], kernel_size, padding="same"),
                layers.Conv2D(filters[2], (1, 1)),
            ]
            self.normalizations = [layers.BatchNormalization() for _ in filters]

        def call(self, x, training=False):
            y = x
            for convolution, normalization in zip(self.convolutions, self.normalizations):
                y = tf.nn.relu(normalization(convolution(y), training=training))
            return tf.nn.relu(y + x)

    block = Block(2, [1, 2, 3])
    assert block(tf.zeros([1, 2, 3, 3])).shape == (1, 2, 3, 3)
    assert len(block.layers) == 6
    assert len(block.variables) == 18
    assert len(block.trainable_variables) == 12


def test_a_variable_of_a_model_is_trained():
    class Line(tf.keras.Model):
        def __init__(self, **options):
            super().__init__(**options)
            self.w, self.b = tf.Variable(5.0), tf.Variable(0.0)

        def call(self, x):
            return self.w * x + self.b

    model = Line()
    x = tf.linspace(-2.0, 2.0, 21)
    for _ in range(60):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((3 * x + 2 - model(x)) ** 2)
        for v, g in zip(model.trainable_variables, tape.gradient(loss, model.trainable_variables)):
            v.assign_sub(0.1 * g)
    assert [v.numpy() for v in model.variables] == pytest.approx([3, 2], abs=1e-2)
