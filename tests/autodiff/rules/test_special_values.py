"""Where the derivative does not exist, or the textbook formula fails: the conventions."""

import numpy as np
import pytest

import tapemagic
from tapemagic import stop_gradient

ZERO, INF, NAN = 0.0, np.inf, np.nan


def gradient(fun, *xs):
    """Gradient of the sum, with respect to the first argument."""
    with np.errstate(all="ignore"):
        return tapemagic.grad(lambda *ys: np.sum(fun(*ys)))(*(np.array(x, float) for x in xs))


#: (what, function, point, gradient): the table of what tapemagic promises, and its neighbours
CASES = [
    ("abs at 0", np.abs, [0, -0.0, 2], [0, 0, 1]),
    ("fabs at 0", np.fabs, [0, -2], [0, -1]),
    ("sqrt at 0", np.sqrt, [0, 4], [INF, 0.25]),
    ("cbrt at 0", np.cbrt, [0, 8], [INF, 1 / 12]),
    ("maximum(x, 0)", lambda x: np.maximum(x, 0), [-1, 0, 1], [0, 0.5, 1]),
    ("minimum(0, x)", lambda x: np.minimum(0, x), [-1, 0, 1], [1, 0.5, 0]),
    ("fmax at a tie", lambda x: np.fmax(x, 1.0), [1, NAN, 2], [0.5, 0, 1]),
    ("fmin of nan", lambda x: np.fmin(NAN, x), [1, 2], [1, 1]),
    ("maximum of nan", lambda x: np.maximum(x, 1.0), [NAN, 2], [1, 1]),
    ("maximum with nan", lambda x: np.maximum(x, NAN), [1, 2], [0, 0]),
    ("maximum of infinities", lambda x: np.maximum(x, INF), [INF, 2], [0.5, 0]),
    ("clip at its bounds", lambda x: np.clip(x, 0, 1), [-0.1, 0, 0.5, 1, 1.1], [0, 1, 1, 1, 0]),
    ("clip of nan", lambda x: np.clip(x, 0, 1), [NAN], [1]),
    ("max, ties", np.max, [3, 1, 3, 2], [0.5, 0, 0.5, 0]),
    ("min, ties", np.min, [1, 1, 1, 2], [1 / 3, 1 / 3, 1 / 3, 0]),
    ("max of nan", np.max, [3, NAN, 1], [0, 1, 0]),
    ("nanmax of nan", np.nanmax, [3, NAN, 1], [1, 0, 0]),
    ("max of equal infinities", np.max, [INF, INF], [0.5, 0.5]),
    ("max against a tied initial", lambda x: np.max(x, initial=3), [3, 1], [0.5, 0]),
    ("max below its initial", lambda x: np.max(x, initial=5), [3, 1], [0, 0]),
    ("ptp, ties", np.ptp, [1, 2, 2], [-1, 0.5, 0.5]),
    ("ptp of equal values", np.ptp, [2, 2], [0, 0]),
    ("std of equal values", np.std, [0.1, 0.1, 0.1], [0, 0, 0]),
    ("std of one value", np.std, [0.1], [0]),
    ("nanstd of equal values", np.nanstd, [0.1, NAN, 0.1, 0.1], [0, 0, 0, 0]),
    ("std of almost equal values", lambda x: np.std(x) * 2, [1, 1 + 2**-50], [-1, 1]),
    ("a 0-d array over a 0 of Python's", lambda x: x / 0, 2.0, INF),
    ("complex numbers over a 0 of Python's", lambda x: (1j * x / 0).imag, [2.0], [NAN]),
    ("nanstd of a number along an axis", lambda x: np.nanstd(x, axis=0), 2.0, 0),
    ("product without initial", lambda x: np.prod(x, initial=None), [2, 3], [3, 2]),
    ("tensordot of numbers", lambda x: np.tensordot(3.0, x, 0), 2.0, 3.0),
    ("hypot at 0", lambda x: np.hypot(x, 0), [0, 2], [0, 1]),
    ("x**0 at 0", lambda x: x**0.0, [0, 2], [0, 0]),
    ("x**0 by array", lambda x: x ** np.array([0.0, 0.0]), [0, 2], [0, 0]),
    ("x**1 at 0", lambda x: x**1, [0, 2], [1, 1]),
    ("x**2 at 0", lambda x: x**2.0, [0, -3], [0, -6]),
    ("x**3 of negatives", lambda x: np.power(x, 3), [-2, 0], [12, 0]),
    ("0**x", lambda x: 0.0**x, [2, 0.5], [0, 0]),
    ("2**x", lambda x: 2**x, [0, 1], [np.log(2), 2 * np.log(2)]),
    ("prod through one zero", np.prod, [2, 0, 3], [0, 6, 0]),
    ("prod through two zeros", np.prod, [0, 0, 3], [0, 0, 0]),
    ("prod of infinities", np.prod, [2, 3, INF], [INF, INF, 6]),
    ("cumprod up to an infinity", np.cumprod, [2, 0.5, INF], [1 + 0.5 + INF, 2 + INF, 1]),
    ("cumprod through a zero", np.cumprod, [2, 0, 3], [1, 8, 0]),
    ("cumprod through zeros", np.cumprod, [0, 2, 0, 5], [15 - 12, 0, 0, 0]),
    ("where(x > 0, sqrt(x), 0)", lambda x: np.where(x > 0, np.sqrt(x), 0), [0, 4], [0, 0.25]),
    ("where(x == 0, 0, 1/x)", lambda x: np.where(x == 0, 0, 1 / x), [0, 2], [0, -0.25]),
    ("sqrt of a selection", lambda x: np.sqrt(x)[x > 0], [0, 4], [0, 0.25]),
    ("sqrt, summed where", lambda x: np.sum(np.sqrt(x), where=x > 0), [0, 4], [0, 0.25]),
    ("largest of square roots", lambda x: np.max(np.sqrt(x)), [0, 4], [0, 0.25]),
    ("clipped logarithm", lambda x: np.clip(np.log(x), -5, 5), [0, 1], [0, 1]),
    ("a numeric zero times inf", lambda x: np.sqrt(x) * 0, [0.0], [NAN]),
    ("a zero of a matrix product times inf", lambda x: np.sqrt(x) @ np.zeros(1), [0.0], [NAN]),
    ("sqrt(x)**2 at 0", lambda x: np.sqrt(x) ** 2, [0.0], [NAN]),
    ("floor under an infinity", lambda x: 1 / np.floor(x), [0.5], [0]),
    ("floor, ceil, round, sign", lambda x: np.floor(x) + np.ceil(x) + np.round(x) + np.sign(x),
     [0, 1, 1.5], [0, 0, 0]),
    ("logaddexp of -inf", lambda x: np.logaddexp(x, 0.0), [-INF, 0], [0, 0.5]),
    ("logaddexp, both -inf", lambda x: np.logaddexp(np.logaddexp(x[0], x[1]), x[2]),
     [-INF, -INF, 2], [0, 0, 1]),
    ("logaddexp.reduce of -inf", np.logaddexp.reduce, [-INF, 1, 1], [0, 0.5, 0.5]),
    ("remainder", lambda x: np.remainder(7.5, x), [2, -2], [-3, 4]),
    ("fmod", lambda x: np.fmod(-7.5, x), [2, -2], [3, -3]),
    ("copysign at 0", lambda x: np.copysign(x, -1.0), [0, 2], [0, -1]),
    ("nan_to_num", np.nan_to_num, [NAN, INF, 2], [0, 0, 1]),
    ("product of a number along an axis", lambda x: np.prod(x, axis=0), 2.0, 1),
    ("running product of a number", lambda x: np.cumprod(x, axis=0), 2.0, 1),
    ("median of a number", lambda x: np.median(x, axis=None), 2.0, 1),
    ("arccosh at 1", np.arccosh, [1, 2], [INF, 1 / np.sqrt(3)]),
    ("median of nan", np.nanmedian, [NAN, 1, 3], [0, 0.5, 0.5]),
    ("mean of an empty selection", np.nanmean, [1, NAN], [1, 0]),
    ("average", lambda x: np.average(x, weights=[0, 1]), [1, 2], [0, 1]),
    ("heaviside", lambda x: np.heaviside(x, 0.5), [0, 1], [0, 0]),
    ("heaviside's middle", lambda x: np.heaviside([-1, 0, 1], x), [5, 5, 5], [0, 1, 0]),
]  # fmt: skip


