"""Attention over masked series: a transformer, and a translator with a recurrent encoder."""

import numpy as np
import tensorflow as tf

layers = tf.keras.layers


def fill(model):
    for j, v in enumerate(model.weights):
        n = int(np.prod(v.shape))
        start = 1.0 if "gamma" in v.name else 0.0
        v.assign(np.sin(np.arange(n) * 1.7 + j).reshape(v.shape) * 0.3 + start)


def positional_encoding(length, depth):
    depth = depth / 2
    positions = np.arange(length)[:, np.newaxis]
    depths = np.arange(depth)[np.newaxis, :] / depth
    angle_rads = positions / (10000**depths)
    pos_encoding = np.concatenate([np.sin(angle_rads), np.cos(angle_rads)], axis=-1)
    return tf.cast(pos_encoding, dtype=tf.float32)


class PositionalEmbedding(layers.Layer):
    def __init__(self, vocab_size, d_model):
        super().__init__()
        self.d_model = d_model
        self.embedding = layers.Embedding(vocab_size, d_model, mask_zero=True)
        self.pos_encoding = positional_encoding(length=20, depth=d_model)

    def compute_mask(self, *args, **kwargs):
        return self.embedding.compute_mask(*args, **kwargs)

    def call(self, x):
        length = tf.shape(x)[1]
        x = self.embedding(x)
        x *= tf.math.sqrt(tf.cast(self.d_model, tf.float32))
        return x + self.pos_encoding[tf.newaxis, :length, :]


class BaseAttention(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__()
        self.mha = layers.MultiHeadAttention(**kwargs)
        self.layernorm = layers.LayerNormalization()
        self.add = layers.Add()


class CrossAttention(BaseAttention):
    def call(self, x, context):
        attn_output, attn_scores = self.mha(
            query=x, key=context, value=context, return_attention_scores=True
        )
        self.last_attn_scores = attn_scores
        x = self.add([x, attn_output])
        return self.layernorm(x)


class GlobalSelfAttention(BaseAttention):
    def call(self, x):
        x = self.add([x, self.mha(query=x, value=x, key=x)])
        return self.layernorm(x)


class CausalSelfAttention(BaseAttention):
    def call(self, x):
        x = self.add([x, self.mha(query=x, value=x, key=x, use_causal_mask=True)])
        return self.layernorm(x)


class FeedForward(layers.Layer):
    def __init__(self, d_model, dff):
        super().__init__()
        self.seq = tf.keras.Sequential(
            [layers.Dense(dff, activation="relu"), layers.Dense(d_model), layers.Dropout(0.0)]
        )
        self.add = layers.Add()
        self.layer_norm = layers.LayerNormalization()

    def call(self, x):
        x = self.add([x, self.seq(x)])
        return self.layer_norm(x)


class Encoder(layers.Layer):
    def __init__(self, *, d_model, num_heads, dff, vocab_size):
        super().__init__()
        self.pos_embedding = PositionalEmbedding(vocab_size, d_model)
        self.attention = GlobalSelfAttention(num_heads=num_heads, key_dim=d_model)
        self.ffn = FeedForward(d_model, dff)

    def call(self, x):
        return self.ffn(self.attention(self.pos_embedding(x)))


class Decoder(layers.Layer):
    def __init__(self, *, d_model, num_heads, dff, vocab_size):
        super().__init__()
        self.pos_embedding = PositionalEmbedding(vocab_size, d_model)
        self.causal = CausalSelfAttention(num_heads=num_heads, key_dim=d_model)
        self.cross = CrossAttention(num_heads=num_heads, key_dim=d_model)
        self.ffn = FeedForward(d_model, dff)

    def call(self, x, context):
        x = self.causal(x=self.pos_embedding(x))
        return self.ffn(self.cross(x=x, context=context))


class Transformer(tf.keras.Model):
    def __init__(self, **sizes):
        super().__init__()
        self.encoder = Encoder(**sizes)
        self.decoder = Decoder(**sizes)
        self.final_layer = layers.Dense(sizes["vocab_size"])

    def call(self, inputs):
        context, x = inputs
        context = self.encoder(context)
        logits = self.final_layer(self.decoder(x, context))
        try:
            del logits._keras_mask
        except AttributeError:
            pass
        return logits


class CustomSchedule(tf.keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, d_model, warmup_steps=4):
        super().__init__()
        self.d_model = tf.cast(d_model, tf.float32)
        self.warmup_steps = warmup_steps

    def __call__(self, step):
        step = tf.cast(step, dtype=tf.float32)
        arg1 = tf.math.rsqrt(step)
        arg2 = step * (self.warmup_steps**-1.5)
        return tf.math.rsqrt(self.d_model) * tf.math.minimum(arg1, arg2)


def masked_loss(label, pred):
    mask = label != 0
    loss_object = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="none")
    loss = loss_object(label, pred)
    mask = tf.cast(mask, dtype=loss.dtype)
    loss *= mask
    return tf.reduce_sum(loss) / tf.reduce_sum(mask)


