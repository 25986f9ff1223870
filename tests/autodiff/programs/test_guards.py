"""A program with other inputs does what the cell would do with them, or refuses."""

import itertools

import numpy as np
import pytest

from tapemagic import GradientTape, Variable, stop_gradient
from tapemagic.autodiff.calls import dispatch
from tapemagic.errors import TapeError

X = np.array([1.0, 0.0, 2.0, 0.3])
TABLE = np.array([1.0, 2.0, 3.0])


def branch_on_bool(x):
    return np.sum(x) if bool(x[0] > 0) else np.sum(x**2)


def index_by_int(x):
    return x[int(x[0] * 2)] * 2.0


def argmax(x):
    return x[np.argmax(x)] ** 2


def argsort(x):
    o = np.argsort(x)
    return np.sum(x[o] * np.arange(4.0))


def sort(x):
    return np.sum(np.sort(x) * np.arange(4.0))


def until_large(x):
    s = x.sum()
    n = 0
    while s < 20 and n < 9:
        s = s * 1.7
        n += 1
    return s * n


def where_cond(x):
    return np.sum(np.where(x > 0.5, x**2, -x))


def where_idx(x):
    i = np.where(x > 0.5)[0]
    return np.sum(x[i] ** 2)


def nonzero(x):
    return np.sum(x[np.nonzero(x > 0.5)] ** 2)


def count(x):
    return np.sum(x) * np.count_nonzero(x > 0.5)


def anyall(x):
    return np.sum(x) * (2 if np.any(x > 1.5) else 3)


def masksum(x):
    m = x > 0.5
    return np.sum(np.where(m, x, 0)) / m.sum()


def maskfloat(x):
    m = (x > 0.5).astype(float)
    return np.sum(m * x)


def maskmul(x):
    return np.sum((x > 0.5) * x)


def floor(x):
    return np.sum(np.floor(x) * x)


def astype(x):
    return np.sum(x.astype(int) * x)


def digitize(x):
    return np.sum(TABLE[np.digitize(x, [0.5, 1.5])] * x)


def searchsorted(x):
    return np.sum(TABLE[np.searchsorted([0.5, 1.5], x)] * x)


def largest(x):
    return max(x[0], x[1], x[2]) ** 2


def in_order(x):
    return sum(k * v for k, v in enumerate(sorted(x)))


def minmax(x):
    return (x.max() - x.min()) * x[0]


def unique(x):
    return np.sum(np.unique(np.round(x)) * 2.0) * x[0]


def length(x):
    return x[0] * len(x[x > 0.5])


def as_item(x):
    return x[0] * (2 if x[1].item() > 0.5 else 3)


def chain(x):
    return x[0] * (2 if 0 < x[1] < 1 else 3)


def either(x):
    m = (x > 0.5) | (x < -0.5)
    z = x * 2
    z[m] = 0
    return np.sum(z)


def repeated(x):
    t = 0.0
    for i in range(int(x.sum())):
        t = t + x[i % 4]
    return t


def or_else(x):
    try:
        return x[int(x[3] * 3)]
    except IndexError:
        return np.sum(x)


def looked_up(x):
    return {True: np.sum(x), False: np.sum(x**2)}[bool(x[0] > 0.5)]


def setidx(x):
    z = x * 1.0
    z[np.argmin(x)] = 0.0
    return np.sum(z**2)


def take(x):
    return np.take(x, np.argsort(x)[:2]).sum()


def bincount(x):
    return np.sum(np.bincount(x.astype(int), weights=x) ** 2)


def histogram(x):
    return np.sum(np.histogram(x, bins=[-10, 0.5, 10])[0] * x[:2])


def piecewise(x):
    return np.sum(np.piecewise(x, [x < 0.5, x >= 0.5], [lambda t: t**2, lambda t: 3 * t]))


def select(x):
    return np.sum(np.select([x < 0.5, x > 1.5], [x**2, 3 * x], default=x))


def compress(x):
    return np.sum(np.compress(x > 0.5, x) ** 2)


def equal(x):
    return x[0] * (2 if x[1] == x[2] else 3)


def boolidx(x):
    return np.sum(x[[bool(v > 0.5) for v in x]])


