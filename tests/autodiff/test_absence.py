"""Never a bare None: a script's tape tells why a gradient is missing, and where."""

import sys

import numpy as np
import pytest

from tapemagic import GradientTape, Variable, custom_gradient, stop_gradient, tf

CONSTANT = np.array([5.0, 6.0])


def line():
    """Line of the caller."""
    return sys._getframe(1).f_lineno


def variable(*, of=(1.0, 2.0), **options):
    return Variable(np.array(of), **options)


def fixed():
    x = variable(trainable=False)
    with GradientTape() as tape:
        y = np.sum(x * variable())
    return tape, y, x, ["trainable=False", "tape.watch(x)"]


def unwatched_array():
    v, x = variable(), np.array([5.0, 6.0])
    with GradientTape() as tape:
        y = np.sum(v * x)
    return tape, y, x, ["no Variable", "tape.watch(x) was not called"]


def reads_not_watched():
    x = variable()
    with GradientTape(watch_accessed_variables=False) as tape:
        y = np.sum(x * 2)
    return tape, y, x, ["watch_accessed_variables=False", "tape.watch(x)"]


def read_while_stopped():
    x = variable()
    with GradientTape() as tape:
        with tape.stop_recording():
            y, at = np.sum(x * 2), line() - 1
    return tape, y, x, ["no recorded operation reads it", f"stop_recording() (line {at})"]


def computed_while_stopped():
    x = variable()
    with GradientTape() as tape:
        z = x * 2
        with tape.stop_recording():
            y, at = np.sum(z), line() - 1
    return tape, y, x, ["'y' is not on the tape", f"(line {at})", f"multiply (line {at - 1})"]


def integers():
    x = variable(of=(1, 2))
    with GradientTape() as tape:
        y = np.sum(x * variable())
    return tape, y, x, ["dtype int64", "use a float"]


def bound_again():
    x = tf.Variable(2.0)
    x = x + 1
    with tf.GradientTape() as tape:
        y = x * x
    return tape, y, x, ["x = x + 1", "x.assign_add(1)"]


def made_plain():
    x = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        y, at = tf.constant(x.numpy() * 3), line()
    return tape, y, x, [f"cut by numpy() (line {at})"]


def read_as_its_value():
    x = variable()
    with GradientTape() as tape:
        y, at = x.value * 3, line()
    return tape, y, x, [f"cut by value (line {at})"]


def computed_after():
    x = variable()
    with GradientTape() as tape:
        z, at = x * x, line()
    y = np.sum(z)
    return tape, y, x, ["'y' is not on the tape", "tape's block", f"multiply (line {at})"]


def cut():
    x = variable()
    with GradientTape() as tape:
        y, at = np.sum(stop_gradient(x * 2)), line()
    return tape, y, x, [f"cut by stop_gradient (line {at})"]


def converted():
    x = variable()
    with GradientTape() as tape:
        y, at = (x * 2).astype(int), line()
    return tape, y, x, [f"left the tape at line {at} as an integer (astype)"]


def place_of_the_largest():
    x = variable()
    with GradientTape() as tape:
        y, at = np.argmax(x), line()
    return tape, y, x, [f"left the tape at line {at} as an integer (argmax)"]


def cast_and_back():
    x = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        y, at = tf.cast(tf.cast(x, tf.int32), tf.float32) * 2, line()
    return tape, y, x, [f"left the tape at line {at} as an integer"]


@pytest.mark.parametrize(
    "make",
    [
        fixed, unwatched_array, reads_not_watched, read_while_stopped, computed_while_stopped,
        integers, bound_again, made_plain, read_as_its_value, computed_after, cut, converted, place_of_the_largest,
        cast_and_back,
    ],
)  # fmt: skip
def test_the_reason_is_told(make):
    tape, y, x, words = make()
    assert tape.gradient(y, [x]) == [None]
    for told in (tape.explain(), tape.explain(x), tape.explain("x")):
        assert told.startswith("'x' has no gradient: ")
        for word in words:
            assert word in told
        assert "Compute the target from it" not in told
        assert "…" not in told


def test_a_reason_goes_when_the_gradient_comes():
    x = variable()
    with GradientTape(persistent=True) as tape:
        y = np.sum(x * x)
    assert tape.gradient(CONSTANT, x) is None
    assert "not on the tape" in tape.explain()
    tape.gradient(y, x)
    assert tape.explain() == "Nothing to remark."


def test_a_variable_that_is_the_target_itself_has_a_gradient():
    x = variable()
    with GradientTape() as tape:
        y = x
    assert tape.gradient(y, x).tolist() == [1, 1]
    assert tape.explain() == "Nothing to remark."


def test_explain_takes_what_gradient_takes():
    v, c = variable(), np.array([5.0, 6.0])
    with GradientTape() as tape:
        y = np.sum(v * c)
    tape.gradient(y, {"v": v, "c": [c]})
    told = tape.explain({"v": v, "c": [c]}).splitlines()
    assert told[0] == "'v' has a gradient: [5, 6]."
    assert told[1].startswith("'c' has no gradient: it was not watched")
    assert tape.explain(np.ones(3)).startswith("'ndarray object' was not recorded")
    assert tape.explain(y).endswith("has a gradient: 1.")


@custom_gradient
def one_cotangent_for_two(a, b):
    return a * b, lambda ct: ct


@custom_gradient
def raises(a):
    return a * 2, lambda ct: 1 / 0


@pytest.mark.parametrize(
    ("compute", "words"),
    [
        (lambda x: np.sum(np.linalg.eigh(x)[1][0]), "repeated eigenvalues"),
        (lambda x: np.sum(one_cotangent_for_two(x, x)), "returned 1 values for 2 arguments"),
        (lambda x: np.sum(raises(x)), "division by zero"),
    ],
)
def test_what_was_recorded_can_be_looked_at_when_the_sweep_fails(compute, words, tmp_path):
    x = Variable(np.eye(3))
    with GradientTape(persistent=True) as tape:
        y = compute(x)
        z = np.sum(x)
    with pytest.raises(Exception, match=words):
        tape.gradient(y, x)
    assert tape.explain().count(words) == 1
    assert words in tape.explain(x)
    assert words in tape.graph._repr_mimebundle_()["text/plain"].replace("\n ", "")
    tape.save(tmp_path / "run.html")
    assert not tape.graph.has_gradients
    tape.gradient(z, x)
    assert tape.graph.has_gradients
    assert tape.explain("x").startswith("'x' has a gradient")
