"""NumPy's iterators over traced arrays: order, position and what a cell leaves are NumPy's."""

import numpy as np
import pytest

from tapemagic import GradientTape, Variable
from tapemagic.autodiff.twins import modules
from tapemagic.errors import NoRuleError
from tests.notebook.test_holes import START, check
from tests.notebook.worlds import assert_same_world, run_plain, run_taped

FOLLOWED = [
    "it = np.nditer(w)\nloss = it.operands[0].sum() + w.sum()",
    "it = np.nditer([w, w * 2])\na, b = it.operands\nloss = (a * b).sum()",
    "it = np.nditer(w)\nnext(it)\nloss = next(it) * it.nop + it.value * len(it)",
    "it = np.nditer(w)\nfor x in it:\n    pass\nrest = list(it)\nloss = x * x",
    "it = np.nditer(w)\nit.iterindex = 2\nloss = it.value * 2\nkinds = it.dtypes",
    "it = np.nditer(w, flags=['multi_index'])\nit.multi_index = (1,)\nloss = it[0] * 2",
    "it = np.nditer(w, ['c_index'])\nx = it[0]\nwhile it.iternext():\n    x = x * it[0]\nloss = x",
    "with np.nditer(w, op_flags=['readwrite']) as it:\n    it[0] = it[0] * 3\nloss = w @ w",
    "n = np.nditer([w, 2 * w], [], [['readwrite'], ['readonly']])\na, b = next(n)\na += b\nloss = w[0]",
    "b = np.broadcast(w, w[:, None])\nloss = sum(x * y * b.index for x, y in b)",
    "b = np.broadcast(w, 1.0)\nx, _ = next(b)\nloss = x * b.index * b.size",
    "e = np.ndenumerate(np.outer(w, w))\n_ = next(e)\nloss = sum(i * v + j for (i, j), v in e)",
    "f = w.flat\nnext(f)\nk = f.index, f.coords\nloss = next(f) * f.index",
    "f = w.flat\nfirst, second = list(f), list(f)\nloss = sum(first) * (1 + len(second))",
    "f = w.flat\nfor v in f:\n    if v > 1:\n        break\nloss = v * v * f.index",
    "f = w.flat\nnext(f)\nx = f[2]\nloss = next(f) * x",
    "y = np.zeros(3)\ny.flat = [w[0], 2, 3.0]\nloss = y @ y",
    "y = np.zeros((2, 2))\ny.flat = [[w[0], 2], [3.0, w[1]]]\nloss = (y * y).sum()",
    "y = np.zeros(4)\nf = y.flat\nf[[0, 1]] = [w[2] * 2, 7]\nf[3] = w[0]\nloss = y @ y",
    "w.flat[[0, 1]] = [w.flat[1], 7]\nloss = w @ w",
    "y = np.zeros((2, 2))\ny[:] = [[w[0], 2], [3.0, w[1]]]\nloss = (y * y).sum()",
]


@pytest.mark.parametrize("text", FOLLOWED)
def test_followed(text):
    assert check(START, text) == "stays"


@pytest.mark.parametrize(
    "text",
    [
        "it = np.nditer(w)\nx = it.itviews", "it = np.nditer(w)\nx = it.copy()",
        "x = np.nditer(w, flags=['external_loop'])", "x = np.broadcast(w, w).iters",
        "i, j = np.nested_iters(w[None], [[0], [1]])",
    ],
)  # fmt: skip
def test_refused(text):
    taped, _ = run_taped(START, text + "\nloss = w.sum()")
    assert isinstance(taped["raised"], NoRuleError)


@pytest.mark.parametrize(
    "text",
    [
        "for x in np.nditer(w):\n    x[...] = 5.0", "it = np.nditer(w)\nit.nothing",
        "it = np.nditer(w)\nit.close()\nit.value", "f = w.flat\nlist(f)\nnext(f)",
    ],
)  # fmt: skip
def test_exceptions_are_numpys(text):
    plain, (taped, _) = run_plain(START, text), run_taped(START, text)
    assert plain["raised"] is not None
    assert_same_world(plain, taped)


@pytest.mark.parametrize(
    ("items", "kind"),
    [
        ("[w, w * 2]", "(float, 3)"), ("[w[0], w[1]]", "(float, 3)"),
        ("[w, w * 2]", "(float, (2, 3))"), ("[w[0], w[1]]", "'f8'"),
    ],
)  # fmt: skip
def test_arrays_from_iterators(items, kind):
    text = (
        f"x = np.fromiter({items}, np.dtype({kind}))\nloss = (x * [1, 2, 3][: x.shape[-1]]).sum()"
    )
    assert check(START, text) == "stays"


def test_positions_belong_to_the_iterator_that_is_left():
    taped, _ = run_taped(START, "it = np.nditer(w)\nnext(it)\nnext(it)\nloss = w.sum()")
    left = taped["namespace"]["it"]
    assert type(left) is np.nditer
    assert left.iterindex == 1
    assert left.value == 1.3


@pytest.mark.parametrize("shape", [(0,), (2, 0), (3, 0, 2)])
def test_an_empty_array_has_no_elements_to_enumerate(shape):
    x = Variable(np.zeros(shape))
    with GradientTape():
        assert (x * 1.0).flat.coords == np.zeros(shape).flat.coords
        assert list(modules.numpy_twin.ndenumerate(x * 1.0)) == []
