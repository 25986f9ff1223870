"""Masks of series: gradients against differences, and what layers do that regard none.

What layers and losses make of masks is held against TensorFlow 2.21 by trainings.py.
"""

import numpy as np
import pytest
from tf.trainings import IDS, SERIES

from tapemagic import tf
from tapemagic.errors import TapeError, TapeUseError

layers = tf.keras.layers
DOUBLE = {"dtype": "float64"}


def embedded(**options):
    return layers.Embedding(5, 2, mask_zero=True, **options)(IDS)


@pytest.mark.parametrize(
    "make",
    [
        lambda: layers.SimpleRNN(2, return_sequences=True, **DOUBLE),
        lambda: layers.GRU(2, go_backwards=True, **DOUBLE),
        lambda: layers.LSTM(2, return_sequences=True, zero_output_for_mask=True, **DOUBLE),
        lambda: layers.Bidirectional(layers.LSTM(2, **DOUBLE), **DOUBLE),
        lambda: layers.GlobalAveragePooling1D(**DOUBLE),
    ],
)
def test_gradients(make):
    """By the series and all weights; what does not count has the gradient 0."""
    layer, masking = make(), layers.Masking(**DOUBLE)
    layer(masking(SERIES))
    start = SERIES.astype(float)
    sources = [tf.Variable(start), *layer.trainable_weights]

    def loss():
        return tf.reduce_sum(tf.sin(layer(masking(sources[0]))))

    with tf.GradientTape() as tape:
        y = loss()
    for v, gradient in zip(sources, tape.gradient(y, sources), strict=True):
        value, expected = v.numpy(), np.zeros(v.shape)
        for index in np.ndindex(expected.shape):
            if v is sources[0] and not start[index[:2]].any():
                continue  # a step that is moved away from zeros counts
            ends = []
            for sign in (1, -1):
                moved = value.copy()
                moved[index] += sign * 1e-6
                v.assign(moved)
                ends.append(float(loss()))
            v.assign(value)
            expected[index] = (ends[0] - ends[1]) / 2e-6
        assert np.allclose(gradient, expected, atol=1e-8), v.name


def test_gradient_of_a_loss():
    """A mean over the steps that count, as by hand."""
    x = tf.Variable(SERIES)
    y = np.ones((4, 3, 2), "f")
    with tf.GradientTape() as tape:
        loss = tf.keras.losses.MeanSquaredError()(y, layers.Masking()(x))
    counts = SERIES.any(axis=-1, keepdims=True)
    assert np.isclose(loss, np.mean((SERIES - 1) ** 2 * counts) * 12 / counts.sum())
    expected = (SERIES - 1) * counts / counts.sum()
    assert np.allclose(tape.gradient(loss, x), expected, rtol=1e-5)


def test_weights_of_series_with_masks():
    """One weight per series, where TensorFlow 2.21 raises."""
    y, said = np.ones((5, 3, 2), "f"), embedded()
    counts, weights = IDS > 0, np.arange(5.0)
    rows = np.mean((said.numpy() - 1) ** 2, axis=-1) * counts * weights[:, np.newaxis]
    loss = tf.keras.losses.MeanSquaredError()(y, said, weights)
    assert np.isclose(loss, rows.sum() / counts.sum())


def test_both_directions_are_zero_where_there_is_no_step():
    """Also of a layer for the way back that is given (Keras sets it in both)."""
    there, back = (layers.GRU(2, return_sequences=True, go_backwards=b) for b in (False, True))
    y = layers.Bidirectional(there, backward_layer=back)(embedded())
    assert not y.numpy()[IDS == 0].any()
    assert y.numpy()[IDS != 0].all()


def test_weights_with_more_axes_than_losses_are_refused():
    """Of a square they would be broadcast over each other."""
    y, said = np.zeros((3, 3), "f"), np.ones((3, 3), "f")
    loss = tf.keras.losses.MeanSquaredError()
    with pytest.raises(ValueError, match=r"shape \(3, 3\) for losses of shape \(3,\)"):
        loss(y, said, np.ones((3, 3)))
    assert loss(y, said, np.ones((3, 1))) == 1
    masked = layers.Lambda(lambda x: x[..., 0], mask=tf.ones((5, 3), tf.bool))(embedded())
    with pytest.raises(ValueError, match="or a mask, of shape"):
        loss(np.ones((5, 3), "f"), masked)


