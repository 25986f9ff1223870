import inspect
import math
import random
import subprocess
import sys

import numpy as np
import pytest
from autodiff.following import follow
from numpy.testing.overrides import get_overridable_numpy_array_functions

import tapemagic
from tapemagic import GradientTape
from tapemagic.autodiff.calls.dispatch import is_traced, plain
from tapemagic.autodiff.twins import modules
from tapemagic.errors import LeavesTapeError, NoRuleError

MATH = (
    "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "atanh", "exp",
    "expm1", "log", "log1p", "log2", "log10", "sqrt", "fabs", "degrees", "radians", "erf", "erfc",
    "gamma", "lgamma",
)  # fmt: skip
tnp, tmath = modules.numpy_twin, modules.math_twin

PROGRAMS = [
    # arrays from traced values
    "np.array([s, 2 * s, h])", "np.array([[s, h], [1.0, s * h]])", "np.array([x, y * 2])",
    "np.array((x[0], x[1]))", "np.array([x[:2], [s, h]])", "np.array([s, 1, True])",
    "np.array([s], dtype=np.float64)", "np.array([s, h], ndmin=3)", "np.array(x) * x",
    "np.array(x, copy=False) * x", "np.array(s)", "np.array(h)", "np.array(x, ndmin=2) * x",
    "np.array(A, order='F')", "np.array([s, 1j])", "np.asarray(x) * x", "np.asarray([s, h])",
    "np.asarray(s)", "np.asarray(x, dtype=complex) * x", "np.asanyarray(x) * x",
    "np.ascontiguousarray(A.T) * A.T", "np.ascontiguousarray(s)", "np.asfortranarray(A) * A",
    "np.require(x, requirements=['C', 'O']) * x", "np.asarray_chkfinite(x) * x",
    "np.asarray_chkfinite([s, h])", "np.copy(x) * x", "x[:2] * np.array([s, 2], dtype=int)",
    "np.array([e * e for e in x])", "np.array(list(zip(x, y)))", "np.array([[], []]) * s",
    "np.fromiter((e * e for e in x), dtype=float)", "np.fromiter(x, float, count=3) * r",
    "np.fromfunction(lambda i: x[0] * i, (4,))", "np.full((2, 2), s)", "np.full(3, r) * r",
    "np.full(3, 1.0) * r", "np.full((2, 3), r, dtype=np.float64)", "np.mean([s, h, s * h])",
    "np.max([s, h])", "np.dot([s, h], [h, 2.0])", "np.stack([x, y]) * 2", "np.linalg.norm([s, h])",
    "np.pad([1.0, 2.0], 1, constant_values=s)", "np.pad([1.0, 2], (1, 2), constant_values=(s, h))",
    # arrays that are written to
    "z = np.zeros(5); z[1:4] = x[1:4] ** 2; z", "z = np.empty(5); z[:] = x ** 2; z",
    "z = np.ones(5); z *= x; z", "z = np.eye(3); z[0, 1] = s; z", "z = np.identity(3); z += M; z",
    "z = np.tri(3); z[0] = r; z", "z = np.zeros_like(np.arange(3.0)); z[0] = s; z",
    "z = np.full(3, 2.0); z[1] = s; z", "z = np.arange(3.0); z[1] = s; z",
    "z = np.linspace(0, 1, 3); z[1] = s; z", "z = np.copy([1.0, 2.0]); z[0] = s; z",
    "z = np.array([1.0, 2.0, 3.0]); z[0] = s; z", "z = np.ones((2, 2)).T; z[0, 1] = s; z",
    "z = np.random.default_rng(0).normal(size=3); z[0] = s; z", "z = np.ones(3) + 1; z[0] = s; z",
    "z = np.meshgrid([1.0, 2.0], [3.0])[0]; z[0, 0] = s; z",
    "z = np.diag([1.0, 2.0]); z[0] = s; z",
    # ranges
    "np.arange(s, 2.0, 0.5)", "np.arange(s, r[2], s)", "np.arange(1.0, 3.0, s)",
    "np.arange(stop=2.0, start=s)", "np.linspace(s, r[2], 5)", "np.linspace(x, y, 4)",
    "np.linspace(x, y, 4, axis=1)", "np.linspace(s, 2.0, 5, endpoint=False)",
    "np.linspace(s, 2.0, 5, retstep=True)", "np.linspace(s, 2.0, 1)", "np.linspace(0, x, num=3)",
    "np.logspace(s, r[2], 4)", "np.logspace(s, 2.0, 3, base=h + 2)", "np.geomspace(s, r[2], 4)",
    "np.geomspace(-s, -r[2], 3)",
    # joining by index, grids
    "np.r_[x, s, r]", "np.r_[s, h]", "np.r_[0.0, x, 1]", "np.r_['-1', A, A]", "np.r_['0,2', x, y]",
    "np.c_[x, y]", "np.c_[x, y, y]", "np.r_[s:r[2]:4j]", "np.mgrid[0:3] * s", "np.ogrid[0:3] * s",
    "np.mgrid[0:3, 0:2] * s", "np.s_[1:3] and x[np.s_[1:3]]", "np.indices((5,))[0] * x",
    # functions of functions, iteration
    "np.vectorize(lambda a: a * a)(x)", "np.vectorize(lambda a, b: a * math.sin(b))(A, r)",
    "np.vectorize(lambda a: (a * a, a * 2), otypes=[float, float])(x)",
    "np.vectorize(lambda a: a * s)(np.arange(3.0))", "np.vectorize(lambda a: a > 0)(x) * x",
    "np.vectorize(lambda a, b: np.dot(a, b), signature='(n),(n)->()')(A, r)",
    "np.vectorize(lambda a, k: a ** k, excluded=['k'])(p, k=3)",
    "np.apply_along_axis(lambda a: a * a, 0, A)", "np.apply_along_axis(np.sum, 1, A) * s",
    "np.apply_along_axis(lambda a: a[:2] * s, 1, A)", "np.apply_over_axes(np.sum, T, [0, 2])",
    "sum(e * e for e in np.nditer(x))", "sum(a * b for a, b in np.nditer([A, r]))",
    "z = x * 1.0; [e.__setitem__(..., e * s) for e in np.nditer(z, op_flags=['readwrite'])]; z",
    "sum(e * e * (i[0] + 1) for i, e in np.ndenumerate(A))",
    "sum(a * b for a, b in np.broadcast(A, r))", "sum(A[i] ** 2 for i in np.ndindex(2, 3))",
    "np.lib.stride_tricks.as_strided(x, (3, 3), (8, 8)) * r",
    "np.lib.stride_tricks.sliding_window_view(x, 3) * r",
    "z = x * 1.0; w = np.lib.stride_tricks.as_strided(z, (2, 2), (16, 8)); w[...] = s; z * y",
    # conversions
    "convert(float, s) * s", "convert(complex, s) * x", "convert(np.float64, h) * h",
    "convert(np.float64, x) * x", "convert(np.complex128, x) * x", "convert(complex, s, h) * s",
    # math
    *(f"math.{name}(h) * h" for name in MATH),
    "math.acosh(1 + h)", "math.atan2(h, s) * s", "math.pow(s, h)", "math.hypot(s, h, 2.0)",
    "math.log(s, h)", "math.log(s, 10)", "math.fsum([s, h, s * h])", "math.prod([s, h, 2.0])",
    "math.prod([s, 0.0, h])", "math.dist([s, h], [1.0, 2.0])", "math.copysign(s, -h)",
    "math.fmod(5 * s, h)", "math.remainder(5 * s, h)", "math.floor(5 * s) * s",
    "math.ceil(s) * h", "math.ldexp(s, 3) * h", "math.modf(5 * s)[0] * s", "math.frexp(5 * s)[0]",
    "math.isclose(s, h) * s + s", "math.sin(x[0]) * x", "math.gcd(4, 6) * s",
    "cmath.exp(1j * s) * h", "cmath.sqrt(-s)", "cmath.phase(s + 1j * h)", "cmath.log(s + 1j)",
    "cmath.polar(s + 2j * h)", "cmath.rect(s, h)", "cmath.rect(s, 0.4)", "cmath.rect(0.4, s)",
    "statistics.mean([s, h, s * h])",
    "statistics.fmean([s, h])", "statistics.stdev(x)", "statistics.pstdev([s, h])",
    "statistics.variance([h, 2 * h, s])", "statistics.pvariance(p.tolist())",
    "statistics.median(x) * s", "statistics.median([s, h, s * h, 2.0])",
    "statistics.geometric_mean(p)", "statistics.harmonic_mean([s, h])",
    *(["math.sumprod([s, 2.0], [3.0, h])", "math.sumprod(x, r[:0].tolist() + [0.5] * len(x))",
       "math.sumprod([2.0, 1.0], [s, h])"] if hasattr(math, "sumprod") else []),
    *(["math.fma(s, h, 2.0)", "math.fma(2.0, s, h)"] if hasattr(math, "fma") else []),
    # emath, polynomials
    "np.emath.sqrt(x)", "np.emath.log(p)", "np.emath.power(p, y)", "np.emath.logn(2, p)",
    "np.polynomial.polynomial.polyval(x, r)", "np.polynomial.polynomial.polyvander(x, 2)",
    "np.polynomial.Polynomial(r)(x)", "np.polynomial.Polynomial(r).deriv()(x)",
    "np.polynomial.chebyshev.chebval(x, r)", "np.polynomial.legendre.legval(x, r)",
    "np.polynomial.hermite.hermval(x, r)", "np.polynomial.laguerre.lagval(x, r)",
    # random
    "np.random.seed(0); np.random.normal(s, 2.0, size=3), np.random.rand()",
    "np.random.seed(0); np.random.normal(x, p), np.random.rand()",
    "np.random.seed(0); np.random.uniform(s, 2.0, size=3)",
    "np.random.seed(0); np.random.rand(5) * x",
    "np.random.seed(1); np.random.exponential(s), np.random.gumbel(s, h, 2), np.random.rand()",
    "np.random.seed(1); np.random.laplace(s, h), np.random.logistic(s, h), np.random.rand()",
    "np.random.seed(1); np.random.rayleigh(s), np.random.lognormal(s, h, 2), np.random.rand()",
    "np.random.seed(1); np.random.gamma(2.0, s), np.random.weibull(s), np.random.rand()",
    "g = np.random.default_rng(0); g.normal(x, p), g.random()",
    "g = np.random.default_rng(0); g.normal(scale=s, size=(2, 2)), g.normal(s), g.random()",
    "g = np.random.default_rng(0); g.uniform(-p, p), g.uniform(s, high=2.0), g.random()",
    "g = np.random.default_rng(0); g.exponential(p), g.gamma(2.0, p), g.random()",
    "g = np.random.default_rng(0); g.lognormal(s, h), g.weibull(p), g.random()",
    "g = np.random.default_rng(0); g.multivariate_normal(x[:2], np.eye(2)), g.random()",
    "g = np.random.default_rng(0); g.multivariate_normal(x[:2], M[:2, :2] @ M[:2, :2].T, 3), g.random()",
    "g = np.random.default_rng(0); C = M @ M.T; g.multivariate_normal(r, C + C.T, method='eigh')",
    "g = np.random.default_rng(0); C = M @ M.T; g.multivariate_normal(r, C, method='cholesky')",
    "np.random.seed(2); np.random.multivariate_normal(r, M @ M.T, 2), np.random.rand()",
    "g = np.random.default_rng(0); g.pareto(p), g.pareto(s, 3), g.power(p), g.power(s), g.random()",
    "g = np.random.default_rng(0); g.triangular(x - 1, x, x + p, (2, 5)), g.random()",
    "np.random.seed(3); np.random.triangular(-s, h, 2.0), np.random.power(s), np.random.rand()",
    "g = np.random.default_rng(0); g.permutation(x), g.permutation(A, axis=1), g.random()",
    "g = np.random.default_rng(0); z = x * 1.0; g.shuffle(z); (z * y, g.random())",
    "g = np.random.default_rng(0); z = A * 1.0; g.shuffle(z, axis=1); (z, g.random())",
    "g = np.random.default_rng(0); g.choice(x, 3), g.choice(A, 2, axis=1), g.choice(x), g.random()",
    "g = np.random.default_rng(0); g.choice(x, 3, False, np.full(5, 0.2)), g.random()",
    "g = np.random.default_rng(0); g.permuted(A, axis=1), g.permuted(x), g.random()",
    "g = np.random.RandomState(0); g.normal(s, h, 2), g.permutation(x), g.choice(x, 2), g.rand()",
    "g = np.random.RandomState(0); z = A * 1.0; g.shuffle(z); (z, g.normal(), g.randn(2) * s)",
]  # fmt: skip


