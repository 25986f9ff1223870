"""CRF, Sinkhorn, MMD, spectral norm, Kalman filter, RBM."""

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


em = tf.Variable(normal(4, 3))
tr = tf.Variable(normal(3, 3))
tags = tf.constant([0, 2, 1, 1])


def logZ():
    a = em[0]
    for t in range(1, 4):
        a = tf.reduce_logsumexp(a[:, None] + tr, 0) + em[t]
    return tf.reduce_logsumexp(a)


def sc():
    return tf.reduce_sum(tf.gather_nd(em, tf.stack([tf.range(4), tags], 1))) + tf.reduce_sum(
        tf.gather_nd(tr, tf.stack([tags[:-1], tags[1:]], 1))
    )


with tf.GradientTape() as tape:
    l = logZ() - sc()
print(l, tape.gradient(l, [em, tr]))
with tf.GradientTape() as tape:
    a = tf.scan(lambda a, e: tf.reduce_logsumexp(a[:, None] + tr, 0) + e, em[1:], initializer=em[0])
    z = tf.reduce_logsumexp(a[-1])
print(z, tape.gradient(z, em))
d = em[0]
bp = []
for t in range(1, 4):
    m = d[:, None] + tr
    bp.append(tf.argmax(m, 0))
    d = tf.reduce_max(m, 0) + em[t]
best = [int(tf.argmax(d))]
for b in reversed(bp):
    best.append(int(b[best[-1]]))
print(best[::-1], tf.reduce_max(d))
x, y = tf.Variable(normal(5, 2)), tf.constant(normal(5, 2) * 0.5 + 1)
with tf.GradientTape() as tape:
    C = tf.reduce_sum((x[:, None] - y) ** 2, -1)
    f = tf.zeros(5)
    g = tf.zeros(5)
    for _ in range(10):
        f = -0.5 * tf.reduce_logsumexp((g[None] - C) / 0.5, 1)
        g = -0.5 * tf.reduce_logsumexp((f[:, None] - C) / 0.5, 0)
    P = tf.exp((f[:, None] + g[None] - C) / 0.5)
    l = tf.reduce_sum(P * C)
print(l, tape.gradient(l, x))
with tf.GradientTape() as tape:  # MMD
    k = lambda a, b: tf.reduce_mean(tf.exp(-tf.reduce_sum((a[:, None] - b) ** 2, -1)))
    l = k(x, x) + k(y, y) - 2 * k(x, y)
print(l, tape.gradient(l, x))
W = tf.Variable(normal(4, 3))
u = tf.constant(normal(1, 3))
with tf.GradientTape() as tape:  # spectral norm
    v_ = tf.math.l2_normalize(tf.matmul(u, W, transpose_b=True))
    u_ = tf.math.l2_normalize(tf.matmul(v_, W))
    sig = tf.matmul(tf.matmul(tf.stop_gradient(v_), W), tf.stop_gradient(u_), transpose_b=True)
    l = tf.reduce_sum((W / sig) ** 3)
print(l, tape.gradient(l, W))
q = tf.Variable(-1.0)
z = tf.constant([1.0, 1.3, 2.2, 2.9])
with tf.GradientTape() as tape:
    m = tf.zeros([2, 1])
    P = tf.eye(2)
    F = tf.constant([[1.0, 1.0], [0.0, 1.0]])
    H = tf.constant([[1.0, 0.0]])
    nll = 0.0
    for t in range(4):
        m = F @ m
        P = F @ P @ tf.transpose(F) + tf.exp(q) * tf.eye(2)
        S = H @ P @ tf.transpose(H) + 0.5
        K = P @ tf.transpose(H) / S
        e = z[t] - H @ m
        m = m + K @ e
        P = P - K @ H @ P
        nll += 0.5 * tf.squeeze(e * e / S + tf.math.log(S))
print(nll, tape.gradient(nll, q), m)
vis = tf.constant((np.random.default_rng(0).random((5, 6)) > 0.5).astype("float32"))
Wr = tf.Variable(normal(6, 3) * 0.1)
bv = tf.Variable(tf.zeros(6))
bh = tf.Variable(tf.zeros(3))
fe = lambda v: -tf.linalg.matvec(v, bv) - tf.reduce_sum(tf.math.softplus(v @ Wr + bh), 1)
with tf.GradientTape() as tape:
    l = tf.reduce_mean(fe(vis) - fe(1 - vis))
print(l, tape.gradient(l, [Wr, bv, bh]))
