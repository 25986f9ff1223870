"""Selecting by index or condition, sorting, sets, and NumPy's functions that write."""

import numpy as np
import pytest
from autodiff.rules.four_questions import ask, name_of, row

import tapemagic
from tapemagic.autodiff.twins.modules import convert

RNG = np.random.default_rng(13)
V = np.array([3.0, -1.0, 2.0, 0.5, -2.5])
A = RNG.permutation(np.linspace(-2, 2.3, 12)).reshape(3, 4)
B = RNG.normal(size=(3, 4))
C = A + 1j * B
S = np.float64(0.7)
I = np.array([[0, 3], [-1, 0]])
DUPLICATES = np.array([2.0, -1.0, 2.0, 0.5, -1.0])


def number(x):
    """A float of Python, as float(x) gives in a cell."""
    return convert(float, x)


def piecewise(x):
    return np.piecewise(x, [x < -0.5, x > 1], [lambda a: a * a, lambda a, k=2: k * a, 3.0])


def written(write):
    """Return the function that writes into a fresh array and hands it out."""

    def fun(*xs):
        z = xs[0] * 1.0
        write(z, *xs)
        return z**2

    return fun


ROWS = [
    row(lambda x, y: np.where(x > 0, x, y * x), A, B, name="where"),
    row(lambda x, y: np.where(x > 0, x, y), A, B[:1].copy(), name="where broadcast"),
    row(lambda x: np.where([[True], [False], [True]], x, 2.0), A, name="where number"),
    row(lambda x, y: np.where(x > 0, x, y), A, C, name="where complex"),
    row(lambda x: x[np.where(x > 0)], A, name="where with one argument"),
    row(lambda x, y: np.select([x > 1, x > 0], [x * y, y], default=0.5), A, B, name="select"),
    row(lambda x, y: np.select([x > 1, x > 0], [x, 2.0], default=y), A, S, name="select default"),
    row(piecewise, A, name="piecewise"),
    row(lambda x: np.piecewise(x, x > 0, [lambda a: a**2, -1]), V, name="piecewise one condition"),
    row(lambda x, s: np.select([x > 1, x > 0], [x, number(s)], default=number(s) ** 2), A, S,
        name="select of Python floats"),
    row(lambda s, t: np.choose([0, 1, 1], [number(s), number(t)]), S, S + 1,
        name="choose of Python floats"),
    row(lambda x, y: np.choose([[0, 1, 1, 0]] * 3, [x, y]), A, B, name="choose"),
    row(lambda x, y: np.choose([3, -1, 1, 0], [x, y], mode="wrap"), A, S, name="choose wrap"),
    row(lambda x, y: np.choose([3, -1, 1, 0], [x, y], mode="clip"), A, S, name="choose clip"),
    row(lambda x: np.choose(np.array([0, 2, 1, 1]), x), A, name="choose of an array"),
    row(lambda x: np.clip(x, -0.55, 1.05), A, name="clip"),
    row(np.clip, A, np.full((3, 1), -0.6), S, name="clip bounds"),
    row(lambda x, hi: np.clip(x, None, hi), A, S, name="clip above"),
    *(
        row(lambda x: np.clip(x, min=-0.33), A, name="clip min=")
        for _ in [0] if hasattr(np, "unstack")  # NumPy 2.1
    ),
    row(lambda x, lo: np.clip(x, lo, -3.0), A, S, name="clip crossed bounds"),
    row(lambda x: np.take(x, I), A, name="take"),
    row(lambda x: np.take(x, I, axis=1), A, name="take axis"),
    row(lambda x: np.take(x, 2, axis=-1), A, name="take one"),
    row(lambda x: np.take(x, [5, -7, 1], axis=0, mode="wrap"), A, name="take wrap"),
    row(lambda x: np.take(x, [5, -7, 1], axis=0, mode="clip"), A, name="take clip"),
    row(lambda x: np.take_along_axis(x, np.argsort(x, 1), 1), A, name="take_along_axis"),
    row(lambda x: np.take_along_axis(x, np.array([4, 4, 0]), None), A, name="take_along_axis flat"),
    row(lambda x: np.compress([True, False, True], x, axis=0), A, name="compress"),
    row(lambda x: np.compress([True, False, True], x), A, name="compress flat"),
    row(lambda x: np.extract(x > 0, x), A, name="extract"),
    row(lambda x: x[np.ix_([0, 2], [1, 1, 3])], A, name="ix_"),
    row(lambda x: np.delete(x, [1, -1], axis=1), A, name="delete"),
    row(lambda x: np.delete(x, slice(1, 7, 2)), A, name="delete flat"),
    row(lambda x, v: np.insert(x, 2, v), A, S, name="insert"),
    row(lambda x, v: np.insert(x, [1, 3, 1], v, axis=1), A, B[:, :3].copy(), name="insert axis"),
    row(lambda x, v: np.insert(x, slice(0, 3), v), V, B[0, :3].copy(), name="insert slice"),
    row(lambda x: np.insert([1.0, 2.0], 1, x), V, name="insert into a list"),
    row(np.sort, A, name="sort"),
    row(lambda x: np.sort(x, axis=0, kind="stable"), A, name="sort axis"),
    row(lambda x: np.sort(x, axis=None), A, name="sort flat"),
    row(np.sort, C, name="sort"),
    row(lambda x: np.partition(x, 2), A, name="partition"),
    row(lambda x: np.partition(x, (1, 7), axis=None), A, name="partition flat"),
    row(np.sort_complex, V, name="sort_complex"),
    row(lambda x: x[np.argsort(x)] * x[np.argmax(x)] * x[np.argmin(x)], V, name="argsort"),
    row(lambda x: x[np.lexsort((np.abs(x), x))], V, name="lexsort"),
    row(lambda x: x[np.argpartition(x, 2)[:2]], V, name="argpartition"),
    row(lambda x: x * np.searchsorted([-1.5, 0.0, 1.0], x) * np.digitize(x, [-1.2, 0.7]), V,
        name="searchsorted"),
    row(lambda x: x[np.nonzero(x > 0)] * np.count_nonzero(x), V, name="nonzero"),
    row(lambda x: x[np.argwhere(x > 0)[:, 0]], V, name="argwhere"),
    row(lambda x: x[np.flatnonzero(x > 0)], V, name="flatnonzero"),
    row(np.unique, V, name="unique"),
    row(lambda x: np.unique(x, return_index=True, return_inverse=True, return_counts=True), A,
        name="unique with all"),
    row(lambda x: np.unique(x, axis=0), A, name="unique axis"),
    row(lambda x: np.sort(np.unique_values(x)), V, name="unique_values"),
    row(lambda x: np.unique_counts(x).values, V, name="unique_counts"),
    row(lambda x: np.unique_inverse(x).values, V, name="unique_inverse"),
    row(lambda x: np.unique_all(x).values, V, name="unique_all"),
    row(np.union1d, V, B[0], name="union1d"),
    row(lambda x: np.setxor1d(x, [9.0, 8.0]), V, name="setxor1d"),
    row(lambda x: np.setxor1d(np.concatenate([x, x]), x[:2]), V, name="setxor1d of repeated ones"),
    row(written(lambda z, x, y: np.copyto(z, +y)), A, B, name="copyto"),
    row(written(lambda z, x, y: np.copyto(z, y * x, where=x > 0)), A, B, name="copyto where"),
    row(written(lambda z, x, y: np.put(z, [0, 5, 5, -1], y * y)), A, V, name="put"),
    row(written(lambda z, x, y: np.put(z, [1, 2, 3], y, mode="clip")), A, V[:2].copy(),
        name="put repeats"),
    row(written(lambda z, x, y: np.place(z, x > 0, y)), A, V[:2].copy(), name="place"),
    row(written(lambda z, x, y: np.putmask(z, x > 0, y)), A, V[:3].copy(), name="putmask"),
    row(written(lambda z, x, y: np.put_along_axis(z, I[:, :1][[0, 1, 0]], y, 1)), A,
        B[:, :1].copy(), name="put_along_axis"),
    row(written(lambda z, x, y: np.put_along_axis(z, np.array([3, 11]), y, None)), A,
        V[:2].copy(), name="put_along_axis flat"),
    row(written(lambda z, x, y: np.fill_diagonal(z, y)), A, V[:3].copy(), name="fill_diagonal"),
    row(written(lambda z, x, y: np.fill_diagonal(z, y, wrap=True)),
        RNG.normal(size=(7, 3)), V[:2].copy(), name="fill_diagonal wrap"),
    row(lambda x: np.take(x, np.zeros(0, int)), V, name="take nothing"),
    row(lambda x: np.where(x > 0, x, 0), np.zeros((0, 2)), name="where empty"),
    row(np.sort, np.zeros((0, 2)), name="sort empty"),
    row(np.nan_to_num, C, name="nan_to_num"),
]  # fmt: skip


