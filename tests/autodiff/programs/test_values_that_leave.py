"""What of the values of a run went to plain code: a program has it for constant, or refuses."""

import json
import math
import pickle
import statistics

import numpy as np
import pytest

from tapemagic import GradientTape, Variable, tf
from tapemagic.errors import TapeError

W = np.array([1.3, -0.6, 2.1])


def program_of(cell, w):
    with GradientTape(persistent=True) as tape:
        y = cell(w)
    return tape.program(y, [w])


@pytest.mark.parametrize(
    "cell",
    [
        lambda w: w[1] * 2 if w[0] in {1.3} else w[2],
        lambda w: w[1] * 2 if w[0] in {1.4} else w[2],  # only the hash is asked for
        lambda w: w[1] * {1.3: 2.0}.get(w[0], 3.0),
        lambda w: w[1] * (hash(w[0]) == hash(1.3)),
        lambda w: w[1] * w.numpy()[0],
        lambda w: w[1] * pickle.loads(pickle.dumps(w))[0],
        lambda w: w[1] * json.loads(json.dumps(w.tolist()))[0],
    ],
)
def test_what_went_to_plain_code_has_to_be_as_it_was(cell):
    program = program_of(cell, Variable(W, name="w"))
    assert program(w=W)[0] == cell(W if "numpy" not in cell.__code__.co_names else Variable(W))
    with pytest.raises(TapeError, match="another way"):
        program(w=np.array([1.4, -0.6, 2.1]))


def test_numpy_of_a_tensor_has_to_be_as_it_was():
    v = tf.Variable([1.0, 2.0], name="v")
    with tf.GradientTape(persistent=True) as tape:
        y = tf.reduce_sum(v * (v * 2).numpy())
    program = tape.program(y, [v])
    with pytest.raises(TapeError, match="another way"):
        program(**{next(iter(program.inputs)): np.float32([1.0, 3.0])})


@pytest.mark.parametrize(
    "cell", [lambda w: statistics.mean(w) * w[0], lambda w: statistics.fmean(w) * w[0]]
)
def test_averages(cell):
    program = program_of(cell, Variable(W, name="w"))
    value, gradient = program(w=2 * W)
    assert value == pytest.approx(np.mean(2 * W) * 2 * W[0])
    np.testing.assert_allclose(gradient, 2 * W[0] / 3 + np.array([np.mean(2 * W), 0, 0]))


@pytest.mark.skipif(not hasattr(math, "fma"), reason="since Python 3.13")
def test_a_fused_product_and_sum():
    program = program_of(lambda w: math.fma(w[0], w[1], w[2]), Variable(W, name="w"))
    value, gradient = program(w=2 * W)
    assert value == pytest.approx(4 * W[0] * W[1] + 2 * W[2])
    np.testing.assert_allclose(gradient, [2 * W[1], 2 * W[0], 1])
