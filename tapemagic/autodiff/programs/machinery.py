"""The machinery's own primitives (elements, windows, writes) in a program: as updates of arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff import elements
from tapemagic.autodiff import structure as machine
from tapemagic.autodiff.avals import AVALS, fit, full
from tapemagic.autodiff.places import decode, is_repeating, overlaps
from tapemagic.autodiff.primitives import PRIMITIVES

from .decision_links import Links
from .literals import is_zero
from .symbols import concrete, is_symbol, symbols_in
from .windows import index_of_window
from .writer import Writer

READS = (machine.get_item, machine.window_get)
WRITES = (machine.set_item, machine.window_set, machine.positions_set)
_ALL = slice(None)
_ZERO = 0.0  # what a pullback writes, and nobody else


class Machinery:
    """Writes reads and writes of arrays, and their pullbacks, with what they need to know."""

    writer: Writer
    nodes: dict[int, Any]
    links: Links
    put_back: set[int]  # writes of what was there: the second half of ``x[i] += y``

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
        if type(base) is np.ndarray and base.size and base.flags.c_contiguous and is_zero(base):
            base = self._fresh(np.zeros, aval)
        index = None
        if primitive is machine.set_item:
            index = self._index(k, 2, args[2])
        elif primitive is machine.window_set:
            index = index_of_window(args[2], aval.shape, aval.dtype)
        if _puts_back(base, index, v):
            self.put_back.add(k)
            return base
        if _is_whole(index) and is_symbol(v) and (v.shape, v.dtype) == (aval.shape, aval.dtype):
            return v
        if index is not None:
            return self.writer.update(base, index, v, "=")
        fun = elements._set_window if primitive is machine.window_set else elements._set_positions
        return self.writer.call(fun, (base, v, args[2]), {})

    def _fresh(self, make: Any, aval: Any) -> Any:
        shape = aval.shape[0] if len(aval.shape) == 1 else aval.shape
        arguments = (shape,) if aval.dtype == float else (shape, aval.dtype)
        return self.writer.add("call", make, arguments, {}, make(*arguments))

    # ------------------------------------------------------------------------------ backward

    def _pull_read(self, ct: Any, entry: tuple, cotangents: list) -> None:
        a, where = entry[4][0], entry[6][1]
        aval = AVALS[entry[5][0]]
        ct = full(ct, AVALS[entry[3]])
        old = cotangents[a]
        is_item = PRIMITIVES[entry[0]] is machine.get_item
        if is_item and _adds_axes(decode(where)):
            new = np.reshape(ct, aval.shape)
            cotangents[a] = new if old is None else old + new
            return
        base = self._fresh(np.zeros, aval) if old is None else full(old, aval)
        if is_item:
            index = self._index(cotangents[-2], 1, where)
        else:
            index = None if overlaps(where[1]) else index_of_window(where, aval.shape, aval.dtype)
        if index is not None:
            cotangents[a] = self._added(base, index, ct)
        else:
            arguments = (ct, where, aval.shape, aval.dtype)
            new = self.writer.call(elements._scatter_window, arguments, {})
            cotangents[a] = new if old is None else old + new

    def _added(self, base: Any, index: Any, ct: Any) -> Any:
        """Add to a part of a cotangent; where it has just been made zero the sum is a write."""
        if is_repeating(index):
            return self.writer.update(base, index, ct, "add.at")
        if is_symbol(base) and base.kind == "update" and base.fun == "=" and base.args[2] is _ZERO:
            whole, cleared, _ = base.args
            places = _places(index, base.shape)
            if places is not None and places == _places(cleared, base.shape):
                if _puts_back(whole, index, ct):
                    return whole
                if np.shape(ct) == base.value[index].shape:
                    return self.writer.update(whole, index, ct, "=")
        return self.writer.update(base, index, ct, "+=")

    def _pull_write(
        self, ct: Any, entry: tuple, k: int, cotangents: list, useful: bytearray
    ) -> None:
        primitive, (a, v), where = PRIMITIVES[entry[0]], entry[4], entry[6][2]
        aval, index = AVALS[entry[3]], None
        ct = fit(full(ct, aval), aval)  # a window is counted in bytes
        if k in self.put_back:
            cotangents[a] = ct if cotangents[a] is None else cotangents[a] + ct
            return
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
            if _is_whole(index):
                rest = self._fresh(np.zeros, aval)
            elif index is not None:
                rest = self.writer.update(ct, index, _ZERO, "=")
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
        if _is_whole(index):
            return ct
        if index is not None:
            new = ct[index]
            if not is_repeating(concrete(index)):
                return new
            if symbols_in(index):  # other inputs may name other elements twice
                return self.writer.call(elements._winners, (index, aval.shape, new), {})
            ones = np.ones(np.shape(concrete(new)), bool)
            last = elements._winners(index, aval.shape, ones)
            return new if last.all() else np.where(last, new, 0)
        if primitive is machine.window_set:
            return self.writer.call(elements._get_window, (ct, where), {})
        new = self.writer.call(elements._get_positions, (ct, where), {})
        ones = np.ones(np.shape(concrete(new)), bool)
        return np.where(elements._winners(where[1], (aval.size * 2,), ones), new, 0)


def _is_whole(index: Any) -> bool:
    """Tell whether a write goes to every element of an array."""
    if type(index) is tuple:
        return bool(index) and all(type(part) is slice and part == _ALL for part in index)
    return index is Ellipsis or (type(index) is slice and index == _ALL)


def _adds_axes(index: Any) -> bool:
    """Tell whether an index selects everything, and only adds axes."""
    parts = index if type(index) is tuple else (index,)
    return all(x is None or x is Ellipsis or (type(x) is slice and x == _ALL) for x in parts)


def _puts_back(base: Any, index: Any, v: Any) -> bool:
    """Tell whether what is written to a place of an array is what was read there."""
    if not (is_symbol(v) and v.kind == "item" and v.args[0] is base):
        return False
    places = _places(index, base.shape)
    return places is not None and places == _places(v.args[1], base.shape)


def _places(index: Any, shape: tuple[int, ...]) -> list | None:
    """Return what an index of numbers and slices selects on each axis, however it is written."""
    parts = index if type(index) is tuple else (index,)
    if len(parts) > len(shape) or any(type(part) not in (int, slice) for part in parts):
        return None
    parts += (slice(None),) * (len(shape) - len(parts))
    return [
        part % n if type(part) is int else range(*part.indices(n))
        for part, n in zip(parts, shape, strict=True)
    ]
