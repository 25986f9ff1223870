"""`tf.autodiff`: forward mode."""

from __future__ import annotations

from . import advice
from .tape import ForwardAccumulator, GradientTape

__all__ = ["ForwardAccumulator", "GradientTape"]

__getattr__ = advice.missing("tf.autodiff")
