"""Reductions, running sums and products, differences, order statistics."""

import numpy as np
import pytest
from autodiff.rules.four_questions import ask, name_of, row

import tapemagic

RNG = np.random.default_rng(5)
# no two elements are close: a step of the numerical derivative changes no order
A = np.array([[0.5, -1.3, 2.0], [1.1, 0.3, -0.7]])
T = RNG.permutation(np.linspace(-2, 2, 24)).reshape(2, 3, 4)
P = RNG.permutation(np.linspace(0.3, 2, 24)).reshape(2, 3, 4)
C = A + 1j * A[::-1, ::-1]
MASK = np.array([[True, False, True], [True, True, False]])
NANS = np.array([[0.5, np.nan, 2.0, -1.1], [1.1, 0.3, np.nan, np.nan]])


def options(fun, *xs, also=(), initial=0.0, **more):
    """Rows for the keywords that most reductions have."""
    keywords = [{}, {"axis": 0}, {"axis": -1}, {"axis": 1, "keepdims": True}, {"keepdims": True}]
    keywords += [{"axis": (0, -1)}, {"axis": (2, 0), "keepdims": True}, *also]
    for x in xs:
        for k in keywords:
            if np.ndim(k.get("axis", 0)) and np.ndim(x) < 3:
                continue
            yield row(lambda z, k=k: fun(z, **k), x, name=f"{fun.__name__} {k}", **more)


WHERE = [{"where": T > -1}, {"axis": 1, "where": [[[True], [False], [True]]]}]
INITIAL = [{"initial": 0.3}, {"axis": 0, "where": T > -1, "initial": 0.4, "keepdims": True}]
#: NumPy leaves out imaginary parts, of factors and of the mean, or adds zeros.
DTYPES = [{"dtype": complex}, {"dtype": float, "axis": 0}]
FREEDOM = [{"axis": 1, "ddof": 1}, {"axis": (0, 2), "ddof": 1}, {"correction": 1}]
AXES = [{"axis": 0}, {"axis": 1, "keepdims": True}, {"axis": 1, "where": MASK}]
FROM_INITIAL = [
    np.sum, np.prod, np.max, np.min, np.nansum, np.nanprod, np.nanmax, np.nanmin,
    *(u.reduce for u in (np.add, np.multiply, np.maximum, np.minimum, np.fmax, np.fmin,
                         np.logaddexp, np.logaddexp2, np.hypot, np.subtract)),
]  # fmt: skip

