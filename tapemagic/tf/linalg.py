"""`tf.linalg`: matrices, by NumPy's `linalg`."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from tapemagic.autodiff.calls.dispatch import plain

from . import advice, creation, factorizations, reductions
from .choices import chosen
from .conversion import check_matrices, match, operand, whole_numbers
from .refusals import in_words, refuse
from .tensor import Tensor, dtype_of, tensor_of

cholesky = factorizations.cholesky
eig, eigvals = factorizations.eig, factorizations.eigvals
eye = creation.eye
logm, sqrtm = factorizations.logm, factorizations.sqrtm
lstsq = factorizations.lstsq
lu = factorizations.lu
matrix_rank = factorizations.matrix_rank
set_diag = factorizations.set_diag
tridiagonal_solve = factorizations.tridiagonal_solve
norm = reductions.norm
l2_normalize = reductions.l2_normalize
global_norm = reductions.global_norm


class Qr(NamedTuple):
    """An orthogonal and an upper triangular factor."""

    q: Tensor
    r: Tensor


class LogMatrixDeterminant(NamedTuple):
    """The sign of a determinant, and the logarithm of its size."""

    sign: Tensor
    log_abs_determinant: Tensor


@in_words
def matmul(
    a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False,
    adjoint_a: bool = False, adjoint_b: bool = False, a_is_sparse: bool = False,
    b_is_sparse: bool = False, output_type: Any = None, name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return the product of matrices, or of stacks of them, transposed on request."""
    a, b = map(operand, match((a, b), "matmul"))
    if output_type is not None:  # before: products of small integers are larger than they
        a, b = creation.cast(a, output_type), creation.cast(b, output_type)
    check_matrices(a, b)
    return tensor_of(
        np.matmul(_turned(a, transpose_a, adjoint_a), _turned(b, transpose_b, adjoint_b))
    )


def _turned(x: Any, transposed: bool, adjoint: bool) -> Any:
    x = np.conjugate(x) if adjoint else x
    return np.swapaxes(x, -1, -2) if transposed or adjoint else x


