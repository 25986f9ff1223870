"""`tf.debugging`: assertions about values."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff.calls.dispatch import plain
from tapemagic.errors import TensorError

from . import advice
from .conversion import operand
from .tensor import Tensor, tensor_of


def assert_near(
    x: Any, y: Any, rtol: Any = None, atol: Any = None, message: Any = None,
    summarize: Any = None, name: Any = None,
) -> None:  # fmt: skip
    """Raise InvalidArgumentError if two tensors differ by more than rounding."""
    x, y = np.asarray(plain(operand(x))), np.asarray(plain(operand(y)))
    tolerance = 10 * np.finfo(x.dtype).eps
    limits = {
        "rtol": tolerance if rtol is None else rtol,
        "atol": tolerance if atol is None else atol,
    }
    if not np.allclose(x, y, **limits):
        raise TensorError(message or f"x and y are not near: {x} and {y}.")


def assert_equal(
    x: Any, y: Any, message: Any = None, summarize: Any = None, name: Any = None
) -> None:
    """Raise InvalidArgumentError if two tensors are not equal."""
    if not np.array_equal(plain(x), plain(y)):
        raise TensorError(message or f"x and y are not equal: {plain(x)} and {plain(y)}.")


def assert_all_finite(x: Any, message: str = "", name: Any = None) -> Tensor:
    """Raise InvalidArgumentError if an element is nan or infinite; return the tensor."""
    x = operand(x)
    if not np.isfinite(plain(x)).all():
        raise TensorError(f"{message} : Tensor had NaN or Inf values".strip(" :"))
    return tensor_of(x)


check_numerics = assert_all_finite
__getattr__ = advice.missing("tf.debugging")
