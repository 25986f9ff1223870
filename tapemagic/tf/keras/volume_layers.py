"""Layers of volumes, [batch, depth, rows, columns, channels]: those of images with an axis more."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.tf import nn
from tapemagic.tf.conversion import whole_numbers
from tapemagic.tf.tensor import Tensor, tensor_of

from .image_layers import (
    AveragePooling2D,
    Conv2D,
    Conv2DTranspose,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    MaxPooling2D,
    check_options,
)  # fmt: skip
from .inputs import InputSpec
from .layer import Layer
from .small_layers import Cropping2D, ZeroPadding2D


class Conv3D(Conv2D):
    """`Conv2D` of volumes.

    Examples
    --------
    >>> from tapemagic import tf
    >>> layer = tf.keras.layers.Conv3D(8, (1, 3, 3), padding="same")
    >>> layer(tf.zeros((2, 5, 7, 7, 4))).shape, layer.kernel.shape
    (TensorShape([2, 5, 7, 7, 8]), TensorShape([1, 3, 3, 4, 8]))
    """

    axes = 3

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = (1, 1, 1), padding: str = "valid",
        data_format: Any = None, dilation_rate: Any = (1, 1, 1), groups: int = 1,
        activation: Any = None, use_bias: bool = True, **more: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            filters, kernel_size, strides, padding, data_format, dilation_rate, groups,
            activation, use_bias, **more,
        )  # fmt: skip


class Conv3DTranspose(Conv3D):
    """`Conv2DTranspose` of volumes."""

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = (1, 1, 1), padding: str = "valid",
        data_format: Any = None, dilation_rate: Any = (1, 1, 1), activation: Any = None,
        use_bias: bool = True, **more: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            filters, kernel_size, strides, padding, data_format, dilation_rate, 1, activation,
            use_bias, **more,
        )  # fmt: skip

    build, call = Conv2DTranspose.build, Conv2DTranspose.call


class MaxPooling3D(MaxPooling2D):
    """`MaxPooling2D` of volumes."""

    axes = 3

    def __init__(
        self, pool_size: Any = (2, 2, 2), strides: Any = None, padding: str = "valid",
        data_format: Any = None, **more: Any,
    ) -> None:  # fmt: skip
        super().__init__(pool_size, strides, padding, data_format, **more)

    def call(self, inputs: Any) -> Tensor:
        """Return the largest elements."""
        return nn.max_pool3d(inputs, self.pool_size, self.strides, self.padding)


class AveragePooling3D(AveragePooling2D):
    """`AveragePooling2D` of volumes."""

    axes = 3

    def __init__(
        self, pool_size: Any = (2, 2, 2), strides: Any = None, padding: str = "valid",
        data_format: Any = None, **more: Any,
    ) -> None:  # fmt: skip
        super().__init__(pool_size, strides, padding, data_format, **more)

    def call(self, inputs: Any) -> Tensor:
        """Return the means."""
        return nn.avg_pool3d(inputs, self.pool_size, self.strides, self.padding)


class GlobalAveragePooling3D(GlobalAveragePooling2D):
    """`GlobalAveragePooling2D` of volumes."""

    axes = 3


class GlobalMaxPooling3D(GlobalMaxPooling2D):
    """`GlobalMaxPooling2D` of volumes."""

    axes = 3


class ZeroPadding3D(ZeroPadding2D):
    """`ZeroPadding2D` of volumes."""

    axes = 3

    def __init__(self, padding: Any = (1, 1, 1), data_format: Any = None, **more: Any) -> None:
        super().__init__(padding, data_format, **more)


class Cropping3D(Cropping2D):
    """`Cropping2D` of volumes."""

    axes = 3

    def __init__(
        self, cropping: Any = ((1, 1), (1, 1), (1, 1)), data_format: Any = None, **more: Any
    ) -> None:
        super().__init__(cropping, data_format, **more)


class UpSampling3D(Layer):
    """Volumes whose layers, rows and columns are repeated."""

    def __init__(self, size: Any = (2, 2, 2), data_format: Any = None, **more: Any) -> None:
        super().__init__(**more)
        check_options(self, data_format)
        self.size = np.broadcast_to(whole_numbers(size), (3,)).tolist()
        self.input_spec = InputSpec(ndim=5)

    def call(self, inputs: Any) -> Tensor:
        """Return volumes that are larger by the size."""
        y = inputs
        for axis, factor in enumerate(self.size, start=1):
            y = np.repeat(y, factor, axis=axis)
        return tensor_of(y)
