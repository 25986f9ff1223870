"""The steps of a program as they are written down: each once, with the checks between them."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from tapemagic.errors import TapeError

from .algebra import itself, simpler
from .spelling import numpy_name
from .symbols import SMALL, NotSymbolicError, Symbol, concrete, symbols_in

#: Arrays of up to this many bytes are searched for rows.
SEARCHED = 1 << 24
#: So many constants of one kind are rows of an array: a loop may run over them.
MANY = 8
#: Whether their result is complex hangs on the values: it is checked.
_OF_EITHER_KIND = {"eig", "eigvals", "sqrtm", "logm", "fractional_matrix_power"}
_MAKING = (np.zeros, np.empty)  # every call makes an array of its own, to be written to
#: A power is that of the operator, which has short ways (``x**2``) that `np.power` has not.
_COMPUTED_AS = {np.power: operator.pow}


class Writer:
    """Collects the steps of a program, each once, and the checks.

    Parameters
    ----------
    arrays : list of (name, array)
        The user's arrays: constants that are rows of one of them are written so.

    Attributes
    ----------
    steps : list of Symbol
        In the order in which they were made.
    checks : list of (symbol, place)
        Steps whose value must be what it was.
    """

    def __init__(self, arrays: Sequence[tuple[str, np.ndarray]] = ()) -> None:
        self._rows = Rows(arrays)
        self.steps: list[Symbol] = []
        self.checks: list[tuple[Symbol, tuple]] = []
        self.place: tuple = ("forward", -1)
        self.strict = False
        self._known: dict[Any, Symbol] = {}
        self._keys: list[Any] = []  # of each step
        self._kept: list[Any] = []  # constants whose identity is part of a key
        self._checked: set[int] = set()

    def add(self, kind: str, fun: Any, args: tuple, kwargs: dict, value: Any) -> Any:
        """Make a step, or find the one that is the same; results that are no arrays are checked."""
        if isinstance(value, (tuple, list)):
            whole = self._step(kind, fun, args, kwargs, value)
            parts = [self.add("part", None, (whole, i), {}, v) for i, v in enumerate(value)]
            return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
        if not isinstance(value, (np.ndarray, np.generic)):
            self.check(self._step(kind, fun, args, kwargs, value))
            return value
        may_fold = value.size <= SMALL and kind not in ("input", "update") and fun not in _MAKING
        if may_fold and not _depends(kind, args, kwargs):
            return value  # what constants come to is a constant
        return self._step(kind, fun, args, kwargs, value)

    def constant(self, value: Any) -> Any:
        """Make a step of a constant that is too large to be written out wherever it is read."""
        if type(value) is not np.ndarray or value.dtype.kind not in "biufc":
            return value
        row = self._rows.find(value)
        if row is not None:
            whole = self._step("constant", None, (row[0],), {}, row[0])
            return self._step("item", None, (whole, row[1]), {}, value)
        if value.size <= SMALL:
            return value
        turned = self._rows.find_turned(value)
        if turned is not None:
            return self._step("constant", None, (turned,), {}, turned).T
        return self._step("constant", None, (value,), {}, value)

    def _step(self, kind: str, fun: Any, args: tuple, kwargs: dict, value: Any) -> Symbol:
        key = (kind, _identity(fun), self._key(args), self._key(kwargs))
        fresh = kind in ("input", "update") or fun in _MAKING
        if not fresh and key in self._known:
            return self._known[key]
        step = object.__new__(Symbol)
        step.writer, step.kind, step.fun, step.args, step.kwargs = self, kind, fun, args, kwargs
        step.depends = _depends(kind, args, kwargs)
        step.value, step.place, step.name, step.number = value, self.place, "", len(self.steps)
        self.steps.append(step)
        self._keys.append(key)
        if not fresh:
            self._known[key] = step
        return step

    def call(self, fun: Any, args: tuple, kwargs: dict) -> Any:
        """Call a NumPy function, or one of our own as a whole, on symbols."""
        if self.strict and isinstance(fun, np.ufunc) and not numpy_name(fun):
            raise NotSymbolicError  # a private one: what calls it has a name
        if self.place[0] == "backward":
            found = simpler(fun, args, kwargs, self.call)
            if found is not None:
                return found
        compute = _COMPUTED_AS.get(fun, fun)
        y = compute(*concrete(args), **concrete(kwargs))
        broadcasts = fun is np.where or getattr(fun, "signature", 0) is None
        if isinstance(y, np.ndarray) and not kwargs and broadcasts:
            args = tuple(_as_number(x, args, y.shape) for x in args)
        known = itself(fun, args, kwargs, y)
        if known is not None:
            return known
        if type(y) in (float, complex):  # rules ask for its dtype
            number = np.asarray(y)[()]
            fun, args, kwargs, y = (
                type(number), (self._step("call", fun, args, kwargs, number),), {}, number,
            )  # fmt: skip
        found = self.add("call", fun, args, kwargs, y)
        if getattr(fun, "__name__", "") in _OF_EITHER_KIND and not _are_complex(args):
            first = found[0] if isinstance(y, tuple) else found
            self.add("attribute", "dtype", (first,), {}, first.dtype)
        return found

    def update(self, base: Any, index: Any, v: Any, how: str) -> Any:
        """Write into a copy of `base` (the printer finds out where none is needed)."""
        value = np.array(concrete(base))
        if how == "=":
            value[concrete(index)] = concrete(v)
        elif how == "+=":
            value[concrete(index)] += concrete(v)
        else:
            np.add.at(value, concrete(index), concrete(v))
        return self.add("update", how, (base, index, v), {}, value)

    def run(self, fun: Any, args: tuple, kwargs: dict) -> Any:
        """Call the plain function of a primitive: through its NumPy calls, else as a whole."""
        was, count, checks = self.strict, len(self.steps), len(self.checks)
        self.strict = True
        try:
            return fun(*args, **kwargs)
        except TapeError:
            raise
        except (NotSymbolicError, TypeError, ValueError):
            self._forget(count, checks)
            if not symbols_in([args, kwargs]):
                raise
            return self.call(fun, args, kwargs)
        finally:
            self.strict = was

    def _forget(self, count: int, checks: int) -> None:
        """Take back the steps and checks made since there were so many."""
        for step, key in zip(self.steps[count:], self._keys[count:], strict=True):
            if self._known.get(key) is step:
                del self._known[key]
        for step, _ in self.checks[checks:]:
            self._checked.discard(id(step))
        del self.steps[count:], self._keys[count:], self.checks[checks:]

    def check(self, step: Symbol) -> None:
        """Let the program go on only where this step has the value that it had."""
        if step.depends and id(step) not in self._checked:
            self._checked.add(id(step))
            self.checks.append((step, self.place))

    @contextmanager
    def at(self, *place: Any) -> Iterator[None]:
        """Ascribe the steps made in the block to a place of the run."""
        was, self.place = self.place, place
        try:
            yield
        finally:
            self.place = was

    def _key(self, x: Any) -> Any:
        kind = type(x)
        if kind is Symbol:
            return ("step", x.number)
        if kind in (list, tuple):
            return (kind, *map(self._key, x))
        if kind is dict:
            return tuple((key, self._key(item)) for key, item in x.items())
        if kind is slice:
            return ("slice", *map(self._key, (x.start, x.stop, x.step)))
        if (kind is np.ndarray and x.size <= SMALL) or isinstance(x, np.generic):
            return (kind, x.dtype.str, x.shape, x.tobytes())
        if kind in (int, str, bool, type(None), float, complex, bytes):
            return (kind, repr(x))
        self._kept.append(x)
        return ("object", id(x))


def _depends(kind: str, args: Any, kwargs: Any) -> bool:
    """Tell whether a step is left to the program: it hangs on an input, or on a row of an array."""
    return kind in ("input", "item") or any(step.depends for step in symbols_in([args, kwargs]))


def _are_complex(args: tuple) -> bool:
    return any(np.iscomplexobj(concrete(x)) for x in args)


def _as_number(x: Any, args: tuple, shape: tuple[int, ...]) -> Any:
    """Write an array of one number, which a ufunc broadcasts, as that number."""
    if type(x) is not np.ndarray or not _is_one_number(x):
        return x
    if shape != np.broadcast_shapes(*(other.shape for other in symbols_in(args))):
        return x
    known = [other for other in args if isinstance(other, (np.ndarray, np.generic))]
    double = x.dtype == float and all(other.dtype in (float, bool) for other in known)
    return x.flat[0].item() if double else x.flat[0]


def _is_one_number(x: np.ndarray) -> bool:
    """Tell whether all elements of an array are the same: of a small one, or of one broadcast."""
    if any(x.strides) and x.size > SMALL:
        return False
    return x.size > 0 and (not any(x.strides) or x.tobytes() == x.flat[0].tobytes() * x.size)


def _identity(fun: Any) -> Any:
    owner = getattr(fun, "__self__", None)
    if isinstance(owner, np.ufunc):  # ``np.add.reduce`` is another object every time
        return (owner, fun.__name__)
    return fun


def stacked(entries: list[tuple], known: Rows) -> list[tuple[str, np.ndarray]]:
    """Put constants of one shape and dtype together, if they are many, as rows of one array."""
    groups: dict[tuple, dict[bytes, np.ndarray]] = {}
    for entry in entries:
        for x in constants_of(entry):
            if _may_be_row(x) and known.find(x) is None:
                groups.setdefault((x.shape, x.dtype), {}).setdefault(x.tobytes(), x)
    return [
        ("", np.stack([*group.values()]))
        for group in groups.values()
        if len(group) >= MANY and sum(x.nbytes for x in group.values()) <= SEARCHED
    ]


def constants_of(entry: tuple) -> list[np.ndarray]:
    """Return the arrays that an operation reads and that are no nodes."""
    simple = type(entry[4]) is int
    ids, values = (entry[4:6], entry[6:8]) if simple else (entry[4], entry[6] or ())
    return [
        x
        for i, x in enumerate(values)
        if type(x) is np.ndarray and not (i < len(ids) and ids[i] >= 0)
    ]


def _may_be_row(x: np.ndarray) -> bool:
    """Tell whether an array may be looked for in others: a row of zeros may be anybody's."""
    fits = 0 < x.nbytes <= SEARCHED and x.ndim > 0 and x.dtype.kind in "biufc"
    return fits and not (x == x.flat[:1]).all()


