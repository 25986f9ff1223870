"""Memory that somebody else looks at: both sides see what NumPy's would, or the write is refused."""

import numpy as np
import pytest

from tapemagic.errors import ChangedDataError, UnsupportedWriteError
from tapemagic.notebook.arguments import parse_path
from tests.notebook.both_runs import check
from tests.notebook.worlds import assert_same_world, run_plain, run_taped

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


OWNERS = {
    "a bytearray": "b = bytearray(c.tobytes())",
    "an array.array": "b = array.array('d', c)",
    "ctypes": "b = (ctypes.c_double * 4)(*c)",
}
#: The array on that memory, before the cell or made in it, and how the owner writes to it.
ON_FOREIGN = {
    "before": ("{owner}\nz = np.frombuffer(b)", ""),
    "in the cell": ("{owner}", "z = np.frombuffer(b)\n"),
    "a view, in the cell": ("{owner}", "z = np.frombuffer(b)[:3]\n"),
}
FOREIGN = [
    pytest.param(owner, before, inside, id=f"{kind}, {name}")
    for kind, owner in OWNERS.items()
    for name, (before, inside) in ON_FOREIGN.items()
]
THROUGH_OWNER = "memoryview(b).cast('B')[:8] = np.array([5.0]).tobytes()"


@pytest.mark.parametrize(("owner", "before", "inside"), FOREIGN)
def test_memory_of_another_object_is_shared_with_it(owner, before, inside):
    cell = (
        f"{inside}v = x[:len(z)]\ny = v * z\n{THROUGH_OWNER}\nz[1] = 3.0\nz *= 2\n"
        "out = y.sum() + (v * z).sum() * np.frombuffer(bytes(b))[1]"
    )
    check(SETUP + before.format(owner=owner), cell, "x")


@pytest.mark.parametrize(("owner", "before", "inside"), FOREIGN)
def test_no_traced_value_is_written_into_memory_of_another_object(owner, before, inside):
    setup = SETUP + before.format(owner=owner)
    taped, _ = run_taped(setup, f"{inside}z[0] = x[0]", sources=(parse_path("x"),))
    assert isinstance(taped["raised"], UnsupportedWriteError)
    assert "an object that is no array" in str(taped["raised"])


def test_a_watched_array_on_memory_of_another_object_is_not_written_to():
    setup = f"{SETUP}b = bytearray(c.tobytes())\nz = np.frombuffer(b)"
    taped, session = run_taped(setup, "out = np.sum(z**2)", sources=(parse_path("z"),))
    assert taped["raised"] is None
    session.differentiate()
    np.testing.assert_array_equal(session.gradients[0], [1.0, 3.0, 0.4, 1.6])
    for write in ("z -= 0.1 * z", "z[0] = 3.0", "y = z * 2\nz[:2] = 0.0"):
        taped, _ = run_taped(setup, write, sources=(parse_path("z"),))
        assert isinstance(taped["raised"], UnsupportedWriteError)


def test_traced_values_are_written_into_arrays_of_files(tmp_path):
    setup = f"{SETUP}z = np.memmap({str(tmp_path / 'numbers')!r}, float, 'w+', shape=4)"
    check(setup, "z[0] = x[0]\nout = np.sum(z * x)", "x")