NAMES = [case[0] for case in CASES]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("fun", "x", "expected"), [c[1:] for c in CASES], ids=NAMES)
def test_convention(fun, x, expected):
    np.testing.assert_allclose(gradient(fun, x), expected, rtol=1e-7, atol=1e-12)


def test_cumprod_through_zeros_is_exact_to_second_order():
    x = np.array([2.0, 0.0, 3.0, 5.0])
    hessian = tapemagic.hessian(lambda x: np.sum(np.prod(x)))(x)
    others = [[0 if i == j else np.prod(np.delete(x, [i, j])) for j in range(4)] for i in range(4)]
    np.testing.assert_array_equal(hessian, others)


@pytest.mark.parametrize("n", range(1, 14))
def test_cumprod_of_any_length(n):
    x = np.random.default_rng(n).uniform(-1.5, 1.5, n)
    found = tapemagic.jacobian(np.cumprod)(x)
    expected = [[np.prod(np.delete(x[: i + 1], j)) if j <= i else 0 for j in range(n)]
                for i in range(n)]  # fmt: skip
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_complex_square_has_the_conjugate_gradient():
    np.testing.assert_array_equal(gradient_complex(lambda z: z * z, 1 + 2j), 2 - 4j)
    np.testing.assert_allclose(gradient_complex(np.abs, 3 + 4j), 0.6 + 0.8j)
    assert gradient_complex(np.abs, 0j) == 0
    assert gradient_complex(lambda z: np.abs(np.sign(z)), 0j) == 0


