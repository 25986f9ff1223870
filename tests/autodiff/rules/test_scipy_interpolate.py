"""Splines and grids of scipy.interpolate, where SciPy is installed."""

import numpy as np
import pytest

interpolate = pytest.importorskip("scipy.interpolate")

from autodiff.rules.four_questions import ask, name_of, row, samplers  # noqa: E402

import tapemagic  # noqa: E402
from tapemagic import GradientTape  # noqa: E402
from tapemagic.autodiff.calls.dispatch import plain  # noqa: E402
from tapemagic.autodiff.twins.modules import twin_of  # noqa: E402
from tapemagic.errors import LeavesTapeError, NoRuleError  # noqa: E402
from tapemagic.notebook.arguments import parse_path  # noqa: E402
from tests.notebook.worlds import assert_same_world, run_plain, run_taped  # noqa: E402

real, compl = samplers(61)
si = twin_of(interpolate)
KNOTS = interpolate.splrep(np.arange(6.0), np.arange(6.0) ** 2)
X = np.array([0.0, 0.7, 1.5, 2.4, 3.1, 4.0])
AT = np.array([0.3, 1.7, 2.9, 3.3])
AROUND = np.array([-0.4, 0.9, 4.3])
T = np.array([0.0, 0.0, 0.0, 1.2, 2.5, 4.0, 4.0, 4.0])
KINDS = ("linear", "slinear", "quadratic", "cubic", "nearest", "nearest-up", "previous", "next",
         "zero", 2)  # fmt: skip
GRID = np.array([0.0, 0.5, 2.0]), np.array([-1.0, 0.3, 1.0, 1.4])
PLACES = np.array([[0.3, 0.1], [1.7, -0.6], [0.6, 1.3]])

ROWS = [
    *(row(lambda y, q, o=o: si.CubicSpline(X, y, bc_type=o)(q), d(6, *n), AROUND, name=f"{o}")
      for o in ("not-a-knot", "natural", "clamped") for n in ((), (2,)) for d in (real, compl)),
    row(lambda y, q: si.CubicSpline(X, y, axis=1)(q), real(2, 6), real(2, 2), name="along an axis"),
    row(lambda y, q: si.CubicSpline(X, y)(q, 1), real(6), np.float64(1.3), name="slope"),
    row(lambda y, q: si.CubicSpline(X, y, extrapolate=False).derivative(2)(q), real(6), AT,
        name="curvature"),
    row(lambda y, q: si.CubicSpline(X, y).antiderivative()(q), real(6), AT, name="antiderivative"),
    row(lambda y, a, b: si.CubicSpline(X, y).integrate(a, b), real(6, 2), np.float64(0.2),
        np.float64(2.6), name="integral"),
    row(lambda q: si.CubicSpline(X, np.stack([np.sin(X), X]), axis=1)(q), AT, name="constant"),
    row(lambda q: si.CubicSpline(X, np.sin(X)).derivative()(q), AT, name="constant derivative"),
    row(lambda b: si.CubicSpline(X, np.sin(X)).integrate(0.1, b), np.float64(1.3),
        name="constant integral"),
    *(row(lambda q, f=f: f(X, np.sin(X))(q), AT, name=f.__name__)
      for f in (si.PchipInterpolator, si.Akima1DInterpolator, si.UnivariateSpline,
                si.InterpolatedUnivariateSpline)),
    row(lambda q: si.CubicHermiteSpline(X, np.sin(X), np.cos(X))(q), AT, name="Hermite"),
    *(row(lambda y, q, k=k: si.make_interp_spline(X, y, k)(q), real(6, 2), AT, name=f"degree {k}")
      for k in (1, 3, 5)),
    row(lambda y, q: si.make_interp_spline(X, y, bc_type="natural")(q), real(6), AT, name="B"),
    row(lambda y, q: si.make_lsq_spline(X, y, T, 2)(q), real(6), AT, name="least squares"),
    row(lambda c, q: si.BSpline(T, c, 2)(q), real(5, 2), AT, name="BSpline"),
    row(lambda c, q: si.BSpline(T, c, 2).derivative()(q), real(5), AT, name="BSpline derivative"),
    row(lambda q: si.splev(q, KNOTS), AT, name="splev"),
    row(lambda q: si.splev(q, KNOTS, der=1), np.float64(2.2), name="splev derivative"),
    *(row(lambda y, q, k=k: si.interp1d(X, y, k)(q), real(2, 6), AT, name=f"interp1d {k}")
      for k in KINDS),
    *(row(lambda y, q, k=k: si.interp1d(X, y, k, bounds_error=False, fill_value=0.7)(q), real(6),
          AROUND, name=f"interp1d filled {k}") for k in KINDS),
    *(row(lambda y, q, k=k: si.interp1d(X, y, k, axis=0, fill_value="extrapolate")(q), real(6, 2),
          AROUND, name=f"interp1d beyond {k}") for k in ("linear", "cubic")),
    row(lambda y, q: si.interp1d(X[::-1], y)(q), real(6), np.float64(0.9), name="interp1d sorted"),
    row(lambda q: si.interp1d(X, np.stack([np.sin(X), X]), "cubic")(q), AT, name="interp1d fixed"),
    *(row(lambda v, q, m=m: si.RegularGridInterpolator(GRID, v, m)(q), real(3, 4, *n), PLACES,
          name=f"grid {m}") for m in ("linear", "nearest") for n in ((), (2,))),
    *(row(lambda v, q, f=f: si.RegularGridInterpolator(GRID, v, bounds_error=False, fill_value=f)(q),
          real(3, 4, *n), 2.9 * PLACES, name=f"grid filled {f}") for f in (0.3, None)
      for n in ((), (2,))),
    row(lambda v, q: si.RegularGridInterpolator(GRID, v)((q[:, 0], q[:, 1])), real(3, 4), PLACES,
        name="grid by coordinates"),
    row(lambda v, q: si.RegularGridInterpolator(GRID, v)(q[0]), real(3, 4), PLACES, name="a place"),
    row(lambda q: si.RegularGridInterpolator(GRID, np.outer(*GRID))(q), PLACES, name="grid fixed"),
    row(lambda v, q: si.interpn(GRID, v, q), real(3, 4), PLACES, name="interpn"),
]  # fmt: skip


