"""Layers and models made anew from their settings: target networks and averaged ones."""

import numpy as np
import tensorflow as tf

layers = tf.keras.layers


def fill(model):
    for j, v in enumerate(model.weights):
        n = int(np.prod(v.shape))
        v.assign(np.sin(np.arange(n) * 1.7 + j).reshape(v.shape) * 0.3 + (j % 3 == 0))


class Linear(layers.Layer):
    def __init__(self, units=32, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.w = self.add_weight(
            shape=(input_shape[-1], self.units), initializer="ones", trainable=True
        )
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", trainable=True)

    def call(self, inputs):
        return tf.matmul(inputs, self.w) + self.b

    def get_config(self):
        config = super().get_config()
        config.update({"units": self.units})
        return config


layer = Linear(64, name="first")
config = layer.get_config()
print(sorted(config), config["units"], config["name"], config["trainable"])
new_layer = Linear.from_config(config)
print(new_layer.units, new_layer.name, new_layer is layer)
dense = layers.Dense.from_config(layers.Dense(3, "relu", name="d", trainable=False).get_config())
print(dense.units, dense.activation.__name__, dense.name, dense.trainable)


def residual_block(width):
    def apply(x):
        residual = x if x.shape[3] == width else layers.Conv2D(width, kernel_size=1)(x)
        x = layers.BatchNormalization(center=False, scale=False)(x)
        x = layers.Conv2D(width, kernel_size=3, padding="same", activation="swish")(x)
        return layers.Add()([x, residual])

    return apply


def get_network():
    images = tf.keras.Input(shape=(4, 4, 3))
    variances = tf.keras.Input(shape=(1, 1, 1))
    e = layers.UpSampling2D(size=4, interpolation="nearest")(variances)
    x = layers.Concatenate()([layers.Conv2D(4, kernel_size=1)(images), e])
    x = skip = residual_block(4)(x)
    x = residual_block(8)(layers.AveragePooling2D(pool_size=2)(x))
    x = layers.UpSampling2D(size=2, interpolation="bilinear")(x)
    x = residual_block(4)(layers.Concatenate()([x, skip]) * 0.5)
    return tf.keras.Model([images, variances], layers.Conv2D(3, 1)(x), name="residual_unet")


network = get_network()
fill(network)
ema_network = tf.keras.models.clone_model(network)
ema_network.set_weights(network.get_weights())
print(ema_network.name, [type(layer).__name__ for layer in ema_network.layers])
images = tf.constant(np.sin(np.arange(96.0)).reshape(2, 4, 4, 3), tf.float32)
rates = tf.ones((2, 1, 1, 1)) * 0.3
optimizer = tf.keras.optimizers.SGD(0.1)
for _ in range(2):
    with tf.GradientTape() as tape:
        predicted = network([images, rates], training=True)
        loss = tf.keras.losses.MeanAbsoluteError()(images, predicted)
    gradients = tape.gradient(loss, network.trainable_weights)
    optimizer.apply_gradients(zip(gradients, network.trainable_weights))
    for weight, ema_weight in zip(network.weights, ema_network.weights):
        ema_weight.assign(0.9 * ema_weight + (1 - 0.9) * weight)
    print(loss, tf.reduce_mean(ema_network([images, rates], training=False)))

inner = tf.keras.Sequential([layers.Dense(3, "tanh"), layers.Dense(3)], name="inner")
inputs = tf.keras.Input((5, 2))
x = layers.TimeDistributed(inner)(inputs)
x = layers.Bidirectional(layers.LSTM(2, return_sequences=True))(x)
model = tf.keras.Model(inputs, layers.Dense(2, "relu")(x)[:, -1])
fill(model)
for twin in (tf.keras.models.clone_model(model), tf.keras.Model.from_config(model.get_config())):
    print(len(twin.weights), any(v is w for v in twin.weights for w in model.weights))
    twin.set_weights(model.get_weights())
    print(twin(tf.ones((1, 5, 2))))
q_network = tf.keras.Sequential([layers.Dense(4, "relu"), layers.Dense(2)])
q_network(tf.ones((1, 3)))
fill(q_network)
target = tf.keras.models.clone_model(q_network)
target.set_weights(q_network.get_weights())
print(target(tf.ones((1, 3))))


def no_relu(layer):
    config = layer.get_config()
    if "activation" in config:
        config["activation"] = "tanh"
    return layer.__class__.from_config(config)


other = tf.keras.models.clone_model(model, clone_function=no_relu)
print(len(other.weights))
