"""`tf.keras.initializers`: first values of weights, by Keras 3's formulas.

Sources: Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural
networks"; He et al. 2015, "Delving deep into rectifiers"; LeCun et al. 1998, "Efficient BackProp".
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.errors import TapeUseError
from tapemagic.tf import advice, random
from tapemagic.tf.conversion import whole_numbers
from tapemagic.tf.creation import cast, fill
from tapemagic.tf.specs import float64
from tapemagic.tf.tensor import Tensor

from .floats import default_float

#: Standard deviation of a normal number of variance 1 that is drawn again outside of [-2, 2].
_TRUNCATED = 0.87962566103423978


class Initializer:
    """Base class: called with a shape, it returns a tensor."""

    def __call__(self, shape: Any, dtype: Any = None) -> Tensor:
        """Return a tensor of a shape, float32 unless `dtype` says otherwise."""
        raise NotImplementedError


class Constant(Initializer):
    """One value everywhere."""

    def __init__(self, value: Any = 0.0) -> None:
        self.value = value

    def __call__(self, shape: Any, dtype: Any = None) -> Tensor:
        """Return a tensor filled with the value."""
        return cast(fill(shape, self.value), dtype or default_float())


class Zeros(Constant):
    """Zeros."""

    def __init__(self) -> None:
        super().__init__(0.0)


class Ones(Constant):
    """Ones."""

    def __init__(self) -> None:
        super().__init__(1.0)


class Identity(Initializer):
    """The identity matrix, times `gain`."""

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: Any, dtype: Any = None) -> Tensor:
        """Return a matrix with `gain` on its diagonal."""
        return cast(np.eye(*whole_numbers(shape)) * self.gain, dtype or default_float())


class _Random(Initializer):
    """Base class of what is drawn; with a seed, each call draws the same."""

    def __init__(self, seed: Any = None) -> None:
        self.seed = seed

    def _generator(self) -> random.Generator:
        if self.seed is None:
            return random.get_global_generator()
        return random.Generator.from_seed(self.seed)


class RandomNormal(_Random):
    """Normal numbers."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        super().__init__(seed)
        self.mean, self.stddev = mean, stddev

    def __call__(self, shape: Any, dtype: Any = None) -> Tensor:
        """Return normal numbers."""
        return self._generator().normal(shape, self.mean, self.stddev, dtype or default_float())


class TruncatedNormal(RandomNormal):
    """Normal numbers, none more than two `stddev` from `mean`."""

    def __call__(self, shape: Any, dtype: Any = None) -> Tensor:
        """Return normal numbers, none more than two `stddev` from `mean`."""
        return self._generator().truncated_normal(
            shape, self.mean, self.stddev, dtype or default_float()
        )


class RandomUniform(_Random):
    """Numbers from `minval` up to, without, `maxval`."""

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None) -> None:
        super().__init__(seed)
        self.minval, self.maxval = minval, maxval

    def __call__(self, shape: Any, dtype: Any = None) -> Tensor:
        """Return numbers from `minval` up to, without, `maxval`."""
        return self._generator().uniform(shape, self.minval, self.maxval, dtype or default_float())


class Orthogonal(_Random):
    """Random rows, or columns if there are fewer, that are orthogonal and of length `gain`.

    Saxe et al. 2014, "Exact solutions to the nonlinear dynamics of learning".
    """

    def __init__(self, gain: float = 1.0, seed: Any = None) -> None:
        super().__init__(seed)
        self.gain = gain

    def __call__(self, shape: Any, dtype: Any = None) -> Tensor:
        """Return a matrix, or a tensor whose last axis is that of its columns."""
        lengths = whole_numbers(shape)
        rows, columns = math.prod(lengths[:-1]), lengths[-1]
        drawn = self._generator().normal((max(rows, columns), min(rows, columns)), dtype=float64)
        q, r = np.linalg.qr(drawn.numpy())
        q = q * np.sign(np.diagonal(r))
        q = q.T if rows < columns else q
        return cast(np.reshape(q, lengths) * self.gain, dtype or default_float())


