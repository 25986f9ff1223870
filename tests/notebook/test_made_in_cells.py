"""Arrays that a cell makes of plain integers and numbers, and writes to under another name."""

import numpy as np
import pytest

from tapemagic.notebook.namespace import Swap
from tests.fuzz.harness import check
from tests.fuzz.programs import Program
from tests.notebook.worlds import run_taped

#: Makers that no twin sees: methods and operators of plain integers and numbers.
MAKERS = [
    "np.arange(3) * 0.5", "np.arange(3) / 2", "(np.arange(3) > 1) * 0.5", "-(np.arange(3) / 2)",
    "np.arange(3).astype(float)", "np.arange(3).view(float)", "np.arange(3) ** 0.5",
    "np.arange(6).astype(float).reshape(2, 3)[1]", "np.arange(3).dot(0.5 * np.eye(3))",
    "np.float64(3.0).repeat(3)", "np.add.outer(np.arange(3), 0.5)", "np.sqrt(np.arange(3))",
    "np.ones(3)", "np.array([1, 2, 3]).cumsum(dtype=float)",
]  # fmt: skip
#: How `e` gets another name, `y`, and what the cell reads after it has written to `y`.
WAYS = {
    "a second name": ("y = e", "e"),
    "a list": ("l = [e, 1]\ny = l[0]", "l[0]"),
    "out of a list alone": ("l = [e]\ndel e\ny = l[0]", "l[0]"),
    "a dict in a list": ("l = [{'a': e}]\ny = l[0]['a']", "l[0]['a']"),
    "a tuple": ("l = (e, 1)\ny = l[0]", "l[0]"),
    "an object": ("o = Holder(e)\ny = o.a", "o.a"),
    "a closure": ("f = (lambda e: lambda: e)(e)\ny = e", "f()"),
    "a default": ("def f(a=e):\n    return a\ny = e", "f()"),
    "a view": ("v = e[1:]\ny = e", "v"),
    "the base of a view": ("y = e[1:]", "e"),
    "a view of a view": ("v = e[::2]\ny = e[1:][::-1]", "v"),
    "a loop": ("for y in [e, e[:2]]:\n    y *= c[1]", "e"),
    "unpacking": ("y, z = e, e[1:]", "z"),
    "both at once": ("a = y = e", "a"),
    "a deque": ("import collections\nl = collections.deque([e])\ny = e", "l[0]"),
}


def assert_right(*statements, terms):
    program = Program(
        1,
        {"c": np.array([1.5, -0.5, 2.0])},
        statements=list(statements),
        terms=[terms],
        cell=True,
    )
    outcome = check(program)
    assert outcome.kind == "ok", f"\n{program}\n{outcome}"


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("way", ["a second name", "a list", "a view", "the base of a view"])
def test_every_maker(make, way):
    bind, read = WAYS[way]
    assert_right(
        f"e = {make}", bind, "y[0] = c[0] * c[1]", f"z = {read} * c[0]", terms="np.sum(z * z)"
    )


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("write", ["y[0] = c[0] * c[1]", "y *= 0.9", "y += c[0]"])
def test_every_way(way, write):
    bind, read = WAYS[way]
    assert_right(
        "e = np.arange(3) * 0.5 + 1.0", bind, write, f"z = {read} * c[0]", terms="np.sum(z * z)"
    )


def test_other_handles_stay_the_cells_own():
    assert_right(
        "k = c * 2", "l = [k, c[0]]", "e = np.arange(3) * 0.5", "y = e", "y *= c", "z = l[0] * e",
        terms="np.sum(z)",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("for i in range(9):\n    y = np.arange(3) * 0.5\n    y[0] = c[0]", 0),
        ("l = [np.arange(3) * 0.5 for i in range(9)]\nfor y in l:\n    y[0] = c[0]", 1),
    ],
)
def test_how_often_the_names_are_searched(monkeypatch, text, most):
    follow, searches = Swap.follow, []

    def counted(self, names):
        searches.append(1)
        follow(self, names)

    monkeypatch.setattr(Swap, "follow", counted)
    run_taped("import numpy as np\nc = np.array([1.0, 2.0])", text)
    assert len(searches) <= most


@pytest.mark.parametrize(
    "make", ["(e, g)", "(g, e)", "(e, (g, [g, e]))", "[(e, g), g]", "{'a': (e, g)}"]
)
def test_tuples_that_also_hold_results(make):
    # e is exchanged when y is written to, in a new tuple; the old one holds the handle of g
    assert_right(
        "e = np.arange(3) / 2", "g = c * 2.0", f"d = {make}", "l = [e]", "y = l[0]",
        "y[0] = c[0] * c[1]", terms="np.sum(e * g)",
    )  # fmt: skip
