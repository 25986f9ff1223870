"""RealNVP: coupling layers and their Jacobians."""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(0)


def normal(*s):
    return np.random.default_rng([3, *s]).standard_normal(s).astype("float32")


def init(shape, dtype=None):
    n = int(np.prod(shape))
    return tf.reshape(tf.sin(tf.range(n, dtype=tf.float32) * 1.3), shape) * 0.4


def dense(n, a=None):
    return tf.keras.layers.Dense(n, activation=a, kernel_initializer=init)


class Coupling(tf.keras.layers.Layer):
    def __init__(self, flip):
        super().__init__()
        self.s = tf.keras.Sequential([dense(5, "relu"), dense(1, "tanh")])
        self.t = tf.keras.Sequential([dense(5, "relu"), dense(1)])
        self.flip = flip

    def call(self, x):
        a, b = (x[:, 1:], x[:, :1]) if self.flip else (x[:, :1], x[:, 1:])
        s, t = self.s(a), self.t(a)
        b = b * tf.exp(s) + t
        return tf.concat([b, a] if self.flip else [a, b], 1), tf.reduce_sum(s, 1)


layers = [Coupling(i % 2 == 1) for i in range(3)]
x = tf.constant(normal(6, 2))
opt = tf.keras.optimizers.Adam(1e-2)
for k in range(3):
    with tf.GradientTape() as tape:
        z, ld = x, 0.0
        for l in layers:
            z, d = l(z)
            ld += d
        logp = -0.5 * tf.reduce_sum(z**2, 1) - np.log(2 * np.pi)
        loss = -tf.reduce_mean(logp + ld)
    vs = [v for l in layers for v in l.trainable_variables]
    g = tape.gradient(loss, vs)
    opt.apply_gradients(zip(g, vs))
    print(k, loss.numpy(), len(vs))
print([tf.reduce_sum(a).numpy() for a in g])
with tf.GradientTape() as tape:
    tape.watch(x)
    z, _ = layers[0](x)
J = tape.batch_jacobian(z, x)
print(tf.math.log(tf.abs(tf.linalg.det(J))) - layers[0](x)[1])
