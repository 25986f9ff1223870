"""The general way of carrying out a call: operands of every kind, keywords, results."""

import operator

import numpy as np
import pytest

import tapemagic
from tapemagic import GradientTape, Variable
from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.primitives import RULES, general
from tapemagic.autodiff.twins.modules import numpy_twin

OTHERS = [
    2, 2.5, np.float64(1.5), np.float32(1.5), np.int64(3), np.array([2.0, 3.0]), np.array([2, 3]),
    np.array([[1.5], [2.5]]), np.float32([1, 2]), [2.0, 3.0], (2.0, 3.0), True, np.array(2.0),
    np.ones((0, 2)), 1 + 2j, np.array([1j, 2.0]), np.array([True, False]),
]  # fmt: skip
NUMPY_21 = hasattr(np, "unstack")
SHAPE = {"shape" if NUMPY_21 else "newshape": (2, 1)}  # np.reshape's name for it
OPERATORS = [
    operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.matmul,
    operator.mod, operator.floordiv,
]  # fmt: skip


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("other", OTHERS, ids=lambda other: repr(other)[:24])
@pytest.mark.parametrize("operate", OPERATORS, ids=lambda one: one.__name__)
@pytest.mark.parametrize("plain", [np.array([0.5, 1.5]), np.float64(0.5), 0.5], ids=repr)
def test_operators_give_numpys_values_types_and_errors(operate, other, plain, swapped):
    args = (other, plain) if swapped else (plain, other)
    with np.errstate(all="ignore"):
        try:
            wanted = operate(*args)
        except Exception as error:
            wanted = error
        with GradientTape(persistent=True) as tape:
            x = tape.watch(plain)
            args = (other, x) if swapped else (x, other)
            if isinstance(wanted, Exception):
                with pytest.raises(type(wanted)):
                    operate(*args)
                return
            y = operate(*args)
        got = dispatch.plain(y)
        assert type(got) is type(wanted)
        if operate is operator.pow and swapped and isinstance(other, np.ndarray | np.generic):
            if np.asarray(wanted).dtype == np.float32 and not NUMPY_21:
                return  # that short way took a np.float64 for a Python number
            # ``plain ** t`` reaches us as np.power, which has no short way for a square root
            np.testing.assert_allclose(got, wanted, rtol=1e-14)
        else:
            np.testing.assert_array_equal(got, wanted)
        assert np.asarray(got).dtype == np.asarray(wanted).dtype
        gradient = tape.gradient(y, x, unconnected_gradients="zero")
    assert np.shape(gradient) == np.shape(plain)
    single = np.asarray(wanted).dtype == np.float32  # too coarse for differences
    if operate in (operator.mod, operator.floordiv, operator.matmul) or np.iscomplexobj(wanted):
        return
    if single or not np.all(np.isfinite(wanted)) or np.asarray(other).dtype == bool:
        return
    step = 1e-6
    moved = []
    for h in (step, -step):
        args = (other, plain + h) if swapped else (plain + h, other)
        moved.append(np.sum(operate(*args)))
    wanted_slope = (moved[0] - moved[1]) / (2 * step)
    assert np.sum(gradient) == pytest.approx(wanted_slope, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.sum(a=x), lambda x: np.sum(x, axis=None), lambda x: np.add(x, x, dtype=float),
        lambda x: np.concatenate((x, x), axis=0), lambda x: np.mean(x, keepdims=True),
        lambda x: np.where(x > 0, x=None, y=None) if False else np.where(x > 0, x, 0.0),
        lambda x: np.dot(b=x, a=x), lambda x: np.clip(x, a_min=0.0, a_max=None),
        lambda x: np.take(x, indices=[0, 1]), lambda x: np.linalg.norm(x, ord=2),
        lambda x: np.reshape(x, order="F", **SHAPE), lambda x: np.stack(arrays=[x, x]),
    ],
)  # fmt: skip
def test_keywords(call):
    plain = np.array([0.5, 1.5])
    with GradientTape() as tape:
        x = tape.watch(plain.copy())
        y = call(x)
    np.testing.assert_array_equal(dispatch.plain(y), call(plain))
    assert tape.gradient(y, x) is not None


def test_unknown_objects_get_their_turn():
    class Other:
        def __radd__(self, other):
            return "mine"

    with GradientTape():
        assert Variable(1.0) * 1.0 + Other() == "mine"


def test_a_subclass_of_ndarray_as_an_operand():
    matrix = np.ma.masked_array([1.0, 2.0], [False, True])
    x = Variable([1.0, 2.0])
    with GradientTape() as tape:
        try:
            y = np.sum(x * matrix)
        except (tapemagic.errors.TapeError, TypeError):
            return
    if not isinstance(y, np.ma.core.MaskedConstant):
        assert tape.gradient(y, x) is not None


def test_lists_of_traced_values_are_arrays():
    x = Variable([1.0, 2.0])
    with GradientTape() as tape:
        y = np.sum(np.stack([x[0], x[1]]) * [x[1], x[0]])
    np.testing.assert_array_equal(tape.gradient(y, x), [4.0, 2.0])


def test_named_tuples_of_results():
    a = Variable(np.array([[2.0, 1.0], [1.0, 3.0]]))
    with GradientTape() as tape:
        result = np.linalg.eigh(a)
        y = np.sum(result.eigenvalues**2)
    # the lower triangle alone is read
    np.testing.assert_allclose(tape.gradient(y, a), [[4.0, 0.0], [4.0, 6.0]], atol=1e-12)


def test_the_same_array_comes_back():
    x = Variable([1.0, 2.0])
    with GradientTape():
        t = x * 1.0
        assert numpy_twin.asarray(t) is t
        assert t[...] is not t


def test_a_rule_of_any_number_of_arrays_sees_both_of_two(monkeypatch):
    def mixed(*arrays):
        return arrays[0] * arrays[-1]

    monkeypatch.setitem(RULES, mixed, None)  # gone afterwards
    general(mixed, variadic=lambda i, ct, y, *arrays: ct * arrays[len(arrays) - 1 - i])
    a, b = Variable(np.arange(1.0, 101.0)), Variable(np.arange(2.0, 102.0))
    with GradientTape() as tape:
        y = dispatch.call(mixed, (a * 1, b * 1), {})
    for got, wanted in zip(tape.gradient(y, [a, b]), (b._value, a._value), strict=True):
        np.testing.assert_array_equal(got, wanted)
