import numpy as np
import pytest
from autodiff.following import follow, fresh_inputs

from tapemagic import GradientTape, Variable
from tapemagic.errors import UnsupportedWriteError

PROGRAMS = [
    # keywords
    "np.add(x, y, dtype=np.float64) * x", "np.multiply(x, 2, dtype=float)",
    "np.sqrt(x, dtype=complex)", "np.arccos(0.5 * x, dtype=complex)", "np.exp(x, casting='safe')",
    "np.add(A, r, order='F')", "np.add(x, y, subok=False)", "x * np.greater(x, y, dtype=bool)",
    # where=
    "z = x * 1.0; np.multiply(x, y, out=z, where=x > 0); z * z",
    "z = np.zeros(5); np.sqrt(x, out=z, where=x > 0); z",
    "z = np.zeros(5); np.log(x, out=z, where=np.array([False, False, True, True, True])); z",
    "z = np.ones((2, 3)); np.divide(A, r, where=A > 0, out=z); z",
    "z = A * 1.0; np.add(r, 1.0, out=z, where=np.array([[True], [False]])); z * A",
    "z = x * 1.0; np.add(1.0, 2.0, out=z, where=x > 0); z * y",
    "z = x * 1.0; np.exp(np.zeros(5), out=z, where=np.arange(5) % 2 == 0); z * y",
    "z = A * 1.0; np.negative(np.ones(3), out=z[1:], where=A[1:] > 0); z * A",
    "z = np.zeros(5, bool); np.greater(x, y, out=z, where=x > 0); z * x",
    # out=
    "z = x * 1.0; np.multiply(x, y, out=z); z * z", "z = x * 1.0; np.multiply(z, y, z); z * z",
    "z = np.empty(5); np.multiply(x, y, out=z); z * z",
    "z = np.empty(5); np.exp(x, out=(z,)); z * x",
    "z = np.zeros((2, 3)); np.sin(r, out=z); z * A", "z = A * 1.0; np.exp(z[0], out=z[1]); z",
    "z = x * 1.0; w = z[::2]; np.exp(z[:3], out=w); z * y",
    "z = x * 1.0; np.add(np.arange(5.0), 1.0, out=z); z * y",
    "m = np.empty(5, bool); np.less(x, y, out=m); m * x",
    "z = np.empty((2, 3)); np.matmul(A, M, out=z); z * A",
    "z = np.empty((), dtype=float); np.add(s, h, out=z); z * s",
    # axes of generalised ufuncs
    "np.matmul(A, M, axes=[(0, 1), (0, 1), (0, 1)])",
    "np.matmul(A, A, axes=[(0, 1), (1, 0), (1, 0)])",
    "np.matmul(A, r, axes=[(0, 1), (0,), (0,)])", "np.vecdot(A, A, axis=0)",
    "np.vecdot(A, r, keepdims=True)",
    # reduce
    "np.add.reduce(A)", "np.add.reduce(A, axis=1)", "np.add.reduce(A, axis=None)",
    "np.add.reduce(A, 1, keepdims=True)", "np.multiply.reduce(A, axis=1)",
    "np.maximum.reduce(A, axis=1)", "np.minimum.reduce(A)", "np.logaddexp.reduce(A, axis=1)",
    "np.logaddexp.reduce(A, axis=(0, 1))", "np.hypot.reduce(A, axis=1, keepdims=True)",
    "np.subtract.reduce(A, axis=1)", "np.divide.reduce(M)", "np.fmax.reduce(A, axis=0)",
    "np.add.reduce(A, axis=1, initial=1.0, where=np.array([True, False, True]))",
    "np.logaddexp.reduce(A, axis=1, initial=0.5)",
    "np.hypot.reduce(A, axis=1, where=np.array([True, False, True]))",
    "np.maximum.reduce(A, axis=1, initial=0.2)", "x * np.logical_and.reduce(x > -2)",
    # accumulate
    "np.add.accumulate(A)", "np.add.accumulate(A, axis=1)", "np.multiply.accumulate(A, axis=1)",
    "np.maximum.accumulate(x * y)", "np.logaddexp.accumulate(x)", "np.subtract.accumulate(A, 1)",
    "np.hypot.accumulate(T, axis=1)", "np.fmax.accumulate(A * 2)", "np.minimum.accumulate(A, axis=1)",
    "np.logaddexp2.accumulate(A, axis=1)", "np.subtract.accumulate(x + 1j * y)",
    "np.fmax.reduce(A, axis=(0, 1))", "np.fmin.reduce(A, axis=1, keepdims=True)",
    # reduceat
    "np.add.reduceat(x, [0, 2, 1])", "np.multiply.reduceat(x, [0, 2])",
    "np.logaddexp.reduceat(A, [0, 1, 1], axis=1)", "np.subtract.reduceat(x, [1, 3])",
    # outer
    "np.multiply.outer(x, r)", "np.subtract.outer(A, r)", "np.add.outer(s, x)",
    "np.power.outer(p, r)", "np.multiply.outer(s, h)",
    # at
    "z = x * 1.0; np.add.at(z, [0, 2, 2], y[:3]); z * z",
    "z = x * 1.0; np.subtract.at(z, [0, 2, 2], r); z * z",
    "z = x * 1.0; np.multiply.at(z, [0, 2, 2, 2, 0], y); z * z",
    "z = x * 1.0; np.negative.at(z, [0, 2]); z * y", "z = x * 1.0; np.exp.at(z, [1, 1]); z",
    "z = A * 1.0; np.add.at(z, (slice(None), [0, 0, 1]), r); z * A",
    "z = A * 1.0; np.divide.at(z, ([0, 0, 1], [1, 1, 2]), p[:3]); z",
    "z = np.zeros(3); np.add.at(z, [0, 0, 2, 1, 1], x); z * r",
    "z = x * 1.0; np.add.at(z, x > 0, s); z * z",
    "z = x * 1.0; w = z[1:4]; np.add.at(w, [0, 0], r[:2]); z * z",
    "z = x * 1.0; np.maximum.at(z, [0, 1, 1], r); z",
    "z = x * 1.0; np.maximum.at(z, [0, 0, 1], z[2:]); z * z",
    "np.hypot.accumulate(x, axis=None)", "np.remainder.accumulate(p, axis=(0,))",
    "np.hypot.reduceat(p, [0, 2.5], axis=None)", "np.hypot.reduce(p + 1j * x, dtype=float)",
    "z = A * 1.0; np.put(z, [0, 4], r[:2]); z * A", "np.subtract([1.0] * 5, x, where=x > 0, out=p * 1.0)",
]  # fmt: skip


