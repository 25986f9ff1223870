"""Arrays that a cell reaches by other ways than its own names: modules, objects, iterators."""

import sys
import warnings

import numpy as np
import pytest
from both_runs import check
from holders import HOLDERS, OPAQUE, START
from worlds import assert_same_world, run_plain, run_taped

from tapemagic.notebook.arguments import parse_path

MODULE = """
import numpy as np

W = np.ones(3)
PARAMS = {"w": W}
STEPS = []

def total():
    return W.sum()

def loss():
    return (PARAMS["w"] ** 2).sum()

def remember(x):
    global LAST
    LAST = x
    STEPS.append(x)

class Net:
    def __call__(self, x):
        return (W * x).sum()
"""
#: The same module for all runs of one test, with the arrays of a fresh one.
LOADED = "import importlib, my_state\nimportlib.reload(my_state)\nt = 2.0\nimport numpy as np\n"
IN_MODULES = {
    "a function of it": ("from my_state import W, total", "W[0] = 5 * W[1]\nout = total() + W.sum()",
                         "W"),
    "a dict of it": ("", "w = my_state.PARAMS['w']\nw *= t\nout = my_state.loss()", "t"),
    "a method": ("from my_state import W, Net\nnet = Net()", "W *= t\nout = net(W)", "W t"),
    "a function that another one calls": (
        "from my_state import W, total\ndef helper():\n    return total() * 2",
        "W *= t\nout = helper() + W[0]", "W t"),
    "imported in the cell": ("from my_state import W\ndel my_state",
                             "import my_state\nW *= t\nout = my_state.W.sum() + W[0]", "W t"),
    "what the cell leaves there": (
        "from my_state import W",
        "my_state.remember(W * t)\nmy_state.kept = [W * 2]\nout = my_state.LAST.sum()", "W t"),
}  # fmt: skip


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "my_state.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("my_state", None)


@pytest.mark.parametrize("cell", IN_MODULES.values(), ids=IN_MODULES)
def test_modules_of_the_user(cell, module):
    setup, text, names = cell
    check(LOADED + setup, text, *names.split())
    state = vars(sys.modules["my_state"])
    held = [*state.values(), *state["STEPS"], *state["PARAMS"].values(), *state.get("kept", ())]
    assert not [one for one in held if type(one).__module__.startswith("tapemagic")]


# --------------------------------------------------------------------- objects that hold them


@pytest.mark.parametrize("read", HOLDERS.values(), ids=HOLDERS)
@pytest.mark.parametrize("write", ["", "w *= t\n"], ids=["read", "written"])
def test_holders_from_before_the_cell(read, write):
    setup, expression = read
    text = f"{write}out = ({expression} ** 2).sum() * t + w.sum()"
    check(START + setup, text, "w", "t")


@pytest.mark.parametrize("read", HOLDERS.values(), ids=HOLDERS)
def test_holders_that_the_cell_makes(read):
    setup, expression = read
    text = f"w = w * t\n{setup}\nout = w.sum()"
    look = f"\nheld = {expression}\nkinds = type(held).__name__, held is w"
    session = check(START, text, "t")
    names = session.namespace
    plain = run_plain(START, text + look)["namespace"]
    exec(look, names)
    assert names["kinds"] == plain["kinds"]


CLASSES = [
    "K = type('K', (), {'a': w * t})\nk = K()\nk.b = K.a",
    "class M(type):\n    pass\nK = M('K', (), dict(a=w * t))\nk = K()\nk.b = K.a",
    "import dataclasses\nK = dataclasses.make_dataclass('K', 'b')\nk = K(w * t)\nK.a = w",
]


@pytest.mark.parametrize("text", CLASSES)
def test_classes_made_by_a_call(text):
    session = check(START, f"{text}\nout = k.b.sum()", "t")
    made = session.namespace["K"]
    plain = run_plain(START, text)["namespace"]["K"]
    assert made.__module__ == plain.__module__
    assert list(vars(made)) == list(vars(plain))
    assert type(made.a) is np.ndarray


