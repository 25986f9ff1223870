"""Linear filters of `scipy.ndimage`. Imported only when SciPy has been.

A filter is what `np.pad` makes of the edges, and a correlation without edges after it. Both have
adjoints in their own kind; the filters made of them (Gaussian, Sobel, ...) are composed as SciPy
composes them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import ndimage

from tapemagic.autodiff.primitives import general
from tapemagic.autodiff.pullbacks import conj_if_complex as conj
from tapemagic.autodiff.twinning import twin_module

from . import scipy_coordinates as _scipy_coordinates  # noqa: F401  (declares more)
from . import scipy_ranks as _scipy_ranks  # noqa: F401
from .algebra import apply, as_array
from .carrying import carried, refused, unsupported
from .gathering import add_rows

#: Name of a way to go on beyond the edge -> what NumPy calls it.
_EDGES = {
    "reflect": "symmetric", "grid-mirror": "symmetric", "mirror": "reflect", "nearest": "edge",
    "wrap": "wrap", "grid-wrap": "wrap", "constant": "constant", "grid-constant": "constant",
}  # fmt: skip


def _each(value: Any, count: int) -> list:
    """Return one value per axis, of a sequence or of one value for all."""
    return list(value) if isinstance(value, (list, tuple, np.ndarray)) else [value] * count


def _edge_keywords(mode: str, cval: Any) -> dict:
    keywords: dict = {"mode": _EDGES[mode]}
    return {**keywords, "constant_values": cval} if keywords["mode"] == "constant" else keywords


def _check_output(fun: Callable, output: Any) -> None:
    if output is not None:
        raise unsupported(fun, "output=", "Bind the result instead, and use astype.")


def _as_floats(x: Any) -> Any:
    x = as_array(x)
    return x if x.dtype.kind in "fc" else x.astype(np.float64)


# -------------------------------------------------------------------- correlation without edges


def _inside(x: Any, weights: Any, axis: int | None = None) -> Any:
    """Return ``y[i] = sum_k x[i + k] conj(weights[k])``, where all of the weights lie inside `x`.

    With an axis, `weights` has one axis, and SciPy's program for that case is used.
    """
    lengths = weights.shape if axis is None else [1] * x.ndim
    if axis is not None:
        lengths[axis] = weights.size
    pieces = tuple(
        slice(m // 2, n - (m - 1) + m // 2) for n, m in zip(x.shape, lengths, strict=True)
    )
    count = [n - m + 1 for n, m in zip(x.shape, lengths, strict=True)]
    if axis is None and np.prod(count, dtype=float) < weights.size:
        # few places, many weights, as for the cotangent of the weights
        windows = [tuple(map(slice, start, np.add(start, lengths))) for start in np.ndindex(*count)]
        values = [np.sum(x[window] * conj(weights)) for window in windows]
        return np.reshape(values, count).astype(np.result_type(x), copy=False)
    if axis is None:
        return ndimage.correlate(x, weights, mode="constant")[pieces].copy()
    return ndimage.correlate1d(x, weights, axis, mode="constant")[pieces].copy()


def _shape(x: Any, weights: Any, axis: int | None) -> list[int]:
    lengths = [1] * x.ndim if axis is not None else list(weights.shape)
    if axis is not None:
        lengths[axis] = weights.size
    return lengths


def _inside_x(ct: Any, y: Any, x: Any, weights: Any, axis: int | None = None) -> Any:
    lengths = _shape(x, weights, axis)
    wide = np.pad(ct, [(m - 1, m - 1) for m in lengths])
    return apply(_inside, wide, np.flip(conj(weights)), axis)


def _inside_weights(ct: Any, y: Any, x: Any, weights: Any, axis: int | None = None) -> Any:
    return np.reshape(apply(_inside, x, ct), weights.shape)


general(_inside, _inside_x, _inside_weights, None, name="correlate")


def _padded(x: Any, lengths: Any, origins: list, modes: list, cval: Any) -> Any:
    """Go on beyond the edges, by as much as weights of these lengths need."""
    exact = x.dtype == np.float16 or complex(x.dtype.type(cval)) == complex(cval)
    if not exact and "constant" in [_EDGES.get(mode) for mode in modes]:
        x = x.astype(np.float64)  # SciPy computes with the exact constant, and rounds afterwards
    for axis, (m, origin, mode) in enumerate(zip(lengths, origins, modes, strict=True)):
        if m == 1 and not origin:
            continue
        widths = [(0, 0)] * x.ndim
        before = m // 2 + origin
        if not 0 <= before < m:
            raise ValueError("invalid origin")
        widths[axis] = (before, m - 1 - before)
        if mode not in _EDGES:
            raise RuntimeError("boundary mode not supported")
        if _EDGES[mode] == "reflect" and x.shape[axis] == 1:
            mode = "nearest"
        x = np.pad(x, widths, **_edge_keywords(mode, cval))
    return x


# ------------------------------------------------------------------------------- the filters


def _along(
    x: Any, weights: Any, axis: int = -1, mode: str = "reflect", cval: Any = 0.0, origin: int = 0
) -> Any:
    """Filter along one axis."""
    x, weights = _as_floats(x), as_array(weights)
    axis %= x.ndim
    lengths = _shape(x, weights, axis)
    origins = [origin if i == axis else 0 for i in range(x.ndim)]
    padded = _padded(x, lengths, origins, [mode] * x.ndim, cval)
    y = apply(_inside, padded, weights, axis)
    return y.astype(x.dtype, copy=False) if x.dtype == np.float32 else y


def _filter(
    x: Any, weights: Any, mode: Any, cval: Any, origin: Any, axes: Any, fun: Callable
) -> Any:
    x, weights = _as_floats(x), as_array(weights)
    axes = range(x.ndim) if axes is None else [axis % x.ndim for axis in np.atleast_1d(axes)]
    if len(axes) < x.ndim and weights.ndim < x.ndim:
        if list(axes) != sorted(axes):
            raise unsupported(fun, "axes= out of order", "Name the axes in order.")
        others = tuple(axis for axis in range(x.ndim) if axis not in axes)
        weights = np.expand_dims(weights, others)
    if weights.ndim != x.ndim:
        raise RuntimeError(f"weights.ndim ({weights.ndim}) must match len(axes) ({len(axes)})")
    origins, modes = [0] * x.ndim, ["reflect"] * x.ndim
    for axis, one, how in zip(axes, _each(origin, len(axes)), _each(mode, len(axes)), strict=True):
        origins[axis], modes[axis] = one, how
    padded = _padded(x, weights.shape, origins, modes, cval)
    y = apply(_inside, padded, weights)
    return y.astype(x.dtype, copy=False) if x.dtype == np.float32 else y


@carried(ndimage.correlate, "input", "weights")
def _correlate(
    x: Any, weights: Any, output: Any = None, mode: Any = "reflect", cval: Any = 0.0,
    origin: Any = 0, axes: Any = None,
) -> Any:  # fmt: skip
    _check_output(ndimage.correlate, output)
    return _filter(x, weights, mode, cval, origin, axes, ndimage.correlate)


@carried(ndimage.convolve, "input", "weights")
def _convolve(
    x: Any, weights: Any, output: Any = None, mode: Any = "reflect", cval: Any = 0.0,
    origin: Any = 0, axes: Any = None,
) -> Any:  # fmt: skip
    _check_output(ndimage.convolve, output)
    weights = as_array(weights)
    turned = [
        -one - (1 - m % 2)
        for one, m in zip(_each(origin, weights.ndim), weights.shape, strict=True)
    ]
    return _filter(x, np.flip(conj(weights)), mode, cval, turned, axes, ndimage.convolve)


@carried(ndimage.correlate1d, "input", "weights")
def _correlate1d(x: Any, weights: Any, output: Any = None, **options: Any) -> Any:
    _check_output(ndimage.correlate1d, output)
    return _along(x, weights, **options)


@carried(ndimage.convolve1d, "input", "weights")
def _convolve1d(x: Any, weights: Any, output: Any = None, origin: int = 0, **options: Any) -> Any:
    _check_output(ndimage.convolve1d, output)
    weights = as_array(weights)
    return _along(x, np.flip(conj(weights)), origin=-origin - (1 - weights.size % 2), **options)


# ------------------------------------------------------------------------ composed of those


def _bell(sigma: float, order: int, truncate: float, radius: int | None) -> np.ndarray:
    """Return SciPy's own weights, which are its answer to a single 1."""
    width = int(truncate * float(sigma) + 0.5) if radius is None else radius
    spike = np.zeros(2 * width + 1)
    spike[width] = 1.0
    options = {"mode": "constant", "truncate": truncate, "radius": radius}
    return ndimage.gaussian_filter1d(spike, sigma, order=order, **options)[::-1]