def _any_same(arrays: list[np.ndarray], value: np.ndarray) -> bool:
    return any(np.array_equal(x, value) for x in arrays)


class Rows:
    """Tells that a constant is a row of one of the user's arrays: ``for x in X`` reads `X`."""

    def __init__(self, arrays: Sequence[tuple[str, np.ndarray]]) -> None:
        self._arrays = [x for _, x in arrays if x.ndim > 1 and x.nbytes <= SEARCHED]
        self._places: dict[tuple, dict[bytes, tuple[np.ndarray, int]]] = {}
        self._turned: dict[int, tuple[np.ndarray, np.ndarray | None]] = {}  # by the id of the first

    def find_turned(self, value: np.ndarray) -> np.ndarray | None:
        """Return the user's array of which a constant is the transpose, and that has no name."""
        if id(value) not in self._turned:
            found = None
            if value.ndim == 2 and value.nbytes <= SEARCHED and not _any_same(self._arrays, value):
                alike = (x for x in self._arrays if np.array_equal(x.T, value))
                found = next((x for x in alike if x.dtype == value.dtype), None)
            self._turned[id(value)] = value, found
        return self._turned[id(value)][1]

    def find(self, value: np.ndarray) -> tuple[np.ndarray, int] | None:
        """Return the array and the number of the row, or None."""
        kind = value.shape, value.dtype.str
        if not _may_be_row(value):
            return None
        if kind not in self._places:
            self._places[kind] = {
                row.tobytes(): (x, i)
                for x in self._arrays
                if (x.shape[1:], x.dtype.str) == kind
                for i, row in reversed([*enumerate(x)])
            }
        places = self._places[kind]
        return places.get(value.tobytes())
