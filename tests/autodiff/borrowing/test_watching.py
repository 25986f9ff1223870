"""Plain arrays watched in a script: names hold handles during the block, and only then."""

import argparse
import ctypes
from types import SimpleNamespace

import numpy as np
import pytest

from tapemagic import GradientTape, Variable
from tapemagic.autodiff.borrowing.watched import Watched
from tapemagic.errors import ChangedDataError, SourceError, UnsupportedWriteError


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


WAYS = {  # what a block does with a watched array that only its name holds
    "writes": "w *= 3.0; out = (w**2).sum(); w[0] = 7.0",
    "leaves views": "first, turned = w[:1], w.T; out = (first * 2.0).sum() + (turned**2).sum()",
    "writes through a view": "row = w[1]; row += 1.0; out = (w**2).sum()",
    "gives it another shape": "w.shape = (6,); out = (w**2).sum()",
    "locks it": "out = (w**2).sum(); w.setflags(write=False)",
    "puts it into a list": "kept = [w, w[0]]; out = (kept[0]**2).sum()",
}


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("block", WAYS.values(), ids=WAYS)
def test_an_array_that_only_its_name_holds(block, order):
    start = np.arange(1.0, 7.0).reshape(2, 3)
    if order == "F" and "shape" in block:
        start = start.ravel()
    spaces = []
    for watch in ("pass", "tape.watch(w)"):
        space = {"w": start.copy(order), "tape": GradientTape(), "__name__": "__main__"}
        exec(f"original = w\nwith tape:\n    {watch}\n    {block}", space)
        spaces.append(space)
    plain, watched = spaces
    w = watched["w"]
    assert w is watched["original"]
    assert (w.shape, w.strides, w.flags.num) == (
        plain["w"].shape, plain["w"].strides, plain["w"].flags.num,
    )  # fmt: skip
    np.testing.assert_array_equal(w, plain["w"])
    for name in {"first", "turned", "row"} & plain.keys():
        assert watched[name].base is w
        np.testing.assert_array_equal(watched[name], plain[name])
    if "kept" in plain:
        assert watched["kept"][0] is w
        assert watched["kept"][1].base is w
    gradient, step = watched["tape"].gradient(watched["out"], w), 1e-6

    def out(k, change):
        space = {"w": start.copy(order)}
        space["w"].T.flat[k] += change
        exec(block, space)
        return space["out"]

    slopes = [(out(k, step) - out(k, -step)) / (2 * step) for k in range(6)]
    np.testing.assert_allclose(np.ravel(gradient.T), slopes, rtol=1e-6)


def test_an_array_that_its_block_would_resize_is_refused():
    w = np.arange(6.0)
    with pytest.raises(UnsupportedWriteError, match="'w' was there before the tape"):
        with GradientTape() as tape:
            tape.watch(w)
            w.resize(3)
    assert type(w) is np.ndarray
    assert w.size == 6


def test_a_write_behind_the_back_of_the_tape_is_told():
    w = np.arange(6.0)
    address = w.ctypes.data
    with GradientTape() as tape:
        tape.watch(w)
        ctypes.memset(address + 8, 0, 8)
        out = (w**2).sum()
    with pytest.raises(ChangedDataError, match="behind the tape's back"):
        tape.gradient(out, w)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1)])
def test_views_of_an_array_whose_axes_lie_in_another_order(order):
    w, base = np.array([2.0, 3.0]), np.ones((2, 2, 2)).transpose(order) * 2
    first, rest = base[0], base[1:]
    with GradientTape() as tape:
        tape.watch(w)
        tape.watch(base)
        first[0] = w
        rest *= 3.0
        loss = np.sum(base**2)
    np.testing.assert_array_equal(base, [[[2, 3], [2, 2]], [[6, 6], [6, 6]]])
    np.testing.assert_array_equal(tape.gradient(loss, w), [4.0, 6.0])


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


def test_a_write_through_another_part_of_the_memory_is_seen_in_the_base():
    base = np.arange(1.0, 7.0).reshape(3, 2)
    q, k, _ = base
    with GradientTape() as tape:
        tape.watch(q)
        k *= 2
        text = str(base)
        loss = np.sum(q * k)
    assert text == str(base) == "[[1. 2.]\n [6. 8.]\n [5. 6.]]"
    assert np.shares_memory(k, base)
    np.testing.assert_array_equal(tape.gradient(loss, q), [6.0, 8.0])


def test_an_array_that_no_name_holds_is_refused():
    x = np.array([1.0, 2.0])
    with GradientTape() as tape:
        with pytest.raises(SourceError, match="No name"):
            tape.watch([x.copy()])
        watched = tape.watch([np.array([1.0, 2.0]), np.float64(3.0)])
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


