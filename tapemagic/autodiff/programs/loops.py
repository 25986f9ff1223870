"""Loops of a program: statements that repeat are written once, in a ``for``.

The text of a run is a straight line. Where a stretch of statements repeats, the names and numbers
in it follow rules from one round to the next: a name stays; or it is what the same round, or the
round before, has computed; a number grows evenly, or comes from a list. If every name and number
does, the stretch becomes a loop that does the same to the same values in the same order. What later
statements read of single rounds is kept in a list. Inner loops are found first, then those around.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .rounds import ROUNDS, STATEMENTS, Loop
from .statements import Statement, is_number

#: So many lengths of a round are tried, and so many stretches.
PERIODS, TRIALS = 40, 100_000
_ASSIGNED = re.compile(r"([^\W\d]\w*) = ")


def rolled(rows: list[str], parameters: set[str], fresh: Callable[[str], str]) -> list[str]:
    """Return the rows of a function's body with repetitions as loops.

    Parameters
    ----------
    rows : list of str
    parameters : set of str
        Names that exist before the body.
    fresh : callable
        Makes a name that is not in use yet.
    """
    whole: list[str] = []
    for row in rows:  # an indented row belongs to the one before
        if row.startswith(" "):
            whole[-1] += "\n" + row
        else:
            whole.append(row)
    if len(whole) < STATEMENTS or parameters & {"range", "reversed"}:
        return rows
    roller = Roller(whole, parameters, fresh)
    roller.run()
    if not any(x.depth for x in roller.statements):
        return rows
    return [row for x in roller.statements for row in x.text().split("\n")]


class Roller:
    """Finds the stretches that repeat, and puts loops in their places."""

    def __init__(self, rows: list[str], parameters: set[str], fresh: Callable) -> None:
        assigned = [_ASSIGNED.match(row) for row in rows]
        self.parameters, self.fresh = parameters, fresh
        self.names = parameters | {found[1] for found in assigned if found}
        self.statements: list[Any] = [
            Statement(row, self.names, [found[1]] if found else [])
            for row, found in zip(rows, assigned, strict=True)
        ]
        self.lists: dict[str, tuple[str, int]] = {}  # what is kept: of which name, how many
        self._counters: list[str] = []  # names of loop variables, by depth
        self._trials = TRIALS

    def run(self) -> None:
        """Put loops in the places of repetitions until there are none."""
        found = len(self.statements) > STATEMENTS
        while found and self._trials > 0:
            self._index()
            found = False
            for period in self._periods():
                if self._pass(period):
                    found = True
                    break
        for k, x in enumerate(self.statements):
            if not x.depth:
                self.statements[k] = self._with_last_rounds(x)

    def _with_last_rounds(self, x: Statement) -> Statement:
        """Name what the last round has left, instead of reading it from its list."""
        text = x.text()
        for name, (left, count) in self.lists.items():
            if name in x.slots:
                text = text.replace(f"{name}[{count - 1}]", left)
        return Statement(text, self.names, x.defines)

    def _index(self) -> None:
        kinds: dict[tuple, int] = {}
        ids = [kinds.setdefault(x.pieces, len(kinds)) for x in self.statements]
        self._kinds = np.array(ids)
        self.where: dict[str, int] = {}
        self.uses: dict[str, list[int]] = {}
        for position, x in enumerate(self.statements):
            for name in x.defines:
                self.where[name] = position
            for name in x.slots:
                if name not in self.parameters and not is_number(name):
                    self.uses.setdefault(name, []).append(position)

    def _periods(self) -> list[int]:
        """Return likely lengths of a round: distances of statements that look the same."""
        order = np.argsort(self._kinds, kind="stable")
        counts: Counter = Counter()
        for step in (1, 2, 3):
            same = self._kinds[order[step:]] == self._kinds[order[:-step]]
            distances, found = np.unique((order[step:] - order[:-step])[same], return_counts=True)
            for distance, count in zip(distances.tolist(), found.tolist(), strict=True):
                counts[distance] += count
        enough = [p for p, count in counts.most_common(PERIODS) if count >= ROUNDS - 1]
        return sorted(enough)

    # ------------------------------------------------------------------------------- stretches

    def _pass(self, period: int) -> bool:
        """Roll every stretch with rounds of this length, from the first to the last."""
        same = self._kinds[period:] == self._kinds[:-period]
        edges = np.flatnonzero(np.diff(np.concatenate(([False], same, [False])).astype(np.int8)))
        free, changed = 0, np.zeros(len(self.statements), bool)  # free: behind the loop before
        for start, stop in edges.reshape(-1, 2).tolist():
            end = stop + period
            start = self._joined(start, period, free) if start > free else free
            while end - start >= max(ROUNDS * period, STATEMENTS) and self._trials > 0:
                count = 0
                for first in self._starts(start, end, period):
                    self._trials -= 1
                    whole = _first_true(changed[first:end]) // period
                    loop = Loop(self, first, period, whole) if whole >= ROUNDS else None
                    if loop and loop.count and loop.starts_late:
                        later = Loop(self, first + period, period, loop.count - 1)
                        loop = later if later.count and not later.starts_late else loop
                    if loop and loop.count:
                        changed[loop.replace()] = True
                        changed[loop.start : loop.end] = True
                        count, start = loop.count, loop.end
                        free = start
                        break
                if not count:
                    start += 1
        self.statements = [x for x in self.statements if x is not None]
        return free > 0

    def _starts(self, start: int, end: int, period: int) -> Iterator[int]:
        """Yield where rounds may begin: at a line of the user's, if that makes none fewer."""
        slack = (end - start) % period
        lines = [k for k in range(start, start + slack + 1) if self._is_comment(k)]
        yield from lines[:1]
        if start not in lines[:1]:
            yield start

    def _is_comment(self, k: int) -> bool:
        return self.statements[k].pieces[0].startswith("#")

    def _joined(self, start: int, period: int, free: int) -> int:
        """Join the round before to a stretch, if it only computes more that can be done earlier."""
        at = start - 1
        early, kept = list[int](), list[int]()
        for k in range(period - 1, -1, -1):
            while at >= free and self._kinds[at] != self._kinds[start + k]:
                if not self._may_come_first(at):
                    return start
                early.insert(0, at)
                at -= 1
            if at < free:
                return start
            kept.insert(0, at)
            at -= 1
        if early:
            self._reorder(at + 1, [*early, *kept])
        return at + 1 + len(early)

    def _reorder(self, start: int, order: list[int]) -> None:
        statements = [self.statements[k] for k in order]
        stop = start + len(order)
        self.statements[start:stop] = statements
        self._kinds[start:stop] = self._kinds[order]
        new = {k: start + i for i, k in enumerate(order)}
        for x in statements:
            for name in x.defines:
                self.where[name] = new[self.where[name]]
        for name in {name for x in statements for name in x.slots if name in self.uses}:
            self.uses[name] = sorted(new.get(k, k) for k in self.uses[name])

    def _may_come_first(self, k: int) -> bool:
        """Tell whether a statement hangs on parameters only, which nothing ever changes."""
        x = self.statements[k]
        return (
            x.depth == 0
            and len(x.defines) == 1
            and "out=" not in x.text()
            and all(
                slot in self.parameters or slot in x.defines or is_number(slot) for slot in x.slots
            )
        )

    def counter(self, depth: int) -> str:
        """Return the name of the variable that loops of some depth count with."""
        while len(self._counters) <= depth:
            letters = (x for x in "ijkmnpqr" if x not in self.names | set(self._counters))
            self._counters.append(self.fresh(next(letters, "i")))
        return self._counters[depth]

    def name(self, wish: str) -> str:
        """Return a new name of a variable."""
        name = self.fresh(wish)
        self.names.add(name)
        return name


def _first_true(flags: np.ndarray) -> int:
    """Return the place of the first one, or how many there are."""
    return int(np.argmax(flags)) if flags.any() else len(flags)