ROWS = [
    *options(np.sum, T, also=[*WHERE, *INITIAL]),
    *options(np.prod, T, also=[*WHERE, *INITIAL]),
    *options(np.mean, T, also=WHERE),
    *options(np.var, T, also=[*WHERE, *FREEDOM]),
    *options(np.std, T, also=[*WHERE, *FREEDOM]),
    *options(np.max, T, also=INITIAL),
    *options(np.min, T, also=INITIAL),
    *options(np.ptp, T),
    *options(np.median, T),
    *(r for f in (np.sum, np.prod, np.mean, np.var, np.std) for r in options(f, C, also=DTYPES)),
    *(row(lambda z, f=f, k=k: f(z, **k), z, name=f"{f.__name__} {k}")
      for f in (np.nanvar, np.nanstd, np.nanprod, np.cumprod, np.multiply.reduce, np.nansum)
      for z in (A, C) for k in DTYPES),
    *(
        row(lambda x, f=f, k=k: f(x, **k), NANS, name=f"{f.__name__} {k}", second=False)
        for f in (np.nansum, np.nanprod, np.nanmean, np.nanmax, np.nanmin, np.nanvar, np.nanstd,
                  np.nanmedian)
        for k in ({}, {"axis": 0}, {"axis": 1}, {"axis": -1, "keepdims": True})
        if k.get("axis") != 0 or f not in (np.nanmax, np.nanmin)
    ),
    *(row(lambda x, i, f=f, k=k: f(x, initial=i, **k), A, np.float64(0.6),
          name=f"{f.__name__} traced initial {k}") for f in FROM_INITIAL for k in AXES),
    row(lambda z, i: np.prod(z, axis=0, initial=i), C, np.complex128(0.6 + 0.2j),
        name="prod traced initial"),
    row(lambda x, i: np.min(x, axis=1, initial=i), A, np.float64(-0.8), name="min traced initial"),
    row(lambda x: np.sum(x, dtype=np.float64) * np.mean(x, dtype=np.float64), A, name="dtype"),
    row(lambda x: np.amax(x) * np.amin(x, axis=0), A, name="amax amin"),
    row(lambda x: np.var(x, axis=1, mean=np.mean(x, axis=1, keepdims=True)), A, name="var mean="),
    row(lambda x, m: np.std(x, axis=1, mean=m), A, np.array([[0.1], [0.2]]), name="std mean="),
    row(lambda x, w: np.average(x, weights=w), A, P[0, :2, :3], name="average"),
    row(lambda x, w: np.average(x, axis=1, weights=w), A, P[0, 0, :3], name="average axis"),
    row(lambda x, w: np.average(x, axis=0, weights=w, returned=True, keepdims=True), A,
        P[0, :2, :3], name="average returned"),
    row(lambda x: np.average(x, axis=0), A, name="average without weights"),
    *(row(lambda x, f=f, k=k: f(x, **k), x, name=f"{f.__name__} {k}")
      for f in (np.cumsum, np.cumprod) for x in (T, C) for k in ({}, {"axis": 0}, {"axis": -1})),
    row(lambda x: np.nancumsum(x, axis=1), NANS, name="nancumsum", second=False),
    row(lambda x: np.nancumprod(x, axis=1), NANS, name="nancumprod", second=False),
    *(row(lambda x, k=k: np.diff(x, **k), T, name=f"diff {k}")
      for k in ({}, {"n": 2}, {"axis": 1}, {"n": 3, "axis": 0}, {"n": 0},
                {"prepend": 0.5, "axis": 1}, {"append": T[:1], "axis": 0, "n": 2})),
    row(lambda x, p: np.diff(x, prepend=p, append=p), A, np.array([[1.0], [2.0]]),
        name="diff traced prepend"),
    row(lambda x: np.ediff1d(x, to_end=[1.0, 2.0], to_begin=3.0), A, name="ediff1d"),
    row(lambda x, e: np.ediff1d(x, to_end=e), A, A[0].copy(), name="ediff1d traced end"),
    row(np.trapezoid, A, A + 1, name="trapezoid"),
    row(lambda y, x: np.trapezoid(y, x, axis=0), A, np.array([0.3, 0.9]), name="trapezoid axis"),
    row(lambda y: np.trapezoid(y, dx=0.3), A, name="trapezoid dx"),
    *(row(lambda x, u=u, k=k: u.reduce(x, **k), P, name=f"{u.__name__}.reduce {k}")
      for u in (np.logaddexp, np.logaddexp2, np.hypot, np.add, np.multiply, np.maximum)
      for k in ({}, {"axis": 1}, {"axis": -1, "keepdims": True})),
    row(np.sum, np.zeros((0, 3)), name="sum empty"),
    row(lambda x: np.prod(x, axis=1), np.zeros((2, 0)), name="prod empty"),
    row(lambda x: np.cumsum(x) + np.cumprod(x), np.zeros(0), name="cumsum empty"),
    row(np.sum, np.array(0.7), name="sum 0-d"),
    row(np.var, np.array(0.7), name="var 0-d"),
]  # fmt: skip
if hasattr(np, "cumulative_sum"):  # NumPy 2.1
    ROWS += [
        row(lambda x: np.cumulative_sum(x, axis=1, include_initial=True), A, name="cumulative_sum"),
        row(
            lambda x: np.cumulative_prod(x, axis=0, include_initial=True), A, name="cumulative_prod"
        ),
        row(np.cumulative_prod, A[0], name="cumulative_prod flat"),
    ]

METHODS = [
    "inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf",
    "hazen", "weibull", "linear", "median_unbiased", "normal_unbiased", "lower", "higher",
    "midpoint", "nearest",
]  # fmt: skip
QUANTILES = [
    *(row(lambda x, m=m: np.quantile(x, [0.3, 0.62], axis=1, method=m), A,
          name=f"quantile {m}", second=False) for m in METHODS),
    *(row(lambda x, k=k: np.percentile(x, 37.0, **k), T, name=f"percentile {k}", second=False)
      for k in ({}, {"axis": 1}, {"axis": (0, 2), "keepdims": True})),
    row(lambda x: np.percentile(x, [[10, 20], [30, 40]], axis=0), T, name="percentile 2-d q"),
    row(lambda x: np.nanpercentile(x, [30, 60], axis=1), NANS, name="nanpercentile", second=False),
    row(lambda x: np.nanquantile(x, 0.4), NANS, name="nanquantile", second=False),
    row(lambda x: np.quantile(x, [0.3, 0.7], axis=0, weights=P[:, 0, 0], method="inverted_cdf"),
        A, name="quantile weights", second=False),
    *(row(lambda x, q, m=m: np.quantile(x, q, axis=1, method=m), A, np.array([0.31, 0.62]),
          name=f"quantile by q, {m}") for m in METHODS),
    row(lambda x, q: np.percentile(x, 100 * q, axis=(0, 2), keepdims=True), T,
        np.array([[0.13, 0.21], [0.33, 0.41]]), name="percentile by q"),
    row(lambda q: np.quantile(A, q, axis=0, method="hazen"), np.array([0.01, 0.5, 0.99]),
        name="quantile by q, at the ends"),
    row(lambda x, q: np.nanquantile(x, q), A, np.float64(0.37), name="nanquantile by q"),
    row(lambda x, q: np.quantile(x[:1, 0], q), A, np.float64(0.37), name="quantile of one"),
]  # fmt: skip


