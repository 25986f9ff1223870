"""What the page says of a cell with one mistake in it: the line, the name, the cause."""

import linecache

import numpy as np
import pytest
from IPython.core.error import UsageError
from notebook.worlds import run_taped

from tapemagic import GradientTape, Variable
from tapemagic.notebook.arguments import parse_path

SETUP = """
import numpy as np
def quantize(v):
    return int(v * 16) / 16
def relu(z):
    return np.maximum(0, z)
class Model:
    @property
    def level(self):
        return np.floor(w)
model = Model()
w, k, x = 2.3, 1.5, np.array([1.0, -2.0, 3.0])
table = np.arange(12.0).reshape(4, 3)
before = k * x
n = np.array([1, 2, 3])
data = np.array([[1.0, 2.0, 3.0], [4.0, np.nan, 6.0]])
"""

# name -> source, cell, what is said of the source
CASES = {
    "an integer of a helper": (
        "w", "\ny = quantize(w) * 2.0",
        "left the tape at line 2 as an integer (int) in quantize."),
    "a bool of a function of the cell": (
        "x", "def forward(x):\n    z = x * 2\n    return np.where(z > 0.5, 1.0, 0.0)\ny = forward(x).sum()",
        "left the tape at line 4 as a bool (< or >) in forward at line 3."),
    "a method": ("w", "y = model.level * 3", "floor (line 1, in Model.level) is flat"),
    "a dead relu of a helper": (
        "x", "y = relu(x - 10).sum()", "maximum (line 1, in relu) is a dead relu"),
    "computed before the cell": (
        "k", "y = np.sum(before + 1)",
        ("no recorded operation reads 'k'; 'y' is not on the tape: it is computed from plain values; "
        "of what the cell reads, 'before' is not watched.")),
    "bound again to a constant": (
        "w", "if k > 1:\n    w = 0.5\ny = w * 2",
        "'w' was bound again on line 2, and no recorded operation reads its value from before"),
    "deleted": ("w", "z = w * 2\ndel w\ny = z * 3", "'w' was deleted on line 2; the gradient is with"),
    "bound again after it was used": (
        "w", "y = w * 3\nw = 1.0", "'w' was bound again on line 2; the gradient is with respect to its"),
    "swapped": (
        "k", "w, k = k, w\ny = w * 2", "'k' was bound again on line 1; the gradient is with respect to its value when"),
    "swapped with an array that it is made of": (
        "x", "z = x * 2\nx, z = z, x\ny = z.sum()", "'x' was bound again, last on line 1 (x@1)"),
    "written into": ("x", "x[0] = 5.0\ny = x.sum()", "'x' was written into, last on line 1 (x@1)"),
    "bound first by the cell": (
        "q", "q = w * 1.0\nr = q * 2\nq = r * 3\ny = q", "with respect to the value that it had first"),
    "a rule of one's own that gives nothing": (
        "w", ("import tapemagic\n"
              "scale = tapemagic.custom_gradient(lambda a, c: (a * c, lambda ct: (ct * c, None)))\n"
              "y = scale(x, w).sum()"),
        "custom (line 3) passed no gradient on to it. Let its rule return a cotangent for it."),
    "overwritten": (
        "x", "z = x * 2\nz[:] = 1.0\ny = z.sum()", "the assignment to elements (line 2) overwrites all"),
    "not chosen": (
        "x", "y = np.concatenate([x, [9.0]]).max()",
        "no gradient reaches the elements that concatenate (line 1) takes from it."),
    "an underflow of likelihoods": (
        "k", "y = 1.0\nfor d in [30.0, 40.0, 50.0]:\n    y *= np.exp(-((d - k) ** 2) / 2)",
        "multiplies it by a value that underflowed to 0 in "),
    "integers are no sources": ("w", "y = np.sum(w * n)", ("n", "'n' is no source: dtype int64")),
    "others are not watched": (
        "w", "y = np.sum(w * x)", ("x", "'x' is no source: it was not watched; name it: %%tape x.")),
}  # fmt: skip


def taped(cell, source):
    with np.errstate(all="ignore"):
        _, session = run_taped(SETUP, cell, sources=(parse_path(source),), target=parse_path("y"))
        session.differentiate()
        return session.tape


@pytest.mark.parametrize("name", CASES)
def test_the_reason(name):
    source, cell, words = CASES[name]
    asked, words = (source, words) if isinstance(words, str) else words
    assert words in taped(cell, source).explain(asked)


