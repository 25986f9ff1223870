"""Cells that train models, or connect their layers: the picture is of what the cell computes."""

import numpy as np
import pytest
from test_rerun import make
from worlds import execute

SETUP = """
import numpy as np
from tapemagic import tf
keras = tf.keras
k = 2.0
x = np.array([[1.0, 2.0], [3.0, -1.0], [0.0, 1.0]])
labels = np.array([1.0, 0.0, 1.0])
def line():
    inputs = keras.Input((2,))
    model = keras.Model(inputs, keras.layers.Dense(1, kernel_initializer="ones")(inputs))
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mse")
    return model
model = line()
model.fit(x, labels, epochs=2, verbose=0, shuffle=False)
"""
FIT = """
w = x * k
w.T[0] += 1.0
history = model.fit(w, labels, epochs=3, verbose=0, shuffle=False)
loss = tf.reduce_mean(tf.square(model(w)[:, 0] - labels))
"""


def apart(k):
    """Return weights and loss of the same training without a cell."""
    names = {}
    exec(SETUP, names)
    names["k"] = k
    exec(FIT, names)
    return names["model"].get_weights(), float(names["loss"])


def test_a_cell_that_trains():
    """In place of the training there are the weights that it leaves; a slider trains a copy."""
    namespace, session, rerun = make(SETUP, FIT)
    session.begin()
    with pytest.warns(UserWarning, match=r"does not follow fit\(\)"):
        execute(session.plan.body, namespace)
    session.end(None)
    session.differentiate()
    weights, loss = apart(2.0)
    found = namespace["model"].get_weights()
    assert all(np.array_equal(*pair) for pair in zip(found, weights, strict=True))
    assert float(namespace["loss"]) == loss
    assert list(namespace["history"].history) == ["loss"]
    assert all(type(x) is float for x in namespace["history"].history["loss"])
    lines = {node.line for node in session.tape.graph.nodes if node.op != "source"}
    assert lines == {2, 3, 5}  # none of the training's
    assert "cut by fit()" in session.tape.explain()
    kernel, bias = weights
    error = (namespace["w"] @ kernel + bias)[:, 0] - namespace["labels"]
    expected = 2 / 3 * np.outer(error, kernel) * namespace["x"]
    assert session.tape.gradient("loss", "k") == pytest.approx(expected.sum(), rel=1e-5)

    assert rerun.run({"k": 2.0}).value_of_target() == loss
    assert rerun.run({"k": 3.0}).value_of_target() == apart(3.0)[1]
    assert all(np.array_equal(*pair) for pair in zip(found, weights, strict=True))


CONNECTED = """
inputs = keras.Input((2,))
connected = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Dense(3, "tanh")(inputs * 2)))
stack = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3), keras.layers.Dense(1)])
loss = tf.reduce_sum(connected(x) * stack(x))
"""


def test_a_cell_that_connects_layers():
    """Layers are tried with zeros when they are connected, which is nothing that the cell does."""
    namespace, session, _ = make(SETUP, CONNECTED)
    session.begin()
    execute(session.plan.body, namespace)
    session.end(None)
    session.differentiate()
    graph = session.tape.graph
    assert {node.line for node in graph.nodes if node.op != "source"} == {5}
    weights = [*namespace["connected"].weights, *namespace["stack"].weights]
    assert len([node for node in graph.nodes if node.op == "source"]) == 1 + len(weights)
    assert all(g is not None for g in session.tape.gradient("loss", weights))
