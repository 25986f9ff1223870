"""Elementwise functions, each where it is smooth; the kinks are in test_special_values.py."""

import re

import numpy as np
import pytest
import scipy.special
from autodiff.rules.four_questions import ask, name_of, row

import tapemagic
from tapemagic import GradientTape
from tapemagic.autodiff import later
from tapemagic.autodiff.primitives import RULES, Primitive
from tapemagic.autodiff.pullbacks import FORMULA_NAMES, partial_of
from tapemagic.autodiff.rules.elementwise import logistic
from tapemagic.errors import TapeError

RNG = np.random.default_rng(3)
SHAPE = (2, 3)
SIGNED = RNG.uniform(0.2, 1.7, SHAPE) * [[1, -1, 1], [-1, 1, -1]]
OTHER = RNG.uniform(0.3, 1.6, SHAPE) * [[-1, -1, 1], [1, 1, 1]]
POSITIVE = RNG.uniform(0.3, 2.5, SHAPE)
UNIT = RNG.uniform(-0.8, 0.8, SHAPE)
ABOVE = RNG.uniform(1.3, 3.0, SHAPE)
COMPLEX = SIGNED + 1j * POSITIVE
WEIGHTS = OTHER + 1j * UNIT

UNARY = [
    (SIGNED, ("negative positive square absolute fabs cbrt reciprocal exp exp2 expm1 sin cos tan "
              "sinh cosh tanh arctan arcsinh deg2rad rad2deg degrees radians conjugate")),
    (POSITIVE, "sqrt log log2 log10 log1p"),
    (UNIT, "arcsin arccos arctanh"),
    (ABOVE, "arccosh"),
    (COMPLEX, ("negative positive square absolute reciprocal exp exp2 expm1 sin cos tan sinh cosh "
              "tanh arctan arcsinh conjugate sqrt log log2 log10 log1p arcsin arccos arctanh "
              "arccosh sign real imag angle")),
]  # fmt: skip
REAL_PAIRS = [
    (SIGNED, OTHER, ("add subtract multiply divide maximum minimum fmax fmin hypot logaddexp "
                     "logaddexp2 arctan2 copysign remainder fmod nextafter")),
    (POSITIVE, OTHER, "power float_power"),
]  # fmt: skip
FLAT = "floor ceil trunc rint sign spacing fix"

ROWS = [
    *(row(getattr(np, n), x) for x, names in UNARY for n in names.split()),
    *(row(getattr(np, n), a, b) for a, b, names in REAL_PAIRS for n in names.split()),
    *(row(getattr(np, n), a, b[0], name=f"{n} broadcast")
      for a, b, names in REAL_PAIRS for n in names.split()),
    *(row(getattr(np, n), a, b)
      for n in ("add", "subtract", "multiply", "divide", "power")
      for a, b in ((COMPLEX, WEIGHTS), (COMPLEX, OTHER), (OTHER, COMPLEX)) if n != "power" or
      np.iscomplexobj(a)),
    row(lambda x, y: x + 2 * y - x / y, SIGNED, np.float64(0.7), name="0-d"),
    row(lambda x: x**3 - 2**x + x**0.5 / 3, POSITIVE, name="Python numbers"),
    row(lambda x: np.maximum(x, 0.1) * np.hypot(3.0, x) + np.arctan2(x, 1.0), SIGNED,
        name="ufuncs with Python numbers"),
    row(lambda x: np.divmod(x, 0.4)[1] * x, SIGNED, name="divmod"),
    row(lambda x: np.modf(x)[0] * x, SIGNED, name="modf"),
    row(lambda x: np.frexp(x)[0] * x, SIGNED, name="frexp"),
    row(lambda x: np.ldexp(x, np.array([1, 2, -3])), SIGNED, name="ldexp"),
    row(lambda x: np.angle(x * (1 + 2j), deg=True), SIGNED, name="angle deg"),
    row(lambda x: np.real_if_close(x + 0j) * x, SIGNED, name="real_if_close"),
    row(lambda x: np.nan_to_num(x) * x, SIGNED, name="nan_to_num"),
    row(np.square, np.zeros((0, 3)), name="empty"),
    row(np.multiply, np.zeros((0, 3)), np.ones((1, 3)), name="empty broadcast"),
    row(np.exp, np.float64(0.3), name="NumPy number"),
    row(np.exp, np.array(0.3), name="0-d array"),
    row(lambda x: np.array([[-1.5], [2.5]]) ** x, COMPLEX, name="complex power of what is negative"),
    row(lambda x: np.array([2, 7, 100], "i1") ** x, UNIT, name="power of small integers"),
    row(lambda x: np.array([2, 7, 100], "f2") ** x, UNIT, name="power of half precision"),
]  # fmt: skip


@pytest.mark.parametrize("case", ROWS, ids=name_of)
def test_four_questions(case):
    ask(case)


@pytest.mark.parametrize("name", FLAT.split())
def test_steps_have_slope_zero_and_stay_on_the_tape(name):
    ask(row(lambda x: getattr(np, name)(3 * x) * x, SIGNED, name=name, second=False))


def test_the_logistic_function_of_complex_numbers():
    np.testing.assert_allclose(logistic(COMPLEX), 1 / (1 + np.exp(-COMPLEX)))
    ask(row(logistic, COMPLEX, name="logistic"))


