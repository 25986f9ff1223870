"""Summaries of arrays against NumPy itself."""

import math

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapemagic.graph.summary import KEPT_VALUES, ArraySummary

FLOATS = hnp.arrays(
    st.sampled_from([np.float64, np.float32]),
    hnp.array_shapes(min_dims=0, max_dims=3, max_side=6),
    elements=st.floats(-1e6, 1e6, width=32),
)


@given(FLOATS)
def test_statistics_are_those_of_numpy(array):
    summary = ArraySummary.of(array)
    wide = array.astype(np.float64)
    assert summary.shape == array.shape
    assert summary.dtype == str(array.dtype)
    assert summary.minimum == pytest.approx(wide.min(), rel=1e-5)
    assert summary.maximum == pytest.approx(wide.max(), rel=1e-5)
    assert summary.norm == pytest.approx(np.linalg.norm(wide), rel=1e-5, abs=1e-300)
    assert summary.zeros == int((array == 0).sum())
    assert len(summary.values) == min(array.size, KEPT_VALUES)


@pytest.mark.parametrize(
    ("value", "facts"),
    [
        (np.array([1.0, math.nan, math.inf, 0.0]), {"nans": 1, "infinities": 1, "zeros": 1}),
        (np.zeros((0, 3)), {"norm": None, "minimum": None, "text": "empty (0, 3)"}),
        (np.array([1e200, 1e200]), {"norm": 1.41421e200}),
        (np.array([1e-200, 1e-200]), {"norm": 1.41421e-200}),
        (np.array([3 + 4j]), {"norm": 5.0, "minimum": None}),
        (np.array([True, False]), {"zeros": 1, "dtype": "bool"}),
        (2.5, {"text": "2.5", "shape": ()}),
        (-0.0, {"text": "0"}),
        (np.eye(2), {"text": "[[1, 0], [0, 1]]"}),
        ("words", {"text": "str", "norm": None}),
        (np.array([{}, None]), {"text": "ndarray"}),
        (None, {"text": "NoneType"}),
    ],
)
def test_corner_cases(value, facts):
    summary = ArraySummary.of(value)
    assert {key: getattr(summary, key) for key in facts} == facts


def test_an_object_that_refuses_is_named():
    class Refuses:
        def __array__(self, *args, **kwargs):
            raise RuntimeError("no")

    assert ArraySummary.of(Refuses()).text == "Refuses"


@pytest.mark.parametrize(
    ("value", "finite", "zero"),
    [
        ([0.0, 0.0], True, True),
        ([0.0, 1.0], True, False),
        ([math.inf], False, False),
        ([], True, False),
    ],
)
def test_states(value, finite, zero):
    summary = ArraySummary.of(np.array(value))
    assert (summary.is_finite, summary.is_zero) == (finite, zero)


def test_no_array_is_kept():
    import weakref

    array = np.arange(1000.0)
    alive = weakref.ref(array)
    summary = ArraySummary.of(array)
    del array
    assert alive() is None
    assert summary.values[:3] == (0.0, 1.0, 2.0)
