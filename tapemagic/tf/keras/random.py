"""`tf.keras.random`: the functions of `tf.random` under the names and with the defaults of Keras 3.

A seed is a number, with which each call draws the same, or a `SeedGenerator`, which goes on.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.tf import advice, generators, nn
from tapemagic.tf import random as tfs
from tapemagic.tf.specs import int32
from tapemagic.tf.tensor import Tensor

from .floats import default_float

SeedGenerator = generators.SeedGenerator


def _source(seed: Any) -> Any:
    """Return what draws: a generator is that itself, a number makes one that begins anew."""
    if seed is None or isinstance(seed, generators.Generator):
        return seed or tfs.get_global_generator()
    return generators.Generator(np.random.default_rng(abs(int(seed))))


def normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None
) -> Tensor:
    """Return normal numbers."""
    return _source(seed).normal(shape, mean, stddev, dtype or default_float())


def truncated_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None
) -> Tensor:
    """Return normal numbers, none more than two `stddev` from `mean`."""
    return _source(seed).truncated_normal(shape, mean, stddev, dtype or default_float())


def uniform(
    shape: Any, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: Any = None
) -> Tensor:
    """Return numbers from `minval` up to, without, `maxval`."""
    return _source(seed).uniform(shape, minval, maxval, dtype or default_float())


def randint(shape: Any, minval: Any, maxval: Any, dtype: Any = "int32", seed: Any = None) -> Tensor:
    """Return whole numbers from `minval` up to, without, `maxval`."""
    return _source(seed).uniform(shape, minval, maxval, dtype)


def categorical(logits: Any, num_samples: Any, dtype: Any = int32, seed: Any = None) -> Tensor:
    """Return, for each row, classes drawn by their unnormalised log-probabilities."""
    return _source(seed).categorical(logits, num_samples, dtype)


def shuffle(x: Any, axis: int = 0, seed: Any = None) -> Tensor:
    """Return the rows in random order; of another axis, what lies along it."""
    return np.moveaxis(_source(seed).shuffle(np.moveaxis(x, axis, 0)), 0, axis)


def dropout(inputs: Any, rate: float, noise_shape: Any = None, seed: Any = None) -> Tensor:
    """Return the input with a random part of it set to 0, and the rest scaled up to make good."""
    return nn.dropout(inputs, rate, noise_shape, _source(seed))


__getattr__ = advice.missing("tf.keras.random")
