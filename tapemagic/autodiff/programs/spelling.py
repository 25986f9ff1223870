"""How functions and constants are spelled in a program that runs without us."""

from __future__ import annotations

import ast
import functools
import inspect
import itertools
import keyword
import math
import operator
import re
import sys
import textwrap
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.rules import algebra

from .literals import array_text, is_uniform, number_text, python_numbers
from .matrices import are_equal, is_sparse
from .symbols import SMALL, Symbol

#: Equal constants of up to this many bytes are one.
COMPARED = 1 << 20

#: What our own helpers mean where there are no handles.
_STAND_INS: dict[Any, str] = {
    dispatch.plain: "def plain(x):\n    return x",
    algebra.plain: "def plain(x):\n    return x",
    dispatch.is_traced: "def is_traced(x):\n    return False",
    dispatch.holds_traced: "def holds_traced(x):\n    return False",
    algebra.apply: "def apply(fun, *args, **kwargs):\n    return fun(*args, **kwargs)",
}
#: Names of temporary values, also as parts of names (``t7_at``); not those in comments and texts.
_TEMPORARY = re.compile(
    r"#.*|'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|(?<![\w.])(?P<name>t\d+)(?=\b|_at|_before)"
)
#: Names that mean something in a program, and Python's own.
RESERVED = frozenset(keyword.kwlist) | set(
    "np OtherWay value_and_gradient range reversed slice bool int float complex round abs len "
    "math operator functools scipy".split()
)
_BUILTINS = {bool, int, float, complex, round, abs, len, operator.pos}


def numpy_name(fun: Any) -> str:
    """Return ``np.linalg.solve`` and the like; "" if NumPy and SciPy do not have `fun`."""
    if fun is np.abs:
        return "np.abs"  # and not its other name
    owner = getattr(fun, "__self__", None)
    if isinstance(owner, np.ufunc):
        return f"{numpy_name(owner)}.{fun.__name__}"
    names = dict.fromkeys((getattr(fun, "__name__", ""), getattr(fun, "__qualname__", "")))
    rooms = [
        ("np", np), ("np.linalg", np.linalg), ("np.fft", np.fft), ("math", math),
        ("np.lib.stride_tricks", np.lib.stride_tricks),
        ("operator", operator), ("scipy.special", sys.modules.get("scipy.special")),
    ]  # fmt: skip
    package, *parts = (getattr(fun, "__module__", None) or "").split(".")
    if package == "scipy":
        public = [package, *itertools.takewhile(lambda part: part[:1] != "_", parts)]
        names_of_rooms = (".".join(public[:2]), ".".join(public))
        rooms += [(room, sys.modules.get(room)) for room in names_of_rooms]
    for room, module in rooms:
        for name in names:
            if name and getattr(module, name, None) is fun:
                return f"{room}.{name}"
    if fun in _BUILTINS and fun is not operator.pos:
        return fun.__name__
    return ""


