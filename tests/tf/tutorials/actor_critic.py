"""Actor and critic with tensor arrays; policy gradients."""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(0)
eps = np.finfo(np.float32).eps.item()


def init(shape, dtype=None):
    n = int(np.prod(shape))
    return tf.reshape(tf.sin(tf.range(n, dtype=tf.float32)), shape) * 0.3


class ActorCritic(tf.keras.Model):
    def __init__(self, num_actions: int, num_hidden_units: int):
        super().__init__()
        self.common = tf.keras.layers.Dense(
            num_hidden_units, activation="relu", kernel_initializer=init
        )
        self.actor = tf.keras.layers.Dense(num_actions, kernel_initializer=init)
        self.critic = tf.keras.layers.Dense(1, kernel_initializer=init)

    def call(self, inputs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        x = self.common(inputs)
        return self.actor(x), self.critic(x)


model = ActorCritic(2, 8)


def env_step(state, action):
    s = np.asarray(state) * 0.9 + np.array([0.1, -0.2, 0.05, 0.02]) * (1 if action else -1)
    return s.astype(np.float32), np.array(1, np.int32), np.array(abs(s[0]) > 2, np.int32)


@tf.numpy_function(Tout=[tf.float32, tf.int32, tf.int32])
def env_step2(action):
    return env_step(np.ones(4), action)


def tf_env_step(state, action):
    return tf.numpy_function(env_step, [state, action], [tf.float32, tf.int32, tf.int32])


def run_episode(initial_state, model, max_steps):
    action_probs = tf.TensorArray(dtype=tf.float32, size=0, dynamic_size=True)
    values = tf.TensorArray(dtype=tf.float32, size=0, dynamic_size=True)
    rewards = tf.TensorArray(dtype=tf.int32, size=0, dynamic_size=True)
    initial_state_shape = initial_state.shape
    state = initial_state
    for t in tf.range(max_steps):
        state = tf.expand_dims(state, 0)
        action_logits_t, value = model(state)
        action = tf.argmax(action_logits_t, axis=1)[0]
        action_probs_t = tf.nn.softmax(action_logits_t)
        values = values.write(t, tf.squeeze(value))
        action_probs = action_probs.write(t, action_probs_t[0, action])
        state, reward, done = tf_env_step(tf.squeeze(state, 0), action)
        state.set_shape(initial_state_shape)
        rewards = rewards.write(t, reward)
        if tf.cast(done, tf.bool):
            break
    action_probs = action_probs.stack()
    values = values.stack()
    rewards = rewards.stack()
    return action_probs, values, rewards


def get_expected_return(rewards, gamma, standardize=True):
    n = tf.shape(rewards)[0]
    returns = tf.TensorArray(dtype=tf.float32, size=n)
    rewards = tf.cast(rewards[::-1], dtype=tf.float32)
    discounted_sum = tf.constant(0.0)
    discounted_sum_shape = discounted_sum.shape
    for i in tf.range(n):
        reward = rewards[i]
        discounted_sum = reward + gamma * discounted_sum
        discounted_sum.set_shape(discounted_sum_shape)
        returns = returns.write(i, discounted_sum)
    returns = returns.stack()[::-1]
    if standardize:
        returns = (returns - tf.math.reduce_mean(returns)) / (tf.math.reduce_std(returns) + eps)
    return returns


huber_loss = (
    tf.keras.losses.Huber(reduction=tf.keras.losses.Reduction.SUM)
    if hasattr(tf.keras.losses, "Reduction")
    else tf.keras.losses.Huber(reduction="sum")
)


def compute_loss(action_probs, values, returns):
    advantage = returns - values
    action_log_probs = tf.math.log(action_probs)
    actor_loss = -tf.math.reduce_sum(action_log_probs * advantage)
    critic_loss = huber_loss(values, returns)
    return actor_loss + critic_loss


optimizer = tf.keras.optimizers.Adam(learning_rate=0.01)


def train_step(initial_state, model, optimizer, gamma, max_steps):
    with tf.GradientTape() as tape:
        action_probs, values, rewards = run_episode(initial_state, model, max_steps)
        returns = get_expected_return(rewards, gamma)
        action_probs, values, returns = [
            tf.expand_dims(x, 1) for x in [action_probs, values, returns]
        ]
        loss = compute_loss(action_probs, values, returns)
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    episode_reward = tf.math.reduce_sum(rewards)
    return episode_reward, loss, grads


s0 = tf.constant([0.1, -0.3, 0.2, 0.05], dtype=tf.float32)
for _i in range(3):
    r, l, gs = train_step(s0, model, optimizer, 0.99, 6)
    print(r, l)
for g in gs:
    print(g)
logits_net = tf.keras.Sequential(
    [tf.keras.Input((4,)), tf.keras.layers.Dense(3, kernel_initializer=init)]
)
states = tf.constant(rng.standard_normal((5, 4)), tf.float32)
actions = tf.constant([0, 2, 1, 1, 0])
G = tf.constant([1.0, 0.5, -0.2, 0.3, 2.0])
with tf.GradientTape() as tape:
    logits = logits_net(states)
    neg_log_prob = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=actions, logits=logits)
    loss = tf.reduce_mean(neg_log_prob * G)
    probs = tf.nn.softmax(logits)
    entropy = -tf.reduce_mean(tf.reduce_sum(probs * tf.math.log(probs + 1e-10), axis=1))
    total = loss - 0.01 * entropy
print(total, tape.gradient(total, logits_net.trainable_variables))
with tf.GradientTape() as tape:
    lp = tf.nn.log_softmax(logits_net(states))
    idx = tf.stack([tf.range(5), actions], axis=1)
    new = tf.gather_nd(lp, idx)
    old = tf.stop_gradient(new) + 0.1
    ratio = tf.exp(new - old)
    adv = G
    clipped = tf.where(adv > 0, 1.2 * adv, 0.8 * adv)
    pl = -tf.reduce_mean(tf.minimum(ratio * adv, clipped))
    pl2 = -tf.reduce_mean(tf.minimum(ratio * adv, tf.clip_by_value(ratio, 0.95, 1.05) * adv))
print(pl, pl2, tape.gradient(pl2, logits_net.trainable_weights))
