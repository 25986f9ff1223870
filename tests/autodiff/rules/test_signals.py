"""Convolution, interpolation, counts with weights, sinc and i0."""

import numpy as np
import pytest
from autodiff.rules.four_questions import ask, name_of, row, samplers, with_keywords

import tapemagic

real, compl = samplers(30)
MODES = ("full", "same", "valid")
POINTS = np.array([-2.0, -0.5, 0.3, 1.1, 2.6])
INSIDE = np.array([[-1.7, -0.2, 0.9], [2.1, 0.35, -1.1]])
OUTSIDE = np.array([-3.0, 0.1, 4.0])
BINS = np.array([0, 3, 1, 1, 0, 3])

ROWS = [
    *(
        row(with_keywords(fun, mode=mode), make(n), make(m))
        for fun in (np.convolve, np.correlate)
        for make in (real, compl)
        for n, m in ((6, 3), (3, 6), (6, 4), (4, 6), (1, 3), (3, 3))
        for mode in MODES
    ),
    row(np.convolve, real(), real(3)),
    row(np.interp, INSIDE, POINTS, real(5)),
    row(np.interp, OUTSIDE, POINTS, real(5)),
    row(np.interp, INSIDE, POINTS, compl(5)),
    row(lambda x, f: np.interp(x, POINTS, f, left=-1.0, right=2.0), OUTSIDE, real(5), name="ends"),
    row(
        lambda x, a, b: np.interp(x, POINTS, POINTS, left=a, right=b),
        OUTSIDE, real(), real(), name="interp left right",
    ),
    row(np.interp, np.array([0.4]), np.array([0.3]), real(1)),
    row(lambda x, f: np.interp(x, POINTS, f, period=3.3), INSIDE, real(5), name="periodic"),
    row(lambda x: np.interp(x, [0.0, 1.0], [1, 3]), np.float64(0.3), name="interp of lists"),
    row(lambda x: np.interp(x, [0, 1], np.array([200, 20], "u1")), np.float64(0.3), name="bytes"),
    row(lambda w: np.bincount(BINS, w), real(6), name="bincount"),
    row(lambda w: np.bincount(BINS, weights=w, minlength=7), real(6), name="bincount minlength"),
    row(np.sinc, np.array([-2.3, -1.0, -0.7, 0.0, 1e-5, 0.4, 1.0, 3.6])),
    row(np.sinc, compl(4)),
    row(np.i0, np.array([-3.0, -0.1, 0.0, 1e-7, 0.5, 8.0, 9.5])),
    row(np.gradient, real(6)),
    row(lambda f: np.gradient(f, 0.5, edge_order=2), real(6), name="gradient edge_order"),
    row(np.gradient, real(5), POINTS, name="gradient x"),
    row(lambda f, h: np.gradient(f, h, axis=1), real(3, 4), np.float64(0.7), name="gradient h"),
    row(np.gradient, real(3, 4), name="gradient both axes"),
    row(np.unwrap, np.array([0.3, 3.0, -2.9, -0.2, 4.0])),
    row(lambda p: np.unwrap(p, axis=0, period=4), real(4, 3), name="unwrap axis"),
    row(lambda w: np.histogram(POINTS, 3, weights=w)[0], real(5), name="histogram"),
    row(
        lambda w: np.histogram(POINTS, [-2.0, 0.0, 3.0], weights=w, density=True)[0],
        abs(real(5)), name="histogram density",
    ),
    row(lambda x: np.histogram(x, 3)[1], POINTS, name="histogram edges"),
    row(lambda x: np.histogram_bin_edges(x, 4), POINTS, name="bin edges"),
    row(lambda w: np.histogram2d(POINTS, POINTS, 2, weights=w)[0], real(5), name="histogram2d"),
    row(lambda w: np.histogramdd((POINTS, POINTS), 2, weights=w)[0], real(5), name="histogramdd"),
]  # fmt: skip


@pytest.mark.parametrize("case", ROWS, ids=name_of)
def test_row(case):
    ask(case)


@pytest.mark.parametrize(
    ("fun", "expected"),
    [
        (np.sinc, [1.0, 0.0, -(np.pi**2) / 3, 0.0, np.pi**4 / 5]),
        (np.i0, [1.0, 0.0, 0.5, 0.0, 0.375]),
    ],
)
def test_derivatives_of_every_order_at_zero(fun, expected):
    for value in expected:
        assert fun(0.0) == pytest.approx(value, abs=1e-12)
        fun = tapemagic.grad(fun)


def test_i0_is_accurate_to_its_end():
    x = np.array([1e-9, 0.1, 10.0, 700.0])
    gradient = tapemagic.grad(lambda z: np.sum(np.log(np.i0(z))))(x)
    ratios = [5e-10, 0.049937603988, 0.948599825955, 0.999285458818]  # I1 / I0
    np.testing.assert_allclose(gradient, ratios, rtol=1e-9)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.longdouble])
def test_periodic_interpolation_in_every_precision(dtype):
    """NumPy computes it in double precision, whatever it is given."""
    x, f = np.array([0.1, 2.0, 3.5], dtype), np.array([1.0, 2.0, 4.0], dtype)

    def fun(x, f):
        return np.interp(x, [0.0, 1.0, 2.0], f, period=3.0)

    y, pull = tapemagic.vjp(fun, x, f)
    np.testing.assert_array_equal(y, fun(x, f))
    by_x, by_f = pull(np.array([1.0, 2.0, 3.0]))
    assert by_x.dtype == by_f.dtype == dtype
    t = float(x[0])
    np.testing.assert_allclose(by_x, [1.0, 2 * -3.0, 3 * 1.0])
    np.testing.assert_allclose(by_f, [1 - t + 1.5, t + 1.5, 2.0], rtol=1e-3)
