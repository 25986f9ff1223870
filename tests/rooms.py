"""The rooms and doors of ARCHITECTURE.md, and what each file of the package imports."""

import ast
import fnmatch
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "tapemagic"
FILES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


@dataclass(frozen=True)
class Room:
    """One row of the table: which files, and what they must not import although it is above."""

    rank: int
    patterns: tuple[str, ...]
    forbidden: tuple[str, ...]

    def holds(self, file):
        return any(fnmatch.fnmatch(file, pattern) for pattern in self.patterns)


@dataclass(frozen=True)
class Import:
    """One imported name; `deferred` when it happens in a function and not when a module loads."""

    line: int
    dotted: str
    deferred: bool


def read_table(text, heading):
    """The rows under a heading, each a list of cells, each cell the names in its backticks."""
    (section,) = re.findall(rf"^#+ {heading}\n(.*?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL)
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    return [[tuple(re.findall(r"`(.+?)`", cell)) for cell in row] for row in rows]


class House:
    """The tables of one text, and the files that they are about."""

    def __init__(self, text, files):
        self.files = files
        self.rooms = [
            Room(rank, patterns, forbidden)
            for rank, (patterns, _, forbidden) in enumerate(read_table(text, "Rooms"))
        ]
        self.doors = [(start, end) for (start,), (end,), _ in read_table(text, "Doors")]

    def find_rooms(self, file):
        """The rooms that hold a file; a package's __init__.py is in the last room of its folder."""
        if file != "__init__.py" and file.endswith("__init__.py"):
            folder = file.removesuffix("__init__.py")
            inside = [r for r in self.rooms if any(p.startswith(folder) for p in r.patterns)]
            return inside[-1:]
        return [room for room in self.rooms if room.holds(file)]

    def resolve(self, dotted):
        """The file of ours that a dotted name means, or None for a name of another library."""
        package, *parts = dotted.split(".")
        if package != "tapemagic":
            return None
        # the last part may be a module or a name in one: the longest path that is a file
        for length in range(len(parts), -1, -1):
            path = "/".join(parts[:length])
            for candidate in (f"{path}.py", f"{path}/__init__.py".lstrip("/")):
                if candidate in self.files:
                    return candidate
        return None

    def complain(self, file, source):
        """What is wrong with the imports of one file, as sentences."""
        room = next(iter(self.find_rooms(file)), Room(len(self.rooms), (), ()))
        for found in read_imports(source, file):
            target = self.resolve(found.dotted)
            start = f"{file}:{found.line} imports {target or found.dotted}"
            if (file, target) in self.doors:
                if not found.deferred:
                    yield f"{start} through a door, but not inside a function"
            elif target is None:
                if found.dotted.startswith("tapemagic."):
                    yield f"{start}, which does not exist"
                elif found.dotted.split(".")[0] in room.forbidden:
                    yield f"{start}, which its room must not know"
            elif any(other.rank > room.rank for other in self.find_rooms(target)):
                yield f"{start}, whose room is below its own"
            elif any(fnmatch.fnmatch(target, pattern) for pattern in room.forbidden):
                yield f"{start}, which its room must not know"


def read_imports(source, file):
    """Every import in the source of `file`, at its top or anywhere else."""
    tree = ast.parse(source)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    deferred = {inner for function in functions for inner in ast.walk(function)}
    package = ["tapemagic", *file.split("/")[:-1]]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            module = [*above, node.module] if node.module else above
            names = [".".join([*module, alias.name]) for alias in node.names]
        else:
            continue
        for name in names:
            yield Import(node.lineno, name, node in deferred)


HOUSE = House((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8"), FILES)
