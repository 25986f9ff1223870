"""Twins of NumPy's iterators: nditer, broadcast, ndenumerate.

A real iterator runs over the positions of the elements; each is looked up in the handle. What the
cell leaves under a name is an iterator of NumPy's at the same position.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls.dispatch import holds_traced, plain
from tapemagic.autodiff.later import StandIn
from tapemagic.autodiff.twinning import twin_for
from tapemagic.errors import NoRuleError

from .iteration import asanyarray


def _copies(arrays: list) -> list:
    """Return plain arrays for what a cell leaves: the tape's own memory stays the tape's."""
    return [np.array(plain(x), order="K") for x in arrays]


class Enumeration(StandIn):
    """What `np.ndenumerate` answers for a traced array."""

    def __init__(self, arr: Any) -> None:
        self._array = asanyarray(arr)
        self.iter = self._array.flat

    def __iter__(self) -> Enumeration:
        return self

    def __next__(self) -> tuple:
        return self.iter.coords, next(self.iter)

    @property
    def _original(self) -> Any:
        left = np.ndenumerate(*_copies([self._array]))
        for _ in range(self.iter.index):
            next(left)
        return left


@twin_for(np.ndenumerate)
def _ndenumerate(arr: Any) -> Any:
    return Enumeration(arr) if holds_traced(arr) else np.ndenumerate(arr)


class Broadcast(StandIn):
    """What `np.broadcast` answers for traced arrays."""

    def __init__(self, *args: Any) -> None:
        self._plain = np.broadcast(*plain(args))
        self._arrays = [asanyarray(x) for x in args]
        self._places = np.ndindex(self._plain.shape)

    def __getattr__(self, name: str) -> Any:
        if name == "iters":
            raise _refused("np.broadcast(...).iters")
        return getattr(self._plain, name)

    def __iter__(self) -> Broadcast:
        return self

    def __next__(self) -> tuple:
        next(self._plain)  # for its `index`
        where = next(self._places)
        return tuple(x[_place(x, where)] for x in self._arrays)

    def reset(self) -> None:
        """Begin again."""
        self._plain.reset()
        self._places = np.ndindex(self._plain.shape)

    @property
    def _original(self) -> Any:
        left = np.broadcast(*_copies(self._arrays))
        for _ in range(self._plain.index):
            next(left)
        return left


@twin_for(np.broadcast)
def _broadcast(*args: Any) -> Any:
    return Broadcast(*args) if holds_traced(args) else np.broadcast(*args)


@twin_for(np.nditer)
def _nditer(op: Any, *args: Any, **kwargs: Any) -> Any:
    return Iteration(op, *args, **kwargs) if holds_traced(op) else np.nditer(op, *args, **kwargs)


@twin_for(np.nested_iters)
def _nested_iters(op: Any, *args: Any, **kwargs: Any) -> Any:
    if holds_traced(op):
        raise _refused("np.nested_iters")
    return np.nested_iters(op, *args, **kwargs)


def _refused(what: str) -> NoRuleError:
    return leaks.locate(
        NoRuleError(
            f"{what} cannot iterate over traced arrays.",
            fix="Loop over the array, or over np.ndindex(x.shape).",
        )
    )


class Iteration(StandIn):
    """What `np.nditer` answers for traced arrays: NumPy's own order, elements on the tape.

    Each element is a 0-d view of the handle, so that ``element[...] = v`` writes into the array.
    """

    _KNOWN = frozenset(("multi_index", "c_index", "f_index", "zerosize_ok", "refs_ok", "buffered"))

    def __init__(self, op: Any, flags: Any = (), op_flags: Any = None, **kwargs: Any) -> None:
        operands = list(op) if isinstance(op, (list, tuple)) else [op]
        unknown = set(flags) - self._KNOWN
        if unknown or any(x is None for x in operands) or set(kwargs) - {"order"}:
            raise _refused(f"np.nditer with {sorted(unknown) or 'these arguments'}")
        self._operands = [asanyarray(x) for x in operands]
        leaks.laid_out(*self._operands)
        lying = [_lying_like(plain(x)) for x in self._operands]
        self._given = [flag for flag in flags if flag != "buffered"], op_flags, kwargs
        self._plain = np.nditer(lying, self._given[0], **kwargs)
        self._places = np.nditer(lying, ["multi_index", "zerosize_ok"], **kwargs)
        each = op_flags if op_flags and not isinstance(op_flags[0], str) else [op_flags or ()]
        self._writes = [not {"readwrite", "writeonly"}.isdisjoint(flags) for flags in each]
        self._closed = False

    def __getattr__(self, name: str) -> Any:
        if hasattr(np.nditer, name):
            raise _refused(f"np.nditer(...).{name}")
        return getattr(self._plain, name)  # NumPy's own error

    @property
    def operands(self) -> tuple:
        """The arrays."""
        return tuple(self._operands[: len(self._plain.operands)])  # none of a closed one

    @property
    def dtypes(self) -> tuple:
        """The dtypes of the arrays."""
        return tuple(x.dtype for x in self.operands)

    @property
    def value(self) -> Any:
        """The current element, or a tuple of the operands' elements."""
        here = self._plain.value  # NumPy's own error at the end
        self._places.iterindex = self._plain.iterindex  # type: ignore[misc]
        where = self._places.multi_index
        found = tuple(x[(*_place(x, where), ...)] for x in self._operands)
        for element, writes in zip(found, self._writes * len(found)):
            if not writes:
                element.setflags(write=False)
        return found if isinstance(here, tuple) else found[0]

    def __getitem__(self, i: Any) -> Any:
        value = self.value
        return value[i] if isinstance(value, tuple) else (value,)[i]

    def __setitem__(self, i: int, new: Any) -> None:
        self[i][...] = new

    def __len__(self) -> int:
        return len(self._plain)

    def __iter__(self) -> Iteration:
        return self

    def __next__(self) -> Any:
        next(self._plain)
        return self.value

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the iteration."""
        self._plain.close()
        self._closed = True

    @property
    def _original(self) -> Any:
        flags, op_flags, kwargs = self._given
        left = np.nditer(_copies(self._operands), flags, op_flags, **kwargs)
        if self._closed:
            left.close()
        elif not self._plain.finished:
            left.iterindex = self._plain.iterindex  # type: ignore[misc]
        else:
            while left.iternext():
                pass
        return left


def _of_position(name: str) -> property:
    """Make an attribute that says where an iteration is, or moves it."""
    return property(
        lambda self: getattr(self._plain, name), lambda self, new: setattr(self._plain, name, new)
    )


for _name in (
    "debug_print", "finished", "has_delayed_bufalloc", "has_index", "has_multi_index", "index",
    "iterationneedsapi", "iterindex", "iternext", "iterrange", "itersize", "multi_index", "ndim",
    "nop", "reset", "shape",
):  # fmt: skip
    setattr(Iteration, _name, _of_position(_name))


def _lying_like(x: np.ndarray) -> np.ndarray:
    """Return an array of nothing that lies in memory as `x` does, by which its order goes.

    NumPy visits elements in the order of their addresses: those of ``x[::-1]`` from the last on.
    """
    if not x.size:
        return np.empty(x.shape, np.uint8)
    ends = [step * (n - 1) for step, n in zip(x.strides, x.shape, strict=True)]
    first = -sum(end for end in ends if end < 0)
    memory = np.empty(first + sum(end for end in ends if end > 0) + 1, np.uint8)
    return np.ndarray(x.shape, np.uint8, memory.data, first, x.strides)


def _place(x: Any, where: tuple[int, ...]) -> tuple[int, ...]:
    """Return the place in `x` of an element of what it is broadcast to."""
    own = where[len(where) - x.ndim :]
    return tuple(0 if n == 1 else i for i, n in zip(own, x.shape, strict=True))
