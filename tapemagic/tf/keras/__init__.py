"""`tf.keras`: what training loops with a tape use."""

from tapemagic.tf import advice

from . import activations, initializers, losses, metrics, optimizers

__all__ = ["activations", "initializers", "losses", "metrics", "optimizers"]

__getattr__ = advice.missing("tf.keras")
