"""What the magic says of itself: `%%tape?`, `%%tape --help`, and `%tape?`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import tapemagic

PACKAGE_ROOT = str(Path(tapemagic.__file__).parent.parent)

OPTIONS = (
    "SOURCE", "--target", "--output", "--show", "--strict", "--check", "--jacobian", "--order",
    "--code", "--engine", "--help",
)  # fmt: skip
EXAMPLE = "%%tape w b -t loss"


def pager(reply):
    """Return the text that the notebook's pager shows."""
    return reply.content["payload"][0]["data"]["text/plain"]


@pytest.mark.parametrize("cell", ["%%tape?", "%%tape --help", "%%tape w -h\nran = True"])
def test_help_of_the_cell_magic(kernel, cell):
    reply = kernel.run(cell)
    assert reply.status == "ok"
    text = pager(reply)
    assert "%%tape [SOURCE ...] [-t TARGET] [OPTION ...]" in text
    assert EXAMPLE in text
    assert [option for option in OPTIONS if option not in text] == []
    assert kernel.value("'ran' in globals()") == "False"


def test_help_by_a_call(kernel):
    reply = kernel.run("get_ipython().run_cell_magic('tape', '--help', 'ran = True')")
    assert EXAMPLE in pager(reply)
    assert kernel.value("'ran' in globals()") == "False"


@pytest.mark.parametrize("cell", ["%tape?", "%tape --help"])
def test_the_line_magic_points_to_the_cell_magic(kernel, cell):
    text = pager(kernel.run(cell))
    assert "`%%tape?` tells its options" in text
    assert "--jacobian" not in text


def test_help_in_a_terminal(tmp_path):
    program = (
        "from IPython.terminal.interactiveshell import TerminalInteractiveShell\n"
        "shell = TerminalInteractiveShell.instance(colors='NoColor')\n"
        "shell.run_cell('%load_ext tapemagic')\n"
        "shell.run_cell('%%tape --help')\n"
    )
    environment = {**os.environ, "PYTHONPATH": PACKAGE_ROOT, "IPYTHONDIR": str(tmp_path)}
    environment.pop("VIRTUAL_ENV", None)  # of which IPython warns if it is another one
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True
    )
    assert found.stderr == ""
    assert EXAMPLE in found.stdout
    assert [option for option in OPTIONS if option not in found.stdout] == []


def test_a_comment_that_begins_like_the_line_magic_is_a_comment(kernel):
    reply = kernel.run("# %tape --help\nran = True")
    assert reply.content["payload"] == []
    assert kernel.value("ran") == "True"
