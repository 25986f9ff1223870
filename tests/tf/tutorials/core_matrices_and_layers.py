"""Core API: a matrix by its singular values, layers and training from scratch."""

import numpy as np
import tensorflow as tf

image = tf.constant(np.abs(np.sin(np.arange(6 * 8 * 3))).reshape(6, 8, 3).astype("float32"))


def compress_image(I, r, verbose=False):
    I_size = tf.size(I)
    x = tf.transpose(I, [2, 0, 1])
    s, U, V = tf.linalg.svd(x)
    U_r, V_r = U[:, :, :r], V[:, :, :r]
    s_r = s[:, :r]
    S_r = tf.linalg.diag(s_r)
    I_r = tf.einsum("bij,bjk,bkl->bil", U_r, S_r, tf.transpose(V_r, [0, 2, 1]))
    size = tf.size(U_r) + tf.size(s_r) + tf.size(V_r)
    return tf.transpose(I_r, [1, 2, 0]), I_size / size


I_2, ratio = compress_image(image, 2)
print(I_2[0], ratio)


def frobenius(A, A_r):
    return tf.norm(A - A_r)


print(frobenius(image, I_2))
s = tf.linalg.svd(tf.transpose(image, [2, 0, 1]), compute_uv=False)
energy = tf.cumsum(tf.reduce_mean(s, axis=0)) / tf.reduce_sum(tf.reduce_mean(s, axis=0))
print(energy, tf.where(energy > 0.9)[0][0])


def viz_energy(I, threshold):
    x = tf.transpose(I, [2, 0, 1])
    s = tf.linalg.svd(x, compute_uv=False)
    props = tf.map_fn(lambda s_: tf.reduce_sum(s_[:2] ** 2) / tf.reduce_sum(s_**2), s)
    return tf.reduce_mean(props)


print(viz_energy(image, 0.9))
w = tf.Variable(tf.reshape(tf.sin(tf.range(12.0)), [4, 3]))
with tf.GradientTape() as tape:
    s, u, v = tf.linalg.svd(w)
    loss = tf.reduce_sum(s[:2] ** 3) + tf.norm(w)
print(tape.gradient(loss, w))


def xavier_init(shape):
    in_dim, out_dim = shape
    xavier_lim = tf.sqrt(6.0) / tf.sqrt(tf.cast(in_dim + out_dim, tf.float32))
    n = tf.reshape(tf.sin(tf.range(float(in_dim * out_dim))), shape)
    return n * xavier_lim


class DenseLayer(tf.Module):
    def __init__(self, out_dim, weight_init=xavier_init, activation=tf.identity):
        self.out_dim = out_dim
        self.weight_init = weight_init
        self.activation = activation
        self.built = False

    def __call__(self, x):
        if not self.built:
            self.in_dim = x.shape[1]
            self.w = tf.Variable(self.weight_init(shape=(self.in_dim, self.out_dim)))
            self.b = tf.Variable(tf.zeros(shape=(self.out_dim,)))
            self.built = True
        z = tf.add(tf.matmul(x, self.w), self.b)
        return self.activation(z)


class MLP(tf.Module):
    def __init__(self, layers):
        self.layers = layers

    @tf.function
    def __call__(self, x, preds=False):
        for layer in self.layers:
            x = layer(x)
        return x


mlp_model = MLP(
    [
        DenseLayer(out_dim=6, activation=tf.nn.relu),
        DenseLayer(out_dim=5, activation=tf.nn.relu),
        DenseLayer(out_dim=3),
    ]
)


def cross_entropy_loss(y_pred, y):
    sparse_ce = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=y_pred)
    return tf.reduce_mean(sparse_ce)


def accuracy(y_pred, y):
    class_preds = tf.argmax(tf.nn.softmax(y_pred), axis=1)
    is_equal = tf.equal(y, class_preds)
    return tf.reduce_mean(tf.cast(is_equal, tf.float32))