@pytest.mark.parametrize("text", PROGRAMS)
def test_program(text):
    follow(text)


@pytest.mark.parametrize(
    "make",
    [
        lambda np_, t: np_.array([[t, 1.0], [2.0]]),
        lambda np_, t: np_.array([t, 1.0], dtype="nonsense"),
        lambda np_, t: np_.asarray_chkfinite([t / 0.0]),
        lambda np_, t: np_.fromiter(iter([t]), float, count=3),
        lambda np_, t: np_.array(t * np.ones(2), copy=False, dtype=np.float32),
        lambda np_, t: np_.zeros(-1),
        lambda np_, t: np_.arange(t, 5.0, 0.0),
        lambda np_, t: np_.linspace(t, 1.0, -2),
        lambda np_, t: np_.r_["nonsense", [t]],
        lambda np_, t: np_.random.normal(t, -1.0),
    ],
)
def test_errors_are_numpys(make):
    with np.errstate(all="ignore"):
        with pytest.raises(Exception) as expected:
            make(np, np.float64(0.5))
        with GradientTape() as tape:
            t = tape.watch(np.float64(0.5))
            with pytest.raises(type(expected.value)) as got:
                make(tnp, t)
    assert str(got.value) == str(expected.value)


@pytest.mark.parametrize(
    "text", ["math.sqrt(-h)", "math.log(h - h)", "math.acos(h + 2)", "math.exp(h * 1e5)"]
)
def test_math_raises_as_math(text):
    with pytest.raises((ValueError, OverflowError)) as expected:
        eval(text, {"math": math, "h": 0.3})
    with GradientTape() as tape, pytest.raises(type(expected.value), match=str(expected.value)):
        eval(text, {"math": tmath, "h": tape.watch(0.3)})


