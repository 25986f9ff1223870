"""Functions of scipy.signal and scipy.integrate, where SciPy is installed."""

import numpy as np
import pytest

signal = pytest.importorskip("scipy.signal")
integrate = pytest.importorskip("scipy.integrate")

from autodiff.rules.four_questions import ask, name_of, row, samplers  # noqa: E402

import tapemagic  # noqa: E402
from tapemagic import GradientTape, Variable  # noqa: E402
from tapemagic.autodiff.twins.modules import twin_of  # noqa: E402
from tapemagic.errors import NoRuleError  # noqa: E402

real, compl = samplers(52)
ss, si = twin_of(signal), twin_of(integrate)
MODES = ("full", "same", "valid")
B, A = np.array([0.5, 0.2, -0.1]), np.array([1.5, -0.4, 0.1, 0.05])
SECTIONS = signal.butter(4, 0.3, output="sos")
STEPS = np.array([0.0, 0.3, 0.5, 1.1, 1.4, 2.0, 2.2])

CONVOLUTIONS = [
    row(lambda a, b, f=f, m=m, o=o: getattr(ss, f)(a, b, m, **o), d(*n), d(*k),
        name=f"{f} {m} {o}")
    for m in MODES
    for f, options in (
        ("convolve", ({}, {"method": "direct"}, {"method": "fft"})),
        ("correlate", ({}, {"method": "fft"})),
        ("fftconvolve", ({},)), ("oaconvolve", ({},)),
    )
    for o in options
    for d, n, k in (
        (real, (6,), (3,)), (real, (6,), (4,)), (compl, (5,), (2,)), (real, (3,), (5,)),
        (real, (4, 5), (2, 3)), (compl, (2, 3), (2, 4)), (compl, (4, 4), (2, 3)),
    )
]  # fmt: skip
ROWS = [
    *CONVOLUTIONS,
    *(row(lambda a, b, f=f, m=m: getattr(ss, f)(a, b, m), d1(*n), d2(*k), name=f"{f} {m}")
      for f in ("convolve2d", "correlate2d") for m in MODES
      for d1, d2 in ((real, real), (compl, compl), (real, compl), (compl, real))
      for n, k in (((4, 5), (2, 3)), ((2, 3), (2, 4)), ((2, 2), (3, 4)))),
    *(row(lambda a, b, f=f, m=m, k=k, v=fill: getattr(ss, f)(a, b, m, k, v),
          d(*n), d(*s), name=f"{f} {m} {k}")
      for f in ("convolve2d", "correlate2d") for m in MODES
      for k, fill in (("symm", 0), ("wrap", 0), ("fill", 1.5)) for d in (real, compl)
      for n, s in (((4, 5), (2, 3)), ((2, 2), (3, 4)))),
    row(ss.lfilter, B, A, real(8)),
    row(ss.lfilter, B, A, real(2, 8)),
    row(lambda b, a, x: ss.lfilter(b, a, x, axis=0), B, A, real(8, 2), name="lfilter axis"),
    row(ss.lfilter, B + 0.1j, A, compl(8)),
    row(lambda b, x: ss.lfilter(b, 1.0, x), B, real(8), name="lfilter fir"),
    *(row(lambda b, a, x, z: ss.lfilter(b, a, x, zi=z), p, q, real(n), real(k), name="lfilter zi")
      for p, q, n, k in ((B, A, 8, 3), (B, A[:1], 8, 2), (B[:1], A, 2, 3))),
    row(lambda x, z: ss.lfilter(B, A, x, 0, z), real(6, 2), real(3, 1), name="lfilter zi axis"),
    row(lambda x: ss.sosfilt(SECTIONS, x), real(9), name="sosfilt"),
    row(lambda x, z: ss.sosfilt(SECTIONS, x, zi=z), real(9), real(2, 2), name="sosfilt zi"),
    row(lambda c, x: ss.sosfilt(SECTIONS * np.pad(c, (4, 0), constant_values=1), x), real(2), real(9), name="sosfilt sos"),
    *(row(lambda x, o=o: ss.filtfilt(B, A, x, **o), real(*n), name=f"filtfilt {o}")
      for n, o in (((15,), {}), ((15,), {"padtype": "even", "padlen": 4}), ((15,), {"padlen": 0}),
                   ((9, 2), {"axis": 0, "padtype": None}),
                   ((2, 15), {"padtype": "constant"}))),
    *(row(lambda x, o=o: ss.sosfiltfilt(SECTIONS, x, **o), real(*n), name=f"sosfiltfilt {o}")
      for n, o in (((17,), {}), ((9, 2), {"axis": 0, "padlen": 5, "padtype": "even"}))),
    row(lambda x: ss.sosfiltfilt(SECTIONS * [1, 1, 0, 1, 1, 0], x), real(15), name="first order"),
    *(row(lambda x, o=o: ss.savgol_filter(x, **o), real(*n), name=f"savgol_filter {o}")
      for n, o in (
          ((9,), {"window_length": 5, "polyorder": 2}), ((9,), {"window_length": 1, "polyorder": 0}),
          ((9, 2), {"window_length": 4, "polyorder": 1, "axis": 0, "deriv": 1, "delta": 0.1}),
          *(((9,), {"window_length": 5, "polyorder": 3, "mode": mode, "cval": 0.3})
            for mode in ("mirror", "constant", "nearest", "wrap")))),
    *(row(lambda x, o=o: ss.hilbert(x, **o), real(*n), name=f"hilbert {o}")
      for n, o in (((8,), {}), ((7, 2), {"axis": 0}), ((7,), {"N": 10}), ((7,), {"N": 5}))),
    row(lambda b, a: ss.freqz(b, a, 7), B, A, name="freqz"),
    row(lambda b: ss.freqz(b, worN=[0.1, 0.3], fs=1.0)[1], compl(3), name="freqz fs"),
    row(lambda x: x[ss.find_peaks(x)[0]] + ss.find_peaks(x, height=-9)[1]["peak_heights"],
        real(12), name="find_peaks"),
    *(row(lambda x, k=k: ss.detrend(x, type=k), real(7), name=f"detrend {k}")
      for k in ("linear", "constant")),
    row(si.trapezoid, real(7)),
    row(si.trapezoid, real(7), STEPS),
    row(lambda y, h: si.trapezoid(y, dx=h, axis=0), real(4, 2), np.float64(0.3), name="trapezoid"),
    *(row(f, real(n)) for f in (si.simpson, si.cumulative_simpson) for n in (6, 7)),
    *(row(lambda y, x, f=f: f(y, x=x), real(n), STEPS[:n], name=f.__name__)
      for f in (si.simpson, si.cumulative_simpson) for n in (6, 7)),
    row(lambda y: si.simpson(y, axis=0), real(6, 2), name="simpson axis"),
    row(si.cumulative_trapezoid, real(7)),
    row(si.cumulative_trapezoid, real(2, 7), STEPS),
    row(lambda y: si.cumulative_trapezoid(y, initial=0), real(7), name="initial"),
    row(si.romb, real(9)),
    *(row(lambda k, a, b, f=f: si.quad(lambda u: f(k * u), a, b)[0], np.float64(0.7),
          np.float64(0.3), np.float64(1.9), name=f"quad {f.__name__}")
      for f in (np.cos, np.arctan, np.sinh)),
    row(lambda k, a, b: si.quad(lambda u, k, m: m * np.sqrt(k + u), b, a, (k, 2.0))[0],
        np.float64(0.7), np.float64(0.3), np.float64(1.9), name="quad backwards, with arguments"),
    *(row(lambda k, a, f=f: si.quad(lambda u: np.exp(-k * (u - a) ** 2), *f(a))[0],
          np.float64(0.7), np.float64(0.4), name=f"quad without limit {f(2.0)}", tolerance=1e-5)
      for f in (lambda a: (a, np.inf), lambda a: (-np.inf, a), lambda a: (-np.inf, np.inf))),
    row(lambda k: si.quad(lambda u: 1 / (0.01 + (u - k) ** 2), 0, 2)[0], np.float64(0.7),
        name="quad in pieces", tolerance=1e-5),
    row(lambda k, a: si.fixed_quad(lambda u: np.exp(k * u), a, 1.0, n=4)[0], np.float64(0.7),
        np.float64(0.3), name="fixed_quad"),
]  # fmt: skip


