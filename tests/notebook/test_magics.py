"""The magic itself: its line, its help, its defaults, loading and unloading."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import tapemagic

pytestmark = pytest.mark.kernel

PACKAGE_ROOT = str(Path(tapemagic.__file__).parent.parent)

LOSS = "loss = w @ w + b\n"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--nonsense", "unrecognized arguments: --nonsense"),
        ("--show film", "invalid choice: 'film'"),
        ("nothing_here", "there is no variable 'nothing_here'"),
        ("w+b", "'w+b' is not a variable"),
        ("w,b", "separate names with spaces"),
        ("w -o 3x", "'3x' is not a name"),
        ("w -t loss()", "'loss()' is not a variable"),
        ('p["q"]', "there is no variable 'p'"),
        ("w.nothing", "'w.nothing': w has no .nothing"),
        ("w -t", "expected one argument"),
        ("loss.T", "the cell itself makes 'loss'"),
        ("w -o np", "the tape cannot be left in 'np'"),
        ("w -o loss", "the tape cannot be left in 'loss'"),
    ],
)
def test_usage_errors_before_the_cell_runs(kernel, line, words):
    reply = kernel.run(f"%%tape {line}\n{LOSS}")
    assert reply.error == "UsageError"
    assert words in reply.stream("stderr") + reply.traceback
    assert "tapemagic/" not in reply.traceback
    assert kernel.value("'loss' in globals(), type(w).__name__, 'tape' in globals()") == (
        "(False, 'ndarray', False)"
    )


def test_empty_cell(kernel):
    reply = kernel.run("%%tape w")
    assert reply.error == "UsageError"
    assert "cell body is empty" in reply.stream("stderr")
    assert kernel.run("%%tape w\n# nothing but a comment").error == "UsageError"


def test_magic_in_the_middle_of_a_cell(kernel):
    reply = kernel.run("y = 1\n%tape w\nz = 2")
    assert reply.error == "UsageError"
    assert "first line of a cell" in reply.stream("stderr")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("loss = 'text'", "is of type str, not a float"),
        ("loss = 3", "is of type int, not a float"),
        ("other = w @ w", "the cell did not make it"),
        ("loss = w @ w\ndel loss", "the cell did not make it"),
    ],
)
def test_target_that_is_no_number(kernel, body, words):
    reply = kernel.run("%%tape w -t loss\n" + body)
    assert reply.error == "UsageError"
    assert words in reply.stream("stderr")
    assert kernel.value("type(w).__name__, sorted(tape.source_nodes)") == "('ndarray', ['w'])"


@pytest.mark.parametrize(("value", "dtype"), [("w > 0", "bool"), ("w.astype(int)", "int64")])
def test_target_without_a_derivative(kernel, value, dtype):
    reply = kernel.run(f"%%tape w -t steps --show static\nsteps = {value}")
    assert reply.status == "ok", reply.traceback
    shown = " ".join(reply.displays[0]["text/plain"].split())
    assert f"The target steps is of dtype {dtype}: it changes by steps" in shown
    assert "gradient of its sum" not in shown


@pytest.mark.parametrize("value", ["3", "np.arange(3)", "'text'"])
def test_named_source_that_is_no_float(kernel, value):
    kernel.run(f"n = {value}")
    reply = kernel.run("%%tape n --show static\nloss = 2 * n")
    assert "none of those named is a float variable" in reply.displays[0]["text/plain"]
    assert "the cell reads no float" not in reply.displays[0]["text/plain"]


def test_integer_source(kernel):
    reply = kernel.run("%%tape w n --show text\nn = 3\nloss = w @ w * n")
    assert reply.status == "ok"
    kernel.run("n = 3")
    reply = kernel.run("%%tape w n --show static\nloss = w @ w * n")
    assert reply.status == "ok"
    assert "integer" in reply.displays[0]["text/plain"]
    assert "integer" in kernel.value("tape.reasons['n']")
    assert kernel.value("tape.gradient('loss', 'w').tolist()") == "[6.0, 12.0]"


def test_name_deleted_in_the_cell(kernel):
    reply = kernel.run("%%tape w\nloss = w @ w\ndel w")
    assert reply.status == "ok"
    assert kernel.value("'w' in globals(), tape.gradient('loss', 'w').tolist()") == (
        "(False, [2.0, 4.0])"
    )


@pytest.mark.parametrize(
    ("body", "target"),
    [
        ("y = w * 2\nz = 3.0\nt = 'x'", "y"),
        ("y = w * 2\nprint('done')", "y"),
        ("y = w * 2\nw @ w", "w @ w"),
        ("y = w * 2\ny", "y"),
        ("y = w * 2\nw *= 3", "w"),
        ("y = w * 2\nz = y * 2\ndel z", "y"),
        ("for i in range(3):\n    y = w * i", "y"),
        ("a, c = w", "c"),
    ],
)
def test_target_is_found(kernel, body, target):
    assert kernel.run("%%tape w\n" + body).status == "ok"
    assert kernel.value("tape.target[0]") == repr(target)


@pytest.mark.parametrize(
    ("setup", "body", "sources"),
    [
        ("n = 3", "loss = w @ w * n + b", ["w", "b"]),
        ("def f(a):\n    return a * b", "loss = f(w @ w)", ["b", "w"]),
        ("s = np.float32(2)", "loss = (w * s) @ w", ["w", "s"]),
        ("", "w = np.ones(2)\nloss = w * b", ["b"]),
        ("c = np.array([1j])", "loss = c * 2", ["c"]),
        ("import tapemagic\nv = tapemagic.Variable(2.0)", "loss = v * b", ["v"]),
        (
            "from tapemagic import Variable\nv = Variable(2.0)\nf = Variable(1.0, trainable=False)",
            "loss = v * b * f",
            ["v"],
        ),
        ("p = {'a': 2.0}", "loss = b * p['a']", ["b"]),
        ("z = True", "loss = b * z", ["b"]),
    ],
)
def test_sources_are_found(kernel, setup, body, sources):
    kernel.run(setup)
    reply = kernel.run("%%tape\n" + body)
    assert reply.status == "ok", reply.traceback
    assert sorted(eval(kernel.value("list(tape.source_nodes)"))) == sorted(sources)


def test_no_source_is_said(kernel):
    reply = kernel.run("%%tape --show static\nloss = 3")
    assert "No source" in reply.displays[0]["text/plain"]


def test_paths_as_sources(kernel):
    kernel.run("params = {'W1': np.ones(2), 'deep': [1.0, 2.0]}")
    body = "loss = params['W1'] @ w * params['deep'][1]"
    reply = kernel.run("%%tape params['W1'] params[\"deep\"][1]\n" + body)
    assert reply.status == "ok", reply.traceback
    assert kernel.value("list(tape.source_nodes)") == """['params["W1"]', 'params["deep"][1]']"""
    found = "[np.asarray(tape.gradient('loss', s)).tolist() for s in tape.source_nodes]"
    assert kernel.value(found) == "[[2.0, 4.0], 3.0]"
    assert kernel.value("params") == "{'W1': array([1., 1.]), 'deep': [1.0, 2.0]}"


def test_output_name(kernel):
    kernel.run("%%tape w -o other\nloss = w @ w")
    assert kernel.value("'tape' in globals(), other.gradient('loss', 'w').tolist()") == (
        "(False, [2.0, 4.0])"
    )


def test_jacobian_check_and_second_order(kernel):
    reply = kernel.run("%%tape w --show static --jacobian --check --order 2\ny = w * w\ny")
    assert reply.status == "ok", reply.traceback
    text = reply.displays[0]["text/plain"]
    assert "d y / d w =\n[[2. 0.]\n [0. 4.]]" in text
    assert "gradient agrees with finite differences" in text
    assert "d2 y / d w2" in text
    assert "this is the gradient of its sum" in text
    # none of it has touched the names, or run the cell where the person can see it
    assert kernel.value("w, y") == "(array([1., 2.]), array([1., 4.]))"


def test_notes_fit_a_terminal_and_zeros_have_no_sign(kernel):
    reply = kernel.run("%%tape w --show text --check --order 2\nloss = np.sum(-(w**2)) + b")
    rows = reply.stream().splitlines()
    assert max(map(len, rows)) <= 80
    assert any("gradient agrees with finite differences" in row for row in rows)
    matrix = reply.stream().partition("w2 =")[2]  # -2 on the diagonal, 0 beside it
    assert matrix.split() == ["[[-2.", "0.]", "[", "0.", "-2.]]"]


def test_check_finds_a_wrong_gradient(kernel):
    kernel.run(
        "import tapemagic\n@tapemagic.custom_gradient\ndef wrong(x):\n"
        "    return np.sin(x), lambda ct: ct * 7.0"
    )
    reply = kernel.run("%%tape w --show static --check\nloss = wrong(w)")
    assert "differs from finite differences" in reply.displays[0]["text/plain"]


@pytest.mark.parametrize(
    ("sources", "body"),
    [
        ("w", "for k in range(3):\n    w -= 0.1 * np.cos(w) * w\nloss = np.sum(w**3)"),
        ("w x", "x[0] *= w\nw *= x[1]\nloss = np.sum(x) + w @ w"),
        ("held", "loss = np.sum(w**3)"),
        ("w", "held['w'] -= 0.1 * w**2\nloss = np.sum(np.sin(w))"),
        ("single", "single *= single\nloss = np.sum(single)"),
    ],
)
def test_check_of_what_the_cell_writes_to_and_others_hold(kernel, sources, body):
    kernel.run("held = {'w': w}\nsingle = np.float32(w)")
    reply = kernel.run(f"%%tape {sources} -t loss --show static --check\n{body}")
    told = " ".join(reply.displays[0]["text/plain"].split())
    assert "gradient agrees with finite differences" in told
    assert "too rough" not in told


def test_check_that_cannot_run_again_says_why(kernel):
    reply = kernel.run("%%tape w --check\n!true\nloss = w @ w")
    assert reply.error == "UsageError"
    assert "shell or magic" in reply.stream("stderr")
    assert kernel.value("tape.gradient('loss', 'w').tolist()") == "[2.0, 4.0]"


def test_strict(kernel):
    body = "if (w > 0).all():\n    loss = w @ w\nelse:\n    loss = w @ w * 2"
    assert kernel.run("%%tape w\n" + body).status == "ok"
    reply = kernel.run("%%tape w --strict --show static\n" + body)
    assert reply.error == "LeavesTapeError"
    assert "'w' became a plain integer or bool" in reply.traceback
    assert "line 2:   if (w > 0).all():" in reply.traceback
    assert "✗ line 2: 'w' became a plain integer or bool." in reply.displays[-1]["text/plain"]
    assert kernel.value("tape.gradient('loss', 'w').tolist()") == "[2.0, 4.0]"
    assert kernel.run("%%tape w --strict\nprint(w)\nloss = w @ w").status == "ok"


def test_slider(kernel):
    kernel.run("k = 3.0")
    reply = kernel.run("%%tape k w --show widget\nw *= k\nloss = w @ w")
    assert reply.status == "ok", reply.traceback
    kernel.run(
        "import ipywidgets, asyncio\n"
        "_known = getattr(ipywidgets.widgets.widget, '_instances', None)\n"
        "_all = list((ipywidgets.Widget.widgets if _known is None else _known).values())\n"
        "_slider = [x for x in _all if isinstance(x, ipywidgets.FloatSlider)][-1]\n"
        "_view = [x for x in _all if type(x).__name__ == 'TapeWidget'][-1]"
    )
    assert kernel.value("_slider.description, _slider.value") == "('k', 3.0)"
    assert kernel.value("_view.scene['target']['value']") == "'45'"
    kernel.run("_slider.value = 2.0\nawait asyncio.sleep(0.5)")
    assert kernel.value("_view.scene['target']['value'], _view.trouble") == "('20', '')"
    # the user's names are those of the cell that ran
    assert kernel.value("k, w, loss") == "(3.0, array([3., 6.]), np.float64(45.0))"
    assert kernel.value("tape.gradient('loss', 'k')") == "np.float64(30.0)"


def test_terminal_shows_text(tmp_path):
    program = (
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "shell.run_cell('%load_ext tapemagic')\n"
        "complete = shell.input_transformer_manager.check_complete\n"
        "print(complete('%%tape w')[0], complete('%%tape w\\ny = w\\n\\n')[0])\n"
        "shell.run_cell('w = 2.0')\n"
        "shell.run_cell('%%tape w\\nloss = w * w')\n"
    )
    environment = {**os.environ, "PYTHONPATH": PACKAGE_ROOT, "IPYTHONDIR": str(tmp_path)}
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True
    )
    assert found.stdout.startswith("incomplete complete")
    assert "loss = w * w" in found.stdout
    assert "<img" not in found.stdout
    assert max(map(len, found.stdout.splitlines())) <= 80


def test_config(kernel):
    reply = kernel.run("%config TapeMagics")
    for name in ("show", "engine", "strict"):
        assert f"TapeMagics.{name}" in reply.stream()
    kernel.run("%config TapeMagics.show = 'static'")
    try:
        assert kernel.run("%%tape w\n" + LOSS).displays
        assert not kernel.run("%%tape w --show none\n" + LOSS).displays
        reply = kernel.run("%config TapeMagics.show = 'film'")
        assert "not the str 'film'" in reply.stream("stderr")
    finally:
        kernel.run("%config TapeMagics.show = 'none'")


@pytest.mark.parametrize(
    ("line", "expected", "unexpected"),
    [
        ("%%tape --s", {"--show", "--strict"}, {"--target"}),
        ("%%tape w --show ", {"widget", "static", "text", "none"}, set()),
        ("%%tape w --show st", {"static"}, {"text"}),
        ("%%tape wei", {"weights"}, {"w"}),
        ("%%tape w par", {"params"}, {"np"}),
        ("%%tape model.", {"model.W1"}, {"model.name"}),
        ("# %%tape wei", {"weights"}, set()),
    ],
)
def test_completion(kernel, line, expected, unexpected):
    kernel.run(
        "from types import SimpleNamespace\nweights = np.ones(2)\nparams = {'W1': 1.0}\n"
        "model = SimpleNamespace(W1=np.ones(2), name='m')"
    )
    matches = set(kernel.complete(line + "\ny = 1", len(line)))
    assert expected <= matches
    assert not unexpected & matches


def test_completion_elsewhere_is_untouched(kernel):
    kernel.run("weights = 1.0")
    assert "weights" in kernel.complete("%%tape w\nwei")
    assert "weights" in kernel.complete("wei")


STATE = (
    "(len(ip.input_transformers_cleanup), len(ip.ast_transformers), ip.custom_exceptions, "
    "len(ip.Completer.custom_matchers), 'tape' in ip.magics_manager.magics['line'], "
    "'tape' in ip.magics_manager.magics['cell'], 'TapeMagics' in ip.magics_manager.registry, "
    "[type(c).__name__ for c in ip.configurables].count('TapeMagics'), "
    "{k: len(v) for k, v in ip.events.callbacks.items()})"
)


def test_loading_twice_and_unloading(kernel):
    kernel.run("import tapemagic\nip = get_ipython()\n%unload_ext tapemagic")
    before = kernel.value(STATE)
    try:
        kernel.run("%load_ext tapemagic")
        once = kernel.value(STATE)
        assert once != before
        kernel.run("%load_ext tapemagic\ntapemagic.load_ipython_extension(ip)")
        assert kernel.value(STATE) == once
        kernel.run("%%tape w --show none\nloss = w @ w")
        kernel.run("%%tape w --show none\n1 / 0")
        assert kernel.value(STATE) == once
        kernel.run("%reload_ext tapemagic")
        assert kernel.value(STATE) == once
        kernel.run("%unload_ext tapemagic\ntapemagic.unload_ipython_extension(ip)")
        assert kernel.value(STATE) == before
        assert kernel.run("%%tape w\nloss = 1").error == "UsageError"
    finally:
        kernel.run("%load_ext tapemagic\n%config TapeMagics.show = 'none'")


def test_shadowed_names_are_survivable(kernel):
    reply = kernel.run(
        "%%tape w\nnp = None\nsum = 'oops'\nIn = Out = _ = get_ipython = None\nloss = w @ w"
    )
    assert reply.status == "ok", reply.traceback
    assert kernel.value("np, sum, In, tape.gradient('loss', 'w').tolist()") == (
        "(None, 'oops', None, [2.0, 4.0])"
    )
    kernel.run("del sum, In, Out, get_ipython")


def test_rerunning_replaces_the_tape(kernel):
    kernel.run("%%tape w\nloss = w @ w")
    kernel.run("import weakref\nold = weakref.ref(tape)")
    kernel.run("%%tape w\nloss = w @ w")
    assert kernel.value("(__import__('gc').collect(), old())[1]") == "None"


def test_arrays_are_not_kept_alive(kernel):
    kernel.run("import weakref\nbig = np.ones(10)\nprobe = weakref.ref(big)")
    kernel.run("%%tape w\nloss = (w @ w) * big[0]")
    kernel.run("del big, tape")
    assert kernel.value("(__import__('gc').collect(), probe())[1]") == "None"


def test_display_error_never_costs_the_gradient(kernel):
    kernel.run(
        "import tapemagic.display.html as _h\n_keep = _h.to_html\n"
        "def _broken(*a, **k): raise RuntimeError('no html today')\n_h.to_html = _broken"
    )
    reply = kernel.run("%%tape w --show static\nloss = w @ w")
    kernel.run("_h.to_html = _keep")
    assert reply.status == "ok"
    assert "no html today" in reply.stream("stderr")
    assert "loss" in reply.stream()
    assert kernel.value("tape.gradient('loss', 'w').tolist()") == "[2.0, 4.0]"


def test_outputs_of_the_views(kernel):
    static = kernel.run("%%tape w b --show static\n" + LOSS).displays
    assert [set(bundle) for bundle in static] == [{"text/plain", "text/html"}]
    assert "data:image/svg+xml;base64," in static[0]["text/html"]
    text = kernel.run("%%tape w b --show text\n" + LOSS)
    assert not text.displays
    assert "loss" in text.stream()
    live = kernel.run("%%tape w b --show widget\n" + LOSS).displays
    kinds = [set(bundle) for bundle in live]
    assert any("application/vnd.jupyter.widget-view+json" in kind for kind in kinds)
    # the static picture has an output of its own
    assert {"text/plain", "text/html"} in kinds


def test_output_is_the_same_every_time(kernel):
    def run():
        kernel.run("w = np.array([1.0, 2.0])")
        return kernel.run("%%tape w b --show static\n" + LOSS).displays[0]["text/html"]

    assert run() == run()


def test_code(kernel):
    reply = kernel.run("%%tape w --show none --code\nif w[0] > 0:\n    loss = w @ w")
    assert reply.status == "ok", reply.traceback
    text = reply.displays[0]["text/plain"]
    assert "def value_and_gradient(w):" in text
    assert "# line 3: loss = w @ w" in text
    assert "raise OtherWay('line 2: if w[0] > 0:')" in text
    assert kernel.value("tape.program()()[1].tolist()") == "[2.0, 4.0]"


def test_a_cut_and_an_integer_are_named_with_their_lines(kernel):
    kernel.run(
        "from tapemagic import stop_gradient\n"
        "n = 3.0\n"
    )  # fmt: skip
    reply = kernel.run(
        "%%tape w b n -t loss\n"
        "a = np.sin(b)\n"
        "kept = stop_gradient(a)\n"
        "k = int(n)\n"
        "loss = (w * kept).sum() + k\n"
    )  # fmt: skip
    assert reply.status == "ok", reply.traceback
    assert "cut by stop_gradient (line 3)" in kernel.value("tape.explain('b')")
    assert "left the tape at line 4 as an integer (int)" in kernel.value("tape.explain('n')")


@pytest.mark.parametrize("view", ["widget", "static", "text"])
def test_a_sweep_that_fails_leaves_the_graph_to_be_seen(kernel, view):
    kernel.run("A = np.eye(3)")
    for _ in range(2):
        reply = kernel.run(f"%%tape A --show {view}\ny = np.sum(np.linalg.eigh(A)[1][0])")
        assert (reply.status, reply.error) == ("error", "NoRuleError")
        assert "repeated eigenvalues" in reply.traceback
        assert reply.stream("stderr") == ""
        shown = reply.stream() + "".join(data["text/plain"] for data in reply.displays[-1:])
        assert "eigh" in shown
        assert "repeated eigenvalues" in shown
    assert "repeated eigenvalues" in kernel.value("tape.explain('A')")


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("if i == 1:\n        y = y + w[0]\n    else:\n        y = y + w[1]", "× 3"),
        ("if i > 0:\n        y = y + w[0]", "loop"),
    ],
)
def test_iterations_are_counted_or_no_number_is_claimed(kernel, body, shown):
    reply = kernel.run(f"%%tape w --show text\ny = 0.0\nfor i in range(3):\n    {body}")
    (row,) = [row for row in reply.stream().splitlines() if "for i in range(3):" in row]
    assert f"for i in range(3):            {shown} " in row


def test_what_the_cell_runs_besides_has_no_line_of_the_cell(kernel, tmp_path):
    script = tmp_path / "steps.py"
    script.write_text("z = w * 2\ny = np.log(np.sum(z) - 6)\n")
    for runs, where in (
        (f"%run -i {script}", "steps.py"),
        (f"get_ipython().run_cell({script.read_text()!r})", "another cell"),
    ):
        reply = kernel.run(f"%%tape w --show text\nq = w + 1\n{runs}\nu = y * 2")
        assert reply.status == "ok", reply.traceback
        rows = reply.stream().splitlines()
        (row,) = [row for row in rows if f"      in {where} " in row]
        assert "log" in row
        assert not any("%%tape" in row for row in rows)
        assert "going forward: an unknown line: log(0)" in kernel.value("tape.explain()")
