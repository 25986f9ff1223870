"""The workloads: a forward program, and the same with its gradient written by hand.

A forward program takes the array module and the inputs, so that the same text runs on plain NumPy
under our tape and on the modules of peers. The hand-written side returns the gradients and is the
yardstick of every ratio.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Workload:
    """One row of the table.

    Attributes
    ----------
    name : str
    goal : float
        Ratio to the hand-written side that we aim at.
    inputs : callable
        Makes (sources, constants).
    forward : callable
        ``forward(np, *sources, *constants)`` gives a scalar.
    by_hand : callable
        ``by_hand(*sources, *constants)`` gives a list of gradients.
    peers : bool
        Whether peers that need their own module name can run `forward` as it is.
    derivative : {"gradient", "jacobian", "hessian", "hvp"}
        What is asked for; others than the gradient have one source, and an array as result
        (Jacobian) or the direction as last constant (Hessian-vector product).
    """

    name: str
    goal: float
    inputs: Callable[[], tuple[list, list]]
    forward: Callable[..., Any]
    by_hand: Callable[..., list]
    peers: bool = True
    derivative: str = "gradient"


WORKLOADS: list[Workload] = []


def workload(name: str, goal: float, inputs: Callable, by_hand: Callable, **more: Any) -> Callable:
    """Register a forward program (decorator)."""

    def register(forward: Callable) -> Callable:
        WORKLOADS.append(Workload(name, goal, inputs, forward, by_hand, **more))
        return forward

    return register


def _random(*shape: int, seed: int = 0, scale: float = 1.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape) * scale


# --------------------------------------------------------------------------- chains of small ops


def _chain_by_hand(x: Any, count: int) -> list:
    saved, y = [], x
    for _ in range(count // 2):
        saved.append(y)
        y = y * x
        y = y + 1.01
    ct = np.ones_like(x)
    total = np.zeros_like(x)
    for y in reversed(saved):
        total = total + ct * y
        ct = ct * x
    return [total + ct]


def _chain(np: Any, x: Any, count: int) -> Any:
    y = x
    for _ in range(count // 2):
        y = y * x
        y = y + 1.01
    return y


def _chain_3(np: Any, x: Any, count: int) -> Any:
    return np.sum(_chain(np, x, count))


workload("1,000 scalar operations", 8, lambda: ([np.float64(0.9)], [1000]), _chain_by_hand)(_chain)
workload(
    "1,000 operations on 3 elements", 2.5,
    lambda: ([np.array([0.9, 0.8, 0.7])], [1000]), _chain_by_hand,
)(_chain_3)  # fmt: skip
workload("chain of 10^4 operations", 8, lambda: ([np.float64(0.9)], [10**4]), _chain_by_hand)(
    _chain
)
workload(
    "chain of 10^6 operations", 8, lambda: ([np.float64(0.9)], [10**6]), _chain_by_hand, peers=False
)(_chain)


# -------------------------------------------------------------------------------------- networks


def _tutorial_by_hand(w: Any, b: Any, x: Any) -> list:
    y = x @ w + b
    np.mean(y**2)
    ct = 2 * y / y.size
    return [x.T @ ct, ct.sum(0)]


@workload(
    "tutorial example 2", 2.5,
    lambda: ([_random(3, 2), np.zeros(2)], [np.array([[-2.0, 1.0, 3.0]])]), _tutorial_by_hand,
)  # fmt: skip
def _tutorial(np: Any, w: Any, b: Any, x: Any) -> Any:
    y = x @ w + b
    return np.mean(y**2)


def _mlp_inputs(batch: int) -> Callable:
    def inputs() -> tuple[list, list]:
        sizes = [784, 256, 128, 10]
        parameters: list = []
        for i, (n, m) in enumerate(itertools.pairwise(sizes)):
            parameters += [_random(n, m, seed=i, scale=n**-0.5), np.zeros(m)]
        return parameters, [_random(batch, 784, seed=9), _random(batch, 10, seed=8)]

    return inputs


def _mlp_by_hand(
    w1: Any, b1: Any, w2: Any, b2: Any, w3: Any, b3: Any, x: Any, y: Any
) -> list:  # fmt: skip
    h1 = np.tanh(x @ w1 + b1)
    h2 = np.tanh(h1 @ w2 + b2)
    out = h2 @ w3 + b3
    difference = out - y
    np.mean(difference**2)
    ct = 2 * difference / out.size
    g3, gb3 = h2.T @ ct, ct.sum(0)
    ct = (ct @ w3.T) * (1 - h2 * h2)
    g2, gb2 = h1.T @ ct, ct.sum(0)
    ct = (ct @ w2.T) * (1 - h1 * h1)
    return [x.T @ ct, ct.sum(0), g2, gb2, g3, gb3]


def _mlp(
    np: Any, w1: Any, b1: Any, w2: Any, b2: Any, w3: Any, b3: Any, x: Any, y: Any
) -> Any:  # fmt: skip
    h1 = np.tanh(x @ w1 + b1)
    h2 = np.tanh(h1 @ w2 + b2)
    out = h2 @ w3 + b3
    return np.mean((out - y) ** 2)


workload("MLP 784-256-128-10, batch 32", 1.12, _mlp_inputs(32), _mlp_by_hand)(_mlp)
workload("MLP 784-256-128-10, batch 512", 1.05, _mlp_inputs(512), _mlp_by_hand)(_mlp)


def _rnn_inputs() -> tuple[list, list]:
    n = 32
    w, u = (_random(n, n, seed=seed, scale=n**-0.5) for seed in (1, 2))
    sources = [w, u, np.zeros(n)]
    return sources, [_random(200, n, seed=3)]


def _rnn_by_hand(w: Any, u: Any, b: Any, xs: Any) -> list:
    h = np.zeros(32)
    states = [h]
    for x in xs:
        h = np.tanh(h @ w + x @ u + b)
        states.append(h)
    np.mean(h**2)
    gw, gu, gb = np.zeros_like(w), np.zeros_like(u), np.zeros_like(b)
    ct = 2 * h / h.size
    for t in range(len(xs) - 1, -1, -1):
        pre = ct * (1 - states[t + 1] ** 2)
        gw += np.outer(states[t], pre)
        gu += np.outer(xs[t], pre)
        gb += pre
        ct = pre @ w.T
    return [gw, gu, gb]


@workload("RNN, 200 steps, hidden 32", 1.7, _rnn_inputs, _rnn_by_hand)
def _rnn(np: Any, w: Any, u: Any, b: Any, xs: Any) -> Any:
    h = np.zeros(32)
    for x in xs:
        h = np.tanh(h @ w + x @ u + b)
    return np.mean(h**2)


def _lstm_inputs() -> tuple[list, list]:
    n = 32
    sources = [_random(n, 4 * n, seed=1, scale=n**-0.5), _random(n, 4 * n, seed=2, scale=n**-0.5),
               np.zeros(4 * n)]  # fmt: skip
    return sources, [_random(200, n, seed=3)]


def _sigmoid(np: Any, x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def _lstm_by_hand(w: Any, u: Any, b: Any, xs: Any) -> list:
    n = 32
    h = c = np.zeros(n)
    saved = []
    for x in xs:
        z = h @ w + x @ u + b
        i, f, o = (_sigmoid(np, z[k * n : (k + 1) * n]) for k in range(3))
        g = np.tanh(z[3 * n :])
        before, h_before = c, h
        c = f * c + i * g
        tanh_c = np.tanh(c)
        h = o * tanh_c
        saved.append((h_before, before, i, f, o, g, tanh_c))
    np.mean(h**2)
    gw, gu, gb = np.zeros_like(w), np.zeros_like(u), np.zeros_like(b)
    ct_h, ct_c = 2 * h / h.size, np.zeros(n)
    ct = np.empty(4 * n)
    for t in range(len(xs) - 1, -1, -1):
        h_before, before, i, f, o, g, tanh_c = saved[t]
        ct_c = ct_c + ct_h * o * (1 - tanh_c**2)
        ct[:n] = ct_c * g * i * (1 - i)
        ct[n : 2 * n] = ct_c * before * f * (1 - f)
        ct[2 * n : 3 * n] = ct_h * tanh_c * o * (1 - o)
        ct[3 * n :] = ct_c * i * (1 - g**2)
        gw += np.outer(h_before, ct)
        gu += np.outer(xs[t], ct)
        gb += ct
        ct_h = ct @ w.T
        ct_c = ct_c * f
    return [gw, gu, gb]


@workload("LSTM, 200 steps", 1.9, _lstm_inputs, _lstm_by_hand)
def _lstm(np: Any, w: Any, u: Any, b: Any, xs: Any) -> Any:
    n = 32
    h = c = np.zeros(n)
    for x in xs:
        z = h @ w + x @ u + b
        i, f, o = (_sigmoid(np, z[k * n : (k + 1) * n]) for k in range(3))
        g = np.tanh(z[3 * n :])
        c = f * c + i * g
        h = o * np.tanh(c)
    return np.mean(h**2)


# ---------------------------------------------------------------------------------- large arrays


def _elementwise_by_hand(x: Any) -> list:
    a = np.exp(-x * x)
    b = np.sin(x)
    c = a * b
    d = np.tanh(c)
    np.mean(d * d)
    ct = 2 * d / d.size
    ct = ct * (1 - d * d)
    return [ct * b * a * (-2 * x) + ct * a * np.cos(x)]


@workload(
    "elementwise chain, 10^7 float64", 1.0, lambda: ([_random(10**7)], []), _elementwise_by_hand
)
def _elementwise(np: Any, x: Any) -> Any:
    a = np.exp(-x * x)
    b = np.sin(x)
    d = np.tanh(a * b)
    return np.mean(d * d)


def _logistic_by_hand(w: Any, b: Any, x: Any, y: Any) -> list:
    p = 1 / (1 + np.exp(-(x @ w + b)))
    -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    ct = (p - y) / y.size
    return [x.T @ ct, ct.sum()]


@workload(
    "logistic regression 10^5 x 50", 1.1,
    lambda: ([_random(50, scale=0.1), np.float64(0.1)],
             [_random(10**5, 50, seed=1), (_random(10**5, seed=2) > 0) * 1.0]),
    _logistic_by_hand,
)  # fmt: skip
def _logistic(np: Any, w: Any, b: Any, x: Any, y: Any) -> Any:
    z = x @ w + b
    p = 1 / (1 + np.exp(-z))
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


def _attention_by_hand(q: Any, k: Any, v: Any) -> list:
    scale = q.shape[-1] ** -0.5
    scores = (q @ k.swapaxes(1, 2)) * scale
    e = np.exp(scores - scores.max(-1, keepdims=True))
    p = e / e.sum(-1, keepdims=True)
    out = p @ v
    np.mean(out * out)
    ct = 2 * out / out.size
    gv = p.swapaxes(1, 2) @ ct
    gp = ct @ v.swapaxes(1, 2)
    gs = p * (gp - (gp * p).sum(-1, keepdims=True)) * scale
    return [gs @ k, gs.swapaxes(1, 2) @ q, gv]


@workload(
    "attention, 8 heads, 256 x 64", 1.1,
    lambda: ([_random(8, 256, 64, seed=i) for i in range(3)], []), _attention_by_hand,
)  # fmt: skip
def _attention(np: Any, q: Any, k: Any, v: Any) -> Any:
    scores = (q @ np.swapaxes(k, 1, 2)) * q.shape[-1] ** -0.5
    e = np.exp(scores - np.max(scores, -1, keepdims=True))
    p = e / np.sum(e, -1, keepdims=True)
    out = p @ v
    return np.mean(out * out)


# --------------------------------------------------------------------------- fan-out and indexing


def _fan_by_hand(x: Any, count: int) -> list:
    y = np.float64(0.0)
    for k in range(count):
        y = y + x * k
    total = np.float64(0.0)
    for k in range(count):
        total = total + k
    return [total]


@workload("one variable used 1,000 times", 3, lambda: ([np.float64(0.7)], [1000]), _fan_by_hand)
def _fan(np: Any, x: Any, count: int) -> Any:
    y = 0.0
    for k in range(count):
        y = y + x * k
    return y


workload(
    "one variable used 10^5 times",
    3,
    lambda: ([np.float64(0.7)], [10**5]),
    _fan_by_hand,
    peers=False,
)(_fan)


def _fan_3_by_hand(x: Any, count: int) -> list:
    y = np.zeros(3)
    for k in range(count):
        y = y + x * k
    np.sum(y)
    ct = np.ones(3)
    total = np.zeros(3)
    for k in range(count):
        total = total + ct * k
    return [total]


@workload(
    "3 elements used 1,000 times", 3,
    lambda: ([np.array([0.9, 0.8, 0.7])], [1000]), _fan_3_by_hand,
)  # fmt: skip
def _fan_3(np: Any, x: Any, count: int) -> Any:
    return np.sum(_fan(np, x, count))


def _indexed_by_hand(x: Any) -> list:
    y = np.float64(0.0)
    for i in range(len(x)):
        y = y + x[i]
    ct = np.zeros_like(x)
    for i in range(len(x)):
        ct[i] += 1.0
    return [ct]


@workload("sum of x[i], i < 2,000", 8, lambda: ([_random(2000)], []), _indexed_by_hand)
def _indexed(np: Any, x: Any) -> Any:
    y = 0.0
    for i in range(2000):
        y = y + x[i]
    return y
