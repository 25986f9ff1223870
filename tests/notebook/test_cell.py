"""A taped cell is an ordinary cell: every column of the list, in a real ipykernel."""

import re
import time

import IPython
import pytest

pytestmark = pytest.mark.kernel

#: IPython 7, which Colab has, marks the line of an error with an arrow and does not number it. On
#: Python 3.12 it does not know `x = !echo`, and cells with an error below `%%time` count as done.
IS_OLD = IPython.version_info < (8,)

CELL = "y = x @ w + b\nloss = y @ y\n"


def gradient(kernel, *names, target="loss"):
    return kernel.value(f"[tape.gradient({target!r}, n).tolist() for n in {list(names)!r}]")


def assert_plain(kernel):
    """No handle, no twin and no hook is left in the user's names or in the shell."""
    assert (
        kernel.value(
            "[k for k, v in globals().items() if 'tapemagic' in type(v).__module__ "
            "and k not in ('tape', 'other')]"
        )
        == "[]"
    )
    assert kernel.value("np is __import__('sys').modules['numpy']") == "True"
    assert kernel.value("[n for n in dir(__import__('builtins')) if 'tapemagic' in n]") == "[]"
    # what loading the extension set; a cell's own hook is gone
    refusals = "(<class 'Exception'>, <class 'KeyboardInterrupt'>)"
    assert kernel.value("get_ipython().custom_exceptions") == refusals
    # the one callback that belongs to IPython itself, or to its extensions: none is ours
    assert "notebook.running" not in kernel.value("get_ipython().events.callbacks")


def test_gradient_of_an_ordinary_cell(kernel):
    reply = kernel.run("%%tape w b\n" + CELL)
    assert reply.status == "ok", reply.traceback
    # y = [5.5, 11.5]; d(y @ y)/dw = 2 y @ x, d/db = 2 sum(y)
    assert gradient(kernel, "w", "b") == "[[80.0, 114.0], 34.0]"
    assert kernel.value("type(y), type(loss), type(w), type(b)") == (
        "(<class 'numpy.ndarray'>, <class 'numpy.float64'>, <class 'numpy.ndarray'>, "
        "<class 'float'>)"
    )
    assert_plain(kernel)


def test_comment_spelling(kernel):
    assert kernel.run("# %%tape w b\n" + CELL).status == "ok"
    assert gradient(kernel, "w", "b") == "[[80.0, 114.0], 34.0]"


def test_gradient_by_object(kernel):
    kernel.run("%%tape w b\n" + CELL)
    assert kernel.value("tape.gradient(loss, [w, y])[0].tolist()") == "[80.0, 114.0]"
    assert kernel.value("tape.gradient(loss, y).tolist()") == "[11.0, 23.0]"


def test_traceback_has_the_line_and_number_of_the_cell(kernel):
    reply = kernel.run("%%tape w\ny = w * 2\n\ny.nothing\nz = 1")
    assert reply.status == "error"
    assert reply.error == "AttributeError"
    number = reply.content["execution_count"]
    assert IS_OLD or f"Cell In[{number}], line 4" in reply.traceback
    assert "----> 4 y.nothing" in reply.traceback
    assert_plain(kernel)


@pytest.mark.parametrize(
    "body",
    [
        "v = float('abc')",
        "v = w @ np.ones((3, 3))",
        "v = w[5]",
        "w[7] = 1.0",
        "v = w + np.ones(3)",
        "def f(a):\n    return float('abc')\nf(w)",
        "v = np.zeros((2, -1))",
        "import nowhere_at_all",
        "raise RuntimeError('own')",
    ],
)
def test_no_frame_of_ours_in_the_traceback(kernel, body):
    plain = kernel.run(body)
    reply = kernel.run("%%tape w\n" + body)
    assert reply.error == plain.error
    assert "tapemagic/" not in reply.traceback
    assert ("----> " if IS_OLD else "line ") in reply.traceback
    assert_plain(kernel)


def test_post_mortem_sees_the_users_frames(kernel):
    kernel.run("%%tape w\ndef f(a):\n    inside = 7\n    return float('abc')\nf(w)")
    shown = kernel.value(
        "[f.f_code.co_name for f, _ in __import__('traceback').walk_tb("
        "__import__('sys').last_traceback)]"
    )
    assert shown.endswith("'<cell line: 0>', 'f']" if IS_OLD else "'<module>', 'f']")


def test_traceback_printed_by_the_user(kernel):
    body = "import traceback\ntry:\n    float('abc')\nexcept ValueError:\n    traceback.print_exc()"
    plain, taped = kernel.run("#\n" + body), kernel.run("%%tape w\n" + body)
    hide = re.compile(r"File .*, line")
    assert "ValueError" in taped.stream("stderr")
    assert hide.sub("", taped.stream("stderr")) == hide.sub("", plain.stream("stderr"))


