"""A network in float64, by `set_floatx`."""

import numpy as np
import tensorflow as tf

print(tf.keras.backend.floatx())
tf.keras.backend.set_floatx("float64")
m = tf.keras.Sequential(
    [
        tf.keras.layers.Input((2,)),
        tf.keras.layers.Dense(3, activation="tanh", kernel_initializer="ones"),
        tf.keras.layers.BatchNormalization(),
        tf.keras.layers.LSTM(2, kernel_initializer="ones")
        if False
        else tf.keras.layers.Dense(1, kernel_initializer="ones"),
    ]
)
x = np.linspace(-1, 1, 8).reshape(4, 2)
xv = tf.Variable(x)
with tf.GradientTape() as t2:
    with tf.GradientTape() as t1:
        y = m(xv)
    g = t1.gradient(y, xv)
    l = tf.reduce_mean(g**2) + tf.keras.losses.MeanSquaredError()(tf.zeros_like(y), y)
gs = t2.gradient(l, m.trainable_variables)
o = tf.keras.optimizers.Adam(0.01)
o.apply_gradients(zip(gs, m.trainable_variables))
k = tf.keras.metrics.Mean()
k(l)
print(k.result())
m.compile("adam", "mse", metrics=["mae"])
h = m.fit(x, x[:, :1], epochs=2, verbose=0, shuffle=False, batch_size=2)
print(h.history)
print(tf.keras.initializers.Ones()((2,)), tf.keras.config.floatx(), tf.keras.Input((2,)).dtype)
tf.keras.backend.set_floatx("float32")
