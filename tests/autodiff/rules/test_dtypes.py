"""Gradients in other precisions than double: nothing on the way is wider than the program makes it."""

import re

import numpy as np
import pytest
from scipy import linalg, signal, stats
from scipy.spatial import distance

import tapemagic
from tapemagic import GradientTape
from tapemagic.autodiff import later
from tapemagic.autodiff.avals import AVALS, MULTIPLE
from tapemagic.autodiff.twins.modules import twin_of

X = np.array([[0.75, -1.5, 0.25, 2.0], [0.5, 1.0, 1.5, -0.125], [1.75, 0.375, -2.5, 3.0]])
MASK = X > 0.3

#: Rules with counts (integers) or weights (float64) of their own.
OF_X = {
    "mean where": lambda x: np.mean(x, axis=1, where=MASK),
    "var where": lambda x: np.var(x, axis=1, where=MASK),
    "std where": lambda x: np.std(x, axis=0, where=MASK, keepdims=True),
    "nanmean": lambda x: np.nanmean(np.where(MASK, x, np.nan), axis=1),
    "nanvar": lambda x: np.nanvar(np.where(MASK, x, np.nan), axis=1),
    "nanstd": lambda x: np.nanstd(np.where(MASK, x, np.nan)),
    "ties of max": lambda x: np.max(np.round(x) + x * 0, axis=0),
    "max from initial": lambda x: np.max(x, axis=0, initial=x[0, 0]),
    "norm inf": lambda x: np.linalg.norm(x, np.inf, axis=1),
    "norm -inf": lambda x: np.linalg.norm(x[0], -np.inf),
    "norm 3": lambda x: np.linalg.norm(x, 3, axis=1),
    "median": lambda x: np.median(x, axis=1),
    "nanmedian": lambda x: np.nanmedian(x, axis=1),
    "quantile": lambda x: np.quantile(x, 0.3, axis=1),
    "nanpercentile": lambda x: np.nanpercentile(x, 40),
    "weighted quantile": lambda x: np.quantile(
        x, 0.3, axis=1, weights=np.float32([[1, 2, 3, 4]] * 3), method="inverted_cdf"
    ),
    "pad with a ramp": lambda x: np.pad(x, 2, mode="linear_ramp"),
    "pad by odd reflection": lambda x: np.pad(x, 1, mode="reflect", reflect_type="odd"),
    "pad with medians": lambda x: np.pad(x, 1, mode="median"),
    "logaddexp": lambda x: np.logaddexp(x, 0.5),
    "logaddexp.reduce": lambda x: np.logaddexp.reduce(x, axis=1, initial=0.5),
    "expm1": np.expm1,
}  # fmt: skip
COMPLEX_TOO = {"mean where", "var where", "nanmean", "norm inf", "norm -inf", "norm 3", "expm1"}


def wider_in_the_sweep(fun, x):
    """The dtypes, wider than that of x, of what a recorded sweep computes."""
    with GradientTape(persistent=True) as tape:
        handle = tape.watch(x)
        y = np.sum(fun(handle) ** 2)  # cotangents that depend on x are recorded
        before = len(tape._recording.entries)
        tape.gradient(y, handle)
    dtypes = {AVALS[e[3]].dtype for e in tape._recording.entries[before:] if e[3] != MULTIPLE}
    return {dtype for dtype in dtypes if np.finfo(dtype).eps < np.finfo(x.dtype).eps}


@pytest.mark.parametrize(
    ("name", "dtype"),
    [(n, d) for d in ("f2", "f4", "F") for n in OF_X if d != "F" or n in COMPLEX_TOO],
)
def test_single_precision_stays(name, dtype):
    fun = OF_X[name]
    x = (X + 1j * X.T.reshape(X.shape) if dtype == "F" else X).astype(dtype)
    assert np.finfo(fun(x).dtype).eps == np.finfo(dtype).eps  # else the program itself is wider
    assert not wider_in_the_sweep(fun, x)
    gradient = tapemagic.grad(lambda x: np.sum(np.real(fun(x))))(x)
    assert gradient.dtype == x.dtype
    wide = tapemagic.grad(lambda x: np.sum(np.real(fun(x))))(x.astype("D" if dtype == "F" else "d"))
    np.testing.assert_allclose(gradient, wide, rtol=100 * np.finfo(dtype).eps, atol=1e-6)