@carried(ndimage.gaussian_filter1d, "input")
def _gaussian1d(
    x: Any, sigma: Any, output: Any = None, axis: int = -1, order: int = 0,
    mode: str = "reflect", cval: Any = 0.0, truncate: float = 4.0, radius: Any = None,
) -> Any:  # fmt: skip
    _check_output(ndimage.gaussian_filter1d, output)
    return _along(x, _bell(sigma, order, truncate, radius), axis, mode, cval)


@carried(ndimage.gaussian_filter, "input")
def _gaussian(
    x: Any, sigma: Any, order: Any = 0, output: Any = None, mode: Any = "reflect",
    cval: Any = 0.0, truncate: float = 4.0, radius: Any = None, axes: Any = None,
) -> Any:  # fmt: skip
    _check_output(ndimage.gaussian_filter, output)
    x = _as_floats(x)
    axes = range(x.ndim) if axes is None else [axis % x.ndim for axis in np.atleast_1d(axes)]
    each = (_each(value, len(axes)) for value in (sigma, order, mode, radius))
    for axis, width, derivative, how, size in zip(axes, *each, strict=True):
        if width > 1e-15:  # SciPy's limit
            x = _along(x, _bell(width, derivative, truncate, size), axis, how, cval)
    return x


def _derivative(fun: Callable, across: list) -> None:
    """Declare a filter that differs along one axis and smooths along the others."""

    @carried(fun, "input")
    def body(
        x: Any, axis: int = -1, output: Any = None, mode: Any = "reflect", cval: Any = 0.0
    ) -> Any:
        _check_output(fun, output)
        x = _as_floats(x)
        modes, axis = _each(mode, x.ndim), axis % x.ndim
        y = _along(x, np.array([-1, 0, 1]), axis, modes[axis], cval)
        for other in itertools.chain(range(axis), range(axis + 1, x.ndim)):
            y = _along(y, np.array(across), other, modes[other], cval)
        return y