def test_parts_of_complex_numbers_that_are_not_finite():
    z = np.array([complex(NAN, 1), complex(2, INF), complex(NAN, -INF), 3 + 4j])
    for part, wanted in ((np.real, [0, 1, 0, 1]), (np.imag, [1j, 0, 0, 1j])):
        got = tapemagic.grad(lambda z, part=part: np.sum(part(np.nan_to_num(z))))(z)
        np.testing.assert_array_equal(got, wanted)


#: With the sign of a zero, NumPy and SciPy tell on which side of a branch cut a number lies.
ON_CUTS = {
    "arcsin": np.arcsin, "arccos": np.arccos, "arctan": np.arctan, "arcsinh": np.arcsinh,
    "arccosh": np.arccosh, "arctanh": np.arctanh, "sqrt": np.sqrt, "log": np.log,
    "log1p": np.log1p, "log2": np.log2, "log10": np.log10, "reciprocal": np.reciprocal,
    "power": lambda z: z ** (0.3 + 0.2j), "real power": lambda z: z**-1.5,
    "exponent": lambda z: z ** (z * (0.3 + 0.2j)), "emath": lambda z: np.emath.logn(3, z),
    "angle": lambda z: np.angle(z) * z,
}  # fmt: skip


@pytest.mark.parametrize("name", ON_CUTS)
def test_the_side_of_a_branch_cut(name):
    """A step along the cut changes no side; the other parts follow, the function being analytic."""
    fun, weight = ON_CUTS[name], 0.8 - 0.5j

    def loss(z):
        return np.real(fun(z) * weight)

    for real in (-2.5, 2.5):
        for zero in (0.0, -0.0):
            for z, step in (
                (complex(real, zero), complex(1e-6, 0.0)), (complex(zero, real), 1e-6j)
            ):  # fmt: skip
                ahead, behind = (
                    complex(z.real + s * step.real or z.real, z.imag + s * step.imag or z.imag)
                    for s in (1, -1)
                )
                got = tapemagic.grad(loss)(np.complex128(z))
                along = got.imag if step.imag else got.real
                numerical = (loss(np.complex128(ahead)) - loss(np.complex128(behind))) / 2e-6
                np.testing.assert_allclose(along, numerical, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("fun", [np.emath.arccos, np.emath.arcsin, np.emath.arctanh])
@pytest.mark.parametrize("x", [2.0, -2.0, 0.5])
def test_real_numbers_beyond_the_range_of_a_real_function(fun, x):
    got = tapemagic.grad(lambda x: np.real(fun(x) * (1 - 2j)))(x)
    numerical = np.real((fun(x + 1e-6) - fun(x - 1e-6)) * (1 - 2j)) / 2e-6
    np.testing.assert_allclose(got, numerical, rtol=1e-6)


#: (function, exact slope at x, where the squares of the textbook formula leave the range)
LARGE = {
    "arctan2 by y": (lambda x: np.arctan2(x, x.dtype.type(3)), lambda x: 3 / (9 + x**2)),
    "arctan2 by x": (lambda x: np.arctan2(x.dtype.type(3), x), lambda x: -3 / (9 + x**2)),
    "arctan2 of equals": (lambda x: np.arctan2(x, stop_gradient(x)), lambda x: 1 / (2 * x)),
    "arctan": (np.arctan, lambda x: 1 / (1 + x**2)),
    "arcsinh": (np.arcsinh, lambda x: 1 / x),
    "arccosh": (np.arccosh, lambda x: 1 / x),
    "hypot": (lambda x: np.hypot(x, stop_gradient(x)), lambda x: 0.5**0.5),
    "log": (np.log, lambda x: 1 / x), "log2": (np.log2, lambda x: 1 / x / np.log(2)),
    "log10": (np.log10, lambda x: 1 / x / np.log(10)), "log1p": (np.log1p, lambda x: 1 / x),
    "sqrt": (np.sqrt, lambda x: 0.5 / x**0.5), "cbrt": (np.cbrt, lambda x: x ** (-2 / 3) / 3),
    "angle": (lambda x: np.angle(x + 1j * stop_gradient(x)), lambda x: -1 / (2 * x)),
}  # fmt: skip


@pytest.mark.parametrize("name", LARGE)
@pytest.mark.parametrize(
    ("dtype", "x"),
    [(np.float16, 300), (np.float16, 40000), (np.float32, 3e19), (float, 1e155), (float, 1e-155)],
)
def test_no_square_leaves_the_range(name, dtype, x):
    fun, slope = LARGE[name]
    if x < 1 and name in ("arccosh", "arcsinh", "log1p"):
        return
    info = np.finfo(dtype)
    got = tapemagic.grad(lambda x: np.sum(fun(x)))(np.array([x], dtype))
    assert got.dtype == dtype
    exact = slope(np.longdouble(dtype(x)))
    # Of half precision, where they are most of what is small, subnormal numbers count as well.
    floor = info.smallest_subnormal if dtype is np.float16 else info.smallest_normal
    tolerance = 400 * float(info.eps) * abs(exact) if dtype is not np.float16 else 0.01 * exact
    tolerance = abs(tolerance) + 2 * float(floor)
    assert abs(got[0] - exact) <= tolerance, (got, exact)


def test_slope_next_to_the_end_of_the_range():
    """1 - x**2 has no digits left there, (1 - x) (1 + x) all of them."""
    x = 1 - 2.0**-50
    exact = 1 / np.sqrt(np.longdouble(2) ** -49 - np.longdouble(2) ** -100)
    np.testing.assert_allclose(gradient(np.arcsin, x), float(exact), rtol=1e-15)
    np.testing.assert_allclose(gradient(np.arccos, -x), -float(exact), rtol=1e-15)
    np.testing.assert_array_equal(gradient(np.arcsin, [1, -1]), [INF, INF])


def test_parts_without_a_slope_keep_the_dtype():
    for dtype in (np.float16, np.float32, np.longdouble):
        x = np.array([0.7, 1.6], dtype)
        for fun in (lambda x: np.modf(x)[1], lambda x: np.modf(x)[0], lambda x: np.frexp(x)[0]):
            assert tapemagic.jacobian(fun)(x).dtype == dtype
            assert gradient_of(fun, x).dtype == dtype


def gradient_of(fun, x):
    return tapemagic.grad(lambda x: np.sum(fun(x)))(x)


def gradient_complex(fun, z):
    return tapemagic.grad(lambda z: np.real(fun(z)))(z)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.longdouble])
