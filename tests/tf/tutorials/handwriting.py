"""Labels without places: a network that reads series, and losses of segmentations."""

import numpy as np
import tensorflow as tf

layers = tf.keras.layers
logits = tf.Variable(np.sin(np.arange(6 * 3 * 4.0)).reshape(6, 3, 4) * 2, dtype=tf.float32)
labels = tf.constant([[1, 2, 2], [2, 3, 0], [1, 1, 1]])
lengths, steps = tf.constant([3, 2, 1]), tf.constant([6, 4, 5])
with tf.GradientTape() as tape:
    loss = tf.nn.ctc_loss(labels, logits, lengths, steps, blank_index=0)
print(loss)
print(tape.gradient(loss, logits))
batch_major = tf.transpose(logits, [1, 0, 2])
print(
    tf.nn.ctc_loss(labels - 1, batch_major, lengths, steps, logits_time_major=False, blank_index=-1)
)
sparse = tf.SparseTensor([[0, 0], [0, 1], [1, 0], [2, 0]], [0, 1, 2, 2], [3, 2])
print(tf.nn.ctc_loss(sparse, logits, None, steps, blank_index=3))


class CTCLayer(layers.Layer):
    def __init__(self, name=None):
        super().__init__(name=name)
        self.loss_fn = tf.keras.backend.ctc_batch_cost

    def call(self, y_true, y_pred):
        batch_len = tf.cast(tf.shape(y_true)[0], dtype="int64")
        input_length = tf.cast(tf.shape(y_pred)[1], dtype="int64")
        label_length = tf.cast(tf.shape(y_true)[1], dtype="int64")
        input_length = input_length * tf.ones(shape=(batch_len, 1), dtype="int64")
        label_length = label_length * tf.ones(shape=(batch_len, 1), dtype="int64")
        loss = self.loss_fn(y_true, y_pred, input_length, label_length)
        self.add_loss(loss)
        return y_pred


image = np.cos(np.arange(2 * 5 * 3.0)).reshape(2, 5, 3).astype("float32")
dense = layers.Dense(4, activation="softmax", kernel_initializer="ones")
ctc = CTCLayer(name="ctc_loss")
dense.build((None, None, 3))
dense.kernel.assign(np.sin(np.arange(12.0)).reshape(3, 4))
optimizer = tf.keras.optimizers.Adam(0.1)
for _ in range(3):
    with tf.GradientTape() as tape:
        ctc(tf.constant([[0, 1], [2, 2]]), dense(image))
        loss = tf.reduce_mean(ctc.losses[0])
    optimizer.apply(tape.gradient(loss, dense.trainable_variables), dense.trainable_variables)
    print(loss)
print(dense.bias.numpy())

# ------------------------------------------------------------------------------------ segmentation

truth = (np.sin(np.arange(2 * 4 * 4.0)) > 0).astype("float32").reshape(2, 4, 4, 1)
mask = tf.Variable(np.cos(np.arange(2 * 4 * 4.0)).reshape(2, 4, 4, 1) * 0.5 + 0.5, dtype=tf.float32)
for loss_fn in (
    tf.keras.losses.Dice(),
    tf.keras.losses.Dice(axis=(1, 2, 3)),
    tf.keras.losses.Tversky(alpha=0.3, beta=0.7),
    tf.keras.losses.Tversky(axis=(1, 2, 3), reduction="sum"),
):
    with tf.GradientTape() as tape:
        loss = loss_fn(truth, mask)
    print(loss_fn.name, loss, tape.gradient(loss, mask)[0, 0, :, 0])

# ------------------------------------------------------------------------------- mixed data sets

datasets = [tf.data.Dataset.range(10 * i, 10 * i + 3) for i in range(3)]
choice = tf.data.Dataset.range(3).repeat(2)
print([int(x) for x in tf.data.Dataset.choose_from_datasets(datasets, choice)])
choice = tf.data.Dataset.from_tensor_slices(np.array([0, 0, 0, 0, 1], np.int64))
for stop in (True, False):
    mixed = tf.data.Dataset.choose_from_datasets(datasets, choice, stop_on_empty_dataset=stop)
    print([int(x) for x in mixed])
mixed = tf.data.Dataset.sample_from_datasets(datasets, weights=[0.0, 1.0, 0.0])
print([int(x) for x in mixed])
mixed = tf.data.Dataset.sample_from_datasets(datasets[:2], [0.5, 0.5], seed=1)
print(sorted(int(x) for x in mixed), len(list(mixed.repeat(2).take(9))))
