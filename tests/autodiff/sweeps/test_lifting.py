"""Entries as recorded sweeps and sweeps of one tape among several see them."""

import numpy as np

import tapemagic
from tapemagic import GradientTape, Variable
from tapemagic.autodiff.sweeps.lifting import has_short_way, lift, narrowed
from tapemagic.autodiff.traced import TracedArray


def entries_of(fun, *variables):
    with GradientTape() as tape:
        fun(*variables)
    return tape._recording.entries


def test_saved_values_become_handles_and_constants_stay():
    x, w = Variable([1.0, 2.0]), Variable([3.0, 4.0])
    product, scaled, total = entries_of(lambda x, w: [x * w, 2.0 * x, x + w], x, w)[2:]
    lifted = lift(product, 2)
    assert [type(value) for value in lifted[6:8]] == [TracedArray, TracedArray]
    assert [value.id for value in lifted[6:8]] == [0, 1]
    assert lifted[:6] == product[:6]
    assert lift(scaled, 3)[6] == 2.0
    assert lift(total, 4) is total  # a sum reads nothing


def test_only_entries_of_handles_alone_have_the_short_way():
    """A plain zero among the operands could not be divided by."""
    x, w = Variable([1.0, 2.0]), Variable([3.0, 4.0])
    _, square, _, quotient, constant = entries_of(lambda x, w: [x**2, x / w, x / 0.5], x, w)
    assert has_short_way(lift(square, 1))
    assert has_short_way(lift(quotient, 3))
    assert not has_short_way(lift(constant, 4))
    with np.errstate(all="ignore"):
        second = tapemagic.grad(tapemagic.grad(lambda x: np.sum(x**2 / 0.0)))(np.float64(1.0))
    assert second == np.inf


def test_operands_that_lead_nowhere_are_hidden():
    x, w = Variable([1.0, 2.0]), Variable([[3.0], [4.0]])
    product, matrix = entries_of(lambda x, w: [x * w, np.matmul(x, w)], x, w)[2:]
    assert narrowed(product, bytearray([1, 1, 1, 1])) is product
    assert narrowed(product, bytearray([0, 1, 1, 1]))[4:6] == (-1, 1)
    assert narrowed(matrix, bytearray([1, 0, 1, 1]))[4] == (0, -1)
    assert narrowed(matrix, bytearray([1, 1, 1, 1])) is matrix


def test_forward_mode_records_the_pullback_and_nothing_else(monkeypatch):
    tapes = []
    start = GradientTape.start
    monkeypatch.setattr(GradientTape, "start", lambda tape: [tapes.append(tape), start(tape)])
    x = np.array([0.5, 1.0])
    _, tangent = tapemagic.jvp(np.tanh, (x,), (x,))
    np.testing.assert_allclose(tangent, (1 - np.tanh(x) ** 2) * x)
    names = [node.op for node in tapes[0].nodes()]
    assert names == ["source", "tanh", "source", "square", "subtract", "multiply"]