class Speller:
    """Spells functions and constants; collects the helpers and large constants they need.

    Attributes
    ----------
    helpers : dict of name -> source
    imports : set of str
        Modules other than NumPy.
    constants : dict of name -> array
        Those too large to be written out.
    shared : dict of name -> text
        Small arrays, written once before the function.
    """

    def __init__(self, inputs: Iterable[str], namespace: list[tuple[str, Any]]) -> None:
        self.helpers: dict[str, str] = {}
        self.imports: set[str] = set()
        self.constants: dict[str, Any] = {}
        self.shared: dict[str, str] = {}
        self._taken = {*RESERVED, *inputs}
        self._matrices = [(name, value) for name, value in namespace if is_sparse(value)]
        self._namespace = [
            (name, x) for name, x in namespace if isinstance(x, np.ndarray) and name not in inputs
        ]
        self._known = {id(value): name for name, value in self._namespace}
        self._names: dict[Any, str] = {}
        self._counts: dict[str, int] = {}  # how often a name was given
        self._temporaries: list[str] = []

    def fresh(self, name: str) -> str:
        """Return a name that is not in use yet."""
        found = name
        while found in self._taken:
            self._counts[name] = k = self._counts.get(name, 1) + 1
            found = f"{name}_{k}"
        self._taken.add(found)
        return found

    def temporary(self) -> str:
        """Return a name for a value that the user has not named."""
        name = self.fresh(f"t{len(self._temporaries) + 1}")
        self._temporaries.append(name)
        return name

    def renumbered(self, text: str) -> str:
        """Count temporary values from 1, in the order of the text."""
        numbers: dict[str, str] = {}
        temporaries = set(self._temporaries)
        free = (
            name
            for name in (f"t{k}" for k in itertools.count(1))
            if name not in self._taken or name in temporaries
        )

        def change(found: re.Match) -> str:
            name = found["name"]
            if name not in temporaries:
                return found[0]
            if name not in numbers:
                numbers[name] = next(free)
            return numbers[name]

        return _TEMPORARY.sub(change, text)

    # ----------------------------------------------------------------------------- functions

    def function(self, fun: Any) -> str:
        """Return the text that calls `fun`, which may be one of our own."""
        if isinstance(fun, functools.partial):
            self.imports.add("functools")
            given = [*map(self.constant, (fun.func, *fun.args))]
            given += [f"{key}={self.constant(x)}" for key, x in fun.keywords.items()]
            return f"functools.partial({', '.join(given)})"
        found = numpy_name(fun)
        if not found:
            return self._helper(fun)
        room = found.rpartition(".")[0]
        if room and not room.startswith("np"):
            self.imports.add(room)
        return found

    def _helper(self, fun: Any) -> str:
        if fun in self._names:
            return self._names[fun]
        if not inspect.isfunction(inspect.unwrap(fun)):
            raise NotImplementedError(f"the source of {fun!r}")
        name = self._names[fun] = fun.__name__
        if name in self.helpers or name in self._taken:
            raise NotImplementedError(f"two functions are called {name}")
        self._taken.add(name)
        self.helpers[name] = ""  # keeps its place before what needs it
        text = _STAND_INS.get(fun)
        if text is None:
            text = _bare_source(fun)
            for used in sorted(_names_in(text) - {"np", name}):
                if used in inspect.unwrap(fun).__globals__:
                    self._dependency(used, inspect.unwrap(fun).__globals__[used])
        self.helpers[name] = text
        return name

    def _dependency(self, name: str, value: Any) -> None:
        if inspect.isfunction(value) or hasattr(value, "__wrapped__"):
            written = self._helper(value)
            if written != name:
                self.shared.setdefault(name, written)
        elif inspect.ismodule(value):
            if value.__name__.startswith("tapemagic"):
                raise NotImplementedError(f"the module {value.__name__}")
            known = value.__name__
            self.imports.add(known if known == name else f"{known} as {name}")
        elif value is np._NoValue:
            self.shared[name] = "np._NoValue"
        else:
            self.shared[name] = self.constant(value)

    # ----------------------------------------------------------------------------- constants

    def constant(self, x: Any, *, double: bool = False) -> str:
        """Spell a constant; `double` says that it meets float64 anyway."""
        kind = type(x)
        if kind is Symbol:  # it poses as its value, whose number is not that of another run
            raise NotImplementedError("a step inside of a constant")
        if x is None or x is Ellipsis or kind in (bool, int, str, bytes):
            return "..." if x is Ellipsis else repr(x)
        if kind in (float, complex):
            return number_text(x)
        if kind is range:
            return repr(x)
        if kind is slice:
            return f"slice({', '.join(map(self.constant, (x.start, x.stop, x.step)))})"
        if isinstance(x, (tuple, list)):
            items = ", ".join(map(self.constant, x))
            return f"[{items}]" if kind is list else f"({items},)" if len(x) == 1 else f"({items})"
        if kind is dict:
            return "{" + ", ".join(f"{k!r}: {self.constant(v)}" for k, v in x.items()) + "}"
        if isinstance(x, np.dtype):
            return f"np.{x.name}" if x.isnative and x.kind in "biufc" else f"np.dtype({x.str!r})"
        if x is np._NoValue:
            return "np._NoValue"
        if isinstance(x, np.generic) and x.dtype.kind in "biufc":
            text = number_text(python_numbers(x)) if x.dtype.itemsize <= 16 else repr(str(x))
            plain = x.dtype in (np.dtype(float), np.dtype(complex)) and double
            return text if plain else f"np.{x.dtype.name}({text})"
        if isinstance(x, np.ndarray) and x.dtype.kind in "biufcUS":
            return self._array(x)
        if isinstance(x, type) and issubclass(x, np.generic):
            return f"np.{x.__name__}"
        if callable(x):
            return self.function(x)
        if is_sparse(x):
            return self._matrix(x)
        raise NotImplementedError(f"a constant of type {kind.__name__}")

    def _array(self, x: np.ndarray) -> str:
        """Spell an array: by a name, or as the transpose of one that has a name."""
        small = x.nbytes <= COMPARED
        key = _key(x) if small else id(x)
        if key in self._names:
            return self._names[key]
        if small and x.ndim == 2 and (x.flags.fnc or (1 in x.shape and _key(x.T) in self._names)):
            return f"{self._array(x.T)}.T"
        known = self._known.get(id(x)) or self._name_of_equal(x)
        if x.size <= SMALL or (x.dtype == float and is_uniform(x)):
            name = self.fresh(known or f"C{len(self.shared) + 1}")
            self.shared[name] = array_text(x)
        else:
            name = self.fresh(known or f"constant_{len(self.constants) + 1}")
            self.constants[name] = x
        self._names[key] = name
        return name

    def _matrix(self, x: Any) -> str:
        """Spell a sparse matrix: by a name, or as the transpose of one that has a name."""
        for name, known in self.constants.items():
            if is_sparse(known):
                for text, same in ((name, known), (f"{name}.T", known.T)):
                    if are_equal(same, x):
                        return text
        found = next((name for name, known in self._matrices if are_equal(known, x)), "")
        name = self.fresh(found or f"constant_{len(self.constants) + 1}")
        self.constants[name] = x
        return name

    def _name_of_equal(self, x: np.ndarray) -> str:
        """Return the user's name of an equal array; one of equal numbers may be anybody's."""
        if not x.size or (x == x.flat[0]).all():
            return ""
        return next((name for name, value in self._namespace if _same(value, x)), "")


