"""Neural ODEs by Euler's and Runge and Kutta's steps, in loops, `while_loop` and `scan`."""

import numpy as np
import tensorflow as tf

W = tf.Variable([[-0.1, 2.0], [-2.0, -0.1]])
b = tf.Variable([0.1, -0.1])


def func(y, t):
    return tf.matmul(y**3, W) + b


def rk4(f, y, t, h):
    k1 = f(y, t)
    k2 = f(y + h * k1 / 2, t + h / 2)
    k3 = f(y + h * k2 / 2, t + h / 2)
    k4 = f(y + h * k3, t + h)
    return y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def odeint(f, y0, ts, method):
    ys = [y0]
    for i in range(len(ts) - 1):
        h = ts[i + 1] - ts[i]
        ys.append(method(f, ys[-1], ts[i], h))
    return tf.stack(ys)


def euler(f, y, t, h):
    return y + h * f(y, t)


ts = tf.linspace(0.0, 0.5, 6)
y0 = tf.constant([[1.0, 0.5]])
for m in (euler, rk4):
    with tf.GradientTape() as tape:
        tape.watch(y0)
        ys = odeint(func, y0, ts, m)
        loss = tf.reduce_mean(tf.abs(ys - 0.3))
    print(loss, ys[-1])
    print(tape.gradient(loss, [W, b, y0]))


def euler_while(y0, n):
    def body(i, y):
        return i + 1, y + 0.1 * func(y, None)

    return tf.while_loop(lambda i, y: i < n, body, (tf.constant(0), y0))


with tf.GradientTape() as tape:
    i, yT = euler_while(y0, 5)
    L = tf.reduce_sum(yT**2)
print(i, L, tape.gradient(L, [W, b]))
with tf.GradientTape() as tape:
    tr = tf.scan(lambda y, t: y + 0.1 * func(y, t), ts, initializer=y0)
    L = tf.reduce_sum(tr[-1])
print(tr.shape, L, tape.gradient(L, W))
with tf.GradientTape() as tape:
    tape.watch(y0)
    f = func(y0, 0.0)
print(tape.gradient(f, [y0, W, b], output_gradients=tf.constant([[1.0, -2.0]])))
opt = tf.keras.optimizers.RMSprop(1e-2)
y_true = tf.constant(np.cumsum(np.ones((6, 1, 2), np.float32) * -0.05, 0) + 1)
print(W)
