"""Layers of numbers: products with weights, activations, dropout, and other shapes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls.dispatch import plain
from tapemagic.errors import TapeUseError
from tapemagic.tf import nn, shaping
from tapemagic.tf.choices import chosen
from tapemagic.tf.conversion import whole_numbers
from tapemagic.tf.creation import cast
from tapemagic.tf.refusals import refuse
from tapemagic.tf.tensor import Tensor, dtype_of, tensor_of

from . import activations, masks
from .inputs import InputSpec, positive
from .layer import Layer
from .weights import add_kernel_and_bias


class Dense(Layer):
    """``activation(x @ kernel + bias)``.

    Parameters
    ----------
    units : int
        Length of the last axis of the result.
    activation : str or callable, optional
    use_bias : bool
    kernel_initializer, bias_initializer : str or callable
    **more
        What `Layer` takes.

    Examples
    --------
    >>> from tapemagic import tf
    >>> layer = tf.keras.layers.Dense(2, activation="relu", kernel_initializer="ones")
    >>> with tf.GradientTape() as tape:
    ...     loss = tf.reduce_mean(layer(tf.constant([[1.0, 2.0, 3.0]])) ** 2)
    >>> for v, g in zip(layer.trainable_variables, tape.gradient(loss, layer.trainable_variables)):
    ...     print(v.name, g.shape)
    kernel (3, 2)
    bias (2,)
    """

    supports_masking = True
    activation: Any = activations.Setting()

    def __init__(
        self, units: int, activation: Any = None, use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros", **more: Any,
    ) -> None:  # fmt: skip
        super().__init__(**more)
        self.units, self.use_bias = positive(units, "units"), use_bias
        self.activation = activation
        self.kernel_initializer, self.bias_initializer = kernel_initializer, bias_initializer
        self.input_spec = InputSpec(min_ndim=2)

    def build(self, input_shape: Any) -> None:
        """Make the kernel, [length of the input's last axis, units], and the bias."""
        length = input_shape[-1]
        self.kernel, self.bias = add_kernel_and_bias(self, (length, self.units), self.units)
        self.input_spec = InputSpec(min_ndim=2, axes={-1: length})

    def call(self, inputs: Any) -> Tensor:
        """Return the activation of the product."""
        y = self.as_floats(inputs) @ self.kernel
        return self.activation(tensor_of(y if self.bias is None else y + self.bias))


class Embedding(Layer):
    """Rows of a matrix, by their numbers.

    Parameters
    ----------
    input_dim, output_dim : int
        Number and length of the rows.
    embeddings_initializer : str or callable
    mask_zero : bool
        Whether a 0 stands for no step, which recurrent layers pass over, and losses do not count.
    input_length : optional
        Of no effect since Keras 3.
    **more
        What `Layer` takes.

    Examples
    --------
    >>> from tapemagic import tf
    >>> tf.keras.layers.Embedding(10, 3)(tf.constant([[1, 2], [1, 9]])).shape
    TensorShape([2, 2, 3])
    """

    def __init__(
        self, input_dim: int, output_dim: int, embeddings_initializer: Any = "uniform",
        mask_zero: bool = False, input_length: Any = None, **more: Any,
    ) -> None:  # fmt: skip
        super().__init__(**more)
        self.mask_zero = mask_zero
        self.input_dim = positive(input_dim, "input_dim")
        self.output_dim = positive(output_dim, "output_dim")
        self.embeddings_initializer = embeddings_initializer

    def build(self, input_shape: Any) -> None:
        """Make the matrix."""
        shape = (self.input_dim, self.output_dim)
        self.embeddings = self.add_weight(shape, self.embeddings_initializer, name="embeddings")

    def call(self, inputs: Any) -> Tensor:
        """Return the rows."""
        numbers = inputs if dtype_of(inputs).kind in "iu" else cast(inputs, np.int32)
        return nn.embedding_lookup(self.embeddings, numbers)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return where the number of the row is not 0, if that stands for no step."""
        return tensor_of(chosen(np.not_equal, inputs, 0)) if self.mask_zero else None


class Masking(Layer):
    """A series whose steps that are one number throughout are none, and become zeros.

    Examples
    --------
    >>> from tapemagic import tf
    >>> x = tf.constant([[[1.0, 2.0], [0.0, 0.0]]])
    >>> tf.keras.layers.Masking().compute_mask(x).numpy()
    array([[ True, False]])
    """

    def __init__(self, mask_value: float = 0.0, **more: Any) -> None:
        super().__init__(**more)
        self.mask_value = mask_value

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return where a step is another number."""
        return tensor_of(np.any(chosen(np.not_equal, inputs, self.mask_value), axis=-1))

    def call(self, inputs: Any) -> Tensor:
        """Return the series with zeros where there is no step."""
        counts = masks.as_bools(self.compute_mask(inputs))
        return tensor_of(np.where(counts[..., np.newaxis], inputs, 0))


# ------------------------------------------------------------------------------------ activations


class Activation(Layer):
    """A function of each element, by its name or as it is."""

    supports_masking = True
    activation: Any = activations.Setting()

    def __init__(self, activation: Any, **more: Any) -> None:
        super().__init__(**more)
        self.activation = activation

    def call(self, inputs: Any) -> Tensor:
        """Return the function of the input."""
        return self.activation(inputs)


class ReLU(Layer):
    """`x` above the threshold, ``negative_slope * (x - threshold)`` below; `max_value` at most."""

    supports_masking = True

    def __init__(
        self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0,
        **more: Any,
    ) -> None:  # fmt: skip
        super().__init__(**more)
        self.max_value, self.negative_slope = max_value, negative_slope
        self.threshold = threshold

    def call(self, inputs: Any) -> Tensor:
        """Return what is above the threshold, and the rest bent."""
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)


