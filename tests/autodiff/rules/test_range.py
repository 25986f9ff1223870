"""Where numbers are large or small: a derivative that the dtype has is found, if not its formula's parts.

Expected values are limits, or the same functions in the identities of a handbook, in double precision.
"""

import math

import numpy as np
import pytest
from scipy import special

import tapemagic
from tapemagic.autodiff import later
from tapemagic.autodiff.twins.modules import twin_of

later.load()
LOGSUMEXP = twin_of(special.logsumexp)

#: What, function, dtypes, where, gradient.
CASES = [
    # of 1e10 + log(2) single precision keeps 1e10
    ("logaddexp", lambda x: np.logaddexp(x[0], x[1]), "f4 f8", [1e16, 1e16], [0.5, 0.5]),
    ("logaddexp, below", lambda x: np.logaddexp(x[0], x[1]), "f2 f4", [-4000, -4000], [0.5, 0.5]),
    ("logaddexp2", lambda x: np.logaddexp2(x[0], x[1]), "f4 f8", [1e16, 1e16], [0.5, 0.5]),
    ("logaddexp.reduce", np.logaddexp.reduce, "f4 f8", [1e17, 1e17, 0], [0.5, 0.5, 0]),
    ("logaddexp.reduce where", lambda x: np.logaddexp.reduce(x, where=[True, True, False]),
     "f4 f8", [1e17, 1e17, 1e18], [0.5, 0.5, 0]),
    ("logaddexp.reduce from initial", lambda x: np.logaddexp.reduce(x, initial=1e17),
     "f4 f8", [1e17, 1e17, 1e17], [0.25, 0.25, 0.25]),
    ("logaddexp2.reduce", np.logaddexp2.reduce, "f2 f4", [4000, 4000, 0], [0.5, 0.5, 0]),
    ("logaddexp, far apart", lambda x: np.logaddexp(x[0], x[1]), "f2 f4 f8", [0, 3e4], [0, 1]),
    ("logsumexp", LOGSUMEXP, "f4 f8", [1e17, 1e17, 0], [0.5, 0.5, 0]),
    ("logsumexp of a difference", lambda x: LOGSUMEXP(x, b=np.array([3.0, -1.0, 5.0])),
     "f4 f8", [1e17, 1e17, 0], [1.5, -0.5, 0]),
    ("expm1", np.expm1, "f2", [-9], [math.exp(-9)]),
    ("expm1", np.expm1, "f4 f8", [-40], [math.exp(-40)]),
    ("special.expm1", special.expm1, "f4 f8", [-40], [math.exp(-40)]),
    # the hazard of a normal variable: -x - 1 / x + ...
    ("log_ndtr", special.log_ndtr, "f2 f4 f8", [-300], [300 + 1 / 300]),
    ("log_ndtr, far away", special.log_ndtr, "f4 f8", [-1e10], [1e10]),
    ("pseudo_huber in a tail", lambda x: special.pseudo_huber(np.full_like(x, 0.5), x),
     "f2 f4 f8", [6e4, -6e4], [0.5, -0.5]),
    ("pseudo_huber of a small parameter", lambda x: special.pseudo_huber(x, np.full_like(x, 2)),
     "f2 f4 f8", [1e-6], [2]),
    # 2 d (s - 1) - r**2 / (d s) with s = sqrt(1 + (r/d)**2), which starts as (r/d)**3 r / 4
    ("pseudo_huber of a small residual", lambda x: special.pseudo_huber(x, np.full_like(x, 0.03)),
     "f4 f8", [1], [0.03**4 / 4 * (1 - 0.03**2)]),
    ("spence towards 0", special.spence, "f2 f4 f8", [6e-6], [math.log(6e-6) / (1 - 6e-6)]),
    ("spence, far towards 0", special.spence, "f4 f8", [1e-30], [math.log(1e-30)]),
    ("ellipkm1 towards 0", special.ellipkm1, "f4 f8", [1e-20], [-0.5e20]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("fun", "dtype", "x", "expected"),
    [
        pytest.param(fun, dtype, x, expected, id=f"{name} {dtype}")
        for name, fun, dtypes, x, expected in CASES
        for dtype in dtypes.split()
    ],
)
def test_gradient_is_in_range(fun, dtype, x, expected):
    x = np.array(x, dtype)
    gradient = tapemagic.grad(lambda x: np.sum(fun(x)))(x)
    assert gradient.dtype == x.dtype
    epsilon = np.finfo(dtype).eps
    np.testing.assert_allclose(gradient, expected, rtol=max(20 * epsilon, 3e-6), atol=0)


@pytest.mark.parametrize(
    ("fun", "scale"),
    [
        (lambda x: np.logaddexp(x[0], x[1]), 1),
        (lambda x: np.logaddexp2(x[0], x[1]), math.log(2)),
        (np.logaddexp.reduce, 1),
    ],
)
@pytest.mark.parametrize("x", [1.0, -3000.0])
def test_equal_operands_are_no_kink(fun, scale, x):
    """Of ``log(exp(a) + exp(b))`` the second derivative is 1/4 where a = b."""
    second = tapemagic.hessian(fun)(np.array([x, x]))
    np.testing.assert_allclose(second, scale * np.array([[0.25, -0.25], [-0.25, 0.25]]))