def scaled_where(x):
    z = x * 1.0
    z[(x > 0.5) & ~(x > 1.5)] *= 2
    return np.sum(z**2)


def scaled_by_its_own(x):
    z = x * 1.0
    z[x > 0.5] *= x[x > 0.5]
    return np.sum(z**2)


def scaled_largest(x):
    z = x * 1.0
    z[np.argmax(x)] *= x[0]
    return np.sum(z**2)


def added_at_places(x):
    z = x * 1.0
    z[np.clip(2 * x, 0, 3).astype(int)] += x  # the last one counts
    return np.sum(z**2)


def written_at_places(x):
    z = np.zeros(4)
    z[np.clip(2 * x, 0, 3).astype(int)] = x
    return np.sum(z**2)


def added_to_constants(x):
    z = np.ones(4)
    z[x > 0.5] += x[:1]
    return np.sum(z**2)


def straight_through(x):
    return np.sum((x + stop_gradient(np.round(x) - x)) ** 2)


def shifted_by_largest(x):
    return np.log(np.sum(np.exp(x - stop_gradient(np.max(x)))))


def cut_in_turn(x):
    total = 0.0
    for k in range(3):
        total = total + np.sum(np.maximum(stop_gradient(k * x), x) * x)
    return total


def cut_by_name(x):
    kept = stop_gradient(x**2)
    return np.sum((x - kept) * kept.sum())


def cut_and_computed_with(x):
    return np.sum((2 * stop_gradient(x) + 1) * x)


def cut_in_a_composite(x):
    return np.trapezoid(stop_gradient(x), x) + np.cross(stop_gradient(x[:3]), x[1:])[0]


def cut_in_one_round(x):
    total = x
    for k in range(2):
        total = total * (stop_gradient(x) if k else X) + X
    return np.sum(total)


def rising(x):
    return sum(a * b for a, b in itertools.pairwise(x) if a < b)


CELLS = [
    branch_on_bool,
    index_by_int,
    argmax,
    argsort,
    sort,
    until_large,
    where_cond,
    where_idx,
    nonzero,
    count,
    anyall,
    masksum,
    maskfloat,
    maskmul,
    floor,
    astype,
    digitize,
    searchsorted,
    largest,
    in_order,
    minmax,
    unique,
    length,
    as_item,
    chain,
    either,
    repeated,
    or_else,
    looked_up,
    setidx,
    take,
    bincount,
    histogram,
    piecewise,
    select,
    compress,
    equal,
    boolidx,
    scaled_where,
    scaled_by_its_own,
    scaled_largest,
    added_at_places,
    written_at_places,
    added_to_constants,
    straight_through,
    shifted_by_largest,
    cut_in_turn,
    cut_by_name,
    cut_and_computed_with,
    cut_in_a_composite,
    cut_in_one_round,
    rising,
]


def record(cell, value):
    x = Variable(value, name="x")
    with GradientTape(persistent=True) as tape:
        y = cell(x)
    return tape, y, x


def others(rng):
    for k in range(40):
        yield X + rng.normal(size=4) * (0.01, 0.1, 0.5, 1, 2)[k % 5]
        yield rng.permutation(X)


@pytest.mark.parametrize("cell", CELLS)
def test_the_same_as_the_cell_or_refused(cell):
    tape, y, x = record(cell, X)
    program = tape.program(y, x)
    np.testing.assert_allclose(program()[0], dispatch.plain(y))
    for value in others(np.random.default_rng(0)):
        try:
            got = program(x=value)
        except TapeError as refused:
            assert "line " in str(refused)
            continue
        tape, y, x = record(cell, value)
        wanted = tape.gradient(y, x, unconnected_gradients="zero")
        np.testing.assert_allclose(got[0], dispatch.plain(y))
        np.testing.assert_allclose(np.zeros(4) if got[1] is None else got[1], wanted)


def test_masks_and_orders_on_the_tape_are_no_reason_to_refuse():
    for cell in (
        *(where_cond, sort, floor, argmax, minmax, setidx),
        *(scaled_largest, added_at_places, written_at_places),
        *(straight_through, shifted_by_largest, cut_in_turn),
    ):
        tape, y, x = record(cell, X)
        program = tape.program(y, x)
        for value in others(np.random.default_rng(0)):
            program(x=value)
