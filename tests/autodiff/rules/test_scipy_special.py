"""Functions of scipy.special, where SciPy is installed."""

import subprocess
import sys
from functools import partial

import numpy as np
import pytest

special = pytest.importorskip("scipy.special")

from autodiff.rules.four_questions import ask, name_of, row, samplers  # noqa: E402

import tapemagic  # noqa: E402
from tapemagic.autodiff.primitives import RULES  # noqa: E402
from tapemagic.autodiff.pullbacks import partial_of  # noqa: E402
from tapemagic.autodiff.twins.modules import twin_of  # noqa: E402
from tapemagic.errors import NoRuleError  # noqa: E402

real, compl = samplers(50)
ANY = np.array([-2.1, -0.6, 0.0, 0.3, 1.7])
POSITIVE = np.array([0.15, 0.7, 1.4, 3.2])
UNIT = np.array([0.08, 0.35, 0.62, 0.9])
LARGE = POSITIVE + 1
PLANE = np.array([0.4 + 0.3j, 1.2 - 0.8j, -0.6 + 0.9j, 0.7 + 1.1j])

UNARY = {
    "erf erfc erfcx erfi dawsn expit log_expit ndtr log_ndtr expm1 exp10 exp2 exprel cosm1": ANY,
    "sindg cosdg tandg": 40 * ANY,
    "i1 j0 j1": ANY,
    "i0 i0e i1e": ANY[ANY != 0],
    "gamma gammaln rgamma digamma psi log1p entr y0 y1 k0 k0e k1 k1e expi exp1 spence cbrt":
        POSITIVE,
    "logit erfcinv ndtri ellipk ellipe ellipkm1": UNIT,
    "erfinv": UNIT - 0.5,
    "ndtri_exp": -POSITIVE,
    "wofz": ANY,  # of real numbers a complex one
    "dawsn erf erfc erfcx erfi exp1 expi expm1 log1p log_ndtr ndtr spence wofz": PLANE,
}  # fmt: skip
#: What SciPy computes of complex numbers, too, with digamma in its derivative, which has none there.
GAMMAS = "gamma loggamma rgamma"
BINARY = {
    "xlogy rel_entr kl_div beta betaln": (POSITIVE, LARGE),
    "binom poch": (LARGE + 1, UNIT),
    "xlog1py boxcox boxcox1p pseudo_huber owens_t": (LARGE, UNIT),
    "xlogy xlog1py": (PLANE, PLANE[::-1]),
    "huber": (np.array([0.5, 1.0, 2.0, 0.7]), np.array([-1.2, 0.4, 3.3, 0.2])),
}
LAST = {
    "jv yv iv kv ive kve": (np.array([0.5, 1, 2, 3]), POSITIVE),
    "yn kn": (np.array([1, 2, 3, 4]), POSITIVE),
    "expn": (np.array([0, 1, 2, 5]), POSITIVE),
    "hyp0f1": (1.5, ANY),
    "jv yv iv kv ive kve hyp0f1": (np.array([0.5, 1, 2, 3]), PLANE),
    "jv kv expn gammainc": ([1, 2, 3, 4], POSITIVE),
    "gammainc gammaincc": (POSITIVE, LARGE),
    "gammaincinv gammainccinv": (LARGE, UNIT),
}
softmax, log_softmax, logsumexp, polygamma, lambertw = (
    twin_of(getattr(special, name))
    for name in ("softmax", "log_softmax", "logsumexp", "polygamma", "lambertw")
)

