"""`tf.keras`: optimizers, losses and metrics, what training loops with a tape use."""

from tapemagic.tf import advice

from . import losses, metrics, optimizers

__all__ = ["losses", "metrics", "optimizers"]

__getattr__ = advice.missing("tf.keras")
