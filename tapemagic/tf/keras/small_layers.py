"""Layers with few or no weights: noise, borders, copies, orders, and bent activations."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff.calls.dispatch import plain
from tapemagic.tf import image, nn, random
from tapemagic.tf.conversion import whole_numbers
from tapemagic.tf.tensor import Tensor, dtype_of, tensor_of

from . import activations, regularizers
from .core_layers import Dropout
from .image_layers import check_options
from .inputs import InputSpec
from .layer import Layer

# ------------------------------------------------------------------------------------ activations


class ELU(Layer):
    """`x`, and ``alpha * (exp(x) - 1)`` where it is not positive."""

    supports_masking = True

    def __init__(self, alpha: float = 1.0, **more: Any) -> None:
        super().__init__(**more)
        self.alpha = alpha

    def call(self, inputs: Any) -> Tensor:
        """Return the input, bent."""
        return activations.elu(inputs, self.alpha)


class PReLU(Layer):
    """`x`, and ``alpha * x`` where it is negative; `alpha` is a weight for each element."""

    supports_masking = True

    def __init__(
        self, alpha_initializer: Any = "Zeros", shared_axes: Any = None, **more: Any
    ) -> None:
        super().__init__(**more)
        self.alpha_initializer, self.shared_axes = alpha_initializer, shared_axes

    def build(self, input_shape: Any) -> None:
        """Make alpha, of the shape of an example, with length 1 along shared axes."""
        shape = list(input_shape[1:])
        for axis in np.atleast_1d(self.shared_axes or []).astype(int):
            shape[axis - 1] = 1
        self.alpha: Any = self.add_weight(tuple(shape), self.alpha_initializer, name="alpha")

    def call(self, inputs: Any) -> Tensor:
        """Return the input, bent."""
        return tensor_of(nn.relu(inputs) - self.alpha * nn.relu(-inputs))


class ActivityRegularization(Layer):
    """The input as it is: what it says of ``l1 * sum(|x|) + l2 * sum(x**2)`` is a loss."""

    supports_masking = True

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **more: Any) -> None:
        super().__init__(activity_regularizer=regularizers.L1L2(l1, l2), **more)

    def call(self, inputs: Any) -> Tensor:
        """Return the input."""
        return inputs


# ------------------------------------------------------------------------------------------ noise


class GaussianNoise(Layer):
    """In training, the input with normal noise added."""

    supports_masking = True

    def __init__(self, stddev: float, seed: Any = None, **more: Any) -> None:
        super().__init__(**more)
        self.stddev, self.seed = stddev, seed

    def call(self, inputs: Any, training: Any = False) -> Tensor:
        """Return the input, with noise if this is training."""
        return inputs + self._noise(inputs, 0.0) if training else inputs

    def _noise(self, x: Any, mean: float) -> Tensor:
        return random.normal(x.shape, mean, self.stddev, dtype_of(x), self.seed)


class GaussianDropout(GaussianNoise):
    """In training, the input times normal noise of mean 1 and variance ``rate / (1 - rate)``."""

    def __init__(self, rate: float, seed: Any = None, **more: Any) -> None:
        super().__init__((rate / (1 - rate)) ** 0.5, seed, **more)
        self.rate = rate

    def call(self, inputs: Any, training: Any = False) -> Tensor:
        """Return the input, times noise if this is training."""
        return inputs * self._noise(inputs, 1.0) if training and self.rate else inputs


class _SpatialDropout(Dropout):
    """Base class of dropout of whole channels."""

    def call(self, inputs: Any, training: Any = False) -> Tensor:
        """Return the input, without some channels of each example if this is training."""
        batch, *places, channels = np.shape(plain(inputs))
        self.noise_shape = (batch, *[1] * len(places), channels)
        return super().call(inputs, training)


class SpatialDropout1D(_SpatialDropout):
    """Dropout of whole channels of series."""


class SpatialDropout2D(_SpatialDropout):
    """Dropout of whole channels of images."""


# ----------------------------------------------------------------------------- orders and copies


class Permute(Layer):
    """The axes of each example in another order, counted from 1."""

    def __init__(self, dims: Any, **more: Any) -> None:
        super().__init__(**more)
        self.dims = tuple(dims)

    def call(self, inputs: Any) -> Tensor:
        """Return the axes in order."""
        return tensor_of(np.transpose(inputs, (0, *self.dims)))


class RepeatVector(Layer):
    """Each example, a row, as a series of `n` equal steps."""

    def __init__(self, n: int, **more: Any) -> None:
        super().__init__(**more)
        self.n, self.input_spec = n, InputSpec(ndim=2)

    def call(self, inputs: Any) -> Tensor:
        """Return [batch, n, length]."""
        return tensor_of(np.repeat(np.expand_dims(inputs, 1), self.n, axis=1))


def _pairs(value: Any, axes: int) -> list[tuple[int, int]]:
    """Return what is at both ends of each axis: of one number, one per axis, or pairs."""
    if axes == 1:
        both = np.broadcast_to(np.asarray(value), (2,)).tolist()
        return [(both[0], both[1])]
    given = np.asarray(value)
    given = given if given.ndim == 2 else np.broadcast_to(given, (axes,))[:, None].repeat(2, 1)
    return [(int(first), int(last)) for first, last in given]


class _Border(Layer):
    """Base class of what changes the border of series or images."""

    axes = 2

    def __init__(self, amount: Any = 1, data_format: Any = None, **more: Any) -> None:
        super().__init__(**more)
        check_options(self, data_format)
        self.amount = _pairs(amount, self.axes)
        self.input_spec = InputSpec(ndim=self.axes + 2)


class ZeroPadding2D(_Border):
    """Images with zeros around them."""

    def __init__(self, padding: Any = (1, 1), data_format: Any = None, **more: Any) -> None:
        super().__init__(padding, data_format, **more)

    def call(self, inputs: Any) -> Tensor:
        """Return the input with zeros around it."""
        return tensor_of(np.pad(inputs, [(0, 0), *self.amount, (0, 0)]))


class ZeroPadding1D(ZeroPadding2D):
    """Series with zeros before and after."""

    axes = 1

    def __init__(self, padding: Any = 1, data_format: Any = None, **more: Any) -> None:
        super().__init__(padding, data_format, **more)


class Cropping2D(_Border):
    """Images without their border."""

    def __init__(
        self, cropping: Any = ((0, 0), (0, 0)), data_format: Any = None, **more: Any
    ) -> None:
        super().__init__(cropping, data_format, **more)

    def call(self, inputs: Any) -> Tensor:
        """Return the input without its border."""
        lengths = np.shape(plain(inputs))[1:-1]
        parts = [slice(i, n - j) for (i, j), n in zip(self.amount, lengths, strict=True)]
        return tensor_of(inputs[(slice(None), *parts)])


class Cropping1D(Cropping2D):
    """Series without their first and last steps."""

    axes = 1

    def __init__(self, cropping: Any = (1, 1), data_format: Any = None, **more: Any) -> None:
        super().__init__(cropping, data_format, **more)


class UpSampling2D(Layer):
    """Images whose rows and columns are repeated, or looked up between each other."""

    def __init__(
        self, size: Any = (2, 2), data_format: Any = None, interpolation: str = "nearest",
        **more: Any,
    ) -> None:  # fmt: skip
        super().__init__(**more)
        check_options(self, data_format)
        self.size = np.broadcast_to(whole_numbers(size), (2,)).tolist()
        self.interpolation, self.input_spec = interpolation, InputSpec(ndim=4)

    def call(self, inputs: Any) -> Tensor:
        """Return images that are larger by the size."""
        y = inputs
        for axis, factor in zip((1, 2), self.size, strict=True):
            y = image.stretched(y, inputs.shape[axis] * factor, axis, self.interpolation)
        return tensor_of(y)


class UpSampling1D(Layer):
    """Series whose steps are repeated."""

    def __init__(self, size: int = 2, **more: Any) -> None:
        super().__init__(**more)
        self.size, self.input_spec = size, InputSpec(ndim=3)

    def call(self, inputs: Any) -> Tensor:
        """Return series that are longer by the size."""
        return tensor_of(np.repeat(inputs, self.size, axis=1))
