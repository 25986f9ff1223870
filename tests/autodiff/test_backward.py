"""The sweep: chains, structural zeros, the table of places without a derivative."""

import gc
import warnings

import numpy as np
import pytest

import tapemagic
from tapemagic import GradientTape, Variable


def grad_at(fun, x):
    with np.errstate(all="ignore"):
        return tapemagic.grad(fun)(np.asarray(x, float))


# ---------------------------------------------------------------------------------- chains


def test_a_chain_of_100000_operations():
    x = Variable(1.0)
    with GradientTape() as tape:
        y = x * 1.0
        for _ in range(100_000):
            y = y + 1e-6
    assert tape.gradient(y, x) == 1.0


def test_a_chain_of_100000_operations_of_arrays_twice_differentiated():
    x = Variable([0.5, 1.0])
    with GradientTape() as outer:
        with GradientTape() as inner:
            y = x
            for _ in range(20_000):
                y = y * 1.00001
            loss = np.sum(y * y)
        slope = inner.gradient(loss, x)
        total = np.sum(slope)
    np.testing.assert_allclose(outer.gradient(total, x), 2 * 1.00001**40_000, rtol=1e-9)


def test_a_wide_graph():
    x = Variable(np.arange(1000.0))
    with GradientTape() as tape:
        y = sum(item * item for item in x)
    np.testing.assert_array_equal(tape.gradient(y, x), 2.0 * np.arange(1000.0))


def test_objects_that_the_collector_tracks_per_operation():
    """A million entries must not make every collection visit a million tuples."""
    x = Variable(1.0)
    with GradientTape() as tape:
        y = x * 1.0
        gc.collect()
        before = len(gc.get_objects())
        for _ in range(1000):
            y = y * 1.0001 + 0.5
        gc.collect()
        after = len(gc.get_objects())
    assert after - before < 20
    assert tape.gradient(y, x) == pytest.approx(1.0001**1000)


def test_a_tape_is_freed_with_its_last_name():
    import weakref

    x = Variable(np.ones(1000))
    tape = GradientTape()
    with tape:
        y = np.sin(x) * 2.0
    entries = tape._recording
    reference = weakref.ref(tape)
    del tape, y, entries
    gc.collect()
    assert reference() is None


def test_a_kept_handle_keeps_no_tape():
    import weakref

    x = Variable(np.ones(10))
    tape = GradientTape()
    with tape:
        y = np.sin(x)
    reference = weakref.ref(tape)
    del tape
    gc.collect()
    assert reference() is None
    np.testing.assert_array_equal(np.asarray(y), np.sin(np.ones(10)))


# ------------------------------------------------------------------------- structural zeros


@pytest.mark.parametrize(
    ("fun", "x", "wanted"),
    [
        (lambda x: np.sum(np.where(x > 0, np.sqrt(x), 0.0)), [0.0, 4.0], [0.0, 0.25]),
        (lambda x: np.sum(np.where(x == 0, 0.0, 1 / x)), [0.0, 2.0], [0.0, -0.25]),
        (lambda x: np.sum(np.where(x > 0, np.log(x), 0.0)), [0.0, 2.0], [0.0, 0.5]),
        (lambda x: np.sum(np.sqrt(x)[1:]), [0.0, 4.0], [0.0, 0.25]),
        (lambda x: np.sum(np.sqrt(x)[x > 0]), [0.0, 4.0], [0.0, 0.25]),
        (lambda x: np.sqrt(x)[1], [0.0, 4.0], [0.0, 0.25]),
        (lambda x: np.sqrt(x)[[1, 1]].sum(), [0.0, 4.0], [0.0, 0.5]),
        (lambda x: np.sum((1 / x)[::-1][:1]), [0.0, 2.0], [0.0, -0.25]),
        (lambda x: np.sum(np.where(x > 0, x / x, 1.0) * x), [0.0, 2.0], [1.0, 1.0]),
        (lambda x: np.sum(np.where(x > 0, np.sqrt(x) * np.sqrt(x), 0.0)), [0.0, 4.0], [0.0, 1.0]),
        (lambda x: np.sum(np.where(x > 0, x, 1.0) * np.where(x > 0, np.log(x), 2.0)),
         [0.0, 1.0], [0.0, 1.0]),
        (lambda x: np.sum(np.take(np.sqrt(x), [1])), [0.0, 4.0], [0.0, 0.25]),
        (lambda x: np.concatenate([np.sqrt(x)[1:], x]).sum(), [0.0, 4.0], [1.0, 1.25]),
        (lambda x: np.reshape(np.sqrt(x), (2, 1))[1, 0], [0.0, 4.0], [0.0, 0.25]),
        (lambda x: np.sqrt(x).T[1], [0.0, 4.0], [0.0, 0.25]),
        (lambda x: np.diff(np.sqrt(x))[-1], [0.0, 1.0, 4.0], [0.0, -0.5, 0.25]),
        (lambda x: np.bincount([1, 0, 0], np.sqrt(x))[0], [0.0, 1.0, 4.0], [0.0, 0.5, 0.25]),
        (lambda x: np.sqrt(x + 0j).real[1], [0.0, 4.0], [0.0, 0.25]),
        (lambda x: (1j * np.sqrt(x)).imag[1], [0.0, 4.0], [0.0, 0.25]),
        (lambda x: np.conj(np.sqrt(x) * 1j)[1:].imag[0], [0.0, 4.0], [0.0, -0.25]),
        (lambda x: np.sum(np.sqrt(np.maximum(x, 0))), [-1.0, 4.0], [0.0, 0.25]),
        (lambda x: np.sum(np.sqrt(np.fmax(0.0, x))), [-1.0, 4.0], [0.0, 0.25]),
        (lambda x: np.sum(np.sqrt(-np.minimum(x, 0))), [-4.0, 1.0], [-0.25, 0.0]),
        (lambda x: np.sum(np.sqrt(-np.fmin(x, 0))), [-4.0, 1.0], [-0.25, 0.0]),
        (lambda x: np.sum(np.sqrt(np.maximum(np.log(x), 0))), [0.0, np.e], [0.0, 0.5 / np.e]),
        (lambda x: np.sum(np.sqrt(np.maximum(x, [[0.0], [5.0]]))), [-1.0, 4.0], [0.0, 0.25]),
    ],
)  # fmt: skip
def test_structural_zeros(fun, x, wanted):
    np.testing.assert_allclose(grad_at(fun, x), wanted)


