"""Physics-informed networks: second derivatives in nested tapes."""

import numpy as np
import tensorflow as tf

tf.keras.backend.set_floatx("float32")


def init(shape, dtype=None):
    n = int(np.prod(shape))
    return tf.reshape(tf.sin(tf.range(n, dtype=tf.float32)), shape) * 0.5


model = tf.keras.Sequential(
    [
        tf.keras.layers.Input((2,)),
        tf.keras.layers.Dense(8, activation="tanh", kernel_initializer=init),
        tf.keras.layers.Dense(8, activation="tanh", kernel_initializer=init),
        tf.keras.layers.Dense(1, kernel_initializer=init),
    ]
)
viscosity = 0.01 / np.pi
rng = np.random.default_rng(0)
X_r = tf.constant(rng.uniform(-1, 1, (10, 2)), tf.float32)
X0 = tf.constant(rng.uniform(-1, 1, (5, 2)), tf.float32)
u0 = -tf.sin(np.pi * X0[:, 1:2])


def get_r(model, X_r):
    with tf.GradientTape(persistent=True) as tape:
        t, x = X_r[:, 0:1], X_r[:, 1:2]
        tape.watch(t)
        tape.watch(x)
        u = model(tf.stack([t[:, 0], x[:, 0]], axis=1))
        u_x = tape.gradient(u, x)
    u_t = tape.gradient(u, t)
    u_xx = tape.gradient(u_x, x)
    del tape
    return u_t + u * u_x - viscosity * u_xx


def compute_loss(model, X_r, X_data, u_data):
    r = get_r(model, X_r)
    phi_r = tf.reduce_mean(tf.square(r))
    loss = phi_r
    for i in range(len(X_data)):
        u_pred = model(X_data[i])
        loss += tf.reduce_mean(tf.square(u_data[i] - u_pred))
    return loss


def get_grad(model, X_r, X_data, u_data):
    with tf.GradientTape(persistent=True) as tape:
        loss = compute_loss(model, X_r, X_data, u_data)
    g = tape.gradient(loss, model.trainable_variables)
    del tape
    return loss, g


lr = tf.keras.optimizers.schedules.PiecewiseConstantDecay([2, 4], [1e-2, 1e-3, 5e-4])
optim = tf.keras.optimizers.Adam(learning_rate=lr)


@tf.function
def train_step():
    loss, grad_theta = get_grad(model, X_r, [X0], [u0])
    optim.apply_gradients(zip(grad_theta, model.trainable_variables))
    return loss, grad_theta


for i in range(5):
    l, g = train_step()
    print(f"It {i:05d}: loss = {l:10.8e}")
for v in g:
    print(v)
lam = tf.Variable(0.5, trainable=True, dtype=tf.float32)
x = tf.Variable(tf.reshape(tf.linspace(0.0, 1.0, 6), (-1, 1)))
net = tf.keras.Sequential(
    [
        tf.keras.layers.Input((1,)),
        tf.keras.layers.Dense(6, activation="tanh", kernel_initializer=init),
        tf.keras.layers.Dense(1, kernel_initializer=init),
    ]
)
with tf.GradientTape() as t3:
    with tf.GradientTape() as t2:
        with tf.GradientTape() as t1:
            y = net(x)
        dy = t1.gradient(y, x)
    d2y = t2.gradient(dy, x)
    res = d2y + lam * dy + y
    loss = tf.reduce_mean(res**2) + tf.square(tf.squeeze(net(tf.zeros((1, 1)))) - 1.0)
gs = t3.gradient(loss, net.trainable_variables + [lam])
print(loss)
print(gs)
with tf.GradientTape(persistent=True) as tape:
    tape.watch(x)
    with tf.GradientTape() as tape1:
        tape1.watch(x)
        y = net(x)
    dy_dx = tape1.batch_jacobian(y, x)
