"""Findings: one row per kind, with the words that matter."""

import numpy as np
import pytest
from display import fakes

from tapemagic import GradientTape, Variable
from tapemagic.display.scene import make_scene
from tapemagic.display.text import to_text
from tapemagic.graph.build import build_graph
from tapemagic.graph.folding import Folding
from tapemagic.graph.saving import from_json, to_json
from tapemagic.graph.why import explain, findings, remarks_on
from tests.notebook.worlds import run_taped


def scalar_tape(text="%%tape x\n\n\n\n\n#", value=2.0):
    tape = fakes.Recorder(text)
    return tape, tape.source("x", value)


def not_read():
    tape, _ = scalar_tape()
    y = tape.source("y", 1.0)
    return tape.gradient("f", tape.run("sin", y, line=3, name="f"))


def cut():
    tape, x = scalar_tape()
    y = tape.source("y", 1.0)
    kept = tape.mark("cut", tape.run("sin", x, line=2), 2)
    return tape.gradient("f", tape.run("multiply", y, kept, line=3, name="f"))


def integer():
    tape, x = scalar_tape()
    y = tape.source("y", 1.0)
    k = tape.mark("flat", x, 2, "an integer (int)")
    tape.mark("shown", x, 4)
    return tape.gradient("f", tape.run("multiply", y, k, line=3, name="f"))


def cut_and_unread():
    tape, x = scalar_tape()
    y = tape.source("y", 1.0)
    kept = tape.mark("cut", x, 2)
    tape.run("sin", x, line=4, name="z")
    return tape.gradient("f", tape.run("multiply", y, kept, line=3, name="f"))


def flat():
    tape, x = scalar_tape()
    steps = tape.run("floor", x, line=2)
    return tape.gradient("f", tape.run("sin", steps, line=3, name="f"))


def flat_beside_another_way():
    tape, x = scalar_tape()
    steps = tape.run("floor", x, line=2)
    return tape.gradient("f", tape.run("multiply", x, steps, line=3, name="f"))


def integer_beside_another_way():
    tape, x = scalar_tape()
    tape.mark("flat", x, 2, "an integer (int)")
    tape.mark("flat", x, 3, "an integer (argmax)")
    return tape.gradient("f", tape.run("multiply", x, 2.0, line=4, name="f"))


def dead_relu():
    tape, x = scalar_tape(value=np.array([-1.0, -2.0]))
    y = tape.run("maximum", x, 0.0, line=4)
    return tape.gradient("f", tape.run("sum", y, line=5, name="f"))


def times_zero():
    tape, x = scalar_tape()
    return tape.gradient("f", tape.run("multiply", x, 0.0, line=6, name="f"))


def cancels():
    tape, x = scalar_tape()
    return tape.gradient("f", tape.run("subtract", x, x, line=2, name="f"))


def underflow():
    tape, x = scalar_tape()
    y = tape.run("multiply", x, 1e-200, line=2)
    return tape.gradient("f", tape.run("multiply", y, 1e-200, line=3, name="f"))


def infinite_slope():
    tape, x = scalar_tape(value=np.array([1.0, 0.0]))
    y = tape.run("sqrt", x, line=3)
    return tape.gradient("f", tape.run("sum", y, line=4, name="f"))


def bad_from_the_beginning():
    tape, x = scalar_tape(value=np.array([1.0, np.inf]))
    return tape.gradient("f", tape.run("sum", x, line=2, name="f"))


def tie():
    tape, x = scalar_tape(value=np.array([1.0, 0.0, 0.0]))
    y = tape.run("maximum", x, 0.0, line=3)
    return tape.gradient("f", tape.run("sum", y, line=4, name="f"))


def two_troubles():
    """Beside the way of x, whose slope is infinite, a value of y is nan and another infinite."""
    tape, x = scalar_tape(value=np.array([4.0, 0.0]))
    y = tape.source("y", np.array([-1.0, 0.0]))
    root = tape.run("sum", tape.run("sqrt", x, line=2), line=2)
    logs = tape.run("sum", tape.run("log", y, line=3), line=3)
    return tape.gradient("f", tape.run("add", root, logs, line=4, name="f"))


