"""Layers that make one tensor of several: sums, products, joins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls.dispatch import plain
from tapemagic.errors import TapeUseError
from tapemagic.tf import shaping
from tapemagic.tf.reductions import FUNCTIONS as REDUCTIONS
from tapemagic.tf.tensor import Tensor, tensor_of

from . import masks
from .layer import Layer


class Merge(Layer):
    """Base class: called with a list of tensors."""

    def call(self, inputs: Any) -> Tensor:
        """Return what the tensors make together, one after the other."""
        if not isinstance(inputs, (list, tuple)) or len(inputs) < 2:
            raise leaks.locate(TapeUseError(f"{self.name!r} takes a list of at least two tensors."))
        y = inputs[0]
        for x in inputs[1:]:
            y = self.merge(y, x)
        return tensor_of(y)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """Return where one of them has a step, if all have masks."""
        if previous_mask is None or any(mask is None for mask in previous_mask):
            return None
        return tensor_of(np.logical_or.reduce([masks.as_bools(x) for x in previous_mask]))

    def merge(self, x: Any, y: Any) -> Any:
        """Return what two tensors make together."""
        raise NotImplementedError


def _merging(name: str, fun: Callable, words: str) -> type:
    members = {"merge": lambda self, x, y: fun(x, y), "__doc__": f"{words} of tensors, in a list."}
    return type(name, (Merge,), members)


Add = _merging("Add", lambda x, y: x + y, "The sum")
Multiply = _merging("Multiply", lambda x, y: x * y, "The product")
Maximum = _merging("Maximum", np.maximum, "The larger elements")
Minimum = _merging("Minimum", np.minimum, "The smaller elements")


class Subtract(Merge):
    """The difference of two tensors, in a list."""

    def call(self, inputs: Any) -> Tensor:
        """Return the first without the second."""
        if len(inputs) != 2:
            raise leaks.locate(TapeUseError(f"{self.name!r} takes a list of two tensors."))
        return tensor_of(inputs[0] - inputs[1])


class Average(Merge):
    """The mean of tensors, in a list."""

    def call(self, inputs: Any) -> Tensor:
        """Return the sum over the number of tensors."""
        total: Any = super().call(inputs)
        return tensor_of(total / len(inputs))

    def merge(self, x: Any, y: Any) -> Any:
        """Return the sum of two."""
        return x + y


class Concatenate(Layer):
    """Tensors, in a list, joined along an axis."""

    def __init__(self, axis: int = -1, **more: Any) -> None:
        super().__init__(**more)
        self.axis = axis

    def call(self, inputs: Any) -> Tensor:
        """Return the tensors joined."""
        return shaping.FUNCTIONS["concat"](list(inputs), self.axis)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """Return the masks joined, True for tensors without one."""
        if previous_mask is None:
            return None
        parts = []
        for x, mask in zip(inputs, previous_mask, strict=True):
            counts = np.bool_(True) if mask is None else masks.as_bools(mask)
            missing = (1,) * (np.ndim(plain(x)) - counts.ndim)
            parts.append(
                np.broadcast_to(counts.reshape(counts.shape + missing), np.shape(plain(x)))
            )
        return tensor_of(np.concatenate(parts, self.axis).any(axis=-1))


class Dot(Layer):
    """The sum of products of two tensors over an axis of each, example by example."""

    def __init__(self, axes: Any, normalize: bool = False, **more: Any) -> None:
        super().__init__(**more)
        self.axes, self.normalize = axes, normalize

    def call(self, inputs: Any) -> Tensor:
        """Return [batch, the other axes of the first, those of the second]."""
        x, y = inputs
        axes = [self.axes] * 2 if isinstance(self.axes, int) else list(self.axes)
        first, second = (a % np.ndim(plain(z)) for a, z in zip(axes, (x, y), strict=True))
        if self.normalize:
            x, y = (REDUCTIONS["l2_normalize"](z, a) for z, a in ((x, first), (y, second)))
        letters = "abcdefghijklmnopqrstuvw"
        left = ["z", *letters[: np.ndim(plain(x)) - 1]]
        right = ["z", *letters[len(left) : len(left) + np.ndim(plain(y)) - 1]]
        left[first] = right[second] = "x"
        rest = "".join(letter for letter in left[1:] + right[1:] if letter != "x")
        z = np.einsum(f"{''.join(left)},{''.join(right)}->z{rest}", x, y)
        return tensor_of(z if rest else np.expand_dims(z, -1))

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """Return None: every product counts, as in Keras, whatever the masks of the tensors say."""


def _function(layer: type) -> Callable:
    def function(inputs: Any, **options: Any) -> Tensor:
        return layer(**options)(inputs)

    function.__name__ = layer.__name__.lower()
    function.__doc__ = layer.__doc__
    return function


add, subtract, multiply = map(_function, (Add, Subtract, Multiply))
maximum, minimum, average = map(_function, (Maximum, Minimum, Average))
concatenate, dot = _function(Concatenate), _function(Dot)
