"""Translation with attention, generation of text by a subclassed model, and masks."""

import numpy as np
import tensorflow as tf

draw = np.random.RandomState(0)
UNITS = 4


def set_weights(model):
    model.set_weights([0.5 * draw.randn(*w.shape) for w in model.get_weights()])


class Encoder(tf.keras.layers.Layer):
    def __init__(self, vocab_size, units):
        super().__init__()
        self.embedding = tf.keras.layers.Embedding(vocab_size, units, mask_zero=True)
        self.rnn = tf.keras.layers.Bidirectional(
            merge_mode="sum",
            layer=tf.keras.layers.GRU(units, return_sequences=True,
                                      recurrent_initializer="glorot_uniform"))  # fmt: skip

    def call(self, x):
        x = self.embedding(x)
        return self.rnn(x)


class CrossAttention(tf.keras.layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__()
        self.mha = tf.keras.layers.MultiHeadAttention(key_dim=units, num_heads=1, **kwargs)
        self.layernorm = tf.keras.layers.LayerNormalization()
        self.add = tf.keras.layers.Add()

    def call(self, x, context):
        attn_output, attn_scores = self.mha(query=x, value=context, return_attention_scores=True)
        attn_scores = tf.reduce_mean(attn_scores, axis=1)
        self.last_attention_weights = attn_scores
        x = self.add([x, attn_output])
        return self.layernorm(x)


class Decoder(tf.keras.layers.Layer):
    def __init__(self, vocab_size, units):
        super().__init__()
        self.units = units
        self.embedding = tf.keras.layers.Embedding(vocab_size, units, mask_zero=True)
        self.rnn = tf.keras.layers.GRU(units, return_sequences=True, return_state=True,
                                       recurrent_initializer="glorot_uniform")  # fmt: skip
        self.attention = CrossAttention(units)
        self.output_layer = tf.keras.layers.Dense(vocab_size)

    def call(self, context, x, state=None, return_state=False):
        x = self.embedding(x)
        x, state = self.rnn(x, initial_state=state)
        x = self.attention(x, context)
        logits = self.output_layer(x)
        if return_state:
            return logits, state
        return logits


class Translator(tf.keras.Model):
    def __init__(self, units, vocab):
        super().__init__()
        self.encoder = Encoder(vocab, units)
        self.decoder = Decoder(vocab, units)

    def call(self, inputs):
        context, x = inputs
        context = self.encoder(context)
        logits = self.decoder(context, x)
        try:
            del logits._keras_mask
        except AttributeError:
            pass
        return logits


def masked_loss(y_true, y_pred):
    loss_fn = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="none")
    loss = loss_fn(y_true, y_pred)
    mask = tf.cast(y_true != 0, loss.dtype)
    loss *= mask
    return tf.reduce_sum(loss) / tf.reduce_sum(mask)


def masked_acc(y_true, y_pred):
    y_pred = tf.argmax(y_pred, axis=-1)
    y_pred = tf.cast(y_pred, y_true.dtype)
    match = tf.cast(y_true == y_pred, tf.float32)
    mask = tf.cast(y_true != 0, tf.float32)
    return tf.reduce_sum(match) / tf.reduce_sum(mask)


context = tf.constant([[2, 5, 6, 3, 0], [2, 4, 3, 0, 0], [2, 7, 7, 5, 3]], tf.int64)
target_in = tf.constant([[2, 3, 4, 0], [2, 6, 0, 0], [2, 5, 5, 4]], tf.int64)
target_out = tf.constant([[3, 4, 7, 0], [6, 7, 0, 0], [5, 5, 4, 7]], tf.int64)
model = Translator(UNITS, 8)
_ = model((context, target_in))
set_weights(model)
print([v.shape for v in model.trainable_variables])
optimizer = tf.keras.optimizers.SGD(0.5)
for _ in range(3):
    with tf.GradientTape() as tape:
        logits = model((context, target_in), training=True)
        loss = masked_loss(target_out, logits)
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    print(loss.numpy(), masked_acc(target_out, logits).numpy())
# the gradient of a key's offset is 0 but for rounding
print([round(float(tf.norm(g)), 6) for g in grads[2:]])
print(tf.reduce_sum(tf.convert_to_tensor(grads[0])))
print(model.decoder.attention.last_attention_weights[0])
model.compile(optimizer="sgd", loss=masked_loss, metrics=[masked_acc, masked_loss])
print(model.evaluate((context, target_in), target_out, verbose=0, return_dict=True))
h = model.fit((context, target_in), target_out, epochs=2, verbose=0, shuffle=False, batch_size=3)
print(h.history)

# greedy decoding
state, next_token, done = None, tf.constant([[2], [2], [2]], tf.int64), tf.zeros([3, 1], tf.bool)
ctx = model.encoder(context)
tokens = []
for _ in range(4):
    logits, state = model.decoder(ctx, next_token, state=state, return_state=True)
    next_token = tf.argmax(logits, axis=-1)
    done = done | (next_token == 3)
    next_token = tf.where(done, tf.constant(0, dtype=tf.int64), next_token)
    tokens.append(next_token)
    if tf.reduce_all(done):
        break
print(tf.concat(tokens, axis=-1))
