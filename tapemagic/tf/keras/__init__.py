"""`tf.keras`: layers, and what training loops with a tape use."""

from tapemagic.tf import advice

from . import activations, initializers, layers, losses, metrics, models, optimizers
from .inputs import Input
from .models import Model, Sequential

__all__ = [
    "Input", "Model", "Sequential", "activations", "initializers", "layers", "losses", "metrics",
    "models", "optimizers",
]  # fmt: skip

__getattr__ = advice.missing("tf.keras")