def nan_beside_infinite_slope():
    """One element is nan forwards, the slope at the element before it is infinite backwards."""
    tape, x = scalar_tape(value=np.array([0.0, -1.0]))
    y = tape.run("sqrt", x, line=2)
    return tape.gradient("f", tape.run("sum", y, line=3, name="f"))


def nan_in_another_branch():
    """log(x - 1) is nan and has a finite slope; the slope of sqrt(x) is infinite."""
    tape, x = scalar_tape(value=0.0)
    log = tape.run("log", tape.run("subtract", x, 1.0, line=2), line=2)
    target = tape.run("add", tape.run("sqrt", x, line=3), log, line=4, name="f")
    with np.errstate(divide="ignore"):
        return tape.gradient("f", target)


def nan_in_the_data():
    tape, x = scalar_tape(value=2.0)
    y = tape.run("multiply", x, np.array([1.0, np.nan, 3.0]), line=2)
    return tape.gradient("f", tape.run("sum", y, line=3, name="f"))


def overflow_on_the_way_back():
    tape, x = scalar_tape(value=np.array([1e-300, 1.0]))
    big = tape.run("multiply", x, 1e200, line=2)
    small = tape.run("multiply", big, np.array([1e200, 1.0]), line=3)
    return tape.gradient("f", tape.run("sum", small, line=4, name="f"))


def grew():
    tape, x = scalar_tape(value=np.ones((3, 1)))
    y = tape.run("subtract", x, np.ones(3), line=2)
    return tape.gradient("f", tape.run("sum", y, line=3, name="f"))


def grew_from_two_rows():
    tape, x = scalar_tape(value=np.ones((3, 1)))
    y = tape.run("subtract", x, np.ones((1, 3)), line=2)
    return tape.gradient("f", tape.run("sum", y, line=3, name="f"))


def dead_column():
    data = np.arange(40.0).reshape(20, 2) + 1
    tape, x = scalar_tape(value=data * [1, -1])
    y = tape.run("maximum", x, 0.0, line=2)
    return tape.gradient("f", tape.run("sum", y, line=3, name="f"))


def rebound():
    tape, x = scalar_tape()
    tape.run("sin", x, line=2, name="x")
    return tape.gradient("f", tape.run("sin", x, line=3, name="f"))


CASES = [
    (fakes.failed, "failed", 4, ["matmul", "shapes do not match"]),
    (fakes.nan, "nan", 2, ["First nan going forward", "element [1]", "sqrt(-0.5)"]),
    (bad_from_the_beginning, "nan", None, ["'x' holds inf from the beginning"]),
    (infinite_slope, "nan", 3, ["First inf going backward", "element [1]", "sqrt(0)"]),
    (fakes.unused, "not-connected", None, ["'b'", "'z' (line 2)", "'f' does not read that"]),
    (not_read, "not-connected", None, ["no recorded operation reads 'x'"]),
    (cut, "not-connected", None, ["'x' has no gradient: cut by stop_gradient (line 2)."]),
    (integer, "not-connected", None, ["left the tape at line 2 as an integer (int)."]),
    (cut_and_unread, "not-connected", None, ["stop_gradient (line 2); 'f' does not", "'z' (line"]),
    (fakes.unused, "not-watched", None, ["'n'", "integer: has no derivative"]),
    (flat, "zero", None, ["floor (line 2) is flat"]),
    (flat_beside_another_way, "flat", 2, ["'floor' is flat (line 2)"]),
    (integer_beside_another_way, "flat", 2, ["'int' makes an integer (line 2)"]),
    (dead_relu, "zero", None, ["maximum (line 4)", "dead relu"]),
    (times_zero, "zero", None, ["multiply (line 6)", "by 0"]),
    (cancels, "zero", None, ["add up to exactly 0"]),
    (underflow, "zero", None, ["underflow", "line 2"]),
    (tie, "kink", 3, ["2 elements at a tie"]),
    (dead_column, "dead", 2, ["1 of 2 columns is 0 in every row"]),
    (grew, "broadcast", 2, ["(3, 1) with (3,) gives (3, 3)"]),
    (grew_from_two_rows, "broadcast", 2, ["(3, 1) with (1, 3) gives (3, 3)"]),
    (rebound, "rebound", 2, ["'x'", "x@1"]),
    (fakes.not_run, "not-run", None, ["No gradient was asked for yet"]),
    (lambda: fakes.loop(80, w=0.5), "vanishing", 3, ["× 80", "factor"]),
    (lambda: fakes.loop(200, w=0.1), "zero", None, ["underflow"]),
]


