"""Values that leave the tape (SEMANTICS 5): each stays on it, or is refused aloud; none is silent.

Each program makes `loss` of the array `w`. It is run plain and as a taped cell: the gradient has to
be that of central differences of the plain run, or the cell has to fail with an error of ours.
"""

import linecache
import sys
import textwrap

import numpy as np
import pytest

from tapemagic.display.text import to_text
from tapemagic.errors import NoRuleError, TapeError
from tapemagic.notebook.arguments import parse_path
from tests.notebook.worlds import assert_same_world, run_plain, run_taped, start

W = [0.7, 1.3, 2.1]
START = f"import copy, functools, math, operator, pickle\nimport numpy as np\nw = np.array({W})\n"

MODULE = """
import math
import numpy as np
from numpy import zeros
from math import exp

COUNT = 3
CACHE = {}
rng = np.random.default_rng(3)

def made(t):
    return np.array([t, 2 * t]).sum()

def filled(t):
    out = zeros(COUNT)
    for i in range(COUNT):
        out[i] = t * i
    return out.sum()

def number(t):
    return float(t) * exp(t)

def inner(t):
    import numpy as inside
    return inside.asarray([t, t * t]).sum() + math.sin(t)

def kept(t):
    CACHE["t"] = t * 2
    return CACHE["t"] * t

def noisy(t):
    return rng.normal(t, 1.0) + rng.permutation(np.array([t, t * t, 1.0]))[0]

def guarded(t):
    try:
        return np.float64(t) ** 2
    except ValueError:
        return 0.0

class Model:
    scale = 2.0

    def __init__(self, weights):
        self.weights = np.array(weights)

    def __call__(self, t):
        return float(t) * self.weights.sum() * self.scale

    @staticmethod
    def of(t):
        return np.full(2, t).sum()

    @property
    def total(self):
        return math.fsum(self.weights)
"""

# what happens to t, a number of the array -> what it becomes
EVENTS = [
    "np.array([t, 2 * t]).sum()", "np.full(2, t).sum()", "np.arange(t, t + 2.5, 1.0).sum()",
    "np.linspace(t, 3.0, 4).sum()", "np.asarray([t, t * t]).prod()",
    "np.fromiter((e * t for e in [1.0, 2.0]), float).sum()", "np.c_[[t, t * t]].sum()",
    "np.vectorize(lambda e: e * e)(w).sum() * t", "np.einsum('i,i->', w, w) * t",
    "np.apply_along_axis(lambda r: r * r, 0, w).sum() * t",
    "float(t) ** 2", "complex(t).real * t", "t.item() ** 2", "sum(w.tolist()) * t",
    "math.sin(t)", "math.exp(float(t))", "round(t, 3) * 0.0 + t * t", "abs(-t) * t",
    "sum(w) * t", "max(w) * t", "min(w) * t", "sorted(w)[0] * t", "copy.deepcopy(w)[0] * t",
    "copy.copy(w)[1] * t", "[e * t for e in w][2]", "(lambda a, b, c: a * b + c)(*w) * t",
    "eval('[w * t][0]' if w.sum() > 0 else '')[1]", "eval('t * t') if print(t) is None else t",
    "functools.reduce(operator.mul, w) * t", "functools.reduce(lambda a, b: a * b, list(w))",
    "operator.mul(t, t)", "operator.itemgetter(1)(w) * t", "operator.pow(t, 3)",
    "operator.matmul(w, w) * t", "operator.neg(t) * t", "operator.methodcaller('sum')(w) * t",
    "sum(map(lambda e: e ** 2, w)) * t", "sum(a * b for a, b in zip(w, w[::-1])) * t",
    "{'a': t}['a'] * t", "[*w][0] * t", "eval('t * t')", "np.float64(t) ** 2",
    "np.float32(1.0) * t * t", "getattr(w, 'sum')() * t", "np.array(w.tolist())[1] * t",
    "(t if t > 0 else -t) * t", "t * int(t + 2)", "w[np.argmax(w)] * t", "w[w > 1].sum() * t",
    "t * len(f'{t:.2f}')", "t * (len(str(t)) > 0)", "t * len('%.3f' % t)", "t * (len(repr(w)) > 0)",
    "np.random.default_rng(0).normal(t, 1.0) * t", "np.random.RandomState(0).uniform(t, 3.0)",
]  # fmt: skip

