"""DCGAN: a generator and a discriminator, two tapes at once."""

import numpy as np
import tensorflow as tf

layers = tf.keras.layers


def init(shape, dtype=None):
    n = int(np.prod(shape))
    return tf.cast(tf.reshape(tf.sin(tf.range(n, dtype=tf.float32)), shape), tf.float32) * 0.2


def make_generator_model():
    model = tf.keras.Sequential()
    model.add(layers.Dense(2 * 2 * 4, use_bias=False, input_shape=(5,), kernel_initializer=init))
    model.add(layers.BatchNormalization())
    model.add(layers.LeakyReLU())
    model.add(layers.Reshape((2, 2, 4)))
    assert model.output_shape == (None, 2, 2, 4)
    model.add(
        layers.Conv2DTranspose(
            3, (5, 5), strides=(1, 1), padding="same", use_bias=False, kernel_initializer=init
        )
    )
    assert model.output_shape == (None, 2, 2, 3)
    model.add(layers.BatchNormalization())
    model.add(layers.LeakyReLU())
    model.add(
        layers.Conv2DTranspose(
            1,
            (5, 5),
            strides=(2, 2),
            padding="same",
            use_bias=False,
            activation="tanh",
            kernel_initializer=init,
        )
    )
    assert model.output_shape == (None, 4, 4, 1)
    return model


def make_discriminator_model():
    model = tf.keras.Sequential()
    model.add(
        layers.Conv2D(
            3,
            (5, 5),
            strides=(2, 2),
            padding="same",
            input_shape=[4, 4, 1],
            kernel_initializer=init,
        )
    )
    model.add(layers.LeakyReLU())
    model.add(layers.Dropout(0.0))
    model.add(layers.Flatten())
    model.add(layers.Dense(1, kernel_initializer=init))
    return model


generator = make_generator_model()
discriminator = make_discriminator_model()
cross_entropy = tf.keras.losses.BinaryCrossentropy(from_logits=True)


def discriminator_loss(real_output, fake_output):
    real_loss = cross_entropy(tf.ones_like(real_output), real_output)
    fake_loss = cross_entropy(tf.zeros_like(fake_output), fake_output)
    return real_loss + fake_loss


def generator_loss(fake_output):
    return cross_entropy(tf.ones_like(fake_output), fake_output)


generator_optimizer = tf.keras.optimizers.Adam(1e-3)
discriminator_optimizer = tf.keras.optimizers.Adam(1e-3)
rng = np.random.default_rng(0)
noise = tf.constant(rng.standard_normal((6, 5)), tf.float32)
images = tf.constant(rng.uniform(-1, 1, (6, 4, 4, 1)), tf.float32)
print(generator(noise, training=False)[0, :, :, 0])
print(discriminator(images))


@tf.function
def train_step(images):
    with tf.GradientTape() as gen_tape, tf.GradientTape() as disc_tape:
        generated_images = generator(noise, training=True)
        real_output = discriminator(images, training=True)
        fake_output = discriminator(generated_images, training=True)
        gen_loss = generator_loss(fake_output)
        disc_loss = discriminator_loss(real_output, fake_output)
    gradients_of_generator = gen_tape.gradient(gen_loss, generator.trainable_variables)
    gradients_of_discriminator = disc_tape.gradient(disc_loss, discriminator.trainable_variables)
    generator_optimizer.apply_gradients(zip(gradients_of_generator, generator.trainable_variables))
    discriminator_optimizer.apply_gradients(
        zip(gradients_of_discriminator, discriminator.trainable_variables)
    )
    return gen_loss, disc_loss, gradients_of_generator, gradients_of_discriminator


for _ in range(3):
    g, d, gg, gd = train_step(images)
    print(g.numpy(), d.numpy())
for x in gg + gd:
    print(
        x.shape,
        tf.reduce_sum(
            x * tf.reshape(tf.cos(tf.range(tf.size(x), dtype=tf.float32)), x.shape)
        ).numpy(),
    )
for w in generator.weights:
    print(w.shape, w.numpy().sum())
