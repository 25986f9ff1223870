"""The text of a program states what its inputs have to be, and checks it without us."""

import subprocess
import sys
import warnings

import numpy as np
import pytest

from tapemagic import GradientTape, Variable

X = np.arange(1.0, 7.0).reshape(2, 3)


def program_of(cell, **inputs):
    sources = [Variable(x, name=name) for name, x in inputs.items()]
    with GradientTape(persistent=True) as tape:
        target = cell(*sources)
    return tape.program(target, sources)


def alone(program, call):
    """Run a call of the text in a process of its own; return the last line of what it says."""
    text = f"{program}\nprint(value_and_gradient({call}))\n"
    done = subprocess.run(
        [sys.executable, "-I", "-c", text], capture_output=True, text=True, check=False
    )
    return (done.stdout or done.stderr).strip().splitlines()[-1]


def takes_one_element():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy will not do so for ever
        return np.ndim(np.float64(np.ones(1))) == 0


def in_place(x, s):
    y = x * s
    y[0] = np.exp(y[1] / 10)
    return np.sum(y)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("np.ones(4), 2.0", "OtherWay: another shape of x or s"),
        pytest.param(
            "np.ones(3), np.ones(1)",
            "OtherWay: another shape of x or s",
            marks=pytest.mark.skipif(takes_one_element(), reason="this NumPy makes a number of it"),
        ),
        ("[1, 2, 3], 2", "(np.float64(11.4918"),  # integers would have cut off what is written
    ],
)
def test_shapes_and_dtypes(call, said):
    assert alone(program_of(in_place, x=np.ones(3), s=2.0), call).startswith(said)


def test_a_mean_would_be_wrong_in_silence_for_more_elements():
    program = program_of(lambda x: np.mean(x**2), x=np.ones(3))
    assert alone(program, "np.ones(4)") == "OtherWay: another shape of x"


def test_shapes_of_large_constants():
    data = np.arange(300.0).reshape(100, 3)
    program = program_of(lambda w: np.mean(data @ w), w=np.ones(3))
    assert alone(program, "np.ones(3), constant_1=np.ones((5, 3))").startswith("OtherWay")


def test_many_inputs():
    names = [f"weights_of_layer_{i}" for i in range(12)]
    program = program_of(lambda *x: sum(map(np.sum, x)), **dict.fromkeys(names, np.ones((30, 4))))
    assert program()[0] == 12 * 120
    assert max(map(len, str(program).partition("shapes = ")[2].partition(":")[0].split("\n"))) < 100


def test_long_arrays_are_broken_into_lines():
    text = str(program_of(lambda w: np.sum(np.linspace(0, 1, 60) * w), w=2.0))
    assert max(len(row) for row in text.splitlines() if "#" not in row) <= 100
