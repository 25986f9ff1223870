"""Gradients against finite differences: right ones pass, wrong ones do not, and it says when blind."""

import numpy as np
import pytest

import tapemagic
from tapemagic import GradientTape, Variable, check_gradient, custom_gradient

MANY = np.random.default_rng(1).normal(size=40_000)
FEW = np.array([0.3, -1.2, 2.0])

RIGHT = {
    "smooth": (lambda x: np.sum(np.sin(x) * x), FEW),
    "0-d": (lambda x: np.exp(x) * x, np.float64(0.3)),
    "a kink elsewhere": (lambda x: np.sum(np.abs(x)), FEW),
    "complex": (lambda z: np.sum(np.abs(z * z) ** 2), np.array([1 + 2j, 0.5 - 1j])),
    "single": (lambda x: np.sum(np.tanh(x)), FEW.astype(np.float32)),
    "half": (lambda x: np.sum(x * x), FEW.astype(np.float16)),
    "many": (lambda x: np.sum(np.cos(x) * x), MANY),
    "many kinks": (lambda x: np.sum(np.clip(x, -0.5, 0.5)), MANY),
    "many kinks in single": (lambda x: np.sum(np.clip(x, -0.5, 0.5)), MANY.astype(np.float32)),
    "branches that meet": (lambda x: np.sum(np.where(x > 2, x * x, 2 * x)), MANY),
    "sorted": (lambda x: np.sum(np.sort(x)[:100] ** 2), MANY),
    "rounded to single on the way": (lambda x: np.sum(np.sin(x).astype(np.float32)), FEW),
    "of other sizes": (lambda x: np.sum(np.log(x)), np.array([100.0, 0.01, 1.0])),
    "near the end of the domain": (lambda x: np.sum(np.sqrt(x) + 1 / x), np.array([0.001, 2.0])),
    "beside a large one": (lambda x: np.sin(x[0]) + x[1], np.array([0.1, 1e4])),
    "a factor": (lambda x: np.sum(np.linalg.cholesky(x)), np.array([[0.2, 0.1], [0.1, 0.5]])),
    "a factor in single": (
        lambda x: np.sum(np.linalg.cholesky(x)), np.array([[0.2, 0.1], [0.1, 0.5]], np.float32)
    ),
    "kinks in single": (lambda x: np.sum(np.abs(x) + np.maximum(x, 1)), FEW.astype(np.float32)),
    "a gradient that cancels": (
        lambda x: np.sum(np.linalg.eigvalsh(x + x.T)), np.float32([[1, 0.3], [0.2, 2]])
    ),
    "beside nan": (lambda x: np.nansum(x**3), np.array([1.0, np.nan, 2.0])),
    "beside inf": (lambda x: np.sum(np.where(np.isinf(x), 0, x**3)), np.array([1.0, np.inf])),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_right_gradient_agrees(name):
    fun, x = RIGHT[name]
    check = check_gradient(fun, x)
    assert check, str(check)
    assert not check.unclear
    assert "gradient agrees with finite differences (" in str(check)


@pytest.mark.parametrize(
    ("fun", "x", "unclear"),
    [
        (lambda x: np.sum(np.sqrt(x)), np.array([0.0, 4.0]), 1),  # the derivative is infinite
        (lambda x: np.sum(np.floor(x) * x), np.array([2.0, 3.5]), 1),  # a jump
        (lambda x: np.sum(np.where(x > 2, x * x, 5 * x)), np.array([2.0, 3.5]), 1),
    ],
)
def test_one_element_that_cannot_be_told_leaves_the_others(fun, x, unclear):
    check = check_gradient(fun, x)
    assert check
    assert (check.count, check.unclear) == (len(x), unclear)
    assert str(check).endswith(f"; {unclear} of {len(x)} comparisons were too rough to tell")


def within_a_table(x):
    """Have checks of its own, and a table: neither takes what is far from the run."""
    assert abs(np.sum(x) - 1.1) < 1e-2
    np.testing.assert_allclose(np.max(x), 2.0, rtol=0.01)
    return np.sum(x**2) * [0.5, 1.5, 2.5][int(x[0] * 6)]


def test_errors_of_the_function_at_places_away_from_the_run_are_no_errors_of_the_check():
    check = check_gradient(within_a_table, FEW)
    assert check.ok
    assert check.unclear < check.count
    wrong = custom_gradient(lambda x: (np.sum(x**2), lambda ct: ct * x))
    assert not check_gradient(lambda x: wrong(x) + 0 * within_a_table(x), FEW).ok


def test_a_nan_is_no_gradient():
    wrong = custom_gradient(lambda x: (x * x, lambda ct: ct * np.array([np.nan, 1.0])))
    check = check_gradient(lambda x: np.sum(wrong(x)), np.array([1.0, 0.5]))
    assert [row[0] for row in check.rows] == ["argument 0[0]"]


@pytest.mark.parametrize("x", [np.zeros(0), np.array([np.nan])])
def test_nothing_to_compare(x):
    assert "no gradient to be compared" in str(check_gradient(lambda x: np.sum(x), x))


def test_a_target_that_hangs_on_nothing():
    x = Variable(FEW)
    with GradientTape(persistent=True) as tape:
        y = np.sum(x * 2.0)
    assert tape.gradient(np.float64(3.0), x) is None
    assert "no gradient to be compared" in str(tape.check())
    assert tape.gradient(y, x) is not None


@pytest.mark.parametrize("size", [3, 12, 100, 10_000])
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize(
    "fun",
    [
        lambda x, dtype: np.sum(x.astype(dtype) ** 2),
        lambda x, dtype: np.mean(x * x, dtype=dtype),
        lambda x, dtype: np.sum(np.maximum(x.astype(dtype), 0)),
        lambda x, dtype: np.sum(x.astype(dtype)),
    ],
)
def test_doubles_that_are_computed_with_in_single(fun, dtype, size):
    x = np.random.default_rng(3).standard_normal(size)
    assert check_gradient(lambda x: fun(x, dtype), x)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("write", ["s -= z[:-1] * 0.5", "z[1:] += z[:-1]", "z[::2] *= 3.0"])
def test_writes_through_views_are_checked_in_their_own_precision(write, dtype):
    v = Variable(np.array([1.0, 2.0, 3.0, 4.0], dtype))
    with GradientTape(persistent=True) as tape:
        z = v * 1
        names = {"z": z, "s": z[1:]}
        exec(write, names)
        y = np.sum(names["z"] * names["z"])
    tape.gradient(y, v)
    check = tape.check()
    assert check, str(check)
    assert check.count - check.unclear == 4


def off_by(factor, fun, derivative):
    """A function whose pullback is wrong."""
    return custom_gradient(lambda x: (fun(x), lambda ct: factor * ct * derivative(x)))


WRONG = {
    "few": (np.sin, np.cos, FEW, 1.001),
    "many": (np.sin, np.cos, MANY, 1.001),
    "many kinks": (lambda x: np.clip(x, -0.5, 0.5), lambda x: abs(x) < 0.5, MANY, 1.001),
    "single": (np.sin, np.cos, FEW.astype(np.float32), 1.05),
    "many in single": (np.sin, np.cos, MANY.astype(np.float32), 1.05),
    "complex": (lambda z: z * z, lambda z: 2 * np.conj(z), np.array([1 + 2j, 0.5 + 1j]), 1.001),
    "of the wrong sign": (np.abs, lambda x: -np.sign(x), FEW, 1.0),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_gradient_is_found(name):
    fun, derivative, x, factor = WRONG[name]
    wrong = off_by(factor, fun, derivative)
    check = check_gradient(lambda x: np.sum(np.real(wrong(x))), x)
    assert not check
    assert len(check.rows) == check.count - check.unclear > 0
    assert f"differs from finite differences in {len(check.rows)} of {check.count}" in str(check)
    # and the rows say what it should have been
    for _, found, difference, error in check.rows:
        assert found / factor == pytest.approx(difference * (-1) ** (factor == 1), rel=2e-3), error


def test_it_says_when_it_cannot_tell():
    check = check_gradient(lambda x: np.sum(np.sign(np.sin(1e9 * x)) + x), MANY)
    assert check.unclear == check.count == 16
    assert str(check).startswith("finite differences cannot check this gradient: 16 of 16")


def test_a_tape_checks_what_it_recorded():
    x, y = Variable(MANY, name="x"), Variable(np.float32(0.5), name="y")
    with GradientTape(persistent=True) as tape:
        loss = np.sum(np.maximum(x, y) * x)
    tape.gradient(loss, [x, y])
    check = tape.check()
    assert check
    assert check.count == 17
    assert check.worst < 1e-3


def test_a_function_that_refuses_double_is_checked_as_it_is():
    def picky(x):
        if x.dtype != np.float32:
            raise TypeError("single precision, please")
        return np.sum(x * x)

    assert tapemagic.check_gradient(picky, FEW.astype(np.float32))


@pytest.mark.parametrize("cut", [custom_gradient, tapemagic.checkpoint])
def test_a_tape_checks_functions_with_gradients_of_their_own(cut):
    def double(x, factor, *, offset):
        y = factor * x + offset
        return y if cut is tapemagic.checkpoint else (y, lambda ct: (5 * ct, None))

    weights = Variable(FEW)
    with GradientTape(persistent=True) as tape:
        if cut is tapemagic.checkpoint:
            loss = np.sum(cut(lambda x, k: double(x, k, offset=1.0))(weights, 2.0) ** 2)
        else:
            loss = np.sum(cut(double)(weights, 2.0, offset=1.0))
    tape.gradient(loss, weights)
    check = tape.check()
    assert bool(check) == (cut is tapemagic.checkpoint)
    if not check:
        assert "\n  weights[0]: 5, by differences 2" in str(check)


def test_the_rows_are_named_as_the_person_names_them():
    names = {"np": np, "Variable": Variable, "GradientTape": GradientTape,
             "wrong": off_by(1.5, np.sin, np.cos)}  # fmt: skip
    exec(
        "weights = Variable([0.5, 0.25])\n"
        "with GradientTape() as tape:\n    loss = np.sum(wrong(weights))\n"
        "tape.gradient(loss, weights)\ncheck = tape.check()\n",
        names,
    )
    assert [row[0] for row in names["check"].rows] == ["weights[0]", "weights[1]"]


def test_a_picture_does_not_call_functions_of_the_person_again():
    calls = []

    @custom_gradient
    def watched(x):
        calls.append(1)
        return x * 2, lambda ct: 2 * ct

    large = Variable(np.ones(5000))  # the tape keeps small values only
    with GradientTape(persistent=True) as tape:
        before = large + 1.0
        loss = np.sum(watched(before) + 1.0)
    tape.gradient(loss, large)
    nodes = {node.op: node for node in tape.nodes()}
    assert len(calls) == 1
    assert nodes["custom"].value is None
    first = next(node for node in tape.nodes() if node.op == "add")
    assert np.array_equal(first.value, np.full(5000, 2.0))  # what does not hang on it is there
