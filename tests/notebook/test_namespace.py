"""After a taped cell the names are what plain NumPy would have left, wherever it ended."""

import ast
import signal
import sys

import numpy as np
import pytest
from worlds import Boom, assert_same_world, execute, run_plain, run_taped, start

from tapemagic.autodiff.tracebacks import is_ours
from tapemagic.notebook import hooks
from tapemagic.notebook.arguments import parse_path
from tapemagic.notebook.instrument import make_plan
from tapemagic.notebook.records import Cell, Options
from tapemagic.notebook.session import Session

SETUP = """
import math, random, time
import numpy as np
from dataclasses import dataclass, field
from collections import namedtuple
from numpy import zeros, ones as eins
W = np.array([[1.0, 2.0], [3.0, 4.0]])
w = np.array([0.5, -1.5])
b = 0.25
s = np.float32(1.5)
c = np.array([1.0 + 2.0j, 3.0j])
n = np.array([1, 2, 3])
k = 3
alias = w
view = W[0]
column = W[:, 1]
text = 'text'
frozen = np.array([3.0, 1.0]); frozen.flags.writeable = False
half = np.arange(6.0); half = (half[1:4], setattr(half.flags, 'writeable', False))[0]
params = {'W': W, 'b': np.zeros(2), 'deep': [{'v': np.ones(2)}, (w, 2.0)], 'k': 3}
layers = [np.ones(2), params, 'x']
layers.append(layers)
Pair = namedtuple('Pair', 'left right')
pair = Pair(w, 2.0)
@dataclass
class Model:
    W1: np.ndarray = field(default_factory=lambda: np.ones((2, 2)))
    scale: float = 2.0
    def __call__(self, x):
        return self.W1 @ x * self.scale
class Slots:
    __slots__ = ('value',)
    shared = np.array([7.0])
model = Model()
slots = Slots(); slots.value = np.array([4.0, 5.0])
def helper(x):
    z = np.zeros(2)
    for i in range(2):
        z[i] = x[i] * w[i]
    return z
def with_default(x, scale=w):
    return x * scale
def make():
    inside = np.array([9.0, 8.0])
    def closure(x):
        return x * inside
    return closure
closure = make()
def once():
    global counter
    counter = counter + 1
counter = 0
"""

