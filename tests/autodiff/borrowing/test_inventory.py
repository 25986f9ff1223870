"""Handles of a short block are found by counting references; where one is hidden, it is found too.

What may hold a handle at the end is crossed with the names under which the block has put it: no
name, several, those of a closure, of a class, of a generator.
"""

import functools
import gc
from types import SimpleNamespace

import numpy as np
import pytest

from tapemagic import GradientTape
from tapemagic.autodiff.borrowing import recent, watched
from tapemagic.autodiff.traced import TracedArray

#: In which function the block is, with the names that the result of ``f(w)`` gets.
FRAMES = {
    "names": """
def run(w, keep):
    with GradientTape() as tape:
        tape.watch(w)
        y = z = (w * w).sum()
        keep(y)
""",
    "no name": """
def run(w, keep):
    with GradientTape() as tape:
        tape.watch([w])
        keep((w * w).sum())
""",
    "a list of sources": """
def run(w, keep):
    params = [w, w[:1].copy()]
    with GradientTape() as tape:
        tape.watch(params)
        y = (params[0] * w).sum()
        keep(y)
""",
    "a dict of attributes": """
def run(w, keep):
    model = SimpleNamespace(w=w)
    attributes = vars(model)
    with GradientTape() as tape:
        tape.watch(attributes)
        tape.watch(model.w)
        y = (model.w * attributes["w"]).sum()
        keep(y)
""",
    "closure": """
def run(w, keep):
    y = None
    def block():
        nonlocal y, w
        with GradientTape() as tape:
            tape.watch(w)
            y = (w * w).sum()
            keep(y)
    block()
""",
    "finished maker of a closure": """
def make(w, keep):
    def block():
        nonlocal w
        with GradientTape() as tape:
            tape.watch(w)
            w = w * 2
            keep((w * w).sum())
        keep.check(w)
    return block

def run(w, keep):
    make(w, keep)()
""",
    "class": """
def run(w, keep):
    class Block:
        with GradientTape() as tape:
            tape.watch(w)
            y = (w * w).sum()
            keep(y)
    keep.check(Block.y)
""",
    "generator": """
def steps(w, keep):
    with GradientTape() as tape:
        tape.watch(w)
        y = (w * w).sum()
        keep(y)
    yield y
    yield y

def run(w, keep):
    keep.check(next(steps(w, keep)))
""",
    "module": """
with GradientTape() as tape:
    tape.watch(w)
    y = other = (w * w).sum()
    keep(y)
def run(w, keep):
    keep.check(y, other)
""",
}  # fmt: skip


class Keep:
    """Hides a value in something that was there before the block."""

    def __init__(self, put, holds):
        self.put, self.holds = put, holds

    def __call__(self, value):
        self.put(self.holds, value)

    def check(self, *values):
        assert TracedArray not in map(type, values)


def _closure(holds, value):
    holds[0](value)


def _cached():
    """Return what puts a value into a cache, and what the cache then holds."""
    values = []

    @functools.lru_cache
    def cached():
        return values.pop()

    def put(value):
        values.append(value)
        return cached()

    return [put, cached, cached]


def _box():
    held = None

    def put(value):
        nonlocal held
        held = value

    return [put, lambda: held]


#: Makes what is there before, puts a value there, and reads it.
HOLDERS = {
    "nothing": (list, lambda holds, value: None, lambda holds: 0.0),
    "list": (lambda: [1.0], list.append, lambda holds: holds[-1]),
    "list twice": (lambda: [1.0], lambda holds, x: holds.extend([x, x]), lambda holds: holds[-2]),
    "dict": (dict, lambda holds, value: holds.update(a=value), lambda holds: holds["a"]),
    "key": (dict, lambda holds, value: holds.update({(value,): 1}), lambda holds: min(holds)[0]),
    "object": (SimpleNamespace, lambda holds, value: vars(holds).update(a=value), lambda x: x.a),
    "deep": (lambda: [[{"a": []}]], lambda x, value: x[0][0]["a"].append((value,)),
             lambda x: x[0][0]["a"][0][0]),
    "closure": (_box, _closure, lambda holds: holds[1]()),
    "iterator": (list, lambda holds, value: holds.append(iter((value,))),
                 lambda holds: next(holds[0])),
    "iterator of a list": (dict, lambda holds, value: holds.update(a=iter([value])),
                           lambda holds: next(holds["a"])),
    "cache": (_cached, lambda holds, value: holds[0](value), lambda holds: holds[1]()),
    "young list": (list, lambda holds, value: holds.append([value]), lambda holds: holds[0][0]),
}  # fmt: skip


@pytest.mark.parametrize("collects", [False, True])
@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("frame", FRAMES)
def test_no_handle_is_left(frame, holder, collects):
    make, put, read = HOLDERS[holder]
    w, holds = np.array([1.0, 2.0]), make()
    keep = Keep(put, holds)
    names = {
        "__name__": "__main__", "GradientTape": GradientTape, "SimpleNamespace": SimpleNamespace,
        "w": w, "keep": keep, "history": holds,
    }  # fmt: skip
    source = FRAMES[frame]
    if collects:
        source = source.replace("keep(y)", "gc.collect(0); keep(y)")
        names["gc"] = gc
    exec(compile(source, "<script>", "exec"), names)
    names["run"](names["w"], keep)
    assert type(read(holds)) is not TracedArray
    assert TracedArray not in map(type, names.values())


def test_what_names_hold_needs_no_search(monkeypatch):
    def search(*args):
        raise AssertionError("a container was looked into")

    models = [SimpleNamespace(layer=[np.zeros(3)], step=lambda x: x) for _ in range(100)]
    w, b, losses = np.array([1.0, 2.0]), np.zeros(2), [1.0, 2.0]
    for module in (recent, watched):
        monkeypatch.setattr(module, "recent", search)
    monkeypatch.setattr(watched.Watched, "give_back", search)
    gc.collect()
    with GradientTape() as tape:
        tape.watch([w, b])
        y = w * 2 + b
        loss = (y * y).sum()
    np.testing.assert_array_equal(tape.gradient(loss, w), 8 * w)
    assert not {type(w), type(b), type(y), type(loss)} & {TracedArray}
    assert len(models) == 100
    assert losses == [1.0, 2.0]
