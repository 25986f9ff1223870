"""A Gaussian process by Cholesky factors."""

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


X = tf.constant(np.linspace(-2, 2, 8)[:, None], tf.float64)
y = tf.sin(X[:, 0])
ls = tf.Variable(0.0, dtype=tf.float64)
la = tf.Variable(0.0, dtype=tf.float64)
ln = tf.Variable(-2.0, dtype=tf.float64)


def kernel(A, B):
    return tf.exp(2 * la) * tf.exp(
        -0.5 * tf.reduce_sum((A[:, None] - B[None]) ** 2, -1) / tf.exp(2 * ls)
    )


def nll():
    K = kernel(X, X) + tf.exp(2 * ln) * tf.eye(8, dtype=tf.float64)
    L = tf.linalg.cholesky(K)
    a = tf.linalg.cholesky_solve(L, y[:, None])
    return (
        0.5 * tf.reduce_sum(y[:, None] * a)
        + tf.reduce_sum(tf.math.log(tf.linalg.diag_part(L)))
        + 4 * np.log(2 * np.pi)
    )


opt = tf.keras.optimizers.Adam(0.1)
for i in range(4):
    with tf.GradientTape() as tape:
        l = nll()
    g = tape.gradient(l, [ls, la, ln])
    opt.apply_gradients(zip(g, [ls, la, ln]))
    print(i, l.numpy(), [x.numpy() for x in g])
Xs = tf.constant([[0.3], [1.5]], tf.float64)
K = kernel(X, X) + tf.exp(2 * ln) * tf.eye(8, dtype=tf.float64)
L = tf.linalg.cholesky(K)
v = tf.linalg.triangular_solve(L, kernel(X, Xs))
mu = tf.matmul(v, tf.linalg.triangular_solve(L, y[:, None]), transpose_a=True)
print(mu, kernel(Xs, Xs) - tf.matmul(v, v, transpose_a=True))
Kv = tf.Variable(K)
with tf.GradientTape() as tape:
    l = tf.reduce_sum(tf.linalg.cholesky(Kv) ** 3)
print(tape.gradient(l, Kv))
with tf.GradientTape() as t2:
    with tf.GradientTape() as t1:
        l = nll()
    g = t1.gradient(l, ls)
print(t2.gradient(g, [ls, la, ln]))
