"""What a script can watch, and what it is told of the rest."""

import re

import numpy as np
import pandas as pd
import pytest

import tapemagic
from tapemagic import GradientTape
from tapemagic.errors import SourceError


class Own(np.ndarray):
    """An array that may compute in any way."""


#: What computes in its own way, and the call that makes a plain array of it.
OWN_WAYS = (
    (np.ones((2, 2)).view(np.matrix), ".view(np.ndarray)"),
    (np.ma.array([1.0, 2.0, 3.0], mask=[0, 1, 0]), ".filled(0)"),
    (np.array([1.0, 2.0]).view(Own), ".view(np.ndarray)"),
    (pd.Series([1.0, 2.0]), ".to_numpy()"),
)


@pytest.mark.parametrize(("x", "fix"), OWN_WAYS, ids=lambda x: type(x).__name__)
def test_what_computes_in_its_own_way_is_refused(x, fix):
    original, kind = x, type(x).__name__
    with (
        pytest.raises(SourceError, match=f"A {kind} cannot be watched") as caught,
        GradientTape() as tape,
    ):
        tape.watch(x)
    assert x is original
    assert caught.value.code == "tape.watch(x)"
    assert type(eval(f"x{fix}")) is np.ndarray
    assert caught.value.fix.endswith(f"x = x{fix}.")


@pytest.mark.parametrize(("x", "fix"), OWN_WAYS, ids=lambda x: type(x).__name__)
def test_nor_is_it_an_argument_to_differentiate_by(x, fix):
    for ask in (tapemagic.value_and_grad, tapemagic.jacobian, tapemagic.hessian):
        with pytest.raises(SourceError, match=f"A {type(x).__name__} cannot be watched"):
            ask(np.sum)(x)
    with pytest.raises(SourceError, match=re.escape(fix)):
        tapemagic.vjp(np.sum, [x])
    with pytest.raises(SourceError, match=re.escape(fix)):
        tapemagic.jvp(np.sum, (x,), (np.ones(x.shape),))


@pytest.mark.parametrize("x", [np.zeros(2, "f8,i4"), np.array([1.0], object), np.array(["a"])])
def test_a_dtype_without_derivatives_is_named(x):
    with pytest.raises(SourceError, match=re.escape(f"dtype {x.dtype} ")), GradientTape() as tape:
        tape.watch(x)
