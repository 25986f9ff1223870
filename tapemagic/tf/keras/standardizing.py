"""`tf.keras.layers.Normalization`: numbers in the scale of data that the layer has seen."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls.dispatch import plain
from tapemagic.tf.data import Dataset
from tapemagic.tf.refusals import refuse
from tapemagic.tf.tensor import Tensor, tensor_of

from .layer import Layer


class Normalization(Layer):
    """Bring numbers to mean 0 and variance 1, by those of data that `adapt` was given.

    Parameters
    ----------
    axis : int or None
        That along which each place has a mean of its own; None for one of all.
    mean, variance : optional
        In place of `adapt`.
    invert : bool
        Whether to go the way back.
    """

    supports_masking = True

    def __init__(
        self, axis: Any = -1, mean: Any = None, variance: Any = None, invert: bool = False,
        **more: Any,
    ) -> None:  # fmt: skip
        super().__init__(**more)
        self.axis, self.invert = axis, invert
        self.input_mean, self.input_variance = mean, variance

    def build(self, input_shape: Any) -> None:
        """Make the mean and the variance of data, unless they were given, and their number."""
        if self.input_mean is None:
            shape = tuple(input_shape[axis] for axis in self._kept(len(input_shape)))
            self.adapt_mean: Any = self.add_weight(shape, "zeros", trainable=False, name="mean")
            self.adapt_variance: Any = self.add_weight(
                shape, "ones", trainable=False, name="variance"
            )
            self.count: Any = self.add_weight((), dtype="int32", trainable=False, name="count")
        self._ndim = len(input_shape)

    def _kept(self, ndim: int) -> list[int]:
        """Return the axes along which each place has numbers of its own."""
        return [] if self.axis is None else sorted(a % ndim for a in np.atleast_1d(self.axis))

    def adapt(self, data: Any) -> None:
        """Take mean and variance from an array, or a data set of batches.

        What a batch holds beside the first part, as labels, is left out.
        """
        if isinstance(data, Dataset):
            parts = [batch[0] if isinstance(batch, tuple) else batch for batch in data]
            data = np.concatenate([np.asarray(plain(part)) for part in parts])
        leaks.hand_out(data, "adapt()")
        x = np.asarray(plain(data), self.dtype.dtype)
        if not self.built:
            self.build(x.shape)
        others = tuple(axis for axis in range(x.ndim) if axis not in self._kept(x.ndim))
        self.adapt_mean.assign(x.mean(axis=others))
        self.adapt_variance.assign(x.var(axis=others))
        self.count.assign(1)

    @property
    def mean(self) -> Tensor:
        """The mean, with an axis of length 1 for each that it goes over."""
        return self._placed("mean")

    @property
    def variance(self) -> Tensor:
        """The variance, of the same shape."""
        return self._placed("variance")

    def _placed(self, name: str) -> Tensor:
        given = getattr(self, f"input_{name}")
        if not self.built or (given is None and not int(plain(self.count))):
            raise AttributeError(f"{self.name!r} has no {name} before it has seen data")
        value = np.asarray(plain(getattr(self, f"adapt_{name}") if given is None else given))
        shape, kept = [1] * self._ndim, self._kept(self._ndim)
        for i in range(1, value.ndim + 1):
            shape[kept[-i]] = value.shape[-i]
        return tensor_of(value.reshape(shape).astype(self.dtype.dtype))

    def call(self, inputs: Any) -> Tensor:
        """Return the input normalized."""
        if self.input_mean is None and not int(plain(self.count)):
            refuse("Normalization without mean and variance.", "Call its adapt(data) first.")
        x = self.as_floats(inputs)
        mean, deviation = plain(self.mean), np.maximum(np.sqrt(plain(self.variance)), 1e-7)
        deviation = deviation.astype(self.dtype.dtype)
        return tensor_of(x * deviation + mean if self.invert else (x - mean) / deviation)
