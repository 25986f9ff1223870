"""Pix2pix: a U-Net with skips and a discriminator of patches; CycleGAN with one persistent tape."""

import numpy as np
import tensorflow as tf

OUTPUT_CHANNELS = 3
LAMBDA = 100
draw = np.random.RandomState(0)


def downsample(filters, size, apply_batchnorm=True):
    initializer = tf.random_normal_initializer(0.0, 0.02)
    result = tf.keras.Sequential()
    result.add(
        tf.keras.layers.Conv2D(filters, size, strides=2, padding="same",
                               kernel_initializer=initializer, use_bias=False))  # fmt: skip
    if apply_batchnorm:
        result.add(tf.keras.layers.BatchNormalization())
    result.add(tf.keras.layers.LeakyReLU())
    return result


def upsample(filters, size, apply_dropout=False):
    initializer = tf.random_normal_initializer(0.0, 0.02)
    result = tf.keras.Sequential()
    result.add(
        tf.keras.layers.Conv2DTranspose(filters, size, strides=2, padding="same",
                                        kernel_initializer=initializer, use_bias=False))  # fmt: skip
    result.add(tf.keras.layers.BatchNormalization())
    if apply_dropout:
        result.add(tf.keras.layers.Dropout(0.0))
    result.add(tf.keras.layers.ReLU())
    return result


down_model = downsample(3, 4)
down_result = down_model(tf.expand_dims(tf.ones([8, 8, 3]), 0))
print(down_result.shape)
up_model = upsample(3, 4)
print(up_model(down_result).shape)


def Generator():
    inputs = tf.keras.layers.Input(shape=[8, 8, 3])
    down_stack = [downsample(4, 4, apply_batchnorm=False), downsample(6, 4), downsample(6, 4)]
    up_stack = [upsample(6, 4, apply_dropout=True), upsample(4, 4)]
    initializer = tf.random_normal_initializer(0.0, 0.02)
    last = tf.keras.layers.Conv2DTranspose(OUTPUT_CHANNELS, 4, strides=2, padding="same",
                                           kernel_initializer=initializer, activation="tanh")  # fmt: skip
    x = inputs
    skips = []
    for down in down_stack:
        x = down(x)
        skips.append(x)
    skips = reversed(skips[:-1])
    for up, skip in zip(up_stack, skips):
        x = up(x)
        x = tf.keras.layers.Concatenate()([x, skip])
    x = last(x)
    return tf.keras.Model(inputs=inputs, outputs=x)


def Discriminator():
    initializer = tf.random_normal_initializer(0.0, 0.02)
    inp = tf.keras.layers.Input(shape=[8, 8, 3], name="input_image")
    tar = tf.keras.layers.Input(shape=[8, 8, 3], name="target_image")
    x = tf.keras.layers.concatenate([inp, tar])
    down1 = downsample(4, 4, False)(x)
    zero_pad1 = tf.keras.layers.ZeroPadding2D()(down1)
    conv = tf.keras.layers.Conv2D(4, 4, strides=1, kernel_initializer=initializer,
                                  use_bias=False)(zero_pad1)  # fmt: skip
    batchnorm1 = tf.keras.layers.BatchNormalization()(conv)
    leaky_relu = tf.keras.layers.LeakyReLU()(batchnorm1)
    zero_pad2 = tf.keras.layers.ZeroPadding2D()(leaky_relu)
    last = tf.keras.layers.Conv2D(1, 4, strides=1, kernel_initializer=initializer)(zero_pad2)
    return tf.keras.Model(inputs=[inp, tar], outputs=last)


generator, discriminator = Generator(), Discriminator()
for m in (generator, discriminator):
    m.set_weights([0.4 * draw.randn(*w.shape) ** 2 for w in m.get_weights()])
print(len(generator.trainable_variables), len(discriminator.trainable_variables))
print(generator.count_params(), discriminator.count_params())
loss_object = tf.keras.losses.BinaryCrossentropy(from_logits=True)


def generator_loss(disc_generated_output, gen_output, target):
    gan_loss = loss_object(tf.ones_like(disc_generated_output), disc_generated_output)
    l1_loss = tf.reduce_mean(tf.abs(target - gen_output))
    total_gen_loss = gan_loss + (LAMBDA * l1_loss)
    return total_gen_loss, gan_loss, l1_loss


def discriminator_loss(disc_real_output, disc_generated_output):
    real_loss = loss_object(tf.ones_like(disc_real_output), disc_real_output)
    generated_loss = loss_object(tf.zeros_like(disc_generated_output), disc_generated_output)
    return real_loss + generated_loss


generator_optimizer = tf.keras.optimizers.Adam(2e-3, beta_1=0.5)
discriminator_optimizer = tf.keras.optimizers.Adam(2e-3, beta_1=0.5)


