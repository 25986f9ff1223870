"""A convolutional variational autoencoder, with noise that is given."""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(0)


def init(shape, dtype=None):
    n = int(np.prod(shape))
    return tf.reshape(tf.sin(tf.range(n, dtype=tf.float32)), shape) * 0.2


eps_np = rng.standard_normal((4, 2)).astype(np.float32)


class CVAE(tf.keras.Model):
    """Convolutional variational autoencoder."""

    def __init__(self, latent_dim):
        super().__init__()
        self.latent_dim = latent_dim
        self.encoder = tf.keras.Sequential(
            [
                tf.keras.layers.InputLayer(shape=(8, 8, 1)),
                tf.keras.layers.Conv2D(
                    filters=3,
                    kernel_size=3,
                    strides=(2, 2),
                    activation="relu",
                    kernel_initializer=init,
                ),
                tf.keras.layers.Conv2D(
                    filters=4,
                    kernel_size=3,
                    strides=(2, 2),
                    activation="relu",
                    kernel_initializer=init,
                ),
                tf.keras.layers.Flatten(),
                tf.keras.layers.Dense(latent_dim + latent_dim, kernel_initializer=init),
            ]
        )
        self.decoder = tf.keras.Sequential(
            [
                tf.keras.layers.InputLayer(shape=(latent_dim,)),
                tf.keras.layers.Dense(
                    units=2 * 2 * 3, activation=tf.nn.relu, kernel_initializer=init
                ),
                tf.keras.layers.Reshape(target_shape=(2, 2, 3)),
                tf.keras.layers.Conv2DTranspose(
                    filters=4,
                    kernel_size=3,
                    strides=2,
                    padding="same",
                    activation="relu",
                    kernel_initializer=init,
                ),
                tf.keras.layers.Conv2DTranspose(
                    filters=2,
                    kernel_size=3,
                    strides=2,
                    padding="same",
                    activation="relu",
                    kernel_initializer=init,
                ),
                tf.keras.layers.Conv2DTranspose(
                    filters=1, kernel_size=3, strides=1, padding="same", kernel_initializer=init
                ),
            ]
        )

    @tf.function
    def sample(self, eps=None):
        if eps is None:
            eps = tf.random.normal(shape=(100, self.latent_dim))
        return self.decode(eps, apply_sigmoid=True)

    def encode(self, x):
        mean, logvar = tf.split(self.encoder(x), num_or_size_splits=2, axis=1)
        return mean, logvar

    def reparameterize(self, mean, logvar):
        eps = tf.constant(eps_np)
        return eps * tf.exp(logvar * 0.5) + mean

    def decode(self, z, apply_sigmoid=False):
        logits = self.decoder(z)
        if apply_sigmoid:
            probs = tf.sigmoid(logits)
            return probs
        return logits


optimizer = tf.keras.optimizers.Adam(1e-3)


def log_normal_pdf(sample, mean, logvar, raxis=1):
    log2pi = tf.math.log(2.0 * np.pi)
    return tf.reduce_sum(
        -0.5 * ((sample - mean) ** 2.0 * tf.exp(-logvar) + logvar + log2pi), axis=raxis
    )


def compute_loss(model, x):
    mean, logvar = model.encode(x)
    z = model.reparameterize(mean, logvar)
    x_logit = model.decode(z)
    cross_ent = tf.nn.sigmoid_cross_entropy_with_logits(logits=x_logit, labels=x)
    logpx_z = -tf.reduce_sum(cross_ent, axis=[1, 2, 3])
    logpz = log_normal_pdf(z, 0.0, 0.0)
    logqz_x = log_normal_pdf(z, mean, logvar)
    return -tf.reduce_mean(logpx_z + logpz - logqz_x)


@tf.function
def train_step(model, x, optimizer):
    with tf.GradientTape() as tape:
        loss = compute_loss(model, x)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return gradients


model = CVAE(2)
x = tf.constant(np.where(rng.random((4, 8, 8, 1)) > 0.5, 1.0, 0.0).astype("float32"))
for epoch in range(3):
    grads = train_step(model, x, optimizer)
    loss = tf.keras.metrics.Mean()
    loss(compute_loss(model, x))
    elbo = -loss.result()
    print(f"Epoch: {epoch}, Test set ELBO: {elbo:.4f}")
for g in grads:
    print(g.shape, tf.reduce_sum(tf.abs(g)).numpy())
print(model.sample(tf.constant([[0.1, 0.2]]))[0, :3, :3, 0])
print(len(model.trainable_variables))
