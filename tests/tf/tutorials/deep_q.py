"""Deep Q-learning: picked actions, target networks."""

from collections import deque

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(0)


def init(shape, dtype=None):
    n = int(np.prod(shape))
    return tf.reshape(tf.sin(tf.range(n, dtype=tf.float32)), shape) * 0.3


def create_q_model():
    return tf.keras.Sequential(
        [
            tf.keras.layers.Dense(8, activation="relu", input_shape=(4,), kernel_initializer=init),
            tf.keras.layers.Dense(3, activation="linear", kernel_initializer=init),
        ]
    )


model = create_q_model()
model_target = create_q_model()
model_target.set_weights(model.get_weights())
buf = deque(maxlen=20)
for _ in range(20):
    buf.append(
        (
            rng.standard_normal(4).astype(np.float32),
            int(rng.integers(3)),
            float(rng.standard_normal()),
            rng.standard_normal(4).astype(np.float32),
            bool(rng.random() < 0.2),
        )
    )
optimizer = tf.keras.optimizers.Adam(learning_rate=0.01, clipnorm=1.0)
loss_function = tf.keras.losses.Huber()
for _it in range(3):
    batch = [buf[i] for i in rng.integers(20, size=8)]
    s, a, r, s2, d = [np.array([b[i] for b in batch]) for i in range(5)]
    future_rewards = model_target.predict(s2, verbose=0)
    updated_q_values = r + 0.95 * tf.reduce_max(future_rewards, axis=1)
    updated_q_values = updated_q_values * (1 - d) - d
    masks = tf.one_hot(a, 3)
    with tf.GradientTape() as tape:
        q_values = model(s)
        q_action = tf.reduce_sum(tf.multiply(q_values, masks), axis=1)
        loss = loss_function(updated_q_values, q_action)
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    print(loss.numpy())
print(grads)
state_tensor = tf.convert_to_tensor(s[0])
state_tensor = tf.expand_dims(state_tensor, 0)
action_probs = model(state_tensor, training=False)
action = tf.argmax(action_probs[0]).numpy()
print(action, type(action))
Q = model.predict(s[0][np.newaxis], verbose=0)
print(np.argmax(Q[0]))
with tf.GradientTape() as tape:
    q = model(tf.convert_to_tensor(s))
    idx = tf.stack([tf.range(len(a)), tf.cast(a, tf.int32)], axis=-1)
    qa = tf.gather_nd(q, idx)
    qb = tf.gather(q, a, batch_dims=1)
    qc = tf.reduce_sum(q * tf.one_hot(a, 3, dtype=tf.float32), axis=-1)
    nxt = tf.stop_gradient(tf.reduce_max(model_target(s2), axis=-1))
    target = tf.cast(r, tf.float32) + 0.9 * nxt * (1.0 - tf.cast(d, tf.float32))
    loss = (
        tf.reduce_mean(tf.square(target - qa))
        + tf.reduce_mean(tf.keras.losses.mse(target, qb))
        + tf.reduce_sum(tf.math.squared_difference(qc, target))
    )
g = tape.gradient(loss, model.trainable_variables)
print(loss, g[0], g[1])
tau = 0.05
for tv, v in zip(model_target.weights, model.weights):
    tv.assign(tau * v + (1 - tau) * tv)
print(model_target.get_weights()[1], [float(tf.reduce_sum(w)) for w in model_target.weights])
a_next = tf.argmax(model(s2), axis=1, output_type=tf.int32)
dd = tf.gather(model_target(s2), a_next, axis=1, batch_dims=1)
print(dd)
