"""Data flows one way: a room imports only from the rooms above it in ARCHITECTURE.md's table."""

import pytest
from rooms import FILES, HOUSE, PACKAGE, House, read_imports

# about 300 lines: beyond that a file has two subjects
LONGEST_FILE = 320


def read(file):
    return (PACKAGE / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("file", FILES)
def test_file_has_one_room(file):
    rooms = HOUSE.find_rooms(file)
    assert len(rooms) == 1, f"ARCHITECTURE.md's table must name {file} in one row, not {len(rooms)}"


@pytest.mark.parametrize("room", HOUSE.rooms, ids=lambda room: room.patterns[0])
def test_room_exists(room):
    for pattern in room.patterns:
        assert list(PACKAGE.glob(pattern)), f"ARCHITECTURE.md names {pattern}, which does not exist"


@pytest.mark.parametrize(("start", "end"), HOUSE.doors)
def test_door_is_used_and_leads_down(start, end):
    ((above,), (below,)) = HOUSE.find_rooms(start), HOUSE.find_rooms(end)
    assert above.rank < below.rank
    targets = [HOUSE.resolve(found.dotted) for found in read_imports(read(start), start)]
    assert end in targets, f"{start} does not import {end}: take the door out of the table"


@pytest.mark.parametrize("file", FILES)
def test_imports_come_from_above(file):
    assert list(HOUSE.complain(file, read(file))) == []


@pytest.mark.parametrize("file", FILES)
def test_file_is_short(file):
    lines = read(file).count("\n")
    assert lines <= LONGEST_FILE, f"{file} has {lines} lines: does it have two subjects?"


# The checker itself, on a small house: upstairs/ may see the cellar, the attic may not.

SMALL_HOUSE = """
## Rooms
| room | what lives there | must not know |
|---|---|---|
| `cellar.py`, `boiler.py` | foundations | |
| `upstairs/*.py` | rooms | `IPython` |
| `attic.py` | dust | `cellar.py` |
| `__init__.py` | the front door | |

### Doors
| from | to | for |
|---|---|---|
| `boiler.py` | `attic.py` | the chimney |
"""
SMALL_HOUSE_FILES = ["__init__.py", "attic.py", "boiler.py", "cellar.py"]
SMALL_HOUSE_FILES += ["upstairs/__init__.py", "upstairs/bed.py"]


@pytest.mark.parametrize(
    ("file", "source", "expected"),
    [
        ("upstairs/bed.py", "from tapemagic import cellar", []),
        ("upstairs/bed.py", "from tapemagic.cellar import wine", []),
        ("upstairs/bed.py", "from .. import cellar", []),
        ("upstairs/bed.py", "from ..boiler import heat", []),
        ("upstairs/bed.py", "from . import bed", []),
        ("upstairs/__init__.py", "from .bed import sleep", []),
        ("__init__.py", "from . import attic", []),
        ("boiler.py", "import numpy, tapemagic.cellar", []),
        ("boiler.py", "def f():\n    from .attic import smoke", []),
        ("attic.py", "import IPython", []),
        ("boiler.py", "from .attic import smoke", ["not inside a function"]),
        ("upstairs/bed.py", "from tapemagic import attic", ["attic.py, whose room is below"]),
        ("upstairs/bed.py", "from ..attic import dust", ["attic.py, whose room is below"]),
        ("upstairs/bed.py", "import tapemagic", ["__init__.py, whose room is below"]),
        ("upstairs/bed.py", "from tapemagic import tape", ["__init__.py, whose room is below"]),
        ("cellar.py", "def f():\n    import tapemagic.upstairs.bed", ["bed.py, whose room is"]),
        ("cellar.py", "import tapemagic.upstairs", ["upstairs/__init__.py, whose room is"]),
        ("upstairs/bed.py", "from IPython.display import HTML", ["HTML, which its room must not"]),
        ("attic.py", "import tapemagic.cellar", ["cellar.py, which its room must not know"]),
    ],
)
def test_checker(file, source, expected):
    complaints = list(House(SMALL_HOUSE, SMALL_HOUSE_FILES).complain(file, source))
    assert len(complaints) == len(expected)
    for complaint, words in zip(complaints, expected, strict=True):
        assert words in complaint