@pytest.mark.parametrize("case", ROWS, ids=name_of)
def test_four_questions(case):
    ask(case)


def test_unique_takes_the_first_of_equal_elements():
    gradient = tapemagic.grad(lambda x: np.sum(np.unique(x) * [1.0, 2.0, 3.0]))(DUPLICATES)
    np.testing.assert_array_equal(gradient, [3, 1, 0, 2, 0])


def test_sort_keeps_the_order_of_equal_elements():
    gradient = tapemagic.grad(lambda x: np.sum(np.sort(x) * [1, 2, 3, 4, 5]))(DUPLICATES)
    np.testing.assert_array_equal(gradient, [4, 1, 5, 3, 2])


def test_elements_found_in_both_sets():
    def both(x):
        return np.sum(np.intersect1d(x, [2.0, 3.0, 9.0]) * [5.0, 7.0])

    np.testing.assert_array_equal(tapemagic.grad(both)(V), [7, 0, 5, 0, 0])
    found = tapemagic.vjp(lambda x: np.intersect1d(x, [3.0], return_indices=True), V)[0]
    np.testing.assert_array_equal(np.ravel(found), [3, 0, 0])


def test_elements_found_in_one_set():
    def one(x):
        return np.sum(np.setdiff1d(x, [2.0, 9.0]) * [1, 2, 3, 4])

    np.testing.assert_array_equal(tapemagic.grad(one)(V), [4, 2, 0, 3, 1])


