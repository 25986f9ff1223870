"""`tf.TensorArray`: tensors by their number, as loops of TensorFlow's graphs collect them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff.calls.dispatch import plain

from .conversion import convert_to_tensor, whole_numbers
from .refusals import refuse
from .shaping import concat, stack, unstack
from .specs import TensorShape, as_dtype
from .tensor import Tensor, tensor_of


class TensorArray:
    """A list of tensors of one dtype and shape, which are written and read by their number.

    Its methods that write change it and return it, as TensorFlow's do outside of graphs: the
    ``ta = ta.write(i, x)`` of tutorials is right in both.

    Parameters
    ----------
    dtype : dtype
    size : int
        Number of elements.
    dynamic_size : bool
        Whether a write behind the end makes it longer.
    clear_after_read : bool
        Whether an element can be read once only (True, as in TensorFlow, if not given).
    element_shape : tuple, optional
        Checked.
    infer_shape : bool
        Whether all elements must have one shape.

    Examples
    --------
    >>> from tapemagic import tf
    >>> x = tf.Variable(3.0)
    >>> with tf.GradientTape() as tape:
    ...     powers = tf.TensorArray(tf.float32, size=3)
    ...     for i in range(3):
    ...         powers = powers.write(i, x ** i)
    ...     y = powers.stack()
    >>> print(y, tape.gradient(y, x))
    tf.Tensor([1. 3. 9.], shape=(3,), dtype=float32) tf.Tensor(7.0, shape=(), dtype=float32)
    """

    def __init__(
        self, dtype: Any, size: Any = None, dynamic_size: bool | None = None,
        clear_after_read: bool | None = None, tensor_array_name: Any = None, handle: Any = None,
        flow: Any = None, infer_shape: bool = True, element_shape: Any = None,
        colocate_with_first_write_call: bool = True, name: Any = None,
    ) -> None:  # fmt: skip
        self.dtype = as_dtype(dtype)
        self.dynamic_size = bool(dynamic_size)
        self._clears = clear_after_read is None or clear_after_read
        self._same_shape = infer_shape
        self._shape = None if element_shape is None else TensorShape(element_shape)
        self._elements: list[Tensor | None] = [None] * (whole_numbers(size) or 0)
        self._cleared: set[int] = set()

    @property
    def element_shape(self) -> TensorShape | None:
        """Shape of every element, None as long as nothing says it."""
        return self._shape

    def size(self, name: Any = None) -> Tensor:
        """Return the number of elements."""
        return tensor_of(np.int32(len(self._elements)))

    def write(self, index: Any, value: Any, name: Any = None) -> TensorArray:
        """Set an element, and return the array.

        Raises
        ------
        TensorError
            If the index is outside, or dtype or shape do not fit.
        """
        place = self._place(index, growing=self.dynamic_size)
        element = convert_to_tensor(value, self.dtype)
        if self._shape is not None and not self._shape.is_compatible_with(element.shape):
            refuse(
                f"An element of shape {element.shape} was written to a TensorArray of elements of "
                f"shape {self._shape}."
            )
        if self._same_shape and (self._shape is None or not self._shape.is_fully_defined()):
            self._shape = element.shape
        self._elements += [None] * (place + 1 - len(self._elements))
        self._elements[place] = element
        self._cleared.discard(place)
        return self

    def read(self, index: Any, name: Any = None) -> Tensor:
        """Return an element, which is gone then unless ``clear_after_read=False``.

        Raises
        ------
        TensorError
            If the index is outside, or the element was read before or never written.
        """
        place = self._place(index)
        if place in self._cleared:
            refuse(
                f"Element {place} of a TensorArray is read twice.",
                "Use tf.TensorArray(..., clear_after_read=False).",
            )
        element = self._written(place)
        if self._clears:
            self._elements[place] = None
            self._cleared.add(place)
        return element

    def stack(self, name: Any = None) -> Tensor:
        """Return all elements along a new first axis; zeros for those never written.

        Raises
        ------
        TensorError
            If there are none whose shape is known.
        """
        if not self._elements:
            shape = self._known_shape("stacked")
            return tensor_of(np.zeros((0, *shape), self.dtype.dtype))
        return stack([self._written(place) for place in range(len(self._elements))])

    def gather(self, indices: Any, name: Any = None) -> Tensor:
        """Return some elements along a new first axis."""
        places = np.atleast_1d(plain(indices)).tolist()
        return stack([self._written(self._place(place)) for place in places])

    def concat(self, name: Any = None) -> Tensor:
        """Return all elements joined along their first axis."""
        return concat([self._written(place) for place in range(len(self._elements))], 0)

    def unstack(self, value: Any, name: Any = None) -> TensorArray:
        """Set all elements to the parts of a tensor along its first axis, and return the array.

        Raises
        ------
        TensorError
            If there are more parts than elements.
        """
        parts = unstack(convert_to_tensor(value, self.dtype))
        if len(parts) > len(self._elements) and not self.dynamic_size:
            refuse(f"{len(parts)} parts for a TensorArray of size {len(self._elements)}.")
        for place, part in enumerate(parts):
            self.write(place, part)
        return self

    def identity(self) -> TensorArray:
        """Return the array."""
        return self

    def _place(self, index: Any, growing: bool = False) -> int:
        place = whole_numbers(index)
        if place < 0 or (place >= len(self._elements) and not growing):
            refuse(
                f"Index {place} is not in a TensorArray of size {len(self._elements)}.",
                "Use tf.TensorArray(..., dynamic_size=True) to write behind the end.",
            )
        return place

    def _written(self, place: int) -> Tensor:
        """Return an element; zeros if nothing was written there, as in TensorFlow."""
        element = self._elements[place]
        if element is None:
            element = tensor_of(np.zeros(self._known_shape("read"), self.dtype.dtype))
        return element

    def _known_shape(self, verb: str) -> TensorShape:
        if self._shape is None or not self._shape.is_fully_defined():
            refuse(
                f"A TensorArray in which nothing was written is {verb}, and its element_shape is "
                "not known.",
                "Write its elements first.",
            )
        return self._shape
