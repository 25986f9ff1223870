import numpy as np
import pytest

from tapemagic.autodiff.avals import AVALS, code_of, fit, full, is_small


@pytest.mark.parametrize(
    ("value", "shape", "dtype"),
    [
        (1.0, (), float), (1j, (), complex), (np.float32(1), (), np.float32), (np.ones(3), (3,), float),
        (np.ones((2, 0), np.float16), (2, 0), np.float16), (np.ones((), complex), (), complex),
    ],
)  # fmt: skip
def test_code_of(value, shape, dtype):
    aval = AVALS[code_of(value)]
    assert (aval.shape, aval.dtype) == (shape, np.dtype(dtype))
    assert code_of(value) == aval.code
    assert aval.is_complex == (np.dtype(dtype).kind == "c")


def test_codes_tell_kinds_apart():
    assert len({code_of(1.0), code_of(np.float64(1)), code_of(np.array(1.0))}) == 3


def test_closed_codes_are_positive():
    for value in (1.0, np.float64(1), np.ones(3), np.float32(1)):
        assert code_of(value) > 0
    for value in (1j, np.array(1.0), np.ones(3, complex)):  # array(1.) + array(1.) is a scalar
        assert code_of(value) < 0


def test_is_small():
    assert is_small(code_of(np.ones(64)))
    assert not is_small(code_of(np.ones(65)))
    assert is_small(code_of(np.ones(64, complex)))
    assert not is_small(code_of(np.ones(65, complex)))


@pytest.mark.parametrize("shape", [(), (3,), (1, 3), (2, 1), (2, 3), (4, 2, 3), (1,)])
@pytest.mark.parametrize("operand", [(), (3,), (1, 3), (2, 1), (2, 3), (1,)])
def test_fit_is_the_adjoint_of_broadcasting(operand, shape):
    if np.broadcast_shapes(operand, shape) != shape and len(shape) > len(operand):
        return
    try:
        whole = np.broadcast_shapes(operand, shape)
    except ValueError:
        return
    ct = np.broadcast_to(np.cos(np.arange(24.0))[: int(np.prod(whole))].reshape(whole), whole)
    x = np.sin(np.arange(24.0))[: int(np.prod(operand))].reshape(operand)
    aval = AVALS[code_of(x)]
    found = full(fit(ct, aval), aval)
    assert np.shape(found) == operand
    assert np.sum(found * x) == pytest.approx(np.sum(ct * np.broadcast_to(x, whole)))


def test_fit_changes_precision_and_takes_the_real_part():
    aval = AVALS[code_of(np.ones(2, np.float32))]
    assert fit(np.ones(2), aval).dtype == np.float32
    assert fit(np.array([1 + 2j, 3j]), aval).tolist() == [1.0, 0.0]
    assert fit(1 + 2j, AVALS[code_of(1.0)]) == 1.0


def test_full_makes_numbers_numpys():
    assert type(full(1.0, AVALS[code_of(1.0)])) is np.float64
    assert full(2.0, AVALS[code_of(np.ones((2, 3)))]).shape == (2, 3)