@pytest.mark.parametrize("text", PROGRAMS)
def test_ufunc(text):
    follow(text)


def test_where_is_a_structural_zero():
    with GradientTape() as tape:
        x = tape.watch(np.array([-1.0, 0.0, 4.0]))
        y = np.sum(np.sqrt(x, where=np.array([False, False, True]), out=np.zeros(3) + 0 * x))
    np.testing.assert_array_equal(tape.gradient(y, x), [0, 0, 0.25])


def test_plain_out_without_anything_traced():
    z = np.empty(3)
    with GradientTape() as tape:
        x = tape.watch(np.ones(3))
        constant = np.multiply(tape.watch(np.ones(3)) > 0, 2.0, out=z)
        assert constant is z
        np.greater(x, 0.0, out=np.empty(3, bool))


def test_constants_are_added_at_places_of_a_plain_array():
    z = np.zeros(3)
    with GradientTape() as tape:
        x = np.ones(3)
        np.add.at(z, [0, 0, 2], np.full(3, 2.0))
        tape.watch(x)
    assert z.tolist() == [4.0, 0.0, 2.0]


def test_both_results_are_written_into_arrays_of_another_dtype():
    x = np.array([5.0, 7.0], np.float32)
    with GradientTape() as tape:
        tape.watch(x)
        quotients, rests = np.zeros(2), np.zeros(2)
        np.divmod(x, np.float32(3.0), out=(quotients, rests))
        y = np.sum(rests * [1.0, 2.0])
    assert quotients.tolist() == [1.0, 2.0]
    assert rests.tolist() == [2.0, 1.0]
    assert quotients.dtype == rests.dtype == np.float64
    assert tape.gradient(y, x).tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    "call",
    [
        lambda x, z: np.multiply(x, 2.0, out=z),
        lambda x, z: np.add.reduce(x[None], out=z),
        lambda x, z: np.add.at(z, [0], x[:1]),
        lambda x, z: np.exp(x, where=x > 0, out=z),
        lambda x, z: z.__iadd__(x),
    ],
)
def test_plain_out_is_refused(call):
    z = np.zeros(3)
    with GradientTape() as tape:
        x = tape.watch(np.ones(3))
        with pytest.raises(UnsupportedWriteError, match="plain array"):
            call(x, z)
    np.testing.assert_array_equal(z, 0)


