"""The kernel's side of the live view: what it accepts, what it does, what it never loses."""

from __future__ import annotations

import asyncio
import json
import math
from typing import Any

import pytest
from browser.scenes import small_scene

from tapemagic.display.widget import TapeWidget, live_view, slider_bounds


def scene_for(open_groups: tuple[str, ...] | None) -> dict[str, Any]:
    return small_scene("g0" in (open_groups or ()))


def ids(widget: TapeWidget) -> list[str]:
    return [box["id"] for box in widget.scene["boxes"]]


# -- what a front end may write ------------------------------------------------------------------


def test_opening_and_closing_a_group_makes_a_new_scene() -> None:
    widget = TapeWidget(scene_for(()), on_open=scene_for)
    widget.set_state({"open_groups": ["g0"]})
    assert "n9" in ids(widget)
    widget.set_state({"open_groups": []})
    assert "n9" not in ids(widget)


@pytest.mark.parametrize(
    "value",
    [["n3"], ["unknown"], ["g0", "g0"], ["__class__"], "g0", {"g0": 1}, [["g0"]], [None], 3, None],
)
def test_unknown_groups_are_refused(value: Any) -> None:
    calls: list[Any] = []
    widget = TapeWidget(scene_for(()), on_open=lambda groups: calls.append(groups) or {})
    widget.set_state({"open_groups": value})
    assert widget.open_groups == []
    assert calls == []


@pytest.mark.parametrize(
    "value",
    [
        {"w": math.nan}, {"w": math.inf}, {"w": 10**400}, {"w": 3.1}, {"w": True}, {"w": "1"},
        {"w": None}, {"w": [1]}, {"w": 1, "b": 1}, {"__class__": 1}, {}, [], 3, None,
    ],
)  # fmt: skip
def test_bad_inputs_are_refused(value: Any) -> None:
    calls: list[Any] = []
    view = live_view(scene_for, {"w": 1.0}, lambda *change: calls.append(change) or {})
    view.children[-1].set_state({"inputs": value})
    assert view.children[-1].inputs == {"w": 1.0}
    assert calls == []


@pytest.mark.parametrize("value", ["n77", "__init__", 3, None, ["n3"]])
def test_only_a_box_of_the_scene_can_be_selected(value: Any) -> None:
    widget = TapeWidget(scene_for(()))
    widget.set_state({"selected": "n3"})
    widget.set_state({"selected": value})
    assert widget.selected == "n3"


@pytest.mark.parametrize("name", ["_esm", "_css", "scene", "trouble", "_view_name", "layout", "x"])
def test_nothing_else_can_be_written(name: str) -> None:
    widget = TapeWidget(scene_for(()))
    before = getattr(widget, name, None)
    widget.set_state({name: {"boxes": []}})
    assert getattr(widget, name, None) is before


def test_a_refused_write_is_undone_in_the_front_end(monkeypatch: pytest.MonkeyPatch) -> None:
    widget = TapeWidget(scene_for(()))
    sent: list[Any] = []
    monkeypatch.setattr(widget, "send_state", sent.append)
    widget.set_state({"open_groups": ["unknown"], "selected": "n3", "scene": {}})
    assert sent == [["open_groups"]]


def test_folding_the_last_open_group_is_not_the_same_as_asking_for_nothing() -> None:
    asked: list[Any] = []

    def scene_maker(open_groups: tuple[str, ...] | None) -> dict[str, Any]:
        asked.append(open_groups)
        return small_scene(open_groups is None or "g0" in open_groups)

    widget = live_view(scene_maker).children[-1]
    assert widget.open_groups == ["g0"]
    widget.set_state({"open_groups": []})
    assert asked == [None, ()]
    assert "n9" not in ids(widget)


# -- sliders -------------------------------------------------------------------------------------


def test_a_slider_runs_the_cell_again() -> None:
    calls: list[Any] = []

    def rerun(name: str, value: float) -> dict[str, Any]:
        calls.append((name, value))
        return {**scene_for(()), "message": f"{name} is {value}"}

    view = live_view(scene_for, {"w": 1.5, "b": -2.0, "bad": math.nan, "huge": 1e308}, rerun)
    slider_w, slider_b, widget = view.children
    assert (slider_w.description, slider_w.min, slider_w.max) == ("w", -1.5, 4.5)
    slider_b.value = -1.0
    assert calls == [("b", -1.0)]
    assert widget.scene["message"] == "b is -1.0"
    assert widget.inputs == {"w": 1.5, "b": -1.0}


