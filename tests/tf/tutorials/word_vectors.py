"""Word vectors: skip-grams, noise contrastive estimation and sampled softmax."""

import numpy as np
import tensorflow as tf

print(tf.keras.preprocessing.sequence.make_sampling_table(size=6))
print(
    sorted(
        tf.keras.preprocessing.sequence.skipgrams(
            [1, 2, 3, 0, 4], vocabulary_size=5, window_size=2, negative_samples=0
        )[0]
    )
)
print(
    len(
        tf.keras.preprocessing.sequence.skipgrams(
            [1, 2, 3, 4], vocabulary_size=5, window_size=1, negative_samples=1.0
        )[0]
    )
)
s = tf.random.log_uniform_candidate_sampler(
    true_classes=[[1], [2]], num_true=1, num_sampled=5, unique=True, range_max=5, seed=1
)
print(sorted(s[0].numpy().tolist()), s.true_expected_count.shape)
s = tf.random.log_uniform_candidate_sampler([[1], [2]], 1, 4, False, 9)
print(s.true_expected_count, s.sampled_candidates.dtype)
N = lambda *n: np.random.default_rng([3, *n]).standard_normal(n).astype("float32")
W, b, x = tf.Variable(N(7, 4)), tf.Variable(N(7)), tf.Variable(N(5, 4))
labels = np.array([[1], [2], [3], [4], [5]])
sv = (
    tf.constant([2, 3, 6], tf.int64),
    tf.constant([[0.5], [0.4], [0.3], [0.2], [0.1]]),
    tf.constant([0.3, 0.2, 0.1]),
)
for f, kw in (
    (tf.nn.nce_loss, {}),
    (tf.nn.nce_loss, dict(remove_accidental_hits=True)),
    (tf.nn.sampled_softmax_loss, {}),
    (tf.nn.sampled_softmax_loss, dict(remove_accidental_hits=False)),
):
    with tf.GradientTape() as tape:
        l = tf.reduce_mean(f(W, b, labels, x, 3, 7, sampled_values=sv, **kw))
    print(l, *[tf.convert_to_tensor(g) for g in tape.gradient(l, [W, b, x])])
sv2 = (
    tf.constant([2, 3, 6], tf.int64),
    tf.constant(np.full((5, 2), 0.4, np.float32)),
    tf.constant([0.3, 0.2, 0.1]),
)
with tf.GradientTape() as tape:
    l = tf.nn.nce_loss(
        W,
        b,
        np.array([[1, 2], [2, 3], [3, 4], [4, 5], [5, 6]]),
        x,
        3,
        7,
        num_true=2,
        sampled_values=sv2,
    )
print(l, tape.gradient(l, x))
