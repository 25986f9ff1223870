"""Why a gradient is zero: what cancels, fades, saturates or is imaginary is told apart."""

import numpy as np
import pytest

from tapemagic import GradientTape, Variable, tf

CANCEL, UNDERFLOW = "add up to exactly 0", "underflow in "
SATURATED, IMAGINARY = "rounds to 0", "is imaginary"
NOT_REACHED = "no gradient reaches the elements that"
CHOSEN, TIMES = "other elements were chosen", "multiplies it by 0"
W = np.array([1.0, 2.0])


def overwritten(x):
    x[x > 0] = 3.0
    return x


CASES = [
    (lambda w: w[0] - w[0], W, CANCEL, "indexing"),
    (lambda w: np.max(w) - np.max(w), W, CANCEL, "max"),
    (lambda w: np.sum(w[[0, 0]] * np.array([1.0, -1.0])), W, CANCEL, "indexing"),
    (lambda w: w * np.array([1.0, -1.0]), np.array(2.0), CANCEL, "multiply"),
    (lambda w: w - np.mean(w), W, CANCEL, "subtract"),
    (lambda w: w - w, W, CANCEL, "subtract"),
    (lambda w: w / w, W, CANCEL, "divide"),
    (lambda w: np.array([[1.0, 2.0], [-1.0, -2.0]]) @ w, W, CANCEL, "matmul"),
    (lambda w: np.where([True, False], 3.0, w) * np.array([1.0, 0.0]), W, NOT_REACHED, "where"),
    (lambda w: np.where(w > 5, w, 0.0), W, CHOSEN, "where"),
    (lambda w: np.concatenate([w, [5.0]]).max(), W, NOT_REACHED, "concatenate"),
    (lambda w: np.array([[1.0, w[0]], [0.0, 1.0]]) @ [3.0, 0.0], W, NOT_REACHED, "array"),
    (lambda w: overwritten(w * 2.0), W, "assignment to elements (line", ") overwrites all of it"),
    (lambda w: np.prod(w[0] * np.full(400, 0.1)), W, UNDERFLOW, "prod"),
    (lambda w: np.prod(w * 1e-200) * np.sin(w[0]), W, "by a value that underflowed to 0 in", "prod"),
    (lambda w: np.sin(w[0]) * np.square(np.prod(w * 1e-200) * 3.0) ** 2, W,
     "by a value that underflowed to 0 in", "prod"),
    (lambda w: w * np.array([0.0, 0.0]), W, TIMES, "multiply"),
    (lambda w: np.sum((w * np.array([0.0, 1.0]))[:1]), W, TIMES, "multiply"),
    (lambda w: np.exp(-1000 * w), W, UNDERFLOW, "exp"),
    (lambda w: (w * 1e-3) ** 200, W, UNDERFLOW, "power"),
    (lambda w: w * 1e-200 * 1e-200, W, UNDERFLOW, "multiply"),
    (lambda w: w * 1e-300 * 1e-100, np.zeros(2), UNDERFLOW, "multiply"),
    (lambda w: w / 1e300 / 1e100, W, UNDERFLOW, "divide"),
    (lambda w: w**3, np.zeros(2), "local derivative", "power"),
    (lambda w: 1.0**w, W, "local derivative", "power"),
    (lambda w: np.tanh(100 * w), W, SATURATED, "tanh"),
    (lambda w: np.cos(w), np.zeros(2), "local derivative", "cos"),
    (lambda w: np.sum(w * 1j), W, IMAGINARY, "multiply"),
    (lambda w: np.exp(1j * w), np.zeros(2), IMAGINARY, "multiply"),
    (lambda w: np.sum(w * 0j), W, TIMES, "multiply"),
    (lambda w: np.clip(w, 5, 6), W, "saturated: every element", "clip"),
    (lambda w: np.maximum(-w, 0), W, "dead relu", "maximum"),
    (lambda w: np.zeros((3, 2)) @ w, W, "multiplies it by a constant, which is 0 everyw", "matmul"),
]  # fmt: skip


@pytest.mark.parametrize(("compute", "value", "words", "op"), CASES)
def test_the_reason_for_a_zero(compute, value, words, op):
    w = Variable(value)
    with GradientTape() as tape:
        y = compute(w)
    assert not tape.gradient(y, w).any()
    (finding,) = [one for one in tape.findings if one.kind == "zero"]
    assert words in finding.message
    assert op in finding.message


def test_underflow_of_single_precision():
    w = tf.Variable([1.0])
    with tf.GradientTape() as tape:
        y = w * 1e-25 * 1e-25
    assert tape.gradient(y, w).numpy() == 0
    assert UNDERFLOW in tape.explain()


def test_the_other_factor_of_a_product_is_named():
    w, v = Variable(np.ones((2, 1))), Variable(-np.ones((3, 2)))
    with GradientTape() as tape:
        h = np.maximum(v, 0)
        y = np.sum(h @ w)
    assert not tape.gradient(y, w).any()
    (finding,) = [one for one in tape.findings if one.names == ("w",)]
    assert "multiplies it by 'h' (line " in finding.message
