"""Siamese, triplet and contrastive losses."""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(0)
a = tf.Variable(rng.standard_normal((4, 3)).astype("float32"))
p = tf.Variable(rng.standard_normal((4, 3)).astype("float32"))
n = tf.Variable(rng.standard_normal((4, 3)).astype("float32"))


def run(f, *vs):
    with tf.GradientTape() as tape:
        l = f(*vs)
    print(l)
    print(*tape.gradient(l, list(vs)), sep="\n")


def triplet(a, p, n, alpha=0.2):
    pos = tf.reduce_sum(tf.square(tf.subtract(a, p)), axis=-1)
    neg = tf.reduce_sum(tf.square(tf.subtract(a, n)), axis=-1)
    return tf.reduce_sum(tf.maximum(tf.add(tf.subtract(pos, neg), alpha), 0.0))


run(triplet, a, p, n)
y = tf.constant([1.0, 0.0, 1.0, 0.0])


def contrastive(a, p, margin=1.0):
    d = tf.sqrt(tf.maximum(tf.reduce_sum(tf.square(a - p), axis=1), tf.keras.backend.epsilon()))
    return tf.reduce_mean(y * tf.square(d) + (1 - y) * tf.square(tf.maximum(margin - d, 0)))


run(contrastive, a, p)


def nt_xent(z1, z2, t=0.5):
    z = tf.math.l2_normalize(tf.concat([z1, z2], 0), axis=1)
    sim = tf.matmul(z, z, transpose_b=True) / t
    N = tf.shape(z1)[0]
    mask = tf.eye(2 * N) * 1e9
    labels = tf.concat([tf.range(N, 2 * N), tf.range(0, N)], 0)
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, sim - mask))


run(nt_xent, a, p)
run(lambda a, p: tf.reduce_mean(tf.keras.losses.cosine_similarity(a, p)), a, p)


def pairwise(x):
    r = tf.reduce_sum(x * x, 1, keepdims=True)
    d = r - 2 * tf.matmul(x, tf.transpose(x)) + tf.transpose(r)
    d = tf.maximum(d, 0.0)
    mask = tf.cast(tf.equal(d, 0.0), tf.float32)
    d = tf.sqrt(d + mask * 1e-16) * (1.0 - mask)
    return d


run(lambda a: tf.reduce_sum(pairwise(a)), a)
lab = tf.constant([0, 0, 1, 1])


def batch_hard(a):
    d = pairwise(a)
    adj = tf.equal(tf.expand_dims(lab, 0), tf.expand_dims(lab, 1))
    m = tf.cast(tf.logical_and(adj, tf.logical_not(tf.cast(tf.eye(4), tf.bool))), tf.float32)
    hp = tf.reduce_max(m * d, axis=1, keepdims=True)
    mx = tf.reduce_max(d, axis=1, keepdims=True)
    an = d + mx * (1.0 - tf.cast(tf.logical_not(adj), tf.float32))
    hn = tf.reduce_min(an, axis=1, keepdims=True)
    return tf.reduce_mean(tf.maximum(hp - hn + 0.5, 0.0))


run(batch_hard, a)


class DistanceLayer(tf.keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)

    def call(self, anchor, positive, negative):
        ap = tf.reduce_sum(tf.square(anchor - positive), -1)
        an = tf.reduce_sum(tf.square(anchor - negative), -1)
        return (ap, an)


print(DistanceLayer()(a, p, n))
i1 = tf.keras.Input((3,), name="anchor")
i2 = tf.keras.Input((3,), name="positive")
i3 = tf.keras.Input((3,))
emb = tf.keras.Sequential([tf.keras.layers.Dense(2, kernel_initializer="ones")])
out = DistanceLayer()(emb(i1), emb(i2), emb(i3))
siam = tf.keras.Model([i1, i2, i3], out)
with tf.GradientTape() as tape:
    ap, an = siam((a, p, n))
    loss = tf.maximum(ap - an + 0.5, 0.0)
print(tape.gradient(loss, siam.trainable_weights))
lam = tf.keras.layers.Lambda(lambda t: tf.abs(t[0] - t[1]))([i1, i2])
s2 = tf.keras.Model(
    [i1, i2], tf.keras.layers.Dense(1, activation="sigmoid", kernel_initializer="ones")(lam)
)
print(s2([a, p]))


def arc(x, w):
    x = tf.nn.l2_normalize(x, axis=1)
    w = tf.nn.l2_normalize(w, axis=0)
    c = tf.matmul(x, w)
    th = tf.acos(tf.clip_by_value(c, -1 + 1e-7, 1 - 1e-7))
    oh = tf.one_hot([0, 1, 2, 1], 3)
    lg = tf.where(oh == 1, tf.cos(th + 0.3), c) * 4
    return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=oh, logits=lg))


run(lambda a, p: arc(a, p[:3]), a, p)
cl = tf.Variable(rng.standard_normal((2, 3)).astype("float32"))
