"""Layers around a layer or a function."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls.dispatch import plain
from tapemagic.errors import TapeUseError
from tapemagic.tf import nest, shaping
from tapemagic.tf.specs import TensorShape
from tapemagic.tf.tensor import tensor_of

from . import initializers, masks
from .calls import parameters
from .inputs import positive
from .layer import Layer


class Identity(Layer):
    """The input as it is."""

    supports_masking = True

    def call(self, inputs: Any) -> Any:
        """Return the input."""
        return inputs


class Lambda(Layer):
    """A function as a layer.

    Examples
    --------
    >>> from tapemagic import tf
    >>> print(tf.keras.layers.Lambda(lambda x: x * 2)(tf.constant([1.0])))
    tf.Tensor([2.], shape=(1,), dtype=float32)
    """

    def __init__(
        self, function: Callable, output_shape: Any = None, mask: Any = None,
        arguments: dict | None = None, **more: Any,
    ) -> None:  # fmt: skip
        super().__init__(**more)
        self.function, self.arguments, self.mask = function, arguments or {}, mask

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return the mask that it was given, or what that makes of the one of the input."""
        return self.mask(inputs, previous_mask) if callable(self.mask) else self.mask

    def call(self, inputs: Any) -> Any:
        """Return what the function makes of the input."""
        return self.function(inputs, **self.arguments)


class Wrapper(Layer):
    """Base class: a layer around another."""

    def __init__(self, layer: Layer, **more: Any) -> None:
        super().__init__(**more)
        self.layer = layer


class TimeDistributed(Wrapper):
    """A layer for each step of a series, [batch, steps, ...]."""

    def build(self, input_shape: Any) -> None:
        """Make the weights of the layer."""
        if not self.layer.built:
            self.layer.build(TensorShape((input_shape[0], *input_shape[2:])))
            self.layer.built = True

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """Return the mask of the input, unless the layer would regard its part for each step."""
        inner: Any = type(self.layer)
        if "mask" in parameters(inner):
            masks.refuse(self, inputs)
        return previous_mask

    def call(self, inputs: Any, training: Any = None) -> Any:
        """Return what the layer makes of each step."""
        steps = [self.layer(inputs[:, t], training=training) for t in range(inputs.shape[1])]
        return shaping.FUNCTIONS["stack"](steps, 1)


class Bidirectional(Wrapper):
    """A recurrent layer, and one like it that begins at the end of the series.

    Parameters
    ----------
    layer : RNN
    merge_mode : {"concat", "sum", "mul", "ave", None}
        What is made of both results; None for a pair.
    backward_layer : RNN, optional
        That which begins at the end, if it is to be another.
    """

    def __init__(
        self, layer: Any, merge_mode: str | None = "concat", backward_layer: Any = None, **more: Any
    ) -> None:
        super().__init__(layer, **more)
        if layer.built or merge_mode not in ("concat", "sum", "mul", "ave", None):
            raise leaks.locate(
                TapeUseError(
                    f"Bidirectional of {layer.name!r} with merge_mode={merge_mode!r}.",
                    fix="Pass a new layer, and one of concat, sum, mul, ave and None.",
                )
            )
        self.merge_mode = merge_mode
        self.forward_layer = layer
        if backward_layer is None:
            backward_layer = copy.deepcopy(layer)
            backward_layer.go_backwards = True
            backward_layer._name = f"backward_{layer.name}"
        layer._name = f"forward_{layer.name}"
        self.backward_layer = backward_layer
        for one in (layer, backward_layer):
            one.zero_output_for_mask = one.return_sequences  # merged, a step that is none is 0

    def build(self, input_shape: Any) -> None:
        """Make the weights of both layers."""
        for layer in (self.forward_layer, self.backward_layer):
            if not layer.built:
                layer.build(input_shape)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """Return the mask of the input for the results of all steps, and none for the last."""
        mask = previous_mask if self.forward_layer.return_sequences else None
        return (mask, mask) if self.merge_mode is None else mask

    def call(
        self, sequences: Any, initial_state: Any = None, mask: Any = None, training: Any = None
    ) -> Any:
        """Return both results merged, and the states of both on request."""
        states: Any = [None, None]
        if initial_state is not None:
            parts = nest.flatten(initial_state)
            states = [parts[: len(parts) // 2], parts[len(parts) // 2 :]]
        results, left = [], []
        for layer, state in zip((self.forward_layer, self.backward_layer), states, strict=True):
            y = layer(sequences, initial_state=state, mask=mask, training=training)
            if layer.return_state:
                y, *ends = y
                left += ends
            results.append(np.flip(y, 1) if layer.go_backwards and layer.return_sequences else y)
        y = self._merged(*results)
        if not left:
            return y
        return (*y, *left) if isinstance(y, tuple) else (y, *left)

    def _merged(self, x: Any, y: Any) -> Any:
        if self.merge_mode is None:
            return tensor_of(x), tensor_of(y)
        if self.merge_mode == "concat":
            return tensor_of(np.concatenate([x, y], axis=-1))
        if self.merge_mode == "mul":
            return tensor_of(x * y)
        return tensor_of(x + y if self.merge_mode == "sum" else (x + y) / 2)


class SpectralNormalization(Wrapper):
    """A layer whose kernel is divided by its largest singular value before each step of training.

    Miyato et al. 2018, "Spectral normalization for generative adversarial networks".

    Parameters
    ----------
    layer : Layer
        With a kernel, or embeddings.
    power_iterations : int
        Rounds of the power method, which finds the singular value.
    """

    def __init__(self, layer: Layer, power_iterations: int = 1, **more: Any) -> None:
        super().__init__(layer, **more)
        self.power_iterations = positive(power_iterations, "power_iterations")

    def build(self, input_shape: Any) -> None:
        """Make the weights of the layer, and the vector that the power method goes on with."""
        if not self.layer.built:
            self.layer.build(input_shape)
            self.layer.built = True
        inner: Any = self.layer
        self.kernel: Any = inner.kernel if hasattr(inner, "kernel") else inner.embeddings
        start = initializers.TruncatedNormal(stddev=0.02)
        shape = (1, self.kernel.shape[-1])
        self.vector_u = self.add_weight(shape, start, trainable=False, name="vector_u")

    def call(self, inputs: Any, training: Any = False) -> Any:
        """Return what the layer makes of the input; in training, with its new kernel."""
        kernel = np.asarray(plain(self.kernel))
        if training and kernel.any():
            matrix, u = kernel.reshape(-1, kernel.shape[-1]), np.asarray(plain(self.vector_u))
            for _ in range(self.power_iterations):
                v = _unit(u @ matrix.T)
                u = _unit(v @ matrix)
            self.vector_u.assign(u)
            self.kernel.assign(kernel / (v @ matrix @ u.T)[0, 0])
        return self.layer(inputs)


def _unit(x: np.ndarray) -> np.ndarray:
    return x / np.sqrt(np.maximum(np.sum(np.square(x)), 1e-12))
