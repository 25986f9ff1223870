"""`tf.sparse`: tensors of which only some elements are kept, with their places.

Gradients go to the values that are kept, and to the dense tensors that they meet.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.autodiff.calls.dispatch import plain

from . import advice, reductions
from .choices import chosen
from .conversion import convert_to_tensor, match, operand, whole_numbers
from .picking import gather, scatter_nd
from .refusals import refuse
from .specs import DType, TensorShape
from .tensor import Tensor, tensor_of


class SparseTensor:
    """Elements at places, and zeros elsewhere.

    Parameters
    ----------
    indices : [number of elements, number of axes]
    values : [number of elements]
    dense_shape : [number of axes]

    Examples
    --------
    >>> from tapemagic import tf
    >>> ratings = tf.SparseTensor([[0, 1], [2, 0]], [5.0, 3.0], dense_shape=[3, 2])
    >>> tf.sparse.to_dense(ratings).numpy()
    array([[0., 5.],
           [0., 0.],
           [3., 0.]], dtype=float32)
    """

    def __init__(self, indices: Any, values: Any, dense_shape: Any) -> None:
        places = np.asarray(plain(convert_to_tensor(indices))).astype(np.int64)
        lengths = np.asarray(whole_numbers(dense_shape), np.int64)
        self.values = convert_to_tensor(values)
        if places.ndim != 2 or places.shape != (*self.values.shape, len(lengths)):
            refuse(
                f"A SparseTensor of indices of shape {places.shape}, values of shape "
                f"{tuple(self.values.shape)} and {len(lengths)} axes."
            )
        if ((places < 0) | (places >= lengths)).any():
            refuse(f"An index of a SparseTensor is outside of its shape {tuple(lengths.tolist())}.")
        self.indices, self.dense_shape = tensor_of(places), tensor_of(lengths)

    @property
    def shape(self) -> TensorShape:
        """Lengths of the axes."""
        return TensorShape(self.dense_shape.numpy().tolist())

    def get_shape(self) -> TensorShape:
        """Return `shape`."""
        return self.shape

    @property
    def dtype(self) -> DType:
        """Of the values."""
        return self.values.dtype

    def with_values(self, new_values: Any) -> SparseTensor:
        """Return other values at the same places."""
        return SparseTensor(self.indices, new_values, self.dense_shape)

    def __repr__(self) -> str:
        return (
            f"SparseTensor(indices={self.indices!s}, values={self.values!s}, "
            f"dense_shape={self.dense_shape!s})"
        )

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("A SparseTensor is no array: use tf.sparse.to_dense(x).")


def from_dense(tensor: Any, name: str | None = None) -> SparseTensor:
    """Return what is not 0 in a tensor."""
    x = convert_to_tensor(tensor)
    places = np.asarray(chosen(np.argwhere, x))
    return SparseTensor(places, x[tuple(places.T)] if len(places) else x[:0], x.shape)


def to_dense(
    sp_input: SparseTensor, default_value: Any = None, validate_indices: bool = True,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return the whole tensor.

    Raises
    ------
    TensorError
        If places are not in order, or are there twice.
    """
    places, shape = plain(sp_input.indices), tuple(sp_input.shape)
    numbers = np.ravel_multi_index(tuple(places.T), shape) if len(places) else np.zeros(0, int)
    if (np.diff(numbers) <= 0).any() and (validate_indices or len(set(numbers)) < len(numbers)):
        refuse("Indices of a SparseTensor are repeated or out of order.", "Use tf.sparse.reorder.")
    y = scatter_nd(places, sp_input.values, shape)
    if default_value is None:
        return y
    filled = np.ones(int(np.prod(shape)), bool)
    filled[numbers] = False
    return tensor_of(np.where(filled.reshape(shape), operand(default_value, sp_input.dtype), y))


