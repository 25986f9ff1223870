"""`tf.keras.layers.Layer`: an object that has weights and is called, as in Keras 3.

A layer makes its weights at its first call, when it knows the shape of its input: `build` makes
them, `call` computes. Floats are brought to the layer's dtype, float32 unless said otherwise.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, Self

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls.dispatch import is_traced, plain
from tapemagic.errors import TapeUseError
from tapemagic.tf import nest
from tapemagic.tf.creation import cast
from tapemagic.tf.specs import TensorShape
from tapemagic.tf.tensor import dtype_of

from . import masks, regularizers
from .calls import CALL, first_input, inside, with_mask, with_training
from .functional import Connection, KerasTensor, is_connected
from .inputs import InputSpec
from .weights import Holder, refuse_options

#: Settings that every layer has.
_OF_ALL = {"name", "trainable", "dtype"}

#: Weights, and the result, that regularizers and constraints are given for by name.
_RULED = {
    "activity", "alpha", "beta", "bias", "depthwise", "embeddings", "gamma", "kernel", "pointwise",
    "recurrent",
}  # fmt: skip


class Layer(Holder):
    """Base class of layers: a subclass makes its weights in `build` and computes in `call`.

    Parameters
    ----------
    trainable : bool
        Whether its weights are among `trainable_variables`.
    dtype : dtype, optional
        Of the weights, and what float inputs are brought to: float32 if not given.
    autocast : bool
        Whether float inputs are brought to that dtype.
    name : str, optional
    kernel_regularizer, bias_constraint, activity_regularizer, ... : str or callable, optional
        Of the weight of that name, or of what the layer returns; they are checked when it is made.
    input_shape : tuple, optional
        Of one example: a `Sequential` that begins with this layer is built at once.

    Examples
    --------
    >>> from tapemagic import tf
    >>> class Scale(tf.keras.layers.Layer):
    ...     def build(self, input_shape):
    ...         self.factor = self.add_weight(
    ...             shape=(input_shape[-1],), initializer="ones", name="factor"
    ...         )
    ...     def call(self, x):
    ...         return x * self.factor
    >>> layer = Scale(name="scale")
    >>> print(layer(tf.constant([[2.0, 3.0]])))
    tf.Tensor([[2. 3.]], shape=(1, 2), dtype=float32)
    >>> layer.trainable_variables
    [<Variable path=scale/factor, shape=(2,), dtype=float32, value=[1. 1.]>]
    """

    #: Whether it makes a mask for its result: `compute_mask`.
    supports_masking = False
    layers_have_masks = False  # a model's layers hand on masks themselves

    def __init__(
        self, *, trainable: bool = True, dtype: Any = None, autocast: bool = True,
        name: str | None = None, input_shape: Any = None, input_dim: int | None = None,
        **more: Any,
    ) -> None:  # fmt: skip
        super().__init__(trainable, dtype, name)
        for option in list(more):
            part, _, kind = option.rpartition("_")
            if kind in ("regularizer", "constraint") and part in _RULED:
                self._rules[option] = more.pop(option)
        self.activity_regularizer = regularizers.get(self._rules.get("activity_regularizer"))
        refuse_options(self, more)
        self.autocast = autocast
        self._connections: list[Connection] = []
        self.input_spec: InputSpec | None = None
        self.built = False
        #: of one example, for a `Sequential`
        self.first_shape = input_shape if input_dim is None else (input_dim,)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in vars(cls):
            cls.build = _marking_built(cls.build)  # type: ignore[method-assign]
        if "compute_mask" in vars(cls):
            cls.supports_masking = True

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"

    def build(self, input_shape: Any) -> None:
        """Make the weights for inputs of a shape; for subclasses."""

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the result; for subclasses."""
        raise NotImplementedError(f"{type(self).__name__} has no method call(self, inputs).")

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """Return the mask of the result: that of the input."""
        return previous_mask

    def get_config(self) -> dict[str, Any]:
        """Return the settings that make another one, with weights of its own.

        Those are the arguments; a subclass that has a `get_config` of its own adds its arguments
        there itself.
        """
        own = self._settings() if type(self).get_config is Layer.get_config else {}
        base = {"name": self.name, "trainable": self.trainable, "dtype": self.dtype.name}
        return own | base

    @classmethod
    def from_config(cls, config: Any) -> Self:
        """Make one of the settings that `get_config` returned; layers among them are made anew."""
        known = inspect.signature(cls).parameters.values()
        names = {parameter.name for parameter in known}
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in known):
            config = {k: x for k, x in config.items() if k in names or k not in _OF_ALL}
        return cls(**{name: _anew(x) for name, x in config.items()})

    def _clone(self, function: Callable | None = None) -> Any:
        """Return another one of the same settings, or what a function makes of this one."""
        return type(self).from_config(self.get_config()) if function is None else function(self)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Make the weights if they are not there yet, and return what `call` returns.

        Parameters
        ----------
        *args, **kwargs
            What `call` takes; arrays become tensors, and floats get the layer's dtype. `training`
            may be given to any layer, and reaches the layers inside.

        Raises
        ------
        TapeUseError
            For inputs that are no tensors or arrays, or whose shape does not fit.
        """
        self.check_made()
        if is_connected(*args, *kwargs.values()):
            self._connections.append(Connection(self, args, kwargs))
            return self._connections[-1].outputs
        args = tuple(map(self._taken, args))
        kwargs = {name: self._taken(x) for name, x in kwargs.items()}
        inputs = first_input(self, args, kwargs)
        self._check(inputs)
        training, kwargs = with_training(self, args, kwargs)
        mask, kwargs = with_mask(self, args, kwargs, masks.of(inputs))
        with inside(self, training) as call:
            self._run = call.run
            if not self.built:
                self._build_for(inputs)
                self.built = True
            y = self.call(*args, **kwargs)
            if self.activity_regularizer is not None:
                self.add_loss([self.activity_regularizer(x) / len(x) for x in nest.flatten(y)])
        if mask is not None or type(self).compute_mask is not Layer.compute_mask:
            masks.hand_on(self, inputs, mask, y)
        return y

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the result for an input of a shape, found by a trial with zeros.

        Parameters
        ----------
        input_shape : tuple of int or None, or a list of such tuples for several inputs

        Examples
        --------
        >>> from tapemagic import tf
        >>> tf.keras.layers.Conv2D(8, 3).compute_output_shape((None, 28, 28, 1))
        (None, 26, 26, 8)
        """
        several = bool(input_shape) and nest.is_nested(input_shape[0])
        dtype = self.dtype.as_numpy_dtype
        tensors = [
            KerasTensor(TensorShape(shape), dtype)
            for shape in (input_shape if several else [input_shape])
        ]
        outputs = Connection(self, (tensors if several else tensors[0],), {}).outputs
        return nest.map_structure(lambda y: tuple(y.shape), outputs)

    @property
    def input(self) -> Any:
        """What it was connected to first (a `KerasTensor`)."""
        call = self._connection("input")
        return first_input(self, call.args, call.kwargs)

    @property
    def output(self) -> Any:
        """What stands for its result where it was connected first."""
        return self._connection("output").outputs

    def _connection(self, name: str) -> Connection:
        if not self._connections:
            raise AttributeError(f"The layer {self.name!r} has no {name}: it was never connected.")
        return self._connections[0]

    def _build_for(self, inputs: Any) -> None:
        self.build(nest.map_structure(lambda x: TensorShape(np.shape(plain(x))), inputs))

    def _taken(self, x: Any) -> Any:
        """Return an argument as `call` gets it."""
        if nest.is_nested(x):
            return nest.map_structure(self._taken, x)
        if not (is_traced(x) or isinstance(x, (np.ndarray, np.generic))):
            return x
        is_float = dtype_of(x).kind == "f"
        y = cast(x, self.dtype if is_float and self.autocast else dtype_of(x))
        return masks.attach(y, masks.of(x))

    def as_floats(self, x: Any) -> Any:
        """Return integers and bools in the layer's dtype, and the rest as it is."""
        return cast(x, self.dtype) if dtype_of(x).kind in "biu" else x

    def _check(self, inputs: Any) -> None:
        """Raise unless the inputs are tensors of the shape that is expected."""
        for x in nest.flatten(inputs):
            if x is not None and not is_traced(x):
                raise leaks.locate(
                    TapeUseError(
                        f"The layer {self.name!r} was given a {type(x).__name__}, not a tensor.",
                        fix="Pass tf.constant(...) or an array.",
                    )
                )
        if self.input_spec is not None and is_traced(inputs):
            self.input_spec.check(np.shape(plain(inputs)), self.name)


def _anew(x: Any) -> Any:
    """Return an argument with layers in it made anew."""
    if isinstance(x, Layer):
        return x._clone()
    return [_anew(one) for one in x] if isinstance(x, list) else x


def _marking_built(build: Callable) -> Callable:
    """Let the `build` of a subclass say that the weights are there, whoever calls it."""

    @functools.wraps(build)
    def wrapper(self: Layer, *args: Any, **kwargs: Any) -> None:
        call = CALL.get()
        if call is not None and call.layer is self:
            build(self, *args, **kwargs)
        else:
            with inside(self):
                build(self, *args, **kwargs)
        self.built = True

    return wrapper