def masked_accuracy(label, pred):
    pred = tf.argmax(pred, axis=2)
    label = tf.cast(label, pred.dtype)
    mask = label != 0
    match = (label == pred) & mask
    match = tf.cast(match, dtype=tf.float32)
    mask = tf.cast(mask, dtype=tf.float32)
    return tf.reduce_sum(match) / tf.reduce_sum(mask)


transformer = Transformer(d_model=8, num_heads=2, dff=16, vocab_size=12)
pt = tf.constant([[2, 3, 4, 0], [5, 6, 0, 0]])
en = tf.constant([[1, 7, 8], [1, 9, 0]])
labels = tf.constant([[7, 8, 2], [9, 2, 0]])
transformer((pt, en))
fill(transformer)
with tf.GradientTape() as tape:
    logits = transformer((pt, en))
    loss = masked_loss(labels, logits)
print(loss, masked_accuracy(labels, logits))
for v, g in zip(
    transformer.trainable_variables, tape.gradient(loss, transformer.trainable_variables)
):
    print(v.name, v.shape, round(float(tf.norm(g)), 4))
print(transformer.decoder.cross.last_attn_scores.shape)
transformer.compile(
    loss=masked_loss,
    optimizer=tf.keras.optimizers.SGD(CustomSchedule(8), momentum=0.9),
    metrics=[masked_accuracy],
)
dataset = tf.data.Dataset.from_tensors(((pt, en), labels)).repeat(3)
print(transformer.fit(dataset, epochs=2, verbose=0).history)

# ------------------------------------------------------------------------- translation, recurrent


class RecurrentEncoder(layers.Layer):
    def __init__(self, vocab_size, units):
        super().__init__()
        self.embedding = layers.Embedding(vocab_size, units, mask_zero=True)
        self.rnn = layers.Bidirectional(
            merge_mode="sum", layer=layers.GRU(units, return_sequences=True)
        )

    def call(self, x):
        return self.rnn(self.embedding(x))


class AlignedAttention(layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__()
        self.mha = layers.MultiHeadAttention(key_dim=units, num_heads=1, **kwargs)
        self.layernorm = layers.LayerNormalization()
        self.add = layers.Add()

    def call(self, x, context):
        attn_output, attn_scores = self.mha(query=x, value=context, return_attention_scores=True)
        self.last_attention_weights = tf.reduce_mean(attn_scores, axis=1)
        return self.layernorm(self.add([x, attn_output]))


class Translator(tf.keras.Model):
    def __init__(self, units=5):
        super().__init__()
        self.encoder = RecurrentEncoder(9, units)
        self.embedding = layers.Embedding(8, units, mask_zero=True)
        self.rnn = layers.GRU(units, return_sequences=True, return_state=True)
        self.attention = AlignedAttention(units)
        self.output_layer = layers.Dense(8)

    def call(self, inputs):
        context, x = inputs
        x, self.state = self.rnn(self.embedding(x))
        return self.output_layer(self.attention(x, self.encoder(context)))


model = Translator()
context = tf.constant([[2, 3, 4, 0], [5, 6, 0, 0]])
target_in = tf.constant([[1, 7, 2], [1, 3, 0]])
target_out = tf.constant([[7, 2, 4], [3, 2, 0]])
model((context, target_in))
fill(model)
with tf.GradientTape() as tape:
    loss = masked_loss(target_out, model((context, target_in)))
print(loss, model.attention.last_attention_weights)
for v, g in zip(model.trainable_variables, tape.gradient(loss, model.trainable_variables)):
    print(v.name, round(float(tf.norm(g)), 4))
both = layers.Concatenate()([model.embedding(target_in), model.encoder.embedding(target_in)])
print(layers.LSTM(2, kernel_initializer="ones", recurrent_initializer="ones")(both))

# ------------------------------------------------- connected layers behind attention over a mask

series = np.sin(np.arange(24.0)).reshape(2, 3, 4).astype("float32")
series[:, 2] = 0
for end in (
    lambda before, after: layers.GlobalAveragePooling1D()(after),
    lambda before, after: layers.GlobalAveragePooling1D()(before),
    lambda before, after: layers.LSTM(2, kernel_initializer="ones")(after),
    lambda before, after: layers.MultiHeadAttention(1, 2, kernel_initializer="ones")(after, before),
    lambda before, after: layers.Attention()([after, before]),
    lambda before, after: layers.GlobalAveragePooling1D()(layers.Concatenate()([before, after])),
    lambda before, after: layers.Dense(2, kernel_initializer="ones")(after),
):
    inputs = tf.keras.Input((None, 4))
    before = layers.Masking()(inputs)
    attended = layers.MultiHeadAttention(2, 3, kernel_initializer="ones")(before, before)
    after = layers.LayerNormalization()(layers.Add()([before, attended]))
    model = tf.keras.Model(inputs, end(before, after))
    lstm = model.layers[-1]
    if isinstance(lstm, layers.LSTM):
        lstm.cell.recurrent_kernel.assign(tf.ones((2, 8)) * 0.1)
    y = model(series)
    model.compile("sgd", "mse")
    print(y, model.evaluate(series, np.ones(y.shape), verbose=0))
