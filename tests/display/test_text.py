"""The text display: complete, and within 80 columns whatever the words."""

import pytest
from display import fakes
from hypothesis import given
from hypothesis import strategies as st

from tapemagic.display.text import columns, fit, pad, to_text
from tapemagic.graph.build import build_graph


def wide():
    tape = fakes.Recorder("結果 = 変数 * 変数  # " + "長い説明" * 20)
    x = tape.source("変数" * 10, 2.0)
    tape.reasons["とても長い名前" * 5] = "理由" * 60
    return tape.gradient("結果" * 20, tape.run("sin", x, line=1, name="結果"))


ALL = {**fakes.ALL, "wide": wide, "large": lambda: fakes.large(5000), "empty": fakes.Recorder}


@pytest.mark.parametrize("name", ALL)
def test_it_fits_80_columns_and_a_terminal(name):
    text = to_text(build_graph(ALL[name]()))
    assert text
    for line in text.splitlines():
        assert columns(line) <= 80
        assert line.isprintable()
        assert line == line.rstrip()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("tutorial", ["tape: loss = 12.22 (4 operations)", "y = x @ w + b", "18.5"]),
        ("not_run", ["not run yet"]),
        ("loop", ["for t in range(50):", "× 50", "(101 operations)"]),
        (
            "failed",
            ["failed at line 4", "✗ line 4: matmul failed: ValueError: shapes do not match"],
        ),
        ("nan", ["first nan going forward: line 2, element [1]: sqrt(-0.5)"]),
        ("unused", ["not connected", "integer: has no derivative"]),
        ("cut", ["cut by stop_gradient (line 3)", "sin ✂"]),
        ("empty", ["nothing was recorded"]),
    ],
)
def test_it_says_what_matters(name, words):
    text = to_text(build_graph(ALL[name]()))
    for word in words:
        assert word in text
    assert "None" not in text


def test_before_a_gradient_no_number_stands_for_it():
    for line in to_text(build_graph(fakes.not_run())).splitlines()[3:5]:
        assert line.endswith("not run yet")


def test_a_loop_is_told_by_what_goes_on_to_the_target():
    tape = fakes.Recorder("%%tape x\nfor k in range(2):\n    x = x * 3.0\n    print(x - 1.0)")
    x = tape.source("x", 2.0)
    for _ in range(2):
        x = tape.run("multiply", x, 3.0, line=3, name="x")
        tape.run("subtract", x, 1.0, line=4)
    text = to_text(build_graph(tape.gradient("x", x)))
    (row,) = [line for line in text.splitlines() if "for k in range(2):" in line]
    assert row.split()[-3:] == ["18", "|", "1"]


def test_a_failed_cell_keeps_its_values_and_says_nothing_of_gradients_to_come():
    text = to_text(build_graph(fakes.failed()))
    assert "not run yet" not in text
    (head,) = [line for line in text.splitlines() if line.startswith("line  code")]
    assert "gradient" not in head
    (row,) = [line for line in text.splitlines() if line.startswith("   2  y = ")]
    assert row.endswith("norm 1.247")  # of sin(1), sin(2), sin(3)


@given(st.text(st.characters(categories=["L", "M", "N", "P"]), max_size=60), st.integers(1, 40))
def test_padding_counts_terminal_columns(text, width):
    assert columns(pad(text, width)) == width
    assert fit(text, width) == text or columns(text) > width


def test_weights_of_several_layers_can_be_told_apart():
    tape = fakes.Recorder("y = x * z")
    nodes = [tape.source(f"a_model_with_a_name/dense{end}/kernel", 2.0) for end in ("", "_1")]
    text = to_text(build_graph(tape.gradient("y", tape.run("multiply", *nodes, line=1, name="y"))))
    rows = [line.split()[0] for line in text.splitlines() if "…" in line.split(" ")[0]]
    assert rows == ["…ense/kernel", "…se_1/kernel"]


def test_names_that_differ_in_the_middle_get_the_room_they_need():
    tape = fakes.Recorder("y = x * z")
    names = [f"model.layers[{i}].neurons[{j}].weights[0]" for i in (0, 1) for j in (0, 1)]
    nodes = [tape.source(name, 0.1234567) for name in names]
    y = tape.run("multiply", *nodes[:2], line=1, name="y")
    lines = to_text(build_graph(tape.gradient("y", y))).splitlines()
    rows = [line for line in lines if line.startswith("…")]
    shown = [row.split()[0] for row in rows]
    assert len(set(shown)) == 4
    assert all(name.endswith(end[1:]) for name, end in zip(names, shown, strict=True))
    assert all("0.1235" in row for row in rows)
