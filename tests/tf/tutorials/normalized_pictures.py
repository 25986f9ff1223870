"""Networks in front of which images are resized, and whose kernels are normalized in training."""

import numpy as np
import tensorflow as tf

layers = tf.keras.layers
x = tf.constant(np.sin(np.arange(2 * 6 * 8 * 3.0)).reshape(2, 6, 8, 3), tf.float32)
print(layers.Resizing(4, 4)(x)[0, :, :, 0])
print(layers.Resizing(12, 5, interpolation="nearest")(x)[0, :, :, 0])
print(
    layers.CenterCrop(3, 4)(x)[0, :, :, 0], layers.Resizing(3, 3)(tf.cast(x * 20, tf.int32))[0, 0]
)
flip = layers.RandomFlip("vertical")
flipped = flip(tf.tile(x, [20, 1, 1, 1]), training=True)
kinds = {round(float(value), 3) for value in tf.reduce_sum(flipped[:, 0], axis=[1, 2])}
print(sorted(kinds), bool(tf.reduce_all(flip(x, training=False) == x)))
regularized = layers.ActivityRegularization(l1=0.1, l2=0.01)
print(bool(tf.reduce_all(regularized(x) == x)), regularized.losses)

conv = layers.SpectralNormalization(layers.Conv2D(4, 3, activation="relu"), power_iterations=3)
dense = layers.SpectralNormalization(layers.Dense(1))
model = tf.keras.Sequential([layers.Resizing(5, 5), conv, layers.Flatten(), dense])
model(x)
for j, v in enumerate(model.weights):
    v.assign(np.cos(np.arange(float(np.prod(v.shape))) * 1.3 + j).reshape(v.shape))
print([(v.name, v.shape, v.trainable) for v in model.weights])
optimizer = tf.keras.optimizers.SGD(0.05)
for _ in range(3):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((model(x, training=True) - 1.0) ** 2)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    print(loss, [round(float(tf.norm(g)), 4) for g in gradients])
print(tf.linalg.svd(dense.layer.kernel)[0], model(x))
t = tf.reshape(tf.range(24), (2, 3, 4))
print(tf.strided_slice(t, [0, 0, 1], [2, 3, 4], [1, 2, 2]), tf.strided_slice(t, [1], [2]))