def test_out(kernel):
    reply = kernel.run("%%tape w\ny = w * 2\ny")
    number = reply.content["execution_count"]
    assert reply.result == (number, "array([2., 4.])")
    assert kernel.value(f"Out[{number}] is y, type(y).__name__, _{number} is y") == (
        "(True, 'ndarray', True)"
    )


def test_out_of_containers(kernel):
    reply = kernel.run("%%tape w\ny = w * 2\n(y, [y, 1])")
    number = reply.content["execution_count"]
    assert reply.result == (number, "(array([2., 4.]), [array([2., 4.]), 1])")
    shown = f"Out[{number}]"
    assert kernel.value(f"[type({shown}[0]), {shown}[0] is y, {shown}[1][0] is y, "
                        f"_{number} is {shown}]") == (
        "[<class 'numpy.ndarray'>, True, True, True]"
    )  # fmt: skip


def test_scalar_result_is_the_target(kernel):
    reply = kernel.run("%%tape w\nw @ w")
    assert reply.result[1] == "np.float64(5.0)"
    assert kernel.value("tape.target[0]") == "'w @ w'"


def test_trailing_semicolon(kernel):
    reply = kernel.run("%%tape w\ny = w @ w\ny * 2;")
    assert reply.result is None
    assert kernel.value("tape.target[0]") == "'y * 2'"


def test_last_expression_or_assignment(kernel):
    kernel.run("%config InteractiveShell.ast_node_interactivity = 'last_expr_or_assign'")
    try:
        assert kernel.run("%%tape w\ny = w * 2").result[1] == "array([2., 4.])"
        assert kernel.run("%%tape w\nw *= 2").result[1] == "array([2., 4.])"
        assert kernel.run("%%tape w\na, c = w").result is None
    finally:
        kernel.run("%config InteractiveShell.ast_node_interactivity = 'last_expr'")


def test_all_expressions_shown(kernel):
    kernel.run("%config InteractiveShell.ast_node_interactivity = 'all'")
    try:
        reply = kernel.run("%%tape w\nw * 2\nfor i in range(2):\n    w[i]\ny = 1")
    finally:
        kernel.run("%config InteractiveShell.ast_node_interactivity = 'last_expr'")
    shown = [o["content"]["data"]["text/plain"] for o in reply.outputs
             if o["msg_type"] == "execute_result"]  # fmt: skip
    assert shown == ["array([2., 4.])", "np.float64(1.0)", "np.float64(2.0)"]


def test_syntax_error_is_at_its_line(kernel):
    reply = kernel.run("%%tape w\ny = w * 2\nz = = 3")
    assert reply.error == "SyntaxError"
    number = reply.content["execution_count"]
    assert re.search(rf"Cell In\[{number}\],? line 3|^  File .* line 3", reply.traceback)
    assert_plain(kernel)


def test_syntax_error_of_the_compiler(kernel):
    reply = kernel.run("%%tape w\ny = w * 2\nreturn 3")
    assert reply.error == "SyntaxError"
    assert "line 3" in reply.traceback
    assert_plain(kernel)


def test_getsource(kernel):
    source = "def f(a):\n    # half\n    return float(a) / 2\n"
    kernel.run("%%tape w\nimport inspect\n" + source + "text = inspect.getsource(f)\n")
    assert kernel.value("text") == repr(source)
    assert kernel.value("__import__('inspect').getsource(f)") == repr(source)
    assert kernel.value("f('3')") == "1.5"


def test_top_level_await(kernel):
    reply = kernel.run(
        "%%tape w\nimport asyncio\nasync def g(a):\n    await asyncio.sleep(0.01)\n"
        "    return a * 3\ny = await g(w)\nloss = y @ y\nloss"
    )
    assert reply.status == "ok", reply.traceback
    assert reply.result[1] == "np.float64(45.0)"
    assert gradient(kernel, "w") == "[[18.0, 36.0]]"
    assert_plain(kernel)


def test_error_in_an_async_cell(kernel):
    reply = kernel.run("%%tape w\nimport asyncio\nawait asyncio.sleep(0.01)\ny = w * 2\n1 / 0")
    assert reply.error == "ZeroDivisionError"
    assert ("----> 5 1 / 0" if IS_OLD else "line 5") in reply.traceback
    assert kernel.value("y") == "array([2., 4.])"
    assert_plain(kernel)


def test_other_magics_and_shell_commands(kernel):
    lines = "lines = %sx echo 3" if IS_OLD else "lines = !echo 3"
    reply = kernel.run(f"%%tape w\n!echo from the shell\n%pwd\n{lines}\ny = w @ w\n%time z = y * 2")
    assert reply.status == "ok", reply.traceback
    assert "from the shell" in reply.stream()
    assert kernel.value("lines[0], z") == "('3', np.float64(10.0))"
    assert gradient(kernel, "w", target="y") == "[[2.0, 4.0]]"