class VarianceScaling(_Random):
    """Numbers of variance ``scale / n``, `n` being how many go into or out of a layer's unit.

    Parameters
    ----------
    scale : float
    mode : {"fan_in", "fan_out", "fan_avg"}
        `n`: the rows of a matrix, its columns, or their mean. Further axes, in front, are those of
        a window, each of whose elements counts.
    distribution : {"truncated_normal", "untruncated_normal", "uniform"}
    seed : int, optional
    """

    def __init__(
        self, scale: float = 1.0, mode: str = "fan_in", distribution: str = "truncated_normal",
        seed: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(seed)
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise TapeUseError(f"Unknown mode: {mode!r}.", fix="Use fan_in, fan_out or fan_avg.")
        if distribution not in ("truncated_normal", "untruncated_normal", "uniform"):
            raise TapeUseError(
                f"Unknown distribution: {distribution!r}.",
                fix="Use truncated_normal, untruncated_normal or uniform.",
            )
        self.scale, self.mode, self.distribution = scale, mode, distribution

    def __call__(self, shape: Any, dtype: Any = None) -> Tensor:
        """Return numbers for the weights of a layer."""
        inputs, outputs = _fans(shape)
        number = {"fan_in": inputs, "fan_out": outputs, "fan_avg": (inputs + outputs) / 2}
        deviation = math.sqrt(self.scale / max(1.0, number[self.mode]))
        generator, dtype = self._generator(), dtype or default_float()
        if self.distribution == "uniform":
            limit = math.sqrt(3) * deviation
            return generator.uniform(shape, -limit, limit, dtype)
        if self.distribution == "untruncated_normal":
            return generator.normal(shape, 0.0, deviation, dtype)
        return generator.truncated_normal(shape, 0.0, deviation / _TRUNCATED, dtype)


def _fans(shape: Any) -> tuple[int, int]:
    """Return how many numbers go into, and come out of, a unit of a layer of weights."""
    lengths = np.atleast_1d(whole_numbers(shape)).tolist()
    if len(lengths) < 2:
        return math.prod(lengths), math.prod(lengths)
    *window, rows, columns = lengths
    return math.prod(window) * rows, math.prod(window) * columns


def _scaling(name: str, scale: float, mode: str, distribution: str) -> type:
    def __init__(self: Any, seed: Any = None) -> None:  # noqa: N807
        VarianceScaling.__init__(self, scale, mode, distribution, seed)

    documentation = f"VarianceScaling({scale}, {mode!r}, {distribution!r})."
    return type(name, (VarianceScaling,), {"__init__": __init__, "__doc__": documentation})


GlorotNormal = _scaling("GlorotNormal", 1.0, "fan_avg", "truncated_normal")
GlorotUniform = _scaling("GlorotUniform", 1.0, "fan_avg", "uniform")
HeNormal = _scaling("HeNormal", 2.0, "fan_in", "truncated_normal")
HeUniform = _scaling("HeUniform", 2.0, "fan_in", "uniform")
LecunNormal = _scaling("LecunNormal", 1.0, "fan_in", "truncated_normal")
LecunUniform = _scaling("LecunUniform", 1.0, "fan_in", "uniform")

_BY_NAME = {
    name: cls for name, cls in vars().copy().items()
    if isinstance(cls, type) and issubclass(cls, Initializer) and name.strip("_") == name
}  # fmt: skip
_BY_NAME |= {re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(): cls for name, cls in _BY_NAME.items()}
del _BY_NAME["Initializer"], _BY_NAME["initializer"]
globals().update(_BY_NAME)  # classes by their short names, too
_BY_NAME |= {"normal": RandomNormal, "uniform": RandomUniform, "one": Ones, "zero": Zeros}


def get(identifier: Any) -> Callable:
    """Return an initializer by its name; a class is called, another callable stays as it is.

    Raises
    ------
    TapeUseError
        If no initializer is called so.

    Examples
    --------
    >>> get("ones")((2,)).numpy()
    array([1., 1.], dtype=float32)
    """
    found = _BY_NAME.get(identifier) if isinstance(identifier, str) else identifier
    if not callable(found):
        raise leaks.locate(
            TapeUseError(
                f"No initializer is called {identifier!r}.",
                fix="Pass a function of a shape and a dtype.",
            )
        )
    return found() if isinstance(found, type) else found


__getattr__ = advice.missing("tf.keras.initializers")
