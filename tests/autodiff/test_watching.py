"""Plain arrays watched in a script: names hold handles during the block, and only then."""

import numpy as np
import pytest

from tapemagic import GradientTape
from tapemagic.errors import SourceError


def test_names_hold_plain_objects_again():
    x = original = np.array([1.0, 2.0])
    with GradientTape() as tape:
        tape.watch(x)
        y = np.sum(x * x)
    assert x is original
    assert type(y) is np.float64
    np.testing.assert_array_equal(tape.gradient(y, x), [2.0, 4.0])


def test_a_write_in_the_block_reaches_the_array():
    x = original = np.array([1.0, 2.0])
    with GradientTape() as tape:
        tape.watch(x)
        y = x * 2.0
        x += 1.0
        loss = np.sum(x * y)
    assert x is original
    assert list(original) == [2.0, 3.0]
    np.testing.assert_array_equal(tape.gradient(loss, x), [6.0, 10.0])


def test_an_inner_tape_does_not_end_the_names_of_an_outer():
    x, w = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    with GradientTape() as outer:
        outer.watch(x)
        with GradientTape() as inner:
            inner.watch(w)
            y = np.sum(x * w * w)
        slope = inner.gradient(y, w)
        loss = np.sum(slope * x)
    np.testing.assert_array_equal(slope, [6.0, 16.0])
    np.testing.assert_array_equal(outer.gradient(loss, x), [12.0, 32.0])
    assert type(x) is type(w) is type(slope) is np.ndarray


def test_a_helper_that_watches_does_not_end_the_names_of_its_caller():
    def helper(tape, value):
        extra = np.array([10.0, 20.0])
        tape.watch(extra)
        return value * extra, extra

    x = np.array([1.0, 2.0])
    with GradientTape() as tape:
        tape.watch(x)
        y, extra = helper(tape, x)
        loss = np.sum(y * x)
    found = tape.gradient(loss, [x, extra])
    np.testing.assert_array_equal(found[0], [20.0, 80.0])
    np.testing.assert_array_equal(found[1], [1.0, 4.0])


def test_second_order():
    x = np.array([1.0, 2.0])
    with GradientTape() as outer:
        outer.watch(x)
        with GradientTape() as inner:
            inner.watch(x)
            y = np.sum(x**3)
        slope = inner.gradient(y, x)
        total = np.sum(slope)
    np.testing.assert_array_equal(outer.gradient(total, x), [6.0, 12.0])


def test_views_that_other_names_hold_are_followed():
    x = np.array([1.0, 2.0])
    view, base = x[:1], x
    with GradientTape() as tape:
        tape.watch(x)
        loss = np.sum(view * 3.0) + np.sum(base)
    np.testing.assert_array_equal(tape.gradient(loss, x), [4.0, 1.0])
    assert view.base is x


def test_the_base_of_a_watched_view_is_followed():
    x = np.array([1.0, 2.0, 3.0])
    view = x[1:]
    with GradientTape() as tape:
        tape.watch(view)
        loss = np.sum(x * x)
    np.testing.assert_array_equal(tape.gradient(loss, view), [4.0, 6.0])


def test_an_array_that_no_name_holds_is_refused():
    params = [np.array([1.0, 2.0]), np.float64(3.0)]
    with GradientTape() as tape:
        with pytest.raises(SourceError, match="No name"):
            tape.watch(params)
        watched = tape.watch(params)
        loss = np.sum(watched[0]) * watched[1]
    np.testing.assert_array_equal(tape.gradient(loss, watched)[0], [3.0, 3.0])


def test_an_array_that_changed_between_two_blocks():
    x = np.array([1.0, 2.0])
    tape = GradientTape(persistent=True)
    with tape:
        tape.watch(x)
        y = np.sum(x * x)
    x += 10.0
    with tape:
        z = np.sum(x * 3.0) + y
    assert z == 3.0 * 23.0 + 5.0
    np.testing.assert_array_equal(tape.gradient(z, x), [2.0, 4.0])


def test_an_exception_puts_the_names_back():
    x = original = np.array([1.0, 2.0])
    with pytest.raises(ZeroDivisionError), GradientTape() as tape:
        tape.watch(x)
        x[0] = 7.0
        _ = 1 / 0
    assert x is original
    assert list(x) == [7.0, 2.0]


def test_global_names_and_closures():
    space = {"np": np, "GradientTape": GradientTape}
    exec(
        "x = np.array([1.0, 2.0])\n"
        "def loss():\n    return np.sum(x * x)\n"
        "with GradientTape() as tape:\n    tape.watch(x)\n    y = loss()\n"
        "g = tape.gradient(y, x)\n",
        space,
    )
    np.testing.assert_array_equal(space["g"], [2.0, 4.0])


@pytest.mark.parametrize("make", [lambda p: [p], lambda p: {"w": [p]}, lambda p: Model(p)])
def test_an_array_that_a_container_holds_as_well_is_refused(make):
    p = np.ones(2)
    holder = make(p)
    with GradientTape() as tape, pytest.raises(SourceError, match="holder"):
        tape.watch(p)
    assert holder is not None


class Model:
    def __init__(self, w):
        self.w = w


def test_what_watch_returns_is_followed_although_a_container_holds_the_array():
    p = np.ones(2)
    holder = [p]
    with GradientTape() as tape:
        w = tape.watch(holder)
        y = np.sum(w[0] * w[0])
    np.testing.assert_array_equal(tape.gradient(y, w)[0], [2.0, 2.0])


def test_what_ipython_has_shown_does_not_count():
    namespace = {"GradientTape": GradientTape, "np": np, "p": np.ones(2)}
    namespace["Out"] = namespace["_oh"] = {3: namespace["p"]}
    text = "with GradientTape() as tape:\n    tape.watch(p)\n    y = np.sum(p * p)\n"
    exec(compile(text, "<cell>", "exec"), namespace)
    found = namespace["tape"].gradient(namespace["y"], namespace["p"])
    np.testing.assert_array_equal(found, [2.0, 2.0])