def test_round_has_slope_zero():
    ask(row(lambda x: np.round(x, 1) * np.around(x, 2) * x, SIGNED, name="round", second=False))
    ask(row(lambda x: np.floor_divide(x, 0.3) * x, SIGNED, name="floor_divide", second=False))
    ask(row(lambda x: np.heaviside(x, 0.5) * x, SIGNED, name="heaviside", second=False))


later.load()
PLACES = [
    (fun, place)
    for fun, rule in RULES.items()
    if isinstance(fun, np.ufunc) and isinstance(rule, Primitive) and rule.kind != "constant"
    for place in range(fun.nin)
    if fun.nin > 1 and fun is not np.ldexp
    # of whole degrees SciPy computes polynomials in another way than of floats
    if not fun.__name__.startswith("eval_")
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("fun", "place"), PLACES, ids=[f"{f.__name__} {i}" for f, i in PLACES])
def test_integers_count_as_the_floats_that_they_are(fun, place):
    """They may be small, or have no sign: a formula's own sums would not hold."""

    def gradient(others):
        with GradientTape() as tape:
            x = tape.watch(np.array([0.3, 0.6, 1.7]))
            y = fun(*(x if i == place else others for i in range(fun.nin)))
            target = np.sum(y[0] if isinstance(y, tuple) else y)
        return tape.gradient(target, x)

    with np.errstate(all="ignore"):
        for numbers in ([1, 2, 3], [7, 100, 120], [0, 5, 50]):
            try:
                wanted = gradient(np.array(numbers, float))
            except (TapeError, TypeError, ValueError):  # no rule, no such dtype, no such shape
                continue
            for kind in ("i1", "u1", "u8"):
                got = gradient(np.array(numbers, kind))
                assert (got is None) == (wanted is None)
                if got is not None:
                    np.testing.assert_allclose(got, wanted, rtol=1e-12, err_msg=kind)


FORMULAS = [
    (rule, position)
    for rule in RULES.values()
    if isinstance(rule, Primitive) and isinstance(rule.fun, np.ufunc)
    if getattr(np, rule.fun.__name__, None) is rule.fun  # SciPy's have a test of their own
    for position in range(len(rule.formulas))
    if rule.name not in ("sign", "spacing", "nextafter", "heaviside")
]


@pytest.mark.parametrize(("rule", "position"), FORMULAS, ids=[f"{r.name} {i}" for r, i in FORMULAS])
def test_formula_is_the_derivative(rule, position):
    """What the picture shows is what the numbers say."""
    inputs = [ABOVE if rule.name == "arccosh" else UNIT + 0.01, POSITIVE + 0.1][: rule.arity]
    if rule.name in ("power", "float_power", "log", "log2", "log10", "sqrt", "log1p"):
        inputs[0] = POSITIVE
    y = rule.fun(*inputs)
    above, below = list(inputs), list(inputs)
    above[position], below[position] = inputs[position] + 1e-6, inputs[position] - 1e-6
    numerical = (rule.fun(*above) - rule.fun(*below)) / 2e-6
    partials = [partial_of(rule, position)(y, *inputs)]
    if " where " not in (shown := rule.shows[position]):
        names = dict(zip(("x",) if rule.arity == 1 else ("x1", "x2"), inputs, strict=True))
        partials.append(eval(shown, FORMULA_NAMES, {"y": y, **names}))
    for partial in partials:
        partial = np.broadcast_to(partial, y.shape)
        np.testing.assert_allclose(partial, numerical, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("fun", [f for f in RULES if isinstance(f, np.ufunc)])
def test_the_picture_speaks_of_functions_that_people_know(fun):
    shows = getattr(RULES[fun], "shows", ())
    called = {name for text in shows for name in re.findall(r"([a-z_]\w*)\(", text)}
    known = {*dir(np), *dir(scipy.special)}
    assert called <= known, shows
    assert fun not in (np.power, np.float_power) or shows == ("x2 * x1 ** (x2 - 1)", "y * log(x1)")


@pytest.mark.parametrize("power", [np.power, np.float_power, lambda a, b: a**b])
@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0, -1.0])
def test_slopes_of_a_power_by_its_base_and_its_exponent(power, exponent):
    """Also where the exponent is 0 and the slope by the base is too: not its own slope."""
    a, b = np.array([0.5, 3.0]), np.array([exponent, exponent])
    log = np.log(a)
    mixed = a ** (b - 1) * (1 + b * log)
    thrice = a ** (b - 1) * (2 * log + b * log**2)  # by the base, and twice by the exponent

    def by_exponent(a, b):
        return np.sum(tapemagic.grad(lambda b: np.sum(power(a, b)))(b))

    def by_base(a, b):
        return np.sum(tapemagic.grad(lambda a: np.sum(power(a, b)))(a))

    def by_both(a, b):
        return np.sum(tapemagic.grad(lambda b: by_base(a, b))(b))

    np.testing.assert_allclose(tapemagic.grad(lambda a: by_exponent(a, b))(a), mixed)
    np.testing.assert_allclose(tapemagic.grad(lambda b: by_base(a, b))(b), mixed)
    np.testing.assert_allclose(tapemagic.grad(lambda b: by_both(a, b))(b), thrice)
