"""Products of constant sparse matrices with arrays. Imported only when `scipy.sparse` has been.

SciPy's ``M @ t`` leaves the operator to a right operand that is no array, and a handle says that it
is none to the method that asks (`traced.py`); ``t @ M`` comes to the handle first. The matrices
themselves are plain: one cannot be made of traced values.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
from scipy import sparse

from tapemagic.autodiff.later import OPERATORS, product, product_from_right
from tapemagic.autodiff.primitives import general

from .algebra import apply, is_live, plain
from .carrying import twin_package, unsupported

#: id of a matrix that lives -> the copy that tapes keep.
_COPIES: dict[int, Any] = {}


def kept(m: Any) -> Any:
    """Return a copy of a matrix, the same one as long as the matrix does not change."""
    known = _COPIES.get(id(m))
    if known is not None and _same(vars(m), vars(known)):
        return known
    if known is None:
        weakref.finalize(m, _COPIES.pop, id(m), None)
    copy = _COPIES[id(m)] = m.copy()
    return copy


def _same(a: Any, b: Any) -> bool:
    """Tell whether the attributes of two matrices, all that they consist of, are the same."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_same(x, b[key]) for key, x in a.items())
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")
    return type(a) is type(b) and bool(a == b)


def _left_vjp(ct: Any, y: Any, m: Any, x: Any) -> Any:
    return apply(product, m.conj().T, ct)


def _right_vjp(ct: Any, y: Any, x: Any, m: Any) -> Any:
    return apply(product_from_right, ct, m.conj().T)


general(product, None, _left_vjp, name="matmul")
general(product_from_right, _right_vjp, None, name="matmul")


def _product(a: Any, b: Any) -> Any:
    """Carry out ``a @ b``, where one of both is a sparse matrix."""
    m, x = (a, b) if sparse.issparse(a) else (b, a)
    if not is_live(x):
        return plain(a) @ plain(b)
    if m.ndim != 2 or x.ndim > 2:
        raise unsupported(_product, "anything but two axes", "Multiply the slices in a loop.")
    return apply(product, kept(m), b) if m is a else apply(product_from_right, a, kept(m))


_product.__module__, _product.__name__ = "scipy.sparse", "matmul"

for _format in ("bsr", "coo", "csc", "csr", "dia", "dok", "lil"):
    OPERATORS[np.matmul, getattr(sparse, f"{_format}_array")] = _product
    for _operator in (np.matmul, np.multiply):  # an asterisk between matrices is their product
        OPERATORS[_operator, getattr(sparse, f"{_format}_matrix")] = _product
twin_package(sparse)
