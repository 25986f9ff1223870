"""Recurrent layers against loops of NumPy, and their gradients against differences."""

import numpy as np
import pytest
from tf.differences import assert_same

from tapemagic import tf

layers = tf.keras.layers
RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 3, 2))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def simple(x, h, w, u, b):
    return [np.tanh(x @ w + h[0] @ u + b)]


def gru(x, h, w, u, b):
    (wz, wr, wn), (uz, ur, un) = np.split(w, 3, 1), np.split(u, 3, 1)
    (bz, br, bn), (cz, cr, cn) = np.split(b[0], 3), np.split(b[1], 3)
    z, r = sigmoid(x @ wz + bz + h[0] @ uz + cz), sigmoid(x @ wr + br + h[0] @ ur + cr)
    return [z * h[0] + (1 - z) * np.tanh(x @ wn + bn + r * (h[0] @ un + cn))]


def gru_before(x, h, w, u, b):
    (wz, wr, wn), (uz, ur, un) = np.split(w, 3, 1), np.split(u, 3, 1)
    bz, br, bn = np.split(b, 3)
    z, r = sigmoid(x @ wz + bz + h[0] @ uz), sigmoid(x @ wr + br + h[0] @ ur)
    return [z * h[0] + (1 - z) * np.tanh(x @ wn + bn + (r * h[0]) @ un)]


def lstm(x, h, w, u, b):
    i, f, g, o = np.split(x @ w + h[0] @ u + b, 4, axis=1)
    memory = sigmoid(f) * h[1] + sigmoid(i) * np.tanh(g)
    return [sigmoid(o) * np.tanh(memory), memory]


#: Layer, its options, a step in NumPy, the number of parts of its kernels, the shape of the bias.
KINDS = {
    "SimpleRNN": ("SimpleRNN", {}, simple, 1, (2,)),
    "GRU": ("GRU", {}, gru, 3, (2, 6)),
    "GRU, reset before": ("GRU", {"reset_after": False}, gru_before, 3, (6,)),
    "LSTM": ("LSTM", {}, lstm, 4, (8,)),
}


def by_hand(step, x, weights, backwards=False):
    states = [np.zeros((len(x), 2))] * 2
    results = []
    for t in range(x.shape[1])[:: -1 if backwards else 1]:
        states = step(x[:, t], states, *weights)
        results.append(states[0])
    return np.stack(results, 1), states


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("backwards", [False, True])
def test_a_layer(kind, backwards):
    name, options, step, parts, bias = KINDS[kind]
    layer = getattr(layers, name)(
        2, return_sequences=True, go_backwards=backwards, dtype="float64", **options
    )
    layer.build((2, 3, 2))

    def call(x, kernel, recurrent_kernel, bias):
        cell = layer.cell
        cell.kernel, cell.recurrent_kernel, cell.bias = kernel, recurrent_kernel, bias
        return layer(x)

    weights = [RNG.normal(size=shape) for shape in ((2, 2 * parts), (2, 2 * parts), bias)]
    assert_same(call, lambda x, *weights: by_hand(step, x, weights, backwards)[0], X, *weights)


@pytest.mark.parametrize("kind", ["SimpleRNN", "GRU", "LSTM"])
def test_states(kind):
    layer = getattr(layers, kind)(2, return_state=True)
    y, *states = layer(X)
    weights = layer.get_weights()
    results, expected = by_hand(KINDS[kind][2], X, weights)
    assert np.allclose(y, results[:, -1], atol=1e-5)
    assert len(states) == len(expected) == (2 if kind == "LSTM" else 1)
    for found, wanted in zip(states, expected, strict=True):
        assert np.allclose(found, wanted, atol=1e-5)
    _, *states = layer(X[:, :1])
    assert np.allclose(layer(X[:, 1:], initial_state=states)[0], y, atol=1e-6)
    # what a stateful layer has left is where it goes on
    layer = getattr(layers, kind)(2, stateful=True)
    layer.build((2, 1, 2))
    layer.set_weights(weights)
    for t in range(3):
        y = layer(X[:, t : t + 1])
    assert np.allclose(y, results[:, -1], atol=1e-5)
    layer.reset_state()
    assert np.allclose(layer(X[:, :1]), results[:, 0], atol=1e-5)


def test_cells():
    cell = layers.GRUCell(2)
    y, state = cell(X[:, 0], cell.get_initial_state(2))
    assert np.allclose(y, by_hand(gru, X[:, :1], cell.get_weights())[0][:, 0], atol=1e-6)
    assert isinstance(state, list)
    stacked = layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)], return_state=True)
    y, *states = stacked(X)
    assert [s.shape for s in states] == [(2, 3), (2, 3), (2, 2)]
    inner = layers.RNN(stacked.cell.cells[0], return_sequences=True)
    outer = layers.RNN(stacked.cell.cells[1])
    assert np.allclose(outer(inner(X)), y, atol=1e-6)


def test_a_cell_of_ones_own():
    class Sum(layers.Layer):
        state_size = 2

        def call(self, inputs, states):
            state = states[0] + inputs
            return state, [state]

    class Bare(Sum):
        def call(self, inputs, states):
            state, (following,) = super().call(inputs, states)
            return state, following

    start = np.arange(2 * len(X), dtype="f").reshape(-1, 2)
    for cell in (Sum(), Bare()):
        assert np.allclose(layers.RNN(cell)(X), X.sum(1), atol=1e-6)
        found = layers.RNN(cell)(X, initial_state=tf.constant(start))
        assert np.allclose(found, X.sum(1) + start, atol=1e-5)


def test_first_weights():
    layer = layers.LSTM(3)
    layer.build((None, None, 2))
    assert layer.weights[0].path.endswith("/lstm_cell/kernel")
    assert layer.cell.bias.numpy().tolist() == [0] * 3 + [1] * 3 + [0] * 6
    u = layer.cell.recurrent_kernel.numpy()
    assert np.allclose(u @ u.T, np.eye(3), atol=1e-5)  # the rows are orthogonal


@pytest.mark.parametrize("mode", ["concat", "sum", "mul", "ave", None])
def test_both_directions(mode):
    layer = layers.Bidirectional(layers.GRU(2, return_sequences=True), merge_mode=mode)
    y = layer(X)
    forward, backward = layer.forward_layer, layer.backward_layer
    a = by_hand(gru, X, forward.get_weights())[0]
    b = by_hand(gru, X, backward.get_weights(), backwards=True)[0][:, ::-1]
    expected = {
        "concat": np.concatenate([a, b], -1), "sum": a + b, "mul": a * b, "ave": (a + b) / 2,
        None: (a, b),
    }[mode]  # fmt: skip
    assert np.allclose(y, expected, atol=1e-5)
    assert forward.name.startswith("forward_gru")
    assert len(layer.trainable_variables) == 6


def test_states_of_both_directions():
    layer = layers.Bidirectional(layers.LSTM(2, return_state=True))
    y, *states = layer(X)
    assert (y.shape, len(states)) == ((2, 4), 4)
    assert layer(X, initial_state=states)[0].shape == (2, 4)


def test_a_layer_for_each_step():
    layer = layers.TimeDistributed(layers.Dense(2))
    y = layer(X)
    kernel, bias = layer.get_weights()
    assert np.allclose(y, X @ kernel + bias, atol=1e-6)


def test_what_is_refused():
    with pytest.raises(ValueError, match="Dropout in front"):
        layers.LSTM(2, dropout=0.5)
    with pytest.raises(ValueError, match="merge_mode"):
        layers.Bidirectional(layers.GRU(2), merge_mode="other")
