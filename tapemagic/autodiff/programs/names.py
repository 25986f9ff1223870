"""Names and lines of the user's code for a program."""

from __future__ import annotations

import linecache
import unicodedata
from collections import Counter
from typing import Any

import numpy as np

from tapemagic.autodiff import lookup
from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.nodes import Reader
from tapemagic.autodiff.primitives import PRIMITIVES
from tapemagic.autodiff.structure import source

from .machinery import WRITES
from .matrices import is_sparse
from .replay import Replay
from .spelling import RESERVED
from .texts import names_in_source


class Names:
    """Names of nodes, sources and constants, as the user's code has them."""

    def __init__(self, tape: Any, leaves: list, groups: list, caller: Any) -> None:
        spaces = [caller.f_locals, caller.f_globals] if caller is not None else []
        self.arrays = [
            (name, value)
            for space in reversed(spaces)
            for name, value in list(space.items())
            if type(value) is np.ndarray and value.size and _usable(name)
        ]
        self.matrices = [
            (name, value)
            for space in reversed(spaces)
            for name, value in list(space.items())
            if is_sparse(value) and _usable(name)
        ]
        self.of_nodes: dict[int, str] = {}
        self.inputs: list[tuple[str, int]] = []
        self.of_sources: list[str] = []
        taken: set[str] = set()
        for i, (x, group) in enumerate(zip(leaves, groups, strict=True)):
            name = x if isinstance(x, str) else _name_in(x, spaces) or getattr(x, "name", "")
            name = _identifier(name if name and name != "Variable" else f"x{i + 1}")
            for id_ in group:
                if id_ in self.of_nodes:  # the same source once more
                    continue
                free, k = name, 0
                while free in taken:
                    k += 1
                    free = f"{name}_{k}"
                taken.add(free)
                self.of_nodes[id_] = free
                self.inputs.append((free, id_))
            self.of_sources.append(self.of_nodes[group[0]] if group else name)
        for name, id_ in tape.bindings:
            self.of_nodes.setdefault(id_, _identifier(name))
        for space in reversed(spaces):
            for name, x in list(space.items()):
                if dispatch.is_traced(x) and _usable(name):
                    for id_ in lookup.ids_of(tape, x)[-1:]:
                        self.of_nodes.setdefault(id_, name)
        written = {k: x for k, x in names_in_source(tape._recording).items() if _usable(x)}
        counts, fixed = Counter(written.values()), {id_ for _, id_ in tape.bindings + self.inputs}
        for id_, name in written.items():
            if counts[name] > 1 and id_ not in fixed:  # in a loop it has the name of its kind
                self.of_nodes[id_] = _identifier(name)
            self.of_nodes.setdefault(id_, _identifier(name))


def _name_in(x: Any, spaces: list) -> str:
    return next(
        (name for space in spaces for name, value in list(space.items())
         if value is x and _usable(name)), "",
    )  # fmt: skip


def _usable(name: str) -> bool:
    return name.isidentifier() and not name.startswith("_") and name != "np"


def _identifier(name: str) -> str:
    """Return a name for a parameter: a word of Python that no line of a program uses otherwise."""
    normal = unicodedata.normalize("NFKC", name)  # as Python reads names
    if not normal.isidentifier():  # ``params["W"][0]``: params_W_0
        words = "".join(c if f"x{c}".isidentifier() else " " for c in normal).split()
        normal = "_".join(words)
    found = normal.strip("_") or "x"
    return found if found.isidentifier() and found not in RESERVED else f"x_{found}"


class Places:
    """Where in the user's code a step comes from."""

    def __init__(self, tape: Any, replay: Replay, reader: Reader) -> None:
        self._cell, self._replay, self._reader = tape.cell, replay, reader
        self._rounds = _rounds(replay.entries, tape._recording.contexts)

    def are_one(self, place: tuple, other: tuple) -> bool:
        """Tell whether two places are the same line in the same round of its loop."""
        (kind, k), (other_kind, other_k) = place, other
        if "decision" not in (kind, other_kind) and -1 not in (k, other_k):
            if kind != other_kind or self._rounds[k] != self._rounds[other_k]:
                return False
        return self.comment(place) == self.comment(other)

    def comment(self, place: tuple) -> str:
        """Return the comment that names the line."""
        line, text = self._line(place)
        if line is None:
            return ""
        back = "back through " if place[0] == "backward" else ""
        return f"# {back}line {line}: {text}".rstrip(": ")

    def message(self, place: tuple) -> str:
        """Say where a check stands."""
        line, text = self._line(place)
        return f"line {line}: {text}" if line is not None else "an operation outside of the cell"

    def _line(self, place: tuple) -> tuple[int | None, str]:
        kind, k = place
        if kind == "decision":
            _, context, offset = self._replay.decisions[k][:3]
        elif k >= 0:
            offset, context = self._replay.entries[k][1:3]
        else:
            return None, ""
        calls, line, *_ = self._reader.position(context, offset)
        if line is None:
            return None, ""
        text = getattr(self._cell, "text", None)
        if text is not None and line <= len(text.splitlines()):
            return line, text.splitlines()[line - 1].strip()
        return line, linecache.getline(calls[0][1], line).strip()


def _rounds(entries: list[tuple], contexts: list[tuple]) -> list[int]:
    """Count, per entry, how often the run had gone back in the code before it.

    Where a caller goes back, its helpers begin anew: that is one round and not several.
    """
    last: dict[int, int] = {}
    inner: dict[int, list[int]] = {}  # context -> those called from it that have been entered
    count, found = 0, []
    for k, entry in enumerate(entries):
        if PRIMITIVES[entry[0]] is not source:  # stands where it is read
            offset, context = entry[1:3]
            writes_result = PRIMITIVES[entry[0]] in WRITES and entry[4][1] == k - 1  # ``x += y``
            if context not in last:
                caller = contexts[context][1] if context >= 0 else -1
                while caller >= 0:
                    inner.setdefault(caller, []).append(context)
                    caller = contexts[caller][1]
            elif offset < last[context] or (offset == last[context] and not writes_result):
                count += 1
                for helper in inner.pop(context, ()):
                    last.pop(helper, None)
            last[context] = offset
        found.append(count)
    return found
