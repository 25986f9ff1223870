"""From steps to the text of a function.

A step that is used once, and has no name in the user's code, is written where it is used: that
reads better, and NumPy then computes into its temporary memory by itself. Of the others, a large
array that is not needed any more lends its memory to the next one (``out=``).
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from .program_names import Places
from .spelling import Speller, is_default
from .symbols import Symbol, is_symbol, symbols_in

_OPERATORS: dict[Any, tuple[str, int]] = {  # symbol, how tightly it binds
    np.add: ("+", 5), np.subtract: ("-", 5), np.multiply: ("*", 6), np.divide: ("/", 6),
    np.matmul: ("@", 6), np.floor_divide: ("//", 6), np.remainder: ("%", 6), np.power: ("**", 8),
    np.less: ("<", 1), np.less_equal: ("<=", 1), np.greater: (">", 1),
    np.greater_equal: (">=", 1), np.equal: ("==", 1), np.not_equal: ("!=", 1),
    np.bitwise_and: ("&", 4), np.bitwise_or: ("|", 2), np.bitwise_xor: ("^", 3),
}  # fmt: skip
#: Functions, besides ufuncs, whose result is never a view.
_FRESH = {
    np.zeros, np.empty, np.zeros_like, np.concatenate, np.stack, np.where, np.outer, np.sum,
    np.mean,
}  # fmt: skip
_ATOM, _UNARY = 9, 7
_LONGEST = 60  # an inner expression longer than this gets a line of its own
_DIGITS = re.compile(r"\d+")  # do not count, so that every round of a loop is cut in the same way
#: From this many bytes on memory is worth being used again.
LARGE = 1 << 18


class Printer:
    """Writes the steps that the results need.

    Parameters
    ----------
    outputs : list of Symbol or constant
    checks : list of (Symbol, place)
    speller : Speller
    places : Places
        Where in the user's code steps come from.
    """

    def __init__(
        self, steps: list[Symbol], outputs: list, checks: list, speller: Speller, places: Places
    ) -> None:
        self._speller, self._places = speller, places
        self._outputs, self._checks = outputs, checks
        self._steps = _needed(steps, [*symbols_in(outputs), *(step for step, _ in checks)])
        self._users: dict[int, list[int]] = {step.number: [] for step in self._steps}
        for step in self._steps:
            for used in symbols_in([step.args, step.kwargs]):
                self._users[used.number].append(step.number)
        for step in reversed(self._steps):  # an array has one name from the first write to the last
            if step.kind == "update" and step.name and is_symbol(step.args[0]):
                base = step.args[0]
                if not base.name and (base.kind == "update" or is_fresh(base)):
                    base.name = step.name
        end = self._steps[-1].number + 1 if self._steps else 0
        for step in symbols_in(outputs):
            self._users[step.number].append(end)
        for step, _ in checks:
            self._users[step.number].append(max(step.number, -1))
        self._by_number = {step.number: step for step in self._steps}
        self._last = self._last_uses(end)
        self._updates = sorted(step.number for step in self._steps if step.kind == "update")
        self._text: dict[int, tuple[str, int]] = {}  # step -> expression, how tightly it binds
        self._rows: list[str] = []
        self._at = ""

    def rows(self) -> list[str]:
        """Return the lines of the body."""
        waiting: dict[int, list] = {}
        for step, place in self._checks:
            waiting.setdefault(step.number, []).append((step, place))
        for step in self._steps:
            if step.kind == "input":
                self._text[step.number] = (step.name, _ATOM)
            elif step.kind == "constant":
                self._text[step.number] = (self._speller.constant(step.value), _ATOM)
            elif step.kind == "item" and step.args[0].kind == "constant":
                self._text[step.number] = self._expression(step)
            else:
                self._write(step)
            for checked, place in waiting.get(step.number, ()):
                self._write_check(checked, place)
        texts = [self._operand(x) for x in self._outputs]
        self._rows.append(f"return {', '.join(texts)}" + ("," if len(texts) == 1 else ""))
        return self._rows

    # --------------------------------------------------------------------------------- steps

    def _write(self, step: Symbol) -> None:
        if step.kind == "update":
            self._write_update(step)
            return
        text = self._expression(step)
        if self._is_inlined(step, text[0]):
            self._text[step.number] = text
            self._read_later(step, self._users[step.number][0])
            return
        self._note(step.place)
        buffer = self._buffer(step)
        name = self._named(step)
        if buffer is not None:
            arguments = ", ".join(map(self._argument_of(step), step.args))
            fun = self._speller.function(step.fun)
            self._rows.append(f"{name} = {fun}({arguments}, out={self._text[buffer.number][0]})")
        else:
            self._rows.append(f"{name} = {text[0]}")

    def _named(self, step: Symbol) -> str:
        name = self._speller.fresh(step.name or f"t{step.number}")
        self._text[step.number] = (name, _ATOM)
        return name

    def _is_inlined(self, step: Symbol, text: str) -> bool:
        users = self._users[step.number]
        if step.name or len(users) != 1 or users[0] not in self._by_number:
            return False
        user = self._by_number[users[0]]
        if user is step:  # only checked
            return True
        if step.kind != "part" and not self._places.are_one(step.place, user.place):
            return False
        if user.kind == "update" and user.args[0] is step:
            return False
        first = bisect.bisect_right(self._updates, step.number)
        written_between = first < bisect.bisect_right(self._updates, user.number)
        return len(_DIGITS.sub("0", text)) <= _LONGEST and not written_between

    def _read_later(self, step: Symbol, user: int) -> None:
        """Note that what an inner expression reads is read only where that expression stands."""
        for used in symbols_in([step.args, step.kwargs]):
            self._last[used.number] = max(self._last[used.number], user)
            if not is_fresh(used) or not self._text[used.number][0].isidentifier():
                self._read_later(used, user)

    def _note(self, place: tuple) -> None:
        comment = self._places.comment(place)
        if comment and comment != self._at:
            self._rows.append(comment)
            self._at = comment

    def _write_update(self, step: Symbol) -> None:
        base, index, v = step.args
        self._note(step.place)
        target = self._operand(base)
        if is_symbol(base) and step.fun != "copy" and self._is_free(base, step):
            self._text[step.number] = (target, _ATOM)
        else:
            name = self._named(step)
            self._rows.append(f"{name} = np.array({target})")
            target = name
        if step.fun == "copy":
            return
        double = base.dtype in (np.dtype(float), np.dtype(complex))
        where, value = self._index(index), self._operand(v, double=double)
        if step.fun == "add.at":
            self._rows.append(f"np.add.at({target}, ({where}), {value})")
        else:
            self._rows.append(f"{target}[{where}] {step.fun} {value}")

    def _write_check(self, step: Symbol, place: tuple) -> None:
        self._note(place)
        text, value = self._operand(step), step.value
        if isinstance(value, (bool, np.bool_)):
            condition = f"not {self._wrapped(step, 2)}" if value else text
        elif np.ndim(value) == 0 and not isinstance(value, tuple):
            condition = f"{self._wrapped(step, 2)} != {self._speller.constant(value)}"
        else:
            nan = ", equal_nan=True" if np.asarray(value).dtype.kind in "fc" else ""
            condition = f"not np.array_equal({text}, {self._speller.constant(value)}{nan})"
        self._rows.append(f"if {condition}:")
        self._rows.append(f"    raise OtherWay({self._places.message(place)!r})")

    # --------------------------------------------------------------------------- expressions

    def _expression(self, step: Symbol) -> tuple[str, int]:
        if step.kind == "part":
            whole, i = step.args
            return f"{self._wrapped(whole, _ATOM)}[{i}]", _ATOM
        if step.kind == "item":
            return f"{self._wrapped(step.args[0], _ATOM)}[{self._index(step.args[1])}]", _ATOM
        if step.kind == "attribute":
            return f"{self._wrapped(step.args[0], _ATOM)}.{step.fun}", _ATOM
        if step.kind == "method":
            arguments = self._arguments(step.args[1:], step.kwargs, step)
            return f"{self._wrapped(step.args[0], _ATOM)}.{step.fun}({arguments})", _ATOM
        if not step.kwargs and step.fun in _OPERATORS and len(step.args) == 2:
            sign, tightness = _OPERATORS[step.fun]
            operand = self._argument_of(step)
            left, right = step.args
            a = self._wrapped(left, tightness + (sign == "**" or tightness == 1), operand)
            b = self._wrapped(right, tightness + (sign != "**"), operand)
            return (f"{a}{sign}{b}" if sign == "**" else f"{a} {sign} {b}"), tightness
        if not step.kwargs and step.fun is np.negative:
            return f"-{self._wrapped(step.args[0], _UNARY)}", _UNARY
        if not step.kwargs and step.fun is np.invert:
            return f"~{self._wrapped(step.args[0], _UNARY)}", _UNARY
        if not step.kwargs and step.fun is np.square:
            return f"{self._wrapped(step.args[0], _ATOM)}**2", 8
        fun = self._speller.function(step.fun)
        return f"{fun}({self._arguments(step.args, step.kwargs, step)})", _ATOM

    def _arguments(self, args: tuple, kwargs: dict, step: Symbol) -> str:
        operand = self._argument_of(step) if isinstance(step.fun, np.ufunc) else self._operand
        given = [operand(x) for x in args]
        return ", ".join(
            given
            + [
                f"{key}={self._operand(x)}"
                for key, x in kwargs.items()
                if is_symbol(x) or not is_default(step.fun, key, x)
            ]
        )

    def _argument_of(self, step: Symbol) -> Callable:
        """Return how operands are spelled: beside float64, a float64 number is just a number."""
        double = all(
            x.value.dtype in (np.dtype(float), np.dtype(complex)) for x in symbols_in(step.args)
        )
        return lambda x: self._operand(x, double=double)

    def _operand(self, x: Any, *, double: bool = False) -> str:
        if is_symbol(x):
            return self._text[x.number][0]
        if type(x) in (list, tuple) and symbols_in(x):
            items = ", ".join(map(self._operand, x))
            return f"[{items}]" if type(x) is list else f"({items},)"
        if type(x) is slice and symbols_in(x):
            return f"slice({', '.join(map(self._operand, (x.start, x.stop, x.step)))})"
        if type(x) is dict and symbols_in(x):
            return "{" + ", ".join(f"{k!r}: {self._operand(v)}" for k, v in x.items()) + "}"
        return self._speller.constant(x, double=double)

    def _wrapped(self, x: Any, tightness: int, operand: Callable | None = None) -> str:
        text = (operand or self._operand)(x)
        if is_symbol(x):
            return f"({text})" if self._text[x.number][1] < tightness else text
        return f"({text})" if text.startswith("-") and tightness > _UNARY else text

    def _index(self, index: Any) -> str:
        if type(index) is tuple:
            return ", ".join(map(self._index, index)) + ("," if len(index) == 1 else "") or "()"
        if type(index) is slice and not symbols_in(index):
            parts = ["" if part is None else str(part) for part in (index.start, index.stop)]
            return ":".join(parts) + ("" if index.step in (None, 1) else f":{index.step}")
        return self._operand(index)

    # --------------------------------------------------------------------------------- memory

    def _last_uses(self, end: int) -> dict[int, int]:
        """Return where the memory of each step is read last, also through views of it."""
        last = {step.number: max(self._users[step.number], default=-1) for step in self._steps}
        for step in reversed(self._steps):
            if not is_fresh(step):
                for used in symbols_in([step.args, step.kwargs]):
                    last[used.number] = max(last[used.number], last[step.number])
        return last

    def _is_free(self, step: Symbol, user: Symbol) -> bool:
        """Tell whether `user` is the last to read `step`, whose memory nobody else knows."""
        return (
            is_fresh(step)
            and self._text[step.number][1] == _ATOM
            and self._text[step.number][0].isidentifier()
            and self._last[step.number] <= user.number
            and self._users[step.number].count(user.number) == 1
            and isinstance(step.value, np.ndarray)
        )

    def _buffer(self, step: Symbol) -> Symbol | None:
        """Return an operand whose memory the result of an elementwise step can take."""
        value = step.value
        if (
            step.kind != "call" or not isinstance(step.fun, np.ufunc) or step.kwargs
            or step.fun.signature is not None or step.fun.nout > 1
            or not isinstance(value, np.ndarray) or value.nbytes < LARGE
        ):  # fmt: skip
            return None
        for x in step.args:
            if (
                is_symbol(x)
                and self._is_free(x, step)
                and (x.value.shape, x.value.dtype) == (value.shape, value.dtype)
            ):
                return x
        return None


def _needed(steps: list[Symbol], roots: list[Symbol]) -> list[Symbol]:
    """Return the steps that the roots depend on, in order."""
    needed = {step.number for step in roots}
    for step in reversed(steps):
        if step.number in needed:
            needed.update(used.number for used in symbols_in([step.args, step.kwargs]))
    return [step for step in steps if step.number in needed]


def is_fresh(step: Symbol) -> bool:
    """Tell whether the memory of a step's result is its own for certain."""
    if not isinstance(step.value, np.ndarray):
        return True
    if step.kind == "call":
        return isinstance(step.fun, np.ufunc) or step.fun in _FRESH
    return step.kind == "update"
