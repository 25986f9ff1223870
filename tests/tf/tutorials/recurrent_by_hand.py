"""Recurrent cells by hand, by `scan` and by `while_loop`."""

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


class MyLSTM(tf.keras.layers.Layer):
    def __init__(self, units, return_sequences=False):
        super().__init__()
        self.units = units
        self.rs = return_sequences

    def build(self, s):
        self.W = self.add_weight(shape=(s[-1], 4 * self.units), initializer=init, name="W")
        self.U = self.add_weight(shape=(self.units, 4 * self.units), initializer=init, name="U")
        self.b = self.add_weight(shape=(4 * self.units,), initializer="zeros", name="b")

    def call(self, x):
        h = c = tf.zeros([tf.shape(x)[0], self.units])
        out = []
        for t in range(x.shape[1]):
            i, f, o, g = tf.split(x[:, t] @ self.W + h @ self.U + self.b, 4, axis=-1)
            c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
            h = tf.sigmoid(o) * tf.tanh(c)
            out.append(h)
        return tf.stack(out, 1) if self.rs else h


l = MyLSTM(3, True)
x = tf.constant(normal(2, 5, 2))
with tf.GradientTape() as tape:
    tape.watch(x)
    s = tf.reduce_sum(l(x)[:, -1] ** 2)
print(s, tape.gradient(s, [x] + l.trainable_weights))
cell = tf.keras.layers.LSTMCell(3, kernel_initializer=init, recurrent_initializer=init)
st = [tf.zeros((2, 3)), tf.zeros((2, 3))]
with tf.GradientTape() as tape:
    for t in range(5):
        o, st = cell(x[:, t], st)
    s = tf.reduce_sum(o * st[1])
print(s, tape.gradient(s, cell.trainable_variables)[1])


@tf.function
def rnn(x, W, U):
    def step(h, xt):
        return tf.tanh(xt @ W + h @ U)

    return tf.scan(step, tf.transpose(x, [1, 0, 2]), initializer=tf.zeros((2, 3)))


W, U = tf.Variable(normal(2, 3)), tf.Variable(normal(3, 3))
with tf.GradientTape() as tape:
    s = tf.reduce_mean(rnn(x, W, U)[-1] ** 2)
print(s, tape.gradient(s, [W, U]))


def body(i, h, ta):
    h = tf.tanh(x[:, i] @ W + h @ U)
    return i + 1, h, ta.write(i, h)


with tf.GradientTape() as tape:
    _, h, ta = tf.while_loop(
        lambda i, *_: i < 5, body, (tf.constant(0), tf.zeros((2, 3)), tf.TensorArray(tf.float32, 5))
    )
    s = (
        tf.reduce_sum(ta.stack() ** 2) + tf.reduce_sum(ta.gather([0, 2]))
        if False
        else tf.reduce_sum(ta.stack() ** 2)
    )
print(s, tape.gradient(s, [W, U]), h)
bi = tf.keras.layers.Bidirectional(
    tf.keras.layers.GRU(
        2, return_sequences=True, kernel_initializer="ones", recurrent_initializer="ones"
    )
)
with tf.GradientTape() as tape:
    s = tf.reduce_sum(bi(x) ** 2)
print(s, [tf.reduce_sum(g).numpy() for g in tape.gradient(s, bi.trainable_variables)])
