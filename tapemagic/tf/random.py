"""`tf.random`: NumPy's generators under TensorFlow's names.

A seed gives the same numbers on every run, and not those that TensorFlow draws from it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls.dispatch import plain
from tapemagic.autodiff.twins import states

from . import advice
from .choices import chosen
from .conversion import operand, whole_numbers
from .specs import as_dtype, float32, int64
from .tensor import Tensor, tensor_of


class Generator:
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


# ------------------------------------------------------------------ the generator behind the names


class _State:
    """The global generator, and those of the ``seed=`` given to single operations."""

    def __init__(self) -> None:
        self.seed: int | None = None
        self.shared = Generator.from_non_deterministic_state()
        self.own: dict[int, Generator] = {}

    def restart(self, seed: Any) -> None:
        self.seed = int(seed)
        self.shared = Generator.from_seed(seed)
        self.own = {}

    def generator(self, seed: Any) -> Generator:
        """Return the generator of an operation: its own sequence if it has a seed."""
        if seed is None or isinstance(seed, Generator):
            return self.shared if seed is None else seed
        if seed not in self.own:
            self.own[seed] = Generator(np.random.default_rng(beginning(seed)))
        return self.own[seed]


_STATE = _State()
states.SEQUENCES.append((lambda: dict(vars(_STATE)), lambda state: vars(_STATE).update(state)))


def set_seed(seed: Any) -> None:
    """Start the global generator anew: the same numbers on every run."""
    _STATE.restart(seed)


def beginning(seed: Any) -> list[int]:
    """Return what a generator starts from: drawn from the global one if no seed is given."""
    if seed is None:
        return [int(_STATE.shared._source.integers(2**32))]
    return [abs(whole_numbers(seed)), abs(_STATE.seed or 0)]


def get_global_generator() -> Generator:
    """Return the generator that the functions of this module draw from."""
    return _STATE.shared


def normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = float32, seed: Any = None,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return normal numbers; differentiable by `mean` and `stddev`."""
    return _STATE.generator(seed).normal(shape, mean, stddev, dtype)


def truncated_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = float32, seed: Any = None,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return normal numbers, none more than two `stddev` from `mean`."""
    return _STATE.generator(seed).truncated_normal(shape, mean, stddev, dtype)


def uniform(
    shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = float32, seed: Any = None,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return numbers from `minval` up to, without, `maxval` (1 if not given)."""
    return _STATE.generator(seed).uniform(shape, minval, maxval, dtype)


def categorical(
    logits: Any, num_samples: Any, dtype: Any = int64, seed: Any = None, name: str | None = None
) -> Tensor:
    """Return, for each row, classes drawn by their unnormalised log-probabilities."""
    return _STATE.generator(seed).categorical(logits, num_samples, dtype)


def shuffle(value: Any, seed: Any = None, name: str | None = None) -> Tensor:
    """Return the rows in random order."""
    return _STATE.generator(seed).shuffle(value)


def poisson(
    shape: Any, lam: Any, dtype: Any = float32, seed: Any = None, name: str | None = None
) -> Tensor:
    """Return numbers of events, for each of the rates in `lam`."""
    return _STATE.generator(seed).poisson(shape, lam, dtype)


def gamma(
    shape: Any, alpha: Any, beta: Any = None, dtype: Any = float32, seed: Any = None,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return gamma numbers of shape `alpha` and rate `beta`; differentiable by `beta`."""
    return _STATE.generator(seed).gamma(shape, alpha, beta, dtype)


# ---------------------------------------------------------- the same numbers for the same seed


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


__getattr__ = advice.missing("tf.random")
