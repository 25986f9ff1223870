"""Masks: which steps of a series count. They travel with tensors, from layer to layer.

Functions of `tf` make tensors without a mask, as in Keras: between layers stand layers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls.dispatch import plain
from tapemagic.autodiff.warned import warn
from tapemagic.errors import TapeUseError
from tapemagic.tf import nest
from tapemagic.tf.choices import chosen
from tapemagic.tf.refusals import refuse as refuse_shape
from tapemagic.tf.tensor import Tensor


def of(inputs: Any) -> Any:
    """Return the mask of a tensor, or a structure of those of several; None if there is none."""
    if not nest.is_nested(inputs):
        return getattr(inputs, "_keras_mask", None)
    found = [of(x) for x in nest.flatten(inputs)]
    return None if all(mask is None for mask in found) else nest.pack_sequence_as(inputs, found)


def attach(y: Any, mask: Any) -> Any:
    """Let the tensors of a structure have masks, where they have none; return the structure."""
    if mask is not None:
        for x, one in zip(nest.flatten(y), nest.flatten(mask), strict=False):
            if one is not None and isinstance(x, Tensor) and of(x) is None:
                x._keras_mask = one
    return y


def hand_on(layer: Any, inputs: Any, mask: Any, y: Any) -> None:
    """Give the result of a layer the mask that the layer makes of that of its input."""
    if layer.supports_masking:
        attach(y, layer.compute_mask(inputs, mask))
    elif mask is not None and not layer.layers_have_masks:
        warn(
            f"The layer {layer.name!r} ({type(layer).__name__}) drops the mask of its input: "
            "layers after it count every step."
        )


def drop(*structures: Any) -> None:
    """Let the tensors of structures have no masks."""
    for x in nest.flatten(list(structures)):
        if isinstance(x, Tensor):
            x._keras_mask = None


def refuse(layer: Any, *inputs: Any) -> None:
    """Raise if an input of a layer has a mask, which Keras would regard and we do not.

    Raises
    ------
    TapeUseError
    """
    if of(list(inputs)) is not None:
        raise leaks.locate(
            TapeUseError(
                f"The layer {layer.name!r} ({type(layer).__name__}) regards no masks of its input.",
                fix="Give it one without: tf.identity(x).",
            )
        )


def as_bools(mask: Any) -> np.ndarray:
    """Return a mask as a plain array of bools."""
    return np.asarray(chosen(np.not_equal, mask, 0))


def steps(mask: Any, series: Any) -> np.ndarray:
    """Return the mask of a series as bools of shape [batch, steps].

    Raises
    ------
    TensorError
        If it is of another shape.
    """
    found, expected = as_bools(mask), np.shape(plain(series))[:2]
    if found.shape == (*expected, 1):
        found = found[..., 0]
    if found.shape != expected:
        refuse_shape(f"A mask of shape {found.shape} for a series of shape {expected}.")
    return found


def weights(mask: Any, sample_weight: Any, *, is_mean: bool) -> Any:
    """Return the weights of the elements of a loss or metric: 0 where the mask is False.

    Those of a mean are larger by what is missing, so that it is one over the others.
    """
    kept = as_bools(mask)
    counted = kept.astype(np.float32)
    if is_mean:
        counted *= np.float32(kept.size / max(kept.sum(), 1))
    if sample_weight is None:
        return counted
    missing = counted.ndim - np.ndim(plain(sample_weight))
    shape = np.shape(plain(sample_weight)) + (1,) * max(missing, 0)
    return np.reshape(sample_weight, shape) * counted