@pytest.mark.parametrize(("x", "slope"), [(math.inf, math.inf), (math.nan, math.nan)])
def test_gamma_of_what_is_not_finite(x, slope):
    with GradientTape(persistent=True) as tape:
        x = tape.watch(np.float64(x))
        found = tmath.gamma(x), tmath.lgamma(x)
    for y in found:
        np.testing.assert_array_equal(tape.gradient(y, x), slope)


@pytest.mark.parametrize(
    "call",
    [
        lambda t: tnp.random.poisson(t, 2),
        lambda t: tnp.random.default_rng(0).gamma(t),
        lambda t: tnp.random.default_rng(0).choice(3, p=tnp.array([t, 1 - t, 0.0])),
        lambda t: tnp.random.default_rng(0).binomial(3, t),
        lambda t: tnp.frompyfunc(lambda a: a, 1, 1)(t * np.ones(2)),
    ],
)
def test_refused(call):
    with GradientTape() as tape, pytest.raises(NoRuleError):
        call(tape.watch(np.float64(0.5)))


def test_the_refusal_of_probabilities_says_what_to_cut():
    with GradientTape() as tape, pytest.raises(NoRuleError) as caught:
        tnp.random.choice(2, p=tape.watch(np.array([0.25, 0.75])))
    assert caught.value.fix == "Cut it there: p=tapemagic.stop_gradient(...)."
    with GradientTape() as tape:
        p = tape.watch(np.array([0.25, 0.75]))
        drawn = tnp.random.choice(2, 5, p=tapemagic.stop_gradient(p))
        loss = np.log(p[drawn]).sum()
    expected = np.bincount(drawn, minlength=2) / np.array([0.25, 0.75])
    np.testing.assert_allclose(tape.gradient(loss, p), expected)


