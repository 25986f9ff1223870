"""Deep dream: gradients of activations by the image, also in tiles."""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(0)


def init(shape, dtype=None):
    n = int(np.prod(shape))
    return tf.reshape(tf.sin(tf.range(n, dtype=tf.float32)), shape) * 0.3


inp = tf.keras.Input(shape=(None, None, 3))
h = tf.keras.layers.Conv2D(
    4, 3, activation="relu", padding="same", kernel_initializer=init, name="mixed3"
)(inp)
h2 = tf.keras.layers.Conv2D(
    4, 3, activation="relu", padding="same", kernel_initializer=init, name="mixed5"
)(tf.keras.layers.MaxPooling2D()(h))
base_model = tf.keras.Model(inp, h2)
names = ["mixed3", "mixed5"]
layers = [base_model.get_layer(name).output for name in names]
dream_model = tf.keras.Model(inputs=base_model.input, outputs=layers)


def calc_loss(img, model):
    img_batch = tf.expand_dims(img, axis=0)
    layer_activations = model(img_batch)
    if len(layer_activations) == 1:
        layer_activations = [layer_activations]
    losses = []
    for act in layer_activations:
        loss = tf.math.reduce_mean(act)
        losses.append(loss)
    return tf.reduce_sum(losses)


class DeepDream(tf.Module):
    def __init__(self, model):
        self.model = model

    @tf.function(
        input_signature=(
            tf.TensorSpec(shape=[None, None, 3], dtype=tf.float32),
            tf.TensorSpec(shape=[], dtype=tf.int32),
            tf.TensorSpec(shape=[], dtype=tf.float32),
        )
    )
    def __call__(self, img, steps, step_size):
        print("Tracing") if False else None
        loss = tf.constant(0.0)
        for _n in tf.range(steps):
            with tf.GradientTape() as tape:
                tape.watch(img)
                loss = calc_loss(img, self.model)
            gradients = tape.gradient(loss, img)
            gradients /= tf.math.reduce_std(gradients) + 1e-8
            img = img + gradients * step_size
            img = tf.clip_by_value(img, -1, 1)
        return loss, img


deepdream = DeepDream(dream_model)
img = tf.constant(rng.uniform(-1, 1, (8, 6, 3)), tf.float32)
loss, out = deepdream(img, tf.constant(3), tf.constant(0.01))
print(f"Step {3}, loss {loss}")
print(out[:2, :2])


def random_roll(img, maxroll):
    shift = tf.constant([1, -2])
    img_rolled = tf.roll(img, shift=shift, axis=[0, 1])
    return shift, img_rolled


shift, img_rolled = random_roll(img, 3)
print(img_rolled[0, :2])


class TiledGradients(tf.Module):
    def __init__(self, model):
        self.model = model

    def __call__(self, img, img_size, tile_size=4):
        shift, img_rolled = random_roll(img, tile_size)
        gradients = tf.zeros_like(img_rolled)
        xs = tf.range(0, img_size[1], tile_size)[:-1]
        if not tf.cast(len(xs), bool):
            xs = tf.constant([0])
        ys = tf.range(0, img_size[0], tile_size)[:-1]
        if not tf.cast(len(ys), bool):
            ys = tf.constant([0])
        for x in xs:
            for y in ys:
                with tf.GradientTape() as tape:
                    tape.watch(img_rolled)
                    img_tile = img_rolled[y : y + tile_size, x : x + tile_size]
                    loss = calc_loss(img_tile, self.model)
                gradients = gradients + tape.gradient(loss, img_rolled)
        gradients = tf.roll(gradients, shift=-shift, axis=[0, 1])
        gradients /= tf.math.reduce_std(gradients) + 1e-8
        return gradients


g = TiledGradients(dream_model)(img, tf.shape(img)[:-1])
print(g[:, :, 0])
new_size = tf.cast(tf.convert_to_tensor(tf.cast(tf.shape(img)[:-1], tf.float32) * 1.3), tf.int32)
print(new_size, tf.image.resize(img, new_size)[0, :3])


def deprocess(img):
    img = 255 * (img + 1.0) / 2.0
    return tf.cast(img, tf.uint8)


print(deprocess(img)[0, 0], tf.image.convert_image_dtype(deprocess(img), dtype=tf.float32)[0, 0])
