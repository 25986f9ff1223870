"""A name means what it held at the end of the cell, also if a helper changed it behind its back."""

import numpy as np
import pytest
from worlds import assert_same_world, run_plain, run_taped

SETUP = """
import numpy as np
x = {x!r}
total = 0.0
def add(v):
    global total
    total = total + v
def fill(z):
    z[0] = z[1] * 5
def keep(v):
    global kept
    kept = v
"""

CELLS = [
    ("total", "add(x * x)\nadd(x)"),
    ("total", "total = x * 1.0\nadd(x * x)"),
    ("z", "z = np.ones(2) * x\nfill(z)"),
    ("z", "z = np.ones(2) * x\nfill(z)\ny = z * x"),
    ("z", "z = np.ones(2) * x\nv = z[:1]\nfill(z)"),
    ("v", "z = np.ones(2) * x\nv = z[:1]\nfill(z)"),
    ("other", "z = np.ones(2) * x\nother = z\nz *= x\ny = z.sum()"),
    ("kept", "q = x * 3\nkeep(q)\ny = q * q"),
]


@pytest.mark.parametrize(("name", "cell"), CELLS)
def test_a_name_as_target_means_its_last_value(name, cell):
    def value(x):
        world = {}
        exec(SETUP.format(x=x) + cell, world)
        return np.sum(world[name])

    world, session = run_taped(SETUP.format(x=1.5), cell)
    assert_same_world(run_plain(SETUP.format(x=1.5), cell), world)
    numeric = (value(1.5 + 1e-6) - value(1.5 - 1e-6)) / 2e-6
    np.testing.assert_allclose(session.tape.gradient(name, "x"), numeric, rtol=1e-7)


def test_a_target_that_only_a_helper_binds_is_found():
    _, session = run_taped(SETUP.format(x=1.5), "add(x * x)")
    assert session.target_name() == "total"


def test_what_the_cell_itself_assigns_last_is_the_target_all_the_same():
    _, session = run_taped(SETUP.format(x=1.5), "q = x * 3\nadd(q)\ny = q * q\nadd(y)")
    assert session.target_name() == "y"


def test_variables_that_the_cell_does_not_mention_are_not_read():
    setup = "from tapemagic import Variable\nv, other = Variable(2.0), Variable([1.0, 2.0])"
    _, session = run_taped(setup, "loss = v * v")
    assert list(session.tape.watched_variables()) == [session.namespace["v"]]
