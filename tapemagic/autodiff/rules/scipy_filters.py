"""Filters of `scipy.signal`, composed of recursive ones. Imported with its rules.

A recursive filter ``a y = b x`` (products are convolutions) has the adjoint that runs back in time.
What SciPy makes of such filters, of convolutions and of Fourier transforms is composed here as it
does it, and has SciPy's own values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import ndimage, signal

from tapemagic.autodiff import leaks
from tapemagic.autodiff.primitives import general
from tapemagic.autodiff.pullbacks import conj_if_complex as conj
from tapemagic.autodiff.twinning import twin_for

from . import scipy_ndimage as _scipy_ndimage  # noqa: F401  (declares convolutions)
from .algebra import apply, as_array, is_live, plain, with_value
from .carrying import carried, unsupported


def _lfilter(b: Any, a: Any, x: Any, axis: int = -1) -> Any:
    return signal.lfilter(b, a, x, axis)


def _back(ct: Any, a: Any, axis: int) -> Any:
    """Return the adjoint of the division by `a`: the same filter, run back in time."""
    one = np.ones(1, np.float32)
    return np.flip(apply(_lfilter, one, conj(a), np.flip(ct, axis), axis), axis)


def _delayed_products(v: Any, x: Any, count: int, axis: int) -> Any:
    """Return ``sum_t v[t] conj(x[t - k])`` for every delay k."""
    v, x = np.moveaxis(v, axis, -1), conj(np.moveaxis(x, axis, -1))
    n = x.shape[-1]
    products = [
        np.sum(v[..., k:] * x[..., : n - k]) if k < n else np.zeros((), x.dtype)
        for k in range(count)
    ]
    return np.stack(products)


def _filter_x(ct: Any, y: Any, b: Any, a: Any, x: Any, axis: int = -1) -> Any:
    one = np.ones(1, np.float32)
    back = np.flip(_back(ct, a, axis), axis)
    return np.flip(apply(_lfilter, conj(b), one, back, axis), axis)


general(
    _lfilter,
    lambda ct, y, b, a, x, axis=-1: _delayed_products(_back(ct, a, axis), x, b.shape[0], axis),
    lambda ct, y, b, a, x, axis=-1: -_delayed_products(_back(ct, a, axis), y, a.shape[0], axis),
    _filter_x,
    name="lfilter",
    generic=(0, 2),
)


def _padded(x: Any, before: int, behind: int, axis: int, **how: Any) -> Any:
    widths = [(0, 0)] * x.ndim
    widths[axis] = before, behind
    return np.pad(x, widths, **how)


def _from_state(b: Any, a: Any, x: Any, zi: Any, axis: int) -> tuple[Any, Any]:
    """Filter from a state on: it is added to the first samples, between numerator and denominator.

    The last state is what both would still add to samples behind the end.
    """
    value = signal.lfilter(*plain((b, a, x)), axis, plain(zi))
    n, order = x.shape[axis], value[1].shape[axis]
    start = _padded(np.broadcast_to(zi, value[1].shape), 0, n, axis)
    total = start + apply(_lfilter, b, a[:1], _padded(x, 0, order, axis), axis)
    inside, beyond = np.split(total, [n], axis)
    y = apply(_lfilter, a[:1], a, inside, axis)
    fed_back = np.split(apply(_lfilter, a, a[:1], _padded(y, 0, order, axis), axis), [n], axis)[1]
    return with_value(y, value[0]), with_value(beyond - fed_back, value[1])


@carried(signal.lfilter, "b", "a", "x", "zi")
def _lfilter_body(b: Any, a: Any, x: Any, zi: Any = None, axis: int = -1) -> Any:
    b, a, x = np.atleast_1d(as_array(b)), np.atleast_1d(as_array(a)), as_array(x)
    return apply(_lfilter, b, a, x, axis) if zi is None else _from_state(b, a, x, zi, axis)


def _sosfilt(x: Any, sos: Any, axis: int = -1) -> Any:
    return signal.sosfilt(sos, x, axis)


general(
    _sosfilt,
    lambda ct, y, x, sos, axis=-1: np.flip(apply(_sosfilt, np.flip(ct, axis), sos, axis), axis),
    name="sosfilt",
    generic=(0,),
)


@carried(signal.sosfilt, "x", "sos", "zi")
def _sosfilt_body(x: Any, sos: Any, zi: Any = None, axis: int = -1) -> Any:
    x, sos = as_array(x), as_array(sos)
    if zi is None and not is_live(sos):
        return apply(_sosfilt, x, plain(sos), axis)
    value = signal.sosfilt(*plain((sos, x)), axis, plain(zi))
    states = []
    for i, section in enumerate(sos):
        b, a = section[:3], section[3:]
        if zi is None:
            x = apply(_lfilter, b, a, x, axis)
        else:
            x, state = _from_state(b, a, x, zi[i], axis)
            states.append(state)
    if zi is None:
        return with_value(x, value)
    return with_value(x, value[0]), with_value(np.stack(states), value[1])


_EXTENSIONS: dict[str, dict] = {
    "odd": {"mode": "reflect", "reflect_type": "odd"},
    "even": {"mode": "reflect"},
    "constant": {"mode": "edge"},
}


def _forth_and_back(x: Any, axis: int, padtype: Any, edge: int, run: Callable) -> Any:
    """Filter from each end; ``run(x, first)`` begins as if `first` had always been there."""
    n = x.shape[axis]
    if padtype is None:
        edge = 0
    elif edge:
        x = _padded(x, edge, edge, axis, **_EXTENSIONS[padtype])
    for _ in range(2):
        x = np.flip(run(x, np.take(x, [0], axis)), axis)
    return np.take(x, np.arange(edge, edge + n), axis)


@carried(signal.filtfilt, "x")
def _filtfilt(
    x: Any, b: Any, a: Any, axis: int = -1, padtype: Any = "odd", padlen: Any = None,
    method: str = "pad", irlen: Any = None,
) -> Any:  # fmt: skip
    value = signal.filtfilt(b, a, plain(x), axis, padtype, padlen, method, irlen)
    if method != "pad":
        raise unsupported(signal.filtfilt, f"method={method!r}", "Use method='pad'.")
    x, b, a = as_array(x), np.atleast_1d(b), np.atleast_1d(a)
    state = signal.lfilter_zi(b, a)
    state = np.expand_dims(state, [i for i in range(x.ndim) if i != axis % x.ndim])
    edge = 3 * max(len(a), len(b)) if padlen is None else padlen
    return with_value(
        _forth_and_back(
            x, axis, padtype, edge, lambda x, first: _from_state(b, a, x, state * first, axis)[0]
        ),
        value,
    )


@carried(signal.sosfiltfilt, "x")
def _sosfiltfilt(x: Any, sos: Any, axis: int = -1, padtype: Any = "odd", padlen: Any = None) -> Any:
    value = signal.sosfiltfilt(sos, plain(x), axis, padtype, padlen)
    x, sos = as_array(x), np.atleast_2d(sos)
    states = signal.sosfilt_zi(sos)
    states = np.expand_dims(states, [i + 1 for i in range(x.ndim) if i != axis % x.ndim])
    taps = 2 * len(sos) + 1 - min(np.sum(sos[:, [2, 5]] == 0, axis=0))
    edge = 3 * int(taps) if padlen is None else padlen
    return with_value(
        _forth_and_back(
            x, axis, padtype, edge,
            lambda x, first: _sosfilt_body(x, sos, states * first, axis)[0],
        ),
        value,
    )  # fmt: skip


@carried(signal.savgol_filter, "x")
def _savgol(
    x: Any, window_length: int, polyorder: int, deriv: int = 0, delta: float = 1.0,
    axis: int = -1, mode: str = "interp", cval: Any = 0.0,
) -> Any:  # fmt: skip
    """Fit polynomials in a window: a convolution, and at the ends a matrix for the last window."""
    options = {"deriv": deriv, "delta": delta}
    value = signal.savgol_filter(
        plain(x), window_length, polyorder, axis=axis, mode=mode, cval=cval, **options
    )
    weights = signal.savgol_coeffs(window_length, polyorder, **options)
    x = np.moveaxis(as_array(x), axis, 0)
    if x.dtype not in (np.float64, np.float32):
        x = x.astype(np.float64)  # as SciPy does
    y = apply(
        ndimage.convolve1d, x, weights, axis=0, cval=cval,
        mode="constant" if mode == "interp" else mode,
    )  # fmt: skip
    half = window_length // 2
    if mode == "interp" and half:
        alone = signal.savgol_filter(
            np.eye(window_length), window_length, polyorder, axis=0, **options
        )
        first = np.tensordot(alone[:half], x[:window_length], 1)
        last = np.tensordot(alone[-half:], x[-window_length:], 1)
        y = np.concatenate([first, y[half:-half], last])
    return with_value(np.moveaxis(y, 0, axis), value)


@carried(signal.hilbert, "x")
def _hilbert(x: Any, N: Any = None, axis: int = -1) -> Any:
    """Leave out negative frequencies, and double the positive ones."""
    value = signal.hilbert(plain(x), N, axis)
    n = value.shape[axis]
    weights = np.where(np.arange(n) * 2 < n, 2.0, 0.0)
    weights[0] = 1.0
    if n % 2 == 0:
        weights[n // 2] = 1.0
    x = np.moveaxis(as_array(x), axis, -1)
    return with_value(np.moveaxis(np.fft.ifft(np.fft.fft(x, n) * weights), -1, axis), value)


def _detrend(data: Any, axis: int = -1, **options: Any) -> Any:
    return signal.detrend(data, axis, **options)


general(  # an orthogonal projection is its own adjoint
    _detrend,
    lambda ct, y, data, axis=-1, **options: apply(_detrend, ct, axis, **options),
    name="detrend",
)
carried(signal.detrend, "data")(lambda data, **options: apply(_detrend, as_array(data), **options))


@carried(signal.freqz, "b", "a")
def _freqz(b: Any, a: Any = 1, *, fs: float = 2 * np.pi, **options: Any) -> Any:
    """Return the quotient of two polynomials in ``exp(-i w)``."""
    w, value = signal.freqz(*plain((b, a)), fs=fs, **options)
    b, a = as_array(b), as_array(a)
    if max(b.ndim, a.ndim) > 1:
        raise unsupported(signal.freqz, "more than one filter", "Call it in a loop.")
    z = np.exp(-2j * np.pi / fs * w)
    h = np.polyval(np.atleast_1d(b)[::-1], z) / np.polyval(np.atleast_1d(a)[::-1], z)
    return w, with_value(h, value)


def _places_of_peaks(x: Any, *args: Any, **options: Any) -> Any:
    return signal.find_peaks(x, *args, **options)[0]


@twin_for(signal.find_peaks)
def _find_peaks(x: Any, *args: Any, **options: Any) -> Any:
    """Find places; of what is told of them, heights are elements."""
    peaks, told = signal.find_peaks(*plain((x, *args)), **plain(options))
    if any(map(is_live, (x, *args, *options.values()))):
        leaks.flat(None, (x, *args), _places_of_peaks, options)
        for name, value in told.items():
            if name == "peak_heights":
                told[name] = as_array(x)[peaks].astype(value.dtype)
            elif value.dtype.kind == "f":
                raise unsupported(signal.find_peaks, repr(name), "Compute it from x and the peaks.")
    return peaks, told
