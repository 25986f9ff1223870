"""Core API: layers and optimizers from scratch, on a network and on a polynomial."""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(2)
X = rng.random((24, 4, 4)).astype(np.float32) * 255
Y = rng.integers(0, 3, 24).astype(np.int32)


def preprocess(x, y):
    x = tf.reshape(x, shape=[-1, 16])
    x = x / 255
    return x, y


train_data = tf.data.Dataset.from_tensor_slices((X, Y)).batch(8).map(preprocess)


def xavier_init(shape):
    in_dim, out_dim = shape
    lim = tf.sqrt(6.0) / tf.sqrt(tf.cast(in_dim + out_dim, tf.float32))
    w = np.linspace(-1, 1, in_dim * out_dim).reshape(shape).astype(np.float32) ** 3
    return w * lim


class DenseLayer(tf.Module):
    def __init__(self, out_dim, weight_init=xavier_init, activation=tf.identity):
        self.out_dim = out_dim
        self.weight_init = weight_init
        self.activation = activation
        self.built = False

    def __call__(self, x):
        if not self.built:
            self.in_dim = x.shape[1]
            self.w = tf.Variable(xavier_init(shape=(self.in_dim, self.out_dim)))
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
        DenseLayer(out_dim=7, activation=tf.nn.relu),
        DenseLayer(out_dim=5, activation=tf.nn.relu),
        DenseLayer(out_dim=3),
    ]
)


def cross_entropy_loss(y_pred, y):
    sparse_ce = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=y_pred)
    return tf.reduce_mean(sparse_ce)


def accuracy(y_pred, y):
    class_preds = tf.argmax(tf.nn.softmax(y_pred), axis=1)
    is_equal = tf.equal(tf.cast(y, tf.int64), class_preds)
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


opt = Adam(0.01)
for epoch in range(3):
    for xb, yb in train_data:
        with tf.GradientTape() as tape:
            y_pred = mlp_model(xb)
            loss = cross_entropy_loss(y_pred, yb)
        acc = accuracy(y_pred, yb)
        grads = tape.gradient(loss, mlp_model.variables)
        opt.apply_gradients(grads, mlp_model.variables)
    print(epoch, loss, acc)
for g in grads:
    print(g.shape, tf.reduce_sum(g * g))


class GradientDescent(tf.Module):
    def __init__(self, learning_rate=1e-3):
        self.learning_rate = learning_rate
        self.title = f"Gradient descent optimizer: learning rate={self.learning_rate}"

    def apply_gradients(self, grads, vars):
        for grad, var in zip(grads, vars):
            var.assign_sub(self.learning_rate * grad)


class Momentum(tf.Module):
    def __init__(self, learning_rate=1e-3, momentum=0.7):
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.change = 0.0
        self.title = f"{self.learning_rate}"

    def apply_gradients(self, grads, vars):
        for grad, var in zip(grads, vars):
            curr_change = self.learning_rate * grad + self.momentum * self.change
            var.assign_sub(curr_change)
            self.change = curr_change


x_vals = tf.linspace(-2, 2, 11)
x_vals = tf.cast(x_vals, tf.float32)


def loss(x):
    return 2 * (x**4) + x**3 + 2


def grad(f, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        result = f(x)
    return tape.gradient(result, x)


print(loss(x_vals))
print(grad(loss, x_vals))


def convergence_test(optimizer, loss_fn, grad_fn=grad, init_val=2.0, max_iters=50):
    print(optimizer.title)
    x_star = tf.Variable(init_val)
    param_path = []
    converged = False
    for it in range(1, max_iters + 1):
        x_grad = grad_fn(loss_fn, x_star)
        if tf.norm(x_grad) < 1e-3:
            print(f"Converged in {it} iterations")
            converged = True
            break
        optimizer.apply_gradients([x_grad], [x_star])
        param_path.append(x_star.numpy())
    if not converged:
        print("Exceeded maximum number of iterations. Test failed.")
        x_star = tf.constant(0.0)
    return x_star, param_path


print(convergence_test(GradientDescent(1e-2), loss))
print(convergence_test(Momentum(1e-2), loss)[1][:6])