def test_precision_is_kept(dtype):
    x = np.array([0.5, 1.5, 2.0], dtype)

    def fun(x):
        y = np.maximum(x, 1.0) ** 2 + 2.0**x + np.log2(x) + np.hypot(x, 3.0) - np.exp2(x)
        y = y / np.std(y) + np.mean(y) + np.where(x > 1, x, 0.5) + np.clip(x, 0.6, 1.6)
        return np.sum(np.sort(y) + np.cumsum(y) + np.take(y, [0, 0, 1]))

    value, gradient = tapemagic.value_and_grad(fun)(x)
    assert value.dtype == dtype
    assert gradient.dtype == dtype


def test_what_was_never_selected_is_told_through_mixing_operations():
    """A Fourier transform of a mask has zeros of its own: they do not count as unselected."""
    filtered = np.array([1.0, 0.5, 0.25, 0.5])
    selected = np.array([False, True, False, True])
    values = np.array([0.0, 4.0, 0.0, 9.0])

    def fun(z):
        z = np.real(np.fft.ifft(np.fft.fft(z) * filtered)) * selected
        return np.sum(np.where(selected, np.sqrt(z), 0))

    x = np.real(np.fft.ifft(np.fft.fft(values) / filtered))
    numerical = [(fun(x + h) - fun(x - h)) / 2e-6 for h in 1e-6 * np.eye(4)]
    np.testing.assert_allclose(gradient(fun, x), numerical, rtol=1e-7)


