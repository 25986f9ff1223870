"""Linear filters of scipy.ndimage, where SciPy is installed."""

import numpy as np
import pytest

ndimage = pytest.importorskip("scipy.ndimage")

from autodiff.rules.four_questions import ask, name_of, row, samplers  # noqa: E402

import tapemagic  # noqa: E402
from tapemagic.autodiff.twins.modules import twin_of  # noqa: E402
from tapemagic.errors import NoRuleError  # noqa: E402

real, compl = samplers(53)
nd = twin_of(ndimage)
MODES = ("reflect", "mirror", "nearest", "wrap", "constant", "grid-wrap")

ROWS = [
    *(row(lambda x, w, f=f, m=m: getattr(nd, f)(x, w, mode=m, cval=0.5), real(5), real(k),
          name=f"{f} {m}")
      for f in ("correlate", "convolve", "correlate1d", "convolve1d") for m in MODES
      for k in (3, 4)),
    *(row(lambda x, w, f=f, o=o: getattr(nd, f)(x, w, origin=o), real(5, 6), real(3, 4),
          name=f"{f} {o}")
      for f in ("correlate", "convolve") for o in (0, 1, -1, (1, -1))),
    *(row(lambda x, w, f=f, o=o: getattr(nd, f)(x, w, axis=0, origin=o), real(5, 4), real(3),
          name=f"{f} {o}")
      for f in ("correlate1d", "convolve1d") for o in (0, 1, -1)),
    row(nd.correlate, compl(5, 4), compl(3, 2)),
    row(nd.correlate1d, real(6), np.array([0.25, 0.5, 0.25])),
    *(row(lambda x, m=m: nd.gaussian_filter(x, 1.0, mode=m, cval=0.2), real(6, 5),
          name=f"gaussian_filter {m}") for m in MODES),
    row(lambda x: nd.gaussian_filter(x, (1.0, 0.5), order=(1, 0), truncate=2.0), real(6, 5),
        name="gaussian_filter order"),
    row(lambda x: nd.gaussian_filter(x, 1.0, axes=(1,), radius=2), real(6, 5), name="axes"),
    row(lambda x: nd.gaussian_filter1d(x, 0.8, axis=0, order=2), real(6, 5), name="gaussian1d"),
    *(row(lambda x, m=m, s=s: nd.uniform_filter(x, s, mode=m), real(6, 5), name=f"uniform {s} {m}")
      for m in MODES for s in (3, 4)),
    *(row(lambda x, m=m: nd.uniform_filter1d(x, 3, mode=m), real(1), name=f"of one element {m}")
      for m in MODES),
    row(lambda x: nd.uniform_filter1d(x, 3, axis=0, origin=1), real(6, 5), name="uniform1d"),
    row(nd.sobel, real(5, 4)),
    row(lambda x: nd.prewitt(x, axis=0, mode="nearest"), real(5, 4), name="prewitt"),
    row(nd.laplace, real(5, 4)),
    *(row(lambda x, q, m=m, k=k: nd.map_coordinates(x, q, order=k, mode=m, cval=0.7),
          real(3, 4), 2.5 * real(2, 9) + 1, name=f"map_coordinates {k} {m}")
      for k in (0, 1)
      for m in ("constant", "nearest", "mirror", "reflect", "grid-mirror", "grid-wrap")),
    row(lambda x, q: nd.map_coordinates(x, [q], order=1, mode="nearest"), real(1), real(2, 3),
        name="one element"),
    row(lambda x: nd.map_coordinates(x, [[0, 3], [3, 0]], order=1), compl(4, 4), name="corners"),
]  # fmt: skip


@pytest.mark.parametrize("case", ROWS, ids=name_of)
def test_ndimage(case):
    ask(case)


def test_slope_at_the_last_place_is_that_of_the_last_piece():
    x = np.array([1.0, 4.0, 2.5])
    gradient = tapemagic.grad(lambda q: nd.map_coordinates(x, [[q]], order=1)[0])(2.0)
    np.testing.assert_allclose(gradient, x[2] - x[1])


@pytest.mark.parametrize(
    "fun",
    [
        lambda x: nd.zoom(x, 2),
        lambda x: nd.gaussian_filter(np.ones((4, 4)), x[0, 0]),
        lambda x: nd.correlate1d(x, np.ones(3), output=np.float32),
        lambda x: nd.map_coordinates(x, np.ones((2, 3))),
        lambda x: nd.map_coordinates(x, np.ones((2, 3)), order=1, mode="wrap"),
        lambda x: nd.map_coordinates(x, np.ones((2, 3)), np.float32, order=1),
    ],
)
def test_what_is_not_carried_is_refused(fun):
    with pytest.raises(NoRuleError):
        tapemagic.grad(lambda x: np.sum(fun(x)))(real(4, 4))
