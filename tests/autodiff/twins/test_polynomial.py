"""Polynomials in a cell are NumPy's own classes before, during and after it."""

import numpy as np

from tests.notebook.both_runs import check
from tests.notebook.worlds import run_plain, run_taped

START = """
import numpy as np
w = np.array([0.5, 1.5, 2.0])
p = np.poly1d([1.0, -2.0, 0.5])
P = np.polynomial.Polynomial([1.0, 2.0, 3.0])
held = [p, {"series": P}]
"""
CELL = """
q = p * np.poly1d(w)
C = P.convert(kind=np.polynomial.Chebyshev)
is_one = [
    isinstance(p, np.poly1d), isinstance(q, np.poly1d), isinstance(w, np.poly1d), type(p) is np.poly1d,
    isinstance(P, np.polynomial.Polynomial), isinstance(C, np.polynomial.Chebyshev),
    isinstance(C, np.polynomial.Polynomial), held[0] is p, held[1]["series"] is P,
]
out = q(w[1]) + P(w).sum() + C(w[0]) + p.deriv()(w).sum()
"""


def test_classes_are_those_of_plain_numpy():
    plain = run_plain(START, CELL)["namespace"]
    taped, _ = run_taped(START, CELL)
    taped = taped["namespace"]
    for name in ("p", "P", "q", "C"):
        assert type(taped[name]) is type(plain[name]), name
    assert taped["is_one"] == plain["is_one"]
    assert taped["held"][0] is taped["p"]
    np.testing.assert_array_equal(taped["q"].coeffs, plain["q"].coeffs)
    assert type(taped["q"].coeffs) is np.ndarray


def test_gradients_through_them():
    check(START, CELL, "w")
