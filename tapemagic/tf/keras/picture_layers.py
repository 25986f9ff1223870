"""Layers in front of networks that see images: other sizes, and mirrored copies."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff.calls.dispatch import plain
from tapemagic.tf import cropping, image, random
from tapemagic.tf.creation import cast
from tapemagic.tf.refusals import refuse
from tapemagic.tf.tensor import Tensor, dtype_of, tensor_of

from .inputs import positive
from .layer import Layer


class Resizing(Layer):
    """Images with other numbers of rows and columns.

    Parameters
    ----------
    height, width : int
    interpolation : {"bilinear", "nearest"}

    Examples
    --------
    >>> from tapemagic import tf
    >>> tf.keras.layers.Resizing(32, 32)(tf.zeros((2, 28, 40, 3))).shape
    TensorShape([2, 32, 32, 3])
    """

    def __init__(
        self, height: int, width: int, interpolation: str = "bilinear", **more: Any
    ) -> None:
        super().__init__(**more)
        self.height, self.width = positive(height, "height"), positive(width, "width")
        self.interpolation = interpolation

    def call(self, inputs: Any) -> Tensor:
        """Return the images in the other size, in their dtype."""
        y = image.resize(inputs, (self.height, self.width), self.interpolation)
        if dtype_of(inputs).kind in "iu":  # whole numbers stay some
            return cast(np.round(y), dtype_of(inputs))
        return y


class CenterCrop(Layer):
    """The middle of images."""

    def __init__(self, height: int, width: int, **more: Any) -> None:
        super().__init__(**more)
        self.height, self.width = positive(height, "height"), positive(width, "width")

    def call(self, inputs: Any) -> Tensor:
        """Return the middle.

        Raises
        ------
        TensorError
            Of images that are smaller.
        """
        x = self.as_floats(inputs)
        rows, columns = np.shape(plain(x))[-3:-1]
        if rows < self.height or columns < self.width:
            refuse(
                f"CenterCrop({self.height}, {self.width}) of images of {rows} x {columns}.",
                "Put a tf.keras.layers.Resizing in front.",
            )
        start = (rows - self.height) // 2, (columns - self.width) // 2
        return cropping.crop_to_bounding_box(x, *start, self.height, self.width)


class RandomFlip(Layer):
    """In training, images of which half, at random, are mirrored.

    Parameters
    ----------
    mode : {"horizontal_and_vertical", "horizontal", "vertical"}
    seed : int, optional
    """

    def __init__(
        self, mode: str = "horizontal_and_vertical", seed: Any = None, **more: Any
    ) -> None:
        super().__init__(**more)
        if mode not in ("horizontal_and_vertical", "horizontal", "vertical"):
            refuse(f"RandomFlip({mode!r}).", "Use 'horizontal' or 'vertical', or leave it out.")
        self.mode, self.seed = mode, seed

    def call(self, inputs: Any, training: Any = True) -> Tensor:
        """Return the images, some of them mirrored if this is training."""
        x = self.as_floats(inputs)
        if not training:
            return x
        count = np.shape(plain(x))[:-3]
        for axis, word in ((-2, "horizontal"), (-3, "vertical")):
            if word in self.mode:
                drawn = plain(random.uniform((*count, 1, 1, 1), dtype=dtype_of(x), seed=self.seed))
                x = np.where(np.asarray(drawn) <= 0.5, np.flip(x, axis), x)
        return tensor_of(x)
