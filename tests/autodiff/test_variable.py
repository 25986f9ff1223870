"""Variables: T23, and what a Variable is outside a tape."""

import copy
import pickle

import numpy as np
import pytest

import tapemagic
from tapemagic import GradientTape, Variable
from tapemagic.errors import VariableError


def test_t23_an_assignment_makes_a_plain_value():
    x = Variable(3.0)
    with GradientTape() as tape:
        y = x * x
        x = x + 1.0
    assert tape.gradient(y, x) is None
    assert not isinstance(x, Variable)


@pytest.mark.parametrize("statement", ["x += 1", "x -= 1", "x *= 2", "x /= 2", "x **= 2"])
def test_t23_in_place_operators_raise_with_advice(statement):
    space = {"x": Variable(3.0)}
    with pytest.raises(VariableError, match="assign"):
        exec(statement, space)
    assert space["x"].numpy() == 3.0


@pytest.mark.parametrize("statement", ["x[0] = 1.0", "x[:] += 1", "np.add(x, 1.0, out=x)"])
def test_t23_item_writes_raise(statement):
    space = {"x": Variable([3.0, 4.0]), "np": np}
    with pytest.raises(TypeError):
        exec(statement, space)
    np.testing.assert_array_equal(space["x"].numpy(), [3.0, 4.0])


def test_t23_each_read_counts_with_its_value():
    x = Variable(3.0)
    with GradientTape() as tape:
        y = x * x
        x.assign(10.0)
        z = x * x
        x.assign_add(1.0)
        w = x * 2.0
        x.assign_sub(5.0)
    assert x.numpy() == 6.0
    assert tape.gradient([y, z, w], x) == 6.0 + 20.0 + 2.0


def test_t23_assign_inside_and_a_gradient_of_the_first_read():
    x = Variable(3.0)
    with GradientTape() as tape:
        y = x * x
        x.assign(y)
    assert x.numpy() == 9.0
    assert tape.gradient(y, x) == 6.0


def test_assign_checks_the_shape_and_keeps_the_dtype():
    x = Variable(np.float32([1, 2]))
    x.assign([3.0, 4.0])
    assert x.dtype == np.float32
    with pytest.raises(ValueError, match="shape"):
        x.assign([1.0, 2.0, 3.0])


def test_assign_returns_the_variable():
    x = Variable(1.0)
    assert x.assign(2.0) is x
    assert x.assign_add(1.0).assign_sub(0.5) is x
    assert x.numpy() == 2.5


def test_the_initial_value_is_copied():
    plain = np.array([1.0, 2.0])
    x = Variable(plain)
    plain[0] = 9.0
    np.testing.assert_array_equal(x.numpy(), [1.0, 2.0])
    x.numpy()[0] = 9.0
    np.testing.assert_array_equal(x.numpy(), [1.0, 2.0])


def test_a_variable_made_of_a_traced_value_is_new():
    x = Variable(3.0)
    with GradientTape() as tape:
        y = Variable(x * 2.0)
        z = y * y
    assert tape.gradient(z, [x, y]) == [None, 12.0]


def test_views_of_a_variable():
    x = Variable([1.0, 2.0, 3.0])
    with GradientTape() as tape:
        y = np.sum(x[1:] ** 2) + x[0] * x.T[2]
    np.testing.assert_array_equal(tape.gradient(y, x), [3.0, 4.0, 7.0])


@pytest.mark.parametrize("write", ["view[0] = 7.0", "view *= 2", "view.fill(1.0)"])
def test_a_view_of_a_variable_does_not_reach_it(write):
    x = Variable([1.0, 2.0, 3.0])
    space = {"view": None}
    with GradientTape() as tape:
        space["view"] = x[:2]
        try:
            exec(write, space)
        except TypeError:
            return
        y = np.sum(space["view"]) + np.sum(x)
    np.testing.assert_array_equal(x.numpy(), [1.0, 2.0, 3.0])
    assert tape.gradient(y, x) is not None


def test_read_in_two_tapes_at_once_and_one_after_the_other():
    x = Variable(3.0)
    with GradientTape() as first:
        y = x * x
    with GradientTape() as second:
        z = x * 5.0
    assert first.gradient(y, x) == 6.0
    assert second.gradient(z, x) == 5.0


