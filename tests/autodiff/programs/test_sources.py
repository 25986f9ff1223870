"""The inputs of a program: sources that are parts of one array, and what may be given for them."""

import copy
import itertools
import pickle

import numpy as np
import pytest

from tapemagic import GradientTape, Variable, grad
from tapemagic.errors import LeavesTapeError, TapeUseError

NEW = np.array([[2.0, 3.0], [4.0, 5.0], [7.0, 8.0]])


def pairwise(a, q, k, v):
    return (q * k * k).sum() + v @ k


def by_the_base(a, q, k, v):
    return a[1, 0] * q[0] + (a**2).sum() + v @ v


def written(a, q, k, v):
    a[:, 1] *= q[0]
    return (a**2).sum() + k @ v


@pytest.mark.parametrize("cell", [pairwise, by_the_base, written])
@pytest.mark.parametrize("watched", ["qkv", "qv", "k", "vkq"])
def test_views_of_one_array(cell, watched):
    a = np.arange(1.0, 7.0).reshape(3, 2)
    parts = dict(zip("qkv", a, strict=True))
    sources = [parts[name] for name in watched]
    with GradientTape(persistent=True) as tape:
        tape.watch(sources)
        loss = cell(a, *parts.values())
    tape.gradient(loss, sources)
    assert tape.check().ok
    a = np.arange(1.0, 7.0).reshape(3, 2)
    rows = dict(zip("qkv", range(3), strict=True))
    new = {f"x{i + 1}": NEW[rows[name]] for i, name in enumerate(watched)}
    found = tape.program(loss, sources)(**new)
    for name in watched:
        a[rows[name]] = NEW[rows[name]]
    start = a.copy()
    assert found[0] == pytest.approx(cell(a, *a))
    for name, ct in zip(watched, found[1:], strict=True):
        for j in range(2):
            steps = []
            for h in (1e-4, -1e-4):
                b = start.copy()
                b[rows[name], j] += h
                steps.append(cell(b, *b))
            assert ct[j] == pytest.approx((steps[0] - steps[1]) / 2e-4)


def program_of(cell, *sources):
    with GradientTape(persistent=True) as tape:
        target = cell(*sources)
    return tape.program(target, list(sources))


@pytest.fixture
def cubes():
    return program_of(lambda x: np.sum(x**3), Variable(np.ones(3), name="x"))


def test_values_on_a_tape_are_refused(cubes):
    with pytest.raises(LeavesTapeError, match=r"line \d+"):
        grad(lambda x: cubes(x=x)[0])(np.ones(3))
    x = Variable(np.ones(3))
    with GradientTape(), pytest.raises(LeavesTapeError, match="computes with plain arrays"):
        cubes(x=x)
    assert cubes(x=x)[0] == 3


@pytest.mark.parametrize("x", [np.ma.array([1.0, 2, 3], mask=[0, 1, 0]), np.matrix([[1.0, 2, 3]])])
def test_arrays_that_compute_in_another_way_are_refused(cubes, x):
    with pytest.raises(TapeUseError, match="compute with plain arrays"):
        cubes(x=x)


def test_a_source_that_is_named_twice_is_one_input():
    x = Variable(np.ones(3), name="x")
    with GradientTape(persistent=True) as tape:
        y = np.sum(x**2)
    value, *gradients = tape.program([y, y], [x, x])(x=[1, 2, 3])
    assert value == 28
    for ct, other in itertools.permutations(gradients):
        np.testing.assert_array_equal(ct, [4, 8, 12])
        assert not np.shares_memory(ct, other)


@pytest.mark.parametrize("name", ["lambda", "self", "np", "range", "int", "OtherWay", "ª", "²", ""])
def test_any_name_of_a_variable_will_do(name):
    kept = [Variable(np.ones(3), name=name)]  # no name in the code
    with GradientTape(persistent=True) as tape:
        y = kept[0]
        for _ in range(20):
            y = np.sin(y) * int(kept[0][0] * 1.5)
    program = tape.program(y, kept)
    assert "    for i in " in str(program)
    (known,) = program.inputs
    np.testing.assert_allclose(program(**{known: np.ones(3)})[1], tape.gradient(y, kept)[0])


@pytest.mark.parametrize("persistent", [True, False])
def test_a_program_may_be_made_in_the_block(persistent):
    x = Variable(np.ones(3), name="x")
    with GradientTape(persistent=persistent) as tape:
        program = tape.program(np.sum(x**2), x)
    np.testing.assert_array_equal(program(x=[1, 2, 3])[1], [2, 4, 6])


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_copies(cubes, again):
    for program in (cubes, again(cubes)):
        copied = again(program)
        assert str(copied) == str(cubes)
        assert copied(x=[1, 2, 3])[0] == 36
