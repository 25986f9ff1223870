"""`x.base` is the array whose memory a view looks at: on the tape, and the same object."""

import numpy as np
import pytest
from both_runs import check
from worlds import assert_same_world, run_plain, run_taped

from tapemagic import GradientTape
from tapemagic.errors import LeavesTapeError
from tapemagic.notebook.arguments import parse_path

START = """
import numpy as np
w = np.array([0.5, 1.0, 2.0, 3.0])
before = w[1:]
alone = np.arange(1.0, 7.0).reshape(2, 3)
"""
CELLS = {
    "of the source": "y = w[2:]\nout = (y.base ** 2).sum() + y.sum()",
    "of a view from before": "out = (before.base * before.sum()).sum()",
    "of a result": "u = w * 2\nout = (u[1:].base ** 2).sum() * u[0]",
    "of a temporary array": "m = (w * w).reshape(2, 2)\nout = (m.base * [1.0, 2.0, 3.0, 4.0]).sum()",
    "of a view of a view": "y = w[::2][1:]\nout = (y.base ** 3).sum()",
    "of atleast_2d": "out = (np.atleast_2d(w).base ** 2).sum()",
    "written to": "y = w[2:]\ny.base[1] = 7.0\nout = (w ** 2).sum() + (y ** 2).sum()",
    "written to after a write": "w[0] = 1.5\ny = w[2:]\ny.base[2] *= w[1]\nout = (w ** 2).sum()",
    "kept": "b = w[1:].base\nb[3] = w[1]\nout = (b * w).sum()",
    "of an array from before that nobody names": (
        "alone[0] = w[:3]\nout = (alone.base ** 2).sum() * w[3]"
    ),
}


# `X` has another shape than the array that it is a view of
RESHAPED = {
    "from before": "X = alone",
    "of numbers": "X = np.arange(6.0).reshape(2, 3)",
    "of zeros": "X = np.zeros(6).reshape(2, 3)",
    "of a result": "X = (w[[0, 1, 2, 3, 0, 1]] * 2.0).reshape(2, 3)",
    "of a result of two axes": "X = (w[:3, None] * w[:2]).reshape(2, 3)",
    "beside its base": "f = np.zeros(6)\nX = f.reshape(2, 3)",
    "beside another view": "Y = np.zeros(6).reshape(3, 2)\nX = Y.reshape(2, 3)",
    "reshaped in place": "X = np.zeros(6).reshape(3, 2)\nX[0] = 1.0\nX.shape = 2, 3",
    "turned": "X = np.zeros(6).reshape(3, 2).T",
}
WRITES = {
    "a row": "X[0] = w[:3]",
    "all": "X *= w[1]",
    "an error first": "try:\n    X[0] = w[:2]\nexcept ValueError:\n    X[1] = w[:3]",
    "its base": "X.base[-1] = w[2]\nX[0, 0] = w[1]",
    "a view": "v = X[1:]\nv[...] = w[:3]\nX[0] += w[0]",
}
AFTER = """
b = X.base
shapes = X.shape, b.shape, b.base is None, X.ravel().shape, X.T.base is b
b[2] = w[3]
out = (X ** 2).sum() + (X.base * np.arange(1.0, X.size + 1.0).reshape(b.shape)).sum()
"""


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
@pytest.mark.parametrize("make", RESHAPED.values(), ids=RESHAPED)
def test_an_array_that_is_used_in_another_shape_than_its_memory_has(make, write):
    text = f"{make}\n{write}\n{AFTER}"
    check(START, text, "w")
    for run in (run_plain(START, text), run_taped(START, text)[0]):
        assert run["namespace"]["X"].base is run["namespace"]["b"]


DRAWN = ["from before", "of numbers", "of zeros", "of a result", "of a result of two axes"]


@pytest.mark.parametrize("make", [RESHAPED[name] for name in DRAWN], ids=DRAWN)
def test_what_is_drawn_is_written_to_in_the_shape_that_is_used(make):
    text = f"{make}\nX[0] = w[:3]\nX[1, 1] *= w[3]\nout = (X**2).sum()"
    _, session = run_taped(START, text, sources=(parse_path("w"), parse_path("X")))
    nodes = session.tape.graph.nodes
    assert "view" not in {node.op for node in nodes}
    assert {node.shape for node in nodes if node.op == "setitem"} == {(2, 3)}


@pytest.mark.parametrize("text", CELLS.values(), ids=CELLS)
def test_the_base_has_its_part_in_the_gradient(text):
    check(START, text, "w")


IDENTITIES = """
y = w[1:]
u = w * 2
m = np.arange(6.0).reshape(2, 3)
is_same = [
    y.base is w, y[1:].base is w, w.base is None, before.base is w, u.base is None,
    u[1:].base is u, u[None].T.base is u, m.base is None, m[0].base is m.base, m[0].base is m,
    np.atleast_2d(u).base is u, (u + 1)[1:].base is None, u.sum().base is None, alone.base is None,
]
w[0] = 5.0
is_same += [y.base is w, w.base is None, w[1:].base is w]
out = w.sum()
"""


def test_identities_are_those_of_plain_numpy():
    plain = run_plain(START, IDENTITIES)
    taped, _ = run_taped(START, IDENTITIES)
    assert taped["namespace"]["is_same"] == plain["namespace"]["is_same"]
    assert_same_world(plain, taped)


def test_in_scripts():
    w = np.array([1.0, 2.0, 3.0])
    with GradientTape() as tape:
        tape.watch(w)
        view = w[1:]
        assert view.base is w
        loss = np.sum(view.base**2)
    np.testing.assert_array_equal(tape.gradient(loss, w), [2.0, 4.0, 6.0])


def test_an_array_from_before_is_not_resized():
    with GradientTape() as tape:
        w = np.array([1.0, 2.0])
        tape.watch(w)
    taped, _ = run_taped(START, "w.resize(2)\nout = w.sum()")
    assert "which cannot resize it" in taped["error"] or "references" in taped["error"]


def test_a_base_of_other_elements_is_refused():
    setup = "import numpy as np\nr = np.zeros(3, [('a', float), ('b', int)])\nw = r['a']\n"
    taped, _ = run_taped(setup, "out = w.base['a'].sum()")
    assert type(taped["raised"]) is LeavesTapeError


def test_what_stands_for_objects_of_numpy_becomes_them():
    text = (
        "flags, y = w.flags, w * 2\ny_flags = y.flags\nrng = np.random.default_rng(3)\nprint(rng)\n"
        "out = y.sum()"
    )
    taped, _ = run_taped(START, text)
    names = taped["namespace"]
    assert type(names["flags"]) is type(names["y_flags"]) is type(np.zeros(1).flags)
    assert names["flags"].writeable
    assert names["y_flags"].c_contiguous
    assert taped["printed"] == run_plain(START, text)["printed"]
