"""`Tensor`: a traced array with TensorFlow's manners.

Every result is a tensor, also outside a tape. Dtypes are never promoted: a Python number takes the
tensor's dtype, and two tensors of different dtypes do not meet. A tensor cannot be written to.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.arrays.indexing import getitem
from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.calls.dispatch import is_traced
from tapemagic.autodiff.places import is_basic
from tapemagic.autodiff.traced import TracedArray
from tapemagic.errors import TensorError

from . import advice, printing
from .specs import DType, TensorShape, as_dtype

#: What a dtype of one kind takes from plain data, and nothing else.
TAKES = {"b": "b", "i": "iu", "u": "iu", "f": "iuf", "c": "iufc"}


class TensorMethods(TracedArray):
    """What tensors and variables have in common."""

    __slots__ = ()
    _value: Any

    @property  # type: ignore[misc]
    def __class__(self) -> type:  # not NumPy's: `isinstance(t, tf.Tensor)` is what TF code asks
        return type(self)

    @property  # type: ignore[override]
    def shape(self) -> TensorShape:
        """Lengths of the axes."""
        return TensorShape(np.shape(self._value))

    @shape.setter
    def shape(self, shape: Any) -> None:
        raise TensorError("A tensor keeps its shape.", fix="Use tf.reshape(x, shape).")

    @property
    def device(self) -> str:
        """Where it lies, in TensorFlow's words for the processor."""
        return "/job:localhost/replica:0/task:0/device:CPU:0"

    @property
    def dtype(self) -> DType:
        """Type of the elements."""
        return as_dtype(dtype_of(self))

    def get_shape(self) -> TensorShape:
        """Return `shape`."""
        return self.shape

    def set_shape(self, shape: Any) -> None:
        """Check the shape, which is always known here.

        Raises
        ------
        TensorError
            If it is another.
        """
        if not self.shape.is_compatible_with(shape):
            raise TensorError(f"A tensor of shape {self.shape} is not of shape {shape}.")

    def numpy(self) -> Any:
        """Return a copy as a plain array or NumPy number; the gradient ends there."""
        leaks.decided(None, (self,), {})  # first: it brings a Variable onto the tape
        leaks.note("cut", (self,), "numpy()")
        return np.array(dispatch.plain(self))[()]

    def ref(self) -> Reference:
        """Return something hashable that stands for this very object."""
        return Reference(self)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        # `array * tensor` comes this way: the array takes the tensor's dtype, not the reverse.
        if method == "__call__" and len(inputs) == 2:
            dtype = dtype_of(self)
            inputs = tuple(x.astype(dtype) if _is_wider(x, dtype) else x for x in inputs)
        y = super().__array_ufunc__(ufunc, method, *inputs, **kwargs)
        # a comparison, `array < tensor`, is as one of two tensors
        return y if y is NotImplemented or type(y) is not np.ndarray else tensor_of(y)

    def __getitem__(self, index: Any) -> Any:
        try:
            return getitem(self, _whole_index(index))
        except IndexError as error:
            raise leaks.locate(
                TensorError(f"{error} (of a tensor of shape {self.shape}).")
            ) from None

    def __setitem__(self, index: Any, values: Any) -> None:
        raise leaks.locate(
            TensorError(
                "A tensor does not support item assignment.",
                fix="Use tf.tensor_scatter_nd_update(...), tf.where(...) or NumPy arrays with "
                "%%tape.",
            )
        )

    def __iter__(self) -> Iterator:
        if np.ndim(self._value) == 0:
            raise TypeError("Cannot iterate over a scalar tensor.")
        return (self[i] for i in range(len(self._value)))

    def __len__(self) -> int:
        if np.ndim(self._value) == 0:
            raise TypeError("Scalar tensor has no `len()`")
        return len(self._value)

    def __format__(self, spec: str) -> str:
        return format(leaks.shown(self), spec)

    def __hash__(self) -> int:
        raise TypeError("Tensor is unhashable. Instead, use tensor.ref() as the key.")

    def __deepcopy__(self, memo: dict) -> Any:
        return self.__copy__()

    def __invert__(self) -> Any:
        return tensor_of(leaks.flat(~dispatch.plain(self), (self,)))


