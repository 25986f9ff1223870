"""The entries of numpy_surface.json again: order 2, float32, memory layouts, shapes, complex.

Where plain NumPy refuses the changed inputs, the tape has to raise the same. By default every
ninth entry of each kind is run, all with ``pytest -m "slow or not slow" tests/surface``.
"""

import numpy as np
import pytest
from surface.comparing import (
    assert_same,
    assert_slopes,
    follow,
    gradients,
    leaves,
    plain_total,
    run_plain,
    second_gradients,
    spread,
    total,
)
from surface.entries import ENTRIES, REFUSED, inputs_of, program_of

CARRIED = [name for name in ENTRIES if name not in REFUSED]


def every(names, first):
    """All names as parameters, every ninth of them without the mark slow."""
    return [
        pytest.param(name, marks=() if i % 9 == first else pytest.mark.slow)
        for i, name in enumerate(names)
    ]


# ---------------------------------------------------------------------------------- order two


@pytest.mark.parametrize("name", every(CARRIED, 0))
def test_second_order(name):
    program, inputs = program_of(name), inputs_of(name)

    def slope(xs):
        return float(total(list(gradients(program, xs, power=2)[0].values())))

    assert_slopes(second_gradients(program, inputs), slope, inputs, rtol=1e-5, atol=2e-6)


# ------------------------------------------------------------------------------------- float32


@pytest.mark.parametrize("name", every(CARRIED, 1))
def test_single_precision(name):
    program = program_of(name)
    inputs = {key: np.float32(x) for key, x in inputs_of(name).items()}
    found, results = gradients(program, inputs)
    assert_same(results, leaves(run_plain(program, inputs)))
    assert all(np.asarray(x).dtype == np.float32 for x in found.values())
    exact = {key: np.float64(x) for key, x in inputs.items()}
    doubled = {key: np.float64(x) for key, x in found.items()}
    assert_slopes(doubled, plain_total(program), exact, rtol=2e-3, atol=2e-4)


# ------------------------------------------------------------------------------ memory layouts


def fortran(x):
    return np.asfortranarray(x)


def reversed_strides(x):
    return spread(x, (-1,) * x.ndim)


def gaps(x):
    return spread(x, (2,) * x.ndim)


def read_only(x):
    x = x.copy()
    x.flags.writeable = False
    return x


def repeated(x):
    return np.broadcast_to(x[:1], x.shape)


LAYOUTS = [fortran, reversed_strides, gaps, read_only]


@pytest.mark.parametrize(
    ("layout", "name"),
    [
        pytest.param(layout, *param.values, marks=param.marks, id=f"{layout.__name__}-{param.values[0]}")
        for i, layout in enumerate(LAYOUTS)
        for param in every(CARRIED, 2 + i)
    ],
)
def test_layout(layout, name):
    inputs = {key: layout(x) if np.ndim(x) else x for key, x in inputs_of(name).items()}
    follow_or_raise(name, inputs)


@pytest.mark.parametrize("name", every(CARRIED, 6))
def test_zero_strides(name):
    inputs = {key: repeated(x) if np.ndim(x) else x for key, x in inputs_of(name).items()}
    follow_or_raise(name, inputs)


def follow_or_raise(name, inputs):
    """Follow the entry, or see the tape raise what plain NumPy raises."""
    program = program_of(name)
    try:
        run_plain(program, inputs)
    except Exception as error:  # noqa: BLE001
        with pytest.raises(type(error)):
            gradients(program, inputs)
        return None
    return follow(program, inputs)


# -------------------------------------------------------------------------- shapes and numbers


@pytest.mark.parametrize("name", every(CARRIED, 7))
def test_empty(name):
    inputs = {key: x[:0] if np.ndim(x) else x for key, x in inputs_of(name).items()}
    follow_or_raise(name, inputs)


@pytest.mark.parametrize("name", every(CARRIED, 8))
def test_no_dimensions(name):
    inputs = {key: np.array(np.ravel(x)[-1]) for key, x in inputs_of(name).items()}
    follow_or_raise(name, inputs)


@pytest.mark.parametrize("name", [name for name in CARRIED if "s" in program_of(name).names])
def test_python_float(name):
    inputs = {key: float(x) if key == "s" else x for key, x in inputs_of(name).items()}
    follow_or_raise(name, inputs)


@pytest.mark.parametrize("name", every(CARRIED, 0))
def test_complex(name):
    inputs = {
        key: x + 1j * np.random.RandomState(ord(key)).normal(size=np.shape(x))
        for key, x in inputs_of(name).items()
    }
    follow_or_raise(name, inputs)
