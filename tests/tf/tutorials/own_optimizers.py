"""Optimizers of the user's own: a step, variables, clipping; Ftrl, Lamb, and averaged losses."""

import numpy as np
import tensorflow as tf

K = tf.keras
draw = np.random.RandomState(0)
# distribution of training: as the tutorial writes it
# loss with reduction none and compute_average_loss by hand
loss_object = K.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="none")


def compute_loss(labels, predictions, model_losses):
    per_example_loss = loss_object(labels, predictions)
    loss = tf.nn.compute_average_loss(per_example_loss, global_batch_size=8)
    if model_losses:
        loss += tf.nn.scale_regularization_loss(tf.add_n(model_losses))
    return loss


m = K.Sequential([K.Input((4,)), K.layers.Dense(3, kernel_regularizer="l2")])
m.set_weights([draw.randn(*w.shape) for w in m.get_weights()])
x = tf.constant(draw.randn(8, 4).astype("float32"))
y = tf.constant(np.arange(8) % 3)
opt = K.optimizers.Adam(0.1)
for _ in range(3):
    with tf.GradientTape() as tape:
        loss = compute_loss(y, m(x, training=True), m.losses)
    g = tape.gradient(loss, m.trainable_variables)
    opt.apply_gradients(zip(g, m.trainable_variables))
    print(loss.numpy())
# optimizers of Keras
for o in (
    K.optimizers.Ftrl(0.1),
    K.optimizers.Ftrl(
        0.1,
        l1_regularization_strength=0.01,
        l2_regularization_strength=0.02,
        l2_shrinkage_regularization_strength=0.01,
        beta=0.1,
        learning_rate_power=-0.6,
        initial_accumulator_value=0.2,
    ),
    K.optimizers.Lamb(0.1),
    K.optimizers.Lamb(0.05, weight_decay=0.1, clipnorm=0.5),
):
    w = tf.Variable(tf.reshape(tf.cos(tf.range(6.0)), (3, 2)))
    b = tf.Variable([0.0, 0.5])
    for k in range(4):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((tf.constant([[1.0, 2, 3], [0, 1, -1]]) @ w + b - 1) ** 2)
        gr = tape.gradient(loss, [w, b])
        o.apply_gradients(zip(gr, [w, b]))
        print(loss.numpy())
    print(w, b)


class MyAdam(K.optimizers.Optimizer):
    def __init__(self, learning_rate=0.1, beta=0.9, name="my", **kw):
        super().__init__(learning_rate=learning_rate, name=name, **kw)
        self.beta = beta

    def build(self, var_list):
        if self.built:
            return
        super().build(var_list)
        self.m = []
        for v in var_list:
            self.m.append(self.add_variable_from_reference(v, name="m"))
        self.a, self.b_ = self.add_optimizer_variables(
            var_list, ["a", "b"], initializer=["ones", "zeros"]
        )

    def update_step(self, gradient, variable, learning_rate):
        lr = tf.cast(learning_rate, variable.dtype)
        i = self._get_variable_index(variable)
        m = self.m[i]
        self.assign(m, self.beta * m + (1 - self.beta) * gradient)
        self.assign_add(self.a[i], gradient * gradient)
        self.assign_sub(variable, lr * m / tf.sqrt(self.a[i] + 1e-7))


class Clipped(K.optimizers.Adam):
    def update_step(self, gradient, variable, learning_rate):
        super().update_step(tf.clip_by_norm(gradient, 0.1), variable, learning_rate * 2)


class Sgd2(K.optimizers.SGD):
    def update_step(self, gradient, variable, learning_rate):
        variable.assign_sub(3.0 * learning_rate * gradient)


class GC(K.optimizers.RMSprop):
    def apply(self, grads, trainable_variables=None):
        super().apply([g - tf.reduce_mean(g) for g in grads], trainable_variables)


class GA(K.optimizers.RMSprop):
    def apply_gradients(self, gv):
        return super().apply_gradients([(g * 0.5, v) for g, v in gv])


x = tf.constant(np.random.RandomState(0).randn(8, 3).astype("float32"))
y = x[:, :1] * 2 - 1


def model():
    m = K.Sequential([K.Input((3,)), K.layers.Dense(4, activation="tanh"), K.layers.Dense(1)])
    d = np.random.RandomState(3)
    m.set_weights([d.randn(*w.shape) for w in m.get_weights()])
    return m


for make in (
    MyAdam,
    Clipped,
    Sgd2,
    GC,
    GA,
    lambda: MyAdam(weight_decay=0.1),
    lambda: K.optimizers.AdamW(0.05, weight_decay=0.2),
):
    o = make()
    m = model()
    if isinstance(o, K.optimizers.AdamW):
        o.exclude_from_weight_decay(var_names=["bias"])
    for _ in range(3):
        with tf.GradientTape() as t:
            l = tf.reduce_mean((m(x) - y) ** 2)
        g = t.gradient(l, m.trainable_variables)
        o.apply_gradients(zip(g, m.trainable_variables))
        print(l.numpy())
    print([float(tf.reduce_sum(w)) for w in m.weights], int(o.iterations))
    m = model()
    m.compile(optimizer=make(), loss="mse")
    print(m.fit(x, y, epochs=3, verbose=0, shuffle=False, batch_size=4).history["loss"])
