"""Functions of Keras: what they return, and gradients through them."""

import numpy as np
import tensorflow as tf

ops = tf.keras.ops
x = tf.constant([[1.0, -2.0], [3.0, 4.0]])
k = tf.constant([[1, 2], [3, 5]])
for y in (
    ops.mean(x),
    ops.relu(x),
    ops.softmax(x),
    ops.matmul(x, x),
    ops.shape(x),
    ops.norm(x),
    ops.concatenate([x, x], axis=0),
    ops.cast(x, "int32"),
    ops.expand_dims(x, 0).shape,
    ops.where(x > 0, x, 0),
    ops.arange(3),
    ops.one_hot(ops.array([0, 1]), 3),
    ops.fori_loop(0, 3, lambda i, a: a * 2, tf.constant(1.0)),
    ops.cond(True, lambda: 1, lambda: 2),
    ops.vectorized_map(lambda r: r * 2, x),
    ops.scatter_update(tf.zeros((3,)), [[1]], [5.0]),
    ops.slice(x, [0, 0], [1, 2]),
    ops.segment_sum(tf.ones(3), tf.constant([0, 0, 1])),
    ops.normalize(x),
    ops.sparse_categorical_crossentropy(tf.constant([0, 1]), ops.softmax(x)),
    ops.categorical_crossentropy(tf.eye(2), ops.softmax(x)),
    ops.binary_crossentropy(tf.ones((2,)), tf.constant([0.2, 0.3])),
    ops.conv(tf.ones((1, 4, 4, 1)), tf.ones((2, 2, 1, 1))).shape,
    ops.max_pool(tf.ones((1, 4, 4, 1)), 2).shape,
    ops.average_pool(tf.ones((1, 4, 4, 1)), 2).shape,
    ops.moveaxis(x, 0, 1),
    ops.squeeze(ops.ones((1, 2))),
    ops.sign(x),
    ops.logical_and(x > 0, x > 1),
    ops.any(x > 0),
    ops.all(x > 0),
    ops.count_nonzero(x),
    ops.diag(ops.ones(2)),
    ops.eye(2),
    ops.full((2,), 3.0),
    ops.rsqrt(ops.abs(x)),
    ops.erf(x),
    ops.log1p(ops.abs(x)),
    ops.floor(x),
    ops.round(x),
    ops.meshgrid(ops.arange(2), ops.arange(2)),
    ops.unstack(x),
    ops.log_softmax(x),
    ops.softplus(x),
    ops.elu(x),
    ops.leaky_relu(x),
    ops.tanh(x),
    ops.prod(x),
    ops.median(x),
    ops.outer(x[0], x[1]),
    ops.roll(x, 1),
    ops.flip(x),
    ops.is_tensor(x),
    ops.array([1.0, 2]),
    ops.array([1, 2]),
    ops.array(np.ones(2)),
    ops.full((2,), 3),
    ops.full_like(x, 2),
    ops.average(x, axis=0),
    ops.swapaxes(x, 0, 1),
    ops.diag(x),
    ops.trace(x),
    ops.tril(x),
    ops.median(x, axis=1),
    ops.vstack([x, x]),
    ops.isclose(x, x),
    ops.nan_to_num(x),
    ops.ravel(x),
    ops.take_along_axis(x, tf.constant([[0], [1]]), axis=1),
    ops.logaddexp(x, 0.0),
    ops.log2(ops.abs(x)),
    ops.log10(ops.abs(x)),
    ops.rot90(x),
    ops.ndim(x),
    ops.scatter([[0], [1]], [1.0, 2.0], (3,)),
    ops.normalize(x, axis=0),
    ops.scan(lambda c, y: (c + y, c * y), tf.constant(1.0), tf.constant([1.0, 2.0, 3.0])),
    ops.while_loop(lambda i: i < 5, lambda i: (i + 2,), (tf.constant(0),)),
    ops.map(lambda r: ops.sum(r), x),
    ops.moments(x, axes=[0]),
    ops.hard_sigmoid(x),
    ops.binary_crossentropy(tf.constant([1.0, 0.0]), tf.constant([0.5, -0.3]), from_logits=True),
    ops.sparse_categorical_crossentropy(tf.constant([0, 1]), x, from_logits=True),
    ops.categorical_crossentropy(tf.eye(2), x, from_logits=True),
    ops.max_pool(tf.reshape(tf.range(16.0), (1, 4, 4, 1)), 2),
    ops.average_pool(tf.reshape(tf.range(16.0), (1, 16, 1)), 2),
    ops.conv(
        tf.reshape(tf.range(16.0), (1, 4, 4, 1)), tf.ones((2, 2, 1, 1)), padding="same", strides=2
    ),
    ops.mean(k),
    ops.var(k),
    ops.std(k),
    ops.cumsum(x),
    ops.cumprod(x, axis=1),
    ops.flip(x, axis=1),
    ops.roll(x, 1, axis=1),
    ops.repeat(x, 2),
    ops.sum(k > 1),
    ops.max(k),
    ops.argsort(x),
    ops.argmin(x),
    ops.eye(2, 3),
    ops.linspace(0.0, 1.0),
    ops.size(x),
    ops.std(x, axis=0),
    ops.selu(x),
    ops.relu6(x),
    ops.log_sigmoid(x),
    ops.softsign(x),
    ops.gelu(x, approximate=False),
    ops.prod(x, axis=0),
    ops.min(x, axis=1, keepdims=True),
    ops.norm(x, axis=1),
    ops.floor_divide(x, 2.0),
    ops.mod(x, 2.0),
    ops.one_hot(ops.array([1, 0]), 2, axis=0),
    ops.in_top_k(ops.array([1, 0]), x, 1),
    ops.tile(x, 2),
    ops.expand_dims(x, -1).shape,
    ops.clip(x, -1, 1),
    ops.split(x, [1], axis=1),
    ops.concatenate([x, x]).shape,
    ops.take(x, 1),
    ops.take(x, ops.array([1, 0]), axis=0),
    ops.qr(x)[1].shape,
    ops.det(x),
    ops.inv(x),
    ops.solve(x, x),
    ops.unstack(x, axis=1),
    ops.transpose(x, (1, 0)),
    ops.broadcast_to(x[0], (2, 2)),
    ops.divide(x, 2),
    ops.divide_no_nan(x, 0.0),
    ops.any(x > 3, axis=0),
    ops.where(x > 0),
    ops.softmax(x, axis=0),
    ops.logsumexp(x),
    ops.top_k(x, 1)[1],
    ops.ones((2,), dtype="int32"),
    ops.arange(1, 2, 0.5),
    ops.arange(3.0),
):
    print(y)