@pytest.mark.parametrize("case", ROWS, ids=name_of)
def test_signal(case):
    ask(case)


@pytest.mark.parametrize(
    "fun",
    [
        lambda x: ss.filtfilt(B, A, x, method="gust"),
        lambda x: ss.filtfilt(x[:3], A, np.ones(20)),
        lambda x: ss.wiener(x),
        lambda x: ss.find_peaks(x, prominence=0)[1]["prominences"],
        lambda x: ss.fftconvolve(x, x, axes=0),
        lambda x: si.quad(lambda u: x[0] * np.log(u), 0, 1)[0],  # SciPy extrapolates
        lambda x: si.quad(lambda u: u % (1.7 + x[0] ** 2), 0, 9)[0],
        lambda x: si.quad(lambda u: u if u < x[0] else 0.0, 0, 1)[0],
        lambda x: si.quad(lambda u: u * np.heaviside(u - 0.5 - 0 * x[0], 0), 0, 1)[0],
        lambda x: si.quad(lambda u: x[0] * u, 0, 1, points=[0.3])[0],
        lambda x: si.quad(lambda u: x[0] * u, 0, 1)[1],
        lambda x: si.quad_vec(lambda u: x * u, 0, 1)[0],
    ],
)
def test_what_is_not_carried_is_refused(fun):
    with pytest.raises(NoRuleError):
        tapemagic.grad(lambda x: np.sum(fun(x)))(real(16))


