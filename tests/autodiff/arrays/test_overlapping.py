"""Values that lie in the memory they are written to: NumPy's result, or an error."""

import numpy as np
import pytest

from tapemagic import GradientTape
from tapemagic.autodiff.calls.dispatch import plain
from tapemagic.errors import UnsupportedWriteError

MASK = np.array([1, 0, 1, 1, 0, 1, 0, 0], bool)


def mask_from_the_end(z):
    z[MASK] = z[:4]
    return z


def mask_in_a_view(z):
    part = z[::-1]
    part[MASK[::-1]] = z[:4]
    return z


def cast_of_a_part(z):
    u = z + 1j * z
    np.add(u.real, u.real, out=u, where=MASK)
    return u


def cast_of_a_constant_part(z):
    u = np.arange(8.0) * z[0] + 1j
    u[...] = np.arange(8.0) + 1j
    np.add(u.real, u.real, out=u, where=MASK)
    u[0] = z[0]
    return u


def mask_of_itself(z):
    z[MASK] = z[MASK]
    return z


def mask_without_an_effect(z):
    z[MASK] = z[::-2]
    return z


def mask_of_a_copy(z):
    z[MASK] = z[:4].copy()
    return z


def positions(z):
    z[[3, 2, 1]] = z[:3]
    return z


def masked_sum(z):
    np.add(z[::-1], z, out=z, where=MASK)
    return z


def other_part(z):
    u = z + 1j * z
    np.add(u.real, u.real, out=u.imag, where=MASK)
    return u


def run(cell):
    x = np.arange(8.0) + 1
    with GradientTape() as tape:
        tape.watch(x)
        y = cell(x * 1.0)
        target = np.sum(np.abs(y) ** 2)
    return plain(y), tape.gradient(target, x)


@pytest.mark.filterwarnings("ignore:Casting complex")
@pytest.mark.parametrize(
    "cell", [mask_from_the_end, mask_in_a_view, cast_of_a_part, cast_of_a_constant_part]
)
def test_what_numpy_reads_after_it_was_written_is_refused(cell):
    with pytest.raises(UnsupportedWriteError, match=r"(?s)line \d+.*copy\(\)"):
        run(cell)


@pytest.mark.parametrize(
    "cell",
    [mask_of_itself, mask_without_an_effect, mask_of_a_copy, positions, masked_sum, other_part],
)
def test_what_does_not_hang_on_the_order_is_carried(cell):
    value, gradient = run(cell)
    x = np.arange(8.0) + 1
    np.testing.assert_array_equal(value, cell(x * 1.0))
    for i in range(8):
        step = np.zeros(8)
        step[i] = 1e-6
        up, down = (np.sum(np.abs(cell(x + s)) ** 2) for s in (step, -step))
        assert gradient[i] == pytest.approx((up - down) / 2e-6, rel=1e-6, abs=1e-6)