_derivative(ndimage.prewitt, [1, 1, 1])
_derivative(ndimage.sobel, [1, 2, 1])


@carried(ndimage.laplace, "input")
def _laplace(
    x: Any, output: Any = None, mode: Any = "reflect", cval: Any = 0.0, axes: Any = None
) -> Any:
    _check_output(ndimage.laplace, output)
    x = _as_floats(x)
    axes = range(x.ndim) if axes is None else np.atleast_1d(axes)
    modes = _each(mode, len(axes))
    terms = [
        _along(x, np.array([1, -2, 1]), axis, how, cval)
        for axis, how in zip(axes, modes, strict=True)
    ]
    return sum(terms[1:], terms[0]) if terms else x * 1


# ------------------------------------------------------------------------------ running means


def _uniform(x: Any, size: int, axis: int, mode: str, cval: Any, origin: int) -> Any:
    return ndimage.uniform_filter1d(x, size, axis, mode=mode, cval=cval, origin=origin)


def _uniform_vjp(
    ct: Any, y: Any, x: Any, size: int, axis: int, mode: str, cval: Any, origin: int
) -> Any:
    """Spread every cotangent over its window, and fold back what lies beyond the edges."""
    n, before = x.shape[axis], size // 2 + origin
    widths = [(size - 1, size - 1) if i == axis else (0, 0) for i in range(ct.ndim)]
    wide = apply(_inside, np.pad(ct, widths), np.full(size, 1 / size), axis)
    how: Any = "edge" if _EDGES[mode] == "reflect" and n == 1 else _EDGES[mode]
    if how == "constant":
        return np.take(wide, np.arange(before, before + n), axis)
    places = np.pad(np.arange(n), (before, size - 1 - before), mode=how)
    return add_rows(wide, places, n, axis)


general(_uniform, _uniform_vjp, name="uniform_filter1d")


@carried(ndimage.uniform_filter1d, "input")
def _uniform1d(
    x: Any, size: int, axis: int = -1, output: Any = None, mode: str = "reflect",
    cval: Any = 0.0, origin: int = 0,
) -> Any:  # fmt: skip
    _check_output(ndimage.uniform_filter1d, output)
    x = _as_floats(x)
    return apply(_uniform, x, size, axis % x.ndim, mode, cval, origin)


@carried(ndimage.uniform_filter, "input")
def _uniform_all(
    x: Any, size: Any = 3, output: Any = None, mode: Any = "reflect", cval: Any = 0.0,
    origin: Any = 0, axes: Any = None,
) -> Any:  # fmt: skip
    _check_output(ndimage.uniform_filter, output)
    x = _as_floats(x)
    axes = range(x.ndim) if axes is None else [axis % x.ndim for axis in np.atleast_1d(axes)]
    each = (_each(value, len(axes)) for value in (size, mode, origin))
    for axis, width, how, shift in zip(axes, *each, strict=True):
        if width > 1:
            x = apply(_uniform, x, width, axis, how, cval, shift)
    return x


_ADVICE = "Use a linear filter, np.take or indexing, which have rules, or stop_gradient(...)."
for _name in ("gaussian_laplace", "gaussian_gradient_magnitude", "generic_filter",
              "generic_filter1d", "shift", "zoom", "rotate", "affine_transform",
              "geometric_transform", "spline_filter", "spline_filter1d", "generic_laplace",
              "generic_gradient_magnitude"):  # fmt: skip
    if hasattr(ndimage, _name):
        refused(getattr(ndimage, _name), "it has no derivative rule yet", _ADVICE)
twin_module(ndimage)
