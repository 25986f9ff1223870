"""Spectra of `scipy.signal`: short-time Fourier transforms and what is made of them.

The values are SciPy's; the derivative is that of the textbook's formula, written with NumPy's
functions and held against SciPy's value: segments of the signal, times a window, transformed (P.
Welch, "The use of fast Fourier transform for the estimation of power spectra", 1967).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import signal

from tapemagic.autodiff.twinning import fresh

from .algebra import as_array, plain, with_value
from .carrying import carried, unsupported

_ADVICE = "Cut the signal into segments yourself, and call np.fft.rfft."
_EXTENSIONS: dict[str, dict] = {
    "zeros": {"mode": "constant"}, "constant": {"mode": "edge"}, "even": {"mode": "reflect"},
    "odd": {"mode": "reflect", "reflect_type": "odd"},
}  # fmt: skip


class _Settings:
    """What a spectrum is taken with, once defaults and lengths are known."""

    def __init__(self, fun: Callable, given: dict, n: int, is_complex: bool) -> None:
        if not n:
            raise unsupported(fun, "an empty signal", "Leave it out.")
        known = inspect.signature(fun).parameters
        options = {name: p.default for name, p in known.items()} | given
        window, length = options["window"], options.get("nperseg")
        if isinstance(window, str | tuple):
            length = min(n, 256 if length is None else length)
            self.window = signal.get_window(window, length)
        else:
            self.window = np.asarray(window)
        self.length = len(self.window)
        overlap = options.get("noverlap")
        if overlap is None:
            overlap = self.length // (8 if fun is signal.spectrogram else 2)
        self.step = self.length - overlap
        self.nfft = options["nfft"] or self.length
        self.detrend = options["detrend"]
        if not (self.detrend in (None, "constant", "linear") or self.detrend is False):
            raise unsupported(fun, "a function as detrend=", _ADVICE)
        self.one_sided = options["return_onesided"] and not is_complex
        squares = options["scaling"] in ("density", "psd")
        total = options["fs"] * np.sum(self.window**2) if squares else np.sum(self.window) ** 2
        self.scale = float(1 / total)


def _transformed(x: Any, settings: _Settings) -> Any:
    """Return the transforms of the segments of the last axis: (..., frequencies, segments)."""
    starts = np.arange(0, x.shape[-1] - settings.length + 1, settings.step)
    parts = x[..., starts[:, None] + np.arange(settings.length)]
    if settings.detrend:
        powers = [np.ones(settings.length), np.arange(settings.length)]
        basis = np.linalg.qr(np.stack(powers[: 1 + (settings.detrend == "linear")], axis=1))[0]
        parts = parts - (parts @ basis) @ basis.T
    transform = np.fft.rfft if settings.one_sided else np.fft.fft
    return np.swapaxes(transform(parts * settings.window, settings.nfft), -1, -2)


def _power(x: Any, y: Any, settings: _Settings) -> Any:
    """Return conj(x) y, of one side twice, per unit of frequency or as a whole."""
    twice = np.ones((x.shape[-2], 1))
    if settings.one_sided:
        twice[1 : -1 if settings.nfft % 2 == 0 else None] = 2
    return np.conj(x) * y * (twice * settings.scale)


def _kept(fun: Callable, value: np.ndarray, y: Any, axis: int) -> Any:
    """Return `y`, with the frequencies at `axis`, as having SciPy's value; refuse another value."""
    source = y.ndim - (2 if y.ndim == value.ndim and fun in _OF_TIME else 1)
    place = axis if axis >= 0 else axis - (fun in _OF_TIME)
    y = np.moveaxis(y, source, place)
    if y.dtype.kind == "c" and value.dtype.kind != "c":
        y = np.real(y)
    near = 1e-3 if value.dtype.itemsize <= 8 and value.dtype.kind == "c" else 1e-6
    near = max(near, 1e4 * float(np.finfo(value.dtype).eps))
    size = np.max(np.abs(value), initial=0)
    if y.shape != value.shape or not np.allclose(
        plain(y), value, rtol=near, atol=near * size, equal_nan=True
    ):
        raise unsupported(fun, "these settings", _ADVICE)
    return with_value(y.astype(value.dtype) if y.dtype != value.dtype else y, value)


_OF_TIME = (signal.spectrogram, signal.stft)


