"""Operands that are no arrays: what NumPy looks into, objects, and classes with ufuncs of their own."""

import array
import operator
from collections import deque

import numpy as np
import pytest

from tapemagic import GradientTape, Variable
from tapemagic.autodiff.calls.dispatch import plain
from tapemagic.errors import TapeError

NUMBERS = np.array([3.0, 2.0])


class WithArray:
    def __array__(self, dtype=None, copy=None):
        return NUMBERS


class WithInterface:
    __array_interface__ = NUMBERS.__array_interface__


class WithItems:
    def __len__(self):
        return 2

    def __getitem__(self, i):
        return NUMBERS.tolist()[i]


LIKE_ARRAYS = {
    "range": range(3, 1, -1), "deque": deque([3.0, 2.0]), "array": array.array("f", [3.0, 2.0]),
    "memoryview": memoryview(array.array("d", [3.0, 2.0])),
    "__array__": WithArray(), "interface": WithInterface(), "items": WithItems(),
}  # fmt: skip
CALLS = {
    "x * o": operator.mul, "o * x": lambda x, o: o * x, "x - o": operator.sub,
    "o - x": lambda x, o: o - x, "x ** o": operator.pow, "o ** x": lambda x, o: o**x,
    "x @ o": operator.matmul, "o @ x": lambda x, o: o @ x,
    "o / x[1]": lambda x, o: o / x[1], "multiply": np.multiply,
    "hypot": lambda x, o: np.hypot(o, x), "dot": np.dot, "imul": operator.imul,
    "vecdot": lambda x, o: np.matvec(np.ones((2, 2)) * x, o) if hasattr(np, "matvec") else x * 1.0,
}  # fmt: skip


@pytest.mark.parametrize("operand", LIKE_ARRAYS)
@pytest.mark.parametrize("call", CALLS)
def test_what_numpy_looks_into_is_an_operand(call, operand):
    values, function = np.array([1.5, 0.5]), CALLS[call]

    def run(o):
        x = Variable(values)
        with GradientTape() as tape:
            y = function(x * 1.0, o)
            target = np.sum(y * y)
        return np.asarray(plain(y)), tape.gradient(target, x)

    other = LIKE_ARRAYS[operand]
    wanted = function(values.copy(), other)
    y, slope = run(other)
    assert y.dtype == wanted.dtype
    np.testing.assert_array_equal(y, wanted)
    np.testing.assert_array_equal(slope, run(np.asarray(other))[1])


@pytest.mark.parametrize("call", ["x * o", "multiply", "dot"])
def test_what_changes_later_was_kept_as_it_was(call):
    x, other = Variable([1.0, 2.0]), deque([3.0, 2.0])
    with GradientTape() as tape:
        y = np.sum(CALLS[call](x * 1.0, other))
        other[0] = 100.0
    np.testing.assert_array_equal(tape.gradient(y, x), [3.0, 2.0])


def test_a_deque_of_traced_values_is_followed():
    x = Variable([1.0, 2.0])
    with GradientTape() as tape:
        y = np.sum(x * deque([x[1], x[0]]))
    np.testing.assert_array_equal(tape.gradient(y, x), [4.0, 2.0])


# ---------------------------------------------------------------------------------- objects


class Dual:
    """A number of the user's own, as in many a tutorial."""

    def __init__(self, value):
        self.value = value

    def __mul__(self, other):
        return Dual(self.value * other)

    __rmul__ = __mul__

    def __rsub__(self, other):
        return Dual(other - self.value)


@pytest.mark.parametrize(
    ("call", "slope"),
    [(lambda v: v * Dual(3.0), 3.0), (lambda v: Dual(3.0) * v, 3.0), (lambda v: v - Dual(3.0), 1)],
)
@pytest.mark.parametrize("number", [np.float64(1.5), np.float32(1.5), np.array(1.5), 1.5j, 1.5])
def test_an_object_is_given_the_number_that_numpy_gives_it(call, slope, number):
    with GradientTape() as tape:
        x = tape.watch(number)
        y = call(x).value
        target = np.imag(y) if np.iscomplexobj(number) else y
    wanted = call(number).value
    assert type(plain(y)) is type(wanted)
    assert plain(y) == wanted
    assert abs(tape.gradient(target, x)) == slope


@pytest.mark.parametrize("call", [lambda x: x * Dual(3.0), lambda x: x - Dual(3.0)])
def test_an_array_of_objects_is_refused(call):
    x = Variable([1.0, 2.0])
    with GradientTape(), pytest.raises(TapeError, match=r"class Dual element by element") as error:
        call(x * 1.0)
    assert error.value.line is not None
    assert error.value.fix


@pytest.mark.parametrize("other", [None, "text", {}, {1.0}, object()])
def test_what_numpy_refuses_is_refused_in_its_words(other):
    x = Variable([1.0, 2.0])
    with pytest.raises(TypeError) as wanted:
        np.array([1.0, 2.0]) + other
    with GradientTape(), pytest.raises(TypeError) as error:
        x * 1.0 + other
    assert str(error.value) == str(wanted.value)


# ------------------------------------------------------------------ ufuncs of somebody else's


class Length(np.lib.mixins.NDArrayOperatorsMixin):
    """An array with a unit, by NumPy's protocols."""

    def __init__(self, value):
        self.value = value

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **kwargs):
        plain = [x.value if isinstance(x, Length) else x for x in inputs]
        if out is not None:
            kwargs["out"] = tuple(x.value if isinstance(x, Length) else x for x in out)
        return Length(getattr(ufunc, method)(*plain, **kwargs))

    def __array_function__(self, fun, types, args, kwargs):
        return fun(*(x.value if isinstance(x, Length) else x for x in args), **kwargs)


UFUNCS = [
    lambda x, o: x * o, lambda x, o: o * x, lambda x, o: x - o, lambda x, o: x @ o,
    lambda x, o: np.multiply(x, o), lambda x, o: np.arctan2(o, x), lambda x, o: np.hypot(x, o),
    lambda x, o: np.add(x, o, dtype=float), lambda x, o: x[0] * o,
    lambda x, o: Length(np.dot(x, o)), lambda x, o: Length(np.where([True, False], x, o)),
    lambda x, o: np.maximum.outer(x, o), lambda x, o: x**o,
]  # fmt: skip


@pytest.mark.parametrize("call", UFUNCS)
def test_a_class_with_ufuncs_of_its_own_is_asked(call):
    values, x = np.array([1.5, 0.7]), Variable([1.5, 0.7])
    with GradientTape() as tape:
        y = call(x * 1.0, Length(NUMBERS))
        target = np.sum(y.value * y.value)
    assert type(y) is Length
    np.testing.assert_array_equal(plain(y.value), call(values, Length(NUMBERS)).value)
    with GradientTape() as other:
        same = call(x * 1.0, Length(Variable(NUMBERS)))
        same = np.sum(same.value * same.value)
    np.testing.assert_allclose(tape.gradient(target, x), other.gradient(same, x))