@pytest.mark.parametrize("line", ["%time z = y * 2", "exec('z = y * 2')"])
def test_text_that_a_line_executes_stands_on_that_line(kernel, line):
    reply = kernel.run(f"%%tape w -t z --show static\ny = w @ w\n{line}")
    assert reply.status == "ok", reply.traceback
    (row,) = (row for row in reply.displays[0]["text/plain"].splitlines() if line in row)
    assert row.split()[0] == "3"
    assert "%%tape" not in reply.displays[0]["text/plain"]


def test_time_above(kernel):
    reply = kernel.run("%%time\n%%tape w b\n" + CELL + "loss")
    assert reply.status == "ok", reply.traceback
    assert "Wall time" in reply.stream()
    assert reply.result[1] == "np.float64(162.5)"
    assert gradient(kernel, "w", "b") == "[[80.0, 114.0], 34.0]"
    assert kernel.value("tape.cell.text").startswith("'%%tape w b\\ny = x")
    assert_plain(kernel)


def test_time_above_with_an_error(kernel):
    reply = kernel.run("%%time\n%%tape w\ny = w * 2\n1 / 0")
    assert reply.error == (None if IS_OLD else "ZeroDivisionError")
    assert "ZeroDivisionError" in reply.traceback
    assert kernel.value("y") == "array([2., 4.])"
    assert_plain(kernel)


def test_run_cell_magic(kernel):
    body = repr(CELL + "loss")
    reply = kernel.run(f"r = get_ipython().run_cell_magic('tape', 'w b', {body})\nr")
    assert reply.result[1] == "np.float64(162.5)"
    assert gradient(kernel, "w", "b") == "[[80.0, 114.0], 34.0]"
    assert_plain(kernel)
    reply = kernel.run("get_ipython().run_cell_magic('tape', 'w', 'y = w * 2\\n1 / 0')")
    assert reply.error == "ZeroDivisionError"
    assert kernel.value("y") == "array([2., 4.])"
    assert_plain(kernel)


def test_capture_above(kernel):
    reply = kernel.run("%%capture out\n%%tape w\nprint('hidden')\nloss = w @ w")
    assert reply.status == "ok", reply.traceback
    assert kernel.value("out.stdout") == r"'hidden\n'"
    assert gradient(kernel, "w") == "[[2.0, 4.0]]"
    assert_plain(kernel)


def test_cell_that_runs_another_cell(kernel):
    reply = kernel.run("%%tape w\ny = w * 2\nget_ipython().run_cell('q = 5')\nloss = y @ y")
    assert reply.status == "ok", reply.traceback
    assert gradient(kernel, "w") == "[[8.0, 16.0]]"
    assert kernel.value("q") == "5"


def test_silent_execution(kernel):
    kernel.run("%%tape w\ny = w @ w", silent=True)
    assert kernel.value("type(y).__name__") == "'float64'"
    assert_plain(kernel)


