"""What holds a watched array of a script, and what a block puts into what was there before it."""

import re
import warnings
from collections import deque

import numpy as np
import pytest

from tapemagic import GradientTape
from tapemagic.autodiff.traced import TracedArray
from tests.notebook.holders import HOLDERS, OPAQUE, START

BLOCK = """
with GradientTape() as tape:
    tape.watch(w)
    out = {expression} + (w * w).sum()
"""


def run_script(setup, expression):
    names = {"__name__": "__main__", "GradientTape": GradientTape}
    code = compile(START + setup + BLOCK.format(expression=expression), "<script>", "exec")
    exec(code, names)
    return names


def slopes(setup, expression):
    """Return central differences of runs without a tape."""

    def out(change):
        names = {}
        exec(f"{START}{setup}\nw += {change}\nout = {expression} + (w * w).sum()", names)
        return names["out"]

    step = 1e-6
    changes = [f"{step} * np.eye(3)[{k}]" for k in range(3)]
    return [(out(change) - out(f"-{change}")) / (2 * step) for change in changes]


@pytest.mark.parametrize("read", HOLDERS.values(), ids=HOLDERS)
def test_holders_from_before_the_block(read):
    setup, expression = read
    total = f"({expression} ** 3).sum()"
    names = run_script(setup, total)
    gradient = names["tape"].gradient(names["out"], names["w"])
    np.testing.assert_allclose(gradient, slopes(setup, total), rtol=1e-5)
    assert TracedArray not in map(type, names.values())


@pytest.mark.parametrize("kind", sorted(set(OPAQUE) - {"poly1d"}))  # which scripts look into
def test_what_cannot_be_looked_into_is_told(kind):
    holder = re.escape(kind.partition(",")[0])
    with pytest.warns(UserWarning, match=f"'w' is also held by an object of type {holder},"):
        run_script(*OPAQUE[kind])


def test_nothing_is_told_of_what_holds_something_else():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run_script("v = w + 1\nh = iter(v)\nl = [w]\nk = v.data", "sum(h) + k[0] + l[0].sum()")


class Model:
    def __init__(self):
        self.history = []
        self.last = None


def test_what_a_block_appends_is_plain_afterwards():
    w, losses, pairs, ends = np.array([1.0, 2.0]), [], [], deque(maxlen=2)
    state, model = {"losses": [], "last": None}, Model()
    numbers = list(range(1000))
    for step in range(3):
        with GradientTape() as tape:
            tape.watch(w)
            loss = (w * w).sum()
            numbers.append({"loss": loss})
            pairs.append((step, loss))
            for one in (losses, state["losses"], ends, model.history):
                one.append(loss)
            state["last"] = model.last = w * 2
        assert tape.gradient(losses[-1], w).tolist() == [2.0, 4.0]
    held = [*losses, *state["losses"], *ends, *model.history, *(pair[1] for pair in pairs)]
    held += [one["loss"] for one in numbers[1000:]]
    assert {type(one) for one in held} == {np.float64}
    assert len(held) == 5 * 3 + 2
    assert type(state["last"]) is type(model.last) is np.ndarray


def test_what_a_block_writes_when_it_is_entered_again():
    x = np.ones(2)
    tape = GradientTape(persistent=True)
    with tape:
        tape.watch(x)
        x[0] = x[1] * 3.0
    with tape:
        x[1] = x[0] * 2.0
        z = (x * x).sum()
    assert x.tolist() == [3.0, 6.0]
    assert tape.gradient(z, x).tolist() == [0.0, 90.0]


