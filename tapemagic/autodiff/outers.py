"""Outer products that wait to be added up, as one matrix product.

``h @ w`` of a vector gives `w` the cotangent h ct^T. A weight that is used in every step of a loop
collects one such matrix per step, and their sum is a product of two matrices that have the vectors
as rows:

    sum_t h_t ct_t^T = H^T C

which takes one call and not two per step.
"""

from __future__ import annotations

from typing import Any

import numpy as np

#: So many wait at most: they keep their vectors in memory.
_MOST = 1024


class Outers:
    """The cotangent of a matrix during the sweep: a sum so far, and what is to be added to it."""

    __slots__ = ("_lefts", "_rest", "_rights")

    def __init__(self, rest: np.ndarray) -> None:
        self._rest = rest
        self._lefts: list[np.ndarray] = []
        self._rights: list[np.ndarray] = []

    def add(self, left: np.ndarray, right: np.ndarray) -> None:
        """Add ``np.outer(left, right)``."""
        self._lefts.append(left)
        self._rights.append(right)
        if len(self._lefts) >= _MOST:
            self._rest = self.total()
            self._lefts.clear()
            self._rights.clear()

    def __add__(self, ct: Any) -> Outers:
        self._rest = self._rest + ct
        return self

    def total(self) -> Any:
        """Return the sum."""
        if not self._lefts:
            return self._rest
        return self._rest + np.array(self._lefts).T @ np.array(self._rights)


def add_outer(operand: int, left: Any, right: Any, old: Any, cotangents: Any) -> bool:
    """Let ``np.outer(left, right)`` wait, if it is one of several for a source of the sweep.

    What waits is added up when the sweep arrives at a source, so no other node can have any.
    """
    if not (type(left) is type(right) is np.ndarray and left.ndim == right.ndim == 1):
        return False
    if type(old) is not Outers:
        if (
            type(old) is not np.ndarray
            or operand not in cotangents[-3]
            or old.shape != (*left.shape, *right.shape)
            or not (left.dtype == right.dtype == old.dtype and old.dtype.kind == "f")
        ):
            return False
        old = cotangents[operand] = Outers(old)
        cotangents[-1].discard(operand)  # no buffer to write to in place any more
    old.add(left, right)
    return True
