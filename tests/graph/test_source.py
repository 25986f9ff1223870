"""Statements and loops by line."""

import pytest

from tapemagic.graph.source import Outline

CELL = """%%tape w
x = f(a,
      b)
for i in range(3):
    y = x
    while y < 1:
        y = y * 2
    if y:
        z = 1
    else:
        z = 2
for i in x: q = i
def f():
    for k in w:
        return k
!ls
last = 1"""


@pytest.mark.parametrize(
    ("line", "statement", "loops"),
    [
        (2, 2, ()), (3, 2, ()), (4, 4, ()), (5, 5, ((4, 5, 11),)),
        (6, 6, ((4, 5, 11), (6, 6, 7))), (7, 7, ((4, 5, 11), (6, 6, 7))),
        (9, 9, ((4, 5, 11),)), (11, 11, ((4, 5, 11),)),
        (12, 12, ((12, 12, 12),)), (15, 15, ((14, 15, 15),)), (17, 17, ()),
    ],
)  # fmt: skip
def test_lines(line, statement, loops):
    outline = Outline(CELL)
    assert outline.statement(line) == statement
    assert outline.loops(line) == loops


def test_the_end_of_a_header_is_before_its_body():
    outline = Outline("for i in range(\n    3):\n    x = i\ny = (1 +\n  2)")
    assert [outline.end(line) for line in (1, 3, 4)] == [2, 3, 5]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("x = 1", 1), ("x = 1; x += 2", 2), ("x[0] = x.y = 1", 1), ("y = x; (x.z[1], *x.w), y = y", 1),
        ("x: int = 3; y = x", 1), ("y = (x, 1)", 0), ("for x in y: pass", 1), ("f(x)\nx = 1", 0),
    ],
)  # fmt: skip
def test_statements_of_a_line_that_write_to_a_name(text, count):
    assert Outline(text).writes(1, "x") == count


@pytest.mark.parametrize("text", ["", "this is not python (", "\x00", "x = " + "(" * 5000])
def test_text_that_does_not_parse_has_neither(text):
    assert Outline(text).statement(3) == 3
    assert Outline(text).loops(3) == ()


def test_an_else_of_a_loop_is_outside_it():
    outline = Outline("for i in w:\n    x = i\nelse:\n    y = 1")
    assert outline.loops(2) == ((1, 2, 2),)
    assert outline.loops(4) == ()
