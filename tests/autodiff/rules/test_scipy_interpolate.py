"""Functions of scipy.interpolate are refused in our words, where SciPy is installed."""

import numpy as np
import pytest

interpolate = pytest.importorskip("scipy.interpolate")

from tapemagic import GradientTape  # noqa: E402
from tapemagic.autodiff.twins.modules import twin_of  # noqa: E402
from tapemagic.errors import NoRuleError  # noqa: E402

si = twin_of(interpolate)
KNOTS = interpolate.splrep(np.arange(6.0), np.arange(6.0) ** 2)


@pytest.mark.parametrize(
    "fun",
    [
        lambda x: si.splev(x, KNOTS),
        lambda x: si.spalde(x[0], KNOTS),
        lambda x: si.griddata(np.eye(3, 2), x, np.ones((1, 2))),
    ],
)
def test_refused(fun):
    with GradientTape() as tape:
        x = tape.watch(np.array([1.0, 2.0, 3.0]))
        with pytest.raises(NoRuleError, match=r"scipy\.interpolate"):
            fun(x)


def test_plain_values_pass():
    x = np.array([0.5, 1.5])
    np.testing.assert_array_equal(si.splev(x, KNOTS), interpolate.splev(x, KNOTS))
