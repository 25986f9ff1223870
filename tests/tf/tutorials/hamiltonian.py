"""Hamiltonian and Lagrangian networks; Hessian-vector products."""

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


net = tf.keras.Sequential([tf.keras.layers.Input((2,)), dense(6, "tanh"), dense(1)])
x = tf.constant(normal(4, 2))
dx = tf.constant(normal(4, 2) * 0.3)


def field(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        H = tf.reduce_sum(net(x))
    dH = tape.gradient(H, x)
    return tf.stack([dH[:, 1], -dH[:, 0]], 1)


opt = tf.keras.optimizers.Adam(0.05)
for _i in range(3):
    with tf.GradientTape() as tape:
        l = tf.reduce_mean((field(x) - dx) ** 2)
    g = tape.gradient(l, net.trainable_variables)
    print(l, [None if a is None else tf.reduce_sum(a).numpy() for a in g])
    opt.apply_gradients([(a, v) for a, v in zip(g, net.trainable_variables) if a is not None])


def accel(q, v):
    s = tf.concat([q, v], 1)
    with tf.GradientTape() as t2:
        t2.watch(s)
        with tf.GradientTape() as t1:
            t1.watch(s)
            L = net(s)
        dL = t1.gradient(L, s)
    Hs = t2.batch_jacobian(dL, s)
    return (dL[:, :1] - Hs[:, 1:, 0] * v) / (Hs[:, 1:, 1] + 2.0)


with tf.GradientTape() as tape:
    l = tf.reduce_mean((accel(x[:, :1], x[:, 1:]) - 1.0) ** 2)
print(
    l,
    [
        None if a is None else tf.reduce_sum(a).numpy()
        for a in tape.gradient(l, net.trainable_variables)
    ],
)
p = tf.Variable([1.1, 0.4, 0.1, 0.4])


def lv(s):
    return tf.stack([p[0] * s[0] - p[1] * s[0] * s[1], p[2] * s[0] * s[1] - p[3] * s[1]])


with tf.GradientTape() as tape:
    s = tf.constant([10.0, 5.0])
    tr = []
    for _ in range(8):
        k1 = lv(s)
        k2 = lv(s + 0.05 * k1)
        s = s + 0.1 * k2
        tr.append(s)
    l = tf.reduce_mean((tf.stack(tr) - 6.0) ** 2)
print(l, tape.gradient(l, p))
w = tf.Variable(normal(3))
f = lambda: tf.reduce_sum(tf.exp(w) * tf.sin(w)) + tf.reduce_prod(w)
with tf.GradientTape() as t2:
    with tf.GradientTape() as t1:
        y = f()
    g = t1.gradient(y, w)
    gv = tf.reduce_sum(g * tf.constant([1.0, 2.0, 3.0]))
print(t2.gradient(gv, w))
with tf.GradientTape(persistent=True) as t2:
    with tf.GradientTape() as t1:
        y = f()
    g = t1.gradient(y, w)
print(
    t2.jacobian(g, w),
    t2.gradient(g, w, output_gradients=tf.constant([1.0, 2.0, 3.0])),
    t2.jacobian(g, w, experimental_use_pfor=False),
)
with tf.autodiff.ForwardAccumulator(w, tf.constant([1.0, 2.0, 3.0])) as acc:
    with tf.GradientTape() as t:
        y = f()
    g = t.gradient(y, w)
print(acc.jvp(g), acc.jvp(y))