@pytest.mark.parametrize("case", ROWS, ids=name_of)
def test_interpolation(case):
    ask(case)


Y = np.array([0.0, 2.0, -1.0, 0.5, 1.5, 0.0])
REFUSED = {
    "a derivative": lambda x: si.spalde(x[0], KNOTS),
    "scattered data": lambda x: si.griddata(np.eye(3, 2), x[:3], np.ones((1, 2))),
    "knots": lambda x: si.CubicSpline(x, Y)(0.3),
    "periodic values": lambda x: si.CubicSpline(
        X, np.append(x[:5], x[0]), bc_type="periodic"
    )(0.3),
    "slopes at the ends": lambda x: si.CubicSpline(X, x, bc_type=((1, 0.0), (1, 2.0)))(0.3),
    "values that decide": lambda x: si.PchipInterpolator(X, x)(0.3),
    "smoothing": lambda x: si.UnivariateSpline(X, x)(0.3),
    "roots": lambda x: si.CubicSpline(X, x).roots(),
    "coefficients": lambda x: si.CubicSpline(X, x).c,
    "another rule outside": lambda x: si.CubicSpline(X, x)(0.3, extrapolate=False),
    "nothing outside": lambda x: si.UnivariateSpline(X, Y, ext=3)(x),
    "a periodic integral": lambda x: si.CubicSpline(X, Y, bc_type="periodic").integrate(x[0], 1.0),
    "splev outside": lambda x: si.splev(x, KNOTS, ext=1),
    "a filling": lambda x: si.interp1d(X, Y, bounds_error=False, fill_value=x[0])(5.0),
    "a cubic grid": lambda x: si.RegularGridInterpolator((X,), x, "cubic")([0.3]),
    "points of a grid": lambda x: si.RegularGridInterpolator((x,), Y)([0.3]),
    "a grid that descends": lambda x: si.RegularGridInterpolator((-X,), x)([-0.3]),
}  # fmt: skip


@pytest.mark.parametrize("fun", REFUSED.values(), ids=REFUSED)
def test_refused(fun):
    with GradientTape() as tape:
        x = tape.watch(X * 1.0)
        with pytest.raises(NoRuleError, match=r"scipy\.interpolate"):
            fun(x)


def test_a_spline_from_before_a_script_says_what_to_do():
    before = interpolate.CubicSpline(X, Y)
    with pytest.raises(LeavesTapeError, match="CubicSpline") as caught, GradientTape() as tape:
        before(tape.watch(AT * 1.0))
    assert "under the tape" in caught.value.fix


def test_errors_are_scipys():
    with GradientTape() as tape:
        y = tape.watch(Y * 1.0)
        with pytest.raises(ValueError, match="above the interpolation range"):
            si.interp1d(X, y)(5.0)
        with pytest.raises(ValueError, match="doesn't match the length of `x`"):
            si.CubicSpline(X[:4], y)


def test_a_spline_that_is_changed_later():
    """What was computed keeps its derivative; what is computed afterwards would have another."""
    x = X.copy()

    def changing(y, at):
        spline, fixed = si.CubicSpline(x, y), si.CubicSpline(X, Y)
        found = spline(at) + fixed(at)
        fixed.c[:] *= 2
        spline.x[:] += 1
        with pytest.raises(NoRuleError, match="changed since"):
            spline(at)
        return np.sum(found)

    gradients = tapemagic.grad(changing, (0, 1))(Y, AT)
    again = interpolate.CubicSpline(X, np.eye(6))(AT).sum(axis=0)
    np.testing.assert_allclose(gradients[0], again)
    np.testing.assert_allclose(gradients[1], 2 * interpolate.CubicSpline(X, Y)(AT, 1))


