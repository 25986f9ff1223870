"""`tf.keras.Model` and `tf.keras.Sequential`: layers made of layers, without `fit`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls.dispatch import plain
from tapemagic.errors import TapeUseError
from tapemagic.tf import advice
from tapemagic.tf.creation import zeros
from tapemagic.tf.specs import TensorShape
from tapemagic.tf.tensor import Tensor

from .calls import inside
from .inputs import Input
from .layer import Layer

_LOOP = (
    "Write the loop: with tf.GradientTape() as tape: loss = ..., then "
    "optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))."
)
_WEIGHTS = "Use np.savez(file, *model.get_weights()), and model.set_weights(...)."


class Model(Layer):
    """A layer made of layers: a subclass makes them in `__init__`, and calls them in `call`.

    Parameters
    ----------
    **options
        What `Layer` takes.

    Examples
    --------
    >>> from tapemagic import tf
    >>> class Net(tf.keras.Model):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.inner = tf.keras.layers.Dense(4, activation="relu")
    ...         self.outer = tf.keras.layers.Dense(1)
    ...     def call(self, x):
    ...         return self.outer(self.inner(x))
    >>> net = Net()
    >>> net(tf.zeros((2, 3))).shape, len(net.trainable_variables)
    (TensorShape([2, 1]), 4)
    """

    def __init__(self, *functional: Any, **options: Any) -> None:
        if functional or "inputs" in options or "outputs" in options:
            raise leaks.locate(
                TapeUseError(
                    "tf.keras.Model(inputs, outputs) of connected layers is not provided.",
                    fix="Use tf.keras.Sequential([...]), or a subclass of tf.keras.Model with a "
                    "method call.",
                )
            )
        super().__init__(**options)

    @property
    def layers(self) -> list[Layer]:
        """The layers in its attributes."""
        return [x for x in self._parts()[1] if isinstance(x, Layer)]

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Return a layer by its name or place.

        Raises
        ------
        TapeUseError
            If there is none.
        """
        layers = self.layers
        if index is not None and -len(layers) <= index < len(layers):
            return layers[index]
        for layer in layers:
            if name is not None and layer.name == name:
                return layer
        names = ", ".join(layer.name for layer in layers)
        raise leaks.locate(
            TapeUseError(f"No layer is called {name!r} or has the place {index}: {names}.")
        )

    def build(self, input_shape: Any) -> None:
        """Make all weights, for inputs of a shape; None, as for the batch, counts as 1."""
        if not self.built:
            self._try(input_shape, self.dtype)

    def _try(self, shape: Any, dtype: Any) -> Any:
        """Call the model with zeros: its layers get their weights when they are called."""
        self.built = True
        with inside(self, training=False):
            return self(zeros([1 if n is None else n for n in TensorShape(shape)], dtype))

    def _build_for(self, inputs: Any) -> None:
        if type(self).build is not Model.build:  # else the layers do it, when they are called
            super()._build_for(inputs)

    def summary(self, *, print_fn: Callable | None = None) -> None:
        """Print the layers with their numbers of weights.

        Examples
        --------
        >>> from tapemagic import tf
        >>> layers = [tf.keras.Input((4,)), tf.keras.layers.Dense(3, name="first")]
        >>> tf.keras.Sequential(layers, name="line").summary()
        Model: "line"
        Layer (type)                            Param #
        first (Dense)                                15
        Total params: 15
        Trainable params: 15
        Non-trainable params: 0
        """
        show = print_fn or print
        show(f'Model: "{self.name}"')
        rows = [("Layer (type)", "Param #")]
        rows += [(f"{x.name} ({type(x).__name__})", str(x.count_params())) for x in self.layers]
        for layer, number in rows:
            show(f"{layer:<36}{number:>11}")
        trained = sum(v.shape.num_elements() for v in self.trainable_variables)
        show(f"Total params: {self.count_params()}")
        show(f"Trainable params: {trained}")
        show(f"Non-trainable params: {self.count_params() - trained}")

    compile = fit = train_on_batch = advice.missing_attribute(
        "compile() and fit() of a model are not provided.", _LOOP
    )
    evaluate = predict = advice.missing_attribute(
        "evaluate() and predict() of a model are not provided.", "Use model(x), and a loss of it."
    )
    save = save_weights = load_weights = export = advice.missing_attribute(
        "Files of Keras are not provided.", _WEIGHTS
    )


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
        self._output_shape: tuple | None = None
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
        return self._known(self._output_shape)

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

    def _append(self, layer: Any) -> None:
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
            y = self._try(self._input.shape, self._input.dtype)
            self._output_shape = (self._input.shape[0], *np.shape(plain(y))[1:])

    def call(self, inputs: Any, training: Any = None) -> Tensor:
        """Return what the last layer makes of what the one before it makes, and so on."""
        for layer in self._stack:
            inputs = layer(inputs)
        return inputs


__getattr__ = advice.missing("tf.keras.models")
