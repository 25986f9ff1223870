"""`tf.random.Generator`: NumPy's generators under TensorFlow's names.

A seed gives the same numbers on every run, and not those that TensorFlow draws from it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls.dispatch import plain

from . import advice
from .choices import chosen
from .conversion import operand, whole_numbers
from .specs import as_dtype, float32, int32, int64
from .tensor import Tensor, tensor_of


class Generator(metaclass=advice.Explaining):
    """A source of random tensors.

    Examples
    --------
    >>> from tapemagic import tf
    >>> first = tf.random.Generator.from_seed(1).normal([2])
    >>> second = tf.random.Generator.from_seed(1).normal([2])
    >>> bool(tf.reduce_all(first == second))
    True
    """

    def __init__(self, source: np.random.Generator) -> None:
        self._source = source

    @classmethod
    def from_seed(cls, seed: Any, alg: Any = None) -> Generator:
        """Return a generator that starts from `seed`."""
        return cls(np.random.default_rng(abs(int(seed))))

    @classmethod
    def from_non_deterministic_state(cls, alg: Any = None) -> Generator:
        """Return a generator that starts anywhere."""
        return cls(np.random.default_rng())

    def reset_from_seed(self, seed: Any) -> None:
        """Start anew from `seed`."""
        self._source = np.random.default_rng(abs(int(seed)))

    def split(self, count: int = 1) -> list[Generator]:
        """Return generators whose numbers have nothing to do with each other's."""
        return [Generator(source) for source in self._source.spawn(count)]

    def normal(
        self, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = float32, name: Any = None
    ) -> Tensor:
        """Return normal numbers; differentiable by `mean` and `stddev`."""
        noise = self._source.standard_normal(_lengths(shape))
        return _placed(noise, mean, stddev, as_dtype(dtype).dtype)

    def truncated_normal(
        self, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = float32, name: Any = None
    ) -> Tensor:
        """Return normal numbers, drawn again where more than two `stddev` from `mean`."""
        noise = np.asarray(self._source.standard_normal(_lengths(shape)))
        while (outside := np.abs(noise) > 2).any():
            noise[outside] = self._source.standard_normal(int(outside.sum()))
        return _placed(noise, mean, stddev, as_dtype(dtype).dtype)

    def uniform(
        self, shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = float32,
        name: Any = None,
    ) -> Tensor:  # fmt: skip
        """Return numbers from `minval` up to, without, `maxval`."""
        wanted = as_dtype(dtype).dtype
        if wanted.kind in "iu":
            if maxval is None:
                raise ValueError("Must specify maxval for integer dtype.")
            low, high = int(minval), int(maxval)
            return tensor_of(self._source.integers(low, high, _lengths(shape), wanted))
        high = 1 if maxval is None else maxval
        noise = self._source.random(
            _lengths(shape), np.float64 if wanted.itemsize == 8 else np.float32
        )
        return _placed(noise, minval, high - minval, wanted)

    def poisson(self, shape: Any, lam: Any, dtype: Any = float32) -> Tensor:
        """Return numbers of events, for each of the rates in `lam`."""
        rates = chosen(np.positive, operand(lam))
        drawn = self._source.poisson(rates, (*_lengths(shape), *np.shape(rates)))
        return tensor_of(np.asarray(drawn).astype(as_dtype(dtype).dtype))

    def gamma(self, shape: Any, alpha: Any, beta: Any = None, dtype: Any = float32) -> Tensor:
        """Return gamma numbers of shape `alpha` and rate `beta`; differentiable by `beta`."""
        leaks.hand_out(alpha, "the shape of gamma numbers")
        shapes = np.asarray(plain(operand(alpha)))
        rates = operand(1.0 if beta is None else beta, dtype)
        both = np.broadcast_shapes(shapes.shape, np.shape(plain(rates)))
        drawn = self._source.standard_gamma(shapes, (*_lengths(shape), *both))
        return tensor_of(tensor_of(np.asarray(drawn).astype(as_dtype(dtype).dtype)) / rates)

    def binomial(self, shape: Any, counts: Any, probs: Any, dtype: Any = int32) -> Tensor:
        """Return how many of `counts` attempts succeed, each with a probability of `probs`."""
        numbers, chances = (chosen(np.positive, operand(x)) for x in (counts, probs))
        drawn = self._source.binomial(np.asarray(numbers).astype(int), chances, _lengths(shape))
        return tensor_of(np.asarray(drawn).astype(as_dtype(dtype).dtype))

    def shuffle(self, value: Any) -> Tensor:
        """Return the rows in random order."""
        x = operand(value)
        return tensor_of(x[self._source.permutation(len(x))])

    def categorical(self, logits: Any, num_samples: Any, dtype: Any = int64) -> Tensor:
        """Return, for each row, classes drawn by their unnormalised log-probabilities."""
        scores = chosen(np.positive, operand(logits))[:, np.newaxis, :]
        size = (len(scores), whole_numbers(num_samples), scores.shape[-1])
        # the largest of scores with Gumbel noise is each class with its probability
        drawn = np.argmax(scores + self._source.gumbel(size=size), axis=-1)
        return tensor_of(drawn.astype(as_dtype(dtype).dtype))

    def __getattr__(self, name: str) -> Any:
        return _no_method(name)


_no_method = advice.missing("tf.random.Generator")


class SeedGenerator(Generator):
    """A source that ``seed=`` of the functions takes: each call draws what comes next."""

    def __init__(self, seed: Any = None) -> None:
        super().__init__(np.random.default_rng(None if seed is None else abs(int(seed))))


def _lengths(shape: Any) -> tuple[int, ...]:
    lengths = whole_numbers(shape)
    return (lengths,) if isinstance(lengths, int) else lengths


def _placed(noise: Any, start: Any, scale: Any, dtype: np.dtype) -> Tensor:
    """Return ``start + scale * noise``, which start and scale can be differentiated by."""
    noise = tensor_of(np.asarray(noise).astype(dtype))
    return tensor_of(noise * operand(scale, dtype) + operand(start, dtype))
