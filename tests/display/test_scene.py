"""The scene: one description that every picture draws."""

import json
import math
from itertools import pairwise

import numpy as np
import pytest
from display import fakes

from tapemagic.display.boxes import rows_of
from tapemagic.display.drawing import draw
from tapemagic.display.scene import frames, make_scene, overlap, place_all
from tapemagic.display.sizes import small_rows
from tapemagic.graph.build import build_graph
from tapemagic.graph.folding import MOST_VISIBLE, Folding
from tapemagic.graph.layout import layout
from tapemagic.graph.summary import ArraySummary

SCENES = {name: make_scene(build_graph(make())) for name, make in fakes.ALL.items()}


def boxes(name):
    return {box["id"]: box for box in SCENES[name]["boxes"]}


def plain_values(item):
    if isinstance(item, dict):
        item = [*item.keys(), *item.values()]
    if isinstance(item, list):
        return [value for part in item for value in plain_values(part)]
    return [item]


@pytest.mark.parametrize("name", SCENES)
def test_a_scene_is_plain_finite_and_printable(name):
    scene = SCENES[name]
    assert json.loads(json.dumps(scene, allow_nan=False)) == scene
    for value in plain_values(scene):
        assert isinstance(value, (str, int, float, bool, type(None)))
        if isinstance(value, str):
            assert value.isprintable()
        elif isinstance(value, float):
            assert math.copysign(1, value) > 0 or value != 0


@pytest.mark.parametrize("name", SCENES)
def test_two_recordings_of_the_same_cell_give_the_same_bytes(name):
    again = make_scene(build_graph(fakes.ALL[name]()))
    assert json.dumps(again) == json.dumps(SCENES[name])


@pytest.mark.parametrize("name", SCENES)
def test_everything_is_on_the_page_and_wires_join_boxes(name):
    scene = SCENES[name]
    known = {box["id"]: box for box in scene["boxes"]}
    assert len(known) == len(scene["boxes"])
    for box in scene["boxes"]:
        assert 0 <= box["x"] <= box["x"] + box["w"] <= scene["width"]
        assert 0 <= box["y"] <= box["y"] + box["h"] <= scene["height"]
    for wire in scene["wires"]:
        start, end = known[wire["from"]], known[wire["to"]]
        assert wire["points"][0] == start["label"]["port"]
        x, y = wire["points"][-1]
        assert end["x"] - 0.2 <= x <= end["x"] + end["w"] + 0.2
        assert end["y"] - 0.2 <= y <= end["y"] + end["h"] + 0.2


def test_the_tutorial_reads_like_the_cell():
    found = boxes("tutorial")
    recorded = [box for box in found.values() if box["kind"] != "constant"]
    assert [(box["title"], box["op"], box["line"]) for box in recorded] == [
        ("w", "", None), ("b", "", None), ("", "@", 2), ("y", "+", 2), ("", "** 2", 3),
        ("loss", "mean", 3),
    ]  # fmt: skip
    assert found["n5"]["kind"] == "target"
    assert found["n5"]["gradient"] == "1"
    assert found["n4"]["local"] == ["∂x1: 2 * x1"]
    assert found["n3"]["verb"] == "add copies; broadcast sums"
    assert found["n2"]["code"] == "y = x @ w + b"
    ((constant),) = [box for box in found.values() if box["kind"] == "constant"]
    assert constant["value_rows"] == ["-2  1  3"]
    assert SCENES["tutorial"]["target"] == {"name": "loss", "value": found["n5"]["value"]}


def test_a_loop_is_one_box_with_a_strip():
    (group,) = [box for box in SCENES["loop"]["boxes"] if box["kind"] == "group"]
    assert (group["count"], group["line"], group["lines"]) == (50, 3, [3, 4, 5])
    assert group["code"] == "for t in range(50):"
    # d loss / d h_k shrinks from the last iteration to the first
    assert len(group["strip"]) == 50
    assert group["strip"] == sorted(group["strip"])
    assert group["strip"][-1] == pytest.approx(float(group["gradient"]), rel=1e-3)


