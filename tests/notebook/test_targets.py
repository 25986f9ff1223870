"""What the page says where a cell has no target or no source, and of targets that are arrays."""

import pytest

NO_TARGET = [
    ("y = [np.sum(w), 2 * w[0]]", "'y' is a container", "-t y[0]"),
    ("y = {'a': {'b': 1.0, 'c': np.sum(w)}}", "'y' is a container", '-t y["a"]["c"]'),
    ("y = (3.0, np.sum(w))", "'y' is a container", "-t y[1]"),
    ("z = [np.sum(w)]\ny = [1.0]", "'z' is a container", "-t z[0]"),
    ("k = int(w[0])\ny = k * 2.0", "left the tape at line 2 as an integer (int)", ""),
    ("y = np.argmax(w)", "left the tape at line 2 as an integer (argmax)", ""),
    ("from tapemagic import stop_gradient\ny = stop_gradient(w) * 2", "(line 3)", "cut by"),
    ("y = w * 2\ndel y", "no name that the cell leaves holds a value that depends", ""),
    ("y = 3.0", "nothing that the cell computes depends on a source", ""),
    ("y = [w, w]", "nothing that the cell computes depends on a source", ""),
]


@pytest.mark.parametrize(("cell", "reason", "fix"), NO_TARGET)
def test_why_there_is_no_target(kernel, cell, reason, fix):
    reply = kernel.run(f"%%tape w --show static\n{cell}")
    assert reply.status == "ok", reply.traceback
    explained = kernel.run("print(tape.explain())").stream()
    for told in (reply.displays[0]["text/plain"].replace("\n", " "), explained):
        assert "No target: " in told
        assert reason in told
        assert fix in told


@pytest.mark.parametrize("path", ["y[0]", 'y[1]["c"]'])
def test_a_path_that_is_advised_works(kernel, path):
    reply = kernel.run(f"%%tape w -t {path}\ny = [np.sum(w), {{'c': np.sum(w * w)}}]")
    assert reply.status == "ok", reply.traceback
    assert kernel.value("tape.explain()") == "'Nothing to remark.'"


def test_a_name_that_was_given_is_not_asked_for(kernel):
    reply = kernel.run("%%tape w --show static\nw = None")
    (shown,) = reply.displays
    assert "No source: none of those named is a float variable." in shown["text/plain"]
    assert "Name one" not in shown["text/plain"]
    assert "the cell never bound it to a float" in kernel.value("tape.explain()")


def test_the_live_view_says_all_that_the_text_says(kernel):
    kernel.run("%%tape w --show widget --jacobian --order 2\nw * w + 1")
    kernel.run("from tapemagic.notebook.show import _live\nview = [*_live.values()][-1]")
    told = kernel.value("'\\n'.join(view.children[-1].scene['notes'])")
    assert "this is the gradient of its sum" in told
    assert "d (w * w + 1) / d w =" in told
    assert "d2 (w * w + 1) / d w2 =" in told


def test_the_jacobian_is_not_advised_where_it_is_shown(kernel):
    shown = kernel.run("%%tape w --show static --jacobian\ny = w * 2").displays[0]["text/plain"]
    assert "y has shape (2,): this is the gradient of its sum." in shown
    assert "for all of them" not in shown
    assert (
        "for all of them, --jacobian"
        in (kernel.run("%%tape w --show static\ny = w * 2").displays[0]["text/plain"])
    )


@pytest.mark.parametrize(
    ("value", "kind", "fix"),
    [
        ("np.ma.array([1.0, 2.0], mask=[0, 1])", "MaskedArray", ".filled(0)"),
        ("np.matrix([[1.0, 2.0]])", "matrix", ".view(np.ndarray)"),
        ("w.view(type('Own', (np.ndarray,), {}))", "Own", ".view(np.ndarray)"),
    ],
)
def test_an_array_of_a_class_of_its_own_is_refused(kernel, value, kind, fix):
    kernel.run(f"m = {value}\nparams = dict(m=m, w=w)\nbefore = m.copy()")
    reply = kernel.run("%%tape w m\ny = np.sum(m * 2) + w[0]")
    assert (reply.status, reply.error) == ("error", "UsageError")
    shown = reply.stream("stderr")
    assert f"'m' is a {kind}" in shown
    assert fix in shown
    assert kernel.value("type(m) is type(before)") == "True"
    kernel.run("%%tape params\ny = np.sum(params['w'])")
    assert kind in kernel.run("""print(tape.explain('params["m"]'))""").stream()
    kernel.run(f"m = m{fix}")
    kernel.run("%%tape m\ny = np.sum(m * 2)")
    assert kernel.value("np.unique(tape.gradient('y', 'm')).tolist()") == "[2.0]"


def test_a_gradient_that_is_asked_for_later_is_explained_with_its_own_target(kernel):
    kernel.run("c = np.array([3.0, 4.0])")
    kernel.run("%%tape w b -t y\ny = np.sum(w * c)\nz = b * 2")
    assert kernel.value("tape.gradient('z', 'w')") == "None"
    assert "'z' does not depend on it" in kernel.value("tape.explain('w')")
    assert kernel.value("tape.gradient(3.0, w)") == "None"
    assert "the target is not on the tape" in kernel.value("tape.explain('w')")
    assert kernel.value("tape.gradient(y, c)") == "None"
    assert "it was not watched; name it: %%tape c" in kernel.value("tape.explain(c)")
    assert kernel.value("tape.target[0]") == "'y'"  # what other methods take if none is given


