"""Warnings under a tape, and of variables: as often as without one, and at the same lines."""

import linecache
import re
import warnings

import numpy as np
import pytest

from tapemagic import GradientTape, Variable
from tests.notebook.worlds import run_plain, run_taped

SCRIPT = "<a script>"
#: Lines that warn, all about `zero` and `w`; the first group is one of each way of recording.
TEXTS = {
    "function": "y = np.log(zero)",
    "operator": "y = w / zero",
    "twice the same, on two lines": "y = w / zero\nz = w / zero",
    "a loop": "for i in range(3):\n    y = w / zero\n    z = zero / zero",
    "a helper": "def half(x):\n    return np.sqrt(x - 1)\ny = half(zero)\nz = half(zero)",
    "product": "y = zero @ (w / zero)",
    "power": "y = zero**-1.0",
    "overflow": "y = (w * 1e300) * 1e300",
    "the user's own": "warnings.warn('hm')\ny = w * 2",
    "none": "with np.errstate(all='ignore'):\n    y = w / zero",
    "forbidden": "try:\n    y = w / zero\nexcept RuntimeWarning:\n    y = w",
}
FILTERS = ["default", "always", "once", "ignore", "error"]


def warned(text, choice, zero, w):
    """(line, category, message) of each warning that a script shows."""
    linecache.cache[SCRIPT] = len(text), None, text.splitlines(keepends=True), SCRIPT
    scope = {"np": np, "warnings": warnings, "zero": zero, "w": w, "__name__": "a_script",
             "GradientTape": GradientTape}  # fmt: skip
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter(choice)
        try:
            exec(compile(text, SCRIPT, "exec"), scope)
        except Warning as error:
            assert choice == "error"
            seen.append(warnings.WarningMessage(error, type(error), SCRIPT, 0))
    assert all(one.filename == SCRIPT for one in seen)
    # which of NumPy's functions of the same name computed it is no matter
    return [(one.lineno, one.category, re.sub("scalar ", "", str(one.message))) for one in seen]


@pytest.mark.parametrize("choice", FILTERS)
@pytest.mark.parametrize("name", TEXTS)
def test_a_block_warns_as_plain_numpy_does(name, choice):
    plain = warned(TEXTS[name], choice, np.zeros(2), np.ones(2))
    assert warned_in_block(TEXTS[name], choice) == plain
    assert plain or choice == "ignore" or name in ("none", "forbidden")


@pytest.mark.parametrize("choice", FILTERS)
@pytest.mark.parametrize("name", TEXTS)
def test_variables_outside_a_block_warn_as_plain_numpy_does(name, choice):
    plain = warned(TEXTS[name], choice, np.zeros(2), np.ones(2))
    assert warned(TEXTS[name], choice, Variable(np.zeros(2)), Variable(np.ones(2))) == plain


def warned_in_block(text, choice):
    block = "with GradientTape():\n" + "".join(f"    {line}\n" for line in text.splitlines())
    scope = {"zero": Variable(np.zeros(2)), "w": Variable(np.ones(2))}
    found = warned(block, choice, **scope)
    return [(line - 1 if line else 0, *more) for line, *more in found]


def test_a_step_of_a_loop_does_not_warn_again():
    text = (
        "for step in range(3):\n"
        "    with GradientTape() as tape:\n"
        "        y = np.sum(w / zero)\n"
        "    tape.gradient(y, w)\n"
    )
    found = warned(text, "default", Variable(np.zeros(2)), Variable(np.ones(2)))
    assert [line for line, *_ in found] == [3]


def test_an_assigned_shape():
    """NumPy 2.5 warns of it; what gives the plain array its shape afterwards does not again."""
    w = np.ones(2)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        w.shape = (2,)
        plain = len(seen)
        with GradientTape() as tape:
            tape.watch(w)
            w.shape = (2, 1)
    assert w.shape == (2, 1)
    assert type(w) is np.ndarray
    assert len(seen) == 2 * plain
    assert {one.filename for one in seen} <= {__file__}


def test_nothing_is_left_behind():
    shows, filters = warnings._showwarnmsg, list(warnings.filters)
    with GradientTape() as tape, GradientTape():
        assert warnings._showwarnmsg != shows
        with tape.stop_recording():
            pass
    assert warnings._showwarnmsg == shows
    assert list(warnings.filters) == filters


def test_what_the_user_puts_there_stays():
    def mine(*args, **kwargs):
        pass

    with warnings.catch_warnings():
        with GradientTape():
            warnings.showwarning = mine
            warnings.resetwarnings()
            warnings.simplefilter("ignore")
        assert warnings.showwarning is mine
        assert [choice for choice, *_ in warnings.filters] == ["ignore"]


#: How a user hears of warnings: each fills `heard` with (text, line).
LISTENERS = {
    "records": """
with warnings.catch_warnings(record=True) as seen:
    {choice}
    {work}
heard = [(str(one.message), one.lineno) for one in seen]
""",
    "a function": """
with warnings.catch_warnings():
    {choice}
    warnings.showwarning = lambda text, kind, name, line, *_: heard.append((str(text), line))
    {work}
""",
}
WORK = "for i in range(3): y, z = np.log(-w), w / (w - w)"


@pytest.mark.parametrize("choice", ["always", "default", "once", "ignore"])
@pytest.mark.parametrize("listener", LISTENERS.values(), ids=LISTENERS)
def test_who_listens_hears_what_plain_numpy_says(listener, choice):
    work = listener.format(choice=f"warnings.simplefilter({choice!r})", work=WORK)
    setup = "import warnings\nimport numpy as np\nw, heard = np.array([1.0, 2.0]), []\n"
    plain = run_plain(setup, work)["namespace"]["heard"]
    taped, _ = run_taped(setup, work)
    assert taped["namespace"]["heard"] == plain
    assert bool(plain) == (choice != "ignore")


@pytest.mark.parametrize("look", ["explain", "check", "program"])
def test_operations_that_run_again_do_not_warn_again(look):
    x = Variable(np.ones(1000))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with GradientTape(persistent=True) as tape:
            y = np.zeros(1000)
            y[:] = x * 1j  # a warning of Python's, and not of the floating-point unit
            loss = np.sum(y) + np.sum(x) + np.sum((x * 1j).astype(float))
    tape.gradient(loss, x)
    before = list(warnings.filters)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        tape.program(loss, x) if look == "program" else getattr(tape, look)()
    assert not seen
    assert warnings.filters == before