def test_a_mask_may_be_written_to_later():
    def fun(x):
        mask = np.array([True, False, True, True, False])
        index = [0, 2]
        y = np.where(mask, x, 0) * np.sum(x, where=mask) * np.sum(np.take(x, index))
        mask[:] = False
        index[:] = [4, 4]
        return np.sum(y)

    x = V
    step = 1e-6 * np.eye(5)
    numerical = [(fun(x + h) - fun(x - h)) / 2e-6 for h in step]
    np.testing.assert_allclose(tapemagic.grad(fun)(x), numerical, rtol=1e-6)


@pytest.mark.parametrize(
    "fun",
    [
        lambda x: np.take(x, 9),
        lambda x: np.clip(x, 1.0),
        lambda x: np.choose([0, 5], [x, x]),
        lambda x: np.piecewise(x, [x > 0], [1, 2, 3]),
        lambda x: np.insert(x, 99, 1.0),
        lambda x: np.delete(x, 99),
        lambda x: np.put(x * 1, [99], 1.0),
        lambda x: np.where(x > 0, x),
        lambda x: np.place((x * 1).astype("f4"), [1, 0, 0, 1, 0], x),  # no safe cast
        lambda x: np.putmask((x * 1).astype("f4"), [1, 0, 0, 1, 0], x),
        lambda x: np.place(x * 1, x > 0, []),
        lambda x: list(x[0]),
        lambda x: list(np.reshape(x[:1], ())),
    ],
)
def test_the_user_sees_errors_of_numpy(fun):
    with pytest.raises((ValueError, IndexError, TypeError)) as plain:
        fun(V)
    with pytest.raises(type(plain.value)) as ours:
        tapemagic.vjp(fun, V)
    assert str(ours.value) == str(plain.value)


def test_a_diagonal_filled_from_its_own_memory():
    """NumPy reads and writes one element after another: the last one is the first by then."""

    def fun(x):
        a = np.outer(x[:3], x[:3])
        np.fill_diagonal(a, np.diag(a)[::-1])
        return a * np.arange(9.0).reshape(3, 3)

    value, pullback = tapemagic.vjp(fun, V)
    np.testing.assert_array_equal(value, fun(V))
    step = 1e-6 * np.eye(len(V))
    numerical = [np.sum(fun(V + h) - fun(V - h)) / 2e-6 for h in step]
    found = pullback(np.ones((3, 3)))
    np.testing.assert_allclose(
        found[0] if isinstance(found, tuple) else found, numerical, rtol=1e-6
    )
