"""What the options asked for follows the sliders of the live view, or says that it does not."""

import time

import pytest

FIND = "from tapemagic.notebook import show as _show\nview = [*_show._live.values()][-1]"
OPTIONS = "--show widget --jacobian --check --order 2"


def move(kernel, value):
    """Move the only slider, and wait until the picture has followed."""
    kernel.run(f"view.children[0].value = {value}")
    for _ in range(100):
        if kernel.value("view.children[-1].scene['target']['value']") != kernel.before:
            break
        time.sleep(0.05)
    return {name: notes(kernel, name) for name in ("notes", "old_notes")}


def notes(kernel, name):
    return kernel.value(f"'|'.join(view.children[-1].scene['{name}'])").strip("'")


@pytest.fixture
def live(kernel):
    """A cell whose target k⁴ is 1 at first: its derivatives are 4k³ and 12k²."""
    kernel.run("k = 1.0")
    reply = kernel.run(f"%%tape k {OPTIONS}\nf = k**4")
    assert reply.status == "ok", reply.traceback
    kernel.run(FIND)
    kernel.before = kernel.value("view.children[-1].scene['target']['value']")
    return kernel


def test_they_are_those_of_the_value_that_a_slider_has_set(live):
    assert "d f / d k = 4." in notes(live, "notes")
    told = move(live, 2.0)
    assert "d f / d k = 32." in told["notes"]
    assert "d2 f / d k2 = 48." in told["notes"]
    assert "gradient agrees with finite differences" in told["notes"]
    assert told["old_notes"] == ""


def test_slow_ones_stay_and_say_of_which_run_they_are(live):
    live.run("_within, _show.FOLLOWS_WITHIN = _show.FOLLOWS_WITHIN, 0.0")
    try:
        told = move(live, 2.0)
    finally:
        live.run("_show.FOLLOWS_WITHIN = _within")
    assert told["notes"] == ""
    assert told["old_notes"].startswith("Of the first run, with k = 1 (took ")
    assert "d f / d k = 4." in told["old_notes"]


def test_what_cannot_be_found_again_does_not_cost_the_picture(kernel):
    kernel.run("k = 1.0")
    kernel.run(f"%%tape k {OPTIONS}\nf = k**4")
    kernel.run(FIND + "\nfrom tapemagic.notebook import extras as _extras")
    kernel.run(
        "def _broken(*_): raise ValueError('no')\n_check, _extras.check = _extras.check, _broken"
    )
    kernel.before = "'1'"
    try:
        told = move(kernel, 2.0)
    finally:
        kernel.run("_extras.check = _check")
    assert "ValueError: no" in told["notes"]
    assert kernel.value("view.children[-1].scene['target']['value']") == "'16'"
