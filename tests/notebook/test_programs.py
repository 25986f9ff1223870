"""Programs of many fields, as people write them: as a cell, as a script, and on other inputs.

Each file in `programs/` has what runs before the cell, the magic's line with the sources, and the
cell, which leaves `loss`. Values, names and prints are held against plain NumPy's, the gradient
against differences of the plain program along a random direction.
"""

import ast
import contextlib
import io
import linecache
import re
import sys
import textwrap
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tapemagic import GradientTape
from tapemagic.errors import LeavesTapeError, TapeError
from tapemagic.notebook.arguments import parse_path
from tests.notebook.worlds import (
    assert_same_world,
    differences,
    execute,
    picture,
    run_plain,
    run_taped,
)

pytest.importorskip("scipy.stats")

IMPORTS = "import math\n\nimport numpy as np\n\n"
FILES = sorted((Path(__file__).parent / "programs").glob("*.txt"))


def parts(file):
    """Return the setup, the sources and the cell."""
    setup, rest = file.read_text().split("%%tape ")
    sources, cell = rest.split("\n", 1)
    return IMPORTS + setup, sources.split(), cell


def execute_known(text, namespace, filename):
    """Run text whose lines can be looked up, as those of cells and scripts can."""
    linecache.cache[filename] = len(text), None, text.splitlines(keepends=True), filename
    execute(ast.parse(text).body, namespace, filename)


def copied(values):
    return {k: x.copy() if isinstance(x, np.ndarray) else x for k, x in values.items()}


class Plain:
    """The program on plain NumPy, as a function of its sources."""

    def __init__(self, setup, sources, cell):
        self.setup, self.cell = ast.parse(setup).body, ast.parse(cell).body
        start = self.started()
        self.start = copied({name: start[name] for name in sources})
        rng = np.random.default_rng(5)
        self.direction = {k: rng.normal(size=np.shape(x))[()] for k, x in self.start.items()}

    def started(self):
        space = {"__name__": "__main__"}
        np.random.seed(1)
        execute(self.setup, space)
        return space

    def moved(self, step):
        """Return the sources, a step along the direction."""
        return {k: type(x)(x + step * self.direction[k]) if type(x) is float
                else x + step * self.direction[k] for k, x in self.start.items()}  # fmt: skip

    def __call__(self, values):
        space = self.started()
        for name, value in values.items():
            if isinstance(value, np.ndarray):  # which dicts and objects may hold as well
                space[name][...] = value
            else:
                space[name] = value
        with contextlib.redirect_stdout(io.StringIO()):
            execute(self.cell, space)
        return np.sum(space["loss"])

    def slope(self):
        """Return the derivative along the direction, by differences of fourth order."""
        h = 1e-5
        near, far = (self(self.moved(k * h)) - self(self.moved(-k * h)) for k in (1, 2))
        return (8 * near - far) / (12 * h)

    def along(self, gradients):
        return sum(np.sum(ct * self.direction[k]) for k, ct in zip(self.start, gradients,
                                                                   strict=True))  # fmt: skip


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_as_a_cell(file):
    setup, sources, cell = parts(file)
    plain = Plain(setup, sources, cell)
    execute_known(setup, {"__name__": "__main__"}, "<setup>")  # for its helpers' lines
    paths = {"sources": tuple(map(parse_path, sources)), "target": parse_path("loss")}
    taped, session = run_taped(setup, cell, **paths)
    assert_same_world(run_plain(setup, cell), taped)
    gradients = session.tape.gradient("loss", sources, unconnected_gradients="zero")
    slope = plain.slope()
    assert plain.along(gradients) == pytest.approx(slope, rel=1e-6, abs=1e-8)
    moved = plain.moved(1e-4)
    try:
        found = session.tape.program("loss", sources)(**copied(moved))
    except TapeError as error:  # a minimum, say, would be another element
        assert re.search("gone another way|of scipy.* cannot be written", error.what)
        return
    assert found[0] == pytest.approx(plain(moved), rel=1e-9)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_as_a_script(file, monkeypatch):
    setup, sources, cell = parts(file)
    plain = Plain(setup, sources, cell)
    worlds = []
    watched = "".join(f"tape.watch({name})\n" for name in sources)
    for body in (cell, f"with tape:\n{textwrap.indent(watched + cell, '    ')}"):
        module = ModuleType("users_script")
        module.__file__ = "users_script.py"
        monkeypatch.setitem(sys.modules, module.__name__, module)
        space, printed = vars(module), io.StringIO()
        np.random.seed(1)
        execute_known(setup, space, "<setup>")
        values = [space[name] for name in sources]
        space["tape"] = GradientTape(persistent=True)
        with contextlib.redirect_stdout(printed):
            try:
                execute_known(body, space, "<script>")
            except LeavesTapeError as error:  # neither can be followed in a script
                assert re.search(r"\(\) makes a plain number|method of a plain array", error.what)
                return
        tape = space.pop("tape")
        space.pop("__builtins__")
        worlds.append((picture(space), printed.getvalue()))
    assert list(differences(*worlds)) == []
    gradients = tape.gradient(space["loss"], values, unconnected_gradients="zero")
    assert plain.along(gradients) == pytest.approx(plain.slope(), rel=1e-6, abs=1e-8)
