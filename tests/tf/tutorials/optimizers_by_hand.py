"""Newton, BFGS, momentum, schedules, Langevin and Hamiltonian steps."""

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


def rosen(x):
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


x = tf.Variable([-1.2, 1.0], dtype=tf.float64)
for k in range(5):  # Newton
    with tf.GradientTape() as t2:
        with tf.GradientTape() as t1:
            f = rosen(x)
        g = t1.gradient(f, x)
    H = t2.jacobian(g, x)
    x.assign_sub(tf.squeeze(tf.linalg.solve(H, g[:, None]), 1))
    print(k, f.numpy(), x.numpy())
x = tf.Variable([-1.2, 1.0], dtype=tf.float64)
Hi = tf.eye(2, dtype=tf.float64)
g0 = None


def grad():
    with tf.GradientTape() as t:
        f = rosen(x)
    return f, t.gradient(f, x)


f, g = grad()
for k in range(6):  # BFGS with backtracking
    p = -tf.linalg.matvec(Hi, g)
    a = 1.0
    x0 = tf.identity(x)
    while True:
        x.assign(x0 + a * p)
        if rosen(x) <= f + 1e-4 * a * tf.reduce_sum(g * p):
            break
        a *= 0.5
    s = x - x0
    f, g1 = grad()
    y = g1 - g
    rho = 1.0 / tf.tensordot(y, s, 1)
    I = tf.eye(2, dtype=tf.float64)
    V = I - rho * s[:, None] * y[None]
    Hi = V @ Hi @ tf.transpose(V) + rho * s[:, None] * s[None]
    g = g1
    print(k, f.numpy(), a)
print(x, Hi)
v = tf.Variable([3.0, -2.0])
m = tf.zeros(2)
for k in range(3):
    with tf.GradientTape() as t:
        L = tf.reduce_sum(v**4) / 4
    g = t.gradient(L, v)
    m = 0.9 * m + g
    v.assign_sub(0.01 * m)
    tf.debugging.assert_all_finite(v, "nan")
print(v, m)


class Cyc(tf.keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, s):
        s = tf.cast(s, tf.float32)
        c = tf.floor(1 + s / 4)
        z = tf.abs(s / 2 - 2 * c + 1)
        return 0.1 + 0.4 * tf.maximum(0.0, 1 - z)


o = tf.keras.optimizers.SGD(Cyc(), momentum=0.5)
w = tf.Variable([1.0, 2.0])
for k in range(5):
    with tf.GradientTape() as t:
        L = tf.reduce_sum(w**2) * 0.1
    o.apply_gradients([(t.gradient(L, w), w)])
    print(w.numpy(), float(Cyc()(k)))


class MyOpt(tf.keras.optimizers.Optimizer):
    def __init__(self, learning_rate=0.1, **k):
        super().__init__(learning_rate=learning_rate, **k)

    def build(self, vs):
        super().build(vs)
        self.m = [self.add_variable_from_reference(reference_variable=x, name="m") for x in vs]

    def update_step(self, g, var, lr):
        self.assign_sub(var, g * lr)


q = tf.Variable([1.0, -0.5])
ns = normal(6, 2)
U = lambda q: 0.5 * tf.reduce_sum(q**2) + tf.reduce_sum(tf.cos(q))
for n in ns[:3]:
    with tf.GradientTape() as t:
        u = U(q)
    q.assign(q - 0.05 * t.gradient(u, q) + np.sqrt(0.1) * n)
print(q)


def leap(q, p, e=0.1, L=5):
    def gr(q):
        with tf.GradientTape() as t:
            t.watch(q)
            u = U(q)
        return t.gradient(u, q)

    p = p - 0.5 * e * gr(q)
    for i in range(L):
        q = q + e * p
        p = p - (e if i < L - 1 else 0.5 * e) * gr(q)
    return q, -p


qq, pp = leap(tf.constant([1.0, 0.0]), tf.constant(ns[4]))
print(qq, pp, U(qq) + 0.5 * tf.reduce_sum(pp**2))
th = [tf.Variable(1.0), tf.Variable([2.0])]
snap = [tf.identity(t) for t in th]
for t in th:
    t.assign(t * 0)
for t, s in zip(th, snap):
    t.assign(s)
print(th)
z = tf.Variable([0.5, 2.0, -1.0])
srt = tf.sort(z, direction="DESCENDING")
css = tf.cumsum(srt) - 1
kk = tf.range(1.0, 4.0)
rho = tf.reduce_sum(tf.cast(srt - css / kk > 0, tf.int32))
th = css[rho - 1] / tf.cast(rho, tf.float32)
print(tf.maximum(z - th, 0))
z.assign(z / tf.maximum(1.0, tf.norm(z)))
print(z.numpy())