def test_opening_a_loop_shows_its_iterations_and_stubs():
    graph = build_graph(fakes.loop(30))
    scene = make_scene(graph, ["g0", "g0.4"])
    kinds = [box["kind"] for box in scene["boxes"]]
    assert kinds.count("group") == 29
    # w is read by each iteration: once as itself, then beside each of the others
    assert kinds.count("stub") == 29
    (w,) = [box for box in scene["boxes"] if box["id"] == "n0"]
    assert w["note"] == "used 30×, gradients add up"
    opened = [box for box in scene["boxes"] if box["parent"] == "g0.4" and box["kind"] != "stub"]
    assert [box["op"] for box in opened] == ["×", "tanh"]
    assert scene["open"] == ["g0", "g0.4"]
    assert {frame["id"] for frame in scene["frames"]} == {"g0", "g0.4"}


def test_steps_go_forward_line_by_line_and_back():
    steps = SCENES["tutorial"]["steps"]
    assert [(step["line"], step["direction"]) for step in steps] == [
        (None, "forward"), (2, "forward"), (3, "forward"),
        (3, "backward"), (2, "backward"), (None, "backward"),
    ]  # fmt: skip
    assert [step["index"] for step in steps] == list(range(6))
    assert steps[2]["boxes"] == ["n4", "n5"]
    assert steps[3]["boxes"] == ["n5", "n4"]


def test_without_a_gradient_there_are_no_steps_back_and_no_numbers_for_it():
    scene = SCENES["not_run"]
    assert {step["direction"] for step in scene["steps"]} == {"forward"}
    assert {row["gradient"] for row in scene["sources"]} == {"not run yet"}
    assert {b["gradient"] for b in scene["boxes"] if b["kind"] != "constant"} == {"not run yet"}


def test_a_failed_cell_says_once_that_it_failed_and_where():
    scene = SCENES["failed"]
    assert [row["gradient"] for row in scene["sources"]] == ["failed at line 4"]
    boxes = [box for box in scene["boxes"] if box["kind"] in ("source", "operation")]
    assert [box["value"] != "" for box in boxes] == [True, True, True]
    assert [box["gradient_rows"] for box in boxes] == [[], [], []]  # nothing below the wires
    assert all(box["note"].endswith("no gradient: failed at line 4") for box in boxes)


@pytest.mark.parametrize(
    ("left", "right", "grew"),
    [((5, 1), (5,), "both grew: 5×1 with 5"), ((5, 2), (2,), ""), ((5,), (), "")],
)
def test_an_operation_that_grew_both_its_operands_says_so(left, right, grew):
    tape = fakes.Recorder("%%tape x\nf = x - y")
    x = tape.source("x", np.ones(left))
    tape.gradient("f", tape.run("subtract", x, np.ones(right), line=2, name="f"))
    (box,) = [box for box in make_scene(build_graph(tape))["boxes"] if box["kind"] == "target"]
    assert box["note"] == grew
    assert grew in " ".join(small_rows(box))
    assert box["h"] >= 11 * len(small_rows(box))  # it stands beside the box, 11 pixels a row


def test_many_values_of_a_loop_that_one_operation_reads_are_one_wire():
    tape = fakes.Recorder("for k in r:\n    x = x * 2.0\nf = np.stack(kept)")
    kept = [tape.source("x", 1.0)]
    for _ in range(30):
        kept.append(tape.run("multiply", kept[-1], 2.0, line=2, name="x"))
    scene = make_scene(build_graph(tape.gradient("f", tape.run("stack", *kept[1:], line=3))))
    assert [box["kind"] for box in scene["boxes"]] == ["source", "group", "target"]
    assert len(scene["wires"]) == 2


@pytest.mark.parametrize(
    ("operand", "told"), [((3, 1), "broadcast sums"), ((3, 2), ""), ((6,), "")]
)
def test_only_what_broadcasts_is_said_to(operand, told):
    tape = fakes.Recorder("%%tape x\nf = np.where(x, y)")
    x = tape.source("x", np.ones((3, 2)))
    y = tape.append("anything", np.ones((3, 2)), (), (x, tape.source("y", np.ones(operand))),
                    (None, None), 2, ())  # fmt: skip
    (box,) = [box for box in make_scene(build_graph(tape))["boxes"] if box["id"] == f"n{y}"]
    assert box["verb"] == told


