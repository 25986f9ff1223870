"""Nodes: the tape as people read it."""

import numpy as np
import pytest

from tapemagic import GradientTape, Variable, stop_gradient, tf
from tapemagic.autodiff import nodes, recheck


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


def test_marks_say_what_happened_to_a_value_and_on_which_line():
    def run(x, n):
        for _ in range(2):
            kept = stop_gradient(x)
        assert f"{x}" == "2.0"
        return kept * int(n) + (n > 1)

    here = run.__code__.co_firstlineno
    x, n = nodes_of(run, 2.0, 3.0)[:2]
    assert x.marks == (("cut", here + 2, ""), ("shown", here + 3, ""))  # each line once
    assert n.marks == (
        ("flat", here + 4, "an integer (int)"), ("flat", here + 4, "a bool (< or >)"),
    )  # fmt: skip


def test_softmax_of_tensorflow_cuts_nothing_in_the_users_name():
    with GradientTape() as tape:
        tf.nn.softmax(tf.Variable([1.0, 2.0]))
    assert not any(mark[0] == "cut" for node in tape.nodes() for mark in node.marks)


def test_why_names_the_line_of_a_real_cut():
    w, b, n = Variable(2.0), Variable([1.0, 2.0]), Variable(3.0)
    with GradientTape() as tape:
        loss = (b * stop_gradient(np.sin(w))).sum() + int(n)
    tape.gradient(loss, [w, b, n])
    line = tape.nodes()[0].line
    assert f"cut by stop_gradient (line {line})." in tape.explain()
    assert f"left the tape at line {line} as an integer (int)." in tape.explain()


@pytest.mark.parametrize(
    "index",
    [([0, 1], [1, 0]), (np.array([[0], [1]]), np.array([[0, 1]])), (np.array([0, 1]), slice(None))],
    ids=repr,
)
def test_an_index_of_several_arrays_is_read_as_it_is(index):
    def add_at(x):
        total = x * 0.0
        np.add.at(total, index, x[0])
        return total

    read = [param for node in nodes_of(add_at, np.ones((2, 2))) for param in node.params.values()]
    assert any(type(param) is tuple and len(param) == len(index) for param in read)


def test_the_callers_of_a_deep_recursion_are_looked_up_once(monkeypatch):
    asked, look_up = [], nodes.Reader._line

    def counted(self, code, offset):
        asked.append(offset)
        return look_up(self, code, offset)

    monkeypatch.setattr(nodes.Reader, "_line", counted)

    def power(x, n):
        return x if n == 0 else power(x * 1.01, n - 1)

    x = Variable(2.0)
    with GradientTape() as tape:
        power(x, 100)
    count = len(tape.nodes())
    assert len(asked) <= 2 * count + 100
