import copy
import math
import sys

import numpy as np
import pytest
from autodiff.following import follow

from tapemagic import GradientTape, Variable
from tapemagic.autodiff.traced import TracedArray
from tapemagic.errors import LeavesTapeError

PROGRAMS = [
    # reductions
    "x.sum()", "A.sum(0)", "A.sum(axis=1, keepdims=True)", "T.sum((0, 2))", "x.prod()",
    "A.prod(1)", "A.mean()", "A.mean(axis=0)", "A.var(1)", "A.var(axis=0, ddof=1)",
    "A.std(axis=1)", "A.std(0, ddof=1, keepdims=True)", "A.min(1)", "A.max()", "A.max(axis=0)",
    "A.trace()", "A.trace(1)", "M.cumsum()", "A.cumsum(1)", "A.cumprod(axis=1)", "s.sum() * s",
    "A.sum(1, where=np.array([True, False, True]))", "A.max(1, initial=0.0)",
    # flat results
    "x * x.argmax()", "x * x.argmin()", "A * (x > -9).all()", "A * x.any()", "x[x.argsort()]",
    "x[(x > 0).nonzero()]", "x[x.argpartition(2)[:1]]", "x[np.array([-1.0, 0.1]).searchsorted(x)]",
    # shapes
    "A.reshape(3, 2)", "A.reshape((3, 2))", "A.reshape(-1)", "A.reshape(3, 2, order='F')",
    "A.T.reshape(6)", "A.transpose()", "T.transpose(2, 0, 1)", "T.transpose((1, 0, 2))",
    "A.transpose(None)", "A.ravel()", "A.ravel('F')", "A.T.ravel(order='K')", "A.flatten()",
    "A.flatten('F')", "A.T.flatten('A')", "T.swapaxes(0, 2)", "A[None].squeeze()",
    "A[None].squeeze(0)", "M.diagonal()", "M.diagonal(offset=1)", "A.repeat(2)", "A.repeat(2, 1)",
    "A.repeat([1, 0, 2], axis=1)", "s.reshape(1, 1)", "s.ravel()", "h * s.copy()",
    # selections
    "x.take([0, 2, 2])", "A.take([2, 0], axis=1)", "x.compress([True, False, True, True, False])",
    "A.compress([False, True], axis=0)", "x.clip(-0.5, 1.0)", "x.clip(min=0.0)",
    "x.clip(None, 0.5)",
    "(x * x).round(1) * x", "A.dot(r)", "A.dot(M)", "x.dot(y)",
    # copies and types
    "x.copy() * x", "A.T.copy()", "A.T.copy('K')", "x.astype(float) * x", "x.astype(complex) * x",
    "x * x.astype(int)", "x * x.astype(bool)", "(x + 1j * y).conj()", "(x + 1j * y).conjugate()",
    "x.conj() * x", "x.view() * x", "x.view(np.ndarray) * x", "x.view(np.float64) * x",
    "x.to_device('cpu') * x", "(x + 1j * y).astype(complex) * x",
    # Python numbers
    "x[2].item() * x", "x.item(2) * x", "A.item(1, 2) * x", "A.item((0, 1)) * x", "A.item(4) * x",
    "A.item(-1) * x", "s.item() * s", "x[:1].item() * x", "np.array(A.tolist()) * A",
    "sum([h, 1, 2], 0.5)", "sum([x, y, A[0, 0]], start=s)",
    "s.tolist() * s", "h.conjugate() * h", "abs((h + 1j * h).conjugate() * 1j + s)", "h * h.is_integer()",
    # in place
    "z = x * 1.0; w = z.astype(float); w[0] = s; z * w",
    "z = x * 1.0; w = z.astype(float, copy=False); w[0] = s; z * w",
    "z = x * 1.0; z.fill(s); z * x", "z = A * 1.0; z[0].fill(s); z * A", "z = x * y; z.sort(); z",
    "z = A * 1.0; z.sort(0); z", "z = A * 1.0; z.T.sort(kind='stable'); z",
    "z = x * y; w = z[1:4]; w.sort(); z", "z = x * y; z.partition(2); z[2] * x",
    "z = x * 1.0; z.put([0, 2], y[:2]); z", "z = A * 1.0; z.put([5, 0, -2], r); z * A",
    "z = x * 1.0; z.put(1, s); z * z", "z = x * 1.0; z.put([3], y[:1]); z * z",
    "z = x * 1.0; z.put([0, 1, 0], r); z", "z = x * 1.0; z.put([7, -9], r, mode='wrap'); z",
    "z = x * 1.0; z.put([7, -9], r, mode='clip'); z", "z = x * 1.0; z.put([0, 2], s); z * z",
    "z = x * 1.0; z.put([0, 1, 2, 3], [s, h]); z * z",
    "z = x * 1.0; z.resize(3); z * r", "z = x * 1.0; z.resize(2, 3); z * A",
    "z = A * 1.0; z.resize((4, 2)); z * z", "z = A * 1.0; v = z.T; z.resize(3, 2); v * z * z",
    "z = np.asfortranarray(A * 1.0); z.resize(3, 2); z * z", "z = A.T * 1.0; z.resize(2, 4); z * z",
    "z = (A * 1.0)[1:]; z.resize(3); z * r",
]  # fmt: skip

