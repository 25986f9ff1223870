"""Softmax, its logarithm, and the logarithm of a sum of exponentials: rows of their own.

All three subtract the largest element first, so that nothing overflows. Their results do not hang
on it, and so neither do their derivatives: written with NumPy's functions on traced values, the
subtraction would be a part of the run.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff import batches
from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.primitives import general
from tapemagic.autodiff.rules.algebra import apply

from .conversion import floats, whole_numbers
from .refusals import in_words
from .tensor import Tensor, tensor_of


def _softmax(x: Any, axis: Any) -> Any:
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


def _log_softmax(x: Any, axis: Any) -> Any:
    shifted = x - np.max(x, axis=axis, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


def _log_sum_exp(x: Any, axis: Any) -> Any:
    largest = np.max(x, axis=axis, keepdims=True)
    largest = np.where(np.isfinite(largest), largest, 0)
    return np.log(np.sum(np.exp(x - largest), axis=axis, keepdims=True)) + largest


general(
    _softmax,
    lambda ct, y, x, axis: y * (ct - np.sum(ct * y, axis=axis, keepdims=True)),
    name="softmax", shows=("y * (ct - sum(ct * y))",),
)  # fmt: skip
general(
    _log_softmax,
    lambda ct, y, x, axis: ct - np.exp(y) * np.sum(ct, axis=axis, keepdims=True),
    name="log_softmax", shows=("ct - exp(y) * sum(ct)",),
)  # fmt: skip
general(
    _log_sum_exp,
    lambda ct, y, x, axis: ct * apply(_softmax, x, axis),  # of large x, y is rounded too much
    name="logsumexp", shows=("ct * exp(x - y)",),
)  # fmt: skip
batches.by_axis(_softmax, _log_softmax)
batches.by_axis(_log_sum_exp, every=True)


@in_words
def softmax(logits: Any, axis: Any = -1, name: str | None = None) -> Tensor:
    """Return ``exp(x) / sum(exp(x))`` along an axis."""
    return tensor_of(
        dispatch.call(_softmax, (floats(logits, "nn.softmax"), whole_numbers(axis)), {})
    )


@in_words
def log_softmax(logits: Any, axis: Any = -1, name: str | None = None) -> Tensor:
    """Return the logarithm of `softmax`."""
    return tensor_of(
        dispatch.call(_log_softmax, (floats(logits, "nn.log_softmax"), whole_numbers(axis)), {})
    )


def logsumexp(x: Any, axis: Any, keepdims: bool) -> Any:
    """Return ``log(sum(exp(x)))`` over an axis, or over all."""
    y = dispatch.call(_log_sum_exp, (x, axis), {})
    if keepdims:
        return y
    return np.squeeze(y, axis=axis) if axis is not None else np.reshape(y, ())
