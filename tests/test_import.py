"""`import tapemagic` is for scripts too: it loads nothing of the notebook."""

import subprocess
import sys

import pytest

FOR_NOTEBOOKS = ["IPython", "ipywidgets", "anywidget", "graphviz", "matplotlib", "scipy", "tqdm"]


def run_python(source):
    """Run a script in a fresh process; the answer is what it printed."""
    finished = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


@pytest.mark.parametrize(
    "use", ["import tapemagic", "import tapemagic; tapemagic.GradientTape", "import tapemagic.tf"]
)
def test_import_loads_nothing_of_the_notebook(use):
    script = f"import sys; {use}; print({{name.split('.')[0] for name in sys.modules}})"
    assert eval(run_python(script)).isdisjoint(FOR_NOTEBOOKS)


def test_a_gradient_without_the_notebook():
    # the libraries of the notebook cannot even be found, as where only NumPy is installed
    script = f"""
import sys

class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {FOR_NOTEBOOKS}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Hide())
import numpy as np
import tapemagic

x = tapemagic.Variable([1.0, 2.0])
with tapemagic.GradientTape() as tape:
    y = np.sum(x**2)
print(tape.gradient(y, x).tolist())
"""
    assert run_python(script) == "[2.0, 4.0]\n"
