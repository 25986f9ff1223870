"""From a recording to the steps of a program: forward once more, then backward, on symbols.

The rules are NumPy code. Run on symbols they write the gradient down instead of computing it. Only
the machinery's own primitives (elements, windows, writes) are written here once more, as updates.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff import elements
from tapemagic.autodiff import structure as machine
from tapemagic.autodiff.avals import AVALS, MULTIPLE, fit, full
from tapemagic.autodiff.calls.creation import ARRAY, nested_of
from tapemagic.autodiff.cuts import custom, no_program
from tapemagic.autodiff.places import decode, is_repeating, overlaps
from tapemagic.autodiff.primitives import PRIMITIVES, PULLBACKS
from tapemagic.autodiff.recorder import RECORDER, Recording
from tapemagic.autodiff.warned import unheard
from tapemagic.errors import TapeUseError

from .decision_links import Links, argument_of
from .symbols import concrete, is_symbol, name_cotangent
from .windows import index_of_window
from .writer import Rows, Writer, stacked

_READS = (machine.get_item, machine.window_get)
_WRITES = (machine.set_item, machine.window_set, machine.positions_set)
_SMALLER = {float: float, np.float64: float, np.complex128: complex}


class Replay:
    """Writes one recording, up to the node `top`, as steps.

    `values` are those of the sources, `names` the user's `Names` for nodes and arrays.
    """

    def __init__(self, recording: Recording, values: dict[int, Any], names: Any, top: int) -> None:
        self.entries = recording.entries
        self.decisions = recording.decisions
        self.values, self.names, self.top = values, names.of_nodes, top
        self.writer = Writer([*names.arrays, *stacked(self.entries, Rows(names.arrays))])
        self.nodes: dict[int, Any] = {}
        self.links = Links(recording)

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
                with self.writer.at("decision", number):
                    self._decide(number, decision)
                number, decision = next(waiting, (0, None))
            if k == count:
                break
            with self.writer.at("forward", k):
                self.nodes[k] = y = self._entry(k)
            if is_symbol(y) and k in self.names and not y.name:
                y.name = self.names[k]

    def _decide(self, number: int, decision: tuple) -> None:
        _, _, _, fun, args, kwargs = decision
        args = tuple([argument_of(x, self.nodes) for x in args])
        kwargs = {key: argument_of(x, self.nodes) for key, x in kwargs}
        found = args if fun is None else self.writer.run(fun, args, kwargs)
        if self.links.take(number, found):
            return
        for step in found if isinstance(found, tuple) else (found,):
            if is_symbol(step):
                self.writer.check(step)

    def _entry(self, k: int) -> Any:
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
            raise no_program(k, entry)
        if primitive.kind == "elementwise":
            y = self._elementwise(primitive, entry)
        elif primitive in _READS or primitive in _WRITES:
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

    def _elementwise(self, primitive: Any, entry: tuple) -> Any:
        ids, constants = entry[4 : 4 + primitive.arity], entry[6 : 6 + primitive.arity]
        args = [
            self.nodes[i] if i >= 0 else self.writer.constant(x)
            for i, x in zip(ids, constants, strict=True)
        ]
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

    # ----------------------------------------------------------------------------- machinery

    def _machinery(self, primitive: Any, k: int, entry: tuple) -> Any:
        ids, args = entry[4], entry[6]
        if primitive is machine.get_item:
            return self.nodes[ids[0]][self.links.replace(k, 1, decode(args[1]))]
        if primitive is machine.window_get:
            x = self.nodes[ids[0]]
            index = index_of_window(args[1], x.shape, x.dtype)
            if index is not None:
                return x[index]
            return self.writer.call(elements._get_window, (x, args[1]), {})
        aval = AVALS[entry[3]]
        v = self.nodes[ids[1]] if ids[1] >= 0 else args[1]
        base = self.nodes[ids[0]] if ids[0] >= 0 else args[0]
        base = self._fresh(np.empty, aval) if base is None else base
        if primitive is machine.set_item:
            return self.writer.update(base, self.links.replace(k, 2, decode(args[2])), v, "=")
        index = None
        if primitive is machine.window_set:
            index = index_of_window(args[2], aval.shape, aval.dtype)
        if index is not None:
            return self.writer.update(base, index, v, "=")
        fun = elements._set_window if primitive is machine.window_set else elements._set_positions
        return self.writer.call(fun, (base, v, args[2]), {})

    def _fresh(self, make: Any, aval: Any) -> Any:
        shape = aval.shape[0] if len(aval.shape) == 1 else aval.shape
        arguments = (shape,) if aval.dtype == float else (shape, aval.dtype)
        return self.writer.add("call", make, arguments, {}, make(*arguments))

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
            with self.writer.at("backward", k):
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
        if primitive in _READS:
            self._pull_read(ct, entry, cotangents)
        elif primitive in _WRITES:
            self._pull_write(ct, entry, k, cotangents, useful)
        else:
            PULLBACKS[entry[0]](ct, self._lifted(entry, k, useful), cotangents)

    def _lifted(self, entry: tuple, k: int, useful: bytearray) -> tuple:
        """Put symbols in place of saved values; hide operands that lead nowhere."""
        primitive = PRIMITIVES[entry[0]]
        if primitive.kind == "elementwise":
            ids = tuple(i if i >= 0 and useful[i] else -1 for i in entry[4:6])
            values = [
                self.nodes[i] if i >= 0 else self.writer.constant(x)
                for i, x in zip(entry[4:6], entry[6:8], strict=True)
            ]
            return (*entry[:4], *ids, *values, self.nodes[k], *entry[9:])
        if primitive is machine.pick:
            return entry
        ids = tuple(i if i >= 0 and useful[i] else -1 for i in entry[4])
        args = self._arguments(k, entry)
        return (*entry[:4], ids, entry[5], args, entry[7], self.nodes[k])

    def _pull_read(self, ct: Any, entry: tuple, cotangents: list) -> None:
        a, where = entry[4][0], entry[6][1]
        aval = AVALS[entry[5][0]]
        ct = full(ct, AVALS[entry[3]])
        old = cotangents[a]
        base = self._fresh(np.zeros, aval) if old is None else full(old, aval)
        if PRIMITIVES[entry[0]] is machine.get_item:
            index = self._index(cotangents[-2], 1, where)
        else:
            index = None if overlaps(where[1]) else index_of_window(where, aval.shape, aval.dtype)
        if index is not None:
            how = "add.at" if is_repeating(index) else "+="
            cotangents[a] = self.writer.update(base, index, ct, how)
        else:
            arguments = (ct, where, aval.shape, aval.dtype)
            new = self.writer.call(elements._scatter_window, arguments, {})
            cotangents[a] = new if old is None else old + new

    def _pull_write(
        self, ct: Any, entry: tuple, k: int, cotangents: list, useful: bytearray
    ) -> None:
        primitive, (a, v), where = PRIMITIVES[entry[0]], entry[4], entry[6][2]
        aval, index = AVALS[entry[3]], None
        ct = fit(full(ct, aval), aval)  # a window is counted in bytes
        if primitive is machine.set_item:
            index = self._index(k, 2, where)
        elif primitive is machine.window_set:
            index = index_of_window(where, aval.shape, aval.dtype)
        if v >= 0 and useful[v]:
            new = self._written_part(ct, primitive, where, index, aval)
            new = fit(new, AVALS[entry[5][1]])
            old = cotangents[v]
            cotangents[v] = new if old is None else old + new
        if a >= 0 and useful[a]:
            if index is not None:
                rest = self.writer.update(ct, index, 0.0, "=")
            else:
                in_window = primitive is machine.window_set
                fun = elements._zero_window if in_window else elements._zero_positions
                rest = self.writer.call(fun, (ct, where), {})
            old = cotangents[a]
            cotangents[a] = rest if old is None else old + rest

    def _index(self, k: int, position: int, where: Any) -> Any:
        """Return the index of a read or write; ``x[None]`` as ``x[(None,)]``."""
        index = self.links.replace(k, position, decode(where))
        return (None,) if index is None else index

    def _written_part(self, ct: Any, primitive: Any, where: Any, index: Any, aval: Any) -> Any:
        """Return the cotangent of what was written: where several values met, the last counts."""
        if index is not None:
            new = ct[index]
            if is_repeating(concrete(index)):
                ones = np.ones(np.shape(concrete(new)), bool)
                return np.where(elements._winners(concrete(index), aval.shape, ones), new, 0)
            return new
        if primitive is machine.window_set:
            return self.writer.call(elements._get_window, (ct, where), {})
        new = self.writer.call(elements._get_positions, (ct, where), {})
        ones = np.ones(np.shape(concrete(new)), bool)
        return np.where(elements._winners(where[1], (aval.size * 2,), ones), new, 0)


def _ids(entry: tuple) -> tuple:
    return entry[4:6] if type(entry[4]) is int else entry[4]
