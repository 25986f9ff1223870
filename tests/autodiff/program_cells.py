"""Cells as people write them, for programs."""

import numpy as np

RNG = np.random.default_rng(7)
X = RNG.normal(size=(20, 5))
LABELS = RNG.integers(0, 3, 20)
IMAGE = RNG.normal(size=(12, 12))


def n(*shape):
    return RNG.normal(size=shape)


def mlp(w1, b1, w2, b2):
    h = np.tanh(X @ w1 + b1)
    return np.mean((h @ w2 + b2) ** 2)


def relu_network(w1, w2):
    h = np.maximum(X @ w1, 0)
    return np.sum(h @ w2)


def rnn(w, u):
    h = np.zeros(4)
    for x in X:
        h = np.tanh(h @ w + x @ u)
    return np.sum(h**2)


def logistic(w, b):
    p = 1 / (1 + np.exp(-(X @ w + b)))
    return -np.mean(np.log(p))


def softmax(w):
    scores = X @ w
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(20), LABELS]).mean()


def convolution(kernel):
    windows = np.lib.stride_tricks.sliding_window_view(IMAGE, (3, 3))
    return np.sum(np.einsum("ijkl,kl->ij", windows, kernel) ** 2)


def convolution_of_input(image, kernel):
    y = np.zeros((4, 4)) * image[0, 0]
    for i in range(3):
        for j in range(3):
            y += kernel[i, j] * image[i : i + 4, j : j + 4]
    return np.sum(y**2)


def fill_loop(x):
    out = x * 0
    out[0] = x[0] ** 2
    for i in range(1, len(x)):
        out[i] = 0.5 * out[i - 1] + x[i]
    return out.sum()


def write_through_view(x):
    z = x * 1.0
    z[:, 1] *= 3
    z.T[0] = x[:, 2] ** 2
    return np.sum(z**3)


def fancy(x):
    return np.sum(x[[0, 2, 2, 1]] * x[[1, 1, 0, 3]])


def embedding(table):
    return np.sum(np.tanh(table[LABELS]) ** 2)


