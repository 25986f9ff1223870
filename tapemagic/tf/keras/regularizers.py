"""`tf.keras.regularizers`: what a layer adds to `losses` for each of its weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.tf import advice
from tapemagic.tf.conversion import operand
from tapemagic.tf.linalg import matmul
from tapemagic.tf.tensor import Tensor, tensor_of

from .names import by_name


class Regularizer:
    """Base class: called with a weight, it returns a number."""

    def __call__(self, x: Any) -> Tensor:
        """Return what to add to the loss."""
        raise NotImplementedError


class L1L2(Regularizer):
    """``l1 * sum(|x|) + l2 * sum(x**2)``."""

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1, self.l2 = l1 or 0.0, l2 or 0.0

    def __call__(self, x: Any) -> Tensor:
        """Return the weighted sum of absolute values and squares."""
        x, y = operand(x), np.float32(0)
        if self.l1:
            y = np.sum(np.abs(x)) * self.l1 + y
        return tensor_of(np.sum(np.square(x)) * self.l2 + y if self.l2 else y)


class L1(L1L2):
    """``l1 * sum(|x|)``."""

    def __init__(self, l1: float = 0.01) -> None:
        super().__init__(l1=l1)


class L2(L1L2):
    """``l2 * sum(x**2)``."""

    def __init__(self, l2: float = 0.01) -> None:
        super().__init__(l2=l2)


class OrthogonalRegularizer(Regularizer):
    """Half of ``factor`` times the sizes of products of different rows, of columns on request."""

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor, self.mode = factor, mode

    def __call__(self, inputs: Any) -> Tensor:
        """Return the weighted mean size of the cosines between rows."""
        x = operand(inputs)
        x = np.swapaxes(x, 0, 1) if self.mode == "columns" else x
        x = x / np.sqrt(np.sum(np.square(x), axis=1, keepdims=True))
        count = np.shape(x)[0]
        products = np.abs(matmul(x, x, transpose_b=True) * (1 - np.eye(count)))
        return tensor_of(np.sum(products) * (0.5 * self.factor / (count * (count - 1) / 2)))


l1, l2, l1_l2 = L1, L2, L1L2
_BY_NAME = {"l1": L1, "l2": L2, "l1_l2": L1L2, "l1l2": L1L2, "orthogonal": OrthogonalRegularizer}
_BY_NAME |= {"L1": L1, "L2": L2, "L1L2": L1L2, "OrthogonalRegularizer": OrthogonalRegularizer}


def get(identifier: Any) -> Any:
    """Return a regularizer by its name; a function is returned as it is.

    Raises
    ------
    TapeUseError
        If no regularizer is called so.
    """
    return by_name("regularizer", _BY_NAME, identifier)


__getattr__ = advice.missing("tf.keras.regularizers")