@pytest.mark.parametrize("first", [np.ones(2, complex), np.ones(2, np.float32), 1.5, np.ones(0)])
def test_a_structural_zero_of_another_source(first):
    with np.errstate(all="ignore"), GradientTape() as tape:
        x, z = tape.watch(np.array([0.0, 4.0])), tape.watch(first)
        y = np.sum(np.where(x > 0, np.sqrt(x), 0.0)) + np.sum(np.abs(z))
    by_z, by_x = tape.gradient(y, [z, x])
    np.testing.assert_allclose(by_x, [0.0, 0.25])
    np.testing.assert_allclose(by_z, np.ones_like(first))


def test_a_numeric_zero_times_infinity_stays_nan():
    assert np.isnan(grad_at(lambda x: np.sqrt(x) ** 2, 0.0))
    assert np.isnan(grad_at(lambda x: np.sum(np.sqrt(x) * 0.0), [0.0])[0])
    assert np.isnan(grad_at(lambda x: np.sum(np.sqrt(np.maximum(x * 0.0, -1.0))), [4.0])[0])


def test_an_overwritten_infinity_does_not_flow():
    def loss(x):
        y = np.sqrt(x)
        y[0] = 5.0
        return np.sum(y)

    np.testing.assert_allclose(grad_at(loss, [0.0, 4.0]), [0.0, 0.25])


def test_a_nan_elsewhere_leaves_cancelling_sums_alone():
    """The mask of the careful sweep must not come from weights that cancel."""

    def loss(x):
        u = np.exp(x)
        good = np.sum(np.diff(u) * np.array([1.0, 5.0]))
        return good + np.sum(np.sqrt(x[:1] * 0.0) * 0.0)

    x = np.array([0.5, 1.0, 2.0])
    gradient = grad_at(loss, x)
    assert np.isnan(gradient[0])
    np.testing.assert_allclose(gradient[1:], np.exp(x[1:]) * [-4.0, 5.0])


@pytest.mark.parametrize(
    "combine",
    [
        lambda u: np.sum(np.diff(u)), lambda u: np.sum(np.fft.fft(u)).real,
        lambda u: np.sum(np.cumsum(u) * [1.0, -1.0, 2.0]), lambda u: np.trace(np.outer(u, u)),
        lambda u: np.sum(np.roll(u, 1)), lambda u: np.sum(np.gradient(u) * [1.0, -2.0, 3.0]),
        lambda u: np.sum(u - np.mean(u)) + u[0], lambda u: np.sum(np.convolve(u, [1.0, -1.0])[:2]),
    ],
)  # fmt: skip
def test_a_nan_elsewhere_changes_no_other_element(combine):
    def loss(x):
        u = np.exp(x[1:])
        return combine(u) + np.sqrt(x[0] * 0.0) * 0.0

    x = np.array([1.0, 0.5, 1.0, 2.0])
    with np.errstate(all="ignore"):
        alone = tapemagic.grad(lambda x: combine(np.exp(x)))(x[1:])
    gradient = grad_at(loss, x)
    assert np.isnan(gradient[0])
    np.testing.assert_allclose(gradient[1:], alone)


def test_order_two_through_a_structural_zero():
    def loss(x):
        return np.sum(np.where(x > 0, np.sqrt(x), 0.0))

    with np.errstate(all="ignore"):
        hessian = tapemagic.hessian(loss)(np.array([0.0, 4.0]))
    np.testing.assert_allclose(hessian, [[0.0, 0.0], [0.0, -1 / 32]])


