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


VARIABLES = """from tapemagic import tf, Variable
class Net:
    pass
net = Net()
{make}
net.v, held = v, [v]"""


@pytest.mark.parametrize("make", ["v = tf.Variable(1.0)", "v = Variable(1.0)"])
@pytest.mark.parametrize("line", ["v", ""])
def test_a_variable_that_is_a_single_number_has_a_slider(kernel, make, line):
    kernel.run(VARIABLES.format(make=make))
    # wherever the cell reads it; d f / d v = 4 v**3
    reply = kernel.run(
        f"%%tape {line} {OPTIONS} -t f\nf = v * net.v * held[0] ** 2\nv.assign_add(1.0)"
    )
    assert reply.status == "ok", reply.traceback
    kernel.run(FIND)
    kernel.before = kernel.value("view.children[-1].scene['target']['value']")
    assert "d f / d v = 4." in notes(kernel, "notes")
    told = move(kernel, 2.0)
    assert "d f / d v = 32." in told["notes"]
    assert "d2 f / d v2 = 48." in told["notes"]
    assert "gradient agrees with finite differences (1 " in told["notes"]
    assert kernel.value("float(v), net.v is v") == "(2.0, True)"  # what the cell has assigned


def test_what_the_cell_itself_makes_has_none(kernel):
    for _ in range(2):  # the second time its name is there before
        reply = kernel.run("%%tape k --show widget\nk = 3.0\nf = k**2")
        assert reply.status == "ok", reply.traceback
        kernel.run(FIND)
        assert kernel.value("len(view.children)") == "1"
