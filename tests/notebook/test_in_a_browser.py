"""A process that can do as little as Pyodide in a browser: no thread, child, signal or input.

What raises what was read off Pyodide 314.0.7 (Python 3.14) under Node; the shell has what that of
JupyterLite's kernel has.
"""

import json
import os
import subprocess
import sys

import IPython
import pytest

pytestmark = pytest.mark.skipif(
    IPython.version_info < (8,), reason="the widgets of its time need a whole kernel"
)

PROGRAM = """
import asyncio, contextlib, io, json, os, shutil, signal, subprocess, sys, threading, warnings
from types import SimpleNamespace
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

def refuse(error):
    def call(*arguments, **more):
        raise error
    return call

threading.Thread.start = refuse(RuntimeError("can't start new thread"))
subprocess.Popen.__init__ = os.fork = refuse(OSError(138, "emscripten does not support processes"))
signal.signal = refuse(ValueError("signals do not reach a browser"))
del signal.setitimer
shutil.which = lambda name: "/nowhere/dot"
sys.stdin = None
sys.modules["_multiprocessing"] = None
os.environ["TERM"] = "dumb"

shell = InteractiveShell.instance(
    display_pub_class=CapturingDisplayPublisher,
    config=Config({"HistoryManager": {"enabled": False}}),  # it has a thread
)
shell.kernel = SimpleNamespace(_allow_stdin=True)  # and the shell has no get_parent

async def run_all(cells):
    found = []
    for cell in cells:
        shell.display_pub.outputs = []
        printed, complained = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(complained):
            ready = shell.transform_cell(cell)
            if shell.should_run_async(cell, transformed_cell=ready):
                result = await shell.run_cell_async(cell, transformed_cell=ready)
            else:
                result = shell.run_cell(cell, store_history=True)
        error = result.error_in_exec or result.error_before_exec
        shown = [output["data"] for output in shell.display_pub.outputs]
        found.append([type(error).__name__, printed.getvalue(), complained.getvalue(), shown])
    return found

print(json.dumps(asyncio.run(run_all(json.load(open(sys.argv[1]))))))
"""

SETUP = (
    "%load_ext tapemagic\nimport numpy as np\nw = np.array([1.0, 2.0])\nk = 3.0\n"
    "def step(x):\n    return np.sqrt(x)"
)
LOSS = "loss = k * np.sum(w**2)"
FIND = (
    "import asyncio, ipywidgets\n_known = getattr(ipywidgets.widgets.widget, '_instances', None)\n"
    "_all = list((ipywidgets.Widget.widgets if _known is None else _known).values())\n"
    "_slider = [x for x in _all if isinstance(x, ipywidgets.FloatSlider)][-1]\n"
    "_view = [x for x in _all if type(x).__name__ == 'TapeWidget'][-1]"
)
MOVE = "_slider.value = 2.0\nawait asyncio.sleep(0.3)\nprint(_view.scene['target']['value'])"
CELLS = {
    # cell: (how it ends, what it prints or shows, how often it shows something)
    SETUP: ("NoneType", "", 0),
    f"%%tape w k\n{LOSS}": ("NoneType", "loss = 15", 2),
    f"%%tape k w \n{LOSS}": ("NoneType", "loss = 15", 2),
    FIND: ("NoneType", "", 0),
    MOVE: ("NoneType", "10", 0),
    f"%%tape w k --show static\n{LOSS}": ("NoneType", "loss = 15", 1),
    f"%%tape w k --show static --engine dot\n{LOSS}": ("NoneType", "--engine dot: dot failed.", 1),
    f"%%tape w k --show text --check --jacobian --order 2\n{LOSS}": ("NoneType", "agrees", 0),
    f"%%tape w k --show none --code\n{LOSS}": ("NoneType", "def value_and_gradient", 1),
    f"%%tape w k --show none --strict\n{LOSS}": ("NoneType", "", 0),
    "%%tape w\nimport asyncio\nawait asyncio.sleep(0.01)\nloss = np.sum(w**2)": (
        "NoneType",
        "loss = 5",
        2,
    ),
    "%%tape w -t nowhere\nawait asyncio.sleep(0.01)\nloss = np.sum(w**2)": (
        "UsageError",
        "no target 'nowhere': the cell did not make it",
        2,
    ),
    "%%tape w --show none\nimport time\ntime.sleep(2.3)\nloss = np.sum(w)": ("NoneType", "", 0),
    "%%tape w --show none\ny = step(w)\n1 / 0": ("ZeroDivisionError", "division by zero", 0),
    "%%tape w --show none\ny = step(w)\nraise KeyboardInterrupt": ("KeyboardInterrupt", "", 0),
    "print(type(w).__name__, type(y).__name__, np.__name__)": (
        "NoneType",
        "ndarray ndarray numpy",
        0,
    ),
    "%%tape w --help": ("NoneType", "%%tape [SOURCE ...]", 0),
    "display(tape.graph.to_graphviz())": ("NoneType", "dot of Graphviz does not run here", 1),
    "from tapemagic import tf\nv = tf.Variable(2.0)\n"
    "with tf.GradientTape() as t:\n    y = v * v\nprint(float(t.gradient(y, v)))": (
        "NoneType",
        "4.0",
        0,
    ),
    "%unload_ext tapemagic\nprint('run_cell_async' in vars(get_ipython()))": (
        "NoneType",
        "False",
        0,
    ),
}


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Run all cells in one such process."""
    folder = tmp_path_factory.mktemp("browser")
    (folder / "cells.json").write_text(json.dumps(list(CELLS)))
    finished = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder / "cells.json")],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"IPYTHONDIR": str(folder)},
    )
    assert finished.returncode == 0, finished.stderr
    return dict(zip(CELLS, json.loads(finished.stdout.splitlines()[-1]), strict=True))


@pytest.mark.parametrize("cell", CELLS)
def test_it_works_or_says_why_not(ran, cell):
    ending, words, times = CELLS[cell]
    ended, printed, complained, shown = ran[cell]
    assert ended == ending, printed + complained
    assert words in printed + complained + json.dumps(shown)
    assert complained in ("", f"UsageError: {words}\n")
    assert len(shown) == times
