"""Reading elements: every kind of index, `.flat`, indices that are traced themselves."""

import array
import itertools
from collections import deque

import numpy as np
import pytest

import tapemagic
from tapemagic import GradientTape, Variable
from tapemagic.autodiff.arrays.indexing import encode
from tapemagic.autodiff.places import decode, is_basic

X = np.arange(24.0).reshape(2, 3, 4)
MASK = X[0] % 2 == 0

INDICES = [
    0, -1, (0, 1), (0, 1, 2), slice(None), slice(1, None), slice(None, None, -1),
    (slice(None), slice(None, None, -2)), Ellipsis, (Ellipsis, 0), (0, Ellipsis), None,
    (slice(None), None, 1), (None, Ellipsis, None), [0, 1], [1, 1, 0], np.array([0, 1]),
    np.array([[0, 1], [1, 1]]), ([0, 1], [2, 2]), (slice(None), [0, 0, 2]), ([0, 1], slice(None), 1),
    ([0, 1], Ellipsis, [3, 3]), (0, MASK), X > 5.0, (slice(None), MASK[:, 0]), np.int64(1),
    (np.int32(1), np.uint8(2)), (), True, np.array(1), (np.array(0), [1, 1]), slice(0, 0), [],
    (slice(None), np.array([], int)), (Ellipsis, [True, False, True, False]),
    (np.array([[0], [1]]), np.array([0, 2])), range(2), (range(2), slice(None), range(1, 3)),
    (slice(None), range(0)), deque([0, 1]), array.array("l", [1, 0]), [[]],
]  # fmt: skip


@pytest.mark.parametrize("index", INDICES, ids=lambda index: repr(index)[:40])
def test_reading(index):
    weights = np.cos(np.arange(X[index].size) + 0.5).reshape(np.shape(X[index]))
    x = Variable(X)
    with GradientTape(persistent=True) as tape:
        y = x[index]
        loss = np.sum(y * weights * y)
        slope = tape.gradient(loss, x)
        total = np.sum(slope * slope)
    wanted = np.zeros_like(X)
    np.add.at(wanted, index, 2 * weights * X[index])
    np.testing.assert_array_equal(np.asarray(tape.gradient(y, y)), np.ones(np.shape(X[index])))
    np.testing.assert_allclose(tape.gradient(loss, x), wanted)
    # slope is linear in x if no index repeats: d(total)/dx = 2 slope * d(slope)/dx
    numeric = np.zeros_like(X)
    for i in ((0, 1, 2), (1, 2, 3)):
        shift = np.zeros_like(X)
        shift[i] = 1e-5
        both = []
        for sign in (1, -1):
            moved = X + sign * shift
            gradient = np.zeros_like(X)
            np.add.at(gradient, index, 2 * weights * moved[index])
            both.append(np.sum(gradient**2))
        numeric[i] = (both[0] - both[1]) / 2e-5
        np.testing.assert_allclose(tape.gradient(total, x)[i], numeric[i], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("index", INDICES, ids=lambda index: repr(index)[:40])
def test_an_index_survives_encoding(index):
    np.testing.assert_array_equal(X[decode(encode(index))], X[index])


@pytest.mark.parametrize("index", INDICES, ids=lambda index: repr(index)[:40])
def test_basic_indices_are_those_that_numpy_answers_with_views(index):
    if isinstance(X[index], np.ndarray) and X[index].size:
        assert is_basic(index) == np.shares_memory(X[index], X)


@pytest.mark.parametrize(
    ("index", "error"),
    [(5, IndexError), ((0, 0, 0, 0), IndexError), ("a", IndexError), (1.5, IndexError),
     ([0.5], IndexError), (slice(None, None, 0), ValueError)],
)  # fmt: skip
def test_errors_are_numpys(index, error):
    x = Variable(X)
    with GradientTape(), pytest.raises(error) as ours:
        _ = x[index]
    with pytest.raises(error) as numpys:
        _ = X[index]
    assert str(ours.value) == str(numpys.value)


def test_an_index_that_changes_later_counts_as_it_was():
    x = Variable(np.arange(4.0))
    where = np.array([0, 1])
    with GradientTape() as tape:
        y = x[where] ** 2
        where[:] = 3
    np.testing.assert_array_equal(tape.gradient(y, x), [0.0, 2.0, 0.0, 0.0])


ROWS = (0, 1, -1, slice(1, None), slice(None, None, -1))


@pytest.mark.parametrize(("first", "second"), [*itertools.product(ROWS, repeat=2)], ids=str)
def test_rows_of_an_array_that_was_written_to(first, second):
    """Where a view begins in the memory tells which others see what is written through it."""

    def loss(a):
        z = a * 1.0
        z[0, 1] = a[1, 1]
        v, w = z[first], z[second]
        w *= a[2, 0]
        v[..., 0] = a[0, 2]
        w[..., 2] += np.sum(v[..., 1])
        return np.sum(v**2) + np.sum(w**3) + np.sum(z * [[1, 2, 3], [4, 5, 6], [7, 8, 9]])

    a = np.array([[2.0, 0.5, -0.3], [0.4, 1.6, 0.2], [-0.1, 0.7, 1.9]])
    steps = 1e-30j * np.eye(9).reshape(9, 3, 3)
    wanted = np.reshape([loss(a + step).imag / 1e-30 for step in steps], (3, 3))
    np.testing.assert_allclose(tapemagic.grad(loss)(a), wanted)


def test_an_index_computed_from_traced_values():
    x = Variable([3.0, 1.0, 2.0])
    with GradientTape() as tape:
        y = x[np.argmax(x)] + x[x > 1.5].sum() + x[np.argsort(x)][0]
    np.testing.assert_array_equal(tape.gradient(y, x), [2.0, 1.0, 1.0])


def test_flat():
    x = Variable(X)
    with GradientTape() as tape:
        y = x.flat[5] * 2.0 + np.sum(x.flat[::10]) + x.flat[[1, 1]].sum() + sum(x.flat)
        assert len(x.flat) == 24
    wanted = np.ones(24)
    wanted[5] += 2.0
    wanted[::10] += 1.0
    wanted[1] += 2.0
    np.testing.assert_array_equal(tape.gradient(y, x), wanted.reshape(X.shape))


def test_iteration_over_rows_and_0d():
    x = Variable(X[0])
    with GradientTape() as tape:
        y = sum(np.sum(row * i) for i, row in enumerate(x))
    np.testing.assert_array_equal(tape.gradient(y, x), np.repeat([[0.0], [1.0], [2.0]], 4, axis=1))
    with GradientTape() as tape:
        number = x[0, 0]
        with pytest.raises(TypeError, match="iter"):
            list(number)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "c8", "c16"])
