"""The table of rooms in ARCHITECTURE.md, and what each file of the package imports."""

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


def read_rooms(text):
    """Read the rows whose first cell names files: | `errors.py` | what | must not know |."""
    rows = re.findall(r"^\| *(`[^|]+)\|[^|]*\|([^|]*)\|$", text, flags=re.MULTILINE)
    return [
        Room(rank, tuple(re.findall(r"`(.+?)`", names)), tuple(re.findall(r"`(.+?)`", forbidden)))
        for rank, (names, forbidden) in enumerate(rows)
    ]


ROOMS = read_rooms((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8"))


def find_rooms(file, rooms=ROOMS):
    """The rooms that hold a file; a package's __init__.py is in the last room of its folder."""
    if file != "__init__.py" and file.endswith("__init__.py"):
        folder = file.removesuffix("__init__.py")
        inside = [room for room in rooms if any(p.startswith(folder) for p in room.patterns)]
        return inside[-1:]
    return [room for room in rooms if room.holds(file)]


def read_imports(source, file):
    """Every module that the source of `file` imports, anywhere in it, as (line, dotted name)."""
    package = ["tapemagic", *file.split("/")[:-1]]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                yield node.lineno, f"{module}.{alias.name}"


def resolve(dotted, files=FILES):
    """The file of ours that a dotted name means, or None for a name of another library."""
    parts = dotted.split(".")
    if parts[0] != "tapemagic":
        return None
    # the last part may be a module or a name in one: the longest path that is a file
    for length in range(len(parts), 0, -1):
        path = "/".join(parts[1:length])
        for candidate in (f"{path}.py", f"{path}/__init__.py".lstrip("/")):
            if candidate in files:
                return candidate
    # a folder without __init__.py, or a module that does not exist
    return None


def complain(file, source, rooms=ROOMS, files=FILES):
    """What is wrong with the imports of one file, as sentences."""
    room = next(iter(find_rooms(file, rooms)), Room(len(rooms), (), ()))
    for line, dotted in read_imports(source, file):
        target = resolve(dotted, files)
        if target is None:
            if dotted.startswith("tapemagic."):
                yield f"{file}:{line} imports {dotted}, which does not exist"
            elif dotted.split(".")[0] in room.forbidden:
                yield f"{file}:{line} imports {dotted}, which its room must not know"
        elif any(other.rank > room.rank for other in find_rooms(target, rooms)):
            yield f"{file}:{line} imports {target}, whose room is below its own"
        elif any(fnmatch.fnmatch(target, pattern) for pattern in room.forbidden):
            yield f"{file}:{line} imports {target}, which its room must not know"