def test_a_value_of_an_older_tape_is_a_constant():
    x = Variable(3.0)
    with GradientTape() as first:
        y = x * x
    with GradientTape() as second:
        z = y * x
    assert second.gradient(z, x) == 9.0
    assert first.gradient(y, x) == 6.0


def test_repr_str_and_facts():
    x = Variable([1.0, 2.0], name="w")
    assert repr(x) == "Variable(array([1., 2.]))"
    assert str(x) == "[1. 2.]"
    assert (x.name, x.trainable, x.shape, x.dtype) == ("w", True, (2,), np.float64)
    assert len(x) == 2
    assert isinstance(x, np.ndarray)


def test_pickle_and_copies():
    x = Variable([1.0, 2.0], name="w", trainable=False)
    for other in (pickle.loads(pickle.dumps(x)), copy.copy(x), copy.deepcopy(x)):
        assert other is not x
        assert (type(other), other.name, other.trainable) == (Variable, "w", False)
        np.testing.assert_array_equal(np.asarray(other), [1.0, 2.0])


def test_as_a_dict_key():
    x, y = Variable(1.0), Variable(1.0)
    assert {x: "x", y: "y"}[x] in ("x", "y")


def test_in_plain_numpy_functions_outside_a_tape():
    x = Variable([1.0, 2.0])
    assert type(np.sum(x)) is np.float64
    assert type(np.sin(x)) is np.ndarray
    assert type(x + 1.0) is np.ndarray
    np.testing.assert_array_equal(np.asarray(x), [1.0, 2.0])
    assert float(tapemagic.Variable(2.0)) == 2.0


def test_t24_python_control_flow():
    x = Variable(3.0)
    with GradientTape(persistent=True) as tape:
        y = x
        while y < 50.0:
            y = y * y if y > 5.0 else y * 2.0
    assert y == 1296.0 / 1.0 or y == 36.0 * 36.0
    assert tape.gradient(y, x) == pytest.approx(4 * 16 * 27.0 / 1.0)


def test_t24_recursion_and_iteration():
    def power(x, n):
        return 1.0 if n == 0 else x * power(x, n - 1)

    x = Variable([2.0, 3.0])
    with GradientTape() as tape:
        y = sum(power(item, 3) for item in x)
    np.testing.assert_array_equal(tape.gradient(y, x), [12.0, 27.0])


def test_t24_unpacking_and_zip():
    x = Variable([2.0, 3.0])
    with GradientTape() as tape:
        a, b = x
        y = a * b + sum(p * q for p, q in zip(x, x, strict=True))
    np.testing.assert_array_equal(tape.gradient(y, x), [7.0, 8.0])


#: What NumPy answers with the very same array.
SAME_ARRAY = [
    "np.asarray(v)", "np.asanyarray(v)", "np.squeeze(v)", "v.squeeze()", "v.astype(float, copy=False)",
    "np.real(v)", "v.real", "v.conj()", "np.atleast_1d(v)", "v.to_device('cpu')", "np.require(v)",
    "np.ascontiguousarray(v)", "np.real_if_close(v)", "np.array(v, copy=None)",
    "np.broadcast_arrays(v)[0]", "np.asarray_chkfinite(v)", "np.ravel(v)", "v[...]", "v.T",
]  # fmt: skip


@pytest.mark.parametrize("text", SAME_ARRAY)
def test_a_read_keeps_its_value_when_the_variable_gets_another(text):
    v = Variable([1.0, 2.0])
    with GradientTape() as tape:
        read = eval(text)
        v.assign([5.0, 7.0])
        loss = np.sum(read * v)
    assert type(read) is not Variable
    assert loss == 1.0 * 5.0 + 2.0 * 7.0
    np.testing.assert_array_equal(tape.gradient(loss, v), [1 + 5, 2 + 7])


@pytest.mark.parametrize("text", SAME_ARRAY)
def test_a_read_without_a_tape_has_memory_of_its_own(text):
    v = Variable([1.0, 2.0])
    read = np.asarray(eval(text))
    if read.flags.writeable:
        read[0] = 9.0
    np.testing.assert_array_equal(v.numpy(), [1.0, 2.0])
