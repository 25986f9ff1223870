"""`tf.keras.backend`: a few facts."""

from __future__ import annotations

from typing import Any

from tapemagic.tf import advice
from tapemagic.tf.conversion import operand
from tapemagic.tf.graphs import do_nothing

from .loss import EPSILON

clear_session = do_nothing


def epsilon() -> float:
    """Return the smallest probability that losses take a logarithm of."""
    return EPSILON


def floatx() -> str:
    """Return the name of the dtype of floats."""
    return "float32"


def image_data_format() -> str:
    """Tell that channels come last."""
    return "channels_last"


def int_shape(x: Any) -> tuple[int, ...]:
    """Return the shape as a tuple."""
    return tuple(operand(x).shape)


__getattr__ = advice.missing("tf.keras.backend")
