"""Constants are called what the person calls them."""

from types import SimpleNamespace

import numpy as np
import pytest

from tapemagic.graph.known_arrays import KnownArrays

X = np.array([1.0, 2.0])
ZEROS = np.zeros(2)


def node(*constants, line=1):
    return SimpleNamespace(constants=constants, line=line, calls=(("", "cell", line),))


@pytest.mark.parametrize(
    ("text", "constants", "names"),
    [
        ("y = w * x", (None, X.copy()), ("", "x")),
        ("y = w * x + b", (ZEROS.copy(), X), ("b", "x")),
        ("y = w * x**2", (None, X**2), ("", "")),  # computed from it
        ("y = w * other", (None, X.copy()), ("", "")),  # its line speaks of something else
        ("y = w * x", (None, X.astype(np.float32)), ("", "")),
        ("y = w * 2.0", (None, 2.0), ()),
        ("", (None, X), ("", "")),
    ],
)
def test_an_operand_has_the_name_that_stands_in_its_line(text, constants, names):
    known = KnownArrays({"x": lambda: X, "b": lambda: ZEROS}, text)
    assert known.names(node(*constants)) == names


def test_an_array_that_is_gone_names_nothing():
    assert KnownArrays({"x": lambda: None}, "y = w * x").names(node(None, X)) == ()


def test_what_a_helper_function_is_given_has_the_name_that_its_caller_uses():
    inside = node(None, X.copy(), line=2)
    inside.calls = (("", "cell", 2), ("layer", "helpers.py", 1))
    assert KnownArrays({"x": lambda: X}, "%%tape w\ny = layer(w, x)").names(inside) == ("", "x")


def test_an_array_that_a_helper_function_names_itself(tmp_path):
    helpers = tmp_path / "helpers.py"
    helpers.write_text("def layer(w):\n    return w * x\n")
    inside = node(None, X.copy(), line=2)
    inside.calls = (("", "cell", 2), ("layer", str(helpers), 2))
    assert KnownArrays({"x": lambda: X}, "%%tape w\ny = layer(w)").names(inside) == ("", "x")
