"""In a cell every array is behind a handle: constants too, wherever a function takes one."""

import numpy  # noqa: ICN001  (np is the twin here)
import pytest

import tapemagic
from tapemagic.autodiff.twins.modules import numpy_twin

X = numpy.array([0.6, -1.3, 2.1, 0.35])


def put(np, x):
    z = np.zeros(4)
    np.put(z, np.array([0, 2]), x)
    np.copyto(z, np.ones(4), where=np.array([False, True, False, False]))
    return z * x


CASES = {
    "quantile": lambda np, x: np.quantile(x, np.array([0.3, 0.6])),
    "percentile weights": lambda np, x: np.percentile(
        x, np.array([30.0]), weights=np.array([1.0, 2.0, 1.0, 1.0]), method="inverted_cdf"
    ),
    "pad": lambda np, x: np.pad(x, np.array([1, 2]), constant_values=np.array([2.0, 3.0])) * 2,
    "linear ramp": lambda np, x: np.pad(x, 1, "linear_ramp", end_values=np.array([2.0, 3.0])),
    "sum": lambda np, x: np.sum(x, initial=np.array(1.0), where=np.array([1.0, 0, 2, 0]) > 0),
    "max": lambda np, x: np.max(x, initial=np.float64(1.0), where=np.array([True] * 4)),
    "clip": lambda np, x: np.clip(x, np.array(-0.5), np.array([1.0, 1.0, 2.0, 0.1])),
    "average": lambda np, x: np.average(x, weights=np.array([1.0, 2.0, 3.0, 4.0])),
    "nan_to_num": lambda np, x: np.nan_to_num(x, nan=np.float64(2.0)),
    "full_like": lambda np, x: np.full_like(x, np.array(2.5)) * x,
    "select": lambda np, x: np.select([x > np.array(0.0)], [x * x], default=np.array(3.0)),
    "where": lambda np, x: np.where(x > np.zeros(4), x, np.ones(4)),
    "choose": lambda np, x: np.choose(np.array([0, 1, 1, 0]), [x, np.ones(4)]),
    "searchsorted": lambda np, x: x * np.searchsorted(np.array([-1.0, 0.0, 1.0]), x),
    "digitize": lambda np, x: x * np.digitize(x, np.array([-1.0, 0.0, 1.0])),
    "repeat": lambda np, x: np.repeat(x, np.array([1, 0, 2, 3])),
    "take": lambda np, x: np.take(x, np.array([1, 1, 0])),
    "var": lambda np, x: np.var(x, mean=np.array([0.4])),
    "diff": lambda np, x: np.diff(x, prepend=np.array([0.1]), append=np.array([0.2])),
    "insert": lambda np, x: np.insert(x, np.array([1, 2]), np.array([7.0, 8.0])),
    "delete": lambda np, x: np.delete(x, np.array([1, 2])),
    "concatenate": lambda np, x: np.concatenate([np.ones(2), x, [1.0, 2.0]]),
    "block": lambda np, x: np.block([x, np.ones(2)]),
    "setdiff1d": lambda np, x: np.setdiff1d(x, np.array([9.0])),
    "unique": lambda np, x: np.unique(np.concatenate([x, np.array([5.0])])),
    "power": lambda np, x: np.power(np.array([1.0, 2.0, 3.0, 4.0]), x),
    "maximum": lambda np, x: np.maximum(x, np.zeros(4)),
    "trapezoid": lambda np, x: np.trapezoid(x, np.array([0.0, 1.0, 3.0, 4.0])),
    "put": put,
    "reshape": lambda np, x: np.reshape(x, np.array([2, 2])),
    "roll": lambda np, x: np.roll(x, np.array(1)),
    "tile": lambda np, x: np.tile(x, np.array([2, 1])),
    "piecewise": lambda np, x: np.piecewise(
        x, [x > np.array(0.0)], [lambda a: a * np.array(3.0), np.array(1.0)]
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_gradient(name):
    fun = CASES[name]
    value, pullback = tapemagic.vjp(lambda x: fun(numpy_twin, x), X)
    expected = fun(numpy, X)
    numpy.testing.assert_array_equal(value, expected)
    ct = numpy.cos(numpy.arange(expected.size)).reshape(expected.shape)
    numerical = [
        numpy.sum(ct * (fun(numpy, X + h) - fun(numpy, X - h))) / 2e-6 for h in 1e-6 * numpy.eye(4)
    ]
    numpy.testing.assert_allclose(pullback(ct)[0], numerical, rtol=1e-6, atol=1e-8)