def _of_two(fun: Callable, x: Any, y: Any, found: tuple, options: dict) -> tuple:
    """Carry out a function of two signals, or of one with itself, that averages over segments."""
    axis, how = options.get("axis", -1), options.get("average", "mean")
    if how != "mean":
        raise unsupported(fun, f"average={how!r}", "Take the mean of the segments.")
    if x.shape[axis] != y.shape[axis]:
        raise unsupported(fun, "signals of unequal length", "Pad the shorter one with np.pad.")
    is_complex = "c" in (x.dtype.kind, y.dtype.kind)
    settings = _Settings(signal.csd, options, x.shape[axis], is_complex)
    first = _transformed(np.moveaxis(x, axis, -1), settings)
    second = first if y is x else _transformed(np.moveaxis(y, axis, -1), settings)

    def averaged(one: Any, other: Any) -> Any:
        return np.mean(_power(one, other, settings), axis=-1)

    power = averaged(first, second)
    if fun is signal.coherence:
        own, others = (np.real(averaged(t, t)) for t in (first, second))
        power = np.abs(power) ** 2 / own / others
    return fresh(found[0]), _kept(fun, found[1], power, axis)


@carried(signal.welch, "x")
def _welch(x: Any, **options: Any) -> tuple:
    return _of_two(signal.welch, x, x, signal.welch(plain(x), **options), options)


@carried(signal.csd, "x", "y")
def _csd(x: Any, y: Any, **options: Any) -> tuple:
    return _of_two(signal.csd, x, y, signal.csd(plain(x), plain(y), **options), options)


@carried(signal.coherence, "x", "y")
def _coherence(x: Any, y: Any, **options: Any) -> tuple:
    found = signal.coherence(plain(x), plain(y), **options)
    return _of_two(signal.coherence, x, y, found, options)


@carried(signal.periodogram, "x")
def _periodogram(x: Any, **options: Any) -> tuple:
    found = signal.periodogram(plain(x), **options)
    axis = options.get("axis", -1)
    x = np.moveaxis(as_array(x), axis, -1)
    nfft = options.get("nfft")
    if nfft is not None and nfft < x.shape[-1]:
        x = x[..., :nfft]
    given = {"nperseg": x.shape[-1], "noverlap": 0} | options
    if given.get("window", "boxcar") is None:
        given["window"] = "boxcar"
    settings = _Settings(signal.periodogram, given, x.shape[-1], x.dtype.kind == "c")
    t = _transformed(x, settings)
    power = np.real(_power(t, t, settings))[..., 0]
    return fresh(found[0]), _kept(signal.periodogram, found[1], power, axis)


def _asked(fun: Callable, x: Any, options: dict) -> tuple[tuple, Any, _Settings]:
    """Return SciPy's answer, the signal with time as its last axis, and the settings."""
    found = fun(plain(x), **options)
    x = np.moveaxis(as_array(x), options.get("axis", -1), -1)
    return found, x, _Settings(fun, options, x.shape[-1], x.dtype.kind == "c")


@carried(signal.spectrogram, "x")
def _spectrogram(x: Any, **options: Any) -> tuple:
    fun = signal.spectrogram
    found, x, settings = _asked(fun, x, options)
    t = _transformed(x, settings)
    mode = options.get("mode", "psd")
    if mode == "psd":
        y = np.real(_power(t, t, settings))
    elif mode in ("complex", "magnitude"):
        y = t * settings.scale**0.5
        y = np.abs(y) if mode == "magnitude" else y
    else:
        raise unsupported(fun, f"mode={mode!r}", "Take the angle of mode='complex'.")
    return *map(fresh, found[:2]), _kept(fun, found[2], y, options.get("axis", -1))


@carried(signal.stft, "x")
def _stft(x: Any, **options: Any) -> tuple:
    found, x, settings = _asked(signal.stft, x, options)
    boundary = options.get("boundary", "zeros")
    none = [(0, 0)] * (x.ndim - 1)
    if boundary is not None:
        half = settings.length // 2
        x = np.pad(x, [*none, (half, half)], **_EXTENSIONS[boundary])
    if options.get("padded", True):
        missing = -(x.shape[-1] - settings.length) % settings.step % settings.length
        x = np.pad(x, [*none, (0, missing)])
    y = _transformed(x, settings) * settings.scale**0.5
    return *map(fresh, found[:2]), _kept(signal.stft, found[2], y, options.get("axis", -1))
