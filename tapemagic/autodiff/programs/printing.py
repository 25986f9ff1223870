"""From steps to the text of a function.

A step that is used once, and has no name in the user's code, is written where it is used: that
reads better, and NumPy then computes into its temporary memory by itself. Of the others, a large
array that is not needed any more lends its memory to the next one (``out=``).
"""

from __future__ import annotations

import bisect
import re
import textwrap

import numpy as np

from .blocks import Blocks, in_blocks
from .expressions import ATOM, Expressions
from .loops import rolled
from .memory import copy_views, is_fresh, is_read, last_uses, memory_of, needed, written_over
from .names import Places
from .spelling import Speller
from .symbols import Symbol, is_symbol, symbols_in

_LONGEST = 60  # an inner expression longer than this gets a line of its own
_DIGITS = re.compile(r"\d+")  # do not count, so that every round of a loop is cut in the same way
#: A sum of more terms is written as one that grows.
FEW_TERMS = 3
#: From this many bytes on memory is worth being used again.
LARGE = 1 << 18


class Printer(Expressions):
    """Writes the steps that the results need.

    Parameters
    ----------
    outputs : list of Symbol or constant
    checks : list of (Symbol, place)
    speller : Speller
    places : Places
        Where in the user's code steps come from.
    cuts : bool
        Whether elementwise work on large arrays is done block by block.
    """

    def __init__(
        self, steps: list[Symbol], outputs: list, checks: list, speller: Speller, places: Places,
        *, cuts: bool,
    ) -> None:  # fmt: skip
        super().__init__(speller)
        self._places, self._outputs, self._checks = places, outputs, checks
        for number, step in enumerate(steps):
            step.number = number
        roots = [*symbols_in(outputs), *(step for step, _ in checks)]
        self._steps = needed(steps, roots)
        self._blocks = in_blocks(self._steps, roots) if cuts else None
        self._users: dict[int, list[int]] = {step.number: [] for step in self._steps}
        for step in self._steps:
            for used in symbols_in([step.args, step.kwargs]):
                self._users[used.number].append(step.number)
        for step in reversed(self._steps):  # an array has one name from the first write to the last
            if step.kind == "update" and step.name and is_symbol(step.args[0]):
                base = step.args[0]
                if not base.name and (base.kind == "update" or is_fresh(base)):
                    base.name = step.name
            elif step.fun is np.add and step.name:
                self._name_sum(step)
        end = self._steps[-1].number + 1 if self._steps else 0
        for step in symbols_in(outputs):
            self._users[step.number].append(end)
        self._waiting: dict[int, list] = {}
        for step, place in checks:
            self._users[step.number].append(step.number)
            self._waiting.setdefault(step.number, []).append(place)
        self._by_number = {step.number: step for step in self._steps}
        copy_views(self._steps, self._users)
        self._last = last_uses(self._steps, self._users)
        updates = [step for step in self._steps if step.kind == "update"]
        self._updates = [step.number for step in updates]
        self._written_over = written_over(self._steps, self._users)
        self._written = {number for step in updates for number in memory_of(step.args[0])}
        self._rows: list[str] = []
        self._at = ""

    def rows(self) -> list[str]:
        """Return the lines of the body."""
        blocks = self._blocks
        last = max(blocks.members) if blocks else -1
        for step in self._steps:
            if blocks is None or step.number not in blocks.members:
                self._write_one(step)
            elif step.number == last:
                self._write_blocks(blocks)
        texts = [self._operand(x) for x in self._outputs]
        self._rows.append(f"return {', '.join(texts)}" + ("," if len(texts) == 1 else ""))
        return self._rows

    def _write_one(self, step: Symbol) -> None:
        if step.kind == "input":
            self._text[step.number] = (step.name, ATOM)
        elif step.kind == "constant":
            self._text[step.number] = (self._speller.constant(step.value), ATOM)
        elif step.kind == "item" and step.args[0].kind == "constant":
            self._text[step.number] = self._expression(step)
        else:
            self._write(step)
        for place in self._waiting.get(step.number, ()):
            self._write_check(step, place)

    def _write_blocks(self, blocks: Blocks) -> None:
        """Write a loop over blocks of rows: in it, the name of an array stands for one block."""
        members = [self._by_number[number] for number in sorted(blocks.members)]
        start, block = map(self._speller.fresh, ("start", "block"))
        outer, self._rows = self._rows, []
        read = {x.number: x for step in members for x in symbols_in(step.args)}
        whole = {k: self._text[k] for k, x in read.items() if k in self._text and blocks.is_cut(x)}
        self._text |= {k: (f"{self._wrapped(read[k], ATOM)}[{block}]", ATOM) for k in whole}
        for k, step in sorted(blocks.kept.items()):
            whole[k] = (self._named(step), ATOM)
            outer.append(f"{whole[k][0]} = np.empty({_like(step)})")
            self._text[k] = (f"{whole[k][0]}[{block}]", ATOM)
        for step in members:
            self._write(step)
        body = [f"{block} = slice({start}, {start} + {blocks.rows})"]
        body += rolled(self._rows, set(), self._speller.fresh)
        outer.append(f"for {start} in range(0, {blocks.shape[0]}, {blocks.rows}):")
        outer += textwrap.indent("\n".join(body), "    ").split("\n")
        self._rows = outer
        self._text |= whole
        for step in members:
            for place in self._waiting.get(step.number, ()):
                self._write_check(step, place)

    # --------------------------------------------------------------------------------- steps

    def _write(self, step: Symbol) -> None:
        if step.kind == "update":
            self._write_update(step)
            return
        text = self._expression(step)
        if self._blocks and step.number in self._blocks.kept:
            self._note(step.place)
            self._rows.append(f"{self._text[step.number][0]} = {text[0]}")
            return
        if self._is_inlined(step, text[0]):
            self._text[step.number] = text
            self._read_later(step, max(self._users[step.number]))
            return
        self._note(step.place)
        if self._is_accumulated(step):
            total, part = step.args
            self._text[step.number] = self._text[total.number]
            self._rows.append(f"{self._operand(total)} += {self._operand(part)}")
            return
        buffer = self._buffer(step)
        name = self._named(step)
        if buffer is not None:
            self._rows.append(f"{name} = {self._into(step, self._text[buffer.number][0])}")
        else:
            self._rows.append(f"{name} = {text[0]}")

    def _into(self, step: Symbol, out: str) -> str:
        """Spell an elementwise step that writes into an array."""
        args, where = step.args, ""
        chosen = _chosen(step)
        if chosen is not None and self._text[args[1].number][1] == ATOM:
            if not self._text[args[1].number][0].isidentifier():  # ``x + np.where(mask, y, 0)``
                args, where = (args[0], chosen[1]), f", where={self._operand(chosen[0])}"
        arguments = ", ".join(map(self._argument_of(step), args))
        return f"{self._speller.function(step.fun)}({arguments}, out={out}{where})"

    def _name_sum(self, step: Symbol) -> None:
        """Give all partial sums of many terms the name of the whole."""
        partial = [step]
        while partial[-1].fun is np.add and is_symbol(partial[-1].args[0]):
            x = partial[-1].args[0]
            if x.name or not is_fresh(x) or self._users[x.number] != [partial[-1].number]:
                break
            partial.append(x)
        if len(partial) > FEW_TERMS:
            for x in partial:
                x.name = step.name

    def _is_accumulated(self, step: Symbol) -> bool:
        """Tell whether a step adds to a partial sum of the same name, in its memory."""
        if step.fun is not np.add or step.kwargs or not step.name:
            return False
        x = step.args[0]
        return (
            is_symbol(x)
            and x.name == step.name
            and self._is_free(x, step)
            and (x.value.shape, x.value.dtype) == (step.value.shape, step.value.dtype)
        )

    def _named(self, step: Symbol) -> str:
        name = self._speller.fresh(step.name) if step.name else self._speller.temporary()
        self._text[step.number] = (name, ATOM)
        return name

    def _is_inlined(self, step: Symbol, text: str) -> bool:
        users = self._users[step.number]
        if is_read(step) and max(users) in self._by_number and not self._blocks:
            base = step.args[0]
            if self._operand(base).isidentifier() and not self._written & {*memory_of(base)}:
                return True
        if step.name or len(users) != 1 or users[0] not in self._by_number:
            return False
        user = self._by_number[users[0]]
        if user is step:  # only checked
            return True
        if self._blocks and self._blocks.are_apart(step, user):
            return False
        if step.kind != "part" and not self._places.are_one(step.place, user.place):
            return False
        if user.kind == "update" and user.args[0] is step:
            return False
        first = bisect.bisect_right(self._updates, step.number)
        written_between = first < bisect.bisect_left(self._updates, user.number)
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
        is_empty = step.number in self._written_over
        target = "" if is_empty else self._operand(base)
        if is_symbol(base) and step.fun != "copy" and self._is_free(base, step):
            self._text[step.number] = (target, ATOM)
        else:
            name = self._named(step)
            made = f"np.empty({_like(step)})" if is_empty else f"np.array({target})"
            self._rows.append(f"{name} = {made}")
            target = name
        if step.fun == "copy":
            return
        double = base.dtype in (np.dtype(float), np.dtype(complex))
        where, value = self._index(index), self._operand(v, double=double)
        if step.fun == "add.at":
            items = f"np.s_[{where}]" if ":" in where else f"({where})" if "," in where else where
            self._rows.append(f"np.add.at({target}, {items}, {value})")
        else:
            self._rows.append(f"{target}[{where}] {step.fun} {value}")

    def _write_check(self, step: Symbol, place: tuple) -> None:
        self._note(place)
        text, value = self._operand(step), step.value
        if isinstance(value, (bool, np.bool_)):
            condition = f"not {self._wrapped(step, 2)}" if value else text
            if value and step.fun is np.equal and not text.isidentifier():
                condition = " != ".join(self._wrapped(x, 2) for x in step.args)
        elif np.ndim(value) == 0 and not isinstance(value, tuple):
            known = int(value) if isinstance(value, np.integer) else value
            condition = f"{self._wrapped(step, 2)} != {self._speller.constant(known)}"
        else:
            nan = ", equal_nan=True" if np.asarray(value).dtype.kind in "fc" else ""
            condition = f"not np.array_equal({text}, {self._speller.constant(value)}{nan})"
        self._rows.append(f"if {condition}:")
        self._rows.append(f"    raise OtherWay({self._places.message(place)!r})")

    # --------------------------------------------------------------------------------- memory

    def _is_free(self, step: Symbol, user: Symbol) -> bool:
        """Tell whether `user` is the last to read `step`, whose memory nobody else knows."""
        return (
            is_fresh(step)
            and self._text[step.number][1] == ATOM
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
            or (self._blocks and step.number in self._blocks.members)  # blocks stay in the cache
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


def _chosen(step: Symbol) -> tuple | None:
    """Return mask and values if a step is ``x + np.where(mask, values, 0)``."""
    where = step.args[1] if step.fun is np.add else None
    if where is None or not is_symbol(where) or where.fun is not np.where or where.kwargs:
        return None
    mask, values, other = where.args
    return (mask, values) if not is_symbol(other) and np.ndim(other) == 0 and other == 0 else None


def _like(step: Symbol) -> str:
    """Spell the shape, dtype and order in memory of a step's value: a sum follows the order."""
    shape = step.shape[0] if step.ndim == 1 else step.shape
    kind = "" if step.dtype == float else f", np.{step.dtype.name}"
    return f"{shape}{kind}" + ("" if step.value.flags.c_contiguous else ', order="F"')