#: How something gets into what was there before the block, and how it is read from there.
PLACES = {
    "a dict of lists": ("h = defaultdict(list)", "h['a'].append({v})", "h['a'][-1]"),
    "a list of its own class": (
        "class L(list): pass\nh = L()",
        "h.append({v}); h.last = {v}",
        "[h[-1], h.last]",
    ),
    "a dict of its own class": ("class D(dict): pass\nh = D()", "h['a'] = {v}", "h['a']"),
    "a dict that changes what it gets": (
        "class D(dict):\n    def __setitem__(self, k, v): dict.__setitem__(self, k, [v])\nh = D()",
        "h['a'] = {v}",
        "h['a']",
    ),
    "a dict in order": ("h = OrderedDict(b=0)", "h['a'] = {v}", "h['a']"),
    "a list of Python's library": ("h = UserList()", "h.append({v})", "h.data"),
    "a chain of dicts": ("h = ChainMap({}, {})", "h['a'] = {v}", "h.maps[0]['a']"),
    "dicts in one another": (
        "h = {'a': {'b': {'c': []}}}",
        "h['a']['b']['c'].append({v})",
        "h['a']['b']['c']",
    ),
    "a list in a tuple": ("h = (1, ([],))", "h[1][0].append({v})", "h[1][0]"),
    "a list beside the array": ("h = (w, [])", "h[1].append({v})", "h[1]"),
    "a layer of a model": (
        "class Layer: pass\nclass Model: pass\nh = Model(); h.layers = [Layer() for _ in range(20)]",
        "h.layers[0].seen = {v}",
        "h.layers[0].seen",
    ),
    "slots": ("class S: __slots__ = ('a',)\nh = S()", "h.a = {v}", "h.a"),
    "a class": ("class h: log = []", "h.last = {v}; h.log.append({v})", "[h.last, *h.log]"),
    "a function": ("def h(): pass", "h.last = {v}", "h.last"),
    "default arguments": ("def h(v, seen=[]): seen.append(v)", "h({v})", "h.__defaults__[0]"),
    "a closure": (
        "def make(log): return lambda *v: log.extend(v) or log\nh = make([])",
        "h({v})",
        "h()[0]",
    ),
    "a variable of a closure": (
        "def make(x):\n    def put(*v): nonlocal x; x = v[0] if v else x; return x\n    return put\nh = make(0)",
        "h({v})",
        "h()",
    ),
    "a set": ("h = set()", "h.add(np.sum({v}))", "h"),
    "an array of objects": ("h = np.empty(3, object)", "h[0] = {v}", "[h[0]]"),
    "a long history": (
        "h = [(k, {'a': 0.5}) for k in range(500)]",
        "h.append((500, {'a': {v}}))",
        "h[-1][1]['a']",
    ),
}


def kinds_in(value):
    if isinstance(value, list | set | dict):
        return {kind for one in value for kind in kinds_in(one)}
    return {type(value)}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_what_a_block_puts_anywhere_is_plain_afterwards(place):
    before, put, read = place
    block = put.replace("{v}", "w * w")
    space = {"GradientTape": GradientTape, "__name__": "__main__"}
    exec(
        "import numpy as np\nfrom collections import *\n"
        f"w = np.array([1.0, 2.0])\n{before}\n"
        f"with GradientTape() as tape:\n    tape.watch(w)\n    {block}\n    loss = np.sum(w)\n",
        space,
    )
    kinds = kinds_in(eval(read, space))
    assert kinds & {np.ndarray, np.float64}
    assert TracedArray not in kinds


class RunError(Exception):
    def __init__(self, value):
        super().__init__("at the start", [value])
        self.value = value


def test_what_is_raised_holds_plain_objects_afterwards():
    w = np.array([1.0, 2.0])

    with pytest.raises(RunError) as caught, GradientTape() as tape:
        tape.watch(w)
        raise RunError(w * 3) from StopIteration(w * 2)
    error = caught.value
    assert type(error.value) is np.ndarray
    assert error.args[1][0] is error.value
    assert type(error.__cause__.value) is type(error.__cause__.args[0]) is np.ndarray
    np.testing.assert_array_equal(error.__cause__.value, [2.0, 4.0])


def test_names_are_plain_after_a_reset():
    w, log = np.array([1.0, 2.0]), []
    with GradientTape() as tape:
        tape.watch(w)
        before = w * 2.0
        log.append(np.sum(before))
        w[0] = 3.0
        tape.reset()
        assert type(w) is type(before) is np.ndarray
        tape.watch(w)
        loss = np.sum(w * w * before)
    assert type(log[0]) is np.float64
    assert w.tolist() == [3.0, 2.0]
    np.testing.assert_array_equal(tape.gradient(loss, w), [12.0, 16.0])
