"""Which calls of a cell go through a hook, by the look of them.

Some ask for a plain number (``float(x)``), or call a method of a plain array that asks for another
one (``counts.dot(w)``), and some may hand a list to one of NumPy's ufuncs: ``np.exp([a, b])``,
``np.square(losses)``. A ufunc asks its arguments and not what is in a list.
Twins of all ufuncs would see lists, at the price of a call each, and would not be the objects that
``isinstance(np.exp, np.ufunc)`` knows. So the text of a cell is asked instead: what it writes as a
list, or fills like one, becomes an array when it holds traced values, and no other call is touched.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Collection, Iterable, Iterator

import numpy as np

from tapemagic.autodiff.doing import ASKING

#: Builtins that ask for a plain number or for memory, which no array protocol can answer.
#: And `type`, `id` and `hasattr`, which ask nobody.
CONVERTERS = frozenset(
    {"float", "complex", "memoryview", "bytes", "bytearray", "type", "id", "hasattr"}
)
if sys.version_info >= (3, 12):  # from then on `sum` rounds less where all items are floats
    CONVERTERS |= {"sum"}
#: Classes whose instances are known by what their type can do; that of a handle can do all.
ABILITIES = frozenset({
    "Iterable", "Sized", "Container", "Collection", "Reversible", "Sequence", "Hashable",
    "Callable",
})  # fmt: skip
#: The same, also as attributes: `np.float64(x)`.
SCALAR_TYPES = frozenset(
    {
        "float16", "float32", "float64", "longdouble", "half", "single", "double",
        "complex64", "complex128", "clongdouble", "csingle", "cdouble",
    }
)  # fmt: skip
#: Functions that make values of text.
READERS = frozenset({"eval", "literal_eval"})
#: Functions that import a module.
IMPORTERS = frozenset({"import_module", "reload", "__import__"})
_METHODS = {"reduce", "accumulate", "reduceat", "outer"}
#: Names of ufuncs and of their methods. Whether the function *is* one is asked when it is called.
UFUNCS = frozenset(_METHODS | {name for name, fun in vars(np).items() if isinstance(fun, np.ufunc)})
_FILLING = {"append", "extend", "insert"}
_MAKING = {"list", "sorted", "tolist", "tuple"}
_TELLING = (ast.Assign, ast.AnnAssign, ast.NamedExpr, ast.Call, ast.FunctionDef)


def find_lists(trees: Iterable[ast.AST]) -> frozenset[str]:
    """Return what a text makes or fills as lists, as it is written: ``losses``, ``self.rows``."""
    nodes = [x for tree in trees for x in ast.walk(tree) if isinstance(x, _TELLING)]
    functions = {node.name: node.args for node in nodes if isinstance(node, ast.FunctionDef)}
    found: set[str] = set()
    for node in nodes:
        match node:
            case ast.Call(func=ast.Attribute(value=filled, attr=name)) if name in _FILLING:
                found.add(ast.unparse(filled))
            case ast.Call(func=ast.Name(id=name), args=given) if name in functions:
                parameters = functions[name].posonlyargs + functions[name].args
                pairs = zip(parameters, given, strict=False)
                found.update(taken.arg for taken, x in pairs if is_list(x, found))
            case _:
                bound = (part for pair in _bound(node) for part in _parts(*pair))
                found.update(ast.unparse(target) for target, x in bound if is_list(x, found))
    return frozenset(found)


def _bound(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield what a node binds, and to what."""
    if isinstance(node, ast.Assign):
        yield from ((target, node.value) for target in node.targets)
    elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
        yield node.target, node.value


def _parts(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Take ``xs, ys = [], []`` apart."""
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        yield from zip(target.elts, value.elts, strict=False)
    else:
        yield target, value


def is_list(node: ast.expr, lists: Collection[str]) -> bool:
    """Tell whether an expression is written as a list or tuple, or is one of `lists`."""
    match node:
        case ast.List() | ast.Tuple() | ast.ListComp():
            return True
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in _MAKING
        case ast.BinOp(left=left, right=right):
            return is_list(left, lists) or is_list(right, lists)
        case ast.BoolOp(values=choices):
            return any(is_list(choice, lists) for choice in choices)
        case ast.IfExp(body=body, orelse=other):
            return is_list(body, lists) or is_list(other, lists)
        case ast.NamedExpr(value=value) | ast.Subscript(value=value, slice=ast.Slice()):
            return is_list(value, lists)
        case ast.Name(id=name):
            return name in lists
        case ast.Attribute() | ast.Subscript():
            return ast.unparse(node) in lists
    return False


def goes_through_hook(call: ast.Call, lists: frozenset[str]) -> bool:
    """Tell whether a call may convert a traced value, or hand a list of them to a ufunc.

    `lists` is what `find_lists` found.
    """
    match call.func:
        case ast.Name(id="isinstance"):
            return asks_for_ability(call)
        case ast.Name(id=name):
            converts = name in CONVERTERS or name in SCALAR_TYPES
        case ast.Attribute(value=ast.Attribute(attr="dtype"), attr="type"):
            return bool(call.args)
        case ast.Attribute(value=ast.Name(id="np" | "numpy"), attr=name) if name in ASKING:
            return False  # the function
        case ast.Attribute(attr=name):
            converts = name == "astype" or name in ASKING or name in SCALAR_TYPES
        case _:
            return False
    if converts or name not in UFUNCS:
        return converts and bool(call.args)
    return any(is_list(x, lists) or is_held(x) for x in call.args)


def asks_for_ability(call: ast.Call) -> bool:
    """Tell whether a call is ``isinstance(x, Iterable)`` or the like."""
    parts = (part for given in call.args[1:] for part in ast.walk(given))
    return any(getattr(x, "id", getattr(x, "attr", "")) in ABILITIES for x in parts)


def is_held(node: ast.expr) -> bool:
    """Tell whether an expression is what something holds, which earlier code may fill like a list.

    ``model.losses``, ``history["loss"]``; not ``np.pi`` or ``x.T``.
    """
    match node:
        case ast.Attribute(value=ast.Name(id="np" | "numpy" | "math")):
            return False
        case ast.Attribute(attr=name):
            return not hasattr(np.ndarray, name)
        case ast.Subscript(slice=ast.Constant(value=str())):
            return True
    return False


def reads_text(call: ast.Call) -> bool:
    """Tell whether a call is ``eval(...)`` or ``ast.literal_eval(...)``."""
    return _called(call) in READERS


def imports_module(call: ast.Call) -> bool:
    """Tell whether a call is ``importlib.import_module(...)`` or the like."""
    return _called(call) in IMPORTERS


def _called(call: ast.Call) -> str:
    return getattr(call.func, "id", getattr(call.func, "attr", ""))


def names_converter(node: ast.expr) -> bool:
    """Tell whether an expression names a function like ``float``, to be called by somebody."""
    return isinstance(node, ast.Name) and node.id in ("float", "complex")


def calls_each(call: ast.Call) -> bool:
    """Tell whether a call is ``map(float, ...)``."""
    is_map = isinstance(call.func, ast.Name) and call.func.id == "map"
    return is_map and bool(call.args) and names_converter(call.args[0])
