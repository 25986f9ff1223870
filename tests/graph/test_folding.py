"""What is shown collapsed."""

import time

import pytest
from display import fakes
from hypothesis import given
from hypothesis import strategies as st

from tapemagic.graph.build import build_graph
from tapemagic.graph.folding import MOST_CHILDREN, MOST_VISIBLE, Folding
from tapemagic.graph.iterations import smallest_period
from tapemagic.graph.model import Group


def folded(text, visits):
    """A folding of operations given as (line, name) in time order."""
    tape = fakes.Recorder(text)
    x = tape.source("a", 1.0)
    for line, name in visits:
        x = tape.run("sin", x, line=line, name=name)
    return Folding(build_graph(tape))


def loops(folding):
    items = folding.children(folding.root)
    return [item for item in items if isinstance(item, Group) and item.kind == "loop"]


TWO_LINES = "for i in r:\n    a = f(a)\n    b = f(a)"
BRANCHES = "for i in r:\n    if i:\n        a = f(a)\n    else:\n        a = g(a)\n    b = a"
NESTED = "for i in r:\n    for j in r:\n        a = f(a)\n    b = f(a)"
ONE_LINE = "for i in r:\n    a = f(f(a))"
SEVERAL = "for i in r:\n    a = f(a); a[0] += 1; a = g(a)"
SEVERAL_LINES = "for i in r:\n    a = f(a); a[i] += 1\n    b = f(b); b[i] -= 1"
TUPLE = "for i in r:\n    a, b = f(a), f(b)"


@pytest.mark.parametrize(
    ("text", "iteration", "count"),
    [
        (TWO_LINES, [[(2, "a"), (3, "b")]], 7),
        (BRANCHES, [[(3, "a"), (6, "b")], [(5, "a"), (6, "b")]], 6),
        (NESTED, [[(3, "a"), (3, "a"), (3, "a"), (4, "b")]], 5),
        (ONE_LINE, [[(2, ""), (2, "a")]], 9),
        (TUPLE, [[(2, "a"), (2, "b")]], 4),
        (SEVERAL, [[(2, "a"), (2, ""), (2, "a"), (2, "a")]], 5),
        (SEVERAL_LINES, [[(2, "a"), (2, ""), (2, "a"), (3, "b"), (3, "b")]], 5),
        (TWO_LINES, [[(2, ""), (2, ""), (3, "")]], 8),  # nothing is bound: fill loops
    ],
)
def test_iterations_are_counted(text, iteration, count):
    visits = [visit for number in range(count) for visit in iteration[number % len(iteration)]]
    (loop,) = loops(folded(text, visits))
    assert loop.count == count
    assert loop.line == 1
    assert loop.title == "for i in r:"


@pytest.mark.parametrize("inner", [[(3, "a")], [(3, "a"), (4, "b")]])
def test_a_loop_that_is_nothing_but_another_one_claims_no_number(inner):
    text = "for i in range(3):\n    for j in range(4):\n        a = f(a)\n        b = f(a)"
    (loop,) = loops(folded(text, inner * 12))
    assert (loop.line, loop.title, loop.count) == (2, "for j in range(4):", 12)


def test_branches_that_skip_the_last_line_do_not_merge_iterations():
    text = "for i in r:\n    if i:\n        a = f(a)\n    else:\n        a = g(a)"
    lines = [3, 5, 3, 3, 5, 5, 3]  # no single line tells: 3 after 3 is a new iteration
    (loop,) = loops(folded(text, [(line, "a") for line in lines]))
    assert loop.count == 7


LEFT_OUT = "for i in r:\n    if i:\n        a = f(a)"
SKIPPED = "for i in r:\n    if i:\n        continue\n    a = f(a)"
MADE_INSIDE = "for i in r:\n    if i:\n        y = f(a)\n    y = g(y)"
ELSE_IF = "for i in r:\n    if i:\n        a = f(a)\n    elif j:\n        a = g(a)"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (LEFT_OUT, "33"), (SKIPPED, "44"), (MADE_INSIDE, "34344"), (ELSE_IF, "353"),
        ("for i in r:\n    y = f(y)\n    if i:\n        y = y + a", "4242"),
    ],
)  # fmt: skip
def test_iterations_that_may_have_recorded_nothing_are_not_counted(text, lines):
    tape = fakes.Recorder(text)
    a, y = tape.source("a", 1.0), None
    for line in map(int, lines):
        code = text.splitlines()[line - 1]
        y = tape.run("sin", y if "(y)" in code else a, line=line, name=code.split()[0])
    (loop,) = loops(Folding(build_graph(tape)))
    assert len(loop.starts) > 1
    assert not loop.is_complete
    assert loop.count == 1  # nothing is claimed


@pytest.mark.parametrize(
    ("lines", "count"), [("35", 2), ("353", 3), ("33", 2), ("5535", 4), ("3555533", 7)]
)
def test_either_branch_is_an_iteration(lines, count):
    text = "for i in r:\n    if i:\n        b = f(a)\n    else:\n        c = g(a)"
    tape = fakes.Recorder(text)
    a = tape.source("a", 1.0)
    for line in map(int, lines):
        tape.run("sin", a, line=line, name="b" if line == 3 else "c")
    (loop,) = loops(Folding(build_graph(tape)))
    assert len(loop.starts) == count
    assert loop.is_complete == (len(set(lines)) == 2)  # a branch not taken may record nothing