@pytest.mark.parametrize("old", [lambda: tnp.random, lambda: tnp.random.RandomState(0)])
def test_old_generators_choose_along_one_axis_only(old):
    with GradientTape() as tape, pytest.raises(ValueError, match="a must be 1-dimensional"):
        old().choice(tape.watch(np.ones((2, 3))), 2)


def test_leaving():
    with GradientTape() as tape, pytest.raises(LeavesTapeError):
        tnp.array([tape.watch(np.float64(0.5)), None])
    with GradientTape() as tape, pytest.raises(LeavesTapeError, match="bytes"):
        tnp.frombuffer(tape.watch(np.ones(3)))


def test_the_module_is_numpy_to_a_user():
    assert tnp.__name__ == "numpy"
    assert repr(tnp) == repr(np)
    assert dir(tnp) == dir(np)
    assert inspect.ismodule(tnp)
    for name in ("ndarray", "float64", "pi", "add", "newaxis", "nan"):
        assert getattr(tnp, name) is getattr(np, name)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        tnp.nothing  # noqa: B018


def test_twins_look_like_their_originals():
    for key, twin in modules.TWINS.items():
        original = modules.ORIGINALS[id(twin)]
        assert id(original) == key
        if inspect.isfunction(twin):
            assert twin.__name__ == original.__name__
            if original is not np.sinc:  # SciPy writes its documentation anew
                assert twin.__doc__ == original.__doc__
            assert twin.__wrapped__ is original
    assert inspect.signature(tnp.zeros_like) == inspect.signature(np.zeros_like)


