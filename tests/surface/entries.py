"""The entries of numpy_surface.json as programs: plain, and as a %%tape cell would run them."""

import ast
import contextlib
import functools
import json
import textwrap
from pathlib import Path

import numpy as np

from tapemagic.autodiff.borrowing.borrowed import Borrowed
from tapemagic.autodiff.twins import modules
from tapemagic.notebook.hooks import CellHooks
from tapemagic.notebook.instrument import make_plan

_DATA = json.loads((Path(__file__).parent / "numpy_surface.json").read_text(encoding="utf-8"))
INPUTS = {
    name: np.array(x) if isinstance(x, list) else np.float64(x)
    for name, x in _DATA.pop("_meta")["inputs"].items()
}
#: Name -> entry, of those that have a derivative, be it zero.
ENTRIES = {name: e for name, e in _DATA.items() if e["differentiable"] in ("yes", "zero")}
#: Names without a derivative meaning; two of them have a test all the same.
OTHERS = {name: e for name, e in _DATA.items() if name not in ENTRIES}


class Program:
    """The test of one entry, as two functions of its inputs.

    Attributes
    ----------
    names : tuple of str
        The inputs that the text mentions.
    plain, taped : callable
        Take the inputs in the order of `names`. `taped` has been through the rewriting that a cell
        goes through, and sees NumPy's twins.
    """

    def __init__(self, text):
        mentioned = {node.id for node in ast.walk(parse(text)) if isinstance(node, ast.Name)}
        self.names = tuple(name for name in INPUTS if name in mentioned)
        self.plain = define(text, self.names, np, rewritten=False)
        self.taped = define(text, self.names, modules.numpy_twin, rewritten=True)


def parse(text, names=()):
    """The function that an expression, or statements with a `return`, are the body of."""
    try:
        ast.parse(text, mode="eval")
        body = f"return {text}"
    except SyntaxError:
        body = text
    return ast.parse(f"def program({', '.join(names)}):\n{textwrap.indent(body, '    ')}")


def define(text, names, module, *, rewritten):
    statements = parse(text, names).body
    if rewritten:
        statements = make_plan(statements).body
    tree = ast.fix_missing_locations(ast.Module(statements, []))
    scope = {"np": module}
    exec(compile(tree, "<entry>", "exec"), scope)
    return scope["program"]


@functools.cache
def program_of(name):
    return Program(ENTRIES[name]["test"])


def inputs_of(name):
    return {key: np.copy(INPUTS[key])[()] for key in program_of(name).names}


@contextlib.contextmanager
def in_a_cell():
    """Let imports and conversions behave as in a running cell."""
    hooks = CellHooks({}, Borrowed(), [], lambda name, value: None, set(), frozenset())
    hooks.install()
    try:
        yield
    finally:
        hooks.remove()


#: What is refused aloud, and why. Every other entry is carried.
REFUSED = {
    "numpy.asmatrix": "an np.matrix multiplies otherwise than an array: a class of its own",
    "numpy.bmat": "the same; np.block makes the array",
    "numpy.frompyfunc": "gives arrays of Python objects; np.vectorize gives numbers",
    "numpy.ma.masked_array": "masked arrays keep data and mask apart; np.where says the same",
    "numpy.ma.masked_where": "the same",
    "python.pickle": "bytes have no derivative",
}


def exists(name):
    """Tell whether this version of NumPy has the function of an entry."""
    found = np
    for part in name.partition("[")[0].split(".")[1:] if name.startswith("numpy.") else ():
        found = getattr(found, part, None)
    return found is not None


CARRIED = [name for name in ENTRIES if name not in REFUSED and exists(name)]
#: Where the rounding of float32 drowns small steps of differences.
COARSE = {"numpy.float32": {"step": 0.005, "rtol": 2e-4}}
#: Entries that count bytes of their inputs: other memory is another question.
COUNTS_BYTES = "numpy.lib.stride_tricks.as_strided"