def test_an_array_that_a_method_made_is_plain_and_the_fix_says_how_to_make_it():
    z = np.zeros(3)
    with GradientTape() as tape:
        x = tape.watch(np.ones(3))
        y = z.copy()
        with pytest.raises(UnsupportedWriteError, match=r"v = v \+ \.\.\..*np\.copy\(v\)"):
            y += x
        y = np.copy(z)
        y += x
    np.testing.assert_array_equal(tape.gradient(y, x), np.ones(3))


@pytest.mark.parametrize(
    "call",
    [
        lambda x, z: np.add(x, x, dtype="nonsense"),
        lambda x, z: np.add(x, x, dtype=int),
        lambda x, z: np.exp(x, out=z[:2]),
        lambda x, z: np.add(x, np.ones(2)),
        lambda x, z: np.subtract.reduce(np.stack([x, x]), axis=None),
        lambda x, z: np.add.reduce(x, axis=3),
        lambda x, z: np.add.reduceat(x, [9]),
        lambda x, z: np.exp.reduce(x),
        lambda x, z: np.add.at(z, [9], 1.0),
        lambda x, z: np.add(x, x, nothing=1),
    ],
)
def test_errors_are_numpys(call):
    x = fresh_inputs()["x"]
    with pytest.raises(Exception) as expected:
        call(x, np.zeros(5))
    with GradientTape() as tape:
        handle = tape.watch(x)
        with pytest.raises(type(expected.value)) as got:
            call(handle, handle * 0.0)
    assert str(got.value) == str(expected.value)


def test_read_only_out():
    with GradientTape() as tape:
        x = tape.watch(np.ones(3))
        z = x * 1.0
        z.setflags(write=False)
        with pytest.raises(ValueError, match="output array is read-only"):
            np.exp(x, out=z)


@pytest.mark.parametrize(
    "ufunc", [np.maximum, np.minimum, np.fmax, np.subtract, np.logaddexp, np.hypot]
)
def test_an_axis_at_once_is_the_same_as_a_loop(ufunc):
    x = Variable([1.0, 1.0, 3.0, 2.0, 3.0, 3.0, 0.5])
    ct = np.arange(1.0, 8.0)
    with GradientTape(persistent=True) as tape:
        at_once = ufunc.accumulate(x)
        steps = [x[0]]
        for k in range(1, 7):
            steps.append(ufunc(steps[-1], x[k]))
        looped = np.stack(steps)
        first = [tape.gradient(y, x, output_gradients=ct) for y in (at_once, looped)]
        squares = [np.sum(g**2) for g in first]
    np.testing.assert_allclose(*first, rtol=1e-12)
    if ufunc in (np.logaddexp, np.hypot):
        np.testing.assert_allclose(*[tape.gradient(s, x) for s in squares], rtol=1e-10)
    else:
        assert not np.any(tape.gradient(squares[0], x, unconnected_gradients="zero"))
