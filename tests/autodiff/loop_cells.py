"""Cells with loops, as people write them, for programs."""

import numpy as np

RNG = np.random.default_rng(11)
SEQUENCE = RNG.normal(size=(12, 5))
ORDER = [3, 1, 4, 11, 5, 9, 2, 6, 8, 0, 7, 10]


def n(*shape):
    return RNG.normal(size=shape)


def recurrent(w, u):
    h = np.zeros(4)
    for x in SEQUENCE:
        h = np.tanh(h @ w + x @ u)
    return np.sum(h**2)


def lstm(w, u, b):
    h, c = np.zeros(3), np.zeros(3)
    for x in SEQUENCE:
        z = h @ w + x @ u + b
        i, f, o = (1 / (1 + np.exp(-z[k : k + 3])) for k in (0, 3, 6))
        c = f * c + i * np.tanh(z[9:])
        h = o * np.tanh(c)
    return np.sum(h**2)


def sum_of_elements(x):
    total = 0.0
    for i in range(len(x)):
        total = total + x[i] ** 2 * np.sin(x[i])
    return total


def gradient_descent(x):
    for k in range(10):
        g = 2 * x + np.cos(x)
        x = x - 0.1 / (k + 1) * g
    return np.sum(x**2)


def branches(x):
    total = 0.0
    for i in range(len(x)):
        if x[i] > 0:
            total = total + x[i] ** 2
            continue
        total = total - x[i]
    return total


def one_branch(x):
    total = 0.0
    for i in range(len(x)):
        if x[i] ** 2 >= 0:
            total = total + x[i] ** 2
    return total


def nested(a, x):
    y = x
    for i in range(6):
        s = y * 0
        for j in range(5):
            s = s + np.sin(a[i, j] * y)
        y = np.tanh(s)
    return np.sum(y)


def triangle(x):
    total = 0.0
    for i in range(8):
        for j in range(i):
            total = total + np.sin(x[i]) * x[j]
    return total


def verlet(x, v):
    old, new = x, x + 0.1 * v
    for _ in range(15):
        a = -np.sin(new)
        old, new = new, 2 * new - old + 0.01 * a
    return np.sum(new**2)


def leapfrog(x, v):
    path = []
    for _ in range(12):
        v = v - 0.05 * np.sin(x)
        x = x + 0.1 * v
        path.append(x)
    return np.sum(np.stack(path) ** 2)


def slow_newton(a):
    x = a
    while abs(x * x - a) > 1e-12:
        x = x - 0.2 * (x - a / x)
    return x


def horner(c, x):
    y = x * 0
    for k in range(len(c) - 1, -1, -1):
        y = y * x + c[k]
    return np.sum(y)


def filter_in_place(x):
    z = np.zeros(20) * x[0]
    z[0] = x[0]
    for i in range(1, 20):
        z[i] = 0.9 * z[i - 1] + x[i]
    return np.sum(z * z)


def running_mean(x):
    m, out = 0.0, []
    for k in range(15):
        m = m + (x[k] - m) / (k + 1)
        out.append(m)
    return np.sum(np.stack(out) ** 2)


def shuffled(x, y):
    total = 0.0
    for k in ORDER:
        total = total + np.exp(x[k]) * y[k]
    return total


def power_iteration(a):
    v = np.ones(4)
    for _ in range(12):
        v = a @ v
        v = v / np.sqrt(np.sum(v * v))
    return v @ a @ v


def heat(u):
    for _ in range(9):
        u = u + 0.1 * (np.roll(u, 1) - 2 * u + np.roll(u, -1))
    return np.sum(u**3)


def batches(w):
    loss = 0.0
    for start in range(0, 12, 2):
        x = SEQUENCE[start : start + 2]
        loss = loss + np.mean((x @ w) ** 2)
    return loss


def helper(x, k):
    return np.sin(x) * k + x


def calls_a_helper(x):
    for k in range(9):
        x = helper(x, k)
    return np.sum(x)


def two_loops(x):
    for _ in range(8):
        x = np.sin(x)
    y = x
    for _ in range(8):
        y = y * x + 0.5
    return np.sum(y)


def in_turn(x, w):
    total = 0.0
    for k in range(len(x)):
        total = total + w[k % 3] * x[k] ** 2
    return total


def filters_in_turn(x, w, v):
    for k in range(24):
        x = np.tanh(x * (w if k % 2 == 0 else v) + 0.1 * w[(k + 2) % 3])
    return np.sum(x)


def hidden_states(a, b, p):
    for o in ORDER:
        p = np.log(np.sum(np.exp(p[:, None] + a), axis=0)) + b[:, o % 4]
    return np.sum(p)


def soft_alignment(x, y):
    d = np.full((6, 6), 9.0) + 0 * x[0]
    d[0, 0] = 0.0
    for i in range(5):
        for j in range(5):
            before = np.exp(-d[i, j + 1]) + np.exp(-d[i + 1, j]) + np.exp(-d[i, j])
            d[i + 1, j + 1] = (x[i] - y[j]) ** 2 - np.log(before)
    return d[5, 5]


#: (cell, inputs)
LOOPS = [
    (recurrent, (n(4, 4), n(5, 4))),
    (lstm, (n(3, 12), n(5, 12), n(12))),
    (sum_of_elements, (n(30),)),
    (gradient_descent, (n(3),)),
    (branches, (n(20),)),
    (one_branch, (n(20),)),
    (nested, (n(6, 5), n(3))),
    (triangle, (n(8),)),
    (verlet, (n(3), n(3))),
    (leapfrog, (n(3), n(3))),
    (slow_newton, (np.float64(2.0),)),
    (horner, (n(9), n(4))),
    (filter_in_place, (n(20),)),
    (running_mean, (n(15),)),
    (shuffled, (n(12), n(12))),
    (power_iteration, (n(4, 4),)),
    (heat, (n(16),)),
    (batches, (n(5),)),
    (calls_a_helper, (n(3),)),
    (two_loops, (n(3),)),
    (in_turn, (n(12), n(3))),
    (filters_in_turn, (n(3), n(3), n(3))),
    (hidden_states, (n(3, 3), n(3, 4), n(3))),
    (soft_alignment, (n(5), n(5))),
]
