"""U-Net with losses of segmentation and of boxes; distillation."""

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


def block(x, n):
    x = tf.keras.layers.Conv2D(n, 3, padding="same", kernel_initializer=init)(x)
    x = tf.keras.layers.BatchNormalization()(x)
    return tf.keras.layers.Activation("relu")(x)


i = tf.keras.Input((8, 8, 1))
c1 = block(i, 2)
p1 = tf.keras.layers.MaxPooling2D((2, 2))(c1)
c2 = block(p1, 3)
u = tf.keras.layers.UpSampling2D((2, 2))(c2)
m = tf.keras.layers.concatenate([u, c1])
o = tf.keras.layers.Conv2D(1, 1, activation="sigmoid", kernel_initializer=init)(block(m, 2))
net = tf.keras.Model(i, o)
x = tf.constant(normal(2, 8, 8, 1))
y = tf.cast(x > 0.3, tf.float32)


def dice(t, p, s=1e-6):
    return 1 - tf.reduce_mean(
        (2 * tf.reduce_sum(t * p, [1, 2, 3]) + s)
        / (tf.reduce_sum(t, [1, 2, 3]) + tf.reduce_sum(p, [1, 2, 3]) + s)
    )


def focal(t, p, a=0.25, g=2.0):
    p = tf.clip_by_value(p, 1e-7, 1 - 1e-7)
    pt = tf.where(tf.equal(t, 1), p, 1 - p)
    al = tf.where(tf.equal(t, 1), a, 1 - a)
    return tf.reduce_mean(-al * tf.pow(1.0 - pt, g) * tf.math.log(pt))


def iou(t, p):
    i = tf.reduce_sum(t * p)
    return 1 - i / (tf.reduce_sum(t + p) - i)


for f in (
    dice,
    focal,
    iou,
    lambda t, p: tf.reduce_mean(tf.keras.losses.binary_crossentropy(t, p)),
    lambda t, p: 1 - tf.reduce_mean(tf.image.ssim(t, p, 1.0, filter_size=5)),
    lambda t, p: tf.reduce_mean(tf.abs(tf.image.sobel_edges(t) - tf.image.sobel_edges(p))),
):
    with tf.GradientTape() as tape:
        l = f(y, net(x, training=True))
    g = tape.gradient(l, net.trainable_variables)
    print(l, [tf.reduce_sum(tf.abs(a)).numpy() for a in g][::3])
b1 = tf.Variable([[0.0, 0.0, 2.0, 2.0], [1.0, 1.0, 3.0, 4.0]])
b2 = tf.constant([[1.0, 1.0, 3.0, 3.0], [1.0, 0.0, 2.0, 3.0]])


def giou(a, b):
    lt = tf.maximum(a[:, :2], b[:, :2])
    rb = tf.minimum(a[:, 2:], b[:, 2:])
    wh = tf.maximum(rb - lt, 0.0)
    inter = wh[:, 0] * wh[:, 1]
    area = lambda q: (q[:, 2] - q[:, 0]) * (q[:, 3] - q[:, 1])
    un = area(a) + area(b) - inter
    e = tf.maximum(a[:, 2:], b[:, 2:]) - tf.minimum(a[:, :2], b[:, :2])
    ec = e[:, 0] * e[:, 1]
    return tf.math.divide_no_nan(inter, un) - (ec - un) / ec


with tf.GradientTape() as tape:
    l = tf.reduce_sum(1 - giou(b1 + 0.1, b2))
print(l, tape.gradient(l, b1))
lam = tf.constant([0.3, 0.6])[:, None, None, None]
mx = lam * x + (1 - lam) * x[::-1]
print(tf.reduce_mean(mx), mx[0, 0, 0])
t = tf.constant(normal(4, 3))
st = tf.Variable(normal(4, 3) * 0.5)
T = 2.0
with tf.GradientTape() as tape:
    l = tf.reduce_mean(
        tf.keras.losses.KLDivergence()(tf.nn.softmax(t / T), tf.nn.softmax(st / T))
    ) * T**2 + tf.keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)(
        tf.one_hot([0, 1, 2, 0], 3), st
    )
print(l, tape.gradient(l, st))
