"""`tf.random`: numbers drawn from one generator, or from those of seeds.

A seed gives the same numbers on every run, and not those that TensorFlow draws from it.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np

from tapemagic.autodiff.calls.dispatch import plain
from tapemagic.autodiff.twins import states

from . import advice, generators, stateless
from .conversion import operand, whole_numbers
from .refusals import refuse
from .specs import float32, int64
from .tensor import Tensor, tensor_of

Generator: TypeAlias = generators.Generator
SeedGenerator = generators.SeedGenerator
fold_in, split = stateless.fold_in, stateless.split
stateless_binomial = stateless.stateless_binomial
stateless_categorical = stateless.stateless_categorical
stateless_gamma = stateless.stateless_gamma
stateless_normal = stateless.stateless_normal
stateless_poisson = stateless.stateless_poisson
stateless_truncated_normal = stateless.stateless_truncated_normal
stateless_uniform = stateless.stateless_uniform

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


def set_global_generator(generator: Generator) -> None:
    """Let the functions of this module draw from a generator."""
    _STATE.shared = generator


class Candidates(NamedTuple):
    """Classes that were drawn, and how often each class is expected among them."""

    sampled_candidates: Tensor
    true_expected_count: Tensor
    sampled_expected_count: Tensor


def log_uniform_candidate_sampler(
    true_classes: Any, num_true: int, num_sampled: int, unique: bool, range_max: int,
    seed: Any = None, name: str | None = None,
) -> Candidates:  # fmt: skip
    """Draw classes, the first ones most often, as words sorted by how frequent they are.

    Parameters
    ----------
    true_classes : tensor, [batch, num_true]
    num_sampled : int
    unique : bool
        Whether no class is drawn twice.
    range_max : int
        Number of classes.
    """
    if unique and num_sampled > range_max:
        refuse(f"{num_sampled} different ones of {range_max} classes.")
    drawn: list[int] = []
    tries = 0
    while len(drawn) < num_sampled:
        u = float(plain(uniform((), seed=seed)))
        candidate = min(int(np.exp(u * np.log(range_max + 1))) - 1, range_max - 1)
        tries += 1
        if not (unique and candidate in drawn):
            drawn.append(candidate)

    def expected(classes: Any) -> Tensor:
        part = np.log1p(1 / (np.asarray(classes) + 1.0)) / np.log(range_max + 1)
        counts = -np.expm1(tries * np.log1p(-part)) if unique else part * num_sampled
        return tensor_of(counts.astype(np.float32))

    chosen = np.array(drawn, np.int64)
    return Candidates(tensor_of(chosen), expected(plain(operand(true_classes))), expected(chosen))


experimental = advice.Names(
    "tf.random.experimental",
    Generator=Generator, get_global_generator=get_global_generator,
    set_global_generator=set_global_generator, stateless_fold_in=fold_in,
    stateless_shuffle=stateless.stateless_shuffle, stateless_split=split,
)  # fmt: skip

__getattr__ = advice.missing("tf.random")
