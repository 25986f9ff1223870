"""`tf.keras.models`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tapemagic.tf import advice

from .inputs import Input
from .model import Model
from .sequential import Sequential

__all__ = ["Input", "Model", "Sequential", "clone_model"]


def clone_model(model: Model, *, clone_function: Callable | None = None) -> Any:
    """Return a model of the same layers, with weights of their own.

    Parameters
    ----------
    model : Model
        A `Sequential`, or one of connected layers.
    clone_function : callable, optional
        What makes a layer of each layer; ``layer.from_config(layer.get_config())`` if not given.

    Examples
    --------
    >>> from tapemagic import tf
    >>> model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(1)])
    >>> twin = tf.keras.models.clone_model(model)
    >>> twin.set_weights(model.get_weights())
    >>> bool(twin(tf.ones((1, 2))) == model(tf.ones((1, 2))))
    True
    """
    return model._clone(clone_function)


__getattr__ = advice.missing("tf.keras.models")
