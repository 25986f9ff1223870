"""Memory that somebody else looks at: both sides see what NumPy's would, or the write is refused."""

import numpy as np
import pytest
from notebook.both_runs import check
from notebook.worlds import assert_same_world, run_plain, run_taped

from tapemagic.errors import ChangedDataError, UnsupportedWriteError
from tapemagic.notebook.arguments import parse_path

SETUP = """
import array, ctypes, io
import numpy as np
class Own(np.ndarray):
    pass
x = np.array([0.7, 1.3, 0.4, 0.9])
c = np.array([0.5, 1.5, 0.2, 0.8])
rng = np.random.default_rng(3)
"""
#: Arrays of which nothing is watched.
ARRAYS = {
    "made": "z = np.arange(1.0, 5.0) * 1.0",
    "summed": "z = np.ones(4) + 0.5",
    "a view": "z = np.ones((2, 4))[1]",
    "reshaped": "z = np.arange(4.0).reshape(2, 2).ravel()",
    "from before": "z = c",
}
#: What looks at memory (to be called `w`), and how it writes to its first element.
LOOKERS = {
    "memoryview": ("w = memoryview(z)", "w[0] = 5.0"),
    "data": ("w = z.data", "w[0] = 5.0"),
    "ctypes": ("w = z.ctypes.data_as(ctypes.POINTER(ctypes.c_double))", "w[0] = 5.0"),
    "integers": ("w = z.view(np.int64)", "w[0] = 2**62 + 2**52"),
    "complex": ("w = z.view(complex)", "w[0] = 5.0 + 1.0j"),
    "a class": ("w = z.view(Own)", "w[0] = 5.0"),
    "part of a view": ("w = z.view(Own)[::2]", "w[0] = 5.0"),
    "a field": ("w = z.getfield(float)", "w[0] = 5.0"),
    "masked": ("w = np.ma.array(z, copy=False)", "w[0] = 5.0"),
    "a matrix": ("w = np.asmatrix(z)", "w[0, 0] = 5.0"),
    "a buffer": ("w = np.frombuffer(z)", "w[0] = 5.0"),
    "read into": ("w = z.data", "io.BytesIO(np.array([5.0]).tobytes()).readinto(w)"),
}
CASES = [
    pytest.param(array, *looker, id=f"{kind}, {name}")
    for kind, array in ARRAYS.items()
    for name, looker in LOOKERS.items()
]


@pytest.mark.parametrize(("array", "look", "write"), CASES)
def test_what_they_write_is_read_and_what_was_saved_stays(array, look, write):
    check(SETUP, f"{array}\ny = x * z\n{look}\n{write}\nout = np.sum(y) + x @ z\ndel w", "x")


@pytest.mark.parametrize(("array", "look", "write"), CASES)
def test_they_see_what_is_written(array, look, write):
    cell = f"{array}\n{look}\ny = x * z\nz[1] = 3.0\nz *= 2\nprint(w[0])\nout = np.sum(y) + x @ z"
    check(SETUP, f"{cell}\n{write}\nout = out + x @ (z * z)\ndel w", "x")


@pytest.mark.parametrize(("array", "look", "write"), CASES)
def test_no_traced_value_is_written_under_their_eyes(array, look, write):
    taped, _ = run_taped(SETUP, f"{array}\n{look}\nz[0] = x[0]", sources=(parse_path("x"),))
    error = taped["raised"]
    assert isinstance(error, UnsupportedWriteError)
    assert error.line == 3
    assert "looks at" in str(error)


@pytest.mark.parametrize(("array", "look", "write"), CASES)
def test_when_they_are_gone_it_is_an_array_again(array, look, write):
    check(SETUP, f"{array}\n{look}\n{write}\ndel w\nz[1] = x[0]\nout = np.sum(z * x)", "x")


def test_what_they_write_at_the_end_is_left():
    taped, _ = run_taped(SETUP, "c.data[0] = 7.0\nout = x.sum()", sources=(parse_path("x"),))
    assert taped["namespace"]["c"][0] == 7.0


def test_what_the_cell_leaves_shares_memory():
    cell = "z = np.zeros(4)\nw = z.view(np.int64)[1:]\nz[2] = 3.0\nout = x.sum()"
    taped, _ = run_taped(SETUP, cell, sources=(parse_path("x"),))
    assert_same_world(run_plain(SETUP, cell), taped)
    taped["namespace"]["z"][3] = 1.0
    assert taped["namespace"]["w"][2] == np.array([1.0]).view(np.int64)[0]


def test_a_large_array_that_is_written_to_is_refused():
    setup = SETUP + "big = np.ones(300_000)\n"
    cell = "y = x[0] * big\nw = memoryview(big)\ny = y * big\nw[0] = 5.0\nout = y.sum()"
    _, session = run_taped(setup, cell, sources=(parse_path("x"),))
    with pytest.raises(ChangedDataError):
        session.tape.gradient("out", ["x"])


@pytest.mark.parametrize("array", ARRAYS.values(), ids=ARRAYS)
@pytest.mark.parametrize(
    "draw",
    [
        "rng.random(out=z)",
        "rng.standard_normal(4, np.float64, z)",
        "rng.standard_exponential(out=z)",
        "rng.standard_gamma(2.0, out=z)",
    ],
)
def test_random_numbers_are_drawn_into_an_array(array, draw):
    loop = f"for i in range(3):\n    w = {draw}\n    y = y + x * z"
    check(SETUP, f"{array}\ny = x * z\n{loop}\nout = np.sum(y) + w @ x\nsame = w is z", "x")


def test_drawing_into_what_cannot_be_drawn_into_fails_as_in_numpy():
    setup = SETUP + "c.flags.writeable = False\n"
    for cell in ("rng.random(out=c)", "z = np.zeros(8)[::2]\nrng.random(out=z)"):
        taped, _ = run_taped(setup, cell, sources=(parse_path("x"),))
        assert_same_world(run_plain(setup, cell), taped)


@pytest.mark.parametrize("array", ARRAYS.values(), ids=ARRAYS)
def test_an_array_through_dlpack_is_a_view(array):
    check(SETUP, f"{array}\nw = np.from_dlpack(z)\nz[0] = x[1]\nout = w @ x", "x")
    check(SETUP, "z = np.from_dlpack(x * 2)\nout = z @ x", "x")
