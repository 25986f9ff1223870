"""Functions that a cell calls but does not define: of earlier cells, and of the user's own modules.

The cell's own text is instrumented; that of its helpers is not, and a module of the user's has its
own ``np``. While the cell runs, the modules see the twins, and helpers that call ``float(x)`` or
``counts.dot(w)``, or import something in their body, run instrumented copies of their code. Both
are taken back at the end, whatever happens. Installed libraries are left alone.
"""

from __future__ import annotations

import ast
import dis
import functools
import linecache
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from tapemagic.autodiff.borrowing.exchange import is_users, is_users_module
from tapemagic.autodiff.doing import ASKING
from tapemagic.autodiff.twins.modules import original_of, twin_of

from .calls import ABILITIES, CONVERTERS, IMPORTERS, READERS, SCALAR_TYPES, UFUNCS
from .instrument import instrumented
from .source import accesses, holds

_MOST = 20_000  # objects that are looked at
_LARGEST = 1000  # elements of a list of functions that are looked at
_NAMES = CONVERTERS | ABILITIES | SCALAR_TYPES | READERS | IMPORTERS | ASKING


class Helpers:
    """What a cell changes in code that is not its own, there and back.

    Parameters
    ----------
    namespace : dict
        The names of the cell, which are exchanged by somebody else.
    reach : callable
        Called with modules and functions, whose arrays are exchanged by somebody else too.
    """

    def __init__(
        self, namespace: Mapping[str, Any], reach: Callable[[list[Any]], None] = lambda values: None
    ) -> None:
        self.namespace = namespace
        self.reach = reach
        self._codes: list[tuple[FunctionType, CodeType, CodeType]] = []
        self._modules: dict[int, tuple[dict[str, Any], dict[str, int]]] = {}

    def prepare(self, values: Iterable[Any]) -> None:
        """Prepare the functions that can be reached from values."""
        values = list(values)
        found = list(functions(values))
        for function in found:
            self._exchange_code(function)
        scopes = {id(function.__globals__): function.__globals__ for function in found}
        scopes.pop(id(self.namespace), None)
        for scope in scopes.values():  # once more, if the module was loaded anew
            self._exchange_names(scope)
        self.reach(values)

    def _exchange_code(self, function: FunctionType) -> None:
        old = function.__code__
        new = instrumented_code(old)
        if new is not None:
            self._codes.append((function, old, new))
            function.__code__ = new

    def _exchange_names(self, scope: dict[str, Any]) -> None:
        before = {name: id(value) for name, value in scope.items()}
        self._modules.setdefault(id(scope), (scope, before))
        for name, value in list(scope.items()):
            new = twin_of(value)
            if new is not value:
                scope[name] = new

    def places(self) -> list[tuple[dict[str, Any], str]]:
        """Return the names of modules under which the cell may have left handles."""
        return [
            (scope, name)
            for scope, before in self._modules.values()
            for name, value in scope.items()
            if before.get(name) != id(value) or type(value) in (list, dict, set)
        ]

    def leave(self) -> None:
        """Take everything back."""
        for function, old, new in reversed(self._codes):
            if function.__code__ is new:
                function.__code__ = old
        for scope, _ in self._modules.values():
            for name, value in list(scope.items()):
                original = original_of(value)
                if original is not value:
                    scope[name] = original


# ------------------------------------------------------------------------ which functions


def functions(values: Iterable[Any]) -> Iterator[FunctionType]:
    """Yield the user's functions that values are, hold or would call."""
    for one in reached(values):
        if type(one) is FunctionType and _is_users(one):
            yield one


def _is_users(function: FunctionType) -> bool:
    return is_users_module(function.__globals__.get("__name__") or "__main__")


def reached(values: Iterable[Any]) -> Iterator[Any]:
    """Yield values, what they hold, and what the user's functions among them read."""
    waiting = list(values)
    seen: dict[int, Any] = {}
    while waiting and len(seen) < _MOST:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen[id(one)] = one
        yield one
        if type(one) is FunctionType:
            if _is_users(one):
                scope = one.__globals__
                read = {name for _, name in accesses(one.__code__)}
                waiting += [scope[name] for name in read if name in scope]
            waiting += [cell.cell_contents for cell in one.__closure__ or () if holds(cell)]
            waiting.append(getattr(one, "__wrapped__", None))
        else:
            waiting += inside(one)