class Model:
    def __init__(self, w):
        self.w = w
        self.cache = ()

    def loss(self):
        return np.sum(self.w * self.w)


CONTAINERS = {
    # name: (what holds the array, how it is read there)
    "list": (lambda p: [p], lambda holder: holder[0]),
    "dict in dict": (lambda p: {"layer": {"w": p}}, lambda holder: holder["layer"]["w"]),
    "tuple": (lambda p: (1, p), lambda holder: holder[1]),
    "object": (Model, lambda holder: holder.w),
    "namespace": (lambda p: SimpleNamespace(w=p), lambda holder: holder.w),
    "closure": (lambda p: lambda: p, lambda holder: holder()),
    "default": (lambda p: lambda w=p: w, lambda holder: holder()),
    "view in a list": (lambda p: [p[:]], lambda holder: holder[0]),
    "object array": (lambda p: np.array([p, None], dtype=object), lambda holder: holder[0]),
    "object of a library": (lambda p: argparse.Namespace(w=p), lambda holder: holder.w),
}


@pytest.mark.parametrize(("make", "read"), CONTAINERS.values(), ids=CONTAINERS)
def test_what_a_container_holds_is_followed(make, read):
    p = np.array([1.0, 2.0])
    holder = make(p)
    before = read(holder)
    with GradientTape() as tape:
        tape.watch(p)
        y = np.sum(read(holder) ** 2)
    np.testing.assert_array_equal(tape.gradient(y, p), [2.0, 4.0])
    assert read(holder) is before


@pytest.mark.parametrize(("make", "read"), CONTAINERS.values(), ids=CONTAINERS)
def test_containers_hold_plain_objects_after_an_exception(make, read):
    p = np.array([1.0, 2.0])
    holder = make(p)
    before = read(holder)
    with pytest.raises(ZeroDivisionError), GradientTape() as tape:
        tape.watch(p)
        _ = 1 / 0
    assert type(read(holder)) is np.ndarray
    assert read(holder) is before


def test_a_container_is_watched_with_all_that_it_holds():
    params = {"w": np.array([1.0, 2.0]), "b": np.float64(3.0), "layers": [np.array(4.0)]}
    with GradientTape() as tape:
        tape.watch(params)
        y = np.sum(params["w"] * params["b"]) * params["layers"][0]
    found = tape.gradient(y, params)
    np.testing.assert_array_equal(found["w"], [12.0, 12.0])
    assert found["b"] == 12.0
    assert found["layers"][0] == 9.0
    assert [type(params["w"]), type(params["b"])] == [np.ndarray, np.float64]


def test_an_object_with_a_method():
    model = Model(np.array([1.0, 2.0]))
    with GradientTape() as tape:
        tape.watch(model.w)
        model.cache = (model.loss(),)
    assert type(model.cache[0]) is np.float64
    np.testing.assert_array_equal(tape.gradient(model.cache[0], model.w), [2.0, 4.0])


def test_a_helper_may_watch_what_its_caller_goes_on_with():
    x = np.array([1.0, 2.0])

    def helper(tape, value):
        tape.watch(value)

    with GradientTape() as tape:
        helper(tape, x)
        y = np.sum(x * x)
    np.testing.assert_array_equal(tape.gradient(y, x), [2.0, 4.0])


def test_the_module_of_a_function_may_hold_the_array_as_well():
    there = {"__name__": "__main__", "np": np, "w": np.array([1.0, 2.0])}
    exec("def loss():\n    return np.sum(w * w)\n", there)
    loss, w = there["loss"], there["w"]
    with GradientTape() as tape:
        tape.watch(w)
        y = loss()
    np.testing.assert_array_equal(tape.gradient(y, w), [2.0, 4.0])
    assert there["w"] is w


def test_what_an_earlier_tape_left_keeps_its_own_tape():
    v = Variable(2.0)
    x = np.array([1.0, 2.0])
    with GradientTape() as first:
        squared = v * v
    with GradientTape() as second:
        second.watch(x)
        y = np.sum(x * 3.0)
    assert first.gradient(squared, v) == 4.0
    np.testing.assert_array_equal(second.gradient(y, x), [3.0, 3.0])


def test_a_number_that_python_shares_is_refused():
    w = rate = 0.5
    with GradientTape() as tape, pytest.raises(SourceError, match=r"0\.5 is found in 2 places"):
        tape.watch(w)
    assert type(w) is type(rate) is float


