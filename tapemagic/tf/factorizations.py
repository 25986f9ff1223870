"""More of `tf.linalg`: systems of equations, square roots, eigenvalues."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tapemagic.autodiff.calls.dispatch import plain

from .choices import chosen, scipys_own
from .conversion import match, operand
from .refusals import in_words, refuse
from .specs import as_dtype, int32
from .tensor import Tensor, dtype_of, tensor_of


class Lu(NamedTuple):
    """Both triangular factors in one matrix, and the order of the rows that they give."""

    lu: Tensor
    p: Tensor


@in_words
def cholesky(input: Any, name: str | None = None) -> Tensor:
    """Return the lower triangle L with ``L @ L^H = input``.

    NumPy reads one triangle of `input`, and its gradient is there. TensorFlow's has a half of it in
    each, which comes to the same for symmetric matrices; others keep NumPy's.
    """
    x = operand(input)
    if chosen(_is_hermitian, x):
        x = (x + np.conjugate(np.swapaxes(x, -1, -2))) / 2
    return tensor_of(np.linalg.cholesky(x))


def _is_hermitian(x: Any) -> bool:
    """Tell whether a matrix is its own adjoint, but for rounding."""
    turned = np.conjugate(np.swapaxes(x, -1, -2))
    rounding = 100 * np.finfo(x.dtype).eps * np.max(np.abs(x), initial=0)
    return np.shape(x) == np.shape(turned) and bool(np.all(np.abs(x - turned) <= rounding))


@in_words
def lstsq(
    matrix: Any, rhs: Any, l2_regularizer: Any = 0.0, fast: bool = True, name: str | None = None
) -> Tensor:
    """Return `x` for which ``|matrix @ x - rhs|^2 + l2_regularizer * |x|^2`` is least."""
    a, b = match((matrix, rhs), "lstsq")
    rows, columns = np.shape(plain(a))[-2:]
    if not plain(l2_regularizer) and np.ndim(plain(a)) == 2:
        return tensor_of(np.linalg.lstsq(a, b)[0])
    turned = np.conjugate(np.swapaxes(a, -1, -2))
    if rows >= columns:
        square = np.matmul(turned, a) + np.eye(columns) * l2_regularizer
        return tensor_of(np.linalg.solve(square, np.matmul(turned, b)))
    square = np.matmul(a, turned) + np.eye(rows) * l2_regularizer
    return tensor_of(np.matmul(turned, np.linalg.solve(square, b)))


def _of_matrix(name: str, scipys: str) -> Any:
    def function(input: Any, name: str | None = None) -> Tensor:
        x = operand(input)
        if np.ndim(plain(x)) != 2:
            refuse(f"{function.__name__} of shape {np.shape(plain(x))}.", "Use it for each matrix.")
        return tensor_of(scipys_own("linalg", scipys, x).astype(dtype_of(x)))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"See `scipy.linalg.{scipys}`."
    return in_words(function)


sqrtm = _of_matrix("sqrtm", "sqrtm")
logm = _of_matrix("logm", "logm")


@in_words
def eig(tensor: Any, name: str | None = None) -> tuple:
    """Return eigenvalues and eigenvectors, which are complex."""
    x = operand(tensor)
    wanted = np.result_type(dtype_of(x), np.complex64)
    return tuple(tensor_of(part.astype(wanted)) for part in np.linalg.eig(x))


@in_words
def eigvals(tensor: Any, name: str | None = None) -> Tensor:
    """Return eigenvalues, which are complex."""
    x = operand(tensor)
    return tensor_of(np.linalg.eigvals(x).astype(np.result_type(dtype_of(x), np.complex64)))


@in_words
def lu(input: Any, output_idx_type: Any = int32, name: str | None = None) -> tuple:
    """Return both triangular factors in one matrix, and the order of the rows that they give."""
    x = operand(input)
    packed, swaps = scipys_own("linalg", "lu_factor", x)
    order = np.arange(len(plain(swaps)))
    for i, j in enumerate(np.asarray(plain(swaps))):
        order[[i, j]] = order[[j, i]]
    return Lu(tensor_of(packed), tensor_of(order.astype(as_dtype(output_idx_type).dtype)))


@in_words
def set_diag(input: Any, diagonal: Any, name: str = "set_diag", k: int = 0) -> Tensor:
    """Return matrices with another diagonal, or another k-th one above it."""
    x, d = match((input, diagonal), "set_diag")
    rows, columns = np.shape(plain(x))[-2:]
    here = np.eye(rows, columns, k, dtype=bool)
    if np.shape(plain(d)) != (*np.shape(plain(x))[:-2], int(here.sum())):
        refuse(f"set_diag of shape {np.shape(plain(x))} to {np.shape(plain(d))}.")
    # element (i, j) of the diagonal is the one of number min(i, j)
    number = np.minimum(*np.indices((rows, columns))).clip(0, max(int(here.sum()) - 1, 0))
    return tensor_of(np.where(here, operand(d)[..., number], x))


@in_words
def matrix_rank(a: Any, tol: Any = None, validate_args: bool = False, name: Any = None) -> Tensor:
    """Return the number of singular values above a tolerance."""
    return tensor_of(np.asarray(chosen(_rank, operand(a), tol=plain(tol))).astype(np.int32))


def _rank(x: Any, tol: Any) -> Any:
    s = np.linalg.svd(x, compute_uv=False)
    if tol is None:
        tol = np.max(s, axis=-1, keepdims=True) * max(np.shape(x)[-2:]) * np.finfo(s.dtype).eps
    return np.sum(s > tol, axis=-1)


@in_words
def tridiagonal_solve(
    diagonals: Any, rhs: Any, diagonals_format: str = "compact", transpose_rhs: bool = False,
    conjugate_rhs: bool = False, name: str | None = None, partial_pivoting: bool = True,
    perturb_singular: bool = False,
) -> Tensor:  # fmt: skip
    """Return `x` with ``matrix @ x = rhs``, of a matrix with three diagonals.

    Parameters
    ----------
    diagonals : tensor, [3, n], or a list of three
        Above (the last element counts for nothing), on and below the diagonal (the first does).
    rhs : tensor, [n] or [n, columns]
    """
    if diagonals_format not in ("compact", "sequence") or transpose_rhs or conjugate_rhs:
        refuse("tridiagonal_solve takes compact diagonals and rhs as it is.")
    above, on, below = match((*diagonals, rhs))[:3]
    matrix = sum(
        np.where(np.eye(len(on), k=k, dtype=bool), row, 0)
        for k, row in (
            (1, np.expand_dims(above, -1)), (0, on), (-1, np.expand_dims(below, -1)),
        )
    )  # fmt: skip
    return tensor_of(np.linalg.solve(matrix, operand(rhs)))
