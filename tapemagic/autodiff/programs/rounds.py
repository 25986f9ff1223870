"""One loop of a program: how names and numbers go on from round to round, and its text."""

from __future__ import annotations

import textwrap
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from .columns import LONGEST, evenly, period_of
from .statements import Statement, is_number, stem

if TYPE_CHECKING:
    from .loops import Roller

#: Fewer rounds than this, or fewer statements in all, read better without a loop.
ROUNDS, STATEMENTS = 4, 8


class Rule(NamedTuple):
    """How the names or numbers of one slot go on from round to round.

    `kind` is "same", "number", "parameter", "outside" (`d` names from before the loop, in turn),
    "here" (definition `d` of statement `j` of the same round) or "before" (of the round before).
    """

    kind: str
    j: int = 0
    d: int = 0


class Loop:
    """One stretch of statements as a loop; `count` is 0 if it is none."""

    def __init__(self, roller: Roller, start: int, period: int, count: int) -> None:
        self._roller, self.start, self._period = roller, start, period
        self.count = count
        statements = roller.statements
        self._body = statements[start : start + period]
        self._rules: list[list[Rule]] = []
        for j in range(period):
            self._rules.append([])
            for c in range(len(self._body[j].slots)):
                rule = self._rule(j, c)
                if rule is None:
                    self.count = 0
                    return
                self._rules[-1].append(rule)
        self._cut()
        if self.count < ROUNDS or self.count * period < STATEMENTS:
            self.count = 0

    @property
    def end(self) -> int:
        """Number of the first statement behind the loop."""
        return self.start + self.count * self._period

    def _slot(self, k: int, j: int, c: int) -> str:
        return self._roller.statements[self.start + k * self._period + j].slots[c]

    def _definition(self, k: int, j: int, d: int) -> str:
        return self._roller.statements[self.start + k * self._period + j].defines[d]

    def _rule(self, j: int, c: int) -> Rule | None:
        """Read the rule off the second and third rounds: the first has names from before it."""
        first, second, third = (self._slot(k, j, c) for k in range(3))
        if is_number(second) or is_number(third):
            return Rule("number") if all(map(is_number, (first, second, third))) else None
        where, start, period = self._roller.where, self.start, self._period
        at = where.get(second)
        if second == third:
            return Rule("same", d=1) if first == second and (at is None or at < start) else None
        if at is None:
            known = self._roller.parameters.issuperset((first, second, third))
            return Rule("parameter") if known else None
        k, defined = divmod(at - start, period)
        if k not in (0, 1):
            turn = self._turn(j, c)
            return Rule("outside", d=turn) if turn else None
        d = self._roller.statements[at].defines.index(second)
        rule = Rule("here" if k == 1 else "before", defined, d)
        return rule if self._fits(rule, 2, third) and self._fits(rule, 0, first) else None

    def _turn(self, j: int, c: int) -> int:
        """Return how many names from before the loop take turns in a slot, in its first rounds."""
        where, lists, names = self._roller.where, self._roller.lists, list[str]()
        for k in range(min(self.count, 2 * LONGEST)):
            name = self._slot(k, j, c)
            if where.get(name, self.end) >= self.start or name in lists:
                break
            names.append(name)
        periods = range(2, len(names) // 2 + 1)
        return next((p for p in periods if names[:p] == names[p : 2 * p]), 0)

    def _fits(self, rule: Rule, k: int, slot: str) -> bool:
        if rule.kind == "number":
            return is_number(slot)
        if rule.kind == "parameter":
            return slot in self._roller.parameters
        if rule.kind == "here":
            return slot == self._definition(k, rule.j, rule.d)
        if k:
            return slot == self._definition(k - 1, rule.j, rule.d)
        at = self._roller.where.get(slot)
        return at is None or at < self.start

    def _cut(self) -> None:
        """Stop before the first round that breaks a rule; every name has one beginning."""
        for j, rules in enumerate(self._rules):
            for c, rule in enumerate(rules):
                for k in range(1, self.count):
                    slot, turns = self._slot(k, j, c), rule.kind in ("same", "outside")
                    known = turns and slot == self._slot(k % rule.d, j, c)
                    if not (known if turns else self._fits(rule, k, slot)):
                        self.count = k
                        break
            for d in range(len(self._body[j].defines)):
                user = "t"
                for k in range(self.count):
                    new = stem(self._definition(k, j, d))
                    if "t" not in (user, new) and new != user:
                        self.count = k
                        break
                    user = new if user == "t" else user
        self._initial: dict[tuple[int, int], str] = {}
        for j, rules in enumerate(self._rules):
            for c, rule in enumerate(rules):
                if rule.kind == "before":
                    first = self._slot(0, j, c)
                    if self._initial.setdefault((rule.j, rule.d), first) != first:
                        self.count = 0
                elif rule.kind == "outside" and self.count < 2 * rule.d:
                    self.count = 0

    # ------------------------------------------------------------------------------------ text

    def replace(self) -> list[int]:
        """Put the loop in the place of its statements; return which later ones were changed."""
        roller, body = self._roller, self._body
        depth = max(x.depth for x in body)
        self._i = roller.counter(depth)
        self._set_counting()
        self._head: list[tuple[str, str]] = []  # name and text of what comes before the loop
        self._late: dict[str, str] = {}  # names whose value of the round before is read late
        self._names = {
            (j, d): self._name(j, d) for j, x in enumerate(body) for d in range(len(x.defines))
        }
        kept, replaced = self._kept()
        lines: list[str] = []
        for j, x in enumerate(body):
            rules = enumerate(self._rules[j])
            lines.append(x.text([self._spelled(j, c, rule, x) for c, rule in rules]))
            lines += [
                f"{kept[j, d]}.append({self._names[j, d]})"
                for d in range(len(x.defines))
                if (j, d) in kept
            ]
        lines[:0] = [f"{before} = {name}" for name, before in self._late.items()]
        self._head += [(self._names[place], first) for place, first in self._initial.items()]
        self._head += [(name, "[]") for name in kept.values()]
        text = "".join(f"{name} = {value}\n" for name, value in self._head if name != value)
        text += f"for {self._i} in {self._range()}:\n"
        text += textwrap.indent("\n".join(lines), "    ")
        defines = [*(name for name, _ in self._head), *self._late.values(), *self._names.values()]
        loop = Statement(text, roller.names, list(dict.fromkeys(defines)), depth + 1)
        roller.statements[self.start] = loop
        roller.statements[self.start + 1 : self.end] = [None] * (self.end - self.start - 1)
        return self._rename(replaced)

    def _name(self, j: int, d: int) -> str:
        """Return the name of a definition, in the user's words if there are any."""
        names = [self._definition(k, j, d) for k in range(self.count)]
        name = next((name for name in names if stem(name) != "t"), names[0])
        first = self._initial.get((j, d), "")
        at, uses = self._roller.where.get(first), self._roller.uses.get(first, [])
        free = at is not None and not self._roller.statements[at].depth
        if not free or stem(name) not in ("t", stem(first)) or stem(first) == "":
            return name
        here = [
            self.start + place
            for place, rules in enumerate(self._rules)
            for rule in rules
            if rule.kind == "before" and (rule.j, rule.d) == (j, d)
        ]
        return first if uses == [at, *here] else name

    def _kept(self) -> tuple[dict[tuple[int, int], str], dict[str, str]]:
        """Return the lists that definitions need, and what stands for each name after the loop."""
        kept, replaced = {}, {}
        for (j, d), name in self._names.items():
            if self._roller.where[self._body[j].defines[d]] != self.start + j:
                continue  # an inner loop goes on with it
            names = [self._definition(k, j, d) for k in range(self.count)]
            later = [k for k, n in enumerate(names) if self._is_read_later(n)]
            if later in ([], [self.count - 1]):
                replaced[names[-1]] = name
                continue
            wish = name if stem(name) == "t" else stem(name)
            kept[j, d] = found = self._roller.name(f"{wish}_at")
            self._roller.lists[found] = name, self.count
            replaced |= {names[k]: f"{found}[{k}]" for k in later}
        return kept, replaced

    def _is_read_later(self, name: str) -> bool:
        uses = self._roller.uses
        return name in uses and uses[name][-1] >= self.end

    @property
    def starts_late(self) -> bool:
        """Tell whether a list would be kept for the sake of its first item only."""
        for j, x in enumerate(self._body):
            for d in range(len(x.defines)):
                read = (self._is_read_later(self._definition(k, j, d)) for k in range(self.count))
                if next(read) and not any(read):
                    return True
        return False

    def _rename(self, replaced: dict[str, str]) -> list[int]:
        roller, changed = self._roller, set[int]()
        for name in replaced:
            changed |= {k for k in roller.uses.get(name, ()) if k >= self.end}
        for k in changed:
            x = roller.statements[k]
            if x is not None:
                text = x.text([replaced.get(slot, slot) for slot in x.slots])
                roller.statements[k] = Statement(text, roller.names, x.defines, x.depth)
        return list(changed)

    def _column(self, j: int, c: int) -> list[str]:
        return [self._slot(k, j, c) for k in range(self.count)]

    def _set_counting(self) -> None:
        """Choose what the loop counts: the numbers that are found most often in its body."""
        found: Counter = Counter()
        for j, rules in enumerate(self._rules):
            for c, rule in enumerate(rules):
                even = evenly(self._column(j, c)) if rule.kind == "number" else None
                if even is not None and even[1]:
                    found[even] += 1
        first, step = max(found, key=found.__getitem__) if found else (0, 1)
        uneven = any(other % step for _, other in found)
        self._first, self._step = (0, 1) if uneven else (first, step)

    def _range(self) -> str:
        first, step, count = self._first, self._step, self.count
        if step == -1:
            low = first - count + 1
            return f"reversed(range({f'{low}, ' if low else ''}{first + 1}))"
        beginning = f"{first}, " if first or step != 1 else ""
        return f"range({beginning}{first + step * count}{f', {step}' if step != 1 else ''})"

    def _counted(self, first: int, step: int) -> str:
        """Spell ``first + step * round``."""
        times = step // self._step
        rest = first - times * self._first
        if times == -1:
            return f"{rest} - {self._i}"
        text = self._i if times == 1 else f"{times} * {self._i}"
        return text if not rest else f"{text} {'+' if rest > 0 else '-'} {abs(rest)}"

    def _spelled(self, j: int, c: int, rule: Rule, x: Statement) -> str:
        first = x.slots[c]
        if rule.kind == "same":
            return first
        if rule.kind == "here":
            return self._names[rule.j, rule.d]
        if rule.kind == "before":
            name = self._names[rule.j, rule.d]
            if j < rule.j or (j == rule.j and not x.depth):
                return name
            if name not in self._late:
                self._late[name] = self._roller.name(f"{name}_before")
            return self._late[name]
        column = self._column(j, c)
        if len(set(column)) == 1:
            return first
        even = evenly(column)
        if even is None and not self._in_turn(column):
            return self._looked_up(column)
        text = self._in_turn(column) if even is None else self._counted(*even)
        before, after = x.pieces[c].rstrip(" ")[-1:], x.pieces[c + 1].lstrip(" ")[:1]
        alone = before in ("[", "(", ",", ":") and after in ("]", ")", ",", ":")
        return text if text == self._i or alone else f"({text})"

    def _in_turn(self, column: list[str]) -> str:
        """Spell numbers that count up to a last one and begin again, or down; else ""."""
        period = period_of(column)
        if not period or self._step not in (1, -1) or not all(map(str.isdecimal, column)):
            return ""
        turn, first = [int(x) for x in column[:period]], int(column[0])
        if turn != [(first + self._step * k) % period for k in range(period)]:
            return ""
        ahead = (first - self._first) % period
        return f"({self._i} + {ahead}) % {period}" if ahead else f"{self._i} % {period}"

    def _looked_up(self, column: list[str]) -> str:
        """Spell what comes from a list, of which a few items may come in turn."""
        period, rounds = period_of(column), self._rounds()
        if not period:
            return f"{self._table(column)}[{rounds}]"
        rounds = rounds if rounds == self._i else f"({rounds})"
        return f"{self._table(column[:period])}[{rounds} % {period}]"

    def _rounds(self) -> str:
        """Spell the number of the round."""
        if self._step not in (1, -1):
            return f"({self._i} - {self._first}) // {self._step}"
        return self._counted(0, 1)

    def _table(self, column: list[str]) -> str:
        text = textwrap.fill(
            f"[{', '.join(column)}]", 90, subsequent_indent="    ", break_long_words=False,
            break_on_hyphens=False,
        )  # fmt: skip
        for name, known in self._head:
            if known == text:
                return name
        name = self._roller.name("numbers" if is_number(column[0]) else "arrays")
        self._head.append((name, text))
        return name
