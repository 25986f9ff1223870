"""Systems of scipy.linalg whose matrix is given by its diagonals, where SciPy is installed."""

import numpy as np
import pytest

linalg = pytest.importorskip("scipy.linalg")

from autodiff.rules.four_questions import ask, name_of, row, samplers  # noqa: E402

from tapemagic.autodiff.twins.modules import twin_of  # noqa: E402

real, compl = samplers(53)
sl = twin_of(linalg)
WIDTHS = [(1, 1), (0, 2), (2, 0), (1, 2), (0, 0)]


def diagonals(below, above, draw=real, n=5):
    ab = draw(below + above + 1, n)
    ab[above] += 4
    return ab


def hermitian(width, lower, draw=real, n=5):
    ab = 0.5 * draw(width + 1, n)
    main = 0 if lower else -1
    ab[main] = np.abs(ab[main]) + 4
    return ab


def banded(widths):
    return lambda ab, b: sl.solve_banded(widths, ab, b)


def of_hermitian(lower):
    """Only the real part of the main diagonal is read."""
    return lambda ab, b: sl.solveh_banded(ab, b, lower=lower)


def column(c, b):
    return sl.solve_toeplitz(c + 4 * (np.arange(c.shape[0]) == 0), b)


def both(c, r, b):
    return sl.solve_toeplitz((c + 4 * (np.arange(c.shape[0]) == 0), r), b)


ROWS = [
    *(row(banded(w), diagonals(*w, d), d(5, *k), name=f"solve_banded {w}")
      for w in WIDTHS for d in (real, compl) for k in ((), (2,))),
    row(banded((1, 1)), diagonals(1, 1), compl(5), name="solve_banded mixed"),
    *(row(of_hermitian(low), hermitian(w, low), real(5, *k), name=f"solveh_banded {w} {low}")
      for w in (0, 1, 2) for low in (False, True) for k in ((), (2,))),
    *(row(of_hermitian(low), hermitian(2, low, compl), compl(5), name=f"solveh_banded {low}")
      for low in (False, True)),
    *(row(column, d(4), d(4, *k), name="solve_toeplitz") for d in (real, compl)
      for k in ((), (2,))),
    *(row(both, d(4), d(4), d(4, *k), name="solve_toeplitz both") for d in (real, compl)
      for k in ((), (2,))),
]  # fmt: skip


@pytest.mark.parametrize("case", ROWS, ids=name_of)
def test_banded(case):
    ask(case)
