"""A `with GradientTape()` block in cells of marimo, which has no cell magics."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import tapemagic

pytestmark = pytest.mark.slow

NOTEBOOK = """
import marimo

app = marimo.App()


@app.cell
def _():
    import numpy as np
    import tapemagic
    return np, tapemagic


@app.cell
def _(np):
    w = np.array([1.0, 4.0])
    def root(x):
        return np.sqrt(x)
    return root, w


@app.cell
def _(np, root, tapemagic, w):
    with tapemagic.GradientTape(persistent=True) as tape:
        tape.watch(w)
        parts = np.zeros(2)
        for i in range(2):
            parts[i] = root(w[i])
        flat = np.floor(w)
        loss = np.sum(parts) + np.sum(flat)
    return flat, loss, tape


@app.cell
def _(flat, loss, tape, w):
    print(tape.gradient(loss, w).tolist(), type(loss).__name__, type(w).__name__)
    tape.gradient(flat, w)
    print(tape.explain())
    tape.gradient(loss, w)
    tape
    return


@app.cell
def _(tape):
    tape.graph
    return
"""


def test_blocks_cells_and_pictures(tmp_path):
    pytest.importorskip("marimo")
    notebook = tmp_path / "notebook.py"
    notebook.write_text(NOTEBOOK)
    command = [sys.executable, "-m", "marimo", "export", "html", str(notebook), "-o", "page.html"]
    finished = subprocess.run(
        command,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(tapemagic.__file__).parent.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    said = finished.stdout + finished.stderr
    assert finished.returncode == 0, said
    assert "[0.5, 0.25] float64 ndarray" in said
    assert "'w' has gradient 0: floor (line 6) is flat" in said
    assert "Warning" not in said
    page = (tmp_path / "page.html").read_text()
    assert page.count("Graph of the recorded cell: from w to loss") == 2
