"""Mixture density networks and other likelihoods."""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(0)
K = 3
x = np.linspace(-1, 1, 12, dtype=np.float32)[:, None]
yv = (x + 0.3 * np.sin(2 * np.pi * x) + 0.05 * rng.standard_normal((12, 1))).astype(np.float32)
W1 = tf.Variable(rng.standard_normal((1, 6)).astype("float32"))
B1 = tf.Variable(tf.zeros([6]))
W2 = tf.Variable((rng.standard_normal((6, 3 * K)) * 0.4).astype("float32"))
B2 = tf.Variable(tf.zeros([3 * K]))


def forward(x):
    h = tf.nn.tanh(tf.matmul(x, W1) + B1)
    o = tf.matmul(h, W2) + B2
    pi, mu, ls = tf.split(o, 3, axis=1)
    return tf.nn.softmax(pi), mu, tf.exp(ls)


def nll(x, y):
    pi, mu, sig = forward(x)
    g = tf.exp(-0.5 * tf.square((y - mu) / sig)) / (sig * np.sqrt(2 * np.pi))
    return -tf.reduce_mean(tf.math.log(tf.reduce_sum(pi * g, axis=1) + 1e-12))


def nll2(x, y):
    h = tf.nn.tanh(x @ W1 + B1)
    o = h @ W2 + B2
    pi, mu, ls = o[:, :K], o[:, K : 2 * K], o[:, 2 * K :]
    comp = -0.5 * tf.square((y - mu) * tf.exp(-ls)) - ls - 0.5 * tf.math.log(2 * np.pi)
    return -tf.reduce_mean(tf.reduce_logsumexp(tf.nn.log_softmax(pi) + comp, axis=-1))


opt = tf.keras.optimizers.Adam(0.01)
ps = [W1, B1, W2, B2]
for f in (nll, nll2):
    for i in range(3):
        with tf.GradientTape() as tape:
            loss = f(x, yv)
        gs = tape.gradient(loss, ps)
        opt.apply_gradients(zip(gs, ps))
        if i % 1 == 0:
            tf.print if False else print(f"Step {i}: loss = {loss:.4f}")
    for g in gs:
        print(g)
pi, mu, sig = forward(x[:3])
print(pi, mu, sig)
print(tf.reduce_sum(pi * mu, axis=-1))
m = tf.Variable([0.1, -0.2])
s = tf.Variable([0.3, 1.2])
t = tf.constant([0.5, 0.5])
for f in (
    lambda: tf.reduce_mean(
        0.5 * tf.math.log(tf.nn.softplus(s)) + 0.5 * tf.square(t - m) / tf.nn.softplus(s)
    ),
    lambda: tf.reduce_sum(tf.abs(t - m) / s + tf.math.log(2 * s)),
    lambda: tf.reduce_sum(tf.math.lgamma(s + 1.0) - tf.math.lgamma(s) + (s - 1) * tf.math.log(t)),
    lambda: tf.reduce_sum(tf.math.lbeta(tf.stack([s, tf.exp(m)], axis=-1))),
    lambda: (
        tf.reduce_sum(tf.math.betainc(s, tf.exp(m), t))
        if False
        else tf.reduce_sum(tf.math.igamma(tf.constant([1.0, 2.0]), s))
    ),
    lambda: tf.reduce_sum(tf.math.erf(m / (s * tf.sqrt(2.0)))),
    lambda: tf.reduce_sum(tf.math.digamma(s) * m),
    lambda: tf.reduce_sum(tf.nn.log_poisson_loss(t, m)),
    lambda: tf.reduce_sum(tf.math.bessel_i0e(s)),
    lambda: tf.reduce_sum(tf.exp(m) - t * m),
):
    with tf.GradientTape() as tape:
        l = f()
    print(l, tape.gradient(l, [m, s]))