def test_what_is_not_connected_says_so():
    rows = {row["name"]: row for row in SCENES["unused"]["sources"]}
    assert rows["b"]["gradient"] == rows["n"]["gradient"] == "not connected"
    assert rows["b"]["reason"]
    assert rows["n"]["reason"] == "integer: has no derivative"
    assert boxes("unused")["n2"]["state"] == "not-connected"
    reached = [step for step in SCENES["unused"]["steps"] if step["direction"] == "backward"]
    assert "n2" not in [box for step in reached for box in step["boxes"]]


def test_a_failure_is_marked_and_wired_to_its_operands():
    scene = SCENES["failed"]
    (failed,) = [box for box in scene["boxes"] if box["kind"] == "failed"]
    assert (failed["op"], failed["line"], failed["state"]) == ("@", 4, "failed")
    assert [wire["from"] for wire in scene["wires"] if wire["to"] == "failed"] == ["n1", "n2"]
    assert scene["message"] == "line 4: matmul failed: ValueError: shapes do not match"


def test_the_first_nan_is_pointed_at():
    notes = {box["id"]: box["note"] for box in SCENES["nan"]["boxes"]}
    assert [key for key, note in notes.items() if note.startswith("first nan")] == ["n2"]


def test_an_operand_used_twice_is_two_wires():
    tape = fakes.Recorder("y = x * x")
    x = tape.source("x", 3.0)
    scene = make_scene(build_graph(tape.gradient("y", tape.run("multiply", x, x, line=1))))
    assert [(wire["from"], wire["to"]) for wire in scene["wires"]] == [("n0", "n1")] * 2


def test_a_long_tape_is_a_small_picture():
    scene = make_scene(build_graph(fakes.large(20_000)))
    assert len(scene["boxes"]) < 10
    assert max(len(box["strip"]) for box in scene["boxes"]) <= 120


def test_hundreds_of_sources_and_open_groups_stay_within_bounds():
    tape = fakes.Recorder("y = 1")
    for number in range(300):
        tape.run("sin", tape.source(f"x{number}", 1.0), line=1)
    scene = make_scene(build_graph(tape), [f"g{k}" for k in range(300)])
    assert len(scene["boxes"]) <= MOST_VISIBLE
    assert "200 more sources" in scene["message"]
    assert len(scene["sources"]) == 300


def test_an_empty_tape():
    scene = make_scene(build_graph(fakes.Recorder()))
    assert (scene["boxes"], scene["message"]) == ([], "nothing was recorded")


@pytest.mark.parametrize(
    ("value", "rows"),
    [
        (np.array([1.0, -2.5]), ["1  -2.5"]),
        (np.array([[1.0], [20.0]]), [" 1", "20"]),
        (np.zeros((5, 1)), ["norm 0"]),
        (np.arange(100.0), ["norm 573"]),
        (3.0, ["3"]),
    ],
)
def test_small_arrays_are_rows_of_numbers(value, rows):
    assert rows_of(ArraySummary.of(value)) == rows


def test_a_group_speaks_of_the_value_that_goes_on_to_the_target():
    """A loop binds h, which the target reads, and then n, which it does not."""
    tape = fakes.Recorder("for t in r:\n    h = f(h)\n    n = g(h)\nm = g(n)\ny = f(h)")
    h = tape.source("x", 0.5)
    for _ in range(8):
        h = tape.run("sin", h, line=2, name="h")
        n = tape.run("tanh", h, line=3, name="n")
    tape.run("tanh", n, line=4, name="m")
    scene = make_scene(build_graph(tape.gradient("y", tape.run("sin", h, line=5, name="y"))))
    (group,) = [box for box in scene["boxes"] if box["kind"] == "group"]
    assert (group["title"], group["state"]) == ("h", "ok")
    assert None not in group["strip"]
    # each wire that leaves it carries the value that is read at its end
    states = {wire["to"]: wire["state"] for wire in scene["wires"] if wire["from"] == group["id"]}
    assert sorted(states.values()) == ["not-connected", "ok"]


