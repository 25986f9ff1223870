"""np.einsum: any subscripts."""

import numpy as np
import pytest
from autodiff.rules.four_questions import ask, name_of, row

import tapemagic

RNG = np.random.default_rng(11)
SPECS = [
    ("ij,jk->ik", (2, 3), (3, 4)), ("ij,jk", (2, 3), (3, 4)), ("ii->i", (3, 3)), ("ii", (3, 3)),
    ("ii->", (3, 3)), ("iij->j", (3, 3, 2)), ("ij->", (2, 3)), ("ij->ji", (2, 3)),
    ("ba", (2, 3)), ("...ij,...jk->...ik", (5, 2, 3), (3, 4)), ("...i,...i", (2, 3), (3,)),
    ("i...,i...->...", (3, 2), (3, 4, 2)), ("ij,ij,ij->i", (2, 3), (2, 3), (2, 3)),
    ("iii->i", (2, 2, 2)), ("ii,i->", (3, 3), (3,)), ("ij,jk->ik", (2, 1), (3, 4)),
    ("i,j->ij", (2,), (3,)), (",i->i", (), (3,)), ("iij,jkk->ik", (2, 2, 3), (3, 4, 4)),
    ("abc,cd,de->abe", (10, 10, 5), (5, 6), (6, 7)), ("ij,ik->", (2, 3), (2, 4)),
    (" i j , j k -> k i ", (2, 3), (3, 4)), ("...", (2, 3)), ("ij,j->i", (0, 3), (3,)),
    ("aA,Ab->ab", (2, 3), (3, 2)), ("ijk->ik", (2, 3, 4)),
]  # fmt: skip


def spell(subscripts, **keywords):
    def einsum(*operands):
        return np.einsum(subscripts, *operands, **keywords)

    return einsum


ROWS = [
    *(row(spell(s), *(RNG.normal(size=n) for n in ns), name=f"einsum {s}") for s, *ns in SPECS),
    *(
        row(
            spell(s),
            *(RNG.normal(size=n) + 1j * RNG.normal(size=n) for n in ns),
            name=f"einsum {s}",
        )
        for s, *ns in SPECS
    ),
    *(
        row(
            spell("ij,jk,kl->il", optimize=choice),
            *(RNG.normal(size=n) for n in [(2, 3), (3, 4), (4, 2)]),
            name=f"einsum optimize={choice}",
        )
        for choice in (True, "greedy", "optimal", ["einsum_path", (0, 1), (0, 1)])
    ),
]


@pytest.mark.parametrize("case", ROWS, ids=name_of)
def test_einsum(case):
    ask(case)


@pytest.mark.parametrize(
    ("lists", "shapes"),
    [
        (([0, 1], [1, 2], [0, 2]), [(2, 3), (3, 4)]),
        (([0, 1], [1, 2]), [(2, 3), (3, 4)]),
        (([Ellipsis, 0], [0], [Ellipsis]), [(2, 3), (3,)]),
        (([40, 40], [40]), [(3, 3)]),
    ],
)
def test_interleaved_form(lists, shapes):
    def fun(*arrays):
        operands = [item for pair in zip(arrays, lists, strict=False) for item in pair]
        return np.einsum(*operands, *lists[len(arrays) :])

    ask(row(fun, *(RNG.normal(size=n) for n in shapes), name="interleaved"))


def test_same_operand_twice_counts_twice():
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    gradient = tapemagic.grad(lambda a: np.einsum("ij,ij->", a, a))(x)
    np.testing.assert_array_equal(gradient, 2 * x)


def test_constant_list_operand():
    gradient = tapemagic.grad(lambda a: np.einsum("i,i->", a, [1.0, 2.0]))(np.ones(2))
    np.testing.assert_array_equal(gradient, [1.0, 2.0])


def test_integer_operand():
    gradient = tapemagic.grad(lambda a: np.einsum("i,i->", a, np.arange(2)))(np.ones(2))
    np.testing.assert_array_equal(gradient, [0.0, 1.0])