WATCHED_NUMBER = {
    "maximum": lambda x, s: np.maximum(x, s),
    "minimum": lambda x, s: np.minimum(s, x),
    "fmax": lambda x, s: np.fmax(x, s),
    "max initial": lambda x, s: np.max(x, initial=s),
    "reduce initial": lambda x, s: np.minimum.reduce(x, initial=s),
    "max initial, picked": lambda x, s: np.max(x, initial=s + 1),
    "reduce initial, picked": lambda x, s: np.minimum.reduce(x, initial=s - 1),
    "product": lambda x, s: x * s + s / x - x**2 * s,
    "outer": lambda x, s: np.multiply.outer(x, s),
    "clip": lambda x, s: np.clip(x, s, None),
    "logaddexp": lambda x, s: np.logaddexp(x, s),
    "hypot": lambda x, s: np.hypot(s, x),
}


@pytest.mark.parametrize("number", [float, np.float64])
@pytest.mark.parametrize("name", WATCHED_NUMBER)
def test_a_watched_number_beside_single_precision(name, number):
    """A Python number takes the precision of the array: it is equal to what was picked from it."""
    fun = WATCHED_NUMBER[name]
    x, s = np.float32([0.5, 1.2257, 0.3]), number(0.8019445966736374)
    weights = np.array([0.7, -1.1, 0.4])

    def loss(x, s):
        return np.sum(weights * fun(x, s))

    with tapemagic.GradientTape() as tape:
        handles = tape.watch(x), tape.watch(s)
        y = loss(*handles)
    by_x, by_s = tape.gradient(y, handles)
    h, wide = 1e-6, x.astype(float)
    n = float(s)
    numerical = [(loss(wide + d, n) - loss(wide - d, n)) / (2 * h) for d in h * np.eye(3)]
    np.testing.assert_allclose(by_x, numerical, rtol=1e-5, atol=1e-5)
    numerical = (loss(wide, n + h) - loss(wide, n - h)) / (2 * h)
    np.testing.assert_allclose(by_s, numerical, rtol=1e-5, atol=1e-5)
    assert by_x.dtype == np.float32


@pytest.mark.parametrize("fun", [np.maximum, np.minimum, np.fmin])
def test_what_was_picked_in_another_precision(fun):
    a, b = np.array([0.1, 0.9, 0.3]), np.array([0.2, 0.7, 0.1])
    chosen = (fun(a, b) == a).astype(float)
    got = gradient(lambda a: np.sum(fun(a, b, dtype=np.float32)), a)
    np.testing.assert_allclose(got, chosen)
    got = gradient(lambda a: np.sum(fun.reduce(np.stack([a, b]), dtype=np.float32)), a)
    np.testing.assert_allclose(got, chosen)


@pytest.mark.parametrize("part", ["real", "imag"])
def test_what_was_never_selected_is_told_from_parts_of_complex_numbers(part):
    """The view of one part of a complex array is written to; elsewhere a branch gives nan."""
    c = np.array([0.5 + 0.5j, 0.0, -0.5 - 1.6j])

    def fun(c):
        c = c.copy()
        branch = np.where(c == 0, 0.0, np.where(c == 0, 1.0, c) ** -1)
        inverse = np.where(c == 0, 0.0, 1 / c)
        view = getattr(c, part)
        view **= 2
        return np.sum(np.real(inverse + branch) * view[0] + view)

    def slope(i, step):
        moved = c + step * np.eye(3)[i]
        return (fun(moved) - fun(c - step * np.eye(3)[i])) / 2e-6

    with np.errstate(all="ignore"):
        got = tapemagic.grad(fun)(c)
        wanted = [slope(i, 1e-6) + 1j * slope(i, 1e-6j) for i in (0, 2)]
    np.testing.assert_allclose(got[[0, 2]], wanted, rtol=1e-6, atol=1e-8)
    assert got[1] == 0
