"""What code leaves behind that holds its values: iterators half way, frames that a traceback keeps.

It is looked at when handles are taken back, and not on entry: what was there before is left alone.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType
from typing import Any

from tapemagic.autodiff.positions import is_library
from tapemagic.autodiff.warned import unheard

from .frame_names import Slot, of_frame
from .opaque import held

#: Iterators that hand out what they hold, where nothing else can be put.
_HOLDING: frozenset[Any] = frozenset({
    type(iter(())), itertools.product, itertools.combinations, itertools.permutations,
    itertools.combinations_with_replacement, itertools.repeat, itertools.count,
})  # fmt: skip
#: What is made anew if need be, and goes on where it was: those, and what may go through them.
_REMADE = _HOLDING | {
    enumerate, filter, map, zip, itertools.accumulate, itertools.chain, itertools.compress,
    itertools.cycle, itertools.dropwhile, itertools.filterfalse, itertools.islice,
    itertools.starmap, itertools.takewhile, itertools.zip_longest,
}  # fmt: skip


#: What those are called that cannot be made anew, or may not be in this version of Python.
GIVING: dict[type, str] = {
    **{kind: kind.__name__ for kind in (*_HOLDING, itertools.pairwise, itertools.groupby)},
    itertools._tee_dataobject: "tee",  # type: ignore[attr-defined]
}


def parts_of_iterator(value: Any) -> list[Any] | None:
    """Return the arguments and the state of an iterator that can be made anew, else None.

    >>> parts_of_iterator(iter((1.0, 2.0)))
    [((1.0, 2.0),), 0]
    """
    if type(value) not in _REMADE:
        return None
    try:
        with unheard():  # from Python 3.12 on `itertools` tells that this will go, in 3.14
            _, *parts = value.__reduce__()
    except TypeError:
        return None
    return parts


def remade_iterator(value: Any, parts: list[Any]) -> Any:
    """Make an iterator that goes on as this one would, with other elements."""
    with unheard():
        make: Callable = value.__reduce__()[0]
    args, *state = parts
    new = make(*args)
    for position in state:
        new.__setstate__(position)
    return new


def _of_traceback(holder: TracebackType) -> Iterator[Slot]:
    yield held, None, holder.tb_frame
    yield held, None, holder.tb_next


def _of_users_frame(holder: FrameType) -> Iterator[Slot]:
    # the names of a module or a cell are exchanged as such
    if holder.f_code.co_flags & inspect.CO_OPTIMIZED and not is_library(holder.f_code.co_filename):
        yield from of_frame(holder)


#: How to look into each kind.
LEFT: dict[type, Callable[[Any], Iterator[Slot]]] = {
    TracebackType: _of_traceback,
    FrameType: _of_users_frame,
}
