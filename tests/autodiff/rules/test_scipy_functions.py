"""Functions of scipy.special that come several at once, are distributions, or have an order."""

import numpy as np
import pytest

special = pytest.importorskip("scipy.special")

from autodiff.rules.four_questions import ask, name_of, row  # noqa: E402

import tapemagic  # noqa: E402
from tapemagic.autodiff.twins.modules import twin_of  # noqa: E402
from tapemagic.errors import NoRuleError  # noqa: E402

ANY = np.array([-2.1, -0.6, 0.3, 1.7])
POSITIVE = np.array([0.15, 0.7, 1.4, 3.2])
UNIT = np.array([0.08, 0.35, 0.62, 0.9])
PLANE = np.array([0.4 + 0.3j, 1.2 - 0.8j, -0.6 + 0.9j, 0.7 + 1.1j])

#: Name: what comes before the argument, the argument, what comes behind.
ONE = {
    "cotdg": ((), 40 * ANY, ()),
    "gammasgn": ((), ANY, ()),
    "hankel1": ((1.5,), PLANE, ()),
    "hankel2": ((np.array([0.5, 1, 2, 3]),), PLANE, ()),
    "struve": ((1.5,), POSITIVE, ()),
    "modstruve": ((np.array([0.5, 1, 2, 3]),), POSITIVE, ()),
    "hyperu": ((1.5, 0.5), POSITIVE, ()),
    "ellipkinc": ((), ANY, (0.3,)),
    "ellipeinc": ((), ANY, (0.3,)),
    "inv_boxcox": ((), POSITIVE, (np.array([0.0, 0.5, -0.2, 1.0]),)),
    "inv_boxcox1p": ((), POSITIVE, (0.4,)),
    "stdtr": ((np.array([1, 2, 3, 4.5]),), ANY, ()),
    "stdtrit": ((3,), UNIT, ()),
    "chdtr": ((3,), POSITIVE, ()),
    "chdtrc": ((3,), POSITIVE, ()),
    "chdtri": ((3,), UNIT, ()),
    "fdtr": ((2, 3), POSITIVE, ()),
    "fdtrc": ((2, 3), POSITIVE, ()),
    "fdtri": ((2, 3), UNIT, ()),
    "gdtr": ((1.5, 2.0), POSITIVE, ()),
    "gdtrc": ((1.5, 2.0), POSITIVE, ()),
    "bdtr": ((2, 5), UNIT, ()),
    "bdtrc": ((2, 5), UNIT, ()),
    "nbdtr": ((2, 5), UNIT, ()),
    "nbdtrc": ((2, 5), UNIT, ()),
    "pdtr": ((2,), POSITIVE, ()),
    "pdtrc": ((2,), POSITIVE, ()),
    "spherical_jn": ((2,), POSITIVE, ()),
    "spherical_yn": ((1,), POSITIVE, ()),
    "spherical_in": ((np.array([0, 1, 2, 3]),), POSITIVE, ()),
    "spherical_kn": ((2,), PLANE, ()),
    "multigammaln": ((), POSITIVE + 1, (3,)),
}
SEVERAL = {
    "airy": ((ANY,), (PLANE,)),
    "sici": ((np.array([0.3, 2.0]),), (np.array([1.5, 4.0]),)),
    "shichi": ((POSITIVE,),),
    "fresnel": ((ANY,), (PLANE,)),
    "ellipj": ((ANY, 0.3),),
}
ROWS = [
    *(
        row(lambda x, f=f, a=a, b=b: twin_of(getattr(special, f))(*a, x, *b), x, name=f)
        for f, (a, x, b) in ONE.items()
    ),
    *(
        row(lambda x, f=f, rest=rest: getattr(special, f)(x, *rest), x, name=f)
        for f, cases in SEVERAL.items()
        for x, *rest in cases
    ),
    row(special.powm1, POSITIVE, ANY, name="powm1"),
    row(special.voigt_profile, ANY, POSITIVE, UNIT, name="voigt_profile"),
    row(
        lambda x: twin_of(special.spherical_jn)(2, x, derivative=True),
        POSITIVE,
        name="slope of spherical_jn",
    ),
]


@pytest.mark.parametrize("case", ROWS, ids=name_of)
def test_function(case):
    ask(case)


def test_sine_integral_at_0():
    assert tapemagic.grad(lambda x: special.sici(x)[0])(0.0) == 1


def test_parameters_are_refused():
    with pytest.raises(NoRuleError, match="argument 1 of stdtr"):
        tapemagic.grad(lambda df: special.stdtr(df, 1.0))(3.0)