@pytest.mark.parametrize("case", ROWS + QUANTILES, ids=name_of)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_four_questions(case):
    ask(case)


@pytest.mark.parametrize("axes", AXES, ids=str)
@pytest.mark.parametrize("fun", FROM_INITIAL, ids=lambda fun: fun.__qualname__)
@pytest.mark.parametrize("start", [0.6, -3.0, 7.0])
def test_the_initial_value_alone(fun, axes, start):
    """The array is one that the function makes, so that only the initial value is watched."""

    def reduced(start):
        return fun(np.array(A), initial=start, **axes)

    numerical = (reduced(start + 1e-6) - reduced(start - 1e-6)) / 2e-6
    got = tapemagic.jacobian(lambda start: fun(np.array(A), initial=start, **axes))(start)
    np.testing.assert_allclose(got, numerical, rtol=1e-6, atol=1e-8)
    pull = tapemagic.vjp(lambda start: fun(np.array(A), initial=start, **axes), start)[1]
    np.testing.assert_allclose(pull(np.ones_like(numerical))[0], np.sum(numerical), atol=1e-8)
    both = tapemagic.jacobian(lambda x, start: fun(x, initial=start, **axes), (0, 1))(A, start)
    np.testing.assert_allclose(both[1], numerical, rtol=1e-6, atol=1e-8)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("shape", [(2, 0), (0, 2), (0,)], ids=str)
@pytest.mark.parametrize("fun", [np.mean, np.var, np.std, np.nanmean, np.nanvar, np.nanstd])
def test_spreads_of_nothing(fun, shape):
    x = np.zeros(shape)
    for axis in range(x.ndim):
        y = fun(x, axis=axis)
        _, tangent = tapemagic.jvp(lambda x, axis=axis: fun(x, axis=axis), (x,), (x,))
        np.testing.assert_array_equal(tangent, np.zeros(y.shape))
        jacobian = tapemagic.jacobian(lambda x, axis=axis: fun(x, axis=axis))(x)
        assert jacobian.shape == (*y.shape, *shape)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_variance_without_freedom_has_no_slope():
    _, tangent = tapemagic.jvp(lambda x: np.var(x, axis=1, ddof=1), (A[:, :1],), (A[:, :1],))
    np.testing.assert_array_equal(tangent, [np.nan, np.nan])


@pytest.mark.parametrize("fun", [np.mean, np.nanmean])
def test_half_precision_of_more_elements_than_it_can_count(fun):
    x = np.tile(np.float16([0.5, -1.5]), 40_000)
    got = tapemagic.grad(fun)(x)
    assert got.dtype == np.float16
    np.testing.assert_allclose(got, tapemagic.grad(fun)(x.astype(float)), rtol=0, atol=6e-8)


@pytest.mark.parametrize("fun", [np.var, np.std, np.nanvar, np.nanstd])
def test_bits_of_a_complex_variance_about_a_given_mean(fun):
    z = RNG.normal(size=(2, 50)) + 1j * RNG.normal(size=(2, 50))

    def spread(z):
        return fun(z, axis=1, mean=np.mean(z, axis=1, keepdims=True))

    np.testing.assert_array_equal(tapemagic.vjp(spread, z)[0], spread(z))


@pytest.mark.parametrize("returned", [False, True])
def test_an_average_over_nothing_of_nothing(returned):
    with pytest.raises(ZeroDivisionError) as plain:
        np.average(np.zeros(0), axis=(), returned=returned)
    with pytest.raises(ZeroDivisionError) as ours, tapemagic.GradientTape() as tape:
        np.average(tape.watch(np.zeros(0)), axis=(), returned=returned)
    assert str(ours.value) == str(plain.value)
