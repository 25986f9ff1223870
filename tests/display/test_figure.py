"""What `tape.graph` is: plain data that shows itself."""

import numpy as np
import pytest

import tapemagic
from tapemagic import GradientTape, Variable


def run():
    w = Variable([1.0, 2.0], name="w")
    with GradientTape() as tape:
        loss = np.sum(w * w)
    tape.gradient(loss, w)
    return tape


def loaded(tmp_path):
    run().save(tmp_path / "run.json")
    return tapemagic.load(tmp_path / "run.json")


@pytest.mark.parametrize("make", [lambda path: run().graph, loaded], ids=["tape", "file"])
def test_a_graph_shows_itself(make, tmp_path):
    graph = make(tmp_path)
    shown = graph._repr_mimebundle_()
    assert "2 operations" in shown["text/plain"]
    assert "data:image/svg+xml" in shown["text/html"]
    digraph = pytest.importorskip("graphviz") and graph.to_graphviz()
    assert digraph.source.count("n0 ->") == 2  # w times w