def attention(q, k, v):
    scores = np.einsum("ik,jk->ij", q, k) / 2
    p = np.exp(scores - np.max(scores, 1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    return np.sum((p @ v) ** 2)


def solve(a, b):
    return np.sum(np.linalg.solve(a + 5 * np.eye(4), b) ** 2)


def determinant(a):
    _, value = np.linalg.slogdet(a @ a.T + np.eye(4))
    return value


def least_squares(w):
    gram = X.T @ X + np.exp(w[0]) * np.eye(5)
    return np.sum(np.linalg.inv(gram) @ w)


def leaky(x):
    return np.sum(np.where(x > 0, x, 0.1 * x) ** 2)


def two_conditions(x):
    return np.sum(np.where((x > -1) & ~(x > 1), x**2, 2 * np.abs(x)))


def huber(x):
    small = np.abs(x) < 1
    return np.sum(np.where(small, 0.5 * x**2, np.abs(x) - 0.5))


def masked(x):
    return np.sum(x[x > 0] ** 2)


def masked_write(x):
    z = x * 2
    z[z < 0] = 0.0
    return np.sum(z**2)


def cumulative(x):
    return np.sum(np.cumsum(x) * np.cumprod(1 + 0.1 * x))


def sorting(x):
    return np.sum(np.sort(x) * np.arange(6.0))


def ranked(x):
    return np.sum(x[np.argsort(x)] * np.arange(6.0))


def spread(x):
    return np.std(x) + np.var(x, ddof=1) + np.linalg.norm(x)


def extremes(x):
    return np.max(x) * np.min(x) + np.median(x) + np.percentile(x, 30)


def branch(x):
    if x.sum() > 0:
        return np.sum(x**2)
    return np.sum(-x)


def newton(a):
    x = a
    while abs(x * x - a) > 1e-9:
        x = (x + a / x) / 2
    return x


def joined(x, y):
    return np.sum(np.concatenate([x, y]) * np.stack([y, x]).ravel()[::-1])


def normalise(x):
    z = (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-5)
    return np.sum(z**3)


def differences(x):
    return np.sum(np.diff(x, axis=0) ** 2) + np.trapezoid(x[:, 0]) + np.clip(x, -0.5, 0.5).sum()


def complex_wave(x):
    return np.sum(np.abs(np.fft.fft(x * np.exp(1j * x))) ** 2)


def single(x):
    return np.sum(x.astype(np.float32) * np.float32(0.1))


def interpolated(x):
    return np.sum(np.interp(x, [-2.0, 0.0, 2.0], [0.0, 1.0, -1.0]) * x)


def pad_and_roll(x):
    return np.sum(np.pad(x, 1) * np.roll(np.pad(x, 1), 1, axis=0))


def new_axes(x, y):
    z = y * 0.0
    z[None] = y[None] * x
    return np.sum(z[None] ** 2 * x[None])


def columns(a, s):
    b = a * 1.0
    b[:, [0, 1, 0]] *= s
    return np.sum(b[:, [2, 1, 2]] * b[:, [0, 0, 1]])


def sections(x):
    return np.sum(np.multiply.reduceat(x, [0, 2, 3]) ** 2) + np.multiply.reduce(x[1:] + 1)


def chosen_numbers(x, s):
    z = x * 1.0
    np.add(s * 2, s, out=z, where=x > 0)
    return np.sum(z * x)


def broadcast_after_a_write(x):
    z = x * 1.0
    rows = np.broadcast_to(z[1:], (2, 2))
    z[0] = x[1] * 2
    z[1:] *= x[:2]
    return np.sum(rows * x[:2] * z[0])


def single_large(x):
    y = (x.astype(np.float32) * np.float32(1e4)) ** 2
    return np.mean(y / (1 + np.sqrt(y)))


def phase(s, x):
    z = 2.0 + 1j * s
    return np.angle(z) + np.sum(np.abs(z * x))


#: (cell, inputs)
CELLS = [
    (mlp, (n(5, 8), n(8), n(8, 2), n(2))),
    (relu_network, (n(5, 8), n(8, 2))),
    (rnn, (n(4, 4), n(5, 4))),
    (logistic, (n(5), np.float64(0.3))),
    (softmax, (n(5, 3),)),
    (convolution, (n(3, 3),)),
    (convolution_of_input, (n(6, 6), n(3, 3))),
    (fill_loop, (n(8),)),
    (write_through_view, (n(3, 3),)),
    (fancy, (n(4),)),
    (embedding, (n(3, 4),)),
    (attention, (n(5, 4), n(6, 4), n(6, 3))),
    (solve, (n(4, 4), n(4))),
    (determinant, (n(4, 4),)),
    (least_squares, (n(5),)),
    (leaky, (n(9),)),
    (two_conditions, (n(30),)),
    (huber, (n(30),)),
    (masked, (n(9),)),
    (masked_write, (n(9),)),
    (cumulative, (n(6),)),
    (sorting, (n(6),)),
    (ranked, (n(6),)),
    (spread, (n(6),)),
    (extremes, (n(7),)),
    (branch, (np.ones(3),)),
    (newton, (np.float64(2.0),)),
    (joined, (n(4), n(4))),
    (normalise, (n(6, 3),)),
    (differences, (n(5, 2),)),
    (complex_wave, (n(8),)),
    (single, (n(4),)),
    (interpolated, (n(6),)),
    (pad_and_roll, (n(3, 3),)),
    (new_axes, (n(3), n(2, 3))),
    (columns, (n(3, 3), np.float64(0.7))),
    (sections, (n(5),)),
    (chosen_numbers, (n(5), np.float64(0.4))),
    (broadcast_after_a_write, (n(3),)),
    (single_large, (n(50),)),
    (phase, (np.float64(0.9), n(3))),
]