def test_a_failing_cell_stops_the_notebook():
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    cells = ["%load_ext tapemagic\nw = 2.0", "%%tape w --show none\n1 / 0", "never = 1"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    with pytest.raises(nbclient.exceptions.CellExecutionError, match="ZeroDivisionError"):
        nbclient.NotebookClient(notebook, timeout=60).execute()
    assert notebook.cells[2].execution_count is None


@pytest.mark.parametrize(
    "loop", ["while True:\n    y = w * 2\n    time.sleep(0.001)", "while True:\n    y = w * 2",
             "while True:\n    await asyncio.sleep(0.01)"]
)  # fmt: skip
def test_keyboard_interrupt(kernel, loop):
    interrupted = []

    def interrupt(text):
        if "ready" in text and not interrupted:
            time.sleep(0.1)
            kernel.manager.interrupt_kernel()
            interrupted.append(True)

    body = "%%tape w\nimport time, asyncio\ny = 0\nprint('ready', flush=True)\n" + loop
    reply = kernel.run(body, interrupt)
    assert interrupted
    assert reply.status == "error"
    assert reply.error in ("KeyboardInterrupt", "CancelledError")
    assert "tapemagic/" not in reply.traceback
    assert kernel.value("type(w), w") == "(<class 'numpy.ndarray'>, array([1., 2.]))"
    assert "tapemagic" not in kernel.value("type(y)")
    assert_plain(kernel)


def test_interrupt_of_the_gradient_fails_the_cell(kernel):
    kernel.run(
        "import tapemagic.autodiff.tape as _t\n_keep = _t.GradientTape.gradient\n"
        "def _interrupted(*a, **k): raise KeyboardInterrupt\n"
        "_t.GradientTape.gradient = _interrupted"
    )
    reply = kernel.run("%%tape w\nloss = w @ w")
    kernel.run("_t.GradientTape.gradient = _keep")
    assert reply.error == "KeyboardInterrupt"
    assert kernel.value("loss") == "np.float64(5.0)"
    assert gradient(kernel, "w") == "[[2.0, 4.0]]"
    assert_plain(kernel)


def test_after_an_error_the_next_cell_works(kernel):
    kernel.run("%%tape w\n1 / 0")
    assert kernel.run("%%tape w\nloss = w @ w").status == "ok"
    assert gradient(kernel, "w") == "[[2.0, 4.0]]"


def test_failure_is_on_the_tape(kernel):
    kernel.run("%%tape w\ny = w * 2\nz = y.nothing")
    assert kernel.value("tape.failure.line, len(tape.nodes()) >= 2") == "(3, True)"


@pytest.mark.parametrize(
    ("body", "line", "read"),
    [
        ("z = y @ np.ones(3) + w", 3, ["y", "w"]),
        ("z = w + 1\nfor k in range(2):\n    z = (z * 2) @ np.ones(3)", 5, ["z"]),
        ("y = np.ones(2)\nz = y @ np.ones(3)", 4, []),  # what y was before is not what failed
        ("for k in y[5]:\n    z = k * w", 3, ["y"]),
        ("def f(a):\n    return a @ np.ones(3)\nz = f(y)", 4, []),  # a name of the function
    ],
)
def test_a_failure_knows_what_its_line_reads(kernel, body, line, read):
    reply = kernel.run("%%tape w\ny = w * 2\n" + body)
    assert reply.status == "error"
    kernel.run("_graph = tape.graph")
    assert kernel.value("_graph.failure.line") == str(line)
    names = "[_graph.nodes[index].name.partition('@')[0] for index in _graph.failure.inputs]"
    assert kernel.value(names) == str(read)


@pytest.mark.parametrize("view", ["static", "text"])
def test_a_failed_cell_says_so_and_keeps_its_picture(kernel, view):
    reply = kernel.run(f"%%tape w --show {view}\ny = w * 3\nz = y @ np.ones(5)")
    shown = reply.stream() + "".join(data["text/plain"] for data in reply.displays)
    assert "failed at line 3" in shown
    assert "✗ line 3: ValueError: matmul" in shown
    assert "[3, 6]" in shown  # y, which was computed
    assert "not run yet" not in shown


def test_users_exception_handler_is_kept(kernel):
    kernel.run(
        "def _mine(shell, kind, error, tb, tb_offset=None):\n    print('mine', kind.__name__)\n"
        "get_ipython().set_custom_exc((ZeroDivisionError,), _mine)"
    )
    try:
        reply = kernel.run("%%tape w\n1 / 0")
        assert "mine ZeroDivisionError" in reply.stream()
        assert "mine" in kernel.run("1 / 0").stream()
    finally:
        kernel.run("get_ipython().set_custom_exc((), None)")


COUNTED = """
from tapemagic.autodiff import backward
swept, sweep = [], backward.sweep
backward.sweep = lambda *args: swept.append(1) or sweep(*args)
"""


@pytest.mark.parametrize("options", ["", "--show static", "--show none"])
def test_one_sweep_serves_the_gradient_and_the_page(kernel, options):
    kernel.run(COUNTED)
    reply = kernel.run(f"%%tape w {options}\nloss = np.sum(np.sin(w) * w)")
    kernel.run("backward.sweep = sweep")
    assert reply.status == "ok"
    assert kernel.value("len(swept)") == "1"
    assert kernel.value("np.allclose(tape.gradient(loss, w), np.cos(w) * w + np.sin(w))") == "True"


def test_what_was_shown_last(kernel):
    """The shell binds `_` anew after a cell that reads it, as without a tape."""
    kernel.run("w * 2")
    kernel.run("w * 4")
    reply = kernel.run("%%tape w\nloss = (_ * w).sum() + __[0] * w[1]\nw * 8")
    assert reply.status == "ok", reply.traceback
    assert gradient(kernel, "w") == "[[4.0, 10.0]]"  # what was shown before is constant
    told = "[x.tolist() for x in (_, __, ___)], {type(x).__name__ for x in (_, __, ___)}"
    assert kernel.value(told) == "([[8.0, 16.0], [4.0, 8.0], [2.0, 4.0]], {'ndarray'})"
    assert kernel.run("w * 16\n").result is not None
    assert kernel.value("_.tolist(), __.tolist()") == "([16.0, 32.0], [8.0, 16.0])"
