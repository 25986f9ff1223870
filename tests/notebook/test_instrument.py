"""The rewritten tree does what the cell did, on the lines where it was."""

import ast
import builtins

import pytest

from tapemagic.notebook.instrument import HIDDEN, make_plan

CELLS = [
    "a = b = 2\nc = a * b",
    "a, (b, *c) = 1, (2, 3, 4)",
    "d = {}\nd['k'] = 1\nd['k'] += 2",
    "s = 0\nfor i, j in [(1, 2), (3, 4)]:\n    s += i * j\nelse:\n    s += 1",
    "n = 3\nwhile n:\n    n -= 1\n    if n == 1:\n        break\nelse:\n    n = 7",
    "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    m = str(e)\nfinally:\n    k = 1",
    "[(w := u) for u in range(4)]",
    "def f(x):\n    'doc'\n    import math\n    return float(x) + math.pi\nr = f(2), f.__doc__",
    "class A:\n    import math as mm\n    v = float('3')\n    def m(s): return 1j\nr = A().m()",
    "match {'a': 1, 'b': 2}:\n    case {'a': x, **rest} if x:\n        y = x",
    "import numpy as np\nfrom math import pi as p, sin\nz = np.float64(3) * p",
    "from math import *\nz = pi",
    "g = (float(x) for x in '12')\nr = list(g)",
    "q: int = 3\nu: float\nq += 1",
    "r = []\nwith open('/dev/null') as fh:\n    r.append(fh.read())",
    "float = str\nr = float(3)",
    "def deco(f):\n    return 5\n@deco\ndef h(x=float(1)):\n    return x",
    "x = lambda v: float(v)\nr = x('4')",
    "def float(x, *, k=0):\n    return ['mine', x, k]\nr = float(3, k=2)",
    "print('side', 'effect'); 5;",
    "r = [*map(float, '12')]\ns = sorted('21', key=float)\ndef f(v): return max(v, key=complex)",
    "import numpy as np\nr = np.add.reduce([1, 2])\nk = []\nk.append(2)\ns = np.exp(k, dtype=float)",
]


class Quiet:
    """Hooks that only count."""

    def __init__(self):
        self.bound, self.shown = [], []

    def bind(self, name, value):
        self.bound.append(name)
        return value

    def show(self, value):
        self.shown.append(value)
        return value

    last = show

    def twin(self, value):
        return value

    def exchange_all(self):
        pass

    def caught(self):
        pass

    def call(self, function, *args, **kwargs):
        return function(*args, **kwargs)

    def converter(self, function):
        return function


@pytest.fixture
def hooks(monkeypatch):
    hooks = Quiet()
    monkeypatch.setattr(builtins, HIDDEN, hooks, raising=False)
    return hooks


def run(body):
    namespace = {"__name__": "__main__"}
    for statement in body:  # as the shell does
        module = ast.fix_missing_locations(ast.Module([statement], []))
        exec(compile(module, "<cell>", "exec"), namespace)
    return namespace


def comparable(namespace):
    plain = (int, float, str, list, tuple, dict, complex)
    return {k: v for k, v in namespace.items() if type(v) in plain and k != "__builtins__"}


@pytest.mark.parametrize("text", CELLS)
def test_instrumented_cell_leaves_the_same_names(text, hooks, capsys):
    expected = run(ast.parse(text).body)
    printed = capsys.readouterr().out
    found = run(make_plan(ast.parse(text).body).body)
    assert comparable(found) == comparable(expected)
    assert list(found) == list(expected)
    assert capsys.readouterr().out == printed


@pytest.mark.parametrize("text", CELLS)
def test_every_new_node_has_a_line_of_the_cell(text):
    plan = make_plan(ast.parse(text).body)
    lines = range(1, text.count("\n") + 2)
    for statement in plan.body:
        for node in ast.walk(statement):
            if "lineno" in node._attributes:
                assert node.lineno in lines


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("a = b = 2", "b a"),
        ("a, b = 1, 2\nc = 3", "a b c"),
        ("for i in range(2):\n    j = i", "i j i j"),
        ("x = [1]\nx[0] = 2\ny = 1", "x x y"),
        ("x = 1\nx += 2\ny = x", "x x y"),
        ("class P: pass\np = P()\np.v = 1\nq = 1", "p p q"),
        ("(n := 4)", "n"),
        ("def f():\n    k = 1\nf()", ""),
        ("with open('/dev/null') as fh:\n    pass", "fh"),
    ],
)
def test_versions_are_reported(text, bound, hooks):
    run(make_plan(ast.parse(text).body).body)
    assert hooks.bound == bound.split()


def test_names_bound_by_the_last_statement_are_left_to_the_end():
    assert make_plan(ast.parse("a, b = 1, 2").body).trailing == ("a", "b")
    assert make_plan(ast.parse("w -= 1").body).trailing == ("w",)
    assert make_plan(ast.parse("from math import *").body).trailing == ()


def test_the_last_statement_stays_last():
    """The shell decides by the last statement what to show."""
    for text, kind in [("w += 1", ast.AugAssign), ("a, b = x", ast.Assign), ("w", ast.Expr)]:
        assert isinstance(make_plan(ast.parse(text).body).body[-1], kind)


def test_final_assignment_is_shown_if_the_shell_does_so(hooks):
    plan = make_plan(ast.parse("x = 1\nx += 4").body, show_assigned=True)
    run(plan.body)
    assert hooks.shown == [5]


def test_written_names():
    plan = make_plan(ast.parse("a[0] = 1\nb += 1\nc.d.e = 1\nf = 1\nfor g[0] in z: pass").body)
    assert plan.written == {"a", "b", "c", "g"}


def test_functions_outlive_the_cell(hooks, monkeypatch):
    text = (
        "def f(x):\n    try:\n        return float(x)\n    except ValueError:\n        return -1.0"
    )
    namespace = run(make_plan(ast.parse(text).body).body)
    monkeypatch.delattr(builtins, HIDDEN)
    assert namespace["f"]("2") == 2.0
    assert namespace["f"]("nothing") == -1.0


def test_shell_lines_are_seen():
    assert make_plan(ast.parse("get_ipython().system('ls')").body).shell_lines
    assert not make_plan(ast.parse("print(1)").body).shell_lines
