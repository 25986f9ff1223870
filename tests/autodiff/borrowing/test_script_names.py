"""In a script, too, arrays made in the block take traced values, and `math` is followed."""

import functools
import math
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from numpy import zeros as make_zeros

import tapemagic
from tapemagic import GradientTape, Variable
from tapemagic.errors import LeavesTapeError


def fill(x):
    z = np.zeros(3)
    for i in range(3):
        z[i] = x[i] ** 2
    return z


PROGRAMS = {
    # name: (function of x, derivative of its sum)
    "zeros": (fill, lambda x: 2 * x),
    "imported zeros": (lambda x: write_into(make_zeros(3), x), lambda x: np.full(3, 2.0)),
    "array of numbers": (lambda x: np.array([x[0], x[1] * x[2]]), lambda x: [1.0, x[2], x[1]]),
    "math": (lambda x: math.sin(x[0]), lambda x: [math.cos(x[0]), 0.0, 0.0]),
    "out=": (lambda x: np.multiply(x, 3.0, out=np.empty(3)), lambda x: np.full(3, 3.0)),
    "in place": (lambda x: add_to(np.ones(3), x), lambda x: np.ones(3)),
    "c_": (lambda x: np.c_[x, 2 * x], lambda x: np.full(3, 3.0)),
}


def write_into(z, x):
    z[:] = 2 * x
    return z


def add_to(z, x):
    z += x
    return z


@pytest.mark.parametrize(("program", "slope"), PROGRAMS.values(), ids=PROGRAMS)
def test_in_a_block_and_in_a_function(program, slope):
    x = np.array([0.5, -1.5, 2.0])
    with GradientTape() as tape:
        tape.watch(x)
        y = program(x)
    np.testing.assert_allclose(tape.gradient(y, x), slope(x))
    found = tapemagic.grad(lambda x: np.sum(program(x)))(x)
    np.testing.assert_allclose(found, slope(x))


def test_the_originals_come_back():
    numpy, v = np, Variable([1.0, 2.0])
    with pytest.raises(ZeroDivisionError), GradientTape():
        assert np is not sys.modules["numpy"]
        _ = 1 / 0
    assert np is sys.modules["numpy"] is numpy
    assert make_zeros is numpy.zeros
    assert math is sys.modules["math"]
    assert v.shape == (2,)


def test_nothing_is_bound_outside_a_recording():
    with GradientTape() as tape:
        with tape.stop_recording():
            assert np is sys.modules["numpy"]
        assert np is not sys.modules["numpy"]
    assert np is sys.modules["numpy"]


def test_what_twins_made_is_plain_afterwards():
    v = Variable([1.0, 2.0])
    kept = {}
    with GradientTape() as tape:
        z = np.zeros(2)
        z[:] = v * 3.0
        kept["untouched"] = np.ones(2)
        row = z[:1]
    assert type(z) is type(kept["untouched"]) is type(row) is np.ndarray
    assert np.shares_memory(row, z)
    np.testing.assert_array_equal(tape.gradient(z, v), [3.0, 3.0])


PARTS = {
    "reshaped": lambda v: np.arange(6.0).reshape(2, 3),
    "constant": lambda v: np.ones(3) * 2,
    "written to": lambda v: write_into(np.zeros(6).reshape(2, 3)[0], v),
    "transposed": lambda v: np.zeros((2, 3)).T,
    "row": lambda v: np.zeros((2, 3))[0],
}


@pytest.mark.parametrize("make", PARTS.values(), ids=PARTS)
def test_what_is_made_of_what_twins_made_is_plain_afterwards(make):
    v = Variable([1.0, 2.0, 3.0])
    with GradientTape() as tape:
        z = make(v)
        result = v * 2.0
        loss = np.sum(z.ravel()[:3] * v)
    assert type(z) is np.ndarray
    assert type(result) is not np.ndarray  # depends on a variable
    expected = 4 * np.arange(1.0, 4.0) if np.size(z) == 3 and z[0] == 2.0 else z.ravel()[:3]
    if make is not PARTS["constant"]:
        np.testing.assert_array_equal(tape.gradient(loss, v), expected)


MADE = {
    "generator": lambda: np.random.default_rng(1),
    "spawned": lambda: np.random.default_rng(1).spawn(1)[0],
    "of a bit generator": lambda: np.random.Generator(np.random.PCG64(1)),
    "random state": lambda: np.random.RandomState(1),
    "polynomial": lambda: np.poly1d([1.0, 2.0]),
    "product of polynomials": lambda: np.polynomial.Polynomial([1.0, 2.0]) ** 2,
    "vectorized function": lambda: np.vectorize(math.sin),
    "flat iterator": lambda: np.ones(3).flat,
    "iterator": lambda: np.nditer(np.ones(3)),
    "flags": lambda: np.ones(3).flags,
}


@pytest.mark.parametrize("make", MADE.values(), ids=MADE)
def test_objects_that_twins_made_are_of_numpys_classes_afterwards(make):
    kind = type(make())
    with GradientTape():
        one, several, holder = make(), [make()], SimpleNamespace()
        holder.one = one
    assert type(one) is type(several[0]) is kind
    assert holder.one is one


OTHER = ModuleType("users_other_module")
OTHER.__file__ = "users_other_module.py"
sys.modules[OTHER.__name__] = OTHER
exec("import numpy as np\ndef f(x):\n    z = np.zeros(2)\n    z[0] = x\n    return z", vars(OTHER))


def test_the_users_other_modules():
    x = np.float64(2.0)
    with GradientTape() as tape:
        tape.watch(x)
        y = OTHER.f(x * x)
    assert tape.gradient(y, x) == 4.0
    assert vars(OTHER)["np"] is np