MODULES = ["h = types.ModuleType('h')", "import math as h", "import json as h"]


@pytest.mark.parametrize("module", MODULES)
def test_attributes_of_modules(module):
    _, session = run_taped(START, f"{module}\nh.kept = w * 2\nout = w.sum()")
    assert type(vars(session.namespace["h"]).pop("kept")) is np.ndarray


POLYNOMIALS = ["np.poly1d(w)", "np.polynomial.Polynomial(w)"]


@pytest.mark.parametrize("make", POLYNOMIALS)
def test_polynomials_that_the_cell_makes(make):
    taped, _ = run_taped(START, f"p = {make}\nout = w.sum()", sources=(parse_path("w"),))
    assert type(taped["namespace"]["p"].coef) is np.ndarray


# ---------------------------------------------------------------- what cannot be looked into


@pytest.mark.parametrize("kind", OPAQUE)
@pytest.mark.parametrize("write", ["", "w[0] = 5.0\n"], ids=["read", "written"])
def test_what_cannot_be_looked_into_is_told(kind, write):
    setup, expression = OPAQUE[kind]
    kind = kind.partition(",")[0]
    with pytest.warns(UserWarning, match="the tape cannot look into") as told:
        taped, _ = run_taped(START + setup, f"{write}out = {expression} + w.sum()")
    assert taped["error"] == "NoneType: None"
    [text] = [str(one.message) for one in told if "look into" in str(one.message)]
    assert text.startswith(f"'w' is also held by an object of type {kind},")


def test_an_array_without_a_name_is_told_by_its_shape():
    setup = START + "params = {'w': w}\nh = iter(w)\ndel w"
    with pytest.warns(UserWarning, match=r"^An array of shape \(3,\) is also held by an object of"):
        run_taped(setup, "out = sum(h) + params['w'].sum()", sources=(parse_path("params"),))


QUIET = {
    "what the shell has shown": ("Out = {1: w}\n_ = _1 = w", "out = (w * w).sum()"),
    "other names": ("alias, more = w, [w, {'w': w[1:]}]", "out = (w * w).sum()"),
    "holders that the cell does not mention": ("h = iter(w)", "out = (w * w).sum()"),
    "holders of something else": (
        "v = w + 1\nh = iter(v)\nb = v.view(np.uint8)", "out = (w * w).sum() + sum(h) + b[0]"),
    "an array that is neither watched nor written": (
        "v = w + 1\nh = iter(v)", "out = t * v.sum() + sum(h)"),
    "iterators over lists": ("h = iter([w, w])", "out = next(h).sum() * w[0]"),
    "a spent iterator": ("h = iter(w)\nlist(h)", "out = w.sum() + len(list(h))"),
    "made in the cell": ("", "out = sum(iter(w)) + sum(w.flat) + w.sum()"),
}  # fmt: skip


@pytest.mark.parametrize("cell", QUIET.values(), ids=QUIET)
def test_nothing_is_told_of(cell):
    setup, text = cell
    sources = ("t",) if "v.sum()" in text else ("w",)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        taped, _ = run_taped(START + setup, text, sources=tuple(map(parse_path, sources)))
    assert_same_world(run_plain(START + setup, text), taped)


def test_holders_die_when_they_would_have_died():
    setup = (
        START
        + """
class Loud:
    def __init__(self, a):
        self.it = iter(a)
    def __del__(self):
        print("gone")
class Quiet(collections.UserList):
    def __del__(self):
        print("gone as well")
h, k = Loud(w), Quiet([w])
"""
    )
    text = "del h\nprint('then')\nk = None\nprint('and then')\nout = t * 2"
    taped, _ = run_taped(setup, text, sources=(parse_path("t"),))
    assert_same_world(run_plain(setup, text), taped)
