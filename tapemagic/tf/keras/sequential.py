"""`tf.keras.Sequential`: layers one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls.dispatch import plain
from tapemagic.errors import TapeUseError
from tapemagic.tf.tensor import Tensor

from .calls import inside
from .functional import Network
from .inputs import Input
from .layer import Layer
from .model import InputLayer, Model


class Sequential(Model):
    """Layers one after the other.

    Parameters
    ----------
    layers : list of Layer, optional
        If the first is a `tf.keras.Input`, or says its `input_shape`, they get their weights at
        once; else at the first call.
    trainable : bool
    name : str, optional

    Examples
    --------
    >>> from tapemagic import tf
    >>> model = tf.keras.Sequential([
    ...     tf.keras.layers.Flatten(),
    ...     tf.keras.layers.Dense(16, activation="relu"),
    ...     tf.keras.layers.Dense(10),
    ... ])
    >>> model(tf.zeros((32, 28, 28))).shape
    TensorShape([32, 10])
    """

    def __init__(
        self, layers: Iterable | None = None, trainable: bool = True, name: str | None = None
    ) -> None:
        super().__init__(trainable=trainable, name=name)
        self._stack: list[Layer] = []
        self._input: Input | None = None
        self._built_for: tuple | None = None  # the shape of its first input
        for layer in layers or []:
            self._append(layer)
        self._build_at_once()

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the input."""
        return list(self._stack)

    @property
    def input_shape(self) -> tuple:
        """Shape of the input, None for the batch.

        Raises
        ------
        TapeUseError
            If no `tf.keras.Input` said it.
        """
        return self._known(None if self._input is None else tuple(self._input.shape))

    @property
    def output_shape(self) -> tuple:
        """Shape of the result, None for the batch.

        Raises
        ------
        TapeUseError
            If no `tf.keras.Input` said that of the input.
        """
        return self._known(None if self._network is None else super().output_shape)

    def _known(self, shape: tuple | None) -> tuple:
        if shape is None:
            raise leaks.locate(
                TapeUseError(
                    f"{self.name!r} does not know the shape of its input.",
                    fix="Begin it with tf.keras.Input(shape=(...)).",
                )
            )
        return shape

    def add(self, layer: Any) -> None:
        """Add a layer at the end.

        Raises
        ------
        TapeUseError
            If it is no layer, or a second input.
        """
        self._append(layer)
        self._build_at_once()

    def pop(self) -> Layer:
        """Take off the last layer, and return it."""
        layer = self._stack.pop()
        self._build_at_once()
        return layer

    def get_config(self) -> dict[str, Any]:
        """Return the settings that make another one: the layers, and the input in front of them."""
        given = [] if self._input is None else [self._input]
        return {"name": self.name, "layers": [*given, *self._stack]}

    def _clone(self, function: Callable | None = None) -> Sequential:
        """Return another one with weights of its own; a function may make the layers."""
        layers = self.get_config()["layers"]
        twins = [x._clone(function) if isinstance(x, Layer) else x.again() for x in layers]
        twin = Sequential(twins, name=self.name)
        if self._built_for is not None and not twin.built:
            twin.build(self._built_for)
        return twin

    def _build_for(self, inputs: Any) -> None:
        self._built_for = np.shape(plain(inputs))
        super()._build_for(inputs)

    def _append(self, layer: Any) -> None:
        if isinstance(layer, InputLayer):
            layer = layer.given
        if isinstance(layer, Input) and not self._stack and self._input is None:
            self._input = layer
            return
        if not isinstance(layer, Layer):
            raise leaks.locate(
                TapeUseError(
                    f"A {type(layer).__name__} cannot be added to {self.name!r}: it takes layers, "
                    "and a tf.keras.Input in front of them.",
                    fix="Write a subclass of tf.keras.layers.Layer with a method call.",
                )
            )
        if any(known.name == layer.name for known in self._stack):
            raise leaks.locate(
                TapeUseError(
                    f"{self.name!r} has a layer that is called {layer.name!r} already.",
                    fix="Pass another name=.",
                )
            )
        if not self._stack and layer.first_shape is not None and self._input is None:
            self._input = Input(layer.first_shape)
        self._stack.append(layer)

    def _build_at_once(self) -> None:
        """Make the weights as far as the input says their shapes."""
        if self._input is not None and self._stack and None not in self._input.shape[1:]:
            y: Any = self._input
            with inside(self, training=False):
                for layer in self._stack:
                    y = layer(y)
            self._network, self.built = Network(self._input, y), True

    def call(self, inputs: Any, training: Any = None) -> Tensor:
        """Return what the last layer makes of what the one before it makes, and so on."""
        for layer in self._stack:
            inputs = layer(inputs)
        return inputs
