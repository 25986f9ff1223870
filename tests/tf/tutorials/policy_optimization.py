"""DDPG, SAC and PPO."""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(0)


def normal(*s):
    return np.random.default_rng([3, *s]).standard_normal(s).astype("float32")


def init(shape, dtype=None):
    n = int(np.prod(shape))
    return tf.reshape(tf.sin(tf.range(n, dtype=tf.float32) * 1.3), shape) * 0.4


def dense(n, a=None):
    return tf.keras.layers.Dense(n, activation=a, kernel_initializer=init)


s = tf.constant(normal(6, 3))
a = tf.constant(normal(6, 1))
r = tf.constant(normal(6))
s2 = tf.constant(normal(6, 3) * 0.5)
d = tf.constant([0.0, 0.0, 1.0, 0.0, 0.0, 1.0])
actor = tf.keras.Sequential([tf.keras.layers.Input((3,)), dense(8, "relu"), dense(1, "tanh")])
critic = tf.keras.Sequential([tf.keras.layers.Input((4,)), dense(8, "relu"), dense(1)])
ta = tf.keras.models.Sequential([tf.keras.layers.Input((3,)), dense(8, "relu"), dense(1, "tanh")])
tc = tf.keras.Sequential([tf.keras.layers.Input((4,)), dense(8, "relu"), dense(1)])
ta.set_weights(actor.get_weights())
tc.set_weights(critic.get_weights())
co, ao = tf.keras.optimizers.Adam(0.01), tf.keras.optimizers.Adam(0.005)


@tf.function
def update(s, a, r, s2, d):
    with tf.GradientTape() as tape:
        y = r[:, None] + 0.99 * (1 - d)[:, None] * tc(
            tf.concat([s2, ta(s2, training=True)], 1), training=True
        )
        cl = tf.math.reduce_mean(tf.math.square(y - critic(tf.concat([s, a], 1), training=True)))
    cg = tape.gradient(cl, critic.trainable_variables)
    co.apply_gradients(zip(cg, critic.trainable_variables))
    with tf.GradientTape() as tape:
        al = -tf.math.reduce_mean(critic(tf.concat([s, actor(s, training=True)], 1), training=True))
    ag = tape.gradient(al, actor.trainable_variables)
    ao.apply_gradients(zip(ag, actor.trainable_variables))
    for x, b in zip(tc.variables, critic.variables):
        x.assign(b * 0.005 + x * 0.995)
    return cl, al, ag


for _ in range(3):
    cl, al, ag = update(s, a, r, s2, d)
    print(cl, al)
print(ag[0], tc.get_weights()[1])
pol = tf.keras.Sequential([tf.keras.layers.Input((3,)), dense(6, "relu"), dense(2)])
eps = tf.constant(normal(6, 1) * 0.7)
la = tf.Variable(-1.0)
with tf.GradientTape(persistent=True) as tape:
    mu, ls = tf.split(pol(s), 2, axis=-1)
    ls = tf.clip_by_value(ls, -20.0, 2.0)
    sd = tf.exp(ls)
    u = mu + sd * eps
    act = tf.tanh(u)
    lp = -0.5 * ((u - mu) / sd) ** 2 - ls - 0.5 * np.log(2 * np.pi) - tf.math.log(1 - act**2 + 1e-6)
    q = tf.minimum(critic(tf.concat([s, act], -1)), tc(tf.concat([s, act], -1)))
    pl = tf.reduce_mean(tf.exp(la) * lp - q)
    tl = -tf.reduce_mean(la * tf.stop_gradient(lp - 1.0))
print(pl, tape.gradient(pl, pol.trainable_variables)[2], tl, tape.gradient(tl, la))
del tape
v = np.array([0.1, 0.2, 0.3, 0.1, 0.5, 0.2, 0.4], np.float32)
rew = r.numpy()
adv = np.zeros(6, np.float32)
g = 0.0
for t in reversed(range(6)):
    delta = rew[t] + 0.99 * v[t + 1] * (1 - d[t]) - v[t]
    g = delta + 0.99 * 0.95 * (1 - d[t]) * g
    adv[t] = g
print(adv)
pn = tf.keras.Sequential([tf.keras.layers.Input((3,)), dense(8, "tanh"), dense(4)])
acts = tf.constant([0, 1, 3, 2, 0, 1])
old = tf.constant(-np.abs(normal(6)))


def logp(lg, a):
    return tf.reduce_sum(tf.one_hot(a, 4) * tf.nn.log_softmax(lg), axis=1)


with tf.GradientTape() as tape:
    ratio = tf.exp(logp(pn(s), acts) - old)
    mn = tf.where(adv > 0, 1.2 * adv, 0.8 * adv)
    l = -tf.reduce_mean(tf.minimum(ratio * adv, mn))
    ent = -tf.reduce_mean(tf.reduce_sum(tf.nn.softmax(pn(s)) * tf.nn.log_softmax(pn(s)), -1))
    kl = tf.reduce_mean(old - logp(pn(s), acts))