def test_a_number_that_a_caller_has_too():
    def slope(x):
        with GradientTape() as tape:
            tape.watch(x)
            y = x * x
        return tape.gradient(y, x)

    w = float("1.5")
    assert slope(w) == 3.0
    assert type(w) is float


def test_what_ipython_has_shown():
    namespace = {"GradientTape": GradientTape, "np": np, "p": np.ones(2)}
    namespace["Out"] = namespace["_oh"] = {3: namespace["p"]}
    text = "with GradientTape() as tape:\n    tape.watch(p)\n    y = np.sum(p * Out[3])\n"
    exec(compile(text, "<cell>", "exec"), namespace)
    found = namespace["tape"].gradient(namespace["y"], namespace["p"])
    np.testing.assert_array_equal(found, [2.0, 2.0])
    assert namespace["Out"][3] is namespace["p"]


def test_more_objects_than_are_looked_at_are_told(monkeypatch):
    monkeypatch.setattr("tapemagic.autodiff.borrowing.exchange.MOST_VISITED", 50)
    p = np.ones(2)
    many = [[(i, len) for i in range(60)], [p]]
    with pytest.warns(UserWarning, match="not followed"), GradientTape() as tape:
        tape.watch(p)
    assert type(p) is np.ndarray
    assert many[1][0] is p


def test_names_alone_are_looked_at_when_nothing_else_holds_the_array(monkeypatch):
    """A loop of steps must not search all that its names reach each time."""
    looked = []
    monkeypatch.setattr(Watched, "_look_everywhere", lambda self, *args: looked.append(self))
    space = {"np": np, "GradientTape": GradientTape, "other": {"data": [1.0] * 10}}
    text = """
w, b = np.array([1.0, 2.0]), np.float64(0.5)
for _ in range(3):
    with GradientTape() as tape:
        tape.watch([w, b])
        loss = np.sum(w * w) * b
    slopes = tape.gradient(loss, [w, b])
    w = w - 0.1 * slopes[0]
    b = b - 0.1 * slopes[1]
for _ in range(3):  # the same array again
    with GradientTape() as tape:
        tape.watch([w])
        loss = np.sum(w * w)
    w -= 0.1 * tape.gradient(loss, w)
with GradientTape() as tape:
    tape.watch(w)
    loss = np.sum(w * w)
"""
    exec(compile(text, "<script>", "exec"), space)

    def step(w):
        with GradientTape() as tape:
            tape.watch(w)
            y = np.sum(w * w)
        return tape.gradient(y, w)

    step(step(np.array([1.0, 2.0])))
    assert not looked


def test_a_number_in_a_container_and_under_a_name_is_refused():
    half = 0.5
    params, rate = [half, 2.0], half
    with GradientTape() as tape, pytest.raises(SourceError, match="places"):
        tape.watch(params)
    assert params[0] is rate


def test_a_name_and_a_container_that_hold_a_number_are_told_apart_or_refused():
    b = np.float64(0.5)
    params = {"b": b}
    with GradientTape() as tape:
        tape.watch(b)
        y = b * params["b"]
    assert tape.gradient(y, b) == 1.0
    a = float("0.5")
    params = {"a": a}
    with GradientTape() as tape, pytest.raises(SourceError, match="2 places"):
        tape.watch(a)
    assert params["a"] is a


def test_numbers_in_a_list_made_for_the_call():
    a, b = float("1.5"), float("2.5")
    with GradientTape() as tape:
        tape.watch([a, b])
        y = a * a * b
    assert tape.gradient(y, [a, b]) == [7.5, 2.25]


def test_an_attribute_that_holds_a_dict():
    model = Model({"w": np.array([1.0, 2.0])})
    with GradientTape() as tape:
        tape.watch(model.w)
        y = np.sum(model.w["w"] ** 2)
    np.testing.assert_array_equal(tape.gradient(y, model.w)["w"], [2.0, 4.0])


def test_tuples_of_the_block_that_hold_results_hold_plain_ones_afterwards():
    a, b = np.ones(2), np.full(2, 3.0)
    with GradientTape() as tape:
        tape.watch(a)
        r = a * 2.0
        pair, nested = (b, r), [1, (r, (b, [r]))]
        tape.watch(b)
        y = np.sum(pair[0] * nested[1][0])
    assert type(r) is np.ndarray
    assert pair[0] is b
    assert pair[1] is r
    assert nested[1][0] is r
    assert nested[1][1][0] is b
    assert nested[1][1][1][0] is r
    np.testing.assert_array_equal(tape.gradient(y, b), [2.0, 2.0])