#: A model of a module of its own, which works with a function of a third module.
LAYERS = """
import numpy as np
def fill(x):
    z = np.zeros(2)
    z[0] = x
    return z
"""
MODEL = """
from layers_of_a_user import fill
class Model:
    def f(self, x):
        return fill(x) + fill(x)
"""
#: What of the module the script has imported, and how it calls the model.
IMPORTS = {
    "class": ("from model_of_a_user import Model", "Model().f(x * x)"),
    "instance": ("from model_of_a_user import Model\nm = Model()\ndel Model", "m.f(x * x)"),
    "module": ("import model_of_a_user", "model_of_a_user.Model().f(x * x)"),
    "subclass": ("from model_of_a_user import Model\nclass M(Model): ...\ndel Model", "M().f(x * x)"),
    "after many": ("from many_of_a_user import *\nfrom model_of_a_user import Model", "Model().f(x * x)"),
}  # fmt: skip
SCRIPT = """
{}
from tapemagic import GradientTape, Variable
x = Variable(2.0)
with GradientTape() as tape:
    y = {}
slope = tape.gradient(y, x)
"""


@pytest.fixture
def _users_modules(monkeypatch):
    sources = {"layers_of_a_user": LAYERS, "model_of_a_user": MODEL}
    for k in range(150):  # each leads to another one: those are farther away
        sources[f"far{k}_of_a_user"] = "import numpy as np"
        sources[f"one{k}_of_a_user"] = f"import far{k}_of_a_user as far"
    sources["many_of_a_user"] = "\n".join(f"import one{k}_of_a_user" for k in range(150))
    for name, source in sources.items():
        module = ModuleType(name)
        module.__file__ = f"{name}.py"
        monkeypatch.setitem(sys.modules, name, module)
        exec(source, vars(module))


@pytest.mark.usefixtures("_users_modules")
@pytest.mark.parametrize("name", IMPORTS)
def test_what_a_script_imports_from_other_modules(name):
    names = {"__name__": "__main__"}
    exec(compile(SCRIPT.format(*IMPORTS[name]), "<script>", "exec"), names)
    assert names["slope"] == 8.0
    assert vars(sys.modules["layers_of_a_user"])["np"] is np


def test_the_same_code_in_other_modules():
    source = """
import numpy as np
from tapemagic import GradientTape, Variable
v = Variable(3.0)
def run():
    with GradientTape() as tape:
        z = np.zeros(2)
        z[0] = v * v
        y = np.sum(z)
    return tape.gradient(y, v)
slope = run()
"""
    code = compile(source, "<script>", "exec")
    for _ in range(3):
        names = {"__name__": "__main__"}
        exec(code, names)
        assert names["slope"] == 6.0


def test_functions_that_are_defined_anew():
    for factor in (2.0, 3.0):
        scope = {"np": np}
        exec(f"def f(x):\n    return np.array([x, {factor} * x])", scope)
        f = scope["f"]
        assert tapemagic.grad(lambda x: np.sum(f(x)))(1.0) == 1.0 + factor


class Model:
    """A parent of classes whose methods stand in a module that no name here leads to."""

    def __init__(self, f):
        self.f = f


def wrapped():
    scope = {"np": np}
    exec("def f(x):\n    return np.array([x, x * x])", scope)
    exec("def __call__(self, x):\n    return np.array([self.f(x)[1]])", scope)
    f, model = scope["f"], type("Called", (Model,), {"__call__": scope["__call__"]})
    yield tapemagic.grad(lambda x: np.sum(f(x))), 7.0, 2.0
    yield functools.partial(tapemagic.grad(lambda a, x: np.sum(a * f(x))), 1.0), 12.0, 7.0
    yield lambda x: tapemagic.jacobian(model(f))(x)[0], 6.0, 2.0


@pytest.mark.parametrize(("slope", "first", "second"), list(wrapped()))
def test_functions_that_wrap_others(slope, first, second):
    assert slope(3.0) == first
    assert tapemagic.grad(slope)(3.0) == second


def test_a_name_that_means_another_function_of_numpy_later(monkeypatch):
    module = ModuleType("users_chooser")
    module.__file__ = "users_chooser.py"
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec("def f(x):\n    return chosen([x, x * x])", vars(module))
    for chosen in (np.array, np.asarray, np.sum):
        vars(module)["chosen"] = chosen
        assert tapemagic.grad(lambda x: np.sum(module.f(x)))(3.0) == 7.0


def test_a_name_that_means_a_function_of_another_module_later(monkeypatch):
    for name in ("users_first", "users_second", "users_first"):
        module = sys.modules.get(name)
        if module is None:
            module = ModuleType(name)
            module.__file__ = f"{name}.py"
            monkeypatch.setitem(sys.modules, name, module)
            exec("import numpy as np\ndef f(x):\n    return np.array([x, x * x])", vars(module))
        globals()["chosen"] = module.f
        x = Variable(3.0)
        with GradientTape() as tape:
            y = chosen(x)  # noqa: F821  (a global name)
        assert tape.gradient(y, x) == 7.0
    del globals()["chosen"]


def test_numpy_that_is_a_local_name():
    import numpy as np

    x = np.float64(2.0)
    with GradientTape() as tape:
        tape.watch(x)
        y = np.sum(np.array([x, x * x]))
    assert tape.gradient(y, x) == 5.0
    assert np is sys.modules["numpy"]


def test_an_array_from_before_the_block_is_refused_in_our_words():
    z, v = np.zeros(3), Variable(2.0)
    with pytest.raises(LeavesTapeError), GradientTape():
        z[0] = v * 2.0


def test_a_users_own_error_passes():
    with pytest.raises(ValueError, match="mine"), GradientTape():
        raise ValueError("mine")
