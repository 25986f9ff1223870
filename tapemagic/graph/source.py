"""What the text of a cell or file says about its lines: statements and loops.

Operations know the line they ran on. A statement may span several lines and an expression may
visit them out of order, so lines are mapped to where their statement begins; and a loop is
recognised by its place in the text, which stays right when iterations take different branches.
"""

from __future__ import annotations

import ast
import linecache
import re
from collections import Counter
from collections.abc import Collection, Iterator

Loop = tuple[int, int, int]  # line of the header, first and last line of what repeats
Branch = tuple[tuple[int, int], int]  # place of an `if` or `match`, and which of its blocks
LOOPS = (ast.For, ast.AsyncFor, ast.While)

# Lines that are IPython's and not Python's.
MAGIC = re.compile(r"^(\s*)(?:[%!?].*|.*\?\s*|[\w\s,.]+=\s*[%!].*)$")


class SourceMap:
    """Statements and loops by line, of the cell and of the files its helpers live in."""

    def __init__(self, cell_text: str) -> None:
        self._cell = Outline(cell_text)
        self._files: dict[str, Outline] = {}

    def outline(self, filename: str | None = None) -> Outline:
        """Return the outline of the cell, or of a file as linecache knows it."""
        if filename is None:
            return self._cell
        if filename not in self._files:
            # linecache also knows the cells of a running notebook, and answers [] for the rest.
            self._files[filename] = Outline("".join(linecache.getlines(filename)))
        return self._files[filename]


class Outline:
    """Statement starts and enclosing loops by line number; empty when the text does not parse."""

    def __init__(self, text: str) -> None:
        self._statements: dict[int, int] = {}
        self._ends: dict[int, int] = {}
        self._loops: dict[int, tuple[Loop, ...]] = {}
        self._branches: dict[int, tuple[Branch, ...]] = {}
        self._bodies: dict[int, list[ast.stmt]] = {}  # of loops, by the line of their header
        self._writes: Counter[tuple[int, str]] = Counter()  # statements by line and name
        tree = parsed(text)
        if tree is not None:
            for statement, loops, branches in statements(tree):
                self._add(statement, loops)
                self._branches.setdefault(statement.lineno, branches)
                self._writes.update((statement.lineno, name) for name in written(statement))
                if isinstance(statement, LOOPS):
                    self._bodies[statement.lineno] = statement.body

    def _add(self, statement: ast.stmt, loops: tuple[Loop, ...]) -> None:
        end = statement.end_lineno or statement.lineno
        if (body := getattr(statement, "body", None)) and isinstance(body, list):
            end = max(statement.lineno, body[0].lineno - 1)  # the header only
        for line in range(statement.lineno, end + 1):
            self._statements.setdefault(line, statement.lineno)
            if len(loops) > len(self._loops.get(line, ())):
                self._loops[line] = loops
        self._ends.setdefault(statement.lineno, end)

    def statement(self, line: int) -> int:
        """First line of the statement that covers `line`."""
        return self._statements.get(line, line)

    def end(self, line: int) -> int:
        """Last line of the statement (or of the header) that begins at `line`."""
        return self._ends.get(line, line)

    def writes(self, line: int, name: str) -> int:
        """How many statements on `line` bind a name or write to it: ``x = f(); x += 1`` are two."""
        return self._writes[line, name]

    def loops(self, line: int) -> tuple[Loop, ...]:
        """The loops around `line`, outermost first."""
        return self._loops.get(line, ())

    def excludes(self, line: int, other: int) -> bool:
        """Whether two statements stand in different branches of one `if` (or `match`)."""
        chosen = dict(self._branches.get(line, ()))
        others = self._branches.get(other, ())
        return any(chosen.get(choice, branch) != branch for choice, branch in others)

    def lines_that_write(self, name: str) -> list[int]:
        """Lines of the statements that bind a name, delete it or write into it."""
        return sorted({line for line, known in self._writes if known == name})

    def always_runs(self, loop: Loop, lines: Collection[int]) -> bool:
        """Whether every iteration of a loop comes by one of the statements on these lines."""
        return always_runs(self._bodies.get(loop[0], []), lines)


def always_runs(body: list[ast.stmt], lines: Collection[int]) -> bool:
    """Whether whoever runs a block comes by one of the statements on these lines."""
    for statement in body:
        if isinstance(statement, ast.If):
            if always_runs(statement.body, lines) and always_runs(statement.orelse, lines):
                return True
        elif isinstance(statement, (*LOOPS, ast.With, ast.AsyncWith, ast.Try)):
            if statement.lineno in lines or always_runs(statement.body, lines):
                return True
        elif statement.lineno in lines and not isinstance(statement, ast.Match):
            return True
        if any(isinstance(part, ast.Continue) for part in ast.walk(statement)):
            return False
    return False


def written(statement: ast.stmt) -> set[str]:
    """Names that an assignment binds, or writes to the elements or attributes of."""
    targets = list(getattr(statement, "targets", [])) or [getattr(statement, "target", None)]
    names = set()
    while targets:
        target = targets.pop()
        if isinstance(target, ast.Name):
            names.add(target.id)
        elif isinstance(target, ast.Tuple | ast.List):
            targets += target.elts
        elif isinstance(target, ast.Attribute | ast.Subscript | ast.Starred):
            targets.append(target.value)
    return names


def parsed(text: str) -> ast.Module | None:
    """Parse a cell, IPython's own lines blanked; None when it is not Python."""
    lines = [
        f"{match[1]}pass" if (match := MAGIC.match(line)) else line for line in text.splitlines()
    ]
    for attempt in (text, "\n".join(lines)):
        try:
            return ast.parse(attempt)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    return None


def statements(
    tree: ast.Module,
) -> Iterator[tuple[ast.stmt, tuple[Loop, ...], tuple[Branch, ...]]]:
    """Yield every statement with the loops around it, without recursion.

    And with the branches that it stands in, as far as they are inside the innermost loop.
    """
    waiting: list[tuple[ast.stmt, tuple[Loop, ...], tuple[Branch, ...]]]
    waiting = [(item, (), ()) for item in tree.body[::-1]]
    while waiting:
        statement, outer, branches = waiting.pop()
        around = inner = outer
        if isinstance(statement, (ast.For, ast.AsyncFor)):
            inner = (*outer, (statement.lineno, statement.body[0].lineno, end_of(statement.body)))
        elif isinstance(statement, ast.While):
            # Its test runs once per iteration, so the header belongs to what repeats.
            inner = (*outer, (statement.lineno, statement.lineno, end_of(statement.body)))
            around = inner
        elif isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            inner = ()  # another frame: what surrounds the definition does not run with it
        yield statement, around, branches
        for number, block in enumerate(blocks(statement)):
            loops = inner if block is getattr(statement, "body", None) else outer
            taken = branches if loops == outer else ()
            if isinstance(statement, (ast.If, ast.Match)):
                taken = (*branches, ((statement.lineno, statement.col_offset), number))
            waiting += [(item, loops, taken) for item in block[::-1]]


def blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    """Yield the lists of statements inside a compound statement, last first."""
    for case in reversed(getattr(statement, "cases", [])):
        yield case.body
    yield getattr(statement, "finalbody", [])
    yield getattr(statement, "orelse", [])
    for handler in reversed(getattr(statement, "handlers", [])):
        yield handler.body
    body = getattr(statement, "body", [])
    if isinstance(body, list):
        yield body


def end_of(body: list[ast.stmt]) -> int:
    """Last line of a block."""
    return body[-1].end_lineno or body[-1].lineno
