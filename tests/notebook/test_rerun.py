"""A slider runs the cell again on copies: never on the user's names."""

import ast
import sys
import warnings

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from worlds import FILENAME, execute, picture, start

from tapemagic.errors import TapeUseError
from tapemagic.notebook.arguments import parse_path
from tapemagic.notebook.instrument import make_plan
from tapemagic.notebook.records import Cell, Options
from tapemagic.notebook.rerun import Rerun
from tapemagic.notebook.session import Session

SETUP = """
import numpy as np, random
from dataclasses import dataclass
w = np.array([1.0, 2.0])
k = 3.0
params = {'W': np.ones(2), 'list': [1.0]}
calls = []
def helper(x):
    calls.append(1)
    w[0] += 1.0
    return x * k * w
"""
CELL = """\
params['W'] *= k
params['list'].append(helper(params['W']))
noise = np.random.normal()
y = params['list'][-1] * noise
print('working')
w[1] = 100.0
loss = y @ y
"""


def make(setup, text, **options):
    namespace = start(setup)
    plan = make_plan(ast.parse(text).body)
    cell, options = Cell(text, 1, FILENAME), Options(**options)
    session = Session(plan, options, namespace, cell)
    return namespace, session, Rerun(plan, options, cell, session.reached, namespace)


def test_nothing_of_the_users_is_touched(capsys):
    namespace, session, rerun = make(SETUP, CELL)
    session.begin()
    execute(session.plan.body, namespace)
    session.end(None)
    session.differentiate()
    capsys.readouterr()
    loss = namespace["loss"]
    before, state = picture(namespace), str(np.random.get_state())
    again = rerun.run({"k": 3.0})
    # the same values from the same random numbers, after the cell has changed its own inputs
    assert again.value_of_target() == loss
    assert again.namespace["loss"] == loss
    other = rerun.run({"k": 6.0})
    assert other.value_of_target() == pytest.approx(16 * loss)
    assert rerun.run({"k": 3.0}).value_of_target() == loss
    assert picture(namespace) == before
    assert str(np.random.get_state()) == state
    assert capsys.readouterr().out == ""


def test_warnings_of_the_copy_are_not_told_again():
    _, _, rerun = make("import numpy as np\nk = 4.0", "loss = np.sqrt(np.float64(k))")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(rerun.run({"k": -1.0}).value_of_target())


def test_gradient_of_the_copy():
    _, session, rerun = make("import numpy as np\nk = 3.0", "loss = k * k")
    assert session.scalars() == {"k": 3.0}
    again = rerun.run({"k": 5.0})
    assert again.tape.gradient("loss", "k") == 10.0
    assert again.tape is not session.tape


def test_paths_are_moved():
    text = "loss = p['a'][0] * p['a'][1]"
    _, _, rerun = make("p = {'a': [1.0, 2.0]}", text, sources=(parse_path("p"),))
    assert rerun.run({'p["a"][1]': 7.0}).value_of_target() == 7.0


def test_an_error_in_the_copy_is_raised():
    namespace, _, rerun = make("k = 1.0", "loss = k * [1, 2][int(k)]")
    with pytest.raises(IndexError):
        rerun.run({"k": 5.0})
    assert namespace["k"] == 1.0
    assert rerun.run({"k": 0.0}).value_of_target() == 0.0


@pytest.mark.parametrize(
    ("setup", "cell", "words"),
    [
        ("k = 1.0", "get_ipython().system('ls')\nloss = k", "shell or magic"),
        ("k = 1.0", "import asyncio\nawait asyncio.sleep(0)\nloss = k", "not plain Python"),
        ("import numpy as np\nbig = np.zeros(9_000_000); k = 1.0", "loss = k * big", "too large"),
        ("lock = __import__('threading').Lock(); k = 1.0", "lock\nloss = k", "cannot be copied"),
    ],
)
def test_cells_that_cannot_run_again_say_why(setup, cell, words):
    _, _, rerun = make(setup, cell)
    assert words in rerun.reason
    with pytest.raises(TapeUseError, match="cannot be run again"):
        rerun.run({"k": 2.0})