def sparse_dense_matmul(
    sp_a: Any, b: Any, adjoint_a: bool = False, adjoint_b: bool = False, name: str | None = None
) -> Tensor:
    """Return the product of two matrices, of which one is sparse."""
    if not isinstance(sp_a, SparseTensor):
        turned = sparse_dense_matmul(b, sp_a, not adjoint_b, not adjoint_a)
        return tensor_of(np.conj(np.swapaxes(turned, 0, 1)))
    values, dense = match((sp_a.values, b))
    rows, columns = plain(sp_a.indices).T
    count = sp_a.shape[0]
    if adjoint_a:
        rows, columns, values, count = columns, rows, np.conj(values), sp_a.shape[1]
    dense = np.conj(np.swapaxes(dense, 0, 1)) if adjoint_b else dense
    inner = sp_a.shape[0] if adjoint_a else sp_a.shape[1]
    if np.ndim(plain(dense)) != 2 or np.shape(plain(dense))[0] != inner:
        refuse(
            f"sparse_dense_matmul of {count} x {inner} and {tuple(np.shape(plain(dense)))}: Matrix "
            "size-incompatible."
        )
    products = np.expand_dims(values, 1) * gather(dense, columns)
    return scatter_nd(rows[:, np.newaxis], products, (count, np.shape(plain(dense))[1]))


def reorder(sp_input: SparseTensor, name: str | None = None) -> SparseTensor:
    """Return the same with its places in order."""
    order = np.lexsort(plain(sp_input.indices).T[::-1])
    return _at(sp_input, order, plain(sp_input.indices)[order], sp_input.shape)


def transpose(sp_input: SparseTensor, perm: Any = None, name: str | None = None) -> SparseTensor:
    """Return the axes in another order, the last one first if not said otherwise."""
    axes = list(range(len(sp_input.shape)))[::-1] if perm is None else list(whole_numbers(perm))
    lengths = [sp_input.shape[axis] for axis in axes]
    return reorder(SparseTensor(plain(sp_input.indices)[:, axes], sp_input.values, lengths))


def reshape(sp_input: SparseTensor, shape: Any, name: str | None = None) -> SparseTensor:
    """Return the same elements in another shape, in which one length may be -1."""
    lengths = np.empty(tuple(sp_input.shape), bool).reshape(whole_numbers(shape)).shape
    numbers = np.ravel_multi_index(tuple(plain(sp_input.indices).T), tuple(sp_input.shape))
    return SparseTensor(np.stack(np.unravel_index(numbers, lengths), 1), sp_input.values, lengths)


def retain(sp_input: SparseTensor, to_retain: Any) -> SparseTensor:
    """Return some of the elements that are kept."""
    kept = np.asarray(chosen(np.flatnonzero, to_retain))
    return _at(sp_input, kept, plain(sp_input.indices)[kept], sp_input.shape)


def _at(x: SparseTensor, kept: np.ndarray, places: Any, shape: Any) -> SparseTensor:
    return SparseTensor(places, gather(x.values, kept), shape)


def map_values(op: Callable, *args: Any, **kwargs: Any) -> SparseTensor:
    """Return a function of the values, at the same places."""
    first = next(x for x in args if isinstance(x, SparseTensor))
    values = [x.values if isinstance(x, SparseTensor) else x for x in args]
    return first.with_values(op(*values, **kwargs))


def eye(
    num_rows: Any, num_columns: Any = None, dtype: Any = np.float32, name: str | None = None
) -> SparseTensor:
    """Return the identity matrix."""
    shape = whole_numbers(num_rows), whole_numbers(num_rows if num_columns is None else num_columns)
    places = np.arange(min(shape))
    return SparseTensor(
        np.stack([places, places], 1), np.ones(min(shape), np.dtype(dtype)), list(shape)
    )


def add(a: Any, b: Any) -> Any:
    """Return the sum: sparse of two that are, else dense."""
    if isinstance(a, SparseTensor) and isinstance(b, SparseTensor):
        places = np.concatenate([plain(a.indices), plain(b.indices)])
        unique, where = np.unique(places, axis=0, return_inverse=True)
        values = np.concatenate([*match((a.values, b.values))])
        total = scatter_nd(where.reshape(-1, 1), values, (len(unique),))
        return SparseTensor(unique, total, a.shape)
    x, y = (to_dense(z) if isinstance(z, SparseTensor) else convert_to_tensor(z) for z in (a, b))
    return tensor_of(np.add(*match((x, y))))


def reduce_sum(
    sp_input: SparseTensor, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """Return sums over axes, dense."""
    total: Callable = reductions.FUNCTIONS["reduce_sum"]
    return total(to_dense(reorder(sp_input)), axis, keepdims)


__getattr__ = advice.missing("tf.sparse")
