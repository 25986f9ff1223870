"""Distributions of scipy.stats, where SciPy is installed."""

import math

import numpy as np
import pytest

stats = pytest.importorskip("scipy.stats")

from autodiff.rules.four_questions import ask, name_of, row, samplers  # noqa: E402

import tapemagic  # noqa: E402
from tapemagic import GradientTape  # noqa: E402
from tapemagic.autodiff.twins.modules import twin_of  # noqa: E402
from tapemagic.errors import NoRuleError  # noqa: E402
from tapemagic.notebook.arguments import parse_path  # noqa: E402
from tests.notebook.worlds import assert_same_world, run_plain, run_taped  # noqa: E402

real, _ = samplers(61)
st = twin_of(stats)

#: Distribution -> values for its shape parameters; where draws have density.
CONTINUOUS = {
    "norm": (),
    "expon": (),
    "uniform": (),
    "cauchy": (),
    "laplace": (),
    "logistic": (),
    "gumbel_r": (),
    "gumbel_l": (),
    "halfnorm": (),
    "rayleigh": (),
    "gamma": (2.3,),
    "invgamma": (2.1,),
    "beta": (2.2, 3.1),
    "chi2": (3.7,),
    "t": (4.2,),
    "lognorm": (0.8,),
    "weibull_min": (1.7,),
    "pareto": (2.4,),
    "halfcauchy": (),
    "halflogistic": (),
    "maxwell": (),
    "levy": (),
    "semicircular": (),
    "hypsecant": (),
    "arcsine": (),
    "moyal": (),
    "gibrat": (),
    "wald": (),
    "chi": (2.7,),
    "f": (4.5, 6.5),
    "lomax": (2.1,),
    "fisk": (2.3,),
    "burr": (1.8, 2.2),
    "burr12": (1.8, 2.2),
    "betaprime": (2.2, 3.1),
    "powerlaw": (1.6,),
    "loguniform": (0.5, 2.0),
    "gennorm": (2.4,),
    "gengamma": (2.2, 1.5),
    "nakagami": (1.4,),
    "invgauss": (0.8,),
    "johnsonsu": (0.4, 1.6),
    "skewnorm": (1.5,),
    "exponnorm": (1.2,),
    "alpha": (2.5,),
    "vonmises": (1.3,),
    "loggamma": (1.7,),
    "gompertz": (0.8,),
    "truncexpon": (2.5,),
    "truncnorm": (-0.8, 1.4),
    "dweibull": (1.8,),
    "dgamma": (1.8,),
    "rice": (1.1,),
}
#: Those whose areas and quantiles have a slope in the shape parameters as well.
MOVING = ("lognorm", "weibull_min", "pareto", "powerlaw", "fisk", "lomax")  # fmt: skip
DISCRETE = {
    "bernoulli": ([0, 1, 1], (0.3,)), "geom": ([1, 4, 2], (0.3,)), "poisson": ([0, 3, 5], (2.2,)),
    "nbinom": ([0, 3, 5], (2.5, 0.4)),
}  # fmt: skip


def draws(name, shapes, *size):
    """Draw what is well inside of where there is density."""
    quantiles = np.random.default_rng(3).uniform(0.15, 0.85, size)
    return 0.4 + 1.3 * getattr(stats, name).ppf(quantiles, *shapes)


def calling(name, method):
    def called(x, loc, scale, *shapes):
        return getattr(getattr(st, name), method)(x, *shapes, loc=loc, scale=scale)

    called.__name__ = f"{name}.{method}"
    return called


def with_fixed_shapes(name, method, shapes):
    def called(x, loc, scale):
        return getattr(getattr(st, name), method)(x, *shapes, loc, scale)

    called.__name__ = f"{name}.{method}"
    return called


def of_integers(name, method, k):
    def called(*shapes):
        return getattr(getattr(st, name), method)(k, *shapes)

    called.__name__ = f"{name}.{method}"
    return called