def test_without_a_tape_nothing_is_wrapped():
    for y in (tnp.zeros(2), tnp.array([1.0]), tnp.linspace(0, 1, 3), tnp.random.rand(2)):
        assert type(y) is np.ndarray
    assert type(tnp.random.default_rng(0)) is np.random.Generator
    assert type(tmath.sin(1.0)) is float


def test_arrays_of_others_are_not_wrapped():
    mine = np.ones(3)
    with GradientTape():
        assert tnp.asarray(mine) is mine
        assert tnp.reshape(mine, (3, 1)).base is mine
        assert tnp.sum(mine[None], axis=0, out=mine) is mine
        assert is_traced(tnp.array(mine))
        empty = mine[None][2:]  # shares no memory with itself
        assert tnp.squeeze(empty) is empty


def test_asarray_is_the_same_object():
    with GradientTape() as tape:
        x = tape.watch(np.ones(3))
        assert tnp.asarray(x) is x
        assert tnp.asanyarray(x) is x


def test_generators_there_and_back():
    rng, old = np.random.default_rng(3), np.random.RandomState(3)
    for original in (rng, old):
        twin = modules.twin_of(original)
        assert isinstance(twin, type(original))
        assert modules.original_of(twin) is original
    with GradientTape():
        twin = tnp.random.default_rng(np.random.PCG64(1))
        assert isinstance(twin, tnp.random.Generator)
    assert type(modules.original_of(twin)) is np.random.Generator
    function = np.vectorize(abs)
    assert type(modules.original_of(modules.twin_of(function))) is np.vectorize


def test_vectorize_calls_as_often_as_numpy():
    def count(np_):
        calls = []
        np_.vectorize(lambda a: calls.append(a) or a * 2.0)(np.arange(3.0))
        return len(calls)

    with GradientTape():
        assert count(tnp) == count(np)


