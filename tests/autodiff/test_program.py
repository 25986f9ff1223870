"""A run as a NumPy program: the text runs without us and gives the tape's gradient, or refuses."""

import importlib
import itertools
import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from autodiff.loop_cells import LOOPS
from autodiff.program_cells import CELLS

import tapemagic
from tapemagic import GradientTape, Variable
from tapemagic.autodiff.calls import dispatch
from tapemagic.errors import TapeError, TapeUseError

PARTS = 6  # of the rules, so that no test takes long
RULES = sorted(Path(__file__).parent.glob("rules/test_*.py"))

#: Reads programs with their inputs, runs them where tapemagic cannot be imported, writes results.
ELSEWHERE = """
import pickle, sys
sys.modules["tapemagic"] = None
jobs = pickle.load(sys.stdin.buffer)
results = []
for text, inputs in jobs:
    scope = {}
    exec(text, scope)
    results.append(scope["value_and_gradient"](**inputs))
sys.stdout.buffer.write(pickle.dumps(results))
"""


def run_elsewhere(jobs):
    done = subprocess.run(
        [sys.executable, "-I", "-c", ELSEWHERE], input=pickle.dumps(jobs), capture_output=True,
        check=False,
    )  # fmt: skip
    assert not done.returncode, done.stderr.decode()
    return pickle.loads(done.stdout)


def record(fun, inputs):
    sources = [Variable(x, name=f"a{i}") for i, x in enumerate(inputs)]
    with GradientTape(persistent=True) as tape:
        target = fun(*sources)
    return tape, target, sources


def assert_gradients(got, expected):
    for x, y in zip(got, expected, strict=True):
        assert (x is None) == (y is None)
        if y is not None:
            assert type(x) is type(y)
            assert x.dtype == y.dtype
            np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("cell", "inputs"), CELLS + LOOPS, ids=lambda x: getattr(x, "__name__", "")
)
def test_cell(cell, inputs):
    tape, target, sources = record(cell, inputs)
    program = tape.program(target, sources)
    (here,) = run_elsewhere([(str(program), {**program.inputs, **program.constants})])
    np.testing.assert_allclose(here[0], dispatch.plain(target), rtol=1e-12)
    assert_gradients(here[1:], tape.gradient(target, sources))
    new = [np.asarray(x + 1e-4)[()] for x in inputs]
    got = program(**{f"a{i}": x for i, x in enumerate(new)})
    tape, target, sources = record(cell, new)
    np.testing.assert_allclose(got[0], dispatch.plain(target), rtol=1e-12)
    assert_gradients(got[1:], tape.gradient(target, sources))


def rows():
    for path in RULES:
        module = importlib.import_module(f"autodiff.rules.{path.stem}")
        for table in list(vars(module).values()):
            if isinstance(table, list):
                yield from (case for case in table if type(case).__name__ == "Row")


def weighted(case):
    """Return the function that makes one real number of a row's results."""

    def fun(*xs):
        rng, total = np.random.default_rng(1), 0.0
        y = case.fun(*xs)
        for z in y if isinstance(y, (tuple, list)) else [y]:
            if np.asarray(dispatch.plain(z)).dtype.kind in "fc":
                total = total + np.sum(np.real(z * rng.normal(size=np.shape(z))))
                if np.iscomplexobj(dispatch.plain(z)):
                    total = total + np.sum(np.imag(z))
        return total

    return fun


#: Factors of sparse matrices, objects that no NumPy source can spell, are refused aloud.
SPARSE = re.compile("splu|spilu|factorized")


@pytest.mark.parametrize("part", range(PARTS))
def test_every_rule(part):
    jobs, expected, refused = [], [], []
    for case in itertools.islice(rows(), part, None, PARTS):
        tape, target, sources = record(weighted(case), case.inputs)
        try:
            program = tape.program(target, sources)
        except TapeUseError:
            if not SPARSE.match(case.name):
                refused.append(case.name)
            continue
        jobs.append((str(program), {**program.inputs, **program.constants}))
        expected.append(tape.gradient(target, sources))
    assert len(jobs) > 1000 / PARTS
    assert len(refused) <= 0.03 * len(jobs), refused  # constant targets, SciPy's private functions
    for result, gradients in zip(run_elsewhere(jobs), expected, strict=True):
        assert_gradients(result[1:], gradients)