def test_a_failure_without_known_operands_comes_last():
    tape = fakes.failed()
    tape.failure.inputs, tape.failure.op = (), ""
    scene = make_scene(build_graph(tape))
    (failed,) = [box for box in scene["boxes"] if box["kind"] == "failed"]
    assert failed["op"] == "p = y @ z[:, None]"
    assert all(wire["to"] != "failed" for wire in scene["wires"])
    assert failed["x"] >= max(box["x"] + box["w"] for box in scene["boxes"] if box != failed)


def test_a_cut_says_where_and_an_integer_only_where_it_explains():
    notes = {box["title"]: box["note"] for box in boxes("cut").values()}
    assert notes["a"] == "not connected to the target; ✂ cut by stop_gradient at line 3"
    assert "left the tape as an integer (int) at line 5" in notes["n"]
    assert notes["b"] == "shown at line 4"
    tape = fakes.cut()
    tape.mark("flat", tape.source_nodes["b"], 5, "a bool (>)")
    connected = {box["title"]: box for box in make_scene(build_graph(tape))["boxes"]}["b"]
    assert "left" not in connected["note"]


def test_a_closed_group_tells_that_it_holds_a_cut():
    tape = fakes.loop(5)
    tape.mark("cut", 4, 4)
    loop = next(box for box in make_scene(build_graph(tape))["boxes"] if box["kind"] == "group")
    assert loop["op"] == "10 operations ✂"


def test_a_loop_is_labelled_with_all_names_that_leave_it():
    tape = fakes.Recorder("for k in r:\n    w = w * 0.5\n    b = b * 2.0\nloss = w * b")
    w, b = tape.source("w", 3.0), tape.source("b", 1.0)
    for _ in range(4):
        w = tape.run("multiply", w, 0.5, line=2, name="w")
        b = tape.run("multiply", b, 2.0, line=3, name="b")
    target = tape.run("multiply", w, b, line=4, name="loss")
    before = next(box for box in make_scene(build_graph(tape))["boxes"] if box["kind"] == "group")
    assert before["gradient_rows"] == ["not run yet"]
    scene = make_scene(build_graph(tape.gradient("loss", target)))
    loop = next(box for box in scene["boxes"] if box["kind"] == "group")
    assert loop["title"] == "w, b"
    assert loop["value_rows"] == ["w: 0.1875", "b: 16"]
    assert loop["gradient_rows"] == ["w: 16", "b: 0.1875"]


def test_a_frame_holds_what_its_group_computes_and_says_if_it_holds_more():
    """An array that a call reads is not part of it, nor is what stands between its boxes."""
    tape = fakes.Recorder("%%tape x\ny = f(x)\nloss = y.sum()")
    inner = (("", "<cell>", 2), ("f", "<helper>", 2))
    y = tape.run("sin", tape.source("x", np.ones(3)), line=2, calls=inner)
    y = tape.run("multiply", y, np.full(3, 2.0), line=2, calls=inner, name="y")
    scene = make_scene(build_graph(tape.gradient("loss", tape.run("sum", y, line=3))))
    operand = next(box for box in scene["boxes"] if box["kind"] == "constant")
    frame = next(frame for frame in scene["frames"] if frame["kind"] == "call")
    assert not overlap(frame, operand)
    assert frame["clear"]
    drawing = draw(Folding(build_graph(tape)), scene["open"])
    place_all(drawing, "right", layout)
    between = next(box for box in drawing.boxes if box["kind"] == "source")
    first = next(box for box in drawing.boxes if box["parent"].startswith(frame["id"]))
    between["x"], between["y"] = first["x"] + 1, first["y"] + 1
    found = frames(Folding(build_graph(tape)), drawing, scene["open"], "right")
    assert [one["clear"] for one in found if one["kind"] == "call"] == [False]