#: Where the event happens: what surrounds it, with `{event}` for the event.
PLACES = {
    "cell": "t = w[0] * 1.0\nloss = {event}",
    "function": "def f(t):\n    return {event}\nloss = f(w[0] * 1.0)",
    "lambda": "loss = (lambda t: {event})(w[0] * 1.0)",
    "closure": "def outer(t):\n    def g():\n        return {event}\n    return g\n"
    "loss = outer(w[0] * 1.0)()",
    "generator": "def g(t):\n    yield {event}\n    yield t\nloss = sum(g(w[0] * 1.0))",
    "comprehension": "loss = sum([{event} for t in [w[0] * 1.0, w[1] * 1.0]])",
    "method": "class C:\n    def m(self, t):\n        return {event}\nloss = C().m(w[0] * 1.0)",
    "class method": "class C:\n    @classmethod\n    def m(cls, t):\n        return {event}\n"
    "loss = C.m(w[0] * 1.0)",
    "exec": "t = w[0] * 1.0\nexec('loss = ' + {event!r})\nloss",
    "earlier cell": "loss = earlier(w[0] * 1.0)",
}
EARLIER = "def earlier(t):\n    return {event}\n"

#: Loud, since Python or NumPy asks for a plain number where nothing of ours can stand.
LOUD_EVENTS = ["pickle.loads(pickle.dumps(w))[0] * t", "np.frombuffer(w.tobytes())[0] * t",
               "np.array(memoryview(w))[0] * t"]  # fmt: skip
#: Calls of names that code in a string does: `float` cannot be seen there.
LOUD_IN_STRINGS = ("float(", "complex(", "np.float64(")


def program(event, place):
    setup = START
    if place == "earlier cell":
        setup += EARLIER.format(event=event)
    text = PLACES[place].format(event=event)
    return setup, text


def losses(setup, text):
    def at(w):
        moved = f"{setup}\nw = np.array({[float(x) for x in w]})\n"
        namespace = start(moved)
        exec(compile(text, "<plain>", "exec"), namespace)
        return float(namespace["loss"])

    return at


def slope(fun, step=1e-6):
    moves = step * np.eye(len(W))
    return np.array([(fun(W + d) - fun(W - d)) / (2 * step) for d in moves])


def check(setup, text, monkeypatch=None, *, same_world=True):
    """Return "stays" or "loud"; fail where the gradient is wrong or the world differs."""
    lines = setup.splitlines(keepends=True)
    linecache.cache["<setup>"] = len(setup), None, lines, "<setup>"
    world, session = run_taped(setup, text)
    if world["error"] != "NoneType: None":
        assert any(kind.__name__ in world["error"] for kind in errors()), world["error"]
        return "loud"
    plain = run_plain(setup, text)
    if same_world:
        assert_same_world(plain, world)
    try:
        session.differentiate()
    except NoRuleError as error:  # what only the sweep can know
        assert error.line == 1  # of the cell
        return "loud"
    found = dict(zip(session.sources.handles, session.gradients, strict=True))["w"]
    np.testing.assert_allclose(found, slope(losses(setup, text)), rtol=1e-5, atol=1e-6)
    return "stays"


def errors(kind=TapeError):
    return [kind, *(e for sub in kind.__subclasses__() for e in errors(sub))]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("event", EVENTS)
def test_stays(event, place):
    if event.startswith("eval") and place == "closure":
        pytest.skip("what only a string names is not captured")
    outcome = check(*program(event, place))
    in_string = place == "exec" or event.startswith("eval")
    if in_string and any(word in event for word in LOUD_IN_STRINGS):
        assert outcome == "loud"
    else:
        assert outcome == "stays"