def test_plain_values_pass():
    x = np.array([0.5, 1.5])
    np.testing.assert_array_equal(si.splev(x, KNOTS), interpolate.splev(x, KNOTS))
    assert type(si.CubicSpline(X, Y)) is interpolate.CubicSpline


SETUP = """
import numpy as np
from scipy.interpolate import CubicSpline, RegularGridInterpolator, interp1d
x = np.linspace(0.0, 3.0, 7)
y = np.sin(x)
before, table = CubicSpline(x, y), interp1d(x, y)
"""
CELL = """
class Path(CubicSpline):
    pass
spline = CubicSpline(x, np.array([3.0, 1, 2, 0, 1, 1, 2]))
grid = RegularGridInterpolator([x.tolist()], np.cos(x))
path = Path(x, np.cos(x))
kinds = isinstance(before, CubicSpline), isinstance(path, CubicSpline), type(path).__name__
inside = spline(0.3), spline.x.shape, spline.c.shape, spline.roots().shape, grid.values.shape
t = s * np.array([0.1, 0.4])
loss = np.sum(before(t) * spline(t, 1) + table(t) * grid(t) + CubicSpline(x, s * y)(t))
"""


def test_a_cell_and_what_it_leaves():
    s = np.float64(1.3)
    taped, session = run_taped(
        f"{SETUP}s = 1.3", CELL, sources=(parse_path("s"),), target=parse_path("loss")
    )
    plain = run_plain(f"{SETUP}s = 1.3", CELL)
    assert_same_world(plain, taped)
    assert type(taped["namespace"]["spline"]) is interpolate.CubicSpline

    def loss(s):
        return run_plain(f"{SETUP}s = {float(s)!r}", CELL)["namespace"]["loss"]

    expected = (loss(s + 1e-6) - loss(s - 1e-6)) / 2e-6
    assert session.tape.gradient("loss", ["s"])[0] == pytest.approx(expected, rel=1e-6)


NAMED = np.sin(X)
IN_PROGRAMS = [
    (lambda y: np.sum(si.CubicSpline(X, y, axis=1)(AT) ** 2), (np.stack([NAMED, X]),)),
    (lambda y: np.sum(si.make_interp_spline(X, y).derivative()(AT) ** 2), (NAMED,)),
    (lambda y: np.sum(si.interp1d(X, y, kind="cubic")(AT) ** 2), (NAMED,)),
    (lambda q: np.sum(si.PchipInterpolator(X, NAMED)(q) ** 2), (AT,)),
    (lambda q: np.sum(si.CubicSpline(X, np.stack([NAMED, X]), axis=1)(q) ** 2), (AT,)),
    (lambda q: np.sum(si.make_interp_spline(X, np.stack([NAMED, X], 1))(q) ** 2), (AT,)),
    (lambda q: np.sum(si.UnivariateSpline(X, NAMED, s=0.1)(q) ** 2), (AT,)),
    (lambda q: si.CubicSpline(X, NAMED).integrate(0.2, q[0]) * q[1], (AT,)),
    (lambda q, y: np.sum(si.CubicSpline(X, y)(q) ** 2), (AT, NAMED)),
    (lambda q, y: si.BSpline(T, y[:5], 3)(q[0], 1) * np.sum(q), (AT, NAMED)),
]


def _recorded(cell, inputs):
    with GradientTape(persistent=True) as tape:
        sources = [tape.watch(x * 1.0) for x in inputs]
        target = cell(*sources)
    return tape, target, sources


@pytest.mark.parametrize(("cell", "inputs"), IN_PROGRAMS)
def test_programs_on_other_inputs(cell, inputs):
    tape, target, sources = _recorded(cell, inputs)
    program = tape.program(target, sources)
    assert "tapemagic" not in str(program)
    for scale in (1.0, 0.9, 0.3):
        new = [x * scale for x in inputs]
        value, *gradients = program(**dict(zip(program.inputs, new, strict=True)))
        tape, target, sources = _recorded(cell, new)
        np.testing.assert_allclose(value, plain(target))
        for got, expected in zip(gradients, tape.gradient(target, sources), strict=True):
            np.testing.assert_allclose(got, expected, atol=1e-12)


def test_programs_of_other_interpolations_are_refused():
    tape, target, sources = _recorded(lambda q: np.sum(si.interp1d(X, NAMED)(q)), (AT,))
    with pytest.raises(tapemagic.errors.TapeUseError, match="an interpolation of"):
        tape.program(target, sources)
