"""Norms of vectors and matrices, and the condition number.

A vector norm is homogeneous: its gradient at `x` points along the dual vector of `x`. At 0 every
norm has a kink; the gradient there is the middle of the valid ones, 0. Where several elements (or
rows, or singular values) share the maximum, each gets an equal part.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff.primitives import composite, constant, general

from .algebra import apply, as_array, decide, divide_or_zero, plain
from .axes import over_count

inf = np.inf


def _vector_norm(x: Any, order: Any, axis: Any, keepdims: bool) -> Any:
    """Compute the norm along one axis, or (axis None) of all elements, or the Frobenius norm."""
    return np.linalg.norm(x, order, axis, keepdims)


def _vector_norm_vjp(ct: Any, y: Any, x: Any, order: Any, axis: Any, keepdims: bool) -> Any:
    if not x.size:
        return np.zeros_like(x)
    if axis is not None and not keepdims:  # one number stands for an array of any shape
        ct, y = np.expand_dims(ct, axis), np.expand_dims(y, axis)
    if order is None or order in (2, "f", "fro"):
        return x * divide_or_zero(ct, y)
    if order == 0:
        return np.zeros_like(x)
    direction = divide_or_zero(x, np.abs(x)) if x.dtype.kind == "c" else decide(np.sign, x)
    if order == 1:
        return ct * direction
    if abs(order) == inf:
        reached = decide(_reached, np.abs(x), np.max if order > 0 else np.min, axis)
        return over_count(ct, np.sum(reached, axis=axis, keepdims=True)) * direction * reached
    # d|x|^p = p |x|^(p-1), and the outer power 1/p leaves (|x| / y)^(p-1)
    ratio = divide_or_zero(np.abs(x), y)
    moves = decide(np.not_equal, ratio, 0)  # a negative order of a 0 is 0, whatever the others
    return ct * direction * moves * np.where(moves, ratio, 1) ** (order - 1)


def _reached(size: Any, extreme: Any, axis: Any) -> Any:
    """Tell which elements are the norm.

    It is not asked for: abs of complex numbers depends, in the last bit, on the memory layout.
    """
    return size == extreme(size, axis=axis, keepdims=True)


def _norm_of_one(x: Any, order: Any, axis: Any, keepdims: bool) -> Any:
    """Compute a norm that is the size of one element: the others have no say."""
    return np.linalg.norm(x, order, axis, keepdims)


general(_vector_norm, _vector_norm_vjp, name="norm", generic=True)
general(_norm_of_one, _vector_norm_vjp, name="norm", kind="linear")


@composite(np.linalg.norm)
def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    x = as_array(x)
    axes = tuple(range(x.ndim)) if axis is None else axis
    axes = axes if isinstance(axes, tuple) else (axes,)
    if len(axes) != 2 or ord in (None, "f", "fro"):
        row = _norm_of_one if ord in (inf, -inf) else _vector_norm
        return apply(row, x, ord, axes if axis is not None else None, keepdims)
    return _matrix_norm(x, ord, axes, keepdims)


def _matrix_norm(x: Any, order: Any, axes: tuple, keepdims: bool) -> Any:
    """Write the matrix norms with singular values, or with sums and maxima as NumPy does."""
    rows, columns = (axis % x.ndim for axis in axes)
    if order in (2, -2, "nuc"):
        s = np.linalg.svd(np.moveaxis(x, (rows, columns), (-2, -1)), compute_uv=False)
        pick: Any = {2: np.max, -2: np.min, "nuc": np.sum}[order]
        y = pick(s, axis=-1, initial=0) if order != -2 else pick(s, axis=-1)
    elif order in (1, -1, inf, -inf):
        summed, left = (rows, columns) if abs(order) == 1 else (columns, rows)
        left -= left > summed
        sums = np.sum(np.abs(x), axis=summed)
        y = np.max(sums, axis=left, initial=0) if order > 0 else np.min(sums, axis=left)
    else:
        return np.linalg.norm(plain(x), order, axes, keepdims)  # NumPy's own error
    return np.expand_dims(y, axes) if keepdims else y


@composite(np.linalg.matrix_norm)
def _matrix_norm_body(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    return np.linalg.norm(x, axis=(-2, -1), keepdims=keepdims, ord=ord)


def _stack_norm(x: Any, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    return np.linalg.vector_norm(x, axis=axis, keepdims=keepdims, ord=ord)


def _stack_norm_of_one(x: Any, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    return np.linalg.vector_norm(x, axis=axis, keepdims=keepdims, ord=ord)


def _vector_norm_of_stack(
    ct: Any, y: Any, x: Any, *, axis: Any = None, keepdims: bool = False, ord: Any = 2
) -> Any:
    return _vector_norm_vjp(ct, y, x, ord, axis, keepdims)


general(_stack_norm, _vector_norm_of_stack, name="vector_norm", generic=True)
general(_stack_norm_of_one, _vector_norm_of_stack, name="vector_norm", kind="linear")


@composite(np.linalg.vector_norm)
def _vector_norm_body(x: Any, /, **options: Any) -> Any:
    is_one = options.get("ord", 2) in (inf, -inf)
    return apply(_stack_norm_of_one if is_one else _stack_norm, as_array(x), **options)


@composite(np.linalg.cond)
def _cond(x: Any, p: Any = None) -> Any:
    x = as_array(x)
    if not x.size or x.dtype.char not in "fdFD":
        return np.linalg.cond(plain(x), p)  # NumPy's own error
    if p is None or p in (2, -2):
        s = np.linalg.svd(x, compute_uv=False)
        return s[..., 0] / s[..., -1] if p != -2 else s[..., -1] / s[..., 0]
    inverse = np.linalg.inv(x.astype(complex if x.dtype.kind == "c" else float))
    y = np.linalg.norm(x, p, (-2, -1)) * np.linalg.norm(inverse, p, (-2, -1))
    # of complex matrices some versions of NumPy say it in complex numbers, as 2.2
    return y.astype(np.linalg.cond(np.eye(1, dtype=x.dtype), p).dtype)


constant(np.linalg.matrix_rank)