def test_counts_beyond_half_precision():
    """Half precision has no number like 70000: counts are divided by before they become one."""
    x = np.ones((1, 70000), np.float16)
    gradient = tapemagic.grad(lambda x: np.sum(np.mean(x * 4096, axis=1, where=x > 0)))(x)
    np.testing.assert_allclose(gradient, np.float16(4096 / 70000), rtol=2e-3)
    assert gradient.dtype == np.float16


@pytest.mark.parametrize("dtype", ["f2", "f4"])
def test_a_fold_that_rounds_leaves_nothing_out(dtype):
    """NumPy adds up half precision in single, and tape and NumPy may differ by that."""
    x = (np.linspace(1, 9, 60).reshape(2, 30) / 7).astype(dtype)
    start = np.dtype(dtype).type(50.3)
    fun = lambda x: np.sum(np.subtract.reduce(x, axis=1, initial=start, keepdims=True))
    gradient = tapemagic.grad(fun)(x)
    np.testing.assert_allclose(gradient, tapemagic.grad(fun)(x.astype(float)), rtol=5e-2, atol=1e-4)


# ---------------------------------------------------------------- SciPy's own ways with precision

M = np.array([[2.0, 0.5, 0.25], [0.5, 1.5, -0.5], [0.25, -0.5, 1.25]])
V = np.array([0.75, -0.25, 0.5])


def _scipy_case(name, module, call, inputs, *, skips=""):
    kept = [d for d in ("f2", "g", "G") if d not in skips.split()]
    return [pytest.param(module, call, inputs, d, id=f"{name} {d}") for d in kept]


