"""Products of vectors and matrices."""

import numpy as np
import pytest
from autodiff.rules.four_questions import ask, name_of, row, samplers, with_keywords

real, compl = samplers(7)

MATMUL = [
    ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 4)), ((5, 2, 3), (3,)),
    ((3,), (5, 3, 2)), ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)), ((5, 2, 3), (5, 3, 4)),
    ((2, 1, 2, 3), (5, 3, 4)), ((1, 2, 3), (5, 3, 4)), ((0, 3), (3, 2)), ((2, 0), (0, 3)),
]  # fmt: skip
DOT = [
    ((), ()), ((), (3,)), ((2, 3), ()), ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)),
    ((2, 3), (3, 4)), ((5, 2, 3), (3,)), ((3,), (5, 3, 2)), ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)), ((5, 2, 3), (6, 3, 4)),
]  # fmt: skip
INNER = [
    ((), (3,)), ((3,), (3,)), ((2, 3), (3,)), ((3,), (2, 3)), ((2, 3), (5, 4, 3)),
    ((4, 2, 3), (3,)),
]  # fmt: skip
TENSORDOT = [
    ((2, 3, 4), (3, 4, 5), 2), ((2, 3), (3, 5), 1), ((2,), (3,), 0), ((3, 2), (3, 5), (0, 0)),
    ((2, 3, 4), (4, 3, 5), ([2, 1], [0, 1])), ((4, 2, 3), (5, 3, 4), ([-1, 0], [1, 2])),
    ((3, 2, 4, 5), (5, 6, 3, 2), ((0, 3, 1), (2, 0, 3))),
]  # fmt: skip
KRON = [((2,), (3,)), ((2, 3), (3, 2)), ((2,), (2, 3)), ((2, 3, 2), (2,)), ((), (2, 3))]
CROSS = [
    ((3,), (3,), {}), ((4, 3), (3,), {}), ((1, 3), (4, 3), {}),
    ((3, 4), (5, 1, 3), {"axisa": 0, "axisc": 0}), ((3, 4), (3, 4), {"axis": 0}),
]  # fmt: skip
FLAT_CROSS = [((2,), (2,)), ((3,), (2,)), ((2,), (4, 3)), ((4, 2), (2,))]
TRACE = [
    ((3, 4), {}), ((3, 4), {"offset": 1}), ((3, 4, 5), {"offset": 1, "axis1": 0, "axis2": 2}),
    ((3, 4, 5), {"offset": -1, "axis1": 2, "axis2": 0}), ((3, 4, 5, 2), {"axis1": 3, "axis2": 1}),
]  # fmt: skip


ROWS = [
    case
    for make in (real, compl)
    for case in [
        *(row(np.matmul, make(*a), make(*b)) for a, b in MATMUL),
        *(row(lambda a, b: a @ b, make(*a), make(*b), name="@") for a, b in MATMUL[:4]),
        *(row(np.dot, make(*a), make(*b)) for a, b in DOT),
        *(row(np.inner, make(*a), make(*b)) for a, b in INNER),
        row(np.vdot, make(2, 3), make(3, 2)),
        row(np.vdot, make(3), make(3)),
        row(np.outer, make(2, 3), make(4)),
        row(np.linalg.outer, make(3), make(4)),
        row(np.linalg.matmul, make(2, 3), make(3, 4)),
        *(
            row(with_keywords(np.tensordot, axes=axes), make(*a), make(*b))
            for a, b, axes in TENSORDOT
        ),
        row(np.linalg.tensordot, make(2, 3, 4), make(3, 4)),
        *(row(np.kron, make(*a), make(*b)) for a, b in KRON),
        *(row(with_keywords(np.cross, **k), make(*a), make(*b)) for a, b, k in CROSS),
        row(with_keywords(np.linalg.cross, axis=0), make(3, 4), make(3, 1)),
        *(row(with_keywords(np.trace, **k), make(*a)) for a, k in TRACE),
        row(with_keywords(np.linalg.trace, offset=1), make(3, 4, 5)),
        row(np.vecdot, make(3), make(3)),
        row(np.vecdot, make(2, 3), make(4, 1, 3)),
        row(with_keywords(np.linalg.vecdot, axis=0), make(3, 2), make(3, 1)),
        row(lambda a: np.linalg.multi_dot([a, a.T, a]), make(2, 3), name="multi_dot 3"),
        row(
            lambda a, b, c, d: np.linalg.multi_dot([a, b, c, d]),
            make(4), make(4, 2), make(2, 3), make(3, 2), name="multi_dot 4",
        ),
        *(
            row(lambda a, n=n: np.linalg.matrix_power(a, n), make(3, 3), name=f"power {n}")
            for n in (-2, 0, 1, 2, 3, 6)
        ),
    ]
]  # fmt: skip
if hasattr(np, "matvec"):
    ROWS += [
        row(fun, make(*a), make(*b))
        for make in (real, compl)
        for fun, a, b in [
            (np.matvec, (2, 3), (3,)), (np.matvec, (4, 2, 3), (3,)), (np.matvec, (2, 3), (4, 3)),
            (np.vecmat, (2,), (2, 3)), (np.vecmat, (4, 2), (2, 3)), (np.vecmat, (2,), (4, 2, 3)),
        ]
    ]  # fmt: skip


@pytest.mark.parametrize("case", ROWS, ids=name_of)
def test_product(case):
    ask(case)


@pytest.mark.skipif(
    np.lib.NumpyVersion(np.__version__) >= "2.5.0", reason="NumPy 2.5 refuses two elements"
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(("a", "b"), FLAT_CROSS)
def test_cross_of_vectors_in_the_plane(a, b):
    ask(row(np.cross, real(*a), real(*b)))