# name -> source, cell, all that is said of values that are not finite
NOT_FINITE = {
    "0 times infinity": (
        "x", "e = np.exp(x * 400)\ny = np.sum(e * [1.0, 1.0, 0.0])",
        ["First inf going forward: line 1, element [2]: exp(1200).",
         "First nan going forward: line 2, element [2]: multiply(inf, 0)."]),
    "a function of the cell": (
        "x", "def entropy(p):\n    return -p * np.log(p)\ny = np.sum(entropy(x[:1] - 1))",
        ["First inf going forward: line 3, in entropy at line 2, element [0]: log(0).",
         "First nan going forward: line 3, in entropy at line 2, element [0]: multiply(0, -inf)."]),
    "a row of a mask": (
        "table", "z = np.where(np.eye(4, 3) > 0, table, -np.inf)\nd = z - z.max(1)[:, None]\ny = np.sum(np.exp(d))",
        ["First nan going forward: line 2, element [3, 0]: subtract(-inf, -inf)."]),
    "an iteration": (
        "x", "y = 0.0\nfor i in range(3):\n    v = x[i] + 1\n    y = y + np.sqrt(v)",
        ["First nan going forward: line 4, iteration 2: sqrt(-1)."]),
    "an iteration of two loops": (
        "x", ("y = 0.0\nfor e in range(3):\n    for i in range(3):\n        v = x[i] + 3 - e\n"
        "        y = y + np.sqrt(v)\n    y = y * 2"),
        ["First nan going forward: line 5, iterations 3 and 2: sqrt(-1)."]),
    "nan in the data": (
        "x", "y = np.sum(data @ x)",
        [("First nan going forward: line 1, element [1]: matmul(array (2, 3), array (3,)); "
         "'data' holds nan at [1, 1].")]),
    "no elements": ("x", "y = np.mean(x[x > 10]) + x[0]",
        ["First nan going forward: line 1: mean(empty array (0,))."]),
    "no operands at one place": (
        "table", "y = np.sum(np.einsum('ij,jk->ik', table[:3] * 1e200, table[1:] * 1e200) * 0.0)",
        ["First inf going forward: line 1, element [0, 0]: einsum(array (3, 3), array (3, 3)).",
         "First nan going forward: line 1, element [0, 0]: multiply(inf, 0)."]),
    "hidden by where": (
        "x", "y = np.sum(np.where(x > 1, np.log(x - 1), 0.0))",
        [("First nan going forward: line 1, element [1]: log(-3); 'y' and the gradients are finite all "
         "the same.")]),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_FINITE)
def test_what_is_not_finite(name):
    source, cell, words = NOT_FINITE[name]
    tape = taped(cell, source)
    found = [one.message for one in tape.findings if one.kind == "nan"]
    assert found == words
    told = " ".join([*tape.graph.remarks, *(row.reason for row in tape.graph.sources)]).lower()
    # the page says it, unless nothing comes of it
    assert (words[0].lower().rstrip(".") in told) == ("all the same" not in words[0])


def test_the_page_says_why_a_target_is_nan_whose_gradient_is_finite():
    tape = taped("y = np.sum(np.log(x))", "x")
    assert all(np.isfinite(tape.gradient("y", "x")))
    (said,) = tape.graph.remarks
    assert said.startswith("First nan going forward: line 1, element [1]: log(-2).")


FADING = "for a in range(12):\n    {}\ny = np.sum({})"
FUNCTION = "def run(h):\n    for a in range(12):\n        h = np.tanh(h * 0.01)\n    return h\ny = np.sum(run(x))"


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("h = x\n" + FADING.format("h = h * 0.01", "h"), "of 'h' is vanishing along the loop on line 2"),
        ("h = [x]\n" + FADING.format("h.append(h[-1] * 0.01)", "h[-1]"),
         "of what each iteration hands to the next is vanishing along the loop on line 2"),
        (FUNCTION, "hands to the next is vanishing along the loop in run, line 5 (× 12)"),
        ("h = x\n" + FADING.format("h = np.round(h * 0.5, 1)", "h"), ""),  # it is cut, and does not fade
        ("h = x**2\nfor a in range(9):\n    new = 0.5 * (h + x**2 / h)\n    h = new\ny = np.sum(h)", ""),
    ],
)  # fmt: skip
def test_loops_along_which_gradients_fade(cell, words):
    found = [one.message for one in taped(cell, "x").findings if one.kind == "vanishing"]
    assert len(found) == bool(words)
    assert words in "".join(found)


