"""Distances of scipy.spatial, where SciPy is installed."""

import numpy as np
import pytest

distance = pytest.importorskip("scipy.spatial.distance")

from autodiff.rules.four_questions import ask, name_of, row, samplers  # noqa: E402

import tapemagic  # noqa: E402
from tapemagic import GradientTape  # noqa: E402
from tapemagic.autodiff.twins.modules import twin_of  # noqa: E402
from tapemagic.errors import NoRuleError  # noqa: E402

real, _ = samplers(67)
sd = twin_of(distance)
METRICS = (
    "euclidean", "sqeuclidean", "cityblock", "cosine", "correlation", "chebyshev", "canberra",
    "braycurtis",
)  # fmt: skip


ROWS = [
    *(row(lambda a, b, m=m: sd.cdist(a, b, m), real(3, 3), real(4, 3), name=f"cdist {m}")
      for m in METRICS),
    *(row(lambda a, b, m=m: sd.cdist(a, b, m), real(3, 4), real(2, 4), name=f"cdist of four {m}")
      for m in METRICS),
    *(row(lambda a, m=m: sd.pdist(a, m), real(4, 3), name=f"pdist {m}") for m in METRICS),
    row(sd.cdist, real(3, 2), real(4, 2)),
    row(lambda a: sd.cdist(a, a, metric="SqEuclidean"), real(3, 2), name="with itself"),
    row(lambda a, b: sd.cdist(a, b, "euclid"), real(3, 2), real(2, 2), name="another name"),
    row(lambda a: sd.pdist(a, sd.cityblock), real(4, 2), name="a twin"),
    row(lambda a: sd.pdist(a, distance.cosine), real(4, 2), name="a function of SciPy's"),
    row(sd.pdist, real(5, 3)),
    row(lambda a: sd.squareform(sd.pdist(a)), real(4, 2), name="matrix of distances"),
    row(sd.squareform, real(6)),
    row(lambda x: sd.squareform(x + x.T - 2 * np.diag(np.diag(x))), real(3, 3), name="and back"),
    row(lambda x: sd.squareform(x, checks=False), real(3, 3), name="no checks"),
    *(row(getattr(sd, m), real(3), real(3)) for m in METRICS),
    *(row(lambda a, b, p=p: sd.minkowski(a, b, p), real(3), real(3), name=f"minkowski {p}")
      for p in (1, 2, 3.5)),
]  # fmt: skip


def euclidean(u, v):
    return np.sum((u - v) ** 4)


@pytest.mark.parametrize("case", ROWS, ids=name_of)
def test_distances(case):
    ask(case)


def test_points_at_the_same_place():
    def total(a):
        return np.sum(sd.cdist(a, a)) + np.sum(sd.pdist(a)) + sd.euclidean(a[0], a[0])

    found = tapemagic.grad(total)(np.array([[1.0, 2.0], [1.0, 2.0], [4.0, 6.0]]))
    np.testing.assert_allclose(found, [[-1.8, -2.4], [-1.8, -2.4], [3.6, 4.8]])


def test_where_metrics_have_kinks():
    one, other = np.array([0.0, 2.0, 1.0]), np.array([0.0, 0.0, 3.0])
    for fun, expected in ((sd.chebyshev, [0, 0.5, -0.5]), (sd.canberra, [0, 0, -3 / 8])):
        np.testing.assert_allclose(tapemagic.grad(fun)(one, other), expected)


@pytest.mark.parametrize(
    "fun",
    [
        lambda a: sd.cdist(a, a, "minkowski", p=3),
        lambda a: sd.cdist(a, a, lambda u, v: u @ v),
        lambda a: sd.cdist(a, a, euclidean),
        lambda a: sd.cdist(a, a, "euclidean", w=[1.0, 2.0]),
        lambda a: sd.pdist(a, "mahalanobis"),
        lambda a: sd.euclidean(a[0], a[1], [1.0, 2.0]),
        lambda a: sd.jensenshannon(a[0], a[1]),
    ],
)
def test_what_is_not_carried_is_refused(fun):
    with GradientTape() as tape:
        a = tape.watch(real(3, 2))
        with pytest.raises(NoRuleError):
            fun(a)


def test_a_program_calls_scipy_and_does_not_copy_it():
    a, b = (tapemagic.Variable(x, name=name) for name, x in (("a", [1.0, 2.0]), ("b", [3.0, 5.0])))
    with tapemagic.GradientTape() as tape:
        y = sd.euclidean(a, b) * sd.cosine(a, b)
    text = str(tape.program(y, [a, b]))
    assert "scipy.spatial.distance.cosine" in text
    assert "def cosine" not in text
