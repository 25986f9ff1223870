"""Run a small program on plain NumPy and on the tape, and compare values and gradients."""

import cmath
import math
import statistics
import textwrap

import numpy as np

from tapemagic import GradientTape
from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.twins import modules

INPUTS = {
    "x": np.array([-1.3, -0.4, 0.2, 0.9, 1.7]),
    "y": np.array([0.6, -1.1, 2.3, 0.35, -0.75]),
    "p": np.array([0.3, 0.8, 1.5, 2.6, 1.1]),
    "r": np.array([0.7, -1.1, 1.9]),
    "A": np.array([[0.5, -1.3, 2.0], [1.1, 0.3, -0.7]]),
    "M": np.array([[2.0, 0.5, -0.3], [0.4, 1.6, 0.2], [-0.1, 0.7, 1.9]]),
    "T": np.linspace(-1.0, 1.4, 12).reshape(2, 3, 2),
    "s": np.float64(0.7),
    "h": 0.3,
}
PLAIN = {"np": np, "math": math, "cmath": cmath, "statistics": statistics}
TWINS = {
    "np": modules.numpy_twin, "math": modules.math_twin, "cmath": modules.cmath_twin,
    "statistics": modules.statistics_twin,
}  # fmt: skip


def compile_program(text, namespace):
    """Make a function of the inputs; the last line is what it returns."""
    *lines, last = [line.strip() for line in text.split(";")]
    body = textwrap.indent("\n".join([*lines, f"return {last}"]), "    ")
    scope = {**namespace, "convert": modules.convert}
    exec(f"def program({', '.join(INPUTS)}):\n{body}", scope)
    return scope["program"]


def fresh_inputs():
    return {name: np.array(x) if np.ndim(x) else x for name, x in INPUTS.items()}


def leaves(y):
    """The numbers and arrays in nested results, in order."""
    if isinstance(y, (tuple, list)):
        return [leaf for item in y for leaf in leaves(item)]
    return [y]


def total(ys):
    """A weighted sum of all results: weights, so that no two elements count the same."""
    rng = np.random.RandomState(7)
    result = 0.0
    for y in ys:
        value = np.asarray(dispatch.plain(y))
        first, second = rng.normal(size=(2, *value.shape))
        if value.dtype.kind == "c":
            result = result + np.sum(np.real(y) * first + np.imag(y) * second)
        elif value.dtype.kind == "f":
            result = result + np.sum(y * first)
    return result


def gradients(text, inputs):
    """Gradients on the tape of the weighted sum, and the plain values of the results."""
    program = compile_program(text, TWINS)
    with GradientTape() as tape:
        watched = {name: tape.watch(x) for name, x in inputs.items()}
        sources = dict(watched)
        results = leaves(program(**watched))
        target = total(results)
    found = tape.gradient(target, list(sources.values()))
    return dict(zip(inputs, found, strict=True)), [dispatch.plain(y) for y in results]


def differences(function, inputs, name, step=1e-6):
    """Central differences of a number that a function makes of the inputs."""
    shape = np.shape(inputs[name])
    slope = np.zeros(shape)
    for where in np.ndindex(shape):
        values = []
        for sign in (1, -1):
            moved = {key: np.array(x) if np.ndim(x) else x for key, x in inputs.items()}
            if shape:
                moved[name][where] += sign * step
            else:
                moved[name] = type(moved[name])(moved[name] + sign * step)
            values.append(float(function(moved)))
        slope[where] = (values[0] - values[1]) / (2 * step)
    return slope


def assert_same(got, want):
    """Assert that results are the same objects to a user: type, dtype, shape and every bit."""
    assert len(got) == len(want)
    for a, b in zip(got, want, strict=True):
        assert type(a) is type(b)
        if isinstance(b, (np.ndarray, np.generic)):
            assert a.dtype == b.dtype
            assert a.shape == b.shape
            np.testing.assert_array_equal(a, b)
        else:
            assert a == b


def follow(text, *, second=True):
    """Compare a program on the tape with plain NumPy: results, gradients, their derivatives."""
    plain = compile_program(text, PLAIN)
    found, results = gradients(text, fresh_inputs())
    assert_same(results, leaves(plain(**fresh_inputs())))
    used = [name for name in INPUTS if name in compile_program(text, PLAIN).__code__.co_varnames]
    used = [name for name in used if found[name] is not None or not is_constant(plain, name)]
    assert used, "nothing to differentiate"
    for name in used:
        slope = differences(lambda moved: total(leaves(plain(**moved))), fresh_inputs(), name)
        got = found[name]
        assert got is not None, f"no gradient of {name}"
        np.testing.assert_allclose(np.asarray(got), slope, rtol=2e-6, atol=1e-7)
        assert np.shape(got) == np.shape(INPUTS[name])
    if second:
        follow_second(text, used)


def is_constant(plain, name):
    slope = differences(lambda moved: total(leaves(plain(**moved))), fresh_inputs(), name)
    return not np.any(slope)


def follow_second(text, names):
    """Compare derivatives of ``sum(gradient**2)`` with central differences of the gradients."""

    def norm(inputs):
        found, _ = gradients(text, inputs)
        return sum(float(np.sum(np.square(found[name]))) for name in names)

    program = compile_program(text, TWINS)
    with GradientTape() as outer:
        watched = {name: outer.watch(x) for name, x in fresh_inputs().items()}
        sources = dict(watched)
        with GradientTape() as inner:
            inner_sources = [inner.watch(watched[name]) for name in names]
            watched.update(zip(names, inner_sources, strict=True))
            target = total(leaves(program(**watched)))
        found = inner.gradient(target, inner_sources)
        square = sum(np.sum(np.square(ct)) for ct in found)
    second = outer.gradient(square, [sources[name] for name in names])
    for name, found in zip(names, second, strict=True):
        slope = differences(norm, fresh_inputs(), name, step=1e-5)
        got = np.zeros(np.shape(slope)) if found is None else np.asarray(found)
        np.testing.assert_allclose(got, slope, rtol=1e-4, atol=1e-5)