# -------------------------------------------------------- where the derivative does not exist


@pytest.mark.parametrize(
    ("fun", "x", "wanted"),
    [
        (lambda x: np.abs(x), 0.0, 0.0),
        (lambda x: np.sqrt(x), 0.0, np.inf),
        (lambda x: np.max(x), [2.0, 1.0, 2.0], [0.5, 0.0, 0.5]),
        (lambda x: np.min(x), [1.0, 1.0, 2.0], [0.5, 0.5, 0.0]),
        (lambda x: x**0.0, 0.0, 0.0),
        (lambda x: np.maximum(x, 0.0), 0.0, 0.5),
        (lambda x: np.minimum(x, 1.0), 1.0, 0.5),
        (lambda x: np.prod(x), [0.0, 2.0, 3.0], [6.0, 0.0, 0.0]),
        (lambda x: np.prod(x), [0.0, 0.0, 3.0], [0.0, 0.0, 0.0]),
        (lambda x: np.sum(np.cumprod(x)), [2.0, 0.0, 3.0], [1.0, 8.0, 0.0]),
        (lambda x: np.sum(np.clip(x, 0.0, 1.0)), [0.0, 1.0, 2.0], [1.0, 1.0, 0.0]),
        (lambda x: np.linalg.norm(x), [0.0, 0.0], [0.0, 0.0]),
        (lambda x: np.linalg.norm(x, 1), [0.0, 2.0], [0.0, 1.0]),
        (lambda x: np.std(x), [1.0, 1.0], [0.0, 0.0]),
        (lambda x: np.max(x), [np.nan, 1.0], [1.0, 0.0]),
        (lambda x: np.floor(x) + np.ceil(x) + np.round(x) + np.sign(x), 0.3, 0.0),
        (lambda x: np.sum(np.sort(x) * [1.0, 2.0, 3.0]), [1.0, 1.0, 0.0], [2.0, 3.0, 1.0]),
        (lambda x: np.linalg.det(np.reshape(x, (2, 2))), [0.0, 0.0, 0.0, 3.0],
         [3.0, 0.0, 0.0, 0.0]),
    ],
)  # fmt: skip
def test_t27_and_the_table_of_conventions(fun, x, wanted):
    np.testing.assert_allclose(grad_at(fun, x), wanted, atol=1e-12)


def test_maximum_of_equal_operands_splits():
    a, b = Variable([1.0, 2.0]), Variable([1.0, 3.0])
    with GradientTape() as tape:
        y = np.maximum(a, b)
    ga, gb = tape.gradient(y, [a, b])
    np.testing.assert_array_equal(ga, [0.5, 0.0])
    np.testing.assert_array_equal(gb, [0.5, 1.0])


def test_a_cotangent_is_never_shared_with_the_caller():
    x = Variable([1.0, 2.0])
    seed = np.array([1.0, 1.0])
    with GradientTape(persistent=True) as tape:
        y = x + 0.0
        z = x * 1.0
    first, second = tape.gradient([y, z], [x, x], output_gradients=[seed, seed])
    first[0] = 99.0
    assert second[0] == 2.0
    assert seed[0] == 1.0
    same = tape.gradient(y, [y, x], output_gradients=seed)
    same[0][0] = 77.0
    assert same[1][0] == 1.0
    assert seed[0] == 1.0


def test_gradients_do_not_alias_saved_values():
    x = Variable([1.0, 2.0])
    with GradientTape(persistent=True) as tape:
        y = np.sum(x * x)
    tape.gradient(y, x)[0] = 99.0
    np.testing.assert_array_equal(tape.gradient(y, x), [2.0, 4.0])


@pytest.mark.parametrize("name", ["mean", "var", "std", "median", "nanmean", "nanvar", "nanstd"])
def test_a_sweep_over_nothing_does_not_warn(name):
    x = Variable(np.zeros((0, 3)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy's own, of the user's call
        with GradientTape() as tape:
            loss = np.sum(getattr(np, name)(x, axis=0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert tape.gradient(loss, x).shape == (0, 3)


@pytest.mark.parametrize("zero", [0, 0.0, False])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_division_by_pythons_zero_is_one_by_numpys(zero, dtype):
    x = np.array([1.0, -2.0], dtype)
    with np.errstate(all="ignore"):
        found = tapemagic.jacobian(lambda x: x / zero)(x)
        np.testing.assert_array_equal(np.diag(found), [np.inf, np.inf])
        assert found.dtype == dtype
        gradient = tapemagic.grad(lambda x: np.sum(x / zero * 0))(x)
        forward = tapemagic.jvp(lambda x: x / zero, (x,), (np.ones_like(x),))[1]
    assert gradient.dtype == dtype
    np.testing.assert_array_equal(forward, [np.inf, np.inf])
