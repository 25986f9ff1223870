"""From the tape to the frozen graph."""

import numpy as np
import pytest
from display import fakes

import tapemagic
from tapemagic.graph.build import build_graph, node_names


@pytest.mark.parametrize(
    ("bindings", "sources", "names"),
    [
        ([("y", 1)], {}, {1: "y"}),
        ([("h", 1), ("h", 2)], {}, {1: "h@1", 2: "h@2"}),
        ([("w", 0), ("w", 3)], {"w": 0}, {0: "w", 3: "w@1"}),
        ([("a", 1), ("b", 1)], {}, {1: "a"}),  # two names for one value: the first
        ([("v", 0)], {"w": 0}, {0: "w"}),
        ([], {"w": 0}, {0: "w"}),
    ],
)
def test_names_and_versions(bindings, sources, names):
    assert node_names(bindings, sources) == names


def test_the_tutorial():
    graph = build_graph(fakes.tutorial())
    x, w = np.array([[-2.0, 1.0, 3.0]]), fakes.TUTORIAL_W
    y = x @ w
    assert [node.op for node in graph.nodes[2:]] == ["matmul", "add", "power", "mean"]
    assert [row.state for row in graph.sources] == ["ok", "ok"]
    assert graph.target == ("loss", 5)
    assert graph.value(5).norm == pytest.approx(float((y**2).mean()), rel=1e-5)
    # d mean(y**2) / dw = x.T @ (2 y / y.size), the closed form
    np.testing.assert_allclose(graph.sources[0].gradient.values, (x.T @ y).ravel(), rtol=1e-5)
    assert [(e.start, e.end, e.position) for e in graph.edges] == [
        (0, 2, 1), (2, 3, 0), (1, 3, 1), (3, 4, 0), (4, 5, 0),
    ]  # fmt: skip


def test_before_a_gradient_is_asked_nothing_is_said_about_it():
    graph = build_graph(fakes.not_run())
    assert not graph.has_gradients
    assert {graph.state(node.index) for node in graph.nodes} == {"not-run"}
    assert all(row.gradient is None and row.reason == "" for row in graph.sources)


def test_not_connected_and_not_watched_are_told_apart():
    rows = {row.name: row for row in build_graph(fakes.unused()).sources}
    assert {name: row.state for name, row in rows.items()} == {
        "x": "ok", "b": "not-connected", "n": "not-connected",
    }  # fmt: skip
    assert rows["n"].reason == "integer: has no derivative"
    assert "'z' (line 2)" in rows["b"].reason


def test_values_stay_what_they_were():
    tape = fakes.tutorial()
    graph = build_graph(tape)
    tape.recorded[0].value[:] = 7.0
    assert graph.value(0).values[0] == pytest.approx(0.746202)


def test_a_graph_is_frozen_and_equal_when_built_again():
    tape = fakes.loop(5)
    graph = build_graph(tape)
    assert graph == build_graph(tape)
    items = {"nodes": graph, "index": graph.nodes[0], "name": graph.sources[0],
             "shape": graph.value(0)}  # fmt: skip
    for name, item in items.items():
        assert hasattr(item, name)
        with pytest.raises(AttributeError):
            setattr(item, name, None)


def test_a_gradient_of_one_number_for_all_elements_gets_its_shape():
    tape = fakes.tutorial()
    tape.cotangents[4] = np.array([0.5])
    assert build_graph(tape).gradient(4).shape == (1, 2)


def test_an_unnamed_source_of_a_script_has_a_row():
    tape = fakes.tutorial()
    tape.source_nodes.clear()
    assert build_graph(tape).sources == ()  # of a cell: it is one of a function that was called
    tape.cell = None
    assert [row.name for row in build_graph(tape).sources] == ["source 0", "source 1"]


def test_a_failure_keeps_the_partial_graph():
    graph = build_graph(fakes.failed())
    assert (graph.failure.line, graph.failure.op, len(graph.nodes)) == (4, "matmul", 3)


def test_values_that_were_not_kept():
    tape = fakes.tutorial()
    for node in tape.recorded:
        node.value = None
    graph = build_graph(tape)
    assert graph.value(3) is None
    assert graph.gradient(3) is not None


def test_an_operation_with_several_results_has_the_gradients_of_its_results():
    x = tapemagic.Variable(np.array([[1.0, 2.0], [3.0, 5.0]]))
    with tapemagic.GradientTape() as tape:
        q, r = np.linalg.qr(x)
        y = np.sum(q) + np.sum(r)
    tape.gradient(y, x)
    graph = tape.graph
    states = {node.op: graph.state(node.index) for node in graph.nodes}
    assert states["qr"] == states["pick"] == "ok"