@pytest.mark.parametrize(
    ("recording", "name", "why"),
    [
        (two_troubles, "x", "first inf going backward: line 2, element [1]: derivative of sqrt(0)"),
        (two_troubles, "y", "first inf going forward: line 3, element [1]: log(0)"),
        (overflow_on_the_way_back, "x", "line 2, element [0]: derivative of multiply(1e-300, 1e+"),
        (fakes.nan, "x", "first nan going forward: line 2, element [1]: sqrt(-0.5)"),
        (nan_in_the_data, "x", "first nan going forward: line 2, element [1]: multiply(2, nan)"),
    ],
)
def test_each_source_is_told_where_its_own_gradient_went_wrong(recording, name, why):
    tape = recording()
    graph = build_graph(tape)
    [row] = [row for row in graph.sources if row.name == name]
    assert why in row.reason
    told = [found for found in findings(tape, graph) if name in found.names and found.kind == "nan"]
    messages = [
        found.message.lower().rstrip(".") + f" ({found.fix.lower().rstrip('.')})" * bool(found.fix)
        for found in told
    ]
    assert "; ".join(messages) == row.reason.lower()


@pytest.mark.parametrize(
    ("recording", "forward", "backward"),
    [
        (nan_beside_infinite_slope, "line 2, element [1]: sqrt(-1)", "line 2, element [0]: "),
        (nan_in_another_branch, "line 2: log(-1)", "line 3: "),
    ],
)
def test_a_nan_of_its_own_is_told_before_what_went_wrong_later(recording, forward, backward):
    tape = recording()
    graph = build_graph(tape)
    [row] = graph.sources
    first, then = row.reason.split("; ")
    assert first.partition(" (keep")[0] == f"first nan going forward: {forward}"
    said = f"first inf going backward: {backward}derivative of sqrt(0)"
    assert then == f"{said} (keep the argument of sqrt above 0)"
    assert f"First nan going forward: {forward}" in explain(tape, graph, "x")


@pytest.mark.parametrize("make", [flat, integer, fakes.tutorial, fakes.unused])
def test_a_flat_step_is_told_once(make):
    tape = make()
    assert [found for found in findings(tape, build_graph(tape)) if found.kind == "flat"] == []


@pytest.mark.parametrize(("make", "kind", "line", "words"), CASES)
def test_each_kind(make, kind, line, words):
    tape = make()
    found = [finding for finding in findings(tape, build_graph(tape)) if finding.kind == kind]
    assert found
    assert found[0].line == line
    for word in words:
        assert word in found[0].message


def test_the_factor_of_a_loop_is_that_of_its_recurrence():
    tape = fakes.Recorder("for t in r:\n    h = w * h")
    weight, h = tape.source("w", 0.5), tape.source("x", 1.0)
    for _ in range(60):
        h = tape.run("multiply", weight, h, line=2, name="h")
    tape.gradient("h", h)
    (finding,) = [f for f in findings(tape, build_graph(tape)) if f.kind == "vanishing"]
    assert "a factor of 0.5 per step" in finding.message


def test_exploding():
    tape = fakes.Recorder("for t in r:\n    h = w * h")
    weight, h = tape.source("w", 3.0), tape.source("x", 1.0)
    for _ in range(40):
        h = tape.run("multiply", weight, h, line=2, name="h")
    tape.gradient("h", h)
    (finding,) = [f for f in findings(tape, build_graph(tape)) if f.kind == "exploding"]
    assert "a factor of 3 per step" in finding.message


