"""`tf.keras.Model`: a layer made of layers, which can be trained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tapemagic.autodiff import leaks
from tapemagic.autodiff.unrecorded import unrecorded
from tapemagic.errors import TapeUseError
from tapemagic.tf import advice, nest
from tapemagic.tf.creation import zeros
from tapemagic.tf.specs import TensorShape

from .calls import inside
from .functional import KerasTensor, Network
from .inputs import Input
from .layer import Layer
from .training import Trainer

_WEIGHTS = "Use np.savez(file, *model.get_weights()), and model.set_weights(...)."


class InputLayer(Layer):
    """An `Input` as a layer: at the beginning of a `Sequential`, and among the layers of a model.

    `input_shape` is what Keras 2 called `shape`.
    """

    def __init__(self, shape: Any = None, input_shape: Any = None, **more: Any) -> None:
        self._of(Input(input_shape if shape is None else shape, **more))

    def _of(self, given: Input) -> None:
        super().__init__(name=given.name if given.is_named else None)
        self.given, given.layer = given, self

    @property
    def output(self) -> Input:
        """The input."""
        return self.given

    input = output

    @staticmethod
    def of(given: Input) -> InputLayer:
        """Return the layer of an input."""
        if given.layer is None:
            InputLayer.__new__(InputLayer)._of(given)
        return given.layer

    def call(self, inputs: Any) -> Any:
        """Return what it is given."""
        return inputs


def _layer_of(x: Any) -> Any:
    """Return the layer of an input of a model: its own, or the one that it comes from."""
    if isinstance(x, Input):
        return InputLayer.of(x)
    return x.call.run if isinstance(x, KerasTensor) else x


class Model(Trainer):
    """A layer made of layers: of connected ones, or of those that a subclass calls in `call`.

    Parameters
    ----------
    inputs : Input, or a nested structure of them, optional
    outputs : what layers returned for them, or a nested structure of that, optional
        Both are given for connected layers, or none of them.
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
    >>> inputs = tf.keras.Input(shape=(3,))
    >>> x = tf.keras.layers.Dense(4, activation="relu")(inputs)
    >>> connected = tf.keras.Model(inputs, tf.keras.layers.Dense(1)(x))
    >>> connected(tf.zeros((2, 3))).shape, len(connected.layers)
    (TensorShape([2, 1]), 3)
    """

    layers_have_masks = True

    def __init__(self, inputs: Any = None, outputs: Any = None, **options: Any) -> None:
        super().__init__(**options)
        self._network: Network | None = None
        if inputs is not None or outputs is not None:
            self._network = Network(inputs, outputs)
            found = [_layer_of(x) for x in self._network.in_order()]
            self._connected = [x for x in found if isinstance(x, Layer)]
            self.built = True

    def call(self, inputs: Any, training: Any = None) -> Any:
        """Compute the outputs of connected layers; for subclasses."""
        if self._network is None:
            return super().call(inputs)
        return self._network.run(inputs, training)

    def __getattr__(self, name: str) -> Any:
        network = vars(self).get("_network")
        if network is None or name not in ("inputs", "outputs"):
            return object.__getattribute__(self, name)  # which has an error of its own
        return nest.flatten(getattr(network, name))

    @property
    def input(self) -> Any:
        """What it was given its connected layers by."""
        return super().input if self._network is None else self._network.inputs

    @property
    def output(self) -> Any:
        """What stands for its result."""
        return super().output if self._network is None else self._network.outputs

    @property
    def output_names(self) -> list[str] | None:  # type: ignore[override]
        """Names of the layers that the outputs come from, of connected ones."""
        if self._network is None:
            return None
        sources = [x if x.call is None else x.call.run for x in nest.flatten(self.output)]
        return [getattr(x, "name", getattr(x, "__name__", "")) for x in sources]

    @property
    def input_shape(self) -> Any:
        """Shape of the input, None for the batch."""
        return nest.map_structure(lambda x: tuple(x.shape), self.input)

    @property
    def output_shape(self) -> Any:
        """Shape of the result, None for the batch."""
        return nest.map_structure(lambda x: tuple(x.shape), self.output)

    @property
    def layers(self) -> list[Layer]:
        """The layers that are connected, or those in its attributes."""
        if self._network is not None:
            return list(self._connected)
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
            self.built = True
            shape = [1 if n is None else n for n in TensorShape(input_shape)]
            with unrecorded(), inside(self, training=False):
                self(zeros(shape, self.dtype))  # its layers get their weights when they are called

    def _build_for(self, inputs: Any) -> None:
        if type(self).build is not Model.build:  # else the layers do it, when they are called
            super()._build_for(inputs)

    def get_config(self) -> dict[str, Any]:
        """Return the settings that make another one: the connections, or the arguments."""
        if self._network is None:
            return super().get_config()
        return {"inputs": self.input, "outputs": self.output, "name": self.name}

    @classmethod
    def from_config(cls, config: Any) -> Any:
        """Make a model of the settings that `get_config` returned, of layers of its own."""
        if "outputs" not in config:
            return super().from_config(config)
        inputs, outputs = Network(config["inputs"], config["outputs"]).twin()
        return cls(**{**config, "inputs": inputs, "outputs": outputs})

    def _clone(self, function: Callable | None = None) -> Any:
        """Return another one with weights of its own; a function may make the layers.

        Raises
        ------
        TapeUseError
            If it is no model of connected layers: what its `call` does with them is not known.
        """
        if self._network is None:
            raise leaks.locate(
                TapeUseError(
                    f"clone_model of {self.name!r}, which is a subclass with a call of its own.",
                    fix="Make another one by its class, and call set_weights(model.get_weights()).",
                )
            )
        cls: Any = type(self) if type(self).__init__ is Model.__init__ else Model
        return cls(*self._network.twin(function), name=self.name)

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

    save = save_weights = load_weights = export = advice.missing_attribute(
        "Files of Keras are not provided.", _WEIGHTS
    )
