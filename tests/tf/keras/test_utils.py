"""`tf.keras.utils`, `backend`, `ops` and first values of weights."""

import random

import numpy as np
import pytest

from tapemagic import tf

K = tf.keras


def test_utils():
    assert K.utils.to_categorical([[2], [0]]).tolist() == [[0, 0, 1], [1, 0, 0]]
    with pytest.raises(ValueError, match="not in"):
        K.utils.to_categorical([3], num_classes=2)
    assert np.allclose(K.utils.normalize([[3.0, 4.0], [0.0, 0.0]]), [[0.6, 0.8], [0, 0]])
    drawn = []
    for _ in range(2):
        K.utils.set_random_seed(3)
        drawn.append((random.random(), np.random.rand(), tf.random.normal([]).numpy()))
    assert drawn[0] == drawn[1]


def test_backend():
    assert (K.backend.epsilon(), K.backend.floatx()) == (1e-7, "float32")
    assert K.backend.int_shape(tf.zeros((2, 3))) == (2, 3)
    assert K.backend.image_data_format() == "channels_last"
    assert K.backend.clear_session() is None


def test_names_of_ops():
    x = tf.constant([[1.0, 2.0], [3.0, 5.0]])
    ops = K.ops
    assert np.array_equal(ops.concatenate([x, x], axis=-1), np.concatenate([x, x], axis=-1))
    assert (ops.argmax(x).numpy(), ops.argmin(x).numpy(), ops.sum(x).numpy()) == (3, 0, 11)
    assert ops.matmul(x, x).numpy().tolist() == (x.numpy() @ x.numpy()).tolist()
    assert ops.arange(3).numpy().tolist() == [0, 1, 2]
    assert ops.take(x, [3, 0]).numpy().tolist() == [5, 1]
    v = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        y = ops.power(v, 3) + ops.stop_gradient(v)
    assert tape.gradient(y, v).numpy() == 12


def test_first_values():
    for shape in ((4, 3), (3, 4), (2, 2, 3)):
        q = K.initializers.Orthogonal(gain=2.0, seed=1)(shape).numpy().reshape(-1, shape[-1])
        small = q.T @ q if q.shape[0] >= q.shape[1] else q @ q.T
        assert np.allclose(small, 4 * np.eye(len(small)), atol=1e-5)
    assert K.initializers.Identity(2.0)((2, 3)).numpy().tolist() == [[2, 0, 0], [0, 2, 0]]
    assert K.initializers.get("orthogonal")((2, 2)).dtype == tf.float32
    assert K.initializers.glorot_uniform is K.initializers.GlorotUniform


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("celu", lambda x: np.where(x > 0, x, np.expm1(x))),
        ("hard_sigmoid", lambda x: np.clip(x / 6 + 0.5, 0, 1)),
        ("hard_silu", lambda x: x * np.clip(x / 6 + 0.5, 0, 1)),
        ("mish", lambda x: x * np.tanh(np.log1p(np.exp(x)))),
        ("glu", lambda x: x[:2] / (1 + np.exp(-x[2:]))),
    ],
)
def test_other_activations(name, reference):
    x = np.array([-4.0, -0.5, 0.7, 4.0])
    assert np.allclose(K.activations.get(name)(x), reference(x))


def test_gradients_of_utils():
    """They flow through `normalize` of tensors, as in Keras; what gives plain arrays says so."""
    x = tf.Variable([[3.0, 4.0], [0.0, 0.0]])
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(K.utils.normalize(x)[:, 0])
    assert np.allclose(tape.gradient(y, x), [[16 / 125, -12 / 125], [1, 0]], rtol=1e-6)
    for rows in (lambda: [x[0], x[1]], lambda: [[x[0, 0]], [x[0, 1]]]):
        with tf.GradientTape() as tape:
            y = tf.reduce_sum(K.utils.pad_sequences(rows(), dtype="float32"))
        assert tape.gradient(y, x) is None
        assert "cut by pad_sequences" in tape.explain()


# written down from TensorFlow 2.21
@pytest.mark.parametrize(
    ("options", "rows"),
    [
        ({}, [[1, 2, 3], [0, 0, 4], [0, 0, 0], [0, 5, 6]]),
        ({"padding": "post"}, [[1, 2, 3], [4, 0, 0], [0, 0, 0], [5, 6, 0]]),
        ({"maxlen": 2}, [[2, 3], [0, 4], [0, 0], [5, 6]]),
        ({"maxlen": 2, "truncating": "post"}, [[1, 2], [0, 4], [0, 0], [5, 6]]),
        ({"maxlen": 4, "padding": "post", "value": -1, "dtype": "float32"},
         [[1, 2, 3, -1], [4, -1, -1, -1], [-1, -1, -1, -1], [5, 6, -1, -1]]),
    ],
)  # fmt: skip
def test_series_of_one_length(options, rows):
    found = K.utils.pad_sequences([[1, 2, 3], [4], [], [5, 6]], **options)
    assert found.tolist() == rows
    assert found.dtype == options.get("dtype", "int32")


def test_series_of_vectors_of_one_length():
    found = K.utils.pad_sequences([[[1, 2], [3, 4]], [[5, 6]], []])
    assert found.tolist() == [[[1, 2], [3, 4]], [[0, 0], [5, 6]], [[0, 0], [0, 0]]]
    with pytest.raises(ValueError, match="padding='left'"):
        K.utils.pad_sequences([[1]], padding="left")


@pytest.mark.parametrize("settings", [
    {}, {"sequence_stride": 2}, {"sampling_rate": 2}, {"start_index": 1, "end_index": 8},
])  # fmt: skip
def test_parts_of_a_series(settings):
    rows = np.arange(10)[settings.get("start_index") : settings.get("end_index")]
    rate, stride = settings.get("sampling_rate", 1), settings.get("sequence_stride", 1)
    starts = range(0, len(rows) - 2 * rate, stride)
    data = tf.keras.utils.timeseries_dataset_from_array(
        np.arange(10), np.arange(10) * 10, 3, batch_size=None, **settings
    )
    found = [(x.numpy().tolist(), int(y)) for x, y in data]
    assert found == [(rows[[s, s + rate, s + 2 * rate]].tolist(), rows[s] * 10) for s in starts]


def test_parts_of_a_series_shuffled_and_too_long():
    of_array = tf.keras.utils.timeseries_dataset_from_array
    (shuffled,) = of_array(np.arange(6), None, 2, shuffle=True, seed=1)
    assert sorted(shuffled.numpy().tolist()) == [[i, i + 1] for i in range(5)]
    with pytest.raises(ValueError, match="No part of 7 rows"):
        of_array(np.arange(6), None, 7)
