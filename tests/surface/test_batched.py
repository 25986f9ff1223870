"""Jacobians of every entry and of its gradient: at once and forwards, as one sweep per element."""

import numpy as np
import pytest
from surface.comparing import leaves, run_taped, total
from surface.entries import CARRIED, inputs_of, program_of

from tapemagic import GradientTape
from tapemagic.autodiff import jacobians
from tapemagic.autodiff.borrowing.borrowed import Borrowed
from tapemagic.autodiff.calls.dispatch import is_traced

pytestmark = pytest.mark.slow


def assert_every_way(tape, targets, sources):
    """Compare the ways to the Jacobians of what is a float array among the targets."""
    ids = [tape._ids_of(x) for x in sources]
    for y in leaves(targets):
        if not (is_traced(y) and np.ndim(y) and y.size) or y.dtype.kind != "f":
            continue
        (*_, top) = tape._ids_of(y, as_target=True) or [None]
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
                np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", CARRIED)
def test_jacobian(name):
    inputs = inputs_of(name)
    with GradientTape(persistent=True) as tape:
        handles = {key: tape.watch(Borrowed().lift(x)) for key, x in inputs.items()}
        sources = list(handles.values())
        result = run_taped(program_of(name), handles)
    assert_every_way(tape, result, sources)


@pytest.mark.parametrize("name", CARRIED)
def test_jacobian_of_the_gradient(name):
    inputs = inputs_of(name)
    with GradientTape(persistent=True) as outer:
        handles = {key: outer.watch(Borrowed().lift(x)) for key, x in inputs.items()}
        with GradientTape() as inner:
            watched = {key: inner.watch(x) for key, x in handles.items()}
            inner_sources = list(watched.values())
            target = total(run_taped(program_of(name), watched), power=2)
        gradients = inner.gradient(target, inner_sources)
    assert_every_way(outer, gradients, list(handles.values()))
