"""What a tape costs in memory: counted in bytes and objects, never in seconds."""

import dis
import gc
import importlib
import tracemalloc
import weakref

import numpy as np
import pytest

import tapemagic
from tapemagic import GradientTape, Variable, checkpoint
from tapemagic.autodiff import backward, structure, traced
from tapemagic.autodiff.calls import dispatch, general, short
from tapemagic.autodiff.primitives import PRIMITIVES
from tapemagic.autodiff.recorder import Recording


def chain(x, count):
    for _ in range(count // 2):
        x = x * 1.001
        x = x + 0.01
    return x


@pytest.mark.parametrize("value", [0.9, np.array([0.9, 0.8, 0.7])], ids=["number", "3 elements"])
def test_at_most_500_bytes_an_operation(value):
    count = 10_000
    x = Variable(value)
    with GradientTape():  # what is loaded when a tape first records does not count
        chain(x, 2)
    tracemalloc.start()
    with GradientTape() as tape:
        y = chain(x, count)
    tape.gradient(y, x)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak / count <= 500


@pytest.mark.parametrize(
    "step", [lambda y, x: y * x, lambda y, x: y + 1.0, lambda y, x: np.sin(y), lambda y, x: y @ y * y,
             lambda y, x: np.sum(y) * x, lambda y, x: y[::-1] - x],
    ids=["product", "sum", "sine", "matmul", "reduction", "view"],
)  # fmt: skip
def test_the_collector_follows_nothing_on_the_tape(step):
    x = Variable([0.9, 0.8, 0.7])
    with GradientTape() as tape:
        y = x * 1.0
        for _ in range(200):
            y = step(y, x)
    for _ in range(3):  # un-tracks what holds no containers, from the inside outwards
        gc.collect()
    entries = tape._recording.entries
    tracked = sum(map(gc.is_tracked, entries))
    assert tracked <= 0.02 * len(entries)


def test_n_elements_of_an_array_share_one_array_of_zeros(monkeypatch):
    made = []

    class Counting:
        def __getattr__(self, name):
            return getattr(np, name)

        def zeros(self, *args, **kwargs):
            made.append(args)
            return np.zeros(*args, **kwargs)

    x = Variable(np.arange(100.0))
    with GradientTape() as tape:
        y = 0.0
        for i in range(100):
            y = y + x[i] * i
    monkeypatch.setattr(structure, "np", Counting())
    np.testing.assert_array_equal(tape.gradient(y, x), np.arange(100.0))
    assert len(made) == 1


def test_del_frees_what_no_rule_reads():
    x = Variable(np.ones(1000))
    with GradientTape():
        y = x + 1.0
        gone = weakref.ref(y._value)
        z = y + 1.0
        del y
        assert gone() is None
    assert z.shape == (1000,)


def test_a_tape_that_is_dropped_frees_its_arrays_without_the_collector():
    gc.disable()
    try:
        x = Variable(np.ones(1000))
        with GradientTape() as tape:
            y = np.exp(x)
        gone = weakref.ref(y._value)
        tape.gradient(y, x)
        del tape, y
        assert gone() is None
    finally:
        gc.enable()


def recorded(x, **how):
    with GradientTape(**how) as tape:
        tape.watch(x)
        y = np.tanh(x @ x)
        y[0] = x[1]
        loss = np.sum(y**2)
    return tape, loss


def plain_arrays():
    x, held = np.eye(3), []
    tape, loss = recorded(x)
    held.append(tape.gradient(loss, x))


def explained():
    x = np.eye(3)
    tape, loss = recorded(x, persistent=True)
    tape.gradient(loss, x)
    return str(tape.explain()), repr(tape.findings)


def a_program():
    x = np.eye(3)
    tape, loss = recorded(x, persistent=True)
    made = tape.program(loss, x)
    made(**made.inputs)


def tapes_in_one_another():
    x = np.eye(3)
    with GradientTape() as outer:
        outer.watch(x)
        tape, loss = recorded(x)
        again = np.sum(tape.gradient(loss, x))
    outer.gradient(again, x)


def a_failure():
    x = np.eye(3)
    with pytest.raises(ValueError), GradientTape() as tape:
        tape.watch(x)
        np.ones(2) @ x


@pytest.mark.parametrize(
    "run", [plain_arrays, explained, a_program, tapes_in_one_another, a_failure,
            lambda: tapemagic.value_and_grad(np.sum)(np.eye(3)),
            lambda: tapemagic.jacobian(np.tanh)(np.eye(3)),
            lambda: tapemagic.hvp(lambda x: np.sum(x**3))(np.eye(3), np.eye(3)),
            lambda: tapemagic.jvp(np.tanh, (np.eye(3),), (np.eye(3),)),
            lambda: tapemagic.vjp(np.tanh, np.eye(3))[1](np.eye(3)),
            lambda: tapemagic.value_and_grad(checkpoint(lambda x: np.sum(np.tanh(x))))(np.eye(3)),
            lambda: tapemagic.check_gradient(lambda x: np.sum(x**2), np.eye(3))],
    ids=["plain arrays", "explained", "program", "nested", "failure", "value_and_grad", "jacobian",
         "hvp", "jvp", "vjp", "checkpoint", "check_gradient"],
)  # fmt: skip
def test_nothing_waits_for_the_collector(run):
    """A recording in a circle of references would hold its arrays until somebody collects."""
    run()
    gc.collect()
    gc.disable()
    try:
        before = sum(type(x) is Recording for x in gc.get_objects())
        run()
        assert sum(type(x) is Recording for x in gc.get_objects()) == before
    finally:
        gc.enable()


def test_a_function_that_was_differentiated_is_not_kept():
    def slope(data):
        return tapemagic.grad(lambda x: np.sum(x * data))(np.ones(100))

    data = np.ones(100)
    gone = weakref.ref(data)
    gc.disable()
    try:
        slope(data)
        del data
        assert gone() is None
    finally:
        gc.enable()


def flat(run):
    """Return how many bytes and objects 1,000 runs leave behind, once NumPy's caches are full."""
    tracemalloc.start()
    for _ in range(500):
        run()
    gc.collect()
    bytes_before, objects_before = tracemalloc.get_traced_memory()[0], len(gc.get_objects())
    for _ in range(1000):
        run()
    gc.collect()
    grown = (
        tracemalloc.get_traced_memory()[0] - bytes_before,
        len(gc.get_objects()) - objects_before,
    )
    tracemalloc.stop()
    return grown


def test_1000_runs_leave_nothing_behind():
    x = Variable(np.ones((3, 2)))

    def run():
        with GradientTape() as tape:
            z = np.tanh(x @ x.T)
            z[0] = 1.0
            loss = np.mean(z[1:] ** 2)
        tape.gradient(loss, x)

    grown_bytes, grown_objects = flat(run)
    assert grown_objects <= 20
    assert grown_bytes <= 20_000


def test_1000_jacobians_leave_nothing_behind():
    x = Variable(np.ones(3))

    def run():
        with GradientTape() as tape:
            y = np.tanh(x[1:] * x[:-1])
        tape.jacobian(y, x)

    grown_bytes, grown_objects = flat(run)
    assert grown_objects <= 20
    assert grown_bytes <= 20_000


def test_the_sweep_adds_large_cotangents_in_the_memory_they_have():
    x = Variable(np.ones(100_000))
    with GradientTape() as tape:
        loss = np.sum(x * 2.0 * x)
    tracemalloc.start()
    tape.gradient(loss, x)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak <= 3.1 * x._value.nbytes


@pytest.mark.parametrize(
    "step", [lambda x, M, c: c @ M, lambda x, M, c: x @ M, lambda x, M, c: M @ x,
             lambda x, M, c: M + x, lambda x, M, c: x * c, lambda x, M, c: c - x,
             lambda x, M, c: M**2, lambda x, M, c: np.maximum(M, 0.0), lambda x, M, c: np.tanh(x),
             lambda x, M, c: np.sum(M), lambda x, M, c: np.mean(M, axis=0),
             lambda x, M, c: M.sum(0, keepdims=True)],
    ids=["constant @ M", "x @ M", "M @ x", "broadcasting", "constant factor", "from a constant",
         "square", "maximum", "tanh", "sum", "mean along an axis", "sum method"],
)  # fmt: skip
def test_common_operations_take_a_short_way(step, monkeypatch):
    def general_way(*args):
        raise AssertionError("the general way was taken")

    monkeypatch.setattr(short, "call_primitive", general_way)
    monkeypatch.setattr(short, "call_elementwise", general_way)
    for module in (general, dispatch, traced):
        monkeypatch.setattr(module, "call_elementwise", general_way)
    x, matrix = Variable([0.9, 0.8, 0.7]), Variable(np.full((3, 3), 0.5))
    constant = np.array([1.0, 2.0, 3.0])
    with GradientTape() as tape:
        x, matrix = x * 1.0, matrix * 1.0  # the first read of a variable may take longer
        y = step(x, matrix, constant)
    assert any(ct is not None for ct in tape.gradient(y, [x, matrix]))


def test_a_checkpoint_keeps_its_arguments_only():
    def many(x):
        for _ in range(50):
            x = np.sin(x)
        return np.sum(x)

    def peak(fun):
        x = Variable(np.full(20_000, 0.5))
        tracemalloc.start()
        with GradientTape() as tape:
            y = fun(x)
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return held, tape.gradient(y, x)

    (short, ct), (long, expected) = peak(checkpoint(many)), peak(many)
    np.testing.assert_allclose(ct, expected, rtol=1e-12)
    assert short < long / 10


def test_values_for_the_picture_have_a_budget(monkeypatch):
    monkeypatch.setattr(backward, "KEPT_BYTES", 200_000)
    x = Variable(np.full(10_000, 0.5))
    with GradientTape() as tape:
        y = x
        for _ in range(10):
            y = np.sin(y)
        loss = np.sum(y)
    tape.gradient(loss, x)
    kept = [ct for ct in tape.cotangents.values() if np.ndim(ct)]
    assert 1 <= len(kept) <= 3
    assert any(ct is None for ct in tape.cotangents.values())


def test_a_sum_does_not_keep_what_it_adds_up():
    x = Variable(np.ones(10_000))
    tracemalloc.start()
    with GradientTape() as tape:
        loss = 0.0
        for k in range(40):
            y = x + k
            loss = loss + np.sum(y) + np.mean(y)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5 * 80_000
    np.testing.assert_allclose(tape.gradient(loss, x), np.full(10_000, 40 + 40 / 10_000))


def test_no_rule_reads_a_result_that_is_not_kept():
    """What a rule only asks for its shape is not saved: of operands a stand-in tells, of results no."""
    importlib.import_module("tapemagic.autodiff.twins.modules")
    for primitive in set(PRIMITIVES):
        skip = 1 + bool(primitive.variadic)
        rules = [primitive.variadic] if primitive.variadic else primitive.vjps
        for rule, saved in zip(rules, primitive.saves, strict=False):
            code = getattr(rule, "__code__", None)
            if primitive.kind != "elementwise" and code is not None and code.co_argcount > skip:
                name = code.co_varnames[skip]
                loads = [step for step in dis.get_instructions(code) if "LOAD" in step.opname]
                read = any(name in np.atleast_1d(step.argval).tolist() for step in loads)
                assert not read or "y" in saved, primitive