@pytest.mark.parametrize(
    ("body", "fades"),
    [
        ("out = np.zeros(40)\nfor i in range(40):\n    out[i] = w[i] * 2\ny = out[30] + out[39]", False),
        ("out = np.empty((40, 2))\nfor i in range(40):\n    out[i] = w[i], w[i] ** 2\ny = out[39].sum()", False),
        ("out = np.ones(40)\nfor i in range(1, 40):\n    out[i] = out[i - 1] * w[i] * 0.1\ny = out[39] * 1e9", True),
        ("h = w[0] * 1.0\nfor i in range(40):\n    h = h * 0.3\ny = h * 1e9", True),
    ],
)  # fmt: skip
def test_an_array_that_is_filled_is_no_recurrence(body, fades):
    _, session = run_taped("import numpy as np\nw = np.linspace(1, 2, 40)", body)
    session.differentiate()
    assert any(found.kind == "vanishing" for found in session.tape.findings) == fades


def test_what_goes_into_one_table_is_one_finding():
    tape = fakes.Recorder("for i in r:\n    s = w * i\ntable(s)")
    w = tape.source("w", 2.0)
    for _ in range(5):
        s = tape.run("multiply", w, 3.0, line=2, name="s")
        tape.mark("taken", s, 3, "pandas")
    tape.gradient("s", s)
    (finding,) = [f for f in findings(tape, build_graph(tape)) if f.kind == "taken"]
    assert finding.names == ("w",)
    assert finding.message.startswith("'s@1' (line 2) and 4 more went into pandas, line 3")


def test_a_source_stands_at_no_line():
    setup = "import io\nimport numpy as np\nw, file = np.array([1.25, 2.75]), io.BytesIO()"
    body = "np.save(file, w)\nfile.seek(0)\nloss = w @ np.load(file)"
    _, session = run_taped(setup, body)
    session.differentiate()
    (finding,) = [found for found in session.tape.findings if found.kind == "text"]
    assert finding.message.startswith("'w' went into text or a file, and line 3 reads")


def test_nothing_to_remark_about_a_clean_tape():
    tape = fakes.tutorial()
    assert findings(tape, build_graph(tape)) == []
    assert explain(tape, build_graph(tape)) == "Nothing to remark."


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("b", "not read that"), ("n", "integer"), ("x", "has a gradient: 3"),
        ("f", "has a gradient: 1"), ("z", "not on a path"), ("nobody", "was not recorded"),
    ],
)  # fmt: skip
def test_explain_by_name(name, words):
    tape = fakes.unused()
    assert words in explain(tape, build_graph(tape), name)


@pytest.mark.parametrize("make", [tie, grew, dead_column, lambda: fakes.loop(80, w=0.5)])
def test_what_is_remarked_of_a_gradient_is_told_beside_it_and_on_the_page(make):
    tape = make()
    graph = build_graph(tape)
    name = graph.sources[0].name
    gradient, remark = explain(tape, graph, name).split("\n")
    assert gradient.startswith(f"'{name}' has a gradient: ")
    assert remark in remarks_on(Folding(graph))
    assert " ".join(to_text(graph).split()).endswith(f"! {remark}")
    assert remark in make_scene(graph)["notes"]
    assert remark in remarks_on(Folding(from_json(to_json(graph))))


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize(
    ("compute", "is_remarked"),
    [
        (lambda w: np.sum(w) + np.log(-1.0), True),  # the gradient is 1
        (lambda w: np.sum(np.sqrt(-w)), False),  # the gradient is nan, and says it
    ],
)
def test_a_target_that_is_nan_is_remarked_where_no_gradient_says_so(compute, is_remarked):
    w = Variable(np.array([1.0, 2.0]), name="w")
    with GradientTape() as tape:
        y = compute(w)
    tape.gradient(y, w)
    assert any("First nan" in remark for remark in tape.graph.remarks) == is_remarked


def test_many_remarks_are_cut_short():
    tape, x = scalar_tape(value=np.zeros(3))
    total = x
    for line in range(2, 10):
        total = tape.run("add", total, tape.run("maximum", x, 0.0, line=line), line=line)
    tape.gradient("f", tape.run("sum", total, line=10, name="f"))
    *told, more = remarks_on(Folding(build_graph(tape)))
    assert len(told) == 5
    assert more == "… and 3 more: tape.explain()"


