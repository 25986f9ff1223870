"""Nodes: the tape as people read it."""

import numpy as np

from tapemagic import GradientTape, Variable
from tapemagic.autodiff import recheck


def nodes_of(fun, *values):
    variables = [Variable(value) for value in values]
    with GradientTape() as tape:
        fun(*variables)
    return tape.nodes()


def test_fields():
    source, product = nodes_of(lambda x: x * 3.0, [1.0, 2.0])
    assert (source.op, source.inputs, source.index) == ("source", (), 0)
    assert product.op == "multiply"
    assert product.inputs == (0, None)
    assert product.constants == (None, 3.0)
    assert product.formulas == ("x2", "x1")
    assert (product.shape, product.dtype) == ((2,), "float64")
    np.testing.assert_array_equal(product.value, [3.0, 6.0])


def test_constants_on_the_left_and_arrays():
    *_, node = nodes_of(lambda x: np.array([1.0, 2.0]) - x, 1.0)
    assert node.inputs == (None, 0)
    *_, node = nodes_of(lambda x: 2.0 / x, 1.0)
    assert (node.inputs, node.constants) == ((None, 0), (2.0, None))


def test_large_values_are_not_kept_but_computed_again_for_the_picture():
    with GradientTape() as tape:
        x = tape.watch(np.ones(1000))
        y = x + 1.0
        y[3] = 5.0
        z = y * 2.0
    assert tape._recording.entries[1][8] is None
    np.testing.assert_array_equal(tape.nodes()[-1].value, z)


def test_values_of_very_large_runs_are_not_computed_again(monkeypatch):
    monkeypatch.setattr(recheck, "SHOWN_BYTES", 100)
    _, node = nodes_of(lambda x: x + 1.0, np.ones(1000))
    assert node.value is None
    assert node.shape == (1000,)


def test_parameters():
    *_, node = nodes_of(lambda x: np.sum(x, axis=0), np.ones((2, 3)))
    assert node.op == "sum"
    assert 0 in node.params.values()
    *_, node = nodes_of(lambda x: x[1:, 0], np.ones((2, 3)))
    assert node.op == "getitem"
    assert list(node.params.values()) == [(slice(1, None, None), 0)]


def test_writes():
    def body(x):
        y = x * 1.0
        y[0] = x[1]
        return np.sum(y)

    ops = [node.op for node in nodes_of(body, [1.0, 2.0])]
    assert "setitem" in ops


def test_several_results():
    ops = [node.op for node in nodes_of(lambda x: np.linalg.eigh(x @ x.T)[0].sum(), np.eye(2))]
    assert "eigh" in ops
    assert "pick" in ops


def test_an_empty_tape():
    tape = GradientTape()
    assert tape.nodes() == []
    with tape:
        pass
    assert tape.nodes() == []


def test_inputs_come_before():
    def body(x):
        for _ in range(5):
            x = np.tanh(x @ np.ones((2, 2)) + x)
        return np.linalg.norm(x)

    for node in nodes_of(body, np.eye(2)):
        assert all(i is None or i < node.index for i in node.inputs)
