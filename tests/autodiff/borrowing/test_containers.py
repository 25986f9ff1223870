"""Exchanging what is reached, in place, whatever holds it."""

import functools
from collections import OrderedDict, defaultdict, deque, namedtuple
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

from tapemagic.autodiff.borrowing.walk import Walk


class Old:
    """What is to be exchanged; `New` stands for it afterwards."""


class New:
    pass


Pair = namedtuple("Pair", "left right")  # noqa: PYI024  (as in a notebook)


class Slotted:
    __slots__ = ("__private", "empty", "value")

    def __init__(self, value):
        self.value = value
        self.__private = value

    def private(self):
        return self.__private


@dataclass(frozen=True)
class Frozen:
    value: object


class Guarded:
    def __init__(self, value):
        self.__dict__["value"] = value

    def __setattr__(self, name, value):
        raise AssertionError("the user's __setattr__ was called")


class Shouting(dict):
    def __setitem__(self, key, value):
        raise AssertionError("the user's __setitem__ was called")


def holder_of(value):
    class Holder:
        shared = value

        @staticmethod
        def method(x=value):
            return x

    return Holder


def closure_over(value):
    def inner(y=value, *, k=value):
        return value, y, k

    return inner


def object_array(value):
    array = np.empty((2, 1), dtype=object)
    array[1, 0] = value
    return array


def cycle(value):
    inner = [value]
    outer = {"inner": inner}
    inner.append(outer)
    return outer


CASES = {
    "list": (lambda x: [1, x], lambda h: h[1]),
    "nested": (lambda x: [{"a": [x]}], lambda h: h[0]["a"][0]),
    "dict": (lambda x: {"a": 1, "b": x}, lambda h: h["b"]),
    "ordered": (lambda x: OrderedDict(a=x), lambda h: h["a"]),
    "default": (lambda x: defaultdict(list, {3: x}), lambda h: h[3]),
    "own dict": (lambda x: Shouting(a=x), lambda h: h["a"]),
    "key": (lambda x: {x: 1}, lambda h: next(iter(h))),
    "set": (lambda x: {x}, lambda h: next(iter(h))),
    "deque": (lambda x: deque([x]), lambda h: h[0]),
    "tuple in list": (lambda x: [(1, (x,))], lambda h: h[0][1][0]),
    "named tuple": (lambda x: [Pair(1, x)], lambda h: h[0].right),
    "frozen set": (lambda x: [frozenset([x])], lambda h: next(iter(h[0]))),
    "slots": (Slotted, lambda h: h.value),
    "private slot": (Slotted, lambda h: h.private()),
    "frozen dataclass": (Frozen, lambda h: h.value),
    "guarded": (Guarded, lambda h: h.value),
    "namespace": (lambda x: SimpleNamespace(a=x), lambda h: h.a),
    "class attribute": (holder_of, lambda h: h.shared),
    "of instance": (lambda x: holder_of(x)(), lambda h: h.shared),
    "static method": (holder_of, lambda h: h.method()),
    "closure": (closure_over, lambda h: h()[0]),
    "default value": (closure_over, lambda h: h()[1]),
    "keyword default": (closure_over, lambda h: h()[2]),
    "bound method": (lambda x: Slotted(x).private, lambda h: h()),
    "partial": (lambda x: functools.partial(max, x, key=1), lambda h: h.args[0]),
    "partial keyword": (lambda x: functools.partial(max, key=x), lambda h: h.keywords["key"]),
    "object array": (object_array, lambda h: h[1, 0]),
    "cycle": (cycle, lambda h: h["inner"][0]),
}


def exchange(value, swap, **options):
    walk = Walk(
        swap, lambda kind: kind.__module__ == __name__ or kind is SimpleNamespace, **options
    )
    new = walk.visit(value)
    walk.run()
    return new, walk


@pytest.mark.parametrize(("make", "read"), CASES.values(), ids=CASES)
def test_found_and_put_back_in_place(make, read):
    old, new = Old(), New()
    holder = make(old)
    result, walk = exchange(holder, lambda x: new if x is old else x)
    assert result is holder
    assert read(holder) is new
    assert walk.changed
    exchange(holder, lambda x: old if x is new else x)
    assert read(holder) is old


