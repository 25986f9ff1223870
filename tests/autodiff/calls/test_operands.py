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


#: Tuples of whole numbers as operands, which are arrays, and not settings such as ``axis=(0, 1)``.
OF_TUPLES = {
    "dot": lambda x: np.dot(x, (1, 2, 3)),
    "dot from the left": lambda x: np.dot((1, 2, 3), x),
    "inner": lambda x: np.inner(x, (1, 2, 3)),
    "matmul": lambda x: np.matmul(x, (1, 2, 3)),
    "operator": lambda x: x @ (1, 2, 3),
    "outer": lambda x: np.outer(x, (1, 2)) ** 2,
    "kron": lambda x: np.kron(x, (1, 2)) ** 2,
    "cross": lambda x: np.cross(x, (1, 2, 3)) * x,
    "convolve": lambda x: np.convolve(x, (1, 2, 1)) ** 2,
    "tensordot": lambda x: np.tensordot(x, (1, 2, 3), 1),
    "solve": lambda x: np.linalg.solve(np.diag(x), (1, 2, 3)),
    "where": lambda x: np.where(x > 1, x, (1, 2, 3)) ** 2,
    "power": lambda x: np.power(x, (1, 2, 3)),
    "interp": lambda x: np.interp((1, 2), (0, 1, 3), x),
    "multi_dot": lambda x: np.linalg.multi_dot([x, np.diag(x), (1, 2, 3)]),
    "roll": lambda x: np.roll(x, (1, 1), (0, 0)) * x,
    "reshape": lambda x: np.reshape(x, (3, 1)) ** 2,
    "transpose": lambda x: np.transpose(np.outer(x, x), (1, 0)) * np.arange(3.0),
    "sum": lambda x: np.sum(np.outer(x, x), (0, 1)),
    "norm": lambda x: np.linalg.norm(np.outer(x, x), axis=(0, 1)),
    "dot by keyword": lambda x: np.dot(x, b=(1, 2, 3)),
    "dot with a list": lambda x: np.dot(x, b=[1, 2, 3]),
    "dot with an array": lambda x: np.dot(x, b=np.arange(3)),
    "dot with a number": lambda x: np.sum(np.dot(x, b=2.0) ** 2),
    "solve by keyword": lambda x: np.linalg.solve(np.diag(x), b=(1, 2, 3)),
    "solve by keywords": lambda x: np.linalg.solve(b=[1, 2, 3], a=np.diag(x)),
    "solve with elements": lambda x: np.linalg.solve(np.diag(x), b=[x[0], 2, x[1]]),
    "lstsq by keyword": lambda x: np.linalg.lstsq(np.diag(x), b=[1, 2, 3], rcond=None)[0],
    "kron by keyword": lambda x: np.kron(x, b=(1, 2)) ** 2,
    "kron of a number": lambda x: np.kron(x, b=2) ** 2,
    "convolve by keyword": lambda x: np.convolve(x, v=(1, 2), mode="same") ** 2,
    "trapezoid by keyword": lambda x: np.trapezoid(x**2, x=(0, 1, 3)),
    "average by keyword": lambda x: np.average(x**2, weights=(1, 2, 3)),
    "tensordot by keyword": lambda x: np.tensordot(x, b=(1, 2, 3), axes=(0, 0)),
}


@pytest.mark.parametrize("call", OF_TUPLES.values(), ids=OF_TUPLES)
@pytest.mark.parametrize("is_source", [True, False])
def test_a_tuple_of_whole_numbers_is_an_array_where_an_array_belongs(call, is_source):
    x = np.array([0.5, 1.5, 2.5])
    variable = Variable(x)
    with GradientTape() as tape:
        target = np.sum(call(variable if is_source else variable * 1.0))
    gradient = tape.gradient(target, variable)
    steps = 1e-6 * np.eye(3)
    slopes = [(np.sum(call(x + step)) - np.sum(call(x - step))) / 2e-6 for step in steps]
    np.testing.assert_allclose(gradient, slopes, rtol=1e-6, atol=1e-8)
