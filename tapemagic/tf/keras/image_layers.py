"""Layers of images, [batch, rows, columns, channels]: convolution and pooling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tapemagic.autodiff import leaks
from tapemagic.errors import TapeUseError
from tapemagic.tf import nn, reductions
from tapemagic.tf.tensor import Tensor
from tapemagic.tf.windows import per_axis

from . import activations
from .inputs import InputSpec, positive
from .layer import Layer
from .weights import add_kernel_and_bias

_CONVOLUTIONS: dict[int, Callable] = {2: nn.conv2d, 3: nn.conv3d}
_TRANSPOSED: dict[int, Callable] = {2: nn.conv2d_transpose, 3: nn.conv3d_transpose}


def check_options(layer: Layer, data_format: Any, groups: int = 1) -> None:
    """Raise for channels that come first, and for groups of them.

    Raises
    ------
    TapeUseError
    """
    if data_format not in (None, "channels_last") or groups != 1:
        raise leaks.locate(
            TapeUseError(
                f"{type(layer).__name__} with data_format={data_format!r}, groups={groups} is not "
                "provided.",
                fix="Put the channels last, and use a layer for each group.",
            )
        )


class Conv2D(Layer):
    """The cross-correlation of images with filters, plus a bias, under an activation.

    Parameters
    ----------
    filters : int
        Number of channels of the result.
    kernel_size, strides, dilation_rate : int, or two of them
        Of rows and columns.
    padding : {"valid", "same"}
    activation : str or callable, optional
    use_bias : bool
    kernel_initializer, bias_initializer : str or callable
    **more
        What `Layer` takes.

    Examples
    --------
    >>> from tapemagic import tf
    >>> layer = tf.keras.layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")
    >>> layer(tf.zeros((2, 28, 28, 1))).shape, layer.kernel.shape
    (TensorShape([2, 14, 14, 8]), TensorShape([3, 3, 1, 8]))
    """

    activation: Any = activations.Setting()
    axes = 2

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = (1, 1), padding: str = "valid",
        data_format: Any = None, dilation_rate: Any = (1, 1), groups: int = 1,
        activation: Any = None, use_bias: bool = True, kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros", **more: Any,
    ) -> None:  # fmt: skip
        super().__init__(**more)
        check_options(self, data_format, groups)
        self.filters = positive(filters, "filters")
        self.kernel_size = per_axis(kernel_size, "kernel_size", self.axes)
        self.strides, self.padding = per_axis(strides, "strides", self.axes), padding
        self.dilation_rate = per_axis(dilation_rate, "dilation_rate", self.axes)
        self.activation, self.use_bias = activation, use_bias
        self.kernel_initializer, self.bias_initializer = kernel_initializer, bias_initializer
        self.input_spec = InputSpec(ndim=self.axes + 2)

    def build(self, input_shape: Any) -> None:
        """Make the kernel, [rows, columns, channels, filters], and the bias."""
        self._make((*self.kernel_size, input_shape[-1], self.filters), input_shape)

    def _make(self, shape: tuple[int, ...], input_shape: Any) -> None:
        self.kernel, self.bias = add_kernel_and_bias(self, shape, self.filters)
        self.input_spec = InputSpec(ndim=self.axes + 2, axes={-1: input_shape[-1]})

    def call(self, inputs: Any) -> Tensor:
        """Return the activation of the convolution."""
        y = _CONVOLUTIONS[self.axes](
            self.as_floats(inputs), self.kernel, self.strides, self.padding,
            dilations=self.dilation_rate,
        )  # fmt: skip
        return self.activation(y if self.bias is None else nn.bias_add(y, self.bias))


class Conv2DTranspose(Conv2D):
    """The way back of a convolution: images that are larger by the strides.

    Parameters
    ----------
    filters, kernel_size, strides, padding, ...
        As of `Conv2D`.

    Examples
    --------
    >>> from tapemagic import tf
    >>> layer = tf.keras.layers.Conv2DTranspose(8, 5, strides=2, padding="same")
    >>> layer(tf.zeros((2, 7, 7, 16))).shape, layer.kernel.shape
    (TensorShape([2, 14, 14, 8]), TensorShape([5, 5, 8, 16]))
    """

    def build(self, input_shape: Any) -> None:
        """Make the kernel, [rows, columns, filters, channels], and the bias."""
        self._make((*self.kernel_size, self.filters, input_shape[-1]), input_shape)

    def call(self, inputs: Any) -> Tensor:
        """Return the activation of the transposed convolution."""
        batch, *lengths, _ = inputs.shape
        shape = [batch]
        for length, size, step, rate in zip(
            lengths, self.kernel_size, self.strides, self.dilation_rate, strict=True
        ):
            covered = (size - 1) * rate + 1
            over = max(covered - step, 0) if self.padding.lower() == "valid" else 0
            shape.append(length * step + over)
        y = _TRANSPOSED[self.axes](
            self.as_floats(inputs), self.kernel, [*shape, self.filters], self.strides,
            self.padding.upper(), dilations=self.dilation_rate,
        )  # fmt: skip
        return self.activation(y if self.bias is None else nn.bias_add(y, self.bias))


class _Pooling2D(Layer):
    """What both poolings have: a window, its steps, and what happens at the border."""

    axes = 2

    def __init__(
        self, pool_size: Any = (2, 2), strides: Any = None, padding: str = "valid",
        data_format: Any = None, **more: Any,
    ) -> None:  # fmt: skip
        super().__init__(**more)
        check_options(self, data_format)
        self.pool_size = per_axis(pool_size, "pool_size", self.axes)
        self.strides = (
            self.pool_size if strides is None else per_axis(strides, "strides", self.axes)
        )
        self.padding, self.input_spec = padding, InputSpec(ndim=self.axes + 2)


class MaxPooling2D(_Pooling2D):
    """The largest element in each place of a window; its steps are its size if not given."""

    def call(self, inputs: Any) -> Tensor:
        """Return the largest elements."""
        return nn.max_pool2d(inputs, self.pool_size, self.strides, self.padding)


class AveragePooling2D(_Pooling2D):
    """The mean in each place of a window; its steps are its size if not given."""

    def call(self, inputs: Any) -> Tensor:
        """Return the means."""
        return nn.avg_pool2d(inputs, self.pool_size, self.strides, self.padding)


class _Global2D(Layer):
    """What both global poolings have."""

    axes = 2

    def __init__(self, data_format: Any = None, keepdims: bool = False, **more: Any) -> None:
        super().__init__(**more)
        check_options(self, data_format)
        self.keepdims, self.input_spec = keepdims, InputSpec(ndim=self.axes + 2)


class GlobalAveragePooling2D(_Global2D):
    """The mean of each channel."""

    def call(self, inputs: Any) -> Tensor:
        """Return [batch, channels]."""
        return reductions.reduce_mean(inputs, [*range(1, self.axes + 1)], self.keepdims)


class GlobalMaxPooling2D(_Global2D):
    """The largest element of each channel."""

    def call(self, inputs: Any) -> Tensor:
        """Return [batch, channels]."""
        return reductions.reduce_max(inputs, [*range(1, self.axes + 1)], self.keepdims)
