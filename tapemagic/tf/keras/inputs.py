"""`tf.keras.Input`, what a model begins with, and `InputSpec`, what a layer expects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls.dispatch import plain
from tapemagic.errors import TapeUseError
from tapemagic.tf.specs import TensorShape, as_dtype

from .floats import default_float
from .functional import KerasTensor


class Input(KerasTensor):
    """What a model is given: at the beginning of a `Sequential`, or of connected layers.

    Parameters
    ----------
    shape : tuple of int
        Without the batch.
    batch_size : int, optional
    dtype : dtype, optional
    batch_shape : tuple, optional
        `shape` with the batch.
    name : str, optional

    Examples
    --------
    >>> from tapemagic import tf
    >>> model = tf.keras.Sequential([tf.keras.Input(shape=(4,)), tf.keras.layers.Dense(3)])
    >>> [v.shape for v in model.variables]
    [TensorShape([4, 3]), TensorShape([3])]
    """

    def __init__(
        self, shape: Any = None, batch_size: int | None = None, dtype: Any = None,
        batch_shape: Any = None, name: str | None = None, **more: Any,
    ) -> None:  # fmt: skip
        if wanted := [option for option, value in more.items() if value]:
            raise leaks.locate(
                TapeUseError(
                    f"tf.keras.Input takes no {' and no '.join(wanted)}.",
                    fix="Give the model dense tensors: tf.keras.utils.pad_sequences(rows).",
                )
            )
        if (shape is None) is (batch_shape is None):
            raise leaks.locate(
                TapeUseError(
                    "tf.keras.Input takes one of shape and batch_shape.",
                    fix="Use shape=(...), without the batch.",
                )
            )
        whole = (batch_size, *TensorShape(shape)) if batch_shape is None else batch_shape
        super().__init__(
            TensorShape(whole), as_dtype(dtype or default_float()).as_numpy_dtype, name=name
        )
        self.batch_shape, self.is_named = self.shape, name is not None
        self.layer: Any = None  # it among the layers of a model

    def again(self) -> Input:
        """Return another one of the same shape and name."""
        return Input(batch_shape=self.shape, dtype=self.dtype, name=self.name)


class InputSpec:
    """What a layer expects of its input.

    Parameters
    ----------
    ndim, min_ndim : int, optional
        Number of axes, exactly or at least.
    axes : dict, optional
        Axis -> length.
    """

    def __init__(
        self, dtype: Any = None, shape: Any = None, ndim: int | None = None,
        max_ndim: int | None = None, min_ndim: int | None = None,
        axes: Mapping[int, int] | None = None,
    ) -> None:  # fmt: skip
        if shape is not None:
            ndim = len(shape)
            axes = {axis: length for axis, length in enumerate(shape) if length is not None}
        self.ndim, self.max_ndim, self.min_ndim = ndim, max_ndim, min_ndim
        self.axes = dict(axes or {})

    def check(self, shape: tuple[int, ...], layer: str) -> None:
        """Raise unless a shape is as expected.

        Raises
        ------
        TapeUseError
        """
        found = len(shape)
        wrong = ""
        if self.ndim is not None and found != self.ndim:
            wrong = f"expected ndim={self.ndim}, found ndim={found}"
        elif self.max_ndim is not None and found > self.max_ndim:
            wrong = f"expected max_ndim={self.max_ndim}, found ndim={found}"
        elif self.min_ndim is not None and found < self.min_ndim:
            wrong = f"expected min_ndim={self.min_ndim}, found ndim={found}"
        for axis, length in {} if wrong else self.axes.items():
            if shape[axis] != length:
                wrong = f"expected axis {axis} to have the length {length}"
        if wrong:
            raise leaks.locate(
                TapeUseError(
                    f"The input of shape {shape} is incompatible with the layer {layer!r}: {wrong}."
                )
            )


def positive(number: Any, name: str) -> int:
    """Return a length that the user gave as an int.

    Raises
    ------
    TapeUseError
        If it is none.
    """
    found = np.asarray(plain(number))
    if found.ndim or found.dtype.kind not in "iu" or found < 1:
        raise leaks.locate(TapeUseError(f"{name}={number!r} is not a positive whole number."))
    return int(found)