class Reference:
    """A hashable stand-in for a tensor or variable, equal only to one of the same object."""

    __slots__ = ("_tensor",)

    def __init__(self, tensor: Any) -> None:
        self._tensor = tensor

    def deref(self) -> Any:
        """Return the object."""
        return self._tensor

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reference) and other._tensor is self._tensor

    def __hash__(self) -> int:
        return id(self._tensor)


class Tensor(TensorMethods):
    """A value of TensorFlow code: made by `constant` and by every operation.

    Examples
    --------
    >>> from tapemagic import tf
    >>> tf.constant([1.0, 2.0]) * 3
    <tf.Tensor: shape=(2,), dtype=float32, numpy=array([3., 6.], dtype=float32)>
    """

    __slots__ = ("_keras_mask", "_part_of")
    _keras_mask: Any  # which steps of a series count, if a layer says so (keras/masks.py)
    _part_of: tuple[Any, Any]  # the variable and the index, if it was read by one
    wraps_plain = True

    @property
    def assign(self) -> Callable:
        """``v[index].assign(value)``: replace this part of a variable; not recorded."""
        variable, index = getattr(self, "_part_of", (None, None))
        if variable is None or not is_basic(index := _whole_index(index)):
            advice.refuse(
                "A tensor cannot be assigned to; a part of a Variable, v[index], can.",
                "Use v[index].assign(value), or v.assign(value) for the whole.",
            )
        return functools.partial(variable._assign_part, index)

    assign_add = assign_sub = advice.missing_attribute(
        "A tensor, such as a part of a Variable, cannot be added to.",
        "Use v[index].assign(v[index] + x), or v.scatter_nd_add(indices, updates).",
    )

    def __copy__(self) -> Tensor:
        return self  # never written to

    def __reduce__(self) -> Any:
        return tensor_of, (TracedArray.__reduce__(self) and dispatch.plain(self),)

    def __repr__(self) -> str:
        return printing.tensor_repr(self)

    def __str__(self) -> str:
        return printing.tensor_text(self)


Tensor.result_class = Tensor


Tensor.__name__ = "EagerTensor"  # tutorials print `type(x).__name__`

# -------------------------------------------------------------------------------- wrapping


def dtype_of(x: Any) -> np.dtype:
    """Return NumPy's dtype of a handle, array or number."""
    value = x._value if is_traced(x) else x
    return getattr(value, "dtype", None) or np.asarray(value).dtype


def tensor_of(value: Any) -> Tensor:
    """Wrap a plain result, or give a traced one the class `Tensor`."""
    if type(value) is Tensor:
        return value
    if is_traced(value):
        plain, id_, code = dispatch.operand(value)
        if id_ >= 0:
            return dispatch.traced(plain, code, id_, Tensor)
        value = plain
    value = np.asarray(value)
    return dispatch.untracked(value if value.ndim else value[()], Tensor)


def _is_wider(x: Any, dtype: np.dtype) -> bool:
    """Tell whether plain data would change the dtype of a tensor that takes it."""
    return (
        isinstance(x, (np.ndarray, np.generic))
        and not isinstance(x, TensorMethods)
        and x.dtype != dtype
        and x.dtype.kind in TAKES.get(dtype.kind, "")
    )


def _whole_index(index: Any) -> Any:
    """Return an index as NumPy takes it: a list is a tuple here, as in TensorFlow, and no rows."""
    parts = tuple(map(_whole, index if isinstance(index, (tuple, list)) else (index,)))
    return parts[0] if len(parts) == 1 else parts


def _whole(index: Any) -> Any:
    """Return an index with tensors replaced by plain integers."""
    if isinstance(index, slice):
        return slice(*map(_whole, (index.start, index.stop, index.step)))
    return dispatch.plain(index) if is_traced(index) else index
