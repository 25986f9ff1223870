"""A Variable that a cell assigns to has versions: each read counts with the value it had."""

import pytest
from worlds import run_taped

from tapemagic import tf
from tapemagic.notebook.arguments import parse_path

SETUP = """
import types
import numpy as np
import tapemagic
from tapemagic import tf
x = {make}(3.0)
model = types.SimpleNamespace(w={make}(3.0))
k = np.float64(2.0)
"""


def run(text, make="tf.Variable", **options):
    world, session = run_taped(SETUP.format(make=make), text, **options)
    assert world["error"] == "NoneType: None"
    session.differentiate()
    return session


def rows(tape):
    """Name and gradient of each row of the table."""
    table = tape.graph.sources
    return {row.name: row.gradient and float(row.gradient.text) for row in table}


@pytest.mark.parametrize("make", ["tf.Variable", "tapemagic.Variable"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("y = x * x", {"x": 6}),
        # the first value is read for the sake of the second, 6
        ("x.assign(x * 2)\\ny = x * x", {"x": None, "x@1": 12}),
        ("z = x * x\\nx.assign(5.0)\\ny = z + x * x", {"x": 6, "x@1": 10}),
        ("x.assign_add(1.0)\\nx.assign_sub(2.0)\\ny = x * x", {"x": None, "x@1": 4}),
        ("z = x\\nfor i in range(3):\\n    z = z * x\\n    x.assign(10.0 ** i)\\ny = z * 1.0",
         {"x": 2 * 3 * 10, "x@1": 9 * 10, "x@2": 9}),
        # the name itself, bound again: a version after those that were read
        ("x.assign(4.0)\\nx = x * x\\ny = x * 10.0", {"x": None, "x@1": 80}),
        ("y = k * x\\nx.assign(4.0)\\ny = y + k", {"x": 2}),
    ],
)  # fmt: skip
def test_each_value_that_was_read_has_a_row(make, text, expected):
    session = run(text.replace("\\n", "\n"), make)
    assert session.target_name() == "y"
    assert rows(session.tape) == expected


def test_versions_can_be_asked_for_by_name():
    tape = run("z = x * x\nx.assign(5.0)\ny = z + x * x\nx = x * 7.0\nq = x + y").tape
    found = tape.gradient("q", ["x", "x@0", "x@1", "x@2"])
    assert [float(g) for g in found] == [6, 6, 10 + 7, 1]


def test_a_source_inside_an_object():
    tape = run("model.w.assign(5.0)\ny = model.w ** 2", sources=(parse_path("model.w"),)).tape
    assert rows(tape) == {"model.w": None, "model.w@1": 10}


def test_variables_that_were_not_asked_for_are_sources_too():
    tape = run("y = k * x\nx.assign(5.0)\ny = y + k * x", sources=(parse_path("k"),)).tape
    assert rows(tape) == {"k": 3 + 5, "x": 2, "x@1": 2}


def test_assigning_is_explained():
    tape = run("x.assign(x * 2)\ny = x * x").tape
    (told,) = [found for found in tape.findings if found.kind == "rebound"]
    assert (told.names, told.line) == (("x",), 2)
    assert "'x' was assigned to and read again, last on line 2 (x@1)" in told.message
    assert "Ask for 'x@1'" in told.fix


def test_assigning_last_leaves_the_target_alone():
    session = run("y = x * x\nx.assign(5.0)\nprint(x * 2.0)")
    assert session.target_name() == "y"


def test_in_a_script():
    global v  # noqa: PLW0603  (names of a script are global)
    v = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = v * v
        v.assign(5.0)
        y = y + v * v
    assert tape.gradient(y, v).numpy() == 6 + 10
    assert rows(tape) == {"v": 6, "v@1": 10}