@tf.function
def train_step(input_image, target):
    with tf.GradientTape() as gen_tape, tf.GradientTape() as disc_tape:
        gen_output = generator(input_image, training=True)
        disc_real_output = discriminator([input_image, target], training=True)
        disc_generated_output = discriminator([input_image, gen_output], training=True)
        losses = generator_loss(disc_generated_output, gen_output, target)
        disc_loss = discriminator_loss(disc_real_output, disc_generated_output)
    generator_gradients = gen_tape.gradient(losses[0], generator.trainable_variables)
    discriminator_gradients = disc_tape.gradient(disc_loss, discriminator.trainable_variables)
    generator_optimizer.apply_gradients(zip(generator_gradients, generator.trainable_variables))
    discriminator_optimizer.apply_gradients(
        zip(discriminator_gradients, discriminator.trainable_variables)
    )
    return (*losses, disc_loss, tf.linalg.global_norm(generator_gradients))


images = tf.constant(draw.rand(2, 8, 8, 3).astype("float32"))
targets = tf.image.flip_left_right(images)
for _ in range(3):
    print([round(float(x), 4) for x in train_step(images, targets)])


class InstanceNormalization(tf.keras.layers.Layer):
    def __init__(self, epsilon=1e-5):
        super().__init__()
        self.epsilon = epsilon

    def build(self, input_shape):
        self.scale = self.add_weight(name="scale", shape=input_shape[-1:], initializer="ones",
                                     trainable=True)  # fmt: skip
        self.offset = self.add_weight(name="offset", shape=input_shape[-1:], initializer="zeros",
                                      trainable=True)  # fmt: skip

    def call(self, x):
        mean, variance = tf.nn.moments(x, axes=[1, 2], keepdims=True)
        inv = tf.math.rsqrt(variance + self.epsilon)
        normalized = (x - mean) * inv
        return self.scale * normalized + self.offset


def network(outputs):
    m = tf.keras.Sequential(
        [
            tf.keras.Input((8, 8, 3)),
            tf.keras.layers.Conv2D(3, 3, padding="same"),
            InstanceNormalization(),
            tf.keras.layers.LeakyReLU(0.2),
            tf.keras.layers.Conv2D(outputs, 3, padding="same"),
        ]
    )
    m.set_weights([0.4 * draw.randn(*w.shape) for w in m.get_weights()])
    return m


generator_g, generator_f = network(3), network(3)
discriminator_x, discriminator_y = network(1), network(1)
optimizers = [tf.keras.optimizers.Adam(2e-3, beta_1=0.5) for _ in range(4)]


def one(loss_obj, real, generated):
    return 0.5 * (
        loss_obj(tf.ones_like(real), real) + loss_obj(tf.zeros_like(generated), generated)
    )


def calc_cycle_loss(real_image, cycled_image):
    return 10 * tf.reduce_mean(tf.abs(real_image - cycled_image))


@tf.function
def cycle_step(real_x, real_y):
    with tf.GradientTape(persistent=True) as tape:
        fake_y = generator_g(real_x, training=True)
        cycled_x = generator_f(fake_y, training=True)
        fake_x = generator_f(real_y, training=True)
        cycled_y = generator_g(fake_x, training=True)
        same_x, same_y = generator_f(real_x, training=True), generator_g(real_y, training=True)
        disc_real_x, disc_real_y = discriminator_x(real_x), discriminator_y(real_y)
        disc_fake_x, disc_fake_y = discriminator_x(fake_x), discriminator_y(fake_y)
        gen_g_loss = loss_object(tf.ones_like(disc_fake_y), disc_fake_y)
        gen_f_loss = loss_object(tf.ones_like(disc_fake_x), disc_fake_x)
        total_cycle_loss = calc_cycle_loss(real_x, cycled_x) + calc_cycle_loss(real_y, cycled_y)
        total_g = gen_g_loss + total_cycle_loss + 5 * tf.reduce_mean(tf.abs(real_y - same_y))
        total_f = gen_f_loss + total_cycle_loss + 5 * tf.reduce_mean(tf.abs(real_x - same_x))
        disc_x_loss = one(loss_object, disc_real_x, disc_fake_x)
        disc_y_loss = one(loss_object, disc_real_y, disc_fake_y)
    models = (generator_g, generator_f, discriminator_x, discriminator_y)
    losses = (total_g, total_f, disc_x_loss, disc_y_loss)
    gradients = [tape.gradient(l, m.trainable_variables) for l, m in zip(losses, models)]
    for optimizer, g, m in zip(optimizers, gradients, models):
        optimizer.apply_gradients(zip(g, m.trainable_variables))
    return losses


for _ in range(3):
    print([round(float(x), 4) for x in cycle_step(images, 1 - targets)])
