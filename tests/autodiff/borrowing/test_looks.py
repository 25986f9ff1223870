"""What a step of a loop has found is found again without a look, and anew where it has changed."""

import gc
import math
import sys
import weakref
from types import ModuleType

import numpy as np
import pytest

import tapemagic
from tapemagic import GradientTape, Variable
from tapemagic.autodiff.borrowing import looks

INNER = [math.sin]


@pytest.fixture
def looked(monkeypatch):
    """List what is looked at: the whole script (True), or one object of it."""
    found = []

    def of(name):
        original = getattr(looks, name)

        def counting(values, *rest):
            found.append(name)
            return original(values, *rest)

        monkeypatch.setattr(looks, name, counting)

    of("_reached")
    of("held_functions")
    return found


def slope(tape, y, x):
    return float(tape.gradient(y, x))


def appending(count, looked):
    x, losses, seen, history = Variable(2.0), [], set(), {}
    for i in range(count):
        with GradientTape() as tape:
            y = np.square(x) * np.ones(1)[0]
            losses.append(y)
            seen.add(i)
            history.update(last=y)
        assert slope(tape, y, x) == 4
        if i == 0:
            looked.clear()  # of the first step


def calling(count, looked):
    x, own = Variable(2.0), Own(math.exp)
    for i in range(count):
        with GradientTape() as tape:
            y = own(x)
        assert slope(tape, y, x) == pytest.approx(math.exp(2))
        if i == 0:
            looked.clear()


class Own:
    def __init__(self, function):
        self.function = function

    def __call__(self, x):
        return self.function(x)


def taking_turns(count, looked):
    x = Variable(2.0)
    for i in range(count):
        for step, expected in ((first, math.cos(2)), (second, math.exp(2))):
            assert step(x) == pytest.approx(expected)
        if i == 0:
            looked.clear()


def first(x):
    with GradientTape() as tape:
        y = math.sin(x)
    return slope(tape, y, x)


def second(x):
    with GradientTape() as tape:
        y = math.exp(x)
    return slope(tape, y, x)


@pytest.mark.parametrize("steps", [appending, calling, taking_turns])
def test_the_steps_of_a_loop_look_once(steps, looked):
    steps(5, looked)
    assert looked == []


def test_new_functions_without_a_closure_reach_what_the_first_did(looked):
    for i in range(3):
        assert tapemagic.grad(lambda x: math.sin(x))(2.0) == pytest.approx(math.cos(2))
        if i == 0:
            looked.clear()
    assert "_reached" not in looked


def test_new_objects_of_the_same_class_are_looked_into():
    x = Variable(2.0)
    for function, expected in ((math.exp, math.exp(2)), (math.sin, math.cos(2))):
        own = Own(function)
        with GradientTape() as tape:
            y = own(x)
        assert slope(tape, y, x) == pytest.approx(expected)


def test_new_closures_of_the_same_code():
    def closure(function):
        return lambda x: function(x)

    for function, expected in ((math.exp, math.exp(2)), (math.sin, math.cos(2)), (abs, 1)):
        assert tapemagic.grad(closure(function))(2.0) == pytest.approx(expected)


def test_a_list_that_is_filled_and_then_called():
    functions, x = [], Variable(2.0)
    for function, expected in ((math.exp, math.exp(2)), (math.sin, math.cos(2))):
        functions.append(function)
        with GradientTape() as tape:
            y = functions[-1](x)
        assert slope(tape, y, x) == pytest.approx(expected)


@pytest.mark.parametrize("bind", [{"f": math.exp}, {"f": None, "g": math.exp}])
def test_a_name_of_another_module_that_is_bound_again(bind, monkeypatch):
    module = ModuleType("users_changing")
    module.__file__ = "users_changing.py"
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec("from math import sin as f\ng = None\ndef of(x): return (f or g)(x)", vars(module))
    slope_of = tapemagic.grad(module.of)
    assert slope_of(2.0) == pytest.approx(math.cos(2))
    vars(module).update(bind)
    assert slope_of(2.0) == pytest.approx(math.exp(2))


def test_names_in_code_within_the_code():
    def sums(x):
        with GradientTape() as tape:
            y = sum([f(x) for f in INNER])
        return slope(tape, y, x)

    assert sums(Variable(2.0)) == pytest.approx(math.cos(2))


def test_no_list_and_no_object_is_kept_alive():
    class Kept(list):
        def __call__(self, x):
            return math.sin(x)

    x, kept = Variable(2.0), Kept()
    with GradientTape() as tape:
        y = kept(x)
    assert slope(tape, y, x) == pytest.approx(math.cos(2))
    find = weakref.ref(kept)
    del kept
    gc.collect()
    assert find() is None
