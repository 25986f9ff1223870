"""Layers that bring numbers to mean 0 and variance 1, and then to a mean and scale of their own."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff.calls.dispatch import plain
from tapemagic.autodiff.kept import Kept
from tapemagic.tf import nn
from tapemagic.tf.conversion import whole_numbers
from tapemagic.tf.refusals import refuse
from tapemagic.tf.tensor import Tensor, tensor_of

from . import masks
from .inputs import InputSpec
from .layer import Layer
from .loss import EPSILON


class _Normalization(Layer):
    """What both have: a factor gamma and an offset beta along axes."""

    def __init__(
        self, epsilon: float, center: bool, scale: bool, beta_initializer: Any,
        gamma_initializer: Any, **more: Any,
    ) -> None:  # fmt: skip
        super().__init__(**more)
        self.epsilon, self.center, self.scale = epsilon, center, scale
        self.beta_initializer, self.gamma_initializer = beta_initializer, gamma_initializer

    def _make(self, shape: tuple[int, ...]) -> None:
        self.gamma = self.beta = None
        if self.scale:
            self.gamma = self.add_weight(shape, self.gamma_initializer, name="gamma")
        if self.center:
            self.beta = self.add_weight(shape, self.beta_initializer, name="beta")

    def _normalized(self, x: Any, mean: Any, variance: Any, shape: Any) -> Tensor:
        """Return `x` normalized; gamma and beta are brought to `shape` for it."""
        gamma, beta = (None if v is None else np.reshape(v, shape) for v in (self.gamma, self.beta))
        return nn.batch_normalization(x, mean, variance, beta, gamma, self.epsilon)


class BatchNormalization(_Normalization):
    """Normalize each channel: in training by the batch's mean and variance, else by running ones.

    In training, examples of a batch depend on each other, and the running ones are moved.
    Ioffe and Szegedy 2015, "Batch normalization".

    Parameters
    ----------
    axis : int
        That of the channels.
    momentum : float
        Part of the running mean and variance that stays at each call.
    epsilon : float
        Added to the variance.
    center, scale : bool
        Whether to learn an offset `beta` and a factor `gamma`.
    beta_initializer, ... : str or callable
    **more
        What `Layer` takes; with ``trainable=False`` it works as outside of training.

    Examples
    --------
    >>> from tapemagic import tf
    >>> layer = tf.keras.layers.BatchNormalization(epsilon=0)
    >>> print(layer(tf.constant([[1.0], [3.0]]), training=True)[:, 0])
    tf.Tensor([-1.  1.], shape=(2,), dtype=float32)
    """

    supports_masking = True

    def __init__(
        self, axis: int = -1, momentum: float = 0.99, epsilon: float = 1e-3, center: bool = True,
        scale: bool = True, beta_initializer: Any = "zeros", gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros", moving_variance_initializer: Any = "ones",
        **more: Any,
    ) -> None:  # fmt: skip
        super().__init__(epsilon, center, scale, beta_initializer, gamma_initializer, **more)
        self.axis, self.momentum = axis, momentum
        self._batches = Kept()
        self.moving_mean_initializer = moving_mean_initializer
        self.moving_variance_initializer = moving_variance_initializer

    def build(self, input_shape: Any) -> None:
        """Make gamma, beta and the running mean and variance, one number per channel each."""
        shape = (input_shape[self.axis],)
        self._make(shape)
        self._running = [
            self.add_weight(shape, initializer, trainable=False, name=name)
            for name, initializer in (
                ("moving_mean", self.moving_mean_initializer),
                ("moving_variance", self.moving_variance_initializer),
            )
        ]
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: shape[0]})

    @property
    def moving_mean(self) -> Any:
        """The running mean of each channel."""
        return self._read(0)

    @property
    def moving_variance(self) -> Any:
        """The running variance of each channel."""
        return self._read(1)

    def _read(self, which: int) -> Any:
        """Return a running number, and let the tape know that it is used."""
        if not self.built:
            raise AttributeError(f"{self.name!r} has no running means before its first call")
        self._batches.read("running means")
        return self._running[which]

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Tensor:
        """Return the input normalized, by mean and variance of the places that a mask counts."""
        x = self.as_floats(inputs)
        channels = self.axis % len(x.shape)
        shape = [n if axis == channels else 1 for axis, n in enumerate(x.shape)]
        if not (training and self.trainable):
            mean, variance = self.moving_mean, self.moving_variance
            return self._normalized(x, np.reshape(mean, shape), np.reshape(variance, shape), shape)
        others = [axis for axis in range(len(shape)) if axis != channels]
        if mask is None:
            mean, variance = nn.moments(x, others, keepdims=True)
        else:
            mean, variance = _moments_of_counted(x, others, mask)
        self._batches.add(mean, variance)
        for running, new in zip(self._running, (mean, variance), strict=True):
            kept = plain(running) * self.momentum
            running.assign(kept + plain(new).ravel() * (1 - self.momentum))
        return self._normalized(x, mean, variance, shape)


def _moments_of_counted(x: Any, axes: list[int], mask: Any) -> tuple[Any, Any]:
    """Return mean and variance of the places that a mask counts; of none of them, zeros."""
    counts = masks.as_bools(mask)
    if counts.shape != tuple(x.shape[:-1]) or len(x.shape) - 1 in axes:
        refuse(
            f"A mask of shape {counts.shape} for a normalization of shape {x.shape}.",
            "A mask has the shape without the channels, which are the last axis.",
        )
    counts = np.broadcast_to(counts[..., np.newaxis], x.shape)
    number = counts.sum(axis=tuple(axes), keepdims=True) + np.float32(EPSILON)
    number = number.astype(x.dtype.as_numpy_dtype)
    mean = np.sum(np.where(counts, x, 0), axis=tuple(axes), keepdims=True) / number
    squares = np.square(np.where(counts, x - mean, 0))
    return mean, np.sum(squares, axis=tuple(axes), keepdims=True) / number


class LayerNormalization(_Normalization):
    """Normalize each example by itself, along axes.

    Ba et al. 2016, "Layer normalization".

    Parameters
    ----------
    axis : int or tuple of int
    epsilon : float
        Added to the variance.
    center, scale : bool
        Whether to learn an offset `beta` and a factor `gamma`.
    beta_initializer, gamma_initializer : str or callable
    **more
        What `Layer` takes.

    Examples
    --------
    >>> from tapemagic import tf
    >>> print(tf.keras.layers.LayerNormalization(epsilon=0)(tf.constant([[1.0, 3.0], [0.0, 9.0]])))
    tf.Tensor(
    [[-1.  1.]
     [-1.  1.]], shape=(2, 2), dtype=float32)
    """

    supports_masking = True

    def __init__(
        self, axis: Any = -1, epsilon: float = 1e-3, center: bool = True, scale: bool = True,
        beta_initializer: Any = "zeros", gamma_initializer: Any = "ones", **more: Any,
    ) -> None:  # fmt: skip
        super().__init__(epsilon, center, scale, beta_initializer, gamma_initializer, **more)
        self.axis = axis

    def build(self, input_shape: Any) -> None:
        """Make gamma and beta, of the lengths of the axes."""
        axes = np.atleast_1d(whole_numbers(self.axis)).tolist()
        self._axes = sorted(axis % len(input_shape) for axis in axes)
        self._make(tuple(input_shape[axis] for axis in self._axes))
        lengths = {axis: input_shape[axis] for axis in self._axes}
        self.input_spec = InputSpec(ndim=len(input_shape), axes=lengths)

    def call(self, inputs: Any) -> Tensor:
        """Return the input normalized."""
        x = self.as_floats(inputs)
        shape = [n if axis in self._axes else 1 for axis, n in enumerate(x.shape)]
        mean, variance = nn.moments(x, self._axes, keepdims=True)
        return self._normalized(x, mean, variance, shape)


class GroupNormalization(_Normalization):
    """Normalize groups of channels of each example by themselves. Wu and He 2018.

    Parameters
    ----------
    groups : int
        Number of groups; -1 for one of each channel.
    """

    supports_masking = True

    def __init__(
        self, groups: int = 32, axis: int = -1, epsilon: float = 1e-3, center: bool = True,
        scale: bool = True, beta_initializer: Any = "zeros", gamma_initializer: Any = "ones",
        **more: Any,
    ) -> None:  # fmt: skip
        super().__init__(epsilon, center, scale, beta_initializer, gamma_initializer, **more)
        self.groups, self.axis = groups, axis

    def build(self, input_shape: Any) -> None:
        """Make gamma and beta, one number per channel each."""
        self._make((input_shape[self.axis],))
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: input_shape[self.axis]})

    def call(self, inputs: Any) -> Tensor:
        """Return the input normalized."""
        x = self.as_floats(inputs)
        channels = self.axis % len(x.shape)
        count = x.shape[channels]
        groups = count if self.groups == -1 else self.groups
        if count % groups:
            refuse(f"GroupNormalization of {count} channels in {groups} groups.")
        parts = list(x.shape)
        parts[channels : channels + 1] = [groups, count // groups]
        axes = [axis for axis in range(1, len(parts)) if axis != channels]
        grouped = np.reshape(x, parts)
        mean, variance = nn.moments(grouped, axes, keepdims=True)
        normal = (grouped - mean) / np.sqrt(variance + self.epsilon)
        y = np.reshape(normal, x.shape)
        shape = [n if axis == channels else 1 for axis, n in enumerate(x.shape)]
        y = y if self.gamma is None else y * np.reshape(self.gamma, shape)
        return tensor_of(y if self.beta is None else y + np.reshape(self.beta, shape))


class RMSNormalization(Layer):
    """Divide each example by its root mean square along an axis. Zhang and Sennrich 2019."""

    def __init__(self, axis: int = -1, epsilon: float = 1e-6, **more: Any) -> None:
        super().__init__(**more)
        self.axis, self.epsilon = axis, epsilon

    def build(self, input_shape: Any) -> None:
        """Make the scale, of the length of the axis."""
        self.scale = self.add_weight((input_shape[self.axis],), "ones", name="scale")

    def call(self, inputs: Any) -> Tensor:
        """Return the input divided, and scaled."""
        x = self.as_floats(inputs)
        squares = np.mean(np.square(x), axis=self.axis, keepdims=True)
        shape = [1] * len(x.shape)
        shape[self.axis] = -1
        return tensor_of(x / np.sqrt(squares + self.epsilon) * np.reshape(self.scale, shape))


class UnitNormalization(Layer):
    """Divide by the norm along an axis."""

    supports_masking = True

    def __init__(self, axis: Any = -1, **more: Any) -> None:
        super().__init__(**more)
        self.axis = axis

    def call(self, inputs: Any) -> Tensor:
        """Return vectors of length 1."""
        return nn.l2_normalize(self.as_floats(inputs), self.axis)
