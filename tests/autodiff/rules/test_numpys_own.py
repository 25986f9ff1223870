"""Functions whose rule is NumPy's own Python code."""

from functools import partial

import numpy as np
import pytest
from autodiff.rules.four_questions import ask, name_of, row, samplers, with_keywords

from tapemagic.autodiff.twins.modules import twin_of

real, compl = samplers(40)
T = np.array([-1.0, -0.3, 0.2, 0.9, 1.6])

ROWS = [
    *(row(np.polyval, make(4), make(3)) for make in (real, compl)),
    row(np.polyval, real(3), real(2, 2)),
    *(row(fun, make(3), make(5)) for fun in (np.polyadd, np.polysub) for make in (real, compl)),
    row(np.polymul, real(3), real(4)),
    row(np.polydiv, real(5), real(3)),
    row(np.polyder, real(5)),
    row(with_keywords(np.polyder, m=2), real(5)),
    row(np.polyint, real(4)),
    row(lambda p: np.polyint(p, 2, k=[1.0, 2.0]), real(4), name="polyint k"),
    row(lambda t, y: np.polyfit(t, y, 2), T, real(5), name="polyfit"),
    row(lambda y, w: np.polyfit(T, y, 1, w=w), real(5), abs(real(5)) + 1, name="polyfit w"),
    row(lambda y: np.polyfit(T, y, 1, cov=True), real(5), name="polyfit cov"),
    row(lambda y: np.polyfit(T, y, 1), real(5, 2), name="polyfit columns"),
    row(np.poly, real(3)),
    row(np.poly, real(3, 3)),
    row(np.roots, np.array([1.0, -6.0, 11.0, -6.0])),
    row(np.roots, np.array([1.0, 0.5, 2.0])),
    *(
        row(with_keywords(np.cov, **keywords), make(3, 5))
        for make in (real, compl)
        for keywords in (
            {}, {"rowvar": False}, {"bias": True}, {"ddof": 0},
            {"fweights": np.array([1, 2, 1, 3, 1])}, {"aweights": np.arange(1.0, 6.0)},
        )
    ),
    row(np.cov, real(6)),
    row(np.cov, real(5), real(5)),
    row(np.corrcoef, real(3, 5)),
    row(np.corrcoef, compl(2, 5)),
    row(np.corrcoef, real(5), real(5)),
]  # fmt: skip


poly1d = twin_of(np.poly1d)
OLD_CLASS = [
    lambda p, poly1d: poly1d(p)(1.5),
    lambda p, poly1d: (poly1d(p) * poly1d(p) + poly1d([1.0, 2.0])).coeffs,
    lambda p, poly1d: poly1d(p).deriv()(np.array([1.0, 2.0])),
    lambda p, poly1d: poly1d(p).integ(2, k=[1.0, 2.0]).c,
    lambda p, poly1d: (2 * poly1d(p) ** 3 - 1)(0.3),
    lambda p, poly1d: poly1d(p, True).c,
    lambda p, poly1d: poly1d(p)[1],
]


@pytest.mark.parametrize("fun", OLD_CLASS)
def test_poly1d(fun):
    p = real(4)
    assert np.array_equal(fun(p, poly1d), fun(p, np.poly1d))
    ask(row(partial(fun, poly1d=poly1d), p, name="poly1d"))


@pytest.mark.parametrize("case", ROWS, ids=name_of)
def test_row(case):
    ask(case)