class Adam:
    def __init__(self, learning_rate=1e-3, beta_1=0.9, beta_2=0.999, ep=1e-7):
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.learning_rate = learning_rate
        self.ep = ep
        self.t = 1.0
        self.v_dvar, self.s_dvar = [], []
        self.built = False

    def apply_gradients(self, grads, vars):
        if not self.built:
            for var in vars:
                v = tf.Variable(tf.zeros(shape=var.shape))
                s = tf.Variable(tf.zeros(shape=var.shape))
                self.v_dvar.append(v)
                self.s_dvar.append(s)
            self.built = True
        for i, (d_var, var) in enumerate(zip(grads, vars)):
            self.v_dvar[i].assign(self.beta_1 * self.v_dvar[i] + (1 - self.beta_1) * d_var)
            self.s_dvar[i].assign(
                self.beta_2 * self.s_dvar[i] + (1 - self.beta_2) * tf.square(d_var)
            )
            v_dvar_bc = self.v_dvar[i] / (1 - (self.beta_1**self.t))
            s_dvar_bc = self.s_dvar[i] / (1 - (self.beta_2**self.t))
            var.assign_sub(self.learning_rate * (v_dvar_bc / (tf.sqrt(s_dvar_bc) + self.ep)))
        self.t += 1.0


def train_step(x_batch, y_batch, loss, acc, model, optimizer):
    with tf.GradientTape() as tape:
        y_pred = model(x_batch)
        batch_loss = loss(y_pred, y_batch)
    batch_acc = acc(y_pred, y_batch)
    grads = tape.gradient(batch_loss, model.variables)
    optimizer.apply_gradients(grads, model.variables)
    return batch_loss, batch_acc


rng = np.random.RandomState(0)
x = rng.randn(24, 4).astype("float32")
y = tf.constant(np.arange(24) % 3, tf.int64)
train_data = tf.data.Dataset.from_tensor_slices((x, y)).batch(8)
optimizer = Adam(learning_rate=0.02)
for epoch in range(3):
    batch_losses_train, batch_accs_train = [], []
    for x_batch, y_batch in train_data:
        batch_loss, batch_acc = train_step(
            x_batch, y_batch, cross_entropy_loss, accuracy, mlp_model, optimizer
        )
        batch_losses_train.append(batch_loss)
        batch_accs_train.append(batch_acc)
    train_loss, train_acc = tf.reduce_mean(batch_losses_train), tf.reduce_mean(batch_accs_train)
    print(f"Epoch: {epoch}")
    print(f"Training loss: {train_loss:.3f}, Training accuracy: {train_acc:.3f}")
print(mlp_model.variables[-1])
print(tf.math.confusion_matrix(y, tf.argmax(mlp_model(x), axis=1), num_classes=3))


class Normalize(tf.Module):
    def __init__(self, x):
        self.mean = tf.math.reduce_mean(x, axis=0)
        self.std = tf.math.reduce_std(x, axis=0)

    def norm(self, x):
        return (x - self.mean) / self.std

    def unnorm(self, x):
        return (x * self.std) + self.mean


norm_x = Normalize(x)
print(norm_x.norm(x)[0], norm_x.unnorm(norm_x.norm(x))[0] - x[0])


class LinearRegression(tf.Module):
    def __init__(self):
        self.built = False

    @tf.function
    def __call__(self, x):
        if not self.built:
            self.w = tf.Variable(tf.ones(shape=(x.shape[-1], 1)) / 3)
            self.b = tf.Variable(tf.zeros(shape=[]) + 0.1)
            self.built = True
        y = tf.add(tf.matmul(x, self.w), self.b)
        return tf.squeeze(y, axis=1)


lin = LinearRegression()
for _ in range(3):
    with tf.GradientTape() as tape:
        batch_loss = tf.reduce_mean(tf.square(lin(x) - tf.cast(y, tf.float32)))
    grads = tape.gradient(batch_loss, lin.variables)
    for g, v in zip(grads, lin.variables):
        v.assign_sub(0.05 * g)
    print(f"{batch_loss.numpy():0.4f}")
print(lin.w[:, 0], lin.b)