ROWS = [
    *(row(getattr(special, n), x, name=n) for names, x in UNARY.items() for n in names.split()),
    *(row(getattr(special, n), *x, name=n) for names, x in BINARY.items() for n in names.split()),
    *(
        row(partial(getattr(special, n), v), x, name=n)
        for names, (v, x) in LAST.items()
        for n in names.split()
    ),
    *(row(getattr(special, n), PLANE, name=n, second=False) for n in GAMMAS.split()),
    *(
        row(partial(getattr(special, n), 2.0, 3.5), UNIT, name=n)
        for n in ("betainc", "betaincc", "betaincinv", "betainccinv")
    ),
    *(
        row(partial(getattr(special, f"eval_{n}"), np.array([0, 1, 2, 5])), UNIT, name=n)
        for n in "legendre chebyt chebyu hermite hermitenorm laguerre sh_legendre sh_chebyt sh_chebyu".split()
    ),
    *(
        row(partial(getattr(special, f"eval_{n}"), np.array([[0], [3]]), *parameters), x, name=n)
        for n, *parameters in (("gegenbauer", 1.5), ("genlaguerre", 0.5), ("jacobi", 0.5, 1.5))
        for x in (UNIT, PLANE)
    ),
    row(partial(special.eval_legendre, 2), np.array([-1.0, 0.2, 1.0]), name="legendre at the ends"),
    row(partial(special.eval_legendre, 2.5), UNIT, name="legendre of no whole degree"),
    row(lambda z: special.hyp1f1(1.5, 2.5, z), ANY, name="hyp1f1"),
    row(lambda z: special.hyp2f1(1.5, 0.5, 2.5, z), UNIT, name="hyp2f1"),
    *(
        row(lambda z: special.hyp1f1(1.5, 2.5, z), PLANE, name="hyp1f1")
        for value in [special.hyp1f1(1.5, 2.5, 1j)]
        if value != 1  # as SciPy 1.13 says, wrongly
    ),
    row(lambda z: special.hyp2f1(1.5, 0.5, 2.5, z), 0.6 * PLANE, name="hyp2f1"),
    row(special.boxcox, POSITIVE, np.float64(0.0), name="boxcox at 0"),
    row(special.ellipk, np.array([0.0, 0.5]), name="ellipk at 0"),
    row(special.xlogy, POSITIVE[:, None], LARGE, name="xlogy broadcast"),
    row(logsumexp, real(4)),
    row(lambda a: logsumexp(a, axis=1), real(3, 4), name="logsumexp axis"),
    row(lambda a: logsumexp(a, axis=(0, 1), keepdims=True), real(3, 4), name="logsumexp axes"),
    row(lambda a, b: logsumexp(a, axis=0, b=b), real(3, 4), abs(real(3, 4)), name="logsumexp b"),
    *(
        row(
            lambda a, b, axis=axis: logsumexp(a, axis, b, return_sign=True),
            a,
            b,
            name=f"logsumexp sign {axis}",
        )
        for a, b in (
            (real(2, 4), real(2, 4)),
            (compl(2, 4), real(4)),
            (real(2, 4), compl(2, 4)),
            (compl(2, 4), compl(2, 4)),
        )
        for axis in (None, 1)
    ),
    row(lambda a: logsumexp(a, axis=1), compl(3, 4), name="logsumexp axis"),
    row(lambda a, b: logsumexp(a, b=b), compl(4), real(4), name="logsumexp b"),
    row(lambda a, b: logsumexp(a, b=b, axis=0), real(3, 4), compl(3, 4), name="logsumexp b"),
    *(row(fun, draw(4)) for fun in (softmax, log_softmax) for draw in (real, compl)),
    *(row(lambda a, f=f: f(a, axis=0), real(3, 4), name="axis") for f in (softmax, log_softmax)),
    row(lambda x: polygamma(2, x), POSITIVE, name="polygamma"),
    row(lambda x: polygamma([1, 2, 3, 1], x), POSITIVE, name="polygamma of several orders"),
    row(lambertw, PLANE, name="lambertw"),
    row(lambda x: lambertw(x).real, np.array([0.0, 0.5, 3.0]), name="lambertw"),
    *(
        row(special.digamma, np.array([x, 0.4]), name=f"digamma {x}", second=False)
        for x in (-0.5, -1.7)
    ),
]


@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
@pytest.mark.parametrize("kind", ["i1", "u1", "u4"])
@pytest.mark.parametrize(
    "name",
    "jacobi gegenbauer legendre sh_legendre chebyt sh_chebyt chebyu sh_chebyu hermite hermitenorm "
    "laguerre genlaguerre".split(),
)
def test_small_integers_as_degrees_and_parameters(name, kind):
    fun = getattr(special, f"eval_{name}")

    def gradient(kind):
        others = (np.array([0, 7, 100, 120], kind) for _ in range(fun.nin - 1))
        return tapemagic.grad(lambda x: np.sum(fun(*others, x)))(UNIT)

    np.testing.assert_array_equal(gradient(kind), gradient(int))


@pytest.mark.parametrize("case", ROWS, ids=name_of)
def test_special(case):
    ask(case)


def test_what_has_no_rule_is_refused():
    with pytest.raises(NoRuleError, match="jv"):
        tapemagic.grad(lambda v: special.jv(v, 1.5))(0.5)
    with pytest.raises(NoRuleError):
        tapemagic.grad(lambda x: special.kelvin(x)[0])(0.5)


def test_scipy_is_not_imported_by_us():
    code = "import sys, tapemagic, tapemagic.autodiff.twins.modules; print('scipy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("name", " ".join(UNARY).split())