def _key(x: np.ndarray) -> tuple:
    return x.dtype.str, x.shape, x.flags.fnc, x.tobytes()


def _same(x: np.ndarray, y: np.ndarray) -> bool:
    return x.shape == y.shape and x.dtype == y.dtype and np.array_equal(x, y)


def is_default(fun: Any, key: str, x: Any) -> bool:
    """Tell whether a keyword only repeats what NumPy's function does without it."""
    if not numpy_name(fun) or isinstance(x, np.ndarray):
        return False
    try:
        default = inspect.signature(fun).parameters[key].default
    except (TypeError, ValueError, KeyError):
        return False
    usual = {"where": True, "keepdims": False}
    if default is np._NoValue:
        return key in usual and x is usual[key]
    return type(x) is type(default) and x == default


def _bare_source(fun: Callable) -> str:
    """Return the source of a function without decorators and annotations."""
    fun = inspect.unwrap(fun)
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(fun)))
    except (OSError, TypeError, SyntaxError):
        raise NotImplementedError(f"the source of {fun!r}") from None
    (definition,) = tree.body
    if not isinstance(definition, ast.FunctionDef):
        raise NotImplementedError(f"the source of {fun!r}")
    definition.decorator_list = []
    for node in ast.walk(definition):
        if isinstance(node, ast.arg):
            node.annotation = None
        if isinstance(node, ast.FunctionDef):
            node.returns = None
    definition.body = [_without_annotation(statement) for statement in definition.body]
    return ast.unparse(tree)


def _without_annotation(statement: ast.stmt) -> ast.stmt:
    if isinstance(statement, ast.AnnAssign) and statement.value is not None:
        return ast.copy_location(
            ast.Assign([statement.target], statement.value, lineno=statement.lineno), statement
        )
    return statement


def _names_in(text: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
