"""The front-end module in headless Chromium, with a fake model in place of a kernel."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from browser.scenes import box, large_scene, small_scene
from display import fakes

from tapemagic.display.scene import make_scene
from tapemagic.display.standalone import MODULES, jsonable, standalone_html
from tapemagic.graph.build import build_graph

pytestmark = pytest.mark.browser

FORWARD = "[aria-label='One step forward']"
BACK = "[aria-label='One step back']"


def centre(page: Any, identifier: str, view: str = "#one") -> tuple[float, float]:
    area = page.locator(f"{view} [data-id={identifier}] .frame").last.bounding_box()
    return area["x"] + area["width"] / 2, area["y"] + area["height"] / 2


def top_right(page: Any, identifier: str, view: str = "#one") -> tuple[float, float]:
    area = page.locator(f"{view} [data-id={identifier}] .frame").last.bounding_box()
    return area["x"] + area["width"] - 8, area["y"] + 8


def classes(page: Any, selector: str) -> list[str]:
    return page.locator(selector).get_attribute("class").split()


def written(page: Any) -> list[Any]:
    return page.evaluate("model.written")


def transform(page: Any) -> str:
    return page.locator(".picture > g").get_attribute("transform")


def test_draws_every_box_and_line_as_text(show: Any) -> None:
    page = show(small_scene())
    assert page.locator("[data-id]").count() == 6
    assert page.locator(".source li").all_inner_texts()[1].split("\n")[-1] == "y = x @ w + b"
    rows = page.locator("[data-id=n8] text").all_text_contents()
    assert rows == ["mean", "∂x: 1 / n", "line 5", "mean shares evenly", "loss", "0.0421", "1"]
    rows = page.locator("[data-id=n3] .value").all_text_contents()
    assert rows == ["⎡0.3  0.1⎤", "⎢0.5   -2⎥", "⎣  1    7⎦"]
    assert "gradient 1" in page.locator("[data-id=n8]").get_attribute("aria-label")


@pytest.mark.parametrize(
    ("kind", "name", "together"),
    [
        ("className", "jp-OutputArea", True),
        ("className", "output", True),  # the classic notebook
        ("className", "cell_container", True),  # VS Code
        ("id", "output-area", True),  # Colab
        ("className", "page", False),
    ],
)
def test_its_static_twin_is_hidden_beside_it(
    show: Any, kind: str, name: str, together: bool
) -> None:
    page = show(small_scene())
    page.evaluate(
        """([kind, name]) => {
          const cell = document.createElement("div"), twin = document.createElement("div");
          cell[kind] = name;
          twin.className = "tapemagic-static";
          twin.textContent = "the same";
          document.body.append(cell);
          cell.append(document.getElementById("one"), twin);
        }""",
        [kind, name],
    )
    assert page.locator(".tapemagic-static").is_hidden() == together


@pytest.mark.parametrize("recording", fakes.ALL)
def test_every_recording_is_drawn(show: Any, recording: str) -> None:
    scene = make_scene(build_graph(fakes.ALL[recording]()))
    page = show(jsonable(scene))
    assert page.locator("[data-id]").count() == len(scene["boxes"])
    page.click("[aria-label='First step']")
    for _ in scene["steps"]:
        page.click(FORWARD)
    text = page.locator(".tapemagic").text_content()
    for wrong in ("undefined", "null", "NaN", "[object"):
        assert wrong not in text


def test_each_file_is_a_module_that_names_what_it_needs(new_page: Any) -> None:
    page = new_page()
    page.goto("http://tapemagic.test/")
    for name in MODULES:
        assert page.evaluate("name => import(`/${name}`).then(() => name)", name) == name
    render = "import('/tape.js').then((module) => typeof module.default.render)"
    assert page.evaluate(render) == "function"


def test_overview_gives_the_reason_where_there_is_no_gradient(show: Any) -> None:
    details = show(small_scene()).locator(".details").inner_text()
    assert "Gradients of loss = 0.0421" in details
    assert "integer: has no derivative" in details
    assert "null" not in details
    assert "undefined" not in details


def test_click_shows_details(show: Any) -> None:
    page = show(small_scene())
    page.mouse.click(*centre(page, "n3"))
    details = page.locator(".details").inner_text()
    for fact in ("add copies", "∂x2: x1", "(3, 2)", "float64", "y = x @ w + b", "1.25"):
        assert fact in details
    assert written(page) == [["selected", "n3"]]
    page.click("[aria-label='Close the details']")
    assert "Gradients of loss" in page.locator(".details").inner_text()


def test_hover_joins_boxes_and_lines_both_ways(show: Any) -> None:
    page = show(small_scene())
    page.mouse.move(*centre(page, "g0"))
    assert page.locator(".line.lit .number").all_inner_texts() == ["3", "4"]
    page.locator(".line").nth(1).hover()
    lit = page.locator(".box.lit").evaluate_all("nodes => nodes.map(node => node.dataset.id)")
    assert sorted(lit) == ["n0", "n1", "n3"]
    page.mouse.move(5, 700)
    assert page.locator(".lit").count() == 0
    assert written(page) == []


def test_opening_a_group_writes_only_open_groups_and_takes_the_answer(show: Any) -> None:
    page = show(small_scene())
    page.mouse.click(*top_right(page, "g0"))
    assert written(page) == [["open_groups", ["g0"]]]
    page.evaluate("scene => model.set('scene', JSON.parse(scene))", json.dumps(small_scene(True)))
    assert page.locator("[data-id=n9]").count() == 1
    page.mouse.click(*centre(page, "n9"))  # a member, not the frame around it
    assert written(page)[-1] == ["selected", "n9"]
    page.click("text=Fold for step in range(40):")
    assert written(page)[-1] == ["open_groups", []]
    page.evaluate("scene => model.set('scene', JSON.parse(scene))", json.dumps(small_scene(True)))
    page.locator(".opened text").click()  # the title of the frame folds it as well
    assert written(page)[-1] == ["open_groups", []]


def test_steps_forward_and_backward(show: Any) -> None:
    page = show(small_scene())
    page.click("[aria-label='First step']")
    assert "later" in classes(page, "[data-id=n3]")
    assert page.locator("[data-id=n3] .value").first.is_hidden()
    page.click(FORWARD)
    page.click(FORWARD)
    assert page.locator("[data-id=n3] .value").first.is_visible()
    assert classes(page, "[data-id=n3]")[-3:-1] == ["current", "forward"]
    assert page.locator(".line.current .number").inner_text() == "2"
    assert "not computed yet" in page.locator(".details").inner_text()
    for _ in range(3):
        page.click(FORWARD)
    assert page.locator(".caption").inner_text() == "backward 1/4 · line 5 · loss: gradient 1"
    assert page.locator("[data-id=n8] .gradient").is_visible()
    assert page.locator("[data-id=n3] .gradient").first.is_hidden()
    page.click(BACK)
    assert page.locator("[data-id=n8] .gradient").is_hidden()
    assert page.locator(".caption").inner_text() == "forward 4/4 · line 5 · loss = 0.0421"


def test_keys_step_and_move_and_focus_is_visible(show: Any) -> None:
    page = show(small_scene())
    page.locator("[aria-label=Step]").focus()
    page.keyboard.press("ArrowLeft")
    assert page.locator(".caption").inner_text().startswith("backward 3/4")
    page.keyboard.press("Tab")
    for _ in range(9):
        if page.evaluate("document.activeElement.className") == "stage":
            break
        page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("ArrowDown")  # nothing is selected yet: the first box
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert written(page) == [["selected", "n0"], ["selected", "n3"], ["selected", "g0"]]
    active = page.locator(".stage").get_attribute("aria-activedescendant")
    assert page.evaluate("id => document.getElementById(id).dataset.id", active) == "g0"
    page.keyboard.press("Enter")
    assert written(page)[-1] == ["open_groups", ["g0"]]
    page.keyboard.press("]")
    assert page.locator(".caption").inner_text().startswith("backward 4/4")
    page.keyboard.press("Escape")
    assert page.locator(".current").count() == 0


def test_zoom_pan_and_fit(show: Any) -> None:
    page = show(small_scene())
    fitted = transform(page)
    page.mouse.move(*centre(page, "n3"))
    page.mouse.wheel(0, -300)
    assert transform(page) == fitted  # without focus the wheel belongs to the notebook
    before = centre(page, "n3")
    page.mouse.click(*before)
    page.mouse.wheel(0, -300)
    page.wait_for_function("fitted => document.querySelector('.picture > g')"
                           ".getAttribute('transform') !== fitted", arg=fitted)  # fmt: skip
    assert centre(page, "n3") == pytest.approx(before, abs=1)  # zooms about the pointer
    page.mouse.down()
    page.mouse.move(before[0] + 60, before[1] + 30, steps=4)
    page.mouse.up()
    assert centre(page, "n3") == pytest.approx((before[0] + 60, before[1] + 30), abs=1)
    assert written(page) == [["selected", "n3"]]  # the drag was no click
    page.click("[aria-label='Fit the picture']")
    assert transform(page) == fitted
    page.click("[aria-label='Zoom out']")
    assert transform(page) != fitted


def test_hostile_text_stays_text(show: Any) -> None:
    evil = '<img src=x onerror="window.hurt=1">\'"</script><b>\u202ex'
    scene = small_scene()
    for each in scene["boxes"]:
        each |= {"title": evil, "value": evil, "gradient": evil, "code": evil, "note": evil,
                 "op": evil, "verb": evil, "formula": [evil], "kind": "source"}  # fmt: skip
    scene |= {"lines": [evil], "message": evil, "target": {"name": evil, "value": evil}}
    scene["sources"][0] |= {"name": evil, "gradient": evil}
    page = show(scene)
    page.mouse.click(*centre(page, "n3"))
    for _ in range(3):
        page.click(BACK)
    assert evil in page.locator(".details").text_content()
    assert page.locator(".tapemagic img, .tapemagic b, .tapemagic script").count() == 0
    assert page.evaluate("window.hurt") is None


def test_trouble_is_shown_and_read_out(show: Any) -> None:
    page = show(small_scene())
    assert page.locator("[role=alert]").is_hidden()
    page.evaluate("model.set('trouble', 'w = 3: ZeroDivisionError: division by zero')")
    assert "ZeroDivisionError" in page.locator("[role=alert]").inner_text()
    page.evaluate("model.set('trouble', '')")
    assert page.locator("[role=alert]").is_hidden()


def test_survives_a_closed_kernel(show: Any) -> None:
    page = show(small_scene())
    page.evaluate("model.closed = true")
    page.mouse.click(*centre(page, "g0"))
    assert "for step" in page.locator(".details").inner_text()
    page.click("text=Open this group")
    assert "kernel does not answer" in page.locator("[role=alert]").inner_text()
    page.click(BACK)
    assert page.locator(".caption").inner_text().startswith("backward 3/4")


def test_a_slider_does_not_move_the_picture_or_the_step(show: Any) -> None:
    page = show(small_scene())
    page.click(BACK)
    page.click("[aria-label='Zoom in']")
    held = transform(page), page.locator(".caption").inner_text()
    page.evaluate("scene => model.set('scene', JSON.parse(scene))", json.dumps(small_scene()))
    assert (transform(page), page.locator(".caption").inner_text()) == held


def test_two_views_share_the_selection_and_each_leaves_nothing_behind(show: Any) -> None:
    page = show(small_scene())
    single = page.evaluate("model.listeners()")
    page.evaluate("show(null, 'two')")
    page.mouse.click(*centre(page, "n3"))
    assert page.locator(".details").nth(1).inner_text().startswith("y")
    names = page.locator("[id]").evaluate_all("nodes => nodes.map(node => node.id)")
    assert len(names) == len(set(names))
    page.evaluate("cleanups[1]()")
    assert page.evaluate("model.listeners()") == single
    page.evaluate("cleanups[0]()")
    assert page.evaluate("model.listeners()") == 0
    assert page.evaluate("document.querySelectorAll('.tapemagic').length") == 0


def test_dispose_removes_every_listener_on_the_page(show: Any, new_page: Any) -> None:
    page = new_page()
    page.add_init_script("""
      window.live = 0;
      const add = EventTarget.prototype.addEventListener;
      EventTarget.prototype.addEventListener = function (name, handler, options) {
        if (this instanceof AbortSignal) return add.call(this, name, handler, options);
        window.live += 1;
        options?.signal?.addEventListener("abort", () => { window.live -= 1; });
        return add.call(this, name, handler, options);
      };""")
    page.goto("http://tapemagic.test/")
    page.evaluate("scene => show(JSON.parse(scene))", json.dumps(small_scene()))
    assert page.evaluate("live") > 10
    page.evaluate("cleanups[0]()")
    assert page.evaluate("live") == 0


def test_two_thousand_boxes_go_to_a_canvas_in_time(show: Any) -> None:
    page = show(small_scene())
    scene = json.dumps(large_scene(2000))
    started = time.perf_counter()
    page.evaluate("scene => model.set('scene', JSON.parse(scene))", scene)
    page.evaluate("new Promise(requestAnimationFrame)")
    assert time.perf_counter() - started < 3
    assert page.locator("canvas").count() == 1
    assert page.locator("[data-id]").count() == 0
    inked = """() => {
      const canvas = document.querySelector("canvas");
      const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
      return data.filter((value, index) => index % 4 === 3 && value > 0).length;
    }"""
    assert page.evaluate(inked) > 5000
    stage = page.locator(".stage").bounding_box()
    page.mouse.click(stage["x"] + 60, stage["y"] + 30)
    assert "y@0" in page.locator(".details").inner_text()
    page.keyboard.press("ArrowRight")
    assert "y@1" in page.locator(".details").inner_text()
    page.click(BACK)
    assert page.locator(".caption").inner_text().startswith("forward 1999/2000")


def test_an_empty_recording_says_so(show: Any) -> None:
    empty = {"width": 0, "height": 0, "boxes": [], "wires": [], "lines": ["%%tape"], "steps": []}
    page = show({**empty, "message": "Nothing in this cell depends on a source."})
    assert page.locator(".caption").inner_text() == "nothing was recorded"
    assert "depends on a source" in page.locator("[role=alert]").inner_text()


def test_an_empty_recording_takes_no_room_for_a_picture(show: Any) -> None:
    empty = {"width": 0, "height": 0, "boxes": [], "wires": [], "lines": ["%%tape"], "steps": []}
    page = show({**empty, "message": "nothing was recorded", "notes": ["No source: name one."]})
    assert page.locator(".notes").inner_text() == "No source: name one."
    assert not page.locator(".stage").is_visible()
    assert page.locator(".tapemagic").bounding_box()["height"] < 200


def test_notes_are_shown_line_by_line(show: Any) -> None:
    matrix = "d y / d w =\n[[0. 1.]\n [2. 3.]]"
    page = show({**small_scene(), "notes": [matrix, "<b>of its sum</b>"]})
    assert page.locator(".notes").inner_text() == f"{matrix}\n<b>of its sum</b>"
    page.evaluate("model.set('scene', {...model.get('scene'), notes: []})")
    assert not page.locator(".notes").is_visible()


def test_small_print_warns_in_colour_and_complex_numbers_stand_in_brackets(show: Any) -> None:
    scene = small_scene()
    scene["boxes"][3] |= {"note": "first nan or inf; both grew: 5×1 with 5", "shape": "(2,)",
                          "value_rows": ["1+2j  -3j"]}  # fmt: skip
    page = show(scene)
    assert page.locator("[data-id=n3] .alarm").all_text_contents() == ["first nan or inf"]
    assert "state-nan" in classes(page, "[data-id=n3]")
    assert "both grew: 5×1" in page.locator("[data-id=n3] .tiny").all_text_contents()
    assert page.locator("[data-id=n3] .value").text_content() == "[1+2j  -3j]"


def test_edges_behind_which_the_picture_goes_on_are_shaded(show: Any) -> None:
    page = show(small_scene())
    page.click("[aria-label='Fit the picture']")
    shadow = "document.querySelector('.stage').style.boxShadow"
    assert page.evaluate(shadow) == ""
    for _ in range(8):
        page.click("[aria-label='Zoom in']")
    assert page.evaluate(f"{shadow}.split('inset').length - 1") == 4  # on all sides


def test_notes_of_an_earlier_run_are_faded(show: Any) -> None:
    page = show({**small_scene(), "notes": ["new"], "old_notes": ["Of the first run:", "old"]})
    assert page.locator(".notes").inner_text() == "new\nOf the first run:\nold"
    colour = "(name) => getComputedStyle(document.querySelector(`.notes ${name}`)).color"
    assert page.evaluate(colour, ".old") != page.evaluate(colour, "div:not(.old)")


def test_the_table_fits_its_panel_and_shows_a_dozen_sources(show: Any) -> None:
    scene = make_scene(build_graph(fakes.tutorial()))
    row = scene["sources"][0]
    scene["sources"] = [{**row, "name": "a_long_name_of_a_variable_" + "x" * k} for k in range(12)]
    page = show(jsonable(scene))
    size = "[...document.querySelectorAll('.details')].map((e) => [e.clientWidth, e.scrollWidth])"
    [[inside, needed]] = page.evaluate(size)
    assert needed <= inside
    assert page.locator(".details").bounding_box()["height"] > 300
    scene["sources"] = [{**row, "norm": ""}]
    page.evaluate("scene => model.set('scene', scene)", jsonable(scene))
    assert page.locator(".details tr").first.inner_text().split() == ["source", "shape", "gradient"]


def test_a_long_name_breaks_between_its_words(show: Any) -> None:
    scene = make_scene(build_graph(fakes.tutorial()))
    words = ["encoder.", "attention_", "heads[0].", "query_", "projection"]
    scene["sources"] = [{**scene["sources"][0], "name": "".join(words)}]
    page = show(jsonable(scene), width=480)
    tops = """[...document.querySelectorAll('.details tr:nth-child(2) th')].flatMap((cell) =>
      [...cell.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE).map((node) => {
        const range = document.createRange();
        range.selectNode(node);
        return [node.data, range.getClientRects().length];
      }))"""
    assert page.evaluate(tops) == [[word, 1] for word in words]  # each in one line
    assert page.locator(".details tr:nth-child(2) th").bounding_box()["height"] > 30  # of several


def test_a_group_with_boxes_of_others_in_between_has_no_rectangle(show: Any) -> None:
    scene = small_scene(opened=True)
    page = show(scene)
    assert page.locator(".opened rect").count() == 1
    scene["frames"][0]["clear"] = False
    page.evaluate("scene => model.set('scene', scene)", scene)
    assert page.locator(".opened rect").count() == 0
    assert "for step in range(40)" in page.locator(".opened text").text_content()


def test_a_failure_is_told_in_full(show: Any) -> None:
    scene = small_scene()
    words = "ValueError: operands could not be broadcast together with shapes (3,) (4,)"
    scene["boxes"].append(box("failed", "failed", 350, 200, "", op="add", note=words, w=300, h=82))
    rows = show(scene).locator("[data-id=failed] .small").all_text_contents()
    assert " ".join(rows) == words
    assert len(rows) == 3


def test_narrow_pages_stack_the_panels_without_overflow(show: Any) -> None:
    page = show(small_scene(), width=420)
    areas = [page.locator(name).bounding_box() for name in (".source", ".stage", ".details")]
    assert areas[0]["y"] + areas[0]["height"] <= areas[1]["y"] + 1
    assert areas[1]["y"] + areas[1]["height"] <= areas[2]["y"] + 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 420


def test_text_stays_inside_its_box(show: Any) -> None:
    scene = small_scene()
    scene["boxes"].append(box("n7", "source", 350, 110, "a_very_long_variable_name_indeed"))
    scene["boxes"].append(box("g7", "group", 350, 200, "y", w=120, h=46, code="y = " + "x + " * 20))
    page = show(scene)
    overflow = """() => [...document.querySelectorAll(".box")].flatMap((box) => {
      const frame = box.querySelector(".frame").getBoundingClientRect();
      return [...box.querySelectorAll(".sign, .title, .code, .count")].filter((text) => {
        const area = text.getBoundingClientRect();
        return area.left < frame.left || area.right > frame.right || area.bottom > frame.bottom;
      }).map((text) => text.textContent);
    })"""
    assert page.evaluate(overflow) == []


@pytest.mark.parametrize("dark", [False, True])
def test_text_has_enough_contrast(show: Any, dark: bool) -> None:
    page = show(small_scene(), dark=dark)
    ratio = """() => {
      const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
      const light = (colour) => {
        pen.fillStyle = colour;
        pen.fillRect(0, 0, 1, 1);
        const channel = [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3).map((value) => {
          const part = value / 255;
          return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * channel[0] + 0.7152 * channel[1] + 0.0722 * channel[2];
      };
      return [...document.querySelectorAll(".box")].flatMap((box) => {
        const filled = light(getComputedStyle(box.querySelector(".frame")).fill);
        const empty = light(getComputedStyle(document.querySelector(".tapemagic")).backgroundColor);
        return [...box.querySelectorAll("text")].map((text) => {
          const outside = text.matches(".value, .gradient, .header, .tiny");
          const paper = outside ? empty : filled;
          const ink = light(getComputedStyle(text).fill);
          return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
        });
      });
    }"""
    assert min(page.evaluate(ratio)) >= 4.5


def test_reduced_motion_has_no_transitions(show: Any) -> None:
    page = show(small_scene(), reduced_motion="reduce")
    duration = "getComputedStyle(document.querySelector('.box')).transitionProperty"
    assert page.evaluate(duration) == "none"


def test_standalone_page_draws_under_its_own_strict_policy(new_page: Any) -> None:
    page = new_page()
    page.html["run.html"] = standalone_html(small_scene())
    page.goto("http://tapemagic.test/run.html")
    assert page.locator("[data-id]").count() == 6
    page.mouse.click(*centre(page, "g0", view="#view"))
    assert page.locator("text=Open this group").count() == 0
    page.mouse.click(*top_right(page, "g0", view="#view"))
    assert "running kernel" in page.locator("[role=alert]").inner_text()
    page.click(BACK)
    assert page.locator(".caption").inner_text().startswith("backward 3/4")
    page.evaluate("""() => {
      const script = document.createElement("script");
      script.textContent = "window.hurt = 1";
      document.body.append(script);
    }""")
    assert page.evaluate("window.hurt") is None
    assert "Content Security Policy" in page.problems.pop()
