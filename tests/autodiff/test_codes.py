"""Code as notebooks compile it: cells by other names, in files of their own."""

import ast
import linecache

import numpy as np
import pytest

import tapemagic
from tapemagic.autodiff.codes import is_installed, is_module, is_outermost


def test_libraries_are_where_pip_or_debian_puts_them():
    assert is_installed("/venv/lib/python3.11/site-packages/pandas/__init__.py")
    assert is_installed("/usr/local/lib/python3.12/dist-packages/pandas/__init__.py")
    assert not is_installed("/home/me/packages/mine.py")


@pytest.mark.parametrize(
    ("name", "filename", "module", "outermost"),
    [
        ("<module>", "/tmp/ipykernel_1/2.py", True, True),
        ("<cell line: 3>", "/tmp/ipykernel_1/2.py", True, True),  # IPython before 8.5
        ("<cell line: 3>", "<ipython-input-3-0a1b>", True, True),
        ("<module>", "<timed exec>", True, False),
        ("step", "/tmp/ipykernel_1/2.py", False, False),
    ],
)
def test_what_a_cell_is(name, filename, module, outermost):
    code = compile("x = 1", filename, "exec").replace(co_name=name)
    assert (is_module(code), is_outermost(code)) == (module, outermost)


SETUP = "import numpy as np, tapemagic\nw = np.array([1.0, 4.0])\nb = np.float64(0.5)"
HELPER = "def root(x):\n    return np.sqrt(x)"
BLOCK = (
    "with tapemagic.GradientTape(persistent=True) as tape:\n"
    "    tape.watch((w, b))\n"
    "    made = np.zeros(2)\n"
    "    for i in range(2):\n"
    "        made[i] = root(w[i]) * b\n"
    "    loss = np.sum(made)"
)
ASK = "found = tape.gradient(loss, [w, b])"


def run_cells(cells, name):
    """Run cells as marimo does, each from a file of its own; or under names that IPython gave."""
    names = {"__name__": "__main__"}
    for number, text in enumerate(cells):
        filename = f"/tmp/marimo_1/__marimo__cell_{number}_.py"
        linecache.cache[filename] = len(text), None, text.splitlines(keepends=True), filename
        # marimo runs a cell as a whole, IPython its statements one by one
        bodies = (
            [ast.parse(text).body] if name == "<module>" else [[s] for s in ast.parse(text).body]
        )
        for body in bodies:
            exec(compile(ast.Module(body, []), filename, "exec").replace(co_name=name), names)
    return names


@pytest.mark.parametrize("name", ["<module>", "<cell line: 1>"])
@pytest.mark.parametrize(
    "cells",
    [[SETUP, HELPER, BLOCK, ASK], [f"{SETUP}\n{HELPER}\n{BLOCK}\n{ASK}"]],
    ids=["in cells", "in one"],
)
def test_a_block_in_a_cell_knows_its_names_and_lines(cells, name):
    names = run_cells(cells, name)
    np.testing.assert_allclose(names["found"][0], [0.25, 0.125])  # b / (2 sqrt(w))
    np.testing.assert_allclose(names["found"][1], 3.0)  # sqrt(1) + sqrt(4)
    assert type(names["made"]) is np.ndarray
    assert names["np"] is np
    tape = names["tape"]
    assert [row.name for row in tape.graph.sources] == ["w", "b"]
    first = 0 if len(cells) > 1 else 5  # lines above the block
    assert {node.line for node in tape.graph.nodes if node.op == "multiply"} == {first + 5}
    assert {node.line for node in tape.graph.nodes if node.op == "sum"} == {first + 6}
    # the line of the helper counts for what it does
    assert {node.line for node in tape.graph.nodes if node.op == "sqrt"} == {
        2 if len(cells) > 1 else 5
    }


@pytest.mark.parametrize("look", ["", "tape.graph\n"])
def test_names_of_a_block_are_known_whether_or_not_its_graph_was_looked_at(look):
    ask = f"{look}found = tape.gradient('loss', ['w', 'b', 'made'])"
    found = run_cells([SETUP, HELPER, BLOCK, ask], "<module>")["found"]
    np.testing.assert_allclose(found[0], [0.25, 0.125])
    np.testing.assert_allclose(found[1], 3.0)
    np.testing.assert_allclose(found[2], [1.0, 1.0])
    with pytest.raises(tapemagic.errors.SourceError, match=r"'nowhere'(.|\n)*Known: .*loss"):
        run_cells([SETUP, HELPER, BLOCK, f"{look}tape.gradient('nowhere', 'w')"], "<module>")


def test_a_source_that_is_asked_for_by_object_keeps_its_name():
    w, other = np.array([1.0, 2.0]), np.array([3.0])
    names = {"np": np, "w": w, "other": other, "tapemagic": tapemagic}
    exec(
        "with tapemagic.GradientTape() as tape:\n"
        "    tape.watch([w, other])\n"
        "    y = np.sum(w**2) + np.sum(other)\n"
        "found = tape.gradient(y, [other, w])\n"
        "rows = [(row.name, row.gradient.values) for row in tape.graph.sources]",
        names,
    )
    assert sorted(name for name, _ in names["rows"]) == ["other", "w"]
    assert dict(names["rows"])["w"] == (2.0, 4.0)
