"""The cells of the tutorial print what TensorFlow 2.21 printed (seed_reference.json)."""

import ast
import contextlib
import io
import json
from pathlib import Path

import numpy as np
import pytest

from tapemagic import tf

CELLS = json.loads(Path(__file__).with_name("seed_reference.json").read_text())["cells"]


def run_cell(code, namespace):
    """Run a cell as a notebook does: the value of a last expression is shown."""
    body = ast.parse(code).body
    shown = isinstance(body[-1], ast.Expr) and isinstance(body[-1].value, ast.Name)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(ast.Module(body[: len(body) - shown], []), "cell", "exec"), namespace)
        if shown:
            print(repr(namespace[body[-1].value.id]))
    return printed.getvalue()


@pytest.fixture(scope="module")
def runs():
    """Run all cells in order in one namespace; keep what each printed and its `df`."""
    namespace = {"tf": tf}
    return [(run_cell(cell["code"], namespace), namespace.get("df")) for cell in CELLS]


@pytest.mark.parametrize("number", range(len(CELLS)), ids=lambda i: CELLS[i]["name"])
def test_cell_prints_the_same(runs, number):
    assert runs[number][0] == CELLS[number]["stdout"]


def check_result(found, expected):
    if expected is None:
        assert found is None
    elif isinstance(expected, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            check_result(one, other)
    else:
        assert isinstance(found, tf.Tensor)
        assert found.dtype.name == expected["dtype"]
        assert found.shape.as_list() == expected["shape"]
        assert np.array_equal(found.numpy(), np.array(expected["value"], expected["dtype"]))


@pytest.mark.parametrize(
    "number", [i for i, cell in enumerate(CELLS) if "result" in cell],
    ids=lambda i: CELLS[i]["name"],
)  # fmt: skip
def test_cell_has_the_same_result(runs, number):
    check_result(runs[number][1], CELLS[number]["result"])