CELLS = {
    "read-only from here": (
        "y = w * 2\nw.flags.writeable = False\nz = y + w\nW.setflags(write=False)\n"
        "pair.left.flags['WRITEABLE'] = False\nq = W[0] * b\nc = w.flags.writeable, W.flags.forc"
    ),
    "read-only until here": (
        "y = frozen * 2\nfrozen.flags.writeable = True\nfrozen[0] = y[1]\nhalf[0] = 5.0\n"
        "z = half * frozen[1]"
    ),
    "slept": "y = w * s\ntime.sleep(b * 1e-6)\nz = y * s",
    "arithmetic": "y = W @ w + b\nloss = y @ y\nz = loss * 2",
    "in place": "w += 1.0\nw *= W[0]\nv = w * 2\nv[0] = 3.0\nv[1] = w[0]",
    "through views": "view[1] = w[0]\ncolumn *= 2.0\nq = W.T\nq[0, 0] = 9.0\nr = W[0]",
    "aliases": "alias[0] = 7.0\nt = alias\nt = t * 1.0\nalias = alias + 1\nu = alias",
    "rebinding": "w = w * 2\nw = w @ w\nW = 3\nb = b * 2\ns = s * s",
    "deleting": "y = w * 2\ndel w\ndel y\nz = b * 2\ndel b",
    "containers": (
        "params['W'] = params['W'] * 2\nparams['b'][0] = w[1]\n"
        "params['new'] = [w * 3, (w * 4, w)]\n"
        "layers[0] = layers[0] + w\nold = layers.pop(0)\nlayers[0]['deep'][0]['v'] += 1.0"
    ),
    "tuples": (
        "left, right = pair\nnew = pair._replace(right=left * 2)\ntwo = (w, [w])\nthree = two[0]"
    ),
    "objects": (
        "model.W1 = model.W1 * 2\nmodel.W1[0, 0] = 5.0\ny = model(w)\nmodel.extra = y\n"
        "slots.value = slots.value * w\nSlots.shared[0] = 1.0\nSlots.other = w * 2"
    ),
    "helpers": "y = helper(w)\nz = with_default(y)\nh = closure(z)\nonce()\nonce()",
    "creation": (
        "z = zeros(2)\nz[0] = w[0]\nq = np.array([w[0], b])\ne = eins(2) * w\n"
        "f = np.empty(2); f[:] = z\ng = np.full(2, 3.0)\nm = math.sqrt(4.0)\n"
        "l = np.linspace(0, 1, 3)"
    ),
    "sums of floats": (
        "many = (w[0] * np.full(10, 0.2)).tolist()\nt = sum(many)\n"
        "def mean(items): return sum(x / 3 for x in items) / len(items)\n"
        "u = mean(many)\nv = sum([b, 1, *many], start=w[1].item())\nz = sum([w, W[0]])"
    ),
    "imports": (
        "import numpy\nfrom numpy import zeros as Z\nimport math as M\nx = numpy.zeros(2)\n"
        "x[1] = w[0]\ny = Z(3)\np = M.pi\nfrom math import *\nq = sqrt(2)"
    ),
    "control flow": (
        "total = 0.0\nfor i in range(3):\n    total = total + w[0] * i\n    if total > 100:\n"
        "        break\nelse:\n    done = True\nwhile k > 1:\n    k -= 1\n    last = w * k"
    ),
    "handlers": (
        "try:\n    y = w * 2\n    z = y @ np.ones(7)\nexcept ValueError as e:\n"
        "    message = type(e).__name__\nfinally:\n    f = w + 1\ntry:\n    int('x')\n"
        "except ValueError:\n    pass"
    ),
    "functions": (
        "def new(x, scale=w):\n    return float(x[0]) * scale\ng = lambda x: x * w\ny = new(w)\n"
        "z = g(y)\nclass C:\n    a = w * 2\n    def m(self):\n        return self.a\n"
        "i = C()\nr = i.m()"
    ),
    "prints": "print(w)\nprint(f'{b:.2f} {w[0]:.3e}', W.shape)\ny = w * 2\nprint(y, repr(y[0]))",
    "types": (
        "print(type(w), type(b).__name__, type(s) is np.float32, type(w) is np.ndarray)\n"
        "kinds = [type(x) for x in (w * 2, w[0], b * 2, w @ w, c, k, text)]\n"
        "def kind(x):\n    return type(x)\nt = kind(w), kind(s), type('New', (), {'w': w}).__name__"
    ),
    "json": (
        "import json, io\nfrom json import dumps\ny = w @ w\nf = io.StringIO()\n"
        "json.dump({'y': float(y), 'b': b}, f)\njsoned = f.getvalue()\nf = None\n"
        "print(json.dumps([w.tolist(), {'y': float(y)}], indent=1), dumps(b * 2))\n"
        "back = json.loads(jsoned)"
    ),
    "numbers": (
        "f = float(b)\ng = np.float64(w[0])\nh = float(w[1]) * 2\nj = int(k)\ni = complex(b)\n"
        "l = complex(b, 2 * b).conjugate()\nm = l * i"
    ),
    "random": "r = np.random.normal(size=2)\ny = w * r\nu = random.random()\nz = np.random.rand()",
    "integers": "m = n * 2\nn[0] = 9\nq = n.sum()\nflag = w[0] > 0\nindex = np.argmax(w)",
    "complex": "d = c * 2\ne = d.real\nf = np.abs(c)\nc[0] = 0",
    "comprehension": "ys = [x * 2 for x in w]\nd = {i: w * i for i in range(2)}\n(t := w * 3)",
    "text that names a view": "w[1] = 3.0\nexec('kept = view * 2')\nloss = w @ w",
    "global names": "globals()['made'] = w * 2\nexec('more = made * 2')\nnames = sorted(globals())",
}


@pytest.mark.parametrize("text", CELLS.values(), ids=CELLS)
def test_two_plain_runs_are_equal(text):
    """The comparison itself: it sees no difference where there is none, and sees a small one."""
    plain = run_plain(SETUP, text)
    assert plain["error"].startswith("None")
    assert_same_world(plain, run_plain(SETUP, text))
    with pytest.raises(AssertionError):
        assert_same_world(plain, run_plain(SETUP, text + "\nglobals()['w'] = W = W.copy()"))


@pytest.mark.parametrize("text", CELLS.values(), ids=CELLS)
def test_success(text):
    taped, session = run_taped(SETUP, text)
    assert_same_world(run_plain(SETUP, text), taped)
    assert not hooks.RUNNING
    assert session.tape.failure is None


def with_bomb(text, line):
    """Put a line before line number `line` that raises when it is reached `fuse` times."""
    lines = text.split("\n")
    code = lines[line]
    if code.startswith(("else", "except", "finally")):
        return None
    indent = code[: len(code) - len(code.lstrip())]
    return "\n".join([*lines[:line], indent + "bomb()", *lines[line:]])


BOMB = """
def bomb():
    bomb.fuse -= 1
    if not bomb.fuse:
        raise bomb.error('boom')
bomb.fuse = {fuse}
"""