def test_a_tuple_from_before_the_block_is_the_same_object_afterwards():
    b = np.full(2, 3.0)
    pair = known = (b, [b])
    with GradientTape() as tape:
        tape.watch(b)
        pair[1].append(b * 2.0)
        y = np.sum(pair[0] * pair[1][1])
    assert pair is known
    assert pair[0] is b
    assert type(pair[1][1]) is np.ndarray
    np.testing.assert_array_equal(tape.gradient(y, b), [12.0, 12.0])


HOLDERS = {  # of twenty arrays: what holds them, and how each is reached
    "a list": ("held = arrays()", "for p in held: tape.watch(p)", "held"),
    "a dict": (
        "held = dict(enumerate(arrays()))",
        "for k in held: tape.watch(held[k])",
        "held.values()",
    ),
    "an object": (
        "held = SimpleNamespace(**{f'p{k}': x for k, x in enumerate(arrays())})",
        "for k in vars(held): tape.watch(getattr(held, k))",
        "vars(held).values()",
    ),
}


@pytest.mark.parametrize("holder", HOLDERS.values(), ids=HOLDERS)
def test_many_that_are_watched_one_by_one_are_searched_for_once(holder, monkeypatch):
    searches = []
    search = Watched._look_everywhere
    monkeypatch.setattr(
        Watched, "_look_everywhere", lambda self, *rest: (searches.append(1), search(self, *rest))
    )
    setup, watch, values = holder
    space = {
        "SimpleNamespace": SimpleNamespace,
        "tape": GradientTape(),
        "arrays": lambda: [np.array([1.0, k]) for k in range(20)],
        "__name__": "__main__",
    }
    exec(f"{setup}\nwith tape:\n    {watch}\n    loss = sum((p**2).sum() for p in {values})", space)
    assert len(searches) == 1
    held = list(eval(values, space))
    assert {type(p) for p in held} == {np.ndarray}
    for k, gradient in enumerate(space["tape"].gradient(space["loss"], held)):
        np.testing.assert_array_equal(gradient, [2.0, 2.0 * k])


@pytest.mark.parametrize("watched", ["W", "b", "W, b", "inner"])
@pytest.mark.parametrize("ask", ["gradient", "jacobian", "program"])
def test_an_array_of_which_only_parts_were_watched_is_no_source(watched, ask):
    theta = np.arange(8.0)
    W, b, inner = theta[:6].reshape(2, 3), theta[6:], theta[::2]
    with GradientTape(persistent=True) as tape:
        tape.watch(list(eval(f"[{watched}]")))
        loss = np.sum(W.sum(axis=1) * b) + np.sum(inner**2)
        if ask == "gradient":
            with pytest.raises(SourceError, match="a part of its memory"):
                tape.gradient(loss, theta)
    with pytest.raises(SourceError, match="'theta' was not watched, but a part of its memory"):
        getattr(tape, ask)(loss, [theta])


@pytest.mark.parametrize("watched", [("W", "b", "theta"), ("theta", "W", "b"), ("theta",)])
def test_an_array_that_is_watched_beside_its_parts(watched):
    theta = np.arange(8.0)
    parts = {"W": theta[:6].reshape(2, 3), "b": theta[6:], "theta": theta}
    with GradientTape(persistent=True) as tape:
        tape.watch([parts[name] for name in watched])
        loss = np.sum(parts["W"].sum(axis=1) * parts["b"])
    assert tape.gradient(loss, theta).tolist() == [6.0, 6.0, 6.0, 7.0, 7.0, 7.0, 3.0, 12.0]
    assert tape.gradient(loss, parts["b"]).tolist() == [3.0, 12.0]
    assert tape.gradient(loss, parts["W"]).tolist() == [[6.0] * 3, [7.0] * 3]


def test_arrays_that_are_changed_after_the_block():
    x, data = np.array([1.0, 2.0]), np.array([3.0, 5.0])
    with GradientTape() as tape:
        tape.watch([x, data])
        loss = np.sum(x * x * data)
    x[:], data[:] = 7.0, 9.0
    slopes = tape.gradient(loss, [x, data])
    assert [one.tolist() for one in slopes] == [[6.0, 20.0], [1.0, 4.0]]


def test_the_base_of_a_view_that_is_written_to_stays_read_only():
    base = np.array([1.0, 2.0, 3.0])
    w = base[1:]
    base.flags.writeable = False
    with GradientTape() as tape:
        tape.watch(w)
        w[0] = w[1] * 2.0
        loss = np.sum(w)
    assert base.tolist() == [1.0, 6.0, 3.0]
    assert not base.flags.writeable
    assert w.flags.writeable
    assert tape.gradient(loss, w).tolist() == [0.0, 3.0]
