"""What is shown collapsed: runs of operations by source line, loop, iteration and call.

A recording may have a million operations; nobody looks at those. It is folded into groups, each a
stretch of the recording, and a group is taken apart only when it is opened, so the work is
proportional to what is opened and no picture needs the whole hierarchy.

* cell, iteration, call: one child per statement line, and one per loop of that text;
* loop: its iterations;
* line: its operations, and one child per call of a helper;
* anything with too many children gets runs of 10, 100, ... of them in between.
"""

from __future__ import annotations

import linecache
import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from tapemagic.graph.iterations import iteration_starts, period_starts, records_throughout
from tapemagic.graph.model import Graph, GraphNode, Group
from tapemagic.graph.source import Loop, Outline
from tapemagic.graph.words import counted

Item = int | Group

MOST_CHILDREN = 40  # side by side under one group
MOST_VISIBLE = 400  # boxes on the page, whatever is opened
OPENED_LINES = 40  # boxes up to which lines are shown as their operations
OPENED_CALLS = 24  # boxes up to which calls of helpers are opened too
FEWEST_REPEATS = 3  # within one line: a × a is not a loop
INSTALLED = re.compile(r"[/\\](site|dist)-packages[/\\]")


class Folding:
    """The groups of a graph, made as they are opened.

    Parameters
    ----------
    graph : Graph

    Examples
    --------
    ``Folding(graph).visible(())`` lists what is shown with everything closed: node indices for
    single operations and `Group` for the rest, in tape order.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.root = Group("g", "cell", "cell", 0, len(graph.nodes), None)
        self._children: dict[str, tuple[Item, ...]] = {}

    @cached_property
    def _born(self) -> dict[str, int]:
        """Name (without its version) -> the first node that it stood for."""
        nodes = reversed(self.graph.nodes)
        return {node.name.partition("@")[0]: node.index for node in nodes if node.name}

    def children(self, group: Group) -> tuple[Item, ...]:
        """What a group shows when it is opened."""
        if group.id not in self._children:
            items = self._numbered(group, self._bundled(group, self._parts(group)))
            self._children[group.id] = items
        return self._children[group.id]

    def find(self, group_id: str) -> Group | None:
        """Return the group with this id, None when there is none."""
        path = group_id[1:].split(".") if group_id.startswith("g") and group_id != "g" else []
        group = self.root
        for depth in range(len(path)):
            wanted = "g" + ".".join(path[: depth + 1])
            for item in self.children(group):
                if isinstance(item, Group) and item.id == wanted:
                    group = item
                    break
            else:
                return None
        return group if group.id == group_id else None

    def visible(self, open_ids: Collection[str]) -> list[tuple[Item, str]]:
        """List what is on the page, in tape order, each with the open group it lies in.

        A group stays closed when opening it would put more than 400 boxes on the page.
        """
        shown: list[tuple[Item, str]] = []
        waiting = [(item, "") for item in self.children(self.root)[::-1]]
        while waiting:
            item, inside = waiting.pop()
            if isinstance(item, Group) and item.id in open_ids:
                children = self.children(item)
                if len(shown) + len(waiting) + len(children) <= MOST_VISIBLE:
                    waiting += [(child, item.id) for child in children[::-1]]
                    continue
            shown.append((item, inside))
        return shown

    def default_open(self) -> frozenset[str]:
        """The groups to open at first: lines and calls of a short cell, never a loop or library."""
        opened: set[str] = set()
        for kinds, limit in ((("line",), OPENED_LINES), (("line", "call"), OPENED_CALLS)):
            shown = [item for item, _ in self.visible(opened)]
            total, place = len(shown), 0
            while place < len(shown):
                item = shown[place]
                place += 1
                if not isinstance(item, Group) or item.kind not in kinds or self._is_library(item):
                    continue
                children = self.children(item)
                if total - 1 + len(children) <= limit:
                    opened.add(item.id)
                    total += len(children) - 1
                    shown += children  # looked at later: what is in a call may open as well
        return frozenset(opened)

    def _is_library(self, group: Group) -> bool:
        """Whether all that a group holds was done by an installed package: a plot, say."""
        place = group.depth - (group.kind == "call")
        return all(
            len(node.frames) > place and INSTALLED.search(node.frames[place][1])
            for node in self.graph.nodes[group.first : group.last]
            if node.op != "source"
        )

    def _parts(self, group: Group) -> list[Item]:
        """Take a group apart, before numbering its children."""
        if group.starts:
            return self._iterations(group)
        if group.kind == "line":
            return self._line_parts(group)
        parts = self._segments(group)
        only = parts[0] if len(parts) == 1 else None
        if group.kind != "cell" and isinstance(only, Group) and only.kind == "line":
            return self._line_parts(only)  # an iteration of one line is that line
        return parts

    def _iterations(self, group: Group) -> list[Item]:
        ends = (*group.starts[1:], group.last)
        loops = group.loops + (group.kind == "loop")
        return [
            Group(
                "",
                "iteration",
                "iteration",
                start,
                end,
                self.graph.nodes[start].line,
                group.depth,
                loops,
            )
            for start, end in zip(group.starts, ends, strict=True)
        ]

    def _segments(self, group: Group) -> list[Item]:
        """Split into statements and loops of the frame that `group` is read in."""
        nodes = self.graph.nodes
        found: list[tuple[int | Loop, int]] = []  # (statement line or loop, first node)
        keys: dict[tuple[str | None, int], int | Loop] = {}
        previous: object = None
        for index in range(group.first, group.last):
            node = nodes[index]
            if node.op == "source":
                continue
            file, line = position(node, group.depth)
            key = keys.get((file, line))
            if key is None:
                outline = self.graph.source_map.outline(file)
                loops = outline.loops(line)[group.loops :]
                key = keys[file, line] = loops[0] if loops else outline.statement(line)
            if key != previous:
                found.append((key, index))
                previous = key
        ends = [first for _, first in found[1:]] + [group.last] * bool(found)
        parts: list[Item] = []
        for (key, first), last in zip(found, ends, strict=True):
            if isinstance(key, tuple):
                parts += self._loop(group, key, first, last)
            else:
                parts.append(self._line(group, first, last))
        return parts

    def _loop(self, group: Group, loop: Loop, first: int, last: int) -> list[Item]:
        """One closed loop; what ran only once is shown as if there were no loop."""
        outline = self._outline(first, group.depth)
        inside = group.loops + 1
        starts = iteration_starts(self.graph.nodes, first, last, group.depth, inside, outline)
        if len(starts) == 1:
            once = replace(group, kind="iteration", first=first, last=last, loops=inside)
            return self._segments(once)
        line = loop[0] if group.depth == 0 else self.graph.nodes[first].line
        title = self._text(first, group.depth, loop[0])
        complete = records_throughout(
            self.graph.nodes, self._born, first, last, group.depth, loop, outline
        )
        return [
            Group(
                "", "loop", title, first, last, line, group.depth, group.loops, starts, complete
            )
        ]  # fmt: skip

    def _line(self, group: Group, first: int, last: int) -> Item:
        nodes = self.graph.nodes
        members = [index for index in range(first, last) if nodes[index].op != "source"]
        if len(members) == 1 and len(nodes[members[0]].frames) <= group.depth:
            return members[0]
        file, line = position(nodes[members[0]], group.depth)
        statement = self.graph.source_map.outline(file).statement(line)
        title = self._text(members[0], group.depth, statement)
        line_group = Group(
            "", "line", title, members[0], last, nodes[members[0]].line, group.depth, group.loops
        )
        starts = period_starts(nodes, members[0], last)
        if len(starts) >= FEWEST_REPEATS and len(starts) * 2 <= len(members):
            return replace(line_group, kind="loop", starts=starts)
        return line_group

    def _line_parts(self, group: Group) -> list[Item]:
        """Operations of one statement, and the calls it made."""
        nodes = self.graph.nodes
        runs: list[list[Any]] = []  # function that is called, or nothing; first node; end
        for index in range(group.first, group.last):
            node = nodes[index]
            if node.op == "source":
                continue
            function = node.frames[group.depth][:2] if len(node.frames) > group.depth else ()
            if function and runs and runs[-1][0] == function:
                runs[-1][2] = index + 1
            else:
                runs.append([function, index, index + 1])
        return [
            Group("", "call", called[0], first, last, nodes[first].line, group.depth + 1)
            if called
            else first
            for called, first, last in runs
        ]

    def _bundled(self, group: Group, parts: list[Item]) -> list[Item]:
        """Put 10, 100, ... neighbours together until few enough stand side by side."""
        if len(parts) <= MOST_CHILDREN:
            return parts
        size = 10
        while len(parts) > MOST_CHILDREN * size:
            size *= 10
        bundles: list[Item] = []
        for start in range(0, len(parts), size):
            some = parts[start : start + size]
            if len(some) == 1:
                bundles += some
                continue
            first, last = first_of(some[0]), last_of(some[-1])
            kind = "line" if group.kind == "line" else "run"
            noun = "iteration" if group.starts else "step"
            noun = noun if group.is_complete else f"recorded {noun}"
            title = f"{start + 1:,} to {start + len(some):,} of {counted(len(parts), noun)}"
            starts = group.starts[start : start + size]
            loops = group.loops + (group.kind == "loop")
            line = self.graph.nodes[first].line
            bundles.append(
                Group(
                    "", kind, title, first, last, line, group.depth, loops, starts,
                    group.is_complete,
                )
            )  # fmt: skip
        return bundles

    def _numbered(self, group: Group, parts: Sequence[Item]) -> tuple[Item, ...]:
        prefix = "g" if group.id == "g" else f"{group.id}."
        return tuple(
            replace(item, id=f"{prefix}{place}") if isinstance(item, Group) else item
            for place, item in enumerate(parts)
        )

    def _outline(self, index: int, depth: int) -> Outline:
        return self.graph.source_map.outline(position(self.graph.nodes[index], depth)[0])

    def _text(self, index: int, depth: int, line: int) -> str:
        node = self.graph.nodes[index]
        if depth == 0 and node.line is None and node.frames:
            return f"in {node.frames[0][0]}"
        if depth == 0:
            return self.graph.code(line)
        return linecache.getline(position(self.graph.nodes[index], depth)[0] or "", line).strip()


def position(node: GraphNode, depth: int) -> tuple[str | None, int]:
    """File (None for the cell) and line of a node as seen from `depth` frames below the cell."""
    if depth == 0 or not node.frames:
        return None, node.line or 0
    _, file, line = node.frames[min(depth, len(node.frames)) - 1]
    return file, line


def first_of(item: Item) -> int:
    """First node of an item."""
    return item if isinstance(item, int) else item.first


def last_of(item: Item) -> int:
    """One past the last node of an item."""
    return item + 1 if isinstance(item, int) else item.last
