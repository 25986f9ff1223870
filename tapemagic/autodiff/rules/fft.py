"""Discrete Fourier transforms: all of them linear, the adjoint of one is another.

The matrix of the transform is symmetric, so its adjoint is its conjugate: the transform in the
other direction, scaled the other way round. A transform of several axes is one along each in turn;
its adjoint takes the steps backwards. Real transforms keep half of the frequencies, so those that
stand for two are halved or doubled (C. Van Loan, "Computational frameworks for the fast Fourier
transform", 1992, sections 1.3 and 4.3).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import fft

from tapemagic.autodiff.primitives import composite, constant, linear

#: The scaling of the adjoint: what went unscaled one way stays unscaled on the way back.
_SCALED_BACK: dict[Any, Any] = {
    None: "forward", "backward": "forward", "forward": "backward", "ortho": "ortho",
}  # fmt: skip


def _fit_length(x: Any, n: int, axis: int) -> Any:
    """Cut or fill up an axis with zeros: the adjoint of what a transform with `n` did first."""
    have = x.shape[axis]
    if have == n:
        return x
    if have > n:
        return np.moveaxis(np.moveaxis(x, axis, 0)[:n], 0, axis)
    width = [(0, 0)] * x.ndim
    width[axis] = (0, n - have)
    return np.pad(x, width)


def _half_weights(n: int, inner: float, ndim: int, axis: int, dtype: Any) -> np.ndarray:
    """Return weights 1 for frequencies that are their own mirror image, `inner` for the others."""
    weights = np.full(n // 2 + 1, inner, np.empty(0, dtype).real.dtype)
    weights[0] = 1
    if n % 2 == 0:
        weights[-1] = 1
    shape = [1] * ndim
    shape[axis] = -1
    return weights.reshape(shape)


# ------------------------------------------------------------------------------ along one axis


def _adjoint_of(kind: str, ct: Any, length: int, axis: int, norm: str | None) -> Any:
    """Return the adjoint of one step, for an input of `length` along `axis`."""
    back = _SCALED_BACK[norm]
    n = ct.shape[axis]
    if kind == "fft":
        x = fft.ifft(ct, axis=axis, norm=back)
    elif kind == "ifft":
        x = fft.fft(ct, axis=axis, norm=back)
    else:  # irfft
        x = fft.rfft(ct, axis=axis, norm=back)
        x = x * _half_weights(n, 2, ct.ndim, axis, x.dtype)
    return _fit_length(x, length, axis)


def _rfft_adjoint(ct: Any, n: int, length: int, axis: int, norm: str | None) -> Any:
    """Adjoint of rfft, whose result does not tell whether `n` was odd."""
    weights = _half_weights(n, 0.5, ct.ndim, axis, ct.dtype)
    return _fit_length(fft.irfft(ct * weights, n, axis, _SCALED_BACK[norm]), length, axis)


for _kind in ("fft", "ifft", "irfft"):
    linear(
        getattr(fft, _kind),
        lambda ct, x, n=None, axis=-1, norm=None, *, _kind=_kind: _adjoint_of(
            _kind, ct, x.shape[axis], axis, norm
        ),
    )
linear(
    fft.rfft,
    lambda ct, x, n=None, axis=-1, norm=None: _rfft_adjoint(
        ct, x.shape[axis] if n is None else n, x.shape[axis], axis, norm
    ),
)


@composite(fft.hfft)
def _hfft(a: Any, n: Any = None, axis: int = -1, norm: Any = None) -> Any:
    n = (a.shape[axis] - 1) * 2 if n is None else n
    return fft.irfft(np.conjugate(a), n, axis, _SCALED_BACK[norm])


@composite(fft.ihfft)
def _ihfft(a: Any, n: Any = None, axis: int = -1, norm: Any = None) -> Any:
    n = a.shape[axis] if n is None else n
    return np.conjugate(fft.rfft(a, n, axis, _SCALED_BACK[norm]))


# -------------------------------------------------------------------------- along several axes


def _lengths_and_axes(x: Any, s: Any, axes: Any) -> tuple[list, list]:
    """Return the length (or None) and the number of each axis that is transformed."""
    if axes is None:
        axes = range(x.ndim) if s is None else range(x.ndim - len(s), x.ndim)
    axes = [axis % x.ndim for axis in axes]
    lengths = [None] * len(axes) if s is None else [None if n in (-1, None) else n for n in s]
    return lengths, axes


def _backwards(steps: list[tuple], ct: Any, x: Any, norm: str | None) -> Any:
    """Take the adjoints of steps (kind, n, axis), last step first."""
    shapes = [list(x.shape)]
    for kind, n, axis in steps:
        shape = list(shapes[-1])
        length = n or shape[axis]  # an irfft is the last step: nothing asks for its shape
        shape[axis] = length // 2 + 1 if kind == "rfft" else length
        shapes.append(shape)
    for (kind, n, axis), shape in zip(steps[::-1], shapes[-2::-1], strict=True):
        if kind == "rfft":
            ct = _rfft_adjoint(ct, n or shape[axis], shape[axis], axis, norm)
        else:
            ct = _adjoint_of(kind, ct, shape[axis], axis, norm)
    return ct


def _steps(name: str, x: Any, s: Any, axes: Any) -> list[tuple]:
    """Return what NumPy's n-dimensional transform does, in its order."""
    pairs = list(zip(*_lengths_and_axes(x, s, axes), strict=True))
    if not pairs:
        return []
    if name == "irfft":
        return [*(("ifft", *pair) for pair in pairs[:-1]), ("irfft", *pairs[-1])]
    if name == "rfft":
        return [("rfft", *pairs[-1]), *(("fft", *pair) for pair in pairs[-2::-1])]
    return [(name, *pair) for pair in pairs[::-1]]


for _kind in ("fft", "ifft", "rfft", "irfft"):
    linear(
        getattr(fft, _kind + "n"),
        lambda ct, x, s=None, axes=None, norm=None, *, _kind=_kind: _backwards(
            _steps(_kind, x, s, axes), ct, x, norm
        ),
    )
    linear(
        getattr(fft, _kind + "2"),
        lambda ct, x, s=None, axes=(-2, -1), norm=None, *, _kind=_kind: _backwards(
            _steps(_kind, x, s, axes), ct, x, norm
        ),
    )


# ------------------------------------------------------------------------------------ shifting


def _shifts(x: Any, axes: Any, sign: int) -> tuple[tuple, tuple]:
    axes = tuple(range(x.ndim)) if axes is None else axes
    axes = tuple(axes) if isinstance(axes, (list, tuple)) else (int(axes),)
    # half of the length, rounded down; rounded up on the way back
    return tuple(x.shape[k] // 2 if sign > 0 else -(x.shape[k] // 2) for k in axes), axes


@composite(fft.fftshift)
def _fftshift(x: Any, axes: Any = None) -> Any:
    return np.roll(x, *_shifts(x, axes, 1))


@composite(fft.ifftshift)
def _ifftshift(x: Any, axes: Any = None) -> Any:
    return np.roll(x, *_shifts(x, axes, -1))


constant(fft.fftfreq, fft.rfftfreq)