BOMBS = [
    (name, line, fuse)
    for name, text in CELLS.items()
    for line in range(text.count("\n") + 1)
    for fuse in ((1, 2) if text.split("\n")[line].startswith(" ") else (1,))
    if with_bomb(text, line)
]


@pytest.mark.parametrize("error", [Boom, KeyboardInterrupt], ids=["exception", "interrupt"])
@pytest.mark.parametrize(("name", "line", "fuse"), BOMBS)
def test_exception_at_every_line(name, line, fuse, error):
    text = with_bomb(CELLS[name], line)
    setup = SETUP + BOMB.format(fuse=fuse)
    setup += f"bomb.error = __import__('builtins').{error.__name__}" if error is not Boom else (
        "import worlds as _w; bomb.error = _w.Boom; del _w"
    )  # fmt: skip
    plain, (taped, session) = run_plain(setup, text), run_taped(setup, text)
    assert_same_world(plain, taped)
    assert not hooks.RUNNING
    if "boom" in plain["error"]:
        assert session.tape.failure.line == line + 1


@pytest.mark.parametrize("sources", ["w", "params", "model", "pair", "b", "s", "layers", "slots"])
def test_named_sources(sources):
    text = "y = w * b * s + params['b'] + model.scale * layers[0] + pair.left + slots.value"
    paths = (parse_path(sources),)
    taped, session = run_taped(SETUP, text, sources=paths)
    assert_same_world(run_plain(SETUP, text), taped)
    assert session.sources.handles


def test_a_source_that_cannot_be_one_leaves_the_names_alone():
    setup = SETUP + "class Made:\n    halves = property(lambda self: W / 2)\nmade = Made()\n"
    taped, _ = run_taped(setup, "y = w * 2", sources=(parse_path("w"), parse_path("made.halves")))
    assert "computed when it is asked for" in taped["error"]
    assert_same_world(run_plain(setup, "") | {"error": taped["error"]}, taped)


def test_names_of_leaves():
    text = "y = w * 1"
    _, session = run_taped(SETUP, text, sources=(parse_path("params"), parse_path("model.scale")))
    names = ['params["W"]', 'params["b"]', 'params["deep"][0]["v"]', 'params["deep"][1][0]',
             'params["deep"][1][1]', "model.scale"]  # fmt: skip
    assert list(session.sources.handles) == names
    assert session.sources.reasons == {
        'params["k"]': "integer: has no derivative; use a float (3.0)"
    }


def test_the_name_of_a_container_stands_for_what_is_in_it():
    setup = "import numpy as np\nnet = {'w': np.array([1.0, 2.0]), 'deep': [np.array([3.0, 4.0])]}"
    _, session = run_taped(setup, "y = net['w'] * net['deep'][0]", sources=(parse_path("net"),))
    tape, w, v = session.tape, [1.0, 2.0], [3.0, 4.0]
    for ask, expected in (
        (tape.gradient, (v, w)),
        (tape.jacobian, (np.diag(v), np.diag(w))),
        (tape.batch_jacobian, (v, w)),
        (lambda y, x: dict(zip(names, tape.program(y, x)()[1:], strict=True)), (v, w)),
    ):
        names = ['net["w"]', 'net["deep"][0]']
        found = ask("y", "net")
        assert list(found) == names
        np.testing.assert_array_equal(list(found.values()), expected)


SETTINGS = """
import enum
class Act(enum.Enum):
    relu, tanh = 1, 2
class Net:
    def __init__(self):
        self.w, self.sizes, self.n_in, self.act = 1.5, [3, 4], 3, Act.relu
        self.has_bias, self.more = True, {"frozen": False, "epochs": 5}
class Line:
    def __init__(self):
        self.slope, self.name = 2, "line"
net, line = Net(), Line()
"""


def test_settings_of_a_model_are_no_sources_without_a_derivative():
    def sources(name):
        _, session = run_taped(
            SETUP + SETTINGS, "y = net.w * line.slope", sources=(parse_path(name),)
        )
        return list(session.sources.handles), session.sources.reasons

    assert sources("net") == (["net.w"], {})
    integer = "integer: has no derivative; use a float (2.0)"
    assert sources("line") == ([], {"line.slope": integer})  # nothing else could be meant
    assert sources("line.slope") == ([], {"line.slope": integer})
    assert sources("net.has_bias") == ([], {"net.has_bias": "bool: has no derivative"})


