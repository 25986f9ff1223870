"""Functions of NumPy, `math` and SciPy that a script holds under no name of its own.

An activation in a dict, a default argument, what a closure or a `partial` calls: while a tape
records, twins stand in their places, as they do under names (`script_names.py`).
"""

from __future__ import annotations

import dis
import itertools
import operator
from collections import deque
from collections.abc import Iterable, Iterator
from types import CellType, CodeType, FunctionType, MethodType
from typing import Any

import numpy as np

from tapemagic.autodiff.twinning import TWINS

from .caches import CACHE
from .containers import FRAMES, parts, rebuild, slots
from .exchange import is_users, is_users_module, remember
from .opaque import OPAQUE
from .walk import looks_inside

#: So many containers are looked into, so deep, and none that are longer; so many attributes.
_MOST, _DEEPEST, _LONGEST, _LARGEST = 200, 6, 64, 500
#: What may hold much, or what is not called by the name of.
_CLOSED = frozenset({np.ndarray, CACHE, *OPAQUE, *FRAMES})
#: How code enters a ``with`` block; from Python 3.14 on there is no such instruction.
_ENTERING = ("BEFORE_WITH", "LOAD_SPECIAL")
#: How code reads a local name.
_LOCAL = frozenset(name for name in dis.opmap if name.startswith(("LOAD_FAST", "LOAD_DEREF")))
#: How it reads an attribute, and methods that call nothing of what is in a container.
_ATTRIBUTE = ("LOAD_METHOD", "LOAD_ATTR")
_FILLING = frozenset(("append", "appendleft", "extend", "insert", "add", "update", "clear"))


class Places:
    """The places in a container as a mapping, to read and to fill; it does not keep it alive."""

    def __init__(self, holder: Any) -> None:
        self._find = remember(holder)

    def items(self) -> Iterator[tuple[Any, Any]]:
        """Yield the places with what is there."""
        for _, place, value in slots(self._find()):
            if place is not value:  # of a key or an element
                yield place, value

    def get(self, place: Any) -> Any:
        """Return what is in a place; None if it is gone."""
        return next((value for known, value in self.items() if known is place), None)

    def __setitem__(self, place: Any, new: Any) -> None:
        holder = self._find()
        put = next(put for put, known, _ in slots(holder) if known is place)
        put(holder, place, new)


def held_functions(values: Iterable[Any]) -> Iterator[tuple[Places, Any, Any, Any]]:
    """Yield where something else has to stand: (places, place, what is there, what has to be).

    Of a function of the user's, what its code names is looked into as well.
    """
    waiting, seen = deque((value, 0) for value in values), set[int]()
    while waiting and len(seen) < _MOST:
        holder, depth = waiting.popleft()
        if id(holder) in seen or not _is_holder(holder):
            continue
        seen.add(id(holder))
        inside = []
        if type(holder) is FunctionType:
            inside += used_by(holder.__code__, holder.__globals__)
        places = Places(holder)
        for place, value in itertools.islice(places.items(), _LARGEST):
            new = with_twins(value)
            if new is not value:
                yield places, place, value, new
            else:
                inside.append(value)
        if depth < _DEEPEST:  # closures within closures are common, and lead straight on
            farther = depth + (type(holder) is not CellType)
            waiting += [(value, farther) for value in inside]


def used_by(code: CodeType, names: dict[str, Any]) -> list[Any]:
    """Return what the names of some code stand for."""
    return [names[name] for name in code.co_names if name in names]


def called_locals(code: CodeType) -> dict[str, bool]:
    """Return the local names that code calls, or with which what it calls begins.

    With each stands whether it is only filled, if it is a container. Not those that are first bound
    in a ``with`` block, as most results are.

    >>> def run(f, layers, losses, x):
    ...     losses.append(f(layers[0](x) + abs(x)))
    >>> called_locals(run.__code__)
    {'losses': True, 'f': False, 'layers': False}
    """
    steps = list(dis.get_instructions(code))
    calls = {_begin(step) for step in steps if step.opname.startswith("CALL")}
    before = itertools.takewhile(lambda step: step.opname not in _ENTERING, steps)
    bound = {step.argval for step in before if step.opname.startswith("STORE_")}
    count = code.co_argcount + code.co_kwonlyargcount
    bound |= {*code.co_varnames[:count], *code.co_freevars}
    found: dict[str, bool] = {}
    for step, following in itertools.pairwise(steps):
        if step.opname in _LOCAL and _begin(step) in calls:
            is_filled = following.opname in _ATTRIBUTE and following.argval in _FILLING
            # two at once, since Python 3.13
            for name in step.argval if isinstance(step.argval, tuple) else (step.argval,):
                if name in bound:
                    found[name] = is_filled and found.get(name, True)
    return found


def _begin(step: dis.Instruction) -> tuple[int | None, int | None]:
    """Return where the text of an instruction begins: that of a call where its callee does."""
    return (step.positions.lineno, step.positions.col_offset) if step.positions else (None, None)


def with_twins(value: Any) -> Any:
    """Return what stands for a function, a method, or a tuple (or the like) of such."""
    if id(value) in TWINS:
        return TWINS[id(value)]
    if type(value) is MethodType and id(value.__self__) in TWINS:
        return getattr(TWINS[id(value.__self__)], value.__name__)
    elements = parts(value) if type(value) in (tuple, staticmethod) else None
    new = [with_twins(x) for x in elements or ()]
    return rebuild(value, new) if any(map(operator.is_not, new, elements or ())) else value


def _is_holder(value: Any) -> bool:
    if type(value) is FunctionType:
        return is_users_module(value.__globals__.get("__name__") or "__main__")
    if type(value) in _CLOSED:
        return False
    is_long = isinstance(value, list | dict | set | deque | tuple) and len(value) > _LONGEST
    return not is_long and looks_inside(value, is_users)