def test_names_beside_sliders_have_the_room_that_they_need() -> None:
    def width(*names: str) -> float:
        view = live_view(scene_for, dict.fromkeys(names, 1.0), lambda *_: {})
        (found,) = {slider.style.description_width for slider in view.children[:-1]}
        return float(found.removesuffix("em"))

    assert width("k") < 3
    assert width("learning_rate", "k") > 8  # 13 letters, a little over half an em each
    assert width("a" * 500) < 20


def test_a_slider_that_snaps_to_its_own_stop_runs_nothing() -> None:
    calls: list[Any] = []
    view = live_view(scene_for, {"w": 0.9}, lambda *change: calls.append(change) or {})
    view.children[0].value = 0.9000000000000005
    assert calls == []


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_slider_that_is_not_finite_runs_nothing(value: float) -> None:
    calls: list[Any] = []
    view = live_view(scene_for, {"w": 0.9}, lambda *change: calls.append(change) or {})
    view.children[0].max = view.children[0].value = math.inf
    view.children[0].value = value
    assert calls == []


def test_a_dragged_slider_runs_the_cell_once_for_its_last_value() -> None:
    calls: list[Any] = []

    async def drag() -> None:
        view = live_view(scene_for, {"w": 1.0}, lambda *change: calls.append(change) or {})
        for step in range(1, 10):
            view.children[0].value = step / 10
        assert calls == []
        await asyncio.sleep(0.3)

    asyncio.run(drag())
    assert calls == [("w", 0.9)]


def test_a_slider_moved_on_another_thread_runs_the_cell_on_the_first_one() -> None:
    import threading

    threads: list[Any] = []

    def rerun(*_change: Any) -> dict[str, Any]:
        threads.append(threading.current_thread())
        return {}

    async def move() -> None:
        view = live_view(scene_for, {"w": 1.0}, rerun)
        await asyncio.to_thread(setattr, view.children[0], "value", 2.0)
        await asyncio.sleep(0.3)

    asyncio.run(move())
    assert threads == [threading.main_thread()]


def test_without_a_way_to_run_again_there_are_no_sliders() -> None:
    assert len(live_view(scene_for, {"w": 1.0}).children) == 1


@pytest.mark.parametrize("value", [0.0, 1.0, -3.5, 1e-300, 1e299])
def test_slider_bounds_hold_the_value_in_the_middle(value: float) -> None:
    low, high = slider_bounds(value)
    assert low < value < high
    assert math.isclose(high - value, value - low)


# -- nothing is lost -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error", [ZeroDivisionError("by zero"), SystemExit(1), KeyboardInterrupt()]
)
def test_an_error_becomes_a_message_and_the_picture_stays(error: BaseException) -> None:
    def rerun(*_change: Any) -> dict[str, Any]:
        raise error

    view = live_view(scene_for, {"w": 1.0}, rerun)
    view.children[0].value = 2.0
    widget = view.children[-1]
    assert widget.trouble.startswith(f"w = 2: {type(error).__name__}")
    assert "n3" in ids(widget)


def test_a_message_goes_away_when_it_works_again() -> None:
    def rerun(_name: str, value: float) -> dict[str, Any]:
        return {**scene_for(()), "message": str(1 / value)}

    view = live_view(scene_for, {"w": 1.0}, rerun)
    view.children[0].value = 0.0
    assert "ZeroDivisionError" in view.children[-1].trouble
    view.children[0].value = 2.0
    assert view.children[-1].trouble == ""


def test_a_released_view_keeps_its_picture_and_says_why_nothing_opens() -> None:
    view = live_view(scene_for, {"w": 1.0}, lambda *_change: {})
    widget = view.children[-1]
    widget.release()
    widget.set_state({"open_groups": ["g0"]})
    assert "run its cell again" in widget.trouble
    view.children[0].value = 2.0
    assert "sliders" in widget.trouble
    assert "n3" in ids(widget)


def test_the_state_is_strict_json() -> None:
    scene = small_scene()
    scene["boxes"][4]["strip"] = [1.0, math.nan, math.inf, -math.inf, None]
    state = TapeWidget(scene).get_state(["scene", "open_groups", "selected", "inputs", "trouble"])
    assert json.loads(json.dumps(state, allow_nan=False)) == state
    assert state["scene"]["boxes"][4]["strip"] == [1.0, "NaN", "Infinity", "-Infinity", None]