def test_equal_numbers_are_two_sources():
    setup = "p = 1.5; q = p\nimport numpy as np"
    taped, session = run_taped(setup, "loss = p * p + 3 * q", sources=(
        parse_path("p"), parse_path("q")))  # fmt: skip
    session.differentiate()
    names = taped["namespace"]
    assert session.tape.gradient("loss", ["p", "q"]) == [3.0, 3.0]
    assert session.tape.gradient(names["loss"], [names["p"], names["q"]]) == [3.0, 3.0]
    _, session = run_taped(setup, "loss = p * p + 4 * q", sources=(
        parse_path("p"), parse_path("q")))  # fmt: skip
    assert session.tape.gradient("loss", ["p", "q"]) == [3.0, 4.0]


def test_source_that_the_cell_binds_first():
    text = "v = np.array([1.0, 2.0])\nloss = v @ v\nv = v * 0\n"
    taped, session = run_taped("import numpy as np", text, sources=(parse_path("v"),))
    assert_same_world(run_plain("import numpy as np", text), taped)
    session.differentiate()
    assert session.tape.gradient("loss", "v@0").tolist() == [2.0, 4.0]
    # run again: the name exists by now, and is the cell's own still
    taped, session = run_taped(
        "import numpy as np\nv = np.ones(7)", text, sources=(parse_path("v"),)
    )
    assert session.tape.gradient("loss", "v@0").tolist() == [2.0, 4.0]


def test_versions():
    _, session = run_taped(SETUP, "w = w * 2\nw[0] = 1.0\nloss = w @ w", sources=(parse_path("w"),))
    gradients = [session.tape.gradient("loss", f"w@{k}").tolist() for k in range(3)]
    assert gradients == [[0.0, -12.0], [0.0, -6.0], [2.0, -6.0]]


def test_written_arrays_of_libraries():
    """An array that no twin made still takes traced values, if the cell itself writes into it."""
    text = "a = np.random.default_rng(0).normal(size=2)\na[0] = w[0] * 2\nloss = a @ a"
    taped, session = run_taped(SETUP, text, sources=(parse_path("w"),))
    assert_same_world(run_plain(SETUP, text), taped)
    assert session.tape.gradient("loss", "w").tolist() == [4.0, 0.0]


def test_values_of_library_objects():
    setup = SETUP + "\nimport argparse\nbox = argparse.Namespace()"
    text = "box.coef_ = w * 2\nbox.many = {'a': [w * 3]}"
    taped, _ = run_taped(setup, text)
    assert_same_world(run_plain(setup, text), taped)
    assert type(taped["namespace"]["box"].coef_) is np.ndarray


def test_objects_die_when_they_would_have_died(capsys):
    setup = (
        "import numpy as np\nw = np.ones(2)\nclass Loud:\n    def __init__(self):\n"
        "        self.a = np.ones(2)\n    def __del__(self):\n        print('gone')\nloud = Loud()"
    )
    text = "y = loud.a * w\nprint('before')\ndel loud\nprint('after')"
    namespace = start(setup)
    plan = make_plan(ast.parse(text).body)
    session = Session(plan, Options(), namespace, Cell(text, 1, ""))
    session.begin()
    execute(plan.body, namespace)
    session.end(None)
    assert capsys.readouterr().out == "before\ngone\nafter\n"


class Interrupter:
    """Sends SIGINT when the n-th line of ours has been reached."""

    def __init__(self, at):
        self.left = at

    def __call__(self, frame, event, arg):
        if not is_ours(frame.f_code.co_filename):
            return None
        if event == "line":
            self.left -= 1
            if self.left == 0:
                signal.raise_signal(signal.SIGINT)
        return self


@pytest.mark.parametrize("at", range(1, 4000, 61))
def test_interrupt_in_the_middle_of_the_swap(at):
    """Wherever Ctrl-C arrives in our own code, the names are whole afterwards."""
    text = CELLS["containers"]
    plain = {name: run_plain(SETUP, name) for name in (text, "")}

    def traced(*args, **kwargs):
        sys.settrace(Interrupter(at))
        try:
            return run_taped(*args, **kwargs)
        finally:
            sys.settrace(None)

    try:
        taped, _ = traced(SETUP, text)
    except IndexError:  # before there was a session
        return
    assert not hooks.RUNNING
    kinds = {type(v).__module__.partition(".")[0] for v in taped["namespace"].values()}
    assert "tapemagic" not in kinds
    assert taped["namespace"]["np"] is np
    if taped["error"].startswith("None"):
        assert_same_world(plain[text], taped)
    elif "new" not in taped["namespace"].get("params", {}):
        assert taped["error"].startswith("KeyboardInterrupt")


def test_a_container_that_the_cell_makes_is_explained():
    _, session = run_taped(
        "import numpy as np", "p = {'k': np.ones(2)}", sources=(parse_path("p"),)
    )
    session.differentiate()
    assert "move that line to a cell above" in session.tape.refused["p"]
