"""Copies of a cell's names, for a run of it that is not to touch what the person has."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from types import CellType, FunctionType, ModuleType
from typing import Any

import numpy as np

from tapemagic.autodiff.borrowing.exchange import is_users
from tapemagic.autodiff.borrowing.opaque import PLAIN
from tapemagic.autodiff.twinning import originals

from .shared import is_shells
from .source import functions, holds


def size_of(values: dict[str, Any]) -> int:
    """Add up the bytes of the arrays directly in a namespace or in its containers."""
    total, waiting = 0, list(values.values())
    for _ in range(10_000):
        if not waiting:
            break
        one = waiting.pop()
        if isinstance(one, np.ndarray):
            total += one.nbytes
        elif type(one) in (list, tuple, dict):
            waiting += list(one.values()) if type(one) is dict else list(one)
        elif is_users(type(one)):
            waiting += list(getattr(one, "__dict__", {}).values())
    return total


def plain_data(values: Iterable[Any]) -> list[Any]:
    """Return the lists, tuples and dicts that hold numbers and text only, with those in others.

    They can be copied at once; `copy.deepcopy` asks every element.

    >>> plain_data([[[1, "a"], [3.0, np.ones(2)], {"b": (4, 5)}]])
    [(4, 5), [1, 'a']]
    """
    found, waiting, seen = [], list(values), set[int]()
    while waiting:
        one = waiting.pop()
        kind = type(one)
        if id(one) in seen:
            continue
        seen.add(id(one))
        if kind in (list, tuple, dict):
            content = [*one, *one.values()] if kind is dict else one
            if PLAIN.issuperset(map(type, content)):
                found.append(one)
            else:
                waiting += content
        elif is_users(kind):
            waiting += getattr(one, "__dict__", {}).values()
    return found


def copies_of(data: Iterable[Any]) -> dict[int, Any]:
    """Copy such data, as what `copy.deepcopy` has copied already."""
    return {id(x): x if type(x) is tuple else x.copy() for x in data}


def copy_namespace(
    values: dict[str, Any], namespace: dict[str, Any], memo: dict[int, Any]
) -> dict[str, Any]:
    """Copy values deeply, with what functions hold in closures.

    Modules, classes, library functions and whatever else has a twin (`scipy.stats.norm`, `np.c_`)
    are shared, and what is the shell's. `memo` is filled as `copy.deepcopy` does.
    """
    memo |= originals() | {id(x): x for x in values.values() if is_shells(x)}
    memo |= {id(namespace[name]): namespace[name] for name in ("_ih", "_oh") if name in namespace}
    new: dict[str, Any] = {"__name__": "__main__", "__builtins__": __builtins__}
    copied = list(functions_to_copy(values, namespace))
    for function in copied:
        memo[id(function)] = emptied(function, memo)
    for function in copied:  # whose closures may hold each other
        fill(memo[id(function)], function, memo)
    for name, value in values.items():
        shared = isinstance(value, ModuleType | type) or name.startswith("__")
        new[name] = value if shared else copy.deepcopy(value, memo)
    return new


def functions_to_copy(values: dict[str, Any], namespace: dict[str, Any]) -> Iterator[FunctionType]:
    """Yield the user's functions among values, and those of a library that wrap one."""
    found: dict[int, FunctionType] = {}
    for value in values.values():
        inside = list(functions(value, namespace, set()))
        if inside and isinstance(value, FunctionType):
            inside.append(value)
        found |= {id(function): function for function in inside}
    yield from found.values()


def emptied(function: FunctionType, memo: dict[int, Any]) -> FunctionType:
    """Copy a function, with closures yet to be filled."""
    cells = tuple(memo.setdefault(id(cell), CellType()) for cell in function.__closure__ or ())
    code, names = function.__code__, function.__globals__
    other = FunctionType(code, names, function.__name__, None, cells or None)
    other.__qualname__, other.__module__ = function.__qualname__, function.__module__
    return other


def fill(other: FunctionType, function: FunctionType, memo: dict[int, Any]) -> None:
    """Copy what a function holds into its copy: a step in training has its model in a closure."""
    other.__defaults__ = copy.deepcopy(function.__defaults__, memo)
    other.__kwdefaults__ = copy.deepcopy(function.__kwdefaults__, memo)
    other.__dict__.update(copy.deepcopy(function.__dict__, memo))
    for cell in function.__closure__ or ():
        if holds(cell):
            memo[id(cell)].cell_contents = copy.deepcopy(cell.cell_contents, memo)
