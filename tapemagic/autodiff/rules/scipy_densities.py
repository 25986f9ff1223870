"""Distributions of `scipy.stats`: the slopes of their log-densities, as formulas.

In z, the place in units of the standard distribution, and in the shape parameters, under SciPy's
names. Source: N. Johnson, S. Kotz, N. Balakrishnan, "Continuous univariate distributions", 1994.
"""

from __future__ import annotations


def _tail(x: str) -> str:
    """Return the density of the normal distribution over its area up to `x`."""
    return f"(sqrt(2 / pi) / erfcx(-{x} / sqrt(2)))"


#: The area of the normal density from a to b, from the end at which it loses nothing.
_BETWEEN = "(sqrt(2 * pi) * where(a > 0, ndtr(-a) - ndtr(-b), ndtr(b) - ndtr(a)))"
_OF_BOTH = "1 - log(dfd + dfn * z) + digamma((dfn + dfd) / 2)"
_OF_DF = "digamma((df + 1) / 2) - digamma(df / 2) - 1 / df"
#: Distribution -> slopes of its standard log-density, in z and in each of its shape parameters.
CONTINUOUS: dict[str, tuple[str, ...]] = {
    "norm": ("-z",),
    "halfnorm": ("-z",),
    "expon": ("0 * z - 1",),
    "uniform": ("0 * z",),
    "cauchy": ("-2 * z / (1 + z**2)",),
    "laplace": ("-sign(z)",),
    "logistic": ("-tanh(z / 2)",),
    "gumbel_r": ("exp(-z) - 1",),
    "gumbel_l": ("1 - exp(z)",),
    "rayleigh": ("1 / z - z",),
    "gamma": ("(a - 1) / z - 1", "log(z) - digamma(a)"),
    "invgamma": ("(1 / z - a - 1) / z", "-log(z) - digamma(a)"),
    "beta": (
        "(a - 1) / z - (b - 1) / (1 - z)",
        "log(z) - digamma(a) + digamma(a + b)",
        "log1p(-z) - digamma(b) + digamma(a + b)",
    ),
    "chi2": ("(df / 2 - 1) / z - 1 / 2", "(log(z / 2) - digamma(df / 2)) / 2"),
    "t": (
        "-(df + 1) * z / (df + z**2)",
        f"({_OF_DF} - log1p(z**2 / df) + (df + 1) * z**2 / (df * (df + z**2))) / 2",
    ),
    "lognorm": ("-(1 + log(z) / s**2) / z", "((log(z) / s) ** 2 - 1) / s"),
    "weibull_min": ("(c - 1) / z - c * z ** (c - 1)", "1 / c + log(z) - z**c * log(z)"),
    "pareto": ("-(b + 1) / z", "1 / b - log(z)"),
    "halfcauchy": ("-2 * z / (1 + z**2)",),
    "halflogistic": ("-tanh(z / 2)",),
    "maxwell": ("2 / z - z",),
    "levy": ("(1 / z - 3) / (2 * z)",),
    "semicircular": ("-z / (1 - z**2)",),
    "hypsecant": ("-tanh(z)",),
    "arcsine": ("(1 / (1 - z) - 1 / z) / 2",),
    "moyal": ("(exp(-z) - 1) / 2",),
    "gibrat": ("-(1 + log(z)) / z",),
    "wald": ("(1 / z**2 - 1) / 2 - 1.5 / z",),
    "chi": ("(df - 1) / z - z", "log(z) - (log(2) + digamma(df / 2)) / 2"),
    "f": (
        "(dfn / 2 - 1) / z - (dfn + dfd) / 2 * dfn / (dfd + dfn * z)",
        f"(log(dfn * z) - digamma(dfn / 2) - (dfn + dfd) * z / (dfd + dfn * z) + {_OF_BOTH}) / 2",
        f"(log(dfd) - digamma(dfd / 2) - (dfn + dfd) / (dfd + dfn * z) + {_OF_BOTH}) / 2",
    ),
    "lomax": ("-(c + 1) / (1 + z)", "1 / c - log1p(z)"),
    "fisk": (
        "(c - 1 - (c + 1) * z**c) / (z * (1 + z**c))",
        "1 / c + log(z) * (1 - z**c) / (1 + z**c)",
    ),
    "burr": (
        "((d + 1) * c / (1 + z**c) - c - 1) / z",
        "1 / c + log(z) * ((d + 1) / (1 + z**c) - 1)",
        "1 / d - log1p(1 / z**c)",
    ),
    "burr12": (
        "(c - 1 - (d + 1) * c * z**c / (1 + z**c)) / z",
        "1 / c + log(z) * (1 - (d + 1) * z**c / (1 + z**c))",
        "1 / d - log1p(z**c)",
    ),
    "betaprime": (
        "(a - 1) / z - (a + b) / (1 + z)",
        "log(z) - log1p(z) - digamma(a) + digamma(a + b)",
        "-log1p(z) - digamma(b) + digamma(a + b)",
    ),
    "powerlaw": ("(a - 1) / z", "1 / a + log(z)"),
    "loguniform": ("-1 / z", "1 / (a * log(b / a))", "-1 / (b * log(b / a))"),
    "gennorm": (
        "-beta * sign(z) * absolute(z) ** (beta - 1)",
        "(1 + digamma(1 / beta) / beta) / beta - xlogy(absolute(z) ** beta, absolute(z))",
    ),
    "gengamma": (
        "(c * a - 1) / z - c * z ** (c - 1)",
        "c * log(z) - digamma(a)",
        "1 / c + (a - z**c) * log(z)",
    ),
    "nakagami": ("(2 * nu - 1) / z - 2 * nu * z", "log(nu * z**2) + 1 - digamma(nu) - z**2"),
    "invgauss": ("(1 / z**2 - 1 / mu**2) / 2 - 1.5 / z", "(z / mu - 1) / mu**2"),
    "johnsonsu": (
        "-z / (1 + z**2) - (a + b * arcsinh(z)) * b / sqrt(1 + z**2)",
        "-(a + b * arcsinh(z))",
        "1 / b - (a + b * arcsinh(z)) * arcsinh(z)",
    ),
    "skewnorm": (f"a * {_tail('a * z')} - z", f"z * {_tail('a * z')}"),
    "exponnorm": (
        f"{_tail('(z - 1 / K)')} - 1 / K",
        f"({_tail('(z - 1 / K)')} + z - 1 / K) / K**2 - 1 / K",
    ),
    "alpha": ("-2 / z - (a - 1 / z) / z**2", f"1 / z - a - {_tail('a')}"),
    "vonmises": ("-kappa * sin(z)", "cos(z) - i1e(kappa) / i0e(kappa)"),
    "loggamma": ("c - exp(z)", "z - digamma(c)"),
    "gompertz": ("1 - c * exp(z)", "1 / c - expm1(z)"),
    "truncexpon": ("0 * z - 1", "-1 / expm1(b)"),
    "truncnorm": ("-z", f"exp(-(a**2) / 2) / {_BETWEEN}", f"-exp(-(b**2) / 2) / {_BETWEEN}"),
    "dweibull": (
        "sign(z) * ((c - 1) / absolute(z) - c * absolute(z) ** (c - 1))",
        "1 / c + log(absolute(z)) * (1 - absolute(z) ** c)",
    ),
    "dgamma": ("sign(z) * ((a - 1) / absolute(z) - 1)", "log(absolute(z)) - digamma(a)"),
    "rice": ("1 / z - z + b * i1e(b * z) / i0e(b * z)", "z * i1e(b * z) / i0e(b * z) - b"),
}
#: Distribution -> how far its standard quantiles move, negated, with each of its shape parameters.
MOVES: dict[str, tuple[str, ...]] = {
    "lognorm": ("-z * log(z) / s",),
    "weibull_min": ("z * log(z) / c",),
    "pareto": ("z * log(z) / b",),
    "powerlaw": ("z * log(z) / a",),
    "fisk": ("z * log(z) / c",),
    "lomax": ("(1 + z) * log1p(z) / c",),
}
#: Distribution on integers -> slopes of its log-probability in its shape parameters.
DISCRETE: dict[str, tuple[str, ...]] = {
    "bernoulli": ("k / p - (1 - k) / (1 - p)",),
    "geom": ("1 / p - (k - 1) / (1 - p)",),
    "poisson": ("k / mu - 1",),
    "binom": ("", "k / p - (n - k) / (1 - p)"),  # the number of trials is an integer
    "nbinom": ("digamma(n + k) - digamma(n) + log(p)", "n / p - k / (1 - p)"),
}
