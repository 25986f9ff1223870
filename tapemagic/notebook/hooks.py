"""What an instrumented cell calls while it runs, and its functions afterwards.

The functions of this module stand in code of the user's that may run long after the cell: without
a tape they do what plain Python would do.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from tapemagic.autodiff.arrays.views import lent
from tapemagic.autodiff.borrowing.exchange import is_array
from tapemagic.autodiff.calls.creation import as_operand, convert
from tapemagic.autodiff.calls.dispatch import HANDLE_TYPES, node_of, plain
from tapemagic.autodiff.doing import ASKING
from tapemagic.autodiff.leaks import leave
from tapemagic.autodiff.lookers import ALONE
from tapemagic.autodiff.readback import read_back
from tapemagic.autodiff.tracebacks import prune
from tapemagic.autodiff.traced import TracedArray
from tapemagic.autodiff.twins.math import total
from tapemagic.autodiff.twins.modules import twin_of

from .instrument import HIDDEN
from .namespace import fresh, is_scalar

#: The cells that are running, innermost last.
RUNNING: list[CellHooks] = []
#: What the first statement of an instrumented cell starts, by the number in that statement.
STARTS: dict[int, Callable[[str], None]] = {}


_MEMORY = (memoryview, bytes, bytearray)
#: Modules of Python's exact numbers, which are made of text or of the digits of others.
_EXACT = ("decimal", "fractions")


def begin(number: int, line: str) -> None:
    """Start the tape of a cell: its first statement calls this with the text after `%%tape`."""
    STARTS.pop(number)(line)


def call(function: Any, value: Any, *args: Any, **kwargs: Any) -> Any:
    """Call what the user spelt `float`, `np.float64`, `memoryview`, `type`, `np.exp([...])`, ...

    Only if it *is* that builtin or type, and is given a traced value, does the value stay on the
    tape; a function of the user's own with the same name is simply called.
    """
    if type(function) is np.ufunc and type(value) in HANDLE_TYPES and not args:
        return function(value, **kwargs)
    if type(value) in HANDLE_TYPES and any(function is one for one in _MEMORY):
        leave(value, f"{function.__name__}() hands out its memory")
        return function(lent(value), *args, **kwargs)
    if function is id and type(value) in HANDLE_TYPES and RUNNING and not args:
        return id(RUNNING[-1].borrowed.plain_of(value))  # what was there before keeps its own
    if function is type and type(value) is TracedArray and not args:
        return value.__class__  # what `type` says without a tape
    if function is type and len(args) == 2 and isinstance(args[1], dict):
        names = dict(args[1])  # `type` would say that the class is of this module
        names.setdefault("__module__", sys._getframe(1).f_globals.get("__name__"))
        return function(value, args[0], names, **kwargs)
    if (function is hasattr or function is isinstance) and type(value) in HANDLE_TYPES:
        return function(plain(value), *args)
    if function is sum:
        return total(value, *args, **kwargs)
    owner = getattr(function, "__self__", None)
    if type(function) is np.ufunc or type(owner) is np.ufunc:  # or a method of one
        return function(*map(as_operand, (value, *args)), **kwargs)
    if type(owner) is np.ndarray:
        if owner.dtype.kind in "US":  # text.astype(float)
            return read(function(value, *args, **kwargs))
        if function.__name__ in ASKING:  # counts.dot(w)
            return getattr(np, function.__name__)(owner, value, *args, **kwargs)
    if type(value) is str or type(value) is bytes or type(value).__module__ in _EXACT:
        number = function(value, *args, **kwargs)
        if isinstance(number, float | complex | np.inexact):
            read_back(number)
        return number
    return convert(function, value, *args, **kwargs)


def converter(function: Any) -> Any:
    """Return what somebody calls in place of ``float``, as in ``map(float, values)``."""
    return partial(call, function) if function is float or function is complex else function


def read(value: Any) -> Any:
    """Return what an expression made of text, and note it if that was a traced value."""
    read_back(value)
    return value


def caught() -> None:
    """Take our frames out of the traceback of the exception that is being handled."""
    error = sys.exception() if sys.version_info >= (3, 11) else sys.exc_info()[1]
    if error is not None:
        prune(error)


def twin(value: Any) -> Any:
    """Return the twin of an imported module or function while a tape runs."""
    if not RUNNING:
        return value
    RUNNING[-1].prepare([value])
    return twin_of(value)


def exchange_all() -> None:
    """Exchange what ``from numpy import *`` has bound."""
    if RUNNING:
        namespace = RUNNING[-1].namespace
        RUNNING[-1].prepare(list(namespace.values()))
        for name, value in list(namespace.items()):
            new = twin_of(value)
            if new is not value:
                namespace[name] = new


def _has_holders(base: Any) -> bool:
    """Tell whether anything but one view refers to its base, or to the base of that."""
    while type(base) is np.ndarray:
        if sys.getrefcount(base) > ALONE + 1:
            return True
        base = base.base
    return base is not None


class CellHooks:
    """The object that a cell calls under its hidden name.

    Parameters
    ----------
    namespace : dict
        The names of the cell.
    borrowed : Borrowed
        Makes handles of plain objects.
    bindings : list of (name, node index)
        Filled with the versions of names, in time order.
    watch : callable
        Called with (name, handle) when a name in `wanted` is bound for the first time.
    wanted : set of str
        Sources that the cell itself binds first.
    written : frozenset of str
        Names whose arrays the cell writes into: they need handles wherever they come from.
    follow : callable
        Called before a name that the cell writes to holds the handle of an array that the cell
        has made, if somebody else may have the array too.
    prepare : callable
        Called with a list of modules and functions that the cell has imported.
    """

    call = staticmethod(call)
    converter = staticmethod(converter)
    read = staticmethod(read)
    caught = staticmethod(caught)
    twin = staticmethod(twin)
    exchange_all = staticmethod(exchange_all)

    def __init__(
        self,
        namespace: dict[str, Any],
        borrowed: Any,
        bindings: list[tuple[str, int]],
        watch: Callable[[str, Any], None],
        wanted: set[str],
        written: frozenset[str],
        follow: Callable[[], None] = lambda: None,
        prepare: Callable[[list[Any]], None] = lambda values: None,
    ) -> None:
        self.namespace = namespace
        self.borrowed = borrowed
        self.bindings = bindings
        self.watch = watch
        self.wanted = wanted
        self.written = written
        self.follow = follow
        self.prepare = prepare
        self.last_value: Any = None

    def bind(self, name: str, value: Any) -> Any:
        """Note what a name stands for from now on, and return it."""
        if type(value) not in HANDLE_TYPES:
            if name not in self.wanted and name not in self.written:
                return value
            if is_array(value):
                named = self.namespace.get(name) is value
                if sys.getrefcount(value) > ALONE + named or _has_holders(value.base):
                    self.follow()
                value = self.borrowed.lift(value)
            elif name in self.wanted and is_scalar(value):
                value = self.borrowed.lift(fresh(value))
            else:
                return value
        if name in self.wanted:
            self.wanted.discard(name)
            self.watch(name, value)
        else:
            index = node_of(value)  # not a read: nothing has to be protected from a write
            if index >= 0:
                self.bindings.append((name, index))
        return value

    def show(self, value: Any) -> Any:
        """Return an expression statement's value as the display hook has to see it.

        An array may still change: its handle shows what it holds now, and is exchanged at the end
        wherever the shell has put it.
        """
        if type(value) is TracedArray and not isinstance(value, np.ndarray):
            return self.borrowed.lower(value)
        return value

    def last(self, value: Any) -> Any:
        """Do the same for the expression at the end of the cell, the default target."""
        self.last_value = value
        storage = getattr(value, "storage", None)
        if type(value) is TracedArray and not getattr(storage, "changed", False):
            return self.borrowed.lower(value)
        return self.show(value)

    def install(self) -> None:
        """Become what instrumented code at cell level calls."""
        RUNNING.append(self)
        setattr(builtins, HIDDEN, self)

    def remove(self) -> None:
        """Leave no name behind."""
        RUNNING.remove(self)
        del self.watch, self.follow, self.prepare  # back to the run: else it lives in a circle
        if RUNNING:
            setattr(builtins, HIDDEN, RUNNING[-1])
        else:
            delattr(builtins, HIDDEN)