if sys.version_info < (3, 12):  # later `sum` rounds floats less, in cells only: test_namespace.py
    PROGRAMS.append("sum(x.tolist()) * s")


@pytest.mark.parametrize("text", PROGRAMS)
def test_method(text):
    follow(text)


def test_float32_stays():
    with GradientTape() as tape:
        x = tape.watch(np.array([1.0, 2.0], dtype=np.float32))
        y = x.astype(np.float64).sum()
    (gradient,) = [tape.gradient(y, x)]
    assert gradient.dtype == np.float32


@pytest.mark.parametrize(
    "call",
    [
        lambda x: x.tobytes(),
        lambda x: x.dumps(),
        lambda x: x.byteswap(),
        lambda x: x.getfield(np.float32),
        lambda x: x.view(np.int64),
        lambda x: x.view(np.matrix),
        lambda x: x[0].hex(),
        lambda x: x[0].as_integer_ratio(),
        lambda x: x.astype(object),
    ],
)
def test_bytes_are_refused(call):
    with GradientTape() as tape:
        x = tape.watch(np.array([1.0, 2.0])) * 2
        with pytest.raises(LeavesTapeError):
            call(x)


def test_written_array_is_refused_too():
    with GradientTape() as tape:
        x = tape.watch(np.array([1.0, 2.0]))
        z = x * 0.0
        z[0] = x[1]
        with pytest.raises(LeavesTapeError):
            z.tobytes()


@pytest.mark.parametrize(
    "call",
    [
        lambda x: x.reshape(4),
        lambda x: x.sum(3),
        lambda x: x.item(),
        lambda x: x.item(9),
        lambda x: x.fill([1.0, 2.0]),
        lambda x: x.put([9], 1.0),
        lambda x: x.sort(axis=2),
        lambda x: x.take([7]),
        lambda x: x.transpose(1, 0),
        lambda x: x.is_integer(),
        lambda x: pow(x, 2, 3),
        lambda x: pow(x[0], x[1], 3),
    ],
)
def test_errors_are_numpys(call):
    x = np.array([1.0, 2.0, 3.0])
    with pytest.raises(Exception) as expected:
        call(x.copy())
    with GradientTape() as tape:
        handle = tape.watch(x)
        with pytest.raises(type(expected.value)) as got:
            call(handle * 1.0)
    assert str(got.value) == str(expected.value)


def test_methods_of_the_plain_value():
    with GradientTape() as tape:
        number = tape.watch(0.5)
        assert not hasattr(number, "sum")
        assert hasattr(number, "hex")
        array = tape.watch(np.ones(2))
        assert hasattr(array, "sum")
        assert not hasattr(array, "hex")
        assert math.floor(number * 3) == 1
        assert math.ceil(number * 3) == 2
        assert math.trunc(number * 3) == 1


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.complex128])
def test_a_copy_of_a_number_is_another_number(kind):
    x = Variable(kind(1.5))
    with GradientTape() as tape:
        y = x * 1
        z = y.copy()
        assert z is not y
        assert z._value is not y._value
        assert type(z._value) is kind
        loss = np.real(z * z)
    np.testing.assert_allclose(tape.gradient(loss, x), 3.0)


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_a_number_answers_itself_where_numpy_does(kind):
    x = Variable(kind(1.5))
    with GradientTape() as tape:
        y = x * 1
        assert y.T is y
        assert y.real is y
        assert copy.copy(y) is y
        for other in (y.conj(), y.conjugate(), y.view(), y.copy()):
            assert other is not y
        before, also = x.T, copy.copy(x)  # of a variable: what it is now
        x.assign(2.0)
        loss = before * also * x
    assert loss == 1.5 * 1.5 * 2
    np.testing.assert_allclose(tape.gradient(loss, x), 2 * 1.5 * 2 + 1.5 * 1.5)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize(
    "take",
    [
        lambda x: x.item(1),
        lambda x: x[1].item(),
        lambda x: x.tolist()[1],
        lambda x: np.vectorize(lambda a: a * 1)(x)[1],
    ],
)
def test_elements_as_numbers_stay_on_the_tape(take, dtype):
    x = Variable(np.array([1.0, 3.0], dtype))
    with GradientTape() as tape:
        y = take(x) ** 2
    np.testing.assert_array_equal(tape.gradient(y, x), [0.0, 6.0])


def test_handles_have_no_getattr():
    """With one the interpreter would give up its short way to every attribute: operators by 37 %."""
    assert not any("__getattr__" in vars(cls) for cls in TracedArray.__mro__)
