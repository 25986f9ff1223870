"""Signals in frames: windows, short-time Fourier transforms, cosine transforms, mel scales."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.autodiff.calls.dispatch import plain

from .conversion import floats, operand, whole_numbers
from .refusals import in_words, refuse
from .specs import as_dtype, float32
from .tensor import Tensor, dtype_of, tensor_of


@in_words
def frame(
    signal: Any, frame_length: Any, frame_step: Any, pad_end: bool = False, pad_value: Any = 0,
    axis: int = -1, name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return the parts of a signal that begin `frame_step` apart, in rows.

    Examples
    --------
    >>> from tapemagic import tf
    >>> print(tf.signal.frame(tf.range(5), 3, 2))
    tf.Tensor(
    [[0 1 2]
     [2 3 4]], shape=(2, 3), dtype=int32)
    """
    x, length, step = operand(signal), whole_numbers(frame_length), whole_numbers(frame_step)
    axis = range(np.ndim(plain(x)))[axis]
    count = np.shape(plain(x))[axis]
    number = -(-count // step) if pad_end else max(0, 1 + (count - length) // step)
    places = step * np.arange(number)[:, None] + np.arange(length)
    missing = max(0, int(places.max(initial=-1)) + 1 - count)
    beside = [(0, missing * (a == axis)) for a in range(np.ndim(plain(x)))]
    return tensor_of(np.take(np.pad(x, beside, constant_values=pad_value), places, axis=axis))


@in_words
def overlap_and_add(signal: Any, frame_step: Any, name: str | None = None) -> Tensor:
    """Return the signal whose frames, `frame_step` apart, are added where they overlap."""
    x, step = operand(signal), whole_numbers(frame_step)
    *outer, number, length = np.shape(plain(x))
    y = np.copy(operand(np.zeros((*outer, length + step * (number - 1)), dtype_of(x))))
    places = step * np.arange(number)[:, None] + np.arange(length)
    np.add.at(y, (*(slice(None),) * len(outer), places), x)
    return tensor_of(+y)


# ------------------------------------------------------------------------------------- windows


def _window(name: str, constant: float) -> Callable:
    def function(
        window_length: Any, periodic: bool = True, dtype: Any = float32, name: str | None = None
    ) -> Tensor:
        length = whole_numbers(window_length)
        period = length - 1 + (periodic and length % 2 == 0)  # as TensorFlow has it
        angle = 2 * np.pi * np.arange(length) / max(period, 1)
        values = constant - (1 - constant) * np.cos(angle) if length > 1 else np.ones(length)
        return tensor_of(values.astype(as_dtype(dtype).dtype))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Return ``{constant} - {1 - constant:.2g} * cos(x)`` over a full circle."
    return in_words(function)


hann_window = _window("hann_window", 0.5)
hamming_window = _window("hamming_window", 0.54)


def _weights(window_fn: Callable | None, length: int, x: Any) -> Any:
    dtype = np.float64 if dtype_of(x) in (np.float64, np.complex128) else np.float32
    return np.ones(length, dtype) if window_fn is None else window_fn(length, dtype=dtype)


def _fft_length(given: Any, frame_length: int) -> int:
    return 2 ** (frame_length - 1).bit_length() if given is None else whole_numbers(given)


@in_words
def stft(
    signals: Any, frame_length: Any, frame_step: Any, fft_length: Any = None,
    window_fn: Callable | None = hann_window, pad_end: bool = False, name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return the Fourier transform of every frame of a signal, times a window."""
    x, length = floats(signals, "signal.stft"), whole_numbers(frame_length)
    framed = frame(x, length, frame_step, pad_end)
    y = np.fft.rfft(framed * _weights(window_fn, length, x), _fft_length(fft_length, length))
    return tensor_of(y.astype(np.result_type(dtype_of(x), np.complex64)))


@in_words
def inverse_stft(
    stfts: Any, frame_length: Any, frame_step: Any, fft_length: Any = None,
    window_fn: Callable | None = hann_window, name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return the signal of Fourier transforms of frames, each times a window again."""
    x, length = operand(stfts), whole_numbers(frame_length)
    y = np.fft.irfft(x, _fft_length(fft_length, length))[..., :length]
    weights = _weights(window_fn, length, x)
    return overlap_and_add(y.astype(dtype_of(weights)) * weights, frame_step)


def inverse_stft_window_fn(
    frame_step: Any, forward_window_fn: Callable = hann_window, name: str | None = None
) -> Callable:
    """Return the function of a window for `inverse_stft` that gives the signal back."""

    def window(frame_length: Any, dtype: Any = float32) -> Tensor:
        length, step = whole_numbers(frame_length), whole_numbers(frame_step)
        weights = forward_window_fn(length, dtype=dtype)
        overlaps = -(-length // step)
        squares = np.pad(np.square(weights), (0, overlaps * step - length))
        total = np.sum(np.reshape(squares, (overlaps, step)), axis=0)
        return tensor_of(weights / np.tile(total, overlaps)[:length])

    return window


# ---------------------------------------------------------------------------- other transforms


@in_words
def dct(
    input: Any, type: int = 2, n: Any = None, axis: int = -1, norm: str | None = None,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return the cosine transform of the last axis, of type 2 or 3."""
    x = floats(input, "signal.dct")
    if type not in (2, 3) or axis != -1 or norm not in (None, "ortho"):
        refuse(f"dct with type={type}, axis={axis}, norm={norm!r} is not provided.")
    count = np.shape(plain(x))[-1] if n is None else whole_numbers(n)
    x = np.pad(x, [(0, 0)] * (np.ndim(plain(x)) - 1) + [(0, count)])[..., :count]
    # row k holds the cosine of k half periods, at the middles of the elements
    cosines = 2 * np.cos(np.pi * np.outer(np.arange(count), np.arange(count) + 0.5) / count)
    if norm == "ortho":
        cosines *= np.where(np.arange(count) == 0, 0.5, np.sqrt(0.5))[:, None] / np.sqrt(count)
    elif type == 3:
        cosines[0] /= 2
    return tensor_of(np.matmul(x, (cosines.T if type == 2 else cosines).astype(dtype_of(x))))


def idct(
    input: Any, type: int = 2, n: Any = None, axis: int = -1, norm: str | None = None,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return the cosine transform the other way: but for a factor, if `norm` is None."""
    return dct(input, {2: 3, 3: 2}.get(type, type), n, axis, norm)


def linear_to_mel_weight_matrix(
    num_mel_bins: int = 20, num_spectrogram_bins: int = 129, sample_rate: Any = 8000,
    lower_edge_hertz: float = 125.0, upper_edge_hertz: float = 3800.0, dtype: Any = float32,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return the matrix that makes bands, evenly spaced to the ear, of a spectrogram."""
    frequencies = np.linspace(0, plain(sample_rate) / 2, num_spectrogram_bins)[1:, None]
    edges = np.linspace(_mel(lower_edge_hertz), _mel(upper_edge_hertz), num_mel_bins + 2)
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    rising = (_mel(frequencies) - low) / (middle - low)
    falling = (high - _mel(frequencies)) / (high - middle)
    bands = np.maximum(0, np.minimum(rising, falling))
    return tensor_of(np.pad(bands, [(1, 0), (0, 0)]).astype(as_dtype(dtype).dtype))


def _mel(hertz: Any) -> Any:
    """Return how high a frequency sounds. O'Shaughnessy 1987, "Speech communication"."""
    return 1127 * np.log1p(np.asarray(hertz) / 700)


def mfccs_from_log_mel_spectrograms(log_mel_spectrograms: Any, name: str | None = None) -> Tensor:
    """Return the cosine transform of the bands, scaled as HTK does it."""
    x = operand(log_mel_spectrograms)
    return tensor_of(dct(x) * dtype_of(x).type((2 * np.shape(plain(x))[-1]) ** -0.5))
