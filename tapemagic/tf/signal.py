"""`tf.signal`: Fourier transforms, of whole signals and of their frames."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import advice, frames
from .conversion import check_kind, operand, whole_numbers
from .refusals import in_words
from .tensor import Tensor, dtype_of, tensor_of


def _transform(name: str, fun: Callable, kinds: str, *, axes: int) -> Callable:
    def function(input: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
        x = operand(input)
        check_kind(x, kinds, f"signal.{function.__name__}")
        lengths = None if fft_length is None else np.atleast_1d(whole_numbers(fft_length)).tolist()
        if axes == 1:
            y = fun(x, None if lengths is None else lengths[0])
        else:
            y = fun(x, lengths, axes=tuple(range(-axes, 0)))
        single = dtype_of(x) in (np.float32, np.complex64)  # NumPy 2.0 computes in double
        wanted = {"c": np.complex64, "f": np.float32}[dtype_of(y).kind]
        return tensor_of(y.astype(wanted) if single else y)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"See `numpy.fft.{getattr(fun, '__name__', name)}`; of the last axes."
    return in_words(function)


fft = _transform("fft", np.fft.fft, "c", axes=1)
ifft = _transform("ifft", np.fft.ifft, "c", axes=1)
rfft = _transform("rfft", np.fft.rfft, "f", axes=1)
irfft = _transform("irfft", np.fft.irfft, "c", axes=1)
fft2d = _transform("fft2d", np.fft.fftn, "c", axes=2)
ifft2d = _transform("ifft2d", np.fft.ifftn, "c", axes=2)
rfft2d = _transform("rfft2d", np.fft.rfftn, "f", axes=2)
irfft2d = _transform("irfft2d", np.fft.irfftn, "c", axes=2)

fft3d = _transform("fft3d", np.fft.fftn, "c", axes=3)
ifft3d = _transform("ifft3d", np.fft.ifftn, "c", axes=3)

frame, overlap_and_add = frames.frame, frames.overlap_and_add
hann_window, hamming_window = frames.hann_window, frames.hamming_window
stft, inverse_stft = frames.stft, frames.inverse_stft
inverse_stft_window_fn = frames.inverse_stft_window_fn
dct, idct = frames.dct, frames.idct
linear_to_mel_weight_matrix = frames.linear_to_mel_weight_matrix
mfccs_from_log_mel_spectrograms = frames.mfccs_from_log_mel_spectrograms


@in_words
def fftshift(x: Any, axes: Any = None, name: str | None = None) -> Tensor:
    """Return the elements moved so that the frequency 0 is in the middle."""
    return tensor_of(np.fft.fftshift(operand(x), whole_numbers(axes)))


@in_words
def ifftshift(x: Any, axes: Any = None, name: str | None = None) -> Tensor:
    """Return what `fftshift` was made of."""
    return tensor_of(np.fft.ifftshift(operand(x), whole_numbers(axes)))


__getattr__ = advice.missing("tf.signal")
