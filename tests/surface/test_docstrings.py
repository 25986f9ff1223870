"""The examples in NumPy's own docstrings, plain and under a tape that watches all float arrays.

Numbers in array literals become floats, so that there is something to watch. A cell, or a script's
block, may end with an error of ours; it may not leave or print anything else than plain NumPy.
"""

import ast
import contextlib
import doctest
import inspect
import io
import sys
import textwrap
import warnings
from types import ModuleType

import numpy as np
import pytest

from tapemagic import GradientTape
from tapemagic.errors import TapeError
from tapemagic.notebook.arguments import parse_path
from tests.notebook.worlds import assert_same_world, differences, picture, run_plain, run_taped

pytestmark = pytest.mark.slow

SETUP = "import numpy as np\n"
MODULES = (np, np.linalg, np.fft, np.emath, np.polynomial.polynomial, np.lib.stride_tricks)
#: What an example may do that has nothing to do with a tape, or is never twice the same.
LEFT_OUT = {
    "plt.": "plots", "open(": "files", "tempfile": "files", "TemporaryFile": "files",
    "timeit": "prints times", "memmap": "files", "ctypes": "addresses", "np.show": "prints paths",
    "np.info": "prints pages", "seterrcall": "sets a handler of errors for good",
    "np.empty": "memory as it was", "np.recarray(": "memory as it was",
    "np.ndarray(": "reads an array through Python's buffers, which asks no handle",
    "overwrite_input": "the input is left undefined", "type(fl)": "prints a class of ours",
    ".flat": "prints a class of ours", "default_rng()": "draws without a seed",
    "np.random.": "draws without a seed",
    "np.matrix": "arrays of another class", "id(z)": "prints addresses",
    "np.vectorize(": "keeps a cache of its own", "set_printoptions": "for good",
}  # fmt: skip


class Floats(ast.NodeTransformer):
    """Makes floats of the numbers in array literals."""

    def visit_Call(self, node):
        self.generic_visit(node)
        name = getattr(node.func, "attr", "")
        if name in ("array", "arange") and len(node.args) == 1 and not node.keywords:
            node.args = [Numbers().visit(arg) for arg in node.args]
        return node


class Numbers(ast.NodeTransformer):
    def visit_Constant(self, node):
        return ast.Constant(float(node.value)) if type(node.value) is int else node

    def visit_Call(self, node):
        return node


def examples():
    seen = set()
    for module in MODULES:
        for name in dir(module):
            value = getattr(module, name)
            if name.startswith("_") or id(value) in seen or not callable(value):
                continue
            seen.add(id(value))
            if ">>>" in (inspect.getdoc(value) or ""):
                yield pytest.param(value, id=f"{module.__name__}.{name}")


def cell_of(value):
    """Return the statements of a docstring that run, one after another, as the text of a cell."""
    kept, namespace = [], {"__name__": "__main__", "np": np}
    for example in doctest.DocTestParser().get_examples(inspect.getdoc(value)):
        try:
            body = Floats().visit(ast.parse(example.source)).body
            text = "\n".join(
                f"print(repr({ast.unparse(x.value)}))" if type(x) is ast.Expr else ast.unparse(x)
                for x in body
            )
            exec(text, namespace)
        except Exception:  # an example of an error, or with what is not there
            continue
        kept.append(text)
    return "\n".join(kept), [
        name for name, x in namespace.items()
        if isinstance(x, np.ndarray | np.inexact | float) and np.asarray(x).dtype.kind in "fc"
    ]  # fmt: skip


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Some examples write files where they run."""
    monkeypatch.chdir(tmp_path)


def leave_out(value):
    reasons = [why for what, why in LEFT_OUT.items() if what in inspect.getdoc(value)]
    if reasons:
        pytest.skip(reasons[0])


@pytest.mark.parametrize("value", list(examples()))
def test_examples(value):
    leave_out(value)
    with np.errstate(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        text, names = cell_of(value)
        plain = run_plain(SETUP, text)
        taped, _ = run_taped(SETUP, text, sources=tuple(map(parse_path, names)))
    if isinstance(taped["raised"], TapeError):
        return
    assert_same_world(plain, taped)


#: What a script may leave of ours, since nothing tells it from a result.
IN_SCRIPTS = {"nditer": "buffers of iterators", "nested_iters": "buffers of iterators"}


def as_a_script(text, names, monkeypatch):
    """Run statements in a module; watch the arrays with these names as soon as they are there."""
    module = ModuleType("users_script")
    module.__file__ = "users_script.py"
    monkeypatch.setitem(sys.modules, module.__name__, module)
    space, printed, error = vars(module), io.StringIO(), None
    exec(SETUP, space)
    lines = []
    for statement in ast.parse(text).body:
        lines.append(ast.unparse(statement))
        bound = {x.id for x in ast.walk(statement) if isinstance(x, ast.Name)} & set(names)
        lines += [f"if type({x}) is np.ndarray: tape.watch({x})" for x in sorted(bound)]
    if names:
        space["tape"] = GradientTape()
        text = "with tape:\n" + textwrap.indent("\n".join(lines), "    ")
    np.random.seed(1)
    with contextlib.redirect_stdout(printed):
        try:
            exec(compile(text, "users_script.py", "exec"), space)
        except TapeError as raised:
            error = raised
    for name in ("tape", "__builtins__", "__warningregistry__"):
        space.pop(name, None)
    return printed.getvalue(), space, error


@pytest.mark.parametrize("value", list(examples()))
def test_examples_in_a_script(value, monkeypatch):
    leave_out(value)
    if value.__name__ in IN_SCRIPTS:
        pytest.skip(IN_SCRIPTS[value.__name__])
    with np.errstate(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        text, names = cell_of(value)
        printed, space, _ = as_a_script(text, [], monkeypatch)
        taped, world, error = as_a_script(text, names, monkeypatch)
    if error is None:
        assert taped == printed
        assert list(differences(picture(world), picture(space))) == []
