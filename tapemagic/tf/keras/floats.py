"""The dtype that layers, losses and metrics compute in unless they are told another."""

from __future__ import annotations

from typing import Any

from tapemagic.errors import TapeUseError
from tapemagic.tf.specs import DType, as_dtype, float32

_FLOATS = [float32]


def default_float() -> DType:
    """Return the dtype that `set_floatx` named last, float32 at first."""
    return _FLOATS[0]


def floatx() -> str:
    """Return the name of the dtype of floats."""
    return default_float().name


def set_floatx(value: Any) -> None:
    """Let what is made from here on compute in another dtype, as physicists ask for float64.

    Raises
    ------
    TapeUseError
        If it is not one of floats.
    """
    if str(value) not in ("float16", "float32", "float64"):
        raise TapeUseError(f"Unknown `floatx` value: {value}.", fix='Use "float32" or "float64".')
    _FLOATS[0] = as_dtype(value)
