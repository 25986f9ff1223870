"""`tf.random.stateless_normal` and its kin: the same numbers for the same two numbers as a seed."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff.calls.dispatch import plain

from .conversion import operand
from .generators import Generator
from .specs import float32, int32, int64
from .tensor import Tensor, tensor_of


def _stateless(seed: Any) -> Generator:
    return Generator(np.random.default_rng([abs(int(n)) for n in np.ravel(plain(seed))]))


def stateless_normal(
    shape: Any, seed: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = float32,
    name: str | None = None, alg: Any = None,
) -> Tensor:  # fmt: skip
    """Return normal numbers, the same for the same two numbers as a seed."""
    return _stateless(seed).normal(shape, mean, stddev, dtype)


def stateless_truncated_normal(
    shape: Any, seed: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = float32,
    name: str | None = None, alg: Any = None,
) -> Tensor:  # fmt: skip
    """Return normal numbers near `mean`, the same for the same two numbers as a seed."""
    return _stateless(seed).truncated_normal(shape, mean, stddev, dtype)


def stateless_uniform(
    shape: Any, seed: Any, minval: Any = 0, maxval: Any = None, dtype: Any = float32,
    name: str | None = None, alg: Any = None,
) -> Tensor:  # fmt: skip
    """Return numbers from `minval` up to `maxval`, the same for the same two numbers as a seed."""
    return _stateless(seed).uniform(shape, minval, maxval, dtype)


def stateless_categorical(
    logits: Any, num_samples: Any, seed: Any, dtype: Any = int64, name: str | None = None
) -> Tensor:
    """Return classes for each row, the same for the same two numbers as a seed."""
    return _stateless(seed).categorical(logits, num_samples, dtype)


def stateless_gamma(
    shape: Any, seed: Any, alpha: Any, beta: Any = None, dtype: Any = float32,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return gamma numbers; `alpha` and `beta` are broadcast to `shape`, if it is given."""
    drawn = _stateless(seed).gamma((), np.broadcast_to(operand(alpha), shape), None, dtype)
    return drawn if beta is None else tensor_of(drawn / beta)


def stateless_poisson(
    shape: Any, seed: Any, lam: Any, dtype: Any = int32, name: str | None = None
) -> Tensor:
    """Return numbers of events; the rates `lam` are broadcast to `shape`."""
    return _stateless(seed).poisson((), np.broadcast_to(operand(lam), shape), dtype)


def stateless_binomial(
    shape: Any, seed: Any, counts: Any, probs: Any, output_dtype: Any = int32,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return how many of `counts` attempts succeed, each with a probability of `probs`."""
    return _stateless(seed).binomial(shape, counts, probs, output_dtype)


def stateless_shuffle(value: Any, seed: Any, alg: Any = None, name: str | None = None) -> Tensor:
    """Return the rows in random order."""
    return _stateless(seed).shuffle(value)


def split(seed: Any, num: int = 2, alg: Any = None) -> Tensor:
    """Return `num` seeds, of two numbers each, made of one."""
    return _stateless(seed).uniform((num, 2), 0, np.iinfo(np.int32).max, int32)


def fold_in(seed: Any, data: Any, alg: Any = None) -> Tensor:
    """Return the seed that is made of one and a number."""
    return split([*np.ravel(plain(seed)), int(plain(data))], 1)[0]
