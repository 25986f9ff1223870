"""The static picture and the table beside it, as documents."""

import base64
import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest
from display import fakes

from tapemagic.display.html import NO_EMPTY_VIEW, to_html
from tapemagic.display.scene import make_scene
from tapemagic.display.svg import alternative, to_svg
from tapemagic.display.svg_marks import ALARM, FAINT, GRADIENT, INK, PAPER, VALUE
from tapemagic.graph.build import build_graph

SVG = "{http://www.w3.org/2000/svg}"
SCENES = {name: make_scene(build_graph(make())) for name, make in fakes.ALL.items()}


class Table(HTMLParser):
    """Rows of cells, and every tag that was seen."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.tags, self.image = [], set(), {}
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag == "img":
            self.image = dict(attrs)

    def handle_data(self, data):
        if self.rows and self.rows[-1] and data.strip():
            self.rows[-1][-1] += data


def texts(scene):
    root = ET.fromstring(to_svg(scene))
    return ["".join(item.itertext()) for item in root.iter(f"{SVG}text")]


@pytest.mark.parametrize("name", SCENES)
def test_the_svg_is_well_formed_and_nothing_but_shapes_and_text(name):
    root = ET.fromstring(to_svg(SCENES[name]))
    tags = {item.tag.removeprefix(SVG) for item in root.iter()}
    shapes = {"path", "rect", "circle", "marker"}
    assert tags <= {"svg", "title", "defs", "g", "text", "tspan"} | shapes
    for item in root.iter():
        for key, value in item.attrib.items():
            assert not key.startswith("on")
            assert "href" not in key
            assert "url(" not in value or value.startswith("url(#")


@pytest.mark.parametrize("name", SCENES)
def test_the_svg_is_the_same_every_time(name):
    assert to_svg(make_scene(build_graph(fakes.ALL[name]()))) == to_svg(SCENES[name])
    assert "-0 " not in to_svg(SCENES[name]).replace("-0.", "")


@pytest.mark.parametrize("name", SCENES)
def test_all_text_stays_on_the_paper(name):
    """Widths are estimated for a wide font, so what starts on the paper also ends on it."""
    root = ET.fromstring(to_svg(SCENES[name]))
    width, height = float(root.get("width")), float(root.get("height"))
    for item in root.iter(f"{SVG}text"):
        estimate = len("".join(item.itertext())) * float(item.get("font-size")) * 0.62
        share = {"middle": 0.5, "end": 1.0}.get(item.get("text-anchor"), 0.0)
        left = float(item.get("x")) - share * estimate
        assert left > -6
        assert left + estimate < width + 6
        assert 0 < float(item.get("y")) < height


def test_long_code_ends_in_its_box_and_a_loop_without_gradients_has_no_strip():
    tape = fakes.Recorder(f"for {'one_of_many' * 9} in them:\n    h = w * h\nloss = w * 2")
    weight = h = tape.source("w", 0.5)
    for _ in range(20):
        h = tape.run("multiply", weight, h, line=2, name="h")
    loss = tape.run("multiply", weight, 2.0, line=3, name="loss")
    scene = make_scene(build_graph(tape.gradient("loss", loss)))
    (loop,) = [box for box in scene["boxes"] if box["kind"] == "group"]
    (code,) = [text for text in texts(scene) if text.startswith("for ")]
    assert len(code) * 6.8 + 10 <= loop["w"]
    assert not [text for text in texts(scene) if "|gradient|" in text]


@pytest.mark.parametrize(
    ("function", "title"), [("f", "f( )"), ("<genexpr>", "(… for …)"), ("<lambda>", "lambda")]
)
def test_calls_are_called_as_they_are_written(function, title):
    tape = fakes.Recorder("%%tape x\nloss = f(x)")
    inner = (("", "<cell>", 2), (function, "<helper>", 2))
    y = tape.run("sin", tape.source("x", 1.0), line=2, calls=inner)
    y = tape.run("multiply", y, 2.0, line=2, calls=inner, name="loss")
    assert title in texts(make_scene(build_graph(tape.gradient("loss", y))))


def test_value_above_gradient_below_and_the_seed():
    root = ET.fromstring(to_svg(SCENES["loop"]))
    places = {"".join(i.itertext()): float(i.get("y")) for i in root.iter(f"{SVG}text")}
    assert places["3.867e-06"] < places["1"]
    assert "seed" in places
    assert places["0.5"] < places["8.957e-06"]


def test_what_the_picture_says():
    said = texts(SCENES["loop"])
    assert {"for t in range(50):", "× 50", "line 3", "w", "x", "used 50×"} <= set(said)
    assert any(text.startswith("|gradient| ") for text in said)
    assert {"ValueError: shapes do not match", "✗ @"} <= set(texts(SCENES["failed"]))
    assert "not run yet" in texts(SCENES["not_run"])
    assert "not connected" in texts(SCENES["unused"])


def brightness(colour):
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("colour", [VALUE, GRADIENT, ALARM, FAINT, INK])
def test_text_has_the_contrast_that_wcag_asks_for(colour):
    assert (brightness(PAPER) + 0.05) / (brightness(colour) + 0.05) >= 4.5


@pytest.mark.parametrize("name", SCENES)
def test_the_html_is_an_image_and_a_plain_table(name):
    html = to_html(SCENES[name])
    rule = f"<style>{NO_EMPTY_VIEW}</style>\n"
    table = Table(html)
    assert html.count(rule) == 1  # without which everything stays readable
    assert table.tags - {"style"} <= {
        "div",
        "img",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "em",
        "pre",
    }
    assert table.image["alt"] == alternative(SCENES[name])
    data = re.fullmatch(r"data:image/svg\+xml;base64,([\w+/=]+)", table.image["src"])
    assert base64.b64decode(data[1]).decode() == to_svg(SCENES[name])
    assert "None" not in html


def test_notes_stand_below_the_table_line_by_line():
    scene = make_scene(build_graph(fakes.tutorial()), notes=["d y / d w =\n[[0 1]\n [2 3]]", "<b>"])
    html = to_html(scene)
    assert "d y / d w =\n[[0 1]\n [2 3]]\n&lt;b&gt;</pre>" in html
    assert "above the wire" in to_svg(scene)  # which no note pushes out


@pytest.mark.parametrize("name", SCENES)
def test_each_source_has_a_row_in_words(name):
    _, *rows = Table(to_html(SCENES[name])).rows
    assert len(rows) == len(SCENES[name]["sources"])
    for row, source in zip(rows, SCENES[name]["sources"], strict=True):
        assert row[0] == source["name"]
        assert source["gradient"] in row
        assert source["gradient"]


def test_text_of_the_user_is_text():
    html, svg = to_html(SCENES["hostile"]), to_svg(SCENES["hostile"])
    assert "&lt;img src=x onerror=alert(1)&gt;" in html
    for document in (html, svg):
        assert "<script" not in document
        assert "<b>" not in document
        assert "<img src=x" not in document
        assert "\u202e" not in document
    assert Table(html).rows[1][0] == "x\"<b>&'\\u202e"


def test_an_empty_scene_is_still_a_picture():
    scene = make_scene(build_graph(fakes.Recorder()))
    assert "nothing was recorded" in texts(scene)
    assert "<table" not in to_html(scene)


def test_a_cut_is_drawn_as_scissors_and_what_was_shown_is_not_drawn():
    words = [text.text for text in ET.fromstring(to_svg(SCENES["cut"])).iter(f"{SVG}text")]
    assert "✂" in words
    assert "✂ cut by" in words
    assert not [word for word in words if word and "shown at" in word]
