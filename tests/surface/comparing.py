"""Compare a program on the tape with plain NumPy: results bit for bit, gradients by differences."""

import warnings

import numpy as np
from surface.entries import in_a_cell

from tapemagic import GradientTape
from tapemagic.autodiff.borrowing.borrowed import Borrowed
from tapemagic.autodiff.calls import dispatch


def leaves(y):
    """The numbers and arrays in nested results, in order."""
    if isinstance(y, (tuple, list)):
        return [leaf for item in y for leaf in leaves(item)]
    return [y]


def weights(shape, which):
    return np.random.RandomState(7 + which).normal(size=shape)


def total(result, power=1):
    """A weighted sum of the real and imaginary parts of all results, each to some power."""
    found = 0.0
    for which, y in enumerate(leaves(result)):
        value = np.asarray(dispatch.plain(y))
        parts = (np.real(y), np.imag(y)) if value.dtype.kind == "c" else (y,)
        for k, part in enumerate(parts):
            if value.dtype.kind in "fcO":
                terms = np.multiply(np.power(part, power), weights(value.shape, 2 * which + k))
                found = found + np.sum(terms)
    return found


def run_plain(program, inputs):
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return program.plain(**inputs)


def run_taped(program, handles):
    with in_a_cell(), np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return program.taped(**handles)


def gradients(program, inputs, power=1):
    """Gradients of `total` by name, zeros where it does not depend on an input; plain results."""
    with GradientTape() as tape:
        handles = {name: tape.watch(Borrowed().lift(x)) for name, x in inputs.items()}
        sources = dict(handles)
        result = run_taped(program, handles)
        target = total(result, power)
    results = [dispatch.plain(y) for y in leaves(result)]
    found = tape.gradient(target, list(sources.values()), unconnected_gradients="zero")
    return dict(zip(inputs, found, strict=True)), results


def second_gradients(program, inputs):
    """Gradients of a weighted sum of the gradients of the sum of squares."""
    with GradientTape() as outer:
        handles = {name: outer.watch(Borrowed().lift(x)) for name, x in inputs.items()}
        sources = dict(handles)
        with GradientTape() as inner:
            inner_handles = {name: inner.watch(x) for name, x in handles.items()}
            inner_sources = list(inner_handles.values())
            target = total(run_taped(program, inner_handles), power=2)
        found = inner.gradient(target, inner_sources, unconnected_gradients="zero")
        slope = total(found)
    found = outer.gradient(slope, list(sources.values()), unconnected_gradients="zero")
    return dict(zip(inputs, found, strict=True))


def moved(inputs, name, where, step):
    """Copies of the inputs, one element of one of them moved; memory layouts stay."""
    x = inputs[name]
    array = np.array(x, order="C")
    array[where] += step
    return {**inputs, name: relaid(array, x) if isinstance(x, np.ndarray) else type(x)(array[()])}


def relaid(values, like):
    """The values, in memory as another array is."""
    if like.flags.c_contiguous or 0 in like.strides or not like.size:
        return values
    if like.flags.f_contiguous:
        return np.asfortranarray(values)
    steps = tuple(-1 if stride < 0 else 2 for stride in like.strides)
    return spread(values, steps)


def spread(values, steps):
    """A view, with these steps into a larger or reversed array, that has the values."""
    room = tuple(n * abs(step) for n, step in zip(values.shape, steps, strict=True))
    view = np.full(room, np.nan, values.dtype)[tuple(slice(None, None, step) for step in steps)]
    view[...] = values
    return view


def differences(function, inputs, name, step=1e-6):
    """Central differences of a number; complex inputs: ``d/dre + i d/dim``.

    nan where the differences to both sides do not agree: the derivative does not exist.
    """
    x = np.asarray(inputs[name])
    slope = np.zeros(x.shape, np.result_type(x.dtype, float))
    middle = function(inputs)
    coarse = step > 1e-4  # then curvature makes the sides differ
    for where in np.ndindex(x.shape):
        for unit in (1, 1j) if x.dtype.kind == "c" else (1,):
            up = function(moved(inputs, name, where, unit * step))
            down = function(moved(inputs, name, where, -unit * step))
            right, left = (up - middle) / step, (middle - down) / step
            if not coarse and abs(right - left) > 1e-3 * max(1, abs(right), abs(left)):
                slope[where] = np.nan
            else:
                slope[where] += unit * (up - down) / (2 * step)
    return slope


def assert_same(got, want):
    """Assert that results are the same to a user: type, dtype, shape and every bit."""
    assert len(got) == len(want)
    for a, b in zip(got, want, strict=True):
        assert type(a) is type(b), (type(a), type(b))
        if isinstance(b, (np.ndarray, np.generic)):
            assert a.dtype == b.dtype
            assert a.shape == b.shape
            np.testing.assert_array_equal(a, b)
        else:
            assert a == b or (a != a and b != b)


def assert_slopes(found, function, inputs, *, step=1e-6, rtol=2e-6, atol=2e-7):
    """Assert that gradients agree with the differences of a function of the inputs.

    Returns
    -------
    dict of ndarray
        The differences.
    """
    slopes = {}
    for name, got in found.items():
        x = inputs[name]
        slope = slopes[name] = differences(function, inputs, name, step)
        assert np.shape(got) == np.shape(x), name
        assert np.asarray(got).dtype == np.asarray(x).dtype, name
        smooth = ~np.isnan(slope)
        np.testing.assert_allclose(
            np.asarray(got)[smooth], slope[smooth], rtol=rtol, atol=atol, err_msg=name
        )
    return slopes


def plain_total(program):
    return lambda inputs: float(total(run_plain(program, inputs)))


def follow(program, inputs, **tolerances):
    """Compare results and gradients; return the differences."""
    found, results = gradients(program, inputs)
    assert_same(results, leaves(run_plain(program, inputs)))
    return assert_slopes(found, plain_total(program), inputs, **tolerances)
