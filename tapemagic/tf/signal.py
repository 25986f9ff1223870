"""`tf.signal`: Fourier transforms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import advice
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

__getattr__ = advice.missing("tf.signal")
