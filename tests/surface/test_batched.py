"""Jacobians of every entry and of its gradient: at once and forwards, as one sweep per element.

The same for the programs that give functions their keywords.
"""

import numpy as np
import pytest
from surface.comparing import leaves, run_plain, run_taped, total
from surface.entries import CARRIED, INPUTS, Program, program_of
from surface.test_keywords import PROGRAMS as WITH_KEYWORDS
from surface.test_keywords import REFUSED

from tapemagic import GradientTape
from tapemagic.autodiff import jacobians
from tapemagic.autodiff.backward import has_nan
from tapemagic.autodiff.borrowing.borrowed import Borrowed
from tapemagic.autodiff.calls.dispatch import is_traced
from tapemagic.autodiff.lookup import ids_of

pytestmark = pytest.mark.slow

DOUBLE = {"rtol": 1e-9, "atol": 1e-11}
SINGLE = {"rtol": 1e-4, "atol": 1e-4}


def assert_every_way(tape, targets, sources, tolerances):
    """Compare the ways to the Jacobians of what is a float array among the targets."""
    ids = [ids_of(tape, x) for x in sources]
    for y in leaves(targets):
        if not (is_traced(y) and np.ndim(y) and y.size) or y.dtype.kind != "f":
            continue
        (*_, top) = ids_of(tape, y, as_target=True) or [None]
        if top is None:
            continue
        rows = [tape._sweep({top: seed}, ids) for seed in jacobians._unit_seeds(y.shape, y.dtype)]
        with np.errstate(all="ignore"):
            ways = [jacobians._swept_at_once(tape, top, ids)]
            if not any(x.dtype.kind == "c" for x in sources):
                ways.append(jacobians._swept_forward(tape, top, ids))
        for found in ways:
            for i, block in enumerate(found):
                shape = np.shape(sources[i])
                want = [np.zeros(shape) if row[i] is None else row[i] for row in rows]
                got = np.zeros((y.size, *shape)) if block is None else block
                if not has_nan(got):  # what holds one is done again, row by row
                    np.testing.assert_allclose(got, want, **tolerances)


def inputs_for(program):
    return {name: np.copy(INPUTS[name])[()] for name in program.names}


def watch_all(tape, inputs):
    return {name: tape.watch(Borrowed().lift(x)) for name, x in inputs.items()}


def check_jacobian(program, tolerances=DOUBLE):
    inputs = inputs_for(program)
    with GradientTape(persistent=True) as tape:
        handles = watch_all(tape, inputs)
        sources = list(handles.values())
        result = run_taped(program, handles)
    assert_every_way(tape, result, sources, tolerances)


def check_jacobian_of_the_gradient(program, tolerances=DOUBLE):
    inputs = inputs_for(program)
    with GradientTape(persistent=True) as outer:
        handles = watch_all(outer, inputs)
        with GradientTape() as inner:
            watched = {name: inner.watch(x) for name, x in handles.items()}
            sources = list(watched.values())
            target = total(run_taped(program, watched), power=2)
        gradients = inner.gradient(target, sources)
    assert_every_way(outer, gradients, list(handles.values()), tolerances)


CHECKS = [check_jacobian, check_jacobian_of_the_gradient]


@pytest.mark.parametrize("name", CARRIED)
@pytest.mark.parametrize("check", CHECKS)
def test_entry(check, name):
    check(program_of(name))


@pytest.mark.parametrize("text", WITH_KEYWORDS)
@pytest.mark.parametrize("check", CHECKS)
def test_keyword(check, text):
    program = Program(text)
    try:
        run_plain(program, inputs_for(program))
    except Exception as error:
        pytest.skip(f"{type(error).__name__} in plain NumPy as well")
    if text in REFUSED:
        pytest.skip("refused aloud")
    check(program, SINGLE if "float32" in text else DOUBLE)
