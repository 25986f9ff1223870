"""Losses written with `tf.keras.backend`."""

import numpy as np
import tensorflow as tf

K = tf.keras.backend
tf.get_logger().setLevel("ERROR")
print(tf.timestamp().dtype, tf.timestamp() % 1 >= 0)
x = tf.Variable([[0.3, -0.7], [0.2, 0.9]])
y = tf.constant([[1.0, 0.0], [0.0, 1.0]])


def show(f):
    with tf.GradientTape() as t:
        l = f()
    print(l, t.gradient(l, x))


show(lambda: K.mean(K.square(x - y)))
show(lambda: K.sqrt(K.mean(K.square(y - x), axis=-1)))
show(lambda: K.sum(K.abs(x), axis=1, keepdims=True))
show(lambda: K.max(x))
show(lambda: K.exp(x) + K.pow(x, 2))
show(lambda: K.clip(x, 0.0, 0.5))
show(lambda: K.log(K.clip(x, K.epsilon(), 1.0)))
show(lambda: K.binary_crossentropy(y, K.sigmoid(x)))
show(lambda: K.binary_crossentropy(y, x, from_logits=True))
show(lambda: K.concatenate([x, y]))
show(lambda: K.expand_dims(x))
show(lambda: K.dot(x, y))
show(lambda: K.flatten(x))
show(lambda: K.batch_flatten(x))
show(lambda: K.std(x) + K.var(x))
show(lambda: K.l2_normalize(x, axis=-1))
show(lambda: K.softmax(x))
show(lambda: K.maximum(x, 0.1))
show(lambda: K.permute_dimensions(x, (1, 0)))
show(lambda: K.cumsum(x))
show(lambda: K.stop_gradient(x) * x)
show(lambda: K.prod(x, axis=0))
show(lambda: K.cast(K.greater(x, 0), "float32") * x)
show(lambda: K.reshape(x, (4, 1)))
show(lambda: K.tile(x, [1, 2]))
show(lambda: K.relu(x))
show(lambda: K.mean(x, axis=[0, 1]))
show(lambda: K.round(x) + x)
show(lambda: K.sign(x) * x)
show(lambda: K.minimum(x, 0.0))
show(lambda: K.tanh(x))
show(lambda: K.stack([x, x]))
K.set_value(x, np.ones((2, 2)))
print(x.numpy())


def dice(t, p, smooth=1.0):
    t, p = K.flatten(t), K.flatten(p)
    i = K.sum(t * p)
    return 1 - (2.0 * i + smooth) / (K.sum(t) + K.sum(p) + smooth)


show(lambda: dice(y, x))