TIED = "z = table[:, [0, 0, 1]] - [0.0, 0.0, 3.0]"
# what competent users call noise
SILENT = {
    "the shift of a softmax": f"{TIED}\ns = z - z.max(1, keepdims=True)\ny = np.sum(s[:, 0] - np.log(np.exp(s).sum(1)))",
    "the shift of logsumexp": f"{TIED}\nm = np.max(z, 1)\ny = np.sum(m + np.log(np.exp(z - m[:, None]).sum(1)))",
    "a kink that no gradient reaches": "y = (np.abs(table) * (table != 0)).sum()",
    "text of the result": "y = table.sum()\nshort = float(f'{y:.3f}')",
}  # fmt: skip


@pytest.mark.parametrize("name", SILENT)
def test_what_needs_no_remark(name):
    assert taped(SILENT[name], "table").explain() == "Nothing to remark."


def test_an_integer_for_a_person_to_read_is_no_remark(capsys):
    x = Variable(3.7)
    with GradientTape() as tape:
        print("about", int(x), f"{round(x * 10)}%")
        steps = int(x)
        y = x * x * steps
        bar = "#" * int(y)
    tape.gradient(y, x)
    assert capsys.readouterr().out == "about 3 37%\n"
    line = tape.findings[0].line
    assert tape.explain() == f"'int' makes an integer (line {line}): no gradient goes through it."
    assert linecache.getline(__file__, line).strip() == "steps = int(x)"
    assert len(bar) == 41


def test_ties_that_matter_are_told():
    assert "12 elements at a tie" in taped("y = np.max(table * 0) * 2", "table").explain()


def test_a_container_is_explained_by_its_parts():
    _, session = run_taped(
        "import numpy as np\np = {'a': np.ones(2), 'b': 2.0, 'n': 3}", "y = np.sum(p['a']) * 3",
        sources=(parse_path("p"),),
    )  # fmt: skip
    session.differentiate()
    told = session.tape.explain("p").split("\n")
    assert [line.partition(":")[0] for line in told] == [
        "'p[\"a\"]' has a gradient", "'p[\"b\"]' has no gradient", "'p[\"n\"]' has no gradient",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("setup", "words"),
    [
        ("p = np.array([1.0, 2.0], dtype=object)", "dtype object: has no derivative; use .astype(float)"),
        ("class P: pass\np = P()", "P: it held no float array and no float when the cell began"),
        ("import pandas as pd\np = pd.DataFrame({'a': [1.0]})", "make an array of it: .to_numpy()"),
    ],
)  # fmt: skip
def test_what_holds_no_floats_is_told(setup, words):
    _, session = run_taped(f"import numpy as np\n{setup}", "y = 2.0", sources=(parse_path("p"),))
    session.differentiate()
    assert words in session.tape.explain("p")


def test_the_function_that_compares_is_named():
    x = Variable(3.0)
    with GradientTape() as tape:
        y = max(0.0, min(1.0, x * 2))
        z = x * y
    tape.gradient(y, x)
    became = {mark[2] for node in tape.nodes() for mark in node.marks}
    assert became == {"a bool (min)"}
    assert z == 3.0


def test_a_target_that_left_the_tape_is_told_where():
    _, session = run_taped(
        SETUP, "k = int(w * 2)", sources=(parse_path("w"),), target=parse_path("k")
    )
    with pytest.raises(UsageError, match=r"not a float \(left the tape at line 1 as an integer"):
        session.differentiate()


def test_a_source_that_is_named_twice_has_floats():
    paths = tuple(map(parse_path, ("p", 'p["a"]', "p", "k", "k")))
    _, session = run_taped("p, k = {'a': 1.0}, 2.0", "y = p['a'] * k", sources=paths)
    session.differentiate()
    assert session.tape.explain() == "Nothing to remark."


@pytest.mark.parametrize(
    ("cell", "is_told"),
    [
        ("d = datetime.timedelta(seconds=w)\ny = w * 2", True),
        ("d = decimal.Decimal(w)\ny = w * 2", True),
        ("d = x(3)\ny = w * 2", False),
        ("d = {} + x\ny = w * 2", False),
        ("d = datetime.timedelta(seconds=float(tapemagic.stop_gradient(w)))\ny = w * 2", False),
    ],
)
def test_code_that_takes_only_pythons_own_numbers(cell, is_told):
    setup = f"import datetime, decimal, tapemagic\n{SETUP}"
    _, session = run_taped(setup, cell, sources=(parse_path("w"),), target=parse_path("y"))
    session.differentiate()
    assert any("Hand over a plain one" in note for note in session.outcome.notes) == is_told
