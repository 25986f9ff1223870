"""Convolutions of `scipy.signal`. Imported only when SciPy has been.

Convolution is bilinear; the cotangent of one factor is the correlation of the result's cotangent
with the other (D. Dudgeon, R. Mersereau, "Multidimensional digital signal processing", 1984,
section 1.2, in the words of adjoints).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import signal

from tapemagic.autodiff.primitives import general
from tapemagic.autodiff.pullbacks import conj_if_complex as conj
from tapemagic.autodiff.twinning import twin_module

from . import scipy_filters as _scipy_filters  # noqa: F401  (declares more)
from . import scipy_spectra as _scipy_spectra  # noqa: F401
from .algebra import apply, as_array, plain
from .carrying import carried, refused, unsupported
from .scipy_ranks import choosing

# ----------------------------------------------------------------------------------- convolution

_METHODS = {
    name: getattr(signal, name) for name in ("convolve", "fftconvolve", "oaconvolve", "convolve2d")
}


def _convolve(a: Any, b: Any, mode: str, name: str, **options: Any) -> Any:
    return _METHODS[name](a, b, mode, **options)


def _correlate(a: Any, b: Any, mode: str, name: str, **options: Any) -> Any:
    return getattr(signal, name)(a, b, mode, **options)


#: Whether, of a larger second factor, SciPy gives the conjugate of the correlation.
_CONJUGATES = signal.correlate2d([[1]], [[1j, 1j]], "valid")[0, 0] == 1j


def _full(ct: Any, a: Any, b: Any, mode: str, name: str) -> Any:
    """Put the cotangent of a piece of the full result in its place."""
    late = name == "correlate2d"  # on which side of the middle an even number is cut
    if mode == "full":
        return ct
    if late and mode == "valid" and a.size < b.size and _CONJUGATES:
        ct = conj(ct)
    widths = []
    for n, m, size in zip(a.shape, b.shape, ct.shape, strict=True):
        before = (m - 1 + late) // 2 if mode == "same" else min(n, m) - 1
        widths.append((before, n + m - 1 - before - size))
    return np.pad(ct, widths)


def _directly(*arrays: Any) -> list:
    """Bring half precision to single: SciPy's sums have none, its Fourier transforms do."""
    return [x.astype(np.float32) if x.dtype == np.float16 else x for x in arrays]


def _against(full: Any, b: Any) -> Any:
    """Return ``sum_j full[i + j] conj(b[j])``: the adjoint of the convolution with `b`."""
    return apply(_correlate, *_directly(full, b), "valid", "correlate", method="auto")


def _convolve_left(ct: Any, y: Any, a: Any, b: Any, mode: str, name: str, **_: Any) -> Any:
    return _against(_full(ct, a, b, mode, name), b) if ct.ndim else ct * conj(b)


def _convolve_right(ct: Any, y: Any, a: Any, b: Any, mode: str, name: str, **_: Any) -> Any:
    return _against(_full(ct, a, b, mode, name), a) if ct.ndim else ct * conj(a)


def _correlate_left(ct: Any, y: Any, a: Any, b: Any, mode: str, name: str, **_: Any) -> Any:
    if not ct.ndim:
        return ct * b
    full = _full(ct, a, b, mode, name)
    return apply(_convolve, *_directly(full, b), "valid", "convolve", method="auto")


def _correlate_right(ct: Any, y: Any, a: Any, b: Any, mode: str, name: str, **_: Any) -> Any:
    """The correlation with b is the convolution with its conjugate, turned round."""
    if not ct.ndim:
        return conj(ct) * a
    return np.flip(conj(_against(_full(ct, a, b, mode, name), a)))


general(_convolve, _convolve_left, _convolve_right, name="convolve", generic=True)
general(_correlate, _correlate_left, _correlate_right, name="correlate", generic=True)


def _beyond_edges(
    row: Any, fun: Any, a: Any, b: Any, mode: str, boundary: str, filling: Any
) -> Any:
    """Put what lies beyond the edges round the image; then all there is lies inside."""
    getattr(signal, fun.__name__)(plain(a), plain(b), mode, boundary, plain(filling))  # its errors
    widths = [(m - 1, m - 1) for m in b.shape]
    kind: Any = {"fill": "constant", "symm": "symmetric", "wrap": "wrap"}[boundary]
    options: dict = {"constant_values": filling} if boundary == "fill" else {}
    y = apply(row, np.pad(a, widths, kind, **options), b, "valid", fun.__name__)
    if mode == "full":
        return y
    late = fun is signal.correlate2d
    first = [(m - 1 + late) // 2 for m in b.shape]
    return y[tuple(slice(k, k + n) for k, n in zip(first, a.shape, strict=True))].copy()


def _body(row: Any, fun: Any) -> Any:
    def body(in1: Any, in2: Any, mode: str = "full", **options: Any) -> Any:
        if options.pop("axes", None) is not None:
            raise unsupported(fun, "axes=", "Convolve the slices one by one.")
        boundary, filling = options.pop("boundary", "fill"), options.pop("fillvalue", 0)
        a, b = as_array(in1), as_array(in2)
        if mode == "valid" or (boundary == "fill" and plain(filling) == 0):
            return apply(row, a, b, mode, fun.__name__, **options)
        return _beyond_edges(row, fun, a, b, mode, boundary, filling)

    return body


for _fun in _METHODS.values():
    carried(_fun, "in1", "in2")(_body(_convolve, _fun))
for _fun in (signal.correlate, signal.correlate2d):
    carried(_fun, "in1", "in2")(_body(_correlate, _fun))

choosing(signal.medfilt, "volume")
choosing(signal.medfilt2d, "input")
choosing(signal.order_filter, "a")

_ADVICE = "Use scipy.signal.lfilter or convolve, which have rules, or stop_gradient(...)."
for _name in ("wiener", "istft"):
    if hasattr(signal, _name):
        refused(getattr(signal, _name), "it has no derivative rule yet", _ADVICE)
from . import scipy_sampling as _scipy_sampling  # noqa: E402, F401  (calls twins of the others)

twin_module(signal)
