"""Time `%%tape` cells: ``python -m benchmarks.cells [words of a cell's name]``.

Each cell runs in an IPython of this process, plain and under `%%tape`, in turns. The table is
Markdown: the time of the statements in the plain cell, what they take under the tape as a ratio to
that, and the time of the whole taped cell, from its text to the picture that a terminal prints.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import statistics
import time
from dataclasses import dataclass
from typing import Any

#: Names under which a cell leaves when its statements began and ended.
START, STOP = "_started", "_stopped"


@dataclass(frozen=True)
class TapedCell:
    """A cell: what is there before it, its sources, and its statements, which bind `loss`."""

    name: str
    before: str
    sources: str
    text: str


CHAIN = "y = x\nfor _ in range(500):\n    y = y * x\n    y = y + 1.01\n"
RANDOM = "def random(*shape, seed=0):\n    return np.random.default_rng(seed).normal(size=shape)\n"

CELLS = [
    TapedCell("1,000 scalar operations", "x = np.float64(0.9)", "x", CHAIN + "loss = y"),
    TapedCell(
        "1,000 operations on 3 elements",
        "x = np.array([0.9, 0.8, 0.7])",
        "x",
        CHAIN + "loss = np.sum(y)",
    ),
    TapedCell(
        "tutorial example 2",
        RANDOM + "w, b, x = random(3, 2), np.zeros(2), np.array([[-2.0, 1.0, 3.0]])",
        "w b",
        "y = x @ w + b\nloss = np.mean(y**2)",
    ),
    TapedCell(
        "MLP 784-256-128-10, batch 32",
        RANDOM + "w1, w2, w3 = random(784, 256) / 28, random(256, 128) / 16, random(128, 10) / 11\n"
        "b1, b2, b3 = np.zeros(256), np.zeros(128), np.zeros(10)\n"
        "x, y = random(32, 784), random(32, 10)",
        "w1 b1 w2 b2 w3 b3",
        "h1 = np.tanh(x @ w1 + b1)\nh2 = np.tanh(h1 @ w2 + b2)\nout = h2 @ w3 + b3\n"
        "loss = np.mean((out - y) ** 2)",
    ),
    TapedCell(
        "RNN, 200 steps, hidden 32",
        RANDOM + "w, u, b = random(32, 32) / 6, random(32, 32, seed=1) / 6, np.zeros(32)\n"
        "xs = random(200, 32, seed=2)",
        "w u b",
        "h = np.zeros(32)\nfor x in xs:\n    h = np.tanh(h @ w + x @ u + b)\nloss = np.mean(h**2)",
    ),
    TapedCell(
        "one variable used 1,000 times",
        "x = np.float64(0.7)",
        "x",
        "loss = 0.0\nfor k in range(1000):\n    loss = loss + x * k",
    ),
    TapedCell(
        "sum of x[i], i < 2,000",
        RANDOM + "x = random(2000)",
        "x",
        "loss = 0.0\nfor i in range(2000):\n    loss = loss + x[i]",
    ),
]


def new_shell() -> Any:
    """Return an IPython without history and files of its own, with the magic loaded."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=config)
    shell.run_line_magic("load_ext", "tapemagic")
    return shell


def run(shell: Any, text: str) -> tuple[float, float]:
    """Run a cell; return the seconds of its statements, and of all of it."""
    start = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        shell.run_cell(text).raise_error()
    whole = time.perf_counter() - start
    return shell.user_ns[STOP] - shell.user_ns[START], whole


def measure(shell: Any, cell: TapedCell, turns: int) -> list[str]:
    """Measure one cell; return its row of the table."""
    shell.run_cell(f"import time\nimport numpy as np\n{cell.before}").raise_error()
    plain = f"{START} = time.perf_counter()\n{cell.text}\n{STOP} = time.perf_counter()\n"
    taped = f"%%tape {cell.sources} -t loss\n{plain}"
    run(shell, plain), run(shell, taped)  # what is imported and compiled once
    times = [(run(shell, plain)[0], *run(shell, taped)) for _ in range(turns)]
    alone, under_tape, whole = map(statistics.median, zip(*times, strict=True))
    return [
        cell.name,
        f"{alone * 1e3:.3g} ms",
        f"{under_tape / alone:.1f}",
        f"{whole * 1e3:.0f} ms",
    ]


def main() -> None:
    """Measure the cells that match and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*", help="only cells with these words in their name")
    parser.add_argument("--turns", type=int, default=9, help="how often each cell is run")
    options = parser.parse_args()
    shell = new_shell()
    heads = ["cell", "its statements, plain", "under the tape", "whole cell with its picture"]
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for cell in CELLS:
        if all(word in cell.name for word in options.words):
            print(f"| {' | '.join(measure(shell, cell, options.turns))} |", flush=True)


if __name__ == "__main__":
    main()