def test_a_refusal_names_the_users_line():
    """SciPy's code calls the function, compiled code calls it, and the user wrote it."""
    rate = np.float64(0.7)

    def integral(rate):
        return si.dblquad(lambda u, v: np.exp(-rate * u * v), 0, 1, 0, 1)[0]

    with pytest.raises(NoRuleError) as error:
        tapemagic.grad(integral)(rate)
    assert error.value.code.startswith("return si.dblquad(lambda")


def test_an_integral_warns_as_scipys_and_may_be_one_of_integrals():
    with GradientTape(persistent=True) as tape:
        k = tape.watch(np.float64(0.7))
        with pytest.warns(integrate.IntegrationWarning, match="subdivisions"):
            plain = si.quad(lambda u: np.sin(200 * u**4), 0, 3, limit=2)
        assert plain == pytest.approx(
            integrate.quad(lambda u: np.sin(200 * u**4), 0, 3, limit=2)[:2]
        )
        value, _, told = si.quad(lambda u: k * u, 0, 1, full_output=True)
        area = si.quad(lambda v: si.quad(lambda u: np.exp(-k * u * v), 0, v)[0], 0, 1)[0]
    assert told["neval"] == 21
    assert tape.gradient(value, k) == pytest.approx(0.5)
    slope = integrate.dblquad(lambda u, v: -u * v * np.exp(-0.7 * u * v), 0, 1, 0, lambda v: v)[0]
    assert tape.gradient(area, k) == pytest.approx(slope)


@pytest.mark.parametrize("fun", ["convolve2d", "correlate2d"])
@pytest.mark.parametrize("boundary", ["symm", "wrap"])
def test_what_lies_beyond_edges_leaves_no_gaps_in_memory(fun, boundary):
    x, k = np.arange(20.0).reshape(4, 5), np.ones((3, 3))
    plain = getattr(signal, fun)(x, k, "same", boundary)
    with GradientTape() as tape:
        y = getattr(ss, fun)(tape.watch(x), k, "same", boundary)
    assert y.strides == plain.strides
    assert np.asarray(y).base is plain.base is None


@pytest.mark.parametrize("plain", ["a", "b"])
def test_a_filter_with_plain_coefficients_and_a_nan_elsewhere(plain):
    x, root = Variable([1.0, -0.5, 2.0, 0.3]), Variable(0.0)

    def value(x):
        moving = np.stack([x[3] / x[3], x[0] * 0.1])
        given = (moving, [1.0, -0.3]) if plain == "a" else ([1.0, 0.5], moving)
        return np.sum(signal.lfilter(*given, x) ** 2)

    with GradientTape() as tape:
        loss = value(x) + 0.0 * np.sqrt(root)
    start, steps = x.numpy(), 1e-6 * np.eye(4)
    differences = [(value(start + step) - value(start - step)) / 2e-6 for step in steps]
    np.testing.assert_allclose(tape.gradient(loss, x), differences, rtol=1e-6)
