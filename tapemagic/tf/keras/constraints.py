"""`tf.keras.constraints`: what an optimizer makes of a weight after each step."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.tf import advice
from tapemagic.tf.conversion import operand, whole_numbers
from tapemagic.tf.tensor import Tensor, tensor_of

from .loss import EPSILON
from .names import by_name


class Constraint:
    """Base class: called with a weight, it returns what is allowed of it."""

    def __call__(self, w: Any) -> Tensor:
        """Return the weight as it is."""
        return tensor_of(operand(w))


class NonNeg(Constraint):
    """No weight is less than 0."""

    def __call__(self, w: Any) -> Tensor:
        """Return the weight with 0 in the place of negative numbers."""
        return tensor_of(np.maximum(operand(w), 0))


class _OfNorms(Constraint):
    """Base class of what scales vectors along an axis."""

    def __init__(self, axis: Any = 0) -> None:
        self.axis = axis

    def wanted(self, norms: Any) -> Any:
        """Return the norms that the vectors are to have."""
        raise NotImplementedError

    def __call__(self, w: Any) -> Tensor:
        """Return the weight with its vectors scaled."""
        w, axis = operand(w), whole_numbers(self.axis)
        norms = np.sqrt(np.sum(np.square(w), axis=axis, keepdims=True))
        return tensor_of(w * (self.wanted(norms) / (norms + EPSILON)))


class UnitNorm(_OfNorms):
    """Vectors have the norm 1."""

    def wanted(self, norms: Any) -> Any:
        """Return 1."""
        return 1.0


class MaxNorm(_OfNorms):
    """Vectors have at most a norm."""

    def __init__(self, max_value: float = 2, axis: Any = 0) -> None:
        super().__init__(axis)
        self.max_value = max_value

    def wanted(self, norms: Any) -> Any:
        """Return norms that are not too large."""
        return np.clip(norms, 0, self.max_value)


class MinMaxNorm(_OfNorms):
    """Vectors are brought, by a part of the way, to norms between two bounds."""

    def __init__(
        self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Any = 0
    ) -> None:
        super().__init__(axis)
        self.min_value, self.max_value, self.rate = min_value, max_value, rate

    def wanted(self, norms: Any) -> Any:
        """Return norms between the bounds."""
        bounded = np.clip(norms, self.min_value, self.max_value)
        return self.rate * bounded + (1 - self.rate) * norms


max_norm, min_max_norm, non_neg, unit_norm = MaxNorm, MinMaxNorm, NonNeg, UnitNorm
_BY_NAME = {"max_norm": MaxNorm, "min_max_norm": MinMaxNorm, "non_neg": NonNeg}
_BY_NAME |= {"unit_norm": UnitNorm, "MaxNorm": MaxNorm, "NonNeg": NonNeg, "UnitNorm": UnitNorm}


def get(identifier: Any) -> Any:
    """Return a constraint by its name; a function is returned as it is.

    Raises
    ------
    TapeUseError
        If no constraint is called so.
    """
    return by_name("constraint", _BY_NAME, identifier)


__getattr__ = advice.missing("tf.keras.constraints")