def test_a_frame_does_not_run_through_the_words_of_its_boxes():
    tape = fakes.Recorder("%%tape x\ny = f(x)\nloss = y.sum()")
    inner = (("", "<cell>", 2), ("f", "<helper>", 2))
    y = tape.run(
        "multiply", tape.source("x", np.ones((4, 3))), np.full(3, 2.0), line=2, calls=inner
    )
    y = tape.run("sin", y, line=2, calls=inner, name="y")
    for line in range(3, 12):
        y = tape.run("tanh", y, line=line)
    scene = make_scene(build_graph(tape.gradient("loss", tape.run("sum", y, line=12))))
    assert scene["direction"] == "down"
    frame = next(frame for frame in scene["frames"] if frame["kind"] == "call")
    inside = [box for box in scene["boxes"] if box["parent"].startswith(frame["id"]) and box["op"]]
    assert len(inside) == 2
    for box in inside:
        numbers = box["label"]["x"] + max(map(len, box["value_rows"])) * 6.8
        assert frame["x"] + frame["w"] >= max(numbers, box["x"] + box["w"] + 8 + 5.6 * 15)
        assert frame["x"] <= box["x"] - 44
        assert frame["y"] + frame["h"] >= box["label"]["y"] + 14  # value above, gradient below


def test_many_sources_of_one_box_stand_below_each_other():
    tape = fakes.Recorder("%%tape ws\ny = f(*ws)\n" + "y = np.tanh(y)\n" * 5)
    sources = [tape.source(f"ws[{k}]", np.eye(3) / (k + 1)) for k in range(10)]
    y = tape.run("add", *sources[:2], line=2)
    for source in sources[2:]:
        y = tape.run("add", y, source, line=2)
    for line in range(3, 8):
        y = tape.run("tanh", y, line=line)
    graph = build_graph(tape.gradient("y", tape.run("sum", y, line=7)))
    scene = make_scene(graph, open_groups=())
    assert scene["direction"] == "right"
    assert scene["width"] < 2500  # downwards it would be wider


def test_an_array_that_has_a_box_is_not_spelled_in_the_gate_as_well():
    tape = fakes.Recorder("%%tape x\ny = x * [2, 2] * 3")
    x = tape.source("x", np.ones(2))
    y = tape.run("multiply", tape.run("multiply", x, np.full(2, 2.0), line=2), 3.0, line=2)
    scene = make_scene(build_graph(tape.gradient("y", tape.run("sum", y, line=2))))
    gates = [(box["op"], box["local"]) for box in scene["boxes"] if box["op"].startswith("×")]
    assert gates == [("×", ["∂x1: x2"]), ("× 3", ["∂x1: 3"])]


def test_the_table_has_the_norm_in_its_own_column_only():
    tape = fakes.Recorder("%%tape x b\ny = x * b")
    y = tape.run("multiply", tape.source("x", np.ones(20)), tape.source("b", 2.0), line=2)
    scene = make_scene(build_graph(tape.gradient("y", tape.run("sum", y, line=2))))
    rows = [(row["gradient"], row["norm"]) for row in scene["sources"]]
    assert rows == [("[2, 2, 2, …]", "8.944"), ("20", "")]


def test_no_wire_crosses_the_words_beside_another_one():
    """A small operand stands beside one with many rows of numbers: its wire waits for them."""
    tape = fakes.Recorder("%%tape x b\ny = x @ b")
    x, b = tape.source("x", np.eye(4)), tape.source("b", np.ones((4, 5)))
    y = tape.run("matmul", x, b, line=2)
    for line in range(3, 12):
        y = tape.run("tanh", y, line=line)
    scene = make_scene(build_graph(tape.gradient("y", tape.run("sum", y, line=12))))
    assert scene["direction"] == "down"
    tall, short = (next(box for box in scene["boxes"] if box["id"] == f"n{k}") for k in (x, b))
    (wire,) = [wire for wire in scene["wires"] if wire["from"] == short["id"]]
    turns = next(point[1] for point, after in pairwise(wire["points"]) if point[0] != after[0])
    assert turns >= tall["label"]["fork"][1] > short["label"]["fork"][1]
