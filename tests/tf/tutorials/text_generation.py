"""Generation of text: a subclassed model with a state, and a `train_step` of its own."""

import numpy as np
import tensorflow as tf

draw = np.random.RandomState(0)


class MyModel(tf.keras.Model):
    def __init__(self, vocab_size, embedding_dim, rnn_units):
        super().__init__()
        self.embedding = tf.keras.layers.Embedding(vocab_size, embedding_dim)
        self.gru = tf.keras.layers.GRU(rnn_units, return_sequences=True, return_state=True)
        self.dense = tf.keras.layers.Dense(vocab_size)

    def call(self, inputs, states=None, return_state=False, training=False):
        x = inputs
        x = self.embedding(x, training=training)
        if states is None:
            states = self.gru.get_initial_state(tf.shape(x)[0])
        x, states = self.gru(x, initial_state=states, training=training)
        x = self.dense(x, training=training)
        if return_state:
            return x, states
        return x


text = np.array(
    [3, 1, 4, 1, 5, 2, 6, 5, 3, 5, 0, 2, 4, 6, 1, 3, 2, 2, 5, 6, 4, 4, 0, 1, 5, 3, 2, 1]
)
ids_dataset = tf.data.Dataset.from_tensor_slices(text)
sequences = ids_dataset.batch(5, drop_remainder=True)


def split_input_target(sequence):
    return sequence[:-1], sequence[1:]


dataset = sequences.map(split_input_target).batch(2, drop_remainder=True).prefetch(tf.data.AUTOTUNE)
for input_example, target_example in dataset.take(1):
    print("Input :", input_example)
    print("Target:", target_example)


class CustomTraining(MyModel):
    @tf.function
    def train_step(self, inputs):
        inputs, labels = inputs
        with tf.GradientTape() as tape:
            predictions = self(inputs, training=True)
            loss = self.loss(labels, predictions)
        grads = tape.gradient(loss, model.trainable_variables)
        self.optimizer.apply_gradients(zip(grads, model.trainable_variables))
        return {"loss": loss}


model = CustomTraining(vocab_size=7, embedding_dim=3, rnn_units=4)
_ = model(input_example)
model.set_weights([0.5 * draw.randn(*w.shape) for w in model.get_weights()])
model.compile(
    optimizer=tf.keras.optimizers.SGD(0.5),
    loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
mean = tf.keras.metrics.Mean()
for epoch in range(2):
    mean.reset_state()
    for batch_n, (inp, target) in enumerate(dataset):
        logs = model.train_step([inp, target])
        mean.update_state(logs["loss"])
    print(f"Epoch {epoch + 1} Loss: {mean.result().numpy():.4f}")
example_batch_loss = model.loss(target_example, model(input_example))
print(tf.exp(tf.reduce_mean(example_batch_loss)).numpy())

states, next_char = None, tf.constant([[3], [1]])
prediction_mask = tf.sparse.to_dense(
    tf.sparse.SparseTensor(values=[-float("inf")] * 1, indices=[[2]], dense_shape=[7])
)
result = [next_char]
for n in range(4):
    predicted_logits, states = model(inputs=next_char, states=states, return_state=True)
    predicted_logits = predicted_logits[:, -1, :] / 1.0
    predicted_logits = predicted_logits + prediction_mask
    next_char = tf.argmax(predicted_logits, axis=-1)[:, tf.newaxis]
    result.append(tf.cast(next_char, tf.int32))
print(tf.concat(result, axis=1))