@pytest.mark.parametrize("text", ["float(str(w[0]))", "eval(repr(float(w[0])))", "len(str(w))"])
def test_text_and_back_is_not_connected(text):
    world, session = run_taped(START, f"loss = {text}")
    assert world["error"] == "NoneType: None"
    assert session.target_key() is None or not session.tape.gradient("loss", "w")


SAVED = """
import io, json
def saved(save, x):
    file = io.BytesIO()
    save(file, x)
    file.seek(0)
    if save is np.savetxt:
        return np.loadtxt(file)
    return np.load(file) if save is np.save else np.load(file)["arr_0"]
"""


@pytest.mark.parametrize(
    "read",
    [
        "float(str({}))",
        "float(f'{{{}:.3f}}')",
        "np.float64(str({}))",
        "complex(repr(float({}))).real",
        "eval(repr(float({})))",
        "float(np.array([str({})]).astype(float)[0])",
        "np.array([str({})], dtype=float)[0]",
        "np.float64(np.format_float_positional({}))",
        "json.loads(json.dumps([1.5, {{'a': float({})}}]))[1]['a']",
        "json.loads(json.dumps(w.tolist()))[1]",
        "np.array([str(v) for v in w]).astype(float)[1]",
        "w.astype(str).astype(float)[1]",
        "np.fromstring(' '.join(map(str, w)), sep=' ')[1]",
        "np.loadtxt(io.StringIO('\\n'.join(f'{{v:.6f}}' for v in w)))[1]",
        "saved(np.save, w)[1]",
        "saved(np.savetxt, w)[1]",
        "saved(np.savez, w)[1]",
        "saved(np.savez_compressed, W)[2, 1]",
        "saved(np.save, {})",
        "[f := io.BytesIO(), pickle.dump(w, f), f.seek(0), pickle.load(f)][-1][1]",
        "[f := io.BytesIO(), pickle.dump({{'n': [{}]}}, f), f.seek(0), pickle.load(f)][-1]['n'][0]",
        "saved(np.save, W)[2, 1]",
    ],
)
def test_a_part_that_goes_through_text_is_said(read):
    """`w` has a gradient, and it lacks a part: the page says where, and --strict is an error."""
    text = f"W = np.outer(np.arange(30.0), w)\nloss = w[1] * {read.format('w[1]')}"
    setup = START + SAVED
    _, session = run_taped(setup, text)
    session.differentiate()
    found = [finding for finding in session.tape.findings if finding.kind == "text"]
    assert [(finding.names, finding.line) for finding in found] == [(("w",), 2)]
    said = " ".join(to_text(session.tape.graph).split())
    assert "into text or a file, read back at line 2: the gradient lacks" in said
    _, session = run_taped(setup, text, strict=True)
    with pytest.raises(TapeError, match="became text"):
        session.differentiate()


@pytest.mark.parametrize(
    "text",
    [
        "loss = w[1] * float('7.5')",
        "print(w[1])\nloss = w[1] * float('7.5')",
        "print(w.sum())\nloss = w @ w",
        "print(w)\nloss = w @ np.array(['3.5', '1.3', '0.7']).astype(float)",
        "print(w[0] * 0 + 1)\nloss = w @ np.array(['1.0', '1.0', '0.0']).astype(float)",
        "print(w)\nloss = w @ w * eval('2.0')",
    ],
)
def test_text_that_came_from_elsewhere_is_no_finding(text):
    _, session = run_taped(START, text, strict=True)
    session.differentiate()
    assert not [finding for finding in session.tape.findings if finding.kind == "text"]
    assert "read back" not in to_text(session.tape.graph)


@pytest.mark.parametrize("place", [p for p in PLACES if p != "exec"])
@pytest.mark.parametrize("event", LOUD_EVENTS)
def test_never_silent(event, place):
    setup, text = program(event, place)
    world, session = run_taped(setup, text)
    if world["error"] == "NoneType: None":
        session.differentiate()
        found = dict(zip(session.sources.handles, session.gradients, strict=True))["w"]
        if found is not None:
            np.testing.assert_allclose(found, slope(losses(setup, text)), rtol=1e-5, atol=1e-6)


