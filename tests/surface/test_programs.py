"""Programs of second derivatives, of every entry, with inputs near those of the run.

A program gives what the cell gives with these inputs. It refuses only where their values decide
more than a comparison does.
"""

import warnings

import numpy as np
import pytest
from surface.comparing import run_plain, run_taped, second_gradients, total
from surface.entries import CARRIED, INPUTS, Program, program_of
from surface.test_keywords import PROGRAMS as WITH_KEYWORDS
from surface.test_keywords import REFUSED

from tapemagic import GradientTape
from tapemagic.autodiff.borrowing.borrowed import Borrowed
from tapemagic.autodiff.lookup import ids_of
from tapemagic.errors import TapeError

pytestmark = pytest.mark.slow

#: What in the text of an entry may make its program refuse, and why.
MAY_REFUSE = {
    "intersect1d": "elements are the same in two arrays", "setdiff1d": "the same",
    "setxor1d": "the same", "isclose": "the same", "arange": "how many numbers there are",
    "corrcoef": "its ones lie on the border of a clip", "hist": "the largest is on an edge",
    "nan_to_num": "what was nan is a constant", "sqrt(A)": "the gradient has a nan",
    "kaiser": "the gradient is saved from a nan by hand", "left=s": "points out of order",
    "period=2.0": "where the period begins",
}  # fmt: skip


def recorded(program, inputs):
    with GradientTape(persistent=True) as outer:
        handles = {name: outer.watch(Borrowed().lift(x)) for name, x in inputs.items()}
        sources = list(handles.values())
        with GradientTape() as inner:
            watched = {name: inner.watch(x) for name, x in handles.items()}
            inner_sources = list(watched.values())
            target = total(run_taped(program, watched), power=2)
        slope = total(inner.gradient(target, inner_sources, unconnected_gradients="zero"))
    return outer, slope, sources


def moved(x, rng):
    if np.asarray(x).dtype.kind not in "fc":
        return x
    return x * (1 + 1e-4 * rng.normal(size=np.shape(x)))


def check(text, program):
    inputs = {name: np.copy(INPUTS[name])[()] for name in program.names}
    try:
        run_plain(program, inputs)
    except Exception as error:
        pytest.skip(f"{type(error).__name__} in plain NumPy as well")
    tape, slope, sources = recorded(program, inputs)
    if not ids_of(tape, slope, as_target=True):
        return  # no second derivative
    rng = np.random.default_rng(0)
    new = {name: moved(x, rng) for name, x in inputs.items()}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = tape.program(slope, sources)
            _, *found = made(**dict(zip(made.inputs, new.values(), strict=True)))
    except TapeError:
        assert any(word in text for word in MAY_REFUSE)
        return
    single = {"rtol": 1e-3, "atol": 1e-3} if "float32" in text else {"rtol": 1e-7, "atol": 1e-9}
    for ct, want in zip(found, second_gradients(program, new).values(), strict=True):
        np.testing.assert_allclose(np.zeros_like(want) if ct is None else ct, want, **single)


@pytest.mark.parametrize("name", CARRIED)
def test_entry(name):
    check(name, program_of(name))


@pytest.mark.parametrize("text", WITH_KEYWORDS)
def test_keyword(text):
    if text in REFUSED:
        pytest.skip("refused aloud")
    check(text, Program(text))
