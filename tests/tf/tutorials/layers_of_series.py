"""Layers and activations that older and newer models of series are built of."""

import numpy as np
import tensorflow as tf

layers, activations = tf.keras.layers, tf.keras.activations
draw = np.random.RandomState(0)
x = tf.Variable(draw.randn(2, 6, 3).astype("float32"))


def told(fun, sources):
    with tf.GradientTape() as tape:
        y = fun(x)
        loss = tf.reduce_sum(y * tf.cos(tf.reshape(tf.range(float(tf.size(y))), y.shape)))
    gradients = tape.gradient(loss, sources)
    return [float(tf.reduce_sum(f(z))) for z in (y, *gradients) for f in (tf.abs, tf.sin)]


for layer in (
    layers.DepthwiseConv1D(3), layers.DepthwiseConv1D(2, depth_multiplier=2, activation="relu"),
    layers.DepthwiseConv1D(3, strides=2, padding="same", use_bias=False),
    layers.SeparableConv1D(4, 3), layers.SeparableConv1D(2, 3, dilation_rate=2, padding="same"),
    layers.SeparableConv1D(3, 2, strides=2, depth_multiplier=2, activation="tanh"),
    layers.SeparableConvolution1D(2, 2, use_bias=False),
):  # fmt: skip
    layer.build(x.shape)
    layer.set_weights([0.5 * draw.randn(*w.shape) for w in layer.get_weights()])
    print([(w.name, w.shape) for w in layer.weights], layer.compute_output_shape(x.shape))
    print(type(layer).__name__, told(layer, [x, *layer.trainable_weights]))

for name in (
    "squareplus", "sparse_plus", "sparse_sigmoid", "tanh_shrink", "hard_tanh", "hard_shrink",
    "soft_shrink",
):  # fmt: skip
    print(
        name, told(activations.get(name), [x]), activations.get(name)(tf.constant([-2.0, 0.7, 3]))
    )
print(told(lambda x: activations.hard_shrink(x, threshold=0.2), [x]))
print(told(lambda x: activations.soft_shrink(x, threshold=0.1), [x]))
print(told(lambda x: activations.squareplus(x, b=1), [x]))