@pytest.mark.parametrize("shape", [(5,), (3, 4), (2, 3, 2)])
@pytest.mark.parametrize("index", [1, -1, slice(1, 3), slice(None, None, -2)], ids=repr)
def test_parts_of_an_array_that_has_views(dtype, shape, index):
    plain = np.arange(1, np.prod(shape) + 1).reshape(shape).astype(dtype)
    x = Variable(plain)
    with GradientTape() as tape:
        y = x * 1
        view = y[:2]  # from here on y has a storage
        part = y[index]
        assert type(part._value) is type(plain[index])
        assert np.asarray(part._value).dtype == dtype
        loss = np.sum(np.real(part) * 3) + np.sum(np.real(view))
    wanted = np.zeros(shape, dtype)
    wanted[index] += 3
    wanted[:2] += 1
    np.testing.assert_array_equal(tape.gradient(loss, x), wanted)


def test_a_write_reaches_parts_that_were_read_before():
    x = Variable(np.arange(12.0).reshape(3, 4))
    with GradientTape() as tape:
        y = x * 2
        first, row = y[:2], y[1]
        y[1] = 7.0
        loss = np.sum(first) + np.sum(row * 10)
    assert loss._value == 12 + 28 + 280
    wanted = np.zeros((3, 4))
    wanted[0] = 2
    np.testing.assert_array_equal(tape.gradient(loss, x), wanted)


def test_views_of_what_nobody_can_write_to():
    x = np.array([1.0, 2.0, 3.0])
    with GradientTape() as tape:
        tape.watch(x)
        rows = np.broadcast_to(x, (2, 3))  # read-only
        number = np.sum(x)[...]  # an array of its own
        y = np.sum(rows[0] ** 2) * number
    assert tape.gradient(y, x).tolist() == [26.0, 38.0, 50.0]  # 2 x sum(x) + sum(x²)
    assert type(number) is np.ndarray