@pytest.mark.parametrize(
    ("module", "call", "inputs", "dtype"),
    [
        *_scipy_case("solve", linalg, lambda m, a, b: m.solve(a, b), (M, V)),
        *_scipy_case("solve pos", linalg, lambda m, a, b: m.solve(a, b, assume_a="pos"), (M, V),
                     skips="G"),
        *_scipy_case("pinv", linalg, lambda m, a: m.pinv(a), (M[:, :2],)),
        *_scipy_case("lstsq", linalg, lambda m, a, b: m.lstsq(a, b)[0], (M[:, :2], V)),
        *_scipy_case("lu", linalg, lambda m, a: m.lu(a)[2], (M,)),
        *_scipy_case("lu, lower", linalg, lambda m, a: m.lu(a)[1], (M,)),
        *_scipy_case("eigh", linalg, lambda m, a: m.eigh(a)[0], (M,)),
        *_scipy_case("eigvalsh of two", linalg, lambda m, a, b: m.eigvalsh(a, b), (M, M @ M),
                     skips="G f2"),
        *_scipy_case("svdvals", linalg, lambda m, a: m.svdvals(a), (M[:2],)),
        *_scipy_case("Riccati", linalg, lambda m, a, b: m.solve_discrete_are(a, b, np.eye(3), np.eye(1)),
                     (M / 4, V[:, None]), skips="f2"),
        *_scipy_case("cdist", distance, lambda m, a: m.cdist(a, a[:2] + 1), (M,), skips="G"),
        *_scipy_case("pdist", distance, lambda m, a: m.pdist(a, "cityblock"), (M,), skips="G"),
        *_scipy_case("convolve", signal, lambda m, a, b: m.convolve(a, b, method="fft"), (V, V + 1)),
        *_scipy_case("correlate", signal, lambda m, a, b: m.correlate(a, b, method="fft"), (V, V + 1)),
        *_scipy_case("savgol_filter", signal, lambda m, x: m.savgol_filter(x, 5, 2),
                     (np.sin(np.arange(9.0)),), skips="G"),
        *_scipy_case("logistic", stats, lambda m, x: m.logistic.cdf(x), (V,), skips="G"),
        *_scipy_case("weibull", stats, lambda m, x: m.weibull_min.logsf(x, 1.5), (V + 1,), skips="G"),
        *_scipy_case("several variables", stats,
                     lambda m, x, c: m.multivariate_normal.logpdf(x, V[:2], c),
                     (V[1:], M[:2, :2]), skips="G"),
    ],
)  # fmt: skip
def test_scipy_casts_and_so_do_gradients(module, call, inputs, dtype):
    """What SciPy computes in single or in double, its rule does too, and ends in the source's dtype."""
    later.load()
    inputs = [np.asarray(x, dtype) for x in inputs]
    try:
        value = call(module, *inputs)
    except TypeError:  # lu of SciPy 1.13 takes no long doubles
        with pytest.raises(TypeError):
            tapemagic.vjp(lambda *xs: call(twin_of(module), *xs), *inputs)
        return
    y, pull = tapemagic.vjp(lambda *xs: call(twin_of(module), *xs), *inputs)
    assert y.dtype == value.dtype
    np.testing.assert_array_equal(y, value)
    doubles = [x.astype("D" if dtype == "G" else "d") for x in inputs]
    wide, pull_wide = tapemagic.vjp(lambda *xs: call(twin_of(module), *xs), *doubles)
    ct = np.cos(np.arange(wide.size)).reshape(wide.shape)
    for x, found, wanted in zip(
        inputs, pull(ct.astype(y.dtype)), pull_wide(ct.astype(wide.dtype)), strict=True
    ):
        assert found.dtype == x.dtype
        scale = np.max(np.abs(wanted))
        np.testing.assert_allclose(
            found, wanted, rtol=0, atol=scale * (0.02 if dtype == "f2" else 1e-12)
        )


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.linalg.matrix_power(x[:, :3], 0),
        lambda x: np.ediff1d(x),
        lambda x: np.ediff1d(x, to_end=[1.0], to_begin=x[0, :2]),
        lambda x: np.choose(np.array([0, 2, 1, 1]), x),
        lambda x: np.choose(np.array([0, 2, 1, 1]), [x[0], x[1], x[2]]),
        *(lambda x, mode=mode: np.pad(x, 1, mode=mode) for mode in ("mean", "maximum", "median")),
        lambda x: np.pad(x, 1, constant_values=x[0, 0]),
    ],
)
def test_order_of_bytes_is_numpys(call):
    x = X.astype(">f8")
    y, pull = tapemagic.vjp(call, x)
    value = call(x)
    assert y.dtype == value.dtype
    np.testing.assert_array_equal(y, value)
    (gradient,) = pull(np.cos(np.arange(y.size)).reshape(y.shape))
    assert gradient.dtype == x.dtype
    (native,) = tapemagic.vjp(call, X)[1](np.cos(np.arange(y.size)).reshape(y.shape))
    np.testing.assert_array_equal(gradient, native)


@pytest.mark.parametrize("dtype", ["g", "G", "f2"])
@pytest.mark.parametrize("name", ["interp", "interp ends", "cond 1", "cond fro"])
def test_numpys_refusals_of_a_precision(name, dtype):
    call = {
        "interp": lambda x: np.interp(0.3, np.arange(4.0), x[0]),
        "interp ends": lambda x: np.interp(np.real(x[0]), np.arange(4.0), np.arange(4.0)),
        "cond 1": lambda x: np.linalg.cond(x[:, :3], 1),
        "cond fro": lambda x: np.linalg.cond(x[:, :3], "fro"),
    }[name]
    x = X.astype(dtype)
    try:
        value = call(x)
    except TypeError as error:
        with pytest.raises(TypeError, match=re.escape(str(error)[:40])):
            tapemagic.grad(call)(x)
        return
    assert name.startswith("interp")
    assert dtype == "f2"
    assert tapemagic.vjp(call, x)[0].dtype == value.dtype