# ------------------------------------------------------------------------- the user's own modules


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "my_helpers.py").write_text(MODULE, encoding="utf-8")
    (tmp_path / "my_others.py").write_text(
        "import my_helpers\n\n\ndef twice(t):\n    return 2 * my_helpers.number(t)\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in ("my_helpers", "my_others"):
        sys.modules.pop(name, None)


IN_MODULES = [
    "my_helpers.made(w[0])", "made(w[0])", "my_helpers.filled(w[1])", "my_helpers.number(w[0])",
    "number(w[0])", "my_helpers.inner(w[2])", "my_helpers.guarded(w[2])", "my_others.twice(w[0])",
    "my_helpers.kept(w[0] * 1.0)", "Model([1.0, 2.0])(w[0])", "Model(w)(w[0])", "Model.of(w[0])",
    "Model(w).total", "functools.partial(number)(w[0])", "sum(map(number, w))",
    "my_helpers.Model([2.0])(w[0])", "list(map(my_others.twice, w))[1]",
]  # fmt: skip
IMPORTS = "import my_helpers, my_others\nfrom my_helpers import Model, made, number\n"


@pytest.mark.parametrize("text", IN_MODULES)
def test_in_functions_of_the_users_own_modules(module, text):
    assert check(START + IMPORTS, f"loss = {text}", same_world=False) == "stays"
    assert_module_is_restored()


@pytest.mark.parametrize("text", IN_MODULES)
def test_in_modules_that_the_cell_imports(module, text):
    assert check(START, f"{IMPORTS}loss = {text}", same_world=False) == "stays"
    assert_module_is_restored()


@pytest.mark.parametrize(
    "text",
    [
        "import importlib\nhelpers = importlib.import_module('my_helpers')\nloss = helpers.number(w[0])",
        "from importlib import reload\nimport my_helpers\nloss = reload(my_helpers).filled(w[1])",
        "loss = __import__('my_helpers').number(w[0]) + __import__('math').sin(w[1])",
        "def f(t):\n    return __import__('numpy').array([t, t * t]).sum()\nloss = f(w[0])",
    ],
)
def test_modules_that_are_imported_by_a_call(module, text):
    assert check(START, text, same_world=False) == "stays"
    assert_module_is_restored() if "my_helpers" in text else None


def assert_module_is_restored():
    helpers = sys.modules["my_helpers"]
    assert helpers.np is np
    assert helpers.zeros is np.zeros
    assert type(helpers.rng) is np.random.Generator
    fresh = {}
    exec(compile(MODULE, helpers.__file__, "exec"), fresh)
    for name in ("number", "inner", "guarded"):
        assert vars(helpers)[name].__code__ == fresh[name].__code__
    for value in helpers.CACHE.values():
        assert type(value) is np.float64


def test_module_is_restored_after_an_error(module):
    world, _ = run_taped(START + IMPORTS, "loss = number(w[0])\nraise KeyError('stop')")
    assert "KeyError" in world["error"]
    assert_module_is_restored()


def test_random_numbers_of_a_module_are_the_plain_ones(module):
    cell = "loss = my_helpers.noisy(w[0])"
    setup = START + "import importlib, my_helpers\nimportlib.reload(my_helpers)\n"
    plain = run_plain(setup, cell + "\nafter = my_helpers.rng.random()")
    taped, _ = run_taped(setup, cell + "\nafter = my_helpers.rng.random()")
    assert taped["values"] == plain["values"]


def test_a_source_that_was_changed_since_it_was_imported_is_not_used(module, tmp_path):
    setup = START + IMPORTS
    start(setup)
    other = MODULE.replace("float(t) * exp(t)", "float(t) * 7")
    (tmp_path / "my_helpers.py").write_text(other, encoding="utf-8")
    linecache.checkcache()
    world, _ = run_taped(setup, "loss = number(w[0])")
    assert "LeavesTapeError" in world["error"]


# --------------------------------------------------------------------------------------- threads

THREADS = """
from concurrent.futures import ThreadPoolExecutor
def f(i):
    return w[i] ** 2
with ThreadPoolExecutor(2) as pool:
    loss = sum(pool.map(f, range(3)))
"""


def test_threads():
    for _ in range(3):
        assert check(START, textwrap.dedent(THREADS), same_world=False) in ("stays", "loud")


# ------------------------------------------------------------- what the cell finds stays its own

KEPT = """
rng = np.random.default_rng(5)
old = np.random.RandomState(5)
square = np.vectorize(lambda e: e * e)
def noise(t):
    return rng.normal(t, 1.0) * old.uniform(t, 3.0)
"""


@pytest.mark.parametrize(
    "text",
    [
        "noise(w[0])", "rng.normal(w, 1.0).sum()", "rng.permutation(w)[0] * w[1]",
        "rng.choice(w, 2).prod()", "square(w).sum()", "old.permutation(w)[0] * 2.0",
        "[rng.shuffle(v := w * 1.0), v[0]][1] * w[1]", "np.random.default_rng(rng).normal(w[0])",
    ],
)  # fmt: skip
def test_generators_of_earlier_cells(text):
    assert check(START + KEPT, f"loss = {text}") == "stays"


@pytest.mark.parametrize("name", ["poisson", "beta", "binomial", "chisquare", "standard_gamma"])
def test_distributions_without_a_derivative_are_refused(name):
    args = "5, w[0] / 9" if name == "binomial" else "w[0], w[1]" if name == "beta" else "w[0]"
    assert check(START + KEPT, f"loss = rng.{name}({args}) * 1.0") == "loud"


SCIPY = """
from scipy import linalg, special, signal, integrate, ndimage
from scipy.linalg import solve
import scipy, scipy.interpolate, scipy.optimize, scipy.spatial.distance, scipy.stats
M = np.array([[2.0, 0.3, 0.1], [0.2, 1.5, 0.4], [0.3, 0.1, 1.8]])
"""


@pytest.mark.parametrize(
    "text",
    [
        "linalg.solve(M, w).sum()", "solve(M * w, w).sum()", "scipy.linalg.expm(M * w).sum()",
        "linalg.cho_solve(linalg.cho_factor(M @ M.T + np.diag(w)), w).sum()",
        "special.logsumexp(w)", "special.expit(w).sum()", "scipy.special.softmax(w)[0]",
        "integrate.quad(lambda x: x * w[0], 0, 1)[0]",
        "signal.filtfilt([1.0], [1.0, 0.5], w, padlen=1)[0]",
        "scipy.interpolate.interp1d([0.0, 1.0, 2.0], w)(0.5) * 1.0",
        "signal.convolve(w, w).sum()", "integrate.simpson(w)", "integrate.trapezoid(w, w)",
        "ndimage.gaussian_filter1d(w, 1.0)[0]", "linalg.toeplitz(w)[0] @ w",
        "linalg.inv(M)[0] @ w", "scipy.optimize.brentq(lambda x: x - w[0], 0, 9)",
        "scipy.optimize.minimize(lambda x: (x[0] - w[0]) ** 2, [0.0], tol=1e-12).x[0]",
        "scipy.spatial.distance.cdist(M * w, M).sum()", "scipy.stats.norm.pdf(w).sum()",
        "scipy.stats.gamma(w[0]).logpdf(2.0)", "linalg.solve_banded((1, 1), M, w).sum()",
        "ndimage.median_filter(w, 3).sum()", "signal.medfilt(w)[0]",
        "scipy.spatial.distance.cdist(M * w, M, 'chebyshev').sum()",
        "integrate.solve_ivp(lambda t, y: -y * w[0], (0, 1), w).y[0, -1]",
        "integrate.solve_ivp(lambda t, y: -y, (0, 1), w, dense_output=True).sol(w[0] / 3).sum()",
    ],
)  # fmt: skip
@pytest.mark.parametrize("where", ["earlier", "cell"])
def test_scipy(text, where):
    pytest.importorskip("scipy")
    setup, imports = (START + SCIPY, "") if where == "earlier" else (START, SCIPY.lstrip())
    assert check(setup, f"{imports}loss = {text}", same_world=where == "earlier") == "stays"


@pytest.mark.parametrize(
    "text",
    [
        "linalg.eig(M * w)[0].real.sum()", "integrate.quad_vec(lambda x: x * w[0], 0, 1)[0]",
        "integrate.solve_ivp(lambda t, y: -y, (0, 1), w, method='LSODA').y[0, -1]",
        "scipy.interpolate.PchipInterpolator([0.0, 1.0, 2.0], w)(0.5) * 1.0",
        "scipy.optimize.nnls(M, w)[0][0]",
        "ndimage.zoom(w, 2.0).sum()", "scipy.stats.nct.pdf(w, 2, 1)[0]",
    ],
)  # fmt: skip
def test_scipy_refused(text):
    pytest.importorskip("scipy")
    imports = "import scipy.interpolate, scipy.optimize, scipy.spatial.distance, scipy.stats\n"
    assert check(START + SCIPY + imports, f"loss = {text}") == "loud"


REFUSED_ALOUD = {
    "named fields": (
        "r = np.array([(w[0], 2.0)], dtype=[('a', float), ('b', float)])\nloss = r['a'][0] * w[1]",
        "an array with named fields has no derivative",
    ),
    "text among named fields": (
        "r = np.asarray([(w[0], 'ab')], [('a', float), ('n', 'U5')])\nloss = w[1]",
        "an array with named fields has no derivative",
    ),
    "resized": ("w.resize(5)\nloss = w.sum()", "'w' was there before the tape"),
    "another dtype": ("w.dtype = np.int64\nloss = w[0] * 1.0", "'w'.dtype cannot be set"),
    "an integer is needed": ("s = w[0]\nrange(s)\nloss = s", "an integer, or a plain number"),
}


@pytest.mark.parametrize("name", REFUSED_ALOUD)
def test_refused_at_its_line(name):
    text, words = REFUSED_ALOUD[name]
    taped, _ = run_taped(START, text)
    error = taped["raised"]
    assert isinstance(error, TapeError)
    assert words in error.what
    assert error.line == text[: text.index(text.split("\n")[-1])].count("\n")
    assert error.fix
    assert name != "an integer is needed" or "int(x)" in error.fix
    assert type(taped["namespace"]["w"]) is np.ndarray


def test_what_exec_runs_is_refused_at_the_line_that_calls_it():
    text = "exec('def f(q):\\n    return float(q)')\n\nloss = f(w[0])"
    taped, _ = run_taped(START, text)
    assert taped["raised"].line == 3


@pytest.mark.parametrize("text", ["range(s)", "[1, 2][s]", "'a' * s", "np.zeros(s)", "chr(s)"])
def test_a_number_is_no_integer_under_a_tape_either(text):
    """The user's own ``except TypeError`` catches what it catches without a tape."""
    text = f"s = float(w[0])\ntry:\n    {text}\nexcept TypeError:\n    s = s * 2\nloss = s"
    plain, (taped, _) = run_plain(START, text), run_taped(START, text)
    assert_same_world(plain, taped)
    assert taped["namespace"]["loss"] == 2 * W[0]


def test_the_name_of_an_integer_has_no_gradient_and_a_reason():
    _, session = run_taped(
        f"{START}i = 3\n", "loss = np.sum(w * i)", sources=(parse_path("w"), parse_path("i"))
    )
    session.differentiate()
    tape = session.tape
    found = tape.gradient("loss", ["w", "i"])
    np.testing.assert_array_equal(found[0], [3.0, 3.0, 3.0])
    assert found[1] is None
    assert "'i' has no gradient: integer" in tape.explain("i")
    with pytest.raises(TapeError, match="'j' is not a name"):
        tape.gradient("loss", ["w", "j"])
