"""Local derivatives on the node: numbers put in, the value unchanged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapemagic.display.formulas import local_derivatives, plugged


@pytest.mark.parametrize(
    ("formulas", "constants", "shown"),
    [
        (("x2", "x1"), ("", "2"), ["∂x1: 2"]),
        (("x2", "x1"), ("-3", ""), ["∂x2: -3"]),
        (("1 / x2", "-y / x2"), ("", ""), ["∂x1: 1 / x2", "∂x2: -y / x2"]),
        (("x2 * x1**(x2 - 1)", "y * log(x1)"), ("", "3"), ["∂x1: 3 * x1 ** 2"]),
        (("1", "-1"), ("", ""), []),
        (("", "x1"), ("", ""), ["∂x2: x1"]),
        (("x2", "x1"), ("", "array (3, 2)"), ["∂x1: x2"]),
        (("1 where x1 > x2", "1 where x2 > x1"), ("", "0"), ["∂x1: 1 where x1 > 0"]),
    ],
)
def test_shown(formulas, constants, shown):
    assert local_derivatives(formulas, constants) == shown


@pytest.mark.parametrize(
    "formula", ["x2 * x1 ** (x2 - (x2 != 0))", "x1 - x2 * 2 + x2", "(x2 == 3) * x1", "-x2 / x1"]
)
@given(st.integers(-4, 4), st.floats(0.5, 3))
def test_the_value_is_that_of_the_formula(formula, known, x1):
    shorter = plugged(formula, {"x2": float(known)})
    assert "x2" not in shorter
    assert eval(shorter, {"x1": x1}) == pytest.approx(eval(formula, {"x1": x1, "x2": known}))


def test_what_is_not_an_expression_stays():
    assert plugged("sum of the row", {"x2": 1.0}) == "sum of the row"
