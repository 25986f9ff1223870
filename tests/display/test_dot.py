"""Graphviz: text that cannot break out, and coordinates from a program that may be missing."""

import re
import shutil
import subprocess

import pytest
from display import fakes

from tapemagic.display import dot
from tapemagic.display.scene import make_scene
from tapemagic.errors import TapeError
from tapemagic.graph.build import build_graph

graphviz = pytest.importorskip("graphviz")
needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="needs the program dot")


def test_the_graph_gives_a_digraph():
    digraph = dot.to_graphviz(build_graph(fakes.tutorial()))
    assert isinstance(digraph, graphviz.Digraph)
    assert len(re.findall(r"^\tn\d+ \[", digraph.source, re.MULTILINE)) == 7  # x too, as a constant
    assert digraph.source.count("->") == 6
    assert r'label="w\nvalue norm 2.34\ngradient norm 18.5"' in digraph.source


def test_unfolded_shows_every_operation():
    graph = build_graph(fakes.loop(50))
    assert dot.to_graphviz(graph, folded=False).source.count("->") == len(list(graph.edges))
    assert dot.to_graphviz(graph).source.count("->") == 4


@needs_dot
@pytest.mark.parametrize("name", fakes.ALL)
def test_dot_reads_back_the_words_that_were_meant(name):
    """What Graphviz parses has as many nodes as we wrote, whatever the names contain."""
    digraph = dot.to_graphviz(build_graph(fakes.ALL[name]()))
    written = len(re.findall(r"^\tn\d+ \[", digraph.source, re.MULTILINE))
    done = subprocess.run(
        ["dot", "-Tplain"], input=digraph.source, text=True, capture_output=True, check=True
    )
    assert len(re.findall(r"^node ", done.stdout, re.MULTILINE)) == written
    assert "evil" not in re.findall(r"^node (\S+)", done.stdout, re.MULTILINE)
    for attribute in ("image", "URL", "href", "fontname"):
        assert not re.search(rf"\b{attribute}=", digraph.source)


def test_labels_are_never_html():
    tape = fakes.Recorder("y = 1")
    x = tape.source("<b>bold</b>", 1.0)
    tape.gradient("y", tape.run("sin", x, line=1, name="<i>"))
    source = dot.to_graphviz(build_graph(tape)).source
    assert "label=<" not in source
    assert '"<b>bold</b>' in source


def test_the_input_for_coordinates_is_numbers_only():
    text = dot.dot_input([(100, 40), (80, 30)], [(0, 1)], "right", 40, 20)
    assert "n0 -> n1;" in text
    words = set(re.findall(r"[A-Za-z]+\w*", text))
    assert words == {"digraph", "rankdir", "LR", "ranksep", "nodesep", "node", "shape", "box",
                     "fixedsize", "true", "label", "edge", "arrowhead", "none", "width", "height",
                     "n0", "n1"}  # fmt: skip


@needs_dot
@pytest.mark.parametrize("name", fakes.ALL)
def test_scenes_with_coordinates_from_dot(name):
    graph = build_graph(fakes.ALL[name]())
    ours, theirs = make_scene(graph), dot.scene_with_dot(graph)
    assert theirs["message"] == ours["message"]
    assert [box["id"] for box in theirs["boxes"]] == [box["id"] for box in ours["boxes"]]
    for number, one in enumerate(theirs["boxes"]):
        for other in theirs["boxes"][:number]:
            assert (
                one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
                or one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
            )  # fmt: skip


def missing(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)


def slow(monkeypatch):
    def run(*args, timeout, **kwargs):
        raise subprocess.TimeoutExpired("dot", timeout)

    monkeypatch.setattr(shutil, "which", lambda name: "/bin/dot")
    monkeypatch.setattr(subprocess, "run", run)


def printing(text):
    def patch(monkeypatch):
        done = subprocess.CompletedProcess([], 0, stdout=text, stderr="")
        monkeypatch.setattr(shutil, "which", lambda name: "/bin/dot")
        monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: done)

    return patch


def broken(monkeypatch):
    def run(*args, **kwargs):
        raise subprocess.CalledProcessError(1, "dot")

    monkeypatch.setattr(shutil, "which", lambda name: "/bin/dot")
    monkeypatch.setattr(subprocess, "run", run)


@pytest.mark.parametrize(
    ("patch", "words"),
    [
        (missing, "not installed"), (slow, "longer than 5 s"), (broken, "dot failed"),
        (printing("node n0 what"), "cannot be read"), (printing(""), "cannot be read"),
    ],
)  # fmt: skip
def test_without_dot_there_is_our_layout_and_one_line(monkeypatch, patch, words):
    graph = build_graph(fakes.tutorial())
    patch(monkeypatch)
    scene = dot.scene_with_dot(graph)
    assert words in scene["message"]
    assert "\n" not in scene["message"]
    assert scene["boxes"] == make_scene(graph)["boxes"]


def test_too_large_a_picture_is_not_given_to_dot():
    with pytest.raises(TapeError, match="too many for dot"):
        dot.dot_layout([(10, 10)] * 1001, [])