@in_words
def matvec(
    a: Any, b: Any, transpose_a: bool = False, adjoint_a: bool = False, a_is_sparse: bool = False,
    b_is_sparse: bool = False, name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return the product of a matrix and a vector, or of stacks of them."""
    a, b = match((a, b), "matvec")
    product = np.matmul(_turned(a, transpose_a, adjoint_a), np.expand_dims(b, -1))
    return tensor_of(np.squeeze(product, axis=-1))


@in_words
def tensordot(a: Any, b: Any, axes: Any, name: str | None = None) -> Tensor:
    """Return the sum of products over axes of two tensors."""
    a, b = match((a, b), "tensordot")
    return tensor_of(np.tensordot(a, b, plain(axes)))


@in_words
def einsum(equation: str, *inputs: Any, optimize: Any = None, name: str | None = None) -> Tensor:
    """Return a sum of products in Einstein's notation."""
    tensors = tuple(map(operand, match(inputs, "einsum")))
    lengths: dict[str, int] = {}
    terms = equation.replace(" ", "").split("->")[0].split(",")
    if len(terms) != len(tensors):
        refuse(f"einsum: {equation!r} is of {len(terms)} tensors, and {len(tensors)} were given.")
    for letters, x in zip(terms, tensors, strict=True):
        if "." in letters:
            continue
        if len(letters) != len(shape := np.shape(plain(x))):
            refuse(f"einsum: {letters!r} does not name the axes of a tensor of shape {shape}.")
        for letter, length in zip(letters, shape, strict=True):
            if lengths.setdefault(letter, length) != length:  # NumPy would repeat a length of 1
                refuse(f"einsum: {letter!r} is of length {lengths[letter]} and of {length}.")
    return tensor_of(np.einsum(equation, *tensors))


@in_words
def inv(input: Any, adjoint: bool = False, name: str | None = None) -> Tensor:
    """Return the inverse."""
    return _turned(tensor_of(np.linalg.inv(operand(input))), False, adjoint)


@in_words
def pinv(a: Any, rcond: Any = None, name: str | None = None) -> Tensor:
    """Return the Moore-Penrose inverse."""
    return tensor_of(np.linalg.pinv(operand(a), **({} if rcond is None else {"rcond": rcond})))


@in_words
def det(input: Any, name: str | None = None) -> Tensor:
    """Return the determinant; exact for singular matrices as well."""
    return tensor_of(np.linalg.det(operand(input)))


@in_words
def slogdet(input: Any, name: str | None = None) -> tuple:
    """Return the sign of the determinant, and the logarithm of its size."""
    sign, logarithm = np.linalg.slogdet(operand(input))
    return LogMatrixDeterminant(tensor_of(sign), tensor_of(logarithm))


@in_words
def logdet(matrix: Any, name: str | None = None) -> Tensor:
    """Return the logarithm of the determinant of a positive definite matrix."""
    np.linalg.cholesky(plain(operand(matrix)))  # raises if it is not
    return slogdet(matrix)[1]


@in_words
def solve(matrix: Any, rhs: Any, adjoint: bool = False, name: str | None = None) -> Tensor:
    """Return `x` with ``matrix @ x = rhs``."""
    a, b = match((matrix, rhs), "solve")
    return tensor_of(np.linalg.solve(_turned(a, False, adjoint), b))


@in_words
def triangular_solve(
    matrix: Any, rhs: Any, lower: bool = True, adjoint: bool = False, name: str | None = None
) -> Tensor:
    """Return `x` with ``triangle @ x = rhs``; the other triangle of `matrix` is not looked at."""
    triangle = (np.tril if lower else np.triu)(operand(matrix))
    return solve(triangle, rhs, adjoint)


@in_words
def cholesky_solve(chol: Any, rhs: Any, name: str | None = None) -> Tensor:
    """Return `x` with ``chol @ chol^H @ x = rhs``."""
    return triangular_solve(chol, triangular_solve(chol, rhs), adjoint=True)


@in_words
def qr(input: Any, full_matrices: bool = False, name: str | None = None) -> tuple:
    """Return an orthogonal and an upper triangular factor."""
    q, r = np.linalg.qr(operand(input), "complete" if full_matrices else "reduced")
    return Qr(tensor_of(q), tensor_of(r))


@in_words
def eigh(tensor: Any, name: str | None = None) -> tuple:
    """Return eigenvalues, in ascending order, and eigenvectors of a symmetric matrix."""
    values, vectors = np.linalg.eigh(operand(tensor))
    return tensor_of(values), tensor_of(vectors)


@in_words
def eigvalsh(tensor: Any, name: str | None = None) -> Tensor:
    """Return eigenvalues of a symmetric matrix, in ascending order."""
    return tensor_of(np.linalg.eigvalsh(operand(tensor)))


@in_words
def svd(
    tensor: Any, full_matrices: bool = False, compute_uv: bool = True, name: str | None = None
) -> Any:
    """Return s, u, v with ``tensor = u @ diag(s) @ v^H``: `v`, where NumPy gives ``v^H``."""
    if not compute_uv:
        return tensor_of(np.linalg.svd(operand(tensor), compute_uv=False))
    u, s, vh = np.linalg.svd(operand(tensor), full_matrices=full_matrices)
    return tensor_of(s), tensor_of(u), _turned(tensor_of(vh), False, True)


@in_words
def trace(x: Any, name: str | None = None) -> Tensor:
    """Return the sum of the diagonal of the last two axes."""
    x = operand(x)
    return tensor_of(np.trace(x, axis1=-2, axis2=-1).astype(dtype_of(x)))


def diag(diagonal: Any, name: str = "diag", k: int = 0) -> Tensor:
    """Return matrices with the last axis on their diagonal, or on the k-th above it."""
    x = operand(diagonal)
    count = np.shape(plain(x))[-1] + abs(k)
    beside = [(0, 0)] * (np.ndim(plain(x)) - 1) + [(max(k, 0), max(-k, 0))]
    return tensor_of(np.where(np.eye(count, k=k, dtype=bool), np.pad(x, beside)[..., None, :], 0))


@in_words
def diag_part(input: Any, name: str = "diag_part", k: int = 0) -> Tensor:
    """Return the diagonal of the last two axes, or the k-th above it.

    Raises
    ------
    TensorError
        For several diagonals at once.
    """
    k = plain(k)
    if np.ndim(k):
        refuse(f"diag_part(k={k!r}) is not provided.", "Take one diagonal at a time: k=1.")
    return tensor_of(np.diagonal(operand(input), k, axis1=-2, axis2=-1))


def tensor_diag(diagonal: Any, name: str | None = None) -> Tensor:
    """Return a tensor of twice as many axes, the elements where both halves of the place agree."""
    x = operand(diagonal)
    lengths = np.shape(plain(x))
    return tensor_of(np.reshape(diag(np.reshape(x, (-1,))), (*lengths, *lengths)))


@in_words
def tensor_diag_part(input: Any, name: str | None = None) -> Tensor:
    """Return the elements where both halves of the place agree."""
    x = operand(input)
    lengths = np.shape(plain(x))
    half = lengths[: len(lengths) // 2]
    if half * 2 != lengths:
        refuse(f"tensor_diag_part of shape {lengths}.", "Both halves of the shape must agree.")
    return tensor_of(np.reshape(diag_part(np.reshape(x, (math.prod(half),) * 2)), half))


def band_part(input: Any, num_lower: Any, num_upper: Any, name: str | None = None) -> Tensor:
    """Return matrices with everything outside a band set to 0; -1 keeps a whole triangle."""
    x = operand(input)
    rows, columns = np.shape(plain(x))[-2:]
    below = np.arange(rows)[:, None] - np.arange(columns)
    low, high = whole_numbers(num_lower), whole_numbers(num_upper)
    inside = ((low < 0) | (below <= low)) & ((high < 0) | (-below <= high))
    return tensor_of(np.where(inside, x, 0))


@in_words
def cross(a: Any, b: Any, name: str | None = None) -> Tensor:
    """Return the cross product of vectors of three."""
    a, b = match((a, b), "cross")
    return tensor_of(np.cross(a, b))


def matrix_transpose(a: Any, name: str = "matrix_transpose", conjugate: bool = False) -> Tensor:
    """Return the last two axes exchanged."""
    return tensor_of(_turned(operand(a), not conjugate, conjugate))


def adjoint(matrix: Any, name: str | None = None) -> Tensor:
    """Return the last two axes exchanged, conjugated."""
    return matrix_transpose(matrix, conjugate=True)


def normalize(
    tensor: Any, ord: Any = "euclidean", axis: Any = None, name: str | None = None
) -> tuple:
    """Return a tensor divided by its norm, and the norm."""
    x = operand(tensor)
    size = norm(x, ord, axis, keepdims=True)
    return tensor_of(x / size), size


def expm(input: Any, name: str | None = None) -> Tensor:
    """Return the matrix exponential, by its Taylor series of a scaled matrix, squared back.

    Higham 2005, "The scaling and squaring method for the matrix exponential revisited", with the
    series in place of the Pade approximant: ten products more, and nothing to solve.
    """
    x = operand(input)
    halvings = chosen(_halvings, x)
    term: Any = creation.eye(np.shape(plain(x))[-1], dtype=dtype_of(x))
    y = term
    scaled = x / 2.0**halvings
    for k in range(1, 19):
        term = term @ scaled / k
        y = y + term
    for _ in range(halvings):
        y = y @ y
    return tensor_of(y)


def _halvings(x: Any) -> int:
    """Return how often to halve a matrix, so that its series converges fast."""
    size = float(np.max(np.sum(np.abs(x), axis=-1), initial=0))
    return max(0, int(np.ceil(np.log2(size))) + 1) if size > 0 else 0


__getattr__ = advice.missing("tf.linalg")
