"""What IPython 7, Colab and other kernels do in another way, tried without them."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from IPython.core.completer import CompletionSplitter

import tapemagic
from tapemagic.notebook import completion

PARSER = SimpleNamespace(
    _actions=[
        SimpleNamespace(option_strings=["--show"], choices=["widget", "static"]),
        SimpleNamespace(option_strings=["--strict"], choices=None),
    ]
)
NAMES = {"weights": 1.0, "params": {"W1": 1.0, "W2": 2.0}, "model": SimpleNamespace(W1=1.0)}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("%%tape --s", ["--show", "--strict"]),
        ("%%tape w --show st", ["static"]),
        ("%%tape wei", ["weights"]),
        # only what stands behind the bracket is a word to it
        ('%%tape params["W', ['W1"]', 'W2"]']),
        ("%%tape model.", ["model.W1"]),
        ("# %%tape wei", ["weights"]),
        ("wei", []),
        ("y = %%tape wei", []),
    ],
)
def test_completion_before_ipython_8_6(monkeypatch, line, expected):
    monkeypatch.setattr(completion, "ipython", SimpleNamespace())  # has no context_matcher
    completer = SimpleNamespace(
        text_until_cursor=line, splitter=CompletionSplitter(), magic_arg_matchers=[]
    )
    assert completion.matchers_of(completer) is completer.magic_arg_matchers
    match = completion.make_matcher(completer, PARSER, NAMES)
    assert match(line + " and more") == expected


@pytest.mark.kernel
def test_a_handler_of_the_shell_shows_its_own_errors_and_we_the_others(kernel):
    """Colab has one for missing modules before anybody loads an extension."""
    kernel.run(
        "%unload_ext tapemagic\n"
        "def _mine(shell, kind, error, tb, tb_offset=None):\n"
        "    print('handled', kind.__name__)\n    shell.showtraceback((kind, error, tb))\n"
        "get_ipython().set_custom_exc((ImportError,), _mine)\n%load_ext tapemagic\n"
        "from tapemagic import tf"
    )
    try:
        for cell in ("import nowhere_at_all", "%%tape w --show none\nimport nowhere_at_all"):
            reply = kernel.run(cell)
            assert (reply.error, reply.stream()) == (
                "ModuleNotFoundError",
                "handled ModuleNotFoundError\n",
            )
        for cell in ("tf.reshape(tf.ones(4), 3)", "%%tape w --show none\nfloat('abc')"):
            reply = kernel.run(cell)
            assert reply.stream() == ""
            assert "tapemagic/" not in reply.traceback
            assert cell.splitlines()[-1] in reply.traceback
        kernel.run("%unload_ext tapemagic")
        assert kernel.value("get_ipython().custom_exceptions") == "(<class 'ImportError'>,)"
    finally:
        kernel.run("get_ipython().set_custom_exc((), None)\n%reload_ext tapemagic")
        kernel.run("%config TapeMagics.show = 'none'")


KERNELS = """
from types import SimpleNamespace
from IPython.core.interactiveshell import InteractiveShell
import tapemagic

class OfTasks(InteractiveShell):
    def run_cell_async(self, raw_cell, done):  # as xeus-python has it, with events of its own
        pass

for kind in (InteractiveShell, OfTasks):
    for kernel in (SimpleNamespace(), SimpleNamespace(do_execute=None)):
        shell = kind()
        shell.kernel = kernel
        tapemagic.load_ipython_extension(shell)
        print("run_cell_async" in vars(shell))
"""


def test_only_a_kernel_that_awaits_cells_itself_needs_to_be_told_of_their_end(tmp_path):
    root = str(Path(tapemagic.__file__).parent.parent)
    finished = subprocess.run(
        [sys.executable, "-c", KERNELS],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"IPYTHONDIR": str(tmp_path), "PYTHONPATH": root},
    )
    assert finished.returncode == 0, finished.stderr
    # of JupyterLite's kernel, of ipykernel, and twice of xeus-python
    assert finished.stdout.split() == ["True", "False", "False", "False"]
