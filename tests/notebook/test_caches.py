"""Functions with a cache (`functools.lru_cache`): what the cell leaves in it, and what it finds."""

import functools
import linecache

import numpy as np
import pytest
from both_runs import check
from worlds import assert_same_world, picture, run_plain, run_taped

from tapemagic.autodiff.borrowing.caches import entries_of, refill
from tapemagic.display.text import to_text
from tapemagic.notebook.arguments import parse_path

SETUP = """
import functools
import numpy as np
w, k = np.array([0.7, 1.3, 2.1]), 0.8
"""
CACHED = {
    "a number": "@functools.lru_cache\ndef f(q):\n    return q * q",
    "typed": "@functools.lru_cache(typed=True)\ndef f(q):\n    return q * q",
    "without a bound": "@functools.cache\ndef f(q):\n    return q * q",
    "small": "@functools.lru_cache(maxsize=1)\ndef f(q):\n    return q * q",
    "in a closure": "def make(t):\n    @functools.lru_cache\n    def g(q):\n        return q * q * t\n"
    "    return g\nf = make(w[0])",
    "of a class": "class A:\n    @staticmethod\n    @functools.lru_cache\n    def g(q):\n"
    "        return q * q\nf = A.g",
}  # fmt: skip
CALLS = {
    "once": "out = f(k) * w.sum()",
    "again": "out = f(k) + f(k) * f(w[1]) + f(float(w[0])) + f(k)",
    "in a loop": "out = 0.0\nfor v in w:\n    out += f(v) * f(k)",
}
LOOK = "\nheld = f(0.8), f(0.5), type(f(0.8)), f.cache_info()"


@pytest.mark.parametrize("calls", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("cached", CACHED.values(), ids=CACHED)
@pytest.mark.parametrize("where", ["before", "in the cell"])
def test_no_handle_is_left_in_a_cache(cached, calls, where):
    before = where == "before"
    setup, text = (SETUP + cached, calls) if before else (SETUP, f"{cached}\n{calls}")
    session = check(setup, text, "w", "k")
    names = session.namespace
    exec(LOOK, names)
    plain = run_plain(setup, text)["namespace"]
    exec(LOOK, plain)
    assert picture(names["held"][:2]) == picture(plain["held"][:2])
    assert names["held"] == plain["held"]


def test_arrays_that_are_the_same_ones_stay_the_same():
    setup = SETUP + "@functools.lru_cache\ndef f(n):\n    return w * n"
    text = "y = f(2)\ny[0] = k\nout = f(2).sum() + f(3).sum()\nsame = f(2) is y, f(3) is f(3)"
    session = check(setup, text, "w", "k")
    names = session.namespace
    assert names["f"](2) is names["y"]
    assert type(names["f"](3)) is np.ndarray


def test_keyword_arguments_and_counts():
    @functools.lru_cache(maxsize=3)
    def call(*args, **kwargs):
        return args, kwargs

    for args, kwargs in [((1,), {}), ((2.5, "a"), {}), ((), {"x": 1}), ((1,), {"x": 2, "y": 3})]:
        call(*args, **kwargs)
        call(*args, **kwargs)
    counts, entries = call.cache_info(), entries_of(call)
    assert [entry[2] for entry in entries] == [
        ((2.5, "a"), {}), ((), {"x": 1}), ((1,), {"x": 2, "y": 3})
    ]  # fmt: skip
    for entry in entries:
        entry[2] = "new", entry[2]
    refill(call, entries, counts.hits, counts.misses)
    assert call.cache_info() == counts
    assert entries_of(call) == entries
    assert call(1, x=2, y=3) == ("new", ((1,), {"x": 2, "y": 3}))
    assert call(7) == ((7,), {})  # the function is what it was
    assert call.cache_info().misses == counts.misses + 1
    assert [args for args, *_ in entries_of(call)] == [(), (1,), (7,)]


def test_what_the_run_before_has_left_is_told():
    """A cell that runs twice finds in the cache what it has put there itself."""
    setup = SETUP + "@functools.lru_cache\ndef f(q):\n    return q * q\nf(k)\n"
    setup += "memo = {tuple(w): w.sum()}"
    paths = (parse_path("w"), parse_path("k"))
    for text, said in [
        ("out = f(k) * w.sum()", "left the tape at line 1 as a key of a dict, a set or a cache"),
        ("out = f(k) * w.sum() * k", "held under 'k' before, read at line 1, counts as constant"),
        ("out = memo[tuple(w)] * w.sum()", "before, read at line 1, counts as constant"),
        (
            "d = {0.8: 2.0}\nout = d[k] * k",
            "held under 'k' before, read at line 2, counts as constant",
        ),
    ]:
        world, session = run_taped(setup, text, sources=paths, target=parse_path("out"))
        assert_same_world(run_plain(setup, text), world)
        session.differentiate()
        assert said in " ".join(to_text(session.tape.graph).split())
        assert "counts as constant" in said or session.gradients[1] is None


@pytest.mark.parametrize(
    "text",
    [
        "d = {}\nd[k] = w\nout = d[k].sum() * k",
        "out = f(k) * k + f(k)",
        "d = {0.9: 1.0}\nout = k * (1.0 if k in d else 2.0)",
        "out = k * 2.0 if k == 0.8 else k\nd = {k: 1}",
        "memo = {}\nfor q in (float(k), float(k)):\n    memo[q] = memo.get(q, 1.0) * q\nout = memo[k]",
    ],
)
def test_keys_that_the_cell_makes_need_no_remark(text):
    setup = SETUP + "@functools.lru_cache\ndef f(q):\n    return q * q"
    _, session = run_taped(setup, text, sources=(parse_path("k"),), target=parse_path("out"))
    session.differentiate()
    assert "counts as constant" not in to_text(session.tape.graph)


@pytest.mark.parametrize(
    "text",
    [
        "out = table[id(w)] * w.sum() * k\nsame = id(w) == before, id(w) == id(w), id(k) == id(k)",
        "out = look(w) * k",
        "try:\n    id(w, w)\nexcept TypeError as error:\n    said = str(error)\nout = w.sum()",
        "id = lambda q: q * 2\nout = id(w).sum()",
    ],
)
def test_what_was_there_before_keeps_its_id(text):
    setup = (
        SETUP
        + "table, before = {id(w): 3.0}, id(w)\ndef look(x):\n    return table[id(x)] * x.sum()"
    )
    lines = setup.splitlines(keepends=True)  # of an earlier cell, as the shell keeps it
    linecache.cache["<setup>"] = len(setup), None, lines, "<setup>"
    taped, session = run_taped(setup, text, sources=(parse_path("w"),), target=parse_path("out"))
    assert taped["error"] == "NoneType: None"
    plain = run_plain(setup, text)["namespace"]
    for name in ("out", "same", "said"):
        assert taped["namespace"].get(name) == plain.get(name)
    session.differentiate()
    np.testing.assert_allclose(session.gradients[0], np.full(3, plain["out"] / 4.1))