def test_where_masks_travel():
    x = embedded()
    assert np.array_equal(x._keras_mask, IDS > 0)
    assert np.array_equal(layers.Dense(2, dtype="float64")(x)._keras_mask, IDS > 0)  # cast
    assert not hasattr(tf.identity(x) * 2, "_keras_mask")  # a function of tf, as in Keras
    assert not hasattr(layers.Embedding(5, 2)(IDS), "_keras_mask")

    class Own(layers.Layer):
        supports_masking = True

        def call(self, x, mask=None):
            self.seen = mask
            return tf.reduce_sum(x, -1)

    class Other(Own):
        supports_masking = False

        def compute_mask(self, inputs, mask=None):
            return tf.logical_not(mask)

    own, other = Own(), Other()
    assert np.array_equal(own(x)._keras_mask, IDS > 0)
    assert np.array_equal(own.seen, IDS > 0)
    assert np.array_equal(own(x, mask=tf.constant(IDS > 1))._keras_mask, IDS > 1)
    assert np.array_equal(other(x)._keras_mask, IDS == 0)


@pytest.mark.parametrize("make", [lambda: layers.GRU(2), layers.GlobalAveragePooling1D])
def test_shapes_of_masks(make):
    """[batch, steps, 1] is [batch, steps]; others would be broadcast, and are refused."""
    layer, x = make(), tf.constant(SERIES)
    counts = SERIES.any(axis=-1)
    y = layer(x, mask=tf.constant(counts))
    assert np.array_equal(layer(x, mask=tf.constant(counts[..., np.newaxis])), y)
    for mask in (counts[:1], counts.T, counts[0], np.stack([counts] * 2, axis=-1)):
        with pytest.raises(ValueError, match="A mask of shape"):
            layer(x, mask=tf.constant(mask))


def test_layers_that_need_a_mask_are_connected():
    """In the trial that connects them they get one."""

    class Needing(layers.Layer):
        supports_masking = True

        def call(self, x, mask=None):
            counts = tf.cast(mask, "float32")
            return tf.reduce_sum(x[..., 0] * counts, axis=1) / tf.reduce_sum(counts, axis=1)

    inputs = tf.keras.Input((None,), dtype="int64")
    embedding = layers.Embedding(5, 2, mask_zero=True)
    model = tf.keras.Model(inputs, Needing()(layers.Dense(2)(embedding(inputs))))
    assert np.array_equal(model(IDS[:4]), Needing()(model.layers[2](embedding(IDS[:4]))))


@pytest.mark.parametrize("make", [lambda: layers.Reshape((6,)), layers.Flatten,
                                  lambda: layers.Conv1D(2, 1)])  # fmt: skip
def test_layers_that_drop_masks_say_so(make):
    with pytest.warns(UserWarning, match="drops the mask of its input"):
        y = make()(embedded())
    assert not hasattr(y, "_keras_mask")


@pytest.mark.parametrize(
    "use",
    [
        lambda x: layers.TimeDistributed(layers.GlobalAveragePooling1D())(attached(x)),
    ],
)
def test_layers_that_would_regard_masks_refuse_them(use):
    with pytest.raises(TapeUseError, match="regards no masks"):
        use(embedded())


def attached(x):
    """Return images of series, with a mask."""
    y = tf.stack([x, x], axis=1)
    y._keras_mask = tf.ones((5, 2, 3), tf.bool)
    return y


def test_programs_ask_which_steps_count():
    x = tf.constant(SERIES)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        loss = tf.reduce_sum(layers.GlobalAveragePooling1D()(layers.Masking()(x)) ** 2)
    program = tape.program(loss, x)
    doubled = SERIES * 2
    counts = SERIES.any(axis=-1, keepdims=True)
    expected = np.sum((doubled.sum(axis=1) / counts.sum(axis=1)) ** 2)
    assert np.isclose(program(x=doubled)[0], expected)
    with pytest.raises(TapeError):
        program(x=SERIES + 1)