READERS = {
    "a class": "class Model:\n    def __call__(self):\n        return k\nf = Model()",
    "a class of a class": "class Base:\n    def f(self):\n        return k\n"
    "class Model(Base):\n    def __call__(self):\n        return super().f()\nf = Model()",
    "a dataclass": "from dataclasses import dataclass\n@dataclass\nclass Model:\n    n: int\n"
    "    def __call__(self):\n        return k * self.n\nf = Model(1)",
    "a container": "table = [lambda: k]\ndef f():\n    return table[0]()",
    "a closure": "def make():\n    def inner():\n        return k\n    return lambda: inner()\n"
    "f = make()",
    "a static method": "class Tools:\n    @staticmethod\n    def f():\n        return k\nf = Tools.f",
    "a partial function": "import functools\nf = functools.partial(lambda n: k, 1)",
    "a writer": "def f():\n    global k\n    k = k * 1.0\n    seen.append(k)\n    return k",
}


@pytest.mark.parametrize("setup", READERS.values(), ids=READERS)
def test_functions_read_the_copies_wherever_they_are_kept(setup):
    setup = f"k = 3.0\nseen = []\n{setup}"
    namespace, _, rerun = make(setup, "loss = f() * k", sources=(parse_path("k"),))
    before, order = picture(namespace), list(namespace)
    again = rerun.run({"k": 5.0})
    assert again.value_of_target() == 25.0
    assert again.tape.gradient("loss", "k") == 10.0
    assert (picture(namespace), list(namespace)) == (before, order)


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_the_names_are_back_whatever_ends_the_run(error):
    setup = f"k = 3.0\ndef f():\n    if k == 5.0:\n        raise {error.__name__}\n    return 2 * k"
    namespace, _, rerun = make(setup, "loss = f()", sources=(parse_path("k"),))
    before = dict(namespace)
    with pytest.raises(error):
        rerun.run({"k": 5.0})
    assert namespace == before
    assert rerun.run({"k": 4.0}).value_of_target() == 8.0


def test_scalars():
    setup = "import numpy as np\na = 1.0; b = np.float32(2); c = 3; d = np.ones(2); e = 1j"
    _, session, _ = make(setup, "loss = a * b * c * d * e")
    assert session.scalars() == {"a": 1.0, "b": 2.0}


@pytest.mark.parametrize(
    ("setup", "cell"),
    [
        ("from numpy import c_\nk = 2.0", "loss = (c_[k, 2 * k] ** 2).sum()"),
        ("from numpy import array as make\nk = 2.0", "loss = (make([k, 2 * k]) ** 2).sum()"),
        ("tools = {'rows': np.r_}\nk = 2.0", "loss = (tools['rows'][k, 2 * k] ** 2).sum()"),
    ],
)
def test_what_has_a_twin_is_not_copied(setup, cell):
    _, _, rerun = make(f"import numpy as np\n{setup}", cell)
    assert rerun.run({"k": 3.0}).tape.gradient("loss", "k") == 2 * 5 * 3.0


def test_distributions_of_scipy_are_not_copied():
    pytest.importorskip("scipy.stats")
    setup = "from scipy.stats import norm\nk = 2.0"
    _, _, rerun = make(setup, "loss = norm.logpdf(1.0, k, 2.0)")
    assert np.isclose(rerun.run({"k": 3.0}).tape.gradient("loss", "k"), (1.0 - 3.0) / 4)


MODULE = """
import functools
import numpy as np
W = np.array([1.0, 2.0])
STATE = {"n": 0}
COUNT = 0
class Layer:
    made, seen = 0, []
    def __init__(self, k):
        Layer.made += 1
        Layer.seen.append(k)
        self.k = k
@functools.lru_cache
def power(n):
    STATE["n"] += 1
    return W**n
def run(k):
    global COUNT, LAST
    COUNT += 1
    LAST = Layer(k)
    W[0] *= k
    return (power(2) * LAST.k).sum()
"""
SHARED = {
    "a module": ("import my_state", "loss = my_state.run(k) + my_state.run(k)"),
    "a function of it": ("from my_state import run", "loss = run(k) + run(k)"),
    "imported in the cell": ("", "import my_state\nloss = my_state.run(k) + my_state.run(k)"),
    "all of it": ("", "from my_state import *\nloss = run(k) + run(k)"),
    "names of the notebook": (MODULE, "loss = run(k) + run(k)"),
}


