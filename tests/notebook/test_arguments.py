"""The magic's line is parsed, never evaluated."""

import re

import numpy as np
import pytest
from IPython.core.error import UsageError

from tapemagic.notebook.arguments import parse_name, parse_path, split_line


@pytest.mark.parametrize(
    ("text", "shown", "steps"),
    [
        ("w", "w", ()),
        ("model.W1", "model.W1", (("attribute", "W1"),)),
        ("params['W1']", 'params["W1"]', (("item", "W1"),)),
        ("p[-1]", "p[-1]", (("item", -1),)),
        ("a.b[0].c", "a.b[0].c", (("attribute", "b"), ("item", 0), ("attribute", "c"))),
        ("p['a\"b']", 'p["a\\"b"]', (("item", 'a"b'),)),
        ("größe", "größe", ()),
    ],
)
def test_paths(text, shown, steps):
    path = parse_path(text)
    assert (path.text, path.steps) == (shown, steps)


@pytest.mark.parametrize(
    "text",
    # one by one
    [
        "w+b",
        "w,",
        "f(x)",
        "p[i]",
        "p[0:2]",
        "p[f()]",
        "3",
        "lambda",
        "(w:=1)",
        "p[1.5]",
        "__import__('os').system('x')",
        "w;",
        "\x00",
        "*w",
        "p[(1,2)]",
        "[w]",
    ],
)
def test_anything_else_is_refused(text):
    with pytest.raises(UsageError) as caught:
        parse_path(text)
    assert repr(text)[1:-1] in str(caught.value) or text in str(caught.value)


def test_no_code_of_the_line_runs():
    touched = []

    class Trap(dict):
        def __missing__(self, key):
            touched.append(key)
            raise KeyError(key)

    with pytest.raises(UsageError):
        parse_path("p[__import__('os').getcwd()]").find({"p": Trap()})
    assert touched == []


def test_comma_gets_a_hint():
    with pytest.raises(UsageError, match="separate names with spaces"):
        parse_path("w,b")


def test_find_names_what_is_missing():
    with pytest.raises(UsageError, match="did you mean weight"):
        parse_path("wieght").find({"weight": 1.0})
    with pytest.raises(UsageError, match=r'\'p\["b"\]\': p has no \["b"\]'):
        parse_path('p["b"]').find({"p": {"a": 1.0}})


def test_find_follows_the_steps():
    class Model:
        layers = ({"W": 7.0},)

    assert parse_path("m.layers[0]['W']").find({"m": Model()}) == 7.0


@pytest.mark.parametrize(
    ("text", "whole"), [("w[0]", "w"), ("w.T", "w"), ('p["w"][1]', 'p["w"]'), ("w.real[0]", "w")]
)
def test_a_part_of_an_array_is_no_source(text, whole):
    w = np.ones(2)
    with pytest.raises(UsageError, match=f"a part of an array.*; name '{re.escape(whole)}'$"):
        parse_path(text).find({"w": w, "p": {"w": w}})


@pytest.mark.parametrize("text", ["1a", "a b", "class", "a.b", ""])
def test_names(text):
    with pytest.raises(UsageError):
        parse_name(text)
    assert parse_name("tape_2") == "tape_2"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (" w  b ", ["w", "b"]),
        ('params["W 1"] -t loss', ['params["W 1"]', "-t", "loss"]),
        ("p[ 'a' ] b", ["p[ 'a' ]", "b"]),
        ("w # the weight", ["w"]),
        ('p["#"]', ['p["#"]']),
        ("", []),
    ],
)
def test_split(line, words):
    assert split_line(line) == words