def test_half_precision(name):
    """SciPy makes single or double precision of it; what is computed on is in that."""
    fun = getattr(special, name)
    x = next(x for names, x in UNARY.items() if name in names.split()).astype(np.float16)

    def loss(x):
        return np.sum(np.sin(np.real(fun(x))))

    got = tapemagic.grad(loss)(x)
    assert got.dtype == np.float16
    wanted = tapemagic.grad(loss)(x.astype(float))
    np.testing.assert_allclose(got, wanted, rtol=4e-3, atol=1e-6)
    assert tapemagic.jvp(fun, (x,), (x,))[1].dtype == fun(x).dtype
    with tapemagic.GradientTape() as tape:
        y = fun(tape.watch(x))
        large = np.sum(np.real(y)) * 1e6
    by_result = tape.gradient(large, y)
    assert by_result.dtype == fun(x).dtype
    np.testing.assert_array_equal(by_result, 1e6)


@pytest.mark.parametrize(
    "name", "erf erfc erfcx erfi erfinv erfcinv ndtr log_ndtr ndtri exp10 sindg logit".split()
)
def test_constants_of_a_formula_do_not_widen_single_precision(name):
    rule, x = RULES[getattr(special, name)], UNIT.astype(np.float32)
    assert partial_of(rule, 0)(rule.fun(x), x).dtype == np.float32


@pytest.mark.parametrize(
    ("fun", "at", "mixed"),
    [(special.xlogy, [0.0, 2.0], 1 / 2), (special.xlog1py, [0.0, 2.0], 1 / 3)],
    ids=["xlogy", "xlog1py"],
)
def test_mixed_second_derivative_at_zero(fun, at, mixed):
    hessian = tapemagic.hessian(lambda v: fun(v[0], v[1]))(np.array(at))
    np.testing.assert_allclose(hessian, [[0, mixed], [mixed, 0]])
    np.testing.assert_array_equal(tapemagic.grad(lambda x: fun(0.0, x))(at[0]), 0)


#: Function, where a formula would say 0 / 0, and the slopes along the axes; None: there is none.
AT_ZERO = [
    ("xlogy", (0.0, 0.0), (-np.inf, 0.0)),
    ("xlog1py", (0.0, -1.0), (-np.inf, 0.0)),
    ("rel_entr", (0.0, 0.0), (None, 0.0)),
    ("kl_div", (0.0, 0.0), (None, 1.0)),  # along x = 0 it is y
    ("pseudo_huber", (0.0, 0.0), (0.0, 0.0)),
    ("pseudo_huber", (0.0, -2.0), (2.0, 0.0)),  # delta (|r| - delta + ...)
    ("pseudo_huber", (1.0, 0.0), (0.0, 0.0)),
]


@pytest.mark.parametrize(("name", "at", "slopes"), AT_ZERO)
def test_slopes_where_a_formula_says_0_over_0(name, at, slopes):
    x = [tapemagic.Variable(value) for value in at]
    with tapemagic.GradientTape() as tape:
        y = getattr(special, name)(*x)
    for found, slope in zip(tape.gradient(y, x), slopes, strict=True):
        assert np.isnan(found) if slope is None else found == slope


def test_the_sign_of_logsumexp_alone():
    a, b = np.array([0.5, 1.3]), np.array([1.0, -3.0])

    def sign(a):
        return logsumexp(a, b=b, return_sign=True)[1]

    np.testing.assert_array_equal(tapemagic.grad(sign)(a), [0, 0])
    np.testing.assert_array_equal(tapemagic.jacobian(sign)(a), [0, 0])


@pytest.mark.parametrize("order", [0, 1])
def test_third_derivative_of_the_exponential_integral(order):
    """Below order 0 its derivatives are recurrences: E_0(x) = exp(-x) / x."""
    x = np.float64(0.7)
    z = x + 1e-3 * np.exp(1j * np.pi / 8 * np.arange(16))  # Cauchy's formula on a circle
    values = np.exp(-z) / z if order == 0 else special.exp1(z)
    wanted = 6 * np.mean(values / (z - x) ** 3).real
    first = tapemagic.grad(lambda x: special.expn(order, x))
    third = tapemagic.grad(tapemagic.grad(first))(x)
    np.testing.assert_allclose(third, wanted, rtol=1e-5)


def test_masked_entries_of_logsumexp():
    gradient = tapemagic.grad(logsumexp)(np.array([0.0, -np.inf, 0.0]))
    np.testing.assert_allclose(gradient, [0.5, 0.0, 0.5])
