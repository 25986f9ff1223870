"""BYOL, Barlow twins, VICReg; CycleGAN."""

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


on, tg, pr = dense(4, "relu"), dense(4, "relu"), dense(4)
x1, x2 = tf.constant(normal(5, 3)), tf.constant(normal(5, 3) * 1.1)
on(x1)
tg(x1)
for a, b in zip(tg.weights, on.weights):
    a.assign(b)
with tf.GradientTape() as tape:
    p = tf.math.l2_normalize(pr(on(x1)), axis=1)
    z = tf.stop_gradient(tf.math.l2_normalize(tg(x2), axis=1))
    l = tf.reduce_mean(2 - 2 * tf.reduce_sum(p * z, 1))
print(l, tape.gradient(l, on.trainable_weights + pr.trainable_weights))
print(tape.gradient if False else "")
with tf.GradientTape() as tape:  # Barlow twins
    za, zb = on(x1), on(x2)
    n = lambda z: (z - tf.reduce_mean(z, 0)) / (tf.math.reduce_std(z, 0) + 1e-3)
    c = tf.matmul(n(za), n(zb), transpose_a=True) / 5.0
    off = tf.reduce_sum(tf.square(c)) - tf.reduce_sum(tf.square(tf.linalg.diag_part(c)))
    l = tf.reduce_sum(tf.square(1 - tf.linalg.diag_part(c))) + 0.005 * off
print(l, tape.gradient(l, on.trainable_weights)[0])
with tf.GradientTape() as tape:  # VICReg
    z = pr(on(x1))
    sd = tf.sqrt(tf.math.reduce_variance(z, 0) + 1e-4)
    zc = z - tf.reduce_mean(z, 0)
    cov = tf.transpose(zc) @ zc / 4.0
    l = (
        tf.reduce_mean(tf.nn.relu(1 - sd))
        + tf.reduce_sum(cov**2)
        - tf.reduce_sum(tf.linalg.diag_part(cov) ** 2)
    )
print(l, tape.gradient(l, pr.trainable_weights))
G, F, DX, DY = [
    tf.keras.Sequential(
        [
            tf.keras.layers.Input((4, 4, 1)),
            tf.keras.layers.Conv2D(
                2, 3, padding="same", activation="relu", kernel_initializer=init
            ),
            tf.keras.layers.Conv2D(1, 3, padding="same", kernel_initializer=init),
        ]
    )
    for _ in range(4)
]
rx, ry = tf.constant(normal(1, 4, 4, 1)), tf.constant(normal(1, 4, 4, 1) * 0.5 + 0.1)
lo = tf.keras.losses.BinaryCrossentropy(from_logits=True)
dl = lambda r, g: (lo(tf.ones_like(r), r) + lo(tf.zeros_like(g), g)) * 0.5
gl = lambda g: lo(tf.ones_like(g), g)
cyc = lambda a, b: 10 * tf.reduce_mean(tf.abs(a - b))
idl = lambda a, b: 5 * tf.reduce_mean(tf.abs(a - b))
opts = [tf.keras.optimizers.Adam(2e-4, beta_1=0.5) for _ in range(4)]


@tf.function
def step(rx, ry):
    with tf.GradientTape(persistent=True) as tape:
        fy = G(rx, training=True)
        cx = F(fy, training=True)
        fx = F(ry, training=True)
        cy = G(fx, training=True)
        sx, sy = F(rx), G(ry)
        tc = cyc(rx, cx) + cyc(ry, cy)
        tG = gl(DY(fy)) + tc + idl(ry, sy)
        tF = gl(DX(fx)) + tc + idl(rx, sx)
        lx, ly = dl(DX(rx), DX(fx)), dl(DY(ry), DY(fy))
    gs = [
        tape.gradient(l, m.trainable_variables) for l, m in ((tG, G), (tF, F), (lx, DX), (ly, DY))
    ]
    for o, g, m in zip(opts, gs, (G, F, DX, DY)):
        o.apply_gradients(zip(g, m.trainable_variables))
    return tG, tF, lx, ly, gs


for _ in range(2):
    r = step(rx, ry)
    print(*[float(q) for q in r[:4]])
print([tf.reduce_sum(tf.abs(q)).numpy() for g in r[4] for q in g])