@pytest.mark.parametrize("make", [case[0] for case in CASES.values()], ids=CASES)
def test_nothing_changes_without_need(make):
    holder = make(Old())
    result, walk = exchange(holder, lambda x: x)
    assert result is holder
    assert not walk.changed


def test_one_object_is_exchanged_once():
    old, made = Old(), []

    def swap(x):
        if x is old:
            made.append(New())
            return made[-1]
        return x

    holder = [old, {"again": old}, (old,)]
    exchange(holder, swap)
    assert len(made) == 1
    assert holder[0] is holder[1]["again"] is holder[2][0]


def test_a_tuple_without_change_is_the_same_tuple():
    inner = (1, 2)
    holder = [inner, (Old(), inner)]
    exchange(holder, lambda x: New() if type(x) is Old else x)
    assert holder[0] is inner
    assert holder[1][1] is inner


def test_key_order_is_kept():
    old, new = Old(), New()
    holder = {"a": 1, old: 2, "b": 3}
    exchange(holder, lambda x: new if x is old else x)
    assert list(holder) == ["a", new, "b"]
    assert holder[new] == 2


def test_modules_and_foreign_objects_are_not_entered():
    seen = []
    exchange([np, OrderedDict, np.random.default_rng()], lambda x: seen.append(x) or x)
    assert len(seen) == 4


def test_depth_is_no_problem():
    chain = []
    inner = chain
    for _ in range(100_000):
        inner.append([])
        inner = inner[0]
    old, new = Old(), New()
    inner.append(old)
    exchange(chain, lambda x: new if x is old else x)
    assert inner[0] is new


def test_deep_tuples_do_not_overflow():
    nest = (Old(),)
    for _ in range(5000):
        nest = (nest,)
    exchange([nest], lambda x: x)


def test_most_limits_the_work():
    old = Old()
    holder = [[[k, len] for k in range(60)], [[[old]]]]
    exchange(holder, lambda x: New() if x is old else x, most=50)
    assert holder[1][0][0][0] is old


def test_long_containers_are_looked_into_last():
    """A loop that keeps a history searches among the near things, however long it has run."""
    old, asked = Old(), []

    def swap(x):
        asked.append(x)
        return New() if x is old else x

    holder = [[{"loss": k} for k in range(1000)], [{"w": (SimpleNamespace(value=[old]),)}]]
    exchange(holder, swap, enough=lambda seen: True)
    assert isinstance(holder[1][0]["w"][0].value[0], New)
    assert len(asked) < 20


@pytest.mark.parametrize(
    ("last", "read"),
    [
        (lambda: (1, Old()), lambda last: last[1]),
        (lambda: (1, {"w": Old()}), lambda last: last[1]["w"]),
        (lambda: [Old()], lambda last: last[0]),
        (lambda: (1, 0.5, "loss"), lambda last: New()),
    ],
    ids=["tuple", "dict in a tuple", "list", "nothing"],
)
def test_what_is_found_in_a_long_history(last, read):
    """Tuples of numbers and text are passed by; one of other things among them is not."""
    asked = []

    def swap(x):
        asked.append(x)
        return New() if isinstance(x, Old) else x

    history = [*((k, 0.5, "loss") for k in range(1000)), last()]
    exchange({"history": history}, swap)
    assert isinstance(read(history[-1]), New)
    assert len(asked) < 10


@pytest.mark.parametrize(
    "holder",
    [
        [[0.5, "x"]] * 3,
        [{"loss": 0.5, "steps": [1, 2]}, (1, (2, 3))],
        {"a": {"b": [1.0, None]}, (1, 2): "c"},
        deque([(1, 2.0)]),
    ],
)
def test_plain_data_is_not_looked_into(holder):
    asked = []
    exchange(holder, lambda x: asked.append(x) or x)
    assert asked == [holder]
