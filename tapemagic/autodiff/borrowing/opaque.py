"""What can be looked into and not changed: iterators, memory.

An array in there stays where it is, and what is computed through it is not followed: that is told
(`Exchange.tell_of_holders`).
"""

from __future__ import annotations

import contextlib
import functools
import gc
import itertools
import operator
import queue
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

#: Numbers and text: what holds nothing.
PLAIN = frozenset({int, float, complex, bool, str, bytes, type(None)})
_Slot = tuple[Callable[[Any, None, Any], None], None, Any]


def held(holder: Any, place: None, new: Any) -> None:
    """Replace nothing: what is here cannot be replaced."""


def of_referents(holder: Any) -> Iterator[_Slot]:
    """Yield what the garbage collector finds in an object."""
    for content in gc.get_referents(holder):
        yield held, None, content


def _of_reference(holder: weakref.ref) -> Iterator[_Slot]:
    yield held, None, holder()


def _of_memory(holder: Any) -> Iterator[_Slot]:
    with contextlib.suppress(ValueError):  # it has been released
        yield held, None, holder.obj if type(holder) is memoryview else holder.base


def _of_operands(holder: np.nditer) -> Iterator[_Slot]:
    with contextlib.suppress(ValueError):  # it has been closed
        for operand in holder.operands:
            yield held, None, operand


_ITERATORS = [
    enumerate, filter, map, reversed, zip,
    *map(type, (iter([]), iter(()), reversed([]), iter(set()), iter({}), iter({}.values()),
                iter({}.items()), iter(np.empty(0)))),
    *(kind for kind in vars(itertools).values() if isinstance(kind, type)),
]  # fmt: skip
#: Calls that are prepared, and what sorting compares by.
_PREPARED: list[Any] = [
    operator.methodcaller, queue.SimpleQueue,
    type(functools.cmp_to_key(max)(0)),
]  # fmt: skip
#: How to look into each kind.
OPAQUE: dict[type, Callable[[Any], Iterator[_Slot]]] = {
    **dict.fromkeys([*_ITERATORS, *_PREPARED], of_referents),
    weakref.ref: _of_reference,
    np.flatiter: _of_memory,
    memoryview: _of_memory,
    np.nditer: _of_operands,
}
