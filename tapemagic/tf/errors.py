"""`tf.errors`: TensorFlow's names for the errors raised here."""

from __future__ import annotations

from tapemagic.errors import TensorError

from . import advice

InvalidArgumentError = TensorError
OpError = TensorError

__getattr__ = advice.missing("tf.errors")