COVARIANCE = np.array([[2.0, 0.7], [0.3, 1.1]])  # of which SciPy reads the lower triangle
ROWS = [
    *(row(calling(name, method), draws(name, shapes, 3), np.float64(0.4), np.float64(1.3),
          *map(np.float64, shapes), tolerance=1e-5)
      for name, shapes in CONTINUOUS.items() for method in ("logpdf", "pdf")),
    *(row(with_fixed_shapes(name, method, shapes), draws(name, shapes, 3), np.float64(0.4),
          np.float64(1.3), tolerance=1e-5)
      for name, shapes in CONTINUOUS.items() for method in ("cdf", "sf", "logcdf", "logsf")),
    *(row(with_fixed_shapes(name, method, shapes), np.array([0.2, 0.45, 0.7]), np.float64(0.4),
          np.float64(1.3), tolerance=1e-5)
      for name, shapes in CONTINUOUS.items() for method in ("ppf", "isf")),
    *(row(calling(name, method), draws(name, CONTINUOUS[name], 3), np.float64(0.4),
          np.float64(1.3), *map(np.float64, CONTINUOUS[name]), tolerance=1e-5)
      for name in MOVING for method in ("cdf", "sf", "logcdf", "logsf")),
    *(row(calling(name, method), np.array([0.2, 0.45, 0.7]), np.float64(0.4), np.float64(1.3),
          *map(np.float64, CONTINUOUS[name]), tolerance=1e-5)
      for name in MOVING for method in ("ppf", "isf")),
    *(row(of_integers(name, method, k), *map(np.float64, shapes))
      for name, (k, shapes) in DISCRETE.items() for method in ("logpmf", "pmf")),
    *(row(lambda *shapes, name=name, k=k: getattr(st, name).pmf(np.add(k, 2), *shapes, loc=2),
          *map(np.float64, shapes), name=f"{name} loc")
      for name, (k, shapes) in DISCRETE.items()),
    row(lambda p: st.binom.logpmf([0, 3, 5], 5, p), np.float64(0.4), name="binom.logpmf"),
    row(lambda p: st.binom(5, p).pmf([0, 3, 5]), np.float64(0.4), name="binom.pmf"),
    row(calling("norm", "logpdf"), real(2, 1), real(3), np.exp(real(2, 3)), name="broadcast"),
    row(lambda x, a: st.gamma(a, scale=2.0).logpdf(x), np.exp(real(4)), np.float64(2.0),
        name="frozen"),
    row(lambda mu: st.poisson(mu).logpmf([1, 2, 0]), np.float64(2.0), name="frozen poisson"),
    row(lambda x: st.norm.logpdf(x), real(3), name="defaults"),
    *(row(getattr(st.multivariate_normal, method), real(*n, 2), real(2), COVARIANCE)
      for method in ("logpdf", "pdf") for n in ((), (3,), (2, 3))),
    row(lambda x: st.multivariate_normal.logpdf(x), real(3), name="multivariate standard"),
    row(lambda x, m, c: st.multivariate_normal.logpdf(x, m, c, True), real(3, 2), real(2), COVARIANCE,
        name="multivariate that might be singular"),
    row(lambda x, s: st.multivariate_normal.pdf(x, cov=s), real(4), np.float64(1.7),
        name="multivariate of one variable"),
    row(lambda x, s: st.multivariate_normal.logpdf(x, [0.1, 0.2], s), real(3, 2),
        np.array([1.7, 0.4]), name="multivariate diagonal"),
    row(lambda x, c: st.multivariate_normal(np.zeros(2)).pdf(np.ones(2)) * x * c, real(3),
        np.float64(1.7), name="multivariate frozen and plain"),
    *(row(lambda x, m, c, f=f: getattr(st.multivariate_normal(m, c), f)(x), real(3, 2), real(2),
          COVARIANCE, name=f"multivariate frozen {f}") for f in ("logpdf", "pdf")),
    *(row(lambda x, f=f, o=o: getattr(st, f)(x, **o), np.exp(real(4, 3)), name=f"{f} {o}",
          tolerance=1e-5)
      for f in ("zscore", "gmean", "hmean", "sem", "variation", "skew", "kurtosis", "iqr",
                "median_abs_deviation", "entropy") for o in ({}, {"axis": 1})),
    *(row(lambda x, f=f, o=o: getattr(st, f)(x, **o), np.exp(real(4, 3)), name=f"{f} {o}")
      for f, o in (("zscore", {"axis": None, "ddof": 1}), ("sem", {"axis": None, "ddof": 0}),
                   ("gmean", {"axis": None}), ("kurtosis", {"fisher": False}),
                   ("variation", {"ddof": 1}), ("entropy", {"base": 2}))),
    row(lambda p, q: st.entropy(p, q, axis=1), np.exp(real(2, 3)), np.exp(real(2, 3)),
        name="relative entropy"),
    row(lambda s: st.multivariate_normal([s, 0.1], s).mean * st.multivariate_normal(cov=s).cov,
        np.float64(1.7), name="multivariate parameters", second=False),
]  # fmt: skip


@pytest.mark.parametrize("case", ROWS, ids=name_of)
def test_distributions(case):
    ask(case)


@pytest.mark.parametrize(
    ("slope", "x"),
    [
        (lambda x: st.expon.logpdf(x), [-1.0, 2.0]),
        (lambda x: st.gamma.logpdf(x, 2.0), [-1.0, 2.0]),
        (lambda x: st.beta.pdf(x, 2.0, 3.0), [-1.0, 1.5]),
        (lambda x: st.uniform.cdf(x), [-1.0, 2.0]),
        (lambda x: st.expon.logcdf(x), [-1.0, -2.0]),
    ],
)
def test_outside_of_the_support_nothing_changes(slope, x):
    def second(x):
        return np.sum(tapemagic.grad(lambda x: np.sum(slope(x)))(x))

    x = np.array(x)
    outside = ~np.isfinite(tapemagic.vjp(slope, x)[0]) | (x < 0) | (x > 1)
    for found in (tapemagic.grad(lambda x: np.sum(slope(x)))(x), tapemagic.grad(second)(x)):
        assert np.isfinite(found).all()
        np.testing.assert_array_equal(found[outside & (x < 0)], 0.0)