@pytest.mark.parametrize("name", SHARED)
def test_modules_classes_and_caches_are_as_the_cell_has_left_them(name, tmp_path, monkeypatch):
    (tmp_path / "my_state.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    setup, text = SHARED[name]
    try:
        namespace, session, rerun = make(f"k = 3.0\n{setup}", text, sources=(parse_path("k"),))
        session.begin()
        execute(session.plan.body, namespace)
        session.end(None)
        state = vars(sys.modules.get("my_state")) if "my_state" in sys.modules else namespace

        def look():
            data = {name: state[name] for name in ("W", "STATE", "COUNT", "LAST")}
            layer = vars(state["Layer"])
            return picture([data, layer["made"], layer["seen"]]), state["power"].cache_info()

        before = look()
        again = rerun.run({"k": 3.0})
        assert look() == before
        rerun.run({"k": 5.0})
        assert look() == before
        if name not in ("imported in the cell", "all of it"):  # nobody knew it before the cell
            assert again.value_of_target() == namespace["loss"]
            step = 1e-6
            ends = [rerun.run({"k": 3.0 + move}).value_of_target() for move in (step, -step)]
            assert again.gradients[0] == pytest.approx((ends[0] - ends[1]) / (2 * step))
    finally:
        sys.modules.pop("my_state", None)


def test_future_imports_of_the_cell_hold_when_it_runs_again():
    text = "from __future__ import annotations\ndef f(q: Unknown) -> Nothing:\n    return q * k\nloss = f(k)"
    _, _, rerun = make("k = 3.0", text)
    assert rerun.run({"k": 5.0}).tape.gradient("loss", "k") == 10.0


def test_what_is_the_shells_is_not_copied():
    """A cell that may read any name, as `exec` does, reaches the shell itself."""
    shell = InteractiveShell()
    shell.user_ns |= {"k": 3.0, "tape": make("k = 1.0", "y = k")[1].tape}
    text = "exec('y = k * k')\nloss = y * k"
    plan = make_plan(ast.parse(text).body)
    cell, options = Cell(text, 1, FILENAME), Options(sources=(parse_path("k"),))
    session = Session(plan, options, shell.user_ns, cell)
    rerun = Rerun(plan, options, cell, session.reached, shell.user_ns)
    assert rerun.reason == ""
    assert rerun.run({"k": 2.0}).tape.gradient("loss", "k") == 12.0


FULL_CACHE = """
import functools
import numpy as np
w, k = np.array([1.0, 2.0]), 3.0
@functools.cache
def f(n):
    return w * k * n
for n in range({count}):
    f(n)
"""


@pytest.mark.parametrize(("count", "reason"), [(10_000, ""), (10_001, "more than 10,000 calls")])
def test_a_cache_that_cannot_be_put_back_is_a_reason(count, reason):
    namespace, _, rerun = make(FULL_CACHE.format(count=count), "y = np.sum(f(3) + f(-1))")
    assert reason in rerun.reason
    assert bool(rerun.reason) == bool(reason)
    before = namespace["f"].cache_info()
    if not reason:
        rerun.run({"k": 5.0})
    assert namespace["f"].cache_info() == before


@pytest.mark.parametrize("text", ["rows[0].append(3.0)", "held.own[0][0] = k", "table['a'][1] = k"])
def test_data_of_numbers_is_copied_with_who_shares_it(text):
    setup = (
        "class Held: pass\nk = 3.0\nrow = [1.0, 2.0]\nrows = [row, (1, 2), [row]]\n"
        "held, table = Held(), {'a': row, 'b': {'c': 1}}\nheld.own = rows"
    )
    cell = f"{text}\nout = sum(rows[2][0]) * k + sum(table['a']) + len(row)"
    namespace, _, rerun = make(setup, cell)
    before = picture(namespace)
    again = rerun.run({"k": 3.0})
    assert picture(namespace) == before
    execute(ast.parse(cell).body, namespace)
    assert again.namespace["out"] == namespace["out"]
