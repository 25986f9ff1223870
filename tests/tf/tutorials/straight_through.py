"""Straight-through estimators: VQ-VAE, Gumbel softmax, custom gradients."""

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


emb = tf.Variable(normal(2, 4))
enc = dense(2)
dec = dense(3)
x = tf.constant(normal(6, 3))
for _k in range(2):
    with tf.GradientTape() as tape:
        z = enc(x)
        d = tf.reduce_sum(z**2, 1, keepdims=True) - 2 * tf.matmul(z, emb) + tf.reduce_sum(emb**2, 0)
        idx = tf.argmin(d, 1)
        q = tf.matmul(tf.one_hot(idx, 4), emb, transpose_b=True)
        com = tf.reduce_mean((tf.stop_gradient(q) - z) ** 2)
        cb = tf.reduce_mean((q - tf.stop_gradient(z)) ** 2)
        qs = z + tf.stop_gradient(q - z)
        loss = tf.reduce_mean((dec(qs) - x) ** 2) + 0.25 * com + cb
    vs = [emb] + enc.trainable_weights + dec.trainable_weights
    g = tape.gradient(loss, vs)
    tf.keras.optimizers.SGD(0.1).apply_gradients(zip(g, vs))
    print(idx.numpy(), loss.numpy())
    print(g[0], g[1])
p = tf.reduce_mean(tf.one_hot(idx, 4), 0)
print(tf.exp(-tf.reduce_sum(p * tf.math.log(p + 1e-10))))
lg = tf.Variable(normal(3, 4))
u = tf.constant(np.random.default_rng(2).random((3, 4)), tf.float32)
with tf.GradientTape() as tape:
    y = tf.nn.softmax((lg - tf.math.log(-tf.math.log(u + 1e-20) + 1e-20)) / 0.5)
    hard = tf.cast(tf.equal(y, tf.reduce_max(y, 1, keepdims=True)), tf.float32)
    yy = tf.stop_gradient(hard - y) + y
    l = tf.reduce_sum(yy * tf.constant([1.0, 2.0, 3.0, 4.0]))
print(l, tape.gradient(l, lg))


@tf.custom_gradient
def sign_ste(x):
    def grad(dy):
        return dy * tf.cast(tf.abs(x) <= 1, dy.dtype)

    return tf.sign(x), grad


with tf.GradientTape() as tape:
    l = tf.reduce_sum(sign_ste(lg) ** 2 * 3 + sign_ste(lg))
print(l, tape.gradient(l, lg))
q = (
    tf.quantization.fake_quant_with_min_max_args([0.1, 0.7])
    if hasattr(tf, "quantization")
    else tf.constant([0.08235294, 0.7058824])
)