@pytest.mark.parametrize(("name", "shapes"), [("t", (3,)), ("f", (2, 5)), ("gennorm", (2,))])
def test_shapes_that_are_integers_without_a_sign(name, shapes):
    def slope(kind):
        of = (np.array(shape, kind) for shape in shapes)
        return tapemagic.grad(lambda x: getattr(st, name).logpdf(x, *of))(0.7)

    assert slope("u1") == slope(float)


REFUSED = {
    "a shape of a distribution function": lambda s: st.gamma.cdf(1.0, s),
    "a distribution without a rule": lambda s: st.nct.logpdf(s, 3.0, 0.1),
    "draws": lambda s: st.norm.rvs(s, size=3),
    "a mean": lambda s: st.norm(s).mean(),
    "trials": lambda s: st.binom.logpmf(1, s, 0.3),
    "integers": lambda s: st.poisson.pmf(s, 2.0),
    "a distribution function of integers": lambda s: st.poisson.cdf(1, s),
    "a distribution function of several variables": lambda s: st.multivariate_normal.cdf(
        s * np.ones(2)
    ),
    "draws of several variables": lambda s: st.multivariate_normal(s).rvs(),
    "a singular matrix": lambda s: st.multivariate_normal.logpdf(
        s * np.ones(2), cov=np.ones((2, 2)), allow_singular=True
    ),
    "a statistic": lambda s: st.sigmaclip(s * np.arange(3.0)),
    "an option of a statistic": lambda s: st.skew(s * np.arange(3.0), bias=False),
    "weights of a mean": lambda s: st.gmean(s + np.arange(3.0), weights=np.ones(3)),
}


@pytest.mark.parametrize("fun", REFUSED.values(), ids=REFUSED)
def test_what_has_no_rule_is_refused(fun):
    with GradientTape() as tape:
        s = tape.watch(np.float64(1.5))
        with pytest.raises(NoRuleError):
            fun(s)


def test_errors_are_scipys():
    with GradientTape() as tape:
        s = tape.watch(np.float64(1.5))
        with pytest.raises(TypeError, match="missing"):
            st.gamma.logpdf(s)
        with pytest.raises(TypeError, match="missing"):
            st.gamma(s).logpdf()


def test_frozen_distributions_take_their_argument_by_name():
    def total(s):
        return st.poisson(s).logpmf(k=3) + st.norm(s).ppf(q=0.3) + st.norm(s).cdf(x=s)

    assert tapemagic.grad(total)(np.float64(2.0)) == pytest.approx(1.5)


CELL = """
d = norm(mu, scale=s)
e = before
kind = isinstance(norm, rv_continuous), isinstance(d, rv_frozen)
constant = norm.pdf(np.zeros(2)), d.dist.name, norm.name
loss = -norm.logpdf(x, mu, s).sum() + d.cdf(x).sum() + before.sf(x).sum() + stats.t.pdf(mu, 3.0)
loss += pair.logpdf([mu, s]) + stats.multivariate_normal(0, 1.0).logpdf(s)
"""


def test_a_cell():
    setup = (
        "import numpy as np\nfrom scipy import stats\nfrom scipy.stats import norm, rv_continuous\n"
        "from scipy.stats._distn_infrastructure import rv_frozen\nbefore = stats.expon(0.1, 2.0)\n"
        "pair = stats.multivariate_normal([0.0, 1.0])\n"
        "x = np.array([1.0, 2.0, 4.0])\nmu, s = 0.5, 2.0"
    )
    names = ("x", "mu", "s")
    taped, session = run_taped(
        setup, CELL, sources=tuple(map(parse_path, names)), target=parse_path("loss")
    )
    assert_same_world(run_plain(setup, CELL), taped)
    assert taped["namespace"]["d"].kwds == {"scale": 2.0}
    found = session.tape.gradient("loss", list(names))
    expected = tapemagic.grad(by_hand, (0, 1, 2))(np.array([1.0, 2.0, 4.0]), 0.5, 2.0)
    for got, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-12)


def by_hand(x, mu, s):
    z = (x - mu) / s
    log_density = -0.5 * z * z - np.log(s) - 0.5 * math.log(2 * math.pi)
    area = np.sum(0.5 * (1 + np.vectorize(math.erf)(z / math.sqrt(2))))
    student = 6 * math.sqrt(3) / (math.pi * (3 + mu * mu) ** 2)
    return (
        -log_density.sum()
        + area
        + np.exp(-(x - 0.1) / 2.0).sum()
        + student
        - (mu**2 + (s - 1) ** 2 + s**2) / 2
    )


def test_a_script_holds_scipys_own_objects_afterwards():
    with GradientTape() as tape:
        mu = tape.watch(np.float64(0.5))
        frozen = st.norm(mu, 2.0)
        loss = frozen.logpdf(1.0)
    assert type(frozen) is type(stats.norm())
    assert frozen.args == (0.5, 2.0)
    assert tape.gradient(loss, mu) == pytest.approx(0.125)
