"""Keras: layers and models by subclassing, end to end; WGAN with a penalty; sharpness; MAML."""

import numpy as np
import tensorflow as tf

keras = tf.keras
layers = keras.layers
draw = np.random.RandomState(0)


class Linear(keras.layers.Layer):
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


class ComputeSum(keras.layers.Layer):
    def __init__(self, input_dim):
        super().__init__()
        self.total = self.add_weight(initializer="zeros", shape=(input_dim,), trainable=False)

    def call(self, inputs):
        self.total.assign_add(tf.reduce_sum(inputs, axis=0))
        return self.total


my_sum = ComputeSum(2)
print(my_sum(tf.ones((2, 2))).numpy(), my_sum(tf.ones((2, 2))).numpy())
print("weights:", len(my_sum.weights), "non-trainable:", len(my_sum.non_trainable_weights))
print("trainable_weights:", my_sum.trainable_weights)


class MLPBlock(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.linear_1 = Linear(3)
        self.linear_2 = Linear(2)
        self.linear_3 = Linear(1)

    def call(self, inputs):
        x = self.linear_1(inputs)
        x = tf.nn.relu(x)
        x = self.linear_2(x)
        x = tf.nn.relu(x)
        return self.linear_3(x)


mlp = MLPBlock()
y = mlp(tf.ones(shape=(3, 4)))
print("weights:", len(mlp.weights), "trainable weights:", len(mlp.trainable_weights))


class ActivityRegularizationLayer(keras.layers.Layer):
    def __init__(self, rate=1e-2):
        super().__init__()
        self.rate = rate

    def call(self, inputs):
        self.add_loss(self.rate * tf.reduce_mean(inputs))
        return inputs


class OuterLayerWithKernelRegularizer(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.activity_reg = ActivityRegularizationLayer(1e-2)
        self.dense = keras.layers.Dense(
            3, kernel_regularizer=keras.regularizers.l2(1e-3), kernel_initializer="ones"
        )

    def call(self, inputs):
        return self.dense(self.activity_reg(inputs))


layer = OuterLayerWithKernelRegularizer()
assert len(layer.losses) == 0
_ = layer(tf.ones((1, 1)))
print(layer.losses)
_ = layer(tf.ones((1, 1)))
print(len(layer.losses))
config = Linear(4, name="lin").get_config()
print(config["units"], config["name"], Linear.from_config(config).units)


class Sampling(layers.Layer):
    def call(self, inputs):
        z_mean, z_log_var = inputs
        batch, dim = tf.shape(z_mean)[0], tf.shape(z_mean)[1]
        epsilon = tf.reshape(tf.sin(tf.range(tf.cast(batch * dim, tf.float32)) * 3), (batch, dim))
        return z_mean + tf.exp(0.5 * z_log_var) * epsilon


class Encoder(layers.Layer):
    def __init__(self, latent_dim=2, intermediate_dim=6, name="encoder", **kwargs):
        super().__init__(name=name, **kwargs)
        self.dense_proj = layers.Dense(intermediate_dim, activation="relu")
        self.dense_mean = layers.Dense(latent_dim)
        self.dense_log_var = layers.Dense(latent_dim)
        self.sampling = Sampling()

    def call(self, inputs):
        x = self.dense_proj(inputs)
        z_mean = self.dense_mean(x)
        z_log_var = self.dense_log_var(x)
        z = self.sampling((z_mean, z_log_var))
        return z_mean, z_log_var, z


class Decoder(layers.Layer):
    def __init__(self, original_dim, intermediate_dim=6, name="decoder", **kwargs):
        super().__init__(name=name, **kwargs)
        self.dense_proj = layers.Dense(intermediate_dim, activation="relu")
        self.dense_output = layers.Dense(original_dim, activation="sigmoid")

    def call(self, inputs):
        return self.dense_output(self.dense_proj(inputs))


class VariationalAutoEncoder(keras.Model):
    def __init__(self, original_dim, name="autoencoder", **kwargs):
        super().__init__(name=name, **kwargs)
        self.original_dim = original_dim
        self.encoder = Encoder()
        self.decoder = Decoder(original_dim)

    def call(self, inputs):
        z_mean, z_log_var, z = self.encoder(inputs)
        reconstructed = self.decoder(z)
        kl_loss = -0.5 * tf.reduce_mean(z_log_var - tf.square(z_mean) - tf.exp(z_log_var) + 1)
        self.add_loss(kl_loss)
        return reconstructed


x_train = draw.rand(12, 5).astype("float32")
vae = VariationalAutoEncoder(5)
vae(x_train)
start = [0.5 * draw.randn(*w.shape) for w in vae.get_weights()]
vae.set_weights(start)
optimizer = keras.optimizers.Adam(learning_rate=1e-2)
mse_loss_fn = keras.losses.MeanSquaredError()
loss_metric = keras.metrics.Mean()
train_dataset = tf.data.Dataset.from_tensor_slices(x_train).batch(4)
for epoch in range(2):
    print(f"Start of epoch {epoch}")
    for step, x_batch_train in enumerate(train_dataset):
        with tf.GradientTape() as tape:
            reconstructed = vae(x_batch_train)
            loss = mse_loss_fn(x_batch_train, reconstructed)
            loss += sum(vae.losses)
        grads = tape.gradient(loss, vae.trainable_weights)
        optimizer.apply(grads, vae.trainable_weights)
        loss_metric(loss)
        print(f"step {step}: mean loss = {loss_metric.result():.4f}")
vae.set_weights(start)
vae.compile(keras.optimizers.Adam(learning_rate=1e-2), loss=keras.losses.MeanSquaredError())
print(vae.fit(x_train, x_train, epochs=2, batch_size=4, verbose=0, shuffle=False).history)


def net(*units):
    m = keras.Sequential([keras.Input((units[0],))])
    for n in units[1:-1]:
        m.add(layers.Dense(n, activation="tanh"))
    m.add(layers.Dense(units[-1]))
    m.set_weights([0.5 * draw.randn(*w.shape) for w in m.get_weights()])
    return m


class WGAN(keras.Model):
    def __init__(self, discriminator, generator, discriminator_extra_steps=2, gp_weight=10.0):
        super().__init__()
        self.discriminator = discriminator
        self.generator = generator
        self.d_steps = discriminator_extra_steps
        self.gp_weight = gp_weight

    def compile(self, d_optimizer, g_optimizer, d_loss_fn, g_loss_fn):
        super().compile()
        self.d_optimizer, self.g_optimizer = d_optimizer, g_optimizer
        self.d_loss_fn, self.g_loss_fn = d_loss_fn, g_loss_fn

    def gradient_penalty(self, batch_size, real_images, fake_images):
        alpha = tf.reshape(tf.linspace(0.1, 0.9, batch_size), [batch_size, 1])
        diff = fake_images - real_images
        interpolated = real_images + alpha * diff
        with tf.GradientTape() as gp_tape:
            gp_tape.watch(interpolated)
            pred = self.discriminator(interpolated, training=True)
        grads = gp_tape.gradient(pred, [interpolated])[0]
        norm = tf.sqrt(tf.reduce_sum(tf.square(grads), axis=[1]))
        return tf.reduce_mean((norm - 1.0) ** 2)

    def train_step(self, real_images):
        if isinstance(real_images, tuple):
            real_images = real_images[0]
        batch_size = real_images.shape[0]
        latent = tf.reshape(tf.cos(tf.range(batch_size * 2.0)), (batch_size, 2))
        for i in range(self.d_steps):
            with tf.GradientTape() as tape:
                fake_images = self.generator(latent, training=True)
                fake_logits = self.discriminator(fake_images, training=True)
                real_logits = self.discriminator(real_images, training=True)
                d_cost = self.d_loss_fn(real_img=real_logits, fake_img=fake_logits)
                gp = self.gradient_penalty(batch_size, real_images, fake_images)
                d_loss = d_cost + gp * self.gp_weight
            d_gradient = tape.gradient(d_loss, self.discriminator.trainable_variables)
            self.d_optimizer.apply_gradients(
                zip(d_gradient, self.discriminator.trainable_variables)
            )
        with tf.GradientTape() as tape:
            gen_img_logits = self.discriminator(self.generator(latent, training=True))
            g_loss = self.g_loss_fn(gen_img_logits)
        gen_gradient = tape.gradient(g_loss, self.generator.trainable_variables)
        self.g_optimizer.apply_gradients(zip(gen_gradient, self.generator.trainable_variables))
        return {"d_loss": d_loss, "g_loss": g_loss}


wgan = WGAN(net(5, 6, 1), net(2, 6, 5))
wgan.compile(
    keras.optimizers.Adam(learning_rate=0.02, beta_1=0.5, beta_2=0.9),
    keras.optimizers.Adam(learning_rate=0.02, beta_1=0.5, beta_2=0.9),
    lambda real_img, fake_img: tf.reduce_mean(fake_img) - tf.reduce_mean(real_img),
    lambda fake_img: -tf.reduce_mean(fake_img),
)
dataset = tf.data.Dataset.from_tensor_slices(x_train).batch(4)
history = None
for batch in dataset:
    logs = wgan.train_step(batch)
    print({k: round(float(v), 4) for k, v in logs.items()})


class SAMModel(keras.Model):
    def __init__(self, resnet_model, rho=0.05):
        super().__init__()
        self.resnet_model = resnet_model
        self.rho = rho

    def train_step(self, data):
        (images, labels) = data
        e_ws = []
        with tf.GradientTape() as tape:
            predictions = self.resnet_model(images)
            loss = self.compiled_loss_(labels, predictions)
        trainable_params = self.resnet_model.trainable_variables
        gradients = tape.gradient(loss, trainable_params)
        gradients_norm = self._grad_norm(gradients)
        scale = self.rho / (gradients_norm + 1e-12)
        for gradient, param in zip(gradients, trainable_params):
            e_w = gradient * scale
            param.assign_add(e_w)
            e_ws.append(e_w)
        with tf.GradientTape() as tape:
            predictions = self.resnet_model(images)
            loss = self.compiled_loss_(labels, predictions)
        sam_gradients = tape.gradient(loss, trainable_params)
        for param, e_w in zip(trainable_params, e_ws):
            param.assign_sub(e_w)
        self.optimizer.apply_gradients(zip(sam_gradients, trainable_params))
        return {"loss": loss, "norm": gradients_norm}

    def compiled_loss_(self, labels, predictions):
        return tf.reduce_mean(tf.square(labels - predictions))

    def _grad_norm(self, gradients):
        return tf.norm(tf.stack([tf.norm(grad) for grad in gradients if grad is not None]))

    def call(self, inputs):
        return self.resnet_model(inputs)


sam = SAMModel(net(5, 4, 1))
sam.compile(optimizer=keras.optimizers.SGD(0.1))
y_train = x_train[:, :1] * 2
for _ in range(3):
    print({k: round(float(v), 5) for k, v in sam.train_step((x_train, y_train)).items()})

# MAML: the outer gradient goes through the inner step
w0, b0 = tf.Variable(draw.randn(5, 1).astype("float32")), tf.Variable(tf.zeros([1]))
meta = keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True)
for task in range(3):
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            support = tf.reduce_mean((tf.tanh(x_train[:6] @ w0 + b0) - y_train[:6]) ** 2)
        gw, gb = inner.gradient(support, [w0, b0])
        w, b = w0 - 0.3 * gw, b0 - 0.3 * gb
        query = tf.reduce_mean((tf.tanh(x_train[6:] @ w + b) - y_train[6:]) ** 2)
    grads = outer.gradient(query, [w0, b0])
    meta.apply_gradients(zip(grads, [w0, b0]))
    print(query.numpy(), grads[0][:, 0].numpy(), grads[1].numpy())


class GCAdam(keras.optimizers.Adam):
    def apply(self, grads, trainable_variables=None):
        centred = [
            g - tf.reduce_mean(g, axis=list(range(len(g.shape) - 1)), keepdims=True)
            if len(g.shape) > 1
            else g
            for g in grads
        ]
        return super().apply(centred, trainable_variables)


m, opt = net(5, 4, 1), GCAdam(0.05)
for _ in range(3):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((m(x_train) - y_train) ** 2)
    opt.apply(tape.gradient(loss, m.trainable_variables), m.trainable_variables)
    print(loss.numpy())
