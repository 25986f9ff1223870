"""The four questions that every rule answers, asked of a function and its inputs.

1. Is the vjp the adjoint of the numerical derivative of plain NumPy?
2. Does the jvp agree with the vjp?
3. Does the second derivative agree with the numerical derivative of the first?
4. Has the cotangent its input's shape and dtype?

And before them: is the value that of plain NumPy, bit for bit?
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import tapemagic
from tapemagic.autodiff.calls import dispatch


class Row(NamedTuple):
    """One function with inputs to ask about."""

    fun: Callable
    inputs: tuple
    name: str
    second: bool = True
    tolerance: float = 1e-6

    @property
    def __name__(self):
        return self.name


def row(fun, *inputs, name="", second=True, tolerance=1e-6):
    """Make a row; its name is the function's and the shapes of the inputs."""
    shapes = ",".join(str(np.shape(x)).replace(" ", "") for x in inputs)
    kind = "complex " if any(np.iscomplexobj(x) for x in inputs) else ""
    return Row(fun, inputs, f"{name or fun.__name__} {kind}{shapes}", second, tolerance)


def samplers(seed: int) -> tuple[Callable, Callable]:
    """Return ``real(*shape)`` and ``compl(*shape)``, which draw normal numbers."""
    rng = np.random.default_rng(seed)

    def real(*shape):
        return rng.normal(size=shape)

    def compl(*shape):
        return rng.normal(size=shape) + 1j * rng.normal(size=shape)

    return real, compl


def with_keywords(fun, **keywords):
    """Fix keywords of a function, and show them in its name."""

    def called(*args):
        return fun(*args, **keywords)

    called.__name__ = f"{fun.__name__} {keywords or ''}".strip()
    return called


def name_of(case: Row) -> str:
    return case.name


def arrays(y: Any) -> list:
    """Return the float and complex arrays among the results."""
    items = y if isinstance(y, (tuple, list)) else [y]
    return [x for x in items if np.asarray(dispatch.plain(x)).dtype.kind in "fc"]


def random_like(x: Any, rng: np.random.Generator) -> Any:
    x = np.asarray(x)
    noise = rng.normal(size=x.shape)
    if x.dtype.kind == "c":
        noise = noise + 1j * rng.normal(size=x.shape)
    return noise.astype(x.dtype)[()]


def inner(a: list, b: list) -> float:
    """Return the real inner product of two lists of arrays."""
    return sum(float(np.sum(np.real(np.conj(x) * y))) for x, y in zip(a, b, strict=True))


def assert_same_bits(got: Any, expected: Any) -> None:
    got = dispatch.plain(got)
    assert type(got) is type(expected), (type(got), type(expected))
    for x, y in zip(arrays(got), arrays(expected), strict=True):
        assert np.asarray(x).dtype == np.asarray(y).dtype
        np.testing.assert_array_equal(x, y)


def ask(case: Row, seed: int = 0) -> None:
    """Ask all questions in double precision, then 4 in single and for other memory layouts."""
    rng = np.random.default_rng(seed)

    def listed(*xs):
        return arrays(case.fun(*xs))

    inputs = case.inputs
    y, _ = tapemagic.vjp(case.fun, *inputs)
    assert_same_bits(y, case.fun(*inputs))
    cts = [random_like(x, rng) for x in listed(*inputs)]
    tangents = [random_like(x, rng) for x in inputs]

    def first(*xs):
        _, pull = tapemagic.vjp(listed, *xs)
        return list(pull(cts))

    gradients = first(*inputs)
    for x, gradient in zip(inputs, gradients, strict=True):  # 4
        assert np.shape(gradient) == np.shape(x)
        assert np.asarray(gradient).dtype == np.asarray(x).dtype

    numerical = inner(cts, _difference(listed, inputs, tangents))
    _close(inner(gradients, tangents), numerical, case, "1: vjp")

    pushed = tapemagic.jvp(listed, inputs, tuple(tangents))[1]
    _close(inner(cts, pushed), numerical, case, "2: jvp")

    if case.second:
        probes = [random_like(x, rng) for x in inputs]
        numerical = inner(probes, _difference(first, inputs, tangents))
        second = tapemagic.vjp(first, *inputs)[1](probes)
        _close(inner(list(second), tangents), numerical, case, "3: second derivative")

    _ask_layouts(case, cts, gradients)
    _ask_single(case, cts, gradients)


def _difference(fun: Callable, xs: tuple, tangents: list, step: float = 1e-5) -> list:
    """Return the central difference, of fourth order, of `fun` along `tangents`."""

    def at(t):
        return fun(*(x + t * v for x, v in zip(xs, tangents, strict=True)))

    rows = zip(at(-2 * step), at(-step), at(step), at(2 * step), strict=True)
    return [(a - 8 * b + 8 * c - d) / (12 * step) for a, b, c, d in rows]


def _close(got: float, expected: float, case: Row, question: str) -> None:
    scale = max(1.0, abs(expected))
    assert abs(got - expected) <= case.tolerance * scale, (question, got, expected)


def _pull(fun: Callable, inputs: list, cts: list) -> list:
    return list(tapemagic.vjp(lambda *zs: arrays(fun(*zs)), *inputs)[1](cts))


def _ask_layouts(case: Row, cts: list, gradients: list) -> None:
    """Fortran order and negative strides change no gradient."""
    for layout in (np.asfortranarray, lambda x: np.flip(np.flip(x).copy())):
        inputs = [layout(x) if np.ndim(x) else x for x in case.inputs]
        for got, expected in zip(_pull(case.fun, inputs, cts), gradients, strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-8)


def _ask_single(case: Row, cts: list, gradients: list) -> None:
    """Single precision goes in, single precision comes out."""
    single = {"f": np.float32, "c": np.complex64}
    inputs = [x.astype(single[np.asarray(x).dtype.kind]) for x in map(np.asarray, case.inputs)]
    y = case.fun(*inputs)
    assert_same_bits(tapemagic.vjp(case.fun, *inputs)[0], y)
    cts = [ct.astype(np.asarray(x).dtype) for ct, x in zip(cts, arrays(y), strict=True)]
    for x, got, expected in zip(inputs, _pull(case.fun, inputs, cts), gradients, strict=True):
        assert np.asarray(got).dtype == x.dtype
        scale = max(1.0, float(np.max(np.abs(expected), initial=0)))
        np.testing.assert_allclose(got, expected, rtol=2e-2, atol=2e-3 * scale)
