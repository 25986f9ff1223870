"""Changes of the sampling rate of `scipy.signal`, all of them linear in the signal.

Each is written with functions that have rules, as SciPy's documentation says it, and has SciPy's
own value; if the two differ it is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from math import gcd
from typing import Any

import numpy as np
from scipy import signal

from tapemagic.autodiff.twinning import TWINS

from .algebra import plain, with_value
from .carrying import carried, unsupported

_ADVICE = "Interpolate with np.interp, or filter with scipy.signal.convolve and take every n-th."


def _kept(fun: Callable, value: np.ndarray, y: Any) -> Any:
    """Return `y` as having SciPy's value; refuse another one."""
    near = 1e4 * float(np.finfo(value.dtype).eps) * (1 + np.max(np.abs(value), initial=0))
    if y.shape != value.shape or not np.allclose(plain(y), value, near, near, equal_nan=True):
        raise unsupported(fun, "these settings", _ADVICE)
    return with_value(y.astype(value.dtype) if y.dtype != value.dtype else y, value)


def _filtered(h: Any, x: Any, up: int, down: int, axis: int) -> Any:
    """Put ``up - 1`` zeros behind each element, convolve with `h`, and take every `down`-th."""
    x = np.moveaxis(x, axis, -1)
    n = x.shape[-1]
    zeros = np.zeros((*x.shape, up - 1), x.dtype)
    spread = np.reshape(np.concatenate([x[..., None], zeros], axis=-1), (*x.shape[:-1], n * up))
    spread = spread[..., : (n - 1) * up + 1]
    convolve = TWINS[id(signal.convolve)]
    y = convolve(spread, np.reshape(h, (1,) * (x.ndim - 1) + (-1,)), method="direct")
    return np.moveaxis(y[..., ::down], -1, axis)


@carried(signal.upfirdn, "h", "x")
def _upfirdn(
    h: Any, x: Any, up: int = 1, down: int = 1, axis: int = -1, mode: str = "constant",
    cval: float = 0,
) -> Any:  # fmt: skip
    fun = signal.upfirdn
    value = fun(plain(h), plain(x), up, down, axis, mode, cval)
    if mode != "constant" or cval or not np.size(x):
        raise unsupported(fun, "edges that are not 0", "Pad the signal with np.pad before.")
    return _kept(fun, value, _filtered(h, x, up, down, axis))


def _polyphase(x: Any, up: int, down: int, axis: int, window: Any) -> Any:
    """Return the signal, filtered at the higher rate; see `scipy.signal.resample_poly`."""
    common = gcd(up, down)
    up, down = up // common, down // common
    n = x.shape[axis]
    wanted = -(-n * up // down)
    if isinstance(window, list | np.ndarray):
        h = np.asarray(window, float)
        half = (len(h) - 1) // 2
    else:
        half = 10 * max(up, down)
        h = signal.firwin(2 * half + 1, 1 / max(up, down), window=window)
    before = down - half % down
    behind = down * (wanted + half // down + 2)  # zeros that are cut off again
    h = np.concatenate([np.zeros(before), h * up, np.zeros(behind)])
    first = (half + before) // down
    y = np.moveaxis(_filtered(h, x, up, down, axis), axis, -1)
    return np.moveaxis(y[..., first : first + wanted], -1, axis)


@carried(signal.resample_poly, "x")
def _resample_poly(
    x: Any, up: int, down: int, axis: int = 0, window: Any = ("kaiser", 5.0),
    padtype: str = "constant", cval: Any = None,
) -> Any:  # fmt: skip
    fun = signal.resample_poly
    value = fun(plain(x), up, down, axis, window, padtype, cval)
    if padtype != "constant" or cval or not x.size or int(up) == int(down):
        raise unsupported(fun, "edges that are not 0, or a rate that stays", _ADVICE)
    return _kept(fun, value, _polyphase(x, int(up), int(down), axis, window))


@carried(signal.decimate, "x")
def _decimate(
    x: Any, q: int, n: Any = None, ftype: Any = "iir", axis: int = -1, zero_phase: bool = True
) -> Any:
    fun = signal.decimate
    value = fun(plain(x), q, n, ftype, axis, zero_phase)
    if not zero_phase or ftype not in ("iir", "fir"):
        raise unsupported(fun, "a filter that shifts phases", _ADVICE)
    if ftype == "fir":
        window = signal.firwin((20 * q if n is None else n) + 1, 1 / q, window="hamming")
        return _kept(fun, value, _polyphase(x, 1, q, axis, window))
    sections = signal.cheby1(8 if n is None else n, 0.05, 0.8 / q, output="sos")
    y = np.moveaxis(TWINS[id(signal.sosfiltfilt)](sections, x, axis=axis), axis, -1)
    return _kept(fun, value, np.moveaxis(y[..., ::q], -1, axis))


@carried(signal.resample, "x")
def _resample(
    x: Any, num: int, t: Any = None, axis: int = 0, window: Any = None, domain: str = "time"
) -> Any:
    """Cut off, or add, high frequencies; the highest one that both have is shared by its mirror."""
    fun = signal.resample
    found = fun(plain(x), num, t, axis, window, domain)
    value = found if t is None else found[0]
    if window is not None or domain != "time" or x.dtype.kind == "c" or not x.size:
        raise unsupported(fun, "a window, frequencies or complex numbers", _ADVICE)
    x = np.moveaxis(x, axis, -1)
    n = x.shape[-1]
    count = min(n, num)
    shares = np.ones(count // 2 + 1)
    if count % 2 == 0 and num != n:
        shares[-1] = 2 if num < n else 0.5
    spectrum = np.fft.rfft(x)[..., : len(shares)] * shares
    y = np.moveaxis(np.fft.irfft(spectrum, num) * (num / n), -1, axis)
    y = _kept(fun, value, y)
    return y if t is None else (y, found[1])
