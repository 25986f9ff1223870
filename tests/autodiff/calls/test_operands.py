"""Plain operands that have a say in what is computed: masks, matrices, objects."""

from fractions import Fraction

import numpy as np
import pytest

from tapemagic import GradientTape, Variable
from tapemagic.errors import TapeError

pytestmark = pytest.mark.filterwarnings("ignore")


class Doubling(np.ndarray):
    """An array of a class of one's own, with operators of its own."""

    def __rmul__(self, other):
        return 2 * np.asarray(self) * other


CALLS = [
    lambda w, x: w * x, lambda w, x: x * w, lambda w, x: w + x, lambda w, x: w - x,
    lambda w, x: w / x, lambda w, x: w**x, lambda w, x: w % x, lambda w, x: w[0] * x,
    lambda w, x: x * w[0], lambda w, x: np.multiply(w, x), lambda w, x: np.maximum(w, x),
    lambda w, x: np.mean(w * x), lambda w, x: np.where(w > 1, w, x), lambda w, x: np.outer(w, x),
    lambda w, x: np.concatenate([w, x.T]), lambda w, x: np.dot(w, x.T), lambda w, x: w @ x.T,
    lambda w, x: np.add.outer(w, x), lambda w, x: np.multiply(w, x, where=w > 1),
    lambda w, x: w.__imul__(x), lambda w, x: np.clip(w, x, 9.0), lambda w, x: float(w[0]) * x,
]  # fmt: skip
OPERANDS = {
    "masked": np.ma.array([1.0, 2.0, 3.0], mask=[0, 1, 0]),
    "matrix": np.matrix(np.diag([1.0, 2.0, 3.0])),
    "own class": np.array([1.0, 2.0, 3.0]).view(Doubling),
    "objects": np.array([1.0, 2.0, 3.0], dtype=object),
    "fractions": np.array([Fraction(1, 2), Fraction(1, 3), Fraction(1)]),
}


@pytest.mark.parametrize("operand", OPERANDS)
@pytest.mark.parametrize("call", CALLS)
def test_refused_aloud(call, operand):
    x = Variable([1.5, 0.5, 2.0])
    with GradientTape(), pytest.raises((TapeError, TypeError, ValueError)):
        call(x * 1.0, OPERANDS[operand])


@pytest.mark.parametrize("operand", OPERANDS)
def test_the_refusal_says_what_to_do(operand):
    x, other = Variable([1.5, 0.5, 2.0]), OPERANDS[operand]
    with GradientTape() as tape:
        w = x * 1.0
        with pytest.raises(TapeError, match=r"'w'.*(of class|of objects)") as caught:
            w * other  # the line
        assert caught.value.code.endswith("# the line")
        assert caught.value.fix
        y = np.sum(w * np.asarray(other).astype(float))
    expected = np.sum(np.atleast_2d(np.asarray(other, dtype=float)), axis=0)
    np.testing.assert_allclose(tape.gradient(y, x), expected)


@pytest.mark.parametrize("operand", OPERANDS)
def test_what_depends_on_nothing_watched_is_numpys(operand):
    other = OPERANDS[operand]
    x = Variable([1.5, 0.5, 2.0])
    with GradientTape():
        found = np.ones(3) * other
        assert type(found) is type(np.full(3, 1.0) * other)
        np.sum(x)


@pytest.mark.parametrize(
    "make",
    [
        lambda w: w.astype(object), lambda w: np.full(2, w[0], dtype=object),
        lambda w: np.array([w, w], dtype=object), lambda w: np.equal(w, 1.0, dtype=object),
    ],
)  # fmt: skip
def test_arrays_of_objects_are_refused(make):
    x = Variable([1.5, 0.5, 2.0])
    with GradientTape(), pytest.raises(TapeError):
        make(x * 1.0)


def test_mapped_memory_is_an_ordinary_array(tmp_path):
    other = np.memmap(tmp_path / "data", dtype=float, mode="w+", shape=3)
    other[:] = [1.0, 2.0, 3.0]
    x = Variable([1.5, 0.5, 2.0])
    with GradientTape() as tape:
        y = np.sum(x * other) + np.dot(other, x * 1.0)
    np.testing.assert_array_equal(tape.gradient(y, x), [2.0, 4.0, 6.0])