def inside(one: Any) -> list[Any]:
    """Return what has to be looked at instead of a value that is no function."""
    kind = type(one)
    if kind in (list, tuple, set, dict):
        content = one.values() if kind is dict else one
        return list(content) if len(one) <= _LARGEST else []
    if kind is MethodType:
        return [one.__func__, one.__self__]
    if kind in (staticmethod, classmethod):
        return [one.__func__]
    if kind is property:
        return [one.fget, one.fset, one.fdel]
    if kind is functools.partial:
        return [one.func, *one.args, *one.keywords.values()]
    if kind is ModuleType:
        return list(vars(one).values()) if is_users_module(one.__name__) else []
    if isinstance(one, type):
        return [*vars(one).values(), *one.__bases__] if is_users(one) else []
    if is_users(kind):
        return [kind, *getattr(one, "__dict__", {}).values()]
    wrapped = getattr(one, "__wrapped__", None) if callable(one) else None
    return [] if wrapped is None else [wrapped]


# ---------------------------------------------------------------------- instrumented copies


def instrumented_code(code: CodeType) -> CodeType | None:
    """Return the code of a function with hooks in it; None if it needs none, or has no source."""
    if not needs_hooks(code):
        return None
    text = "".join(linecache.getlines(code.co_filename))
    flags = code.co_flags & _FUTURES
    for apart in (False, True):
        try:
            plain, hooked = both(text, code.co_filename, flags, apart)
        except (SyntaxError, ValueError, RecursionError):
            return None
        # the file may have been changed since it was imported
        found = [new for old, new in zip(plain, hooked, strict=False) if old == code]
        if len(found) == 1 and found[0].co_freevars == code.co_freevars:
            return found[0]
    return None


_FUTURES = functools.reduce(
    int.__or__, (getattr(__import__("__future__"), n).compiler_flag for n in ("annotations",))
)


@functools.lru_cache(maxsize=4096)
def needs_hooks(code: CodeType) -> bool:
    """Tell whether a function, or one in its body, needs hooks.

    It converts numbers, imports something, hands lists to ufuncs or arrays to methods of others.
    """
    if not _NAMES.isdisjoint(code.co_names):
        return True
    if not UFUNCS.isdisjoint(code.co_names) and makes_lists(code):
        return True
    if any(step.opname == "IMPORT_NAME" for step in dis.get_instructions(code)):
        return True
    return any(needs_hooks(const) for const in code.co_consts if isinstance(const, CodeType))


def makes_lists(code: CodeType) -> bool:
    """Tell whether a function makes lists, in comprehensions as well."""
    if any(step.opname in ("BUILD_LIST", "BUILD_TUPLE") for step in dis.get_instructions(code)):
        return True
    return any(makes_lists(const) for const in code.co_consts if isinstance(const, CodeType))


@functools.lru_cache(maxsize=256)
def both(
    text: str, filename: str, flags: int, apart: bool
) -> tuple[list[CodeType], list[CodeType]]:
    """Compile a source as it is, and with hooks; return the code of all functions, in order.

    `apart`: each statement by itself, as IPython compiles a cell. The bytes are other
    than in a module, where Python tells functions of what the text imports from methods.
    """
    flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    plain, hooked = (
        [
            function
            for part in (parts(tree) if apart else [tree])
            for function in nested(compile(part, filename, "exec", flags=flags, dont_inherit=True))
        ]
        for tree in (ast.parse(text), instrumented(ast.parse(text)))
    )
    return plain, hooked


def parts(tree: ast.Module) -> list[ast.Module]:
    """Return each statement of a module as a module."""
    return [ast.Module([statement], []) for statement in tree.body]


def nested(code: CodeType) -> Iterator[CodeType]:
    """Yield the code objects inside one, in order."""
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield const
            yield from nested(const)