@pytest.mark.parametrize("rows", [4, 20])
def test_columns_of_a_few_rows_are_0_by_chance(rows):
    tape, x = scalar_tape(value=np.ones((rows, 2)) * [1, -1])
    y = tape.run("maximum", x, 0.0, line=2)
    tape.gradient("f", tape.run("sum", y, line=3, name="f"))
    assert [found.kind for found in findings(tape, build_graph(tape))] == ["dead"] * (rows == 20)


def test_broadcasting_that_is_meant_is_not_remarked():
    tape, x = scalar_tape(value=np.ones((3, 2)))
    y = tape.run("add", x, np.ones(2), line=2)
    tape.gradient("f", tape.run("sum", y, line=3, name="f"))
    assert findings(tape, build_graph(tape)) == []


@pytest.mark.parametrize(
    ("compute", "told"),
    [
        (lambda x: x[:, None] - x[None], False),
        (lambda x: np.expand_dims(x, 1) * np.ones((1, 4)), False),
        (lambda x: x[:, None, None] + np.ones((1, 2, 2)), False),
        (lambda x: x[:, None] * np.ones(2), False),
        (lambda x: x[:, None] - x, True),
        (lambda x: x.reshape(-1, 1) - np.ones(3), True),
    ],
)
def test_axes_that_were_made_to_meet_are_meant(compute, told):
    x = Variable([1.0, 2.0, 3.0])
    with GradientTape() as tape:
        y = np.sum(compute(x))
    tape.gradient(y, x)
    assert ("grew both sides" in tape.explain()) == told


MASK = np.eye(2, dtype=bool)


def masked(x):
    scores = x[:2, None] * x[None, :2]
    scores[MASK] = -np.inf
    return scores


@pytest.mark.parametrize(
    ("compute", "told"),
    [
        (lambda x: np.exp(masked(x)), ""),
        (lambda x: np.exp(np.where(MASK, -np.inf, x[:2])), ""),
        (lambda x: np.exp(x[:2] + np.where(MASK, -np.inf, 0)), ""),
        (lambda x: np.concatenate([x, [-np.inf]])[:3] * (np.sum(x) - -np.inf > 1e-3), ""),
        (lambda x: masked(x) - masked(x), "First nan going forward: line {}, element [0, 0]: subtract(-inf, -inf)."),
        (lambda x: np.exp(800 * x) - np.exp(800 * x), "First inf going forward: line {0}, element [0]: exp(800).\nFirst nan going forward: line {0}, element [0]: subtract(inf, inf)."),
        (lambda x: x * [1, 1, np.nan], "First nan going forward: line {}, element [2]: multiply(3, nan)."),
    ],
)  # fmt: skip
def test_an_infinity_that_was_written_is_meant(compute, told):
    x = Variable([1.0, 2.0, 3.0])
    with GradientTape() as tape, np.errstate(all="ignore"):
        y = np.sum(compute(x))
    tape.gradient(y, x)
    found = [f.message for f in tape.findings if "going forward" in f.message]
    assert "\n".join(found) == told.format(compute.__code__.co_firstlineno)
    notes = [box["note"] for box in make_scene(tape.graph)["boxes"]]
    assert any("first nan" in note for note in notes) == ("subtract" in told or "exp" in told)


@pytest.mark.parametrize("count", [np.histogram, lambda x: np.histogram2d(x, x)])
def test_a_flat_step_of_numpys_own_code_is_that_of_the_function_that_was_called(count):
    x = Variable([1.0, 2.0, 3.0])
    with GradientTape() as tape:
        count(x)
        y = np.sum(x * x)
    tape.gradient(y, x)
    assert tape.explain() == "Nothing to remark."
    became = {mark[2] for node in tape.graph.nodes for mark in node.marks}
    assert {word.partition("(")[2] for word in became} <= {"histogram)", "histogram2d)"}


def test_messages_never_hold_control_characters():
    tape = fakes.hostile()
    graph = build_graph(tape)
    assert explain(tape, graph).isprintable()
    assert all(row.reason.isprintable() for row in graph.sources)
