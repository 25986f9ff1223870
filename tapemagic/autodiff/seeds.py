"""The two ends of a sweep: the cotangents it starts from, and the gradients it hands out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from tapemagic.errors import TapeUseError

from .calls.dispatch import HANDLE_TYPES, is_traced


def wants_zero(unconnected_gradients: Any) -> bool:
    """Read the choice of what stands for a source without a path."""
    if type(unconnected_gradients) is str:
        choice = unconnected_gradients
    else:
        choice = getattr(unconnected_gradients, "value", unconnected_gradients)  # of an enumeration
    if choice not in ("none", "zero"):
        raise TapeUseError(
            f"Unknown value for unconnected_gradients: {unconnected_gradients!r}",
            fix='Use "none" or "zero".',
        )
    return choice == "zero"


def seed_of(ct: Any, aval: Any) -> Any:
    """Return the cotangent of a target in its shape and dtype: ones, or what was given."""
    if ct is None:
        return np.ones(aval.shape, aval.dtype) if aval.shape else aval.dtype.type(1)
    value = ct if is_traced(ct) else np.asarray(ct)
    if value.shape != aval.shape and not _broadcasts(value.shape, aval.shape):
        raise TapeUseError(
            f"output_gradients of shape {value.shape} does not fit the target of shape "
            f"{aval.shape}.",
            fix="Give one of the target's shape, or one that broadcasts to it.",
        )
    if value.dtype != aval.dtype:
        if value.dtype.kind not in ("biufc" if aval.dtype.kind == "c" else "biuf"):
            raise TapeUseError(
                f"output_gradients of dtype {value.dtype} do not fit the target of dtype "
                f"{aval.dtype}.",
                fix="Give numbers of the target's kind; of complex ones .real is what it can take.",
            )
        value = value.astype(aval.dtype)
    return value[()] if not is_traced(value) else value


def _broadcasts(shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(shape, target) == target
    except ValueError:
        return False


def handed_out(ct: Any, aval: Any, shared: set[int]) -> Any:
    """Give the cotangent of a source its shape and dtype, and memory of its own.

    `shared` holds the identities of arrays that somebody else has as well (seeds, earlier results).
    """
    shape, kind = aval.shape, type(ct)
    if kind is ndarray and ct.base is None and ct.shape == shape and ct.dtype is aval.dtype:
        if shape and id(ct) not in shared:
            shared.add(id(ct))
            return ct
    elif kind in HANDLE_TYPES:
        return np.broadcast_to(ct, shape) if ct.shape != shape else ct
    ct = np.array(np.broadcast_to(ct, shape) if shape else ct, dtype=aval.dtype)
    shared.add(id(ct))
    return ct if shape else ct[()]
