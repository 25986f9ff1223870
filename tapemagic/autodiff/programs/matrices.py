"""Sparse matrices of SciPy's, which a program takes as constants."""

from __future__ import annotations

import sys
from typing import Any


def is_sparse(x: Any) -> bool:
    """Tell whether an object is a sparse matrix, without loading SciPy to see it."""
    sparse = sys.modules.get("scipy.sparse")
    return sparse is not None and sparse.issparse(x)


def are_equal(a: Any, b: Any) -> bool:
    """Tell whether two sparse matrices have the same format, shape, dtype and elements."""
    alike = type(a) is type(b) and (a.shape, a.dtype, a.nnz) == (b.shape, b.dtype, b.nnz)
    return alike and (a != b).nnz == 0