print(ops.convert_to_numpy(x), ops.image.resize(tf.ones((2, 2, 1)), (4, 4)).shape)
v = tf.Variable([1.0, 2.0])
with tf.GradientTape() as tape:
    power = ops.fori_loop(0, 3, lambda i, a: a * v[0] + v[1], v[1])
    loss = ops.sum(ops.outer(v, v)) + ops.median(v) + power + ops.sum(ops.gelu(v))
print(loss, tape.gradient(loss, v))
inputs = tf.keras.Input((4, 3))
model = tf.keras.Model(inputs, ops.swapaxes(inputs, 1, 2) * 2.0)
print(model.output_shape, ops.shape(inputs), model(tf.ones((2, 4, 3))).shape)


class RandomZeros(tf.keras.layers.Layer):
    def __init__(self, rate, **kwargs):
        super().__init__(**kwargs)
        self.rate = rate
        self.seed_generator = tf.keras.random.SeedGenerator(1337)

    def call(self, inputs, training=None):
        if training:
            return tf.keras.random.dropout(inputs, rate=self.rate, seed=self.seed_generator)
        return inputs


layer = RandomZeros(0.5)
dropped = np.unique(layer(tf.ones((50, 2)), training=True).numpy())
print(layer(x), dropped)
seeded = [tf.keras.random.normal((3,), seed=1) for _ in range(2)]
print(bool(ops.all(seeded[0] == seeded[1])), tf.keras.random.randint((2,), 0, 5).dtype)
for y in (
    ops.transpose(x, axes=(1, 0)),
    ops.one_hot(ops.array([0, 1]), num_classes=3),
    ops.clip(x, x_min=-1, x_max=2),
    ops.pad(x, pad_width=[[1, 0], [0, 0]]),
    ops.reshape(x=x, newshape=(4,)),
    ops.subtract(1.0, x2=x),
    ops.softmax(x=x, axis=0),
    ops.leaky_relu(x, negative_slope=0.5),
    ops.segment_sum(x, ops.array([1, 0]), num_segments=3),
    ops.segment_max(x, ops.array([1, 0])),
    tf.nn.embedding_lookup(params=x, ids=[1, 0]),
    tf.keras.activations.relu(x, negative_slope=0.1, max_value=2.0),
    tf.keras.activations.relu(x, threshold=1.5, negative_slope=0.5),
):
    print(y)
