"""`tf.keras.backend`: a few facts."""

from __future__ import annotations

from typing import Any

from tapemagic.tf import advice
from tapemagic.tf.conversion import operand
from tapemagic.tf.graphs import do_nothing

from .floats import floatx, set_floatx
from .loss import EPSILON

__all__ = ["clear_session", "epsilon", "floatx", "image_data_format", "int_shape", "set_floatx"]

clear_session = do_nothing


def epsilon() -> float:
    """Return the smallest probability that losses take a logarithm of."""
    return EPSILON


def image_data_format() -> str:
    """Tell that channels come last."""
    return "channels_last"


def int_shape(x: Any) -> tuple[int, ...]:
    """Return the shape as a tuple."""
    return tuple(operand(x).shape)


__getattr__ = advice.missing("tf.keras.backend")
