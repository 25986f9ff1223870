"""`tf.nn.relu` and its kin, which are straight on both sides of a kink: rows of their own.

At a kink the derivative is that of the left side, as in TensorFlow. An element that is cut off
passes nothing back, not even an infinity: `np.where`, and not a product with a mask.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff import batches
from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.calls.dispatch import is_traced
from tapemagic.autodiff.primitives import general

from .conversion import check_kind, match, operand
from .creation import cast
from .specs import float32
from .tensor import Tensor, dtype_of, tensor_of


def _still(x: Any) -> Any:
    """Return zeros that hang on a traced `x`: a second derivative is 0 and not missing."""
    return np.where(x <= 0, np.abs(np.sign(x)) * 0, 0) if is_traced(x) else 0


def _rectify(x: Any) -> Any:
    return np.maximum(x, 0)


def _rectify6(x: Any) -> Any:
    return np.minimum(np.maximum(x, 0), 6)


def _leak(x: Any, alpha: Any) -> Any:
    return np.where(x > 0, x, x * alpha)[()]


general(
    _rectify,
    lambda ct, y, x: np.where(x > 0, ct, _still(x)),
    name="relu", shows=("where(x > 0, ct, 0)",),
)  # fmt: skip
general(
    _rectify6,
    lambda ct, y, x: np.where((x > 0) & (x < 6), ct, _still(x)),
    name="relu6", shows=("where((x > 0) & (x < 6), ct, 0)",),
)  # fmt: skip
general(
    _leak,
    lambda ct, y, x, alpha: np.where(x > 0, ct, ct * alpha + _still(x)),
    lambda ct, y, x, alpha: np.where(x > 0, 0, ct * x),
    name="leaky_relu",
    shows=("where(x1 > 0, ct, ct * x2)", "where(x1 > 0, 0, ct * x1)"),
)  # fmt: skip
batches.aligned(_rectify, _rectify6)


def _real(x: Any, name: str) -> Any:
    x = operand(x)
    check_kind(x, "fiu", name)
    return x


def relu(features: Any, name: str | None = None) -> Tensor:
    """Return ``max(x, 0)``; the derivative at 0 is 0."""
    return tensor_of(dispatch.call(_rectify, (_real(features, "nn.relu"),), {}))


def relu6(features: Any, name: str | None = None) -> Tensor:
    """Return `x` between 0 and 6; the derivative at both is 0."""
    return tensor_of(dispatch.call(_rectify6, (_real(features, "nn.relu6"),), {}))


def leaky_relu(features: Any, alpha: Any = 0.2, name: str | None = None) -> Tensor:
    """Return `x`, and ``alpha * x`` where it is not positive."""
    x = _real(features, "nn.leaky_relu")
    x = cast(x, float32) if dtype_of(x).kind in "iu" else x
    return tensor_of(dispatch.call(_leak, match((x, alpha)), {}))
