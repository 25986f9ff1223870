"""`tf.keras.models`."""

from tapemagic.tf import advice

from .inputs import Input
from .model import Model
from .sequential import Sequential

__all__ = ["Input", "Model", "Sequential"]

__getattr__ = advice.missing("tf.keras.models")
