"""Denoising diffusion: the loss of noise, moving averages, scores."""

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


T = 10
beta = np.linspace(1e-4, 0.2, T)
alpha = np.cumprod(1 - beta).astype("float32")
ab = tf.constant(alpha)


def emb(t, d=4):
    f = tf.exp(-tf.math.log(100.0) * tf.range(d // 2, dtype=tf.float32) / (d // 2))
    a = tf.cast(t, tf.float32)[:, None] * f[None]
    return tf.concat([tf.sin(a), tf.cos(a)], -1)


net = tf.keras.Sequential([dense(8, "swish"), dense(8, "gelu"), dense(2)])
x0 = tf.constant(normal(5, 2))
t = tf.constant([0, 3, 5, 9, 2])
eps = tf.constant(normal(5, 2) * 0.9)
opt = tf.keras.optimizers.AdamW(1e-2, weight_decay=1e-2)
ema = None
for k in range(4):
    with tf.GradientTape() as tape:
        a = tf.gather(ab, t)[:, None]
        xt = tf.sqrt(a) * x0 + tf.sqrt(1 - a) * eps
        pred = net(tf.concat([xt, emb(t)], 1))
        loss = tf.reduce_mean((pred - eps) ** 2)
    g = tape.gradient(loss, net.trainable_weights)
    opt.apply_gradients(zip(g, net.trainable_weights))
    if ema is None:
        ema = [tf.Variable(w) for w in net.weights]
    for e, w in zip(ema, net.weights):
        e.assign(0.9 * e + 0.1 * w)
    print(k, loss.numpy())
print(g[0], ema[1].numpy())


def score(x):  # denoising by autodiff
    with tf.GradientTape() as tape:
        tape.watch(x)
        e = -tf.reduce_sum(net(tf.concat([x, emb(t)], 1)) ** 2)
    return tape.gradient(e, x)


with tf.GradientTape() as tape:
    l = tf.reduce_mean(tf.reduce_sum((score(x0) + x0) ** 2, 1))
print(l, [tf.reduce_sum(a).numpy() for a in tape.gradient(l, net.trainable_weights)])
xs = tf.constant(normal(5, 2))
print(xs)
