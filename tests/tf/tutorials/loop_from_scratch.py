"""Keras: a training loop from scratch, and its two networks against each other."""

import numpy as np
import tensorflow as tf

keras = tf.keras
rng = np.random.RandomState(0)
x_train = rng.rand(32, 6).astype("float32")
y_train = np.arange(32) % 3


def get_model():
    inputs = keras.Input(shape=(6,), name="digits")
    x1 = keras.layers.Dense(8, activation="relu")(inputs)
    x2 = keras.layers.Dense(8, activation="relu")(x1)
    outputs = keras.layers.Dense(3, name="predictions")(x2)
    model = keras.Model(inputs=inputs, outputs=outputs)
    draw = np.random.RandomState(1)
    model.set_weights([0.5 * draw.randn(*w.shape) for w in model.get_weights()])
    return model


model = get_model()
optimizer = keras.optimizers.Adam(learning_rate=1e-2)
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
train_acc_metric = keras.metrics.SparseCategoricalAccuracy()
val_acc_metric = keras.metrics.SparseCategoricalAccuracy()
train_dataset = tf.data.Dataset.from_tensor_slices((x_train, y_train)).batch(8)


@tf.function
def train_step(x, y):
    with tf.GradientTape() as tape:
        logits = model(x, training=True)
        loss_value = loss_fn(y, logits)
        loss_value += sum(model.losses)
    grads = tape.gradient(loss_value, model.trainable_weights)
    optimizer.apply(grads, model.trainable_weights)
    train_acc_metric.update_state(y, logits)
    return loss_value


@tf.function
def test_step(x, y):
    val_logits = model(x, training=False)
    val_acc_metric.update_state(y, val_logits)


for epoch in range(3):
    print(f"\nStart of epoch {epoch}")
    for step, (x_batch_train, y_batch_train) in enumerate(train_dataset):
        loss_value = train_step(x_batch_train, y_batch_train)
        if step % 2 == 0:
            print(f"Training loss (for 1 batch) at step {step}: {float(loss_value):.4f}")
    train_acc = train_acc_metric.result()
    print(f"Training acc over epoch: {float(train_acc):.4f}")
    train_acc_metric.reset_state()
    for x_batch_val, y_batch_val in train_dataset:
        test_step(x_batch_val, y_batch_val)
    val_acc = val_acc_metric.result()
    val_acc_metric.reset_state()
    print(f"Validation acc: {float(val_acc):.4f}")


class ActivityRegularizationLayer(keras.layers.Layer):
    def call(self, inputs):
        self.add_loss(1e-2 * tf.reduce_sum(inputs))
        return inputs


inputs = keras.Input(shape=(6,), name="digits")
x = keras.layers.Dense(4, activation="relu", kernel_initializer="ones")(inputs)
x = ActivityRegularizationLayer()(x)
x = keras.layers.Dense(4, activation="relu", kernel_initializer="ones")(x)
outputs = keras.layers.Dense(3, name="predictions", kernel_initializer="ones")(x)
model = keras.Model(inputs=inputs, outputs=outputs)
for x_batch, y_batch in train_dataset.take(2):
    print(len(model.losses))
    with tf.GradientTape() as tape:
        logits = model(x_batch, training=True)
        loss_value = loss_fn(y_batch, logits) + sum(model.losses)
    grads = tape.gradient(loss_value, model.trainable_weights)
    print(float(loss_value), [g.numpy().sum().round(4) for g in grads])

discriminator = keras.Sequential(
    [
        keras.Input(shape=(8, 8, 1)),
        keras.layers.Conv2D(3, (3, 3), strides=(2, 2), padding="same"),
        keras.layers.LeakyReLU(negative_slope=0.2),
        keras.layers.Conv2D(4, (3, 3), strides=(2, 2), padding="same"),
        keras.layers.LeakyReLU(negative_slope=0.2),
        keras.layers.GlobalMaxPooling2D(),
        keras.layers.Dense(1),
    ],
    name="discriminator",
)
latent_dim = 4
generator = keras.Sequential(
    [
        keras.Input(shape=(latent_dim,)),
        keras.layers.Dense(2 * 2 * 4),
        keras.layers.LeakyReLU(negative_slope=0.2),
        keras.layers.Reshape((2, 2, 4)),
        keras.layers.Conv2DTranspose(4, (4, 4), strides=(2, 2), padding="same"),
        keras.layers.LeakyReLU(negative_slope=0.2),
        keras.layers.Conv2DTranspose(4, (4, 4), strides=(2, 2), padding="same"),
        keras.layers.LeakyReLU(negative_slope=0.2),
        keras.layers.Conv2D(1, (7, 7), padding="same", activation="sigmoid"),
    ],
    name="generator",
)
for m in (discriminator, generator):
    draw = np.random.RandomState(2)
    m.set_weights([0.4 * draw.randn(*w.shape) for w in m.get_weights()])
d_optimizer = keras.optimizers.Adam(learning_rate=0.03)
g_optimizer = keras.optimizers.Adam(learning_rate=0.04)
loss_fn = keras.losses.BinaryCrossentropy(from_logits=True)
noise = tf.constant(rng.randn(3, 5, latent_dim).astype("float32"))


@tf.function
def gan_step(real_images, random_latent_vectors):
    generated_images = generator(random_latent_vectors)
    combined_images = tf.concat([generated_images, real_images], axis=0)
    labels = tf.concat([tf.ones((5, 1)), tf.zeros((real_images.shape[0], 1))], axis=0)
    with tf.GradientTape() as tape:
        predictions = discriminator(combined_images)
        d_loss = loss_fn(labels, predictions)
    grads = tape.gradient(d_loss, discriminator.trainable_weights)
    d_optimizer.apply(grads, discriminator.trainable_weights)
    misleading_labels = tf.zeros((5, 1))
    with tf.GradientTape() as tape:
        predictions = discriminator(generator(random_latent_vectors))
        g_loss = loss_fn(misleading_labels, predictions)
    grads = tape.gradient(g_loss, generator.trainable_weights)
    g_optimizer.apply(grads, generator.trainable_weights)
    return d_loss, g_loss, generated_images


real = tf.constant(rng.rand(5, 8, 8, 1).astype("float32"))
for step in range(3):
    d_loss, g_loss, generated_images = gan_step(real, noise[step])
    print(f"discriminator loss at step {step}: {d_loss:.4f}")
    print(f"adversarial loss at step {step}: {g_loss:.4f}")
print(generated_images[0, :, :, 0])
