"""Elementwise work on large arrays goes block by block, and gives the very same numbers."""

import numpy as np
import pytest

from tapemagic import GradientTape, Variable
from tapemagic.autodiff.programs import blocks

N = 70_001  # no multiple of a block


def n(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def chain(x):
    a = np.exp(-x * x)
    d = np.tanh(a * np.sin(x))
    return np.mean(d * d)


def two(x, y):
    return np.sum(np.where(x > y, x * y, np.cos(x))) + np.mean(np.hypot(x, y))


def rows(x, b, c):
    return np.sum(np.tanh(x * b + c) ** 2)


def regression(w, b):
    p = 1 / (1 + np.exp(-(FEATURES @ w + b)))
    return -np.mean(np.log(p) * SIGNS + np.log(1 - p) * (1 - SIGNS))


def loop(x):
    y = x
    for _ in range(12):
        y = np.sin(y) + 0.1 * y
    return np.sum(y)


def shifted(x):
    return np.sum(np.exp((x[1:] - x[:-1]) ** 2) * np.cos(x[1:]))


def twice(x):  # what comes after the sum hangs on it
    z = np.exp(x)
    return np.sum((z / np.sum(z)) ** 2 * np.cos(x))


FEATURES, SIGNS = n(N, 3), (n(N, seed=5) > 0) * 1.0
CELLS = [
    (chain, [n(N)]),
    (chain, [n(N).astype(np.float32)]),
    (chain, [n(300, 300)]),
    (chain, [np.asfortranarray(n(300, 300))]),
    (chain, [n(2 * N)[::2]]),
    (two, [n(N), n(N, seed=1)]),
    (rows, [n(3000, 30), n(30), n(3000, 1)]),
    (regression, [n(3), np.float64(0.2)]),
    (loop, [n(N)]),
    (shifted, [n(N)]),
]


def record(cell, inputs):
    sources = [Variable(x, name=f"a{i}") for i, x in enumerate(inputs)]
    with GradientTape(persistent=True) as tape:
        target = cell(*sources)
    return tape, target, sources


@pytest.mark.parametrize(("cell", "inputs"), CELLS)
def test_blocks_give_the_bits_of_whole_arrays(cell, inputs, monkeypatch):
    tape, target, sources = record(cell, inputs)
    cut = tape.program(target, sources)
    assert "for start in range(0, " in str(cut)
    for x, y in zip(cut()[1:], tape.gradient(target, sources), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-5 if y.dtype == np.float32 else 1e-12)
    monkeypatch.setattr(blocks, "LEAST_ELEMENTS", 10**9)
    whole = tape.program(target, sources)
    assert "for start" not in str(whole)
    others = {f"a{i}": x * np.asarray(0.9, x.dtype) for i, x in enumerate(inputs)}
    for given in ({}, others):
        for x, y in zip(cut(**given), whole(**given), strict=True):
            np.testing.assert_array_equal(x, y)


def test_what_hangs_on_a_sum_is_not_cut():
    tape, target, sources = record(twice, [n(N)])
    program = tape.program(target, sources)
    assert "for start" not in str(program)
    np.testing.assert_allclose(program()[1], tape.gradient(target, sources)[0], rtol=1e-12)


def test_small_arrays_are_not_cut():
    tape, target, sources = record(chain, [n(1000)])
    assert "for start" not in str(tape.program(target, sources))


def test_blocks_need_no_memory_for_intermediate_arrays():
    import tracemalloc

    x = n(10**6)
    tape, target, sources = record(chain, [x])
    program = tape.program(target, sources)
    tracemalloc.start()
    program()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2.2 * x.nbytes  # the terms of the mean, and the gradient


def test_a_checked_branch_stands_behind_the_loop():
    def fun(x):
        y = np.exp(x) * np.sin(x) + np.cos(x)
        if np.sum(y) > 0:
            y = y * x
        return np.sum(y)

    tape, target, sources = record(fun, [n(N)])
    program = tape.program(target, sources)
    np.testing.assert_allclose(program()[1], tape.gradient(target, sources)[0], rtol=1e-12)
