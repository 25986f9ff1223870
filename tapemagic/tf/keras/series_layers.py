"""Layers of series, [batch, steps, channels], and of images channel by channel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.tf import nn, reductions
from tapemagic.tf.conversion import whole_numbers
from tapemagic.tf.tensor import Tensor, dtype_of, tensor_of

from . import masks
from .image_layers import (
    AveragePooling2D,
    Conv2D,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    MaxPooling2D,
)  # fmt: skip
from .inputs import InputSpec
from .weights import add_kernel_and_bias


def _one(value: Any) -> tuple[int, int]:
    """Return what is said of the steps of a series as that of an image of one row."""
    return (1, int(np.atleast_1d(whole_numbers(value))[0]))


def _as_row(call: Callable, layer: Any, inputs: Any) -> Tensor:
    """Return what the layer of images makes of a series as an image of one row."""
    return tensor_of(np.squeeze(call(layer, np.expand_dims(inputs, 1)), 1))


class Conv1D(Conv2D):
    """The cross-correlation of series with filters, plus a bias, under an activation.

    Parameters
    ----------
    filters, kernel_size, strides, dilation_rate, padding, ...
        As of `Conv2D`; the padding may be "causal": what is later does not count.

    Examples
    --------
    >>> from tapemagic import tf
    >>> layer = tf.keras.layers.Conv1D(8, 3, padding="causal")
    >>> layer(tf.zeros((2, 10, 4))).shape, layer.kernel.shape
    (TensorShape([2, 10, 8]), TensorShape([3, 4, 8]))
    """

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid",
        data_format: Any = None, dilation_rate: Any = 1, groups: int = 1, activation: Any = None,
        use_bias: bool = True, **more: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            filters, _one(kernel_size), _one(strides), padding, data_format,
            _one(dilation_rate), groups, activation, use_bias, **more,
        )  # fmt: skip
        self.input_spec = InputSpec(ndim=3)

    def build(self, input_shape: Any) -> None:
        """Make the kernel, [steps, channels, filters], and the bias."""
        self._make((self.kernel_size[1], input_shape[-1], self.filters), input_shape)
        self.input_spec = InputSpec(ndim=3, axes={-1: input_shape[-1]})

    def call(self, inputs: Any) -> Tensor:
        """Return the activation of the convolution."""
        x, padding = self.as_floats(inputs), self.padding.upper()
        if padding == "CAUSAL":
            before = (self.kernel_size[1] - 1) * self.dilation_rate[1]
            x, padding = np.pad(x, [(0, 0), (before, 0), (0, 0)]), "VALID"
        y = nn.conv1d(x, self.kernel, self.strides[1], padding, dilations=self.dilation_rate[1])
        return self.activation(y if self.bias is None else nn.bias_add(y, self.bias))


class Conv1DTranspose(Conv1D):
    """The way back of a convolution: series that are longer by the strides."""

    def build(self, input_shape: Any) -> None:
        """Make the kernel, [steps, filters, channels], and the bias."""
        self._make((self.kernel_size[1], self.filters, input_shape[-1]), input_shape)
        self.input_spec = InputSpec(ndim=3, axes={-1: input_shape[-1]})

    def call(self, inputs: Any) -> Tensor:
        """Return the activation of the transposed convolution."""
        step = self.strides[1]
        covered = (self.kernel_size[1] - 1) * self.dilation_rate[1] + 1
        over = max(covered - step, 0) if self.padding.lower() == "valid" else 0
        shape = (inputs.shape[0], inputs.shape[1] * step + over, self.filters)
        y = nn.conv1d_transpose(
            self.as_floats(inputs), self.kernel, shape, step, self.padding.upper(),
            dilations=self.dilation_rate[1],
        )  # fmt: skip
        return self.activation(y if self.bias is None else nn.bias_add(y, self.bias))


class DepthwiseConv2D(Conv2D):
    """The cross-correlation of each channel of images with filters of its own."""

    def __init__(
        self, kernel_size: Any, strides: Any = (1, 1), padding: str = "valid",
        depth_multiplier: int = 1, data_format: Any = None, dilation_rate: Any = (1, 1),
        activation: Any = None, use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform", **more: Any,
    ) -> None:  # fmt: skip
        for kind in ("regularizer", "constraint"):  # the kernel is called so, and its options not
            more[f"kernel_{kind}"] = more.pop(f"depthwise_{kind}", None)
        super().__init__(
            depth_multiplier, kernel_size, strides, padding, data_format, dilation_rate, 1,
            activation, use_bias, depthwise_initializer, **more,
        )  # fmt: skip

    def build(self, input_shape: Any) -> None:
        """Make the kernel, [rows, columns, channels, results of each], and the bias."""
        channels = input_shape[-1]
        self.kernel = self.add_weight(
            (*self.kernel_size, channels, self.filters), self.kernel_initializer, name="kernel"
        )
        self.bias = None
        if self.use_bias:
            count = (channels * self.filters,)
            self.bias = self.add_weight(count, self.bias_initializer, name="bias")
        self.input_spec = InputSpec(ndim=4, axes={-1: channels})

    def call(self, inputs: Any) -> Tensor:
        """Return the activation of the convolution."""
        y = nn.depthwise_conv2d(
            self.as_floats(inputs), self.kernel, self.strides, self.padding,
            dilations=self.dilation_rate,
        )  # fmt: skip
        return self.activation(y if self.bias is None else nn.bias_add(y, self.bias))


class SeparableConv2D(Conv2D):
    """`DepthwiseConv2D`, and then a product over the channels at each place."""

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = (1, 1), padding: str = "valid",
        data_format: Any = None, dilation_rate: Any = (1, 1), depth_multiplier: int = 1,
        activation: Any = None, use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform", **more: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            filters, kernel_size, strides, padding, data_format, dilation_rate, 1, activation,
            use_bias, depthwise_initializer, **more,
        )  # fmt: skip
        self.depth_multiplier = depth_multiplier
        self.pointwise_initializer = pointwise_initializer

    def build(self, input_shape: Any) -> None:
        """Make the kernels of both products, and the bias."""
        channels = input_shape[-1]
        self.depthwise_kernel = self.add_weight(
            (*self.kernel_size, channels, self.depth_multiplier), self.kernel_initializer,
            name="depthwise_kernel",
        )  # fmt: skip
        self.pointwise_kernel = self.add_weight(
            (1, 1, channels * self.depth_multiplier, self.filters), self.pointwise_initializer,
            name="pointwise_kernel",
        )  # fmt: skip
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight((self.filters,), self.bias_initializer, name="bias")
        self.input_spec = InputSpec(ndim=4, axes={-1: channels})

    def call(self, inputs: Any) -> Tensor:
        """Return the activation of both products."""
        y = nn.separable_conv2d(
            self.as_floats(inputs), self.depthwise_kernel, self.pointwise_kernel, self.strides,
            self.padding, dilations=self.dilation_rate,
        )  # fmt: skip
        return self.activation(y if self.bias is None else nn.bias_add(y, self.bias))


class DepthwiseConv1D(DepthwiseConv2D):
    """`DepthwiseConv2D` of series."""

    def __init__(
        self, kernel_size: Any, strides: Any = 1, padding: str = "valid",
        depth_multiplier: int = 1, data_format: Any = None, dilation_rate: Any = 1,
        activation: Any = None, use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform", **more: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            _one(kernel_size), _one(strides), padding, depth_multiplier, data_format,
            _one(dilation_rate), activation, use_bias, depthwise_initializer, **more,
        )  # fmt: skip
        self.input_spec = InputSpec(ndim=3)

    def build(self, input_shape: Any) -> None:
        """Make the kernel, [steps, channels, results of each], and the bias."""
        channels = input_shape[-1]
        self.kernel, self.bias = add_kernel_and_bias(
            self, (self.kernel_size[1], channels, self.filters), channels * self.filters
        )
        self.input_spec = InputSpec(ndim=3, axes={-1: channels})

    def call(self, inputs: Any) -> Tensor:
        """Return the activation of the convolution."""
        y = nn.depthwise_conv2d(
            np.expand_dims(self.as_floats(inputs), 1), np.expand_dims(self.kernel, 0),
            self.strides, self.padding, dilations=self.dilation_rate,
        )  # fmt: skip
        y = tensor_of(np.squeeze(y, 1))
        return self.activation(y if self.bias is None else nn.bias_add(y, self.bias))


class SeparableConv1D(SeparableConv2D):
    """`SeparableConv2D` of series."""

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid",
        data_format: Any = None, dilation_rate: Any = 1, depth_multiplier: int = 1,
        activation: Any = None, use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform", **more: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            filters, _one(kernel_size), _one(strides), padding, data_format, _one(dilation_rate),
            depth_multiplier, activation, use_bias, depthwise_initializer, pointwise_initializer,
            **more,
        )  # fmt: skip
        self.input_spec = InputSpec(ndim=3)

    def build(self, input_shape: Any) -> None:
        """Make the kernels of both products, and the bias."""
        channels = input_shape[-1]
        self.depthwise_kernel = self.add_weight(
            (self.kernel_size[1], channels, self.depth_multiplier), self.kernel_initializer,
            name="depthwise_kernel",
        )  # fmt: skip
        self.pointwise_kernel = self.add_weight(
            (1, channels * self.depth_multiplier, self.filters), self.pointwise_initializer,
            name="pointwise_kernel",
        )  # fmt: skip
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight((self.filters,), self.bias_initializer, name="bias")
        self.input_spec = InputSpec(ndim=3, axes={-1: channels})

    def call(self, inputs: Any) -> Tensor:
        """Return the activation of both products."""
        y = nn.separable_conv2d(
            np.expand_dims(self.as_floats(inputs), 1), np.expand_dims(self.depthwise_kernel, 0),
            np.expand_dims(self.pointwise_kernel, 0), self.strides, self.padding,
            dilations=self.dilation_rate,
        )  # fmt: skip
        y = tensor_of(np.squeeze(y, 1))
        return self.activation(y if self.bias is None else nn.bias_add(y, self.bias))


def _pooling(name: str, of_images: type) -> type:
    def __init__(  # noqa: N807
        self: Any, pool_size: Any = 2, strides: Any = None, padding: str = "valid",
        data_format: Any = None, **more: Any,
    ) -> None:  # fmt: skip
        steps = None if strides is None else _one(strides)
        of_images.__init__(self, _one(pool_size), steps, padding, data_format, **more)  # type: ignore[misc]
        self.input_spec = InputSpec(ndim=3)

    def call(self: Any, inputs: Any) -> Tensor:
        return _as_row(of_images.call, self, inputs)  # type: ignore[attr-defined]

    members = {"__init__": __init__, "call": call, "__doc__": f"`{of_images.__name__}` of series."}
    return type(name, (of_images,), members)


MaxPooling1D = _pooling("MaxPooling1D", MaxPooling2D)
AveragePooling1D = _pooling("AveragePooling1D", AveragePooling2D)


def _global(name: str, of_images: type, reduce: Callable) -> type:
    def __init__(self: Any, *args: Any, **more: Any) -> None:  # noqa: N807
        of_images.__init__(self, *args, **more)  # type: ignore[misc]
        self.input_spec = InputSpec(ndim=3)

    def call(self: Any, inputs: Any) -> Tensor:
        return reduce(inputs, 1, self.keepdims)

    members = {"__init__": __init__, "call": call, "__doc__": f"`{of_images.__name__}` of series."}
    return type(name, (of_images,), members)


_Mean = _global("_Mean", GlobalAveragePooling2D, reductions.reduce_mean)


class GlobalAveragePooling1D(_Mean):  # type: ignore[misc, valid-type]
    """`GlobalAveragePooling2D` of series: the mean of the steps that count."""

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """Return None: no steps are left."""

    def call(self, inputs: Any, mask: Any = None) -> Tensor:
        """Return [batch, channels]."""
        if mask is None:
            return super().call(inputs)
        counts = masks.steps(mask, inputs)[..., np.newaxis]
        total = np.sum(np.where(counts, inputs, 0), axis=1, keepdims=self.keepdims)
        number = np.sum(counts, axis=1, keepdims=self.keepdims)
        return tensor_of(total / number.astype(dtype_of(total)))


GlobalMaxPooling1D = _global("GlobalMaxPooling1D", GlobalMaxPooling2D, reductions.reduce_max)
