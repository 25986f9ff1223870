"""Plain arrays that change after the tape used them."""

import tracemalloc

import numpy as np
import pytest

import tapemagic
from tapemagic import GradientTape, Variable
from tapemagic.autodiff import guards
from tapemagic.errors import ChangedDataError


def test_a_small_array_is_copied():
    x, data = Variable([1.0, 2.0]), np.array([3.0, 4.0])
    with GradientTape() as tape:
        y = x * data
        data[:] = 0.0
    np.testing.assert_array_equal(tape.gradient(y, x), [3.0, 4.0])


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_constant_of_a_loop_is_copied_once(order):
    a = np.array(np.random.default_rng(0).normal(size=(64, 64)) / 10, order=order)
    x = Variable(np.ones(64))
    tracemalloc.start()
    with GradientTape() as tape:
        h = x
        for _ in range(200):
            h = np.tanh(a @ h)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20 * a.nbytes  # of 200
    gradient = tape.gradient(h, x)
    moved = [np.ones(64) + 1e-30j * (np.arange(64) == k) for k in range(64)]
    for k, h in enumerate(moved):
        for _ in range(200):
            h = np.tanh(a @ h)
        assert gradient[k] == pytest.approx(np.sum(h.imag) / 1e-30, rel=1e-9, abs=1e-250)


@pytest.mark.parametrize("fill", [0.0, -0.0, np.nan, 2.0])
def test_a_constant_that_changes_between_rounds_counts_as_it_was(fill):
    a = np.ones(1000)
    x = Variable(np.full(1000, 3.0))
    with GradientTape() as tape:
        y = x * a
        a[17] = fill
        y = y * 1.0 + x * a
        a[17] = 1.0
        y = y + x * a
    wanted = np.full(1000, 3.0)
    wanted[17] = 2.0 + fill
    np.testing.assert_array_equal(tape.gradient(y, x), wanted)


@pytest.mark.parametrize("use", [
    lambda x, d: x * d, lambda x, d: x + d * x, lambda x, d: np.where(d > 1.5, x, 0.0),
    lambda x, d: np.dot(d, x), lambda x, d: np.outer(d[:2], x), lambda x, d: x @ d,
])  # fmt: skip
@pytest.mark.parametrize("change", [
    lambda d: d.__setitem__(1, 7.0), lambda d: d.sort(), lambda d: memoryview(d).__setitem__(1, 7.0),
])  # fmt: skip
def test_a_large_array_that_changed_is_refused_or_was_copied(use, change):
    n = guards.COPIED // 8 + 100
    data = np.linspace(2.0, 1.0, n)
    x = Variable(np.ones(n))
    with GradientTape(persistent=True) as tape:
        y = np.sum(use(x, data))
    before = tape.gradient(y, x)
    change(data)
    try:
        after = tape.gradient(y, x)
    except ChangedDataError as error:
        assert "changed" in str(error)
    else:
        np.testing.assert_array_equal(before, after)


def test_one_element_of_a_very_large_array_that_changed():
    data = np.ones(4 * 10**6)

    x = Variable(2.0)
    with GradientTape() as tape:
        y = np.sum(x * data)
        data[1_234_567] = 7.0
    with pytest.raises(ChangedDataError, match="changed"):
        tape.gradient(y, x)


def test_a_large_mask_that_changed():
    n = guards.COPIED * 2
    mask = np.zeros(n, bool)
    mask[3] = True
    x = Variable(np.ones(n))
    with GradientTape(persistent=True) as tape:
        y = np.sum(np.where(mask, x * x, 0.0))
    before = tape.gradient(y, x)
    mask[:] = True
    try:
        after = tape.gradient(y, x)
    except ChangedDataError:
        return
    np.testing.assert_array_equal(before, after)


def test_fingerprints():
    x = np.arange(10_000.0)
    known = guards.fingerprint(x)
    assert guards.fingerprint(x.copy()) == known
    x[1234] += 1e-9
    assert guards.fingerprint(x) != known


@pytest.mark.parametrize(
    "x",
    [
        np.zeros(0),
        np.ones(3, np.float32),
        np.ones((3, 2))[:, ::2],
        np.ones(5, bool),
        np.ones(3, complex),
        np.array(1.0),
    ],
)
def test_fingerprints_of_odd_arrays(x):
    assert guards.fingerprint(x) == guards.fingerprint(x.copy())


def test_value_and_grad_does_not_see_later_changes():
    data = np.ones(100_000)
    value, pullback = tapemagic.vjp(lambda w: w * np.sum(data), 2.0)
    data[:] = 0.0
    try:
        assert pullback(1.0) == (100_000.0,)
    except ChangedDataError:
        pass
    assert value == 200_000.0


def large_cube(persistent):
    w = np.linspace(0.0, 1.0, 200_000)
    with GradientTape(persistent=persistent) as tape:
        tape.watch(w)
        y = np.sum(w**3)
    return w, w.copy(), tape, y


def test_a_large_array_that_is_watched_is_not_copied():
    w = np.ones(400_000)
    tracemalloc.start()
    with GradientTape() as tape:
        tape.watch(w)
        y = np.sum(w)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < w.nbytes / 2
    np.testing.assert_array_equal(tape.gradient(y, w), np.ones(400_000))


def test_a_large_array_may_change_after_a_persistent_tape():
    w, before, tape, y = large_cube(persistent=True)
    w += 1.0
    np.testing.assert_allclose(tape.gradient(y, w), 3 * before**2)


def test_a_large_array_that_changed_before_the_gradient_is_refused():
    w, _, tape, y = large_cube(persistent=False)
    w += 1.0
    with pytest.raises(ChangedDataError, match="shape \\(200000,\\)"):
        tape.gradient(y, w)


def test_a_large_array_may_change_in_the_block():
    w = np.linspace(0.0, 1.0, 200_000)
    before = w.copy()
    with GradientTape() as tape:
        tape.watch(w)
        y = np.sum(w**3)
        w *= 2.0
        y = y + np.sum(w**3)
    np.testing.assert_array_equal(w, 2.0 * before)
    np.testing.assert_allclose(tape.gradient(y, w), 27.0 * before**2)


def test_a_view_of_a_large_array_is_a_source_of_its_own():
    w = np.linspace(0.0, 1.0, 200_000)
    part = w[1000:]
    with GradientTape() as tape:
        tape.watch(part)
        y = np.sum(part**3) + 2.0 * np.sum(w**3)
    np.testing.assert_allclose(tape.gradient(y, part), 9.0 * part**2)
