"""Functions of scipy.special, where SciPy is installed."""

import subprocess
import sys
from functools import partial

import numpy as np
import pytest

special = pytest.importorskip("scipy.special")

from autodiff.rules.four_questions import ask, name_of, row, samplers  # noqa: E402

import tapemagic  # noqa: E402
from tapemagic.autodiff.twins.modules import twin_of  # noqa: E402
from tapemagic.errors import NoRuleError  # noqa: E402

real, compl = samplers(50)
ANY = np.array([-2.1, -0.6, 0.0, 0.3, 1.7])
POSITIVE = np.array([0.15, 0.7, 1.4, 3.2])
UNIT = np.array([0.08, 0.35, 0.62, 0.9])
LARGE = POSITIVE + 1

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
    "wofz": compl(3),
}  # fmt: skip
BINARY = {
    "xlogy rel_entr kl_div beta betaln": (POSITIVE, LARGE),
    "binom poch": (LARGE + 1, UNIT),
    "xlog1py boxcox boxcox1p pseudo_huber owens_t": (LARGE, UNIT),
    "huber": (np.array([0.5, 1.0, 2.0, 0.7]), np.array([-1.2, 0.4, 3.3, 0.2])),
}
LAST = {
    "jv yv iv kv ive kve": (np.array([0.5, 1, 2, 3]), POSITIVE),
    "yn kn": (np.array([1, 2, 3, 4]), POSITIVE),
    "expn": (np.array([2, 3, 4, 5]), POSITIVE),
    "hyp0f1": (1.5, ANY),
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
    row(special.loggamma, compl(3), name="loggamma", second=False),
    *(
        row(partial(getattr(special, n), 2.0, 3.5), UNIT, name=n)
        for n in ("betainc", "betaincc", "betaincinv", "betainccinv")
    ),
    row(lambda z: special.hyp1f1(1.5, 2.5, z), ANY, name="hyp1f1"),
    row(lambda z: special.hyp2f1(1.5, 0.5, 2.5, z), UNIT, name="hyp2f1"),
    row(special.erf, compl(3), name="erf"),
    row(special.boxcox, POSITIVE, np.float64(0.0), name="boxcox at 0"),
    row(special.ellipk, np.array([0.0, 0.5]), name="ellipk at 0"),
    row(special.xlogy, POSITIVE[:, None], LARGE, name="xlogy broadcast"),
    row(logsumexp, real(4)),
    row(lambda a: logsumexp(a, axis=1), real(3, 4), name="logsumexp axis"),
    row(lambda a: logsumexp(a, axis=(0, 1), keepdims=True), real(3, 4), name="logsumexp axes"),
    row(lambda a, b: logsumexp(a, axis=0, b=b), real(3, 4), abs(real(3, 4)), name="logsumexp b"),
    row(
        lambda a, b: logsumexp(a, b=b, return_sign=True)[0], real(4), real(4), name="logsumexp sign"
    ),
    *(row(fun, real(4)) for fun in (softmax, log_softmax)),
    *(row(lambda a, f=f: f(a, axis=0), real(3, 4), name="axis") for f in (softmax, log_softmax)),
    row(lambda x: polygamma(2, x), POSITIVE, name="polygamma"),
    row(lambda x: lambertw(x).real, np.array([0.0, 0.5, 3.0]), name="lambertw"),
    row(special.digamma, np.array([-0.5, -1.7, 0.4]), name="digamma below 0", second=False),
]


@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
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


def test_masked_entries_of_logsumexp():
    gradient = tapemagic.grad(logsumexp)(np.array([0.0, -np.inf, 0.0]))
    np.testing.assert_allclose(gradient, [0.5, 0.0, 0.5])