class LeakyReLU(ReLU):
    """`x`, and ``negative_slope * x`` where it is negative; `alpha` is the same in Keras 2."""

    def __init__(
        self, negative_slope: float = 0.3, alpha: float | None = None, **more: Any
    ) -> None:
        super().__init__(negative_slope=negative_slope if alpha is None else alpha, **more)


class Softmax(Layer):
    """``exp(x) / sum(exp(x))`` along an axis, of those elements that a mask counts."""

    supports_masking = True

    def __init__(self, axis: int = -1, **more: Any) -> None:
        super().__init__(**more)
        self.axis = axis

    def call(self, inputs: Any, mask: Any = None) -> Tensor:
        """Return the probabilities, 0 where the mask is False.

        Raises
        ------
        TensorError
            If the mask is not broadcast to the shape of the input.
        """
        if mask is None:
            return nn.softmax(inputs, self.axis)
        x = self.as_floats(inputs)
        counts = np.asarray(chosen(np.greater, mask, 0.5))
        try:
            fits = np.broadcast_shapes(counts.shape, np.shape(plain(x))) == tuple(x.shape)
        except ValueError:
            fits = False
        if not fits:
            refuse(f"A mask of shape {counts.shape} for a softmax of shape {x.shape}.")
        hidden = -3e4 if dtype_of(x) == np.float16 else -1e9
        return tensor_of(np.where(counts, nn.softmax(np.where(counts, x, hidden), self.axis), 0))


class Dropout(Layer):
    """In training, a random part of the elements set to 0, and the rest scaled up to make good.

    Parameters
    ----------
    rate : float
        The part, from 0 up to 1.
    noise_shape : tuple, optional
        Shape of what is drawn, 1 where elements go together.
    seed : int, optional
    **more
        What `Layer` takes.

    Examples
    --------
    >>> from tapemagic import tf
    >>> layer, x = tf.keras.layers.Dropout(0.5), tf.ones(1000)
    >>> bool(tf.reduce_all(layer(x) == x)), bool(tf.reduce_all(layer(x, training=True) == x))
    (True, False)
    """

    supports_masking = True

    def __init__(
        self, rate: float, noise_shape: Any = None, seed: int | None = None, **more: Any
    ) -> None:
        super().__init__(**more)
        if not 0 <= rate <= 1:
            raise leaks.locate(TapeUseError(f"rate={rate!r} is not in [0, 1]."))
        self.rate, self.noise_shape, self.seed = rate, noise_shape, seed

    def call(self, inputs: Any, training: Any = False) -> Tensor:
        """Return the input, without a part of it if this is training."""
        if not training or self.rate == 0:
            return inputs
        if self.rate == 1:
            return tensor_of(np.zeros_like(inputs))
        return nn.dropout(inputs, self.rate, self.noise_shape, self.seed)


# ----------------------------------------------------------------------------------------- shapes


class Flatten(Layer):
    """The elements of each example in a row."""

    def call(self, inputs: Any) -> Tensor:
        """Return [batch, elements]."""
        batch, *lengths = np.shape(plain(inputs))
        return shaping.FUNCTIONS["reshape"](inputs, (batch, math.prod(lengths)))


class Reshape(Layer):
    """The elements of each example in another shape, in which one length may be -1."""

    def __init__(self, target_shape: Any, **more: Any) -> None:
        super().__init__(**more)
        self.target_shape = tuple(np.atleast_1d(whole_numbers(target_shape)).tolist())

    def call(self, inputs: Any) -> Tensor:
        """Return [batch, *target_shape]."""
        batch = len(plain(inputs))
        return shaping.FUNCTIONS["reshape"](inputs, (batch, *self.target_shape))


class Rescaling(Layer):
    """``x * scale + offset``."""

    supports_masking = True

    def __init__(self, scale: Any, offset: Any = 0.0, **more: Any) -> None:
        super().__init__(**more)
        self.scale, self.offset = scale, offset

    def call(self, inputs: Any) -> Tensor:
        """Return the input, scaled; integers become floats."""
        return tensor_of(self.as_floats(inputs) * self.scale + self.offset)