def test_a_shorter_first_iteration():
    """What the first iteration starts from is a constant, so it records one operation less."""
    tape = fakes.Recorder("for v in x:\n    total.append(f(g(v)))")
    x = tape.source("x", 1.0)
    tape.run("tanh", x, line=2)
    for _ in range(6):
        tape.run("tanh", tape.run("sin", x, line=2), line=2)
    (loop,) = loops(Folding(build_graph(tape)))
    assert loop.starts == (1, 2, 4, 6, 8, 10, 12)


def test_an_inner_loop_opens_below_its_iteration():
    visits = [visit for _ in range(4) for visit in [(3, "a")] * 3 + [(4, "b")]]
    folding = folded(NESTED, visits)
    (outer,) = loops(folding)
    iteration = folding.children(outer)[1]
    inner, last = folding.children(iteration)
    assert (inner.kind, inner.count, inner.title) == ("loop", 3, "for j in r:")
    assert folding.graph.nodes[last].line == 4


def test_a_line_that_repeats_itself_is_a_loop():
    tape = fakes.Recorder("y = [f(g(v)) for v in x]")
    x = tape.source("x", 1.0)
    for _ in range(10):
        tape.run("tanh", tape.run("sin", x, line=1), line=1)
    folding = Folding(build_graph(tape))
    (loop,) = loops(folding)
    assert loop.count == 10
    iteration = folding.children(folding.children(loop)[0])
    assert [folding.graph.nodes[item].op for item in iteration] == ["sin", "tanh"]


def test_a_call_opens_as_its_lines():
    folding = Folding(build_graph(fakes.calls()))
    first = folding.children(folding.root)[0]
    (call,) = folding.children(first)
    assert (call.kind, call.title) == ("call", "layer")
    assert folding.children(call) == (2, 3)


def test_a_statement_on_several_lines_is_one_line():
    folding = folded("y = f(\n    f(x) +\n    f(x))", [(2, ""), (3, ""), (1, "y")])
    (line,) = folding.children(folding.root)
    assert (line.kind, folding.children(line)) == ("line", (1, 2, 3))


def covered(folding, items):
    found = []
    for item in items:
        found += [item] if isinstance(item, int) else range(item.first, item.last)
    return [index for index in found if folding.graph.nodes[index].op != "source"]


VISITS = st.lists(st.tuples(st.integers(1, 6), st.sampled_from(["a", "b", ""])), max_size=120)


@given(VISITS, st.data())
def test_every_operation_is_shown_once_whatever_is_open(visits, data):
    folding = folded(NESTED + "\nc = 1\nd = 2", visits)
    opened = set()
    for _ in range(5):
        items = [item for item, _ in folding.visible(opened)]
        assert covered(folding, items) == list(range(1, len(visits) + 1))
        groups = [item.id for item in items if isinstance(item, Group)]
        if not groups:
            break
        opened.add(data.draw(st.sampled_from(groups)))
    for group_id in opened:
        assert folding.find(group_id).id == group_id


@pytest.mark.parametrize("group_id", ["", "g", "g99", "g0.x", "n1", "g0.0.0.0.0", "g-1"])
def test_an_unknown_group_is_none(group_id):
    found = Folding(build_graph(fakes.tutorial())).find(group_id)
    assert found is None or found.id == group_id


def test_never_more_than_a_few_hundred_boxes():
    folding = Folding(build_graph(fakes.loop(5000)))
    opened = set()
    for _ in range(6):
        items = [item for item, _ in folding.visible(opened)]
        assert len(items) <= MOST_VISIBLE
        groups = [item for item in items if isinstance(item, Group)]
        assert all(len(folding.children(group)) <= MOST_CHILDREN for group in groups)
        opened |= {group.id for group in groups}
    assert len(items) > MOST_VISIBLE / 2


def test_default_open_shows_short_cells_and_folds_loops():
    folding = Folding(build_graph(fakes.tutorial()))
    assert [item for item, _ in folding.visible(folding.default_open())] == [2, 3, 4, 5]
    folding = Folding(build_graph(fakes.loop()))
    loop, loss = [item for item, _ in folding.visible(folding.default_open())]
    assert (loop.count, loss) == (50, 102)


def test_long_tapes_take_linear_time():
    tape = fakes.large(100_000)
    begin = time.process_time()
    folding = Folding(build_graph(tape))
    assert loops(folding)[0].count == 50_000
    assert time.process_time() - begin < 5  # about half a second on an idle machine


@given(st.text("ab", min_size=1, max_size=30))
def test_smallest_period(word):
    period = smallest_period(word)
    fits = [p for p in range(1, len(word) + 1) if word[p:] == word[: len(word) - p]]
    assert period == fits[0]


def test_what_a_library_does_stays_closed():
    tape = fakes.Recorder("%%tape x\nplt.bar(x, 2 * x)\nplt.hist(x)\ny = 3 * x")
    x = tape.source("x", 2.0)
    plot = ("bar", "/venv/lib/site-packages/matplotlib/pyplot.py", 7)
    double = tape.run("multiply", x, 2.0, line=2)
    for line, read in ((2, double), (2, double), (3, x), (3, x)):
        tape.run("add", x, read, line=line, calls=(("", "<cell>", line), plot))
    tape.run("multiply", x, 3.0, line=4, name="y")
    folding = Folding(build_graph(tape))
    shown = [item for item, _ in folding.visible(folding.default_open())]
    kinds = [item.kind if isinstance(item, Group) else item for item in shown]
    assert kinds == [double, "call", "line", 6]
