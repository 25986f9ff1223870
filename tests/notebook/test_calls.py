"""Calls of a cell that go through a hook: lists of traced values for ufuncs, `map(float, ...)`."""

import ast

import pytest

from tapemagic.notebook.instrument import make_plan
from tests.notebook.test_holes import START, check

MADE = "L = [2 * w[0], w[1] * w[2]]\nloss = np.sum({})"

CALLS = [
    "np.exp([w[0], w[1]])", "np.square(L)", "np.maximum(L, 1.5)", "np.maximum(1.5, L)",
    "np.log([v * 2 for v in w])", "np.add.reduce([w, w * 2])", "np.maximum.reduce((w, w * 2))",
    "np.matmul(L, L)", "np.sign(L) * w[:2]", "np.isfinite(L) * w[:2]", "np.float64(L)",
    "np.exp(w.tolist())", "np.exp([w[0]] + [w[1]])", "np.hypot([w[0], 1.0], [w[1], w[2]])",
    "np.tanh([[w[0]], [w[1]]])", "np.add.outer(L, [1.0, w[1]])", "np.multiply.accumulate(L)",
    "np.exp(L, dtype=float)", "np.exp(sorted(L))", "np.exp([1.0, 2.0]) * w[:2]",
    "np.modf([w[0], w[1]])[0]", "np.vecdot(L, L) if hasattr(np, 'vecdot') else w",
]  # fmt: skip
PROGRAMS = [
    "L = [0.0, w[0], w[1], 0.0]\nk, f = np.trim_zeros(L), np.trim_zeros(L, 'b')\nloss = k[0] * f[2]",
    "x = float(w[0])\ny, step = np.linspace(0, x, 3, retstep=True)\nloss = y.sum() * step",
    "kept = {'w': []}\nkept['w'].append(w[0] * 2)\nloss = np.exp(kept['w']).sum()",
    "xs, ys = [], []\nfor v in w:\n    xs += [v]\n    ys += [v * v]\nloss = np.hypot(xs, ys).sum()",
    "class A:\n    def f(s, w):\n        s.k = list(w)\n        return np.exp(s.k)\nloss = A().f(w).sum()",
    "def f(xs):\n    return np.exp(xs).sum()\nloss = f([w[0], w[1]])",
    "a = [w[0], w[1], 2.0]\nb = a\nloss = np.exp(b[1:]).sum() + np.exp(tuple(w)).sum()",
    "loss = np.exp(k := [w[0], w[1]]).sum() * k[0]",
    "kept = []\nfor v in w:\n    kept.append(v * v)\nloss = np.sqrt(kept).sum()",
    "def f(w):\n    kept = []\n    kept.extend(w)\n    return np.square(kept)\nloss = f(w).sum()",
    "f = lambda a, b: np.log([a, b])\nloss = f(w[0], w[1]).sum()",
    "from numpy import exp\nloss = exp([w[0], w[1]]).sum()",
    "from numpy import double\nloss = double(w[0]) * np.float64(w[1])",
    "x = w.dtype.type(w[0]) * w.dtype.type(2)\nloss = x * w.dtype.type(w).sum()",
    "out = np.zeros(2)\nnp.exp([w[0], 1.0], out=out)\nloss = out.sum()",
    "def square(x):\n    return x[0] * x[1]\nloss = square([w[0], w[1]])",
    "loss = sum(map(float, w)) * list(map(complex, w))[0].real",
    "low, *_, high = sorted(w, key=float)\nloss = low * high * max(w, key=float)",
    "float = lambda v: v * 2\nloss = sum(map(float, w))",
    "loss = sum(map(lambda a, b: a * b, w, w)) + sum(map(float, ['1.5', '2.5'])) * w[0]",
    "act = np.exp\nassert act is np.exp and isinstance(act, np.ufunc)\nloss = act(w).sum()",
]

#: Methods of arrays that nobody watches; `C`, `X` and `labels` are of integers.
METHODS = [
    "X.dot(w).sum()", "X.T.dot(w[:2]).prod()", "C.dot(w)", "(C / 2).dot(w) * w[0]", "C.astype(float).dot(w)",
    "(labels[:, None] == np.arange(2)).T.dot(w).prod()", "np.array([[1, 2, 4]]).dot(w)[0] ** 2",
    "sum(row.dot(w) ** 2 for row in X)", "np.eye(3, dtype=int)[labels].dot(w) @ w", "C.dot(b=w) * 1.0",
    "labels.choose(w[:2]).prod()", "C.clip(w, 2.5).prod()", "(C * 1.0).clip(0.5, w[::-1]) @ w",
    "C.searchsorted(w[1]) * w[2]", "product(X, w).sum()", "Linear(X).of(w).prod()",
]  # fmt: skip
ARRAYS = """
C, X, labels = np.array([1, 2, 3]), np.array([[1, 0, 2], [0, 3, 1]]), np.array([0, 1, 1])
def product(a, b):
    return a.dot(b)
class Linear:
    def __init__(self, X):
        self.X = X
    def of(self, w):
        return self.X.dot(w)
"""


@pytest.mark.parametrize("call", METHODS)
def test_methods_of_plain_arrays(call):
    assert check(START + ARRAYS, f"loss = {call}") == ("loud" if "b=" in call else "stays")


@pytest.mark.parametrize("call", CALLS)
def test_calls(call):
    assert check(START, MADE.format(call)) == "stays"


@pytest.mark.parametrize("text", PROGRAMS)
def test_programs(text):
    assert check(START, text) == "stays"


def test_helpers_of_earlier_cells():
    helper = "def norm(a, b):\n    return np.sqrt(np.square([a, b]).sum())\n"
    assert check(START + helper, "loss = norm(w[0], w[1])") == "stays"


FITTED = """
class Fit:
    def __init__(self, w):
        self.costs, self.history, self.scale = [], {"loss": []}, 2.0
        for k in range(3):
            self.costs.append(np.sum(w * w) / (k + 1))
            self.history["loss"].append(w[0] * k + 1.0)
"""


@pytest.mark.parametrize("taken", ["fit.costs", "fit.history['loss']", "fit.scale", "fit.costs[1]"])
def test_lists_that_helpers_of_earlier_cells_have_filled(taken):
    text = f"fit = Fit(w)\nloss = np.log10({taken}).sum() + np.maximum({taken}, 1.0).sum() + w[0]"
    assert check(START + FITTED, text) == "stays"


def test_a_list_that_the_text_does_not_show_is_refused():
    assert check(START, "kept = {'w': [w[0], w[1]]}\nloss = np.exp(kept.get('w')).sum()") == "loud"


@pytest.mark.parametrize(
    "text",
    [
        "y = np.exp(x)",
        "y = np.maximum(x, 0)",
        "y = plot([x, x])",
        "y = zeros(3, float)",
        "y = np.exp(w[1:])",
        "y = np.dot(w, w)",
    ],
)
def test_no_other_call_is_touched(text):
    (statement,) = make_plan(ast.parse(text).body).body
    assert ast.unparse(statement).endswith(f"bind('y', {text[4:]})")
