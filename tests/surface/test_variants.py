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
from surface.entries import CARRIED, COARSE, COUNTS_BYTES, inputs_of, program_of

from tapemagic.errors import NoRuleError

ANY_LAYOUT = [name for name in CARRIED if name != COUNTS_BYTES]


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

    found = second_gradients(program, inputs)
    assert_slopes(found, slope, inputs, **{"rtol": 1e-5, "atol": 2e-6, **COARSE.get(name, {})})


# ------------------------------------------------------------------------------------- float32

#: They ask for the dtype, so that double precision is another program; they are linear.
ASKS_DTYPE = {"ndarray.itemsize", "ndarray.nbytes", "ndarray.strides", "numpy.min_scalar_type"}


@pytest.mark.parametrize("name", every(ANY_LAYOUT, 1))
def test_single_precision(name):
    program = program_of(name)
    inputs = {key: np.float32(x) for key, x in inputs_of(name).items()}
    found, results = gradients(program, inputs)
    assert_same(results, leaves(run_plain(program, inputs)))
    assert all(np.asarray(x).dtype == np.float32 for x in found.values())
    options = COARSE.get(name, {}) | {"rtol": 2e-3, "atol": 2e-4}
    if name in ASKS_DTYPE:
        assert_slopes(found, plain_total(program), inputs, **options, step=0.25)
        return
    exact = {key: np.float64(x) for key, x in inputs.items()}
    doubled = {key: np.float64(x) for key, x in found.items()}
    assert_slopes(doubled, plain_total(program), exact, **options)


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


def big_endian(x):
    return x.astype(x.dtype.newbyteorder(">"))


LAYOUTS = [fortran, reversed_strides, gaps, read_only, big_endian]


@pytest.mark.parametrize(
    ("layout", "name"),
    [
        pytest.param(
            layout, *param.values, marks=param.marks, id=f"{layout.__name__}-{param.values[0]}"
        )
        for i, layout in enumerate(LAYOUTS)
        for param in every(ANY_LAYOUT, 2 + i)
    ],
)
def test_layout(layout, name):
    inputs = {key: layout(x) if np.ndim(x) else x for key, x in inputs_of(name).items()}
    follow_or_raise(name, inputs)


#: With equal rows or elements the derivative does not exist, or depends on more than differences
#: of one element show: ties, ranks, repeated eigenvalues.
DEGENERATE = {
    "numpy.percentile", "numpy.quantile", "numpy.nanpercentile", "numpy.nanquantile",
    "numpy.linalg.pinv", "numpy.linalg.slogdet", "numpy.linalg.lstsq", "numpy.linalg.eigh",
    "numpy.linalg.eigvalsh", "numpy.linalg.eig", "numpy.linalg.eigvals", "numpy.linalg.cond",
    "numpy.linalg.svd[U,Vh]",  # a repeated row: singular vectors of the value 0
}  # fmt: skip


@pytest.mark.parametrize("name", every([n for n in ANY_LAYOUT if n not in DEGENERATE], 6))
def test_zero_strides(name):
    inputs = {key: repeated(x) if np.ndim(x) else x for key, x in inputs_of(name).items()}
    follow_or_raise(name, inputs)


@pytest.mark.parametrize("name", sorted(DEGENERATE))
def test_zero_strides_where_degenerate(name):
    program = program_of(name)
    inputs = {key: repeated(x) if np.ndim(x) else x for key, x in inputs_of(name).items()}
    copies = {key: np.array(x, order="C")[()] for key, x in inputs.items()}
    try:
        want, _ = gradients(program, copies)
    except NoRuleError:
        with pytest.raises(NoRuleError):
            gradients(program, inputs)
        return
    found, results = gradients(program, inputs)
    assert_same(results, leaves(run_plain(program, inputs)))
    for key, x in want.items():
        np.testing.assert_allclose(found[key], x, rtol=1e-6, atol=1e-12)


def follow_or_raise(name, inputs):
    """Follow the entry, or see the tape raise what plain NumPy raises."""
    program = program_of(name)
    try:
        run_plain(program, inputs)
    except Exception as error:
        with pytest.raises(type(error)):
            gradients(program, inputs)
        return None
    return follow(program, inputs, **COARSE.get(name, {}))


# -------------------------------------------------------------------------- shapes and numbers


#: NumPy's own result is uninitialised memory.
UNDEFINED_IF_EMPTY = {"numpy.fft.irfft[n=odd]"}


@pytest.mark.parametrize("name", every([n for n in CARRIED if n not in UNDEFINED_IF_EMPTY], 7))
def test_empty(name):
    inputs = {key: x[:0] if np.ndim(x) else x for key, x in inputs_of(name).items()}
    follow_or_raise(name, inputs)


@pytest.mark.parametrize("name", every(ANY_LAYOUT, 8))
def test_no_dimensions(name):
    inputs = {key: np.array(np.ravel(x)[-1]) for key, x in inputs_of(name).items()}
    follow_or_raise(name, inputs)


@pytest.mark.parametrize("name", [name for name in CARRIED if "s" in program_of(name).names])
def test_python_float(name):
    inputs = {key: float(x) if key == "s" else x for key, x in inputs_of(name).items()}
    follow_or_raise(name, inputs)


@pytest.mark.parametrize("name", every(ANY_LAYOUT, 0))
def test_complex(name):
    inputs = {
        key: x + 1j * np.random.RandomState(ord(key)).normal(size=np.shape(x))
        for key, x in inputs_of(name).items()
    }
    follow_or_raise(name, inputs)