def test_another_branch_is_refused_with_its_line():
    def fun(x):
        if x.sum() > 0:
            return np.sum(x**2)
        return np.sum(x)

    tape, target, sources = record(fun, [np.ones(3)])
    program = tape.program(target, sources)
    with pytest.raises(TapeError, match=r"line \d+: if x.sum\(\) > 0"):
        program(a0=-np.ones(3))
    assert program(a0=2 * np.ones(3))[0] == 12


@pytest.mark.parametrize(
    "fun",
    [
        lambda x: x[int(x[0])] * x.sum(),
        lambda x: np.sum(x[x > 0.5]),
        lambda x: np.sum(np.unique(x) * 2.0),
        lambda x: np.sum(x * (x > 0.5).sum()),
        lambda x: np.sum(x * np.sin(tapemagic.stop_gradient(x))),
        lambda x: sum(t for t in x if t > 0.5),
        lambda x: max(x[0], x[1]) * x[2],
        lambda x: np.sum(np.extract(x > 0.5, x)),
    ],
)
def test_what_plain_code_may_have_used_is_checked(fun):
    tape, target, sources = record(fun, [np.array([1.0, 0.0, 2.0])])
    program = tape.program(target, sources)
    np.testing.assert_allclose(program()[0], dispatch.plain(target))
    with pytest.raises(TapeError):
        program(a0=np.array([0.2, 1.9, 0.1]))


def test_a_mask_that_only_where_reads_may_change():
    tape, target, sources = record(lambda x: np.sum(np.where(x > 0, x, 3 * x)), [np.ones(2)])
    value, gradient = tape.program(target, sources)(a0=np.array([1.0, -1.0]))
    assert value == -2
    np.testing.assert_array_equal(gradient, [1, 3])


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"b": np.ones(3)}, "not an input"),
        ({"a0": np.ones(4)}, "shape"),
        ({"a0": np.ones(3, complex)}, "dtype"),
        ({"a0": "text"}, "shape"),
    ],
)
def test_inputs_that_do_not_fit(inputs, message):
    tape, target, sources = record(lambda x: np.sum(x**2), [np.ones(3)])
    with pytest.raises(TapeUseError, match=message):
        tape.program(target, sources)(**inputs)


def test_the_text_has_names_and_lines():
    w, x = Variable(np.ones(3)), np.arange(300.0).reshape(100, 3)
    with GradientTape() as tape:
        z = x @ w
        loss = np.sum(z * z)
    text = str(tape.program(loss, w))
    assert "def value_and_gradient(w, *, x):" in text
    assert "z = x @ w" in text
    assert ": loss = np.sum(z * z)" in text
    tape.gradient(loss, w)  # the program has not used the tape up


def test_what_nobody_needs_is_left_out_and_nothing_is_done_twice():
    def fun(x):
        np.sin(x)
        return np.sum(np.exp(x) * np.exp(x))

    tape, target, sources = record(fun, [np.ones(3)])
    text = str(tape.program(target, sources))
    body = [row for row in text.splitlines() if "#" not in row]
    assert not any("np.sin" in row for row in body)
    assert sum(row.count("np.exp") for row in body) == 1


def test_results_are_nobody_elses_memory():
    tape, target, sources = record(lambda x, y: np.sum(x + y), [np.ones(3), np.ones(3)])
    program = tape.program(target, sources)
    _, first, second = program()
    first[:] = 7
    assert second[0] == 1
    assert program()[1][0] == 1


def test_large_arrays_lend_their_memory():
    def fun(x):
        y = np.exp(np.cumsum(x) / x.size)
        z = np.sin(y)
        return np.sum(np.cumsum(z * x))

    tape, target, sources = record(fun, [np.linspace(0, 1, 10**5)])
    program = tape.program(target, sources)
    before = sources[0]._value.copy()
    assert_gradients(program()[1:], tape.gradient(target, sources))
    np.testing.assert_array_equal(sources[0]._value, before)
    assert "out=" in str(program)
