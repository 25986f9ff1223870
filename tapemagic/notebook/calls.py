"""Which calls of a cell go through a hook, by the look of them.

Some ask for a plain number (``float(x)``), and some may hand a list to one of NumPy's ufuncs:
``np.exp([a, b])``, ``np.square(losses)``. A ufunc asks its arguments and not what is in a list.
Twins of all ufuncs would see lists, at the price of a call each, and would not be the objects that
``isinstance(np.exp, np.ufunc)`` knows. So the text of a cell is asked instead: what it writes as a
list, or fills like one, becomes an array when it holds traced values, and no other call is touched.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator

import numpy as np

#: Builtins that ask for a plain number or for memory, which no array protocol can answer.
#: And `type`, which asks nobody.
CONVERTERS = frozenset({"float", "complex", "memoryview", "bytes", "bytearray", "type"})
if sys.version_info >= (3, 12):  # from then on `sum` rounds less where all items are floats
    CONVERTERS |= {"sum"}
#: The same as attributes: `np.float64(x)`.
SCALAR_TYPES = frozenset(
    {
        "float16", "float32", "float64", "longdouble", "half", "single", "double",
        "complex64", "complex128", "clongdouble", "csingle", "cdouble",
    }
)  # fmt: skip
_METHODS = {"reduce", "accumulate", "reduceat", "outer"}
#: Names of ufuncs and of their methods. Whether the function *is* one is asked when it is called.
UFUNCS = frozenset(_METHODS | {name for name, fun in vars(np).items() if isinstance(fun, np.ufunc)})
_FILLING = {"append", "extend", "insert"}
_MAKING = {"list", "sorted", "tolist"}


def listed_names(trees: Iterable[ast.AST]) -> frozenset[str]:
    """Return the names that a text binds to lists, or fills like lists."""
    return frozenset(name for tree in trees for node in ast.walk(tree) for name in _listed(node))


def _listed(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Assign(targets=targets, value=value) if is_list(value):
            yield from (target.id for target in targets if isinstance(target, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) if is_list(value):
            yield name
        case ast.NamedExpr(target=ast.Name(id=name), value=value) if is_list(value):
            yield name
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attribute)):
            if attribute in _FILLING:
                yield name


def is_list(node: ast.expr) -> bool:
    """Tell whether an expression is written as a list or tuple."""
    match node:
        case ast.List() | ast.Tuple() | ast.ListComp():
            return True
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in _MAKING
        case ast.BinOp(left=left, right=right):
            return is_list(left) or is_list(right)
    return False


def goes_through_hook(call: ast.Call, lists: frozenset[str]) -> bool:
    """Tell whether a call may convert a traced value, or hand a list of them to a ufunc.

    `lists` are the names of lists.
    """
    match call.func:
        case ast.Name(id=name):
            converts = name in CONVERTERS
        case ast.Attribute(attr=name):
            converts = name == "astype" or name in SCALAR_TYPES
        case _:
            return False
    if converts or name not in UFUNCS:
        return converts and bool(call.args)
    return any(is_list(x) or (isinstance(x, ast.Name) and x.id in lists) for x in call.args)


def names_converter(node: ast.expr) -> bool:
    """Tell whether an expression names a function like ``float``, to be called by somebody."""
    return isinstance(node, ast.Name) and node.id in ("float", "complex")


def calls_each(call: ast.Call) -> bool:
    """Tell whether a call is ``map(float, ...)``."""
    is_map = isinstance(call.func, ast.Name) and call.func.id == "map"
    return is_map and bool(call.args) and names_converter(call.args[0])