@pytest.mark.parametrize(
    "x",
    [
        np.asfortranarray(np.arange(6.0).reshape(2, 3)), np.arange(6.0).reshape(2, 3)[:, ::-1],
        np.arange(24.0).reshape(2, 3, 4).transpose(0, 2, 1), np.broadcast_to(np.arange(2.0), (3, 2)),
        np.float32(0.5), np.float32([0.5, 0.1]), 0.5, [0.5, 1.5], np.array(0.5), np.zeros((2, 0)),
    ],
    ids=repr,
)  # fmt: skip
def test_vectorize_calls_in_numpys_order_with_numpys_types(x):
    def run(np_, x):
        seen = []
        fun = np_.vectorize(lambda a: seen.append((type(a), float(a))) or a * 2.0, otypes=[float])
        y = plain(fun(x))
        return seen, y.tolist(), y.strides, y.dtype

    with GradientTape():
        assert run(tnp, x) == run(np, x)
    with GradientTape() as tape:
        y = plain(tnp.vectorize(lambda a: a * 2.0, otypes=[float])(tape.watch(np.asarray(x))))
    assert y.strides == np.vectorize(lambda a: a * 2.0, otypes=[float])(np.asarray(x)).strides


def test_product_of_complex_numbers():
    z = np.array([1.0 + 2j, -0.5 + 0.25j, 0.75 - 1j])
    with GradientTape() as tape:
        c = tape.watch(z)
        loss = np.real(tmath.prod(c) * (0.5 - 2j))
    others = [z[1] * z[2], z[0] * z[2], z[0] * z[1]]
    np.testing.assert_allclose(tape.gradient(loss, c), np.conj(np.array(others) * (0.5 - 2j)))


def test_choose_gives_numpys_memory_order():
    x = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    with GradientTape() as tape:
        y = np.choose([0, 1, 0], [tape.watch(x), x])
    assert y.strides == np.choose([0, 1, 0], [x, x]).strides


def test_sinks_get_plain_values(tmp_path):
    with GradientTape() as tape:
        x = tape.watch(np.array([1.0, 2.0]))
        tnp.testing.assert_allclose(x * 2, [2.0, 4.0])
        tnp.save(tmp_path / "x.npy", x * 2)
        assert tnp.array2string(x) == "[1. 2.]"
        with pytest.raises(AssertionError):
            tnp.testing.assert_allclose(x, [2.0, 4.0])
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), [2.0, 4.0])


def test_python_random_is_not_touched():
    assert id(random.random) not in modules.TWINS


def test_every_public_function_that_dispatches_has_a_twin():
    missing = []
    for function in get_overridable_numpy_array_functions():
        module = sys.modules.get(function.__module__)
        public = getattr(module, function.__name__, None) is function
        of_text = function.__module__ in ("numpy.char", "numpy.strings")
        if (
            function.__module__.startswith("numpy")
            and public
            and not of_text
            and id(function) not in modules.TWINS
        ):
            missing.append(f"{function.__module__}.{function.__name__}")
    assert missing == []


def test_assertions_have_twins_when_numpy_testing_comes_late():
    code = (
        "import sys, tapemagic, numpy as np\n"
        "from tapemagic.autodiff.twins import modules\n"
        "assert 'numpy.testing' not in sys.modules, 'imported for nothing'\n"
        "assert modules.numpy_twin.testing is not np.testing\n"
        "assert modules.twin_of(np.testing.assert_allclose) is not np.testing.assert_allclose\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("x", [-1e9 + 0.5, -1000.25, -40.3, -16.01, -15.9, -0.3, 0.2, 30.0])
def test_the_slope_of_lgamma_far_to_the_left(x):
    special = pytest.importorskip("scipy.special")
    slope = tapemagic.grad(lambda v: tmath.lgamma(v))
    np.testing.assert_allclose(slope(x), special.digamma(x), rtol=1e-14)
    if x > -2000:  # the second from the right, by the recurrence
        steps = np.arange(2000)
        expected = special.polygamma(1, x + 2000) + np.sum((x + steps) ** -2.0)
        np.testing.assert_allclose(tapemagic.grad(slope)(x), expected, rtol=1e-12)
