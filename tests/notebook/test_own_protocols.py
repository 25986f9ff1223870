"""Classes of the user's that Python or NumPy asks for a number or an array: the value stays."""

import pytest

from tapemagic.errors import LeavesTapeError
from tapemagic.notebook.arguments import parse_path
from tests.notebook.both_runs import check
from tests.notebook.worlds import assert_same_world, run_plain, run_taped

SETUP = """
import math
import numpy as np
class Wrapped:
    def __init__(self, a):
        self.a = a
    def __array__(self, dtype=None, copy=None):
        print("asked", dtype, copy)
        return np.asarray(self.a, dtype=dtype)
class Quantity:
    def __init__(self, a):
        self.a = a
    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        given = [x.a if isinstance(x, Quantity) else x for x in inputs]
        return Quantity(getattr(ufunc, method)(*given, **kwargs))
x = np.array([0.7, 1.3, 0.4])
"""
NUMBER = """
class Number:
    def __init__(self, value):
        self.value = value
    def __float__(self):
        return float(self.value)
    def __complex__(self):
        return complex(self.value)
"""
CELLS = [
    "out = float(Number(x[0] * 2)) * x[1]",
    "out = complex(Number(x.sum())).real ** 2",
    "out = math.sin(Number(x[1])) + math.atan2(Number(x[0]), 2.0)",
    "out = float(Number(2.5)) * x.sum() + math.sqrt(Number(4.0))",
    "out = np.asarray(Wrapped(x)) * x",
    "y = np.array(Wrapped(x * 2), dtype=complex)\nout = y.real @ np.ones(3)",
    "out = np.array(Wrapped(x))\nout[0] = 2.0",
    "out = x * Wrapped(x)",
    "out = Wrapped(x[::-1]) - x * 3",
    "out = np.ones(3) @ Wrapped(x)",
    "out = np.asarray(Wrapped([1.0, 2.0, 3.0])) * x",
    "out = (x * Quantity(x)).a",
    "out = (2.0 / Quantity(x)).a if hasattr(Quantity, '__rtruediv__') else (x / Quantity(2.0)).a",
    "out = np.exp(Quantity(x)).a",
    "y = x @ Quantity(np.ones(3))\nout = y.a * x",
]


@pytest.mark.parametrize("cell", CELLS)
def test_the_value_stays_on_the_tape(cell):
    check(SETUP, NUMBER * ("Number" in cell) + cell, "x")


@pytest.mark.parametrize(
    "cell",
    [
        "float(Number('1.5'))",
        "float(Number([1.0]))",
        "math.sin(Number('a'))",
        "x.sum(axis=0, foo=1)",
        "x * Quantity('a')",
    ],
)
def test_errors_are_pythons_own(cell):
    cell = NUMBER + cell
    taped, _ = run_taped(SETUP, cell, sources=(parse_path("x"),))
    assert_same_world(run_plain(SETUP, cell), taped)
    assert taped["raised"] is None or taped["raised"].__context__ is None


@pytest.mark.parametrize(
    "cell",
    [
        "out = statistics.median([float(x[0]), 1, 2]) * x",
        "out = statistics.median([float(x[0]), 0, 1]) * x",
        "out = statistics.harmonic_mean([float(x[0]), 2, 1]) * x",
    ],
)
def test_averages_among_integers(cell):
    check(SETUP + "import statistics\n", cell, "x")


def test_the_harmonic_mean_of_a_zero_is_refused():
    cell = "out = statistics.harmonic_mean([float(x[0]), 0.0, 1.0]) * x"
    taped, _ = run_taped(SETUP + "import statistics\n", cell, sources=(parse_path("x"),))
    assert isinstance(taped["raised"], LeavesTapeError)