LAYERS = """from tapemagic import tf
layers = [tf.keras.Input((2,)), tf.keras.layers.Dense(1, name="only")]
model = tf.keras.Sequential(layers, name="line")
inputs = tf.constant([[2.0, 3.0], [1.0, -1.0]])"""


@pytest.mark.parametrize("asked", ["", " model"])
def test_weights_that_no_name_holds_are_sources_when_they_are_read(kernel, asked):
    kernel.run(LAYERS)
    reply = kernel.run(f"%%tape{asked} -t loss\nloss = tf.reduce_sum(model(inputs))")
    assert reply.status == "ok", reply.traceback
    names = kernel.value("[source.name for source in tape.graph.sources]")
    assert names == "['line/only/kernel', 'line/only/bias']"
    gradients = "tape.gradient('loss', ['line/only/kernel', 'line/only/bias'])"
    assert kernel.value(f"[g.ravel().tolist() for g in {gradients}]") == "[[3.0, 2.0], [2.0]]"


def test_without_a_target_no_gradient_is_promised(kernel):
    reply = kernel.run("%%tape w --show text\nn = int(w[0] * 3)")
    assert "no target" in reply.stream()
    assert "not run yet" not in reply.stream()


CAUGHT = """import array
try:
    y = np.sum(np.array(array.array("d", w)))
except Exception:
    y = np.sum(w) * 0.5"""


def test_a_refusal_that_the_cell_catches_is_stated(kernel):
    reply = kernel.run(f"%%tape w --show static\n{CAUGHT}")
    assert reply.status == "ok", reply.traceback
    told = reply.displays[0]["text/plain"].replace("\n", " ")
    assert "A refusal at line 4 was caught" in told
    assert "float()" in told
    assert "A refusal at line 4 was caught" in kernel.run("print(tape.explain())").stream()
    reply = kernel.run(f"%%tape w --strict\n{CAUGHT}")
    assert (reply.status, reply.error) == ("error", "LeavesTapeError")


def test_a_refusal_that_the_cell_asks_for_by_name_is_meant(kernel):
    kernel.run("from tapemagic import errors")
    asked = CAUGHT.replace("Exception", "errors.LeavesTapeError")
    reply = kernel.run(f"%%tape w --strict --show static\n{asked}")
    assert reply.status == "ok", reply.traceback
    assert "was caught" not in reply.displays[0]["text/plain"]
    assert kernel.value("tape.gradient('y', 'w').tolist()") == "[0.5, 0.5]"


def test_a_refusal_that_ends_the_cell_is_told_once(kernel):
    reply = kernel.run('%%tape w\nimport array\ny = array.array("d", w)')
    assert (reply.status, reply.error) == ("error", "LeavesTapeError")
    assert "caught" not in kernel.run("print(tape.explain())").stream()


@pytest.mark.parametrize(
    "cell",
    [
        "try:\n    with GradientTape():\n        float_of(w)\nexcept Exception:\n    y = w[0] * 3.0",
        "def f():\n    with suppress(Exception):\n        float_of(w)\n    raise KeyError\nf()",
    ],
    ids=["an inner tape", "before another error"],
)
def test_what_the_cell_has_caught_stays_stated(kernel, cell):
    kernel.run("import array\nfrom contextlib import suppress\nfrom tapemagic import GradientTape")
    kernel.run("def float_of(x):\n    return array.array('d', x)")
    kernel.run(f"%%tape w\n{cell}")
    assert "was caught" in kernel.run("print(tape.explain())").stream()


def test_tensors_that_are_not_watched_go_by_their_names(kernel):
    kernel.run(LAYERS)
    kernel.run("%%tape model -t loss\nloss = tf.reduce_sum(model(inputs))")
    names = kernel.value("[n for node in tape.graph.nodes for n in node.constants if n]")
    assert names == "['inputs']"


CONSTANTS = ["z = (w > 0).sum() * 2.0", "z = 3.0", "z = np.ones(2)", "z = np.argmax(w)", "z = w.shape[0]"]  # fmt: skip


@pytest.mark.parametrize("cell", CONSTANTS)
def test_a_constant_of_the_cell_by_name(kernel, cell):
    kernel.run(f"%%tape w -t y --show none\n{cell}\ny = np.sum(w * z)")
    assert kernel.value("tape.gradient('z', ['w'])") == "[None]"
    assert kernel.value("tape.gradient(z, ['w'])") == "[None]"
    assert kernel.value("tape.gradient('y', ['z'])") == "[None]"
    told = kernel.run("tape.gradient('z', ['w'])\nprint(tape.explain('w'))").stream()
    assert "has no gradient" in told


@pytest.mark.parametrize("cell", ["z = [w[0], 1.0]", "def z(): return w", "del w", "z = 'w'"])
def test_what_is_no_number_is_no_target(kernel, cell):
    kernel.run(f"%%tape w -t y --show none\ny = np.sum(w * w)\n{cell}")
    reply = kernel.run("tape.gradient('z', ['w'])")
    assert reply.status == "error"
    assert "'z' is not a name that this tape knows" in "".join(reply.traceback)


def test_a_name_that_means_something_else_by_now_is_not_looked_up(kernel):
    kernel.run("%%tape w -t y --show none\nz = 3.0\ny = np.sum(w * z)")
    kernel.run("z = w")
    reply = kernel.run("tape.gradient('z', ['w'])")
    assert "'z' is not a name that this tape knows" in "".join(reply.traceback)
