"""From a recording to the steps of a program: forward once more, then backward, on symbols.

The rules are NumPy code. Run on symbols they write the gradient down instead of computing it.
"""

from __future__ import annotations

import functools
import operator
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from tapemagic.autodiff import structure as machine
from tapemagic.autodiff.avals import AVALS, MULTIPLE, fit, full
from tapemagic.autodiff.calls.creation import ARRAY, nested_of
from tapemagic.autodiff.cuts import custom, no_program
from tapemagic.autodiff.primitives import PRIMITIVES, PULLBACKS
from tapemagic.autodiff.pullbacks import partial_of
from tapemagic.autodiff.recorder import RECORDER, Recording
from tapemagic.autodiff.warned import unheard
from tapemagic.errors import TapeUseError

from .decision_links import Links, argument_of
from .machinery import READS, WRITES, Machinery
from .once_more import recorded_again
from .symbols import concrete, is_symbol, name_cotangent
from .texts import names_in_source
from .writer import Writer

_SMALLER = {float: float, np.float64: float, np.complex128: complex}


class Replay(Machinery):
    """Writes one recording, up to the node `top`, as steps.

    `values` are those of the sources, `names` the user's for nodes. A run inside of another one is
    written at one `place` of that, and its sources are among the `nodes` from the beginning.
    """

    def __init__(
        self, recording: Recording, values: dict[int, Any], names: dict[int, str], top: int,
        writer: Writer, *, nodes: dict[int, Any] | None = None, place: tuple | None = None,
    ) -> None:  # fmt: skip
        self.entries = recording.entries
        self.decisions = recording.decisions
        self.values, self.names, self.top = values, names, top
        self.writer, self._place = writer, place
        self.nodes: dict[int, Any] = nodes or {}
        self.put_back: set[int] = set()
        self.links = Links(recording)

    def _at(self, *place: Any) -> AbstractContextManager[None]:
        return self.writer.at(*(self._place or place))

    # ------------------------------------------------------------------------------- forward

    def forward(self) -> None:
        """Write the entries up to the target, and the decisions of the run."""
        was, RECORDER.writer = RECORDER.writer, self.writer.run
        try:
            with unheard():
                self._forward()
        finally:
            RECORDER.writer = was

    def _forward(self) -> None:
        # What was decided after the target was computed may have decided that it is the target.
        count = max((self.top + 1, *(position for position, *_ in self.decisions)))
        waiting = iter(enumerate(self.decisions))
        number, decision = next(waiting, (0, None))
        for k in range(count + 1):
            while decision is not None and decision[0] <= k:
                with self._at("decision", number):
                    self._decide(number, decision)
                number, decision = next(waiting, (0, None))
            if k == count:
                break
            with self._at("forward", k):
                self.nodes[k] = y = self._entry(k)
            if is_symbol(y) and k in self.names and not y.name:
                y.name = self.names[k]

    def _decide(self, number: int, decision: tuple) -> None:
        _, _, _, fun, args, kwargs = decision
        args = tuple([argument_of(x, self.nodes) for x in args])
        kwargs = {key: argument_of(x, self.nodes) for key, x in kwargs}
        if fun is operator.pos:  # a value that was cut off
            found = args[0]
        else:
            found = args if fun is None else self.writer.run(fun, args, kwargs)
        if self.links.take(number, found):
            return
        for step in found if isinstance(found, tuple) else (found,):
            if is_symbol(step):
                self.writer.check(step)

    def _entry(self, k: int) -> Any:
        if k in self.nodes:
            return self.nodes[k]
        entry = self.entries[k]
        primitive = PRIMITIVES[entry[0]]
        if k in self.values:
            return self.writer.add("input", self.names.get(k, ""), (), {}, self.values[k])
        if primitive is machine.source:
            raise TapeUseError(
                "The value of a watched array is not on the tape any more.",
                fix="Make the program before the array is changed, or name it as a source.",
            )
        if primitive is custom:
            y = self._once_more(k, entry, None)
        elif primitive.kind == "elementwise":
            y = self._elementwise(primitive, k, entry)
        elif primitive in READS or primitive in WRITES:
            y = self._machinery(primitive, k, entry)
        elif primitive is machine.pick:
            y = self.nodes[entry[4][0]][entry[6][1]]
        elif primitive is ARRAY:
            nested = nested_of(dict(entry[7])["positions"], self._arguments(k, entry))
            y = self.writer.call(np.array, (nested,), {})
        else:
            y = self.writer.run(primitive.fun, self._arguments(k, entry), dict(entry[7] or ()))
        if entry[3] != MULTIPLE:
            return self._as_recorded(y, AVALS[entry[3]], entry)
        for part in filter(is_symbol, y):
            if part.dtype.kind not in "fc":  # a rank, exponents: they went to plain code
                self.writer.check(part)
        return y

    def _arguments(self, k: int, entry: tuple) -> tuple:
        ids, args = entry[4], entry[6]
        return tuple(
            self.nodes[ids[i]]
            if i < len(ids) and ids[i] >= 0
            else self.writer.constant(self.links.replace(k, i, arg))
            for i, arg in enumerate(args)
        )

    def _operands(self, k: int, entry: tuple, count: int) -> list:
        return [
            self.nodes[id_] if id_ >= 0 else self.writer.constant(self.links.replace(k, i, x))
            for i, (id_, x) in enumerate(zip(entry[4 : 4 + count], entry[6 : 6 + count]))
        ]

    def _elementwise(self, primitive: Any, k: int, entry: tuple) -> Any:
        args = self._operands(k, entry, primitive.arity)
        if primitive is machine.identity:
            return args[0]
        aval = AVALS[entry[3]]
        if isinstance(primitive.fun, type):
            if args[0].dtype != aval.dtype:
                return args[0].astype(aval.dtype)
            return self.writer.run(np.asarray(concrete(args[0])).dtype.type, tuple(args), {})
        y = self.writer.run(primitive.fun, tuple(args), {})
        if y.dtype != aval.dtype:  # a Python number was kept as NumPy's, which widens
            weak = tuple([_SMALLER.get(type(x), lambda x: x)(x) for x in args])
            y = self.writer.run(primitive.fun, weak, {})
        return y

    def _once_more(self, k: int, entry: tuple, cts: list | None) -> Any:
        """Write a call of a function with a gradient of its own: its value, or the gradient."""
        operands = [self.nodes[i] if i >= 0 else None for i in entry[4]]
        try:
            recording, sources, results, has_gradient = recorded_again(
                entry[6], concrete(operands), concrete(cts)
            )
        except Exception as error:  # whatever the user's function raises now
            reason = f"called once more it raises {type(error).__name__}."
            raise no_program(k, entry, reason) from error
        given = [x for x in operands if x is not None] + (cts or [])
        inner = Replay(
            recording, {}, names_in_source(recording), len(recording.entries) - 1, self.writer,
            nodes=dict(zip(sources, given, strict=False)), place=self.writer.place,
        )  # fmt: skip
        inner.forward()
        if cts is not None and not has_gradient:
            seeds: dict[int, Any] = {}
            for (_, id_), ct in zip(results, cts, strict=True):
                seeds[id_] = seeds[id_] + ct if id_ in seeds else ct
            seeds.pop(-1, None)
            inner.top = max(seeds, default=-1)
            found = inner.backward(seeds, {id_ for id_ in sources if id_ <= inner.top})
            nodes = iter(sources)
            return [None if x is None else found.get(next(nodes)) for x in operands]
        written = [inner.nodes[i] if i >= 0 else self.writer.constant(x) for x, i in results]
        if cts is not None or entry[3] == MULTIPLE:
            return written
        if entry[8] is not None and not np.allclose(concrete(written[0]), entry[8], equal_nan=True):
            raise no_program(k, entry, "called once more it gives another value.")
        return written[0]

    def _as_recorded(self, y: Any, aval: Any, entry: tuple) -> Any:
        """Make sure of shape and dtype: those of keywords like `dtype=` are not on the tape."""
        if y.dtype != aval.dtype:
            y = y.astype(aval.dtype)
        if y.ndim == 0 and aval.ndim == 1:  # numbers for the elements that `where=` selected
            return self.writer.run(np.broadcast_to, (y, aval.shape), {})
        if y.shape != aval.shape:
            name = PRIMITIVES[entry[0]].name
            raise TapeUseError(f"{name} gave shape {aval.shape}, and {y.shape} in a program.")
        return y

    # ------------------------------------------------------------------------------ backward

    def backward(self, seeds: dict[int, Any], wanted: set[int]) -> dict[int, Any]:
        """Write the reverse sweep; return the cotangents of `wanted`."""
        was, RECORDER.writer = RECORDER.writer, self.writer.run
        try:
            with unheard():
                return self._backward(seeds, wanted)
        finally:
            RECORDER.writer = was

    def _backward(self, seeds: dict[int, Any], wanted: set[int]) -> dict[int, Any]:
        cotangents: list[Any] = [None] * (self.top + 1) + [(), self.top, set()]
        for id_, ct in seeds.items():
            cotangents[id_] = ct
        useful = self._depending(wanted)
        found = {}
        for k in range(self.top, min(wanted) - 1, -1):
            ct = cotangents[k]
            if ct is None or not useful[k]:
                continue
            if k in wanted:
                found[k] = ct
            if k in self.names:
                name_cotangent(ct, self.names[k])
            cotangents[-2] = k
            with self._at("backward", k):
                self._pull(ct, self.entries[k], k, cotangents, useful)
            cotangents[k] = None
        return found

    def _depending(self, wanted: set[int]) -> bytearray:
        """Mark the nodes that depend on what is wanted: nothing else needs a cotangent."""
        useful = bytearray(self.top + 1)
        for k in range(self.top + 1):
            useful[k] = k in wanted or any(i >= 0 and useful[i] for i in _ids(self.entries[k]))
        return useful

    def _pull(self, ct: Any, entry: tuple, k: int, cotangents: list, useful: bytearray) -> None:
        primitive = PRIMITIVES[entry[0]]
        if primitive in READS:
            self._pull_read(ct, entry, cotangents)
        elif primitive in WRITES:
            self._pull_write(ct, entry, k, cotangents, useful)
        elif primitive is custom:
            rule = (functools.partial(self._once_more, k, entry), *entry[6][1:])
            ids = tuple(i if i >= 0 and useful[i] else -1 for i in entry[4])
            PULLBACKS[entry[0]](ct, (*entry[:4], ids, entry[5], rule, *entry[7:]), cotangents)
        elif primitive.chooses and not np.all(np.isfinite(concrete(ct))):
            _pull_chosen(ct, self._lifted(entry, k, useful), cotangents)
        else:
            PULLBACKS[entry[0]](ct, self._lifted(entry, k, useful), cotangents)

    def _lifted(self, entry: tuple, k: int, useful: bytearray) -> tuple:
        """Put symbols in place of saved values; hide operands that lead nowhere."""
        primitive = PRIMITIVES[entry[0]]
        if primitive.kind == "elementwise":
            ids = tuple(i if i >= 0 and useful[i] else -1 for i in entry[4:6])
            values = self._operands(k, entry, 2)
            return (*entry[:4], *ids, *values, self.nodes[k], *entry[9:])
        if primitive is machine.pick:
            return entry
        ids = tuple(i if i >= 0 and useful[i] else -1 for i in entry[4])
        args = self._arguments(k, entry)
        return (*entry[:4], ids, entry[5], args, entry[7], self.nodes[k])


def _pull_chosen(ct: Any, lifted: tuple, cotangents: list) -> None:
    """Pull an infinite cotangent back: an operand that was not chosen gets 0, and no nan."""
    primitive = PRIMITIVES[lifted[0]]
    x1, x2, y, *codes = lifted[6:]
    ct = full(ct, AVALS[lifted[3]])
    for position, operand in enumerate(lifted[4:6]):
        if operand >= 0:
            share = partial_of(primitive, position)(y, x1, x2)
            aval = AVALS[codes[position] if codes else lifted[3]]
            new = fit(np.where(share != 0, ct * share, 0), aval)
            old = cotangents[operand]
            cotangents[operand] = new if old is None else old + new


def _ids(entry: tuple) -> tuple:
    return entry[4:6] if type(entry[4]) is int else entry[4]
